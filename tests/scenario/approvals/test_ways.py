"""Every way of deciding, seen by all who have a card: the ERP, each copy and the record end alike."""

from __future__ import annotations

import pytest

from bot.approvals.case import CaseState
from bot.erp.model import PurchaseStatus
from tests.scenario.alerts.axis import BUYING, WAREHOUSE
from tests.scenario.approvals.docket import (
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
    Docket,
    OpenDocket,
    open_docket,
    tokens,
    words,
)

__all__ = ["open_docket"]  # pytest finds fixtures in the module

WRITTEN = ["decided", "writing", "outcome"]
"""What the record says of every decision that the ERP took."""

MONEY = "39,471.90"
"""What the small order costs."""


def rule(levels: str, more: str = "") -> str:
    """Return rules of one rule."""
    return f'[[rules]]\nname = "all orders"\nlevels = [{levels}]\n{more}\n'


async def whats(docket: Docket, number: str) -> list[str]:
    """Return what happened, in order."""
    return [what for what, _ in await docket.record(number)]


async def test_one_approves_and_everybody_sees_it(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL, groups=(BUYING, WAREHOUSE)) as docket:
        assert docket.places(SMALL) == sorted([BOSS, MANAGER, BUYING, WAREHOUSE])
        seen = await docket.press(docket.card(SMALL, MANAGER), YES, MANAGER)
        assert "已记录，正在通知 ERP。" in words(seen)
        await docket.ends(SMALL, CaseState.APPROVED, "已批准", "赵国强")
        assert docket.places(SMALL) == sorted([BOSS, MANAGER, BUYER, BUYING, WAREHOUSE])
        assert await docket.erp.decisions(SMALL) == [(MANAGER, "approve", "")]
        assert (await docket.order(SMALL)).status is PurchaseStatus.APPROVED
        expected = [("opened", ""), ("vote", MANAGER), ("decided", MANAGER), ("writing", MANAGER)]
        assert await docket.record(SMALL) == [*expected, ("outcome", ""), ("approved", "")]
        late = await docket.ask(f"/approve {SMALL}", BOSS)
        assert "赵国强 已于 2026年11月24日 10:00 审批。" in words(late)
        assert len(docket.erp.told) == 1


async def test_prices_are_in_the_approvers_own_chats_alone(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL, groups=(BUYING, WAREHOUSE)) as docket:
        for _ in range(2):
            priced = {one.place for one in docket.copies(SMALL) if MONEY in one.words}
            bare = {one.place for one in docket.copies(SMALL) if MONEY not in one.words and "¥" not in one.words}
            assert {BUYING, WAREHOUSE} <= bare
            assert {BOSS, MANAGER} <= priced
            if (await docket.case(SMALL)).state is CaseState.OPEN:
                await docket.press(docket.card(SMALL, BUYING), YES, BOSS)
        await docket.ends(SMALL, CaseState.APPROVED, "已批准", "林明川")


@pytest.mark.parametrize(
    ("token", "reason"), [("p", "价格过高"), ("b", "超出预算"), ("q", "数量有误"), ("n", "不需要")]
)
async def test_rejecting_with_a_quick_reason(open_docket: OpenDocket, token: str, reason: str) -> None:
    async with open_docket(SMALL) as docket:
        card = docket.card(SMALL, BUYING)
        asked = await docket.press(card, NO, BOSS)
        assert asked.private_to_viewer
        quick = next(one for one in asked.buttons if one.id.startswith(NO) and one.id.endswith(f"|{token}"))
        assert docket.erp.told == [], "a reason is needed first"
        assert tokens(docket.town.see(card, MANAGER)) == tokens(card), "the question is the clicker's own"
        await docket.press(asked, quick.id, BOSS)
        await docket.ends(SMALL, CaseState.REJECTED, "已驳回", "林明川", reason)
        assert await docket.erp.decisions(SMALL) == [(BOSS, "reject", reason)]
        assert (await docket.order(SMALL)).status is PurchaseStatus.REJECTED
        assert await whats(docket, SMALL) == ["opened", "vote", *WRITTEN, "rejected"]


