"""What commands ask: whose turn, why, and the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

import pytest

from bot.approvals.case import CaseState
from bot.approvals.service import ReaderTask
from bot.approvals.unit_of_work import CaseRepository
from bot.erp.model import Money
from tests.approvals.company import po_key, waiting_order
from tests.approvals.env import ApprovalEnv, rules
from tests.approvals.policy.test_planner import any_of

T = TypeVar("T")


async def test_pending_is_whose_turn_it_is() -> None:
    env = ApprovalEnv(rules=rules(any_of("role:purchasing"), any_of("role:finance")))
    case = await env.submit()
    second = await env.submit(replace(waiting_order(requester="zhao"), number="PO-2"))
    assert [one.number for one in await env.service.pending("wang")] == ["PO-1", "PO-2"]
    assert [one.number for one in await env.service.pending("zhao")] == ["PO-1"]
    assert await env.service.pending("qian") == ()
    await env.cast_vote("wang", case=second)
    assert [one.number for one in await env.service.pending("qian")] == ["PO-2"]
    reads = env.erp.reads
    await env.service.pending("wang")
    assert env.erp.reads == reads
    assert case.number == "PO-1"


async def test_one_read_tells_what_a_reader_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    env = ApprovalEnv(rules=rules(any_of("role:purchasing")))
    first = await env.submit()
    env.clock.move(minutes=1)
    second = await env.submit(replace(waiting_order(requester="wu"), number="PO-2"))
    read, reads = env.store.query, 0

    async def counted(work: Callable[[CaseRepository], T]) -> T:
        nonlocal reads
        reads += 1
        return await read(work)

    monkeypatch.setattr(env.store, "query", counted)
    assert await env.service.task_of(first, "wang") == ReaderTask(decides=True)
    assert await env.service.task_of(first, "qian") == ReaderTask()
    decided = replace(first, state=CaseState.WRITING)
    assert await env.service.task_of(decided, "zhao") == ReaderTask(next_case=first.id)
    assert reads == 3
    await env.cast_vote("wang", case=first)
    assert await env.service.task_of(await env.newest(), "wang") == ReaderTask(next_case=second.id)


async def test_whose_limit_is_too_low_has_the_turn_all_the_same() -> None:
    env = ApprovalEnv(rules=rules(daily_limits=(Money(Decimal(100), "CNY"),)))
    case = await env.submit()
    assert await env.service.pending("wang") == (case,)
    approve = (await env.service.why(po_key("main", "PO-1"), "wang")).approve
    assert approve is not None
    assert "in one day" in str(approve.reasons[0])


async def test_why(env: ApprovalEnv) -> None:
    await env.submit()
    mine = await env.service.why(po_key("main", "PO-1"), "wang")
    assert mine.approve is not None
    assert mine.approve.allowed
    assert [str(one) for one in mine.plan_result.reasons] == ["“rule” decides."]
    theirs = await env.service.why(po_key("main", "PO-1"), "zheng")
    assert theirs.approve is not None
    assert not theirs.approve.allowed
    await env.cast_vote("wang")
    await env.run_until_idle()
    assert (await env.service.why(po_key("main", "PO-1"), "wang")).approve is None


async def test_history(env: ApprovalEnv) -> None:
    await env.wang_approves()
    await env.run_until_idle()
    ((case, rows),) = await env.service.history("po-1")
    assert case.state is CaseState.APPROVED
    vote = next(row for row in rows if row.what == "vote")
    assert (vote.user_id, vote.seen, vote.detail) == ("wang", case.fingerprint, "approve at level 1")
