"""Vendors' own webhooks: their documents become events that the door understands, the rest is kept with its reason."""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from bot.alerts.intake.json_codec import decode_json
from bot.alerts.intake.normalization import normalize
from bot.alerts.intake.port import EventState, InvalidSignature, UnreadableEvent
from bot.alerts.intake.signatures import SignedRequest
from bot.alerts.intake.vendors import dolibarr, erpnext, odoo, yonbip
from bot.alerts.intake.vendors.translation import Translate, TranslationContext
from bot.alerts.intake.webhook import build_webhook
from bot.words.errors import ConfigurationError
from tests.rows import each_row

CHINA = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=CHINA)
SETTING = TranslationContext(NOW, "CNY")
CHANGED = "2026-11-24 11:00:00.123456"


def translated(translate: Translate, body: object) -> tuple[str, str, dict[str, Any]]:
    """Return type, subject and data of the one event, which the door takes."""
    (event,) = translate(decode_json(json.dumps(body)), SETTING)
    assert not isinstance(event, UnreadableEvent), event.reason
    one = normalize("main", event, via="webhook", now=NOW)
    assert (one.state, one.reason) == (EventState.WAITING, "")
    data = event["data"]
    assert isinstance(data, dict)
    return one.type, one.subject, data


def erpnext_doc(doctype: str, **fields: Any) -> dict[str, Any]:
    return {"doctype": doctype, "name": "DOC-1", "docstatus": 1, "modified": CHANGED, "company": "C1", **fields}


@each_row(
    ("event", "doc", "kind", "some"),
    [
        ("on_submit", erpnext_doc("Sales Order", grand_total=56000.5, currency="CNY", delivery_date="2026-12-05"),
         "order.created", {"amount": "56000.5", "currency": "CNY", "company": "C1"}),
        ("", erpnext_doc("Sales Order", customer_name="上海水泵厂"), "order.changed", {"customer": "上海水泵厂"}),
        ("on_change", erpnext_doc("Sales Order", status="To Deliver", delivery_date="2026-11-20"), "order.late", {}),
        ("", erpnext_doc("Sales Invoice", outstanding_amount=0, grand_total="5.00"), "invoice.paid",
         {"amount": "5.00"}),
        ("", erpnext_doc("Sales Invoice", outstanding_amount=12.5, due_date="2026-11-23"), "invoice.overdue",
         {"amount": "12.5", "currency": "CNY"}),
        ("", erpnext_doc("Purchase Order", docstatus=0, workflow_state="Pending", owner="u1"), "po.submitted",
         {"requester": "u1", "version": CHANGED}),
        ("", erpnext_doc("Purchase Order", modified_by="boss"), "po.decided",
         {"decision": "approved", "decided_by": "boss"}),
        ("", erpnext_doc("Purchase Order", docstatus=0, workflow_state="Rejected"), "po.decided",
         {"decision": "rejected"}),
        ("", erpnext_doc("Purchase Order", docstatus=2), "po.decided", {"decision": "withdrawn"}),
        ("", erpnext_doc("Work Order", status="Completed", qty=40), "production.done", {"quantity": Decimal(40)}),
        ("", erpnext_doc("Work Order", status="In Process", planned_end_date="2026-11-20 08:00:00"),
         "production.late", {}),
    ],
)  # fmt: skip
def test_erpnext(event: str, doc: dict[str, Any], kind: str, some: dict[str, Any]) -> None:
    found, subject, data = translated(erpnext.translate, {"event": event, "doc": doc})

    assert (found, subject) == (kind, "DOC-1")
    assert data.items() >= some.items()
    assert translated(erpnext.translate, doc | {"event": event})[0] == kind


@each_row(
    ("figures", "kind", "resolved"),
    [
        ({"actual_qty": 0}, "stock.out", False),
        ({"actual_qty": 12.5, "reserved_qty": 2, "reorder_level": 50}, "stock.low", False),
        ({"actual_qty": 60, "reorder_level": 50}, "stock.low", True),
        ({"actual_qty": 5, "reserved_qty": 5, "reorder_level": 50}, "stock.out", False),
    ],
)
def test_a_bin_of_erpnext(figures: dict[str, Any], kind: str, resolved: bool) -> None:
    bin_ = erpnext_doc("Bin", item_code="SKU123", warehouse="Stores - C1", **figures)
    found, subject, data = translated(erpnext.translate, bin_)

    assert (found, subject, data["warehouse"]) == (kind, "SKU123", "Stores - C1")
    enough = Decimal(data["available"]) >= Decimal(data.get("reorder_point", "999"))
    assert enough is resolved


