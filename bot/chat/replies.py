"""Questions of ours that somebody's next message answers, such as why they reject.

They are kept in memory and for minutes only: after a restart, or where several processes share the frames and another
one gets the message, it is read like any other line, and the person types or taps the whole once more. Nothing is
lost by that, since nothing was decided yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cachetools import LRUCache

from bot.chat.asking import Asking
from bot.chat.line import normalise, split
from bot.chat.places import places_of
from bot.chat.reading import Reading
from bot.outbox.place import Place

WAITS = timedelta(minutes=5)
"""For how long a message is taken for the answer."""

_PEOPLE = 2_000


@dataclass(frozen=True, slots=True)
class _Question:
    line: str
    places: tuple[Place, ...]
    until: datetime


class OpenQuestions:
    """One for each person: a newer one takes the place of the one before."""

    def __init__(self) -> None:
        self._of: LRUCache[str, _Question] = LRUCache(_PEOPLE)

    def put(self, asking: Asking, line: str) -> None:
        """Remember that the person's next message where they asked is to be answered as ``line`` with their words."""
        if asking.person.user_id:
            self._of[asking.person.user_id] = _Question(line, places_of(asking), asking.now + WAITS)

    def take(self, asking: Asking) -> str | None:
        """Return the line that a message completes, once; None when nothing was asked there or it is too long ago."""
        user_id = asking.person.user_id or ""
        question = self._of.get(user_id)
        if question is None or asking.clicked:
            return None
        if asking.now > question.until:
            del self._of[user_id]
            return None
        if not {*question.places} & {*places_of(asking)[:1]}:
            return None
        del self._of[user_id]
        return question.line

    def drop(self, asking: Asking) -> None:
        """Forget what was asked: it has been answered in another way."""
        self._of.pop(asking.person.user_id or "", None)


def may_answer(reading: Reading, line: str) -> bool:
    """Whether a line can be the answer to a question of ours, and is no command.

    “库存充足” and “采购价太高” say why and only begin like commands; ``库存 SKU123`` and ``采购PO-1001`` are some.
    """
    if reading.slashed or not (reading.word or reading.rest):
        return False
    if reading.command is None:
        return True
    first = next(iter(split(normalise(line))), "")
    asks = first.casefold() == reading.word.casefold() or (reading.rest[:1].isascii() and reading.rest[:1].isalnum())
    return not asks
