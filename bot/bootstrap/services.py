"""Everything behind the stream. Importing it loads the database library, the templates and the commands.

That takes about half a second, which `bot.app` spends while DingTalk opens the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime

import aiohttp
import structlog

from bot.access.membership import Membership
from bot.access.organisation import OwnOrganisation
from bot.access.people import People
from bot.alerts.service import AlertService
from bot.background import BackgroundTasks
from bot.bootstrap.accounts import build_accounts
from bot.bootstrap.alerts import AlertServices, build_alerts, start_outbox, start_polling, start_queue_readers
from bot.bootstrap.approvals import ApprovalServices, build_approvals, notify_approvals, start_approvals
from bot.bootstrap.directory import ContactEvents, DirectoryAdapter, start_directory
from bot.bootstrap.erps import open_hub_with_index
from bot.bootstrap.factories import make_access_policy, make_renderer, open_api, templates
from bot.bootstrap.infrastructure import Infrastructure
from bot.cards.language import choose_language, load_languages
from bot.cards.track_ids import TrackIds
from bot.chat.clicks import ClickPipeline
from bot.chat.colleagues import Colleagues
from bot.chat.dispatcher import QuestionDispatcher
from bot.chat.erp_accounts import ErpAccounts
from bot.chat.pipeline import MAX_QUESTION_AGE, QuestionPipeline
from bot.chat.ports import LanguageChoice
from bot.chat.registry import Commands
from bot.dingtalk.answer_channel import DingTalkAnswerChannel
from bot.dingtalk.app_organisation import DingTalkAppOrganisation
from bot.dingtalk.card_api import CardApi
from bot.dingtalk.card_wire import TemplateChoice
from bot.dingtalk.directory import DingTalkDirectory
from bot.dingtalk.messages import parse_message
from bot.dingtalk.openapi import ApiRetryPolicy
from bot.dingtalk.quota import MonthlyMeter
from bot.dingtalk.robot import Robot
from bot.erp.hub import ErpHub
from bot.errors import ConfigurationError
from bot.metrics import Metrics
from bot.outbox.quota import DEGRADED, QuotaGuard
from bot.settings import Settings
from bot.store.call_counts import StoredMonthlyCalls
from bot.store.database import Database
from bot.store.deliveries import StoredShownCards
from bot.store.erp_records import StoredErpRecords
from bot.store.errors import StoreUnavailable
from bot.store.inbox import StoredInbox
from bot.store.languages import StoredLanguages
from bot.store.organisation import StoredOrganisation
from bot.store.people import StoredPeople

log = structlog.get_logger(__name__)

_METER_SAVED_EVERY = 5.0
_INBOX_PRUNED_EVERY = 300.0
_CHECKPOINT_EVERY = 1.0


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
    contact_events: ContactEvents


async def build_services(
    stack: AsyncExitStack,
    background: BackgroundTasks,
    settings: Settings,
    session: aiohttp.ClientSession,
    metrics: Metrics,
    now: Callable[[], datetime],
    patience: ApiRetryPolicy | None = None,
) -> Services:
    """Connect everything behind the stream for as long as ``stack``, and resume the questions of an earlier run."""
    patience = patience or ApiRetryPolicy()
    database = await _open_database(stack, settings)
    languages = StoredLanguages(database)
    await languages.load()
    base = await _build_infrastructure(
        stack, background, settings, session, metrics, now, patience, database, languages
    )

    inbox = StoredInbox(database)
    await base.run_in_background(inbox.run(), "inbox")
    await base.run_in_background(_prune_inbox(inbox, now), "prune")
    await base.run_in_background(_checkpoint_database(database), "tidy")
    records = StoredErpRecords(database)
    await records.load()
    await base.run_in_background(records.run(), "erp_records")
    hub = await open_hub_with_index(stack, background, settings, metrics, now, database, records)
    alerts = await build_alerts(base)
    accounts = await build_accounts(base, hub, alerts)
    approvals = build_approvals(base, hub, alerts, accounts)
    alerts.composers.update(approvals.composers)
    alerts = replace(alerts, intake=notify_approvals(alerts, approvals))
    commands = Commands.discover()
    dispatcher = QuestionDispatcher(
        commands=commands,
        policy=make_access_policy(settings, commands),
        collaborators={
            ErpHub: hub,
            LanguageChoice: languages,
            AlertService: AlertService(alerts.units),
            Colleagues: Colleagues(base.people, settings.access.roles),
            ErpAccounts: accounts,
            **approvals.collaborators,
        },
        seconds=settings.limits.question_seconds,
    )
    questions = _question_pipeline(base, dispatcher, inbox, patience)
    clicks = ClickPipeline(
        handler=dispatcher,
        people=base.people,
        renderer=base.renderer,
        tracks=base.tracks,
        metrics=metrics,
        now=now,
        seconds=settings.limits.click_seconds,
        organisation=base.organisation,
        shown=StoredShownCards(database),
    )
    await _resume_questions(inbox, questions, settings, now)
    await start_queue_readers(base, alerts.intake)
    await start_polling(base, hub, alerts)
    await start_approvals(base, approvals)
    await start_outbox(base, alerts)
    return Services(database, hub, questions, clicks, base.templates, alerts, approvals, await start_directory(base))


async def _open_database(stack: AsyncExitStack, settings: Settings) -> Database:
    database = Database(settings.database)
    stack.push_async_callback(database.close)
    try:
        await database.migrate()
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
    meter = MonthlyMeter(StoredMonthlyCalls(database), metrics=metrics, now=now)
    await meter.load()
    limit = settings.limits.monthly_calls
    metrics.month_limit.set(limit)
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
        month=QuotaGuard(lambda: meter.used, limit, metrics=metrics, reserve=settings.outbox.reserve),
        organisation=organisation,
        members=members,
        stored_people=stored_people,
        people=people,
        languages=words,
        renderer=make_renderer(settings, words),
        templates=templates(settings),
        tracks=TrackIds(settings.dingtalk.client_secret.get_secret_value()),
    )
    await base.run_in_background(meter.save_periodically(_METER_SAVED_EVERY), "meter")
    return base


def _question_pipeline(
    base: Infrastructure, dispatcher: QuestionDispatcher, inbox: StoredInbox, patience: ApiRetryPolicy
) -> QuestionPipeline:
    def degraded(language: str) -> str | None:
        return choose_language(base.languages, language).say(DEGRADED) if base.month.sparing() else None

    answers = DingTalkAnswerChannel(
        CardApi(base.api), Robot(base.api), base.api.keys, templates=base.templates, now=base.now, sparing=degraded
    )
    return QuestionPipeline(
        inbox=inbox,
        handler=dispatcher,
        people=base.people,
        organisation=base.organisation,
        renderer=base.renderer,
        channel=answers,
        tracks=base.tracks,
        metrics=base.metrics,
        now=base.now,
        at_once=base.settings.limits.questions_at_once,
        pause=patience.backoff,
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


async def _prune_inbox(inbox: StoredInbox, now: Callable[[], datetime]) -> None:
    while True:
        try:
            await inbox.prune(now())
        except StoreUnavailable as error:
            log.warning("inbox.not_pruned", error=error.detail)
        await asyncio.sleep(_INBOX_PRUNED_EVERY)
