"""The benchmark of approvals at a size that a busy machine can bear: its counts are exact, its times have room."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.load.approvals import ANSWER, PEOPLE, PLACES, decide, open_cluster_with_orders
from tests.scenario.alerts.storm_run import percentile

pytestmark = [pytest.mark.process, pytest.mark.timeout(120)]

BUSY = 5
"""Other tests share the machine: times may be so many times what is promised, and one in ten longer than that."""


async def test_each_place_costs_one_call_and_answers_come_at_once(tmp_path: Path) -> None:
    async with open_cluster_with_orders(tmp_path, 20) as (scene, numbers):
        figures = await decide(scene, numbers, clicks=len(PEOPLE), per_second=25.0)
    assert len(figures.answers) == 20 * len(PEOPLE)
    assert len(figures.finals) == 20
    # An ERP that needs more than a second, as on a machine that stands still for a moment, costs a call more.
    assert 1.0 <= figures.calls < 1.0 + 1.0 / PLACES
    assert percentile(list(figures.answers), 0.9) < BUSY * ANSWER
    assert percentile(list(figures.finals), 0.9) < BUSY * ANSWER + 1
