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

from bot.access.people import People
from bot.alerts.acting import AlertActions
from bot.alerts.board import AlertBoard
from bot.alerts.noticeboard import LedgerActions, LedgerBoard
from bot.assembly.alerts import AlertRooms, furnish_alerts, read_queues, send
from bot.assembly.approvals import ApprovalRooms, decide, furnish_approvals, listening
from bot.assembly.base import Base, Entries
from bot.assembly.erps import open_indexed
from bot.assembly.parts import access_policy, open_api, renderer, templates
from bot.assembly.polling import poll
from bot.background import Background
from bot.cards.language import choose, load_languages
from bot.cards.track import TrackIds
from bot.chat.clicks import ClickPipeline
from bot.chat.colleagues import Colleagues
from bot.chat.desk import QuestionDesk
from bot.chat.language import LanguageChoice
from bot.chat.pipeline import FRESH, QuestionPipeline
from bot.chat.registry import Commands
from bot.dingtalk.answers import Answers
from bot.dingtalk.card_wire import TemplateChoice
from bot.dingtalk.cards import CardApi
from bot.dingtalk.directory import Directory
from bot.dingtalk.messages import parse_message
from bot.dingtalk.openapi import Patience
from bot.dingtalk.quota import MonthlyMeter
from bot.dingtalk.robot import Robot
from bot.erp.hub import ErpHub
from bot.errors import ConfigurationError
from bot.metrics import Metrics
from bot.outbox.month import DEGRADED, MonthGuard
from bot.settings import Settings
from bot.store.database import Database
from bot.store.erp_records import StoredErpRecords
from bot.store.errors import StoreUnavailable
from bot.store.inbox import StoredInbox
from bot.store.languages import StoredLanguages
from bot.store.months import StoredMonths
from bot.store.shown_cards import StoredShownCards

log = structlog.get_logger(__name__)

_METER_SAVED_EVERY = 5.0
_INBOX_PRUNED_EVERY = 300.0
_DATABASE_TIDIED_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Rooms:
    """What answers the frames, and what sends by itself."""

    database: Database
    hub: ErpHub
    questions: QuestionPipeline
    clicks: ClickPipeline
    templates: TemplateChoice
    alerts: AlertRooms
    approvals: ApprovalRooms


async def furnish(
    stack: AsyncExitStack,
    background: Background,
    settings: Settings,
    session: aiohttp.ClientSession,
    metrics: Metrics,
    now: Callable[[], datetime],
    patience: Patience | None = None,
) -> Rooms:
    """Connect everything behind the stream; it lives as long as ``stack``. Questions of an earlier run are at work."""
    patience = patience or Patience()
    database = await _open_database(stack, settings)
    languages = StoredLanguages(database)
    await languages.load()
    base = await _lay_base(stack, background, settings, session, metrics, now, patience, database, languages)

    inbox = StoredInbox(database)
    await base.keep(inbox.run(), "inbox")
    await base.keep(_prune(inbox, now), "prune")
    await base.keep(_tidy(database), "tidy")
    records = StoredErpRecords(database)
    await records.load()
    await base.keep(records.run(), "erp_records")
    hub = await open_indexed(stack, background, settings, metrics, now, database, records)
    alerts = await furnish_alerts(base)
    approvals = furnish_approvals(base, hub, alerts)
    alerts.composers.update(approvals.composers)
    alerts = replace(alerts, intake=listening(alerts, approvals))
    desk = QuestionDesk(
        commands=Commands.discover(),
        policy=access_policy(settings),
        collaborators={
            ErpHub: hub,
            LanguageChoice: languages,
            AlertBoard: LedgerBoard(alerts.study),
            AlertActions: LedgerActions(alerts.study),
            Colleagues: Colleagues(base.people, settings.access.roles),
            **approvals.collaborators,
        },
        seconds=settings.limits.question_seconds,
    )
    questions = _questions(base, desk, inbox, patience)
    clicks = ClickPipeline(
        desk=desk,
        people=base.people,
        renderer=base.renderer,
        tracks=base.tracks,
        metrics=metrics,
        now=now,
        seconds=settings.limits.click_seconds,
        corp_id=settings.dingtalk.corp_id,
        shown=StoredShownCards(database),
    )
    await _resume(inbox, questions, settings, now)
    await read_queues(base, alerts.intake)
    await poll(base, hub, alerts)
    await decide(base, approvals)
    await send(base, alerts)
    return Rooms(database, hub, questions, clicks, base.templates, alerts, approvals)


