"""Clicks: whose are answered, with what, and never later than the client waits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Annotated, Any, ClassVar

import pytest
from structlog.testing import capture_logs

from bot.access.audit import AuditKind
from bot.access.grants import FULL_GRANT, Grant
from bot.access.organisation import OwnOrganisation
from bot.access.people import DirectoryEntry, People
from bot.cards.actions import AckAlert, Ask
from bot.cards.card import Card, CardReply, Click
from bot.cards.notices import BusyNotice, HintNotice, OutOfDateNotice, UnconfirmedNotice
from bot.cards.track_ids import TrackIds
from bot.cards.view import Button, View
from bot.chat.answers.clicks import ASK_IN_PRIVATE, DEAD_BUTTON, TO_YOU_ALONE, ClickPipeline
from bot.chat.answers.forms import PersonalForms
from bot.chat.answers.pipeline_parts import PipelineParts
from bot.chat.answers.ports import AnswerUnconfirmed
from bot.chat.answers.probe_results import UNCONFIRMED, ProbeResults
from bot.chat.context import QuestionContext
from bot.chat.message import ConversationKind, Message
from bot.chat.question_handler import PreparedAnswer
from bot.erp.errors import Unavailable
from bot.mechanisms.metrics import Metrics
from bot.outbox.place import Place
from bot.words.disclosure import ALL_FIELDS, HIDDEN, SHARED_FIELDS, FieldClass
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase
from tests.chat.audience_parts import MemoryOutsiders, make_audiences
from tests.chat.own_card_parts import RecordingOwnCards, make_own_cards
from tests.membership import CORP
from tests.recording_audit import RecordingAudit
from tests.rows import each_row

ZONE = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 24, 17, 0, tzinfo=ZONE)
TRACKS = TrackIds("secret")
ANSWER = HintNotice(problem=phrase("Help"))

CLICK = Click(
    track_id=TRACKS.for_message("m1"),
    user_id="keeper01",
    corp_id="dingcorp",
    token=Ask("/order late", 8).pack(),
    space_id="cidA==",
)


@dataclass(slots=True)
class StubHandler:
    """Answers every line with `ANSWER`, but not before the gate is open."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    busy: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[QuestionContext] = field(default_factory=list)
    answer: View = ANSWER
    outcome: str = "answered"
    grant: Grant = FULL_GRANT

    async def view_for(self, context: QuestionContext) -> PreparedAnswer:
        self.asked.append(context)
        self.busy.set()
        await self.gate.wait()
        return PreparedAnswer(self.answer, "order", self.outcome, self.grant)

    def hint_for(self, message: Message) -> PreparedAnswer | None:
        raise AssertionError("a click is no message")


@dataclass(slots=True)
class StubRenderer:
    """Remembers what was rendered, in which language and zone."""

    rendered: list[tuple[View, str, tzinfo]] = field(default_factory=list)

    def render(
        self,
        view: View,
        language: str,
        *,
        zone: tzinfo,
        read_as: Phrase | None = None,
        trail: Sequence[str] | None = None,
        tries: Sequence[Button] = (),
        reference: str = "",
    ) -> Card:
        self.rendered.append((view, language, zone))
        return Card(name=view.card, language=language, title="", body="", tips="", buttons=(), twin="", fields={})


@dataclass(slots=True)
class FakeDirectory:
    """Knows the people in it; says nothing before the gate is open."""

    entries: Mapping[str, DirectoryEntry]
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def entry(self, user_id: str) -> DirectoryEntry | None:
        await self.gate.wait()
        return self.entries.get(user_id)

    async def record_writer(self, user_id: str, *, name: str, wrote_at: datetime) -> None:
        """Nobody needs to be remembered: the entries say who is a member."""


class FakeLanguages:
    """The language of each person, changed by the handler in one of the tests."""

    def __init__(self) -> None:
        self.languages: dict[str, str] = {"reader": "en"}

    def chosen(self, user_id: str) -> str | None:
        return self.languages.get(user_id)


