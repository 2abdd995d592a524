"""Odoo's automation rules with the action “send webhook”: ``_model``, ``_id`` and the chosen fields.

Relations come as bare ids, so customers and suppliers have no names here; times are in UTC, and False means empty.

Docs: platform/erp/odoo.md#webhooks
"""

from __future__ import annotations

from datetime import UTC

from bot.alerts.intake.port import UnreadableEvent
from bot.alerts.intake.vendors.translation import (
    CloudEvents,
    Document,
    EventDescription,
    TranslationContext,
    cloud_event,
    day,
    is_late,
    money,
    number,
    stock_type,
    text,
)


def translate(body: object, context: TranslationContext) -> CloudEvents:
    """Return the event of one record."""
    if not isinstance(body, dict):
        return [UnreadableEvent(body, "not a JSON object")]
    described = _described(body, context)
    if isinstance(described, str):
        return [UnreadableEvent(body, described)]
    event_type, subject, data = described
    if not subject:
        return [UnreadableEvent(body, "the chosen fields lack the record's name or number")]
    changed = context.moment(body.get("write_date"), UTC)
    state = text(body.get("write_date")) or {name: value for name, value in body.items() if name != "_action"}
    return [cloud_event("odoo", event_type, subject, data, state=state, at=changed)]


def _described(record: Document, context: TranslationContext) -> EventDescription | str:
    """Return type, subject and data, or why the record is no event."""
    match text(record.get("_model")):
        case "sale.order":
            return _sale(record, context)
        case "account.move":
            return _invoice(record, context)
        case "purchase.order":
            return _purchase(record, context)
        case "mrp.production":
            return _production(record, context)
        case "stock.warehouse.orderpoint":
            return _orderpoint(record)
        case "":
            return "the body names no _model"
        case _:
            return "records of this model are no events here"


def _sale(record: Document, context: TranslationContext) -> EventDescription | str:
    if text(record.get("state")) not in {"sale", "done"}:
        return "a quotation or a cancelled order is no event"
    due_on = day(record.get("commitment_date"))
    data = {
        **money(record.get("amount_total"), context.currency),
        "due_on": due_on,
        "status": text(record.get("state")),
    }
    owed = text(record.get("delivery_status")) in {"pending", "started", "partial"}
    kind = "order.late" if owed and is_late(due_on, context) else "order.changed"
    return kind, text(record.get("name")), data


def _invoice(record: Document, context: TranslationContext) -> EventDescription | str:
    if text(record.get("move_type")) not in {"", "out_invoice"}:
        return "only customers' invoices are events"
    due_on, state = day(record.get("invoice_date_due")), text(record.get("payment_state"))
    if state in {"paid", "in_payment"}:
        return "invoice.paid", text(record.get("name")), money(record.get("amount_total"), context.currency)
    if state in {"not_paid", "partial"} and is_late(due_on, context):
        owed = money(record.get("amount_residual"), context.currency)
        return "invoice.overdue", text(record.get("name")), {**owed, "due_on": due_on}
    return "an invoice that is neither paid nor overdue is no event"


def _purchase(record: Document, context: TranslationContext) -> EventDescription | str:
    data = {**money(record.get("amount_total"), context.currency), "due_on": day(record.get("date_planned"))}
    match text(record.get("state")):
        case "to approve":
            return "po.submitted", text(record.get("name")), {**data, "version": text(record.get("write_date"))}
        case "purchase" | "done":
            return "po.decided", text(record.get("name")), {**data, "decision": "approved"}
        case "cancel":
            # Odoo has no state for a refusal.
            return "po.decided", text(record.get("name")), {**data, "decision": "withdrawn"}
        case _:
            return "a request for quotation is no event"


def _production(record: Document, context: TranslationContext) -> EventDescription | str:
    due_on, state = day(record.get("date_deadline")), text(record.get("state"))
    data = {
        "quantity": number(record.get("product_qty")),
        "produced": number(record.get("qty_produced")),
        "due_on": due_on,
    }
    if state == "done":
        return "production.done", text(record.get("name")), data
    if state in {"confirmed", "progress", "to_close"} and is_late(due_on, context):
        return "production.late", text(record.get("name")), data
    return "a manufacturing order that is neither done nor late is no event"


def _orderpoint(record: Document) -> EventDescription | str:
    """Read a reordering rule; its product's code is present only if a field of the rule exposes it (see the how-to)."""
    on_hand, reorder_point = number(record.get("qty_on_hand")), number(record.get("product_min_qty"))
    if on_hand is None or reorder_point is None:
        return "a reordering rule needs the fields qty_on_hand and product_min_qty"
    data = {"on_hand": str(on_hand), "reorder_point": str(reorder_point)}
    return stock_type(on_hand), text(record.get("x_product_code")), data
