"""Adapter for YonSuite and YonBIP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, cast

from bot.erp import deciding, kinds
from bot.erp.concurrency import gather_or_cancel, gather_rows
from bot.erp.document_erp import ReaderErp
from bot.erp.errors import NotFound, NotPermitted
from bot.erp.goods.lists import arrivals_of
from bot.erp.goods.port import ArrivalQuery, WarehouseQuery
from bot.erp.header_lists import Header, list_by_headers, without_lines
from bot.erp.keys import pick_by_key, spelled_alike
from bot.erp.kinds import D, Kind
from bot.erp.model import Decision, DecisionResult, Feed, PurchaseOrder, Slice, Verdict
from bot.erp.model.goods import Arrival, WarehouseContents
from bot.erp.port import COMMON, GOODS, Capability, Filter, ListQuery
from bot.erp.values import code, malformed_is_invalid, text
from bot.erp.vendors import AdapterContext
from bot.erp.yonbip import query as queries
from bot.erp.yonbip.changes import ChangeReader
from bot.erp.yonbip.client import YonBipClient, batch_message
from bot.erp.yonbip.decisions import PurchaseApprovals
from bot.erp.yonbip.documents import DocumentMapper, production_number, received_whole
from bot.erp.yonbip.goods import DeliveryReader
from bot.erp.yonbip.mapping import Row
from bot.erp.yonbip.options import YonBipOptions
from bot.erp.yonbip.partners import BalanceReader, PartnerReader, PaymentReader
from bot.erp.yonbip.receipts import ReceiptReader
from bot.erp.yonbip.stock import StockReader

_SETTLE_DELAYS = (0.3, 0.6, 1.2)
"""Seconds to wait for the workflow to update the order after a decision."""
_PATHS: Mapping[Kind[Any], str] = {
    kinds.SALES_ORDERS: queries.SALES,
    kinds.INVOICES: queries.RECEIVABLES,
    kinds.BILLS: queries.PAYABLES,
    kinds.PURCHASE_ORDERS: queries.PURCHASES,
    kinds.PRODUCTION_ORDERS: queries.PRODUCTION,
}
_HEADERS = {
    queries.PURCHASES: ("vouchdate", "vendor_name"),
    queries.RECEIVABLES: ("billDate", "bodyItemCustomerName"),
    queries.PAYABLES: ("billDate", "bodyItemSupplierName"),
}
"""Keys of day and partner in lists without a due date, which only details have."""
_GOODS = frozenset({Capability.DELIVERIES, Capability.RECEIPTS, Capability.ARRIVALS, Capability.WAREHOUSE_STOCK})
_MISSING = (GOODS - _GOODS) | {
    Capability.REORDER_POINT,
    Capability.LOTS,
    Capability.FINISHED_DAYS,
    Capability.ORDERS_OF_PRODUCT,
}


class YonBipErp(ReaderErp):
    """One tenant, limited to the rights of one app."""

    capabilities = COMMON - _MISSING
    # The lists of receipts and payments do not promise the time of change.
    feeds = frozenset({Feed.BILLS, Feed.DELIVERIES})

    def __init__(self, context: AdapterContext, options: YonBipOptions) -> None:
        super().__init__(context.name)
        self._client = YonBipClient(options, now=context.now, source=self.name)
        self._mapper = DocumentMapper(self._client.values)
        self._workflow = PurchaseApprovals(self._client)
        self._balances = BalanceReader(self._client)
        self._stock = self._materials = StockReader(self._client)
        self._partners = PartnerReader(self._client)
        self._payments = PaymentReader(self._client)
        self._deliveries = DeliveryReader(self._client)
        self._receipts = ReceiptReader(self._client)
        self._changes = ChangeReader(self._client)

    async def check(self) -> None:
        """Find the data centre, get a token and read one material."""
        await self._materials.probe()

    async def close(self) -> None:
        await self._materials.close()
        await self._partners.close()
        await self._client.close()

    # Documents

    async def read_document(self, kind: Kind[D], number: str) -> D:
        """Return one document; a production order is a line of a bill."""
        if kind in (kinds.CUSTOMERS, kinds.VENDORS):
            return await self._partners.read(kind, number)
        if kind in (kinds.PAYMENTS, kinds.DELIVERIES, kinds.RECEIPTS):
            readers: Mapping[Kind[Any], Any] = {
                kinds.PAYMENTS: self._payments,
                kinds.DELIVERIES: self._deliveries,
                kinds.RECEIPTS: self._receipts,
            }
            return cast(D, await readers[kind].read(number))
        path = _PATHS[kind]
        calls = (self._client.rows(f"{path}/list", body) for body in queries.of_number(path, number))
        rows = await gather_rows(*calls)
        if path == queries.PRODUCTION:
            lines = spelled_alike(rows, number, production_number)
            if not lines:
                raise NotFound(number, source=self.name)
            row = lines[0]
        else:
            distinct = {code(row.get("id")): row for row in rows}.values()
            found = pick_by_key(distinct, number, lambda row: code(row.get("code")), source=self.name)
            row = await self._client.detail(f"{path}/detail", code(found.get("id")), what=number)
        document: D = (await self._documents(path, [row]))[0]
        return document

    async def list_documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        """Return part of a list; details have a small quota, so they are read only where the rows do not suffice."""
        if kind in (kinds.CUSTOMERS, kinds.VENDORS):
            return await self._partners.list_partners(kind, query)
        today = query.day(self._client.values.local(self._client.now()).date())
        if kind in (kinds.PAYMENTS, kinds.DELIVERIES, kinds.RECEIPTS):
            parts: Mapping[Kind[Any], Any] = {
                kinds.PAYMENTS: self._payments.list_payments,
                kinds.DELIVERIES: self._deliveries.list_deliveries,
                kinds.RECEIPTS: self._receipts.list_receipts,
            }
            return cast(Slice[D], await parts[kind](query, today))
        path: str = _PATHS[kind]

        async def headers() -> list[Header[str]]:
            return [self._header(path, row) for row in await self._rows(path, query, today)]

        async def read(ids: Sequence[str]) -> list[Any]:
            return await self._documents(path, await self._client.details(f"{path}/detail", ids))

        if path in _HEADERS:
            return await list_by_headers(kind, query, today, headers=headers, read=read)
        name = production_number if path == queries.PRODUCTION else _id
        # A record may move to a later page while pages are read.
        rows: dict[str, Row] = {name(row): row for row in await self._rows(path, query, today)}
        return kind.pick(map(without_lines, await self._documents(path, [*rows.values()])), query, today)

    def _narrows(self, kind: Kind[Any], query: ListQuery) -> bool:
        by_state = kind == kinds.PRODUCTION_ORDERS and query.filter in {Filter.OPEN, Filter.DONE}
        return (by_state and not query.partner) or super()._narrows(kind, query)

    async def _rows(self, path: str, query: ListQuery, today: date) -> list[Row]:
        rows: list[Row] = []
        # Only rows per line say which product they are of.
        per_line: Row = {"isSum": False} if query.product else {}
        for body in queries.of_list(path, query, today, days=self._client.options.list_days):
            rows += await self._client.rows(f"{path}/list", {**body, **per_line})
        holding = {_id(row) for row in rows if _is_of(row, query.product)} if query.product else None
        return [
            row
            for row in rows
            if queries.may_hold(row, path, query.filter) and (holding is None or _id(row) in holding)
        ]

    def _header(self, path: str, row: Row) -> Header[str]:
        day, partner = _HEADERS[path]
        return Header(
            code(row["id"]), code(row["code"]), self._client.values.day(row.get(day)), (text(row.get(partner)),)
        )

    async def _documents(self, path: str, rows: Sequence[Row]) -> list[Any]:
        if path == queries.PURCHASES:
            runs = await self._workflow.runs(rows)
            return [self._mapper.purchase_order(row, runs.get(code(row["id"]))) for row in rows]
        if path in (queries.RECEIVABLES, queries.PAYABLES):
            balances = await self._balances.read(path, rows)
            read = self._mapper.invoice if path == queries.RECEIVABLES else self._mapper.bill
            return [read(row, balances) for row in rows]
        read_row = self._mapper.order if path == queries.SALES else self._mapper.production_order
        return [read_row(row) for row in rows]

    # Goods

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        """Return what open purchase orders owe; only details say when that is due."""
        today, days = self._client.values.local(self._client.now()).date(), self._client.options.list_days
        with malformed_is_invalid(self.name):
            lines, made = await gather_or_cancel(
                *(
                    self._client.rows(f"{path}/list", queries.of_open_orders(path, today, days=days))
                    for path in (queries.PURCHASES, queries.PRODUCTION)
                )
            )
            owing = (
                line
                for line in lines
                if not received_whole(line)
                and _is_of(line, query.sku)
                and query.vendor.casefold() in text(line.get("vendor_name")).casefold()
            )
            ids = [*dict.fromkeys(map(_id, owing))]
            details = await self._client.details(f"{queries.PURCHASES}/detail", ids)
            orders = await self._documents(queries.PURCHASES, details)
            return arrivals_of(orders, await self._documents(queries.PRODUCTION, made), query)

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        """Return the stock of a warehouse, called by its code, or by its id or name in the settings."""
        with malformed_is_invalid(self.name):
            return await self._materials.contents(query)

    async def read_of_order(self, kind: Kind[D], number: str) -> Sequence[Any]:
        """Return the notes of goods issue of a sales order, or the notes of purchase receipt of a purchase order."""
        assert kind.origin is not None
        order = await self.document(kind.origin, number)
        if kind == kinds.DELIVERIES:
            return await self._deliveries.of_order(order.number)
        return await self._receipts.of_order(order.number)

    # Deciding

    async def write_decision(self, kind: Kind[Any], decision: Decision) -> DecisionResult:
        """Approve or reject with `bot.erp.deciding`; waits a moment for the workflow to move on."""
        return await deciding.decide(decision, read=self.purchase_order, write=self._write, settle=_SETTLE_DELAYS)

    async def _write(self, order: PurchaseOrder, decision: Decision) -> str:
        if "workflow" not in order.extra:
            waiting = await self._workflow.waiting(order.id)
            own_task = next((task for task in waiting if task.person == decision.by), None)
            if own_task is None:
                raise NotPermitted("no task of the workflow waits for this person", source=self.name)
            return await self._workflow.decide(own_task, decision)
        if decision.verdict is Verdict.REJECT:
            raise NotPermitted("an order that no workflow handles cannot be rejected", source=self.name)
        if not self._client.options.audit_without_workflow:
            raise NotPermitted("no workflow handles this order, and the app may not audit it itself", source=self.name)
        audited = {"data": [{"id": order.id}]}
        data = await self._client.write(f"{queries.PURCHASES}/batchaudit", audited, what=order.number)
        return batch_message(data, source=self.name)


def _is_of(line: Row, sku: str) -> bool:
    return not sku or code(line.get("product_cCode")).casefold() == sku.casefold()


def _id(row: Row) -> str:
    return code(row.get("id"))
