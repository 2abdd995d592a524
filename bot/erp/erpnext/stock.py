"""Stock of an item: one Bin per warehouse, and its reorder levels (docs: platform/erp/erpnext.md#areas)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from bot.erp.erpnext import query
from bot.erp.erpnext.client import ErpNextClient, Row
from bot.erp.erpnext.documents import product
from bot.erp.erpnext.mapping import Site, number
from bot.erp.model import Quantities, StockLevel, WarehouseStock
from bot.erp.values import amount_of

_RESERVED = ("reserved_qty", "reserved_qty_for_production", "reserved_qty_for_sub_contract")
_INCOMING = ("ordered_qty", "planned_qty")
_FIGURES = ("on_hand", "reserved", "available", "incoming", "forecast")


async def read_places(frappe: ErpNextClient, item: Row, company: str) -> tuple[Row, Sequence[Row], Mapping[str, Row]]:
    """Return the item, its Bins and their Warehouses by name; ``company`` limits them to that company."""
    bins = await frappe.rows(query.bins(item["name"]))
    levels = item.get("reorder_levels") or []
    names = sorted({str(row["warehouse"]) for row in (*bins, *levels) if row.get("warehouse")})
    rows = await frappe.rows(query.warehouses(names, company)) if names else []
    places = {str(row["name"]): row for row in rows}
    if not company:
        return item, bins, places
    return item | {"reorder_levels": _only(levels, places)}, _only(bins, places), places


def _only(rows: Iterable[Row], places: Mapping[str, Row]) -> list[Row]:
    """Return the rows whose warehouse is one of ``places``."""
    return [row for row in rows if row.get("warehouse") in places]


def stock_level(item: Row, site: Site, bins: Iterable[Row], places: Mapping[str, Row], at: datetime) -> StockLevel:
    """Return an Item's stock from one Bin per warehouse; ``places`` are the Warehouses by name."""
    per_warehouse = tuple(
        WarehouseStock(
            code=row["warehouse"],
            name=str(places.get(row["warehouse"], {}).get("warehouse_name") or row["warehouse"]),
            quantities=quantities(row),
        )
        for row in bins
    )
    companies = {str(place["company"]) for place in places.values() if place.get("company")}
    # Services and variant templates have no stock, which differs from a stock of zero.
    stocked = item.get("is_stock_item", 1) == 1 and not item.get("has_variants")
    return StockLevel(
        product=product(item, site),
        total=_total([place.quantities for place in per_warehouse]) if stocked else Quantities(on_hand=None),
        per_warehouse=per_warehouse,
        reorder_point=_reorder_point(item.get("reorder_levels") or ()),
        as_of=at,
        company=companies.pop() if len(companies) == 1 else "",
        source=site.source,
        is_stocked=stocked,
    )


def quantities(row: Row) -> Quantities:
    """Return the figures of a Bin."""
    on_hand, reserved = number(row.get("actual_qty")), _sum(row, _RESERVED)
    return Quantities(
        on_hand=on_hand,
        reserved=reserved,
        available=None if on_hand is None or reserved is None else on_hand - reserved,
        incoming=_sum(row, _INCOMING),
        forecast=number(row.get("projected_qty")),
    )


def _sum(row: Row, names: Sequence[str]) -> Decimal | None:
    """Return the sum of those fields that this version has."""
    known = [figure for figure in (number(row.get(name)) for name in names) if figure is not None]
    return sum(known, Decimal(0)) if known else None


def _total(places: Sequence[Quantities]) -> Quantities:
    """Return the sum over all warehouses; an Item that never moved has no Bin and a stock of zero."""
    return Quantities(**{name: amount_of(getattr(place, name) for place in places) for name in _FIGURES})


def _reorder_point(levels: Sequence[Row]) -> Decimal | None:
    """Return the sum of all warehouses' reorder levels, None if no level is set."""
    known = [
        figure for figure in (number(level.get("warehouse_reorder_level")) for level in levels) if figure is not None
    ]
    return sum(known, Decimal(0)) if known else None
