"""What the company's books tell beside one document: read for one check, with the time as of which it is true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

from bot.erp.books import Books
from bot.erp.errors import NotFound
from bot.erp.goods.port import LAST_PRICES
from bot.erp.hub import ErpHub
from bot.erp.kinds import BILLS, PURCHASE_ORDERS, D, Kind
from bot.erp.list_query import ListQuery, Period
from bot.erp.model import Bill, InvoiceStatus, Money, PurchaseLine, PurchaseOrder, ReviewState
from bot.erp.model.goods import PriceKind, PricePoint
from bot.read_model.queries import ReadModel
from bot.read_model.records import DocumentWithLine

MOST_LISTED = 100
"""The documents of a partner that are listed for one check: one call."""
MOST_PRICED = 8
"""The products whose prices the ERP is asked for in one check: a call each."""
BOUGHT = frozenset({ReviewState.APPROVED, ReviewState.DONE})
"""States in which an order was really placed."""


class Evidence:
    """Reads of one source for one check; all raise the classes of `bot.erp.errors`."""

    def __init__(
        self, source: str, hub: ErpHub, kept: ReadModel | None, now: datetime, bounds: tuple[Money, ...] = ()
    ) -> None:
        """``hub`` and ``kept`` are the bot's own: who may see what comes of it is for its reader.

        ``bounds`` are the amounts at which other rules begin to decide about such a document.
        """
        within = hub.within(Books(source))
        self._hub, self._kept = within, None if kept is None else kept.narrowed(within)
        self._client = hub.source_client(source)
        self._now = now
        self.bounds = bounds
        self.as_of = now
        """The oldest time as of which anything is told."""
        self.is_whole = True
        """Whether everything that was asked for could be read."""
        self._priced = 0

    @property
    def today(self) -> date:
        return self._now.date()

    async def documents(self, kind: Kind[D], query: ListQuery) -> tuple[D, ...]:
        """Return the documents of a list, the first `MOST_LISTED` of them.

        The ERP is asked, since an order that was entered a minute ago is what matters most here.
        """
        found = await self._client.documents(kind, replace(query, limit=MOST_LISTED))
        self.is_whole &= found.total <= len(found.items)
        return found.items

    async def document(self, kind: Kind[D], number: str) -> D:
        """Return one document."""
        return await self._client.document(kind, number)

    async def purchases(self, sku: str, during: Period) -> tuple[tuple[PricePoint, ...], bool]:
        """Return what a product cost on some days, and whether these are all; else they are the last few.

        The kept copies tell it where they are complete, and else the ERP's last prices, of `MOST_PRICED` products.
        """
        if self._kept is not None and self._client.reads_batches:
            kept = await self._kept.lines_of(PURCHASE_ORDERS.followed, sku)
            coverage = kept.coverage
            if coverage.as_of and coverage.is_complete_from(during.first) and not coverage.is_stale(self._now):
                self.as_of = min(self.as_of, coverage.as_of)
                return tuple(each for line in kept.value for each in _bought(line) if during.holds(each.day)), True
        self._priced += 1
        if self._priced > MOST_PRICED:
            self.is_whole = False
            return (), False
        try:
            prices = await self._hub.prices(sku)
        except NotFound:
            return (), True
        self.as_of = min(self.as_of, prices.as_of)
        self.is_whole &= not prices.stale
        told = tuple(point for point in prices.value.purchases if during.holds(point.day))
        return told, len(told) < LAST_PRICES


def counts(bill: Bill) -> bool:
    """Return whether a bill is one: drafts are none unless they wait for their approval."""
    waits = bill.review is not None and bill.review.waits
    return bill.status is not InvoiceStatus.VOID and (waits or BILLS.counts(bill))


def _bought(found: DocumentWithLine) -> Iterator[PricePoint]:
    order, line = found.document, found.line
    if isinstance(order, PurchaseOrder) and isinstance(line, PurchaseLine) and order.status in BOUGHT:
        yield PricePoint(
            kind=PriceKind.PURCHASE,
            day=order.ordered_on,
            document=order.number,
            partner=order.vendor,
            quantity=line.quantity,
            unit=line.unit,
            price=line.price,
        )
