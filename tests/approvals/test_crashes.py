"""The process dies before or after any step, another one goes on, the ERP is changed once, and nobody has to help.

On SQLite a step costs twenty times as much as in memory, so there it dies at every third, and in `make soak` at each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import create_engine

from bot.approvals.asking_back import CaseMessage
from bot.approvals.case import CaseState
from bot.erp.kinds import DECIDED, Kind, review_of
from bot.erp.model import ReviewState
from bot.store.approvals.repository import StoredCaseTransactions
from bot.store.database import Database
from bot.store.first_tables import make_first_tables
from bot.store.revisions import latest_revision
from tests.approvals.company import money, waiting_of
from tests.approvals.env import REJECT, ApprovalEnv, Killed, rules
from tests.approvals.fake_erp import WriteFault
from tests.approvals.policy.test_planner import all_of, any_of

Story = Callable[[ApprovalEnv], Awaitable[None]]


async def approve(env: ApprovalEnv) -> None:
    await env.service.sync_document(env.key)
    await click(env, "wang")


async def reject(env: ApprovalEnv) -> None:
    await env.service.sync_document(env.key)
    if (await env.newest()).state is CaseState.OPEN:
        await env.cast_vote("wang", REJECT)
    await live(env)


async def both(env: ApprovalEnv) -> None:
    env.rules = rules(any_of("role:purchasing"), all_of("role:board"))
    await env.service.sync_document(env.key)
    for person in ("wang", "sun", "zhou"):
        await click(env, person)


async def silent(env: ApprovalEnv) -> None:
    if not env.erp.told:
        env.erp.faults[:] = [WriteFault.ANSWER_LOST]
    await approve(env)


async def away(env: ApprovalEnv) -> None:
    if not env.erp.told:
        env.erp.faults[:] = [WriteFault.AWAY]
    await approve(env)


async def lost(env: ApprovalEnv) -> None:
    if not env.erp.told:
        env.erp.faults[:] = [WriteFault.LOST]
    await approve(env)


async def two_levels_in_the_erp(env: ApprovalEnv) -> None:
    await env.service.sync_document(env.key)
    for person in ("wang", "qian"):
        await click(env, person)
        await live(env)


async def refused_first(env: ApprovalEnv) -> None:
    env.erp.forbidden.add("erp-wang")
    await env.service.sync_document(env.key)
    if "wang" not in (await env.newest()).refused:
        await click(env, "wang")
        await live(env)
    await click(env, "qian")


async def changed(env: ApprovalEnv) -> None:
    case = await env.service.sync_document(env.key)
    if env.erp.orders[env.name].total == money("3000 CNY") and case is not None:
        env.erp.edit(env.name, total=money("4000 CNY"))
        await env.cast_vote("wang", case=case)
    await live(env)
    await click(env, "wang")


async def asked(env: ApprovalEnv) -> None:
    """Ask the requester, who answers; whoever got no answer says it again."""
    case = await env.service.sync_document(env.key)
    if case is not None:
        question = CaseMessage(case=case.id, user_id="wang", name="Wang", text="为什么这么贵")
        if not case.inquiries:
            await env.service.ask_back(case, question)
        await env.service.answer_inquiry(replace(question, user_id="wu", text="铜价涨了", inquiry=1))
        assert [(one.text, one.answer) for one in (await env.newest()).inquiries] == [("为什么这么贵", "铜价涨了")]
    await click(env, "wang")


async def click(env: ApprovalEnv, person: str) -> None:
    """Click until it was heard: who got no answer clicks again."""
    if (await env.newest()).state is CaseState.OPEN:
        await env.cast_vote(person)
    await live(env)


async def live(env: ApprovalEnv) -> None:
    """Let the writer work; what dies with it is seen at the next step."""
    await env.run_until_idle()
    env.process.life.step()


KINDS = [
    pytest.param(kind, id=kind.command, marks=[] if kind in DECIDED[:2] else [pytest.mark.soak]) for kind in DECIDED
]
SCENARIOS = {
    one.__name__: one
    for one in (approve, reject, both, silent, away, lost, two_levels_in_the_erp, refused_first, changed, asked)
}


@pytest.fixture(scope="module")
def tables() -> Iterator[sqlite3.Connection]:
    """Empty tables, to be copied."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        make_first_tables(connection, latest_revision())
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as kept:
        with engine.connect() as connection:
            held = connection.connection.driver_connection
            assert isinstance(held, sqlite3.Connection)
            held.backup(kept)
        engine.dispose()
        yield kept


@pytest.fixture(
    params=[
        pytest.param(("memory", 1), id="memory"),
        pytest.param(("sqlite", 3), id="sqlite"),
        pytest.param(("sqlite", 1), id="sqlite, each step", marks=pytest.mark.soak),
    ]
)
def where(request: pytest.FixtureRequest) -> tuple[str, int]:
    """Return where the store are kept, and how many steps lie between two deaths: an odd number, for a process does a
    thing in two steps, before and after.
    """
    store, stride = request.param
    return str(store), int(stride)


@pytest.fixture
async def make_world(
    request: pytest.FixtureRequest, where: tuple[str, int]
) -> AsyncIterator[Callable[[], Awaitable[ApprovalEnv]]]:
    """Return what makes a world without a past. On SQLite all worlds of a test have the same database, emptied."""
    if where[0] == "memory":

        async def anew() -> ApprovalEnv:
            return ApprovalEnv()

        yield anew
        return
    tables: sqlite3.Connection = request.getfixturevalue("tables")
    database = Database("sqlite://")

    async def emptied() -> ApprovalEnv:
        await database.read(lambda connection: tables.backup(connection.connection.driver_connection))  # type: ignore[arg-type]
        env = ApprovalEnv()
        env.store = StoredCaseTransactions(database, env.clock)
        env.start()
        return env

    yield emptied
    await database.close()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("kind", KINDS)
async def test_dying_at_any_step(
    name: str, kind: Kind[Any], where: tuple[str, int], make_world: Callable[[], Awaitable[ApprovalEnv]]
) -> None:
    story, steps, survived = SCENARIOS[name], 0, False
    while not survived:
        env = await make_world()
        env.kind = kind
        env.start()
        if story is two_levels_in_the_erp:
            env.erp.levels["PO-1"] = (("erp-wang",), ("erp-qian",))
        env.erp.submit(waiting_of(kind, "PO-1"))
        env.start(steps)
        with suppress(Killed):
            await story(env)
            survived = True
        env.start()
        await env.run_until_idle()
        await story(env)
        await env.run_until_idle()
        await check(name, env, steps)
        steps += where[1]
    assert steps > 10


async def check(name: str, env: ApprovalEnv, steps: int) -> None:
    there = review_of(env.erp.orders[env.name])
    wanted = ReviewState.REJECTED if name == "reject" else ReviewState.APPROVED
    assert there.state is wanted, (steps, await env.audit_actions())
    writes = 2 if name == "two_levels_in_the_erp" else 1
    assert len(env.erp.written) == writes, (steps, env.erp.written)
    state = CaseState.REJECTED if name == "reject" else CaseState.APPROVED
    assert await env.state() is state, (steps, await env.audit_actions())
    for case, rows in await env.service.history("PO-1"):
        assert case.state.is_final
        assert case.due_at is None
        assert [row.what for row in rows].count("opened") == 1
        owed = await env.store.transact(lambda cases, one=case.id: len(cases.cards_of(one)))  # type: ignore[misc]
        assert owed >= 2
