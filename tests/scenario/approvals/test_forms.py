"""What is missing is asked for by a form: a card for one person, over the wire, and all that can come back from it."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.approvals.case import CaseState
from bot.erp.model import Verdict
from bot.kit.simulator.card_templates import PUBLIC_FORM
from bot.kit.simulator.cards import CardInstance, SimCardView
from bot.kit.simulator.chat import SimDelivery
from bot.kit.simulator.engine import ClickResult
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.cluster import REJECT, open_cluster
from tests.scenario.approvals.scenario import (
    BOSS,
    BUYER,
    MANAGER,
    NO,
    SMALL,
    DemoApprovalScenario,
    OpenApprovalScenario,
    find_button,
    open_approval_scenario,
    plain_text,
)
from tests.scenario.approvals.test_answers_follow import assert_over
from tests.scenario.bad_clicks import private

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

ON: dict[str, Any] = {"cards": {"form_template": PUBLIC_FORM}}
SUBMIT, CANCEL = "确定", "取消"
WORDS = "比上次贵了 20%\n请重新询价"


def forms(scenario: DemoApprovalScenario) -> list[SimDelivery]:
    """Return the forms that the bot has shown, oldest first."""
    places = scenario.system.engine.chat.conversations.values()
    found = [item for place in places for item in place.items if isinstance(item, SimDelivery)]
    return [item for item in found if item.card.template.id == PUBLIC_FORM]


async def shown_form(scenario: DemoApprovalScenario) -> CardInstance:
    """Return the form, of which there is one, as soon as it is there: it comes after the answer."""
    await scenario.system.engine.wait_for(lambda: forms(scenario))
    await scenario.settle()
    (form,) = forms(scenario)
    return form.card


async def forged(
    scenario: DemoApprovalScenario, form: CardInstance, who: str, token: str, params: dict[str, Any]
) -> SimCardView:
    """Send a callback from the form that no client sends, and return what it then shows this person."""
    content = private(ids=[token], params=params)
    result = await scenario.system.engine.click(
        form.out_track_id, who, CANCEL, raw={"content": content, "value": content}
    )
    assert result.ok, result.toast
    await scenario.settle()
    return form.view_for(who)


async def sent(
    scenario: DemoApprovalScenario,
    form: CardInstance,
    who: str = BOSS,
    button: str | None = SUBMIT,
    **entered: str,
) -> SimCardView:
    """Press a button of the form and return what it then shows this person."""
    result = await raw(scenario, form, who, button, **entered)
    assert result.ok, result.toast
    await scenario.settle()
    return form.view_for(who)


async def raw(
    scenario: DemoApprovalScenario, form: CardInstance, who: str, button: str | None, **entered: str
) -> ClickResult:
    """Press a button of the form."""
    return await scenario.system.engine.click(form.out_track_id, who, button, fields=entered)


async def press_text(scenario: DemoApprovalScenario, card: SimCardView, text: str, who: str = BOSS) -> None:
    """Press the button with this text on what the card shows now."""
    assert (await scenario.system.engine.click(card.out_track_id, who, text)).ok


async def refusing(scenario: DemoApprovalScenario, who: str = BOSS, place: str = BOSS) -> CardInstance:
    """Press 拒绝 on the card at a place, and return the form."""
    where = place if place == BUYING else scenario.system.engine.direct(place).id
    await scenario.press(scenario.card(SMALL, place), NO, who, where=where)
    return await shown_form(scenario)


async def test_a_rejection_asks_by_a_form_and_takes_its_words(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, **ON) as scenario:
        engine = scenario.system.engine
        before = engine.flow.used
        form = await refusing(scenario)
        assert engine.flow.used == before + 1, "a form is one call"
        (shown,) = forms(scenario)
        assert shown.conversation.members == (BOSS,)
        view = form.view_for(BOSS)
        assert (view.title, view.tips) == (f"为什么拒绝 {SMALL}？", "待填写")
        assert [(field.type, field.label) for field in view.fields] == [("TEXT_AREA", "原因")]
        assert [button.text for button in view.buttons] == [SUBMIT, CANCEL]
        assert (await scenario.case(SMALL)).state is CaseState.OPEN
        told = await sent(scenario, form, reason=WORDS)
        assert not told.fields
        assert not told.buttons
        assert told.tips == "已答复", "what the ERP says is not the form's to tell"
        await scenario.at("1m")
        case = await scenario.case(SMALL)
        assert case.state is CaseState.REJECTED
        assert case.decision is not None
        assert (case.decision.by, case.decision.reason) == (BOSS, "比上次贵了 20% 请重新询价")
        assert_over(scenario, SMALL)
        assert "处理中" not in plain_text(form.view_for(BOSS))


async def test_in_a_group_the_form_is_for_who_asked_for_it(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, **ON) as scenario:
        form = await refusing(scenario, place=BUYING)
        (shown,) = forms(scenario)
        assert shown.conversation.id == BUYING
        assert shown.recipients == frozenset({BOSS})
        assert SMALL not in shown.preview, "others may see it in their list"
        await sent(scenario, form, reason="太贵")
        await scenario.at("1m")
        await scenario.assert_ended(SMALL, CaseState.REJECTED, "太贵")


async def test_who_types_gets_the_form_instead_of_a_card(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, **ON) as scenario:
        before = scenario.system.engine.flow.used
        scenario.system.engine.say(BUYING, MANAGER, f"/reject {SMALL}")
        await shown_form(scenario)
        assert scenario.system.engine.flow.used == before + 1
        (shown,) = forms(scenario)
        assert shown.recipients == frozenset({MANAGER})
        await sent(scenario, shown.card, MANAGER, reason="不需要")
        await scenario.at("1m")
        await scenario.assert_ended(SMALL, CaseState.REJECTED, "不需要")
        assert scenario.system.count("answers_sent_total", via="form") == 1


async def test_quick_reasons_and_typed_words_stay(open_approval_scenario: OpenApprovalScenario) -> None:
    """Beside the form, on a card that nobody else holds."""
    async with open_approval_scenario(SMALL, approvers=(BOSS,), **ON) as scenario:
        form = await refusing(scenario)
        card = scenario.card(SMALL, BOSS)
        await press_text(scenario, card, "价格过高")
        await scenario.at("1m")
        await scenario.assert_ended(SMALL, CaseState.REJECTED, "价格过高")
        late = await sent(scenario, form, reason="太贵")
        assert "林明川" in late.markdown, "who decided, and when"
        assert (await scenario.case(SMALL)).decision.reason == "价格过高"  # type: ignore[union-attr]


async def test_without_the_setting_there_is_none(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        await scenario.press(scenario.card(SMALL, BOSS), NO, BOSS)
        assert forms(scenario) == []


REFUSALS = {"template_unpublished": "card", "deliver_failed": "card", "scope_denied": "/card/"}


@pytest.mark.parametrize("fault", REFUSALS)
async def test_a_refused_form_leaves_the_other_ways(open_approval_scenario: OpenApprovalScenario, fault: str) -> None:
    async with open_approval_scenario(SMALL, **ON) as scenario:
        engine = scenario.system.engine
        engine.faults.set(fault, on=True, count=1)
        asked = await scenario.press(scenario.card(SMALL, BOSS), NO, BOSS)
        assert not engine.faults.render()[fault]["on"]
        assert forms(scenario) == []
        await press_text(scenario, asked, "价格过高")
        await scenario.at("1m")
        await scenario.assert_ended(SMALL, CaseState.REJECTED, "价格过高")


async def test_a_template_that_is_refused_is_not_tried_again_at_once(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with open_approval_scenario(SMALL, **ON) as scenario:
        engine = scenario.system.engine
        engine.faults.set("template_unpublished", on=True, count=1)
        await scenario.press(scenario.card(SMALL, BOSS), NO, BOSS)
        await engine.wait_for(lambda: not engine.faults.render()["template_unpublished"]["on"])
        before = engine.flow.used
        answer = await scenario.ask(f"/reject {SMALL}", MANAGER)
        assert "价格过高" in [button.text for button in answer.buttons]
        assert engine.flow.used == before + 1, "the card with the quick reasons, and nothing else"
        await scenario.at("2h")
        scenario.system.engine.say(engine.direct(MANAGER).id, MANAGER, f"/reject {SMALL}")
        await shown_form(scenario)


async def test_a_cancelled_form_decides_nothing_and_the_next_message_is_no_reason(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with open_approval_scenario(SMALL, **ON) as scenario:
        form = await refusing(scenario)
        told = await sent(scenario, form, button=CANCEL)
        assert (told.title, told.tips, told.buttons) == ("已取消", "已取消", ())
        await scenario.ask("你好呀", BOSS)
        assert (await scenario.case(SMALL)).state is CaseState.OPEN
        assert (await scenario.case(SMALL)).votes == ()


async def test_nobody_else_can_submit_it(open_approval_scenario: OpenApprovalScenario) -> None:
    """The manager may decide this order; but these words were asked of somebody else."""
    async with open_approval_scenario(SMALL, **ON) as scenario:
        form = await refusing(scenario, place=BUYING)
        scenario.system.engine.chat.add_card(
            scenario.system.engine.conversation(BUYING), form, carrier_id="leaked", recipients=None
        )
        before = form.view_for(BOSS)
        told = await sent(scenario, form, MANAGER, reason="太贵")
        assert "不是发给您的" in told.tips
        assert (await scenario.case(SMALL)).votes == ()
        assert scenario.system.count("clicks_total", outcome="foreign_form") == 1
        after = form.view_for(BOSS)
        assert after.fields, "it still waits for its owner"
        assert (after.title, after.markdown, after.buttons) == (before.title, before.markdown, before.buttons)


async def test_of_two_submits_one_counts(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, **ON) as scenario:
        form = await refusing(scenario)
        both = await asyncio.gather(*(raw(scenario, form, BOSS, SUBMIT, reason=words) for words in ("太贵", "不要")))
        assert all(result.ok for result in both)
        await scenario.settle()
        await scenario.at("1m")
        assert [what for what, _ in await scenario.record(SMALL)].count("vote") == 1
        assert len(scenario.erp.told) == 1


async def test_the_same_button_twice_gives_one_form(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, **ON) as scenario:
        card = scenario.card(SMALL, BOSS)
        token = find_button(card, NO).id
        for _ in range(2):
            await scenario.system.engine.click(card.out_track_id, BOSS, params={"id": token})
        await scenario.settle()
        assert len(forms(scenario)) == 1


async def test_an_old_form_takes_nothing(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, **ON) as scenario:
        form = await refusing(scenario)
        await scenario.at("2h")
        told = await sent(scenario, form, reason="太贵")
        assert (told.title, told.tips) == ("此表单已失效", "已失效")
        assert not told.fields
        assert (await scenario.case(SMALL)).votes == ()


async def test_what_has_changed_since_is_not_rejected(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, **ON) as scenario:
        form = await refusing(scenario)
        await scenario.erp.edit(SMALL, due_on=date(2026, 12, 24))
        told = await sent(scenario, form, reason="太贵")
        assert "变更" in told.markdown
        assert (await scenario.case(SMALL)).state is CaseState.OPEN
        assert scenario.erp.told == []


async def test_a_form_without_words_asks_again(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, **ON) as scenario:
        form = await refusing(scenario)
        assert not (await raw(scenario, form, BOSS, SUBMIT, reason="  ")).ok, "the client keeps it back"
        token = form.data["question_id"]
        for params in ({"form": {}}, {"form": {"reason": "   "}}, {"form": {"reason": ["x"]}}, {"form": "form_update"}):
            again = await forged(scenario, form, BOSS, token, params)
            assert again.fields, "it can still be filled in"
        assert (await scenario.case(SMALL)).votes == ()


async def test_who_may_not_decide_gets_no_form(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, **ON) as scenario:
        answer = await scenario.ask(f"/reject {SMALL}", BUYER)
        assert "不能审批自己申请" in plain_text(answer)
        assert forms(scenario) == []


@pytest.mark.sampled(3)
@pytest.mark.parametrize("token", ["fill|/nonsense …", "fill|", "fill|/pending", "ask|0|/order late", "q_7f3a", ""])
async def test_any_token_on_a_form_is_a_request_like_any_other(
    open_approval_scenario: OpenApprovalScenario, token: str
) -> None:
    async with open_approval_scenario(SMALL, **ON) as scenario:
        form = await refusing(scenario)
        told = await forged(scenario, form, BOSS, token, {"form": {"value": "x", "reason": "y"}})
        assert told.title
        assert (await scenario.case(SMALL)).votes == ()


async def test_in_english(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, **ON) as scenario:
        await scenario.ask("/lang en", BOSS)
        form = await refusing(scenario)
        view = form.view_for(BOSS)
        assert (view.title, view.tips) == (f"Why do you reject {SMALL}?", "To fill in")
        told = await sent(scenario, form, reason="Dear")
        assert told.tips == "Answered"


@pytest.mark.process
async def test_a_form_of_before_a_restart_still_counts(tmp_path: Path) -> None:
    on = {"DINGERP_CARDS__FORM_TEMPLATE": PUBLIC_FORM}
    async with open_cluster(tmp_path, (BOSS,), group=False) as cluster:
        (number,), engine = cluster.submit([1]), cluster.engine
        chat = engine.direct(BOSS)

        def form() -> CardInstance | None:
            cards = [item.card for item in chat.items if isinstance(item, SimDelivery)]
            return next((card for card in cards if card.template.id == PUBLIC_FORM), None)

        async with cluster.bot(**on) as bot:
            await bot.saying("stream.connected")
            await cluster.shown([number], 1)
            await cluster.press(cluster.cards()[number][0], REJECT)
            asked = await engine.wait_for(form, timeout=30)
            await bot.kill()
        async with cluster.bot(**on) as bot:
            await bot.saying("stream.connected")
            result = await engine.click(asked.out_track_id, BOSS, SUBMIT, fields={"reason": "太贵"})
            assert result.ok, result.toast
            await cluster.settled(1)
            assert cluster.verdicts() == {number: [(Verdict.REJECT, f"erp-{BOSS}")]}
            await bot.stop()
