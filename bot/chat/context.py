"""The context of one question: asker, place, line and time; and the places that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from bot.access.people import Person
from bot.chat.message import Conversation, ConversationKind, Picture
from bot.erp.books import ALL_BOOKS, Books
from bot.outbox.place import Place, PlaceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionContext:
    """The facts about a question besides its arguments; injected by type.

    ``line`` is the text as typed (or a button's line), ``offset`` the first row wanted of a list, ``now`` an aware time
    in the organisation's zone. ``clicked``: a button was tapped, and the answer must come within DingTalk's two
    seconds; it is for the clicker alone, unless it is ``overlooked``: shown on a card that a group holds. ``free_text``
    are the person's own words: a field of the card's form, or the message that answers a prompt
    (`bot.chat.questions.prompts`). ``picture``: it was sent in place of a line. ``quoted_text`` is the text of the card
    or message that the line replies to; ``quotes_bot``: it is the bot's own. ``on_form``: a form was clicked, which is
    never redrawn: its answer has to stay true. ``mentions_others``: an ``@name`` in the line may be a person mentioned
    beside the bot. ``rows``: the number of list rows wanted at once; None: as many as fit a card. ``books`` are those
    named in the line; queries to the ERPs stay within them. ``only_asks``: nobody has just typed or pressed this very
    line, so it must change nothing. ``on_page``: it is asked on a page, whose form asks for what is missing: no message
    in a chat completes it.
    """

    person: Person
    conversation: Conversation
    line: str
    offset: int = 0
    now: datetime
    clicked: bool = False
    overlooked: bool = False
    on_form: bool = False
    on_page: bool = False
    free_text: str = ""
    picture: Picture | None = None
    quoted_text: str = ""
    quotes_bot: bool = False
    mentions_others: bool = False
    rows: int | None = None
    books: Books = ALL_BOOKS
    only_asks: bool = False

    @property
    def today(self) -> date:
        """The organisation's day, in every source: the meaning of words such as today, and the reference for
        lateness.
        """
        return self.now.date()

    @property
    def is_private(self) -> bool:
        """Whether only the asker sees the answer."""
        return (self.clicked and not self.overlooked) or self.conversation.kind is ConversationKind.DIRECT


def place_of(context: QuestionContext) -> Place:
    """Return the question's place: a group, or the asker's own chat with the bot."""
    if context.conversation.kind is ConversationKind.GROUP:
        return Place(PlaceKind.GROUP, context.conversation.id)
    return own_place(context)


def places_of(context: QuestionContext) -> tuple[Place, ...]:
    """Return the places whose cards the asker may mean, the most likely first.

    The asker's own chat is always among them: a click there looks like a click in a group, since the callback's
    ``spaceType`` is the same (docs: platform/dingtalk/callbacks.md#who-clicked).
    """
    return tuple(dict.fromkeys((place_of(context), own_place(context))))


def own_place(context: QuestionContext) -> Place:
    """Return the asker's own chat with the bot. Only members ask: outsiders have no userId."""
    user_id = context.person.user_id
    assert user_id is not None, "only members are answered"
    return Place(PlaceKind.PERSON, user_id)
