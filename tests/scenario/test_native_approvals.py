"""DingTalk's own approvals over the wire: the bot as a process, people in the app and in chat, an ERP that counts."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import select

from bot.erp.model import Verdict
from bot.simulator.approvals import Instance
from bot.simulator.enterprise import PURCHASE_PROCESS
from bot.store.tables import APPROVAL_NATIVE
from tests.scenario.approvals.court import APPROVE, CONFIG, Court, court

PEOPLE = ("approver00", "approver01")
SECONDS = 30.0
NATIVE = {"DINGERP_APPROVALS__NATIVE__PROCESS": PURCHASE_PROCESS}


@asynccontextmanager
async def company(folder: Path, speed: float = 0.0) -> AsyncIterator[Court]:
    async with court(folder, PEOPLE, group=False, config=CONFIG, speed=speed) as opened:
        opened.env.update(NATIVE)
        yield opened


async def until(court: Court, what: str, done: Callable[[], bool]) -> None:
    ends = perf_counter() + SECONDS
    while not done():
        assert perf_counter() < ends, (
            f"{what} not within {SECONDS:g} s: {[one.render() for one in court.engine.approvals]}"
        )
        await asyncio.sleep(0.05)


async def started(court: Court, number: str) -> Instance:
    """Return the approval of an order, once it and the cards are there."""
    await court.shown([number], len(PEOPLE), SECONDS)
    await until(court, "an approval", lambda: bool(list(court.engine.approvals)))
    (only,) = court.engine.approvals
    return only


def values(instance: Instance) -> dict[str, str]:
    return {one["name"]: one["value"] for one in instance.form}


@pytest.mark.parametrize("verdict", [Verdict.APPROVE, Verdict.REJECT])
async def test_decided_in_the_app(tmp_path: Path, verdict: Verdict) -> None:
    async with company(tmp_path) as court, court.bot():
        (number,) = court.submit([1])
        approval = await started(court, number)
        assert approval.originator == "requester00"
        assert values(approval)["采购单号"] == number
        assert [step.user_ids for step in approval.steps] == [PEOPLE]
        said = "agree" if verdict is Verdict.APPROVE else "refuse"
        court.engine.approvals.decide(approval.id, PEOPLE[1], said, "价格过高")
        await court.settled(1, SECONDS)
        await court.shown([number], len(PEOPLE) + 1, SECONDS)
        await court.settled(1, SECONDS)
        assert court.verdicts() == {number: [(verdict, f"erp-{PEOPLE[1]}")]}
        court.check_ends([number], len(PEOPLE) + 1)
        if verdict is Verdict.REJECT:
            assert court.erp.erp.written[0].reason == "价格过高"
        (only,) = court.engine.approvals
        assert (only.status, only.result) == ("COMPLETED", said)


async def test_decided_in_chat(tmp_path: Path) -> None:
    async with company(tmp_path) as court, court.bot():
        (number,) = court.submit([1])
        approval = await started(court, number)
        await until(court, "known", lambda: bool(approval.tasks))
        card = next(one for one in court.cards()[number] if one.reader == PEOPLE[0])
        await court.engine.click(card.track, card.reader, APPROVE)
        await until(court, "the end of the approval", lambda: approval.status != "RUNNING")
        assert (approval.status, approval.result) == ("COMPLETED", "agree")
        ((by, result),) = [(task.user_id, task.result) for task in approval.tasks if task.result != "NONE"]
        assert (by, result) == (PEOPLE[0], "AGREE")
        await court.settled(1, SECONDS)
        assert court.verdicts() == {number: [(Verdict.APPROVE, f"erp-{PEOPLE[0]}")]}


async def test_an_event_that_is_pushed_twice(tmp_path: Path) -> None:
    async with company(tmp_path) as court, court.bot():
        (number,) = court.submit([1])
        approval = await started(court, number)
        court.engine.approvals.decide(approval.id, PEOPLE[0], "agree")
        event = {"EventType": "bpms_task_change", "processInstanceId": approval.id, "type": "finish"}
        for _ in range(3):
            court.engine.emit("bpms_task_change", event)
        await court.settled(1, SECONDS)
        assert court.verdicts() == {number: [(Verdict.APPROVE, f"erp-{PEOPLE[0]}")]}
        assert len(list(court.engine.approvals)) == 1


async def test_what_was_decided_in_the_app_while_the_bot_was_dead(tmp_path: Path) -> None:
    async with company(tmp_path) as court:
        async with court.bot("first") as first:
            (number,) = court.submit([1])
            approval = await started(court, number)
            while await states(court) != ["running"]:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.05)
            await first.kill()
        court.engine.approvals.decide(approval.id, PEOPLE[0], "agree")
        async with court.bot("second"):
            await court.settled(1, SECONDS)
        assert court.verdicts() == {number: [(Verdict.APPROVE, f"erp-{PEOPLE[0]}")]}
        assert len(list(court.engine.approvals)) == 1


async def test_killed_before_the_answer_to_the_start(tmp_path: Path) -> None:
    # The bots' clock runs fast: a step that was broken off is given up after a minute.
    async with company(tmp_path, speed=20.0) as court:
        start = court.engine.approvals.start
        async with court.bot("first") as first:

            def start_and_kill(*arguments: Any) -> Instance:
                instance = start(*arguments)
                first.process.send_signal(signal.SIGKILL)
                return instance

            with patch.object(court.engine.approvals, "start", start_and_kill):
                (number,) = court.submit([1])
                await asyncio.wait_for(first.process.wait(), SECONDS)
        (approval,) = court.engine.approvals
        assert await states(court) == ["starting"]
        court.engine.approvals.decide(approval.id, PEOPLE[0], "agree")
        async with court.bot("second"):
            await court.settled(1, SECONDS)
        assert court.verdicts() == {number: [(Verdict.APPROVE, f"erp-{PEOPLE[0]}")]}
        assert len(list(court.engine.approvals)) == 1


async def states(court: Court) -> list[str]:
    """Return where the approvals are, as the bots' database says."""
    rows = await court.database.run(lambda connection: connection.execute(select(APPROVAL_NATIVE.c.state)).all())
    return [row.state for row in rows]
