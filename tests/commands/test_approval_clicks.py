"""Buttons of approval cards, from the click to the card that the clicker sees: with the real dispatcher, rules and
renderer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import MappingProxyType

import pytest

from bot.approvals.cards.views import Audience
from bot.approvals.case import Case, CaseState
from bot.cards.actions import Action, ApproveCase, Ask, ForwardCase, RejectCase, RejectReason, UndoDecision
from bot.cards.card import Card, CardReply, Click
from bot.cards.language import load_languages
from bot.cards.renderer import CardRenderer
from bot.chat.answers.clicks import SOMEBODY_ELSES, TO_YOU_ALONE
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.erp.model import Verdict
from bot.outbox.place import Place, PlaceKind
from tests.approvals.env import PATIENCE
from tests.commands.approval_fakes import GROUP, ApprovalFixture, any_of, rules
from tests.commands.company import NOW, cny
from tests.commands.conftest import Ask as AskLine
from tests.commands.test_alert_clicks import TRACKS, ClickHarness
from tests.commands.test_approvals import MANAGER
from tests.membership import CORP

OWN = Place(PlaceKind.PERSON, "manager01")


class ApprovalClickHarness(ClickHarness):
    """A case with cards in the group and in the manager's own chat."""

    def __init__(
        self, dispatcher: QuestionDispatcher, approvals: ApprovalFixture, case: Case, seconds: float = PATIENCE
    ) -> None:
        super().__init__(dispatcher, seconds)
        self.approvals, self.case = approvals, case
        self.group, self.own = self._place_card(GROUP), self._place_card(OWN)
        seen = case.fingerprint[:8]
        self.approve, self.reject = ApproveCase(case.id, seen), RejectCase(case.id, seen)

    def _place_card(self, place: Place) -> str:
        track = TRACKS.for_card(f"approval:{self.case.id}:{place}")
        self.places.known[track] = place
        return track

    async def click(
        self,
        action: Action,
        *,
        by: str = "manager01",
        track: str = "",
        space: str = GROUP.id,
        values: dict[str, object] | None = None,
    ) -> Card:
        reply = await self.reply(action, by=by, track=track, space=space, values=values)
        assert reply.shown is not None
        return reply.shown

    async def click_for_oneself(self, action: Action, **how: str) -> Card:
        """Click on the group's card and return the answer, which goes to the clicker alone."""
        reply = await self.reply(action, **how)
        assert reply == CardReply(note=reply.note)
        assert reply.note.endswith(f", 08:30: {TO_YOU_ALONE}")
        await self.pipeline.close()
        return self.own_cards.calls[-1][2]

    async def reply(
        self,
        action: Action,
        *,
        by: str = "manager01",
        track: str = "",
        space: str = GROUP.id,
        values: dict[str, object] | None = None,
    ) -> CardReply:
        click = Click(
            track_id=track or self.group,
            user_id=by,
            corp_id=CORP,
            token=action.pack(),
            space_id=space,
            values=MappingProxyType(values or {}),
        )
        reply = await self.pipeline.answer(click)
        assert isinstance(reply, CardReply)
        return reply

    def count(self, outcome: str) -> float:
        return self.metrics.registry.get_sample_value("dingerp_clicks_total", {"outcome": outcome}) or 0.0


@pytest.fixture
async def harness(dispatcher: QuestionDispatcher, approvals: ApprovalFixture) -> ApprovalClickHarness:
    return ApprovalClickHarness(dispatcher, approvals, await approvals.submit())


def tokens(card: Card) -> dict[str, str]:
    return {button.text: button.token for button in card.buttons}


async def test_approving(harness: ApprovalClickHarness) -> None:
    card = await harness.click(harness.approve)
    assert "Recorded. The ERP is being updated." in card.body
    assert list(tokens(card)) == ["Details"]
    decision = (await harness.approvals.case()).decision
    assert decision is not None
    assert (decision.by, decision.name) == ("manager01", "陈经理")


async def test_rejecting_by_a_quick_reason(harness: ApprovalClickHarness) -> None:
    card = await harness.click_for_oneself(harness.reject)
    assert list(tokens(card)) == [
        "Price too high",
        "Over budget",
        "Wrong quantity",
        "Not needed",
        "Other reason…",
        "Back",
    ]
    assert (await harness.approvals.case()).votes == ()
    done = await harness.click(replace(harness.reject, reason=RejectReason.PRICE))
    assert "price too high" in done.body
    assert (await harness.approvals.case()).state is CaseState.WRITING


@pytest.mark.parametrize("value", ["规格不符", {"index": 2, "value": "规格不符"}])
async def test_rejecting_by_the_form_of_a_companys_own_template(harness: ApprovalClickHarness, value: object) -> None:
    await harness.click(harness.reject, values={"reason": value})
    decision = (await harness.approvals.case()).decision
    assert decision is not None
    assert (decision.verdict, decision.reason) == (Verdict.REJECT, "规格不符")


