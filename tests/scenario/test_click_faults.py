"""What can go wrong with clicks, each alone and under load."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.simulator.cards import Face
from bot.simulator.engine import ClickResult
from tests.scenario.conftest import ENGLISH, HURRIED, OpenTown, Town
from tests.scenario.traffic import PER_SECOND, Traffic, eventually
from tests.scenario.trial import DEFECTS, LOAD_SECONDS, count_strikes

CLICK_FAULTS = ("no_params_id", "no_action_ids", "slow_toast", "late_ack_applies")

NEXT, PREVIOUS = "下一页", "上一页"


def turn_of(town: Town, card: Face) -> str:
    """Return the button that turns the page of this card as it is now."""
    return NEXT if any(button.text == NEXT for button in town.see(card).buttons) else PREVIOUS


def hold_answers(town: Town) -> None:
    """Hold the bot's answers to clicks up for longer than the client waits."""
    town.engine.faults.set("slow_toast", on=True, delay_ms=int(HURRIED.click_timeout * 1300))


@pytest.mark.parametrize("switch", ["no_params_id", "no_action_ids"])
async def test_a_click_needs_only_one_of_its_two_names(switch: str, hurried_town: OpenTown) -> None:
    async with hurried_town() as town:
        card = await town.ask("/order late")
        town.engine.faults.set(switch, on=True)
        turned = await town.click(card, NEXT)
        assert turned.markdown != card.markdown
        assert any(button.text == PREVIOUS for button in turned.buttons)


async def test_a_click_without_any_name_is_told_so(hurried_town: OpenTown) -> None:
    async with hurried_town() as town:
        card = await town.ask("/order late")
        for switch in ("no_params_id", "no_action_ids"):
            town.engine.faults.set(switch, on=True)
        await town.click(card, NEXT)
        assert town.count("clicks_total", outcome="out_of_date") == 1
        town.engine.faults.clear()
        assert town.see(card, who=ENGLISH).markdown == card.markdown


async def test_an_answer_that_is_held_up_shows_as_a_failed_click(hurried_town: OpenTown) -> None:
    async with hurried_town() as town:
        card = await town.ask("/order late")
        hold_answers(town)
        result = await town.press(card, NEXT)
        assert (result.ok, bool(result.toast)) == (False, True)
        town.engine.faults.clear()
        assert town.see(card).markdown == card.markdown
        assert (await town.click(card, NEXT)).markdown != card.markdown


async def test_an_answer_that_is_held_up_may_still_apply(hurried_town: OpenTown) -> None:
    async with hurried_town() as town:
        card = await town.ask("/order late")
        hold_answers(town)
        town.engine.faults.set("late_ack_applies", on=True)
        assert not (await town.press(card, NEXT)).ok
        await eventually(lambda: town.see(card).private_to_viewer, hint=lambda: town.see(card))
        assert any(button.text == PREVIOUS for button in town.see(card).buttons)


@pytest.mark.parametrize("switch", CLICK_FAULTS)
async def test_clicks_under_load(switch: str, hurried_town: OpenTown) -> None:
    with capture_logs() as logs:
        async with hurried_town() as town:
            traffic, strikes = Traffic(town.engine), count_strikes(town.engine.faults)
            cards = [await town.ask("/order late") for _ in range(5)]
            held = switch in ("slow_toast", "late_ack_applies")
            if held:
                hold_answers(town)
            if switch != "slow_toast":
                town.engine.faults.set(switch, on=True)

            async def click(number: int) -> ClickResult:
                await asyncio.sleep(number / PER_SECOND)
                return await town.press(cards[number % len(cards)], turn_of(town, cards[number % len(cards)]))

            clicks = (click(number) for number in range(round(LOAD_SECONDS * PER_SECOND)))
            results = await asyncio.gather(traffic.flow(LOAD_SECONDS), *clicks)
            # Beside other tests an answer may come late by itself: then the client says so after its whole time.
            in_time = [result for result in results[1:] if result.elapsed_ms < 1000 * HURRIED.click_timeout or held]
            assert [result.ok for result in in_time] == [not held] * len(in_time)
            assert in_time
            await eventually(lambda: not traffic.unanswered, hint=lambda: traffic.unanswered)
            await eventually(lambda: not town.engine.pushes.under_way, hint=lambda: town.engine.pushes.under_way)
            if switch == "late_ack_applies":
                await eventually(lambda: all(town.see(card).private_to_viewer for card in cards), hint=lambda: cards)
            town.engine.faults.clear()
            assert (await town.press(cards[0], turn_of(town, cards[0]))).ok
    assert strikes[switch] > 0
    assert town.count("clicks_total", outcome="answered") == len(results)
    assert (traffic.doubled, traffic.in_order) == ([], True)
    assert not DEFECTS & {line["event"] for line in logs}
