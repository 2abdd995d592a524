"""Every way and every trouble of deciding, with a real Tryton: the server, each card and the record end alike.

Each test submits an order of its own. Those in which most depends on the server are in `make test`, the others in
`make soak`; the demo company goes through the same in `tests/scenario/approvals`. What came of it is read by a plain
client that shares nothing with the bot.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from bot.approvals.case import CaseState
from bot.settings import ErpSettings
from bot.simulator.pushes import Push, Pushes
from tests.erp.tryton.real.conftest import DECIDING
from tests.erp.tryton.real.line import Line, line_to
from tests.erp.tryton.real.plain import PlainClient
from tests.erp.tryton.server.running import TrytonServer
from tests.scenario.alerts.axis import BUYING, WAREHOUSE
from tests.scenario.approvals.docket import BOSS, FINANCE, MANAGER, NO, PASS, YES, Hall, words
from tests.scenario.approvals.test_ways import rule
from tests.scenario.conftest import OUTSIDER, town_in

pytestmark = [pytest.mark.process, pytest.mark.timeout(360)]

ACCOUNTS = {BOSS: "dingbot", MANAGER: "manager", FINANCE: "readonly"}
PASSWORDS = {"dingbot": "DingBot#2026", "manager": "Manager#2026", "readonly": "ReadOnly#2026"}
_MODEL = "purchase.purchase"


@dataclass(slots=True)
class TrytonHall(Hall):
    """A hall with a real Tryton behind a line, and one order of the test's own that waits there."""

    plain: PlainClient
    line: Line
    offset: list[timedelta]
    order_id: int
    number: str
    holding: bool = field(default=False)

    async def later(self, **span: float) -> None:
        """Let time pass."""
        self.offset[0] += timedelta(**span)
        await self.settle()

    async def tryton(self, method: str, *params: Any) -> Any:
        """Return what a plain user's call of the purchase model brings."""
        return await asyncio.to_thread(self.plain.call, f"{_MODEL}.{method}", *params)

    async def state(self) -> str:
        """Return the order's state as the server has it."""
        (row,) = await self.tryton("read", [self.order_id], ["state"])
        return str(row["state"])

    async def decided_by(self) -> list[str]:
        """Return who brought it to an end, as the server's own log has it."""
        domain = [["resource", "=", f"{_MODEL},{self.order_id}"], ["event", "=", "transition"]]
        ask = ("ir.model.log.search_read", domain, 0, None, [["id", "ASC"]], ["user.login", "target"])
        rows = await asyncio.to_thread(self.plain.call, *ask)
        ends = ("state:processing", "state:cancelled")
        return [row["user."]["login"] for row in rows if row["target"] in ends]

    async def reasons(self) -> list[str]:
        """Return the notes on it."""
        ask = ("ir.note.search_read", [["resource", "=", f"{_MODEL},{self.order_id}"]], 0, None, None, ["message"])
        return [row["message"] for row in await asyncio.to_thread(self.plain.call, *ask)]

    async def still_waits(self) -> None:
        """Expect that nothing was decided anywhere."""
        assert (await self.case(self.number)).state is CaseState.OPEN, await self.record(self.number)
        assert (await self.state(), await self.decided_by()) == ("quotation", [])

    @property
    def holds_an_answer(self) -> bool:
        return self.holding


OpenHall = Callable[..., AbstractAsyncContextManager[TrytonHall]]


@pytest.fixture
def open_hall(tryton_server: TrytonServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenHall:
    """Return what opens a hall: ``open_hall(rules="…")``. Without rules the boss and the purchasing manager decide."""
    monkeypatch.chdir(tmp_path)

    @asynccontextmanager
    async def open_hall(
        rules: str = "", approvers: tuple[str, ...] = (BOSS, MANAGER), groups: tuple[str, ...] = (BUYING,), **more: Any
    ) -> AsyncIterator[TrytonHall]:
        plain = await asyncio.to_thread(PlainClient, tryton_server.url, DECIDING, "admin", "Admin#2026")
        file = tmp_path / "approvals.toml"
        file.write_text(rules or rule(f'{{any = ["person:{BOSS}", "person:{MANAGER}"]}}'))
        offset = [timedelta()]

        def clock() -> datetime:
            return datetime.now(UTC) + offset[0]

        async with line_to(tryton_server.url) as line:
            changes = _changes(line.url, file, approvers, groups, more)
            async with town_in(tmp_path, clock=clock, **changes) as town:
                # What waited before is no affair of this bot: to read all of it costs the server seconds each time.
                await Hall(town, clock, tmp_path).look_round()
                order_id, number = await asyncio.to_thread(_submit, plain)
                hall = TrytonHall(town, clock, tmp_path, plain, line, offset, order_id, number)
                await hall.look_round()
                yield hall

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
        # A server that runs beside other tests may take its time.
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
        "approvals": {"groups": groups, "backlog": False, "rules": file, **approvals},
        "outbox": {"per_second": 1000, "place_minute": 1000},
    }


