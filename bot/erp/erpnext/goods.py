"""What ERPNext tells about goods: arrivals, deliveries, shortages, warehouses (docs: platform/erp/erpnext.md#goods)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from bot.erp import listing
from bot.erp.concurrency import gather_or_cancel
from bot.erp.erpnext import documents
from bot.erp.erpnext import query as queries
from bot.erp.erpnext.client import Condition, ErpNextClient, ListRequest, Row, is_exact, pattern
from bot.erp.erpnext.documents import FULL, RECEIVED, docstatus, joined
from bot.erp.erpnext.mapping import ApprovalWorkflow, Site, number, required_number
from bot.erp.erpnext.stock import quantities, stock_level
from bot.erp.goods import (
    Arrival,
    ArrivalKind,
    DeliveryLine,
    DeliveryStatus,
    GoodsDelivery,
    Shortage,
    WarehouseContents,
    WarehouseItem,
)
from bot.erp.goods_port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.goods_sorting import by_arrival, by_leaving, by_urgency
from bot.erp.listing import read_page
from bot.erp.model import Product, ProductionStatus, Slice
from bot.erp.port import Filter, ListQuery
from bot.erp.shortages import shortages_of
from bot.erp.warehouses import pick_warehouse

_MOST = 2_000
"""Rows of one question."""
_NOTE, _NOTE_LINE = "Delivery Note", "Delivery Note Item"
_COMING = {ProductionStatus.RELEASED, ProductionStatus.RUNNING}

_STATES = {0: DeliveryStatus.PLANNED, 1: DeliveryStatus.SHIPPED, 2: DeliveryStatus.CANCELLED}
_NOTE_FIELDS = (
    *("name", "docstatus", "status", "company", "modified", "customer", "customer_name", "posting_date", "is_return"),
    *("transporter_name", "lr_no", "set_warehouse"),
)
_BIN_FIELDS = (
    *("item_code", "warehouse", "actual_qty", "reserved_qty", "reserved_qty_for_production"),
    *("reserved_qty_for_sub_contract", "ordered_qty", "planned_qty", "projected_qty"),
)
_ITEM_FIELDS = ("name", "item_name", "description", "stock_uom", "item_group", "variant_of", "is_stock_item")

Complete = Callable[[Sequence[Row], Sequence[Product]], Awaitable[Sequence[Product]]]
"""Returns products of Items with what only child tables hold of them."""


class ErpNextGoods:
    """Reads about goods; ``company`` limits all to that company."""

    def __init__(
        self,
        frappe: ErpNextClient,
        *,
        site: Callable[[], Awaitable[Site]],
        company: str,
        source: str,
        now: Callable[[], datetime],
        complete: Complete,
    ) -> None:
        self._frappe, self._site, self._company, self._source = frappe, site, company, source
        self._now, self._complete = now, complete

    @property
    def _ours(self) -> list[Condition]:
        return [("company", "=", self._company)] if self._company else []

    # Deliveries

    async def deliveries(self, query: ListQuery) -> Slice[GoodsDelivery]:
        """Return Delivery Notes, the newest first; a draft whose day has passed is late."""
        site = await self._site()
        today = site.local(self._now()).date()
        filters: list[Condition] = [*self._ours]
        if query.filter is Filter.LATE:
            filters += [
                ("docstatus", "=", 0),
                ("posting_date", "<", today.isoformat()),
                ("posting_date", ">", "1900-01-01"),
            ]
        order = "asc" if query.filter is Filter.LATE else "desc"
        lookup = ListRequest(
            _NOTE, _NOTE_FIELDS, filters, await self._texts(query.text), f"posting_date {order}, name asc"
        )
        if is_exact(query.text):
            page = self._frappe.rows(lookup, start=query.offset, limit=query.limit)
            rows, total = await read_page(query, page, lambda: self._frappe.count(lookup))
            return Slice(items=tuple(await self._listed(rows, site)), total=total)
        rows = await self._frappe.rows(lookup, limit=_MOST)
        return listing.DELIVERIES.pick(await self._listed(rows, site), query, today)

    async def deliveries_of(self, order: str) -> tuple[GoodsDelivery, ...]:
        """Return the Delivery Notes with lines of a Sales Order."""
        site = await self._site()
        request = ListRequest(_NOTE_LINE, ("parent",), [("against_sales_order", "=", order)], parent=_NOTE)
        names = sorted({str(row["parent"]) for row in await self._frappe.rows(request, limit=_MOST)})
        notes = await gather_or_cancel(*(self._frappe.document(_NOTE, name) for name in names))
        return by_leaving(site.read(delivery, note) for note in notes)

    async def _texts(self, text: str) -> list[Condition]:
        """Return the conditions of which one holds: the order's number stands in the lines."""
        if not text:
            return []
        request = ListRequest(_NOTE_LINE, ("parent",), [("against_sales_order", "like", pattern(text))], parent=_NOTE)
        names = sorted({str(row["parent"]) for row in await self._frappe.rows(request, limit=_MOST)})
        own: list[Condition] = [(name, "like", pattern(text)) for name in ("name", "customer_name")]
        return [*own, ("name", "in", names)] if names else own

    async def _listed(self, rows: Sequence[Row], site: Site) -> list[GoodsDelivery]:
        names = [str(row["name"]) for row in rows]
        if not names:
            return []
        lines, people = await gather_or_cancel(
            self._frappe.rows(queries.children(_NOTE, _NOTE_LINE, "against_sales_order", names)),
            self._frappe.rows(queries.children(_NOTE, "Sales Team", "sales_person", names)),
        )
        orders, sellers = _by_parent(lines, "against_sales_order"), _by_parent(people, "sales_person")
        return [
            replace(
                site.read(delivery, row),
                order_number=joined(orders.get(str(row["name"]), ())),
                salesperson=joined(sellers.get(str(row["name"]), ())),
            )
            for row in rows
        ]

    # Arrivals

    async def arrivals(self, query: ArrivalQuery, sku: str, workflow: ApprovalWorkflow) -> Slice[Arrival]:
        """Return goods on their way; ``sku`` is the exact code of the only product that is asked for."""
        site = await self._site()
        bought, made = await gather_or_cancel(self._bought(sku, workflow, site), self._made(sku, site))
        found = by_arrival(
            each
            for each in (*bought, *made)
            if query.until is None or (each.due_on is not None and each.due_on <= query.until)
        )
        return Slice(items=found[query.offset : query.offset + query.limit], total=len(found))

    async def _bought(self, sku: str, workflow: ApprovalWorkflow, site: Site) -> list[Arrival]:
        open_orders = ListRequest(
            "Purchase Order",
            ("name", "supplier", "supplier_name", "owner", "schedule_date"),
            [
                ("docstatus", "=", 1),
                (workflow.field, "not in", sorted(workflow.waiting | workflow.rejected)),
                ("status", "not in", list(RECEIVED)),
                ("per_received", "<", float(FULL)),
                *self._ours,
            ],
            order_by="name asc",
        )
        orders = {str(row["name"]): row for row in await self._frappe.rows(open_orders, limit=_MOST)}
        if not orders:
            return []
        of_product: list[Condition] = [("item_code", "=", sku)] if sku else []
        lines = ListRequest(
            "Purchase Order Item",
            ("parent", "item_code", "item_name", "uom", "qty", "received_qty", "schedule_date", "warehouse"),
            [("parent", "in", sorted(orders)), *of_product],
            order_by="parent asc, idx asc",
            parent="Purchase Order",
        )
        found = [site.read(_arrival, row, orders[str(row["parent"])]) for row in await self._frappe.rows(lines)]
        return [each for each in found if each.quantity > 0]

    async def _made(self, sku: str, site: Site) -> list[Arrival]:
        production = queries.PRODUCTION_ORDERS
        of_product: list[Condition] = [("production_item", "=", sku)] if sku else []
        request = ListRequest(
            production.doctype,
            production.fields,
            [("docstatus", "=", 1), *of_product, *self._ours],
            order_by="name asc",
        )
        orders = [site.read(documents.production_order, row) for row in await self._frappe.rows(request, limit=_MOST)]
        return [
            Arrival(
                document=order.number,
                kind=ArrivalKind.PRODUCTION,
                sku=order.sku,
                name=order.name,
                unit=order.unit,
                quantity=order.planned - (order.produced or 0),
                due_on=order.due_on,
                source=site.source,
            )
            for order in orders
            if order.status in _COMING and order.planned > (order.produced or 0)
        ]

    # Warehouses

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        """Return what is short among the Items that have a reorder level, or that somebody waits for."""
        site = await self._site()
        warehouses = await self._warehouses()
        only = _named(warehouses, query.warehouse, self._source)["name"] if query.warehouse else ""
        levels, waiting = await gather_or_cancel(
            self._frappe.rows(
                ListRequest("Item Reorder", ("parent", "warehouse", "warehouse_reorder_level"), parent="Item")
            ),
            self._frappe.rows(
                ListRequest("Bin", ("item_code",), any_of=[("reserved_qty", ">", 0), ("actual_qty", "<", 0)]),
                limit=_MOST,
            ),
        )
        names = sorted({*(str(row["parent"]) for row in levels), *(str(row["item_code"]) for row in waiting)})
        items, bins = await gather_or_cancel(
            self._frappe.rows(
                ListRequest("Item", _ITEM_FIELDS, [("disabled", "=", 0), ("name", "in", names)], order_by="name asc")
            ),
            self._frappe.rows(ListRequest("Bin", _BIN_FIELDS, [("item_code", "in", names)], order_by="warehouse asc")),
        )
        places = {str(row["name"]): row for row in warehouses}
        known = defaultdict[str, list[Row]](list)
        points = defaultdict[str, list[Row]](list)
        for row in bins:
            if row["warehouse"] in places:
                known[str(row["item_code"])].append(row)
        for row in levels:
            if row["warehouse"] in places:
                points[str(row["parent"])].append(row)
        found = by_urgency(
            short
            for item in items
            for short in shortages_of(
                site.read(
                    stock_level,
                    item | {"reorder_levels": points[str(item["name"])]},
                    known[str(item["name"])],
                    places,
                    self._now(),
                )
            )
            if only in ("", short.warehouse_code)
        )
        return Slice(items=found[query.offset : query.offset + query.limit], total=len(found))

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        """Return what lies in a warehouse, by its Bins."""
        site = await self._site()
        place = _named(await self._warehouses(), query.warehouse, self._source)
        filters: list[Condition] = [("warehouse", "=", place["name"])]
        if query.text:
            codes = sorted(await self._codes(query.text, site))
            if not codes:
                return WarehouseContents(
                    code=place["name"], name=str(place["warehouse_name"]), items=(), total=0, source=self._source
                )
            filters.append(("item_code", "in", codes))
        lookup = ListRequest(
            "Bin",
            _BIN_FIELDS,
            filters,
            any_of=[("actual_qty", "!=", 0), ("reserved_qty", "!=", 0)],
            order_by="item_code asc",
        )
        page = self._frappe.rows(lookup, start=query.offset, limit=query.limit)
        rows, total = await read_page(
            ListQuery(offset=query.offset, limit=query.limit), page, lambda: self._frappe.count(lookup)
        )
        products = await self._products([str(row["item_code"]) for row in rows], site)
        return WarehouseContents(
            code=place["name"],
            name=str(place["warehouse_name"]),
            items=tuple(
                WarehouseItem(product=products[str(row["item_code"])], quantities=quantities(row), source=self._source)
                for row in rows
                if str(row["item_code"]) in products
            ),
            total=total,
            source=self._source,
        )

    async def _codes(self, text: str, site: Site) -> set[str]:
        rows = await self._frappe.rows(queries.items(text), limit=_MOST)
        folded = text.casefold()
        found = [site.read(documents.product, row) for row in rows]
        return {
            each.sku for each in found if any(folded in part.casefold() for part in (each.sku, each.name, each.spec))
        }

    async def _products(self, names: Sequence[str], site: Site) -> Mapping[str, Product]:
        if not names:
            return {}
        rows = await self._frappe.rows(ListRequest("Item", _ITEM_FIELDS, [("name", "in", list(names))]))
        found = await self._complete(rows, [site.read(documents.product, row) for row in rows])
        return {product.sku: product for product in found}

    async def _warehouses(self) -> list[Row]:
        fields = ("name", "warehouse_name", "company")
        return await self._frappe.rows(ListRequest("Warehouse", fields, [("is_group", "=", 0), *self._ours]))


