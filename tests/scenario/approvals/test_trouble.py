"""What can go wrong between a click and the ERP: nothing is done twice, nothing is lost, and every card says what is.

Whoever has no right, no account or an old card changes nothing.
"""

from __future__ import annotations

import asyncio
from datetime import date
from unittest.mock import patch

import pytest

from bot.approvals.case import CaseState
from bot.erp.model import PurchaseStatus, Verdict
from bot.simulator.cards import Face
from bot.simulator.pushes import Push, Pushes
from tests.scenario.alerts.axis import BUYING, WAREHOUSE
from tests.scenario.approvals.docket import (
    BOSS,
    BUYER,
    FINANCE,
    HALFWAY,
    MANAGER,
    NO,
    OF_MANAGER,
    SMALL,
    YES,
    Docket,
    OpenDocket,
    find_button,
    open_docket,
    tokens,
    words,
)
from tests.scenario.approvals.moody_erp import Mood
from tests.scenario.approvals.test_ways import MONEY, rule, whats
from tests.scenario.conftest import OUTSIDER

__all__ = ["open_docket"]  # pytest finds fixtures in the module


async def still_open(docket: Docket, number: str) -> None:
    """Expect that nothing was decided anywhere."""
    assert docket.erp.told == []
    assert (await docket.case(number)).state is CaseState.OPEN, await docket.record(number)
    assert (await docket.order(number)).status is PurchaseStatus.WAITING


async def test_changed_since_it_was_shown(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL) as docket:
        before = await docket.case(SMALL)
        await docket.erp.edit(SMALL, due_on=date(2026, 12, 24))
        old = docket.card(SMALL, BUYING)
        seen = await docket.press(old, YES, BOSS)
        assert "未记录：您看过之后单据已变更。" in words(seen)
        assert docket.erp.told == []
        fresh = await docket.case(SMALL)
        assert (fresh.id != before.id, fresh.state) == (True, CaseState.OPEN)
        for place in (BOSS, MANAGER, BUYING):
            superseded, new = [one for one in docket.copies(SMALL) if one.place == place]
            assert "ERP 中已变更" in superseded.words
            assert not superseded.decides
            assert "2026年12月24日" in new.words
            assert "2026年11月1日" in new.words, "what is not as it was is shown with what it was"
            assert new.decides
        await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        assert await docket.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        await docket.ends(SMALL, CaseState.APPROVED)
        assert (await docket.order(SMALL)).due_on == date(2026, 12, 24)


async def test_the_old_card_of_a_changed_order_decides_nothing(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL) as docket:
        old = docket.card(SMALL, BUYING)
        token = find_button(old, YES).id
        await docket.erp.edit(SMALL, due_on=date(2026, 12, 24))
        await docket.look_round()
        await docket.town.engine.click(old.out_track_id, BOSS, params={"id": token})
        await docket.settle()
        await still_open(docket, SMALL)


async def test_a_change_that_nobody_was_shown_does_not_matter(open_docket: OpenDocket) -> None:
    """A comment or a print counts the ERP's version up; what the deciders saw is as it was."""
    async with open_docket(SMALL) as docket:
        await docket.erp.edit(SMALL, buyer="赵国强")
        await docket.press(docket.card(SMALL, BUYING), YES, BOSS)
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")
        assert await docket.erp.decisions(SMALL) == [(BOSS, "approve", "")]


@pytest.mark.parametrize(
    ("verdict", "status", "title"),
    [
        (Verdict.APPROVE, PurchaseStatus.APPROVED, "已在 ERP 中批准"),
        (Verdict.REJECT, PurchaseStatus.REJECTED, "已在 ERP 中拒绝"),
    ],
)
async def test_decided_in_the_erp_itself(
    open_docket: OpenDocket, verdict: Verdict, status: PurchaseStatus, title: str
) -> None:
    async with open_docket(SMALL) as docket:
        await docket.erp.decide_inside(SMALL, MANAGER, verdict)
        await docket.look_round()
        await docket.ends(SMALL, CaseState.DECIDED_ELSEWHERE, title, "赵国强")
        assert (await docket.order(SMALL)).status is status
        assert docket.erp.told == []
        assert await whats(docket, SMALL) == ["opened", "decided_elsewhere"]


