"""Purchase orders of a real Tryton, decided from chat; a separate plain client reads the results."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.approvals.case import CaseState
from bot.settings import ErpSettings
from tests.erp.tryton.real.conftest import CHATTING
from tests.erp.tryton.real.plain_client import PlainClient
from tests.erp.tryton.server.server_process import TrytonServer
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.scenario import BOSS, MANAGER, NO, YES, ApprovalScenario, plain_text
from tests.scenario.conftest import run_system

pytestmark = [pytest.mark.process, pytest.mark.timeout(360)]

ACCOUNTS = {BOSS: "dingbot", MANAGER: "manager"}
"""Tryton accounts of the people who decide in chat."""
PASSWORDS = {"dingbot": "DingBot#2026", "manager": "Manager#2026"}

ONE, OTHER, LARGE = "PO-2007", "PO-2008", "PO-2010"
"""PO-2010 is above 100 000: Tryton requires confirmation by two users."""


@pytest.fixture
async def plain(tryton_server: TrytonServer) -> PlainClient:
    return await asyncio.to_thread(PlainClient, tryton_server.url, CHATTING, "admin", "Admin#2026")


@pytest.fixture
async def scenario(
    tryton_server: TrytonServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ApprovalScenario]:
    monkeypatch.chdir(tmp_path)
    tryton = {
        "vendor": "tryton",
        "url": tryton_server.url,
        "database": CHATTING,
        "user": "dingbot",
        "password": PASSWORDS["dingbot"],
        "approvers": PASSWORDS,
        "cache_seconds": 0,
        # A server that runs beside other tests may be slow; none of these tests is about that.
        "timeout": 60,
        "write_timeout": 60,
    }
    changes: dict[str, Any] = {
        "erp": {"tryton": ErpSettings.model_validate(tryton)},
        "index": {"enabled": False},
        "access": {
            "directory": True,
            "roles": {"approver": frozenset(ACCOUNTS)},
            "accounts": {person: {"tryton": account} for person, account in ACCOUNTS.items()},
        },
        "approvals": {"groups": (BUYING,), "group_cards": "waiting", "backlog": True},
        "outbox": {"per_second": 1000, "place_minute": 1000},
    }

    def clock() -> datetime:
        return datetime.now(UTC)

    async with run_system(tmp_path, clock=clock, **changes) as system:
        scenario = ApprovalScenario(system, clock, tmp_path)
        await scenario.poll_pending()
        yield scenario


async def _purchase(plain: PlainClient, number: str) -> dict[str, Any]:
    return await asyncio.to_thread(plain.one, "purchase.purchase", number, "id", "state")


async def _steps(plain: PlainClient, purchase_id: int) -> list[tuple[str, str]]:
    """Return who brought an order to which state, from the server's own log."""
    domain = [["resource", "=", f"purchase.purchase,{purchase_id}"], ["event", "=", "transition"]]
    ask = ("ir.model.log.search_read", domain, 0, None, [["id", "ASC"]], ["user.login", "target"])
    rows = await asyncio.to_thread(plain.call, *ask)
    return [(row["user."]["login"], row["target"]) for row in rows if row["target"].startswith("state:")]


async def _notes(plain: PlainClient, purchase_id: int) -> list[tuple[str, str]]:
    domain = [["resource", "=", f"purchase.purchase,{purchase_id}"]]
    rows = await asyncio.to_thread(
        plain.call, "ir.note.search_read", domain, 0, None, None, ["create_uid.login", "message"]
    )
    return [(row["create_uid."]["login"], row["message"]) for row in rows]


async def test_approved_by_a_click(scenario: ApprovalScenario, plain: PlainClient) -> None:
    assert scenario.places(ONE) == sorted([BOSS, MANAGER, BUYING])
    before = await _purchase(plain, ONE)
    seen = await scenario.press(scenario.card(ONE, BUYING), YES, MANAGER)
    assert "已记录，正在通知 ERP。" in plain_text(seen)
    await scenario.assert_ended(ONE, CaseState.APPROVED, "已同意", "赵国强")
    assert (before["state"], (await _purchase(plain, ONE))["state"]) == ("quotation", "processing")
    assert ("manager", "state:processing") in await _steps(plain, before["id"])
    record = [what for what, _ in await scenario.record(ONE)]
    assert record == ["opened", "vote", "decided", "writing", "outcome", "approved"]


async def test_rejected_with_a_reason(scenario: ApprovalScenario, plain: PlainClient) -> None:
    reason = "太贵了, *wirklich* <b>& “too dear”"
    await scenario.ask(f"/reject {OTHER} {reason}", BOSS)
    await scenario.assert_ended(OTHER, CaseState.REJECTED, "已拒绝", "林明川")
    purchase = await _purchase(plain, OTHER)
    assert purchase["state"] == "cancelled"
    assert (await _steps(plain, purchase["id"]))[-1] == ("dingbot", "state:cancelled")
    assert await _notes(plain, purchase["id"]) == [("dingbot", reason)]
    again = await scenario.ask(f"/reject {OTHER} {reason}", MANAGER)
    assert "林明川" in plain_text(again)
    assert len(await _notes(plain, purchase["id"])) == 1


async def test_two_people_are_needed(scenario: ApprovalScenario, plain: PlainClient) -> None:
    """After the first confirmation it is still a quotation; the same person cannot confirm twice."""
    card = scenario.card(LARGE, BUYING)
    await scenario.press(card, YES, BOSS)
    first = await scenario.case(LARGE)
    assert first.state is CaseState.OPEN, "the second is asked for by itself"
    purchase = await _purchase(plain, LARGE)
    assert purchase["state"] == "quotation"
    old = [card_copy for card_copy in scenario.copies(LARGE) if card_copy.view.out_track_id == card.out_track_id]
    assert old
    assert not any(card_copy.decides for card_copy in old)
    assert "还需其他人同意" in old[0].text
    await scenario.press(scenario.card(LARGE, BUYING), YES, BOSS)
    assert (await _purchase(plain, LARGE))["state"] == "quotation", await scenario.record(LARGE)
    await scenario.press(scenario.card(LARGE, MANAGER), YES, MANAGER)
    await scenario.assert_ended(LARGE, CaseState.APPROVED, "已同意")
    for place in (BOSS, MANAGER, BUYING):
        assert "已同意" in plain_text(scenario.card(LARGE, place))
    assert (await _purchase(plain, LARGE))["state"] == "processing"
    assert (await _steps(plain, purchase["id"]))[-1] == ("manager", "state:processing")


async def test_decided_in_tryton_itself(scenario: ApprovalScenario, plain: PlainClient) -> None:
    """The cards follow; a person who clicks then is told so, and nothing more is written."""
    number = "PO-2009"
    purchase = await _purchase(plain, number)
    await asyncio.to_thread(plain.call, "purchase.purchase.confirm", [purchase["id"]])
    before = await _steps(plain, purchase["id"])
    seen = await scenario.press(scenario.card(number, BUYING), NO, MANAGER)
    assert "操作未生效：该单在 ERP 中已不再待审批。" in plain_text(seen)
    await scenario.assert_ended(number, CaseState.DECIDED_ELSEWHERE, "已在 ERP 中同意")
    assert await _steps(plain, purchase["id"]) == before