def delivery(row: Row, site: Site) -> GoodsDelivery:
    """Return a Delivery Note; it has one day, on which it leaves once it is submitted."""
    lines, status = row.get("items") or (), _STATES[docstatus(row)]
    on = site.day(row.get("posting_date"))
    shipped = status is DeliveryStatus.SHIPPED
    return GoodsDelivery(
        id=row["name"],
        number=row["name"],
        order_number=joined(line.get("against_sales_order") for line in lines),
        customer=str(row.get("customer_name") or row.get("customer") or ""),
        status=status,
        planned_on=None if shipped else on,
        shipped_on=on if shipped else None,
        carrier=str(row.get("transporter_name") or ""),
        tracking=str(row.get("lr_no") or ""),
        is_return=row.get("is_return") == 1,
        lines=tuple(
            DeliveryLine(
                sku=str(line.get("item_code") or ""),
                name=str(line.get("item_name") or ""),
                unit=str(line.get("uom") or ""),
                quantity=required_number(line.get("qty")),
            )
            for line in lines
        ),
        salesperson=joined(line.get("sales_person") for line in row.get("sales_team") or ()),
        warehouse=str(row.get("set_warehouse") or ""),
        url=site.link(_NOTE, row["name"]),
        changed_at=site.time(row.get("modified")),
        source=site.source,
    )


def _arrival(line: Row, site: Site, order: Row) -> Arrival:
    return Arrival(
        document=str(order["name"]),
        kind=ArrivalKind.PURCHASE,
        sku=str(line.get("item_code") or ""),
        name=str(line.get("item_name") or ""),
        unit=str(line.get("uom") or ""),
        quantity=required_number(line.get("qty")) - (number(line.get("received_qty")) or Decimal(0)),
        due_on=site.day(line.get("schedule_date") or order.get("schedule_date")),
        partner=str(order.get("supplier_name") or order.get("supplier") or ""),
        warehouse=str(line.get("warehouse") or ""),
        owners=(str(order.get("owner") or ""),),
        source=site.source,
    )


def _named(warehouses: Iterable[Row], wanted: str, source: str) -> Row:
    return pick_warehouse(
        warehouses, wanted, lambda row: (str(row["name"]), str(row.get("warehouse_name") or "")), source=source
    )


def _by_parent(rows: Iterable[Row], field: str) -> Mapping[str, list[str]]:
    found = defaultdict[str, list[str]](list)
    for row in rows:
        if row.get(field):
            found[str(row["parent"])].append(str(row[field]))
    return found