class ClickHarness:
    """A pipeline between hand-made neighbours. All gates are open."""

    def __init__(self, *, seconds: float = 5.0, corp_id: str = CORP, shown: FakeShownCards | None = None) -> None:
        self.handler, self.renderer = StubHandler(), StubRenderer()
        self.metrics, self.languages, self.audit = Metrics(), FakeLanguages(), RecordingAudit()
        self.outsiders, self.own_cards, self.confirmed = MemoryOutsiders(), RecordingOwnCards(), UNCONFIRMED
        self.now = NOW
        self.directory = FakeDirectory({"keeper01": DirectoryEntry(name="王仓", roles=frozenset({"warehouse"}))})
        self.handler.gate.set()
        self.directory.gate.set()
        parts = PipelineParts(
            handler=self.handler,
            people=People(
                languages=self.languages, default_language="zh_CN", configured_languages={}, directory=self.directory
            ),
            renderer=self.renderer,
            tracks=TRACKS,
            metrics=self.metrics,
            now=lambda: NOW,
            audit=self.audit,
            organisation=OwnOrganisation(corp_id),
            outsiders=self.outsiders,
            forms=PersonalForms(TRACKS, None, now=lambda: NOW),
        )
        self.pipeline = ClickPipeline(
            parts,
            seconds=seconds,
            audiences=make_audiences(people=parts.people, outsiders=self.outsiders),
            own_cards=make_own_cards(TRACKS, lambda: self.now, self.own_cards, metrics=self.metrics),
            confirmed=lambda: self.confirmed,
            shown=shown,
            sleep=shown.sleep if shown is not None else asyncio.sleep,
        )

    def count(self, outcome: str) -> float:
        return self.metrics.registry.get_sample_value("dingerp_clicks_total", {"outcome": outcome}) or 0.0


async def test_a_click_asks_what_its_button_carries_for_whoever_clicked() -> None:
    harness = ClickHarness()
    card = await harness.pipeline.answer(CLICK)
    assert card is not None
    assert harness.renderer.rendered == [(ANSWER, "zh_CN", ZONE)]
    (context,) = harness.handler.asked
    assert (context.line, context.offset, context.now) == ("/order late", 8, NOW)
    assert (context.person.user_id, context.person.name) == ("keeper01", "王仓")
    assert context.person.roles == {"warehouse"}
    assert (context.conversation.id, context.conversation.kind) == ("cidA==", ConversationKind.GROUP)
    assert harness.count("answered") == 1


@each_row(
    ("changes", "why"),
    [
        ({"track_id": "po-1001-3f0c9a"}, "foreign_card"),
        ({"track_id": ""}, "foreign_card"),
        ({"track_id": TrackIds("another secret").for_message("m1")}, "foreign_card"),
        ({"user_id": ""}, "foreign_card"),
        ({"corp_id": "dingother"}, "foreign_organisation"),
        ({"corp_id": ""}, "foreign_organisation"),
    ],
)
async def test_what_is_not_for_us_changes_nothing_and_costs_a_line(changes: Mapping[str, Any], why: str) -> None:
    harness = ClickHarness()
    with capture_logs() as logs:
        assert await harness.pipeline.answer(replace(CLICK, **changes)) is None
    assert logs == [{"event": "click.ignored", "why": why, "log_level": "warning"}]
    assert harness.count(why) == 1
    assert not harness.handler.asked
    (entry,) = harness.audit.entries
    clicked = replace(CLICK, **changes)
    assert (entry.kind, entry.outcome) == (AuditKind.REFUSAL, why)
    assert (entry.actor, entry.conversation) == (f"{clicked.user_id}@{clicked.corp_id}", "cidA==")


@each_row("corp_id", ["dingcorp", "dingother", ""])
async def test_before_the_own_organisation_is_known_no_click_counts(corp_id: str) -> None:
    harness = ClickHarness(corp_id="")
    assert await harness.pipeline.answer(replace(CLICK, corp_id=corp_id)) is not None
    ((view, _, _),) = harness.renderer.rendered
    assert isinstance(view, UnconfirmedNotice)
    assert harness.count("unknown_organisation") == 1
    assert [entry.outcome for entry in harness.audit.entries] == ["unknown_organisation"]
    assert not harness.handler.asked


@each_row("token", ["", "approve", "stock:SKU123", "po.approve|0|PO-1001", "ask|x|/help", "x" * 5_000])
async def test_a_token_of_another_release_is_out_of_date(token: str) -> None:
    harness = ClickHarness()
    harness.directory.gate.clear()  # nobody needs to be looked up for it
    with capture_logs() as logs:
        # Any client can send any token: the card stays as it is for all others who hold it.
        assert await harness.pipeline.answer(replace(CLICK, token=token)) == CardReply(note=str(DEAD_BUTTON))
        assert harness.renderer.rendered == []
        await harness.pipeline.answer(replace(CLICK, token=token, track_id=TRACKS.for_message("m1", CLICK.user_id)))
    assert harness.renderer.rendered == [(OutOfDateNotice(), "zh_CN", ZONE)]
    assert harness.count("out_of_date") == 2
    assert [log["event"] for log in logs] == ["click.out_of_date"] * 2
    assert token not in str(logs) or not token


