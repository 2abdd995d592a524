"""Proofs of the sender: the vendors' own vectors, and everything that must not pass."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from multidict import CIMultiDict

from bot.alerts.intake.port import InvalidSignature
from bot.alerts.intake.signatures import (
    FrappeSignature,
    SharedToken,
    SignedRequest,
    StandardWebhooksSignature,
)
from bot.words.errors import ConfigurationError
from tests.alerts.intake.samples import NOW
from tests.alerts.intake.signed_requests import KEY, OTHER_KEY, OTHER_SECRET, SECRET, sign, standard_signature
from tests.rows import each_row

BODY = b'{"id": "E-1"}'


def request(headers: Mapping[str, str], body: bytes = BODY, **query: str) -> SignedRequest:
    return SignedRequest(CIMultiDict(headers), query, body)


def test_the_vector_of_the_specification() -> None:
    scheme = StandardWebhooksSignature(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    body = b'{"test": 2432232314}'

    assert scheme.open(request(headers, body), datetime.fromtimestamp(1614265330, UTC)) == body


@each_row("skew", [timedelta(0), timedelta(minutes=5), timedelta(minutes=-5)])
def test_clocks_may_differ_by_five_minutes(skew: timedelta) -> None:
    assert StandardWebhooksSignature([SECRET]).open(request(sign(BODY, NOW)), NOW + skew) == BODY


def test_names_of_headers_are_read_in_any_case() -> None:
    headers = {name.title(): value for name, value in sign(BODY, NOW).items()}

    assert StandardWebhooksSignature([SECRET]).open(request(headers), NOW) == BODY


def test_while_secrets_are_changed_both_count() -> None:
    scheme = StandardWebhooksSignature([OTHER_SECRET, SECRET])

    assert scheme.open(request(sign(BODY, NOW)), NOW) == BODY
    assert scheme.open(request(sign(BODY, NOW, key=OTHER_KEY)), NOW) == BODY
    both = sign(BODY, NOW, key=b"a key that nobody knows")
    both["webhook-signature"] += " v1a,other-kind " + standard_signature(BODY, "msg_1", int(NOW.timestamp()))
    assert scheme.open(request(both), NOW) == BODY


def test_after_the_change_the_old_secret_no_longer_counts() -> None:
    with pytest.raises(InvalidSignature, match="the signature is wrong"):
        StandardWebhooksSignature([OTHER_SECRET]).open(request(sign(BODY, NOW)), NOW)


@each_row(
    ("changes", "body", "reason"),
    [
        ({"webhook-id": ""}, BODY, "webhook-id is missing"),
        ({"webhook-timestamp": ""}, BODY, "webhook-timestamp is missing"),
        ({"webhook-signature": ""}, BODY, "webhook-signature is missing"),
        ({"webhook-id": "msg_2"}, BODY, "the signature is wrong"),
        ({}, BODY + b" ", "the signature is wrong"),
        ({"webhook-timestamp": str(int(NOW.timestamp()) + 1)}, BODY, "the signature is wrong"),
        ({"webhook-timestamp": str(int(NOW.timestamp()) - 301)}, BODY, "webhook-timestamp is too old or in the future"),
        ({"webhook-timestamp": str(int(NOW.timestamp()) + 301)}, BODY, "webhook-timestamp is too old or in the future"),
        ({"webhook-timestamp": "soon"}, BODY, "webhook-timestamp must be seconds since 1970"),
        ({"webhook-timestamp": "-5"}, BODY, "webhook-timestamp must be seconds since 1970"),
        ({"webhook-timestamp": "９９"}, BODY, "webhook-timestamp must be seconds since 1970"),
        ({"webhook-timestamp": "9" * 30}, BODY, "webhook-timestamp must be seconds since 1970"),
        ({"webhook-timestamp": "9" * 12}, BODY, "webhook-timestamp is too old or in the future"),
        ({"webhook-signature": "v1,"}, BODY, "the signature is wrong"),
        ({"webhook-signature": "v1,ü\udcff"}, BODY, "the signature is wrong"),
        ({"webhook-signature": "v2,abc"}, BODY, "the signature is wrong"),
    ],
)
def test_what_does_not_pass(changes: dict[str, str], body: bytes, reason: str) -> None:
    with pytest.raises(InvalidSignature) as refused:
        StandardWebhooksSignature([SECRET]).open(request(sign(BODY, NOW) | changes, body), NOW)
    assert refused.value.detail == reason


@each_row("secret", ["", "whsec_", "whsec_!!!!", KEY.hex(), "whsec_c2hvcnQ=", base64.b64encode(KEY).decode()])
def test_a_secret_that_cannot_be_one_is_named_at_the_start(secret: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        StandardWebhooksSignature([secret])
    assert len(secret) < 5 or secret not in refused.value.detail


def test_frappe_signs_the_bytes_of_the_body() -> None:
    secret, body = "a secret of erpnext", b'{"doctype": "Purchase Order", "name": "PO-1"}'
    signature = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    scheme = FrappeSignature([secret])

    assert scheme.open(request({"X-Frappe-Webhook-Signature": signature}, body), NOW) == body
    with pytest.raises(InvalidSignature, match="the signature is wrong"):
        scheme.open(request({"X-Frappe-Webhook-Signature": signature}, body.replace(b": ", b":")), NOW)
    with pytest.raises(InvalidSignature, match="x-frappe-webhook-signature is missing"):
        scheme.open(request({}, body), NOW)


def test_the_vector_of_frappe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.alerts.intake.signatures.MIN_SECRET", 1)
    body = b'{"doctype": "Purchase Order", "name": "PO-1"}'
    headers = {"X-Frappe-Webhook-Signature": "LHyIMUEDkL+GyM10Sd3aq9BKy2bS6XAepCyrpHFqyzE="}

    assert FrappeSignature(["secret"]).open(request(headers, body), NOW) == body


@each_row(
    ("headers", "query", "reason"),
    [
        ({}, {}, "the token is missing"),
        ({"X-Hook-Token": "wrong"}, {}, "the token is wrong"),
        ({}, {"token": "a-token-of-its-ow"}, "the token is wrong"),
        ({}, {"token": "ü"}, "the token is wrong"),
    ],
)
def test_a_shared_token(headers: dict[str, str], query: dict[str, Any], reason: str) -> None:
    scheme = SharedToken(["a-token-of-its-own", "an-older-one-in-use"])

    assert scheme.open(request({"x-hook-token": "a-token-of-its-own"}), NOW) == BODY
    assert scheme.open(request({}, token="an-older-one-in-use"), NOW) == BODY
    with pytest.raises(InvalidSignature) as refused:
        scheme.open(request(headers, **query), NOW)
    assert refused.value.detail == reason
