"""Stock of products, with as few calls for many of them, in any number of warehouses, as for one.

Quants tell the stock of each warehouse, and planned moves what is to come and go there. Only where both together do not
agree with the product's own figures is each warehouse asked, since the API computes figures for one at a time.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.erp.errors import NotPermitted, Unsupported
from bot.erp.expiring import ExpiringMapping
from bot.erp.goods.lists import is_warehouse, pick_warehouse
from bot.erp.model import Lot, Quantities, StockLevel, WarehouseStock, by_expiry
from bot.erp.odoo.client import OdooClient
from bot.erp.odoo.mapping import OdooSite, Row, day, name_of, number, reference
from bot.erp.odoo.products import FIGURES, product
from bot.erp.odoo.query import Condition
from bot.erp.values import text

_MOST = 5_000
"""Quants, planned moves or reordering rules of the products of one question: one per location, lot, package, owner."""
_WAREHOUSES_HOLD = timedelta(minutes=10)
_LOTS = "stock.lot"
"""From 16 on; before, lots are shown without their last day."""
_LAST_DAY = "expiration_date"
_QUANT = ("product_id", "warehouse_id", "lot_id", "quantity", "reserved_quantity")
_PLANNED = ["waiting", "confirmed", "assigned", "partially_available"]


@dataclass(slots=True)
class _Place:
    """What is known of a product in a warehouse."""

    quants: list[Row] = field(default_factory=list)
    incoming: Decimal = Decimal(0)
    outgoing: Decimal = Decimal(0)

    def quantities(self) -> Quantities:
        held = quants(self.quants)
        forecast = (held.on_hand or 0) + self.incoming - self.outgoing
        return replace(held, incoming=self.incoming, outgoing=self.outgoing, forecast=forecast)


@dataclass(slots=True)
class _Ledger:
    """Quants and planned moves, by product and warehouse."""

    places: dict[int, dict[int, _Place]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(_Place)))

    def warehouses(self) -> set[int]:
        """Return the ids of the warehouses that hold or await anything."""
        return {warehouse for places in self.places.values() for warehouse in places}

    def quants_in_lots(self) -> dict[int, Row]:
        """Return a quant of each lot that is in stock, by the lot's id."""
        rows = (row for places in self.places.values() for place in places.values() for row in place.quants)
        return {lot: row for row in rows if (lot := reference(row.get("lot_id")))}

    def lots(self, product: int, codes: Mapping[int, str], last_days: Mapping[int, date | None]) -> tuple[Lot, ...]:
        """Return what is in stock there of a product by lot, added up over the locations of a warehouse."""
        held: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
        names: dict[int, str] = {}
        for warehouse, place in self.places[product].items():
            for row in place.quants:
                if lot := reference(row.get("lot_id")):
                    held[warehouse, lot] += number(row.get("quantity")) or 0
                    names[lot] = name_of(row.get("lot_id"))
        return by_expiry(
            Lot(number=names[lot], quantity=quantity, expires_on=last_days.get(lot), warehouse=codes.get(warehouse, ""))
            for (warehouse, lot), quantity in held.items()
            if quantity
        )

    def add_quants(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if warehouse := reference(row.get("warehouse_id")):
                self.places[reference(row.get("product_id")) or 0][warehouse].quants.append(row)

    def add_moves(self, rows: Iterable[Row], warehouse_of: Mapping[int, int]) -> None:
        for row in rows:
            places, moved = self.places[reference(row.get("product_id")) or 0], number(row.get("product_qty")) or 0
            source, target = (
                warehouse_of.get(reference(row.get(name)) or 0) for name in ("location_id", "location_dest_id")
            )
            if source != target:
                if source is not None:
                    places[source].outgoing += moved
                if target is not None:
                    places[target].incoming += moved


class OdooStock:
    """Reads the stock of products whose own figures are known."""

    def __init__(
        self, client: OdooClient, site: OdooSite, of_company: Condition, *, now: Callable[[], datetime]
    ) -> None:
        self._client, self._site, self._of_company, self._now = client, site, of_company, now
        self._warehouses = ExpiringMapping(self._read_warehouses, now=now, holds=_WAREHOUSES_HOLD)
        self._warehouse_of: dict[int, int] = {}
        """Warehouse of each location, 0 for one outside of all."""

    async def warehouse(self, wanted: str) -> Row:
        """Return the warehouse that a person means; raises `NotFound` and `Ambiguous`."""
        known = await self._warehouses.value(fits=lambda rows: is_warehouse(rows.values(), wanted, _code_and_name))
        return pick_warehouse(known.values(), wanted, _code_and_name, source=self._site.source)

    async def levels(self, rows: Sequence[Row]) -> list[StockLevel]:
        """Return the stock of each product."""
        as_of = self._now()
        kept = [row for row in rows if is_stocked(row) and not is_kit(row)]
        rules, (places, lots) = await asyncio.gather(self._rules(kept), self._held(kept))
        return [
            replace(
                stock_level(row, places.get(row["id"], ()), rules.get(row["id"], ()), as_of=as_of, site=self._site),
                lots=lots.get(row["id"], ()),
            )
            for row in rows
        ]

    async def _rules(self, rows: Sequence[Row]) -> Mapping[int, list[Row]]:
        found = await self._rows("stock.warehouse.orderpoint", ("product_id", "product_min_qty"), rows)
        by_product: dict[int, list[Row]] = defaultdict(list)
        for rule in found:
            by_product[reference(rule.get("product_id")) or 0].append(rule)
        return by_product

    async def _held(
        self, rows: Sequence[Row]
    ) -> tuple[Mapping[int, Sequence[tuple[Row, Quantities]]], Mapping[int, tuple[Lot, ...]]]:
        """Return the stock of each product in each warehouse, and in which lots."""
        if not rows:
            return {}, {}
        ledger = await self._ledger(rows)
        known = await self._warehouses.of(ledger.warehouses() if ledger else ())
        warehouses = list(known.values())
        return await self._places(rows, warehouses, ledger), await self._lots(rows, warehouses, ledger)

    async def _lots(
        self, rows: Sequence[Row], warehouses: Sequence[Row], ledger: _Ledger | None
    ) -> Mapping[int, tuple[Lot, ...]]:
        if ledger is None:
            return {}
        last_days = await self._last_days(ledger.quants_in_lots())
        codes = {each["id"]: text(each.get("code")) for each in warehouses}
        return {row["id"]: ledger.lots(row["id"], codes, last_days) for row in rows}

    async def _last_days(self, lots: Mapping[int, Row]) -> Mapping[int, date | None]:
        """Return the last day of lots, which only the app for expiry dates knows; later releases copy it to quants."""
        if not lots:
            return {}
        try:
            rows = lots
            if _LAST_DAY not in await self._client.fields("stock.quant"):
                known = _LAST_DAY in await self._client.fields(_LOTS)
                rows = await self._client.read(_LOTS, lots, (_LAST_DAY,)) if known else {}
        except (NotPermitted, Unsupported):
            return {}
        return {lot: day(row.get(_LAST_DAY), self._site.zone) for lot, row in rows.items()}

    async def _places(
        self, rows: Sequence[Row], warehouses: Sequence[Row], ledger: _Ledger | None
    ) -> Mapping[int, Sequence[tuple[Row, Quantities]]]:
        found: dict[int, Sequence[tuple[Row, Quantities]]] = {}
        for row in rows:
            known = {} if ledger is None else {key: each.quantities() for key, each in ledger.places[row["id"]].items()}
            if ledger is not None and _adds_up(known.values(), figures(row)):
                held = [(each, known[each["id"]]) for each in warehouses if each["id"] in known]
            else:
                told = await asyncio.gather(*(self._figures(row, each) for each in warehouses))
                held = list(zip(warehouses, told, strict=True))
            found[row["id"]] = [(each, quantities) for each, quantities in held if not is_empty(quantities)]
        return found

    async def _ledger(self, rows: Sequence[Row]) -> _Ledger | None:
        """Return quants and planned moves, None where this release or the account's rights do not give them."""
        moving = [row for row in rows if (total := figures(row)).incoming or total.outgoing]
        try:
            known = await self._client.fields("stock.quant")
            if not {"product_id", "warehouse_id"} <= known:
                return None
            quants, moves = await asyncio.gather(
                self._rows(
                    "stock.quant",
                    (*_QUANT, *({_LAST_DAY} & known)),
                    rows,
                    [["location_id.usage", "=", "internal"]],
                ),
                self._rows(
                    "stock.move",
                    ("product_id", "product_qty", "location_id", "location_dest_id"),
                    moving,
                    [["state", "in", _PLANNED]],
                ),
            )
            await self._learn_locations(moves)
        except (NotPermitted, Unsupported):
            return None
        ledger = _Ledger()
        ledger.add_quants(quants)
        ledger.add_moves(moves, {place: owner for place, owner in self._warehouse_of.items() if owner})
        return ledger

    async def _learn_locations(self, moves: Iterable[Row]) -> None:
        ends = {reference(row.get(name)) or 0 for row in moves for name in ("location_id", "location_dest_id")}
        unknown = ends - {0} - self._warehouse_of.keys()
        if unknown:
            found = await self._client.read("stock.location", unknown, ("warehouse_id",))
            self._warehouse_of |= {key: reference(found.get(key, {}).get("warehouse_id")) or 0 for key in unknown}

    async def _rows(
        self, model: str, fields: Sequence[str], products: Sequence[Row], more: Condition | None = None
    ) -> list[Row]:
        if not products:
            return []
        ids = sorted({row["id"] for row in products})
        domain = [["product_id", "in", ids], *(more or []), *self._of_company]
        return await self._client.rows(model, domain, fields, order="id asc", limit=_MOST, page=_MOST)

    async def _read_warehouses(self) -> Mapping[int, Row]:
        rows = await self._client.rows("stock.warehouse", self._of_company, ("code", "name"), order="id asc", limit=500)
        return {row["id"]: row for row in rows}

    async def _figures(self, item: Row, warehouse: Row) -> Quantities:
        # The context key was renamed in 18.
        context: Mapping[str, Any] = {"warehouse_id": warehouse["id"], "warehouse": warehouse["id"]}
        found = await self._client.read("product.product", [item["id"]], FIGURES, context=context)
        return figures(found.get(item["id"], {}))


def _code_and_name(warehouse: Row) -> tuple[str, str]:
    return text(warehouse.get("code")), text(warehouse.get("name"))


def _adds_up(places: Iterable[Quantities], total: Quantities) -> bool:
    """Return whether warehouses agree with the product; what moves between two of them is no change of the whole."""
    parts = list(places)
    on_hand, reserved, incoming, outgoing = (
        sum((getattr(part, name) or Decimal(0) for part in parts), Decimal(0))
        for name in ("on_hand", "reserved", "incoming", "outgoing")
    )
    between = incoming - (total.incoming or 0)
    same = (on_hand, reserved) == (total.on_hand, total.reserved)
    return same and between >= 0 and between == outgoing - (total.outgoing or 0)


def figures(row: Row) -> Quantities:
    """Return a product's figures; ``free_qty`` is what is on hand and not reserved.

    Of a kit, Odoo computes each from the component that is scarcest in it: only how many could be made now is of use.
    """
    on_hand, free = number(row.get("qty_available")), number(row.get("free_qty"))
    if is_kit(row):
        return Quantities(on_hand=None, available=free)
    return Quantities(
        on_hand=on_hand,
        reserved=None if on_hand is None or free is None else on_hand - free,
        available=free,
        incoming=number(row.get("incoming_qty")),
        outgoing=number(row.get("outgoing_qty")),
        forecast=number(row.get("virtual_available")),
    )


def is_stocked(row: Row) -> bool:
    """Return whether stock of a product is kept: not of services, nor of goods that nobody counts."""
    storable = row.get("is_storable")  # from 18 on
    if isinstance(storable, bool):
        return storable
    return bool(row.get("type", "product") == "product")


def is_kit(row: Row) -> bool:
    """Return whether a phantom bill of materials makes it: it is sold as one, and lies nowhere."""
    return row.get("is_kits") is True


def quants(rows: Iterable[Row]) -> Quantities:
    """Return the figures of a place without planned moves from its quants, one per lot and location."""
    on_hand = reserved = Decimal(0)
    for row in rows:
        on_hand += number(row.get("quantity")) or 0
        reserved += number(row.get("reserved_quantity")) or 0
    return Quantities(
        on_hand=on_hand,
        reserved=reserved,
        available=on_hand - reserved,
        incoming=Decimal(0),
        outgoing=Decimal(0),
        forecast=on_hand,
    )


def is_empty(quantities: Quantities) -> bool:
    """Whether nothing is there, expected or owed."""
    return not any((quantities.on_hand, quantities.reserved, quantities.incoming, quantities.outgoing))


def stock_level(
    row: Row,
    places: Iterable[tuple[Row, Quantities]],
    rules: Iterable[Row],
    *,
    as_of: datetime,
    site: OdooSite,
    company: str = "",
) -> StockLevel:
    """Return a product's stock; the reorder point is the sum of its rules in all warehouses."""
    stocked = is_stocked(row)
    minimum = [found for rule in rules if (found := number(rule.get("product_min_qty"))) is not None]
    return StockLevel(
        product=product(row),
        total=figures(row) if stocked else Quantities(on_hand=None),
        per_warehouse=tuple(
            WarehouseStock(code=text(warehouse.get("code")), name=text(warehouse.get("name")), quantities=quantities)
            for warehouse, quantities in places
            if stocked
        ),
        reorder_point=sum(minimum, Decimal(0)) if minimum else None,
        as_of=as_of,
        company=company,
        source=site.source,
        is_stocked=stocked,
        is_kit=is_kit(row),
    )
