"""Quotations: sales orders before they are confirmed, and what became of them (docs: platform/erp/odoo.md#areas).

A confirmed one is the order: both are one record with one number. Why one was cancelled, Odoo does not tell.
"""

from __future__ import annotations

from bot.erp.kinds.quotations import Quotation, QuotationStatus
from bot.erp.model import OrderLine
from bot.erp.odoo.mapping import OdooSite, Row, day, lines_of, money, name_of, number_of
from bot.erp.odoo.orders import line_parts, order_lines
from bot.erp.odoo.query import Condition
from bot.erp.odoo.reads import OdooPlan
from bot.erp.plans.plan import NamedRows
from bot.erp.port import Filter

_STATES = {"draft": QuotationStatus.DRAFT, "sent": QuotationStatus.SENT, "cancel": QuotationStatus.CANCELLED}
_OPEN: Condition = [["state", "in", ["draft", "sent"]]]


def quotation(row: Row, site: OdooSite) -> Quotation:
    """Return a quotation; its order, where there is one, has its number."""
    status, currency = _STATES.get(row.get("state") or "", QuotationStatus.ACCEPTED), row.get("currency_id")
    return Quotation(
        number=number_of(row),
        customer=name_of(row.get("partner_id")),
        status=status,
        quoted_on=day(row.get("date_order"), site.zone),
        valid_until=day(row.get("validity_date"), site.zone),
        total=money(row.get("amount_total"), currency),
        lines=tuple(OrderLine(**line_parts(line, currency, "product_uom_qty")) for line in lines_of(row)),
        salesperson=name_of(row.get("user_id")),
        order_number=number_of(row) if status is QuotationStatus.ACCEPTED else "",
        **site.origin("sale.order", row),
    )


QUOTATIONS = OdooPlan(
    model="sale.order",
    fields=(
        "name", "state", "partner_id", "amount_total", "currency_id", "date_order", "validity_date", "user_id",
        "order_line", "write_date",
    ),
    days=("date_order",),
    due="validity_date",
    texts=("name", "partner_id.name", "partner_id.parent_id.name"),
    product="order_line.product_id.default_code",
    lists={
        Filter.OPEN: NamedRows("validity_date", lambda _: _OPEN),
        Filter.LATE: NamedRows("validity_date", lambda terms: [*_OPEN, ["validity_date", "<", terms.start.day]]),
    },
    joins=(order_lines("sale.order.line", "product_uom_qty"),),
    build=quotation,
)  # fmt: skip