@pytest.mark.soak
async def test_rejected_with_a_quick_reason(open_hall: OpenHall) -> None:
    async with open_hall() as hall:
        asked = await hall.press(hall.card(hall.number, BUYING), NO, BOSS)
        assert await hall.state() == "quotation", "a reason is needed first"
        quick = next(one for one in asked.buttons if one.id.startswith(NO) and one.id.endswith("|p"))
        await hall.press(asked, quick.id, BOSS)
        await hall.ends(hall.number, CaseState.REJECTED, "已驳回", "林明川", "价格过高")
        assert (await hall.state(), await hall.decided_by()) == ("cancelled", ["dingbot"])
        assert await hall.reasons() == ["价格过高"]


@pytest.mark.soak
async def test_rejected_with_the_next_message(open_hall: OpenHall) -> None:
    async with open_hall() as hall:
        asked = await hall.press(hall.card(hall.number, MANAGER), NO, MANAGER)
        own = next(one for one in asked.buttons if one.id.endswith("|o"))
        await hall.press(asked, own.id, MANAGER)
        await hall.ask("请再谈", MANAGER)
        await hall.ends(hall.number, CaseState.REJECTED, "已驳回", "赵国强")
        assert (await hall.decided_by(), await hall.reasons()) == (["manager"], ["请再谈"])


@pytest.mark.soak
async def test_passed_on(open_hall: OpenHall) -> None:
    async with open_hall(rules=rule(f'{{any = ["person:{MANAGER}"]}}')) as hall:
        choice = await hall.press(hall.card(hall.number, BUYING), PASS, MANAGER)
        boss = next(one.id for one in choice.buttons if one.id.startswith(PASS) and one.id.endswith(f"|{BOSS}"))
        await hall.press(choice, boss, MANAGER)
        await hall.press(hall.card(hall.number, BOSS), YES, BOSS)
        await hall.ends(hall.number, CaseState.APPROVED, "林明川")
        assert await hall.decided_by() == ["dingbot"]
        assert ("forwarded", MANAGER) in await hall.record(hall.number)


@pytest.mark.soak
async def test_two_levels_and_all_of_one_are_one_word_to_the_server(open_hall: OpenHall) -> None:
    levels = f'{{any = ["person:{BOSS}"]}}, {{all = ["person:{MANAGER}"]}}'
    async with open_hall(rules=rule(levels)) as hall:
        await hall.press(hall.card(hall.number, BOSS), YES, BOSS)
        assert (await hall.state(), hall.line.writes) == ("quotation", 0)
        await hall.press(hall.card(hall.number, MANAGER), YES, MANAGER)
        await hall.ends(hall.number, CaseState.APPROVED, "赵国强")
        assert (await hall.decided_by(), hall.line.writes) == (["manager"], 1)


@pytest.mark.soak
async def test_all_have_to_agree(open_hall: OpenHall) -> None:
    async with open_hall(rules=rule(f'{{all = ["person:{MANAGER}", "person:{BOSS}"]}}')) as hall:
        for _ in range(2):
            await hall.press(hall.card(hall.number, BUYING), YES, MANAGER)
            await hall.still_waits()
        await hall.press(hall.card(hall.number, BUYING), YES, BOSS)
        await hall.ends(hall.number, CaseState.APPROVED, "林明川")
        assert await hall.decided_by() == ["dingbot"]


