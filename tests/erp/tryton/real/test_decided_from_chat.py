"""Decisions and failures with a real Tryton: the server, every card and the record end in the same state.

Each test submits its own order. Those that depend most on the server are in `make test`, the others in `make soak`;
`tests/scenario/approvals` covers the same with the demo company. A plain client that shares no code with the bot reads
the results.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.approvals.case import CaseState
from bot.settings import ErpSettings
from tests.erp.tryton.real.conftest import DECIDING
from tests.erp.tryton.real.flaky_proxy import FlakyProxy, proxy_to
from tests.erp.tryton.real.plain_client import PlainClient
from tests.erp.tryton.server.server_process import TrytonServer
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.scenario import BOSS, FINANCE, MANAGER, NO, YES, ApprovalScenario, plain_text
from tests.scenario.approvals.test_decisions import rule
from tests.scenario.conftest import run_system

pytestmark = [pytest.mark.process, pytest.mark.timeout(360)]

ACCOUNTS = {BOSS: "dingbot", MANAGER: "manager", FINANCE: "readonly"}
PASSWORDS = {"dingbot": "DingBot#2026", "manager": "Manager#2026", "readonly": "ReadOnly#2026"}
_MODEL = "purchase.purchase"


@dataclass(slots=True)
class TrytonApprovalScenario(ApprovalScenario):
    """A scenario with a real Tryton behind a proxy, and an order of the test's own that waits there."""

    plain: PlainClient
    line: FlakyProxy
    offset: list[timedelta]
    order_id: int
    number: str
    holding: bool = field(default=False)

    async def later(self, **span: float) -> None:
        """Let time pass."""
        self.offset[0] += timedelta(**span)
        await self.settle()

    async def tryton(self, method: str, *params: Any) -> Any:
        """Return the result of a plain user's call of the purchase model."""
        return await asyncio.to_thread(self.plain.call, f"{_MODEL}.{method}", *params)

    async def state(self) -> str:
        """Return the order's state on the server."""
        (row,) = await self.tryton("read", [self.order_id], ["state"])
        return str(row["state"])

    async def decided_by(self) -> list[str]:
        """Return the person who decided it, from the server's own log."""
        domain = [["resource", "=", f"{_MODEL},{self.order_id}"], ["event", "=", "transition"]]
        ask = ("ir.model.log.search_read", domain, 0, None, [["id", "ASC"]], ["user.login", "target"])
        rows = await asyncio.to_thread(self.plain.call, *ask)
        ends = ("state:processing", "state:cancelled")
        return [row["user."]["login"] for row in rows if row["target"] in ends]

    async def reasons(self) -> list[str]:
        """Return the order's notes."""
        ask = ("ir.note.search_read", [["resource", "=", f"{_MODEL},{self.order_id}"]], 0, None, None, ["message"])
        return [row["message"] for row in await asyncio.to_thread(self.plain.call, *ask)]

    async def still_waits(self) -> None:
        """Expect that nothing was decided anywhere."""
        assert (await self.case(self.number)).state is CaseState.OPEN, await self.record(self.number)
        assert (await self.state(), await self.decided_by()) == ("quotation", [])

    @property
    def is_holding_answer(self) -> bool:
        return self.holding


OpenHall = Callable[..., AbstractAsyncContextManager[TrytonApprovalScenario]]


