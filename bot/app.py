"""The composition root: settings → parts → running app. The only module of the bot that knows everybody.

The stream begins to open first, and the heavier parts load while DingTalk answers; what arrives before they are ready
waits for them unacknowledged.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import aiohttp
import orjson
import structlog
from dingtalk_stream import CallbackMessage, ChatbotMessage, Credential

from bot.dingtalk.endpoints import AppKeys, Endpoints
from bot.dingtalk.openapi import OpenApi, Rates, pooled_session
from bot.dingtalk.stream import StreamClient
from bot.errors import DingerpError
from bot.metrics import Metrics
from bot.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from bot.access.people import Entry
    from bot.access.policy import AccessPolicy
    from bot.cards.render import CardRenderer
    from bot.chat.clicks import ClickPipeline
    from bot.chat.pipeline import QuestionPipeline
    from bot.dingtalk.card_wire import TemplateChoice
    from bot.dingtalk.directory import Directory
    from bot.dingtalk.quota import MonthlyMeter
    from bot.erp.hub import ErpHub
    from bot.store.inbox import StoredInbox

log = structlog.get_logger(__name__)

MESSAGES: str = ChatbotMessage.TOPIC
CLICKS = "/v1.0/card/instances/callback"

GRACE = 9.0
"""Seconds for what is at work when the process is asked to end; Docker kills after 10."""

_SPARE_CONNECTIONS = 10
"""Beside one per question: the stream, tokens, the directory."""

_METER_SAVED_EVERY = 5.0
_INBOX_PRUNED_EVERY = 300.0


@dataclass(frozen=True, slots=True)
class App:
    """A running bot, as the command line and the tests see it."""

    settings: Settings
    metrics: Metrics
    stream: StreamClient
    port: int
    """Port of the bot's own HTTP server."""
    hub: ErpHub
    died: asyncio.Future[BaseException]
    """Done when a part that must always run has ended with an error."""


@dataclass(frozen=True, slots=True)
class _Rooms:
    """What the frames need and what takes longer to load than the stream takes to open."""

    engine: AsyncEngine
    inbox: StoredInbox
    hub: ErpHub
    questions: QuestionPipeline
    clicks: ClickPipeline
    templates: TemplateChoice


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[App]:
    """Run the bot until the context ends; then finish what is at work within `GRACE` seconds.

    Raises `ConfigurationError` when the settings cannot work.
    """
    zone = ZoneInfo(settings.zone)

    def now() -> datetime:
        return datetime.now(zone)

    async with AsyncExitStack() as stack:
        metrics = Metrics()
        connections = settings.limits.questions_at_once + _SPARE_CONNECTIONS
        session = await stack.enter_async_context(
            pooled_session(proxy=settings.dingtalk.proxy or None, connections=connections)
        )
        stream = _stream(settings, session, metrics)
        ready: asyncio.Future[_Rooms] = asyncio.get_running_loop().create_future()
        _receive(stream, ready, settings, now)
        background = Background()
        await stack.enter_async_context(background.running(stream.run(), "stream"))
        await asyncio.sleep(0)  # the first call of connections/open leaves before the imports below

        rooms = await _furnish(stack, background, settings, session, metrics, now)
        ready.set_result(rooms)
        await _resume(rooms, settings, now)
        port = await stack.enter_async_context(_web(settings, metrics, stream, rooms))
        try:
            yield App(settings, metrics, stream, port, rooms.hub, background.died)
        finally:
            await _wind_down(stream, rooms)


async def run_until_stopped(settings: Settings) -> None:
    """Run the bot until SIGTERM or SIGINT; raises what a vital part died of, so that a supervisor starts it anew."""
    stop = stop_signal()
    async with running(settings) as app:
        log.info("bot.running", port=app.port, sources=sorted(settings.erp))
        app.died.add_done_callback(lambda _: stop.set())
        await stop.wait()
        log.info("bot.stopping")
    if app.died.done():
        raise app.died.result()
    log.info("bot.stopped")


def stop_signal() -> asyncio.Event:
    """Return an event that is set when somebody asks the process to end."""
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    return asked


