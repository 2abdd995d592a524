"""The living demo company, polled: alerts arrive and turn green, at a rate at which people can follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.alerts.event import EventType
from bot.alerts.intake.poll_state import PollConfig
from bot.alerts.rules.parser import parse_rules
from bot.alerts.rules.rule_set import AlertRuleContext
from bot.kit.company.adapter import DemoErp, open_demo
from bot.kit.company.manifest import DemoOptions
from bot.kit.demo import DEMO_ALERTS, LIST_SECONDS, POLL_SECONDS, demo_settings, with_company
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.enterprise import demo_enterprise
from bot.outbox.place import PlaceKind
from bot.settings import load_settings
from bot.store.database import Database
from bot.words.severity import Severity
from tests.alerts.intake.polling_harness import START, TODAY, ZONE, Clock, PollingHarness
from tests.alerts.rules.builders import event

MANNER = PollConfig(seconds=POLL_SECONDS, lists=LIST_SECONDS, backlog=False)
OPENING = {"stock.low", "stock.out", "invoice.overdue", "order.late", "po.submitted", "production.late"}


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
async def bot(database: Database) -> AsyncIterator[PollingHarness]:
    clock = Clock()
    erp: DemoErp = await open_demo(":memory:", today=TODAY, now=clock.now, days_per_hour=6)
    yield PollingHarness(erp, database, clock, MANNER)
    await erp.close()


@pytest.mark.parametrize("living", [True, False])
def test_the_demo_is_polled_whether_the_company_lives_or_not(
    living: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What people decide changes the company too."""
    monkeypatch.chdir(tmp_path)
    own = load_settings()
    settings = with_company(demo_settings(own, SimulatorConfig(), "http://127.0.0.1:1"), own, living=living)
    assert settings.poll.enabled
    assert DemoOptions.model_validate(settings.erp["demo"].options).living is living
    assert settings.alert_rules[-1] == DEMO_ALERTS


def test_the_demo_has_a_place_for_every_alert() -> None:
    company = AlertRuleContext(zone=ZONE, default=(), roles={})
    rules = parse_rules(DEMO_ALERTS.read_bytes(), company=company, name="demo")
    groups = {group.id: group.title for group in demo_enterprise().groups}
    places = {}
    for kind in EventType:
        routing = rules.route(event(kind), Severity.WARNING, START)
        assert [target.place.kind for target in routing.targets] == [PlaceKind.GROUP]
        places[kind] = groups[routing.targets[0].place.id]
    assert places[EventType.STOCK_LOW] == places[EventType.ORDER_LATE] == "仓库与销售群"
    assert places[EventType.INVOICE_OVERDUE] == places[EventType.PO_SUBMITTED] == "采购与财务群"


async def test_one_sees_an_alert_within_seconds_and_a_handful_in_ten_minutes(bot: PollingHarness) -> None:
    await bot.poll(3, seconds=POLL_SECONDS)
    assert await bot.told() != [], "within fifteen seconds"
    await bot.poll(int(600 / POLL_SECONDS) - 3, seconds=POLL_SECONDS)
    told = await bot.told()
    assert 3 <= len(told) <= 15, told
    assert any(line.endswith("over") for line in told), "and something has turned green"


@pytest.mark.parametrize(
    "seconds",
    [
        # Less frequent looks see the same hour.
        pytest.param(8 * LIST_SECONDS, id="now and then"),
        pytest.param(LIST_SECONDS, id="as the demo", marks=pytest.mark.soak),
    ],
)
async def test_an_hour_brings_all_kinds_and_their_ends(seconds: float, bot: PollingHarness) -> None:
    await bot.poll(int(3600 / seconds), seconds=seconds)
    events: list[Any] = await bot.events()
    opened = Counter(event["type"] for event in events if not event["data"].get("resolved"))
    assert set(opened) >= OPENING, opened
    assert {"invoice.paid", "production.done"} <= set(opened)
    assert len(events) < 120, "no more than one can read"
    ended = Counter(event["type"] for event in events if event["data"].get("resolved"))
    assert {"stock.low", "order.late"} <= set(ended)
    assert len({event["id"] for event in events}) == len(events)
