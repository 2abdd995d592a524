"""Puts together everything behind the stream, from settings. With `bot.app` the only module that knows everybody.

Importing it loads the database library, the templates and the commands: about half a second, which `bot.app` spends
while DingTalk opens the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

import aiohttp
import structlog

from bot.access.people import Entry, People
from bot.access.policy import AccessPolicy, Rule
from bot.background import Background
from bot.cards.budget import Budget
from bot.cards.language import load_languages
from bot.cards.render import CardRenderer
from bot.cards.track import TrackIds
from bot.chat.clicks import ClickPipeline
from bot.chat.desk import QuestionDesk
from bot.chat.language import LanguageChoice
from bot.chat.pipeline import FRESH, QuestionPipeline
from bot.chat.registry import Commands
from bot.dingtalk.answers import Answers
from bot.dingtalk.card_wire import ButtonStyle, CardTemplate, TemplateChoice, own_template
from bot.dingtalk.cards import CardApi
from bot.dingtalk.directory import Directory
from bot.dingtalk.endpoints import AppKeys, Endpoints
from bot.dingtalk.messages import parse_message
from bot.dingtalk.openapi import OpenApi, Patience, Rates
from bot.dingtalk.quota import MonthlyMeter
from bot.dingtalk.robot import Robot
from bot.erp.hub import ErpHub
from bot.erp.products import ProductTable
from bot.erp.protection import Protection
from bot.erp.units import Units
from bot.erp.vendors import open_source
from bot.errors import ConfigurationError
from bot.metrics import Metrics
from bot.settings import Settings
from bot.store.database import Database
from bot.store.erp_records import StoredErpRecords
from bot.store.errors import StoreUnavailable
from bot.store.inbox import StoredInbox
from bot.store.languages import StoredLanguages
from bot.store.months import StoredMonths

log = structlog.get_logger(__name__)

_METER_SAVED_EVERY = 5.0
_INBOX_PRUNED_EVERY = 300.0


@dataclass(frozen=True, slots=True)
class Rooms:
    """What answers the frames."""

    database: Database
    hub: ErpHub
    questions: QuestionPipeline
    clicks: ClickPipeline
    templates: TemplateChoice


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
    database = Database(settings.database)
    stack.push_async_callback(database.close)
    try:
        await database.migrate()
    except StoreUnavailable as error:
        raise ConfigurationError(f"the database cannot be used ({error.detail}); see `dingerp doctor`") from error

    meter = MonthlyMeter(StoredMonths(database), metrics=metrics, now=now)
    await meter.load()
    metrics.month_limit.set(settings.limits.monthly_calls)
    api = open_api(settings, session, metrics, meter, patience)
    await stack.enter_async_context(background.running(meter.keep(_METER_SAVED_EVERY), "meter"))

    inbox = StoredInbox(database)
    await stack.enter_async_context(background.running(inbox.run(), "inbox"))
    await stack.enter_async_context(background.running(_prune(inbox, now), "prune"))

    languages = StoredLanguages(database)
    await languages.load()
    people = People(
        languages=languages,
        default_language=settings.language,
        configured_languages=settings.languages,
        directory=_Entries(Directory(api)) if settings.access.directory else None,
    )
    records = StoredErpRecords(database)
    await records.load()
    await stack.enter_async_context(background.running(records.run(), "erp_records"))
    hub = await open_hub(stack, settings, metrics, now, records)
    desk = QuestionDesk(
        commands=Commands.discover(),
        policy=_policy(settings),
        collaborators={ErpHub: hub, LanguageChoice: languages},
        seconds=settings.limits.question_seconds,
    )
    press = renderer(settings)
    choice = templates(settings)
    tracks = TrackIds(settings.dingtalk.client_secret.get_secret_value())
    questions = QuestionPipeline(
        inbox=inbox,
        desk=desk,
        people=people,
        renderer=press,
        channel=Answers(CardApi(api), Robot(api), api.keys, templates=choice, now=now),
        tracks=tracks,
        metrics=metrics,
        now=now,
        at_once=settings.limits.questions_at_once,
        pause=patience.backoff,
    )
    clicks = ClickPipeline(
        desk=desk,
        people=people,
        renderer=press,
        tracks=tracks,
        metrics=metrics,
        now=now,
        seconds=settings.limits.click_seconds,
        corp_id=settings.dingtalk.corp_id,
    )
    await _resume(inbox, questions, settings, now)
    return Rooms(database, hub, questions, clicks, choice)


def open_api(
    settings: Settings,
    session: aiohttp.ClientSession,
    metrics: Metrics,
    meter: MonthlyMeter | None = None,
    patience: Patience | None = None,
) -> OpenApi:
    """Return the client for DingTalk's calls, as the settings say."""
    dingtalk = settings.dingtalk
    return OpenApi(
        session,
        AppKeys(dingtalk.client_id, dingtalk.client_secret, dingtalk.robot_code),
        metrics=metrics,
        endpoints=Endpoints(api=dingtalk.openapi_endpoint, oapi=dingtalk.oapi_endpoint),
        meter=meter,
        patience=patience,
        rates=Rates(default=settings.limits.qps),
    )


