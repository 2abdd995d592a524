"""Several orders approved by one tap: the card says what became of each, everywhere, as the ERP has it."""

from __future__ import annotations

import pytest

from bot.approvals.case import short_id
from bot.erp.model import DecisionOutcome
from bot.kit.simulator.cards import SimCardView
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.scenario import (
    BOSS,
    BUYER,
    LARGE,
    MANAGER,
    SMALL,
    DemoApprovalScenario,
    OpenApprovalScenario,
    open_approval_scenario,
    plain_text,
)
from tests.scenario.approvals.test_answers_follow import GREEN, UNDER_WAY

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

NUMBERS = (SMALL, LARGE)


async def approve_all(scenario: DemoApprovalScenario, where: str = "") -> SimCardView:
    """Let the boss approve all that waits for them, and return their card as it was at once."""
    card = await scenario.ask("/pending", BOSS, where=where)
    asked = await scenario.press(card, "ask|0|/pending all", BOSS, where=where or None)
    return await scenario.press(asked, "po.all|", BOSS, where=where or None)


def shows(view: SimCardView, number: str) -> bool:
    """Whether a button of a card leads on to an order."""
    return any(button.text == number for button in view.buttons)


async def test_at_once_nothing_is_green_and_then_each_is_as_the_erp_has_it(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with open_approval_scenario(*NUMBERS) as scenario:
        first = await approve_all(scenario)
        assert GREEN not in first.markdown, "the ERP has confirmed nothing"
        assert "已记录 2/2 张" in first.title
        seen = scenario.system.see(first, BOSS)
        assert "已同意 2/2 张" in seen.title
        assert "审批通过" in plain_text(seen)
        assert "还需其他人同意" in plain_text(seen), "the large order needs a second approval in the ERP"
        assert not any(shows(seen, number) for number in NUMBERS)


REFUSALS = [
    (DecisionOutcome.NOT_PERMITTED, ("ERP 不允许您在其中的账号这样做", "额度不足")),
    (DecisionOutcome.UNSUPPORTED, ("无法写入 ERP", "额度不足")),
    (DecisionOutcome.UNKNOWN, ("ERP 尚未确认",)),
]


@pytest.mark.parametrize(("outcome", "says"), REFUSALS)
async def test_what_was_refused_says_why_and_can_be_reached(
    open_approval_scenario: OpenApprovalScenario, outcome: DecisionOutcome, says: tuple[str, ...]
) -> None:
    async with open_approval_scenario(*NUMBERS) as scenario:
        scenario.erp.answers_about[SMALL] = (outcome, "额度不足")
        seen = scenario.system.see(await approve_all(scenario), BOSS)
        assert "已同意 1/2 张" in seen.title
        for words in says:
            assert words in plain_text(seen), plain_text(seen)
        assert (shows(seen, SMALL), shows(seen, LARGE)) == (True, False)
        opened = await scenario.press(seen, find_button_of(seen, SMALL), BOSS)
        assert SMALL in opened.title
        assert any(button.id.startswith("ask|0|/pending =") for button in opened.buttons), "the way back"


def find_button_of(view: SimCardView, text: str) -> str:
    """Return the token of the button with this text."""
    return next(button.id for button in view.buttons if button.text == text)


async def test_in_a_group_everybody_sees_what_became_of_each_and_no_figure(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with open_approval_scenario(*NUMBERS) as scenario:
        scenario.erp.answers_about[SMALL] = (DecisionOutcome.UNSUPPORTED, "超出 5000 元额度")
        asked = await scenario.ask("/approve all", BOSS, where=BUYING)
        card = await scenario.press(asked, "po.all|", BOSS, where=BUYING)
        # Each row opened in the group would go to the clicker alone, so this one is asked for by words: all see it.
        shown = scenario.system.engine.cards.get(card.out_track_id)
        assert shown is not None
        assert [copy.recipients for copy in scenario.system.engine.chat.copies(shown)] == [None]
        for reader in (BOSS, MANAGER, BUYER):
            text = plain_text(scenario.system.see(card, reader))
            assert "已同意 1/2 张" in text, (reader, text)
            assert "无法写入 ERP" in text
            assert "5000" not in text
            assert not any(words in text for words in UNDER_WAY)


async def test_what_was_not_recorded_says_why_in_the_end_too(open_approval_scenario: OpenApprovalScenario) -> None:
    rules = '[[rules]]\nname = "all"\nlevels = [{any = ["role:approver"]}]\nconfirm_from = "100000 CNY"\n'
    async with open_approval_scenario(*NUMBERS, rules=rules) as scenario:
        first = await approve_all(scenario)
        for view in (first, scenario.system.see(first, BOSS)):
            assert "大额" in plain_text(view) or "金额较大" in plain_text(view), plain_text(view)
            assert shows(view, LARGE)
        assert "审批通过" in plain_text(scenario.system.see(first, BOSS))


async def test_nobody_else_sees_it_by_its_words(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(*NUMBERS) as scenario:
        seen = scenario.system.see(await approve_all(scenario), BOSS)
        case = await scenario.case(SMALL)
        told = plain_text(await scenario.ask(f"/pending ={short_id(case.id)}", "keeper01"))
        assert "审批通过" not in told
        assert SMALL not in told
        mine = plain_text(await scenario.ask(f"/pending ={short_id(case.id)}", BOSS))
        assert "审批通过" in mine, plain_text(seen)
