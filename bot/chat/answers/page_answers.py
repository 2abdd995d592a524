"""Answers for pages: what a person sees on a page is what the same person sees in their own chat with the bot.

A page asks lines, as buttons do, and gets what may be shown of their answers: through the same limits, rules, records
and cuts as a question in the chat. Nothing else gives a page figures. A line that a page *asks* changes nothing: only
what somebody has sent off by a form of their own session *acts*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.access.grants import FULL_GRANT
from bot.access.people import Person
from bot.access.policy import ADMIN, AccessPolicy
from bot.cards.actions import ApprovalAction, Ask, BadToken, unpack
from bot.cards.card import Card, FileRenderer
from bot.cards.form import REASON_FIELD
from bot.cards.notices import OutOfDateNotice
from bot.cards.view import ListView, View
from bot.chat.answers.clicks import form_text, line_of
from bot.chat.answers.watched_questions import WatchedQuestions
from bot.chat.context import QuestionContext
from bot.chat.exports import ExportedFile, Exports
from bot.chat.message import Conversation, ConversationKind
from bot.chat.question_handler import PreparedAnswer, QuestionHandler
from bot.chat.questions.failures import QuestionOutcome
from bot.chat.registry import Commands
from bot.words.disclosure import cut
from bot.words.phrase import Phrase

_EXPORT = "/export "
PAGE = Conversation("page", ConversationKind.DIRECT)
"""Where questions of pages are asked: a place that the asker alone sees, which the audit log tells from chats."""


@dataclass(frozen=True, slots=True)
class PageButton:
    """A button of an answer: it ``asks`` a line, ``does`` something by its token, is an https ``link``, or gives the
    list of a line as a ``file``.
    """

    text: str
    asks: Ask | None = None
    does: str = ""
    link: str = ""
    file: str = ""
    is_main: bool = False
    is_danger: bool = False


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """What may be shown of an answer. ``view`` is cut already, ``card`` is drawn from it, and ``outline`` without the
    rows of documents, None where there are none.

    ``asked`` is the line that was answered: where a sentence was read, the line that it was taken for.
    """

    view: View
    card: Card
    outline: Card | None
    command: str
    outcome: str
    asked: str
    buttons: tuple[PageButton, ...]
    is_decision: bool = False
    """It tells of a decision, which may still be on its way to the ERP."""


@dataclass(frozen=True, slots=True)
class CutAnswer:
    """What may be shown of an answer, undrawn: its ``view`` is cut, and ``answer`` what it was before."""

    view: View
    answer: PreparedAnswer
    context: QuestionContext

    @property
    def asked(self) -> str:
        """The line that was answered: where a sentence was read, the line that it was taken for."""
        return self.answer.read_as or self.context.line


class PageAnswers:
    """Asks and acts for people who are logged in."""

    def __init__(
        self,
        handler: QuestionHandler,
        glancing: QuestionHandler,
        *,
        watching: WatchedQuestions,
        exports: Exports,
        renderer: FileRenderer,
        commands: Commands,
        policy: Callable[[], AccessPolicy],
        now: Callable[[], datetime],
        card_reference: Callable[[], str] = lambda: "",
    ) -> None:
        """``handler`` answers within the limits of each person; ``glancing`` records what is shown and counts nothing,
        for the lists of a person's own that stand beside one another; ``watching`` shows administrators what others
        would see. ``renderer`` draws as much as there is. ``card_reference`` returns the reference of the trace for the
        answers of its page; empty if they have none.
        """
        self._handler = handler
        self._glancing = glancing
        self._watching = watching
        self._exports = exports
        self._renderer = renderer
        self._policy = policy
        self.commands = commands
        self._now = now
        self._reference = card_reference

    def context(
        self, person: Person, line: str, *, offset: int = 0, rows: int | None = None, place: Conversation = PAGE
    ) -> QuestionContext:
        """Return the context of a line that a person asks on a page: it changes nothing."""
        return QuestionContext(
            person=person,
            conversation=place,
            line=line,
            offset=offset,
            rows=rows,
            now=self._now(),
            clicked=line.startswith("/"),
            on_page=True,
            only_asks=True,
        )

    async def ask(self, person: Person, line: str, *, offset: int = 0, rows: int | None = None) -> PageAnswer:
        """Answer a line, or a sentence, from the row on that is wanted; of a list ``rows``, else what fits a card."""
        context = self.context(person, line, offset=offset, rows=rows)
        return self._shown(context, await self._handler.view_for(context))

    async def look_up(
        self,
        person: Person,
        line: str,
        *,
        place: Conversation,
        offset: int = 0,
        rows: int | None = None,
        is_question: bool = True,
    ) -> CutAnswer:
        """Answer a line for what needs no card. What is no question is recorded, and counts towards no limit."""
        context = self.context(person, line, offset=offset, rows=rows, place=place)
        handler = self._handler if is_question else self._glancing
        answer = await handler.view_for(context)
        return CutAnswer(self._cut(answer), answer, context)

    async def glance(self, person: Person, line: str, *, rows: int | None = None) -> PageAnswer:
        """Answer a fixed line of a page that shows several at once. It is recorded, and counts as no question."""
        context = self.context(person, line, rows=rows)
        return self._shown(context, await self._glancing.view_for(context))

    async def as_seen_by(self, person: Person, line: str, *, viewer: Person, offset: int = 0) -> PageAnswer:
        """Return what a person would see of a line, without anything that acts, for a ``viewer`` who looks after them.

        It is in the audit log before it is returned, and is neither a question nor an entry of that person's.
        """
        context = replace(self.context(person, line, offset=offset), person=replace(person, language=viewer.language))
        shown = self._shown(context, await self._watching.view_for(context, viewer))
        return replace(shown, card=replace(shown.card, form=None), buttons=())

    async def act(self, person: Person, token: str, values: Mapping[str, str]) -> PageAnswer:
        """Do what a button or a form of an answer stands for, as a tap on the card's button does.

        The token comes from a browser, so it is a request: who may do that is asked as always.
        """
        try:
            action = unpack(token)
        except BadToken:
            context = self.context(person, "/")
            return self._shown(context, PreparedAnswer(OutOfDateNotice(), "page", "out_of_date"))
        line, offset = line_of(action, values)
        asked = self.context(person, line, offset=offset)
        context = replace(asked, clicked=True, only_asks=False, free_text=form_text(values, REASON_FIELD))
        shown = self._shown(context, await self._handler.view_for(context))
        return replace(shown, is_decision=isinstance(action, ApprovalAction))

    async def file(self, person: Person, line: str) -> ExportedFile | PageAnswer:
        """Return the list or report of a line as a file, or why there is none. Raises a `DingerpError`."""
        export = self.commands.get("export")
        if export is None or not self._policy().decide(person, export.request()).allowed:
            return await self.ask(person, f"{_EXPORT}{line.removeprefix('/')}")
        context = self.context(person, line)
        made = await self._exports.hand_over(line, context)
        if isinstance(made, ExportedFile):
            return made
        # It is cut for this person already, or tells no figures.
        return self._shown(context, PreparedAnswer(made, "export", QuestionOutcome.ANSWERED, FULL_GRANT))

    def usable(self, person: Person) -> frozenset[str]:
        """Return the commands that a person may use, in whose place pages offer something."""
        context = self.context(person, "/")
        return frozenset(command.name for command in self.commands.usable(self._policy(), context))

    def draw(self, found: CutAnswer) -> PageAnswer:
        """Return what was looked up with its card."""
        return self._shown(found.context, found.answer)

    def _cut(self, answer: PreparedAnswer) -> View:
        return self._renderer.tell_apart(cut(answer.view, answer.grant.fields))

    def is_administrator(self, person: Person) -> bool:
        """Return whether somebody is an administrator of the organisation, as commands for administrators ask it."""
        return not person.is_external and ADMIN in self._policy().roles_of(person)

    def _shown(self, context: QuestionContext, answer: PreparedAnswer) -> PageAnswer:
        view = self._cut(answer)
        card = self._draw(view, context, answer.reading)
        return PageAnswer(
            view=view,
            card=card,
            outline=self._outline(view, card, context),
            command=answer.command,
            outcome=answer.outcome,
            asked=answer.read_as or context.line,
            buttons=tuple(self._buttons(card)),
        )

    def _draw(self, view: View, context: QuestionContext, read_as: Phrase | None = None) -> Card:
        zone = context.now.tzinfo
        assert zone is not None, "the clock gives aware times"
        return self._renderer.render(
            view, context.person.language, zone=zone, read_as=read_as, reference=self._reference()
        )

    def _outline(self, view: View, whole: Card, context: QuestionContext) -> Card | None:
        """Return the card of documents without their rows, which a page shows as a table.

        It says only what the ``whole`` card says: not that there is nothing, which cards say that have no rows.
        """
        if not isinstance(view, ListView) or not view.tabled or not view.rows or view.table() is None:
            return None
        bare = self._draw(replace(view, rows=(), total=0), context)
        said = {*whole.body.splitlines()}
        return replace(bare, body="\n".join(line for line in bare.body.splitlines() if line in said))

    def _buttons(self, card: Card) -> list[PageButton]:
        """Return a card's buttons: what only asks leads on by an address, the rest is done by a form."""
        found: list[PageButton] = []
        for drawn in card.buttons:
            if drawn.url:
                found.append(PageButton(drawn.text, link=drawn.url))
                continue
            action = unpack(drawn.token)
            if isinstance(action, Ask) and action.line.startswith(_EXPORT):
                found.append(PageButton(drawn.text, file=f"/{action.line.removeprefix(_EXPORT)}"))
                continue
            asks = action if isinstance(action, Ask) and self.commands.only_asks(action.line) else None
            main, danger = drawn.color == "blue", drawn.color == "red"
            found.append(PageButton(drawn.text, asks, "" if asks else drawn.token, is_main=main, is_danger=danger))
        return found
