"""Stock, decisions and changes as APIs of several kinds have them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from bot.erp.errors import (
    NotFound,
)
from bot.erp.model import Area, Decision, DecisionOutcome, Verdict
from bot.erp.port import Capability
from tests.erp.rest.scripted_server import Open, ScriptedServer, Start, sales

# Stock


async def test_stock_as_a_plain_list_of_places(start: Start, open_erp: Open) -> None:
    def reply(request: web.Request) -> Any:
        if request.path.startswith("/items"):
            return {"no": "A", "title": "Bolt"} if request.path.endswith("/A") else web.Response(status=404)
        return [{"w": "M", "q": 1}, {"w": "N", "q": Decimal("0.5")}] if full else web.Response(status=404)

    server = await start(ScriptedServer(reply))
    erp = open_erp(
        url=server.url,
        zone="UTC",
        unit="PCS",
        products={"one": "/items/{sku}", "list": "/items", "fields": {"sku": "no", "name": "title"}},
        stock={"one": "/stock/{sku}", "places": {"fields": {"code": "w", "on_hand": "q"}}},
    )
    assert erp.capabilities == {Capability.STOCK, Capability.STOCK_PER_WAREHOUSE}
    full = True
    assert (await erp.stock("A")).total.on_hand == Decimal("1.5")
    full = False
    # The product is there, and has never been in any warehouse.
    assert (await erp.stock("A")).total.on_hand == 0
    with pytest.raises(NotFound):
        await erp.stock("B")


# Decisions

PURCHASE = {"no": "PO-1", "v": "Vendor", "s": "waiting", "rev": 'a"b', "id": 77, "task": "t-9"}


def purchasing(url: str, **changed: Any) -> dict[str, Any]:
    area = {
        "one": "/po/{number}",
        "list": "/po",
        "fields": {
            "number": "no", "vendor": "v", "status": "s", "version": "rev", "id": "id", "task_id": "task",
        },
    }  # fmt: skip
    return {"url": url, "zone": "UTC", "currency": "CNY", "purchasing": area | changed}


async def test_a_decision_is_sent_as_its_template_says(start: Start, open_erp: Open) -> None:
    state = dict(PURCHASE)

    def reply(request: web.Request) -> Any:
        if request.method == "GET":
            return state
        state["s"] = "rejected"
        return {"note": "done <br> so"}

    server = await start(ScriptedServer(reply))
    assert isinstance(server, ScriptedServer)
    reject = {
        "path": "/po/{id}/tasks/{task_id}",
        "method": "PUT",
        "params": {"as": "{by}"},
        "body": {"action": "deny", "rev": "{version}", "why": "Said in chat: {reason}"},
        "text": "note",
    }
    erp = open_erp(**purchasing(server.url, reject=reject))
    assert erp.capabilities == {Capability.PURCHASE_ORDERS, Capability.REJECT, Capability.VERSION_CHECK}
    seen = await erp.purchase_order("PO-1")
    result = await erp.decide(
        Decision(number="PO-1", version=seen.review.version, verdict=Verdict.REJECT, by="a&b", reason='"no" {by}')
    )
    assert (result.outcome, result.text) == (DecisionOutcome.APPLIED, "done so")
    assert ("PUT", "/po/77/tasks/t-9?as=a%26b", {"action": "deny", "rev": 'a"b', "why": 'Said in chat: "no" {by}'}) in (
        server.asked
    )
    approve = Decision(number="PO-1", version=seen.review.version, verdict=Verdict.APPROVE, by="anna")
    assert (await erp.decide(approve)).outcome is DecisionOutcome.UNSUPPORTED


async def test_a_decision_that_the_api_swallows_is_no_success(start: Start, open_erp: Open) -> None:
    server = await start(ScriptedServer(lambda request: PURCHASE if request.method == "GET" else {"ok": True}))
    erp = open_erp(**purchasing(server.url, approve={"path": "/po/{number}/approve"}))
    seen = await erp.purchase_order("PO-1")
    decision = Decision(number="PO-1", version=seen.review.version, verdict=Verdict.APPROVE, by="anna")
    assert (await erp.decide(decision)).outcome is DecisionOutcome.NOT_PERMITTED


async def test_a_failure_at_the_write_is_not_known_to_have_done_nothing(start: Start, open_erp: Open) -> None:
    server = await start(
        ScriptedServer(lambda request: PURCHASE if request.method == "GET" else web.Response(status=500))
    )
    erp = open_erp(**purchasing(server.url, approve={"path": "/po/{number}/approve"}))
    seen = await erp.purchase_order("PO-1")
    decision = Decision(number="PO-1", version=seen.review.version, verdict=Verdict.APPROVE, by="anna")
    assert (await erp.decide(decision)).outcome is DecisionOutcome.UNKNOWN


# Changes


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("zoned", "2026-11-24T02:29:55%2B00:00"),
        ("naive", "2026-11-24T02:29:55"),
        ("epoch", "1795487395"),
        ("epoch_ms", "1795487395000"),
        ("%d.%m.%Y_%H%M%S", "24.11.2026_022955"),
    ],
)
async def test_the_time_since_which_is_asked_is_written_as_the_api_wants(
    start: Start, open_erp: Open, form: str, said: str
) -> None:
    row = {"key": "1", "changed": "2026-11-24T02:30:05.5"}
    server = await start(ScriptedServer(lambda request: [row]))
    assert isinstance(server, ScriptedServer)
    changes = {"path": "/c", "params": {"since": "{since}"}, "fields": {"key": "key", "changed_at": "changed"}}
    erp = open_erp(**sales(server.url, changes=changes, of_source={"time_format": form}))
    first = await erp.changed_since(Area.SALES, "", limit=5)
    assert [change.key for change in first.items] == ["1"]
    assert (await erp.changed_since(Area.SALES, first.cursor, limit=5)).items == ()
    assert server.asked[-1][1] == f"/c?since={said}"