async def open_hub(
    stack: AsyncExitStack,
    settings: Settings,
    metrics: Metrics,
    now: Callable[[], datetime],
    records: StoredErpRecords | None = None,
) -> ErpHub:
    """Open every configured source; they are closed with ``stack``. ``records`` outlive the process."""
    timeouts = {name: source.timeout for name, source in settings.erp.items()}
    protections = {
        name: Protection(
            rate=source.rate,
            failures=source.breaker_failures,
            pause=source.breaker_seconds,
            negative_stock=source.negative_stock,
        )
        for name, source in settings.erp.items()
    }
    async with AsyncExitStack() as opened:
        sources = []
        for name, source in settings.erp.items():
            erp = await open_source(
                name, source.vendor, source.options, data_dir=settings.data_dir, now=now, timeout=source.timeout
            )
            opened.push_async_callback(erp.close)
            sources.append(erp)
        hub = ErpHub(
            sources,
            timeouts=timeouts,
            protections=protections,
            products=ProductTable(settings.products),
            units=Units(settings.units),
            quarantine=records,
            kept=records,
            metrics=metrics,
            now=now,
        )
        opened.pop_all()  # from here on the hub closes them
    stack.push_async_callback(hub.close)
    return hub


def renderer(settings: Settings) -> CardRenderer:
    """Return what draws cards, as the settings say."""
    cards = settings.cards
    return CardRenderer(
        languages=load_languages(),
        budget=Budget(body_bytes=cards.body_bytes, buttons_bytes=cards.buttons_bytes),
        custom_dir=cards.folder,
    )


def templates(settings: Settings) -> TemplateChoice:
    """Return which DingTalk template draws which card."""
    chosen = {
        name: own_template(one.template_id, ButtonStyle(one.button_style), one.variables)
        for name, one in settings.cards.templates.items()
    }
    return TemplateChoice(default=chosen.pop("default", CardTemplate()), by_card=chosen)


def _policy(settings: Settings) -> AccessPolicy:
    access = settings.access
    rules = (Rule(commands=rule.commands, roles=rule.roles, conversations=rule.conversations) for rule in access.rules)
    return AccessPolicy(rules=tuple(rules), roles=access.roles)


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


async def _prune(inbox: StoredInbox, now: Callable[[], datetime]) -> None:
    while True:
        try:
            await inbox.prune(now())
        except StoreUnavailable as error:
            log.warning("inbox.not_pruned", error=error.detail)
        await asyncio.sleep(_INBOX_PRUNED_EVERY)


class _Entries:
    """Lets `bot.access.people` look into DingTalk's directory."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def entry(self, user_id: str) -> Entry | None:
        """Return what the directory says about a member; None for somebody outside the organisation."""
        from bot.access.people import Entry
        from bot.dingtalk.directory import UnknownPerson

        try:
            person = await self._directory.person(user_id)
        except UnknownPerson:
            return None
        return Entry(name=person.name, roles=person.roles, departments=person.departments, is_admin=person.is_admin)
