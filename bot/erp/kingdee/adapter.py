"""Kingdee K/3 Cloud behind the bot's port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from bot.erp import deciding, listing
from bot.erp.concurrency import gather_or_cancel
from bot.erp.errors import ErpError, Invalid, NotFound, NotPermitted
from bot.erp.header_lists import Header, list_by_headers
from bot.erp.kingdee import query as queries
from bot.erp.kingdee.changes import ChangeReader
from bot.erp.kingdee.client import KingdeeClient, response_message
from bot.erp.kingdee.decisions import PurchaseApprovals
from bot.erp.kingdee.documents import PRODUCTION_UNFINISHED, DocumentMapper, bills, product
from bot.erp.kingdee.mapping import Row, ValueReader, code
from bot.erp.kingdee.options import KingdeeOptions
from bot.erp.kingdee.query import (
    MATERIALS,
    PRODUCTION,
    PURCHASES,
    RECEIVABLE_SOURCES,
    RECEIVABLES,
    SALES,
    Form,
)
from bot.erp.kingdee.stock import StockReader
from bot.erp.listing import D, Listing
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

T = TypeVar("T")

_SETTLE_DELAYS = (0.3, 0.6, 1.2)
"""Seconds to wait for a workflow that took a decision and has not yet moved on."""


class KingdeeErp:
    """One data centre, seen with one account's rights."""

    capabilities = frozenset(Capability)

    def __init__(self, context: AdapterContext, options: KingdeeOptions) -> None:
        self.name = context.name
        self._now = context.now
        self._options = options
        self._client = KingdeeClient(options, now=context.now, source=self.name)
        values = ValueReader(ZoneInfo(options.zone), options.currencies)
        words = tuple(word.lower() for word in options.rejections)
        self._documents = DocumentMapper(self.name, values, words)
        self._workflow = PurchaseApprovals(self._client, values)
        self._list_days = timedelta(days=options.list_days)
        self._stock = StockReader(self._client, options, now=context.now)
        self._changes = ChangeReader(self._client, self._workflow, self._documents)

    async def check(self) -> None:
        """Log in and read one material."""
        await self._client.probe(MATERIALS)

    async def close(self) -> None:
        """Log out and give connections back."""
        await self._client.close()

    # Products and stock

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return active materials; a very common text is looked for among the first ones by code only."""
        active = "FForbidStatus='A'"
        if not text.strip():
            return await self._first_products(active, limit)
        keys = ("FNumber", "FName", "FSpecification", "FBARCODE")
        searched = [key for key in keys if await self._client.has(MATERIALS, key)]
        wanted = queries.all_of(active, queries.contains(searched, text))
        calls = [self._client.query(MATERIALS, wanted, limit=self._options.most_rows)]
        if queries.is_code(text):
            calls.append(self._client.query(MATERIALS, queries.all_of(active, queries.spelled("FNumber", text))))
        found = [row for rows in await gather_or_cancel(*calls) for row in rows]
        return listing.find_products(_distinct(self._mapped(product, row) for row in found), text, limit=limit)

    async def _first_products(self, active: str, limit: int) -> tuple[Product, ...]:
        """Return the first materials by code, reading on while several organisations have the same ones."""
        count = limit
        while True:
            rows = await self._client.query(MATERIALS, active, limit=count)
            found = _distinct(self._mapped(product, row) for row in rows)
            if len(found) >= limit or len(rows) < count:
                return tuple(found[:limit])
            count *= 2

    async def stock(self, sku: str) -> StockLevel:
        """Return a material's stock in its base unit."""
        self._asked(sku)
        return await self._stock.level(sku)

    # Sales

    async def order(self, number: str) -> SalesOrder:
        """Return one sales order; raises `NotFound`."""
        return self._mapped(self._documents.order, await self._bill(SALES, number))

    async def orders(self, query: ListQuery) -> Slice[SalesOrder]:
        """Return sales orders without lines."""
        late = queries.all_of(_OPEN_BILL, queries.before("FDeliveryDate", self._today()))
        return await self._list(listing.SALES_ORDERS, query, SALES, self._orders, {Filter.LATE: late})

    async def _orders(self, ids: Sequence[str]) -> list[SalesOrder]:
        found = await self._bills(SALES, ids)
        return [replace(self._mapped(self._documents.order, lines), lines=()) for lines in found]

    # Finance

    async def invoice(self, number: str) -> Invoice:
        """Return one receivable; raises `NotFound`."""
        return (await self._with_sources([await self._bill(RECEIVABLES, number)]))[0]

    async def invoices(self, query: ListQuery) -> Slice[Invoice]:
        """Return receivables."""
        due = queries.before("FENDDATE_H", self._today())
        if await self._client.has(RECEIVABLES, "FENDDATE"):
            # A plan of several payments: one may be due before the last.
            due = f"({due} or {queries.before('FENDDATE', self._today())})"
        overdue = queries.all_of("FDOCUMENTSTATUS='C' and FWRITTENOFFSTATUS<>'C'", due)
        return await self._list(listing.INVOICES, query, RECEIVABLES, self._invoices, {Filter.OVERDUE: overdue})

    async def _invoices(self, ids: Sequence[str]) -> list[Invoice]:
        return await self._with_sources(await self._bills(RECEIVABLES, ids))

    async def _with_sources(self, found: Sequence[list[Row]]) -> list[Invoice]:
        ids = [code(lines[0]["FID"]) for lines in found]
        rows: list[Row] = []
        if await self._client.has(RECEIVABLE_SOURCES, "FSourceBillNo"):
            rows = await self._client.query_each(RECEIVABLE_SOURCES, "FID", ids)
        sources = bills(rows)
        return [
            self._mapped(lambda lines: self._documents.invoice(lines, sources.get(code(lines[0]["FID"]), ())), lines)
            for lines in found
        ]

    # Purchasing

    async def purchase_order(self, number: str) -> PurchaseOrder:
        """Return one purchase order with the state of its approval; raises `NotFound`."""
        return (await self._with_runs([await self._bill(PURCHASES, number)]))[0]

    async def purchase_orders(self, query: ListQuery) -> Slice[PurchaseOrder]:
        """Return purchase orders without lines."""
        narrow = {
            Filter.LATE: queries.all_of(_OPEN_BILL, queries.before("FDeliveryDate", self._today())),
            Filter.PENDING: "FDocumentStatus='B' and FCancelStatus='A'",
        }
        return await self._list(listing.PURCHASE_ORDERS, query, PURCHASES, self._purchases, narrow)

    async def _purchases(self, ids: Sequence[str]) -> list[PurchaseOrder]:
        found = await self._with_runs(await self._bills(PURCHASES, ids))
        return [replace(order, lines=()) for order in found]

    async def _with_runs(self, found: Sequence[list[Row]]) -> list[PurchaseOrder]:
        runs = await self._workflow.runs([lines[0] for lines in found])
        return [
            self._mapped(
                lambda lines: self._documents.purchase_order(lines, runs.get(code(lines[0]["FBillNo"]))), lines
            )
            for lines in found
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
        waiting = await self._workflow.waiting(order.number)
        mine = next((task for task in waiting if task.person == decision.by), None)
        if mine is not None:
            return await self._workflow.decide(mine, decision)
        if waiting:
            raise NotPermitted("no task of the workflow waits for this person", source=self.name)
        if not self._options.audit_without_workflow:
            raise NotPermitted(
                "no workflow handles this order, and the bot may not audit it by its own account", source=self.name
            )
        name = "Audit" if decision.verdict is Verdict.APPROVE else "CancelAssign"
        data = {"Numbers": [order.number], "InterationFlags": "", "IgnoreInterationFlag": ""}
        return response_message(await self._client.write(name, PURCHASES.id, data, what=order.number))

    # Production

    async def production_order(self, number: str) -> ProductionOrder:
        """Return one production order, that is one line of a bill; raises `NotFound`."""
        self._asked(number)
        rows = await self._client.query(
            PRODUCTION, queries.spelled("FBillNo", number, number.rpartition("#")[0] or number)
        )
        row = self._only([row for row in rows if PRODUCTION.number(row).casefold() == number.casefold()], number)
        return self._mapped(self._documents.production_order, row[0])

    async def production_orders(self, query: ListQuery) -> Slice[ProductionOrder]:
        """Return production orders."""
        unfinished = queries.one_of("FStatus", PRODUCTION_UNFINISHED)
        late = queries.all_of(unfinished, queries.before("FPlanFinishDate", self._today()))
        return await self._list(listing.PRODUCTION_ORDERS, query, PRODUCTION, self._productions, {Filter.LATE: late})

    async def _productions(self, keys: Sequence[str]) -> list[ProductionOrder]:
        rows = await self._client.query_each(PRODUCTION, PRODUCTION.key, keys)
        return [self._mapped(self._documents.production_order, row) for row in rows]

    # Changes

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        """Return the next changes of an area, by the server's times of change."""
        return await self._changes.next(area, cursor, limit=limit)

    # What the areas share

    async def _bill(self, form: Form, number: str) -> list[Row]:
        """Return the lines of the bill with a number; raises `NotFound`."""
        self._asked(number)
        rows = await self._client.query(form, queries.spelled("FBillNo", number))
        return self._only([row for row in rows if code(row["FBillNo"]).casefold() == number.casefold()], number)

    def _only(self, rows: list[Row], number: str) -> list[Row]:
        """Return the lines of the only bill, or of the one whose number is spelled just so."""
        exact = [row for row in rows if code(row["FBillNo"]) == number]
        found = list(bills(exact or rows).values())
        if not found:
            raise NotFound(number, source=self.name)
        if len(found) > 1:
            raise Invalid(f"several documents bear the number {number}: set the option org", source=self.name)
        return found[0]

    async def _bills(self, form: Form, ids: Sequence[str]) -> list[list[Row]]:
        return list(bills(await self._client.query_each(form, form.key, ids)).values())

    async def _list(
        self,
        listing: Listing[D],
        query: ListQuery,
        form: Form,
        read: Callable[[Sequence[str]], Awaitable[Sequence[D]]],
        narrow: Mapping[Filter, str],
    ) -> Slice[D]:
        """Return part of a list; ``narrow`` are conditions that leave all that a filter wants, and perhaps more."""
        today = self._today()

        async def headers() -> list[Header[str]]:
            where = narrow.get(query.filter) or queries.since(form.dated, today - self._list_days)
            matching = queries.contains(("FBillNo", *form.texts), query.text) if query.text else ""
            rows = await self._client.query(
                form, queries.all_of(where, matching), keys=form.head, order=",".join(dict.fromkeys(("FID", form.key)))
            )
            return [self._mapped(lambda row: self._documents.header(form, row), row) for row in rows]

        return await list_by_headers(listing, query, today, headers=headers, read=read)

    def _mapped(self, make: Callable[[Any], T], value: Any) -> T:
        """Return what ``make`` makes of an answer; raises `Invalid` for values that are none."""
        try:
            return make(value)
        except ErpError:
            raise
        except ValueError as error:
            raise Invalid(f"a value that is none in an answer: {error}", source=self.name) from error

    def _asked(self, asked: str) -> None:
        if not queries.is_code(asked):
            raise NotFound(asked[: queries.LONGEST], source=self.name)

    def _today(self) -> date:
        return self._documents.values.local(self._now()).date()


_OPEN_BILL = "FDocumentStatus='C' and FCloseStatus='A' and FCancelStatus='A'"


def _distinct(products: Iterable[Product]) -> list[Product]:
    """Return products without repeats: a material of several organisations has a line for each."""
    return list({each.sku: each for each in products}.values())
