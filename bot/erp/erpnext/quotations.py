"""Quotations, which become orders line by line (docs: platform/erp/erpnext.md#areas)."""

from __future__ import annotations

from bot.erp.erpnext.client import Condition, ListRequest, Row
from bot.erp.erpnext.documents import docstatus, extra_of, joined, order_line
from bot.erp.erpnext.mapping import Site, money
from bot.erp.erpnext.reads import ErpNextReads
from bot.erp.kinds.quotations import Quotation, QuotationStatus

_UNANSWERED = ("Draft", "Open", "Replied", "Expired")
UNANSWERED: list[Condition] = [("docstatus", "<", 2), ("status", "in", list(_UNANSWERED))]
"""“Expired” is set by a job once a day; the day tells it sooner (`Quotation.days_late`)."""
_DRAFT, _LOST = {"Draft": QuotationStatus.DRAFT}, {"Lost": QuotationStatus.LOST}
_STATES = {**dict.fromkeys(_UNANSWERED, QuotationStatus.SENT), **_DRAFT, **_LOST}


async def orders(reads: ErpNextReads, rows: list[Row], whole: bool) -> None:
    """Join the orders whose lines were made of a quotation's, whatever became of them."""
    made_of = [("prevdoc_docname", "in", [row["name"] for row in rows])]
    wanted = ListRequest("Sales Order Item", ("parent", "prevdoc_docname"), made_of, parent="Sales Order")
    found = await reads.frappe.rows(wanted) if rows else []
    for row in rows:
        row["orders"] = joined(line["parent"] for line in found if line["prevdoc_docname"] == row["name"])


def quotation(row: Row, site: Site) -> Quotation:
    """Return a quotation to a customer, a lead or a prospect."""
    cancelled, currency = docstatus(row) == 2, row.get("currency")
    state = _STATES.get(row.get("status") or "", QuotationStatus.ACCEPTED)
    return Quotation(
        number=row["name"],
        customer=str(row.get("customer_name") or row.get("party_name") or ""),
        status=QuotationStatus.CANCELLED if cancelled else state,
        quoted_on=site.day(row.get("transaction_date")),
        valid_until=site.day(row.get("valid_till")),
        total=money(row.get("grand_total"), currency),
        lines=tuple(order_line(line, site, currency) for line in row.get("items") or ()),
        order_number=str(row.get("orders") or ""),
        extra=extra_of(row, "status", "company"),
        **site.origin("Quotation", row),
    )
