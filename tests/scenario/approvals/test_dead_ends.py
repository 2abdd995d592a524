"""Who can bring an order to its end, as each of them reads it; and what administrators read of one that nobody can."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bot.approvals.case import CaseState
from bot.bootstrap import health
from bot.erp.model import ReviewState
from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.chat import SimDelivery
from bot.outbox import health_reports
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.scenario import (
    BOSS,
    BUYER,
    FINANCE,
    LARGE,
    MANAGER,
    NO,
    OF_MANAGER,
    PASS,
    SMALL,
    YES,
    DemoApprovalScenario,
    OpenApprovalScenario,
    open_approval_scenario,
    plain_text,
)
from tests.scenario.traffic import eventually

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

PEOPLE = {BOSS: "林明川", MANAGER: "赵国强", FINANCE: "周慧"}
NOBODY = "在这里无人可以审批"
WAITED = re.compile(r"(?:待审批人|须全部同意|以下任一人同意即可)：(.*)")


def offers(view: SimCardView) -> bool:
    return any(button.id.startswith((YES, NO, PASS)) for button in view.buttons)


async def assert_waits_for(scenario: DemoApprovalScenario, number: str, *who: str) -> None:
    """Expect everybody to read that the order waits for just these people, wherever they look."""
    card = plain_text(scenario.card(number, BUYING))
    waited = WAITED.search(card)
    named = waited[1] if waited else ""
    for person, name in PEOPLE.items():
        is_asked = person in who
        assert (name in named) == is_asked, (person, card)
        listed = await scenario.ask("/pending", person)
        assert (number in plain_text(listed)) == is_asked, (person, plain_text(listed))
        order = await scenario.ask(f"/po {number}", person)
        assert offers(order) == is_asked, (person, plain_text(order))
        why = plain_text(await scenario.ask(f"/why {number}", person))
        assert ("您可以同意" in why) == is_asked, (person, why)
    assert bool(who) == (NOBODY not in card), card


async def test_the_second_approval_of_the_erp_is_asked_of_others(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(LARGE, approvers=(BOSS, MANAGER, FINANCE)) as scenario:
        assert scenario.places(LARGE) == sorted([BOSS, MANAGER, BUYING])
        assert "1/2" in plain_text(scenario.card(LARGE, BOSS))
        await assert_waits_for(scenario, LARGE, BOSS, MANAGER)
        await scenario.press(scenario.card(LARGE, BOSS), YES, BOSS)
        second = await scenario.case(LARGE)
        assert second.state is CaseState.OPEN
        await assert_waits_for(scenario, LARGE, FINANCE)
        assert "2/2" in plain_text(scenario.card(LARGE, FINANCE))
        assert [copy.place for copy in scenario.copies(LARGE)].count(BOSS) == 1, "not invited again"
        await scenario.press(scenario.card(LARGE, FINANCE), YES, FINANCE)
        assert (await scenario.order(LARGE)).status is ReviewState.APPROVED


async def test_who_has_no_account_or_no_right_there_is_not_named(open_approval_scenario: OpenApprovalScenario) -> None:
    """The finance manager has no right at the first level, the boss no account."""
    people = (BOSS, MANAGER, FINANCE)
    async with open_approval_scenario(SMALL, approvers=people, accounts=(MANAGER, BUYER, FINANCE)) as scenario:
        assert scenario.places(SMALL) == sorted([MANAGER, BUYING])
        await assert_waits_for(scenario, SMALL, MANAGER)


async def test_what_waits_for_others_than_the_rule_names_is_told_to_administrators(
    open_approval_scenario: OpenApprovalScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order waits in the ERP for the finance manager, whom no rule names; who is named would press in vain."""
    monkeypatch.setattr(health, "CHECK_EVERY", 0.05)
    monkeypatch.setattr(health_reports, "SETTLED", timedelta(0))
    monkeypatch.setattr(health_reports, "PAUSE", timedelta(0))
    roles = {"approver": frozenset({BOSS, MANAGER}), "admin": frozenset({"it01"})}
    accounts = {person: {"demo": person} for person in (BOSS, MANAGER, FINANCE, BUYER)}
    access = {"directory": True, "roles": roles, "accounts": accounts}
    async with open_approval_scenario(LARGE, OF_MANAGER, access=access) as scenario:
        await scenario.press(scenario.card(LARGE, BOSS), YES, BOSS)
        await assert_waits_for(scenario, LARGE)
        assert scenario.places(LARGE).count(MANAGER) == 1, "not invited to press in vain"
        read = plain_text(await scenario.ask(f"/pending {LARGE}", MANAGER))
        assert re.search(r"ERP 中待审批人\s*：周慧", read), read
        await scenario.at("6m")
        chat = scenario.system.engine.direct("it01")

        def told() -> str:
            cards = [item.card.view_for("it01") for item in chat.items if isinstance(item, SimDelivery)]
            return " ".join(map(plain_text, cards))

        await eventually(lambda: f"{LARGE}（ERP 正在等周慧审批）" in told(), hint=told)
        assert OF_MANAGER not in told()
