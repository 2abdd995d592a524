"""A process that is killed in the middle of its work, again and again: nothing is lost and nothing is doubled."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from bot.alerts.intake.port import EventState
from bot.alerts.repository import AlertRepository
from bot.store.tables import ALERT_CARD, DELIVERY
from tests.alerts.test_processor import ProcessorHarness, received
from tests.scenario.processes import at_work

from .conftest import sqlite

SUBJECTS = 60
EACH = 150
"""Events for each process: more than it can take before it is killed."""


@pytest.mark.process
@pytest.mark.parametrize("kills", [pytest.param(4, id="four"), pytest.param(8, id="eight", marks=pytest.mark.soak)])
async def test_killed_at_random_moments(kills: int, tmp_path: Path) -> None:
    chance, events = Random(20261124), EACH * kills
    with sqlite(tmp_path) as database:
        harness = ProcessorHarness(database)
        await harness.receive(
            *(received(number, f"SKU{number % SUBJECTS}", quantity=number) for number in range(events))
        )
        for life in range(kills):
            await _live_and_be_killed(str(database._engine.url), f"life{life}", chance, tmp_path)
        states = Counter(state for state, _ in (await harness.states()).values())
        assert 0 < states[EventState.WAITING] < events, "they were killed in the middle of it"
        await harness.processor().round()
        assert {state for state, _ in (await harness.states()).values()} == {EventState.DONE}
        alerts = await harness.alerts()
        assert Counter(alert.count for alert in alerts) == {events // SUBJECTS: SUBJECTS}
        assert {alert.event.quantity for alert in alerts} == set(range(events - SUBJECTS, events))
        assert await harness.count(ALERT_CARD) == await harness.count(DELIVERY) == SUBJECTS
        repeated = await harness.transactions.transact(_story_of_all)
        assert repeated == events


def _story_of_all(repository: AlertRepository) -> int:
    return sum(note.what in ("opened", "updated") for note in repository.history(limit=100_000))


async def _live_and_be_killed(url: str, name: str, chance: Random, folder: Path) -> None:
    async with at_work("tests.alerts.processor_process", url, name, folder=folder) as process:
        await process.writing(chance.randint(1, 12))
        await asyncio.sleep(chance.uniform(0, 0.02))  # the moment of death, not something waited for
        await process.kill()
