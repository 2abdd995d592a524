"""The database comes back without what was written last: that is said, and no card goes on waiting for a decision.

The file is put back as it was before the cards were shown, as after a lost log of SQLite or an old backup.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import RunningSimulator, open_simulator
from bot.outbox import health_reports
from bot.settings import AlertSettings, HookSettings
from tests.scenario.alerts.scenario import _SECRET, START, WAREHOUSE, AlertScenario
from tests.scenario.alerts.test_top_boxes import tops
from tests.scenario.approvals.scenario import (
    BOSS,
    SMALL,
    YES,
    CardCopy,
    DemoApprovalScenario,
    plain_text,
    run_approval_scenario,
)
from tests.scenario.approvals.test_todos import on_list
from tests.scenario.test_trouble import said
from tests.scenario.traffic import LONGEST_WAIT, eventually

ADMINISTRATOR = "it01"
OVER = "此卡片已不再更新"


@asynccontextmanager
async def company(
    folder: Path, simulator: RunningSimulator, *numbers: str, later: timedelta = timedelta(0), **more: Any
) -> AsyncIterator[tuple[DemoApprovalScenario, AlertScenario]]:
    """Start the bot so much later than `START`, with these orders waiting in the ERP."""
    changes: dict[str, Any] = {
        "alerts": AlertSettings(default_groups=(WAREHOUSE,)),
        "hooks": {"erp": HookSettings(secret=SecretStr(_SECRET))},
        "access": {
            "directory": True,
            "roles": {"approver": frozenset({BOSS}), "admin": frozenset({ADMINISTRATOR})},
            "accounts": {BOSS: {"demo": BOSS}},
        },
        **more,
    }
    async with (
        run_approval_scenario(folder, *numbers, simulator=simulator, begins=START + later, **changes) as approvals,
        aiohttp.ClientSession() as session,
    ):
        yield approvals, AlertScenario(approvals.system, approvals.clock, folder, session)


async def keep_empty(folder: Path, simulator: RunningSimulator, database: Path) -> None:
    """Keep the database of a bot that has shown nothing yet, and let the ERP begin anew."""
    async with company(folder, simulator):
        pass
    shutil.copy(database, folder / "before")
    for file in database.parent.glob("erp-*"):
        file.unlink()


def bring_back(folder: Path, database: Path) -> None:
    """Put the kept database in the place of the newer one, of which nothing may be left beside it."""
    for file in database.parent.glob(f"{database.name}-*"):
        file.unlink()
    shutil.copy(folder / "before", database)


@pytest.fixture
async def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningSimulator]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(health_reports, "SETTLED", timedelta(0))
    config = SimulatorConfig(qps_limit=None, click_timeout=LONGEST_WAIT)
    async with open_simulator(config) as opened:
        yield opened


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "demo" / "dingerp.sqlite3"


async def test_cards_that_the_database_does_not_know(
    tmp_path: Path, database: Path, simulator: RunningSimulator
) -> None:
    await keep_empty(tmp_path, simulator, database)
    async with company(tmp_path, simulator, SMALL, later=timedelta(minutes=1)) as (approvals, alerts):
        await alerts.post(alerts.low("SKU123"))
        assert [copy.decides for copy in approvals.copies(SMALL)] == [True, True]
        assert len(alerts.cards(WAREHOUSE)) == 1
    bring_back(tmp_path, database)

    # Meanwhile the order was decided in the ERP, so nothing makes its case known again.
    async with company(tmp_path, simulator, later=timedelta(minutes=5)) as (approvals, alerts):
        status, body = await said(approvals.system, lambda body: body["status"] == "degraded")
        assert status == 200
        reason = body["parts"]["last writes"]["reason"]
        assert reason.startswith("what was written from "), reason
        assert "the cards of that time (3)" in reason
        await alerts.post(alerts.low("SKU123"))
        # A tap before the review decides nothing, and is answered with what is known now.
        old = next(copy.view for copy in approvals.copies(SMALL) if copy.decides)
        tapped = await approvals.press(old, YES, BOSS)
        assert "待审批" not in plain_text(tapped), plain_text(tapped)
        assert approvals.erp.told == []
        await approvals.at("8m")
        cards = approvals.system.engine.cards
        texts = [plain_text(card.view_for(BOSS)) for card in cards]
        assert not any("待审批" in text for text in texts), texts
        # Of two cards about one alert, one says that it is over.
        first, second = alerts.cards(WAREHOUSE)
        assert (first.title, OVER in second.title) == (OVER, False)
        told = alerts.cards(ADMINISTRATOR, ADMINISTRATOR)
        await eventually(lambda: alerts.cards(ADMINISTRATOR), hint=lambda: told)
        assert "数据库丢失了最近写入的数据" in alerts.cards(ADMINISTRATOR)[-1].markdown
        await approvals.at("30h")
        assert (await said(approvals.system, lambda body: body["status"] == "ready"))[0] == 200


async def test_an_order_that_still_waits_has_its_card_back(
    tmp_path: Path, database: Path, simulator: RunningSimulator
) -> None:
    await keep_empty(tmp_path, simulator, database)
    async with company(tmp_path, simulator, SMALL, later=timedelta(minutes=1)) as (approvals, _):
        shown = [copy.view.out_track_id for copy in approvals.copies(SMALL)]
    bring_back(tmp_path, database)
    async with company(tmp_path, simulator, SMALL, later=timedelta(minutes=5)) as (approvals, _):
        await approvals.at("8m")
        copies: list[CardCopy] = approvals.copies(SMALL)
        assert [copy.view.out_track_id for copy in copies] == shown, "no second card"
        await approvals.press(approvals.card(SMALL, BOSS), YES, BOSS)
        assert await approvals.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        assert not any(copy.decides for copy in approvals.copies(SMALL))


MARKED: dict[str, Any] = {"notify": {"todo": True, "top_box": True}}


async def test_a_to_do_and_a_box_that_the_database_does_not_know_go(
    tmp_path: Path, database: Path, simulator: RunningSimulator
) -> None:
    await keep_empty(tmp_path, simulator, database)
    async with company(tmp_path, simulator, SMALL, later=timedelta(minutes=1), **MARKED) as (approvals, alerts):
        await alerts.post(alerts.low("SKU123", severity="critical"))
        assert on_list(approvals, BOSS) == [(SMALL, False)]
        assert len(tops(alerts)) == 1
    bring_back(tmp_path, database)

    # Meanwhile the order was decided in the ERP, and the alert is over: neither makes itself known again.
    async with company(tmp_path, simulator, later=timedelta(minutes=5), **MARKED) as (approvals, alerts):
        await approvals.at("8m")
        assert on_list(approvals, BOSS) == []
        assert tops(alerts) == []


async def test_a_to_do_and_a_box_of_what_still_stands_are_single(
    tmp_path: Path, database: Path, simulator: RunningSimulator
) -> None:
    await keep_empty(tmp_path, simulator, database)
    async with company(tmp_path, simulator, SMALL, later=timedelta(minutes=1), **MARKED) as (approvals, alerts):
        await alerts.post(alerts.low("SKU123", severity="critical"))
    bring_back(tmp_path, database)
    async with company(tmp_path, simulator, SMALL, later=timedelta(minutes=5), **MARKED) as (approvals, alerts):
        await alerts.post(alerts.low("SKU123", severity="critical"))
        await approvals.at("8m")
        assert on_list(approvals, BOSS) == [(SMALL, False)]
        assert len(tops(alerts)) == 1
        await approvals.press(approvals.card(SMALL, BOSS), YES, BOSS)
        await alerts.post(alerts.low("SKU123", "200"))
        assert on_list(approvals, BOSS) == [(SMALL, True)]
        assert tops(alerts) == []


async def test_nothing_was_lost(tmp_path: Path, simulator: RunningSimulator) -> None:
    async with company(tmp_path, simulator, SMALL) as (approvals, _):
        calls = len(approvals.copies(SMALL))
    async with company(tmp_path, simulator, SMALL, later=timedelta(hours=5)) as (approvals, _):
        status, body = await said(approvals.system, lambda body: body["status"] == "ready")
        assert (status, body["parts"]["last writes"]["status"]) == (200, "ok")
        assert len(approvals.copies(SMALL)) == calls