@pytest.mark.soak
async def test_a_substitute_decides_under_their_own_account(open_hall: OpenHall) -> None:
    today = datetime.now(UTC).date()
    days = f"from = {today - timedelta(days=1)}\nuntil = {today + timedelta(days=1)}"
    away = f'[[substitutes]]\nperson = "{MANAGER}"\nby = "{BOSS}"\n{days}'
    async with open_hall(rules=rule(f'{{any = ["person:{MANAGER}"]}}', away)) as hall:
        await hall.press(hall.card(hall.number, BOSS), YES, BOSS)
        await hall.ends(hall.number, CaseState.APPROVED, "林明川")
        assert await hall.decided_by() == ["dingbot"]
        assert (await hall.case(hall.number)).votes[0].on_behalf_of == MANAGER


@pytest.mark.soak
async def test_nothing_is_decided_by_time_alone(open_hall: OpenHall) -> None:
    time = 'deadline = "1d"\non_expiry = "close"'
    async with open_hall(rules=rule(f'{{any = ["person:{BOSS}"]}}', time)) as hall:
        await hall.later(days=1, minutes=1)
        await hall.ends(hall.number, CaseState.EXPIRED, "已过期")
        await hall.ask(f"/approve {hall.number}", BOSS)
        assert (await hall.state(), hall.line.writes) == ("quotation", 0)


async def test_changed_since_it_was_shown(open_hall: OpenHall) -> None:
    async with open_hall() as hall:
        old = hall.card(hall.number, BUYING)
        await hall.tryton("draft", [hall.order_id])
        await hall.tryton("write", [hall.order_id], {"delivery_date": None, "description": "changed"})
        lines = (await hall.tryton("read", [hall.order_id], ["lines"]))[0]["lines"]
        await asyncio.to_thread(hall.plain.call, "purchase.line.write", [lines[0]], {"quantity": 7})
        await hall.tryton("quote", [hall.order_id])
        seen = await hall.press(old, YES, BOSS)
        assert "未记录：您看过之后单据已变更。" in words(seen)
        assert (await hall.state(), hall.line.writes) == ("quotation", 0)
        fresh = hall.card(hall.number, BUYING)
        assert fresh.out_track_id != old.out_track_id
        await hall.press(fresh, YES, BOSS)
        assert (await hall.case(hall.number)).state is CaseState.APPROVED
        assert await hall.decided_by() == ["dingbot"]


@pytest.mark.soak
async def test_confirmed_in_tryton_just_before_the_click(open_hall: OpenHall) -> None:
    async with open_hall() as hall:
        await hall.tryton("confirm", [hall.order_id])
        seen = await hall.press(hall.card(hall.number, BUYING), NO, BOSS)
        await hall.ends(hall.number, CaseState.DECIDED_ELSEWHERE, "已在 ERP 中批准")
        assert "未记录：它在 ERP 中已不再待审批。" in words(seen)
        assert (await hall.decided_by(), hall.line.writes) == (["admin"], 0)


@pytest.mark.soak
async def test_cut_off_and_back(open_hall: OpenHall) -> None:
    async with open_hall() as hall:
        card = hall.card(hall.number, BUYING)
        hall.line.cut = True
        seen = await hall.press(card, YES, BOSS)
        assert "ERP" in words(seen)
        hall.line.cut = False
        await hall.still_waits()
        await hall.press(card, YES, BOSS)
        await hall.ends(hall.number, CaseState.APPROVED, "林明川")
        assert (await hall.decided_by(), hall.line.writes) == (["dingbot"], 1)


async def test_cut_off_after_the_click_and_back(open_hall: OpenHall) -> None:
    async with open_hall(undo_seconds=2.0) as hall:
        await hall.press(hall.card(hall.number, BUYING), YES, BOSS)
        hall.line.cut = True
        await hall.later(seconds=5)
        assert (await hall.case(hall.number)).state is CaseState.WRITING
        hall.line.cut = False
        await hall.later(minutes=5)
        await hall.ends(hall.number, CaseState.APPROVED, "林明川")
        assert (await hall.decided_by(), hall.line.writes) == (["dingbot"], 1)


