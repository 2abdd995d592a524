"""Buttons of alerts, from the click to the card that the clicker sees: with the real dispatcher, commands and
renderer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bot.access.people import People
from bot.alerts.alert import AlertState, UserStamp
from bot.cards.actions import AckAlert, Ask, AssignAlert, SnoozeAlert, SnoozeDuration
from bot.cards.card import Card, CardReply, Click
from bot.cards.language import load_languages
from bot.cards.renderer import CardRenderer
from bot.cards.track_ids import TrackIds
from bot.chat.answers.clicks import DEAD_BUTTON, SOMEBODY_ELSES, TO_YOU_ALONE, ClickPipeline
from bot.chat.answers.forms import PersonalForms
from bot.chat.answers.pipeline_parts import PipelineParts
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.mechanisms.metrics import Metrics
from bot.outbox.place import Place, PlaceKind
from bot.words.errors import DingerpError
from tests.approvals.env import PATIENCE
from tests.chat.audience_parts import MemoryOutsiders, make_audiences
from tests.chat.own_card_parts import RecordingOwnCards, make_own_cards
from tests.commands.alert_fakes import ELSEWHERE, HERE, OWN, InMemoryAlertService, alert
from tests.commands.company import NOW
from tests.commands.conftest import Members, NoLanguages
from tests.membership import own_organisation
from tests.recording_audit import RecordingAudit

TRACKS = TrackIds("secret")


@dataclass(slots=True)
class FakeShownCards:
    """The outbox's record of the place of each card."""

    known: dict[str, Place] = field(default_factory=dict)
    broken: bool = False
    gate: asyncio.Event | None = None
    clicks: list[tuple[str, str]] = field(default_factory=list)

    async def clicked(self, track_id: str, by: str, now: datetime) -> tuple[Place, ...]:
        if self.gate:
            await self.gate.wait()
        if self.broken:
            raise DingerpError("the store is away")
        assert now == NOW
        self.clicks.append((track_id, by))
        return (self.known[track_id],) if track_id in self.known else ()

    async def stands_in(self, track_id: str, group: str) -> bool:
        return self.known.get(track_id) == Place(PlaceKind.GROUP, group)

    async def has_own_values(self, track_id: str, user_id: str) -> bool:
        return False


class English(NoLanguages):
    def chosen(self, user_id: str) -> str | None:
        return "en"


class ClickHarness:
    """The real pipeline of clicks; tests may change everything."""

    def __init__(self, dispatcher: QuestionDispatcher, seconds: float = PATIENCE) -> None:
        self.places, self.metrics, self.own_cards = FakeShownCards(), Metrics(), RecordingOwnCards()
        parts = PipelineParts(
            handler=dispatcher,
            people=People(languages=English(), default_language="en", configured_languages={}, directory=Members()),
            renderer=CardRenderer(languages=load_languages()),
            tracks=TRACKS,
            metrics=self.metrics,
            now=lambda: NOW,
            audit=RecordingAudit(),
            organisation=own_organisation(),
            outsiders=MemoryOutsiders(),
            forms=PersonalForms(TRACKS, None, now=lambda: NOW),
        )
        self.pipeline = ClickPipeline(
            parts,
            seconds=seconds,
            audiences=make_audiences(people=parts.people),
            own_cards=make_own_cards(TRACKS, lambda: NOW, self.own_cards, metrics=self.metrics),
            shown=self.places,
        )


