"""Builds the alerts: intake, processor, outbox, queue consumers and ERP polling."""

from __future__ import annotations

import random
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from bot.alerts.intake.batched_intake import BatchedIntake
from bot.alerts.intake.poll_state import PollConfig
from bot.alerts.intake.port import Intake
from bot.alerts.intake.quota import SourceQuota
from bot.alerts.intake.source_poller import SourcePoller, supervise
from bot.alerts.intake.webhook import Webhook, build_webhook
from bot.alerts.processing.card_lifecycle import CARD_KIND, DING_KIND
from bot.alerts.processing.processor import AlertProcessor
from bot.alerts.repository import AlertRepository, AlertUnitOfWork
from bot.alerts.rules.rule_set import AlertRuleSet
from bot.alerts.service import AlertComposer, AlertUnitOfWorkRunner, DingComposer, TopBoxComposer
from bot.alerts.top_boxes import TOP_KIND
from bot.alerts.watch_poller import WatchPoller
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.quotas import follow_quotas, quota_reporter
from bot.bootstrap.receivers import receivers_of
from bot.chat.answers.standing_answers import track_of_answer
from bot.chat.audiences import Audiences
from bot.chat.questions.limit_reports import LIMIT_REPORT, LimitReportComposer
from bot.dingtalk.card_api import CardApi
from bot.dingtalk.directory import DingTalkDirectory, DingTalkUnknownPerson
from bot.dingtalk.messenger import DingTalkMessenger
from bot.dingtalk.robot import Robot
from bot.dingtalk.todos import TodoApi, TodoKeeper
from bot.dingtalk.top_boxes import TopBoxKeeper
from bot.erp.hub import ErpHub
from bot.mechanisms.background import Runs, repeat
from bot.mechanisms.wakeup import SharedWork
from bot.outbox.budgets import SendLimits
from bot.outbox.delivery import DeliveryFormat, DingWay
from bot.outbox.health_reports import HEALTH_REPORT, HealthReportComposer
from bot.outbox.housekeeping import Housekeeping
from bot.outbox.ports import Composer, MarkerKeeper
from bot.outbox.quota_reports import QUOTA_REPORT, QuotaReportComposer
from bot.outbox.rule_reports import OPENED_RULES, OpenedRulesComposer
from bot.outbox.worker import OutboxWorker
from bot.queues.brokers import QueueAddress
from bot.queues.consumer import QueueConsumer
from bot.read_model.stock_days import StockHistory
from bot.settings import Settings
from bot.store.alerts.events import StoredEvents, StoredPolls
from bot.store.alerts.repository import StoredAlertTransactions
from bot.store.outbox.queue import StoredBacklog

log = structlog.get_logger(__name__)

_EVENTS_PRUNED_EVERY = 3600.0
_TAKEN_OVER_EVERY = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertServices:
    """The alert services for the rest of the bot."""

    intake: Intake
    quota: SourceQuota
    hooks: Mapping[str, Webhook]
    processor: AlertProcessor
    outbox: OutboxWorker
    housekeeping: Housekeeping
    composers: dict[str, Composer]
    """The composers by kind of card; others may be added before `start_outbox`."""
    units: AlertUnitOfWorkRunner


