"""What sales and purchase orders have in common: lines, progress, and when something is owed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.erp.model import Progress
from bot.erp.odoo.mapping import Row, goods_of, in_force, lines_of, money, number, references, with_taxes
from bot.erp.odoo.query import Condition, OdooTerms
from bot.erp.odoo.reads import PRODUCTS, Linked, OdooReads
from bot.erp.record_parts import LineParts

Rows = Callable[[OdooTerms], Condition]

KEPT = "kept_by_quantity"
"""What is added to an order whose transfers have all ended, in the words of its ``receipt_status``: they may have
brought less, or what they brought went back."""
_DELIVERED = {"pending": Progress.NONE, "started": Progress.NONE, "partial": Progress.PARTIAL, "full": Progress.FULL}


def overdue(due: str, status: str) -> Rows:
    """Return the condition that something was due before today and is still owed."""
    owed = still_owed(status)
    return lambda terms: [[due, "<", terms.start.moment], *owed(terms)]


def still_owed(status: str) -> Rows:
    """Return the condition that something is still owed: by ``status`` or, before 16, by open transfers."""
    billed = {"delivery_status": ["invoiced", "upselling"], "receipt_status": ["invoiced"]}[status]
    states = {"delivery_status": ["sale", "done"], "receipt_status": ["purchase", "done"]}[status]

    def owed(terms: OdooTerms) -> Condition:
        available = terms.available
        unlocked = ["locked", "=", False] if "locked" in available else ["state", "!=", "done"]
        service = ["&", unlocked, ["invoice_status", "not in", billed]]
        found = [["state", "in", states]]
        if status == "receipt_status" and status in available:
            # Of services alone there is no such status, and nothing is to come.
            return [*found, [status, "!=", "full"], [status, "!=", False]]
        if status == "receipt_status" and "picking_ids" in available:
            return [*found, ["picking_ids.state", "not in", ["done", "cancel"]]]
        if status in available:
            # Services have no such status: they are owed until they are billed or the order is locked.
            return [*found, [status, "!=", "full"], "|", [status, "!=", False], *service]
        if "picking_ids" in available:
            return [*found, "|", ["picking_ids.state", "not in", ["done", "cancel"]], "&", ["picking_ids", "=", False],
                    *service]  # fmt: skip
        return [*found, *service]

    return owed


def order_lines(model: str, *fields: str) -> Linked:
    """Return the join with an order's lines and their products."""
    common = ("product_id", "name", "display_type", "price_unit", "price_total", "product_uom_id", "product_uom")
    return Linked(
        into="lines", by=("order_line",), model=model, fields=(*common, *fields), with_lines=True, joins=(PRODUCTS,)
    )


def line_parts(line: Row, currency: Any, quantity: str) -> LineParts:
    """Return what lines of both kinds say; ``quantity`` is the field with what was ordered."""
    return {
        **goods_of(line),
        "quantity": number(line.get(quantity)) or Decimal(0),
        "price": money(line.get("price_unit"), currency),
        "amount": money(with_taxes(line), currency),
        "taxed": "price_total" in line,
    }


@dataclass(frozen=True, slots=True)
class OrderProgress:
    """Joins the progress that 14, 15 and databases without stock do not report, computed from the lines.

    Of purchases whose transfers have all ended, what was kept of what was ordered is computed.
    """

    model: str
    status: str
    ordered: str
    done: str

    async def __call__(self, reads: OdooReads, rows: list[Row], whole: bool) -> None:
        known = await reads.client.fields(self.model)
        told, bought = self.status in known, self.model == "purchase.order"
        orders = [row for row in rows if in_force(row)]
        if told:
            orders = [row for row in orders if bought and row.get(self.status) == "full"]
        fields = ("display_type", self.ordered, self.done, *(["qty_received_method"] if bought else []))
        ids = [line for row in orders for line in references(row.get("order_line"))]
        lines = await reads.client.read(f"{self.model}.line", ids, fields) if ids else {}
        by_moves = bought and "picking_ids" in known
        for row in orders:
            own = lines_of({"lines": {key: lines[key] for key in references(row.get("order_line")) if key in lines}})
            # Of services nothing is moved: somebody enters what was received.
            goods = [line for line in own if line.get("qty_received_method") != "manual"] if by_moves else own
            found = _delivered([(line.get(self.done), line.get(self.ordered)) for line in goods])
            row[KEPT if told else self.status] = found if goods or not by_moves else False


def progress(row: Row, status: str) -> Progress | None:
    """Return the delivery or receipt progress, None for services; orders that are not confirmed have none yet."""
    return _DELIVERED.get(row.get(status) or "") if in_force(row) else Progress.NONE


def _delivered(lines: Iterable[tuple[Any, Any]]) -> str:
    """Return a key of `_DELIVERED` for pairs of done and ordered quantities."""
    pairs = [(number(done) or 0, number(ordered) or 0) for done, ordered in lines]
    if pairs and all(done >= ordered for done, ordered in pairs):
        return "full"
    return "partial" if any(done > 0 for done, _ in pairs) else "pending"