async def test_rejecting_by_the_next_message(harness: ApprovalClickHarness, ask: AskLine) -> None:
    await harness.click_for_oneself(harness.reject)
    await ask("规格不符", person=MANAGER)
    decision = (await harness.approvals.case()).decision
    assert decision is not None
    assert decision.reason == "规格不符"


async def test_a_click_of_the_details_shows_prices_on_a_card_of_the_clickers_own(harness: ApprovalClickHarness) -> None:
    found = await harness.approvals.service.find(harness.case.id)
    assert found is not None
    bare = await harness.approvals.presenter.present(found, audience=Audience.BARE)
    details = next(button for button in bare.buttons() if str(button.label) == "Details").does
    assert details == Ask(f"/pending {harness.case.id}")
    assert isinstance(details, Ask)
    click = Click(track_id=harness.group, user_id="manager01", corp_id=CORP, token=details.pack(), space_id=GROUP.id)
    assert await harness.pipeline.answer(click) == CardReply(note=f"陈经理, 08:30: {TO_YOU_ALONE}")
    await harness.pipeline.close()
    [(who, _, card)] = harness.own_cards.calls
    assert who == "manager01"
    assert "CN¥500.00" in card.body
    assert "CN¥" not in CardRenderer(languages=load_languages()).render(bare, "en", zone=NOW.tzinfo).twin  # type: ignore[arg-type]  # NOW is aware


async def test_passing_on_and_undo_and_confirm_are_tokens_of_their_own(
    dispatcher: QuestionDispatcher, approvals: ApprovalFixture
) -> None:
    approvals.rules = rules(any_of("manager01"))
    harness = ApprovalClickHarness(dispatcher, approvals, await approvals.submit())
    people = await harness.click_for_oneself(ForwardCase(harness.case.id))
    assert tokens(people)["赵采"] == f"po.pass|{harness.case.id}|0|buyer01"
    late = await harness.click_for_oneself(UndoDecision(harness.case.id))
    assert "There is nothing to take back" in late.body


async def test_a_large_amount(dispatcher: QuestionDispatcher, approvals: ApprovalFixture) -> None:
    approvals.rules = rules(confirm_from=cny("100"))
    harness = ApprovalClickHarness(dispatcher, approvals, await approvals.submit())
    card = await harness.click_for_oneself(harness.approve)
    assert list(tokens(card))[:2] == ["Yes, approve", "Back"]
    assert tokens(card)["Yes, approve"] == replace(harness.approve, confirmed=True).pack()
    assert (await approvals.case()).votes == ()
    await harness.click(replace(harness.approve, confirmed=True))
    assert (await approvals.case()).state is CaseState.WRITING


async def test_a_card_of_somebody_elses_chat_is_refused(harness: ApprovalClickHarness) -> None:
    reply = await harness.reply(harness.approve, by="buyer01", track=harness.own)
    assert reply == CardReply(note=str(SOMEBODY_ELSES)), "whose card it is keeps it as it was"
    assert (await harness.approvals.case()).votes == ()
    await harness.click(harness.approve, track=harness.own, space="cidDirect==")
    assert (await harness.approvals.case()).state is CaseState.WRITING


async def test_a_forwarded_card_decides_nothing_for_strangers(harness: ApprovalClickHarness) -> None:
    token = harness.approve.pack()
    click = Click(track_id=harness.group, user_id="stranger", corp_id=CORP, token=token, space_id="cidElsewhere==")
    assert await harness.pipeline.answer(click) == CardReply(note="Only for members")
    member = await harness.click_for_oneself(harness.approve, by="keeper01", space="cidElsewhere==")
    assert "not an approver" in member.body
    assert (await harness.approvals.case()).votes == ()


async def test_many_at_once_decide_once(harness: ApprovalClickHarness) -> None:
    cards = await asyncio.gather(
        *(harness.click(harness.approve, by=clicker) for clicker in ["manager01", "buyer01"] * 5)
    )
    assert sum("Recorded. The ERP is being updated." in card.body for card in cards) == 1
    assert sum("decided it already" in card.body for card in cards) == 9
    await harness.approvals.settle()
    assert len(harness.approvals.erp.decisions) == 1


async def test_a_silent_erp_is_said_in_time(harness: ApprovalClickHarness) -> None:
    harness.approvals.erp.away = True
    card = await harness.click_for_oneself(harness.approve)
    assert "Not recorded: the ERP does not answer." in card.body
    assert tokens(card)["Try again"].partition("⟸")[0] == f"ask|0|/approve {harness.case.id} #{harness.approve.seen}"


async def test_what_takes_too_long_says_that_tapping_again_is_safe(
    dispatcher: QuestionDispatcher, approvals: ApprovalFixture
) -> None:
    harness = ApprovalClickHarness(dispatcher, approvals, await approvals.submit(), seconds=0.05)
    harness.places.gate = asyncio.Event()
    assert await harness.reply(harness.approve) == CardReply(note="One moment: Tapping again is safe: it counts once.")
    assert harness.count("busy") == 1
    assert (await approvals.case()).votes == ()