async def test_rejecting_with_the_next_message(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL) as docket:
        asked = await docket.press(docket.card(SMALL, BOSS), NO, BOSS)
        own = next(one for one in asked.buttons if one.id.endswith("|o"))
        await docket.press(asked, own.id, BOSS)
        assert docket.erp.told == []
        said = await docket.ask("去年才 30 块，请再谈", BOSS)
        assert "已记录，正在通知 ERP。" in words(said)
        await docket.ends(SMALL, CaseState.REJECTED, "已驳回", "林明川")
        assert await docket.erp.decisions(SMALL) == [(BOSS, "reject", "去年才 30 块，请再谈")]
        bare = {one.place for one in docket.copies(SMALL) if "30 块" not in one.words}
        assert bare == {BUYING}, "a figure may be a price"


@pytest.mark.parametrize("where", ["", BUYING])
@pytest.mark.parametrize("line", [f"/reject {SMALL} 价格过高", f"/拒绝 {SMALL} 价格过高", f"驳回 {SMALL} 价格过高"])
async def test_rejecting_in_words(open_docket: OpenDocket, line: str, where: str) -> None:
    async with open_docket(SMALL) as docket:
        await docket.ask(line, MANAGER, where=where)
        await docket.ends(SMALL, CaseState.REJECTED, "已驳回", "赵国强", "价格过高")
        assert await docket.erp.decisions(SMALL) == [(MANAGER, "reject", "价格过高")]


async def test_words_without_a_reason_are_asked_for_one(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL) as docket:
        asked = await docket.ask(f"/reject {SMALL}", MANAGER)
        assert tokens(asked).count("po.no") == 5
        assert docket.erp.told == []
        await docket.ask("等下月预算", MANAGER)
        assert await docket.erp.decisions(SMALL) == [(MANAGER, "reject", "等下月预算")]
        await docket.ends(SMALL, CaseState.REJECTED, "等下月预算")


async def test_approving_in_words_and_the_list_of_what_waits(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL, LARGE) as docket:
        listed = await docket.ask("/pending", BOSS)
        assert SMALL in words(listed)
        assert LARGE in words(listed)
        await docket.ask(f"/approve {SMALL}", BOSS)
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")
        left = await docket.ask("/pending", BOSS)
        assert SMALL not in words(left)
        assert LARGE in words(left)


async def test_all_of_the_list_after_a_confirmation(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL, LARGE) as docket:
        asked = await docket.ask("/pending all", BOSS)
        assert docket.erp.told == []
        await docket.press(asked, "po.all|", BOSS)
        assert sorted(one.number for one in docket.erp.told) == [SMALL, LARGE]
        assert (await docket.order(SMALL)).status is PurchaseStatus.APPROVED


async def test_a_question_that_only_sounds_like_it_decides_nothing(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL) as docket:
        for line in (f"同意 {SMALL} 吗", f"{SMALL} 不同意", f"可以批准 {SMALL} 吗"):
            await docket.ask(line, BOSS)
        assert docket.erp.told == []
        assert (await docket.case(SMALL)).state is CaseState.OPEN


async def test_passed_on(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL, rules=rule(f'{{any = ["person:{MANAGER}"]}}')) as docket:
        assert docket.places(SMALL) == sorted([MANAGER, BUYING])
        choice = await docket.press(docket.card(SMALL, BUYING), PASS, MANAGER)
        boss = next(one.id for one in choice.buttons if one.id.startswith(PASS) and one.id.endswith(f"|{BOSS}"))
        seen = await docket.press(choice, boss, MANAGER)
        assert "已转交给 林明川。" in words(seen)
        assert docket.places(SMALL) == sorted([BOSS, MANAGER, BUYING])
        await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")
        assert await docket.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        assert ("forwarded", MANAGER) in await docket.record(SMALL)


