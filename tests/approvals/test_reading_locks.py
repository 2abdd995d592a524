"""Looking at a case locks nothing: who looks waits for nobody who is changing it, and sees what is stored."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta

from bot.approvals.cards.insights import Insights
from bot.approvals.case import Case, CaseState
from bot.approvals.unit_of_work import ApprovalOptions, CaseRepository
from bot.erp.errors import Unsupported
from bot.store.approvals.repository import StoredCaseTransactions
from bot.store.database import Database
from tests.approvals.company import NOW, po_key
from tests.approvals.env import ApprovalEnv, Clock
from tests.approvals.memory_repository import MemoryCaseStore
from tests.approvals.test_insights import LEVELS, NEW, FakeInsightSource
from tests.approvals.test_repository import a_case

PATIENCE = 5.0
"""Seconds: a look that waits for the lock would wait for ever, since nothing else lets go of it."""


async def test_who_looks_does_not_wait_for_who_changes(two: tuple[Database, Database]) -> None:
    mine, other = (StoredCaseTransactions(database, lambda: NOW) for database in two)
    await mine.transact(lambda cases: cases.put(a_case()))
    changing, seen = threading.Event(), threading.Event()

    def change(cases: CaseRepository) -> None:
        case = cases.case(a_case().id)
        assert case is not None
        cases.put(replace(case, state=CaseState.EXPIRED, revision=2))
        changing.set()
        assert seen.wait(2 * PATIENCE)

    def find(cases: CaseRepository) -> tuple[Case | None, Case | None]:
        return cases.case(a_case().id), cases.newest(po_key("main", "PO-1"))

    change_task = asyncio.create_task(mine.transact(change))
    assert await asyncio.to_thread(changing.wait, PATIENCE)
    try:
        async with asyncio.timeout(PATIENCE):
            before = await other.query(find)
    finally:
        seen.set()
        await change_task
    assert before == (a_case(), a_case())
    changed = replace(a_case(), state=CaseState.EXPIRED, revision=2)
    assert await other.query(find) == (changed, changed)


async def test_a_look_keeps_nothing_in_memory_either() -> None:
    store = MemoryCaseStore()
    await store.query(lambda cases: cases.put(a_case()))
    assert await store.query(lambda cases: cases.case(a_case().id)) is None


async def test_cards_wait_a_moment_for_the_erp_before_they_say_that_it_is_being_told() -> None:
    env = ApprovalEnv()
    await env.wang_approves()
    assert isinstance(env.store, MemoryCaseStore)
    told = env.clock.time
    assert {one.due_at - told for one in env.store.repository.deliveries[-4:]} == {timedelta(seconds=1)}
    await env.work()
    assert {one.due_at for one in env.store.repository.deliveries[-4:]} == {told}


async def test_cards_say_at_once_that_a_decision_can_be_taken_back() -> None:
    env = ApprovalEnv(terms=ApprovalOptions(undo=timedelta(seconds=30)))
    await env.wang_approves()
    assert isinstance(env.store, MemoryCaseStore)
    assert {one.due_at for one in env.store.repository.deliveries[-4:]} == {env.clock.time}


async def test_what_an_erp_never_knows_is_not_missing_and_not_looked_for_with_every_card() -> None:
    archive = FakeInsightSource([], LEVELS, broken={"S1": Unsupported("no stock here")})
    insights = Insights(lambda source: archive, now=Clock(), seconds=1)
    found = await insights.of("case", NEW)
    calls = len(archive.calls)
    assert (found.missing, calls > 0) == (frozenset(), True)
    assert await insights.of("case", NEW) is found
    assert len(archive.calls) == calls
