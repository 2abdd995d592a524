"""What is ill while the bot runs: what `/readyz` says, what people see, and that work goes on by itself."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from bot.bootstrap import health
from bot.chat.answers import unstored
from bot.dingtalk import call_troubles
from bot.dingtalk.call_troubles import NEWEST
from bot.kit.simulator.cards import CardInstance
from bot.kit.simulator.chat import SimConversation, SimDelivery
from bot.kit.simulator.config import SimulatorConfig
from bot.outbox import health_reports
from bot.settings import ErpSettings
from tests.scenario.conftest import KEEPER, BotSystem, OpenSystem
from tests.scenario.test_run import get, with_database
from tests.scenario.traffic import LONGEST_WAIT, eventually

CONFIG = SimulatorConfig(qps_limit=None, quota_limit=None, redelivery_delay=0.1, redeliveries=1000)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_EVERY", 0.05)


@pytest.fixture
async def system(open_system: OpenSystem) -> AsyncIterator[BotSystem]:
    async with open_system(CONFIG) as opened:
        await said(opened, lambda body: body["status"] == "ready")
        yield opened


def file_of(system: BotSystem) -> Path:
    return Path(system.app.settings.database.removeprefix("sqlite:///"))


async def said(system: BotSystem, wanted: Callable[[Mapping[str, Any]], bool]) -> tuple[int, Mapping[str, Any]]:
    """Return what `/readyz` says once it says what is wanted; a part that was not yet looked at is well."""
    ends = perf_counter() + LONGEST_WAIT
    while True:
        status, text = await get(system.app.port, "/readyz")
        body = json.loads(text)
        if wanted(body | {"parts": defaultdict(lambda: {"status": "ok", "reason": ""}, body["parts"])}):
            return status, body
        assert perf_counter() < ends, body


async def test_a_lock_that_another_process_holds(system: BotSystem) -> None:
    with closing(sqlite3.connect(file_of(system), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        words = "another process holds the database's lock"
        status, body = await said(system, lambda body: words in body["parts"]["database"]["reason"])
        assert (status, body["status"]) == (503, "not ready")
        other.execute("ROLLBACK")
    assert (await said(system, lambda body: body["status"] == "ready"))[0] == 200


async def test_a_damaged_page(system: BotSystem) -> None:
    file = file_of(system)
    with_database(system, "CREATE TABLE another (id INTEGER)")
    with closing(sqlite3.connect(file)) as database:
        # It is refused while somebody else writes.
        await eventually(
            lambda: database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0,
            hint=lambda: "never truncated",
        )
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'mute'").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    with file.open("rb+") as pages:
        pages.seek((page - 1) * size)
        pages.write(b"\xff" * size)
    status, body = await said(system, lambda body: body["parts"]["pages"]["status"] == "down")
    assert status == 503
    assert "dingerp db restore" in body["parts"]["pages"]["reason"]


async def test_an_erp_that_does_not_answer_is_a_part_that_is_degraded(open_system: OpenSystem) -> None:
    erp = ErpSettings.model_validate({"vendor": "demo", "latency": 30, "timeout": 0.05})
    async with open_system(CONFIG, erp={"demo": erp}) as system:
        await system.ask("/order late +8")
        status, body = await said(system, lambda body: body["status"] == "degraded")
        assert (status, body["parts"]["ERP demo"]["status"]) == (200, "degraded")
        assert body["reasons"] == ["the ERP demo does not answer (Unavailable); what was read before is shown"]


async def test_administrators_are_told_and_told_again_when_all_is_well(
    open_system: OpenSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_reports, "SETTLED", timedelta(0))
    monkeypatch.setattr(health_reports, "PAUSE", timedelta(0))
    rules = {"roles": {"admin": frozenset({"boss01"})}}
    async with open_system(CONFIG, access=rules) as system:
        with_database(system, "ALTER TABLE event RENAME TO event_away")
        status, _ = await said(system, lambda body: body["parts"]["events"]["status"] == "down")
        assert status == 503
        chat = system.engine.direct("boss01")
        (card,) = await shown(chat)
        assert card.view_for("boss01").title == "机器人运行异常"
        assert "事件处理积压" in card.view_for("boss01").markdown
        with_database(system, "ALTER TABLE event_away RENAME TO event")
        await eventually(
            lambda: card.view_for("boss01").title == "机器人已恢复正常", hint=lambda: card.view_for("boss01").title
        )
        assert len(await shown(chat)) == 1, "the same card"


async def shown(chat: SimConversation) -> list[CardInstance]:
    """Return the cards in a chat, once there are some."""

    def cards() -> list[CardInstance]:
        return [item.card for item in chat.items if isinstance(item, SimDelivery)]

    await eventually(cards, hint=lambda: chat.items)
    return cards()


async def test_who_asks_while_nothing_can_be_stored_is_told_so_and_answered_later(
    system: BotSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unstored, "PATIENCE", 0.05)
    with_database(system, "ALTER TABLE inbox RENAME TO inbox_away")
    message = system.engine.say(system.group, "keeper01", "/stock SKU123")
    await system.engine.wait_for(lambda: system.engine.cards_for(message))
    (told,) = system.engine.cards_for(message)
    assert "机器人目前无法保存数据" in told.markdown
    with_database(system, "ALTER TABLE inbox_away RENAME TO inbox")
    await eventually(lambda: len(system.engine.cards_for(message)) == 2, hint=lambda: system.engine.cards_for(message))
    assert system.engine.cards_for(message)[1].title.startswith("SKU123 ")


async def test_calls_that_fail_are_told_since_when_until_most_work_again(
    system: BotSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_troubles, "RECOVERED", 2)
    assert (await said(system, lambda body: True))[1]["parts"]["DingTalk calls"] == {"status": "ok", "reason": ""}
    system.engine.faults.set("api_reset", on=True, api="/card/instances")
    system.engine.say(system.group, KEEPER, "/stock SKU123")
    status, body = await said(system, lambda body: body["parts"]["DingTalk calls"]["status"] == "degraded")
    assert (status, body["status"]) == (200, "degraded")
    first = body["parts"]["DingTalk calls"]["reason"]
    assert first.startswith("calls of DingTalk fail (create_and_deliver since ")
    system.engine.faults.clear()
    assert "SKU123" in (await system.ask("/stock SKU123")).title
    assert (await said(system, lambda body: True))[1]["parts"]["DingTalk calls"]["status"] == "degraded"
    for _ in range(NEWEST):
        await system.ask("/whoami")
    assert (await said(system, lambda body: True))[1]["parts"]["DingTalk calls"]["status"] == "ok"
