"""A storm of events: all are accepted and counted, there are few cards, no budget is exceeded, questions are
answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.store.database import Database
from bot.store.tables import ALERT, ALERT_CARD, ALERT_CARD_MEMBER, DELIVERY
from tests.scenario.alerts.call_recorder import assert_every_card_once, assert_nothing_lost
from tests.scenario.alerts.storm import Storm
from tests.scenario.alerts.storm_run import assert_within_limits, percentile, run_storm, send_burst, send_evenly
from tests.scenario.traffic import LONGEST_WAIT

pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]


# Beside other tests, delayed calls may come together, up to DingTalk's own limit, and answers wait for the machine.
@pytest.mark.parametrize(
    ("alerts", "per_second", "within"),
    [pytest.param(40, 20, LONGEST_WAIT, id="forty"), pytest.param(100, 10, 2.0, id="all", marks=pytest.mark.soak)],
)
async def test_a_burst_becomes_one_card_for_each_matter(
    alerts: int, per_second: int, within: float, tmp_path: Path
) -> None:
    storm = Storm(alerts=alerts, rounds=20, groups=10)
    async with run_storm(storm, tmp_path) as run:
        counts, figures = await send_burst(run, size=100, senders=4, seconds=LONGEST_WAIT)
        assert_nothing_lost(storm, counts)
        assert_every_card_once(storm, run.recorder)
        assert_within_limits(figures, run.recorder, per_second=per_second)
        assert run.senders.receipts == {"accepted": storm.events, "duplicate": 0}
        assert figures.created == storm.alerts
        assert figures.changed < storm.events / 4, "what changes while a card waits for its turn costs no call"
        assert not run.traffic.doubled
        assert percentile(figures.answers, 0.95) < within, "questions are answered meanwhile"


@pytest.mark.soak
async def test_what_is_over_the_budget_of_a_group_stands_on_a_digest(tmp_path: Path) -> None:
    storm = Storm(alerts=100, rounds=5, groups=1)
    async with run_storm(storm, tmp_path) as run:
        counts, figures = await send_burst(run, size=100, senders=4, seconds=LONGEST_WAIT)
        assert_nothing_lost(storm, counts)
        assert_within_limits(figures, run.recorder)
        assert figures.created < storm.alerts / 2
        still_open = sum(not storm.ends(correlation) for correlation in range(storm.alerts))
        assert await living_cards(run.database) == {1: still_open}, "each open alert on one card that was sent"


# Beside other tests cards wait for the machine, and still none for another matter.
@pytest.mark.parametrize(
    ("alerts", "within"),
    [pytest.param(20, LONGEST_WAIT, id="twenty"), pytest.param(40, 1.0, id="forty", marks=pytest.mark.soak)],
)
async def test_within_the_budgets_a_card_comes_at_once(alerts: int, within: float, tmp_path: Path) -> None:
    storm = Storm(alerts=alerts, rounds=1, groups=10)
    async with run_storm(storm, tmp_path) as run:
        waits = await send_evenly(run, per_second=5)
        assert percentile(waits, 0.95) <= within


async def living_cards(database: Database) -> Mapping[int, int]:
    """Return the number of open alerts by the number of delivered cards that show them."""
    cards = (
        select(func.count())
        .select_from(ALERT)
        .join(ALERT_CARD_MEMBER, ALERT_CARD_MEMBER.c.alert == ALERT.c.id)
        .join(ALERT_CARD, ALERT_CARD.c.id == ALERT_CARD_MEMBER.c.card)
        .join(DELIVERY, DELIVERY.c.card == ALERT_CARD.c.id)
        .where(ALERT.c.state == "open", ALERT_CARD.c.state == "shown", DELIVERY.c.state == "done", DELIVERY.c.shown > 0)
        .group_by(ALERT.c.id)
    )
    return Counter(await database.run(lambda connection: connection.execute(cards).scalars().all()))
