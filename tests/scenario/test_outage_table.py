"""What people see while DingTalk, the database or the ERP is away, and that all that is owed has come a minute later.

The table is in docs/explanation/outbox.md. The hours are of the bot's clock; `tests.outbox.test_outages` has what the
outbox does minute by minute.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import aiohttp
import orjson
import pytest
from pydantic import SecretStr

from bot.approvals.case import CaseState
from bot.chat.answers import clicks, unstored
from bot.kit.simulator.chat import SimMessage
from bot.kit.simulator.engine import ClickResult
from bot.settings import AlertSettings, HookSettings
from tests.scenario.alerts.scenario import _SECRET, WAREHOUSE, AlertScenario
from tests.scenario.approvals.scenario import (
    BOSS,
    BUYER,
    LARGE,
    SMALL,
    YES,
    DemoApprovalScenario,
    find_button,
    plain_text,
    run_approval_scenario,
)
from tests.scenario.broken_database import refusing_disk
from tests.scenario.conftest import PATIENCE, POLICY
from tests.scenario.notice_checks import Notice
from tests.scenario.test_outages import NOT_STORED
from tests.scenario.traffic import eventually

LASTS = [timedelta(seconds=10), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=2)]
STEP = timedelta(seconds=5)


class Cause(StrEnum):
    DINGTALK = "DingTalk"
    DATABASE = "database"
    ERP = "ERP"


@dataclass(slots=True)
class Company:
    """A bot with an order that waits for the boss, and what breaks around it."""

    approvals: DemoApprovalScenario
    alerts: AlertScenario
    monkeypatch: pytest.MonkeyPatch
    broken: ExitStack

    def take_away(self, cause: Cause) -> None:
        engine = self.approvals.system.engine
        match cause:
            case Cause.DINGTALK:
                engine.faults.set("html_error", on=True)
                for connection in tuple(engine.pushes.connections.values()):
                    engine.pushes.stop_routing_to(connection)
                    connection.abort()
            case Cause.DATABASE:
                self.broken.enter_context(refusing_disk(sqlite3.SQLITE_FULL, self.monkeypatch))
            case Cause.ERP:
                self.approvals.erp.away = True

    async def give_back(self, cause: Cause) -> None:
        engine = self.approvals.system.engine
        self.broken.close()
        self.approvals.erp.away = False
        engine.faults.clear()
        await eventually(lambda: engine.pushes.connections, hint=lambda: "no stream")

    async def pass_time(self, span: timedelta, steps: int, cause: Cause) -> None:
        """Let the bot do at each step what is due then; it may fail."""
        services = self.approvals.system.app
        for _ in range(steps):
            self.approvals.clock.now += span / steps
            services.alerts.processor.poke()
            services.alerts.outbox.poke()
            services.approvals.writeback.poke()
            if cause is not Cause.DATABASE:  # what was sent waits there until it can be stored
                await services.alerts.outbox.idle()

    async def work(self) -> None:
        """Wait until the bot has done all that it tries at this time of its clock."""
        file = self.approvals.folder / "demo" / "dingerp.sqlite3"
        with closing(sqlite3.connect(file, timeout=5)) as connection:

            def rest() -> dict[str, int]:
                self.approvals.system.app.alerts.processor.poke()
                self.approvals.system.app.alerts.outbox.poke()
                self.approvals.system.app.approvals.writeback.poke()
                now = int(self.approvals.clock.now.timestamp() * 1000)
                due = {
                    "events": "SELECT count(*) FROM event WHERE state = 'waiting'",
                    "deliveries": f"SELECT count(*) FROM delivery WHERE state = 'queued' AND next_ms <= {now}",
                    "cases": f"SELECT count(*) FROM approval_case WHERE due_us <= {now * 1000}",
                }
                return {name: connection.execute(query).fetchone()[0] for name, query in due.items()}

            await eventually(lambda: not any(rest().values()), hint=rest)

    async def report_critical(self) -> int:
        """Report a critical event, and return the status of the answer."""
        event = self.alerts.event("custom.fire", "hall 2", id="fire", severity="critical", title="火警")
        body = orjson.dumps([event])
        url = f"http://127.0.0.1:{self.approvals.system.app.port}/hooks/erp"
        async with self.alerts.session.post(url, data=body, headers=self.alerts.signed(body)) as answer:
            return answer.status

    def ask(self) -> SimMessage:
        engine = self.approvals.system.engine
        return engine.say(engine.direct(BUYER).id, BUYER, f"/po {LARGE}")

    async def tap(self) -> ClickResult:
        card = self.approvals.card(SMALL, BOSS)
        token = find_button(card, YES).id
        return await self.approvals.system.engine.click(card.out_track_id, BOSS, params={"id": token})

    def answers(self, message: SimMessage) -> list[str]:
        return [card.title + plain_text(card) for card in self.approvals.system.engine.cards_for(message)]

    @property
    def fires(self) -> list[str]:
        """The cards about the fire in the group of the alerts."""
        return [title for title in self.alerts.titles(WAREHOUSE) if "火警" in title]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clicks, "REDRAW_DELAYS", (0.05,))
    monkeypatch.setattr(unstored, "PATIENCE", 0.05)


@pytest.fixture
def broken() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


async def see_meanwhile(company: Company, cause: Cause, question: SimMessage) -> None:
    """Expect what the table says of the outage itself."""
    tapped = await company.tap()
    erp = company.approvals.erp
    match cause:
        case Cause.DINGTALK:
            # Neither a tap nor a question reaches the bot.
            assert not tapped.ok
            assert (company.answers(question), company.fires) == ([], [])
        case Cause.DATABASE:
            await eventually(lambda: company.answers(question), hint=lambda: "no card")
            assert [NOT_STORED in text for text in company.answers(question)] == [True]
            assert company.fires == []
        case Cause.ERP:
            await eventually(lambda: company.answers(question), hint=lambda: "no card")
            assert [Notice.ERP_DOWN in text for text in company.answers(question)] == [True]
            await eventually(lambda: company.fires, hint=lambda: "no card about the fire")
    assert erp.told == []


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("lasts", LASTS, ids=["10 s", "2 min", "10 min", "2 h"])
@pytest.mark.parametrize("cause", list(Cause))
async def test_what_is_owed_has_come_a_minute_after_the_end(
    cause: Cause, lasts: timedelta, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: ExitStack
) -> None:
    monkeypatch.chdir(tmp_path)
    changes = {
        "alerts": AlertSettings(default_groups=(WAREHOUSE,)),
        "hooks": {"erp": HookSettings(secret=SecretStr(_SECRET))},
    }
    async with (
        run_approval_scenario(tmp_path, SMALL, policy=POLICY, patience=PATIENCE, **changes) as approvals,
        aiohttp.ClientSession() as session,
    ):
        alerts = AlertScenario(approvals.system, approvals.clock, tmp_path, session)
        company = Company(approvals, alerts, monkeypatch, broken)
        company.take_away(cause)
        accepted = await company.report_critical()
        assert accepted == (503 if cause is Cause.DATABASE else 202)
        question = company.ask()
        await see_meanwhile(company, cause, question)
        await company.pass_time(lasts, 20, cause)

        await company.give_back(cause)
        if cause is Cause.DATABASE:  # as every sender does
            assert await company.report_critical() == 202
        for _ in range(12):
            await company.work()
            approvals.clock.now += STEP
        await company.work()
        assert len(company.fires) == 1, company.fires
        if cause is Cause.ERP:  # it was answered, and is asked again
            question = company.ask()
        await eventually(
            lambda: f"采购单 {LARGE}" in "".join(company.answers(question)), hint=lambda: company.answers(question)
        )
        assert approvals.erp.told == []
        await eventually(
            lambda: [copy for copy in approvals.copies(SMALL) if copy.place == BOSS and copy.decides],
            hint=lambda: [copy.text for copy in approvals.copies(SMALL)],
        )
        await approvals.press(approvals.card(SMALL, BOSS), YES, BOSS)
        await approvals.assert_ended(SMALL, CaseState.APPROVED)
        assert await approvals.erp.decisions(SMALL) == [(BOSS, "approve", "")]