async def test_two_levels_of_the_rules_and_one_word_to_the_erp(open_docket: OpenDocket) -> None:
    two = f'{{any = ["person:{MANAGER}"]}}, {{any = ["person:{BOSS}"]}}'
    async with open_docket(SMALL, rules=rule(two)) as docket:
        assert docket.places(SMALL) == sorted([MANAGER, BUYING])
        refused = await docket.press(docket.card(SMALL, BUYING), YES, BOSS)
        assert "赵国强" in words(refused), "who can do it is named"
        seen = await docket.press(docket.card(SMALL, MANAGER), YES, MANAGER)
        assert "已记录，还需其他人同意。" in words(seen)
        assert docket.erp.told == []
        assert docket.places(SMALL) == sorted([BOSS, MANAGER, BUYING])
        await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")
        assert await docket.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        record = await docket.record(SMALL)
        assert [one for one in record if one[0] in ("refused", "vote")] == [
            ("refused", BOSS),
            ("vote", MANAGER),
            ("vote", BOSS),
        ]


async def test_two_levels_of_the_erp_are_two_cases(open_docket: OpenDocket) -> None:
    async with open_docket(LARGE, approvers=(BOSS, MANAGER, FINANCE)) as docket:
        await docket.press(docket.card(LARGE, MANAGER), YES, MANAGER)
        assert (await docket.order(LARGE)).status is PurchaseStatus.WAITING
        assert (await docket.case(LARGE)).state is CaseState.OPEN, "the second level is asked for by itself"
        first = [one for one in docket.copies(LARGE) if not one.decides]
        assert {one.place for one in first} >= {BOSS, MANAGER, FINANCE, BUYING}
        assert all("还需其他人同意" in one.words and "已批准" not in one.words for one in first)
        assert BUYER not in docket.places(LARGE), "the requester is told when it is over"
        await docket.press(docket.card(LARGE, FINANCE), YES, FINANCE)
        await docket.ends(LARGE, CaseState.APPROVED)
        assert (await docket.order(LARGE)).status is PurchaseStatus.APPROVED
        assert [by for by, _, _ in await docket.erp.decisions(LARGE)] == [MANAGER, FINANCE]
        assert "已批准" in words(docket.card(LARGE, BUYER))
        assert docket.places(LARGE).count(BUYER) == 1


async def test_all_of_them_have_to_agree(open_docket: OpenDocket) -> None:
    both = f'{{all = ["person:{MANAGER}", "person:{BOSS}"]}}'
    async with open_docket(SMALL, rules=rule(both)) as docket:
        await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        assert docket.erp.told == []
        again = await docket.press(docket.card(SMALL, BUYING), YES, BOSS)
        assert docket.erp.told == [], words(again)
        await docket.press(docket.card(SMALL, BUYING), YES, MANAGER)
        await docket.ends(SMALL, CaseState.APPROVED, "赵国强")
        assert await docket.erp.decisions(SMALL) == [(MANAGER, "approve", "")]


async def test_one_of_all_rejects(open_docket: OpenDocket) -> None:
    both = f'{{all = ["person:{MANAGER}", "person:{BOSS}"]}}'
    async with open_docket(SMALL, rules=rule(both)) as docket:
        await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        await docket.ask(f"/reject {SMALL} 不需要", MANAGER)
        await docket.ends(SMALL, CaseState.REJECTED, "赵国强", "不需要")
        assert await docket.erp.decisions(SMALL) == [(MANAGER, "reject", "不需要")]


async def test_a_substitute_decides_in_the_days_of_absence(open_docket: OpenDocket) -> None:
    away = f'[[substitutes]]\nperson = "{MANAGER}"\nby = "{BOSS}"\nfrom = 2026-11-24\nuntil = 2026-11-25'
    async with open_docket(SMALL, rules=rule(f'{{any = ["person:{MANAGER}"]}}', away)) as docket:
        assert docket.places(SMALL) == sorted([BOSS, MANAGER, BUYING])
        await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")
        vote = (await docket.case(SMALL)).votes[0]
        assert (vote.user_id, vote.on_behalf_of) == (BOSS, MANAGER)
        assert await docket.erp.decisions(SMALL) == [(BOSS, "approve", "")]


