"""What is due is done, and what is not, or no longer, is left alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.approvals import deadlines, settling
from bot.approvals.case import Case, CaseState
from bot.approvals.opening import next_due
from bot.approvals.unit import Terms
from bot.erp.errors import RateLimited
from bot.erp.model import Decision, Verdict
from tests.approvals.small_erp import Fault
from tests.approvals.world import HOUR, World, rules

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


async def do(world: World, work: Any) -> Any:
    return await world.process.writer._office.do(work)


async def set_case(world: World, **fields: Any) -> Case:
    """Give the newest case other fields; ``due`` counts from now."""
    if "due" in fields:
        due = fields.pop("due")
        fields["due_at"] = None if due is None else world.clock.time + due
    case = replace(await world.newest(), **fields)
    await world.books.within(lambda book: book.put(case))
    return case


async def due_in(world: World) -> timedelta | None:
    due = (await world.newest()).due_at
    return None if due is None else due - world.clock.time


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
async def test_a_case_is_put_off_by_five_minutes(world: World, due: timedelta | None, then: timedelta | None) -> None:
    case = await world.submit()
    await set_case(world, due=due)
    await do(world, lambda unit: deadlines.put_off(unit, case.id))
    assert await due_in(world) == then


@pytest.mark.parametrize(
    ("state", "due", "ended", "later"),
    [
        (CaseState.SUPERSEDED, timedelta(0), None, 15 * SECOND),
        (CaseState.SUPERSEDED, None, None, None),
        (CaseState.OPEN, timedelta(0), timedelta(0), timedelta(0)),
    ],
)
async def test_what_came_after_a_case_is_read_until_it_was_read(
    world: World, state: CaseState, due: timedelta | None, ended: timedelta | None, later: timedelta | None
) -> None:
    case = await world.submit()
    await set_case(world, state=state, due=due)
    await do(world, lambda unit: deadlines.follow_later(unit, case.id))
    assert await due_in(world) == later
    await set_case(world, due=due)
    await do(world, lambda unit: deadlines.end_following(unit, case.id))
    assert await due_in(world) == ended


async def test_of_a_case_that_nobody_knows_nothing_is_due(world: World) -> None:
    await world.submit()
    for work in (deadlines.put_off, deadlines.follow_later, deadlines.end_following):
        assert await do(world, lambda unit, work=work: work(unit, "nothing-1")) is None
    for work in (deadlines.pass_time, settling.begin_write, settling.begin_look):
        assert await do(world, lambda unit, work=work: work(unit, "nothing-1")) is None


@pytest.mark.parametrize(
    ("state", "due", "reminded"),
    [
        (CaseState.OPEN, timedelta(0), True),
        (CaseState.OPEN, SECOND, False),
        (CaseState.OPEN, None, False),
        (CaseState.EXPIRED, timedelta(0), False),
    ],
)
async def test_who_is_reminded(state: CaseState, due: timedelta | None, reminded: bool) -> None:
    world = World(rules=rules(remind_after=(HOUR,)))
    case = await world.submit()
    await set_case(world, state=state, due=due)
    assert (await do(world, lambda unit: deadlines.pass_time(unit, case.id)) is not None) is reminded
    assert ("reminded" in await world.story()) is reminded


@pytest.mark.parametrize(
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
    world = World(rules=rules(remind_after=(2 * HOUR, HOUR), deadline=limit))
    case = replace(await world.submit(), reminders=reminders, expired=expired)
    assert next_due(case) == (None if hours is None else case.opened_at + hours * HOUR)


async def test_after_a_deadline_that_only_shows_reminders_go_on() -> None:
    world = World(rules=rules(deadline=HOUR, remind_after=(2 * HOUR,)))
    await world.submit()
    await world.rest(within=90 * MINUTE)
    assert (await world.newest()).expired
    assert await due_in(world) == HOUR


async def test_after_taking_back_the_reminder_is_due_again() -> None:
    world = World(rules=rules(remind_after=(HOUR,)), terms=Terms(undo=MINUTE))
    case = await world.submit()
    await world.say("wang")
    assert await due_in(world) == MINUTE
    await world.desk.take_back(case.id, "wang")
    assert await due_in(world) == HOUR


async def test_what_the_erp_is_told_and_how_long_that_may_take(world: World) -> None:
    case = await world.submit()
    await world.say("wang")
    telling = await do(world, lambda unit: settling.begin_write(unit, case.id))
    assert telling == settling.Telling(
        1,
        world.clock.time,
        "main",
        Decision(number="PO-1", version="v1", verdict=Verdict.APPROVE, by="erp-wang", reason=""),
    )
    noted = await world.newest()
    assert (noted.attempted_at, noted.attempts, await due_in(world)) == (world.clock.time, 1, MINUTE)


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
    world: World, fields: dict[str, Any], told: bool
) -> None:
    case = await world.submit()
    await world.say("wang")
    await set_case(world, **fields)
    assert (await do(world, lambda unit: settling.begin_write(unit, case.id)) is not None) is told
    assert ("writing" in await world.story()) is told


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
    world: World, fields: dict[str, Any], looked: bool
) -> None:
    case = await world.submit()
    world.erp.faults.append(Fault.LOST)
    await world.say("wang")
    await world.work()
    assert await due_in(world) == 2 * SECOND
    await set_case(world, **fields)
    claimed = await do(world, lambda unit: settling.begin_look(unit, case.id))
    assert (claimed is not None) is looked
    if looked:
        assert await due_in(world) == 30 * SECOND


@pytest.mark.parametrize(
    ("since", "wait"), [(0, 2), (3, 2), (4, 4), (7, 4), (8, 8), (16, 15), (29, 15), (30, 30), (60, 30), (1000, 30)]
)
async def test_looks_follow_ever_more_slowly(world: World, since: int, wait: int) -> None:
    case = await world.submit()
    world.erp.faults.append(Fault.LOST)
    await world.say("wang")
    await world.work()
    world.clock.move(seconds=since)
    await do(world, lambda unit: settling.look(unit, case.id, None))
    assert await due_in(world) == wait * SECOND


@pytest.mark.parametrize(
    ("attempts", "asked", "wait"), [(1, None, 2), (2, None, 4), (5, None, 30), (9, None, 30), (1, 1.0, 2), (2, 77, 77)]
)
async def test_tries_follow_ever_more_slowly_and_no_sooner_than_the_erp_asks(
    world: World, attempts: int, asked: float | None, wait: int
) -> None:
    case = await world.submit()
    await world.say("wang")
    await set_case(world, attempts=attempts, attempted_at=world.clock.time)
    busy = RateLimited("busy", retry_after=asked)
    again = await do(world, lambda unit: settling.not_written(unit, case.id, busy))
    assert (again.state, again.attempted_at) == (CaseState.WRITING, None)
    assert await due_in(world) == wait * SECOND
