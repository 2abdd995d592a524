"""What programs ask of people: each waits for an answer until a time, and every change of it is one transaction.

The gate and proposals keep theirs so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Generic, Protocol, Self, TypeVar

from bot.access.audit import BOT_ACTOR, PROGRAM_PLACE, AuditEntry, AuditKind
from bot.cards.escape import MAX_TEXT, escape
from bot.mechanisms.unit_of_work import WriteConflict
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

SEEN_BYTES = 600
"""Of what people decide on: a card has 1 kB, and nobody decides on what they cannot see."""
ID_BYTES = 9
SWEPT_AT_ONCE = 200
_LINE_BYTES = 4
"""What half a line costs besides its words: a colon, a break."""


class ProgramAsk(Protocol):
    """One thing that a program asks; ``asked_as`` is its idempotency key, ``key`` the id of the program's key."""

    @property
    def id(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def asked_as(self) -> str: ...
    @property
    def asked_at(self) -> datetime: ...
    @property
    def state(self) -> StrEnum: ...
    @property
    def due_at(self) -> datetime | None:
        """When time alone changes it."""
        ...

    def at(self, now: datetime) -> Self:
        """Return it as it is at a time."""
        ...


A = TypeVar("A", bound=ProgramAsk)


class AskConflict(WriteConflict):
    """Another process stored one with the same idempotency key first."""


class AskRefused(DingerpError):
    """Something that cannot be done with what was asked; ``reason`` says why."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(str(reason))
        self.reason = reason

    def tell(self) -> Phrase:
        return self.reason


class NoSuchAsk(AskRefused):
    """This key has asked nothing of that id, or nothing was put to this person."""


class UnfitAsk(AskRefused):
    """What was asked cannot be put to anybody as it is."""


class TooManyAsks(AskRefused):
    """So much was put to a person that no more is, for now."""


NOT_ASKED = phrase("This key has asked nothing of that id.")
NOT_TO_YOU = phrase("There is no such request to you.")
ASKED_OTHERWISE = phrase("This Idempotency-Key was sent with something else before.")


class AskRepository(Protocol[A]):
    """What is kept, within one transaction; implemented by `bot.store.program_asks`. What is found is locked until its
    end.
    """

    @property
    def now(self) -> datetime:
        """The time of the transaction, in the company's zone."""
        ...

    def find(self, ask: str) -> A | None: ...

    def asked_as(self, key: str, asked_as: str) -> A | None:
        """Return what a key asked with an idempotency key before."""
        ...

    def put(self, ask: A) -> None:
        """Store one, with the newest state of its cards. Raises `AskConflict`."""
        ...

    def due(self, limit: int) -> Sequence[str]:
        """Return the ids of those that time has changed."""
        ...

    def record(self, entry: AuditEntry) -> None:
        """Append an entry to the audit log, in the same transaction."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AskNote:
    """What the audit log says of one: nothing that a program or an ERP wrote."""

    outcome: str
    detail: str
    rule: str = ""


class AskUnit(Generic[A]):
    """One transaction: what is found is as it is now, and every change is recorded and shown."""

    action: ClassVar[str]
    """What entries of the audit log call what happens here."""

    def __init__(self, repository: AskRepository[A]) -> None:
        self.repository = repository
        self.now = repository.now
        self.changed: list[A] = []

    def note(self, ask: A) -> AskNote:
        """Return what the audit log says of one."""
        raise NotImplementedError

    def find(self, ask: str) -> A | None:
        """Return one by its id."""
        return self._now(self.repository.find(ask))

    def of_key(self, ask: str, key: str) -> A:
        """Return what a program asked. Raises `NoSuchAsk`."""
        found = self.find(ask)
        if found is None or found.key != key:
            raise NoSuchAsk(NOT_ASKED)
        return found

    def asked_as(self, key: str, asked_as: str) -> A | None:
        """Return what a key asked with an idempotency key before."""
        return self._now(self.repository.asked_as(key, asked_as))

    def change(self, ask: A, by: str = "") -> A:
        """Store one with its entry in the audit log and the newest state of its cards.

        ``by`` is the userId of who changed it; without one it was the program.
        """
        note = self.note(ask)
        entry = AuditEntry(
            kind=AuditKind.DECISION,
            at=self.now,
            actor=by or ask.owner,
            action=self.action,
            conversation="" if by else f"{PROGRAM_PLACE}{ask.key}",
            documents=(ask.id,),
            rule=note.rule,
            outcome=note.outcome,
            detail=note.detail,
        )
        self.repository.put(ask)
        self.repository.record(entry)
        self.changed.append(ask)
        return ask

    def _now(self, found: A | None) -> A | None:
        if found is None or (now := found.at(self.now)) is found:
            return found
        return self.change(now, BOT_ACTOR)


def is_seen(*parts: str) -> bool:
    """Return whether a card shows all of what people decide on."""
    size = sum(len(escape(part).encode()) + _LINE_BYTES for part in parts)
    return size <= SEEN_BYTES and all(len(part) <= MAX_TEXT for part in parts)