async def test_a_substitute_has_no_say_after_the_days(open_docket: OpenDocket) -> None:
    away = f'[[substitutes]]\nperson = "{MANAGER}"\nby = "{BOSS}"\nfrom = 2026-11-24\nuntil = 2026-11-25'
    async with open_docket(SMALL, rules=rule(f'{{any = ["person:{MANAGER}"]}}', away)) as docket:
        await docket.at("2d")
        await docket.press(docket.card(SMALL, BUYING), YES, BOSS)
        assert docket.erp.told == []
        assert ("refused", BOSS) in await docket.record(SMALL)


async def test_reminded_and_then_over(open_docket: OpenDocket) -> None:
    time = 'remind = ["4h"]\ndeadline = "1d"\non_expiry = "close"'
    async with open_docket(SMALL, rules=rule('{any = ["role:approver"]}', time)) as docket:
        await docket.at("4h")
        assert docket.places(SMALL) == sorted([BOSS, BOSS, MANAGER, MANAGER, BUYING])
        await docket.at("1d")
        await docket.ends(SMALL, CaseState.EXPIRED, "已过期")
        assert BUYER in docket.places(SMALL), "the requester is told"
        await docket.ask(f"/approve {SMALL}", BOSS)
        assert docket.erp.told == []
        assert (await docket.order(SMALL)).status is PurchaseStatus.WAITING, "nothing is rejected by time alone"
        assert await whats(docket, SMALL) == ["opened", "reminded", "expired", "expired"]


async def test_escalated_when_nobody_decides(open_docket: OpenDocket) -> None:
    time = f'deadline = "1d"\non_expiry = "escalate"\nescalate_to = ["person:{BOSS}"]'
    async with open_docket(SMALL, rules=rule(f'{{any = ["person:{MANAGER}"]}}', time)) as docket:
        assert docket.places(SMALL) == sorted([MANAGER, BUYING])
        await docket.at("1d")
        assert docket.places(SMALL) == sorted([BOSS, MANAGER, BUYING])
        await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")
        assert await docket.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        assert await whats(docket, SMALL) == ["opened", "expired", "escalated", "vote", *WRITTEN, "approved"]


async def test_a_large_amount_is_asked_for_twice(open_docket: OpenDocket) -> None:
    large = rule('{any = ["role:approver"]}', 'confirm_from = "10000 CNY"')
    async with open_docket(SMALL, rules=large) as docket:
        asked = await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        assert "金额较大：确定同意吗？" in words(asked)
        assert docket.erp.told == []
        await docket.press(asked, YES, BOSS)
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")


async def test_taken_back_before_the_erp_is_told(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL, approvals={"undo_seconds": 30.0}) as docket:
        await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        assert docket.erp.told == []
        own = docket.card(SMALL, BOSS)
        assert "po.undo" in tokens(own)
        assert "po.undo" not in tokens(docket.card(SMALL, MANAGER))
        seen = await docket.press(own, UNDO, BOSS)
        assert "已撤销：不会写入 ERP。" in words(seen)
        await docket.at("1m")
        assert docket.erp.told == []
        assert (await docket.case(SMALL)).state is CaseState.OPEN
        assert all(one.decides for one in docket.copies(SMALL))
        await docket.press(docket.card(SMALL, MANAGER), YES, MANAGER)
        assert docket.erp.told == []
        await docket.at("2m")
        await docket.ends(SMALL, CaseState.APPROVED, "赵国强")
        assert await docket.erp.decisions(SMALL) == [(MANAGER, "approve", "")]
        record = [one for one in await docket.record(SMALL) if one[0] in ("decided", "taken_back")]
        assert record == [("decided", BOSS), ("taken_back", BOSS), ("decided", MANAGER)]
