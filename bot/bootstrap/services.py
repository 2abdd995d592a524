"""Everything behind the stream. Importing it loads the database library, the templates and the commands, which takes
about half a second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import aiohttp
import structlog

from bot.access.audit import AuditLog, AuditReader
from bot.access.membership import Membership
from bot.access.organisation import OwnOrganisation
from bot.access.people import People
from bot.alerts.service import AlertService
from bot.alerts.subscriptions import SUBSCRIPTION, SubscriptionClock, SubscriptionComposer, Subscriptions
from bot.background import BackgroundTasks
from bot.bootstrap.access import PolicyInForce, follow_access
from bot.bootstrap.accounts import build_accounts, build_keys, search_accounts
from bot.bootstrap.alerts import AlertServices, build_alerts, start_outbox, start_polling, start_queue_readers
from bot.bootstrap.approvals import ApprovalServices, build_approvals, notify_approvals, start_approvals
from bot.bootstrap.audit import limit_questions, open_audit, record_rules, record_settings, start_audit
from bot.bootstrap.database import make_database
from bot.bootstrap.directory import ContactEvents, DirectoryAdapter, start_directory
from bot.bootstrap.erps import open_hub_with_index
from bot.bootstrap.exports import build_exports, exportable
from bot.bootstrap.factories import make_renderer, open_api, templates
from bot.bootstrap.health import start_health
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.policy import account_of
from bot.bootstrap.read_model import start_read_model
from bot.cards.language import choose_language, load_languages
from bot.cards.track_ids import TrackIds
from bot.chat.audiences import Audiences, KnownOutsiders
from bot.chat.clicks import ClickPipeline
from bot.chat.code_scanner import CodeScanner
from bot.chat.colleagues import Colleagues
from bot.chat.dialogues import Dialogues
from bot.chat.dispatcher import QuestionDispatcher
from bot.chat.erp_accounts import ErpAccounts
from bot.chat.erp_keys import ErpKeys
from bot.chat.exports import Exports
from bot.chat.limit_reports import LIMIT_REPORT, LimitReportComposer
from bot.chat.message import ConversationKind, Message
from bot.chat.pipeline import MAX_QUESTION_AGE, QuestionHandler, QuestionPipeline
from bot.chat.ports import LanguageChoice
from bot.chat.redrawing import AnswerComposer
from bot.chat.registry import Commands
from bot.chat.standing_answers import ANSWER_KIND, AnswerKeeper
from bot.dingtalk.answer_channel import DingTalkAnswerChannel, PrivateWay
from bot.dingtalk.app_organisation import DingTalkAppOrganisation
from bot.dingtalk.card_api import CardApi
from bot.dingtalk.card_wire import TemplateChoice
from bot.dingtalk.directory import DingTalkDirectory
from bot.dingtalk.messages import parse_message
from bot.dingtalk.openapi import ApiRetryPolicy
from bot.dingtalk.quota import MonthlyMeter
from bot.dingtalk.received_pictures import ReceivedPictures
from bot.dingtalk.reply_addresses import ReplyAddresses
from bot.dingtalk.robot import Robot
from bot.erp.hub import ErpHub
from bot.errors import ConfigurationError
from bot.health import PartHealth
from bot.metrics import Metrics
from bot.outbox.health_reports import HEALTH_REPORT, HealthReportComposer
from bot.outbox.place import Place
from bot.outbox.quota import DEGRADED, QuotaGuard
from bot.outbox.quota_reports import QUOTA_REPORT, QuotaReportComposer
from bot.outbox.spending import Purpose, Quota
from bot.phrase import Phrase
from bot.read_model.queries import ReadModel
from bot.sealing import WrongDataKey
from bot.settings import Settings
from bot.store.call_counts import StoredMonthlyCalls
from bot.store.database import Database, sqlite_file
from bot.store.deliveries import StoredShownCards
from bot.store.dialogues import StoredDialogues
from bot.store.erp_keys import StoredErpKeys
from bot.store.erp_records import StoredErpRecords
from bot.store.errors import StoreUnavailable
from bot.store.inbox import StoredInbox
from bot.store.languages import StoredLanguages
from bot.store.organisation import StoredOrganisation
from bot.store.outsiders import StoredOutsiders
from bot.store.owner import own_database
from bot.store.people import StoredPeople
from bot.store.rotation import drop_old_keys
from bot.store.standing_answers import StoredStandingAnswers
from bot.store.subscriptions import StoredSubscriptions
from bot.understanding.learning import learn_vocabulary
from bot.understanding.reader import GrammarReader
from bot.understanding.sentences import Sentences

log = structlog.get_logger(__name__)

_METER_SAVED_EVERY = 5.0
_INBOX_PRUNED_EVERY = 300.0
_CHECKPOINT_EVERY = 1.0
_KEYS_READ_EVERY = 60.0
_SCAN_SECONDS = 5.0
"""The most that one picture may wait and be scanned; hardly any takes half a second."""


@dataclass(frozen=True, slots=True)
class Services:
    """What answers the frames, and what sends by itself."""

    database: Database
    hub: ErpHub
    questions: QuestionPipeline
    clicks: ClickPipeline
    templates: TemplateChoice
    alerts: AlertServices
    approvals: ApprovalServices
    policy: PolicyInForce
    health: Callable[[], Awaitable[Mapping[str, PartHealth]]]
    """How everything behind the stream is now."""
    contact_events: ContactEvents
    keys: ErpKeys
    say_to: Callable[[str, Phrase], str]
    """Says something in the language of a person, by userId."""
    meter: MonthlyMeter


async def build_services(
    stack: AsyncExitStack,
    background: BackgroundTasks,
    settings: Settings,
    database: Database,
    session: aiohttp.ClientSession,
    metrics: Metrics,
    now: Callable[[], datetime],
    patience: ApiRetryPolicy | None = None,
) -> Services:
    """Connect everything behind the stream for as long as ``stack``, and resume the questions of an earlier run."""
    patience = patience or ApiRetryPolicy()
    languages = StoredLanguages(database)
    await languages.load()
    base = await _build_infrastructure(
        stack, background, settings, session, metrics, now, patience, database, languages
    )

    inbox = StoredInbox(database)
    await base.run_in_background(inbox.run(), "inbox")
    stored_audit = open_audit(settings, base)
    audit = await start_audit(base, stored_audit)
    await base.run_in_background(_prune_inbox(inbox, now), "prune")
    await base.run_in_background(_checkpoint_database(database), "tidy")
    await base.run_in_background(_follow_data_keys(database, now), "keys")
    records = StoredErpRecords(database, keep=timedelta(days=settings.retention.answer_days))
    await records.load()
    await base.run_in_background(records.run(), "erp_records")
    stored_keys = StoredErpKeys(database, settings.access.accounts, is_offered=bool(settings.http.public_url))
    hub = await open_hub_with_index(stack, background, settings, metrics, now, database, records, stored_keys)
    read_model = await start_read_model(base, hub)
    commands = Commands.discover()
    access_rules = follow_access(settings, commands, monotonic=time.monotonic)
    policy = PolicyInForce(access_rules)
    await base.run_in_background(policy.follow(), "access rules")
    outsiders = StoredOutsiders(database, now=now, named=settings.access.outsider_groups)
    await outsiders.load()
    await base.run_in_background(outsiders.run(), "outsiders")
    audiences = Audiences(policy=policy, people=base.people, outsiders=outsiders)
    alerts = await build_alerts(base, audiences)
    accounts = await build_accounts(base, hub, alerts, audit)
    account = account_of(settings, accounts.bound)
    keys = build_keys(base, hub, alerts, audit, stored_keys, account)
    approvals = build_approvals(base, hub, alerts, policy, accounts, audiences)
    record_settings(audit, settings, now)
    for followed in (access_rules, alerts.rules, approvals.rules):
        record_rules(audit, followed, now)
    alerts.composers.update(approvals.composers)
    zone = now().tzinfo
    assert zone is not None, "the clock gives aware times"
    alerts.composers[LIMIT_REPORT] = LimitReportComposer(zone)
    alerts.composers[QUOTA_REPORT] = QuotaReportComposer()
    alerts.composers[HEALTH_REPORT] = HealthReportComposer(now)
    alerts = replace(alerts, intake=notify_approvals(alerts, approvals))
    reader = await _start_reader(base, commands, hub)
    dialogues = await _start_dialogues(base) if reader else None
    collaborators: dict[type, object] = {
        ErpHub: hub,
        ReadModel: read_model,
        LanguageChoice: languages,
        AuditLog: audit,
        AuditReader: stored_audit,
        AlertService: AlertService(alerts.units),
        Colleagues: Colleagues(base.people, settings.access.roles),
        ErpAccounts: accounts,
        ErpKeys: keys,
        **approvals.collaborators,
    }
    answering = partial(
        QuestionDispatcher,
        policy=policy,
        collaborators=collaborators,
        seconds=settings.limits.question_seconds,
        account_of=account,
    )
    reading = answering(commands=exportable(commands))
    exports = build_exports(base, reading, audit)
    collaborators[Exports] = exports
    stack.push_async_callback(exports.close)
    subscribed = StoredSubscriptions(database)
    collaborators[Subscriptions] = Subscriptions(subscribed, reading)
    alerts.composers[SUBSCRIPTION] = SubscriptionComposer(
        subscribed, handler=reading, people=base.people, audiences=audiences, now=now
    )
    answering = partial(answering, commands=commands)
    dispatcher = answering(reader=reader, dialogues=dialogues, pictures=_picture_reader(base))
    standing = StoredStandingAnswers(database)
    # What is drawn again was not asked by anybody: it counts as no question and is no part of a dialogue.
    alerts.composers[ANSWER_KIND] = AnswerComposer(
        standing, handler=answering(), commands=commands, people=base.people, audiences=audiences, now=now
    )
    own_values = PrivateWay(settings.cards.private_way) is PrivateWay.PRIVATE_DATA
    keeper = AnswerKeeper(standing, own_values=own_values, drawn=alerts.outbox.poke)
    limited = limit_questions(base, dispatcher, commands, audit, alerts.outbox.poke)
    questions = _question_pipeline(
        base, limited, inbox, audit, audiences, outsiders, patience, keeper, alerts.outbox.open_way
    )
    clicks = ClickPipeline(
        handler=limited,
        people=base.people,
        renderer=base.renderer,
        tracks=base.tracks,
        metrics=metrics,
        now=now,
        seconds=settings.limits.click_seconds,
        audit=audit,
        organisation=base.organisation,
        outsiders=outsiders,
        shown=StoredShownCards(database),
        keeper=keeper,
    )
    await _resume_questions(inbox, questions, settings, now)
    await start_queue_readers(base, alerts.intake)
    await start_polling(base, hub, alerts)
    await start_approvals(base, approvals)
    await start_outbox(base, alerts)
    clock = SubscriptionClock(subscribed, now=now, owed=alerts.outbox.poke)
    await base.run_in_background(clock.run(), "subscriptions")
    health = await start_health(base, hub, alerts, approvals, policy)
    contact_events = await start_directory(base, approvals.staff, search_accounts(base, hub, accounts))
    return Services(
        database=database,
        hub=hub,
        questions=questions,
        clicks=clicks,
        templates=base.templates,
        alerts=alerts,
        approvals=approvals,
        policy=policy,
        health=health,
        contact_events=contact_events,
        keys=keys,
        say_to=lambda user_id, words: choose_language(base.languages, base.people.language(user_id or None)).say(words),
        meter=base.meter,
    )


async def open_database(stack: AsyncExitStack, settings: Settings) -> Database:
    """Own the database until ``stack`` ends, brought to this version. Raises `ConfigurationError`."""
    stack.enter_context(own_database(sqlite_file(settings.database)))
    database = make_database(settings)
    stack.push_async_callback(database.close)
    try:
        await database.migrate()
        await database.unlock()
    except StoreUnavailable as error:
        raise ConfigurationError(f"the database cannot be used ({error.detail}); see `dingerp doctor`") from error
    return database


async def _build_infrastructure(
    stack: AsyncExitStack,
    background: BackgroundTasks,
    settings: Settings,
    session: aiohttp.ClientSession,
    metrics: Metrics,
    now: Callable[[], datetime],
    patience: ApiRetryPolicy,
    database: Database,
    languages: StoredLanguages,
) -> Infrastructure:
    limits = settings.limits
    meter = MonthlyMeter(StoredMonthlyCalls(database), metrics=metrics, now=now, clicks_count=limits.clicks_count)
    await meter.load()
    metrics.month_limit.set(limits.month.calls)
    metrics.month_uses_limit.set(limits.month.uses)
    api = open_api(settings, session, metrics, meter, patience)
    dingtalk = settings.dingtalk
    organisation = OwnOrganisation(
        dingtalk.corp_id,
        StoredOrganisation(database, dingtalk.client_id),
        DingTalkAppOrganisation(api, dingtalk.openapi_endpoint),
    )
    await organisation.load()
    stored_people = StoredPeople(database, now=now)
    await stored_people.load_departments()
    members = Membership(
        stored_people,
        DirectoryAdapter(DingTalkDirectory(api)) if settings.access.reads_directory else None,
        now=now,
        with_roles=settings.access.directory is True,
    )
    people = People(
        languages=languages,
        default_language=settings.language,
        configured_languages=settings.languages,
        directory=members,
    )
    words = load_languages()
    base = Infrastructure(
        stack=stack,
        background=background,
        settings=settings,
        metrics=metrics,
        now=now,
        database=database,
        api=api,
        meter=meter,
        month=QuotaGuard(
            lambda: meter.used,
            limits.month.calls,
            metrics=metrics,
            reserve=settings.outbox.reserve,
            urgent=settings.outbox.urgent_reserve,
        ),
        reply_addresses=ReplyAddresses(Robot(api), now),
        organisation=organisation,
        members=members,
        stored_people=stored_people,
        people=people,
        languages=words,
        renderer=make_renderer(settings, words, now=now),
        templates=templates(settings),
        tracks=TrackIds(settings.dingtalk.client_secret.get_secret_value()),
    )
    await base.run_in_background(meter.save_periodically(_METER_SAVED_EVERY), "meter")
    return base


async def _start_reader(base: Infrastructure, commands: Commands, hub: ErpHub) -> GrammarReader | None:
    """Return the reader of sentences, which learns the company's words beside; None where it is not wanted."""
    wanted = base.settings.understanding
    if not wanted.enabled:
        return None
    sentences = Sentences.load(commands, (wanted.sentences,) if wanted.sentences else ())
    reader = GrammarReader(commands, sentences, partial(learn_vocabulary, hub))
    await base.run_in_background(reader.run(), "understanding")
    return reader


