"""Many people at the same moment, over two processes on one database."""

from __future__ import annotations

import asyncio
from collections import Counter

from bot.approvals.case import CaseState
from bot.approvals.voting import VoteOutcome, VoteRequest, VoteResult
from bot.erp.kinds import DECIDED
from bot.erp.model import Verdict
from bot.store.approvals.repository import StoredCaseTransactions
from bot.store.database import Database
from tests.approvals.company import waiting_of
from tests.approvals.env import ApprovalEnv, BotProcess, rules
from tests.approvals.policy.test_planner import any_of

PEOPLE = [f"p{number}" for number in range(50)]


def processes(two: tuple[Database, Database]) -> tuple[ApprovalEnv, list[BotProcess]]:
    env = ApprovalEnv(
        accounts={one: {"main": f"erp-{one}"} for one in (*PEOPLE, "wu")},
        rules=rules(any_of(" ".join(f"person:{one}" for one in PEOPLE))),
    )
    started = []
    for database in two:
        env.store = StoredCaseTransactions(database, env.clock)
        started.append(env.start())
    return env, started


async def test_fifty_people_click_again_and_again_and_one_decides(two: tuple[Database, Database]) -> None:
    env, both = processes(two)
    case = await env.submit()

    async def click(person: str, place: int) -> VoteResult:
        verdict = Verdict.REJECT if place % 3 == 0 else Verdict.APPROVE
        word = VoteRequest(case=case, user_id=person, name=person, verdict=verdict, seen=case.fingerprint, reason="贵")
        return await both[place % 2].service.cast_vote(word)

    clicks = [click(person, place) for place, person in enumerate(PEOPLE * 4)]
    said = await asyncio.gather(*clicks, *(one.writer.run_once() for one in both))
    words = Counter(one.outcome for one in said if isinstance(one, VoteResult))
    assert words == {VoteOutcome.DECIDED: 1, VoteOutcome.LATE: len(clicks) - 1}
    for _ in range(3):
        await asyncio.gather(*(one.writer.run_once() for one in both))
        await asyncio.gather(*(one.writer.wait_idle() for one in both))
    (decided,) = (one for one in said if isinstance(one, VoteResult) and one.outcome is VoteOutcome.DECIDED)
    assert decided.case is not None
    assert decided.case.decision is not None
    assert [one.by for one in env.erp.told] == [decided.case.decision.account]
    final = await env.newest()
    assert final.state in (CaseState.APPROVED, CaseState.REJECTED)
    assert final.decision == decided.case.decision
    assert (await env.audit_actions()).count("decided") == 1


async def test_many_documents_are_decided_once_each(two: tuple[Database, Database]) -> None:
    env, both = processes(two)
    # The same numbers in each kind: what is decided of one is nothing to the others.
    cases = [await env.submit(waiting_of(kind, str(number))) for kind in DECIDED for number in range(4)]

    async def click(place: int) -> VoteResult:
        case, person = cases[place % len(cases)], PEOPLE[place % len(PEOPLE)]
        word = VoteRequest(case=case, user_id=person, name=person, verdict=Verdict.APPROVE, seen=case.fingerprint)
        return await both[place % 2].service.cast_vote(word)

    said = await asyncio.gather(*(click(place) for place in range(4 * len(cases))))
    assert Counter(one.outcome for one in said) == {VoteOutcome.DECIDED: len(cases), VoteOutcome.LATE: 3 * len(cases)}
    for _ in range(6):
        await asyncio.gather(*(one.writer.run_once() for one in both))
        await asyncio.gather(*(one.writer.wait_idle() for one in both))
    assert Counter((one.kind, one.number) for one in env.erp.told) == {
        (case.kind.command, case.number): 1 for case in cases
    }
    for case in cases:
        ended = await env.service.case(case.id)
        assert ended is not None
        assert ended.state is CaseState.APPROVED
