"""Each person's last question in each conversation: follow-up sentences leave out what is already known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import structlog

from bot.chat.context import QuestionContext
from bot.mechanisms.recency import RecentItems
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

KEPT_FOR = timedelta(minutes=30)
"""After that a sentence stands alone again."""
_MOST = 10_000
"""Dialogues at a time; beyond that the longest idle ones are dropped."""
_SAVED_EVERY = 2.0
"""Seconds between two saves: a crash loses the dialogues of these seconds, an orderly stop none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastQuestion:
    """An answered line, with the lines its rows open, and the lines its document leads to: its customer, its
    deliveries; ``at`` is the time.
    """

    line: str
    rows: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    at: datetime


class DialogueKey(NamedTuple):
    """One person in one conversation: nobody continues another person's dialogue."""

    user_id: str
    conversation_id: str


class DialogueStore(Protocol):
    """Stores dialogues across restarts. Raises a `DingerpError` when unavailable."""

    async def load(self, since: datetime) -> Iterable[tuple[DialogueKey, LastQuestion]]:
        """Return the dialogues newer than ``since``."""
        ...

    async def find(self, key: DialogueKey) -> LastQuestion | None:
        """Return the last question of one dialogue."""
        ...

    async def save(self, changed: Collection[tuple[DialogueKey, LastQuestion]], since: datetime) -> None:
        """Store these, and delete those older than ``since``."""
        ...


class Dialogues:
    """Keeps the last question of each dialogue for half an hour."""

    def __init__(self, store: DialogueStore, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._last: RecentItems[DialogueKey, LastQuestion] = RecentItems(_MOST)
        self._changed: dict[DialogueKey, LastQuestion] = {}

    def last(self, context: QuestionContext) -> LastQuestion | None:
        """Return this person's last question in this conversation; None if it is too old."""
        found = self._last.get(_key(context))
        return found if found and context.now - found.at <= KEPT_FOR else None

    def remember(self, context: QuestionContext, line: str, rows: tuple[str, ...], links: tuple[str, ...] = ()) -> None:
        """Record an answered line."""
        key = _key(context)
        last = self._changed[key] = LastQuestion(line=line, rows=rows, links=links, at=context.now)
        self._last.put(key, last)

    async def refresh(self, context: QuestionContext) -> None:
        """Read the last question, which another replica may have answered."""
        key = _key(context)
        if (found := await self._store.find(key)) is not None:
            self._last.put(key, found)

    async def load(self) -> None:
        """Load the dialogues of an earlier run."""
        self._last.put_all(await self._store.load(self._now() - KEPT_FOR))

    async def run(self) -> None:
        """Save changes until cancelled, and then the rest."""
        try:
            while True:
                await asyncio.sleep(_SAVED_EVERY)
                await self.save()
        finally:
            await self.save()

    async def save(self) -> None:
        """Store what changed; while the store does not answer, it waits."""
        changed, self._changed = self._changed, {}
        if not changed:
            return
        try:
            await self._store.save(list(changed.items()), self._now() - KEPT_FOR)
        except DingerpError as error:
            self._changed = {**changed, **self._changed}
            log.warning("dialogues.not_saved", error=type(error).__name__, detail=error.detail)


def _key(context: QuestionContext) -> DialogueKey:
    return DialogueKey(context.person.user_id or "", context.conversation.id)
