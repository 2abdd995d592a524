"""The benchmark of approvals at a small size: its counts are exact. Its times are the benchmark's own, not a test's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.load.approvals import PEOPLE, decide, open_cluster_with_orders

pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]


async def test_a_decision_costs_less_than_a_call_for_each_place_and_every_click_is_answered(tmp_path: Path) -> None:
    async with open_cluster_with_orders(tmp_path, 20) as (cluster, numbers):
        figures = await decide(cluster, numbers, clicks=len(PEOPLE), per_second=25.0)
    assert len(figures.answers) == 20 * len(PEOPLE)
    assert len(figures.finals) == 20
    # One call changes the card at all its places. When the ERP takes more than a second, as on a machine that stalls
    # for a moment, a call more is made; and a card changed before its click is answered is drawn once more.
    assert 0.0 < figures.calls < 1.0