@pytest.mark.parametrize("slow", ["handler", "directory"])
async def test_the_clicker_never_waits_too_long_for_the_erp_or_the_directory(slow: str) -> None:
    harness = ClickHarness(seconds=0.01)
    getattr(harness, slow).gate.clear()
    await harness.pipeline.answer(CLICK)
    assert harness.renderer.rendered == [(BusyNotice(line="/order late", offset=8), "zh_CN", ZONE)]
    assert harness.count("busy") == 1


@dataclass(slots=True)
class FakeShownCards:
    """Cards that the bot showed; each attempt to redraw one gets the next of ``results``."""

    results: list[bool | DingerpError]
    tried: list[tuple[str, float]] = field(default_factory=list)
    slept: float = 0.0

    async def clicked(self, track_id: str, by: str, now: datetime) -> tuple[Place, ...]:
        return (Place.parse("group:cidA=="),)

    async def has_own_values(self, track_id: str, user_id: str) -> bool:
        return False

    async def redraw(self, track_id: str, now: datetime) -> bool:
        self.tried.append((track_id, self.slept))
        result = self.results.pop(0)
        if isinstance(result, DingerpError):
            raise result
        return result

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds


@each_row(
    ("results", "after"),
    [
        ([True], [1.0]),
        ([False, False, True], [1.0, 3.0, 7.0]),
        ([Unavailable("the database is away"), True], [1.0, 3.0]),
        ([False] * 4, [1.0, 3.0, 7.0, 15.0]),
    ],
)
async def test_please_wait_is_not_the_last_word_on_a_card_that_the_bot_showed(
    results: list[bool | DingerpError], after: list[float]
) -> None:
    shown = FakeShownCards(results)
    harness = ClickHarness(seconds=0.01, shown=shown)
    harness.confirmed = ProbeResults(own_answers=True)
    harness.handler.gate.clear()
    track_id = TRACKS.for_card("c1")
    await harness.pipeline.answer(replace(CLICK, track_id=track_id))
    await asyncio.gather(*harness.pipeline._at_work)
    assert harness.renderer.rendered == [(BusyNotice(line="/order late", offset=8), "zh_CN", ZONE)]
    assert shown.tried == [(track_id, seconds) for seconds in after]


@each_row(("outcome", "after"), [("failed", [1.0, 3.0, 7.0, 15.0, 23.0, 31.0]), ("answered", [])])
async def test_a_card_that_could_not_act_gets_its_buttons_back_when_the_database_is_back(
    outcome: str, after: list[float]
) -> None:
    shown = FakeShownCards([Unavailable("the database is away")] * 5 + [True])
    harness = ClickHarness(shown=shown)
    harness.confirmed = ProbeResults(own_answers=True)
    harness.handler.outcome = outcome
    await harness.pipeline.answer(replace(CLICK, track_id=TRACKS.for_card("c1"), token=AckAlert("a1").pack()))
    await asyncio.gather(*harness.pipeline._at_work)
    assert [seconds for _, seconds in shown.tried] == after


async def test_what_follows_a_click_later_is_done_before_the_bot_ends() -> None:
    class NeverEndingPause(FakeShownCards):
        async def sleep(self, seconds: float) -> None:
            await asyncio.Event().wait()

    shown = NeverEndingPause([True])
    harness = ClickHarness(seconds=0.01, shown=shown)
    harness.confirmed = ProbeResults(own_answers=True)
    harness.handler.gate.clear()
    await harness.pipeline.answer(replace(CLICK, track_id=TRACKS.for_card("c1")))
    await harness.pipeline.close()
    assert [track_id for track_id, _ in shown.tried] == [TRACKS.for_card("c1")]
    assert not harness.pipeline._at_work


async def test_the_answer_to_a_question_has_no_newer_state_to_bring_back() -> None:
    harness = ClickHarness(seconds=0.01, shown=(shown := FakeShownCards([])))
    harness.handler.gate.clear()
    await harness.pipeline.answer(CLICK)
    assert not harness.pipeline._at_work
    assert shown.tried == []


