"""Events by the API: a key reports those of the sources that it was made for, each once, with exact figures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from bot.admin.api_keys import add_key
from bot.words.errors import ConfigurationError
from tests.rows import each_row
from tests.scenario.conftest import BotSystem
from tests.scenario.test_api import BOSS, Door, opened
from tests.scenario.test_api_documents import fits
from tests.web.api_client import Told

EVENT_OF_STOCK = {
    "specversion": "1.0",
    "id": "low-1",
    "source": "/wms",
    "type": "stock.low",
    "subject": "SKU123",
    "data": {"sku": "SKU123", "available": 3, "reorder_point": 10},
}


@pytest.fixture
async def door(system: BotSystem) -> AsyncIterator[Door]:
    async with opened(system) as door:
        await door.key(BOSS, "events:demo")
        yield door


async def _report(door: Door, *events: Mapping[str, Any], source: str = "demo") -> Told:
    return await door.client.send("POST", "/events", json={"source": source, "events": [*events], "language": "en"})


async def test_an_event_is_taken_once(door: Door) -> None:
    first = await _report(door, EVENT_OF_STOCK)
    assert fits(first, "/events", "post") == []
    assert (first.status, first.body) == (202, {"accepted": 1, "duplicate": 0, "rejected": []})
    again = await _report(door, EVENT_OF_STOCK, EVENT_OF_STOCK | {"id": "low-2"})
    assert again.body == {"accepted": 1, "duplicate": 1, "rejected": []}


async def test_what_nobody_can_read_is_told_and_the_rest_is_taken(door: Door) -> None:
    told = await _report(door, {"id": "broken-1"}, EVENT_OF_STOCK)
    assert (told.status, told.body["accepted"]) == (202, 1)
    (rejected,) = told.body["rejected"]
    assert rejected["id"] == "broken-1"


async def test_figures_stay_as_they_were_written(door: Door) -> None:
    body = orjson.dumps({"source": "demo", "events": [EVENT_OF_STOCK]})
    # As a float it would be 0.1, which is taken.
    exact = body.replace(b'"available":3', b'"available":0.1000000000000000055')
    told = await door.client.send("POST", "/events", data=exact, headers={"Content-Type": "application/json"})
    (rejected,) = told.body["rejected"]
    assert "data.available" in rejected["reason"]
    plain = body.replace(b'"available":3', b'"available":0.1')
    told = await door.client.send("POST", "/events", data=plain, headers={"Content-Type": "application/json"})
    assert told.body["accepted"] == 1


@each_row(
    "source,scopes",
    [
        ("other", ["events:demo"]),
        ("demo", ["*", "gate", "propose"]),
        ("demo ", ["events:demo"]),
        ("DEMO", ["events:demo"]),
    ],
)
async def test_a_key_reports_what_it_was_made_for_and_nothing_else(source: str, scopes: list[str], door: Door) -> None:
    await door.key(BOSS, *scopes)
    told = await _report(door, EVENT_OF_STOCK, source=source)
    assert (told.status, told.body["rule"]) == (403, "api key")


@each_row("body", [b"[", b'{"source": "demo", "events": [NaN]}'])
async def test_what_is_no_json_is_said(body: bytes, door: Door) -> None:
    told = await door.client.send("POST", "/events", data=body, headers={"Content-Type": "application/json"})
    assert told.status == 400


async def test_a_key_is_made_for_sources_that_there_are(system: BotSystem) -> None:
    with pytest.raises(ConfigurationError, match="did you mean events:demo"):
        await add_key(system.app.settings, BOSS, ["events:dem"], "1d", datetime.now(UTC))
