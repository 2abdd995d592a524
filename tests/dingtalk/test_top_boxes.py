"""A box at the top of a group, before a simulated DingTalk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bot.cards.card import Card
from bot.dingtalk.card_api import CardApi
from bot.dingtalk.card_wire import TemplateChoice
from bot.dingtalk.openapi import pooled_session
from bot.dingtalk.top_boxes import TopBoxKeeper
from bot.kit.simulator.chat import SimDelivery
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.server import open_simulator
from bot.mechanisms.metrics import Metrics
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import Marker, MarkerRequest, MarkerState, SendFailed, SendFailureKind
from tests.outbox.conftest import api_at
from tests.simulator.bare_client import WAREHOUSE

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
GROUP = Place(PlaceKind.GROUP, WAREHOUSE)


@dataclass
class TopHarness:
    """A keeper of boxes, and the DingTalk that it keeps them in."""

    engine: SimEngine
    keeper: TopBoxKeeper

    @property
    def tops(self) -> list[str]:
        items = self.engine.chat.items(self.engine.conversation(WAREHOUSE), "", 0)
        copies = [item for item in items if isinstance(item, SimDelivery) and item.top and not item.recalled]
        return [copy.card.view_for("keeper01").title for copy in copies]

    @property
    def calls(self) -> int:
        return sum(count for name, count in self.engine.calls.items() if "/card/" in name)


@pytest.fixture
async def harness() -> AsyncIterator[TopHarness]:
    async with open_simulator(SimulatorConfig(qps_limit=None)) as simulator, pooled_session() as session:
        api = api_at(simulator.url, session, Metrics())
        yield TopHarness(simulator.engine, TopBoxKeeper(CardApi(api), TemplateChoice(), lambda: NOW))


def asked(
    state: MarkerState = MarkerState.OPEN, standing: str = "", *, doubtful: bool = False, place: Place = GROUP
) -> MarkerRequest:
    return MarkerRequest(
        place=place,
        track_id="top-1",
        card=Card(
            name="alert_top", language="zh_CN", title="🔴 缺货", body="", tips="", buttons=(), twin="", fields={}
        ),
        marker=Marker(state=state),
        standing=standing,
        doubtful=doubtful,
    )


async def test_it_opens_once_and_closes_once(harness: TopHarness) -> None:
    standing = await harness.keeper.keep(asked())
    assert harness.tops == ["🔴 缺货"]
    assert await harness.keeper.keep(asked(standing=standing)) == standing
    closed = await harness.keeper.keep(asked(MarkerState.GONE, standing))
    assert harness.tops == []
    assert await harness.keeper.keep(asked(MarkerState.GONE, closed)) == closed
    assert await harness.keeper.keep(asked(standing=closed)) == closed, "it does not come back"
    assert harness.calls == 2


async def test_it_has_an_end(harness: TopHarness) -> None:
    await harness.keeper.keep(asked())
    [call] = [entry for entry in harness.engine.timeline.after() if "createAndDeliver" in entry.name]
    ends = call.render()["detail"]["request"]["topOpenDeliverModel"]["expiredTimeMillis"]
    assert datetime.fromtimestamp(ends / 1000, UTC) == NOW + timedelta(days=7)


async def test_what_is_over_before_it_was_opened_never_opens(harness: TopHarness) -> None:
    assert await harness.keeper.keep(asked(MarkerState.GONE)) == ""
    assert harness.calls == 0


async def test_a_try_whose_answer_was_lost_neither_opens_twice_nor_stays(harness: TopHarness) -> None:
    await harness.keeper.keep(asked())
    await harness.keeper.keep(asked(doubtful=True))
    assert len(harness.tops) == 1
    await harness.keeper.keep(asked(MarkerState.GONE, doubtful=True))
    assert harness.tops == []


async def test_one_that_never_came_about_is_closed_without_a_word(harness: TopHarness) -> None:
    assert await harness.keeper.keep(asked(MarkerState.GONE, doubtful=True)) == "closed"


async def test_only_groups_have_a_top(harness: TopHarness) -> None:
    with pytest.raises(SendFailed) as failure:
        await harness.keeper.keep(asked(place=Place(PlaceKind.PERSON, "keeper01")))
    assert failure.value.trouble is SendFailureKind.HOPELESS


async def test_a_group_without_the_bot_is_given_up(harness: TopHarness) -> None:
    for place in (Place(PlaceKind.GROUP, "cidNowhere=="), GROUP):
        harness.engine.faults.set("deliver_failed", on=True)
        with pytest.raises(SendFailed) as failure:
            await harness.keeper.keep(asked(place=place))
        assert failure.value.trouble is SendFailureKind.HOPELESS