async def test_the_client_may_give_a_click_up() -> None:
    harness = ClickHarness()
    harness.handler.gate.clear()
    task = asyncio.create_task(harness.pipeline.answer(CLICK))
    await harness.handler.busy.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert harness.count("busy") == 0


async def test_the_card_is_in_the_clickers_language_even_if_the_click_chose_it() -> None:
    harness = ClickHarness()
    harness.handler.gate.clear()
    task = asyncio.create_task(harness.pipeline.answer(CLICK))
    await harness.handler.busy.wait()
    harness.languages.languages["keeper01"] = "en"
    harness.handler.gate.set()
    await task
    assert harness.renderer.rendered == [(ANSWER, "en", ZONE)]


async def test_whoever_is_not_in_the_directory_is_an_outsider() -> None:
    harness = ClickHarness()
    with capture_logs() as logs:
        await harness.pipeline.answer(replace(CLICK, user_id="reader"))
    (context,) = harness.handler.asked
    assert context.person.is_external
    assert harness.renderer.rendered == [(ANSWER, "en", ZONE)]
    assert [log["event"] for log in logs] == ["directory.no_member"]


async def test_a_click_outside_a_group_is_one_of_a_direct_chat() -> None:
    harness = ClickHarness()
    await harness.pipeline.answer(replace(CLICK, space_id=""))
    assert harness.handler.asked[0].conversation.kind is ConversationKind.DIRECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal(View):
    card: ClassVar[str] = "deal"

    amount: Annotated[str, FieldClass.AMOUNT] = "¥9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck(Deal):
    """What a tap has made of the card."""

    def is_for_all(self) -> bool:
        return True


OWN_CARD = replace(CLICK, track_id=TRACKS.for_message("m1", "keeper01"))


def deals(harness: ClickHarness) -> list[str]:
    """Return the amounts of what was drawn."""
    return [str(view.amount) for view, _, _ in harness.renderer.rendered if isinstance(view, Deal)]


@pytest.mark.parametrize(("fields", "amount"), [(ALL_FIELDS, "¥9"), (SHARED_FIELDS, HIDDEN)])
async def test_on_a_card_of_their_own_the_clicker_sees_what_the_clicker_may_see(
    fields: frozenset[FieldClass], amount: str
) -> None:
    harness = ClickHarness()
    harness.handler.answer, harness.handler.grant = Deal(), Grant(fields=fields)
    reply = await harness.pipeline.answer(OWN_CARD)
    assert isinstance(reply, CardReply)
    assert reply.shown is not None
    assert reply.own is None
    [(view, _, _)] = harness.renderer.rendered
    assert isinstance(view, Deal)
    assert view.amount == amount
    assert not view.shared  # nobody else sees it
    assert not harness.own_cards.calls


@each_row(
    "click",
    [CLICK, replace(CLICK, track_id=TRACKS.for_interim("m1")), replace(OWN_CARD, user_id="other01")],
)
async def test_what_others_may_not_see_comes_on_a_card_of_ones_own(click: Click) -> None:
    harness = ClickHarness()
    harness.directory.entries = {who: DirectoryEntry(name=who, roles=frozenset()) for who in ("keeper01", "other01")}
    harness.handler.answer = Deal()
    reply = await harness.pipeline.answer(click)
    await harness.pipeline.close()
    assert reply == CardReply(note=str(TO_YOU_ALONE))
    assert deals(harness) == ["¥9"]
    [(who, track_id, _)] = harness.own_cards.calls
    assert who == click.user_id
    assert TRACKS.is_for(track_id, who)


async def test_repeated_taps_change_one_card_in_place_as_long_as_it_is_near() -> None:
    harness = ClickHarness()
    harness.handler.answer = Deal()
    for minutes in (0, 1, 10, 21):
        harness.now = NOW + timedelta(minutes=minutes)
        await harness.pipeline.answer(CLICK)
        await harness.pipeline.close()
    assert [who for who, _, _ in harness.own_cards.calls] == ["keeper01", "", "", "keeper01"]
    assert len({track_id for _, track_id, _ in harness.own_cards.calls}) == 2
    await harness.pipeline.answer(replace(CLICK, track_id=TRACKS.for_message("m2")))
    await harness.pipeline.close()
    assert harness.own_cards.calls[-1][0] == "keeper01", "beside another card it is another one"