async def test_decided_in_the_erp_just_before_the_click(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL) as docket:
        await docket.erp.decide_inside(SMALL, MANAGER)
        seen = await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        assert "未记录：它在 ERP 中已不再待审批。" in words(seen)
        await docket.ends(SMALL, CaseState.DECIDED_ELSEWHERE, "赵国强")
        assert docket.erp.told == []


async def test_withdrawn_in_the_erp(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL) as docket:
        await docket.erp.edit(SMALL, status=PurchaseStatus.DRAFT.value)
        await docket.look_round()
        await docket.ends(SMALL, CaseState.WITHDRAWN, "不再待审批")
        await docket.erp.edit(SMALL, status=PurchaseStatus.WAITING.value)
        await docket.look_round()
        await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        assert await docket.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        await docket.ends(SMALL, CaseState.APPROVED)


async def test_the_erp_is_down_when_somebody_clicks(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL) as docket:
        docket.erp.away = True
        seen = await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        assert "未记录：ERP 没有响应，请重试。" in words(seen)
        docket.erp.away = False
        await still_open(docket, SMALL)
        await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")
        assert await docket.erp.decisions(SMALL) == [(BOSS, "approve", "")]


async def test_the_erp_goes_down_before_it_is_told_and_comes_back(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL, approvals={"undo_seconds": 10.0}) as docket:
        await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        docket.erp.away = True
        await docket.at("10s")
        for second in ("20s", "40s", "2m"):
            await docket.at(second)
            assert (await docket.case(SMALL)).state is CaseState.WRITING
            assert not any(one.decides for one in docket.copies(SMALL))
        docket.erp.away = False
        await docket.at("5m")
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")
        assert await docket.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        assert "not_written" in await whats(docket, SMALL)


async def test_the_erp_takes_15_seconds(open_docket: OpenDocket) -> None:
    """The click is answered at once; until the ERP answers every card says so, and nobody can decide again."""
    async with open_docket(SMALL) as docket:
        docket.erp.hold()
        seen = await docket.press(docket.card(SMALL, BUYING), YES, BOSS)
        await docket.erp.held()
        assert "已记录，正在通知 ERP。" in words(seen)
        await docket.at("15s")
        for one in docket.copies(SMALL):
            assert "处理中" in one.words
            assert not one.decides
        late = await docket.ask(f"/approve {SMALL}", MANAGER)
        assert "林明川 已于 2026年11月24日 10:00 审批。" in words(late)
        docket.erp.release()
        await docket.settle()
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")
        assert len(docket.erp.told) == 1


async def test_the_erp_is_too_slow_for_a_click(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL) as docket:
        docket.erp.reads = asyncio.Event()
        seen = await docket.press(docket.card(SMALL, BUYING), YES, BOSS)
        assert "未记录：ERP 没有响应，请重试。" in words(seen)
        reads, docket.erp.reads = docket.erp.reads, None
        reads.set()
        await docket.settle()
        await still_open(docket, SMALL)
        again = find_button(seen, "ask|0|/approve")
        await docket.press(docket.town.see(seen, BOSS), again.id, BOSS)
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")


async def test_the_answer_gets_lost_after_the_work_was_done(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL) as docket:
        docket.erp.moods.append(Mood.DONE_IN_SILENCE)
        await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        await docket.at("10s")
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")
        assert len(docket.erp.told) == 1
        assert await docket.erp.decisions(SMALL) == [(BOSS, "approve", "")]


async def test_nobody_knows_for_a_while_what_became_of_it(open_docket: OpenDocket) -> None:
    """The answer is lost and the ERP away: the card says that it is being checked until it is back."""
    async with open_docket(SMALL) as docket:
        docket.erp.moods.append(Mood.DONE_IN_SILENCE)
        docket.erp.hold()
        await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        await docket.erp.held()
        docket.erp.away = True
        docket.erp.release()
        await docket.settle()
        for one in docket.copies(SMALL):
            assert "ERP 尚未确认" in one.words
            assert not one.decides
        await docket.at("2m")
        assert (await docket.case(SMALL)).state is CaseState.UNKNOWN
        docket.erp.away = False
        await docket.at("4m")
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")
        assert len(docket.erp.told) == 1
        assert (await whats(docket, SMALL))[-4:] == ["outcome", "unknown", "found", "approved"]


