"""YonSuite / YonBIP behind the bot's port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from bot.erp import deciding, listing
from bot.erp.concurrency import gather_or_cancel
from bot.erp.errors import Invalid, NotFound, NotPermitted
from bot.erp.listing import D
from bot.erp.model import (
    Area,
    Changes,
    Decision,
    DecisionResult,
    Invoice,
    Product,
    ProductionOrder,
    PurchaseOrder,
    SalesOrder,
    Slice,
    StockLevel,
    Verdict,
)
from bot.erp.port import Capability, Filter, ListQuery
from bot.erp.vendors import AdapterContext
from bot.erp.yonbip.changes import ChangeReader
from bot.erp.yonbip.client import YonBipClient, batch_message, either, spellings
from bot.erp.yonbip.decisions import PurchaseApprovals
from bot.erp.yonbip.documents import DocumentMapper, production_number
from bot.erp.yonbip.mapping import Row, ValueReader, code
from bot.erp.yonbip.options import YonBipOptions
from bot.erp.yonbip.query import (
    BY_ID,
    PRODUCTION,
    PURCHASES,
    RECEIVABLES,
    SALES,
    HeaderIndex,
    HeaderReader,
    distinct,
)
from bot.erp.yonbip.stock import StockReader

T = TypeVar("T")

_LONGEST = 100
"""Characters of a code or number at most; the ERP's own are shorter."""
_SETTLE_DELAYS = (0.3, 0.6, 1.2)
"""Seconds to wait for a workflow that took a decision and has not yet told the order."""


