"""The limits of readers whom several replicas answer: all of them count together, in the store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from secrets import token_hex
from typing import Protocol, TypeVar

import structlog

from bot.access.limits import Allowance, DailyExports, LimitedParty, LimitReached, ReadingLimits
from bot.words.errors import DingerpError

T = TypeVar("T")

log = structlog.get_logger(__name__)

_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CountedUse:
    """A question, a document or a file of a party; ``subject`` tells it from others of its kind."""

    party: str
    kind: str
    subject: str
    at: datetime


Decision = Callable[[Sequence[CountedUse]], tuple[T, Sequence[CountedUse]]]
"""Returns a result, and what is to be counted, for what was counted so far, the oldest first."""


class UseStore(Protocol):
    """Stores what was counted. May raise a `DingerpError`."""

    async def decide(self, parties: Collection[str], kind: str, since: datetime, decide: Decision[T]) -> T:
        """Return a decision on some parties; nobody else decides on them meanwhile."""
        ...


class ReaderLimits(Protocol):
    """The limits of the asker and of the conversation; see `bot.access.limits.ReadingLimits`."""

    async def take_question(self, person: str, conversation: str, now: datetime) -> LimitReached | None:
        """Count a question, or return the limit that forbids it."""
        ...

    async def take_documents(
        self, person: str, conversation: str, documents: Collection[str], now: datetime
    ) -> LimitReached | None:
        """Count documents about to be shown, or return the limit that forbids it."""
        ...


class OwnLimits:
    """The limits of a process that is alone, in memory."""

    def __init__(self, limits: ReadingLimits) -> None:
        self._limits = limits

    async def take_question(self, person: str, conversation: str, now: datetime) -> LimitReached | None:
        return self._limits.take_question(person, conversation, now)

    async def take_documents(
        self, person: str, conversation: str, documents: Collection[str], now: datetime
    ) -> LimitReached | None:
        return self._limits.take_documents(person, conversation, documents, now)


class SharedLimits:
    """The limits that replicas share. While the store does not answer, each counts alone."""

    def __init__(
        self,
        store: UseStore,
        *,
        person: Allowance,
        conversation: Allowance,
        whose: LimitedParty = LimitedParty.PERSON,
    ) -> None:
        self._store = store
        self._person = person
        self._conversation = conversation
        self._whose = whose
        self._alone = self._fresh()
        self._remembered = max(person.row, conversation.row, _DAY)

    def _fresh(self) -> ReadingLimits:
        return ReadingLimits(person=self._person, conversation=self._conversation, whose=self._whose)

    async def take_question(self, person: str, conversation: str, now: datetime) -> LimitReached | None:
        def decide(counted: Sequence[CountedUse]) -> tuple[LimitReached | None, Sequence[CountedUse]]:
            limits = self._fresh()
            for use in counted:
                limits.recall_question(*_party(use), use.at.astimezone(now.tzinfo))
            reached = limits.take_question(person, conversation, now)
            new = [] if reached else [CountedUse(party, "question", token_hex(8), now) for party in parties]
            return reached, new

        parties = _parties(self._whose, person, conversation)
        try:
            return await self._store.decide(parties, "question", now - _MINUTE, decide)
        except DingerpError as error:
            _warn(error)
            return self._alone.take_question(person, conversation, now)

    async def take_documents(
        self, person: str, conversation: str, documents: Collection[str], now: datetime
    ) -> LimitReached | None:
        shown = [blake2b(document.encode(), digest_size=16).hexdigest() for document in documents]

        def decide(counted: Sequence[CountedUse]) -> tuple[LimitReached | None, Sequence[CountedUse]]:
            limits = self._fresh()
            for use in counted:
                limits.recall_document(*_party(use), use.subject, use.at.astimezone(now.tzinfo))
            reached = limits.take_documents(person, conversation, shown, now)
            new = [] if reached else [CountedUse(party, "document", each, now) for party in parties for each in shown]
            return reached, new

        parties = _parties(self._whose, person, conversation)
        try:
            return await self._store.decide(parties, "document", now - self._remembered, decide)
        except DingerpError as error:
            _warn(error)
            return self._alone.take_documents(person, conversation, documents, now)


class FileLimits(Protocol):
    """The limit of files per person and day; see `bot.access.limits.DailyExports`."""

    async def reached(self, person: str, now: datetime) -> LimitReached | None:
        """Return the limit that another file would exceed, if any."""
        ...

    async def take(self, person: str, now: datetime) -> LimitReached | None:
        """Count a file, or return the limit that forbids it."""
        ...


class OwnFileLimits:
    """The limit of a process that is alone, in memory."""

    def __init__(self, allowed: int) -> None:
        self._exports = DailyExports(allowed)

    async def reached(self, person: str, now: datetime) -> LimitReached | None:
        return self._exports.reached(person, now)

    async def take(self, person: str, now: datetime) -> LimitReached | None:
        return self._exports.take(person, now)


class SharedFileLimits:
    """The limit that replicas share. While the store does not answer, each counts alone."""

    def __init__(self, store: UseStore, allowed: int) -> None:
        self._store = store
        self._allowed = allowed
        self._alone = DailyExports(allowed)

    async def reached(self, person: str, now: datetime) -> LimitReached | None:
        return await self._decide(person, now, counts=False)

    async def take(self, person: str, now: datetime) -> LimitReached | None:
        return await self._decide(person, now, counts=True)

    async def _decide(self, person: str, now: datetime, *, counts: bool) -> LimitReached | None:
        def decide(counted: Sequence[CountedUse]) -> tuple[LimitReached | None, Sequence[CountedUse]]:
            exports = DailyExports(self._allowed)
            for _ in counted:
                exports.count(person, now)
            reached = exports.reached(person, now)
            return reached, [CountedUse(party, "file", token_hex(8), now)] if counts and not reached else []

        [party] = _parties(LimitedParty.PERSON, person, "")
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        try:
            return await self._store.decide([party], "file", midnight, decide)
        except DingerpError as error:
            _warn(error)
            return self._alone.take(person, now) if counts else self._alone.reached(person, now)


def _parties(whose: LimitedParty, person: str, conversation: str) -> list[str]:
    of_person = f"{whose}:{person}"
    return [of_person, f"{LimitedParty.CONVERSATION}:{conversation}"] if conversation else [of_person]


def _party(use: CountedUse) -> tuple[LimitedParty, str]:
    whose, _, party = use.party.partition(":")
    return LimitedParty(whose), party


def _warn(error: DingerpError) -> None:
    log.warning("limits.not_shared", error=type(error).__name__, detail=error.detail)