async def test_who_tap_the_same_card_have_a_card_each() -> None:
    harness = ClickHarness()
    people = ("keeper01", "other01")
    harness.directory.entries = {who: DirectoryEntry(name=who, roles=frozenset()) for who in people}
    harness.handler.answer = Deal()
    for who in people:
        await harness.pipeline.answer(replace(CLICK, user_id=who))
        await harness.pipeline.close()
    assert [who for who, _, _ in harness.own_cards.calls] == [*people]
    assert all(TRACKS.is_for(track_id, who) for who, track_id, _ in harness.own_cards.calls)


async def test_taps_while_a_card_is_being_sent_are_one_change() -> None:
    harness = ClickHarness()
    harness.handler.answer = Deal()
    for _ in range(5):
        await harness.pipeline.answer(CLICK)
    await harness.pipeline.close()
    assert len(harness.own_cards.calls) <= 2


async def test_a_card_that_may_have_arrived_is_sent_again_and_one_that_was_refused_begins_anew() -> None:
    harness = ClickHarness()
    harness.handler.answer = Deal()
    harness.own_cards.failures += [AnswerUnconfirmed("time-out"), None, DingerpError("refused")]
    for _ in range(3):
        await harness.pipeline.answer(CLICK)
        await harness.pipeline.close()
    assert [who for who, _, _ in harness.own_cards.calls] == ["keeper01", "keeper01"]


async def test_while_calls_are_spared_nothing_is_sent_apart() -> None:
    harness = ClickHarness()
    harness.handler.answer = Deal()
    harness.pipeline._own_cards._affordable = lambda: False
    assert await harness.pipeline.answer(CLICK) == CardReply(note=f"王仓, 17:00: {ASK_IN_PRIVATE}")
    await harness.pipeline.close()
    assert not harness.own_cards.calls


@pytest.mark.parametrize("fields", [SHARED_FIELDS, frozenset[FieldClass]()])
async def test_nothing_is_sent_apart_where_everybody_may_see_as_much(fields: frozenset[FieldClass]) -> None:
    harness = ClickHarness()
    harness.handler.answer, harness.handler.grant = Deal(), Grant(fields=fields)
    reply = await harness.pipeline.answer(CLICK)
    await harness.pipeline.close()
    assert isinstance(reply, CardReply)
    assert reply.shown is not None
    assert deals(harness) == [str(HIDDEN)]
    assert not harness.own_cards.calls


async def test_what_was_done_is_told_on_the_card_as_everybody_may_see_it() -> None:
    harness = ClickHarness()
    harness.handler.answer = Struck()
    reply = await harness.pipeline.answer(replace(CLICK, token=AckAlert("a1").pack()))
    await harness.pipeline.close()
    assert isinstance(reply, CardReply)
    assert reply.shown is not None
    assert deals(harness) == [str(HIDDEN)]
    assert not harness.handler.asked[0].is_private
    assert not harness.own_cards.calls


@each_row("outcome", ["answered", "not_found", "denied", "failed", "erp_down"])
async def test_what_a_tap_did_not_do_is_told_the_clicker_and_leaves_the_card(outcome: str) -> None:
    shown = FakeShownCards([])
    harness = ClickHarness(shown=shown)
    harness.handler.answer, harness.handler.outcome = Deal(), outcome
    for token in (AckAlert("a1").pack(), Ask("/order 1").pack()) if outcome != "answered" else (AckAlert("a1").pack(),):
        reply = await harness.pipeline.answer(replace(CLICK, track_id=TRACKS.for_card("c1"), token=token))
        assert isinstance(reply, CardReply)
        assert (reply.shown, reply.own) == (None, None)
    await harness.pipeline.close()
    leads_on = outcome in {"answered", "not_found"}
    assert bool(harness.own_cards.calls) is leads_on, "what nobody can go on from costs no call"
    assert not shown.tried, "the card was not covered"


async def test_once_it_is_confirmed_that_nobody_else_sees_answers_they_show_all() -> None:
    harness = ClickHarness()
    harness.handler.answer = Deal()
    harness.confirmed = ProbeResults(own_answers=True)
    reply = await harness.pipeline.answer(CLICK)
    assert isinstance(reply, CardReply)
    assert (reply.shown is not None, reply.own, reply.note) == (True, None, "")
    assert deals(harness) == ["¥9"]


async def test_a_click_from_another_organisation_tells_that_somebody_is_there() -> None:
    harness = ClickHarness()
    assert await harness.pipeline.answer(CLICK) is not None
    assert not harness.outsiders.groups
    assert await harness.pipeline.answer(replace(CLICK, corp_id="dingother")) is None
    assert harness.outsiders.groups == {"cidA=="}
