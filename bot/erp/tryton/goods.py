"""What Tryton knows about goods (docs: platform/erp/tryton.md#goods).

Each read takes few calls, whatever the number of documents and products.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.erp.errors import NotPermitted, Unsupported
from bot.erp.goods.lists import by_arrival, by_day, by_price_day, made_arrivals, part_of_shortages, pick_warehouse
from bot.erp.goods.port import LAST_PRICES, MOST_USES, ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.keys import escape_like, pick_by_key
from bot.erp.kinds import DELIVERIES
from bot.erp.listing import read_page
from bot.erp.model import Slice, StockLevel
from bot.erp.model.goods import (
    Arrival,
    ArrivalKind,
    ComponentUse,
    DeliveryLine,
    DeliveryStatus,
    GoodsDelivery,
    PriceKind,
    PricePoint,
    Prices,
    ProductDetails,
    Shortage,
    Supply,
    WarehouseContents,
    WarehouseItem,
)
from bot.erp.port import Filter, ListQuery
from bot.erp.tryton import documents, stock
from bot.erp.tryton.client import Account, Domain, Row, at, containing, some
from bot.erp.tryton.documents import TrytonSite, goods_of, number_of, price_of, quantity
from bot.erp.tryton.query import unnumbered, within

PRODUCT = (*documents.PRODUCT, "template", "list_price_used", "cost_price")

_BY_CODE = [["code", "ASC"], ["id", "ASC"]]
_MOST = 2_000
"""Lines or orders that a question reads at most."""
_LEAVING: Domain = [["state", "in", ["draft", "assigned"]], ["from_location.type", "=", "storage"]]
_IN_FORCE = ["confirmed", "processing", "done"]
_SHIPMENT = "stock.shipment.out"
_LEFT = ["shipped", "done"]
_SHIPMENTS = {
    "draft": DeliveryStatus.PLANNED,
    "waiting": DeliveryStatus.PLANNED,
    "assigned": DeliveryStatus.READY,
    "picked": DeliveryStatus.READY,
    "packed": DeliveryStatus.READY,
    "shipped": DeliveryStatus.SHIPPED,
    "done": DeliveryStatus.SHIPPED,
    "cancelled": DeliveryStatus.CANCELLED,
}
_SHIPPED_FIELDS = (
    *("number", "state", "customer.name", "warehouse.name", "planned_date", "effective_date"),
    *documents.ORIGIN,
)
_SHIPPED_LINES = tuple(
    f"outgoing_moves.{name}"
    for name in ("product.code", "product.name", "quantity", "unit.symbol", "unit.digits", "state")
)
_TWINS = 50
"""How many records whose numbers differ only in case are compared."""

_PRICED = ("product.code", "quantity", "unit.symbol", "unit.digits", "unit_price")
_OPEN_LINE = (
    *("product.code", "product.name", "quantity", "unit.symbol", "unit.digits", "unit.id"),
    *("moves.quantity", "moves.state", "moves.unit", "moves.from_location.type", "moves.planned_date"),
    *(
        "purchase.number",
        "purchase.delivery_date",
        "purchase.party.name",
        "purchase.warehouse.name",
        "purchase.quoted_by.rec_name",
    ),
)
_PARTS = ("product.code", "product.name", "quantity", "unit.symbol")


class TrytonGoods:
    """Reads about goods."""

    def __init__(
        self, account: Account, site: TrytonSite, *, now: Callable[[], datetime], today: Callable[[], date]
    ) -> None:
        self._account, self._site, self._now, self._today = account, site, now, today

    # Deliveries

    async def delivery(self, number: str) -> GoodsDelivery:
        """Return a shipment with what it holds; raises `NotFound`."""
        wanted = [["number", "ilike", escape_like(number)]]
        rows = await self._account.search(_SHIPMENT, wanted, (*_SHIPPED_FIELDS, *_SHIPPED_LINES), limit=_TWINS)
        row = pick_by_key(rows, number, number_of, source=self._site.source)
        return (await self._deliveries([row], with_lines=True))[0]

    async def deliveries(self, query: ListQuery) -> Slice[GoodsDelivery]:
        """Return shipments without what they hold, newest first.

        What left is ordered by one day and what is still there by another: of the first as much is read as may be
        shown, the second whole.
        """
        waiting, left = await asyncio.gather(self._waiting(query), self._left(query))
        rows = {row["id"]: row for row in (*waiting, *left[0])}
        plain = [self._delivery(row, None, with_lines=False) for row in rows.values()]
        shown = DELIVERIES.sort(plain, query.filter)[query.offset : query.offset + query.limit]
        items = await self._deliveries([rows[int(each.id)] for each in shown], with_lines=False)
        return Slice(items=tuple(items), total=len(waiting) + left[1])

    async def deliveries_of(self, order_number: str) -> tuple[GoodsDelivery, ...]:
        """Return the shipments of a sale; raises `NotFound`."""
        wanted = [["number", "ilike", escape_like(order_number)]]
        orders = await self._account.search("sale.sale", wanted, ("number", "shipments"), limit=_TWINS)
        order = pick_by_key(orders, order_number, number_of, source=self._site.source)
        rows = await self._account.search(
            _SHIPMENT, [["id", "in", order["shipments"]]], (*_SHIPPED_FIELDS, *_SHIPPED_LINES)
        )
        return by_day(await self._deliveries(rows, with_lines=True))

    async def deliveries_named(self, numbers: Sequence[str]) -> tuple[GoodsDelivery, ...]:
        """Return the shipments with these numbers, or with these ids in brackets, without what they hold."""
        by_id = [domain for number in numbers if (domain := unnumbered(number))]
        wanted: Domain = [["OR", [["number", "in", list(numbers)]], *by_id]]
        rows = await self._account.search(_SHIPMENT, wanted, _SHIPPED_FIELDS)
        return tuple(await self._deliveries(rows, with_lines=False))

    async def _waiting(self, query: ListQuery) -> list[Row]:
        domain: Domain = [["state", "not in", _LEFT], *_asked(query, "planned_date")]
        if query.filter is Filter.LATE:
            domain += [["state", "!=", "cancelled"], ["planned_date", "<", query.day(self._today())]]
        return await self._account.search(_SHIPMENT, domain, _SHIPPED_FIELDS)

    async def _left(self, query: ListQuery) -> tuple[list[Row], int]:
        if query.filter is Filter.LATE:
            return [], 0
        domain: Domain = [["state", "in", _LEFT], *_asked(query, "effective_date")]
        order = [["effective_date", "DESC NULLS LAST"], ["number", "ASC"], ["id", "ASC"]]
        rows = self._account.search(_SHIPMENT, domain, _SHIPPED_FIELDS, order=order, limit=query.offset + query.limit)
        whole = replace(query, offset=0, limit=query.offset + query.limit)
        return await read_page(whole, rows, lambda: self._account.count(_SHIPMENT, domain))

    async def _deliveries(self, rows: Sequence[Row], *, with_lines: bool) -> list[GoodsDelivery]:
        ids = [row["id"] for row in rows]
        orders: dict[int, Row] = {}
        if ids:
            of_orders = ("number", "quoted_by.rec_name", "shipments")
            for order in await self._search("sale.sale", [["shipments", "in", ids]], of_orders, [["id", "ASC"]]):
                orders |= dict.fromkeys(order["shipments"], order)
        return [self._delivery(row, orders.get(row["id"]), with_lines=with_lines) for row in rows]

    def _delivery(self, row: Row, order: Row | None, *, with_lines: bool) -> GoodsDelivery:
        status = _SHIPMENTS[row["state"]]
        moves = some(row, "outgoing_moves") if with_lines else ()
        return GoodsDelivery(
            number=number_of(row),
            order_number=number_of(order) if order else "",
            customer=at(row, "customer.name") or "",
            status=status,
            planned_on=row["planned_date"],
            shipped_on=row["effective_date"] if status is DeliveryStatus.SHIPPED else None,
            lines=tuple(
                DeliveryLine(
                    **goods_of(move),
                    quantity=quantity(move["quantity"], at(move, "unit.digits")),
                )
                for move in moves
                if move["state"] != "cancelled" or status is DeliveryStatus.CANCELLED
            ),
            salesperson=at(order, "quoted_by.rec_name") or "" if order else "",
            warehouse=at(row, "warehouse.name") or "",
            **self._site.origin(_SHIPMENT, row),
        )

    # Products

    async def details(self, row: Row, reorder_point: Decimal | None) -> ProductDetails:
        """Return the master data of a product."""
        supplies, components, uses = await asyncio.gather(self._supplies(row), self._components(row), self._uses(row))
        barcodes = [identifier["code"] for identifier in some(row, "identifiers")]
        return ProductDetails(
            product=documents.product(row),
            barcodes=tuple(barcodes[1:]),
            reorder_point=reorder_point,
            supplies=supplies,
            components=components,
            used_in=uses[:MOST_USES],
            used_in_total=len(uses),
            url=self._site.link("product.product", row),
            source=self._site.source,
        )

    async def _supplies(self, row: Row) -> tuple[Supply, ...]:
        of_product = ["OR", ["product", "=", row["id"]], [["product", "=", None], ["template", "=", row["template"]]]]
        found = await self._search(
            "purchase.product_supplier",
            [of_product],
            ("party.name", "code", "lead_time"),
            [["sequence", "ASC NULLS FIRST"], ["id", "ASC"]],
        )
        by_vendor: dict[str, Supply] = {}
        for each in found:
            name, delay = at(each, "party.name") or "", each["lead_time"]
            days = delay.days if isinstance(delay, timedelta) else None
            by_vendor.setdefault(name, Supply(vendor=name, code=each["code"] or "", lead_days=days))
        return tuple(by_vendor.values())

    async def _components(self, row: Row) -> tuple[ComponentUse, ...]:
        """Return what the first bill of materials of a product lists for one unit."""
        found = await self._search(
            "product.product-production.bom",
            [["product", "=", row["id"]], ["bom.active", "=", True]],
            (*(f"bom.inputs.{name}" for name in _PARTS), "bom.outputs.product", "bom.outputs.quantity"),
            [["sequence", "ASC NULLS FIRST"], ["id", "ASC"]],
            limit=1,
        )
        if not found or (bill := found[0]["bom."]) is None:
            return ()
        made = _made_of(bill, row["id"])
        return tuple(_use(part, part, made) for part in some(bill, "inputs")) if made else ()

    async def _uses(self, row: Row) -> tuple[ComponentUse, ...]:
        """Return what a product goes into, by the codes of the wholes."""
        found = await self._search(
            "production.bom.input",
            [["product", "=", row["id"]], ["bom.active", "=", True]],
            ("quantity", *(f"bom.outputs.{name}" for name in _PARTS)),
            [["id", "ASC"]],
        )
        uses = [
            _use(whole, part, Decimal(whole["quantity"]))
            for part in found
            if part["bom."] is not None
            for whole in some(part["bom."], "outputs")
            if whole["quantity"]
        ]
        return tuple(sorted(uses, key=lambda use: use.sku))

    async def _search(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        order: list[list[str]],
        limit: int = _MOST,
    ) -> list[Row]:
        """Return records of a model; none where its module is missing or the account may not read it."""
        try:
            return await self._account.search(model, domain, fields, order=order, limit=limit)
        except (NotPermitted, Unsupported):
            return []

    # Prices

    async def prices(self, row: Row, customer: str) -> Prices:
        """Return what a product costs; a cost of 0 was never entered."""
        currency, sales, purchases = await asyncio.gather(
            self._currency(),
            self._points("sale", row, containing(customer, ("sale.party.name",))),
            self._points("purchase", row, []),
        )
        return Prices(
            product=documents.product(row),
            customer=customer,
            list_price=price_of(row["list_price_used"], currency),
            standard_cost=price_of(row["cost_price"] or None, currency),
            sales=sales,
            purchases=purchases,
            source=self._site.source,
        )

    async def _currency(self) -> str | None:
        """Return the currency of the company that the account speaks for: products have none."""
        users = await self._account.search(
            "res.user", [["login", "=", self._account.user]], ("company.currency.code",), limit=1
        )
        return at(users[0], "company.currency.code") if users else None

    async def _points(self, kind: str, row: Row, which: Domain) -> tuple[PricePoint, ...]:
        """Return the prices of the last orders with a product; none where the module is missing."""
        day = f"{kind}.{kind}_date"
        names = ("number", "party.name", f"{kind}_date", "currency.code", "quoted_by.rec_name")
        try:
            lines = await self._account.search(
                f"{kind}.line",
                [["product", "=", row["id"]], ["type", "=", "line"], [f"{kind}.state", "in", _IN_FORCE], *which],
                (*_PRICED, *(f"{kind}.{name}" for name in names)),
                order=[[day, "DESC NULLS LAST"], [f"{kind}.number", "ASC"], ["id", "ASC"]],
                limit=LAST_PRICES,
            )
        except Unsupported:
            return ()
        return by_price_day(self._point(kind, line) for line in lines)

    def _point(self, kind: str, line: Row) -> PricePoint:
        order: Row = line[f"{kind}."]
        return PricePoint(
            kind=PriceKind.SALE if kind == "sale" else PriceKind.PURCHASE,
            day=order[f"{kind}_date"],
            document=number_of(order),
            partner=at(order, "party.name") or "",
            quantity=quantity(line["quantity"], at(line, "unit.digits")),
            unit=at(line, "unit.symbol") or "",
            price=price_of(line["unit_price"], at(order, "currency.code")),
            owner=at(order, "quoted_by.rec_name") or "",
            source=self._site.source,
        )

    # Arrivals

    async def arrivals(self, query: ArrivalQuery, row: Row | None) -> Slice[Arrival]:
        """Return goods on their way; of one product if there is a ``row``."""
        of_product: Domain = [["product", "=", row["id"]]] if row else [["product", "!=", None]]
        of_vendor = containing(query.vendor, ("purchase.party.name",))
        bought, made = await asyncio.gather(self._bought([*of_product, *of_vendor]), self._made(of_product, query))
        found = by_arrival(each for each in (*bought, *made) if query.wants(each))
        return Slice(items=found[query.offset : query.offset + query.limit], total=len(found))

    async def _bought(self, of_product: Domain) -> list[Arrival]:
        domain = [
            ["type", "=", "line"],
            ["purchase.state", "in", ["confirmed", "processing"]],
            ["purchase.shipment_state", "in", ["none", "waiting", "partially shipped", "exception"]],
            # Services are never on their way.
            ["product.template.type", "in", list(documents.GOODS_TYPES)],
            *of_product,
        ]
        try:
            lines = await self._account.search("purchase.line", domain, _OPEN_LINE, limit=_MOST)
        except Unsupported:
            return []  # purchasing is not installed
        return [self._arrival(line, owed) for line in lines if (owed := _still_open(line)) > 0]

    def _arrival(self, line: Row, owed: Decimal) -> Arrival:
        order: Row = line["purchase."]
        return Arrival(
            document=number_of(order),
            kind=ArrivalKind.PURCHASE,
            **goods_of(line),
            quantity=owed,
            due_on=_awaited_on(line),
            partner=at(order, "party.name") or "",
            warehouse=at(order, "warehouse.name") or "",
            owners=tuple(filter(None, (at(order, "quoted_by.rec_name"),))),
            source=self._site.source,
        )

    # Warehouses

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        """Return what is short among the products that have a reordering rule, are to leave, or are below zero.

        Tryton computes figures of several products for one place: three calls for each warehouse.
        """
        warehouses = await stock.read_warehouses(self._account)
        only = _called(_picked(warehouses, query.warehouse, self._site)) if query.warehouse else ""
        (points, leaving), below_zero = await asyncio.gather(
            asyncio.gather(
                stock.read_reorder_points(self._account), self._account.distinct("stock.move", _LEAVING, "product")
            ),
            asyncio.gather(*(stock.read_below_zero(self._account, place) for place in warehouses)),
        )
        ids = sorted({*points, *leaving}.union(*below_zero))
        rows = await self._account.search(
            "product.product", [["code", "!=", None], ["id", "in", ids]], documents.PRODUCT, order=_BY_CODE
        )
        levels = await self._levels(rows, warehouses, points)
        return part_of_shortages(levels, query, only)

    async def _levels(
        self, rows: Sequence[Row], warehouses: Sequence[Row], points: Mapping[int, Decimal]
    ) -> list[StockLevel]:
        moves, now = await stock.read_planned_moves(self._account, rows), self._now()
        columns = await asyncio.gather(
            *(stock.read_figures(self._account, place, rows, moves, today=self._today()) for place in warehouses)
        )
        return [
            StockLevel(
                product=documents.product(row),
                total=stock.total_of(places),
                per_warehouse=places,
                reorder_point=points.get(row["id"]),
                as_of=now,
                source=self._site.source,
            )
            for row, places in zip(rows, zip(*columns, strict=True), strict=True)
        ]

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        """Return the stock of a warehouse."""
        place = _picked(await stock.read_warehouses(self._account), query.warehouse, self._site)
        here = {"locations": [place["id"]]}
        domain = [
            ["code", "!=", None],
            ["quantity", "!=", 0],
            *containing(query.text, ("code", "template.name", "identifiers.code")),
        ]
        rows, total = await asyncio.gather(
            self._account.search(
                "product.product",
                domain,
                documents.PRODUCT,
                order=_BY_CODE,
                offset=query.offset,
                limit=query.limit,
                context=here,
            ),
            self._account.count("product.product", domain, context=here),
        )
        moves = await stock.read_planned_moves(self._account, rows)
        figures = await stock.read_figures(self._account, place, rows, moves, today=self._today())
        return WarehouseContents(
            code=_called(place),
            name=place["name"],
            items=tuple(
                WarehouseItem(product=documents.product(row), quantities=each.quantities, source=self._site.source)
                for row, each in zip(rows, figures, strict=True)
            ),
            total=total,
            source=self._site.source,
        )

    async def _made(self, of_product: Domain, query: ArrivalQuery) -> list[Arrival]:
        if query.vendor:
            return []
        domain = [["state", "in", ["assigned", "running"]], *of_product]
        try:
            rows = await self._account.search("production", domain, documents.PRODUCTION, limit=_MOST)
        except Unsupported:
            return []  # production is not installed
        return list(made_arrivals(documents.production(row, self._site) for row in rows))


def _asked(query: ListQuery, day: str) -> Domain:
    """Return the conditions for the shipments that a query asks for, whose day is ``day``."""
    domain: Domain = [*within(day, query.during), *within("planned_date", query.due)]
    if query.partner:
        domain.append(["customer.name", "ilike", escape_like(query.partner)])
    if query.text:
        pattern = f"%{escape_like(query.text)}%"
        of_order = ["moves.origin.sale.number", "ilike", pattern, "sale.line"]
        domain.append(["OR", ["number", "ilike", pattern], ["customer.name", "ilike", pattern], of_order])
    return domain


def _called(warehouse: Row) -> str:
    return str(warehouse["code"] or warehouse["name"])


def _picked(warehouses: Sequence[Row], wanted: str, site: TrytonSite) -> Row:
    return pick_warehouse(warehouses, wanted, lambda row: (_called(row), row["name"]), source=site.source)


def _still_open(line: Row) -> Decimal:
    return quantity(line["quantity"], at(line, "unit.digits")) - (documents.received(line) or 0)


def _awaited_on(line: Row) -> date | None:
    """Return when the rest of a line is planned to come; the line's own day is that of its first move, done or not."""
    planned: Iterable[date | None] = (
        move["planned_date"] for move in some(line, "moves") if move["state"] in ("draft", "assigned")
    )
    promised: date | None = at(line, "purchase.delivery_date")
    return min(filter(None, planned), default=promised)


def _made_of(bill: Row, product: int) -> Decimal:
    """Return how much of a product comes out of a bill of materials."""
    outputs: Iterable[Any] = (each["quantity"] for each in some(bill, "outputs") if each["product"] == product)
    return sum(map(Decimal, outputs), Decimal(0))


def _use(named: Row, part: Row, made: Decimal) -> ComponentUse:
    """Return a use of a part for one of what is made; ``named`` is the part itself, or the whole that it goes into."""
    return ComponentUse(
        **goods_of(named),
        quantity=Decimal(part["quantity"]) / made,
    )
