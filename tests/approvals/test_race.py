"""Many people at the same moment, over two processes on one database."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

from bot.approvals.case import CaseState
from bot.approvals.voting import Said, Voted, Word
from bot.erp.model import Verdict
from bot.store.approvals import StoredApprovalBooks
from bot.store.database import Database
from tests.approvals.parts import document
from tests.approvals.policy.test_planning import any_of
from tests.approvals.world import Process, World, rules

PEOPLE = [f"p{number}" for number in range(50)]


def processes(two: tuple[Database, Database]) -> tuple[World, list[Process]]:
    world = World(
        accounts={one: {"main": f"erp-{one}"} for one in (*PEOPLE, "wu")},
        rules=rules(any_of(" ".join(f"person:{one}" for one in PEOPLE))),
    )
    started = []
    for database in two:
        world.books = StoredApprovalBooks(database, world.clock)
        started.append(world.start())
    return world, started


async def test_fifty_people_click_again_and_again_and_one_decides(two: tuple[Database, Database]) -> None:
    world, both = processes(two)
    case = await world.submit()

    async def click(person: str, place: int) -> Voted:
        verdict = Verdict.REJECT if place % 3 == 0 else Verdict.APPROVE
        word = Word(case=case.id, user_id=person, name=person, verdict=verdict, seen=case.fingerprint, reason="贵")
        return await both[place % 2].desk.say(word)

    clicks = [click(person, place) for place, person in enumerate(PEOPLE * 4)]
    said = await asyncio.gather(*clicks, *(one.writer.round() for one in both))
    words = Counter(one.said for one in said if isinstance(one, Voted))
    assert words == {Said.DECIDED: 1, Said.LATE: len(clicks) - 1}
    for _ in range(3):
        await asyncio.gather(*(one.writer.round() for one in both))
        await asyncio.gather(*(one.writer.settled() for one in both))
    (decided,) = (one for one in said if isinstance(one, Voted) and one.said is Said.DECIDED)
    assert decided.case is not None
    assert decided.case.decision is not None
    assert [one.by for one in world.erp.told] == [decided.case.decision.account]
    final = await world.newest()
    assert final.state in (CaseState.APPROVED, CaseState.REJECTED)
    assert final.decision == decided.case.decision
    assert (await world.story()).count("decided") == 1


async def test_many_documents_are_decided_once_each(two: tuple[Database, Database]) -> None:
    world, both = processes(two)
    order = document(requester="wu").order
    cases = [await world.submit(replace(order, number=f"PO-{number}")) for number in range(40)]

    async def click(place: int) -> Voted:
        case, person = cases[place % len(cases)], PEOPLE[place % len(PEOPLE)]
        word = Word(case=case.id, user_id=person, name=person, verdict=Verdict.APPROVE, seen=case.fingerprint)
        return await both[place % 2].desk.say(word)

    said = await asyncio.gather(*(click(place) for place in range(4 * len(cases))))
    assert Counter(one.said for one in said) == {Said.DECIDED: len(cases), Said.LATE: 3 * len(cases)}
    for _ in range(6):
        await asyncio.gather(*(one.writer.round() for one in both))
        await asyncio.gather(*(one.writer.settled() for one in both))
    assert Counter(one.number for one in world.erp.told) == {case.number: 1 for case in cases}
    for case in cases:
        assert await world.state(case.number) is CaseState.APPROVED
