"""Production orders (docs: platform/erp/odoo.md#areas)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bot.erp.errors import NotPermitted, Unsupported
from bot.erp.model import ProductionOrder, ProductionStatus
from bot.erp.odoo.mapping import OdooSite, Row, day, goods_of, number, number_of, state_of
from bot.erp.odoo.query import Condition
from bot.erp.odoo.reads import PRODUCTS, OdooPlan, OdooReads
from bot.erp.plans.plan import NamedRows
from bot.erp.port import Filter
from bot.erp.values import text

_PRODUCTIONS = {"draft", "confirmed", "progress", "to_close", "done", "cancel"}


def production_order(row: Row, site: OdooSite) -> ProductionOrder:
    ready = row.get("components_availability_state")
    return ProductionOrder(
        number=number_of(row),
        # Its own name is its number.
        **goods_of({**row, "name": ""}),
        planned=number(row.get("product_qty")) or Decimal(0),
        produced=number(row.get("qty_produced")),
        status=_production_status(row),
        start_on=day(start_of(row), site.zone),
        due_on=day(row.get("date_deadline"), site.zone),
        # From 17 on it is the planned end until then.
        finished_on=day(row.get("date_finished"), site.zone) if row.get("state") == "done" else None,
        material_ready=ready == "available" if ready else None,
        sales_order=", ".join(origin for origin in origins_of(row) if origin in row.get("sales_orders", ())),
        extra=state_of(row, _PRODUCTIONS),
        **site.origin("mrp.production", row),
    )


def origins_of(row: Row) -> list[str]:
    """Return the documents that a production order names as its origin."""
    return [part.strip() for part in text(row.get("origin")).split(",") if part.strip()]


async def sales_orders_among_origins(reads: OdooReads, rows: list[Row], whole: bool) -> None:
    """Join the numbers of the sales orders among the origins of all rows: the field also names other documents."""
    origins = sorted({origin for row in rows for origin in origins_of(row)})
    if not origins:
        return
    domain = [["name", "in", origins], *reads.of_company()]
    try:
        found = await reads.client.rows("sale.order", domain, ("name",), order="id asc", limit=len(origins))
    except (NotPermitted, Unsupported):
        return
    for row in rows:
        row["sales_orders"] = frozenset(text(order.get("name")) for order in found)


def start_of(row: Row) -> Any:
    """Return the planned start; up to 16, ``date_start`` was the actual start."""
    return row["date_planned_start"] if "date_planned_start" in row else row.get("date_start")


def _production_status(row: Row) -> ProductionStatus:
    match row.get("state"):
        case "confirmed" if row.get("reservation_state") == "assigned":
            return ProductionStatus.RELEASED
        case "progress" | "to_close":
            return ProductionStatus.RUNNING
        case "done":
            return ProductionStatus.DONE
        case "cancel":
            return ProductionStatus.CANCELLED
        case _:
            return ProductionStatus.PLANNED


_UNFINISHED: Condition = [["state", "not in", ["done", "cancel"]]]
PRODUCTION_ORDERS = OdooPlan(
    model="mrp.production",
    fields=(
        "name", "state", "product_id", "product_qty", "qty_produced", "product_uom_id", "date_planned_start",
        "date_start", "date_deadline", "date_finished", "origin", "reservation_state",
        "components_availability_state", "write_date",
    ),
    days=("date_planned_start", "date_start"),
    due="date_deadline",
    texts=("name", "product_id.default_code", "product_id.name"),
    partners=(),
    lists={
        Filter.OPEN: NamedRows("date_deadline", lambda _: _UNFINISHED),
        Filter.LATE: NamedRows(
            "date_deadline", lambda terms: [*_UNFINISHED, ["date_deadline", "<", terms.start.moment]]
        ),
        Filter.DONE: NamedRows("date_finished", lambda _: [["state", "=", "done"]]),
    },
    joins=(PRODUCTS, sales_orders_among_origins),
    build=production_order,
)  # fmt: skip
