"""At nine tenths of the month's calls the rest is kept; it is said once."""

from __future__ import annotations

from datetime import UTC, timedelta

from structlog.testing import capture_logs

from bot.cards.card import Card
from bot.cards.language import choose_language, load_languages
from bot.cards.notices import QuotaReport
from bot.cards.renderer import CardRenderer
from bot.chat.answers.ports import AnswerCards, AnswerVia, SentAnswer
from bot.chat.message import Conversation, ConversationKind, SessionWebhook
from bot.dingtalk.answer_channel import DingTalkAnswerChannel
from bot.dingtalk.card_api import CardApi
from bot.dingtalk.messenger import DingTalkMessenger
from bot.dingtalk.openapi import pooled_session
from bot.dingtalk.quota import MonthlyMeter
from bot.dingtalk.robot import Robot
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.server import open_simulator
from bot.mechanisms.metrics import Metrics
from bot.outbox.delivery import Urgency
from bot.outbox.quota import DEGRADED, QuotaGuard
from bot.store.database import Database
from bot.store.outbox.call_counts import StoredMonthlyCalls
from bot.store.outbox.deliveries import StoredDeliveries
from tests.dingtalk.conftest import question, stock_card
from tests.outbox.conftest import Clock, OutboxHarness, RevisionComposer, api_at, outbox_of
from tests.rows import each_row


def test_the_change_is_counted_and_logged_once() -> None:
    used, metrics = [0], Metrics()
    guard = QuotaGuard(lambda: used[0], 10_000, metrics=metrics)
    seen = []
    with capture_logs() as logs:
        for used[0] in (0, 8_999, 9_000, 9_500, 10_400, 3):
            seen.append(guard.sparing())
            seen.append(guard.sparing())
            assert metrics.registry.get_sample_value("dingerp_api_calls_sparing") == float(seen[-1])
    assert seen == [False] * 4 + [True] * 6 + [False] * 2
    assert [line["event"] for line in logs] == ["month.sparing", "month.free"]


@each_row(
    ("used", "exhausted", "use_grace", "spares"),
    [
        (100, False, False, False),
        (1_000, False, False, True),
        (1_000, False, True, False),
        (1_300, False, True, False),
        (1_300, True, True, True),
        (100, True, False, True),
    ],
)
def test_dingtalks_own_word_counts_and_its_grace_if_wanted(
    used: int, exhausted: bool, use_grace: bool, spares: bool
) -> None:
    guard = QuotaGuard(lambda: used, 1_000, metrics=Metrics(), exhausted=lambda: exhausted, use_grace=use_grace)
    assert (guard.sparing(), guard.reserved()) == (spares, spares)


def test_the_reserve_is_a_part_of_the_quota() -> None:
    assert QuotaGuard(lambda: 750, 1_000, metrics=Metrics(), reserve=0.25).sparing()
    assert not QuotaGuard(lambda: 999, 1_000, metrics=Metrics(), reserve=0.0).sparing()


@each_row(("used", "share", "reached"), [(699, 0.7, False), (700, 0.7, True), (0, 0.0, True)])
def test_a_share_of_the_month_is_used(used: int, share: float, reached: bool) -> None:
    assert QuotaGuard(lambda: used, 1_000, metrics=Metrics()).has_used(share) is reached


async def test_at_nine_tenths_of_the_quota_questions_are_answered_and_what_is_urgent_goes(
    database: Database, clock: Clock
) -> None:
    """The whole of it at the wire: 50 calls a month, of which alerts may take 45 and questions none of the rest."""
    metrics, composer = Metrics(), RevisionComposer(database, clock)
    config = SimulatorConfig(qps_limit=None, quota_limit=50)
    async with open_simulator(config) as simulator, pooled_session() as session:
        engine = simulator.engine
        meter = MonthlyMeter(StoredMonthlyCalls(database), metrics=metrics, now=clock)
        guard = QuotaGuard(lambda: meter.used, 50, metrics=metrics)
        api = api_at(simulator.url, session, metrics, meter)
        places = DingTalkMessenger(CardApi(api), Robot(api), api.keys)
        outbox = outbox_of(database, composer, places, clock, metrics=metrics, sparing=guard.sparing, at_once=1)
        line = choose_language(load_languages(), "en").say(DEGRADED)
        channel = DingTalkAnswerChannel(
            CardApi(api), Robot(api), api.keys, now=clock, sparing=lambda code: line if guard.sparing() else None
        )
        harness = OutboxHarness(database, clock, composer, outbox, StoredDeliveries(database), metrics, engine)
        for number in range(60):
            await harness.owe(f"a{number:02}", place=harness.group)
        await harness.work()
        # 45 alerts, and then one more card for this place in the next hours.
        assert (engine.flow.used, len(harness.cards), [len(refs) for refs in composer.folded]) == (46, 46, [14])
        await harness.owe("urgent", place=harness.group, urgency=Urgency.NOW)
        await harness.owe("a00", 2, place=harness.group)
        await harness.work()
        assert (engine.flow.used, harness.cards[-1].title, harness.cards[0].title) == (47, "urgent r1", "a00 r1")
        for _ in range(30):
            assert await ask(engine, channel, harness, clock) == SentAnswer(AnswerVia.WEBHOOK)
        assert engine.flow.used == 47
        texts = [item["text"] for item in engine.items(harness.group.id) if item["kind"] == "message"]
        assert len(texts) == 30
        assert all(line in text for text in texts)


async def ask(engine: SimEngine, channel: DingTalkAnswerChannel, harness: OutboxHarness, clock: Clock) -> SentAnswer:
    session, _ = engine.credentials.sessions.issue(harness.group.id)
    webhook = SessionWebhook(f"{engine.base_url}/robot/sendBySession?session={session}", clock() + timedelta(hours=1))
    conversation = Conversation(harness.group.id, ConversationKind.GROUP)
    message = question(webhook=webhook, conversation=conversation, robot_code="")

    async def announce() -> None:
        return

    return await channel.answer(message, AnswerCards(stock_card()), track_id="t1", before_fallback=announce)


def report_card(quota: str, used: int, *, refused: bool = False) -> Card:
    report = QuotaReport(
        quota=quota,
        used=used,
        limit=1_000,
        forecast=used,
        purposes=(),
        groups=(),
        edition="standard",
        packs=0,
        calls=5_000,
        uses=3_000,
        refused=refused,
    )
    return CardRenderer(languages=load_languages()).render(report, "en", zone=UTC)


def test_calls_that_dingtalk_refuses_are_told_whatever_was_counted() -> None:
    card = report_card("calls", 40, refused=True)
    assert card.title == "DingTalk refuses calls: this month's quota is used up"
    assert "Other apps of the organisation" in card.body
    assert "Enough for this month" not in card.body


@each_row(
    ("quota", "used", "told", "all_used"),
    [
        ("calls", 949, False, False),
        ("calls", 950, True, False),
        ("calls", 999, True, False),
        ("calls", 1_000, True, True),
        ("calls", 1_200, True, True),
        ("uses", 990, False, False),
        ("uses", 1_000, False, False),
    ],
)
def test_near_the_end_the_card_tells_of_the_days_of_grace(quota: str, used: int, told: bool, all_used: bool) -> None:
    card = report_card(quota, used)
    assert ("five days" in card.body and "15 free days" in card.body) is told
    assert ("All calls of this month are used" in card.body) is all_used
