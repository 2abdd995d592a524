"""Faults of clicks, each alone and under load."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.engine import ClickResult
from tests.scenario.conftest import ENGLISH, IMPATIENT, BotSystem, OpenSystem
from tests.scenario.fault_trial import DEFECTS, LOAD_SECONDS, count_strikes
from tests.scenario.traffic import PER_SECOND, Traffic, eventually

CLICK_FAULTS = ("no_params_id", "no_action_ids", "slow_toast", "late_ack_applies")

NEXT, PREVIOUS = "下一页", "上一页"


def turn_of(system: BotSystem, card: SimCardView) -> str:
    """Return the button to the next page of this card as it is now."""
    return NEXT if any(button.text == NEXT for button in system.see(card).buttons) else PREVIOUS


def hold_answers(system: BotSystem) -> None:
    """Delay the bot's answers to clicks beyond the client's time-out."""
    system.engine.faults.set("slow_toast", on=True, delay_ms=int(IMPATIENT.click_timeout * 1300))


@pytest.mark.parametrize("switch", ["no_params_id", "no_action_ids"])
async def test_a_click_needs_only_one_of_its_two_names(switch: str, open_impatient_system: OpenSystem) -> None:
    async with open_impatient_system() as system:
        card = await system.ask("/order late")
        system.engine.faults.set(switch, on=True)
        turned = await system.click(card, NEXT)
        assert turned.markdown != card.markdown
        assert any(button.text == PREVIOUS for button in turned.buttons)


async def test_a_click_without_any_name_is_told_so(open_impatient_system: OpenSystem) -> None:
    async with open_impatient_system() as system:
        card = await system.ask("/help")
        for switch in ("no_params_id", "no_action_ids"):
            system.engine.faults.set(switch, on=True)
        await system.click(card, NEXT)
        assert system.count("clicks_total", outcome="out_of_date") == 1
        system.engine.faults.clear()
        assert "已失效" in system.see(card).tips
        assert system.see(card, who=ENGLISH).markdown == card.markdown


async def test_an_answer_that_is_held_up_shows_as_a_failed_click(open_impatient_system: OpenSystem) -> None:
    async with open_impatient_system() as system:
        card = await system.ask("/order late")
        hold_answers(system)
        result = await system.press(card, NEXT)
        assert (result.ok, bool(result.toast)) == (False, True)
        system.engine.faults.clear()
        assert system.see(card).markdown == card.markdown
        assert (await system.click(card, NEXT)).markdown != card.markdown


async def test_an_answer_that_is_held_up_may_still_apply(open_impatient_system: OpenSystem) -> None:
    async with open_impatient_system() as system:
        card = await system.ask("/order late")
        hold_answers(system)
        system.engine.faults.set("late_ack_applies", on=True)
        assert not (await system.press(card, NEXT)).ok
        await eventually(lambda: system.see(card).version > card.version, hint=lambda: system.see(card))
        assert any(button.text == PREVIOUS for button in system.see(card).buttons)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("switch", CLICK_FAULTS)
async def test_clicks_under_load(switch: str, open_impatient_system: OpenSystem) -> None:
    with capture_logs() as logs:
        async with open_impatient_system() as system:
            traffic, strikes = Traffic(system.engine), count_strikes(system.engine.faults)
            cards = [await system.ask("/order late") for _ in range(5)]
            held = switch in ("slow_toast", "late_ack_applies")
            if held:
                hold_answers(system)
            if switch != "slow_toast":
                system.engine.faults.set(switch, on=True)

            async def click(number: int) -> ClickResult:
                await asyncio.sleep(number / PER_SECOND)
                return await system.press(cards[number % len(cards)], turn_of(system, cards[number % len(cards)]))

            clicks = (click(number) for number in range(round(LOAD_SECONDS * PER_SECOND)))
            results = await asyncio.gather(traffic.flow(LOAD_SECONDS), *clicks)
            # Beside other tests an answer may be late by itself: then the client says so after its full time-out.
            in_time = [result for result in results[1:] if result.elapsed_ms < 1000 * IMPATIENT.click_timeout or held]
            assert [result.ok for result in in_time] == [not held] * len(in_time)
            assert in_time
            await eventually(lambda: not traffic.unanswered, hint=lambda: traffic.unanswered)
            await eventually(lambda: not system.engine.pushes.in_flight, hint=lambda: system.engine.pushes.in_flight)
            if switch == "late_ack_applies":
                await eventually(
                    lambda: all(system.see(card).version > card.version for card in cards), hint=lambda: cards
                )
            system.engine.faults.clear()
            assert (await system.press(cards[0], turn_of(system, cards[0]))).ok
    assert strikes[switch] > 0
    assert system.count("clicks_total", outcome="answered") == len(results)
    assert (traffic.doubled, traffic.in_order) == ([], True)
    assert not DEFECTS & {line["event"] for line in logs}