async def build_alerts(base: Infrastructure, rules: Callable[[], AlertRuleSet], audiences: Audiences) -> AlertServices:
    """Build intake, processor and outbox; the processor runs until the base's stack ends."""
    settings, now = base.settings, base.now
    keep = timedelta(days=settings.retention.alert_days)
    receivers = receivers_of(settings)
    transactions = StoredAlertTransactions(base.database, now, receivers=receivers, keep=keep)

    def unit(repository: AlertRepository) -> AlertUnitOfWork:
        return AlertUnitOfWork(
            repository=repository,
            rules=rules(),
            now=now(),
            new_id=lambda: secrets.token_hex(8),
            ding=DingWay(settings.notify.ding),
            top_boxes=settings.notify.top_box,
        )

    def changed() -> None:
        processor.poke()
        outbox.poke()

    units = AlertUnitOfWorkRunner(transactions, unit, changed)
    alert_cards = AlertComposer(units, now=now, name_of=partial(_name_of, base), reader_at=audiences.reader_at)
    dings = DingComposer(units, now=now, name_of=partial(_name_of, base), reader_at=audiences.reader_at)
    tops = TopBoxComposer(units, now=now, name_of=partial(_name_of, base), reader_at=audiences.reader_at)
    composers: dict[str, Composer] = {CARD_KIND: alert_cards, DING_KIND: dings, TOP_KIND: tops}
    outbox = _outbox(base, composers, audiences)
    processor = AlertProcessor(
        transactions,
        unit=unit,
        now=now,
        metrics=base.metrics,
        owed=outbox.poke,
        look_every=base.wakeups.look_every,
        traced=base.send_spans,
    )
    base.wakeups.add(SharedWork.EVENTS, processor.poke)
    base.wakeups.add(SharedWork.DELIVERIES, outbox.poke)
    events = StoredEvents(base.database)
    quota = SourceQuota(settings.events.waiting_per_source)
    intake = BatchedIntake(events, metrics=base.metrics, now=now, arrived=processor.poke, quota=quota)
    await base.run_in_background(processor.run, "alerts", Runs.EVERYWHERE)
    await base.run_in_background(partial(_prune_events, base, events), "events", Runs.WITH_LEAD)
    return AlertServices(
        intake=intake,
        quota=quota,
        hooks=open_hooks(settings),
        processor=processor,
        outbox=outbox,
        housekeeping=_housekeeping(base, outbox),
        composers=composers,
        units=units,
    )


def add_report_composers(base: Infrastructure, services: AlertServices) -> None:
    """Let the outbox draw the reports to administrators on limits, rules, quotas and health."""
    zone = base.now().tzinfo
    assert zone is not None, "the clock gives aware times"
    services.composers[LIMIT_REPORT] = LimitReportComposer(zone)
    services.composers[OPENED_RULES] = OpenedRulesComposer()
    services.composers[QUOTA_REPORT] = QuotaReportComposer()
    services.composers[HEALTH_REPORT] = HealthReportComposer(base.now)


async def start_queue_readers(base: Infrastructure, intake: Intake) -> None:
    """Start the consumers of the message queues."""
    for address in queue_addresses(base.settings):
        consumer = QueueConsumer(address, intake, metrics=base.metrics)
        await base.run_in_background(consumer.run, f"queue {address.source}", Runs.EVERYWHERE)


def queue_addresses(settings: Settings) -> tuple[QueueAddress, ...]:
    """Return the configured message queues."""
    return tuple(
        QueueAddress(
            source=name,
            url=queue.url.get_secret_value(),
            name=queue.name,
            group=queue.group,
            reader=queue.reader or socket.gethostname(),
        )
        for name, queue in settings.queues.items()
    )


async def start_outbox(base: Infrastructure, services: AlertServices) -> None:
    """Start the outbox: last, when all composers are registered."""
    await base.run_in_background(services.housekeeping.run, "outbox keeping", Runs.WITH_LEAD)
    await base.run_in_background(services.outbox.run, "outbox", Runs.EVERYWHERE)
    if base.database.dialect != "sqlite":
        take_over = partial(_take_over, base, StoredBacklog(base.database), services.outbox)
        taking_over = partial(repeat, take_over, every=_TAKEN_OVER_EVERY, failed="outbox.not_taken_over")
        await base.run_in_background(taking_over, "deliveries of others", Runs.WITH_LEAD)


async def _take_over(base: Infrastructure, backlog: StoredBacklog, outbox: OutboxWorker) -> None:
    if rows := await backlog.take_over(base.now()):
        log.info("outbox.taken_over", rows=rows)
        outbox.poke()


async def _name_of(base: Infrastructure, user_id: str) -> str:
    return (await base.people.identify(user_id, name="")).name or user_id


