"""Deciding asks the plan that was stored and the rights of now: a role that was taken away decides nothing."""

from __future__ import annotations

import pytest

from bot.approvals.case import CaseState
from bot.approvals.policy.rules import Substitute
from bot.approvals.voting import VoteOutcome
from bot.erp.model import Verdict
from tests.approvals.company import NOW
from tests.approvals.env import APPROVE, HOUR, REJECT, ApprovalEnv, rules
from tests.approvals.policy.test_planner import all_of, any_of


def restart_with(env: ApprovalEnv, *approvers: str) -> None:
    """Start the bot again with other members of the role ``approver``."""
    env.roles = {"approver": approvers}
    env.start()


@pytest.mark.parametrize("verdict", [APPROVE, REJECT])
async def test_without_the_role_an_old_card_decides_nothing(env: ApprovalEnv, verdict: Verdict) -> None:
    await env.submit()
    restart_with(env, "li", "qian")
    refused = await env.cast_vote("wang", verdict)
    assert refused.outcome is VoteOutcome.REFUSED
    assert [str(reason) for reason in refused.reasons] == [
        "“rule” names the role “approver”, which you no longer have."
    ]
    assert set(refused.ask) == {"qian", "li"}
    assert await env.state() is CaseState.OPEN
    assert await env.audit_actions() == ["opened", "refused"]


async def test_others_who_kept_the_role_decide(env: ApprovalEnv) -> None:
    await env.submit()
    restart_with(env, "qian")
    assert (await env.cast_vote("qian")).outcome is VoteOutcome.DECIDED


async def test_a_role_that_comes_back_counts_again(env: ApprovalEnv) -> None:
    await env.submit()
    restart_with(env, "qian")
    restart_with(env, "qian", "wang")
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.DECIDED


async def test_nobody_stands_in_for_one_without_the_role() -> None:
    stand_in = Substitute(person="wang", by="zhao", begins=NOW - HOUR, ends=NOW + HOUR)
    env = ApprovalEnv(rules=rules(any_of("role:approver"), substitutes=(stand_in,)))
    await env.submit()
    restart_with(env, "qian")
    assert (await env.cast_vote("zhao")).outcome is VoteOutcome.REFUSED


async def test_a_turn_that_was_passed_on_ends_with_the_role(env: ApprovalEnv) -> None:
    case = await env.submit()
    await env.service.forward(case, "zhao", "wang")
    restart_with(env, "qian")
    assert (await env.cast_vote("zhao")).outcome is VoteOutcome.REFUSED


async def test_whom_the_rule_names_in_person_needs_no_role() -> None:
    env = ApprovalEnv(rules=rules(any_of("role:approver person:wang")))
    await env.submit()
    restart_with(env, "qian")
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.DECIDED


async def test_it_is_no_longer_waited_for(env: ApprovalEnv) -> None:
    case = await env.submit()
    restart_with(env, "qian")
    assert await env.service.pending("wang") == ()
    found = await env.service.find(case.id)
    assert found is not None
    assert found.waited == ("qian",)


async def test_who_has_agreed_already_has_agreed() -> None:
    env = ApprovalEnv(rules=rules(all_of("role:approver")))
    await env.submit()
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.RECORDED
    restart_with(env, "qian", "li")
    assert (await env.cast_vote("qian")).outcome is VoteOutcome.RECORDED
    assert (await env.cast_vote("li")).outcome is VoteOutcome.DECIDED


class TestWhileTheBotOnlyReads:
    async def test_nothing_is_decided(self, env: ApprovalEnv) -> None:
        await env.submit()
        env.read_only = True
        refused = await env.cast_vote("wang")
        assert refused.outcome is VoteOutcome.REFUSED
        assert str(refused.reasons[0]) == "The bot only reads at present: it changes nothing in the ERP."
        assert await env.state() is CaseState.OPEN

    async def test_what_waits_is_still_shown(self, env: ApprovalEnv) -> None:
        case = await env.submit()
        env.read_only = True
        assert [waiting.id for waiting in await env.service.pending("wang")] == [case.id]
        found = await env.service.find(case.id)
        assert found is not None
        assert found.read_only

    async def test_a_decision_waits_for_the_switch(self, env: ApprovalEnv) -> None:
        await env.wang_approves()
        env.read_only = True
        await env.run_until_idle()
        assert (await env.state(), env.erp.written) == (CaseState.WRITING, [])
        env.read_only = False
        await env.run_until_idle()
        assert (await env.state(), len(env.erp.written)) == (CaseState.APPROVED, 1)
