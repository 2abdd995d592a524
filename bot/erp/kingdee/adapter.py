"""Adapter for Kingdee K/3 Cloud."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

from bot.erp import deciding, kinds
from bot.erp.concurrency import gather_or_cancel
from bot.erp.conditions import all_of
from bot.erp.document_erp import ReaderErp
from bot.erp.errors import Invalid, NotFound, NotPermitted, UnknownFinish
from bot.erp.goods.lists import arrivals_of
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.header_lists import Header, list_by_headers
from bot.erp.keys import checked_key, spelled_alike
from bot.erp.kinds import D, Kind, kind_followed
from bot.erp.kingdee import query as queries
from bot.erp.kingdee.changes import ChangeReader
from bot.erp.kingdee.client import KingdeeClient, response_message
from bot.erp.kingdee.decisions import BillApprovals
from bot.erp.kingdee.documents import (
    PRODUCTION_FINISHED,
    PRODUCTION_UNFINISHED,
    DocumentKey,
    DocumentMapper,
    Lines,
    bills,
    orders_of,
    owners_of,
)
from bot.erp.kingdee.goods import DetailReader, PriceReader, WarehouseReader
from bot.erp.kingdee.mapping import Row, code
from bot.erp.kingdee.options import KingdeeOptions
from bot.erp.kingdee.partners import ACTIVE, PartnerMapper
from bot.erp.kingdee.query import Form
from bot.erp.kingdee.stock import StockReader
from bot.erp.model import (
    Decision,
    DecisionResult,
    ErpRecord,
    Feed,
    Followed,
    Slice,
    Verdict,
)
from bot.erp.model.goods import Arrival, Prices, ProductDetails, Shortage, WarehouseContents
from bot.erp.port import COMMON, Capability, Filter, ListQuery
from bot.erp.values import malformed_is_invalid
from bot.erp.vendors import AdapterContext

_SETTLE_DELAYS = (0.3, 0.6, 1.2)
"""Seconds to wait for the workflow to move on after a decision."""
_FORMS: Mapping[Kind[Any], tuple[Form, ...]] = {
    kinds.SALES_ORDERS: (queries.SALES,),
    kinds.INVOICES: (queries.RECEIVABLES,),
    kinds.PURCHASE_ORDERS: (queries.PURCHASES,),
    kinds.PRODUCTION_ORDERS: (queries.PRODUCTION,),
    kinds.CUSTOMERS: (queries.BUYERS,),
    kinds.VENDORS: (queries.SUPPLIERS,),
    kinds.BILLS: (queries.PAYABLES,),
    kinds.PAYMENTS: (queries.RECEIPTS, queries.OUTGOING),
    kinds.DELIVERIES: (queries.SHIPMENTS,),
    kinds.RECEIPTS: (queries.GOODS_IN, queries.GOODS_BACK),
}
_DIRECTIONS: Mapping[Filter, tuple[Form, ...]] = {
    Filter.RECEIVED: (queries.RECEIPTS,),
    Filter.SPENT: (queries.OUTGOING,),
}
"""The forms that hold nothing but one list of payments."""
_OPEN_BILL = "FDocumentStatus='C' and FCloseStatus='A' and FCancelStatus='A'"
_OF_OPEN_BILLS = frozenset({Filter.OPEN, Filter.LATE})
_UNSETTLED = "FDOCUMENTSTATUS='C' and FWRITTENOFFSTATUS<>'C'"


class KingdeeErp(ReaderErp):
    """One data centre, limited to the rights of one account."""

    capabilities = COMMON - {Capability.LOTS}
    feeds = frozenset({Feed.BILLS, Feed.PAYMENTS, Feed.DELIVERIES})
    narrows_lists = True

    def __init__(self, context: AdapterContext, options: KingdeeOptions) -> None:
        super().__init__(context.name)
        self._client = KingdeeClient(options, now=context.now, source=self.name)
        values = self._client.values
        self._mapper = DocumentMapper(values, tuple(word.lower() for word in options.rejections))
        self._partners = PartnerMapper(values)
        self.decides = dict.fromkeys(options.decides, frozenset(Verdict))
        decided = (kinds.PURCHASE_ORDERS, *map(kinds.decided_kind, options.decides))
        self._approvals = {form: BillApprovals(self._client, form) for kind in decided for form in _FORMS[kind]}
        self._stock = self._materials = StockReader(self._client)
        self._prices = PriceReader(self._client)
        self._details_of = DetailReader(self._client)
        self._warehouses = WarehouseReader(self._client)
        self._changes = ChangeReader(self._client, self._approvals)

    async def check(self) -> None:
        """Log in and read one material."""
        await self._client.probe(queries.MATERIALS)

    async def close(self) -> None:
        """Log out and close connections."""
        await self._client.close()

    # Documents

    async def read_document(self, kind: Kind[D], number: str) -> D:
        """Return one document; a production order is a line of a bill."""
        forms = _FORMS[kind]
        answers = await gather_or_cancel(*(self._client.query(form, form.spelled(number)) for form in forms))
        found = [
            (form, lines)
            for form, rows in zip(forms, answers, strict=True)
            for lines in spelled_alike(bills(rows, form).values(), number, partial(_number, form))
        ]
        if len(found) > 1:
            raise Invalid(f"several documents have the number {number}: set the option org", source=self.name)
        if not found:
            raise NotFound(number, source=self.name)
        form, lines = found[0]
        document: D = (await self._documents(form, [lines]))[0]
        return document

    async def read_documents(self, area: Followed, numbers: Sequence[str]) -> tuple[ErpRecord, ...]:
        """Return documents with their lines by their numbers; numbers that several documents share are left out."""
        kind = kind_followed(area)
        self._check_offered(kind)
        with malformed_is_invalid(self.name):
            found = [await self._of_form(form, frozenset(numbers)) for form in _FORMS[kind]]
            return tuple(document for part in found for document in part)

    async def _of_form(self, form: Form, wanted: frozenset[str]) -> list[Any]:
        # From the second line of a bill on, the number says which line it is.
        named = wanted | {number.rpartition("#")[0] or number for number in wanted if form.line}
        rows = await self._client.query_each(form, form.number_key, sorted(named), where=form.only)
        called: dict[str, list[Lines]] = {}
        for lines in bills(rows, form).values():
            called.setdefault(form.number(lines[0]), []).append(lines)
        found = [same[0] for number, same in called.items() if number in wanted and len(same) == 1]
        return await self._documents(form, found)

    async def list_documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        forms = [form for form in _DIRECTIONS.get(query.filter, _FORMS[kind]) if _can_have(form, query)]
        if query.filter in _DIRECTIONS:
            query = replace(query, filter=Filter.ALL)
        today = query.day(self._client.values.local(self._client.now()).date())

        async def headers() -> list[Header[DocumentKey]]:
            found = await gather_or_cancel(*(self._headers(form, query, today) for form in forms))
            return [header for part in found for header in part]

        async def read(keys: Sequence[DocumentKey]) -> list[Any]:
            found: list[Any] = []
            for form in forms:
                wanted = [key for of_form, key in keys if of_form is form]
                rows = await self._client.query_each(form, form.key, wanted, where=form.only)
                found += await self._documents(form, list(bills(rows, form).values()))
            return found

        return await list_by_headers(kind, query, today, headers=headers, read=read)

    async def _headers(self, form: Form, query: ListQuery, today: date) -> list[Header[DocumentKey]]:
        where = all_of(
            form.only,
            await self._narrow(form, query, today),
            await self._within(form, query),
            form.of_partner(query.partner),
            queries.contains((form.number_key, *form.texts), query.text) if query.text else "",
        )
        if not query.product:
            return [self._mapper.header(form, row) for row in await self._heads(form, where)]
        of_product = queries.spelled("FMaterialId.FNumber", query.product)
        if not _asks_of_lines(query):
            return [self._mapper.header(form, row) for row in await self._heads(form, all_of(where, of_product))]
        # The line that is late, or due then, may be another than that of the product: both are looked for apart.
        open_only = _OPEN_BILL if query.filter in _OF_OPEN_BILLS else ""
        rows, holding = await gather_or_cancel(
            self._heads(form, where), self._heads(form, all_of(form.only, open_only, of_product))
        )
        keys = {code(row[form.key]) for row in holding}
        return [self._mapper.header(form, row) for row in rows if code(row[form.key]) in keys]

    async def _heads(self, form: Form, where: str) -> list[Row]:
        return await self._client.query(form, where, keys=form.head, order=",".join(form.head_order))

    async def _within(self, form: Form, query: ListQuery) -> str:
        """Return a condition that matches at least the documents of the days that are asked for."""
        is_dated = query.during is not None and query.filter is not Filter.DONE
        during = queries.within(form.dated, query.during) if query.during and is_dated else ""
        if query.due is None:
            return during
        due = [queries.within(name, query.due) for name in await self._due_fields(form)]
        return all_of(during, f"({' or '.join(due)})")

    async def _due_fields(self, form: Form) -> Sequence[str]:
        return [name for name in form.due if name not in form.optional or await self._client.has(form, name)]

    async def _narrow(self, form: Form, query: ListQuery, today: date) -> str:
        """Return a condition that matches at least the documents of the filter; of all documents the recent ones."""
        match query.filter:
            case Filter.PENDING:
                return f"{form.status}='B'"
            case Filter.DONE:
                return all_of(queries.one_of("FStatus", PRODUCTION_FINISHED), await self._finished(form, query, today))
            case Filter.OPEN if form is queries.PRODUCTION:
                return queries.one_of("FStatus", PRODUCTION_UNFINISHED)
            case Filter.OPEN:
                return _OPEN_BILL if form in {queries.SALES, queries.PURCHASES} else _UNSETTLED
            case Filter.OVERDUE:
                due = " or ".join(queries.before(name, today) for name in await self._due_fields(form))
                return all_of(_UNSETTLED, f"({due})")
            case Filter.LATE if form is queries.PRODUCTION:
                unfinished = queries.one_of("FStatus", PRODUCTION_UNFINISHED)
                return all_of(unfinished, queries.before("FPlanFinishDate", today))
            case Filter.LATE if form is queries.SHIPMENTS:
                return all_of("FDocumentStatus<>'C' and FCancelStatus='A'", queries.before("FDate", today))
            case Filter.LATE:
                return all_of(_OPEN_BILL, queries.before("FDeliveryDate", today))
            case _ if not form.dated:
                return ACTIVE
            case _ if query.during or query.due:
                return ""
            case _:
                return queries.since(form.dated, today - timedelta(days=self._client.options.list_days))

    async def _finished(self, form: Form, query: ListQuery, today: date) -> str:
        """Return a condition that matches at least what was finished on the days that are asked for, or recently."""
        is_told = await self._client.has(form, queries.FINISHED)
        if query.during is not None:
            if not is_told:
                raise UnknownFinish(f"this installation lacks {queries.FINISHED}", source=self.name)
            return queries.within(queries.FINISHED, query.during)
        if query.due is not None:
            return ""
        start = today - timedelta(days=self._client.options.list_days)
        days = (form.dated, queries.FINISHED) if is_told else (form.dated,)
        return "({})".format(" or ".join(queries.since(name, start) for name in days))

    async def _documents(self, form: Form, found: Sequence[Lines]) -> list[Any]:
        """Return the documents built from bill lines and from related forms, with the reviews of what is decided."""
        approvals = self._approvals.get(form)
        if approvals is None:
            return await self._built(form, found)
        built, runs = await asyncio.gather(self._built(form, found), approvals.runs([lines[0] for lines in found]))
        return [
            self._mapper.reviewed(form, document, lines, runs.get(form.number(lines[0])))
            for document, lines in zip(built, found, strict=True)
        ]

    async def _built(self, form: Form, found: Sequence[Lines]) -> list[Any]:
        if form is queries.RECEIVABLES:
            sources = await self._details(queries.RECEIVABLE_SOURCES, "FSourceBillNo", found)
            return [self._mapper.invoice(lines, sources.get(code(lines[0]["FID"]), ())) for lines in found]
        if form is queries.PAYABLES:
            sources = await self._details(queries.PAYABLE_SOURCES, "FORDERNUMBER", found)
            return [self._mapper.bill(lines, sources.get(code(lines[0]["FID"]), ())) for lines in found]
        if form in _FORMS[kinds.RECEIPTS]:
            owners = await self._owners(form, found)
            return [self._mapper.receipt(form, owners, lines) for lines in found]
        build: Mapping[Form, Callable[[Lines], Any]] = {
            queries.SALES: self._mapper.order,
            queries.PURCHASES: self._mapper.purchase_order,
            queries.PRODUCTION: lambda lines: self._mapper.production_order(lines[0]),
            queries.RECEIPTS: partial(self._partners.payment, queries.RECEIPTS),
            queries.OUTGOING: partial(self._partners.payment, queries.OUTGOING),
            queries.SHIPMENTS: self._mapper.shipment,
            queries.BUYERS: self._partners.customer,
            queries.SUPPLIERS: self._partners.vendor,
        }
        return [build[form](lines) for lines in found]

    async def _details(self, form: Form, key: str, found: Sequence[Lines]) -> Mapping[str, Lines]:
        """Return the details of bills by the bills' keys, none if this installation lacks the key."""
        if not await self._client.has(form, key):
            return {}
        ids = [code(lines[0]["FID"]) for lines in found]
        return bills(await self._client.query_each(form, "FID", ids), form)

    # Goods

    async def product(self, sku: str) -> ProductDetails:
        """Return the master data of a material; raises `NotFound`."""
        with malformed_is_invalid(self.name):
            found, least = await self._materials.material_with_minimum(checked_key(sku, source=self.name))
            return await self._details_of.details(found, least)

    async def prices(self, sku: str, *, customer: str) -> Prices:
        """Return the prices of the last audited orders."""
        with malformed_is_invalid(self.name):
            product = await self._materials.material(checked_key(sku, source=self.name))
            return await self._prices.prices(product, customer)

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        with malformed_is_invalid(self.name):
            return await self._warehouses.shortages(query)

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        with malformed_is_invalid(self.name):
            return await self._warehouses.contents(query)

    async def read_of_order(self, kind: Kind[D], number: str) -> Sequence[Any]:
        """Return what was moved for an order, whole, with what went back."""
        order_form = queries.SALES if kind == kinds.DELIVERIES else queries.PURCHASES
        known = await self._client.query(order_form, order_form.spelled(number), keys=order_form.head, order="FID")
        orders = spelled_alike(known, number, lambda row: code(row["FBillNo"]))
        if not orders:
            raise NotFound(number, source=self.name)
        if len({code(row["FID"]) for row in orders}) > 1:
            raise Invalid(f"several documents have the number {number}: set the option org", source=self.name)
        found = await gather_or_cancel(*(self._moved_by(form, code(orders[0]["FBillNo"])) for form in _FORMS[kind]))
        return [document for part in found for document in part]

    async def _moved_by(self, form: Form, order: str) -> list[Any]:
        named = all_of(form.only, queries.one_of(queries.ORDER_OF_GOODS[form], (order,)))
        heads = await self._client.query(form, named, keys=form.head, order="FID")
        ids = list(dict.fromkeys(code(row["FID"]) for row in heads))
        rows = await self._client.query_each(form, "FID", ids, where=form.only)
        return await self._documents(form, list(bills(rows, form).values()))

    async def _owners(self, form: Form, found: Sequence[Lines]) -> Mapping[str, tuple[str, ...]]:
        """Return the people of the orders that goods are of, by the orders' numbers."""
        named = sorted({order for lines in found for order in orders_of(form, lines)})
        keys = ("FID", "FBillNo", "FPurchaserId.FName", "FCreatorId")
        rows = await self._client.query_each(queries.PURCHASES, "FBillNo", named, keys=keys)
        return {code(row["FBillNo"]): owners_of(row) for row in rows}

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        """Return what is open of purchase orders, due with the first such line, and of production orders."""
        of_product = queries.spelled("FMaterialId.FNumber", query.sku) if query.sku else ""
        of_vendor = queries.contains(queries.PURCHASES.texts, query.vendor) if query.vendor else ""
        being_made = "FDocumentStatus='C' and " + queries.one_of("FStatus", PRODUCTION_UNFINISHED)
        with malformed_is_invalid(self.name):
            bought, made = await gather_or_cancel(
                self._client.query(queries.PURCHASES, all_of(_OPEN_BILL, of_product, of_vendor)),
                self._client.query(queries.PRODUCTION, all_of(being_made, of_product)),
            )
            orders = map(self._mapper.purchase_order, bills(bought, queries.PURCHASES).values())
            return arrivals_of(orders, map(self._mapper.production_order, made), query)

    # Deciding

    async def write_decision(self, kind: Kind[Any], decision: Decision) -> DecisionResult:
        """Approve or reject with `bot.erp.deciding`; waits a moment for the workflow to move on."""
        (form,) = _FORMS[kind]
        write = partial(self._write, form)
        return await deciding.decide(decision, read=partial(self.document, kind), write=write, settle=_SETTLE_DELAYS)

    async def _write(self, form: Form, document: ErpRecord, decision: Decision) -> str:
        approvals = self._approvals[form]
        waiting = await approvals.waiting(document.number)
        own_task = next((task for task in waiting if task.person == decision.by), None)
        if own_task is not None:
            return await approvals.decide(own_task, decision)
        if waiting:
            raise NotPermitted("no task of the workflow waits for this person", source=self.name)
        if not self._client.options.audit_without_workflow:
            raise NotPermitted(
                "no workflow handles this document, and the bot may not audit it by its own account", source=self.name
            )
        name = "Audit" if decision.verdict is Verdict.APPROVE else "CancelAssign"
        data = {"Numbers": [document.number], "InterationFlags": "", "IgnoreInterationFlag": ""}
        return response_message(await self._client.write(name, form.id, data, what=document.number))


def _asks_of_lines(query: ListQuery) -> bool:
    """Return whether a list of orders is asked for by what its lines say: when they are due."""
    return query.filter is Filter.LATE or query.due is not None


def _number(form: Form, lines: Lines) -> str:
    return form.number(lines[0])


def _can_have(form: Form, query: ListQuery) -> bool:
    """Return whether documents of a form have the days, and a partner, that a query asks for."""
    return bool(
        (form.dated or query.during is None) and (form.due or query.due is None) and (form.partner or not query.partner)
    )