def open_api(
    settings: Settings, session: aiohttp.ClientSession, metrics: Metrics, meter: MonthlyMeter | None = None
) -> OpenApi:
    """Return the client for DingTalk's calls, as the settings say."""
    dingtalk = settings.dingtalk
    return OpenApi(
        session,
        AppKeys(dingtalk.client_id, dingtalk.client_secret, dingtalk.robot_code),
        metrics=metrics,
        endpoints=Endpoints(api=dingtalk.openapi_endpoint, oapi=dingtalk.oapi_endpoint),
        meter=meter,
        rates=Rates(default=settings.limits.qps),
    )


def _stream(settings: Settings, session: aiohttp.ClientSession, metrics: Metrics) -> StreamClient:
    dingtalk = settings.dingtalk
    return StreamClient(
        Credential(dingtalk.client_id, dingtalk.client_secret.get_secret_value()),
        session=session,
        metrics=metrics,
        endpoint=dingtalk.openapi_endpoint,
        proxy=dingtalk.proxy or None,
    )


def _receive(
    stream: StreamClient, ready: asyncio.Future[_Rooms], settings: Settings, now: Callable[[], datetime]
) -> None:
    """Register what happens to the two kinds of frames that DingTalk pushes to a bot."""
    from bot.dingtalk.card_wire import click_response, clicked_card
    from bot.dingtalk.clicks import parse_click
    from bot.dingtalk.messages import parse_message

    names = settings.dingtalk.robot_names

    async def on_message(frame: CallbackMessage) -> None:
        message = parse_message(frame.data, robot_names=names, fallback_id=frame.headers.message_id or "", now=now)
        rooms = await asyncio.shield(ready)
        await rooms.questions.accept(message, orjson.dumps(frame.data).decode())

    async def on_click(frame: CallbackMessage) -> Mapping[str, Any]:
        click = parse_click(frame.data)
        rooms = await asyncio.shield(ready)
        card = await rooms.clicks.answer(click)
        return click_response(card, rooms.templates.of(clicked_card(click.values))) if card else {}

    stream.receive(MESSAGES, on_message)
    stream.receive(CLICKS, on_click)


async def _furnish(
    stack: AsyncExitStack,
    background: Background,
    settings: Settings,
    session: aiohttp.ClientSession,
    metrics: Metrics,
    now: Callable[[], datetime],
) -> _Rooms:
    """Load and connect everything behind the stream."""
    from bot.access.people import People
    from bot.cards.track import TrackIds
    from bot.chat.clicks import ClickPipeline
    from bot.chat.desk import QuestionDesk
    from bot.chat.language import LanguageChoice
    from bot.chat.pipeline import QuestionPipeline
    from bot.chat.registry import Commands
    from bot.dingtalk.answers import Answers
    from bot.dingtalk.cards import CardApi
    from bot.dingtalk.directory import Directory
    from bot.dingtalk.quota import MonthlyMeter
    from bot.dingtalk.robot import Robot
    from bot.erp.hub import ErpHub
    from bot.store.engine import make_engine, migrate
    from bot.store.inbox import StoredInbox
    from bot.store.languages import StoredLanguages
    from bot.store.months import StoredMonths

    engine = make_engine(settings.database)
    stack.push_async_callback(engine.dispose)
    await migrate(engine)

    meter = MonthlyMeter(StoredMonths(engine), metrics=metrics, now=now)
    await meter.load()
    api = open_api(settings, session, metrics, meter)
    await stack.enter_async_context(background.running(meter.keep(_METER_SAVED_EVERY), "meter"))

    inbox = StoredInbox(engine)
    await stack.enter_async_context(background.running(inbox.run(), "inbox"))
    await stack.enter_async_context(background.running(_prune(inbox, now), "prune"))

    languages = StoredLanguages(engine)
    await languages.load()
    people = People(
        languages=languages,
        default_language=settings.language,
        configured_languages=settings.languages,
        directory=_Entries(Directory(api)) if settings.access.directory else None,
    )
    hub = await open_hub(stack, settings, metrics, now)
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
    return _Rooms(engine, inbox, hub, questions, clicks, choice)


async def open_hub(stack: AsyncExitStack, settings: Settings, metrics: Metrics, now: Callable[[], datetime]) -> ErpHub:
    """Open every configured source; they are closed with ``stack``."""
    from bot.erp.hub import ErpHub
    from bot.erp.vendors import open_source

    timeouts = {name: source.timeout for name, source in settings.erp.items()}
    async with AsyncExitStack() as opened:
        sources = []
        for name, source in settings.erp.items():
            erp = await open_source(name, source.vendor, source.options, data_dir=settings.data_dir, now=now)
            opened.push_async_callback(erp.close)
            sources.append(erp)
        hub = ErpHub(sources, timeouts=timeouts, metrics=metrics, now=now)
        opened.pop_all()  # from here on the hub closes them
    stack.push_async_callback(hub.close)
    return hub


