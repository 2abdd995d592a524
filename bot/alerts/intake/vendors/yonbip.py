"""YonBIP's event subscription, decrypted (docs: platform/erp/yonbip.md#push).

Its events report that a bill was saved, audited and so on, often with few of its fields. A message with the bill's
number becomes an event; others are set aside, and polling brings the bill itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.alerts.intake.json_codec import decode_json
from bot.alerts.intake.port import InvalidJson, UnreadableEvent
from bot.alerts.intake.vendors.translation import (
    CloudEvents,
    Document,
    TranslationContext,
    cloud_event,
    money,
    text,
)

TEST = "CHECK_URL"
"""The event by which the vendor's console tests the address."""

_TYPES = {
    "st_purchaseorder_save": "po.submitted",
    "st_purchaseorder_audit": "po.decided",
    "st_purchaseorder_unaudit": "po.changed",
    "st_purchaseorder_close": "po.decided",
    "st_purchaseorder_delete": "po.decided",
    "SALE_SAVEORDER_NOTIFY_SENT": "order.created",
    "SALE_AUDITORDER": "order.changed",
}
_DECISIONS = {
    "st_purchaseorder_audit": "approved",
    "st_purchaseorder_close": "withdrawn",
    "st_purchaseorder_delete": "withdrawn",
}


def translate(body: object, context: TranslationContext) -> CloudEvents:
    """Return the event of a message; nothing for the vendor's test message."""
    if not isinstance(body, dict):
        return [UnreadableEvent(body, "not a JSON object")]
    code = text(body.get("type")) or text(body.get("eventType"))
    if code == TEST:
        return []
    if code not in _TYPES:
        return [UnreadableEvent(body, "this event code is no event here")]
    bill = _bill(body)
    number = next((found for name in ("code", "billCode", "vouchCode") if (found := text(bill.get(name)))), "")
    if not number:
        return [UnreadableEvent(body, "the message carries no document number; polling brings the document")]
    data = {
        "supplier": text(bill.get("vendor_name")),
        "customer": text(bill.get("agentId_name")),
        **money(bill.get("oriSum") or bill.get("payMoney"), text(bill.get("currency_code")) or context.currency),
        "decision": _DECISIONS.get(code),
        "version": text(bill.get("pubts")) if code == "st_purchaseorder_save" else "",
    }
    state = text(body.get("eventId")) or body
    return [cloud_event("yonbip", _TYPES[code], number, data, state=state, at=context.moment(bill.get("pubts")))]


def _bill(body: Document) -> Document:
    """Return the bill in a message: under one of several names, as an object, as JSON text, or as the only entry."""
    found = next((body[name] for name in ("data", "content", "archive") if name in body), body)
    if isinstance(found, str):
        try:
            found = decode_json(found)
        except InvalidJson:
            return body
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    return found if isinstance(found, Mapping) else body
