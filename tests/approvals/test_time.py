"""What time brings: reminders, deadlines, escalation, and the end of taking back."""

from __future__ import annotations

from datetime import timedelta

from bot.approvals.case import CaseState
from bot.approvals.ruling import Expiry
from bot.approvals.unit import Terms
from bot.approvals.voting import Said
from tests.approvals.policy.test_planning import all_of, any_of, who
from tests.approvals.world import HOUR, MINUTE, World, cards, rules


async def test_reminders_are_cards_of_their_own_for_those_who_are_waited_for() -> None:
    world = World(rules=rules(all_of("role:board"), remind_after=(2 * HOUR, HOUR)))
    case = await world.submit()
    await world.say("sun")
    await world.rest(within=90 * MINUTE)
    owed = cards(world, case.id)
    assert "approval:person:zhou:1" in owed
    assert "approval:person:sun:1" not in owed
    await world.rest(within=3 * HOUR)
    assert "approval:person:zhou:2" in cards(world, case.id)
    assert await world.story() == ["opened", "vote", "reminded", "reminded"]
    await world.say("zhou")
    await world.rest()
    assert set(cards(world, case.id).values()) == {(await world.newest()).revision}


async def test_a_deadline_that_closes() -> None:
    world = World(rules=rules(deadline=HOUR, on_expiry=Expiry.CLOSE))
    case = await world.submit()
    await world.rest(within=2 * HOUR)
    assert await world.state() is CaseState.EXPIRED
    assert (await world.say("wang", case=case)).said is Said.LATE
    assert world.erp.told == []
    assert "approval_told:person:wu" in cards(world, case.id)


async def test_a_deadline_that_changes_nothing_but_the_card() -> None:
    world = World(rules=rules(deadline=HOUR))
    await world.submit()
    await world.rest(within=2 * HOUR)
    case = await world.newest()
    assert (case.state, case.expired, case.due_at) == (CaseState.OPEN, True, None)
    assert set(cards(world, case.id).values()) == {case.revision} == {2}
    assert (await world.say("wang")).said is Said.DECIDED


async def test_a_deadline_that_escalates() -> None:
    world = World(rules=rules(deadline=HOUR, on_expiry=Expiry.ESCALATE, escalate_to=who("role:board person:wu")))
    case = await world.submit()
    assert (await world.say("sun")).said is Said.REFUSED
    await world.rest(within=2 * HOUR)
    owed = cards(world, case.id)
    assert {"approval:person:sun", "approval:person:zhou"} <= set(owed)
    assert "approval:person:wu" not in owed  # who requested it
    assert (await world.say("wu")).said is Said.REFUSED
    assert (await world.say("sun")).said is Said.DECIDED


async def test_a_level_of_all_that_is_half_done_needs_one_more_voice() -> None:
    world = World(
        rules=rules(
            all_of("role:board"),
            any_of("role:finance"),
            deadline=HOUR,
            on_expiry=Expiry.ESCALATE,
            escalate_to=who("person:zheng"),
        )
    )
    await world.submit()
    await world.say("sun")
    await world.rest(within=2 * HOUR)
    assert (await world.say("sun")).said is Said.REFUSED
    assert (await world.say("qian")).said is Said.REFUSED
    assert (await world.say("zheng")).said is Said.RECORDED
    assert (await world.say("zhou")).said is Said.REFUSED
    assert (await world.say("qian")).said is Said.DECIDED
    await world.rest()
    assert await world.state() is CaseState.APPROVED


async def test_a_decision_can_be_taken_back_for_a_while() -> None:
    world = World(terms=Terms(undo=timedelta(seconds=30)))
    case = await world.submit()
    await world.say("wang")
    await world.work()
    assert world.erp.told == []
    refused = await world.desk.take_back(case.id, "qian")
    assert refused.said is Said.REFUSED
    assert str(refused.reasons[0]) == "Only who decided can take it back."
    assert (await world.desk.take_back(case.id, "wang")).said is Said.RECORDED
    opened = await world.newest()
    assert (opened.state, opened.votes, opened.decision) == (CaseState.OPEN, (), None)
    await world.rest()
    assert world.erp.told == []
    assert (await world.say("qian")).said is Said.DECIDED
    world.clock.move(seconds=30)
    assert (await world.desk.take_back(case.id, "qian")).said is Said.LATE
    await world.rest()
    assert [one.by for one in world.erp.written] == ["erp-qian"]


async def test_without_a_time_for_it_nothing_is_taken_back(world: World) -> None:
    case = await world.submit()
    assert (await world.desk.take_back(case.id, "wang")).said is Said.LATE
    await world.say("wang")
    assert (await world.desk.take_back(case.id, "wang")).said is Said.LATE


async def test_every_change_that_time_brings_is_a_newer_state_of_the_card() -> None:
    world = World(
        rules=rules(
            any_of("role:purchasing"),
            all_of("role:board"),
            any_of("role:finance"),
            remind_after=(HOUR,),
            deadline=2 * HOUR,
            on_expiry=Expiry.ESCALATE,
            escalate_to=who("person:zheng"),
        )
    )
    case = await world.submit()
    await world.say("wang")
    await world.say("sun")
    seen = [(await world.newest()).revision]
    for _ in range(2):
        world.clock.move(hours=1)
        await world.work()
        seen.append((await world.newest()).revision)
        assert set(cards(world, case.id).values()) == {seen[-1]}
    assert seen == [3, 4, 5]
    levels = (await world.newest()).plan.levels
    assert [(level.number, level.approvers) for level in levels] == [
        (1, ("wang", "zhao")),
        (2, ("sun",)),
        (3, ("zhou", "zheng")),
        (4, ("qian",)),
    ]
