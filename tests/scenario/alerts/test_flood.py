"""A flood of one source to one place: nobody else waits, it does not slow down, and it fills no disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario.alerts.flood import send_flood

pytestmark = [pytest.mark.process]


@pytest.mark.parametrize(
    ("events", "seconds", "room"),
    [
        # The first cards, before there is a digest, weigh more in a small flood.
        pytest.param(4_000, 500, 6, id="4000", marks=pytest.mark.timeout(600)),
        pytest.param(150_000, 3_000, 3, id="150000", marks=[pytest.mark.soak, pytest.mark.timeout(3_300)]),
    ],
)
async def test_a_flood_keeps_nobody_waiting_and_is_done_at_an_even_cost(
    events: int, seconds: float, room: float, tmp_path: Path
) -> None:
    figures = await send_flood(tmp_path, events, seconds=seconds)
    assert figures.accepted == events
    assert figures.states == {"done": events}, "what was answered 202 is done"
    # A cost that grows with what is there would be three times as high; beside other work a processor is slower, too.
    assert figures.slowing < 2.2
    assert figures.growth < room
    # Ahead of thousands of events, which take a hundred times as long as this limit lets a card wait.
    assert max(figures.critical_waits) < figures.drained / 2 + 5