class AlertClickHarness(ClickHarness):
    """One card with one alert in the group."""

    def __init__(
        self, dispatcher: QuestionDispatcher, service: InMemoryAlertService, seconds: float = PATIENCE
    ) -> None:
        super().__init__(dispatcher, seconds)
        self.service = service
        self.track = self.place_card(service.show(alert("a1")), HERE)

    def place_card(self, card: str, place: Place) -> str:
        track = TRACKS.for_card(card)
        self.places.known[track] = place
        return track

    async def click(self, action: Ask | AckAlert | SnoozeAlert | AssignAlert | str, **changes: str) -> Card:
        token = action if isinstance(action, str) else action.pack()
        click = Click(track_id=self.track, user_id="keeper01", corp_id="dingcorp", token=token, space_id=HERE.id)
        reply = await self.pipeline.answer(replace(click, **changes))  # type: ignore[arg-type]  # all are text
        assert isinstance(reply, CardReply)
        if reply.shown is not None:
            return reply.shown
        await self.pipeline._own_cards.close()
        assert reply.note.endswith(f": {TO_YOU_ALONE}"), reply.note
        return self.own_cards.calls[-1][2]

    async def note(self, action: Ask | AckAlert | SnoozeAlert | AssignAlert | str) -> str:
        """Return what is said beside the card to whoever taps, which stays as it is."""
        click = Click(
            track_id=self.track,
            user_id="keeper01",
            corp_id="dingcorp",
            token=action if isinstance(action, str) else action.pack(),
            space_id=HERE.id,
        )
        reply = await self.pipeline.answer(click)
        assert isinstance(reply, CardReply)
        assert reply.shown is None
        assert not self.own_cards.calls
        return reply.note

    def count(self, outcome: str) -> float:
        return self.metrics.registry.get_sample_value("dingerp_clicks_total", {"outcome": outcome}) or 0.0


@pytest.fixture
def harness(dispatcher: QuestionDispatcher, service: InMemoryAlertService) -> AlertClickHarness:
    return AlertClickHarness(dispatcher, service)


def tokens(card: Card) -> dict[str, str]:
    return {button.text: button.token for button in card.buttons}


async def test_got_it(harness: AlertClickHarness) -> None:
    card = await harness.click(AckAlert("a1"))
    assert card.name == "alert"
    assert "Taken by: **王仓**" in card.body
    assert "I'll take it" not in tokens(card)
    assert harness.service.actions == ["ack a1 keeper01"]
    assert harness.places.clicks == [(harness.track, "keeper01")]
    assert harness.count("answered") == 1


async def test_twice_is_once(harness: AlertClickHarness) -> None:
    first = await harness.click(AckAlert("a1"))
    again = await harness.click(AckAlert("a1"))
    assert again.body == first.body


async def test_the_late_clicker_is_told_who_was_first_and_when(harness: AlertClickHarness) -> None:
    earlier = UserStamp("buyer01", "赵采", NOW - timedelta(minutes=7))
    harness.service.alerts["a1"] = replace(harness.service.alerts["a1"], acknowledged=earlier)
    card = await harness.click(AckAlert("a1"))
    assert "赵采 took it already, at Nov 5, 2026 08:23." in card.body
    assert harness.service.actions == []


async def test_later_asks_how_long_and_then_does_it(harness: AlertClickHarness) -> None:
    choice = await harness.click(SnoozeAlert("a1"))
    assert harness.own_cards.calls == [("keeper01", harness.own_cards.calls[0][1], choice)]
    assert choice.name == "alert_snooze"
    assert harness.service.actions == []
    assert list(tokens(choice)) == ["1 hour", "4 hours", "Tomorrow", "Another day…", "Back"]
    done = await harness.click(tokens(choice)["4 hours"])
    assert "Put off until: Nov 5, 2026 12:30 · 王仓" in done.body
    back = await harness.click(tokens(choice)["Back"])
    assert back.name == "alert"


async def test_assigning_chooses_from_pages_of_people(harness: AlertClickHarness) -> None:
    choice = await harness.click(AssignAlert("a1"))
    assert list(tokens(choice))[:3] == ["Myself", "陈经理", "赵采"]
    done = await harness.click(tokens(choice)["赵采"])
    assert "Assigned to: **赵采**" in done.body
    assert harness.service.actions == ["assign a1 keeper01 buyer01"]


