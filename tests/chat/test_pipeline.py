"""From message to answer with the real inbox and hand-made neighbours: once, in order, nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from sqlalchemy import select, text
from structlog.testing import capture_logs

from bot.access.audit import AuditKind
from bot.access.grants import FULL_GRANT, Grant
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.cards.card import Card
from bot.cards.notices import ErpDownNotice, ExternalNotice
from bot.cards.track_ids import TrackIds
from bot.cards.view import Button, View
from bot.chat.answers import unstored
from bot.chat.answers.forms import PersonalForms
from bot.chat.answers.pipeline import MAX_QUESTION_AGE, QuestionPipeline
from bot.chat.answers.pipeline_parts import PipelineParts
from bot.chat.answers.ports import AnswerCards, AnswerUnconfirmed, AnswerVia, InboxState, SentAnswer, TextUnconfirmed
from bot.chat.answers.standing_answers import CardReaders
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind, Mention, Message, MessageKind, Sender
from bot.chat.present_rights import PresentRights
from bot.chat.question_handler import PreparedAnswer
from bot.chat.registry import Commands
from bot.mechanisms.metrics import Metrics
from bot.store.chat.inbox import StoredInbox
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.tables import INBOX
from bot.words.disclosure import SHARED_FIELDS, FieldClass
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase
from tests.chat.audience_parts import MemoryOutsiders, make_audiences, make_people
from tests.membership import CORP, EverybodyIsMember, own_organisation
from tests.recording_audit import RecordingAudit

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo(View):
    card: ClassVar[str] = "echo"
    line: str
    total: Annotated[str, FieldClass.AMOUNT] = ""


@dataclass(slots=True)
class EchoHandler:
    """Answers with the line itself; lines named in ``gates`` wait until they are opened."""

    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    asked: int = 0
    total: str = ""
    grant: Grant = FULL_GRANT
    people: list[Person] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    silent: int = 0
    """So many questions get a provisional answer."""

    async def view_for(self, context: QuestionContext) -> PreparedAnswer:
        self.asked += 1
        self.begun.set()
        self.people.append(context.person)
        if gate := self.gates.get(context.line):
            await gate.wait()
        if context.line == "defect":
            raise LookupError("a defect of ours")
        if self.asked <= self.silent:
            return PreparedAnswer(Echo(line="who are you?"), "none", "unconfirmed", provisional=True)
        if context.line == "flood":
            return PreparedAnswer(Echo(line="too many"), "none", "limited", is_told_already=True)
        decides = context.line == "decide"
        return PreparedAnswer(
            Echo(line=context.line, total=self.total), "echo", "answered", self.grant, decides=decides
        )

    def hint_for(self, message: Message) -> PreparedAnswer | None:
        return None if message.kind is MessageKind.TEXT else PreparedAnswer(Echo(line="hint"), "none", "hint")


@dataclass(slots=True)
class PlainRenderer:
    rendered: int = 0

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
        assert isinstance(view, Echo | ErpDownNotice | ExternalNotice)
        self.rendered += 1
        title = view.card if isinstance(view, ExternalNotice) else view.line
        body = str(view.total) if isinstance(view, Echo) else str(getattr(view, "problem", ""))
        return Card(name="echo", language=language, title=title, body=body, tips="", buttons=(), twin="", fields={})


@dataclass(slots=True)
class FakeChannel:
    """A conversation that remembers what it saw; ``fail`` decides per title, ``troubles`` come one per try."""

    seen: list[tuple[str, str]] = field(default_factory=list)
    cards: list[AnswerCards] = field(default_factory=list)
    fail: Callable[[str], bool] = lambda _: False
    troubles: list[DingerpError] = field(default_factory=list)
    fall_back: bool = False
    spoken: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(
        self,
        message: Message,
        cards: AnswerCards,
        *,
        track_id: str,
        before_fallback: Callable[[], Awaitable[None]],
    ) -> SentAnswer:
        await asyncio.sleep(0)
        card = cards.own
        if self.fail(card.title):
            raise DingerpError("refused")
        if self.troubles and isinstance(self.troubles[0], AnswerUnconfirmed):
            raise self.troubles.pop(0)
        if self.fall_back:
            await before_fallback()
        if self.troubles:
            self.spoken.set()
            raise self.troubles.pop(0)
        self.seen.append((card.title, track_id))
        self.cards.append(cards)
        self.spoken.set()
        return SentAnswer(AnswerVia.MARKDOWN if self.fall_back else AnswerVia.CARD)

    def readers_of(self, message: Message, cards: AnswerCards, *, interim: bool = False) -> CardReaders:
        return CardReaders.ALL

    async def show_interim(self, message: Message, card: Card, *, track_id: str) -> bool:
        raise AssertionError("no card announces an answer here")

    async def replace_interim(
        self,
        message: Message,
        cards: AnswerCards,
        *,
        track_id: str,
        own_track_id: str,
        before_fallback: Callable[[], Awaitable[None]],
    ) -> SentAnswer:
        return await self.answer(message, cards, track_id=track_id, before_fallback=before_fallback)


@dataclass(slots=True)
class PipelineHarness:
    inbox: StoredInbox
    handler: EchoHandler
    group: FakeChannel
    metrics: Metrics
    pipeline: QuestionPipeline
    renderer: PlainRenderer
    outsiders: MemoryOutsiders
    members: EverybodyIsMember
    audit: RecordingAudit

    async def take(self, message: Message, payload: str) -> DingerpError | None:
        """Return what was acknowledged, and begin the work."""
        acknowledged: asyncio.Future[DingerpError | None] = asyncio.get_running_loop().create_future()
        self.pipeline.accept(message, payload, acknowledged.set_result)
        return await acknowledged

    async def states(self) -> dict[str, str]:
        rows = await self.inbox._database.run(lambda connection: connection.execute(select(INBOX)).all())
        return {row.msg_id: row.state for row in rows}


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[PipelineHarness]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    inbox, handler, group, metrics = StoredInbox(database), EchoHandler(), FakeChannel(), Metrics()
    writer = asyncio.create_task(inbox.run())
    members, outsiders, renderer = EverybodyIsMember(), MemoryOutsiders(), PlainRenderer()
    audit = RecordingAudit()
    people = make_people(members)
    tracks = TrackIds("secret")
    parts = PipelineParts(
        handler=handler,
        people=people,
        renderer=renderer,
        organisation=own_organisation(),
        audit=audit,
        tracks=tracks,
        outsiders=outsiders,
        metrics=metrics,
        now=lambda: NOW,
        forms=PersonalForms(tracks, None, now=lambda: NOW),
    )
    pipeline = QuestionPipeline(
        parts,
        inbox=inbox,
        channel=group,
        audiences=make_audiences(people=people, outsiders=outsiders),
        rights=PresentRights(people, AccessPolicy, Commands([])),
        at_once=24,
        pause=0.001,
    )
    yield PipelineHarness(inbox, handler, group, metrics, pipeline, renderer, outsiders, members, audit)
    writer.cancel()
    with suppress(asyncio.CancelledError):
        await writer
    await database.close()


def message(msg_id: str, text: str, *, conversation: str = "cidA==", kind: MessageKind = MessageKind.TEXT) -> Message:
    return Message(
        msg_id=msg_id,
        kind=kind,
        text=text,
        conversation=Conversation(conversation, ConversationKind.GROUP),
        sender=Sender(staff_id="u1", nick="王小明"),
        sent_at=NOW,
        robot_code="bot",
    )


async def test_a_message_to_the_bot_of_another_organisation_is_acknowledged_and_no_more(
    harness: PipelineHarness,
) -> None:
    with capture_logs() as logs:
        assert await harness.take(replace(message("m1", "hello"), organisation="dingother"), "{}") is None
    assert await harness.pipeline.drain(5) == 0
    assert not harness.group.seen
    assert not await harness.states()
    assert [log["event"] for log in logs] == ["question.foreign_organisation"]
    labels = {"command": "none", "outcome": "foreign_organisation"}
    assert harness.metrics.registry.get_sample_value("dingerp_questions_total", labels) == 1
    (entry,) = harness.audit.entries
    assert (entry.kind, entry.actor, entry.outcome) == (AuditKind.REFUSAL, "u1@dingother", "foreign_organisation")


@pytest.mark.parametrize(
    ("sender_corp", "organisation", "user_id", "wrote"),
    [
        (CORP, CORP, "u1", True),
        ("dingother", CORP, None, False),
        ("", CORP, "u1", False),
        (CORP, "", "u1", False),
        ("", "", "u1", False),
    ],
    ids=["inside", "from another organisation", "of no organisation", "to no organisation", "nothing said"],
)
async def test_a_user_id_counts_in_its_own_organisation_alone(
    harness: PipelineHarness, sender_corp: str, organisation: str, user_id: str | None, wrote: bool
) -> None:
    sender = Sender(staff_id="u1", nick="王小明", corp_id=sender_corp, is_admin=True)
    await harness.take(replace(message("m1", "hello"), organisation=organisation, sender=sender), "{}")
    assert await harness.pipeline.drain(5) == 0
    ((person,), writers) = harness.handler.people, harness.members.wrote
    assert (person.user_id, person.is_admin) == (user_id, user_id is not None)
    assert writers == ([("u1", "王小明", NOW)] if wrote else [])


async def test_a_question_is_answered_once_however_often_it_comes(harness: PipelineHarness) -> None:
    await asyncio.gather(*(harness.take(message("m1", "hello"), "{}") for _ in range(4)))
    await harness.take(message("m1", "hello"), "{}")
    assert await harness.pipeline.drain(5) == 0
    assert [title for title, _ in harness.group.seen] == ["hello"]


async def test_what_could_not_be_stored_is_kept_and_answered_when_the_database_is_back(
    harness: PipelineHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unstored, "PATIENCE", 0.0)
    monkeypatch.setattr(unstored, "AGAIN", 0.001)
    database = harness.inbox._database
    await database.run(lambda connection: connection.execute(text("ALTER TABLE inbox RENAME TO away")))
    assert isinstance(await harness.take(message("m1", "kept"), "{}"), StoreUnavailable)
    await database.run(lambda connection: connection.execute(text("ALTER TABLE away RENAME TO inbox")))
    await harness.group.spoken.wait()
    assert await harness.take(message("m1", "kept"), "{}") is None, "a late redelivery is acknowledged"
    assert await harness.pipeline.drain(5) == 0
    assert [title for title, _ in harness.group.seen] == ["kept"], "and answered once"


async def test_who_asked_long_ago_is_told_that_there_is_no_answer(harness: PipelineHarness) -> None:
    await harness.take(message("m0", "first"), "{}")
    harness.pipeline.give_up([message("m1", "one"), message("m2", "two")])
    harness.pipeline.give_up([message("m3", "other", conversation="cidB==")])
    assert await harness.pipeline.drain(5) == 0
    assert {track for _, track in harness.group.seen} == {TrackIds("secret").for_message(m) for m in ("m0", "m2", "m3")}
    assert harness.metrics.questions.labels("", "given_up")._value.get() == 3


async def test_what_could_not_be_stored_is_not_acknowledged_and_holds_nobody_up(harness: PipelineHarness) -> None:
    database = harness.inbox._database
    await database.run(lambda connection: connection.execute(text("ALTER TABLE inbox RENAME TO away")))
    assert isinstance(await harness.take(message("m1", "lost"), "{}"), StoreUnavailable)
    await database.run(lambda connection: connection.execute(text("ALTER TABLE away RENAME TO inbox")))
    assert await harness.take(message("m2", "next"), "{}") is None
    assert await harness.pipeline.drain(5) == 0
    assert [title for title, _ in harness.group.seen] == ["next"]


async def test_what_is_stored_after_the_end_is_left_for_the_next_start(harness: PipelineHarness) -> None:
    assert await harness.pipeline.drain(0) == 0
    assert await harness.take(message("m1", "late"), "{}") is None
    assert harness.metrics.waiting._value.get() == 0
    (left,) = await harness.inbox.unanswered(NOW - MAX_QUESTION_AGE)
    assert left.msg_id == "m1"


async def test_answers_keep_the_order_of_their_conversation(harness: PipelineHarness) -> None:
    slow = harness.handler.gates["slow"] = asyncio.Event()
    await harness.take(message("m1", "slow"), "{}")
    await harness.take(message("m2", "quick"), "{}")
    await harness.take(message("m3", "elsewhere", conversation="cidB=="), "{}")
    await harness.group.spoken.wait()
    slow.set()
    await harness.pipeline.drain(5)
    assert [title for title, _ in harness.group.seen] == ["elsewhere", "slow", "quick"]


@pytest.mark.parametrize("retry", [False, True])
async def test_who_leaves_before_the_answer_is_sent_gets_none(harness: PipelineHarness, retry: bool) -> None:
    slow = harness.handler.gates["slow"] = asyncio.Event()
    if retry:
        harness.group.troubles.append(Busy(retry_after=0.05))
        slow.set()
    await harness.take(message("m1", "slow"), "{}")
    await (harness.group.spoken if retry else harness.handler.begun).wait()
    harness.members.left.add("u1")
    slow.set()
    await harness.pipeline.drain(5)
    assert [title for title, _ in harness.group.seen] == ["external"]


async def test_a_full_house_in_one_conversation_does_not_lock_itself_out(harness: PipelineHarness) -> None:
    first = harness.handler.gates["0"] = asyncio.Event()
    for number in range(40):
        await harness.take(message(f"m{number}", str(number)), "{}")
    first.set()
    assert await harness.pipeline.drain(5) == 0
    assert [title for title, _ in harness.group.seen] == [str(number) for number in range(40)]


async def test_nobody_waits_with_asking_the_erp_for_others_to_be_drawn(harness: PipelineHarness) -> None:
    for number in range(20):
        harness.pipeline.resume(message(f"m{number}", str(number), conversation=f"cid{number}"), NOW)
    await harness.group.spoken.wait()
    assert harness.handler.asked == 20
    assert await harness.pipeline.drain(5) == 0
    assert len(harness.group.seen) == 20


async def test_a_message_without_a_question_gets_its_hint(harness: PipelineHarness) -> None:
    await harness.take(message("m1", "", kind=MessageKind.PICTURE), "{}")
    await harness.pipeline.drain(5)
    assert harness.group.seen[0][0] == "hint"


async def test_what_was_told_already_costs_no_call(harness: PipelineHarness) -> None:
    await harness.take(message("m1", "flood"), "{}")
    await harness.take(message("m2", "good"), "{}")
    await harness.pipeline.drain(5)
    await harness.inbox.mark("m2", InboxState.ANSWERED)
    assert [title for title, _ in harness.group.seen] == ["good"]
    assert (await harness.states())["m1"] == "answered"
    assert harness.metrics.questions.labels("none", "limited")._value.get() == 1


async def test_what_dingtalk_refuses_is_named_counted_and_final(harness: PipelineHarness) -> None:
    harness.group.fail = lambda title: title == "bad"
    await harness.take(message("m1", "bad"), "{}")
    await harness.take(message("m2", "good"), "{}")
    await harness.pipeline.drain(5)
    await harness.inbox.mark("m2", InboxState.ANSWERED)
    assert (await harness.states())["m1"] == "failed"
    assert [title for title, _ in harness.group.seen] == ["good"]
    refused = harness.metrics.questions.labels("echo", "not_delivered")
    assert refused._value.get() == 1


async def test_a_defect_is_counted_and_holds_nobody_up(harness: PipelineHarness) -> None:
    await harness.take(message("m1", "defect"), "{}")
    await harness.take(message("m2", "next"), "{}")
    await harness.pipeline.drain(5)
    assert [title for title, _ in harness.group.seen] == ["next"]
    assert harness.metrics.errors.labels("chat", "LookupError")._value.get() == 1
    assert harness.metrics.waiting._value.get() == 0


async def test_ending_leaves_unfinished_questions_for_the_next_start(harness: PipelineHarness) -> None:
    harness.handler.gates["never"] = asyncio.Event()
    await harness.take(message("m1", "never"), '{"text":"never"}')
    assert await harness.pipeline.drain(0.01) == 1
    (left,) = await harness.inbox.unanswered(NOW - timedelta(minutes=2))
    assert (left.msg_id, left.payload) == ("m1", '{"text":"never"}')
    harness.handler.gates["never"].set()
    harness.pipeline.resume(message("m1", "never"), NOW)
    await harness.pipeline.drain(5)
    assert harness.group.seen == [("never", TrackIds("secret").for_message("m1"))]


async def test_a_fallback_is_noted_before_it_is_sent(harness: PipelineHarness) -> None:
    harness.group.fall_back = True
    await harness.take(message("m1", "hello"), "{}")
    await harness.pipeline.drain(5)
    assert await harness.inbox.unanswered(NOW - timedelta(minutes=2)) == ()


class Busy(DingerpError):
    """Nothing stands, and later it may work."""

    retry = True


async def test_what_may_work_later_is_tried_again_in_its_place(harness: PipelineHarness) -> None:
    harness.group.troubles = [AnswerUnconfirmed(), Busy(), Busy(retry_after=0.002)]
    await harness.take(message("m1", "first"), "{}")
    await harness.take(message("m2", "second"), "{}")
    assert await harness.pipeline.drain(5) == 0
    assert [title for title, _ in harness.group.seen] == ["first", "second"]
    assert harness.metrics.questions.labels("echo", "answered")._value.get() == 2


async def test_an_answer_for_want_of_dingtalk_is_found_anew_when_it_is_sent_again(harness: PipelineHarness) -> None:
    harness.handler.silent, harness.group.troubles = 2, [Busy(), Busy()]
    await harness.take(message("m1", "hello"), "{}")
    assert await harness.pipeline.drain(5) == 0
    assert [title for title, _ in harness.group.seen] == ["hello"]
    assert harness.metrics.questions.labels("echo", "answered")._value.get() == 1


async def test_an_answer_that_may_stand_is_not_replaced_by_another(harness: PipelineHarness) -> None:
    harness.handler.silent, harness.group.troubles = 1, [AnswerUnconfirmed()]
    await harness.take(message("m1", "hello"), "{}")
    assert await harness.pipeline.drain(5) == 0
    assert [title for title, _ in harness.group.seen] == ["who are you?"]


@pytest.mark.parametrize("trouble", [Busy(retry_after=MAX_QUESTION_AGE.total_seconds() + 1), DingerpError("refused")])
async def test_what_cannot_work_in_time_is_given_up(harness: PipelineHarness, trouble: DingerpError) -> None:
    harness.group.troubles = [trouble]
    await harness.take(message("m1", "hello"), "{}")
    assert await harness.pipeline.drain(5) == 0
    assert harness.group.seen == []
    assert harness.metrics.questions.labels("echo", "not_delivered")._value.get() == 1


async def test_an_old_question_gets_one_try(harness: PipelineHarness) -> None:
    harness.group.troubles = [AnswerUnconfirmed(), AnswerUnconfirmed()]
    harness.pipeline.resume(message("m1", "old"), NOW - MAX_QUESTION_AGE)
    assert await harness.pipeline.drain(5) == 0
    assert len(harness.group.troubles) == 1
    assert harness.metrics.errors.labels("channel", "AnswerUnconfirmed")._value.get() == 1


async def test_no_text_follows_a_card_that_may_stand(harness: PipelineHarness) -> None:
    harness.group.troubles, harness.group.fall_back = [AnswerUnconfirmed()], True
    await harness.take(message("m1", "hello"), "{}")
    assert await harness.pipeline.drain(0.05) == 1
    assert harness.group.seen == []
    assert (await harness.states())["m1"] == "waiting"


async def test_a_text_that_certainly_failed_leaves_the_question_open(harness: PipelineHarness) -> None:
    harness.group.troubles, harness.group.fall_back = [Busy(retry_after=60)], True
    await harness.take(message("m1", "hello"), "payload")
    await harness.group.spoken.wait()
    assert await harness.pipeline.drain(0.01) == 1
    await harness.inbox.mark("another", InboxState.ANSWERED)  # and with it all that was marked before
    (left,) = await harness.inbox.unanswered(NOW - MAX_QUESTION_AGE)
    assert left.payload == "payload"


def test_track_ids_are_the_same_for_the_same_message_and_sealed() -> None:
    ours, other = TrackIds("secret"), TrackIds("another secret")
    assert ours.for_message("m1") == TrackIds("secret").for_message("m1") != ours.for_message("m2")
    assert ours.is_ours(ours.for_message("m1"))
    for foreign in (other.for_message("m1"), "", "q1-", "q1-abc-def", ours.for_message("m1") + "0", "é-ü-ö"):
        assert not ours.is_ours(foreign)


async def test_a_group_gets_a_card_of_its_own_where_the_asker_sees_more(harness: PipelineHarness) -> None:
    harness.handler.total = "¥9"
    await harness.take(message("m1", "order"), "{}")
    await harness.pipeline.drain(5)
    [cards] = harness.group.cards
    assert (cards.own.body, cards.is_shared, harness.renderer.rendered) == ("¥9", False, 1)
    assert (cards.shared.body, cards.shared.body, harness.renderer.rendered) == ("🔒", "🔒", 2)


@pytest.mark.parametrize("grant", [FULL_GRANT, Grant(fields=SHARED_FIELDS)], ids=["full", "shared"])
async def test_one_card_is_drawn_where_nobody_sees_more(harness: PipelineHarness, grant: Grant) -> None:
    harness.handler.grant, harness.handler.total = grant, "" if grant is FULL_GRANT else "¥9"
    await harness.take(message("m1", "order"), "{}")
    await harness.pipeline.drain(5)
    [cards] = harness.group.cards
    assert cards.is_shared
    assert cards.shared is cards.own
    assert "9" not in cards.own.body
    assert harness.renderer.rendered == 1


async def test_an_own_chat_shows_all_that_the_asker_may_see(harness: PipelineHarness) -> None:
    harness.handler.total = "¥9"
    asked = replace(message("m1", "order"), conversation=Conversation("cidD==", ConversationKind.DIRECT))
    await harness.take(asked, "{}")
    await harness.pipeline.drain(5)
    [cards] = harness.group.cards
    assert (cards.own.body, cards.is_shared) == ("¥9", True)


async def test_who_writes_tells_of_outsiders(harness: PipelineHarness) -> None:
    await harness.take(message("m1", "order"), "{}")
    await harness.take(replace(message("m2", "x"), sender=Sender(staff_id=None, nick="Ma")), "{}")
    await harness.take(replace(message("m3", "x", conversation="cidB=="), mentions=(Mention(None),)), "{}")
    await harness.pipeline.drain(5)
    assert harness.outsiders.groups == {"cidA==", "cidB=="}


@pytest.mark.parametrize("doubtful", [False, True])
async def test_only_who_certainly_is_outside_makes_it_a_group_with_outsiders(
    harness: PipelineHarness, monkeypatch: pytest.MonkeyPatch, *, doubtful: bool
) -> None:
    async def entry(members: EverybodyIsMember, user_id: str) -> None:
        if doubtful:
            raise DingerpError("the directory does not answer")

    monkeypatch.setattr(EverybodyIsMember, "entry", entry)
    await harness.take(message("m1", "order"), "{}")
    await harness.pipeline.drain(5)
    assert harness.outsiders.groups == (set() if doubtful else {"cidA=="})


class MaybeSent(TextUnconfirmed):
    """A text without an answer."""


@pytest.mark.parametrize(
    ("line", "troubles", "seen", "outcome"),
    [
        ("stock", 2, ["stock"], "answered"),
        ("decide", 1, [], "not_delivered"),
    ],
)
async def test_a_text_that_may_have_arrived_is_sent_again_unless_it_tells_of_a_decision(
    harness: PipelineHarness, line: str, troubles: int, seen: list[str], outcome: str
) -> None:
    harness.group.fall_back = True
    harness.group.troubles = [MaybeSent("no answer") for _ in range(troubles)]
    await harness.take(message("m1", line), "{}")
    assert await harness.pipeline.drain(10) == 0
    assert [title for title, _ in harness.group.seen] == seen
    assert harness.metrics.questions.labels("echo", outcome)._value.get() == 1


async def test_after_several_texts_that_may_have_arrived_the_card_is_tried_on(
    harness: PipelineHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, texts = harness.group, 0

    async def answer(
        _: FakeChannel,
        message: Message,
        cards: AnswerCards,
        *,
        track_id: str,
        before_fallback: Callable[[], Awaitable[None]],
    ) -> SentAnswer:
        nonlocal texts
        if len(group.seen) < 8:
            group.seen.append((cards.own.title, "the card is refused for a moment"))
            await before_fallback()
            texts += 1
            raise MaybeSent("HTTP 500")
        return SentAnswer(AnswerVia.CARD)

    monkeypatch.setattr(FakeChannel, "answer", answer)
    await harness.take(message("m1", "stock"), "{}")
    assert await harness.pipeline.drain(10) == 0
    assert texts == 3
    assert harness.metrics.questions.labels("echo", "answered")._value.get() == 1


@pytest.mark.parametrize(("minutes", "asked"), [(1, 1), (3, 0)], ids=["in time", "too late to be asked"])
async def test_a_card_that_announces_an_answer_is_finished_after_a_restart(
    harness: PipelineHarness, minutes: int, asked: int
) -> None:
    harness.pipeline.resume(message("m1", "approve it"), NOW - timedelta(minutes=minutes), interim=True)
    assert await harness.pipeline.drain(5) == 0
    assert harness.group.seen == [("approve it", TrackIds("secret").for_interim("m1"))]
    assert harness.handler.asked == asked
