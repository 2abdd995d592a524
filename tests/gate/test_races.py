"""Everybody at once: each request has one verdict, and each verdict is used once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from bot.erp.model import Verdict
from bot.store.database import Database
from tests.gate.desk import Desk
from tests.gate.traffic import check_histories, run_traffic
from tests.scenario.processes import forked, own_environment

VERDICTS = (Verdict.APPROVE, Verdict.REJECT)


@pytest.fixture(params=["sqlite", "postgres"])
async def desks(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Desk, Desk]]:
    """One gate, open at two replicas."""
    url = request.getfixturevalue(f"{request.param}_url")
    one, other = Database(url), Database(url)
    await one.migrate()
    yield Desk(one), Desk(other)
    await one.close()
    await other.close()


async def test_racing_people_programs_and_replicas_make_one_verdict_used_once(desks: tuple[Desk, Desk]) -> None:
    told = await run_traffic(desks, 20, Random(7))
    histories = await desks[0].histories()
    assert len(histories) == 20
    check_histories(histories)
    used = sum("used" in states for states in histories.values())
    assert used
    assert told["used"] >= used, "each use that was told was one"


async def test_a_vote_at_the_last_moment_or_none(desks: tuple[Desk, Desk]) -> None:
    """Expiry and votes race: whoever comes first, there is one end."""
    random = Random(3)
    for number in range(10):
        wish = desks[0].wish(asked_as=f"late-{number}")
        request = await desks[0].gate.ask(wish)
        for desk in desks:
            desk.now = request.expires_at + timedelta(seconds=random.choice((-1, 0)))
        await asyncio.gather(
            desks[0].gate.vote(request.id, "li01", "Li", random.choice(VERDICTS)),
            desks[1].gate.sweep(),
            desks[1].gate.vote(request.id, "wang01", "Wang", random.choice(VERDICTS)),
        )
    check_histories(await desks[0].histories())


@pytest.mark.process
@pytest.mark.parametrize("requests", [15, pytest.param(500, id="a thousand", marks=pytest.mark.soak)])
async def test_killed_replicas_leave_one_verdict_each(
    requests: int, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database(postgres_url)
    await database.migrate()
    desk = Desk(database, clock=lambda: datetime.now(UTC))
    for killed_at in (2 * requests // 3, 4 * requests // 3, None):
        async with AsyncExitStack() as stack:
            programs = [
                await stack.enter_async_context(
                    forked(
                        *("tests.gate.traffic", postgres_url, str(seed), str(requests)),
                        env=own_environment(),
                        folder=tmp_path,
                    )
                )
                for seed in (1, 2)
            ]
            if killed_at is None:
                ends = [await program.ended() for program in programs]
                assert [end.code for end in ends] == [0, 0], ends
            while killed_at is not None and len(await desk.histories()) < killed_at:  # noqa: ASYNC110 - they tell nobody
                await asyncio.sleep(0.05)
    histories = await desk.histories()
    assert len(histories) == 2 * requests
    check_histories(histories)
    await database.close()
