"""Whom a case names, and which of its votes use up somebody's limit: what books keep beside the case itself."""

from __future__ import annotations

from bot.approvals.case import Case, CaseState
from bot.approvals.ruling import Vote
from bot.erp.model import Verdict

_COUNTED = {CaseState.OPEN, CaseState.WRITING, CaseState.UNKNOWN, CaseState.APPROVED}
"""States in which an approval uses up its giver's limit: it may still come to something, or it has."""


def named_by(case: Case) -> frozenset[str]:
    """Return the userIds of all who may come to decide: by the plan, by escalation, or passed on by hand."""
    approvers = {one for level in case.plan.levels for one in level.approvers}
    return frozenset(approvers | {*case.plan.escalate_to} | {one.to for one in case.forwards})


def votes_that_count(case: Case) -> tuple[Vote, ...]:
    """Return the approvals that count against limits per day."""
    if case.state not in _COUNTED:
        return ()
    return tuple(vote for vote in case.votes if vote.verdict is Verdict.APPROVE)