@pytest.mark.parametrize("question", [SnoozeAlert("a1"), AssignAlert("a1")])
@pytest.mark.parametrize("tapped", [HERE.id, "cidOwnChat=="])
async def test_a_question_is_for_who_tapped_and_counts_where_the_alert_is_shown(
    question: SnoozeAlert | AssignAlert, tapped: str, harness: AlertClickHarness
) -> None:
    """Their own card may be in the group or in their own chat, where the alert is not shown."""
    click = Click(
        track_id=harness.track, user_id="keeper01", corp_id="dingcorp", token=question.pack(), space_id=HERE.id
    )
    assert await harness.pipeline.answer(click) == CardReply(note=f"王仓, 08:30: {TO_YOU_ALONE}")
    await harness.pipeline._own_cards.close()
    [(who, own, asked)] = harness.own_cards.calls
    assert (who, [place.id for place in harness.own_cards.places]) == ("keeper01", [HERE.id])
    done = await harness.click(asked.buttons[0].token, track_id=own, space_id=tapped)
    assert done.name == "alert"
    assert len(harness.service.actions) == 1
    back = await harness.click(tokens(asked)["Back"], track_id=own, space_id=tapped)
    assert back.name == "alert"
    assert len(harness.own_cards.calls) == 1, "what is tapped on it changes it within the answer"
    # Somebody else who taps on it, such as on a forwarded copy, counts where they are.
    stranger = await harness.click(asked.buttons[0].token, track_id=own, space_id=ELSEWHERE.id, user_id="buyer01")
    assert stranger.name == "not_found"


async def test_details_ask_the_erp_live(harness: AlertClickHarness) -> None:
    shown = await harness.click(Ask("/alerts a1"))
    details = await harness.click(tokens(shown)["Details"])
    assert details.name == "stock"
    assert "1,830" in details.body


async def test_finding_2_after_the_details_the_alert_can_still_be_taken(harness: AlertClickHarness) -> None:
    shown = await harness.click(Ask("/alerts a1"))
    details = await harness.click(tokens(shown)["Details"])
    back = await harness.click(tokens(details)["Back"])
    assert {"I'll take it", "Later", "Assign"} <= tokens(back).keys()
    assert (back.title, back.body) == (shown.title, shown.body)
    await harness.click(tokens(back)["I'll take it"])
    assert harness.service.actions == ["ack a1 keeper01"]


async def test_what_is_over_stays_over(harness: AlertClickHarness) -> None:
    harness.service.alerts["a1"] = alert("a1", state=AlertState.RESOLVED)
    card = await harness.click(AckAlert("a1"))
    assert "It is over already" in card.body
    assert card.title.startswith("🟢")
    assert harness.service.actions == []


async def test_a_group_is_turned_and_drilled_into(harness: AlertClickHarness) -> None:
    several = [alert(f"g{number}", f"SKU{number}", since=NOW - timedelta(minutes=number)) for number in range(9)]
    card = harness.service.show(*several)
    harness.track = harness.place_card(card, HERE)
    first = await harness.click(Ask(f"/alerts {card}"))
    seen: list[str] = []
    page: Card = first
    while True:
        seen += [text for text in tokens(page) if text.startswith("SKU")]
        if "Next" not in tokens(page):
            break
        page = await harness.click(tokens(page)["Next"])
    assert seen == [f"SKU{number}" for number in range(9)]
    one = await harness.click(tokens(first)["SKU0"])
    taken = await harness.click(tokens(one)["I'll take it"])
    back = await harness.click(tokens(taken)["Back"])
    assert back.name == "alert_group"
    assert "王仓" in back.body


async def test_a_forwarded_card_counts_where_it_stands(harness: AlertClickHarness) -> None:
    await harness.click(AckAlert("a1"), space_id=ELSEWHERE.id)
    assert harness.service.actions == ["ack a1 keeper01"]


async def test_a_forwarded_card_opens_nothing_that_is_not_open_where_it_was_clicked(harness: AlertClickHarness) -> None:
    harness.service.show(alert("b1", "SKU9"), place=ELSEWHERE)
    card = await harness.click(Ask("/alerts"), space_id=ELSEWHERE.id)
    assert list(tokens(card)) == ["SKU9", "Export"]
    assert (await harness.click(Ask("/alerts a1"), space_id=ELSEWHERE.id)).name == "alert_list"


async def test_an_alert_of_another_place_cannot_be_touched(harness: AlertClickHarness) -> None:
    """A client may send any id, together with the id of a card that it can see."""
    harness.service.show(alert("b1"), place=ELSEWHERE)
    for action in (
        AckAlert("b1"),
        SnoozeAlert("b1", SnoozeDuration.HOUR),
        AssignAlert("b1", "buyer01"),
        AckAlert("nothing"),
    ):
        card = await harness.click(action)
        assert card.name == "not_found"
    assert harness.service.actions == []


