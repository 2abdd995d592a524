"""From a conversation to the place where the bot's own cards stand."""

from __future__ import annotations

from bot.chat.asking import Asking
from bot.chat.message import ConversationKind
from bot.outbox.place import Place, PlaceKind


def place_of(asking: Asking) -> Place:
    """Return the place where the question stands: a group, or the asker's own chat with the bot."""
    if asking.conversation.kind is ConversationKind.GROUP:
        return Place(PlaceKind.GROUP, asking.conversation.id)
    return own_place(asking)


def places_of(asking: Asking) -> tuple[Place, ...]:
    """Return the places whose cards the asker may mean, the likeliest first.

    One's own chat is always among them: a click there cannot be told from a click in a group, since the callback's
    ``spaceType`` is the same (DingTalk sheet, 5.7).
    """
    return tuple(dict.fromkeys((place_of(asking), own_place(asking))))


def own_place(asking: Asking) -> Place:
    """Return the asker's own chat with the bot. Only members ask: people from outside have no user id."""
    user_id = asking.person.user_id
    assert user_id is not None, "the desk answers members only"
    return Place(PlaceKind.PERSON, user_id)