async def _start_dialogues(base: Infrastructure) -> Dialogues:
    """Return what people asked last, before a restart too."""
    dialogues = Dialogues(StoredDialogues(base.database), now=base.now)
    await dialogues.load()
    await base.run_in_background(dialogues.run(), "dialogues")
    return dialogues


def _picture_reader(base: Infrastructure) -> ReceivedPictures:
    """Return what finds the codes in pictures that people send."""
    scanner = CodeScanner(seconds=_SCAN_SECONDS)
    base.stack.callback(scanner.close)
    return ReceivedPictures(base.api, scanner, sparing=base.month.sparing)


def _question_pipeline(
    base: Infrastructure,
    handler: QuestionHandler,
    inbox: StoredInbox,
    audit: AuditLog,
    audiences: Audiences,
    outsiders: KnownOutsiders,
    patience: ApiRetryPolicy,
    keeper: AnswerKeeper,
    open_way: Callable[[Place], None],
) -> QuestionPipeline:
    def say(language: str, words: Phrase) -> str:
        return choose_language(base.languages, language).say(words)

    def degraded(language: str) -> str | None:
        return say(language, DEGRADED) if base.month.sparing() else None

    answers = DingTalkAnswerChannel(
        CardApi(base.api),
        Robot(base.api),
        base.api.keys,
        templates=base.templates,
        now=base.now,
        sparing=degraded,
        reserved=base.month.reserved,
        private_way=PrivateWay(base.settings.cards.private_way),
        say=say,
        name_asker=base.settings.notify.name_asker,
    )

    def arrived(message: Message) -> None:
        group = message.conversation.kind is ConversationKind.GROUP
        base.meter.count(Quota.USES, Purpose.QUESTION, message.conversation.id if group else "")
        if (place := base.reply_addresses.note(message)) is not None:
            open_way(place)

    return QuestionPipeline(
        inbox=inbox,
        handler=handler,
        people=base.people,
        organisation=base.organisation,
        audit=audit,
        renderer=base.renderer,
        channel=answers,
        tracks=base.tracks,
        audiences=audiences,
        outsiders=outsiders,
        metrics=base.metrics,
        now=base.now,
        at_once=base.settings.limits.questions_at_once,
        pause=patience.backoff,
        keeper=keeper,
        arrived=arrived,
    )


