"""The polling state of a source: each area's progress, and its open subjects.

Every step is stored before it is reported: the new checkpoint, the open subjects, and the events. The events then go to
the intake, and are deleted here only after its commit. So a crash at any moment loses none, and events handed over
twice keep their ids.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Protocol

from bot.words.severity import Severity

_NOTHING: Mapping[str, str] = MappingProxyType({})

CloudEvent = Mapping[str, object]

NORMAL = ""
"""The state of a subject without problems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollConfig:
    """How sources are polled: ``seconds`` between two rounds, ``lists`` seconds between two sweeps of a list.

    ``calls`` limits the calls per round and area. Without ``backlog``, subjects already open at the first poll of a
    source are not reported.
    """

    areas: tuple[str, ...] = ("purchasing", "stock", "invoices", "orders", "production")
    seconds: float = 60.0
    lists: float = 300.0
    calls: int = 100
    backlog: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The polling progress of one area of one source.

    Two readers move through an area: the *feed* follows changes, and the *sweep* passes over all of it at intervals,
    for changes by time alone and for those the feed misses.
    """

    source: str
    area: str
    round: int = 0
    """Grows with every stored step and is never reused: event ids contain it."""
    cursor: str = ""
    """Where the feed continues."""
    followed: bool = False
    """Whether the feed has once reached its end: earlier changes are left to the sweep."""
    place: str = ""
    """Where the sweep continues."""
    sweeping: bool = False
    began_at: datetime | None = None
    """When the current sweep, or else the last one, began."""
    swept_at: datetime | None = None
    """When the last sweep reached the end."""
    good_at: datetime | None = None
    """When the source last answered every request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledSubject:
    """A product or document that is or was in a bad state."""

    code: str
    """The SKU or number as the ERP spells it."""
    state: str
    told: bool
    """Whether an event reported the state; subjects open before the first poll may be considered known."""
    at: datetime
    """The time of the last event about it: a later event never has an earlier time, or it would count as outdated."""
    said: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """The fields compared to detect changes of an open subject."""
    seen_at: datetime
    """When the ERP last confirmed the state."""

    @property
    def key(self) -> str:
        """The identity of the subject: ERPs compare codes case-insensitively."""
        return self.code.casefold()

    @property
    def is_open(self) -> bool:
        """Whether it is in a bad state."""
        return self.state != NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledRecord:
    """The meaning of one ERP record: a state, and the event that reports it if it is news."""

    code: str
    state: str
    type: str
    data: Mapping[str, object]
    is_worst: bool = False
    """Whether it is the worst of several bad states, which is always reported."""
    change_type: str = ""
    """The event's type if an open subject changes; empty: the same type."""
    said: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    since: date | None = None
    """The first day of the state, if time alone caused it."""
    changed_at: datetime | None = None
    """The ERP's time of the record's last change."""
    severity: Severity | None = None
    """None: the default of the type."""


class PollStore(Protocol):
    """Stores polling state. Every call is one transaction; all raise a `DingerpError` if nothing was done."""

    async def positions(self, source: str) -> Mapping[str, Checkpoint]:
        """Return the checkpoints of a source by area name."""
        ...

    async def subjects(self, source: str, area: str, codes: Collection[str]) -> Mapping[str, PolledSubject]:
        """Return the known subjects among these codes, by `PolledSubject.key`."""
        ...

    async def unseen(self, source: str, area: str, before: datetime, limit: int) -> Sequence[PolledSubject]:
        """Return open subjects last seen before ``before``, the longest unseen first."""
        ...

    async def advance(
        self,
        before: Checkpoint | None,
        after: Checkpoint,
        subjects: Sequence[PolledSubject],
        events: Sequence[CloudEvent],
    ) -> bool:
        """Replace ``before``, store subjects, and store events for `unsent`, in one transaction.

        Returns False, with nothing stored, if another process has replaced ``before`` meanwhile.
        """
        ...

    async def answered(self, source: str, at: datetime) -> None:
        """Store that a source answered everything at this time."""
        ...

    async def unsent(self, source: str, limit: int) -> Sequence[tuple[int, CloudEvent]]:
        """Return events still to be handed over, in order, each with its number."""
        ...

    async def sent(self, numbers: Sequence[int]) -> None:
        """Delete events that were handed over."""
        ...

    async def prune(self, source: str, before: datetime) -> None:
        """Delete subjects in their normal state that were not seen since ``before``."""
        ...
