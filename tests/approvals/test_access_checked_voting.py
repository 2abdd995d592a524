"""What somebody says in DingTalk's approval app counts only if they could say it in chat."""

from __future__ import annotations

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.approvals.case import CaseState
from bot.approvals.oa.access_checked_voting import AccessCheckedVoting
from bot.approvals.voting import VoteOutcome, VoteRequest
from bot.erp.model import Verdict
from tests.approvals.env import APPROVE, REJECT, ApprovalEnv
from tests.recording_audit import RecordingAudit


class Company:
    async def identify(self, user_id: str | None, *, name: str) -> Person:
        return Person(user_id=None if user_id == "gone" else user_id, name=name)


CASHIERS = AccessRule(commands=frozenset({"approve"}), people=frozenset({"qian"}), name="cashiers")


@pytest.mark.parametrize(
    ("policy", "user_id", "verdict", "outcome", "reason"),
    [
        (AccessPolicy(), "wang", APPROVE, VoteOutcome.DECIDED, "“rule” names you for level 1."),
        (AccessPolicy([CASHIERS]), "wang", APPROVE, VoteOutcome.REFUSED, "/approve is only for: qian."),
        (AccessPolicy([CASHIERS]), "wang", REJECT, VoteOutcome.DECIDED, "“rule” names you for level 1."),
        (AccessPolicy([CASHIERS]), "qian", APPROVE, VoteOutcome.DECIDED, "“rule” names you for level 1."),
        (AccessPolicy(), "gone", APPROVE, VoteOutcome.REFUSED, "Only members of the organisation may ask the ERP."),
        (
            AccessPolicy(read_only=True),
            "wang",
            APPROVE,
            VoteOutcome.REFUSED,
            "The bot only reads at present: it changes nothing in the ERP.",
        ),
    ],
)
async def test_who_may_say_it(
    env: ApprovalEnv, policy: AccessPolicy, user_id: str, verdict: Verdict, outcome: VoteOutcome, reason: str
) -> None:
    case = await env.submit()
    audit = RecordingAudit()
    votes = AccessCheckedVoting(env.service, Company(), lambda: policy, audit=audit, now=env.clock)
    request = VoteRequest(
        case=case, user_id=user_id, name=user_id, verdict=verdict, seen=case.fingerprint, reason="价格过高"
    )
    result = await votes.cast_vote(request)
    assert (result.outcome, [str(said) for said in result.reasons]) == (outcome, [reason])
    assert [entry.detail for entry in audit.entries] == ([reason] if outcome is VoteOutcome.REFUSED else [])
    state = await env.state()
    assert state is (CaseState.WRITING if outcome is VoteOutcome.DECIDED else CaseState.OPEN)
    assert [case.id for case in await votes.open_cases()] == ([] if state is CaseState.WRITING else [case.id])