def _outbox(base: Infrastructure, composers: Mapping[str, Composer], audiences: Audiences) -> OutboxWorker:
    def track_of(card: str) -> str:
        return track_of_answer(card) or base.tracks.for_card(card)

    wanted = base.settings.outbox
    return OutboxWorker(
        StoredBacklog(base.database, base.ledger),
        DingTalkMessenger(
            CardApi(base.api),
            Robot(base.api),
            base.api.keys,
            templates=base.templates,
        ),
        composers,
        base.renderer,
        worker=base.database.worker("cards"),
        track_of=track_of,
        language_of=base.language_at,
        metrics=base.metrics,
        now=base.now,
        draw=random.random,
        sparing=base.month.sparing,
        reserved=base.month.reserved,
        unbilled=base.reply_addresses,
        markers=build_markers(base),
        closed_at=audiences.closed_at,
        limits=SendLimits(
            per_second=wanted.per_second, place_minute=wanted.place_minute, robot_minute=wanted.robot_minute
        ),
        at_once=wanted.at_once,
        tries=wanted.tries,
        look_every=base.wakeups.look_every,
        traced=base.send_spans,
    )


def _housekeeping(base: Infrastructure, outbox: OutboxWorker) -> Housekeeping:
    return Housekeeping(
        StoredBacklog(base.database),
        follow_quotas(base),
        keep=timedelta(days=base.settings.outbox.keep_days),
        metrics=base.metrics,
        now=base.now,
        reporter=quota_reporter(base, outbox.poke),
    )


def open_hooks(settings: Settings) -> dict[str, Webhook]:
    """Return the configured webhooks by source. Raises `ConfigurationError`."""
    return {
        name: build_webhook(
            name,
            scheme=hook.scheme,
            secrets=hook.secrets,
            max_bytes=hook.max_bytes,
            company=hook.company,
            currency=hook.currency,
            options={"aes_key": hook.aes_key.get_secret_value(), "app_key": hook.app_key},
        )
        for name, hook in settings.hooks.items()
    }


async def _prune_events(base: Infrastructure, events: StoredEvents) -> None:
    kept = base.settings.events
    done, rejected = timedelta(days=kept.keep_days), timedelta(days=kept.keep_rejected_days)

    async def prune() -> None:
        await events.prune(base.now(), done=done, rejected=rejected)

    await repeat(prune, every=_EVENTS_PRUNED_EVERY, failed="events.not_pruned")


async def start_polling(base: Infrastructure, hub: ErpHub, alerts: AlertServices, history: StockHistory) -> None:
    """Start polling every source, if the settings say so; ``history`` records the stock read."""
    if not base.settings.poll.enabled:
        return
    store, poll_config = StoredPolls(base.database), make_poll_config(base.settings)
    pollers = {
        source: SourcePoller(
            hub.source_client(source, seen=history.note),
            store,
            alerts.intake,
            poll_config=poll_config,
            metrics=base.metrics,
            now=base.now,
        ).run
        for source in hub.sources
    }
    watches = WatchPoller(hub, alerts.units, poll_config=poll_config, now=base.now)
    await base.run_in_background(partial(supervise, {**pollers, "watches": watches.run}), "poll", Runs.WITH_LEAD)
    await base.run_in_background(history.run, "stock_days", Runs.WITH_LEAD)


def make_poll_config(settings: Settings) -> PollConfig:
    """Return the polling configuration from the settings."""
    wanted = settings.poll
    return PollConfig(
        areas=wanted.areas,
        seconds=wanted.seconds,
        lists=wanted.list_seconds,
        calls=wanted.calls,
        backlog=wanted.backlog,
    )


def build_markers(base: Infrastructure) -> Mapping[DeliveryFormat, MarkerKeeper]:
    """Return all marker keepers, even for disabled markers: existing ones must be removable."""
    directory = DingTalkDirectory(base.api)

    async def union_id_of(user_id: str) -> str:
        try:
            return (await directory.person(user_id)).union_id
        except DingTalkUnknownPerson:
            return ""

    todos = TodoApi(base.api, base.settings.dingtalk.openapi_endpoint)
    return {
        DeliveryFormat.TO_DO: TodoKeeper(todos, union_id_of, base.robot_chat.link),
        DeliveryFormat.TOP: TopBoxKeeper(CardApi(base.api), base.templates, base.now),
    }