async def test_a_write_that_never_arrived_is_repeated_when_that_is_sure(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL) as docket:
        docket.erp.moods.append(Mood.LOST)
        await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        await docket.at("60s")
        assert docket.erp.told == []
        assert (await docket.case(SMALL)).state is CaseState.UNKNOWN, "a server may still be working on it"
        await docket.at("2m")
        await docket.at("3m")
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")
        assert await docket.erp.decisions(SMALL) == [(BOSS, "approve", "")]


async def test_who_has_no_right_in_the_erp_leaves_it_to_the_others(open_docket: OpenDocket) -> None:
    """The rules name finance, whom the ERP lets decide at its second level only."""
    async with open_docket(SMALL, approvers=(BOSS, FINANCE)) as docket:
        await docket.press(docket.card(SMALL, FINANCE), YES, FINANCE)
        assert (await docket.case(SMALL)).state is CaseState.OPEN
        assert (await docket.order(SMALL)).status is PurchaseStatus.WAITING
        assert "没有该级审批权限" in words(docket.card(SMALL, BOSS)), "the ERP's own words"
        assert ("erp_refused", FINANCE) in await docket.record(SMALL)
        await docket.press(docket.card(SMALL, BUYING), YES, FINANCE)
        assert len(docket.erp.told) == 1, "the ERP is not asked for the same again"
        await docket.press(docket.card(SMALL, BOSS), YES, BOSS)
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")
        assert await docket.erp.decisions(SMALL) == [(BOSS, "approve", "")]


async def test_who_has_no_account_in_the_erp(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL, approvers=(BOSS, "it01")) as docket:
        seen = await docket.press(docket.card(SMALL, BUYING), YES, "it01")
        assert "您在“demo”中没有账号。" in words(seen)
        await still_open(docket, SMALL)
        assert ("refused", "it01") in await docket.record(SMALL)


async def test_who_is_none_of_the_approvers(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL) as docket:
        for button in (YES, NO):
            seen = await docket.press(docket.card(SMALL, BUYING), button, FINANCE)
            assert "林明川" in words(seen), "who can help is named"
        await still_open(docket, SMALL)
        assert [one for one in await docket.record(SMALL) if one[1]] == [("refused", FINANCE)] * 2


async def test_nobody_decides_what_they_requested(open_docket: OpenDocket) -> None:
    async with open_docket(OF_MANAGER) as docket:
        assert docket.places(OF_MANAGER) == sorted([BOSS, BUYING])
        await docket.press(docket.card(OF_MANAGER, BUYING), YES, MANAGER)
        await still_open(docket, OF_MANAGER)
        await docket.press(docket.card(OF_MANAGER, BOSS), YES, BOSS)
        await docket.ends(OF_MANAGER, CaseState.APPROVED, "林明川")


async def test_an_outsider_in_the_group(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL, groups=(WAREHOUSE,)) as docket:
        card = docket.card(SMALL, WAREHOUSE)
        for button in (YES, NO):
            seen = await docket.press(card, button, OUTSIDER)
            assert MONEY not in words(seen)
        await docket.town.ask(f"/approve {SMALL}", OUTSIDER, where=WAREHOUSE)
        await docket.settle()
        await still_open(docket, SMALL)
        assert all(one.decides for one in docket.copies(SMALL))


async def test_a_card_that_was_forwarded(open_docket: OpenDocket) -> None:
    """An approver forwards their own card to a group: who clicks there is asked like anybody, and sees no price."""
    async with open_docket(SMALL) as docket:
        chat, own = docket.town.engine.chat, docket.card(SMALL, BOSS)
        instance = docket.town.engine.cards.get(own.out_track_id)
        assert instance is not None
        chat.place(chat.conversations[WAREHOUSE], instance, carrier_id="forwarded", recipients=None)
        for who in ("keeper01", OUTSIDER):
            seen = await docket.press(own, YES, who)
            assert "这张卡片在别人的会话里。" in words(seen)
            assert MONEY not in words(seen)
        await still_open(docket, SMALL)
        await docket.press(own, YES, BOSS, where=WAREHOUSE)
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")
        assert len(docket.erp.told) == 1


