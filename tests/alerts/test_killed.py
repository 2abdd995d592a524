"""A process that is killed in the middle of its work, again and again: nothing is lost and nothing is doubled."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from bot.alerts.intake.kept import EventState
from bot.alerts.ledger import Ledger
from bot.store.tables import ALERT_CARD, DELIVERY

from .conftest import sqlite
from .test_running import Office, kept

EVENTS, MATTERS = 1_200, 60

_PROGRAM = """
import asyncio, sys
from bot.store.database import Database
from tests.alerts.test_running import Office

async def work():
    office = Office(Database(sys.argv[1]))
    office.prefix = sys.argv[2]
    desk = office.desk(batch=7)
    while True:
        await desk._take()
        print(flush=True)

asyncio.run(work())
"""


@pytest.mark.process
@pytest.mark.parametrize("kills", [pytest.param(4, id="four"), pytest.param(8, id="eight", marks=pytest.mark.soak)])
async def test_killed_at_random_moments(kills: int, tmp_path: Path) -> None:
    chance = Random(20261124)
    with sqlite(tmp_path) as database:
        office = Office(database)
        await office.keep(*(kept(number, f"SKU{number % MATTERS}", quantity=number) for number in range(EVENTS)))
        for life in range(kills):
            await _live_and_be_killed(str(database._engine.url), f"life{life}", chance)
        states = Counter(state for state, _ in (await office.states()).values())
        assert 0 < states[EventState.WAITING] < EVENTS, "they were killed in the middle of it"
        await office.desk().round()
        assert {state for state, _ in (await office.states()).values()} == {EventState.DONE}
        alerts = await office.alerts()
        assert Counter(alert.count for alert in alerts) == {EVENTS // MATTERS: MATTERS}
        assert {alert.event.quantity for alert in alerts} == set(range(EVENTS - MATTERS, EVENTS))
        assert await office.count(ALERT_CARD) == await office.count(DELIVERY) == MATTERS
        repeated = await office.books.within(_story_of_all)
        assert repeated == EVENTS


def _story_of_all(ledger: Ledger) -> int:
    return sum(note.what in ("opened", "updated") for note in ledger.story(limit=100_000))


async def _live_and_be_killed(url: str, name: str, chance: Random) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, url, name, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    for _ in range(chance.randint(1, 12)):
        assert await asyncio.wait_for(process.stdout.readline(), 30)
    await asyncio.sleep(chance.uniform(0, 0.02))  # the moment of death, not something waited for
    process.send_signal(signal.SIGKILL)
    await process.communicate()
