"""ERPNext's webhooks: ``{"event": "on_submit", "doc": {…}}``, or the document alone.

ERPNext lets its administrator write the body; docs/how-to/send-events.md has one to copy. Without ``event`` a submitted
order counts as changed: the document itself does not tell whether it is new.

Docs: platform/erp/erpnext.md#webhooks
"""

from __future__ import annotations

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

_FIRST = {"on_submit", "after_insert"}


def translate(body: object, context: TranslationContext) -> CloudEvents:
    """Return the event of one document."""
    if not isinstance(body, dict):
        return [UnreadableEvent(body, "not a JSON object")]
    inner = body.get("doc")
    doc = {"reorder_level": body.get("reorder_level"), **inner} if isinstance(inner, dict) else body
    described = _described(doc, text(body.get("event")), context)
    if isinstance(described, str):
        return [UnreadableEvent(body, described)]
    event_type, subject, data = described
    if not subject:
        return [UnreadableEvent(body, "the document has no name")]
    shared = {"company": text(doc.get("company")), "owner": text(doc.get("owner")), "status": text(doc.get("status"))}
    changed = text(doc.get("modified")) or doc
    event = cloud_event(
        "erpnext", event_type, subject, {**shared, **data}, state=changed, at=context.moment(doc.get("modified"))
    )
    return [event]


def _described(doc: Document, event: str, context: TranslationContext) -> EventDescription | str:
    """Return type, subject and data, or why the document is no event."""
    match text(doc.get("doctype")):
        case "Sales Order":
            return _sales_order(doc, event, context)
        case "Sales Invoice":
            return _invoice(doc, context)
        case "Purchase Order":
            return _purchase_order(doc, event, context)
        case "Work Order":
            return _work_order(doc, context)
        case "Bin":
            return _bin(doc)
        case "":
            return "the body names no doctype"
        case _:
            return "documents of this doctype are no events here"


def _currency(doc: Document, context: TranslationContext) -> str:
    return text(doc.get("currency")) or context.currency


def _sales_order(doc: Document, event: str, context: TranslationContext) -> EventDescription | str:
    if text(doc.get("docstatus")) == "0":
        return "a draft is no event"
    due_on = day(doc.get("delivery_date"))
    data = {
        "customer": text(doc.get("customer_name")) or text(doc.get("customer")),
        **money(doc.get("grand_total"), _currency(doc, context)),
        "due_on": due_on,
        "ordered_on": day(doc.get("transaction_date")),
    }
    owed = text(doc.get("status")) in {"To Deliver", "To Deliver and Bill", "Overdue"}
    kind = (
        "order.created" if event in _FIRST else "order.late" if owed and is_late(due_on, context) else "order.changed"
    )
    return kind, text(doc.get("name")), data


def _invoice(doc: Document, context: TranslationContext) -> EventDescription | str:
    open_amount, due_on = number(doc.get("outstanding_amount")), day(doc.get("due_date"))
    if text(doc.get("docstatus")) != "1" or open_amount is None:
        return "an invoice that is not submitted, or without outstanding_amount, is no event"
    customer = {"customer": text(doc.get("customer_name")) or text(doc.get("customer"))}
    if open_amount <= 0:
        paid = money(doc.get("grand_total"), _currency(doc, context))
        return "invoice.paid", text(doc.get("name")), {**customer, **paid}
    if not is_late(due_on, context):
        return "an invoice that is not yet due is no event"
    owed = money(open_amount, _currency(doc, context))
    return "invoice.overdue", text(doc.get("name")), {**customer, **owed, "due_on": due_on}


def _purchase_order(doc: Document, event: str, context: TranslationContext) -> EventDescription | str:
    state, docstatus = text(doc.get("workflow_state")), text(doc.get("docstatus"))
    data: dict[str, object] = {
        "supplier": text(doc.get("supplier_name")) or text(doc.get("supplier")),
        **money(doc.get("grand_total"), _currency(doc, context)),
        "due_on": day(doc.get("schedule_date")),
        "title": state,
    }
    rejected = "reject" in state.lower() or "拒绝" in state
    if docstatus == "2":
        return "po.decided", text(doc.get("name")), {**data, "decision": "withdrawn"}
    if docstatus == "1" or rejected:
        decision = "rejected" if rejected else "approved"
        return (
            "po.decided",
            text(doc.get("name")),
            {**data, "decision": decision, "decided_by": text(doc.get("modified_by"))},
        )
    if not state or state == "Draft":
        return "a draft that nobody has to approve is no event"
    data |= {"requester": text(doc.get("owner")), "version": text(doc.get("modified"))}
    return "po.changed" if event == "on_change" else "po.submitted", text(doc.get("name")), data


def _work_order(doc: Document, context: TranslationContext) -> EventDescription | str:
    due_on = day(doc.get("expected_delivery_date")) or day(doc.get("planned_end_date"))
    data = {
        "sku": text(doc.get("production_item")),
        "name": text(doc.get("item_name")),
        "quantity": number(doc.get("qty")),
        "produced": number(doc.get("produced_qty")),
        "unit": text(doc.get("stock_uom")),
        "due_on": due_on,
    }
    if text(doc.get("status")) == "Completed":
        return "production.done", text(doc.get("name")), data
    running = text(doc.get("status")) in {"Not Started", "In Process", "Stock Reserved", "Stock Partially Reserved"}
    if running and is_late(due_on, context):
        return "production.late", text(doc.get("name")), data
    return "a work order that is neither done nor late is no event"


def _bin(doc: Document) -> EventDescription | str:
    """Read a Bin, which has no reorder level: the body adds it beside the document (see the how-to)."""
    on_hand, reserved = number(doc.get("actual_qty")), number(doc.get("reserved_qty"))
    reorder_point = number(doc.get("reorder_level"))
    if on_hand is None or (reorder_point is None and on_hand > 0):
        return "a Bin without actual_qty, or in stock and without reorder_level, tells nothing"
    available = on_hand - (reserved or 0)
    data = {
        "name": text(doc.get("item_name")),
        "warehouse": text(doc.get("warehouse")),
        "unit": text(doc.get("stock_uom")),
        "on_hand": str(on_hand),
        "available": str(available),
        "reorder_point": None if reorder_point is None else str(reorder_point),
    }
    return stock_type(available), text(doc.get("item_code")), data
