"""What time brings: reminders, deadlines, escalation, and the end of taking back."""

from __future__ import annotations

from datetime import timedelta

from bot.approvals.case import CaseState
from bot.approvals.plan import ExpiryAction
from bot.approvals.unit_of_work import ApprovalOptions
from bot.approvals.voting import VoteOutcome
from tests.approvals.env import HOUR, MINUTE, ApprovalEnv, cards, rules
from tests.approvals.policy.test_planner import all_of, any_of, who


async def test_reminders_are_cards_of_their_own_for_those_who_are_waited_for() -> None:
    env = ApprovalEnv(rules=rules(all_of("role:board"), remind_after=(2 * HOUR, HOUR)))
    case = await env.submit()
    await env.cast_vote("sun")
    await env.run_until_idle(within=90 * MINUTE)
    owed = cards(env, case.id)
    assert "approval:person:zhou:1" in owed
    assert "approval:person:sun:1" not in owed
    await env.run_until_idle(within=3 * HOUR)
    assert "approval:person:zhou:2" in cards(env, case.id)
    assert await env.audit_actions() == ["opened", "vote", "reminded", "reminded"]
    await env.cast_vote("zhou")
    await env.run_until_idle()
    assert set(cards(env, case.id).values()) == {(await env.newest()).revision}


async def test_a_deadline_that_closes() -> None:
    env = ApprovalEnv(rules=rules(deadline=HOUR, on_expiry=ExpiryAction.CLOSE))
    case = await env.submit()
    await env.run_until_idle(within=2 * HOUR)
    assert await env.state() is CaseState.EXPIRED
    assert (await env.cast_vote("wang", case=case)).outcome is VoteOutcome.LATE
    assert env.erp.told == []
    assert "approval_told:person:wu" in cards(env, case.id)


async def test_a_deadline_that_changes_nothing_but_the_card() -> None:
    env = ApprovalEnv(rules=rules(deadline=HOUR))
    await env.submit()
    await env.run_until_idle(within=2 * HOUR)
    case = await env.newest()
    assert (case.state, case.expired, case.due_at) == (CaseState.OPEN, True, None)
    assert set(cards(env, case.id).values()) == {case.revision} == {2}
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.DECIDED


async def test_a_deadline_that_escalates() -> None:
    env = ApprovalEnv(
        rules=rules(deadline=HOUR, on_expiry=ExpiryAction.ESCALATE, escalate_to=who("role:board person:wu"))
    )
    case = await env.submit()
    assert (await env.cast_vote("sun")).outcome is VoteOutcome.REFUSED
    await env.run_until_idle(within=2 * HOUR)
    owed = cards(env, case.id)
    assert {"approval:person:sun", "approval:person:zhou"} <= set(owed)
    assert "approval:person:wu" not in owed  # who requested it
    assert (await env.cast_vote("wu")).outcome is VoteOutcome.REFUSED
    assert (await env.cast_vote("sun")).outcome is VoteOutcome.DECIDED


async def test_a_level_of_all_that_is_half_done_needs_one_more_voice() -> None:
    env = ApprovalEnv(
        rules=rules(
            all_of("role:board"),
            any_of("role:finance"),
            deadline=HOUR,
            on_expiry=ExpiryAction.ESCALATE,
            escalate_to=who("person:zheng"),
        )
    )
    await env.submit()
    await env.cast_vote("sun")
    await env.run_until_idle(within=2 * HOUR)
    assert (await env.cast_vote("sun")).outcome is VoteOutcome.REFUSED
    assert (await env.cast_vote("qian")).outcome is VoteOutcome.REFUSED
    assert (await env.cast_vote("zheng")).outcome is VoteOutcome.RECORDED
    assert (await env.cast_vote("zhou")).outcome is VoteOutcome.REFUSED
    assert (await env.cast_vote("qian")).outcome is VoteOutcome.DECIDED
    await env.run_until_idle()
    assert await env.state() is CaseState.APPROVED


async def test_a_decision_can_be_taken_back_for_a_while() -> None:
    env = ApprovalEnv(terms=ApprovalOptions(undo=timedelta(seconds=30)))
    case = await env.wang_approves()
    await env.work()
    assert env.erp.told == []
    refused = await env.service.take_back(case, "qian")
    assert refused.outcome is VoteOutcome.REFUSED
    assert str(refused.reasons[0]) == "Only the person who decided can take it back."
    assert (await env.service.take_back(case, "wang")).outcome is VoteOutcome.RECORDED
    opened = await env.newest()
    assert (opened.state, opened.votes, opened.decision) == (CaseState.OPEN, (), None)
    await env.run_until_idle()
    assert env.erp.told == []
    assert (await env.cast_vote("qian")).outcome is VoteOutcome.DECIDED
    env.clock.move(seconds=30)
    assert (await env.service.take_back(case, "qian")).outcome is VoteOutcome.LATE
    await env.run_until_idle()
    assert [one.by for one in env.erp.written] == ["erp-qian"]


async def test_without_a_time_for_it_nothing_is_taken_back(env: ApprovalEnv) -> None:
    case = await env.submit()
    assert (await env.service.take_back(case, "wang")).outcome is VoteOutcome.NOTHING
    await env.cast_vote("wang")
    assert (await env.service.take_back(case, "wang")).outcome is VoteOutcome.LATE


async def test_every_change_that_time_brings_is_a_newer_state_of_the_card() -> None:
    env = ApprovalEnv(
        rules=rules(
            any_of("role:purchasing"),
            all_of("role:board"),
            any_of("role:finance"),
            remind_after=(HOUR,),
            deadline=2 * HOUR,
            on_expiry=ExpiryAction.ESCALATE,
            escalate_to=who("person:zheng"),
        )
    )
    case = await env.wang_approves()
    await env.cast_vote("sun")
    seen = [(await env.newest()).revision]
    for _ in range(2):
        env.clock.move(hours=1)
        await env.work()
        seen.append((await env.newest()).revision)
        assert set(cards(env, case.id).values()) == {seen[-1]}
    assert seen == [3, 4, 5]
    levels = (await env.newest()).plan.levels
    assert [(level.number, level.approvers) for level in levels] == [
        (1, ("wang", "zhao")),
        (2, ("sun",)),
        (3, ("zhou", "zheng")),
        (4, ("qian",)),
    ]
