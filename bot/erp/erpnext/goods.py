"""What ERPNext knows about goods (docs: platform/erp/erpnext.md#goods)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bot.erp.concurrency import gather_or_cancel
from bot.erp.erpnext import documents
from bot.erp.erpnext import query as queries
from bot.erp.erpnext.client import Condition, ListRequest, Row, pattern
from bot.erp.erpnext.documents import FULL, RECEIVED, goods_of, joined
from bot.erp.erpnext.mapping import ApprovalWorkflow, Site, money, number, required_number
from bot.erp.erpnext.plans import PRODUCTION_ORDERS, SELLERS
from bot.erp.erpnext.reads import MOST, ErpNextReads
from bot.erp.erpnext.stock import quantities, stock_level
from bot.erp.goods.lists import by_arrival, by_price_day, made_arrivals, part_of_shortages, pick_warehouse
from bot.erp.goods.port import LAST_PRICES, MOST_USES, ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.listing import read_page
from bot.erp.model import Money, Product, Slice
from bot.erp.model.goods import (
    Arrival,
    ArrivalKind,
    ComponentUse,
    PriceKind,
    PricePoint,
    Prices,
    ProductDetails,
    Shortage,
    Supply,
    WarehouseContents,
    WarehouseItem,
)
from bot.erp.port import ListQuery

_DEFAULT_BOM: tuple[Condition, ...] = (("is_default", "=", 1), ("docstatus", "=", 1))
_PRICED = {
    PriceKind.SALE: ("Sales Order", "customer_name"),
    PriceKind.PURCHASE: ("Purchase Order", "supplier_name"),
}
"""The DocType of orders, and the field that names the partner."""

_BIN_FIELDS = (
    *("item_code", "warehouse", "actual_qty", "reserved_qty", "reserved_qty_for_production"),
    *("reserved_qty_for_sub_contract", "ordered_qty", "planned_qty", "projected_qty"),
)
_ITEM_FIELDS = ("name", "item_name", "description", "stock_uom", "item_group", "variant_of", "is_stock_item")

ReadProducts = Callable[[Sequence[Row]], Awaitable[Sequence[Product]]]
"""Returns the products of Items, with what only child tables hold of them."""


class ErpNextGoods:
    """Reads about goods; ``company`` limits all to that company."""

    def __init__(
        self, reads: ErpNextReads, *, source: str, now: Callable[[], datetime], products: ReadProducts
    ) -> None:
        self._reads, self._frappe, self._site, self._company = reads, reads.frappe, reads.site, reads.company
        self._source, self._now, self._whole = source, now, products

    @property
    def _ours(self) -> list[Condition]:
        return queries.of_company(self._company)

    # Products

    async def details(self, item: Row, reorder_point: Decimal | None) -> ProductDetails:
        """Return the master data of an Item: its vendors, what its default BOM lists, and which BOMs list it."""
        site = await self._site()
        told: Any = await gather_or_cancel(
            self._supplies(item), self._components(str(item["name"])), self._uses(str(item["name"]))
        )
        supplies, components, (uses, count) = told
        barcodes = [str(line["barcode"]) for line in item.get("barcodes") or () if line.get("barcode")]
        return ProductDetails(
            product=site.read(documents.product, item),
            barcodes=tuple(barcodes[1:]),
            reorder_point=reorder_point,
            supplies=supplies,
            components=components,
            used_in=uses,
            used_in_total=count,
            url=site.link("Item", item["name"]),
            source=self._source,
        )

    async def _supplies(self, item: Row) -> tuple[Supply, ...]:
        lines = [line for line in item.get("supplier_items") or () if line.get("supplier")]
        if not lines:
            return ()
        ids = [str(line["supplier"]) for line in lines]
        rows = await self._frappe.rows(ListRequest("Supplier", ("name", "supplier_name"), [("name", "in", ids)]))
        names = {str(row["name"]): str(row.get("supplier_name") or row["name"]) for row in rows}
        return tuple(
            Supply(
                vendor=names.get(str(line["supplier"]), str(line["supplier"])),
                code=str(line.get("supplier_part_no") or ""),
            )
            for line in lines
        )

    async def _components(self, name: str) -> tuple[ComponentUse, ...]:
        request = ListRequest("BOM", ("name",), [("item", "=", name), *_DEFAULT_BOM], order_by="name asc")
        for found in await self._frappe.rows(request, limit=1):
            bom = await self._frappe.document("BOM", str(found["name"]))
            return tuple(
                ComponentUse(
                    **goods_of(line),
                    quantity=required_number(line.get("qty")) / (number(bom.get("quantity")) or Decimal(1)),
                )
                for line in bom.get("items") or ()
            )
        return ()

    async def _uses(self, name: str) -> tuple[tuple[ComponentUse, ...], int]:
        request = ListRequest("BOM Item", ("parent", "qty"), [("item_code", "=", name)], parent="BOM")
        lines = await self._frappe.rows(request, limit=MOST)
        if not lines:
            return (), 0
        parents = sorted({str(line["parent"]) for line in lines})
        fields = ("name", "item", "item_name", "uom", "quantity")
        rows = await self._frappe.rows(ListRequest("BOM", fields, [("name", "in", parents), *_DEFAULT_BOM]))
        boms = {str(row["name"]): row for row in rows}
        found = [
            ComponentUse(
                sku=str(bom.get("item") or ""),
                name=str(bom.get("item_name") or ""),
                unit=str(bom.get("uom") or ""),
                quantity=required_number(line.get("qty")) / (number(bom.get("quantity")) or Decimal(1)),
            )
            for line in lines
            if (bom := boms.get(str(line["parent"])))
        ]
        found.sort(key=lambda use: use.sku)
        return tuple(found[:MOST_USES]), len(found)

    # Prices

    async def prices(self, item: Row, customer: str, workflow: ApprovalWorkflow) -> Prices:
        site, name = await self._site(), str(item["name"])
        not_open = sorted(workflow.waiting | workflow.rejected)
        told: Any = await gather_or_cancel(
            self._list_price(name, site),
            self._points(PriceKind.SALE, name, customer, [], site),
            self._points(PriceKind.PURCHASE, name, "", [(workflow.field, "not in", not_open)], site),
        )
        listed, sales, purchases = told
        return Prices(
            product=site.read(documents.product, item),
            customer=customer,
            list_price=listed,
            sales=sales,
            purchases=purchases,
            source=self._source,
        )

    async def _list_price(self, name: str, site: Site) -> Money | None:
        """Return the price of the one selling list that has any: which of several is meant would be a guess."""
        today = site.local(self._now()).date()
        request = ListRequest(
            "Item Price",
            ("price_list", "price_list_rate", "currency", "valid_from", "valid_upto"),
            [("item_code", "=", name), ("selling", "=", 1), ("customer", "is", "not set")],
            order_by="valid_from desc",
        )
        rows = [row for row in await self._frappe.rows(request, limit=MOST) if _is_valid(row, site, today)]
        lists = {row.get("price_list") for row in rows}
        return money(rows[0].get("price_list_rate"), rows[0].get("currency")) if len(lists) == 1 else None

    async def _points(
        self, kind: PriceKind, name: str, customer: str, which: Sequence[Condition], site: Site
    ) -> tuple[PricePoint, ...]:
        doctype, partner = _PRICED[kind]
        lines = await self._frappe.rows(
            ListRequest(
                f"{doctype} Item",
                ("parent", "qty", "uom", "rate", "idx"),
                [("item_code", "=", name), ("docstatus", "=", 1)],
                order_by="creation desc",
                parent=doctype,
            ),
            limit=MOST,
        )
        if not lines:
            return ()
        named: list[Condition] = [(partner, "like", pattern(customer))] if customer else []
        orders = ListRequest(
            doctype,
            ("name", partner, "transaction_date", "currency"),
            [("name", "in", sorted({str(line["parent"]) for line in lines})), *named, *which, *self._ours],
            order_by="transaction_date desc, name asc",
        )
        rows = {str(row["name"]): row for row in await self._frappe.rows(orders, limit=LAST_PRICES)}
        sellers = await SELLERS.read(self._reads, list(rows)) if kind is PriceKind.SALE else {}
        lines.sort(key=lambda line: line.get("idx") or 0)
        points = [
            PricePoint(
                kind=kind,
                day=site.day(row.get("transaction_date")),
                document=str(row["name"]),
                partner=str(row.get(partner) or ""),
                quantity=required_number(line.get("qty")),
                unit=str(line.get("uom") or ""),
                price=money(line.get("rate"), row.get("currency")),
                owner=joined(each.get("sales_person") for each in sellers.get(str(row["name"]), ())),
                source=self._source,
            )
            for line in lines
            if (row := rows.get(str(line["parent"])))
        ]
        return by_price_day(points)[:LAST_PRICES]

    # Arrivals

    async def arrivals(self, query: ArrivalQuery, sku: str, workflow: ApprovalWorkflow) -> Slice[Arrival]:
        """Return goods on their way; ``sku`` is the exact code of the only product that is asked for."""
        site = await self._site()
        bought, made = await gather_or_cancel(
            self._bought(sku, query.vendor, workflow, site), self._made(sku, query.vendor, site)
        )
        found = by_arrival(each for each in (*bought, *made) if query.wants(each))
        return Slice(items=found[query.offset : query.offset + query.limit], total=len(found))

    async def _bought(self, sku: str, vendor: str, workflow: ApprovalWorkflow, site: Site) -> list[Arrival]:
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
            [(name, "like", pattern(vendor)) for name in ("supplier_name", "supplier") if vendor],
            order_by="name asc",
        )
        orders = {str(row["name"]): row for row in await self._frappe.rows(open_orders, limit=MOST)}
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

    async def _made(self, sku: str, vendor: str, site: Site) -> list[Arrival]:
        if vendor:
            return []
        production = PRODUCTION_ORDERS
        of_product: list[Condition] = [("production_item", "=", sku)] if sku else []
        request = ListRequest(
            production.model,
            production.fields,
            [("docstatus", "=", 1), *of_product, *self._ours],
            order_by="name asc",
        )
        orders = [site.read(documents.production_order, row) for row in await self._frappe.rows(request, limit=MOST)]
        return list(made_arrivals(orders))

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
                limit=MOST,
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
        now = self._now()
        stock = (
            site.read(
                stock_level,
                item | {"reorder_levels": points[str(item["name"])]},
                known[str(item["name"])],
                places,
                now,
            )
            for item in items
        )
        return part_of_shortages(stock, query, only)

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        """Return the stock of a warehouse, by its Bins."""
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
        products = await self._products([str(row["item_code"]) for row in rows])
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
        rows = await self._frappe.rows(queries.items(text), limit=MOST)
        folded = text.casefold()
        found = [site.read(documents.product, row) for row in rows]
        return {
            each.sku for each in found if any(folded in part.casefold() for part in (each.sku, each.name, each.spec))
        }

    async def _products(self, names: Sequence[str]) -> Mapping[str, Product]:
        if not names:
            return {}
        rows = await self._frappe.rows(ListRequest("Item", _ITEM_FIELDS, [("name", "in", list(names))]))
        return {product.sku: product for product in await self._whole(rows)}

    async def _warehouses(self) -> list[Row]:
        fields = ("name", "warehouse_name", "company")
        return await self._frappe.rows(ListRequest("Warehouse", fields, [("is_group", "=", 0), *self._ours]))


def _is_valid(row: Row, site: Site, today: date) -> bool:
    first, last = site.day(row.get("valid_from")), site.day(row.get("valid_upto"))
    return (first is None or first <= today) and (last is None or today <= last)


def _arrival(line: Row, site: Site, order: Row) -> Arrival:
    return Arrival(
        document=str(order["name"]),
        kind=ArrivalKind.PURCHASE,
        **goods_of(line),
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
