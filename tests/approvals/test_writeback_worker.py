"""The writer: a few at a time, in several processes, and unharmed by a defect."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.approvals import writeback
from bot.approvals.case import CaseState
from bot.approvals.writeback_worker import WritebackWorker
from tests.approvals.company import waiting_order
from tests.approvals.env import ApprovalEnv, until


async def test_many_due_cases_are_begun_a_few_at_a_time(env: ApprovalEnv) -> None:
    for number in range(60):
        await env.submit(replace(waiting_order(requester="wu"), number=f"PO-{number}"))
        await env.cast_vote("wang", case=await env.newest(f"PO-{number}"))
    most = 0
    decide = env.erp.decide

    async def count(source: str, decision: object) -> object:
        nonlocal most
        most = max(most, len(env.process.writer._busy))
        return await decide(source, decision)  # type: ignore[arg-type]

    env.erp.decide = count  # type: ignore[method-assign,assignment]
    await env.work()
    assert most == 16
    assert len(env.erp.written) == 60


async def test_two_processes_write_once(env: ApprovalEnv) -> None:
    await env.wang_approves()
    other = WritebackWorker(env.process.writer._transactions, env.erp, follow=env.process._follow, metrics=env.metrics)
    await asyncio.gather(env.process.writer.run_once(), other.run_once())
    await asyncio.gather(env.process.writer.wait_idle(), other.wait_idle())
    await env.run_until_idle()
    assert len(env.erp.told) == 1


async def test_it_runs_when_it_is_poked_and_ends_after_its_writes(env: ApprovalEnv) -> None:
    await env.submit()
    running = asyncio.create_task(env.process.writer.run())
    await asyncio.sleep(0)
    await env.cast_vote("wang")
    await until(lambda: bool(env.erp.told))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await env.state() is CaseState.APPROVED


async def test_a_defect_stops_nobody_else(env: ApprovalEnv) -> None:
    await env.submit()
    await env.submit(replace(waiting_order(requester="wu"), number="PO-2"))
    for number in ("PO-1", "PO-2"):
        await env.cast_vote("wang", case=await env.newest(number))
    broken = await env.newest("PO-1")

    def fail(result: object) -> None:
        if isinstance(result, writeback.WriteAttempt) and result.decision.number == broken.number:
            raise KeyError("x")

    env.before_commit = fail
    await env.work()
    env.before_commit = lambda result: None
    assert await env.state("PO-2") is CaseState.APPROVED
    assert (await env.newest()).due_at == env.clock.time + timedelta(minutes=5)
    await env.run_until_idle()
    assert await env.state() is CaseState.APPROVED
