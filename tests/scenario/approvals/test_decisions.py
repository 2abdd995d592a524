"""Every way of deciding, for all who have a card: the ERP, each copy and the record end alike."""

from __future__ import annotations

import pytest

from bot.approvals.case import CaseState
from bot.erp.model import ReviewState
from tests.scenario.alerts.scenario import BUYING, WAREHOUSE
from tests.scenario.approvals.scenario import (
    BOSS,
    BUYER,
    FINANCE,
    LARGE,
    MANAGER,
    NO,
    PASS,
    SMALL,
    UNDO,
    YES,
    DemoApprovalScenario,
    OpenApprovalScenario,
    open_approval_scenario,
    plain_text,
    tokens,
)
from tests.scenario.test_audit import log_of

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

WRITTEN = ["decided", "writing", "outcome"]
"""The record of every decision that the ERP took."""

MONEY = "39,471.90"
"""The amount of the small order."""


def rule(levels: str, more: str = "") -> str:
    """Return rules of one rule."""
    return f'[[rules]]\nname = "all orders"\nlevels = [{levels}]\n{more}\n'


async def whats(scenario: DemoApprovalScenario, number: str) -> list[str]:
    return [what for what, _ in await scenario.record(number)]


async def test_one_approves_and_everybody_sees_it(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, groups=(BUYING, WAREHOUSE)) as scenario:
        assert scenario.places(SMALL) == sorted([BOSS, MANAGER, BUYING, WAREHOUSE])
        seen = await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
        assert "已记录，正在通知 ERP。" in plain_text(seen)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "已同意", "赵国强")
        assert scenario.places(SMALL) == sorted([BOSS, MANAGER, BUYER, BUYING, WAREHOUSE])
        assert await scenario.erp.decisions(SMALL) == [(MANAGER, "approve", "")]
        assert (await scenario.order(SMALL)).status is ReviewState.APPROVED
        expected = [("opened", ""), ("vote", MANAGER), ("decided", MANAGER), ("writing", MANAGER)]
        assert await scenario.record(SMALL) == [*expected, ("outcome", ""), ("approved", "")]
        late = await scenario.ask(f"/approve {SMALL}", BOSS)
        assert "赵国强 已于 11月24日 10:00 审批。" in plain_text(late)
        assert len(scenario.erp.told) == 1


async def test_prices_are_in_the_approvers_own_chats_alone(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, groups=(BUYING, WAREHOUSE)) as scenario:
        for _ in range(2):
            priced = {copy.place for copy in scenario.copies(SMALL) if MONEY in copy.text}
            bare = {copy.place for copy in scenario.copies(SMALL) if MONEY not in copy.text and "¥" not in copy.text}
            assert {BUYING, WAREHOUSE} <= bare
            assert {BOSS, MANAGER} <= priced
            if (await scenario.case(SMALL)).state is CaseState.OPEN:
                await scenario.press(scenario.card(SMALL, BUYING), YES, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "已同意", "林明川")


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("token", "reason"), [("p", "价格过高"), ("b", "超出预算"), ("q", "数量有误"), ("n", "不需要")]
)
async def test_rejecting_with_a_quick_reason(
    open_approval_scenario: OpenApprovalScenario, token: str, reason: str
) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        card = scenario.card(SMALL, BUYING)
        asked = await scenario.press(card, NO, BOSS)
        quick = next(button for button in asked.buttons if button.id.startswith(NO) and button.id.endswith(f"|{token}"))
        assert scenario.erp.told == [], "a reason is needed first"
        await scenario.press(asked, quick.id, BOSS)
        await scenario.assert_ended(SMALL, CaseState.REJECTED, "已拒绝", "林明川", reason)
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "reject", reason)]
        assert (await scenario.order(SMALL)).status is ReviewState.REJECTED
        assert await whats(scenario, SMALL) == ["opened", "vote", *WRITTEN, "rejected"]


async def test_rejecting_with_the_next_message(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        asked = await scenario.press(scenario.card(SMALL, BOSS), NO, BOSS)
        own = next(button for button in asked.buttons if button.id.endswith("|o"))
        await scenario.press(asked, own.id, BOSS)
        assert scenario.erp.told == []
        reply = await scenario.ask("去年才 30 块，请再谈", BOSS)
        assert "已记录，正在通知 ERP。" in plain_text(reply)
        await scenario.assert_ended(SMALL, CaseState.REJECTED, "已拒绝", "林明川")
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "reject", "去年才 30 块，请再谈")]
        bare = {copy.place for copy in scenario.copies(SMALL) if "30 块" not in copy.text}
        assert bare == {BUYING}, "a figure may be a price"


