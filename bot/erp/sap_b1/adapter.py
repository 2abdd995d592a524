"""SAP Business One behind the bot's port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from bot.erp import deciding, listing
from bot.erp.concurrency import gather_or_cancel
from bot.erp.errors import Invalid, NotFound, NotPermitted
from bot.erp.header_lists import Header, list_by_headers
from bot.erp.listing import D, Listing
from bot.erp.model import (
    Approval,
    Area,
    Changes,
    Decision,
    DecisionOutcome,
    DecisionResult,
    Invoice,
    Product,
    ProductionOrder,
    PurchaseOrder,
    PurchaseStatus,
    SalesOrder,
    Slice,
    StockLevel,
)
from bot.erp.port import Capability, Filter, ListQuery
from bot.erp.sap_b1 import query as queries
from bot.erp.sap_b1.changes import ChangeReader
from bot.erp.sap_b1.client import NameCache, SapB1Client
from bot.erp.sap_b1.decisions import ApprovalRequest, PurchaseApprovals
from bot.erp.sap_b1.documents import DocumentMapper, base_orders
from bot.erp.sap_b1.mapping import Row, ValueReader, code
from bot.erp.sap_b1.options import SapB1Options
from bot.erp.sap_b1.query import (
    CREDIT_NOTES,
    INVOICE_DRAFTS,
    INVOICES,
    ORDER_DRAFTS,
    ORDERS,
    PRODUCTION,
    PURCHASE_DRAFTS,
    PURCHASES,
    DocumentEntity,
    DocumentKey,
)
from bot.erp.sap_b1.stock import ITEMS, StockReader
from bot.erp.vendors import AdapterContext

T = TypeVar("T")
Found = tuple[DocumentEntity, Row]

_SALES = (ORDERS, ORDER_DRAFTS)
_FINANCE = (INVOICES, CREDIT_NOTES, INVOICE_DRAFTS)
_PURCHASING = (PURCHASES, PURCHASE_DRAFTS)
_OPEN = queries.equals("DocumentStatus", "bost_Open")
_UNFINISHED = queries.one_of("ProductionOrderStatus", ("boposPlanned", "boposReleased"))


class SapB1Erp:
    """One company, seen with one user's rights."""

    capabilities = frozenset(Capability)

    def __init__(self, context: AdapterContext, options: SapB1Options) -> None:
        self.name = context.name
        self._now = context.now
        self._client = SapB1Client(options, now=context.now, source=self.name)
        self._values = ValueReader(ZoneInfo(options.zone), options.currencies)
        self._documents = DocumentMapper(self.name, self._values)
        self._directory = NameCache(self._client, now=context.now, minutes=options.names_minutes)
        self._approvals = PurchaseApprovals(self._client, self._directory, options, self._values)
        self._stock = StockReader(self._client, self._directory, options, now=context.now)
        self._list_days = options.list_days
        self._changes = ChangeReader(
            self._client, self._approvals, self._values, now=context.now, days=options.approval_days
        )

    async def check(self) -> None:
        """Log in and read one item."""
        await self._client.probe(ITEMS, "ItemCode")

    async def close(self) -> None:
        """Log out and give connections back."""
        await self._client.close()

    # Products and stock

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return items by part of code, name, barcode or spec."""
        return await self._stock.find(text, limit=limit)

    async def stock(self, sku: str) -> StockLevel:
        """Return an item's stock in its inventory unit."""
        self._asked(sku)
        return await self._stock.level(sku)

    # Sales

    async def order(self, number: str) -> SalesOrder:
        """Return one sales order, or a draft of one; raises `NotFound`."""
        return (await self._orders_of([await self._find(_SALES, number)]))[0]

    async def orders(self, query: ListQuery) -> Slice[SalesOrder]:
        """Return sales orders without lines."""
        late = {ORDERS: queries.all_of(_OPEN, self._gone("DocDueDate"))}
        return await self._list(listing.SALES_ORDERS, query, _SALES, self._orders, {Filter.LATE: late})

    async def _orders(self, keys: Sequence[DocumentKey]) -> list[SalesOrder]:
        return [replace(order, lines=()) for order in await self._orders_of(await self._rows(keys))]

    async def _orders_of(self, found: Sequence[Found]) -> list[SalesOrder]:
        sellers = await self._directory.salespersons()
        return self._mapped(lambda entity, row: self._documents.order(entity, row, sellers), found)

    # Finance

    async def invoice(self, number: str) -> Invoice:
        """Return one invoice, credit note or draft of an invoice; raises `NotFound`."""
        return (await self._invoices_of([await self._find(_FINANCE, number)]))[0]

    async def invoices(self, query: ListQuery) -> Slice[Invoice]:
        """Return invoices and credit notes."""
        overdue = {INVOICES: queries.all_of(_OPEN, self._gone("DocDueDate"))}
        return await self._list(listing.INVOICES, query, _FINANCE, self._invoices, {Filter.OVERDUE: overdue})

    async def _invoices(self, keys: Sequence[DocumentKey]) -> list[Invoice]:
        return await self._invoices_of(await self._rows(keys))

    async def _invoices_of(self, found: Sequence[Found]) -> list[Invoice]:
        entries = dict.fromkeys(
            entry for entries in self._mapped(lambda _, row: base_orders(row), found) for entry in entries
        )
        orders = await self._order_numbers(entries)
        return self._mapped(lambda entity, row: self._documents.invoice(entity, row, orders), found)

    async def _order_numbers(self, entries: Iterable[str]) -> Mapping[str, str]:
        """Return the numbers of sales orders by their keys; none where orders may not be read."""
        keys = [int(entry) for entry in entries if entry.isdecimal()]
        try:
            rows = await self._client.rows_each(ORDERS.name, ORDERS.key, keys, select=("DocEntry", "DocNum"))
        except NotPermitted:
            return {}
        return {code(row.get("DocEntry")): code(row.get("DocNum")) for row in rows}

    # Purchasing

    async def purchase_order(self, number: str) -> PurchaseOrder:
        """Return one purchase order, or the draft that waits to become one; raises `NotFound`.

        The number of a draft that became an order gives that order.
        """
        return (await self._with_request(number))[0]

    async def _with_request(self, number: str) -> tuple[PurchaseOrder, ApprovalRequest | None]:
        found = await self._find(_PURCHASING, number, generated=True)
        [key] = self._mapped(DocumentEntity.key_of, [found])
        request = (await self._approvals.requests([key])).get(key)
        if request is not None and found[0] is PURCHASE_DRAFTS and request.order.isdecimal():
            made = await self._rows([(PURCHASES, int(request.order))])
            found = made[0] if made else found
        requests = {found[0].key_of(found[1]): request} if request else {}
        return (await self._purchases_of([found], requests))[0], request

    async def purchase_orders(self, query: ListQuery) -> Slice[PurchaseOrder]:
        """Return purchase orders without lines, drafts that wait among them."""
        if query.filter is Filter.PENDING:
            waiting = await self._purchases(await self._approvals.pending())
            return listing.PURCHASE_ORDERS.pick(waiting, query, self._today())
        due, approved = self._gone("DocDueDate"), queries.equals("AuthorizationStatus", "dasApproved")
        late = {PURCHASES: queries.all_of(_OPEN, due), PURCHASE_DRAFTS: queries.all_of(approved, due)}
        return await self._list(listing.PURCHASE_ORDERS, query, _PURCHASING, self._purchases, {Filter.LATE: late})

    async def _purchases(self, keys: Sequence[DocumentKey]) -> list[PurchaseOrder]:
        found, requests = await self._rows(keys), await self._approvals.requests(keys)
        return [replace(order, lines=()) for order in await self._purchases_of(found, requests)]

    async def _purchases_of(
        self, found: Sequence[Found], requests: Mapping[DocumentKey, ApprovalRequest]
    ) -> list[PurchaseOrder]:
        people, buyers = await self._directory.people(), await self._directory.salespersons()
        return self._mapped(
            lambda entity, row: self._documents.purchase_order(
                entity, row, requests.get(entity.key_of(row)), people, buyers
            ),
            found,
        )

    async def decide(self, decision: Decision) -> DecisionResult:
        """Approve or reject, by `bot.erp.deciding`. What is approved is not generated: that is its originator's."""
        requests: list[ApprovalRequest | None] = []

        async def read(number: str) -> PurchaseOrder:
            order, request = await self._with_request(number)
            requests.append(request)
            return order

        def classify(before: PurchaseOrder, after: PurchaseOrder, decision: Decision) -> DecisionOutcome | None:
            first, last = requests[0], requests[-1]
            recorded = first is not None and last is not None and last.records(decision, first.stage)
            return outcome_of(before, after, decision, recorded=recorded)

        return await deciding.decide(decision, read=read, write=self._approvals.decide, classify=classify)

    # Production

    async def production_order(self, number: str) -> ProductionOrder:
        """Return one production order; raises `NotFound`."""
        return self._productions_of([await self._find((PRODUCTION,), number)])[0]

    async def production_orders(self, query: ListQuery) -> Slice[ProductionOrder]:
        """Return production orders."""
        late = {PRODUCTION: queries.all_of(_UNFINISHED, self._gone("DueDate"))}
        return await self._list(listing.PRODUCTION_ORDERS, query, (PRODUCTION,), self._productions, {Filter.LATE: late})

    async def _productions(self, keys: Sequence[DocumentKey]) -> list[ProductionOrder]:
        return self._productions_of(await self._rows(keys))

    def _productions_of(self, found: Sequence[Found]) -> list[ProductionOrder]:
        return self._mapped(lambda _, row: self._documents.production_order(row), found)

    # Changes

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        """Return the next changes of an area, by their time in whole seconds."""
        return await self._changes.next(area, cursor, limit=limit)

    # What the areas share

    async def _find(self, entities: Sequence[DocumentEntity], number: str, *, generated: bool = False) -> Found:
        """Return the only document with a number; raises `NotFound`.

        ``generated``: a draft that became a document is found too.
        """
        self._asked(number)
        asked = {entity: where for entity in entities if (where := entity.spelled(number))}
        answers = await gather_or_cancel(
            *(
                self._client.rows(
                    entity.name, select=entity.select, where=queries.all_of(where, "" if generated else entity.living)
                )
                for entity, where in asked.items()
            )
        )
        found = [(entity, row) for entity, rows in zip(asked, answers, strict=True) for row in rows]
        if not found:
            raise NotFound(number, source=self.name)
        if len(found) > 1:
            exact = ", ".join(entity.exact(row) for entity, row in found)
            raise Invalid(f"several documents bear this number: ask for one of {exact}", source=self.name)
        return found[0]

    async def _rows(self, keys: Sequence[DocumentKey]) -> list[Found]:
        parts: dict[DocumentEntity, list[int]] = {}
        for entity, key in keys:
            parts.setdefault(entity, []).append(key)
        answers = await gather_or_cancel(
            *(
                self._client.rows_each(entity.name, entity.key, part, select=entity.select, where=entity.where)
                for entity, part in parts.items()
            )
        )
        return [(entity, row) for entity, rows in zip(parts, answers, strict=True) for row in rows]

    async def _list(
        self,
        listing: Listing[D],
        query: ListQuery,
        entities: Sequence[DocumentEntity],
        read: Callable[[Sequence[DocumentKey]], Awaitable[Sequence[D]]],
        narrow: Mapping[Filter, Mapping[DocumentEntity, str]],
    ) -> Slice[D]:
        """Return part of a list; ``narrow`` are conditions that leave all that a filter wants, and perhaps more."""
        today = self._today()

        async def headers() -> list[Header[DocumentKey]]:
            since = queries.day_text(today - timedelta(days=self._list_days), self._client.version)
            wanted = narrow.get(query.filter) or {entity: f"{entity.day} ge {since}" for entity in entities}
            answers = await gather_or_cancel(
                *(
                    # An order that does not change while pages are read.
                    self._client.rows(
                        entity.name,
                        select=entity.head,
                        where=queries.all_of(entity.where, entity.living, condition),
                        order=entity.key,
                    )
                    for entity, condition in wanted.items()
                )
            )
            found = [(entity, row) for entity, rows in zip(wanted, answers, strict=True) for row in rows]
            return self._mapped(DocumentEntity.header, found)

        return await list_by_headers(listing, query, today, headers=headers, read=read)

    def _mapped(self, make: Callable[[DocumentEntity, Row], T], found: Sequence[Found]) -> list[T]:
        """Return what ``make`` makes of records; raises `Invalid` for values that are missing or none."""
        try:
            return [make(entity, row) for entity, row in found]
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(f"a value that is missing or none in an answer: {error}", source=self.name) from error

    def _gone(self, field: str) -> str:
        """Return the condition that a day has gone."""
        return f"{field} lt {queries.day_text(self._today(), self._client.version)}"

    def _asked(self, asked: str) -> None:
        if not queries.is_code(asked):
            raise NotFound(asked[: queries.LONGEST], source=self.name)

    def _today(self) -> date:
        return self._values.local(self._now()).date()


def outcome_of(
    before: PurchaseOrder, after: PurchaseOrder, decision: Decision, *, recorded: bool
) -> DecisionOutcome | None:
    """Return what became of a decision; ``recorded``: the person's own line of the request tells it.

    A stage may want several people, and goes on waiting after the first.
    """
    if recorded and after.status is PurchaseStatus.WAITING:
        return DecisionOutcome.MORE_APPROVALS_NEEDED
    if recorded:
        # Of two decisions in one second, the last is not known.
        after = replace(after, approval=replace(after.approval or Approval(), decided_by=decision.by))
    return deciding.outcome_of(before, after, decision)