def _policy(settings: Settings) -> AccessPolicy:
    from bot.access.policy import AccessPolicy, Rule

    access = settings.access
    rules = (Rule(commands=rule.commands, roles=rule.roles, conversations=rule.conversations) for rule in access.rules)
    return AccessPolicy(rules=tuple(rules), roles=access.roles)


def renderer(settings: Settings) -> CardRenderer:
    """Return what draws cards, as the settings say."""
    from bot.cards.budget import Budget
    from bot.cards.language import load_languages
    from bot.cards.render import CardRenderer

    cards = settings.cards
    return CardRenderer(
        languages=load_languages(),
        budget=Budget(body_bytes=cards.body_bytes, buttons_bytes=cards.buttons_bytes),
        custom_dir=cards.folder,
    )


def templates(settings: Settings) -> TemplateChoice:
    """Return which DingTalk template draws which card."""
    from bot.dingtalk.card_wire import ButtonStyle, CardTemplate, TemplateChoice, own_template

    chosen = {
        name: own_template(one.template_id, ButtonStyle(one.button_style), one.variables)
        for name, one in settings.cards.templates.items()
    }
    return TemplateChoice(default=chosen.pop("default", CardTemplate()), by_card=chosen)


async def _resume(rooms: _Rooms, settings: Settings, now: Callable[[], datetime]) -> None:
    """Answer what an earlier run acknowledged and did not answer."""
    from bot.chat.pipeline import FRESH
    from bot.dingtalk.messages import parse_message

    letters = await rooms.inbox.unanswered(now() - FRESH)
    for letter in letters:
        names = settings.dingtalk.robot_names
        rooms.questions.resume(parse_message(letter.payload, robot_names=names, fallback_id=letter.msg_id, now=now))
    if letters:
        log.info("inbox.resumed", questions=len(letters))


async def _prune(inbox: StoredInbox, now: Callable[[], datetime]) -> None:
    while True:
        await inbox.prune(now())
        await asyncio.sleep(_INBOX_PRUNED_EVERY)


@asynccontextmanager
async def _web(settings: Settings, metrics: Metrics, stream: StreamClient, rooms: _Rooms) -> AsyncIterator[int]:
    from bot.store.engine import reachable
    from bot.web.server import make_web_app, serving

    async def readiness() -> Sequence[str]:
        reasons = []
        if not stream.status.connected:
            reasons.append(f"no stream connection: {stream.status.last_error or 'still opening'}")
        try:
            if not await reachable(rooms.engine):
                reasons.append("the database needs an upgrade")
        except (DingerpError, OSError, TimeoutError) as error:
            reasons.append(f"the database does not answer: {type(error).__name__}")
        return reasons

    app = make_web_app(metrics=metrics, readiness=readiness)
    async with serving(app, settings.http.host, settings.http.port) as port:
        yield port


async def _wind_down(stream: StreamClient, rooms: _Rooms) -> None:
    """Take nothing new, finish what is at work; what is left stays in the inbox for the next start."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + GRACE
    await stream.stop(grace=1.0)
    left = await rooms.questions.drain(max(0.0, deadline - loop.time() - 1.0))
    if left:
        log.warning("bot.left_for_next_start", questions=left)


class Background:
    """The tasks that must always run; the first death among them is the app's."""

    def __init__(self) -> None:
        self.died: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    @asynccontextmanager
    async def running(self, work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
        """Keep ``work`` running beside the context and end it with it."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._report)
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _report(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.critical("bot.part_died", part=task.get_name(), exc_info=error)
            if not self.died.done():
                self.died.set_result(error)


class _Entries:
    """Lets `bot.access.people` look into DingTalk's directory."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def entry(self, user_id: str) -> Entry:
        """Return what the directory says about a member."""
        from bot.access.people import Entry

        person = await self._directory.person(user_id)
        return Entry(name=person.name, roles=person.roles, departments=person.departments, is_admin=person.is_admin)