def test_erpnext_writes_times_in_its_own_zone_and_the_state_is_the_id() -> None:
    doc = erpnext_doc("Purchase Order")
    first, again = (erpnext.translate(doc, SETTING)[0] for _ in range(2))
    other = erpnext.translate(doc | {"modified": "2026-11-24 11:00:01"}, SETTING)[0]

    assert isinstance(first, dict)
    assert first["time"] == "2026-11-24T03:00:00.123456+00:00"
    assert first == again
    assert first["id"] == f"po.decided:DOC-1:{CHANGED}" != other["id"]  # type: ignore[index]


def odoo_record(model: str, **fields: Any) -> dict[str, Any]:
    return {"_model": model, "_id": 7, "id": 7, "_action": "Send(#3)", "name": "DOC-1",
            "write_date": "2026-11-24 03:00:00", **fields}  # fmt: skip


@each_row(
    ("record", "kind", "some"),
    [
        (odoo_record("sale.order", state="sale", amount_total=56.5), "order.changed", {"amount": "56.5"}),
        (odoo_record("sale.order", state="sale", delivery_status="partial", commitment_date="2026-11-20 00:00:00"),
         "order.late", {}),
        (odoo_record("account.move", payment_state="paid", amount_total=5), "invoice.paid", {"amount": "5"}),
        (odoo_record("account.move", payment_state="partial", invoice_date_due="2026-11-01", amount_residual=2.5),
         "invoice.overdue", {"amount": "2.5", "currency": "CNY"}),
        (odoo_record("purchase.order", state="to approve", date_planned=False), "po.submitted", {}),
        (odoo_record("purchase.order", state="purchase"), "po.decided", {"decision": "approved"}),
        (odoo_record("purchase.order", state="cancel"), "po.decided", {"decision": "withdrawn"}),
        (odoo_record("mrp.production", state="done", product_qty=4), "production.done", {"quantity": Decimal(4)}),
        (odoo_record("mrp.production", state="progress", date_deadline="2026-11-01 00:00:00"), "production.late", {}),
    ],
)  # fmt: skip
def test_odoo(record: dict[str, Any], kind: str, some: dict[str, Any]) -> None:
    found, subject, data = translated(odoo.translate, record)

    assert (found, subject) == (kind, "DOC-1")
    assert data.items() >= some.items()


def test_a_reordering_rule_of_odoo() -> None:
    rule = odoo_record("stock.warehouse.orderpoint", qty_on_hand=3, product_min_qty=10, x_product_code="SKU123")

    assert translated(odoo.translate, rule)[:2] == ("stock.low", "SKU123")


def dolibarr_body(trigger: str, **fields: Any) -> dict[str, Any]:
    return {"triggercode": trigger, "object": {"ref": "DOC-1", "id": 7, **fields}}


@each_row(
    ("body", "kind", "some"),
    [
        (dolibarr_body("ORDER_VALIDATE", total_ttc="56.50000000", multicurrency_code="EUR", delivery_date=1796000000),
         "order.created", {"amount": "56.50000000", "currency": "EUR"}),
        (dolibarr_body("BILL_PAYED", total_ttc="5"), "invoice.paid", {"amount": "5", "currency": "CNY"}),
        (dolibarr_body("ORDER_SUPPLIER_VALIDATE", date_livraison=""), "po.submitted", {}),
        (dolibarr_body("ORDER_SUPPLIER_APPROVE"), "po.decided", {"decision": "approved"}),
        (dolibarr_body("ORDER_SUPPLIER_REFUSE"), "po.decided", {"decision": "rejected"}),
        (dolibarr_body("PRODUCT_MODIFY", stock_reel="3", seuil_stock_alerte="10"), "stock.low", {"on_hand": "3"}),
        (dolibarr_body("PRODUCT_MODIFY", stock_reel=0, seuil_stock_alerte="10"), "stock.out", {}),
    ],
)  # fmt: skip
def test_dolibarr(body: dict[str, Any], kind: str, some: dict[str, Any]) -> None:
    found, subject, data = translated(dolibarr.translate, body)

    assert (found, subject) == (kind, "DOC-1")
    assert data.items() >= some.items()


