"""Failures between a click and the ERP: nothing is done twice, nothing is lost, and every card is correct.

A person without permission or account, or with an old card, changes nothing.
"""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from unittest.mock import patch

import pytest

from bot.approvals.case import CaseState
from bot.erp.kinds import D, Kind
from bot.erp.model import ReviewState, Verdict
from bot.kit.simulator.push_dispatcher import PushDispatcher, SimPush
from tests.scenario.alerts.scenario import BUYING, WAREHOUSE
from tests.scenario.approvals.scenario import (
    BOSS,
    BUYER,
    FINANCE,
    HALFWAY,
    MANAGER,
    NO,
    OF_MANAGER,
    SMALL,
    YES,
    CardCopy,
    DemoApprovalScenario,
    OpenApprovalScenario,
    find_button,
    open_approval_scenario,
    plain_text,
    tokens,
)
from tests.scenario.approvals.test_decisions import MONEY, rule, whats
from tests.scenario.approvals.unreliable_erp import WriteFault
from tests.scenario.conftest import OUTSIDER
from tests.scenario.traffic import eventually
from tests.scenario.wire import WireRecorder

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module


async def still_open(scenario: DemoApprovalScenario, number: str) -> None:
    """Expect that nothing was decided."""
    assert scenario.erp.told == []
    assert (await scenario.case(number)).state is CaseState.OPEN, await scenario.record(number)
    assert (await scenario.order(number)).status is ReviewState.WAITING