@pytest.fixture
def open_hall(tryton_server: TrytonServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenHall:
    """Returns a function that opens a scenario: ``open_hall(rules="…")``. Without rules, the boss and the purchasing
    manager decide."""
    monkeypatch.chdir(tmp_path)

    @asynccontextmanager
    async def open_hall(
        rules: str = "", approvers: tuple[str, ...] = (BOSS, MANAGER), groups: tuple[str, ...] = (BUYING,), **more: Any
    ) -> AsyncIterator[TrytonApprovalScenario]:
        plain = await asyncio.to_thread(PlainClient, tryton_server.url, DECIDING, "admin", "Admin#2026")
        file = tmp_path / "approvals.toml"
        file.write_text(rules or rule(f'{{any = ["person:{BOSS}", "person:{MANAGER}"]}}'))
        offset = [timedelta()]

        def clock() -> datetime:
            return datetime.now(UTC) + offset[0]

        async with proxy_to(tryton_server.url) as line:
            changes = _changes(line.url, file, approvers, groups, more)
            async with run_system(tmp_path, clock=clock, **changes) as system:
                # Orders that waited before do not matter here, and reading them takes the server seconds each time.
                await ApprovalScenario(system, clock, tmp_path).poll_pending()
                order_id, number = await asyncio.to_thread(_submit, plain)
                scenario = TrytonApprovalScenario(system, clock, tmp_path, plain, line, offset, order_id, number)
                await scenario.poll_pending()
                yield scenario

    return open_hall


def _submit(plain: PlainClient) -> tuple[int, str]:
    """Submit a copy of an order of the company."""
    (model,) = plain.call(f"{_MODEL}.search_read", [["number", "=", "PO-2007"]], 0, 1, None, ["id"])
    (order_id,) = plain.call(f"{_MODEL}.copy", [model["id"]], {})
    plain.call(f"{_MODEL}.quote", [order_id])
    (row,) = plain.call(f"{_MODEL}.read", [order_id], ["number", "state"])
    assert row["state"] == "quotation"
    return order_id, str(row["number"])


def _changes(
    url: str, file: Path, approvers: tuple[str, ...], groups: tuple[str, ...], approvals: dict[str, Any]
) -> dict[str, Any]:
    tryton = {
        "vendor": "tryton",
        "url": url,
        "database": DECIDING,
        "user": "dingbot",
        "password": PASSWORDS["dingbot"],
        "approvers": PASSWORDS,
        "cache_seconds": 0,
        "breaker_failures": 0,
        # A server that runs beside other tests may be slow.
        "timeout": 60,
        "write_timeout": 60,
    }
    return {
        "erp": {"tryton": ErpSettings.model_validate(tryton)},
        "index": {"enabled": False},
        "access": {
            "directory": True,
            "roles": {"approver": frozenset(approvers)},
            "accounts": {person: {"tryton": account} for person, account in ACCOUNTS.items()},
        },
        "approvals": {"groups": groups, "group_cards": "waiting", "backlog": False, "rules": file, **approvals},
        "outbox": {"per_second": 1000, "place_minute": 1000},
    }


@pytest.mark.soak
async def test_rejected_with_a_quick_reason(open_hall: OpenHall) -> None:
    async with open_hall() as scenario:
        asked = await scenario.press(scenario.card(scenario.number, BUYING), NO, BOSS)
        assert await scenario.state() == "quotation", "a reason is needed first"
        quick = next(button for button in asked.buttons if button.id.startswith(NO) and button.id.endswith("|p"))
        await scenario.press(asked, quick.id, BOSS)
        await scenario.assert_ended(scenario.number, CaseState.REJECTED, "已拒绝", "林明川", "价格过高")
        assert (await scenario.state(), await scenario.decided_by()) == ("cancelled", ["dingbot"])
        assert await scenario.reasons() == ["价格过高"]


@pytest.mark.soak
async def test_two_levels_and_all_of_one_are_one_word_to_the_server(open_hall: OpenHall) -> None:
    levels = f'{{any = ["person:{BOSS}"]}}, {{all = ["person:{MANAGER}"]}}'
    async with open_hall(rules=rule(levels)) as scenario:
        await scenario.press(scenario.card(scenario.number, BOSS), YES, BOSS)
        assert (await scenario.state(), scenario.line.writes) == ("quotation", 0)
        await scenario.press(scenario.card(scenario.number, MANAGER), YES, MANAGER)
        await scenario.assert_ended(scenario.number, CaseState.APPROVED, "赵国强")
        assert (await scenario.decided_by(), scenario.line.writes) == (["manager"], 1)


async def test_changed_since_it_was_shown(open_hall: OpenHall) -> None:
    async with open_hall() as scenario:
        old = scenario.card(scenario.number, BUYING)
        await scenario.tryton("draft", [scenario.order_id])
        await scenario.tryton("write", [scenario.order_id], {"delivery_date": None, "description": "changed"})
        lines = (await scenario.tryton("read", [scenario.order_id], ["lines"]))[0]["lines"]
        await asyncio.to_thread(scenario.plain.call, "purchase.line.write", [lines[0]], {"quantity": 7})
        await scenario.tryton("quote", [scenario.order_id])
        seen = await scenario.press(old, YES, BOSS)
        assert "单据已变更，请核对后再审批。" in plain_text(seen)
        assert (await scenario.state(), scenario.line.writes) == ("quotation", 0)
        fresh = scenario.card(scenario.number, BUYING)
        assert fresh.out_track_id != old.out_track_id
        await scenario.press(fresh, YES, BOSS)
        assert (await scenario.case(scenario.number)).state is CaseState.APPROVED
        assert await scenario.decided_by() == ["dingbot"]


@pytest.mark.soak
async def test_confirmed_in_tryton_just_before_the_click(open_hall: OpenHall) -> None:
    async with open_hall() as scenario:
        await scenario.tryton("confirm", [scenario.order_id])
        seen = await scenario.press(scenario.card(scenario.number, BUYING), NO, BOSS)
        await scenario.assert_ended(scenario.number, CaseState.DECIDED_ELSEWHERE, "已在 ERP 中同意")
        assert "操作未生效：该单在 ERP 中已不再待审批。" in plain_text(seen)
        assert (await scenario.decided_by(), scenario.line.writes) == (["admin"], 0)


@pytest.mark.soak
async def test_cut_off_and_back(open_hall: OpenHall) -> None:
    async with open_hall() as scenario:
        card = scenario.card(scenario.number, BUYING)
        scenario.line.cut = True
        seen = await scenario.press(card, YES, BOSS)
        assert "ERP" in plain_text(seen)
        scenario.line.cut = False
        await scenario.still_waits()
        await scenario.press(card, YES, BOSS)
        await scenario.assert_ended(scenario.number, CaseState.APPROVED, "林明川")
        assert (await scenario.decided_by(), scenario.line.writes) == (["dingbot"], 1)


@pytest.mark.soak
async def test_cut_off_after_the_click_and_back(open_hall: OpenHall) -> None:
    async with open_hall(undo_seconds=2.0) as scenario:
        await scenario.press(scenario.card(scenario.number, BUYING), YES, BOSS)
        scenario.line.cut = True
        await scenario.later(seconds=5)
        assert (await scenario.case(scenario.number)).state is CaseState.WRITING
        scenario.line.cut = False
        await scenario.later(minutes=5)
        await scenario.assert_ended(scenario.number, CaseState.APPROVED, "林明川")
        assert (await scenario.decided_by(), scenario.line.writes) == (["dingbot"], 1)


@pytest.mark.soak
async def test_an_answer_that_takes_15_seconds(open_hall: OpenHall) -> None:
    async with open_hall() as scenario:
        scenario.line.slow_seconds, scenario.holding = 15.0, True
        seen = await scenario.press(scenario.card(scenario.number, BUYING), YES, BOSS)
        assert "已记录，正在通知 ERP。" in plain_text(seen)
        await scenario.line.written(1)
        late = await scenario.press(scenario.card(scenario.number, MANAGER), NO, MANAGER)
        assert "林明川" in plain_text(late)
        scenario.holding = False
        await scenario.settle()
        await scenario.assert_ended(scenario.number, CaseState.APPROVED, "林明川")
        assert (await scenario.decided_by(), scenario.line.writes) == (["dingbot"], 1)


async def test_the_answer_gets_lost_after_the_work_was_done(open_hall: OpenHall) -> None:
    async with open_hall() as scenario:
        scenario.line.loses_answers = True
        await scenario.press(scenario.card(scenario.number, BUYING), YES, BOSS)
        assert (await scenario.case(scenario.number)).state in (CaseState.UNKNOWN, CaseState.APPROVED)
        await scenario.later(minutes=5)
        await scenario.assert_ended(scenario.number, CaseState.APPROVED, "林明川")
        assert (await scenario.decided_by(), scenario.line.writes) == (["dingbot"], 1)


@pytest.mark.soak
async def test_whom_tryton_gives_no_right_leaves_it_to_the_others(open_hall: OpenHall) -> None:
    either = f'{{any = ["person:{FINANCE}", "person:{BOSS}"]}}'
    async with open_hall(rules=rule(either), approvers=(BOSS, FINANCE)) as scenario:
        await scenario.press(scenario.card(scenario.number, FINANCE), YES, FINANCE)
        await scenario.still_waits()
        assert ("erp_refused", FINANCE) in await scenario.record(scenario.number)
        await scenario.press(scenario.card(scenario.number, BOSS), YES, BOSS)
        await scenario.assert_ended(scenario.number, CaseState.APPROVED, "林明川")
        assert await scenario.decided_by() == ["dingbot"]