@each_row(
    ("code", "kind", "decision"),
    [
        ("st_purchaseorder_save", "po.submitted", None),
        ("st_purchaseorder_audit", "po.decided", "approved"),
        ("st_purchaseorder_unaudit", "po.changed", None),
        ("st_purchaseorder_delete", "po.decided", "withdrawn"),
        ("SALE_SAVEORDER_NOTIFY_SENT", "order.created", None),
    ],
)
@each_row("wrap", [lambda bill: bill, json.dumps, lambda bill: [bill]])
def test_yonbip(code: str, kind: str, decision: str | None, wrap: Any) -> None:
    bill = {"code": "DOC-1", "oriSum": 5.5, "currency_code": "CNY", "pubts": "2026-11-24 11:00:00"}
    found, subject, data = translated(yonbip.translate, {"type": code, "eventId": "e1", "data": wrap(bill)})

    assert (found, subject, data["amount"], data.get("decision")) == (kind, "DOC-1", "5.5", decision)


def test_the_test_of_yonbips_console_is_no_event() -> None:
    assert yonbip.translate({"type": "CHECK_URL"}, SETTING) == []


@each_row(
    ("translate", "body", "reason"),
    [
        (erpnext.translate, [], "not a JSON object"),
        (erpnext.translate, {}, "the body names no doctype"),
        (erpnext.translate, {"doctype": "Customer"}, "documents of this doctype are no events here"),
        (erpnext.translate, erpnext_doc("Sales Order", docstatus=0), "a draft is no event"),
        (erpnext.translate, erpnext_doc("Sales Order", name=""), "the document has no name"),
        (erpnext.translate, erpnext_doc("Sales Invoice", outstanding_amount=1, due_date="2026-11-24"),
         "an invoice that is not yet due is no event"),
        (erpnext.translate, erpnext_doc("Bin", actual_qty=5),
         "a Bin without actual_qty, or in stock and without reorder_level, tells nothing"),
        (odoo.translate, {}, "the body names no _model"),
        (odoo.translate, {"_model": "res.partner"}, "records of this model are no events here"),
        (odoo.translate, odoo_record("sale.order", state="draft"), "a quotation or a cancelled order is no event"),
        (odoo.translate, odoo_record("purchase.order", state="purchase", name=False),
         "the chosen fields lack the record's name or number"),
        (odoo.translate, odoo_record("account.move", move_type="in_invoice"), "only customers' invoices are events"),
        (dolibarr.translate, {}, "the body brings no object"),
        (dolibarr.translate, dolibarr_body("USER_LOGIN"), "this trigger is no event here"),
        (dolibarr.translate, dolibarr_body("ORDER_VALIDATE", ref=None), "the object has no ref"),
        (yonbip.translate, {"type": "st_other"}, "this event code is no event here"),
        (yonbip.translate, {"type": "st_purchaseorder_save", "data": "{broken"},
         "the message carries no document number; polling brings the document"),
    ],
)  # fmt: skip
def test_what_is_no_event_is_kept_with_the_reason(translate: Translate, body: object, reason: str) -> None:
    (found,) = translate(body, SETTING)

    assert found == UnreadableEvent(body, reason)
    assert normalize("main", found, via="webhook", now=NOW).reason == reason


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals()
    | st.text(max_size=20)
    | st.lists(st.integers(), max_size=2)
)
DOCTYPES = ["Sales Order", "Sales Invoice", "Purchase Order", "Work Order", "Bin", "sale.order", "account.move",
            "purchase.order", "mrp.production", "stock.warehouse.orderpoint"]  # fmt: skip
FIELDS = (
    "name docstatus status state modified write_date grand_total currency due_date outstanding_amount delivery_date "
    "actual_qty reorder_level item_code payment_state doc object data code eventId pubts workflow_state ref"
)
BODIES = st.fixed_dictionaries(
    {
        "doctype": st.sampled_from(DOCTYPES),
        "_model": st.sampled_from(DOCTYPES),
        "triggercode": st.sampled_from(["ORDER_VALIDATE", "PRODUCT_MODIFY", "BILL_PAYED"]),
        "type": st.sampled_from(["st_purchaseorder_audit", "SALE_AUDITORDER"]),
    },
    optional=dict.fromkeys(FIELDS.split(), VALUES),
)


