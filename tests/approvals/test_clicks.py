"""Clicks while the ERP is slow or away, many at a time, and by people who go away."""

from __future__ import annotations

import asyncio

import pytest

from bot.approvals.case import CaseState
from bot.approvals.voting import VoteOutcome
from tests.approvals.env import ApprovalEnv


async def test_an_erp_that_is_away_stores_nothing(env: ApprovalEnv) -> None:
    await env.submit()
    env.erp.away = True
    vote_result = await env.cast_vote("wang")
    assert vote_result.outcome is VoteOutcome.SILENT
    assert str(vote_result.reasons[0]) == "The ERP does not answer at the moment."
    assert await env.audit_actions() == ["opened"]


async def test_an_erp_that_is_slow_is_waited_for_as_long_as_a_click_may_take() -> None:
    env = ApprovalEnv(patience=0.1)
    await env.submit()
    env.erp.gate = asyncio.Event()
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.SILENT
    env.erp.gate.set()
    assert await env.audit_actions() == ["opened"]


async def test_many_at_the_same_moment_share_a_read_and_one_decides(env: ApprovalEnv) -> None:
    case = await env.submit()
    reads = env.erp.reads
    people = ("wang", "qian", "li", "zheng")
    said = [one.outcome for one in await asyncio.gather(*(env.cast_vote(one, case=case) for one in people * 20))]
    assert said.count(VoteOutcome.DECIDED) == 1
    assert set(said) <= {VoteOutcome.DECIDED, VoteOutcome.LATE, VoteOutcome.REFUSED}
    assert env.erp.reads == reads + 1
    await env.run_until_idle()
    assert len(env.erp.written) == 1


async def test_who_goes_away_has_spoken_all_the_same(env: ApprovalEnv) -> None:
    case = await env.submit()
    begun, go = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        begun.set()
        await go.wait()

    env.before_transact = hold
    click = asyncio.create_task(env.cast_vote("wang", case=case))
    await begun.wait()
    click.cancel()
    with pytest.raises(asyncio.CancelledError):
        await click
    go.set()
    async with asyncio.timeout(60):
        await env.process.poked.wait()
    assert await env.state() is CaseState.WRITING
