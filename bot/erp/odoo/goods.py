"""What Odoo knows about goods (docs: platform/erp/odoo.md#goods).

Each read takes few calls, whatever the number of documents, products and warehouses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from bot.erp.errors import NotPermitted, Unsupported
from bot.erp.goods.lists import by_arrival, by_price_day, made_arrivals, part_of_shortages
from bot.erp.goods.port import LAST_PRICES, MOST_USES, ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.model import Slice
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
from bot.erp.odoo import query as queries
from bot.erp.odoo.mapping import (
    Row,
    day,
    goods_of,
    money,
    name_of,
    number,
    number_of,
    reference,
    sku_of,
    unit_of,
)
from bot.erp.odoo.production import PRODUCTION_ORDERS
from bot.erp.odoo.products import FIGURES, KIND, PRODUCT_FIELDS, PRODUCT_TEXTS
from bot.erp.odoo.products import product as product_of
from bot.erp.odoo.purchases import PURCHASE_ORDERS
from bot.erp.odoo.query import Condition
from bot.erp.odoo.reads import MOST, PLAIN_NAMES, PRODUCTS, OdooReads
from bot.erp.odoo.stock import OdooStock, figures
from bot.erp.plans.planned_erp import build
from bot.erp.values import text

_ORDER = ("name", "partner_id", "user_id", "date_order", "currency_id")
_SALES_LINE = ("order_id", "product_uom_qty", "price_unit", "product_uom_id", "product_uom")
_PURCHASE_LINE = ("order_id", "product_qty", "price_unit", "product_uom_id", "product_uom")
_VENDORS = tuple(f"order_id.{name}" for name in PURCHASE_ORDERS.partners)
_OPEN_LINE = (
    "order_id", "product_id", "name", "product_qty", "qty_received", "date_planned", "product_uom_id", "product_uom",
)  # fmt: skip


class OdooGoods:
    """Reads about goods."""

    def __init__(self, reads: OdooReads, stock: OdooStock) -> None:
        self._reads, self._client, self._site, self._stock = reads, reads.client, reads.site, stock
        self._of_company = reads.of_company()

    # Products

    async def details(self, row: Row, reorder_point: Decimal | None) -> ProductDetails:
        """Return the master data of a product."""
        supplies, components, (uses, count) = await asyncio.gather(
            self._supplies(row), self._components(row), self._uses(row)
        )
        return ProductDetails(
            product=product_of(row),
            reorder_point=reorder_point,
            supplies=supplies,
            components=components,
            used_in=uses,
            used_in_total=count,
            url=self._site.link("product.product", row),
            source=self._site.source,
        )

    async def _supplies(self, row: Row) -> tuple[Supply, ...]:
        of_variant = ["product_id", "in", [False, row["id"]]]
        of_template = ["product_tmpl_id", "=", reference(row.get("product_tmpl_id")) or 0]
        found = await self._client.rows(
            "product.supplierinfo",
            [of_template, of_variant],
            ("partner_id", "name", "product_code", "delay"),
            order="sequence asc, id asc",
            limit=MOST,
        )
        by_vendor: dict[str, Supply] = {}
        for each in found:
            vendor = name_of(each.get("partner_id")) or name_of(each.get("name"))  # up to 15
            supply = Supply(vendor=vendor, code=text(each.get("product_code")), lead_days=_days(each.get("delay")))
            by_vendor.setdefault(vendor, supply)
        return tuple(by_vendor.values())

    async def _components(self, row: Row) -> tuple[ComponentUse, ...]:
        """Return what the first bill of materials of a product lists for one unit."""
        domain = [
            ["product_tmpl_id", "=", reference(row.get("product_tmpl_id")) or 0],
            ["product_id", "in", [False, row["id"]]],
        ]
        try:
            bills = await self._client.rows("mrp.bom", domain, ("product_qty",), order="sequence asc, id asc", limit=1)
            if not bills:
                return ()
            lines = await self._client.rows(
                "mrp.bom.line",
                [["bom_id", "=", bills[0]["id"]]],
                ("product_id", "product_qty", "product_uom_id"),
                order="sequence asc, id asc",
                limit=MOST,
            )
        except (NotPermitted, Unsupported):
            return ()  # without manufacturing there are no bills of materials
        await PRODUCTS(self._reads, lines)
        return tuple(ComponentUse(**goods_of(line), quantity=_per_unit(line, bills[0])) for line in lines)

    async def _uses(self, row: Row) -> tuple[tuple[ComponentUse, ...], int]:
        try:
            lines = await self._client.rows(
                "mrp.bom.line",
                [["product_id", "=", row["id"]]],
                ("bom_id", "product_qty"),
                order="id asc",
                limit=MOST,
            )
            if not lines:
                return (), 0
            bills = await self._client.read(
                "mrp.bom", [reference(line.get("bom_id")) or 0 for line in lines], ("product_tmpl_id", "product_qty")
            )
        except (NotPermitted, Unsupported):
            return (), 0
        ids = [reference(bill.get("product_tmpl_id")) or 0 for bill in bills.values()]
        wholes = await self._client.read(
            "product.template", ids, ("default_code", "name", "uom_id"), context=PLAIN_NAMES
        )
        found = [
            ComponentUse(
                sku=sku_of(whole), name=text(whole.get("name")), unit=name_of(whole.get("uom_id")),
                quantity=_per_unit(line, bill),
            )
            for line in lines
            if (bill := bills.get(reference(line.get("bom_id")) or 0))
            and (whole := wholes.get(reference(bill.get("product_tmpl_id")) or 0))
        ]  # fmt: skip
        found.sort(key=lambda use: use.sku)
        return tuple(found[:MOST_USES]), len(found)

    # Prices

    async def prices(self, row: Row, customer: str) -> Prices:
        """Return what a product costs; a standard cost of 0 was never entered."""
        named: Condition = queries.contains(("partner_id.name", "partner_id.parent_id.name"), customer)
        sales, purchases = await asyncio.gather(
            self._points("sale.order", _SALES_LINE, [["state", "in", ["sale", "done"]], *named], row),
            self._points("purchase.order", _PURCHASE_LINE, [["state", "in", ["purchase", "done"]]], row),
        )
        cost = money(row.get("standard_price"), row.get("cost_currency_id") or row.get("currency_id"))
        return Prices(
            product=product_of(row),
            customer=customer,
            list_price=money(row.get("lst_price"), row.get("currency_id")),
            standard_cost=cost if cost and cost.amount else None,
            sales=sales,
            purchases=purchases,
            source=self._site.source,
        )

    async def _points(self, model: str, fields: Sequence[str], which: Condition, row: Row) -> tuple[PricePoint, ...]:
        """Return the prices of the last orders with a product; none where the account may not read them."""
        domain = [["order_line.product_id", "=", row["id"]], *which, *self._of_company]
        try:
            orders = await self._client.rows(
                model, domain, _ORDER, order="date_order desc, name asc, id asc", limit=LAST_PRICES
            )
            if not orders:
                return ()
            lines = await self._client.rows(
                f"{model}.line",
                [["order_id", "in", [order["id"] for order in orders]], ["product_id", "=", row["id"]]],
                fields,
                order="id asc",
                limit=MOST,
            )
        except Unsupported:
            return ()  # sales or purchasing is not installed
        by_id = {order["id"]: order for order in orders}
        kind = PriceKind.SALE if model == "sale.order" else PriceKind.PURCHASE
        points = [self._point(kind, by_id[reference(line["order_id"]) or 0], line) for line in lines]
        return by_price_day(points)[:LAST_PRICES]

    def _point(self, kind: PriceKind, order: Row, line: Row) -> PricePoint:
        quantity = line.get("product_uom_qty") if kind is PriceKind.SALE else line.get("product_qty")
        return PricePoint(
            kind=kind,
            day=day(order.get("date_order"), self._site.zone),
            document=number_of(order),
            partner=name_of(order.get("partner_id")),
            quantity=number(quantity) or Decimal(0),
            unit=unit_of(line),
            price=money(line.get("price_unit"), order.get("currency_id")),
            owner=name_of(order.get("user_id")),
            source=self._site.source,
        )

    # Arrivals

    async def arrivals(self, query: ArrivalQuery, row: Row | None) -> Slice[Arrival]:
        """Return goods on their way; of one product if there is a ``row``."""
        of_product: Condition = [["product_id", "=", row["id"]]] if row else []
        bought, made = await asyncio.gather(self._bought(of_product, query.vendor), self._made(of_product, query))
        found = by_arrival(each for each in (*bought, *made) if query.wants(each))
        return Slice(items=found[query.offset : query.offset + query.limit], total=len(found))

    async def _bought(self, of_product: Condition, vendor: str) -> list[Arrival]:
        try:
            known = await self._client.fields("purchase.order")
        except Unsupported:
            return []  # purchasing is not installed
        owed: Condition = [["order_id.receipt_status", "!=", "full"]] if "receipt_status" in known else []
        if "picking_ids" in known:
            # Of services nothing is on its way: somebody enters what was received.
            owed.append(["qty_received_method", "=", "stock_moves"])
        own = [[f"order_id.{name}", *condition] for name, *condition in self._of_company]
        lines = await self._client.rows(
            "purchase.order.line",
            [
                ["order_id.state", "in", ["purchase", "done"]],
                *owed,
                *of_product,
                *own,
                *queries.contains(_VENDORS, vendor),
            ],
            _OPEN_LINE,
            order="id asc",
            limit=MOST,
        )
        ordered = [line for line in lines if _still_open(line) > 0]
        orders, _ = await asyncio.gather(
            self._client.read(
                "purchase.order",
                {reference(line["order_id"]) or 0 for line in ordered},
                ("name", "partner_id", "date_planned", "user_id"),
            ),
            PRODUCTS(self._reads, ordered),
        )
        return [
            self._arrival(line, order) for line in ordered if (order := orders.get(reference(line["order_id"]) or 0))
        ]

    def _arrival(self, line: Row, order: Row) -> Arrival:
        return Arrival(
            document=number_of(order),
            kind=ArrivalKind.PURCHASE,
            **goods_of(line),
            quantity=_still_open(line),
            due_on=day(line.get("date_planned") or order.get("date_planned"), self._site.zone),
            partner=name_of(order.get("partner_id")),
            owners=tuple(filter(None, (name_of(order.get("user_id")),))),
            source=self._site.source,
        )

    async def _made(self, of_product: Condition, query: ArrivalQuery) -> list[Arrival]:
        if query.vendor:
            return []
        plan = PRODUCTION_ORDERS
        domain: Condition = [["state", "in", ["confirmed", "progress", "to_close"]], *of_product, *self._of_company]
        if query.until:
            end = datetime.combine(query.until + timedelta(days=1), time(), self._site.zone)
            domain.append(["date_deadline", "<", queries.timestamp(end)])
        try:
            rows = await self._client.rows(
                PRODUCTION_ORDERS.model, domain, PRODUCTION_ORDERS.fields, order="id asc", limit=MOST
            )
        except Unsupported:
            return []  # manufacturing is not installed
        return list(made_arrivals(await build(plan, rows, self._reads, whole=False)))

    # Warehouses

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        """Return what is short among the products that have a reordering rule or are to leave."""
        only = text((await self._stock.warehouse(query.warehouse)).get("code")) if query.warehouse else ""
        rules, moves = await asyncio.gather(
            self._client.rows(
                "stock.warehouse.orderpoint", self._of_company, ("product_id",), order="id asc", limit=MOST
            ),
            self._client.rows(
                "stock.move",
                [
                    ["state", "in", ["waiting", "confirmed", "assigned", "partially_available"]],
                    ["location_id.usage", "=", "internal"],
                    *self._of_company,
                ],
                ("product_id",),
                order="id asc",
                limit=MOST,
            ),
        )
        ids = sorted({reference(row.get("product_id")) or 0 for row in (*rules, *moves)} - {0})
        rows = await self._client.rows(
            "product.product",
            [["id", "in", ids]],
            (*PRODUCT_FIELDS, *KIND, *FIGURES),
            order="id asc",
            limit=len(ids),
            context=PLAIN_NAMES,
        )
        levels = await self._stock.levels(rows)
        return part_of_shortages(levels, query, only)

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        """Return the stock of a warehouse."""
        warehouse = await self._stock.warehouse(query.warehouse)
        # The context key was renamed in 18.
        context = {**PLAIN_NAMES, "warehouse_id": warehouse["id"], "warehouse": warehouse["id"]}
        # Of a kit Odoo computes figures, too, but there are no quants of it: it lies nowhere.
        there: Condition = [["qty_available", "!=", 0], ["stock_quant_ids", "!=", False]]
        domain = [*there, *queries.contains(PRODUCT_TEXTS, query.text)]
        rows, total = await asyncio.gather(
            self._client.rows(
                "product.product",
                domain,
                (*PRODUCT_FIELDS, *KIND, *FIGURES),
                order="default_code asc, id asc",
                offset=query.offset,
                limit=query.limit,
                context=context,
            ),
            self._client.count("product.product", domain, context=context),
        )
        return WarehouseContents(
            code=text(warehouse.get("code")),
            name=text(warehouse.get("name")),
            items=tuple(
                WarehouseItem(product=product_of(row), quantities=figures(row), source=self._site.source)
                for row in rows
            ),
            total=total,
            source=self._site.source,
        )


def _still_open(line: Row) -> Decimal:
    return (number(line.get("product_qty")) or Decimal(0)) - (number(line.get("qty_received")) or Decimal(0))


def _per_unit(line: Row, bill: Row) -> Decimal:
    return (number(line.get("product_qty")) or Decimal(0)) / (number(bill.get("product_qty")) or Decimal(1))


def _days(value: Any) -> int | None:
    delay = number(value)
    return None if delay is None else int(delay)
