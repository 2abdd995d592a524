"""A polled area: its feed, its sweep, and the meaning of its records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Generic, Protocol

from bot.alerts.event import EventType
from bot.alerts.intake.poll_state import NORMAL, PolledRecord
from bot.erp.errors import Invalid
from bot.erp.kinds import D, Kind, kind_of
from bot.erp.model import Area, Money
from bot.erp.port import Capability, Filter, ListQuery
from bot.erp.source_client import SourceClient

PAGE = 100
"""Documents per list call."""
LATE = "late"
"""The state of a document whose due date has passed."""


@dataclass(frozen=True, slots=True)
class SweepPage:
    """One page of a sweep.

    ``codes`` are subjects still to be read one by one, with the time of their last change if known. ``place`` is where
    the sweep continues, None at its end.
    """

    findings: Sequence[PolledRecord]
    codes: Mapping[str, datetime | None]
    place: str | None


class PolledArea(Protocol):
    """One kind of problem that an ERP is polled for."""

    @property
    def name(self) -> str:
        """Its name in the settings."""
        ...

    @property
    def feed(self) -> Area:
        """The ERP area whose changes are followed."""
        ...

    @property
    def needs(self) -> Capability:
        """The required capability."""
        ...

    @property
    def sweep_every(self) -> timedelta | None:
        """The interval between sweeps; None: as in the settings."""
        ...

    async def read(self, erp: SourceClient, code: str, today: date) -> PolledRecord:
        """Return the meaning of one record; raises the classes of `bot.erp.errors`, including `NotFound`."""
        ...

    def gone(self, code: str) -> PolledRecord:
        """Return the meaning of a deleted record."""
        ...

    async def sweep(self, erp: SourceClient, place: str, limit: int, today: date) -> SweepPage | None:
        """Return the next page, in one call, or None if the area cannot be swept.

        ``limit`` is the maximum number of records left to read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedArea(Generic[D]):
    """An area of documents with a list of the problematic ones."""

    name: str
    kind: Kind[D]
    listed: Filter
    """The list's filter."""
    judge: Callable[[D, date], PolledRecord]
    """Returns the meaning of a document today."""
    gone_type: EventType
    gone_data: Mapping[str, object] = field(default_factory=lambda: {"resolved": True})
    """The event by which a deleted document ends its alert."""
    sweep_every: timedelta | None = None

    @property
    def feed(self) -> Area:
        return self.kind.area

    @property
    def needs(self) -> Capability:
        return self.kind.capability

    async def read(self, erp: SourceClient, code: str, today: date) -> PolledRecord:
        """Return the meaning of one document."""
        return self.judge(await erp.document(self.kind, code), today)

    def gone(self, code: str) -> PolledRecord:
        """Return the record of a deleted document: its problem is over."""
        return PolledRecord(code=code, state=NORMAL, type=self.gone_type, data={"number": code, **self.gone_data})

    async def sweep(self, erp: SourceClient, place: str, limit: int, today: date) -> SweepPage | None:
        """Return the next page of the list; ``place`` is its offset."""
        if place and not place.isdecimal():
            raise Invalid("not a place in a list")
        offset = int(place or "0")
        page = await erp.documents(self.kind, ListQuery(filter=self.listed, offset=offset, limit=PAGE))
        # Counted by the request: rejected records are missing from the page.
        following = offset + PAGE
        findings = [self.judge(document, today) for document in page.items]
        return SweepPage(findings, {}, str(following) if following < page.total else None)


def late_record(
    event_type: EventType,
    document: D,
    data: Mapping[str, object],
    today: date,
    *,
    state: str = LATE,
    compared: Mapping[str, str] = MappingProxyType({}),
) -> PolledRecord:
    """Return the meaning of a document with a due date: late, or no problem (any more)."""
    kind = kind_of(document)
    due_on, is_late = kind.due(document), kind.days_late(document, today) > 0
    return PolledRecord(
        code=document.number,
        state=state if is_late else NORMAL,
        type=event_type,
        data=data if is_late else {**data, "resolved": True},
        said=comparable_fields(**compared, due_on=format_date(due_on)) if is_late else {},
        since=None if due_on is None else due_on + timedelta(days=1),
        changed_at=document.changed_at,
    )


def without_blanks(**values: object) -> dict[str, object]:
    """Return the non-empty fields of an event's data as JSON: figures and dates as text."""
    return {name: _plain(value) for name, value in values.items() if value is not None and value not in ("", ())}


def money(amount: Money | None) -> dict[str, object]:
    """Return the two fields of an amount; no fields without a currency."""
    if amount is None or len(amount.currency) != 3:
        return {}
    return {"amount": plain(amount.amount), "currency": amount.currency.upper()}


def plain(figure: Decimal) -> str:
    """Return a figure as text without exponent and trailing zeros, which calls return inconsistently."""
    text = f"{figure:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def format_amount(amount: Money | None) -> str:
    """Return an amount as text for comparison and display."""
    return "" if amount is None else f"{plain(amount.amount)} {amount.currency}".rstrip()


def format_date(day: date | None) -> str:
    """Return a date as text for comparison and display."""
    return "" if day is None else day.isoformat()


def comparable_fields(**words: str) -> dict[str, str]:
    """Return the non-empty fields that are compared to detect changes."""
    return {name: word for name, word in words.items() if word}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
