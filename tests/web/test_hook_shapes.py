"""Whatever shape a body has, at whatever scheme: good events are accepted, others are rejected with a reason."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alerts.intake import normalization
from bot.alerts.intake.batched_intake import BatchedIntake
from bot.alerts.intake.envelope import EventEnvelope, parse_envelope
from bot.alerts.intake.webhook import build_webhook
from bot.approvals.discovery import MentionListener
from bot.mechanisms.health import HealthReport
from bot.mechanisms.metrics import Metrics
from bot.store.alerts.events import StoredEvents
from bot.store.database import Database
from bot.web.hooks import HookEndpoint
from bot.web.server import make_web_app, serving
from tests.alerts.intake.samples import NOW, cloud_event
from tests.alerts.intake.signed_requests import SECRET, sign
from tests.examples import examples

TOKEN = "a-token-of-its-own"
SCHEMES = ("standard", "erpnext", "odoo", "dolibarr")
SHAPES: tuple[Any, ...] = (
    *([1], [None], [[]], ["x"], [True], [{}], [[{}]], [[[]], None, 3], []),
    *(1, None, "x", True, {}, 1.5),
    {"type": "po.submitted", "data": {"items": "x"}},
    [{"type": "po.submitted", "data": [], "subject": 3}, {"type": ["po."]}],
    {"doctype": "Bin", "actual_qty": "9e999999", "reserved_qty": "-9e999999", "reorder_level": 1},
    {"triggercode": "ORDER_VALIDATE", "object": {"ref": "SO-1", "delivery_date": "1e99999999"}},
    {"_model": "stock.warehouse.orderpoint", "qty_on_hand": "1e999999999", "product_min_qty": 1},
)


class Shop:
    """A bot's hooks, one of each scheme, behind the listener for purchase orders."""

    def __init__(self, client: aiohttp.ClientSession, port: int) -> None:
        self.client = client
        self.port = port

    async def post(self, scheme: str, value: object) -> tuple[int, Mapping[str, Any]]:
        """Send a value as the scheme's senders would."""
        body = json.dumps(value).encode()
        url = f"http://127.0.0.1:{self.port}/hooks/{scheme}"
        async with self.client.post(url, data=body, headers=headers(scheme, body)) as answer:
            return answer.status, await answer.json(content_type=None)


def headers(scheme: str, body: bytes) -> dict[str, str]:
    if scheme == "standard":
        return sign(body, NOW)
    signed = base64.b64encode(hmac.new(TOKEN.encode(), body, hashlib.sha256).digest()).decode()
    return {"Content-Type": "application/json", "x-frappe-webhook-signature": signed, "x-hook-token": TOKEN}


@asynccontextmanager
async def shop(folder: Path, hear: Any) -> AsyncIterator[Shop]:
    database = Database(f"sqlite:///{folder / 'bot.sqlite3'}")
    await database.migrate()
    metrics = Metrics()
    intake = BatchedIntake(StoredEvents(database), metrics=metrics, now=lambda: NOW)
    secrets = {scheme: SECRET if scheme == "standard" else TOKEN for scheme in SCHEMES}
    hooks = {scheme: build_webhook(scheme, scheme=scheme, secrets=[secret]) for scheme, secret in secrets.items()}
    listener = MentionListener(intake, hear)
    endpoint = HookEndpoint(hooks=hooks, intake=listener, metrics=metrics, now=lambda: NOW)

    async def ready() -> HealthReport:
        return HealthReport({})

    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as client,
        serving(make_web_app(metrics=metrics, readiness=ready, hooks=endpoint), "127.0.0.1", 0) as port,
    ):
        yield Shop(client, port)
    await database.close()


def hear_nothing(_source: str, _area: str, _number: str) -> None:
    """Hear of a purchase order."""


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_each_value_of_every_shape_is_accounted_for(scheme: str, tmp_path: Path) -> None:
    async with shop(tmp_path, hear_nothing) as opened:
        for shape in SHAPES:
            status, answer = await opened.post(scheme, shape)
            if status == 400:
                assert scheme == "standard", shape
                assert not isinstance(shape, dict | list), shape
                continue
            count = len(shape) if isinstance(shape, list) and scheme == "standard" else 1
            assert status == 202, (shape, answer)
            assert answer["accepted"] + answer["duplicate"] + len(answer["rejected"]) == count, shape


async def test_a_good_event_beside_what_is_none_is_accepted(tmp_path: Path) -> None:
    async with shop(tmp_path, hear_nothing) as opened:
        status, answer = await opened.post("standard", [cloud_event(), 3, None, ["x"]])
    assert (status, answer["accepted"], len(answer["rejected"])) == (202, 1, 3)


async def test_what_is_stored_is_confirmed_whatever_becomes_of_hearing_of_it(tmp_path: Path) -> None:
    def fail(_source: str, _number: str) -> None:
        raise ZeroDivisionError

    order = cloud_event(type="po.submitted", subject="PO-1", data={"number": "PO-1"})
    async with shop(tmp_path, fail) as opened:
        status, answer = await opened.post("standard", [order])
    assert (status, answer["accepted"]) == (202, 1)


NAMES = ("type", "data", "doc", "doctype", "event", "_model", "object", "triggercode", "items", "number", "name", "ref")
WORDS = (
    "po.submitted",
    "Bin",
    "Sales Order",
    "purchase.order",
    "ORDER_VALIDATE",
    "PRODUCT_MODIFY",
    "9e999999",
    "-1e400",
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner),
    max_leaves=12,
)


def test_no_value_is_a_defect_of_ours(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        opening = shop(tmp_path, hear_nothing)
        opened = runner.run(opening.__aenter__())

        @settings(max_examples=examples(2))
        @given(st.sampled_from(SCHEMES), VALUES)
        def fuzz(scheme: str, value: object) -> None:
            status, _ = runner.run(opened.post(scheme, value))
            assert status in {202, 400}

        try:
            fuzz()
        finally:
            runner.run(opening.__aexit__(None, None, None))


async def test_a_defect_in_one_event_or_translator_costs_no_other_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(event: Mapping[str, object], received_at: datetime) -> EventEnvelope:
        if event.get("subject") == "broken":
            raise ZeroDivisionError
        return parse_envelope(event, received_at)

    monkeypatch.setattr(normalization, "parse_envelope", parse)
    async with shop(tmp_path, hear_nothing) as opened:
        status, answer = await opened.post("standard", [cloud_event(id="E-1", subject="broken"), cloud_event(id="E-2")])
        monkeypatch.setattr("bot.alerts.intake.vendors.odoo._described", lambda *_: 1 / 0)
        kept = await opened.post("odoo", {"_model": "sale.order"})
    reasons = [rejected["reason"] for rejected in answer["rejected"]]
    assert (status, answer["accepted"], reasons) == (202, 1, ["a defect of ours: ZeroDivisionError"])
    assert kept[0] == 202
    assert kept[1]["rejected"][0]["reason"] == "a defect of ours: ZeroDivisionError"