@given(BODIES, st.sampled_from([erpnext.translate, odoo.translate, dolibarr.translate, yonbip.translate]))
def test_whatever_a_vendor_sends_is_kept(body: dict[str, Any], translate: Translate) -> None:
    nested = {**body, "object": dict(body), "data": dict(body)}
    for event in (*translate(body, SETTING), *translate(nested, SETTING)):
        one = normalize("main", event, via="webhook", now=NOW)
        assert one.id
        assert one.reason or one.state is EventState.WAITING


def test_a_company_is_filled_in_where_none_is_named() -> None:
    hook = build_webhook("main", scheme="odoo", secrets=["a-token-of-its-own"], company="C9", currency="CNY")
    request = SignedRequest(
        CIMultiDict({"x-hook-token": "a-token-of-its-own"}),
        {},
        json.dumps(odoo_record("purchase.order", state="purchase")).encode(),
    )
    (event,) = hook.read(request, NOW)
    assert isinstance(event, dict)
    assert event["data"]["company"] == "C9"


@each_row(
    ("options", "named"),
    [
        ({"scheme": "sap", "secrets": ["x" * 20]}, "hooks.main.scheme"),
        ({"secrets": [""]}, "hooks.main.secret is missing"),
        ({"secrets": ["hunter2"]}, "hooks.main: a secret for signed hooks must be whsec_ and base64"),
        ({"scheme": "odoo", "secrets": ["hunter2"]}, "hooks.main: a hook's secret must have 16 bytes or more"),
        ({"scheme": "yonbip", "secrets": ["x" * 20]}, "hooks.main: YonBIP's push needs app_key"),
    ],
)
def test_a_hook_that_cannot_work_is_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        build_webhook("main", **options)
    assert refused.value.detail.startswith(named)
    assert "hunter2" not in refused.value.detail


APP_SECRET, APP_KEY = "the app's own secret", "app-key-1"
AES_KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")


def sealed(message: bytes, app_key: str = APP_KEY) -> dict[str, str]:
    """Return a push as YonBIP sends it."""
    pytest.importorskip("cryptography", reason="the extra `yonbip` (package cryptography) is not installed")
    import hashlib
    import hmac

    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    plain = os.urandom(16) + len(message).to_bytes(4, "big") + message + app_key.encode()
    plain += bytes([32 - len(plain) % 32]) * (32 - len(plain) % 32)
    key = bytes(range(32))
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    body = {"timestamp": "1796000000000", "nonce": "n1"}
    body["encrypt"] = base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()
    signed = "".join(sorted(body.values())).encode()
    body["signature"] = base64.b64encode(hmac.new(APP_SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    return body


def read_sealed(body: object) -> Any:
    hook = build_webhook(
        "main", scheme="yonbip", secrets=[APP_SECRET], options={"aes_key": AES_KEY, "app_key": APP_KEY}
    )
    return hook.read(SignedRequest(CIMultiDict(), {}, json.dumps(body).encode()), NOW)


def test_a_push_of_yonbip_is_opened() -> None:
    message = {"type": "st_purchaseorder_audit", "eventId": "e1", "data": {"code": "PO-1"}}
    (event,) = read_sealed(sealed(json.dumps(message).encode()))

    assert (event["type"], event["subject"]) == ("po.decided", "PO-1")


def test_a_push_that_is_not_yonbips_is_not_opened() -> None:
    good = sealed(b"{}")
    for change, reason in (
        ({"nonce": "n2"}, "the signature is wrong"),
        ({"signature": "AAAA"}, "the signature is wrong"),
        ({"encrypt": ""}, "signature, timestamp, nonce or encrypt is missing"),
        ({"signature": None}, "signature, timestamp, nonce or encrypt is missing"),
    ):
        with pytest.raises(InvalidSignature) as refused:
            read_sealed(good | change)
        assert refused.value.detail == reason
    with pytest.raises(InvalidSignature, match="cannot be decrypted"):
        read_sealed(sealed(b"{}", app_key="another"))
    with pytest.raises(InvalidSignature, match="missing"):
        read_sealed([])


def test_the_time_of_a_push_is_given_in_utc() -> None:
    bill = {"code": "PO-1", "pubts": "2026-11-24 11:00:00"}
    (event,) = yonbip.translate({"type": "st_purchaseorder_save", "eventId": "e", "data": bill}, SETTING)

    assert isinstance(event, dict)
    assert datetime.fromisoformat(event["time"]) == datetime(2026, 11, 24, 3, tzinfo=UTC)
