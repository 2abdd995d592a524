"""Limits on how much a person, or a conversation, may ask and see, so that nobody copies the ERP through the bot.

Counts are in memory, per process, and restart at zero.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

_MINUTE = timedelta(minutes=1)


class LimitKind(StrEnum):
    """The kind of a limit; a bounded set, because it labels a metric."""

    QUESTIONS_MINUTE = "questions_minute"
    DOCUMENTS_DAY = "documents_day"
    DOCUMENTS_ROW = "documents_row"
    EXPORTS_DAY = "exports_day"


class LimitedParty(StrEnum):
    """The party a limit applies to."""

    PERSON = "person"
    CONVERSATION = "conversation"
    KEY = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The maximum of questions per minute, of different documents per day, and in a ``row``; 0: unlimited."""

    questions_minute: int
    documents_day: int
    documents_row: int
    row: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitReached:
    """A rejected question; ``until`` is when it may be asked again, ``row`` the length of a row."""

    kind: LimitKind
    whose: LimitedParty
    allowed: int
    row: timedelta
    until: datetime

    @property
    def rule(self) -> str:
        """The setting that rejected it."""
        return f"limits.{self.whose}.{self.kind}"


@dataclass(slots=True)
class _Usage:
    """A party's recent questions and documents."""

    questions: deque[datetime] = field(default_factory=deque)
    day: date = date.min
    today: set[str] = field(default_factory=set)
    seen: dict[str, datetime] = field(default_factory=dict)
    """When each document was last shown, the oldest first."""


class PartyLimits:
    """The limits of all people, or of all conversations."""

    def __init__(self, whose: LimitedParty, allowance: Allowance) -> None:
        self._whose = whose
        self._allowance = allowance
        self._usage: dict[str, _Usage] = {}
        self._day = date.min

    def reached_by_question(self, party: str, now: datetime) -> LimitReached | None:
        """Return the limit that another question would exceed, if any."""
        allowed = self._allowance.questions_minute
        if not allowed:
            return None
        asked, minute_ago = self._of(party, now).questions, now - _MINUTE
        while asked and asked[0] <= minute_ago:
            asked.popleft()
        if len(asked) < allowed:
            return None
        return self._reached(LimitKind.QUESTIONS_MINUTE, allowed, asked[-allowed] + _MINUTE)

    def count_question(self, party: str, now: datetime) -> None:
        """Count an answered question."""
        if self._allowance.questions_minute:
            self._of(party, now).questions.append(now)

    def reached_by_documents(self, party: str, documents: Collection[str], now: datetime) -> LimitReached | None:
        """Return the limit that showing these documents would exceed, if any.

        A single answer is always allowed: one page of a list may have more rows than a low limit.
        """
        usage, allowance = self._of(party, now), self._allowance
        new_today = {*documents} - usage.today
        if usage.today and 0 < allowance.documents_day < len(usage.today) + len(new_today) and new_today:
            midnight = datetime.combine(now.date() + timedelta(days=1), time(0), tzinfo=now.tzinfo)
            return self._reached(LimitKind.DOCUMENTS_DAY, allowance.documents_day, midnight)
        self._forget_row(usage, now)
        new_in_row = {*documents} - usage.seen.keys()
        excess = len(usage.seen) + len(new_in_row) - allowance.documents_row
        if usage.seen and allowance.documents_row and excess > 0 and new_in_row:
            leaves = list(usage.seen.values())[min(excess, len(usage.seen)) - 1]
            return self._reached(LimitKind.DOCUMENTS_ROW, allowance.documents_row, leaves + allowance.row)
        return None

    def count_documents(self, party: str, documents: Collection[str], now: datetime) -> None:
        """Count documents as shown."""
        usage = self._of(party, now)
        if self._allowance.documents_day:
            usage.today.update(documents)
        if self._allowance.documents_row:
            for number in documents:
                usage.seen.pop(number, None)
                usage.seen[number] = now

    def _reached(self, kind: LimitKind, allowed: int, until: datetime) -> LimitReached:
        return LimitReached(kind=kind, whose=self._whose, allowed=allowed, row=self._allowance.row, until=until)

    def _of(self, party: str, now: datetime) -> _Usage:
        today = now.date()
        if self._day != today:
            self._day = today
            self._forget_idle(now)
        usage = self._usage.get(party)
        if usage is None:
            usage = self._usage[party] = _Usage()
        if usage.day != today:
            usage.day, usage.today = today, set()
        return usage

    def _forget_idle(self, now: datetime) -> None:
        for usage in self._usage.values():
            self._forget_row(usage, now)
        self._usage = {party: usage for party, usage in self._usage.items() if usage.seen}

    def _forget_row(self, usage: _Usage, now: datetime) -> None:
        start = now - self._allowance.row
        for number in [number for number, at in usage.seen.items() if at <= start]:
            del usage.seen[number]