async def test_a_callback_that_comes_again(open_docket: OpenDocket) -> None:
    """The very same frame, once more before the end and once after it; then the same token by somebody else."""
    frames: list[Push] = []
    push = Pushes.push

    def kept(self: Pushes, frame: Push) -> object:
        frames.append(frame)
        return push(self, frame)

    async with open_docket(SMALL, approvals={"undo_seconds": 5.0}) as docket:
        card = docket.card(SMALL, BUYING)
        with patch.object(Pushes, "push", kept):
            await docket.press(card, YES, BOSS)
        (click,) = [frame for frame in frames if frame.done is not None]
        for moment in ("1s", "10s"):
            done = asyncio.get_running_loop().create_future()
            docket.town.engine.pushes.push(Push(type=click.type, topic=click.topic, data=click.data, done=done))
            assert isinstance(await asyncio.wait_for(done, 5), dict)
            await docket.at(moment)
        await docket.town.engine.click(card.out_track_id, MANAGER, params={"id": find_button(card, YES).id})
        await docket.settle()
        await docket.ends(SMALL, CaseState.APPROVED, "林明川")
        assert await docket.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        assert (await whats(docket, SMALL)).count("vote") == 1


async def test_two_click_at_the_same_moment(open_docket: OpenDocket) -> None:
    async with open_docket(SMALL) as docket:
        cards = [(docket.card(SMALL, who), who) for who in (BOSS, MANAGER)]
        click = docket.town.engine.click
        clicks = [click(card.out_track_id, who, find_button(card, YES).id) for card, who in cards]
        results = await asyncio.gather(*clicks)
        assert all(result.ok for result in results)
        await docket.settle()
        await docket.ends(SMALL, CaseState.APPROVED)
        ((by, _, _),) = await docket.erp.decisions(SMALL)
        decision = (await docket.case(SMALL)).decision
        assert decision is not None
        assert decision.by == by


async def test_the_second_half_alone(open_docket: OpenDocket) -> None:
    """The first approval was given in the ERP before: who gave it has no say in the second."""
    async with open_docket(HALFWAY, approvers=(BOSS, MANAGER, FINANCE)) as docket:
        first = (await docket.order(HALFWAY)).approval
        assert first is not None
        assert set(first.pending_for) <= {BOSS, FINANCE}
        by = first.pending_for[0]
        await docket.press(docket.card(HALFWAY, by), YES, by)
        await docket.ends(HALFWAY, CaseState.APPROVED)
        assert (await docket.order(HALFWAY)).status is PurchaseStatus.APPROVED


async def test_the_answer_to_somebody_who_may_not_keeps_their_buttons(open_docket: OpenDocket) -> None:
    """What one is told is in one's own view: the card of the others is as it was."""
    async with open_docket(SMALL) as docket:
        card = docket.card(SMALL, BUYING)
        seen: Face = await docket.press(card, YES, BUYER)
        assert seen.private_to_viewer
        assert tokens(docket.town.see(card, BOSS)) == tokens(card)
        assert not docket.town.see(card, BOSS).private_to_viewer
        await still_open(docket, SMALL)


async def test_rules_for_others_only(open_docket: OpenDocket) -> None:
    """An order that no rule covers is decided in the ERP alone, and ``/why`` says so."""
    async with open_docket(SMALL, rules=rule('{any = ["role:approver"]}', 'amount = "below 100 CNY"')) as docket:
        assert docket.copies(SMALL) == []
        await docket.ask(f"/approve {SMALL}", BOSS)
        assert docket.erp.told == []
        assert "没有规则适用于这张单据，请在 ERP 中审批。" in words(await docket.ask(f"/why {SMALL}", BOSS))