class YonBipErp:
    """One tenant, seen with one app's rights."""

    capabilities = frozenset(Capability) - {Capability.REORDER_POINT}

    def __init__(self, context: AdapterContext, options: YonBipOptions) -> None:
        self.name = context.name
        self._now = context.now
        self._options = options
        self._client = YonBipClient(options, now=context.now, source=self.name)
        values = ValueReader(ZoneInfo(options.zone), options.currencies)
        self._values = values
        self._documents = DocumentMapper(self.name, values)
        self._workflow = PurchaseApprovals(self._client, options, values)
        self._heads = HeaderReader(self._client, values, days=options.list_days)
        self._stock = StockReader(self._client, options, now=context.now)
        self._changes = ChangeReader(self._client, values, now=context.now, days=options.list_days)
        self._purchase_index = HeaderIndex(listing.PURCHASE_ORDERS, values, day="vouchdate", partner="vendor_name")
        self._invoice_index = HeaderIndex(listing.INVOICES, values, day="billDate", partner="bodyItemCustomerName")

    async def check(self) -> None:
        """Find the data centre, get a token and read one material."""
        await self._stock.probe()

    async def close(self) -> None:
        """Give connections back."""
        await self._stock.close()
        await self._client.close()

    # Products and stock

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return materials by part of code, name or spec."""
        return await self._stock.find(text, limit=limit)

    async def stock(self, sku: str) -> StockLevel:
        """Return a material's stock in its main unit."""
        self._asked(sku)
        return await self._stock.level(sku)

    # Sales

    async def order(self, number: str) -> SalesOrder:
        """Return one sales order; raises `NotFound`."""
        found = await self._find(SALES, number)
        return self._mapped(self._documents.order, await self._client.detail(f"{SALES}/detail", found, what=number))

    async def orders(self, query: ListQuery) -> Slice[SalesOrder]:
        """Return sales orders without lines, of their headers alone: details have a small quota."""
        _check_filter(listing.SALES_ORDERS, query.filter)
        today = self._today()
        rows = distinct(await self._heads.orders(query.filter, today), lambda row: code(row.get("id")))
        found = [replace(self._mapped(self._documents.order, row), lines=()) for row in rows]
        return listing.SALES_ORDERS.pick(found, query, today)

    # Finance

    async def invoice(self, number: str) -> Invoice:
        """Return one receivable; raises `NotFound`."""
        self._asked(number)
        # This list has no conditions on fields, but a code of its own.
        asked = (self._client.rows(f"{RECEIVABLES}/list", {"code": each, "isSum": True}) for each in spellings(number))
        rows = [row for rows in await gather_or_cancel(*asked) for row in rows]
        found = self._only(rows, number)
        row = await self._client.detail(f"{RECEIVABLES}/detail", found, what=number)
        return self._mapped(self._documents.invoice, row)

    async def invoices(self, query: ListQuery) -> Slice[Invoice]:
        """Return receivables; only their details tell when they are due."""
        _check_filter(listing.INVOICES, query.filter)
        today = self._today()
        rows = await self._heads.receivables(query.filter, today)
        return await self._slice(self._invoice_index, rows, query, today, self._invoices)

    async def _invoices(self, ids: Sequence[str]) -> list[Invoice]:
        rows = await self._client.details(f"{RECEIVABLES}/detail", ids)
        return [self._mapped(self._documents.invoice, row) for row in rows]

    # Purchasing

    async def purchase_order(self, number: str) -> PurchaseOrder:
        """Return one purchase order with the state of its approval; raises `NotFound`."""
        found = await self._find(PURCHASES, number)
        row = await self._client.detail(f"{PURCHASES}/detail", found, what=number)
        return (await self._with_courses([row]))[0]

    async def purchase_orders(self, query: ListQuery) -> Slice[PurchaseOrder]:
        """Return purchase orders without lines; only their details tell when they are due."""
        _check_filter(listing.PURCHASE_ORDERS, query.filter)
        today = self._today()
        rows = await self._heads.purchases(query.filter, today)
        return await self._slice(self._purchase_index, rows, query, today, self._purchases)

    async def _purchases(self, ids: Sequence[str]) -> list[PurchaseOrder]:
        rows = await self._client.details(f"{PURCHASES}/detail", ids)
        return [replace(order, lines=()) for order in await self._with_courses(rows)]

    async def _with_courses(self, rows: Sequence[Row]) -> list[PurchaseOrder]:
        courses = await self._mapped_async(self._workflow.courses, rows)
        return [
            self._mapped(lambda row: self._documents.purchase_order(row, courses.get(code(row["id"]))), row)
            for row in rows
        ]

    async def decide(self, decision: Decision) -> DecisionResult:
        """Approve or reject, by `bot.erp.deciding`; waits a moment for a workflow that took it to move on."""
        accepted: list[PurchaseOrder] = []

        async def write(order: PurchaseOrder, decision: Decision) -> str:
            words = await self._write(order, decision)
            accepted.append(order)
            return words

        async def read(number: str) -> PurchaseOrder:
            order = await self.purchase_order(number)
            for seconds in _SETTLE_DELAYS if accepted else ():
                if order.version != accepted[0].version:
                    break
                await asyncio.sleep(seconds)
                order = await self.purchase_order(number)
            return order

        return await deciding.decide(decision, read=read, write=write)

    async def _write(self, order: PurchaseOrder, decision: Decision) -> str:
        if "workflow" not in order.extra:
            waiting = await self._workflow.waiting(order.id)
            mine = next((task for task in waiting if task.person == decision.by), None)
            if mine is None:
                raise NotPermitted("no task of the workflow waits for this person", source=self.name)
            return await self._workflow.decide(mine, decision)
        if decision.verdict is Verdict.REJECT:
            raise NotPermitted("an order that no workflow handles cannot be rejected", source=self.name)
        if not self._options.audit_without_workflow:
            raise NotPermitted("no workflow handles this order, and the app may not audit it itself", source=self.name)
        data = await self._client.write(f"{PURCHASES}/batchaudit", {"data": [{"id": order.id}]}, what=order.number)
        return batch_message(data, source=self.name)

    # Production

    async def production_order(self, number: str) -> ProductionOrder:
        """Return one production order, that is one line of a bill; raises `NotFound`."""
        self._asked(number)
        bill = number.rpartition("#")[0] or number
        codes = [*spellings(number), *spellings(bill)]
        rows = await self._client.rows(f"{PRODUCTION}/list", {"simpleVOs": either("code", codes)})
        named = [row for row in rows if production_number(row).casefold() == number.casefold()]
        exact = [row for row in named if production_number(row) == number] or named
        if not exact:
            raise NotFound(number, source=self.name)
        return self._mapped(self._documents.production_order, exact[0])

    async def production_orders(self, query: ListQuery) -> Slice[ProductionOrder]:
        """Return production orders."""
        _check_filter(listing.PRODUCTION_ORDERS, query.filter)
        today = self._today()
        rows = distinct(await self._heads.productions(query.filter, today), production_number)
        found = [self._mapped(self._documents.production_order, row) for row in rows]
        return listing.PRODUCTION_ORDERS.pick(found, query, today)

    # Changes

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        """Return the next changes of an area, by their time in whole seconds."""
        return await self._changes.next(area, cursor, limit=limit)

    # What the areas share

    async def _slice(
        self,
        index: HeaderIndex[D],
        rows: Sequence[Row],
        query: ListQuery,
        today: date,
        read: Callable[[Sequence[str]], Awaitable[list[D]]],
    ) -> Slice[D]:
        """Return part of a list whose documents are read one by one.

        What a filter leaves is read and picked from. Of a list of everything only the part that is asked for is read.
        """
        ids = self._mapped(lambda rows: index.ids(rows, query), rows)
        if query.filter is Filter.ALL:
            part = ids[query.offset : query.offset + query.limit]
            return Slice(items=tuple(index.listing.sort(await read(part), query.filter)), total=len(ids))
        return index.listing.pick(await read(ids), query, today)

    async def _find(self, path: str, number: str) -> str:
        """Return the id of the document with a number; raises `NotFound`."""
        self._asked(number)
        asked = {**BY_ID, "isSum": True, "simpleVOs": either("code", spellings(number))}
        return self._only(await self._client.rows(f"{path}/list", asked), number)

    def _only(self, rows: Sequence[Row], number: str) -> str:
        """Return the id of the only document with a number, or of the one that is spelled just so."""
        same = [row for row in rows if code(row.get("code")).casefold() == number.casefold()]
        exact = [row for row in same if code(row.get("code")) == number]
        ids = list(dict.fromkeys(code(row.get("id")) for row in exact or same))
        if not ids:
            raise NotFound(number, source=self.name)
        if len(ids) > 1:
            raise Invalid(f"several documents bear the number {number}", source=self.name)
        return ids[0]

    def _mapped(self, make: Callable[[Any], T], value: Any) -> T:
        """Return what ``make`` makes of an answer; raises `Invalid` for values that are missing or none."""
        try:
            return make(value)
        # Shapes differ between tenants too: a list where a record was, a text where a list was.
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._unreadable(error) from error

    async def _mapped_async(self, make: Callable[[Any], Any], value: Any) -> Any:
        try:
            return await make(value)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> Invalid:
        return Invalid(f"a value that is missing or none in an answer: {error}", source=self.name)

    def _asked(self, asked: str) -> None:
        if not 0 < len(asked) <= _LONGEST or not asked.isprintable() or asked.isspace():
            raise NotFound(asked[:_LONGEST], source=self.name)

    def _today(self) -> date:
        return self._values.local(self._now()).date()


def _check_filter(known: listing.Listing[Any], wanted: Filter) -> None:
    """Raise `Unsupported` for a list that this kind of document does not have."""
    known.sort((), wanted)