class DailyExports:
    """The number of files per person and day; 0: unlimited. Their documents have a limit of their own."""

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._day = date.min
        self._counts: dict[str, int] = {}

    def reached(self, person: str, now: datetime) -> LimitReached | None:
        """Return the limit that another file would exceed, if any."""
        if not self._allowed or self._today(now).get(person, 0) < self._allowed:
            return None
        midnight = datetime.combine(now.date() + timedelta(days=1), time(0), tzinfo=now.tzinfo)
        return LimitReached(
            kind=LimitKind.EXPORTS_DAY,
            whose=LimitedParty.PERSON,
            allowed=self._allowed,
            row=timedelta(days=1),
            until=midnight,
        )

    def count(self, person: str, now: datetime) -> None:
        """Count a file."""
        counts = self._today(now)
        counts[person] = counts.get(person, 0) + 1

    def take(self, person: str, now: datetime) -> LimitReached | None:
        """Count a file, or return the limit that forbids it."""
        if (reached := self.reached(person, now)) is None:
            self.count(person, now)
        return reached

    def _today(self, now: datetime) -> dict[str, int]:
        if self._day != now.date():
            self._day, self._counts = now.date(), {}
        return self._counts


class ReadingLimits:
    """The limits of the asker and of the conversation; a request within both is counted for both.

    Without a ``conversation``, in a person's own chat, only the person's limits apply. Where programs ask, ``whose`` is
    their key.
    """

    def __init__(
        self, *, person: Allowance, conversation: Allowance, whose: LimitedParty = LimitedParty.PERSON
    ) -> None:
        self._people = PartyLimits(whose, person)
        self._conversations = PartyLimits(LimitedParty.CONVERSATION, conversation)

    def take_question(self, person: str, conversation: str, now: datetime) -> LimitReached | None:
        """Count a question, or return the limit that forbids it."""
        pairs = self._pairs(person, conversation)
        for limits, party in pairs:
            if (reached := limits.reached_by_question(party, now)) is not None:
                return reached
        for limits, party in pairs:
            limits.count_question(party, now)
        return None

    def take_documents(
        self, person: str, conversation: str, documents: Collection[str], now: datetime
    ) -> LimitReached | None:
        """Count documents about to be shown, or return the limit that forbids it."""
        pairs = self._pairs(person, conversation)
        for limits, party in pairs:
            if (reached := limits.reached_by_documents(party, documents, now)) is not None:
                return reached
        for limits, party in pairs:
            limits.count_documents(party, documents, now)
        return None

    def recall_question(self, whose: LimitedParty, party: str, at: datetime) -> None:
        """Count an earlier question."""
        self._of(whose).count_question(party, at)

    def recall_document(self, whose: LimitedParty, party: str, document: str, at: datetime) -> None:
        """Count a document that was shown earlier."""
        self._of(whose).count_documents(party, (document,), at)

    def _of(self, whose: LimitedParty) -> PartyLimits:
        return self._conversations if whose is LimitedParty.CONVERSATION else self._people

    def _pairs(self, person: str, conversation: str) -> tuple[tuple[PartyLimits, str], ...]:
        of_person = (self._people, person)
        return (of_person, (self._conversations, conversation)) if conversation else (of_person,)
