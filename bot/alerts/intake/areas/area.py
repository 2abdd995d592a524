"""What an area is to polling: its feed, its sweep, and the meaning of its records."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Generic, Protocol, TypeVar

from bot.alerts.intake.poll_state import PolledRecord
from bot.erp.errors import Invalid
from bot.erp.model import Area, Invoice, Money, ProductionOrder, PurchaseOrder, SalesOrder, Slice
from bot.erp.port import Capability, Filter, ListQuery
from bot.erp.source_client import SourceClient

D = TypeVar("D", SalesOrder, Invoice, PurchaseOrder, ProductionOrder)

PAGE = 100
"""Documents that one call for a list brings."""


@dataclass(frozen=True, slots=True)
class SweepPage:
    """One piece of a sweep.

    ``codes`` are subjects that still have to be read one by one, with the time of their last change where it is known.
    ``place`` is where the sweep goes on, None at its end.
    """

    findings: Sequence[PolledRecord]
    codes: Mapping[str, datetime | None]
    place: str | None


class PolledArea(Protocol):
    """One kind of trouble that an ERP is asked about."""

    @property
    def name(self) -> str:
        """What the settings call it."""
        ...

    @property
    def feed(self) -> Area:
        """Whose changes tell of it."""
        ...

    @property
    def needs(self) -> Capability:
        """Without which it cannot be asked for."""
        ...

    @property
    def sweeps_by_feed(self) -> bool:
        """Whether there is no list of it, so that a sweep reads record by record: slowly and seldom."""
        ...

    @property
    def sweep_every(self) -> timedelta | None:
        """How often all of it is gone through; None: as the settings say."""
        ...

    async def read(self, erp: SourceClient, code: str, today: date) -> PolledRecord:
        """Return what one record means; raises the classes of `bot.erp.errors`, `NotFound` among them."""
        ...

    def gone(self, code: str) -> PolledRecord:
        """Return what it means that a record is no more."""
        ...

    async def sweep(self, erp: SourceClient, place: str, limit: int, today: date) -> SweepPage | None:
        """Return the next piece, in one call; ``limit`` is how many records may be left to be read.

        None where nothing can be swept.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedArea(Generic[D]):
    """An area of documents with a list of those that something is the matter with."""

    name: str
    feed: Area
    needs: Capability
    listed: Filter
    one: Callable[[SourceClient, str], Awaitable[D]]
    many: Callable[[SourceClient, ListQuery], Awaitable[Slice[D]]]
    judge: Callable[[D, date], PolledRecord]
    gone: Callable[[str], PolledRecord]
    sweeps_by_feed: bool = False
    sweep_every: timedelta | None = None

    async def read(self, erp: SourceClient, code: str, today: date) -> PolledRecord:
        """Return what one document means."""
        return self.judge(await self.one(erp, code), today)

    async def sweep(self, erp: SourceClient, place: str, limit: int, today: date) -> SweepPage | None:
        """Return the next page of the list; ``place`` is its offset."""
        if place and not place.isdecimal():
            raise Invalid("not a place in a list")
        offset = int(place or "0")
        page = await self.many(erp, ListQuery(filter=self.listed, offset=offset, limit=PAGE))
        # Counted by what was asked for: records that were kept aside are missing from the page.
        following = offset + PAGE
        findings = [self.judge(document, today) for document in page.items]
        return SweepPage(findings, {}, str(following) if following < page.total else None)


def without_blanks(**values: object) -> dict[str, object]:
    """Return the fields of an event's data that say something, as JSON has them: figures and dates as text."""
    return {name: _plain(value) for name, value in values.items() if value is not None and value not in ("", ())}


def money(amount: Money | None) -> dict[str, object]:
    """Return the two fields of an amount; without a currency it says nothing."""
    if amount is None or len(amount.currency) != 3:
        return {}
    return {"amount": plain(amount.amount), "currency": amount.currency.upper()}


def plain(figure: Decimal) -> str:
    """Return a figure as text, without an exponent and without zeros at the end that some calls give and others not."""
    text = f"{figure:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def format_amount(amount: Money | None) -> str:
    """Return an amount as it is compared and read."""
    return "" if amount is None else f"{plain(amount.amount)} {amount.currency}".rstrip()


def day_after(day: date | None) -> date | None:
    """Return the first day on which something is late that was due on ``day``."""
    return None if day is None else day + timedelta(days=1)


def comparable_fields(**words: str) -> dict[str, str]:
    """Return what is compared to see changes."""
    return {name: word for name, word in words.items() if word}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
