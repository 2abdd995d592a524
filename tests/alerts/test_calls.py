"""Whose own chat does not take a card is called in the groups that show its alert: once, not after it is taken."""

from __future__ import annotations

import pytest

from bot.alerts import actions
from bot.outbox.delivery import Delivery
from tests.alerts.conftest import NewScenario
from tests.alerts.scenario import BOSS, A, ProcessorScenario, StubRules, low, step, to
from tests.alerts.test_escalation import acknowledge

PASSED_ON = StubRules(targets=(to(A, steps=(step(300, BOSS),)),))


@pytest.fixture
def scenario(new_scenario: NewScenario) -> ProcessorScenario:
    """A shortage that was passed on to the boss."""
    scenario = new_scenario(PASSED_ON)
    scenario.at(0, low())
    scenario.at(300)
    return scenario


def boss_card(scenario: ProcessorScenario) -> str:
    alert = scenario.alert()
    return next(card.id for card in scenario.read(lambda found: found.cards_of(alert.id)) if card.place == BOSS)


def call(scenario: ProcessorScenario) -> None:
    card = boss_card(scenario)
    scenario.do(lambda unit: actions.call_in_groups(unit, card))


def calling(scenario: ProcessorScenario) -> list[Delivery]:
    return [delivery for delivery in scenario.deliveries if "|" in delivery.ref]


def test_the_groups_card_is_shown_anew_and_calls_them_once(scenario: ProcessorScenario) -> None:
    before = len(scenario.lines)
    call(scenario)
    assert scenario.lines[before:] == ["300 group:a card1 see card3", "300 group:a card3 SKU1 open"]
    [delivery] = calling(scenario)
    assert (delivery.place, delivery.ref.partition("|")[2]) == (A, BOSS.id)
    call(scenario)
    assert len(calling(scenario)) == 1


def test_nobody_is_called_after_it_is_taken(scenario: ProcessorScenario) -> None:
    acknowledge(scenario)
    call(scenario)
    assert calling(scenario) == []
