"""The database takes nothing for a while: a tap on an order's card acts once it does, or can be repeated, exactly once.

Nobody who is known is taken for a stranger meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from bot.approvals.case import CaseState
from bot.chat.answers import clicks, unstored
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.scenario import (
    BOSS,
    SMALL,
    YES,
    CardCopy,
    DemoApprovalScenario,
    OpenApprovalScenario,
    find_button,
    open_approval_scenario,
    plain_text,
)
from tests.scenario.broken_database import REFUSALS, refusing_disk, relayed
from tests.scenario.traffic import eventually

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

STRANGER = "我只回复本企业成员"


@dataclass(slots=True)
class Outage:
    """What breaks the database and mends it."""

    begin: Callable[[], None]
    end: Callable[[], Awaitable[None]]
    settings: dict[str, object] = field(default_factory=dict)


@asynccontextmanager
async def disk(code: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outage]:
    with ExitStack() as broken:

        def begin() -> None:
            broken.enter_context(refusing_disk(code, monkeypatch))

        async def mend() -> None:
            broken.close()

        yield Outage(begin, mend)


@asynccontextmanager
async def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outage]:
    url = make_url(request.getfixturevalue("postgres_url"))
    assert url.port is not None
    async with relayed(url.port) as relay:
        through = url.set(port=relay.port).render_as_string(hide_password=False)
        direct = url.render_as_string(hide_password=False)
        yield Outage(relay.cut, relay.open, {"database_url": SecretStr(through), "looks_at": direct})


Break = Callable[[pytest.FixtureRequest, pytest.MonkeyPatch], AbstractAsyncContextManager[Outage]]
CAUSES: list[Break] = [*(partial(disk, code) for code, _ in REFUSALS), server]


@pytest.fixture(params=CAUSES, ids=["full", "read-only", "postgresql away"])
async def outage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outage]:
    monkeypatch.setattr(clicks, "REDRAW_DELAYS", (0.05,))
    monkeypatch.setattr(unstored, "PATIENCE", 0.05)
    async with request.param(request, monkeypatch) as broken:
        yield broken


def all_texts(scenario: DemoApprovalScenario) -> list[str]:
    return [plain_text(card.view_for(BOSS)) for card in scenario.system.engine.cards]


@pytest.mark.parametrize("place", [BOSS, BUYING], ids=["own chat", "group"])
async def test_a_tap_while_the_database_is_away(
    place: str, outage: Outage, open_approval_scenario: OpenApprovalScenario
) -> None:
    async with open_approval_scenario(SMALL, **outage.settings) as scenario:
        card = scenario.card(SMALL, place)
        token = find_button(card, YES).id
        outage.begin()
        result = await scenario.system.engine.click(card.out_track_id, BOSS, params={"id": token})
        assert result.ok, result.toast
        assert not any(STRANGER in text for text in all_texts(scenario)), all_texts(scenario)
        assert scenario.erp.told == []
        await outage.end()

        def can_go_on() -> bool:
            copy = CardCopy(place, scenario.system.see(card, BOSS))
            return copy.decides or "已批准" in copy.text

        await eventually(can_go_on, hint=lambda: all_texts(scenario))
        await scenario.settle()
        if not await scenario.erp.decisions(SMALL):
            await scenario.press(scenario.card(SMALL, place), YES, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        assert not any(STRANGER in text for text in all_texts(scenario))


async def test_a_typed_decision_while_the_database_is_away(
    outage: Outage, open_approval_scenario: OpenApprovalScenario
) -> None:
    async with open_approval_scenario(SMALL, **outage.settings) as scenario:
        engine = scenario.system.engine
        outage.begin()
        message = engine.say(engine.direct(BOSS).id, BOSS, f"/approve {SMALL}")
        await eventually(lambda: engine.cards_for(message), hint=lambda: "no card")
        assert scenario.erp.told == []
        await outage.end()
        await eventually(lambda: len(engine.cards_for(message)) == 2, hint=lambda: engine.cards_for(message))
        await scenario.settle()
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        assert not any(STRANGER in text for text in all_texts(scenario))


async def test_two_taps_while_the_database_is_away_decide_once(
    outage: Outage, open_approval_scenario: OpenApprovalScenario
) -> None:
    async with open_approval_scenario(SMALL, **outage.settings) as scenario:
        card = scenario.card(SMALL, BUYING)
        token = find_button(card, YES).id
        outage.begin()
        click = partial(scenario.system.engine.click, card.out_track_id, BOSS, params={"id": token})
        await asyncio.gather(click(), click())
        await outage.end()
        await eventually(
            lambda: any(copy.decides or "已批准" in copy.text for copy in scenario.copies(SMALL)),
            hint=lambda: all_texts(scenario),
        )
        await asyncio.gather(click(), click())
        await scenario.settle()
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]
