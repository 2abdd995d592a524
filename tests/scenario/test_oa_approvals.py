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
from bot.kit.simulator.approvals import SimApprovalInstance
from bot.kit.simulator.enterprise import PURCHASE_PROCESS
from bot.store.tables import OA_APPROVAL
from tests.scenario.approvals.cluster import APPROVE, CONFIG, ApprovalCluster, open_cluster
from tests.scenario.traffic import LONGEST_WAIT

PEOPLE = ("approver00", "approver01")
NATIVE = {"DINGERP_APPROVALS__NATIVE__PROCESS": PURCHASE_PROCESS}


@asynccontextmanager
async def company(folder: Path, speed: float = 0.0) -> AsyncIterator[ApprovalCluster]:
    async with open_cluster(folder, PEOPLE, group=False, config=CONFIG, speed=speed) as opened:
        opened.env.update(NATIVE)
        yield opened


async def until(cluster: ApprovalCluster, what: str, done: Callable[[], bool]) -> None:
    ends = perf_counter() + LONGEST_WAIT
    while not done():
        assert perf_counter() < ends, (
            f"{what} not within {LONGEST_WAIT:g} s: {[approval.render() for approval in cluster.engine.approvals]}"
        )
        await asyncio.sleep(0.05)


async def started(cluster: ApprovalCluster, number: str) -> SimApprovalInstance:
    """Return the approval of an order, once it and the order's cards exist."""
    await cluster.shown([number], len(PEOPLE))
    await until(cluster, "an approval", lambda: bool(list(cluster.engine.approvals)))
    (only,) = cluster.engine.approvals
    return only


def values(instance: SimApprovalInstance) -> dict[str, str]:
    return {field["name"]: field["value"] for field in instance.form}


@pytest.mark.parametrize("verdict", [Verdict.APPROVE, Verdict.REJECT])
async def test_decided_in_the_app(tmp_path: Path, verdict: Verdict) -> None:
    async with company(tmp_path) as cluster, cluster.bot():
        (number,) = cluster.submit([1])
        approval = await started(cluster, number)
        assert approval.originator == "requester00"
        assert values(approval)["采购单号"] == number
        assert [step.user_ids for step in approval.steps] == [PEOPLE]
        result = "agree" if verdict is Verdict.APPROVE else "refuse"
        cluster.engine.approvals.decide(approval.id, PEOPLE[1], result, "价格过高")
        await cluster.settled(1)
        await cluster.shown([number], len(PEOPLE) + 1)
        await cluster.settled(1)
        assert cluster.verdicts() == {number: [(verdict, f"erp-{PEOPLE[1]}")]}
        cluster.assert_decided_once([number], len(PEOPLE) + 1)
        if verdict is Verdict.REJECT:
            assert cluster.erp.erp.written[0].reason == "价格过高"
        (only,) = cluster.engine.approvals
        assert (only.status, only.result) == ("COMPLETED", result)


async def test_whoever_may_not_approve_gets_no_turn_in_the_app(tmp_path: Path) -> None:
    async with company(tmp_path) as cluster:
        cluster.env["DINGERP_ACCESS__RULES"] = f'[{{"commands": ["approve"], "people": ["{PEOPLE[1]}"]}}]'
        async with cluster.bot():
            (number,) = cluster.submit([1])
            approval = await started(cluster, number)
            assert [step.user_ids for step in approval.steps] == [(PEOPLE[1],)]
            cluster.engine.approvals.decide(approval.id, PEOPLE[1], "agree")
            await cluster.settled(1)
        assert cluster.verdicts() == {number: [(Verdict.APPROVE, f"erp-{PEOPLE[1]}")]}


async def test_decided_in_chat(tmp_path: Path) -> None:
    async with company(tmp_path) as cluster, cluster.bot():
        (number,) = cluster.submit([1])
        approval = await started(cluster, number)
        await until(cluster, "known", lambda: bool(approval.tasks))
        card = next(copy for copy in cluster.cards()[number] if copy.reader == PEOPLE[0])
        await cluster.engine.click(card.track, card.reader, APPROVE)
        await until(cluster, "the end of the approval", lambda: approval.status != "RUNNING")
        assert (approval.status, approval.result) == ("COMPLETED", "agree")
        ((by, result),) = [(task.user_id, task.result) for task in approval.tasks if task.result != "NONE"]
        assert (by, result) == (PEOPLE[0], "AGREE")
        await cluster.settled(1)
        assert cluster.verdicts() == {number: [(Verdict.APPROVE, f"erp-{PEOPLE[0]}")]}


async def test_an_event_that_is_pushed_twice(tmp_path: Path) -> None:
    async with company(tmp_path) as cluster, cluster.bot():
        (number,) = cluster.submit([1])
        approval = await started(cluster, number)
        cluster.engine.approvals.decide(approval.id, PEOPLE[0], "agree")
        event = {"EventType": "bpms_task_change", "processInstanceId": approval.id, "type": "finish"}
        for _ in range(3):
            cluster.engine.emit_event("bpms_task_change", event)
        await cluster.settled(1)
        assert cluster.verdicts() == {number: [(Verdict.APPROVE, f"erp-{PEOPLE[0]}")]}
        assert len(list(cluster.engine.approvals)) == 1


async def test_what_was_decided_in_the_app_while_the_bot_was_dead(tmp_path: Path) -> None:
    async with company(tmp_path) as cluster:
        async with cluster.bot("first") as first:
            (number,) = cluster.submit([1])
            approval = await started(cluster, number)
            while await states(cluster) != ["running"]:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.05)
            await first.kill()
        cluster.engine.approvals.decide(approval.id, PEOPLE[0], "agree")
        async with cluster.bot("second"):
            await cluster.settled(1)
        assert cluster.verdicts() == {number: [(Verdict.APPROVE, f"erp-{PEOPLE[0]}")]}
        assert len(list(cluster.engine.approvals)) == 1


@pytest.mark.timeout(600)
async def test_killed_before_the_answer_to_the_start(tmp_path: Path) -> None:
    # The bots' clock runs fast: a broken-off step is given up after a minute, and what is said to run is looked at
    # again after an hour, if the news of its end came before the bot knew it.
    speed, hour = 20.0, 3_600.0
    async with company(tmp_path, speed=speed) as cluster:
        start = cluster.engine.approvals.start
        async with cluster.bot("first") as first:

            def start_and_kill(*arguments: Any) -> SimApprovalInstance:
                instance = start(*arguments)
                first.process.send_signal(signal.SIGKILL)
                return instance

            with patch.object(cluster.engine.approvals, "start", start_and_kill):
                (number,) = cluster.submit([1])
                await asyncio.wait_for(first.process.wait(), LONGEST_WAIT)
        (approval,) = cluster.engine.approvals
        assert await states(cluster) == ["starting"]
        cluster.engine.approvals.decide(approval.id, PEOPLE[0], "agree")
        async with cluster.bot("second"):
            await cluster.settled(1, 2 * hour / speed)
        assert cluster.verdicts() == {number: [(Verdict.APPROVE, f"erp-{PEOPLE[0]}")]}
        assert len(list(cluster.engine.approvals)) == 1


async def states(cluster: ApprovalCluster) -> list[str]:
    """Return the state of each approval in the bots' database."""
    rows = await cluster.database.run(lambda connection: connection.execute(select(OA_APPROVAL.c.state)).all())
    return [row.state for row in rows]
