"""SAP Business One behind the bot's port."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar
from zoneinfo import ZoneInfo

from bot.erp import deciding, listing
from bot.erp.concurrency import gather_or_cancel
from bot.erp.errors import Invalid, NotFound, NotPermitted
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
    DocumentLister,
    ListSpec,
)
from bot.erp.sap_b1.stock import ITEMS, StockReader
from bot.erp.vendors import AdapterContext

T = TypeVar("T")

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
        self._lists = DocumentLister(self._client, days=options.list_days)
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
        book, row = await self._find(_SALES, number)
        return (await self._orders_of(book, [row]))[0]

    async def orders(self, query: ListQuery) -> Slice[SalesOrder]:
        """Return sales orders without lines."""
        today = self._today()
        listed = ListSpec(
            listing=listing.SALES_ORDERS,
            books=_SALES,
            read=self._orders,
            narrow={Filter.LATE: {ORDERS: queries.all_of(_OPEN, self._before("DocDueDate", today))}},
        )
        return await self._lists.pick(listed, query, today)

    async def _orders(self, book: DocumentEntity, keys: Sequence[int]) -> list[SalesOrder]:
        return [replace(order, lines=()) for order in await self._orders_of(book, await self._rows(book, keys))]

    async def _orders_of(self, book: DocumentEntity, rows: Sequence[Row]) -> list[SalesOrder]:
        sellers = await self._directory.salespersons()
        return self._mapped(lambda row: self._documents.order(book, row, sellers), rows)

    # Finance

    async def invoice(self, number: str) -> Invoice:
        """Return one invoice, credit note or draft of an invoice; raises `NotFound`."""
        book, row = await self._find(_FINANCE, number)
        return (await self._invoices_of(book, [row]))[0]

    async def invoices(self, query: ListQuery) -> Slice[Invoice]:
        """Return invoices and credit notes."""
        today = self._today()
        listed = ListSpec(
            listing=listing.INVOICES,
            books=_FINANCE,
            read=self._invoices,
            narrow={Filter.OVERDUE: {INVOICES: queries.all_of(_OPEN, self._before("DocDueDate", today))}},
        )
        return await self._lists.pick(listed, query, today)

    async def _invoices(self, book: DocumentEntity, keys: Sequence[int]) -> list[Invoice]:
        return await self._invoices_of(book, await self._rows(book, keys))

    async def _invoices_of(self, book: DocumentEntity, rows: Sequence[Row]) -> list[Invoice]:
        entries = [entry for entries in self._mapped(base_orders, rows) for entry in entries]
        orders = await self._order_numbers(list(dict.fromkeys(entries)))
        return self._mapped(lambda row: self._documents.invoice(book, row, orders), rows)

    async def _order_numbers(self, entries: Sequence[str]) -> Mapping[str, str]:
        """Return the numbers of sales orders by their keys; none where orders may not be read."""
        keys = [int(entry) for entry in entries if entry.isdecimal()]
        try:
            rows = await self._client.rows_each(ORDERS.entity, ORDERS.key, keys, select=("DocEntry", "DocNum"))
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
        book, row = await self._find(_PURCHASING, number, generated=True)
        [key] = self._mapped(lambda row: int(row[book.key]), [row])
        read = self._approvals.of_drafts if book is PURCHASE_DRAFTS else self._approvals.of_orders
        request = (await read([key])).get(str(key))
        if request is not None and book is PURCHASE_DRAFTS and request.order.isdecimal():
            made = await self._rows(PURCHASES, [int(request.order)])
            book, row = (PURCHASES, made[0]) if made else (book, row)
        requests = {code(row.get(book.key)): request} if request else {}
        return (await self._purchases_of(book, [row], requests))[0], request

    async def purchase_orders(self, query: ListQuery) -> Slice[PurchaseOrder]:
        """Return purchase orders without lines, drafts that wait among them."""
        today = self._today()
        if query.filter is Filter.PENDING:
            waiting = await self._purchases(PURCHASE_DRAFTS, await self._approvals.pending())
            return listing.PURCHASE_ORDERS.pick(waiting, query, today)
        due = self._before("DocDueDate", today)
        approved = queries.equals("AuthorizationStatus", "dasApproved")
        listed = ListSpec(
            listing=listing.PURCHASE_ORDERS,
            books=_PURCHASING,
            read=self._purchases,
            narrow={
                Filter.LATE: {
                    PURCHASES: queries.all_of(_OPEN, due),
                    PURCHASE_DRAFTS: queries.all_of(approved, due),
                }
            },
        )
        return await self._lists.pick(listed, query, today)

    async def _purchases(self, book: DocumentEntity, keys: Sequence[int]) -> list[PurchaseOrder]:
        read = self._approvals.of_drafts if book is PURCHASE_DRAFTS else self._approvals.of_orders
        rows, requests = await self._rows(book, keys), await read(keys)
        return [replace(order, lines=()) for order in await self._purchases_of(book, rows, requests)]

    async def _purchases_of(
        self, book: DocumentEntity, rows: Sequence[Row], requests: Mapping[str, ApprovalRequest]
    ) -> list[PurchaseOrder]:
        people, buyers = await self._directory.people(), await self._directory.salespersons()
        return self._mapped(
            lambda row: self._documents.purchase_order(
                book, row, requests.get(code(row.get(book.key))), people, buyers
            ),
            rows,
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
        _, row = await self._find((PRODUCTION,), number)
        return self._mapped(self._documents.production_order, [row])[0]

    async def production_orders(self, query: ListQuery) -> Slice[ProductionOrder]:
        """Return production orders."""
        today = self._today()
        listed = ListSpec(
            listing=listing.PRODUCTION_ORDERS,
            books=(PRODUCTION,),
            read=self._productions,
            narrow={Filter.LATE: {PRODUCTION: queries.all_of(_UNFINISHED, self._before("DueDate", today))}},
        )
        return await self._lists.pick(listed, query, today)

    async def _productions(self, book: DocumentEntity, keys: Sequence[int]) -> list[ProductionOrder]:
        return self._mapped(self._documents.production_order, await self._rows(book, keys))

    # Changes

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        """Return the next changes of an area, by their time in whole seconds."""
        return await self._changes.next(area, cursor, limit=limit)

    # What the areas share

    async def _find(
        self, books: Sequence[DocumentEntity], number: str, *, generated: bool = False
    ) -> tuple[DocumentEntity, Row]:
        """Return the only document with a number, and its book; raises `NotFound`.

        ``generated``: a draft that became a document is found too.
        """
        self._asked(number)
        asked = [(book, where) for book in books if (where := book.spelled(number))]
        answers = await gather_or_cancel(
            *(
                self._client.rows(
                    book.entity, select=book.select, where=queries.all_of(where, "" if generated else book.living)
                )
                for book, where in asked
            )
        )
        found = [(book, row) for (book, _), rows in zip(asked, answers, strict=True) for row in rows]
        if not found:
            raise NotFound(number, source=self.name)
        if len(found) > 1:
            exact = ", ".join(book.exact(row) for book, row in found)
            raise Invalid(f"several documents bear this number: ask for one of {exact}", source=self.name)
        return found[0]

    async def _rows(self, book: DocumentEntity, keys: Sequence[int]) -> list[Row]:
        return await self._client.rows_each(book.entity, book.key, keys, select=book.select, where=book.where)

    def _mapped(self, make: Callable[[Row], T], rows: Sequence[Row]) -> list[T]:
        """Return what ``make`` makes of records; raises `Invalid` for values that are missing or none."""
        try:
            return [make(row) for row in rows]
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(f"a value that is missing or none in an answer: {error}", source=self.name) from error

    def _before(self, field: str, day: date) -> str:
        return f"{field} lt {queries.day_text(day, self._client.version)}"

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
