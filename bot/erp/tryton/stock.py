"""Stock of a product in every warehouse: three quantities that Tryton computes, and three from its moves.

``quantity`` is today's stock, ``forecast_quantity`` adds all planned moves, and with an end date only those planned
until then (docs: platform/erp/tryton.md#areas). With the product in the context, one request returns all locations.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal

from bot.erp.errors import Unsupported
from bot.erp.model import Quantities, WarehouseStock
from bot.erp.tryton.client import Account, Domain, Row, at
from bot.erp.tryton.documents import quantity
from bot.erp.values import amount_of

_FIGURES = tuple(figure.name for figure in fields(Quantities))
_WAREHOUSES = [["type", "=", "warehouse"]]
_BY_CODE = [["code", "ASC"], ["id", "ASC"]]
_NOTHING: Row = {"quantity": None, "forecast_quantity": None}
_MOVE = ("internal_quantity", "state", "from_location.left", "to_location.left")


async def read_places(
    account: Account, product_id: int, digits: int | None, *, today: date
) -> Mapping[int, WarehouseStock]:
    """Return the figures of every warehouse by its id, including zeros: Tryton reports zero, not a missing value."""
    context = {"product": product_id}
    planned = [["product", "=", product_id], ["state", "in", ["draft", "assigned"]]]
    warehouses, by_now, moves = await asyncio.gather(
        account.search(
            "stock.location",
            _WAREHOUSES,
            ["code", "name", "left", "right", "quantity", "forecast_quantity"],
            order=_BY_CODE,
            context=context,
        ),
        account.search(
            "stock.location", _WAREHOUSES, ["forecast_quantity"], context=context | {"stock_date_end": today}
        ),
        account.search("stock.move", planned, _MOVE),
    )
    available = {row["id"]: row["forecast_quantity"] for row in by_now}
    return {row["id"]: _place(row, available.get(row["id"]), moves, digits) for row in warehouses}


def _place(warehouse: Row, available: Decimal | int | None, moves: Sequence[Row], digits: int | None) -> WarehouseStock:
    incoming, outgoing, reserved = [], [], []
    for move in moves:
        leaves, arrives = (_lies_in(warehouse, at(move, f"{end}_location.left")) for end in ("from", "to"))
        amount = Decimal(move["internal_quantity"])
        if leaves and move["state"] == "assigned":
            reserved.append(amount)
        if arrives and not leaves:
            incoming.append(amount)
        if leaves and not arrives:
            outgoing.append(amount)
    return WarehouseStock(
        code=warehouse["code"] or warehouse["name"],
        name=warehouse["name"],
        quantities=Quantities(
            on_hand=_figure(warehouse["quantity"], digits),
            reserved=quantity(sum(reserved), digits),
            available=_figure(available, digits),
            incoming=quantity(sum(incoming), digits),
            outgoing=quantity(sum(outgoing), digits),
            forecast=_figure(warehouse["forecast_quantity"], digits),
        ),
    )


def _lies_in(warehouse: Row, left: int | None) -> bool:
    """Return whether a location is inside a warehouse: a child's bounds lie between its parent's."""
    return left is not None and bool(warehouse["left"] <= left <= warehouse["right"])


def _figure(value: Decimal | int | None, digits: int | None) -> Decimal | None:
    return None if value is None else quantity(value, digits)


def total_of(places: Sequence[WarehouseStock]) -> Quantities:
    """Return the sum over all warehouses; a figure that one warehouse lacks is unknown in total."""
    if not places:
        return Quantities(on_hand=None)
    figures = [place.quantities for place in places]
    return Quantities(**{name: amount_of(getattr(figure, name) for figure in figures) for name in _FIGURES})


async def read_warehouses(account: Account) -> list[Row]:
    """Return all warehouses by their codes."""
    return await account.search("stock.location", _WAREHOUSES, ("code", "name", "left", "right"), order=_BY_CODE)


async def read_figures(
    account: Account, warehouse: Row, products: Sequence[Row], moves: Sequence[Row], *, today: date
) -> list[WarehouseStock]:
    """Return what several products have in a warehouse; ``moves`` are their planned moves, with their products."""
    ids, here = [["id", "in", [row["id"] for row in products]]], {"locations": [warehouse["id"]]}
    now, by_now = await asyncio.gather(
        account.search("product.product", ids, ("quantity", "forecast_quantity"), context=here),
        account.search("product.product", ids, ("forecast_quantity",), context=here | {"stock_date_end": today}),
    )
    figures = {row["id"]: row for row in now}
    available = {row["id"]: row["forecast_quantity"] for row in by_now}
    of_product: dict[int, list[Row]] = {}
    for move in moves:
        of_product.setdefault(move["product"], []).append(move)
    return [
        _place(
            {**warehouse, **figures.get(row["id"], _NOTHING)},
            available.get(row["id"]),
            of_product.get(row["id"], ()),
            at(row, "default_uom.digits"),
        )
        for row in products
    ]


async def read_below_zero(account: Account, warehouse: Row) -> set[int]:
    """Return the ids of the products with negative stock in a warehouse."""
    below: Domain = [["quantity", "<", 0]]
    rows = await account.search("product.product", below, ("code",), context={"locations": [warehouse["id"]]})
    return {row["id"] for row in rows}


async def read_planned_moves(account: Account, products: Sequence[Row]) -> list[Row]:
    """Return the planned moves of several products."""
    planned = [["product", "in", [row["id"] for row in products]], ["state", "in", ["draft", "assigned"]]]
    return await account.search("stock.move", planned, (*_MOVE, "product"))


async def read_reorder_points(account: Account) -> dict[int, Decimal]:
    """Return the sums of the minima at which products are bought or made, by product; none without such rules."""
    domain = [["type", "in", ["purchase", "production"]], ["min_quantity", "!=", None]]
    try:
        points = await account.search("stock.order_point", domain, ("product", "min_quantity"))
    except Unsupported:
        return {}
    found: dict[int, Decimal] = {}
    for point in points:
        found[point["product"]] = found.get(point["product"], Decimal(0)) + Decimal(point["min_quantity"])
    return found


async def read_reorder_point(account: Account, product_id: int, digits: int | None) -> Decimal | None:
    """Return the sum of the minima at which a product is bought or made; None without such a rule."""
    domain = [["product", "=", product_id], ["type", "in", ["purchase", "production"]], ["min_quantity", "!=", None]]
    try:
        points = await account.search("stock.order_point", domain, ["min_quantity"])
    except Unsupported:
        # Rules for purchase and production belong to a separate module.
        return None
    return quantity(sum(Decimal(point["min_quantity"]) for point in points), digits) if points else None