@pytest.mark.soak
async def test_an_answer_that_takes_15_seconds(open_hall: OpenHall) -> None:
    async with open_hall() as hall:
        hall.line.slow_seconds, hall.holding = 15.0, True
        seen = await hall.press(hall.card(hall.number, BUYING), YES, BOSS)
        assert "已记录，正在通知 ERP。" in words(seen)
        await hall.line.written(1)
        late = await hall.press(hall.card(hall.number, MANAGER), NO, MANAGER)
        assert "林明川" in words(late)
        hall.holding = False
        await hall.settle()
        await hall.ends(hall.number, CaseState.APPROVED, "林明川")
        assert (await hall.decided_by(), hall.line.writes) == (["dingbot"], 1)


async def test_the_answer_gets_lost_after_the_work_was_done(open_hall: OpenHall) -> None:
    async with open_hall() as hall:
        hall.line.loses_answers = True
        await hall.press(hall.card(hall.number, BUYING), YES, BOSS)
        assert (await hall.case(hall.number)).state in (CaseState.UNKNOWN, CaseState.APPROVED)
        await hall.later(minutes=5)
        await hall.ends(hall.number, CaseState.APPROVED, "林明川")
        assert (await hall.decided_by(), hall.line.writes) == (["dingbot"], 1)


async def test_whom_tryton_gives_no_right_leaves_it_to_the_others(open_hall: OpenHall) -> None:
    either = f'{{any = ["person:{FINANCE}", "person:{BOSS}"]}}'
    async with open_hall(rules=rule(either), approvers=(BOSS, FINANCE)) as hall:
        await hall.press(hall.card(hall.number, FINANCE), YES, FINANCE)
        await hall.still_waits()
        assert ("erp_refused", FINANCE) in await hall.record(hall.number)
        await hall.press(hall.card(hall.number, BOSS), YES, BOSS)
        await hall.ends(hall.number, CaseState.APPROVED, "林明川")
        assert await hall.decided_by() == ["dingbot"]


@pytest.mark.soak
async def test_who_has_no_account_in_tryton(open_hall: OpenHall) -> None:
    async with open_hall(approvers=(BOSS, "it01")) as hall:
        seen = await hall.press(hall.card(hall.number, BUYING), YES, "it01")
        assert "您在“tryton”中没有账号。" in words(seen)
        await hall.still_waits()


@pytest.mark.soak
async def test_an_outsider_and_a_forwarded_card(open_hall: OpenHall) -> None:
    async with open_hall(groups=(WAREHOUSE,)) as hall:
        await hall.press(hall.card(hall.number, WAREHOUSE), YES, OUTSIDER)
        await hall.still_waits()
        chat, own = hall.town.engine.chat, hall.card(hall.number, BOSS)
        instance = hall.town.engine.cards.get(own.out_track_id)
        assert instance is not None
        chat.place(chat.conversations[WAREHOUSE], instance, carrier_id="forwarded", recipients=None)
        for who in ("keeper01", OUTSIDER):
            assert "这张卡片在别人的会话里。" in words(await hall.press(own, YES, who))
        await hall.still_waits()
        await hall.press(own, YES, BOSS, where=WAREHOUSE)
        await hall.ends(hall.number, CaseState.APPROVED, "林明川")
        assert (await hall.decided_by(), hall.line.writes) == (["dingbot"], 1)


@pytest.mark.soak
async def test_a_callback_that_comes_again(open_hall: OpenHall) -> None:
    frames: list[Push] = []
    push = Pushes.push

    def kept(self: Pushes, frame: Push) -> object:
        frames.append(frame)
        return push(self, frame)

    async with open_hall() as hall:
        with patch.object(Pushes, "push", kept):
            await hall.press(hall.card(hall.number, BUYING), YES, BOSS)
        (click,) = [frame for frame in frames if frame.done is not None]
        for _ in range(2):
            done = asyncio.get_running_loop().create_future()
            hall.town.engine.pushes.push(Push(type=click.type, topic=click.topic, data=click.data, done=done))
            assert isinstance(await asyncio.wait_for(done, 20), dict)
            await hall.settle()
        await hall.ends(hall.number, CaseState.APPROVED, "林明川")
        assert (await hall.decided_by(), hall.line.writes) == (["dingbot"], 1)
        assert [what for what, _ in await hall.record(hall.number)].count("vote") == 1
