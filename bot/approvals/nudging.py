"""A reminder to those whose turn it is, by somebody who waits for them: at most once an hour for each case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.approvals.case import Nudge
from bot.approvals.deciders import awaited_voters
from bot.approvals.lifecycle import remind
from bot.approvals.unit_of_work import CaseUnitOfWork
from bot.approvals.voting import VoteOutcome, VoteResult, check_takes_votes, refusal, refuse_vote
from bot.words.phrase import phrase

NUDGE_PAUSE = timedelta(hours=1)
"""How long nobody can remind again."""


def nudge(unit: CaseUnitOfWork, case_id: str, user_id: str, name: str) -> VoteResult:
    """Remind the people whose turn it is by a card of their own, which names who reminds them.

    Whether a person may see the case, and so remind, is checked by the caller.
    """
    case = unit.cases.case(case_id)
    if case is None:
        return VoteResult(outcome=VoteOutcome.NO_CASE, case=None)
    if (over := check_takes_votes(case)) is not None:
        return over
    if case.inquiry is not None:
        return refuse_vote(case, refusal(phrase("The requester has not answered a question yet: the others wait.")))
    last = case.nudge
    if last is not None and unit.now < last.at + NUDGE_PAUSE:
        told = phrase("%(name)s reminded them at %(time)s: once an hour is enough.", name=last.name, time=last.at)
        return refuse_vote(case, refusal(told))
    people = [person for person in awaited_voters(unit, case) if person != user_id]
    if not people:
        return refuse_vote(case, refusal(phrase("There is nobody to remind.")))
    said = Nudge(by=user_id, name=name, at=unit.now)
    nudged = replace(case, nudge=said, revision=case.revision + 1)
    unit.cases.put(nudged)
    unit.audit(nudged, "nudged", user_id=user_id, detail=", ".join(people))
    remind(unit, nudged, people)
    return VoteResult(outcome=VoteOutcome.RECORDED, case=nudged)