async def test_nobody_outside_the_list_can_be_made_responsible(harness: AlertClickHarness) -> None:
    told = await harness.note(AssignAlert("a1", "stranger"))
    assert told == "王仓, 08:30: Not quite understood", "all who hold the card may read for whom it is, and since when"
    assert harness.service.actions == []


async def test_a_card_of_ones_own_chat(harness: AlertClickHarness) -> None:
    harness.track = harness.place_card(harness.service.show(alert("p1"), place=OWN), OWN)
    await harness.click(AckAlert("p1"), space_id="cidDirect==")
    assert harness.service.actions == ["ack p1 keeper01"]
    listed = await harness.click(Ask("/alerts stock.low"), space_id="cidDirect==")
    assert "Open alerts of all groups" in listed.title
    listed = await harness.click(Ask("/alerts stock.low mine"), space_id="cidDirect==")
    assert "Open alerts for you" in listed.title


async def test_somebody_elses_card_is_refused(harness: AlertClickHarness) -> None:
    harness.track = harness.place_card(harness.service.show(alert("p1"), place=OWN), OWN)
    token = AckAlert("p1").pack()
    click = Click(track_id=harness.track, user_id="buyer01", corp_id="dingcorp", token=token, space_id=HERE.id)
    assert await harness.pipeline.answer(click) == CardReply(note=str(SOMEBODY_ELSES))
    assert harness.service.actions == []
    assert harness.count("denied") == 1


async def test_people_from_outside_are_refused(harness: AlertClickHarness) -> None:
    token = AckAlert("a1").pack()
    click = Click(track_id=harness.track, user_id="guest99", corp_id="dingcorp", token=token, space_id=HERE.id)
    # The group keeps its card: a refusal is only a note on it.
    assert await harness.pipeline.answer(click) == CardReply(note="Only for members")
    assert harness.service.actions == []


@pytest.mark.parametrize(
    "token", ["alert.ack|", "alert.close|a1", "alert.ack|a1|x", "alert.snooze|a1|2h", "po.approve|1"]
)
async def test_a_token_that_we_never_wrote_does_nothing(harness: AlertClickHarness, token: str) -> None:
    click = Click(track_id=harness.track, user_id="keeper01", corp_id="dingcorp", token=token, space_id=HERE.id)
    assert await harness.pipeline.answer(click) == CardReply(note=str(DEAD_BUTTON))
    assert harness.service.actions == []


@pytest.mark.parametrize("track", [TrackIds("other").for_card("c-a1-group"), "c1-00-00", ""])
async def test_a_foreign_card_is_ignored(harness: AlertClickHarness, track: str) -> None:
    click = Click(track_id=track, user_id="keeper01", corp_id="dingcorp", token=AckAlert("a1").pack())
    assert await harness.pipeline.answer(click) is None
    assert harness.service.actions == []


async def test_the_answer_to_a_question_may_act_where_it_was_asked(harness: AlertClickHarness) -> None:
    answer = TRACKS.for_message("m1")
    await harness.click(AckAlert("a1"), track_id=answer)
    assert harness.service.actions == ["ack a1 keeper01"]
    harness.service.actions.clear()
    card = await harness.click(AckAlert("a1"), track_id=answer, space_id=ELSEWHERE.id)
    assert card.name == "not_found"
    assert harness.service.actions == []


async def test_a_card_that_the_outbox_forgot_stands_where_it_was_clicked(harness: AlertClickHarness) -> None:
    harness.places.known.clear()
    await harness.click(AckAlert("a1"))
    assert harness.service.actions == ["ack a1 keeper01"]
    harness.places.broken = True
    with capture_logs() as logs:
        await harness.click(AckAlert("a1"))
    assert [log["event"] for log in logs] == ["click.place_unknown"]


async def test_a_slow_store_costs_two_seconds_at_most_and_the_card_stays(
    dispatcher: QuestionDispatcher, service: InMemoryAlertService
) -> None:
    harness = AlertClickHarness(dispatcher, service, seconds=0.01)
    harness.places.gate = asyncio.Event()
    assert await harness.note(AckAlert("a1")) == "One moment: Please tap the button again in a moment."