async def test_changed_since_it_was_shown(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        before = await scenario.case(SMALL)
        await scenario.erp.edit(SMALL, due_on=date(2026, 12, 24))
        old = scenario.card(SMALL, BUYING)
        read = scenario.erp.document

        async def slow(kind: Kind[D], number: str) -> D:
            # The card is changed after the click began, which a clock that stands still would not show.
            scenario.clock.now += timedelta(milliseconds=100)
            return await read(kind, number)

        with patch.object(scenario.erp, "document", slow):
            seen = await scenario.press(old, YES, BOSS)
        assert "单据已变更，请核对后再审批。" in plain_text(seen)
        assert scenario.erp.told == []
        fresh = await scenario.case(SMALL)
        assert (fresh.id != before.id, fresh.state) == (True, CaseState.OPEN)
        for place in (MANAGER, BUYING):

            def both(place: str = place) -> list[CardCopy]:
                return [copy for copy in scenario.copies(SMALL) if copy.place == place]

            # The clicker's answer on the old card goes away a little later.
            await eventually(lambda both=both: "ERP 中已变更" in both()[0].text, hint=both)  # type: ignore[misc]
            superseded, new = both()
            assert not superseded.decides
            assert "12月24日" in new.text
            assert "11月1日" in new.text, "what is not as it was is shown with what it was"
            assert new.decides
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert (await scenario.order(SMALL)).due_on == date(2026, 12, 24)


async def test_the_old_card_of_a_changed_order_decides_nothing(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        old = scenario.card(SMALL, BUYING)
        token = find_button(old, YES).id
        await scenario.erp.edit(SMALL, due_on=date(2026, 12, 24))
        await scenario.poll_pending()
        await scenario.system.engine.click(old.out_track_id, BOSS, params={"id": token})
        await scenario.settle()
        await still_open(scenario, SMALL)


async def test_a_change_that_nobody_was_shown_does_not_matter(open_approval_scenario: OpenApprovalScenario) -> None:
    """A comment or a print increases the ERP's version, but what the deciders saw is unchanged."""
    async with open_approval_scenario(SMALL) as scenario:
        await scenario.erp.edit(SMALL, buyer="赵国强")
        await scenario.press(scenario.card(SMALL, BUYING), YES, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]


@pytest.mark.parametrize(
    ("verdict", "status", "title"),
    [
        (Verdict.APPROVE, ReviewState.APPROVED, "已在 ERP 中同意"),
        (Verdict.REJECT, ReviewState.REJECTED, "已在 ERP 中拒绝"),
    ],
)
async def test_decided_in_the_erp_itself(
    open_approval_scenario: OpenApprovalScenario, verdict: Verdict, status: ReviewState, title: str
) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        await scenario.erp.decide_inside(SMALL, MANAGER, verdict)
        await scenario.poll_pending()
        await scenario.assert_ended(SMALL, CaseState.DECIDED_ELSEWHERE, title, "赵国强")
        assert (await scenario.order(SMALL)).status is status
        assert scenario.erp.told == []
        assert await whats(scenario, SMALL) == ["opened", "decided_elsewhere"]


async def test_decided_in_the_erp_just_before_the_click(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        await scenario.erp.decide_inside(SMALL, MANAGER)
        seen = await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        assert "操作未生效：该单在 ERP 中已不再待审批。" in plain_text(seen)
        await scenario.assert_ended(SMALL, CaseState.DECIDED_ELSEWHERE, "赵国强")
        assert scenario.erp.told == []


async def test_withdrawn_in_the_erp(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        await scenario.erp.edit(SMALL, status=ReviewState.DRAFT.value)
        await scenario.poll_pending()
        await scenario.assert_ended(SMALL, CaseState.WITHDRAWN, "不再待审批")
        await scenario.erp.edit(SMALL, status=ReviewState.WAITING.value)
        await scenario.poll_pending()
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        await scenario.assert_ended(SMALL, CaseState.APPROVED)


async def test_the_erp_is_down_when_somebody_clicks(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        scenario.erp.away = True
        seen = await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        assert "操作未生效：ERP 没有响应，请重试。" in plain_text(seen)
        scenario.erp.away = False
        await still_open(scenario, SMALL)
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]


async def test_the_erp_goes_down_before_it_is_told_and_comes_back(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, approvals={"undo_seconds": 10.0}) as scenario:
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        scenario.erp.away = True
        await scenario.at("10s")
        for second in ("20s", "40s", "2m"):
            await scenario.at(second)
            assert (await scenario.case(SMALL)).state is CaseState.WRITING
            assert not any(copy.decides for copy in scenario.copies(SMALL))
        scenario.erp.away = False
        await scenario.at("5m")
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        assert "not_written" in await whats(scenario, SMALL)


async def test_the_erp_takes_15_seconds(open_approval_scenario: OpenApprovalScenario) -> None:
    """The click is answered at once; until the ERP answers, every card says so and nobody can decide again."""
    async with open_approval_scenario(SMALL) as scenario:
        scenario.erp.hold()
        seen = await scenario.press(scenario.card(SMALL, BUYING), YES, BOSS)
        await scenario.erp.held()
        assert "已记录，正在通知 ERP。" in plain_text(seen)
        await scenario.at("15s")
        for copy in scenario.copies(SMALL):
            assert "处理中" in copy.text
            assert not copy.decides
        late = await scenario.ask(f"/approve {SMALL}", MANAGER)
        assert "林明川 已于 11月24日 10:00 审批。" in plain_text(late)
        scenario.erp.release()
        await scenario.settle()
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        assert len(scenario.erp.told) == 1


async def test_the_erp_is_too_slow_for_a_click(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        scenario.erp.reads = asyncio.Event()
        seen = await scenario.press(scenario.card(SMALL, BUYING), YES, BOSS)
        assert "操作未生效：ERP 没有响应，请重试。" in plain_text(seen)
        reads, scenario.erp.reads = scenario.erp.reads, None
        reads.set()
        await scenario.settle()
        await still_open(scenario, SMALL)
        again = find_button(seen, "ask|0|/approve")
        await scenario.press(scenario.system.see(seen, BOSS), again.id, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")


async def test_the_answer_gets_lost_after_the_work_was_done(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        scenario.erp.write_faults.append(WriteFault.ANSWER_LOST)
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        await scenario.at("10s")
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        assert len(scenario.erp.told) == 1
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]


async def test_nobody_knows_for_a_while_what_became_of_it(open_approval_scenario: OpenApprovalScenario) -> None:
    """The answer is lost and the ERP is down: the card says that the decision is being checked until the ERP is
    back."""
    async with open_approval_scenario(SMALL) as scenario:
        scenario.erp.write_faults.append(WriteFault.ANSWER_LOST)
        scenario.erp.hold()
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        await scenario.erp.held()
        scenario.erp.away = True
        scenario.erp.release()
        await scenario.settle()
        for copy in scenario.copies(SMALL):
            assert "ERP 尚未确认" in copy.text
            assert not copy.decides
        await scenario.at("2m")
        assert (await scenario.case(SMALL)).state is CaseState.UNKNOWN
        scenario.erp.away = False
        await scenario.at("4m")
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        assert len(scenario.erp.told) == 1
        assert (await whats(scenario, SMALL))[-4:] == ["outcome", "unknown", "found", "approved"]


async def test_a_write_that_never_arrived_is_repeated_when_that_is_sure(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        scenario.erp.write_faults.append(WriteFault.LOST)
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        await scenario.at("60s")
        assert scenario.erp.told == []
        assert (await scenario.case(SMALL)).state is CaseState.UNKNOWN, "a server may still be working on it"
        await scenario.at("2m")
        await scenario.at("3m")
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]


async def test_who_has_no_right_in_the_erp_leaves_it_to_the_others(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    """The rules name finance, but the ERP lets finance decide at its second level only."""
    async with open_approval_scenario(SMALL, approvers=(BOSS, FINANCE)) as scenario:
        assert scenario.places(SMALL) == sorted([BOSS, BUYING]), "finance is not invited"
        seen = await scenario.press(scenario.card(SMALL, BUYING), YES, FINANCE)
        assert "ERP 正在等赵国强、林明川审批，不会接受您的审批" in plain_text(seen)
        assert not scenario.erp.told, "the ERP is not asked for what it does not take"
        await still_open(scenario, SMALL)
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]


async def test_who_has_no_account_in_the_erp(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, approvers=(BOSS, "it01")) as scenario:
        seen = await scenario.press(scenario.card(SMALL, BUYING), YES, "it01")
        assert "您在“demo”中没有账号。" in plain_text(seen)
        await still_open(scenario, SMALL)
        assert ("refused", "it01") in await scenario.record(SMALL)


async def test_who_is_none_of_the_approvers(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        for button in (YES, NO):
            seen = await scenario.press(scenario.card(SMALL, BUYING), button, FINANCE)
            assert "林明川" in plain_text(seen), "who can help is named"
        await still_open(scenario, SMALL)
        assert [entry for entry in await scenario.record(SMALL) if entry[1]] == [("refused", FINANCE)] * 2


async def test_nobody_decides_what_they_requested(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(OF_MANAGER) as scenario:
        assert scenario.places(OF_MANAGER) == sorted([BOSS, BUYING])
        await scenario.press(scenario.card(OF_MANAGER, BUYING), YES, MANAGER)
        await still_open(scenario, OF_MANAGER)
        await scenario.press(scenario.card(OF_MANAGER, BOSS), YES, BOSS)
        await scenario.assert_ended(OF_MANAGER, CaseState.APPROVED, "林明川")


async def test_an_outsider_in_the_group(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, groups=(WAREHOUSE,)) as scenario:
        card = scenario.card(SMALL, WAREHOUSE)
        for button in (YES, NO):
            seen = await scenario.press(card, button, OUTSIDER)
            assert MONEY not in plain_text(seen)
        await scenario.system.ask(f"/approve {SMALL}", OUTSIDER, where=WAREHOUSE)
        await scenario.settle()
        await still_open(scenario, SMALL)
        assert all(copy.decides for copy in scenario.copies(SMALL))


async def test_a_card_that_was_forwarded(open_approval_scenario: OpenApprovalScenario) -> None:
    """An approver forwards their own card to a group: a clicker there gets the usual checks, and sees no price."""
    async with open_approval_scenario(SMALL, approvals={"one_card": False}) as scenario:
        chat, own = scenario.system.engine.chat, scenario.card(SMALL, BOSS)
        instance = scenario.system.engine.cards.get(own.out_track_id)
        assert instance is not None
        chat.add_card(chat.conversations[WAREHOUSE], instance, carrier_id="forwarded", recipients=None)
        wire = WireRecorder(scenario.system.engine)
        for who in ("keeper01", OUTSIDER):
            seen = await scenario.press(own, YES, who)
            assert seen.tips == "这是别人单聊里的卡片。"
            # What the approver forwarded stays theirs and as it is; the bot's answer adds nothing to it.
            assert (seen.title, seen.markdown, seen.buttons) == (own.title, own.markdown, own.buttons)
            told = [call.shared_text for call in wire.take()]
            assert not any(MONEY in text or SMALL in text for text in told), told
        await still_open(scenario, SMALL)
        await scenario.press(own, YES, BOSS, where=WAREHOUSE)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        assert len(scenario.erp.told) == 1


async def test_a_card_that_all_share_was_forwarded(open_approval_scenario: OpenApprovalScenario) -> None:
    """It opens no more to those it was forwarded to than to the group: they see what it shows everybody."""
    async with open_approval_scenario(SMALL) as scenario:
        chat, own = scenario.system.engine.chat, scenario.card(SMALL, BUYING)
        instance = scenario.system.engine.cards.get(own.out_track_id)
        assert instance is not None
        chat.add_card(chat.conversations[WAREHOUSE], instance, carrier_id="forwarded", recipients=None)
        for who in ("keeper01", OUTSIDER):
            assert MONEY not in plain_text(instance.view_for(who))
        assert MONEY not in plain_text(await scenario.press(own, YES, OUTSIDER))
        await scenario.press(own, YES, "keeper01")
        await still_open(scenario, SMALL)
        await scenario.press(own, YES, BOSS, where=WAREHOUSE)
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        assert len(scenario.erp.told) == 1


async def test_a_callback_that_comes_again(open_approval_scenario: OpenApprovalScenario) -> None:
    """The same frame again before the end and after it; then the same token by another person."""
    frames: list[SimPush] = []
    push = PushDispatcher.push

    def kept(self: PushDispatcher, frame: SimPush) -> object:
        frames.append(frame)
        return push(self, frame)

    async with open_approval_scenario(SMALL, approvals={"undo_seconds": 5.0}) as scenario:
        card = scenario.card(SMALL, BUYING)
        with patch.object(PushDispatcher, "push", kept):
            await scenario.press(card, YES, BOSS)
        (click,) = [frame for frame in frames if frame.done is not None]
        for moment in ("1s", "10s"):
            done = asyncio.get_running_loop().create_future()
            scenario.system.engine.pushes.push(SimPush(type=click.type, topic=click.topic, data=click.data, done=done))
            assert isinstance(await asyncio.wait_for(done, 60), dict)
            await scenario.at(moment)
        await scenario.system.engine.click(card.out_track_id, MANAGER, params={"id": find_button(card, YES).id})
        await scenario.settle()
        await scenario.assert_ended(SMALL, CaseState.APPROVED, "林明川")
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]
        assert (await whats(scenario, SMALL)).count("vote") == 1


async def test_two_click_at_the_same_moment(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        cards = [(scenario.card(SMALL, who), who) for who in (BOSS, MANAGER)]
        click = scenario.system.engine.click
        clicks = [click(card.out_track_id, who, find_button(card, YES).id) for card, who in cards]
        results = await asyncio.gather(*clicks)
        assert all(result.ok for result in results)
        await scenario.settle()
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        ((by, _, _),) = await scenario.erp.decisions(SMALL)
        decision = (await scenario.case(SMALL)).decision
        assert decision is not None
        assert decision.by == by


async def test_the_second_half_alone(open_approval_scenario: OpenApprovalScenario) -> None:
    """The first approval was given in the ERP before: its approver has no second vote."""
    async with open_approval_scenario(HALFWAY, approvers=(BOSS, MANAGER, FINANCE)) as scenario:
        first = (await scenario.order(HALFWAY)).review.approval
        assert first is not None
        assert set(first.pending_for) <= {BOSS, FINANCE}
        by = first.pending_for[0]
        await scenario.press(scenario.card(HALFWAY, by), YES, by)
        await scenario.assert_ended(HALFWAY, CaseState.APPROVED)
        assert (await scenario.order(HALFWAY)).status is ReviewState.APPROVED


async def test_the_answer_to_somebody_who_may_not_keeps_their_buttons(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    """Everybody may see the answer, so it leaves the others what they decide with."""
    async with open_approval_scenario(SMALL) as scenario:
        card = scenario.card(SMALL, BUYING)
        others = {who: scenario.system.see(card, who) for who in (BOSS, MANAGER, "it01")}
        await scenario.press(card, YES, BUYER)
        for who, before in others.items():
            assert tokens(scenario.system.see(card, who)) == tokens(before)
        await still_open(scenario, SMALL)


async def test_rules_for_others_only(open_approval_scenario: OpenApprovalScenario) -> None:
    """An order without a rule is decided in the ERP alone, and ``/why`` says so."""
    async with open_approval_scenario(
        SMALL, rules=rule('{any = ["role:approver"]}', 'amount = "below 100 CNY"')
    ) as scenario:
        assert scenario.copies(SMALL) == []
        await scenario.ask(f"/approve {SMALL}", BOSS)
        assert scenario.erp.told == []
        assert "没有规则适用于这张单据，请在 ERP 中审批。" in plain_text(await scenario.ask(f"/why {SMALL}", BOSS))
