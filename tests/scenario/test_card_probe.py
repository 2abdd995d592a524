"""The probe of the cards, from the command line to what a tap in a group costs afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.admin.card_probes import send_probes
from bot.doctor.local import check_card_probes
from bot.doctor.results import CheckGrade
from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.chat import SimDelivery
from bot.words.errors import ConfigurationError
from tests.scenario.alerts.scenario import Clock
from tests.scenario.conftest import MILD, BotSystem, OpenSystem
from tests.scenario.test_least_disclosure import ASKER, MONEY, OPEN_TO_SOME
from tests.scenario.test_trouble import said
from tests.scenario.traffic import eventually
from tests.scenario.wire import CREATE, UPDATE

TESTER = "it01"
CALLS = 16
"""What may be called in the month."""
START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
async def system(open_system: OpenSystem, clock: Clock) -> AsyncIterator[BotSystem]:
    access = {"rules": OPEN_TO_SOME, "roles": {"admin": frozenset({TESTER}), "warehouse": frozenset({"keeper01"})}}
    async with open_system(MILD, clock=clock, access=access, limits={"monthly_calls": CALLS}) as opened:
        yield opened


def newest_card(system: BotSystem) -> SimCardView:
    """Return the newest card in the tester's own chat, as they see it."""
    items = system.engine.chat.items(system.engine.direct(TESTER), "", 0)
    return [item.card.view_for(TESTER) for item in items if isinstance(item, SimDelivery)][-1]


def number_in(card: SimCardView) -> str:
    return card.title.rpartition("：")[2]


async def look_twice(system: BotSystem, clock: Clock) -> None:
    """Let the tester do what the cards ask: on one device, and on another that shows the card as it is stored."""
    assert await send_probes(system.app.settings, "", clock) == TESTER
    first = newest_card(system)
    answered = await system.click(first, number_in(first), TESTER)
    clock.now += timedelta(minutes=1)
    instance = system.engine.cards.get(first.out_track_id)
    assert instance is not None
    # The second device asks for the card anew: it gets what is stored, with the tester's own values where they arrive.
    on_first, instance.answers = instance.answers, {}
    second = instance.view_for(TESTER)
    if second.markdown == answered.markdown:
        await system.click(second, second.buttons[0].text, TESTER)
        return
    asked = await system.click(second, number_in(second), TESTER)
    await system.click(asked, asked.buttons[0].text, TESTER)
    assert on_first


async def test_a_mild_platform_is_recognised_and_then_taps_cost_nothing(system: BotSystem, clock: Clock) -> None:
    await look_twice(system, clock)
    [told] = await check_card_probes(system.app.settings)
    assert told.grade is CheckGrade.GOOD
    part = (await said(system, lambda body: True))[1]["parts"]["card trial"]
    assert (part["status"], part["reason"]) == ("ok", str(told.words))
    assert str(told.words).startswith("Values for single people arrive.")
    card = await system.ask("/order SO-1001")
    calls = system.engine.calls.copy()
    full = await system.click(card, "查看完整", ASKER)
    assert MONEY.search(full.markdown)
    assert [system.engine.calls[api] for api in (CREATE, UPDATE)] == [calls[api] for api in (CREATE, UPDATE)]


async def test_on_a_harsh_platform_everything_stays_as_it_was(system: BotSystem, clock: Clock) -> None:
    system.engine.readings.answers_public, system.engine.readings.private_values = True, False
    await look_twice(system, clock)
    [told] = await check_card_probes(system.app.settings)
    assert told.grade is CheckGrade.GOOD
    card = await system.ask("/order SO-1001")
    await system.press(card, "查看完整", ASKER)
    assert not MONEY.search(system.see(card, ASKER).markdown)


@pytest.mark.parametrize(
    ("is_mild", "told"),
    [
        (True, "个人专属内容能送达。点击后的答复别人看不到。"),
        (False, "个人专属内容送不到，因此不使用。点击后的答复会被保存"),
    ],
)
async def test_the_card_about_the_months_calls_says_what_was_seen(
    system: BotSystem, clock: Clock, is_mild: bool, told: str
) -> None:
    system.engine.readings.answers_public, system.engine.readings.private_values = not is_mild, is_mild
    await look_twice(system, clock)
    while system.count("api_calls_month") < CALLS / 2:
        await system.ask("/order SO-1001")
    await system.app.alerts.housekeeping.look()
    await eventually(lambda: "额度" in newest_card(system).title, hint=lambda: newest_card(system).title)
    assert told in newest_card(system).markdown


async def test_nobody_else_can_say_what_the_tester_sees(system: BotSystem, clock: Clock) -> None:
    await send_probes(system.app.settings, "", clock)
    card = newest_card(system)
    group = system.engine.chat.conversations[system.group]
    instance = system.engine.cards.get(card.out_track_id)
    assert instance is not None
    system.engine.chat.add_card(group, instance, carrier_id="forwarded", recipients=None)
    await system.engine.click(card.out_track_id, "keeper01", card.buttons[0].id, conversation_id=system.group)
    [told] = await check_card_probes(system.app.settings)
    assert told.grade is CheckGrade.NOTE


async def test_without_an_administrator_somebody_has_to_be_named(open_system: OpenSystem, clock: Clock) -> None:
    async with open_system(clock=clock) as system:
        with pytest.raises(ConfigurationError, match="--to"):
            await send_probes(system.app.settings, "", clock)
        assert await send_probes(system.app.settings, "boss01", clock) == "boss01"
