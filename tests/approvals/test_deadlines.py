"""What is due is done, and what is not, or no longer, is left alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.approvals import lifecycle, writeback
from bot.approvals.case import Case, CaseState
from bot.approvals.lifecycle import next_due
from bot.approvals.unit_of_work import ApprovalOptions
from bot.erp.errors import RateLimited
from bot.erp.model import Decision, Verdict
from tests.approvals.env import HOUR, ApprovalEnv, rules
from tests.approvals.fake_erp import WriteFault
from tests.rows import each_row

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


async def do(env: ApprovalEnv, work: Any) -> Any:
    return await env.process.writer._transactions.transact(work)


async def set_case(env: ApprovalEnv, **fields: Any) -> Case:
    """Give the newest case other fields; ``due`` counts from now."""
    if "due" in fields:
        due = fields.pop("due")
        fields["due_at"] = None if due is None else env.clock.time + due
    case = replace(await env.newest(), **fields)
    await env.store.transact(lambda cases: cases.put(case))
    return case


async def due_in(env: ApprovalEnv) -> timedelta | None:
    due = (await env.newest()).due_at
    return None if due is None else due - env.clock.time


@pytest.mark.parametrize(
    ("due", "then"),
    [
        (-HOUR, 5 * MINUTE),
        (timedelta(0), 5 * MINUTE),
        (4 * MINUTE, 5 * MINUTE),
        (6 * MINUTE, 6 * MINUTE),
        (None, None),
    ],
)
async def test_a_case_is_put_off_by_five_minutes(
    env: ApprovalEnv, due: timedelta | None, then: timedelta | None
) -> None:
    case = await env.submit()
    await set_case(env, due=due)
    await do(env, lambda unit: lifecycle.postpone(unit, case.id))
    assert await due_in(env) == then


@pytest.mark.parametrize(
    ("state", "due", "ended", "later"),
    [
        (CaseState.SUPERSEDED, timedelta(0), None, 15 * SECOND),
        (CaseState.SUPERSEDED, None, None, None),
        (CaseState.OPEN, timedelta(0), timedelta(0), timedelta(0)),
    ],
)
async def test_what_came_after_a_case_is_read_until_it_was_read(
    env: ApprovalEnv, state: CaseState, due: timedelta | None, ended: timedelta | None, later: timedelta | None
) -> None:
    case = await env.submit()
    await set_case(env, state=state, due=due)
    await do(env, lambda unit: lifecycle.retry_follow_up(unit, case.id))
    assert await due_in(env) == later
    await set_case(env, due=due)
    await do(env, lambda unit: lifecycle.finish_follow_up(unit, case.id))
    assert await due_in(env) == ended


async def test_of_a_case_that_nobody_knows_nothing_is_due(env: ApprovalEnv) -> None:
    await env.submit()
    for work in (lifecycle.postpone, lifecycle.retry_follow_up, lifecycle.finish_follow_up):
        assert await do(env, lambda unit, work=work: work(unit, "nothing-1")) is None
    for work in (lifecycle.apply_deadlines, writeback.begin_write, writeback.begin_check):
        assert await do(env, lambda unit, work=work: work(unit, "nothing-1")) is None


@each_row(
    ("state", "due", "reminded"),
    [
        (CaseState.OPEN, timedelta(0), True),
        (CaseState.OPEN, SECOND, False),
        (CaseState.OPEN, None, False),
        (CaseState.EXPIRED, timedelta(0), False),
    ],
)
async def test_who_is_reminded(state: CaseState, due: timedelta | None, reminded: bool) -> None:
    env = ApprovalEnv(rules=rules(remind_after=(HOUR,)))
    case = await env.submit()
    await set_case(env, state=state, due=due)
    assert (await do(env, lambda unit: lifecycle.apply_deadlines(unit, case.id)) is not None) is reminded
    assert ("reminded" in await env.audit_actions()) is reminded


@each_row(
    ("reminders", "deadline", "expired", "hours"),
    [
        (0, None, False, 1),
        (1, None, False, 2),
        (2, None, False, None),
        (0, 4, False, 1),
        (2, 4, False, 4),
        (0, 0.5, False, 0.5),
        (2, 4, True, None),
        (0, 0.5, True, 1),
    ],
)
async def test_when_an_open_case_is_looked_at_next(
    reminders: int, deadline: float | None, expired: bool, hours: float | None
) -> None:
    limit = None if deadline is None else deadline * HOUR
    env = ApprovalEnv(rules=rules(remind_after=(2 * HOUR, HOUR), deadline=limit))
    case = replace(await env.submit(), reminders=reminders, expired=expired)
    assert next_due(case) == (None if hours is None else case.opened_at + hours * HOUR)


async def test_after_a_deadline_that_only_shows_reminders_go_on() -> None:
    env = ApprovalEnv(rules=rules(deadline=HOUR, remind_after=(2 * HOUR,)))
    await env.submit()
    await env.run_until_idle(within=90 * MINUTE)
    assert (await env.newest()).expired
    assert await due_in(env) == HOUR


async def test_after_taking_back_the_reminder_is_due_again() -> None:
    env = ApprovalEnv(rules=rules(remind_after=(HOUR,)), terms=ApprovalOptions(undo=MINUTE))
    case = await env.wang_approves()
    assert await due_in(env) == MINUTE
    await env.service.take_back(case, "wang")
    assert await due_in(env) == HOUR


async def test_what_the_erp_is_told_and_how_long_that_may_take(env: ApprovalEnv) -> None:
    case = await env.wang_approves()
    telling = await do(env, lambda unit: writeback.begin_write(unit, case.id))
    assert telling == writeback.WriteAttempt(
        1,
        env.clock.time,
        env.key,
        Decision(number="PO-1", version="v1", verdict=Verdict.APPROVE, by="erp-wang", reason=""),
    )
    noted = await env.newest()
    assert (noted.attempted_at, noted.attempts, await due_in(env)) == (env.clock.time, 1, MINUTE)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, True),
        ({"due": SECOND}, False),
        ({"due": None}, False),
        ({"state": CaseState.UNKNOWN}, False),
    ],
)
async def test_the_erp_is_told_of_a_decision_whose_time_has_come(
    env: ApprovalEnv, fields: dict[str, Any], told: bool
) -> None:
    case = await env.wang_approves()
    await set_case(env, **fields)
    assert (await do(env, lambda unit: writeback.begin_write(unit, case.id)) is not None) is told
    assert ("writing" in await env.audit_actions()) is told


@pytest.mark.parametrize(
    ("fields", "looked"),
    [
        ({"due": timedelta(0)}, True),
        ({"due": SECOND}, False),
        ({"due": None}, False),
        ({"due": timedelta(0), "state": CaseState.WRITING}, False),
    ],
)
async def test_a_doubtful_write_is_looked_for_when_it_is_time(
    env: ApprovalEnv, fields: dict[str, Any], looked: bool
) -> None:
    case = await env.wang_approves(WriteFault.LOST)
    await env.work()
    assert await due_in(env) == 2 * SECOND
    await set_case(env, **fields)
    claimed = await do(env, lambda unit: writeback.begin_check(unit, case.id))
    assert (claimed is not None) is looked
    if looked:
        assert await due_in(env) == 30 * SECOND


@pytest.mark.parametrize(
    ("since", "wait"), [(0, 2), (3, 2), (4, 4), (7, 4), (8, 8), (16, 15), (29, 15), (30, 30), (60, 30), (1000, 30)]
)
async def test_looks_follow_ever_more_slowly(env: ApprovalEnv, since: int, wait: int) -> None:
    case = await env.wang_approves(WriteFault.LOST)
    await env.work()
    env.clock.move(seconds=since)
    await do(env, lambda unit: writeback.record_check(unit, case.id, None))
    assert await due_in(env) == wait * SECOND


@pytest.mark.parametrize(
    ("attempts", "asked", "wait"), [(1, None, 2), (2, None, 4), (5, None, 30), (9, None, 30), (1, 1.0, 2), (2, 77, 77)]
)
async def test_tries_follow_ever_more_slowly_and_no_sooner_than_the_erp_asks(
    env: ApprovalEnv, attempts: int, asked: float | None, wait: int
) -> None:
    case = await env.wang_approves()
    await set_case(env, attempts=attempts, attempted_at=env.clock.time)
    busy = RateLimited("busy", retry_after=asked)
    again = await do(env, lambda unit: writeback.record_failure(unit, case.id, busy))
    assert (again.state, again.attempted_at) == (CaseState.WRITING, None)
    assert await due_in(env) == wait * SECOND
