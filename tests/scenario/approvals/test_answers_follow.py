"""Answers that show an order follow it to the end: whoever decides, wherever, no copy keeps what is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from functools import partial

import pytest

from bot.approvals.case import CaseState
from bot.chat.answers.standing_answers import StandingAnswer
from bot.erp.model import DecisionOutcome
from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.chat import SimDelivery
from bot.store.chat.standing_answers import StoredStandingAnswers
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.scenario import (
    BOSS,
    BUYER,
    LARGE,
    MANAGER,
    NO,
    PASS,
    SMALL,
    YES,
    DemoApprovalScenario,
    OpenApprovalScenario,
    find_button,
    open_approval_scenario,
    plain_text,
)

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

GREEN = "common_green1_color"
UNDER_WAY = ("处理中", "正在通知 ERP")
READERS = (BOSS, MANAGER, BUYER, "it01")


def all_copies(scenario: DemoApprovalScenario) -> Iterator[tuple[str, SimCardView]]:
    """Yield every card as each of its readers sees it."""
    for place in scenario.system.engine.chat.conversations.values():
        for item in place.items:
            if isinstance(item, SimDelivery):
                for reader in READERS if place.kind == "group" else place.members[:1]:
                    yield reader, item.card.view_for(reader)


def assert_over(scenario: DemoApprovalScenario, number: str) -> None:
    """Expect no copy about the order to offer a decision on it, or to say that something is under way."""
    seen = 0
    for reader, view in all_copies(scenario):
        text = plain_text(view)
        if number not in text:
            continue
        seen += 1
        live = [button.id for button in view.buttons if button.id.startswith((YES, NO, PASS))]
        assert not live, (reader, live, text)
        assert not any(words in text for words in UNDER_WAY), (reader, text)
    assert seen, "it was shown"


async def nothing(_: DemoApprovalScenario) -> None:
    """Change nothing in the ERP."""


async def decided_there(scenario: DemoApprovalScenario) -> None:
    """Let somebody decide in the ERP."""
    await scenario.erp.decide_inside(SMALL, MANAGER)


OUTCOMES = [
    (None, nothing, CaseState.APPROVED, ("审批通过", "林明川"), True),
    (DecisionOutcome.MORE_APPROVALS_NEEDED, nothing, CaseState.APPROVED, ("还需其他人同意",), True),
    (DecisionOutcome.ALREADY_DECIDED, decided_there, CaseState.DECIDED_ELSEWHERE, ("已在 ERP 中同意",), True),
    (DecisionOutcome.NOT_PERMITTED, nothing, CaseState.OPEN, ("ERP 未接受 林明川 的审批", "额度不足", "赵国强"), False),
    (DecisionOutcome.UNSUPPORTED, nothing, CaseState.FAILED, ("额度不足", "请在 ERP 中处理"), False),
    (DecisionOutcome.UNKNOWN, nothing, CaseState.UNKNOWN, ("ERP 尚未确认",), False),
]
"""What the ERP answers to an approval, what was done there before, how the case ends, what the decider reads on the
card, and whether anything on it may be green."""


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("outcome", "before", "state", "says", "green"), OUTCOMES)
async def test_each_outcome_has_its_drawing(
    open_approval_scenario: OpenApprovalScenario,
    outcome: DecisionOutcome | None,
    before: Callable[[DemoApprovalScenario], Awaitable[None]],
    state: CaseState,
    says: tuple[str, ...],
    green: bool,
) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        mine, typed = await scenario.ask(f"/po {SMALL}", BOSS), await scenario.ask(f"/pending {SMALL}", BOSS)
        if outcome is not None:
            scenario.erp.outcomes.append((outcome, "额度不足", partial(before, scenario)))
        scenario.erp.hold()
        engine = scenario.system.engine
        token = find_button(mine, YES).id
        assert (await engine.click(mine.out_track_id, BOSS, params={"id": token})).ok
        await scenario.erp.held()
        assert GREEN not in scenario.system.see(mine, BOSS).markdown, "the ERP has not confirmed it"
        scenario.erp.release()
        await scenario.settle()
        assert (await scenario.case(SMALL)).state is state
        for card in (mine, typed):
            seen = scenario.system.see(card, BOSS)
            for words in says:
                assert words in plain_text(seen), (words, plain_text(seen))
            assert not [button.id for button in seen.buttons if button.id.startswith((YES, NO, PASS))]
            assert green or GREEN not in seen.markdown
            assert not any(words in plain_text(seen) for words in UNDER_WAY)


async def changed_there(scenario: DemoApprovalScenario) -> None:
    """Let somebody change the order in the ERP."""
    await scenario.erp.edit(SMALL, due_on=date(2026, 12, 24))


async def test_what_changed_before_the_erp_was_told_is_asked_anew(open_approval_scenario: OpenApprovalScenario) -> None:
    """The clicker, who asked, the others and the requester all see that nothing was decided, and what it is now."""
    async with open_approval_scenario(SMALL) as scenario:
        asked = {who: await scenario.ask(f"/po {SMALL}", who) for who in (BOSS, MANAGER, BUYER)}
        old = scenario.card(SMALL, BOSS)
        scenario.erp.outcomes.append((DecisionOutcome.CHANGED_SINCE_SHOWN, "", partial(changed_there, scenario)))
        await scenario.press(old, YES, BOSS)
        await scenario.at("1m")
        assert (await scenario.case(SMALL)).state is CaseState.OPEN
        for reader in READERS:
            ended = scenario.system.see(old, reader)
            assert "ERP 中已变更" in plain_text(ended), (reader, plain_text(ended))
            assert not [button.id for button in ended.buttons if button.id.startswith((YES, NO, PASS))]
            assert GREEN not in ended.markdown
        for place in (BOSS, MANAGER, BUYING):
            fresh = scenario.copies(SMALL)[-1].view if place == BUYING else scenario.card(SMALL, place)
            assert "12月24日" in plain_text(fresh)
            find_button(fresh, YES)
        for who, answer in asked.items():
            now = scenario.system.see(answer, who)
            assert "12月24日" in plain_text(now), (who, plain_text(now))
            assert not any(words in plain_text(now) for words in UNDER_WAY)
        assert BUYER not in scenario.places(SMALL), "the requester is told when it is decided"
        await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert_over(scenario, SMALL)


@pytest.mark.parametrize("where", ["", BUYING])
async def test_an_order_that_was_asked_for_and_decided_on_the_answer(
    open_approval_scenario: OpenApprovalScenario, where: str
) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        mine = await scenario.ask(f"/po {SMALL}", BOSS, where=where)
        theirs = await scenario.ask(f"/po {SMALL}", MANAGER)
        find_button(theirs, YES)
        seen = await scenario.press(mine, YES, BOSS)
        assert "已记录" in plain_text(seen)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "审批通过")
        assert_over(scenario, SMALL)
        assert "审批通过" in plain_text(scenario.system.see(theirs, MANAGER))


async def test_an_order_that_was_asked_for_and_decided_elsewhere(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        for who, where in ((BOSS, ""), (MANAGER, BUYING), (BUYER, "")):
            await scenario.ask(f"/po {SMALL}", who, where=where)
        await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
        assert_over(scenario, SMALL)


async def test_the_list_of_what_waits(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, LARGE) as scenario:
        listed = await scenario.ask("/pending", BOSS)
        shown = await scenario.press(listed, next(b.id for b in listed.buttons if b.text == SMALL), BOSS)
        await scenario.press(shown, YES, BOSS)
        assert_over(scenario, SMALL)
        done = scenario.system.see(listed, BOSS)
        assert "审批通过" in plain_text(done)
        following = await scenario.press(done, next(b.id for b in done.buttons if b.text == "下一张"), BOSS)
        assert LARGE in following.title


@pytest.mark.sampled(2)
@pytest.mark.parametrize("line", [f"/approve {SMALL}", f"/reject {SMALL} 价格过高"])
@pytest.mark.parametrize("where", ["", BUYING])
async def test_words(open_approval_scenario: OpenApprovalScenario, line: str, where: str) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        said = await scenario.ask(line, BOSS, where=where)
        assert_over(scenario, SMALL)
        assert ("已同意" if "approve" in line else "已拒绝") in plain_text(scenario.system.see(said, BOSS))


@pytest.mark.parametrize("is_kept_first", [True, False])
@pytest.mark.parametrize("where", ["", BUYING])
async def test_words_whose_answer_comes_after_what_the_erp_says(
    open_approval_scenario: OpenApprovalScenario, monkeypatch: pytest.MonkeyPatch, where: str, is_kept_first: bool
) -> None:
    """A quick ERP ends the case before the card of the answer is kept, or before it stands."""
    keep = StoredStandingAnswers.put
    async with open_approval_scenario(SMALL) as scenario:

        async def keep_late(answers: StoredStandingAnswers, answer: StandingAnswer) -> None:
            for is_before in (True, False):
                if is_kept_first is is_before:
                    await keep(answers, answer)
                else:
                    await scenario.settle_cases()

        monkeypatch.setattr(StoredStandingAnswers, "put", keep_late)
        said = await scenario.ask(f"/approve {SMALL}", BOSS, where=where)
        assert_over(scenario, SMALL)
        assert "审批通过" in plain_text(scenario.system.see(said, BOSS))


async def test_a_quick_reason(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        asked = await scenario.ask(f"/reject {SMALL}", MANAGER)
        await scenario.press(asked, next(b.id for b in asked.buttons if b.id.endswith("|p")), MANAGER)
        assert_over(scenario, SMALL)
        assert "已拒绝" in plain_text(scenario.system.see(asked, MANAGER))


async def test_all_of_the_list(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, LARGE) as scenario:
        asked = await scenario.ask("/pending all", BOSS)
        await scenario.press(asked, "po.all|", BOSS)
        assert_over(scenario, SMALL)


async def test_decided_in_the_erp(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        await scenario.ask(f"/po {SMALL}", BOSS)
        await scenario.ask("/pending", BOSS)
        await scenario.erp.decide_inside(SMALL, MANAGER)
        await scenario.poll_pending()
        assert_over(scenario, SMALL)


@pytest.mark.usefixtures("confirmed")
async def test_a_decision_on_a_card_that_all_see(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, cards={"private_way": "private_data"}) as scenario:
        readings = scenario.system.engine.readings
        readings.answers_public, readings.private_values = False, True
        shared = await scenario.ask("/po 待审批", BUYER, where=BUYING)
        shown = await scenario.press(shared, next(b.id for b in shared.buttons if b.text == SMALL), BOSS)
        await scenario.press(shown, YES, BOSS)
        assert_over(scenario, SMALL)
        assert not scenario.system.see(shared, BOSS).private_to_viewer, "it shows what all see"


async def test_an_answer_that_is_too_old_says_so_before_anything_is_decided(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        old = await scenario.ask(f"/po {SMALL}", BOSS)
        await scenario.at("2d")
        seen = await scenario.press(old, YES, BOSS)
        assert "已失效" in plain_text(seen)
        assert scenario.erp.told == []
        again = await scenario.press(seen, "ask|", BOSS)
        await scenario.press(again, YES, BOSS)
        assert_over(scenario, SMALL)


async def test_a_walk_ends_where_it_began(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, LARGE) as scenario:
        listed = await scenario.ask("/pending", BOSS)
        order = await scenario.press(listed, next(b.id for b in listed.buttons if b.text == SMALL), BOSS)
        details = await scenario.press(order, "ask|0|/po", BOSS)
        back = await scenario.press(details, next(b.id for b in details.buttons if b.text == "返回"), BOSS)
        assert plain_text(back) == plain_text(order)
        ends = await scenario.press(back, next(b.id for b in back.buttons if b.text == "返回"), BOSS)
        assert plain_text(ends) == plain_text(listed)
        assert "返回" not in [button.text for button in ends.buttons]
