"""Dolibarr's module Webhook: ``{"triggercode": "ORDER_VALIDATE", "object": {…}}``, unsigned.

Times are in seconds since 1970, amounts are text with eight decimals, third parties are bare ids.

Docs: platform/erp/others.md#webhooks
"""

from __future__ import annotations

from bot.alerts.intake.port import UnreadableEvent
from bot.alerts.intake.vendors.translation import (
    CloudEvents,
    Document,
    TranslationContext,
    cloud_event,
    day_of_seconds,
    money,
    number,
    stock_type,
    text,
)

_DOCUMENTS = {
    "ORDER_VALIDATE": "order.created",
    "ORDER_MODIFY": "order.changed",
    "BILL_PAYED": "invoice.paid",
    "ORDER_SUPPLIER_VALIDATE": "po.submitted",
    "ORDER_SUPPLIER_MODIFY": "po.changed",
    "ORDER_SUPPLIER_APPROVE": "po.decided",
    "ORDER_SUPPLIER_REFUSE": "po.decided",
    "ORDER_SUPPLIER_CANCEL": "po.decided",
}
_DECISIONS = {
    "ORDER_SUPPLIER_APPROVE": "approved",
    "ORDER_SUPPLIER_REFUSE": "rejected",
    "ORDER_SUPPLIER_CANCEL": "withdrawn",
}
_PRODUCTS = {"PRODUCT_MODIFY", "PRODUCT_CREATE"}


def translate(body: object, context: TranslationContext) -> CloudEvents:
    """Return the event of one trigger."""
    if not isinstance(body, dict):
        return [UnreadableEvent(body, "not a JSON object")]
    trigger, found = text(body.get("triggercode")), body.get("object")
    if not isinstance(found, dict):
        return [UnreadableEvent(body, "the body brings no object")]
    described = _described(trigger, found, context)
    if isinstance(described, str):
        return [UnreadableEvent(body, described)]
    event_type, data = described
    if not (subject := text(found.get("ref"))):
        return [UnreadableEvent(body, "the object has no ref")]
    # Without a time of change, the whole body identifies the state.
    return [cloud_event("dolibarr", event_type, subject, data, state=body, at=None)]


_Described = tuple[str, Document]


def _described(trigger: str, found: Document, context: TranslationContext) -> _Described | str:
    """Return type and data, or why the trigger is no event."""
    if trigger in _PRODUCTS:
        return _product(found)
    if trigger not in _DOCUMENTS:
        return "this trigger is no event here"
    currency = text(found.get("multicurrency_code")) or context.currency
    data: dict[str, object] = {
        **money(found.get("total_ttc"), currency),
        "due_on": day_of_seconds(found.get("delivery_date") or found.get("date_livraison"), context),
        "decision": _DECISIONS.get(trigger),
    }
    return _DOCUMENTS[trigger], data


def _product(found: Document) -> _Described | str:
    on_hand, reorder_point = number(found.get("stock_reel")), number(found.get("seuil_stock_alerte"))
    if on_hand is None or reorder_point is None:
        return "a product without stock_reel and seuil_stock_alerte tells nothing"
    data = {"name": text(found.get("label")), "on_hand": str(on_hand), "reorder_point": str(reorder_point)}
    return stock_type(on_hand), data