@pytest.mark.sampled(3)
@pytest.mark.parametrize("where", ["", BUYING])
@pytest.mark.parametrize("line", [f"/reject {SMALL} 价格过高", f"/拒绝 {SMALL} 价格过高", f"驳回 {SMALL} 价格过高"])
async def test_rejecting_in_words(open_approval_scenario: OpenApprovalScenario, line: str, where: str) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        await scenario.ask(line, MANAGER, where=where)
        await scenario.assert_ended(SMALL, CaseState.REJECTED, "已拒绝", "赵国强", "价格过高")
        assert await scenario.erp.decisions(SMALL) == [(MANAGER, "reject", "价格过高")]


async def test_words_without_a_reason_are_asked_for_one(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        asked = await scenario.ask(f"/reject {SMALL}", MANAGER)
        assert tokens(asked).count("po.no") == 5
        assert scenario.erp.told == []
        await scenario.ask("等下月预算", MANAGER)
        assert await scenario.erp.decisions(SMALL) == [(MANAGER, "reject", "等下月预算")]
        await scenario.assert_ended(SMALL, CaseState.REJECTED, "等下月预算")


async def test_approving_in_words_and_the_list_of_what_waits(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, LARGE) as scenario:
        listed = await scenario.ask("/pending", BOSS)
        assert SMALL in plain_text(listed)
        assert LARGE in plain_text(listed)
        await scenario.ask(f"/approve {SMALL}", BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        left = await scenario.ask("/pending", BOSS)
        assert SMALL not in plain_text(left)
        assert LARGE in plain_text(left)


async def test_all_of_the_list_after_a_confirmation(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, LARGE) as scenario:
        asked = await scenario.ask("/pending all", BOSS)
        assert scenario.erp.told == []
        await scenario.press(asked, "po.all|", BOSS)
        assert sorted(decision.number for decision in scenario.erp.told) == [SMALL, LARGE]
        assert (await scenario.order(SMALL)).status is ReviewState.APPROVED


async def test_a_question_that_only_sounds_like_it_decides_nothing(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with open_approval_scenario(SMALL, understanding={"enabled": True}) as scenario:
        for line in (f"同意 {SMALL} 吗", f"{SMALL} 不同意", f"可以批准 {SMALL} 吗"):
            await scenario.ask(line, BOSS)
        assert scenario.erp.told == []
        assert (await scenario.case(SMALL)).state is CaseState.OPEN


async def test_passed_on(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, rules=rule(f'{{any = ["person:{MANAGER}"]}}')) as scenario:
        assert scenario.places(SMALL) == sorted([MANAGER, BUYING])
        choice = await scenario.press(scenario.card(SMALL, BUYING), PASS, MANAGER)
        boss = next(
            button.id for button in choice.buttons if button.id.startswith(PASS) and button.id.endswith(f"|{BOSS}")
        )
        seen = await scenario.press(choice, boss, MANAGER)
        assert "已转交给 林明川。" in plain_text(seen)
        assert scenario.places(SMALL) == sorted([BOSS, MANAGER, BUYING])
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        assert ("forwarded", MANAGER) in await scenario.record(SMALL)


async def test_two_levels_of_the_rules_and_one_word_to_the_erp(open_approval_scenario: OpenApprovalScenario) -> None:
    two = f'{{any = ["person:{MANAGER}"]}}, {{any = ["person:{BOSS}"]}}'
    async with open_approval_scenario(SMALL, rules=rule(two)) as scenario:
        assert scenario.places(SMALL) == sorted([MANAGER, BUYING])
        refused = await scenario.press(scenario.card(SMALL, BUYING), YES, BOSS)
        assert "赵国强" in plain_text(refused), "who can do it is named"
        seen = await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
        assert "已记录，还需其他人同意。" in plain_text(seen)
        assert scenario.erp.told == []
        assert scenario.places(SMALL) == sorted([BOSS, MANAGER, BUYING])
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        record = await scenario.record(SMALL)
        assert [entry for entry in record if entry[0] in ("refused", "vote")] == [
            ("refused", BOSS),
            ("vote", MANAGER),
            ("vote", BOSS),
        ]


async def test_two_levels_of_the_erp_are_two_cases(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(LARGE, approvers=(BOSS, MANAGER, FINANCE)) as scenario:
        await scenario.press(scenario.card(LARGE, MANAGER), YES, MANAGER)
        assert (await scenario.order(LARGE)).status is ReviewState.WAITING
        assert (await scenario.case(LARGE)).state is CaseState.OPEN, "the second level is asked for by itself"
        first = [copy for copy in scenario.copies(LARGE) if not copy.decides]
        assert {copy.place for copy in first} >= {BOSS, MANAGER, BUYING}
        for copy in first:
            assert "还需其他人同意" in copy.text, (copy.place, copy.text)
            assert "审批通过" not in copy.text, (copy.place, copy.text)
        assert BUYER not in scenario.places(LARGE), "the requester is told when it is over"
        await scenario.press(scenario.card(LARGE, FINANCE), YES, FINANCE)
        await scenario.assert_ended(LARGE, CaseState.APPROVED)
        assert (await scenario.order(LARGE)).status is ReviewState.APPROVED
        assert [by for by, _, _ in await scenario.erp.decisions(LARGE)] == [MANAGER, FINANCE]
        assert "已同意" in plain_text(scenario.card(LARGE, BUYER))
        assert scenario.places(LARGE).count(BUYER) == 1


async def test_all_of_them_have_to_agree(open_approval_scenario: OpenApprovalScenario) -> None:
    both = f'{{all = ["person:{MANAGER}", "person:{BOSS}"]}}'
    async with open_approval_scenario(SMALL, rules=rule(both)) as scenario:
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        assert scenario.erp.told == []
        again = await scenario.press(scenario.card(SMALL, BUYING), YES, BOSS)
        assert scenario.erp.told == [], plain_text(again)
        await scenario.press(scenario.card(SMALL, BUYING), YES, MANAGER)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "赵国强")
        assert await scenario.erp.decisions(SMALL) == [(MANAGER, "approve", "")]


async def test_one_of_all_rejects(open_approval_scenario: OpenApprovalScenario) -> None:
    both = f'{{all = ["person:{MANAGER}", "person:{BOSS}"]}}'
    async with open_approval_scenario(SMALL, rules=rule(both)) as scenario:
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        await scenario.ask(f"/reject {SMALL} 不需要", MANAGER)
        await scenario.assert_ended(SMALL, CaseState.REJECTED, "赵国强", "不需要")
        assert await scenario.erp.decisions(SMALL) == [(MANAGER, "reject", "不需要")]


async def test_a_substitute_decides_in_the_days_of_absence(open_approval_scenario: OpenApprovalScenario) -> None:
    away = f'[[substitutes]]\nperson = "{MANAGER}"\nby = "{BOSS}"\nfrom = 2026-11-24\nuntil = 2026-11-25'
    async with open_approval_scenario(SMALL, rules=rule(f'{{any = ["person:{MANAGER}"]}}', away)) as scenario:
        assert scenario.places(SMALL) == sorted([BOSS, MANAGER, BUYING])
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        vote = (await scenario.case(SMALL)).votes[0]
        assert (vote.user_id, vote.on_behalf_of) == (BOSS, MANAGER)
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]


async def test_a_substitute_has_no_say_after_the_days(open_approval_scenario: OpenApprovalScenario) -> None:
    away = f'[[substitutes]]\nperson = "{MANAGER}"\nby = "{BOSS}"\nfrom = 2026-11-24\nuntil = 2026-11-25'
    async with open_approval_scenario(SMALL, rules=rule(f'{{any = ["person:{MANAGER}"]}}', away)) as scenario:
        await scenario.at("2d")
        await scenario.press(scenario.card(SMALL, BUYING), YES, BOSS)
        assert scenario.erp.told == []
        assert ("refused", BOSS) in await scenario.record(SMALL)


async def test_a_substitute_named_in_the_chat_is_told_and_decides(open_approval_scenario: OpenApprovalScenario) -> None:
    named = f'[away]\nsubstitutes = ["person:{BOSS}"]\n'
    async with open_approval_scenario(SMALL, rules=rule(f'{{any = ["person:{MANAGER}"]}}', named)) as scenario:
        shown = plain_text(await scenario.ask(f"/外出 今天 {BOSS}", MANAGER))
        assert all(words in shown for words in ("林明川", "现在等您审批：1", "其中可代批：1"))
        assert scenario.places(SMALL) == sorted([MANAGER, BUYING])
        kept = plain_text(await scenario.ask(f"/away 2026-11-24 {BOSS} confirm", MANAGER))
        assert "已登记" in kept
        await scenario.system.app.approvals.absences.work()
        await scenario.settle()
        assert "赵国强外出至11月24日，由林明川代批。" in plain_text(scenario.card(SMALL, BOSS))
        assert "赵国强外出至11月24日" in plain_text(await scenario.ask(f"/why {SMALL}", MANAGER))
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        assert [(vote.user_id, vote.on_behalf_of) for vote in (await scenario.case(SMALL)).votes] == [(BOSS, MANAGER)]


async def test_reminded_and_then_over(open_approval_scenario: OpenApprovalScenario) -> None:
    time = 'remind = ["4h"]\ndeadline = "1d"\non_expiry = "close"'
    async with open_approval_scenario(SMALL, rules=rule('{any = ["role:approver"]}', time)) as scenario:
        await scenario.at("4h")
        assert scenario.places(SMALL) == sorted([BOSS, BOSS, MANAGER, MANAGER, BUYING])
        await scenario.at("1d")
        await scenario.assert_ended(SMALL, CaseState.EXPIRED, "已过期")
        assert BUYER in scenario.places(SMALL), "the requester is told"
        await scenario.ask(f"/approve {SMALL}", BOSS)
        assert scenario.erp.told == []
        assert (await scenario.order(SMALL)).status is ReviewState.WAITING, "nothing is rejected by time alone"
        assert await whats(scenario, SMALL) == ["opened", "reminded", "expired", "expired"]


async def test_escalated_when_nobody_decides(open_approval_scenario: OpenApprovalScenario) -> None:
    time = f'deadline = "1d"\non_expiry = "escalate"\nescalate_to = ["person:{BOSS}"]'
    async with open_approval_scenario(SMALL, rules=rule(f'{{any = ["person:{MANAGER}"]}}', time)) as scenario:
        assert scenario.places(SMALL) == sorted([MANAGER, BUYING])
        await scenario.at("1d")
        assert scenario.places(SMALL) == sorted([BOSS, MANAGER, BUYING])
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        assert await whats(scenario, SMALL) == ["opened", "expired", "escalated", "vote", *WRITTEN, "approved"]


async def test_a_large_amount_is_asked_for_twice(open_approval_scenario: OpenApprovalScenario) -> None:
    large = rule('{any = ["role:approver"]}', 'confirm_from = "10000 CNY"')
    async with open_approval_scenario(SMALL, rules=large) as scenario:
        asked = await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        assert "金额较大：确定同意吗？" in plain_text(asked)
        assert scenario.erp.told == []
        await scenario.press(asked, YES, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")


async def test_taken_back_before_the_erp_is_told(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, approvals={"undo_seconds": 30.0}) as scenario:
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        assert scenario.erp.told == []
        own = scenario.card(SMALL, BOSS)
        assert "po.undo" in tokens(own)
        assert "po.undo" not in tokens(scenario.card(SMALL, BUYING))
        seen = await scenario.press(own, UNDO, BOSS)
        assert "已撤销：不会写入 ERP。" in plain_text(seen)
        await scenario.at("1m")
        assert scenario.erp.told == []
        assert (await scenario.case(SMALL)).state is CaseState.OPEN
        assert all(copy.decides for copy in scenario.copies(SMALL))
        await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
        assert scenario.erp.told == []
        await scenario.at("2m")
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "赵国强")
        assert await scenario.erp.decisions(SMALL) == [(MANAGER, "approve", "")]
        record = [entry for entry in await scenario.record(SMALL) if entry[0] in ("decided", "taken_back")]
        assert record == [("decided", BOSS), ("taken_back", BOSS), ("decided", MANAGER)]


async def test_where_nobody_has_decided_there_is_nothing_to_take_back(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        said = plain_text(await scenario.ask(f"/approve {SMALL} undo", MANAGER))
        assert "没有可撤回的审批" in said
        assert (await scenario.case(SMALL)).state is CaseState.OPEN


async def test_an_answer_that_is_drawn_again_is_recorded_again(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, audit={"required": True}) as scenario:
        asked = await scenario.ask(f"/po {SMALL}", BOSS)
        before = scenario.system.see(asked, BOSS).markdown
        await scenario.press(scenario.card(SMALL, BUYING), YES, MANAGER)
        await scenario.settle()
        assert scenario.system.see(asked, BOSS).markdown != before
    kept, _ = await log_of(scenario.system)
    shown = [each.entry.actor for each in kept if (each.entry.action, each.entry.documents) == ("po", (SMALL,))]
    assert shown.count(BOSS) > 1