async def _open_database(stack: AsyncExitStack, settings: Settings) -> Database:
    database = Database(settings.database)
    stack.push_async_callback(database.close)
    try:
        await database.migrate()
    except StoreUnavailable as error:
        raise ConfigurationError(f"the database cannot be used ({error.detail}); see `dingerp doctor`") from error
    return database


async def _lay_base(
    stack: AsyncExitStack,
    background: Background,
    settings: Settings,
    session: aiohttp.ClientSession,
    metrics: Metrics,
    now: Callable[[], datetime],
    patience: Patience,
    database: Database,
    languages: StoredLanguages,
) -> Base:
    meter = MonthlyMeter(StoredMonths(database), metrics=metrics, now=now)
    await meter.load()
    limit = settings.limits.monthly_calls
    metrics.month_limit.set(limit)
    api = open_api(settings, session, metrics, meter, patience)
    people = People(
        languages=languages,
        default_language=settings.language,
        configured_languages=settings.languages,
        directory=Entries(Directory(api)) if settings.access.directory else None,
    )
    words = load_languages()
    base = Base(
        stack=stack,
        background=background,
        settings=settings,
        metrics=metrics,
        now=now,
        database=database,
        api=api,
        meter=meter,
        month=MonthGuard(lambda: meter.used, limit, metrics=metrics, reserve=settings.outbox.reserve),
        people=people,
        languages=words,
        renderer=renderer(settings, words),
        templates=templates(settings),
        tracks=TrackIds(settings.dingtalk.client_secret.get_secret_value()),
    )
    await base.keep(meter.keep(_METER_SAVED_EVERY), "meter")
    return base


def _questions(base: Base, desk: QuestionDesk, inbox: StoredInbox, patience: Patience) -> QuestionPipeline:
    def degraded(language: str) -> str | None:
        return choose(base.languages, language).say(DEGRADED) if base.month.sparing() else None

    answers = Answers(
        CardApi(base.api), Robot(base.api), base.api.keys, templates=base.templates, now=base.now, sparing=degraded
    )
    return QuestionPipeline(
        inbox=inbox,
        desk=desk,
        people=base.people,
        renderer=base.renderer,
        channel=answers,
        tracks=base.tracks,
        metrics=base.metrics,
        now=base.now,
        at_once=base.settings.limits.questions_at_once,
        pause=patience.backoff,
    )


async def _resume(
    inbox: StoredInbox, questions: QuestionPipeline, settings: Settings, now: Callable[[], datetime]
) -> None:
    """Answer what an earlier run acknowledged and did not answer."""
    letters = await inbox.unanswered(now() - FRESH)
    for letter in letters:
        names = settings.dingtalk.robot_names
        message = parse_message(letter.payload, robot_names=names, fallback_id=letter.msg_id, now=now)
        questions.resume(message, letter.received_at)
    if letters:
        log.info("inbox.resumed", questions=len(letters))


async def _tidy(database: Database) -> None:
    while True:
        await asyncio.sleep(_DATABASE_TIDIED_EVERY)
        try:
            await database.tidy()
        except StoreUnavailable as error:
            log.warning("store.not_tidied", error=error.detail)


async def _prune(inbox: StoredInbox, now: Callable[[], datetime]) -> None:
    while True:
        try:
            await inbox.prune(now())
        except StoreUnavailable as error:
            log.warning("inbox.not_pruned", error=error.detail)
        await asyncio.sleep(_INBOX_PRUNED_EVERY)