async def _resume_questions(
    inbox: StoredInbox, questions: QuestionPipeline, settings: Settings, now: Callable[[], datetime]
) -> None:
    """Answer the questions that an earlier run acknowledged and did not answer."""
    unanswered = await inbox.unanswered(now() - MAX_QUESTION_AGE)
    for stored in unanswered:
        names = settings.dingtalk.robot_names
        message = parse_message(stored.payload, robot_names=names, fallback_id=stored.msg_id, now=now)
        questions.resume(message, stored.received_at)
    if unanswered:
        log.info("inbox.resumed", questions=len(unanswered))


async def _checkpoint_database(database: Database) -> None:
    while True:
        await asyncio.sleep(_CHECKPOINT_EVERY)
        try:
            await database.checkpoint()
        except StoreUnavailable as error:
            log.warning("store.not_tidied", error=error.detail)


async def _follow_data_keys(database: Database, now: Callable[[], datetime]) -> None:
    """Seal by a key that an operator's command made, and end the change of keys that it began."""
    while True:
        await asyncio.sleep(_KEYS_READ_EVERY)
        try:
            await database.unlock()
            await drop_old_keys(database, now())
        except (StoreUnavailable, WrongDataKey) as error:
            log.warning("store.keys_not_read", error=error.detail)


async def _prune_inbox(inbox: StoredInbox, now: Callable[[], datetime]) -> None:
    while True:
        try:
            await inbox.prune(now())
        except StoreUnavailable as error:
            log.warning("inbox.not_pruned", error=error.detail)
        await asyncio.sleep(_INBOX_PRUNED_EVERY)
