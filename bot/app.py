"""The composition root: settings → parts → running app. Only it, `bot.bootstrap` and the CLI know all packages.

The stream opens last: whatever may stop a start, such as a wrong setting, a port that is taken or a database that
another bot uses, is found before DingTalk hands over a message.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import aiohttp
import structlog
from yarl import URL

from bot.dingtalk.callbacks import changed_instance, parse_click
from bot.dingtalk.contact_events import read_contact_change
from bot.dingtalk.dispatcher import AcknowledgeFrame
from bot.dingtalk.errors import UnknownEvent
from bot.dingtalk.form_wire import shown_response
from bot.dingtalk.frames import Push
from bot.dingtalk.messages import parse_message
from bot.dingtalk.openapi import ApiRetryPolicy, pooled_session
from bot.dingtalk.pushed_uses import count_click, count_event
from bot.dingtalk.sdk import ChatbotMessage, Credential, EventMessage
from bot.dingtalk.stream import StreamClient
from bot.dingtalk.stream_policy import StreamPolicy
from bot.mechanisms.agreed_clock import AgreedClock
from bot.mechanisms.background import BackgroundTasks, Runs
from bot.mechanisms.health import HealthReport, down
from bot.mechanisms.metrics import Metrics
from bot.settings import Settings
from bot.web.hooks import HookEndpoint
from bot.web.key_page import KeyPage
from bot.web.server import listening, make_web_app, serving_at
from bot.words.phrase import Words, phrase

if TYPE_CHECKING:
    from bot.bootstrap.alerts import AlertServices
    from bot.bootstrap.approvals import ApprovalServices
    from bot.bootstrap.replicas import Replica
    from bot.bootstrap.services import Services
    from bot.erp.hub import ErpHub

log = structlog.get_logger(__name__)

MESSAGE_TOPIC: str = ChatbotMessage.TOPIC
CLICK_TOPIC = "/v1.0/card/instances/callback"

SHUTDOWN_GRACE = 9.0
"""Seconds for running work when the process is asked to end; Docker kills after 10."""

_GC_THRESHOLDS = (5_000, 5, 100)
"""How many new objects make the collector run, and how often it looks through older ones:
3 ms at a time, where 50 000 objects took 9 and made ACKs wait (measured)."""

_M_ARENA_MAX = -8
"""Parameter of ``mallopt`` (mallopt(3))."""


@dataclass(frozen=True, slots=True)
class App:
    """A running bot, as the command line and the tests see it."""

    settings: Settings
    metrics: Metrics
    stream: StreamClient
    port: int
    """Port of the bot's own HTTP server."""
    hub: ErpHub
    alerts: AlertServices
    approvals: ApprovalServices
    read_rules_again: Callable[[], Awaitable[Sequence[Words]]]
    """Reads the files of rules now, and returns what is wrong with them."""
    died: asyncio.Future[BaseException]
    """Done when a vital part has ended with an error."""


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    policy: StreamPolicy | None = None,
    patience: ApiRetryPolicy | None = None,
    clock: Callable[[], datetime] | None = None,
) -> AsyncIterator[App]:
    """Run the bot until the context ends, then finish running work within `SHUTDOWN_GRACE` seconds.

    ``policy`` and ``patience`` hold the times of the stream and of calls; the defaults suit the real DingTalk.
    ``clock`` gives aware times in place of the system's. Raises `ConfigurationError` when the settings cannot work.
    """
    zone = ZoneInfo(settings.zone)

    agreed = AgreedClock(zone)
    now = agreed.now if clock is None else lambda: clock().astimezone(zone)

    async with AsyncExitStack() as stack:
        # Imported here: the command line takes half a second less for what starts no bot.
        from bot.bootstrap.database import open_database
        from bot.bootstrap.preflight import check_settings
        from bot.bootstrap.replicas import join_replicas
        from bot.bootstrap.services import build_services

        metrics = Metrics()
        check_settings(settings)
        # The database first: of two bots on one, the second is told so, and not that its port is taken.
        database = await open_database(stack, settings)
        background = BackgroundTasks()
        replica = await join_replicas(stack, background, settings, database, metrics, agreed)
        listeners = stack.enter_context(listening(settings.http.host, settings.http.port))
        settings = with_own_port(settings, listeners)
        session = await stack.enter_async_context(pooled_session(proxy=settings.dingtalk.proxy or None))
        services = await build_services(
            stack, background, settings, database, session, metrics, now, patience, replica=replica
        )
        stream = open_stream(settings, session, metrics, policy)
        _register_handlers(stream, services, settings, now)
        port = await stack.enter_async_context(_serve_web(listeners, metrics, stream, services, settings, now))
        await stack.enter_async_context(background.running(stream.run, "stream", Runs.EVERYWHERE))
        try:
            yield App(
                settings,
                metrics,
                stream,
                port,
                services.hub,
                services.alerts,
                services.approvals,
                services.read_rules_again,
                background.failed,
            )
        finally:
            await _shut_down(stream, services, replica)


async def run_until_stopped(settings: Settings) -> None:
    """Run the bot until SIGTERM or SIGINT; SIGHUP makes it read the files of rules again.

    Raises the error of a vital part, for a supervisor to restart it.
    """
    # Who closes the terminal of a bot that was started by hand wants it to end.
    by_hand = sys.stdin is not None and sys.stdin.isatty()
    stop = stop_signal(hangup=by_hand)
    reload = asyncio.Event() if by_hand else set_by("SIGHUP")
    _limit_malloc_arenas()
    async with running(settings) as app:
        _tune_garbage_collector()
        log.info("bot.running", port=app.port, sources=sorted(settings.erp))
        app.died.add_done_callback(lambda _: stop.set())
        reloading = asyncio.create_task(_reload(app, reload))
        await stop.wait()
        reloading.cancel()
        log.info("bot.stopping")
    if app.died.done():
        raise app.died.result()
    log.info("bot.stopped")


def _limit_malloc_arenas() -> None:
    """Let all threads share one arena of memory.

    The C library gives each thread its own, which costs 2 MB and gains nothing where one thread runs Python at a time.
    Systems without the call stay as they are.
    """
    allocator = getattr(ctypes.CDLL(None), "mallopt", None)
    if allocator is not None:
        allocator(_M_ARENA_MAX, 1)


def _tune_garbage_collector() -> None:
    """Exclude everything that lives as long as the process from garbage collection.

    Modules, templates and tables are some 300 000 objects. To walk them again and again took a sixth of the time of an
    answer and delayed acknowledgements, and there is hardly any garbage among them (ten objects, measured). Later
    objects are collected in small portions.
    """
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    gc.enable()


async def _reload(app: App, asked: asyncio.Event) -> None:
    """Read the files of rules each time that it is asked for."""
    while True:
        await asked.wait()
        asked.clear()
        wrong = await app.read_rules_again()
        if wrong:
            log.error("bot.reloaded_in_part", wrong=[*map(str, wrong)])
        else:
            log.info("bot.reloaded")


def stop_signal(*, hangup: bool = True) -> asyncio.Event:
    """Return an event that is set by SIGTERM or SIGINT, and with ``hangup`` by the end of the terminal."""
    return set_by("SIGTERM", "SIGINT", *(("SIGHUP",) if hangup else ()))


def set_by(*signals: str) -> asyncio.Event:
    """Return an event that these signals set, where the system has them."""
    asked = asyncio.Event()
    for number in (getattr(signal, name) for name in signals if hasattr(signal, name)):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    return asked


def open_stream(
    settings: Settings, session: aiohttp.ClientSession, metrics: Metrics, policy: StreamPolicy | None = None
) -> StreamClient:
    """Return a client for the stream, which connects when it runs."""
    dingtalk = settings.dingtalk
    return StreamClient(
        Credential(dingtalk.client_id, dingtalk.client_secret.get_secret_value()),
        session=session,
        metrics=metrics,
        endpoint=dingtalk.openapi_endpoint,
        proxy=dingtalk.proxy or None,
        policy=policy,
    )


def _register_handlers(
    stream: StreamClient, services: Services, settings: Settings, now: Callable[[], datetime]
) -> None:
    """Register the handlers of messages, clicks and events."""
    names = settings.dingtalk.robot_names

    def on_message(push: Push, acknowledge: AcknowledgeFrame) -> None:
        message = parse_message(push.data, robot_names=names, fallback_id=push.message_id, now=now)
        services.questions.accept(message, push.text, acknowledge)

    async def on_click(push: Push) -> Mapping[str, Any]:
        click = parse_click(push.data)
        count_click(services.meter, click)
        reply = await services.clicks.answer(click)
        return {} if reply is None else shown_response(reply, services.templates.of(click.made_as), click.made_as)

    stream.receive_deferred(MESSAGE_TOPIC, on_message, services.questions.flush)
    stream.receive(CLICK_TOPIC, on_click)
    stream.receive_events(partial(_on_event, services, settings.approvals.native.process))


async def _on_event(services: Services, process: str, event: EventMessage) -> None:
    """Record an event about the directory, or about an approval in DingTalk's own app.

    Raises `UnknownEvent` for others; where approvals are wanted, those of other forms are ignored.
    """
    count_event(services.meter, event)
    if (change := read_contact_change(event)) is not None:
        await services.contact_events.take(change)
        return
    if not process:
        raise UnknownEvent
    instance = changed_instance(event, process)
    if not instance:
        return
    oa_sync = services.approvals.oa_sync
    if oa_sync is not None:
        await oa_sync.notify(instance)


def with_own_port(settings: Settings, listeners: Sequence[socket.socket]) -> Settings:
    """Return the settings with the port that the bot got in the address of its pages, where that is left open."""
    address = URL(settings.http.public_url)
    if not settings.http.public_url or address.explicit_port != 0:
        return settings
    found = str(address.with_port(listeners[0].getsockname()[1])).rstrip("/")
    return settings.model_copy(update={"http": settings.http.model_copy(update={"public_url": found})})


@asynccontextmanager
async def _serve_web(
    listeners: Sequence[socket.socket],
    metrics: Metrics,
    stream: StreamClient,
    services: Services,
    settings: Settings,
    now: Callable[[], datetime],
) -> AsyncIterator[int]:
    async def readiness() -> HealthReport:
        broken: Words = "" if stream.status.connected else stream.status.last_error or phrase("still opening")
        connection = down(broken and phrase("no stream connection: %(why)s", why=broken))
        return HealthReport({"stream": connection, **await services.health()}, services.rules.tell())

    services.report.made_by = readiness
    hooks = HookEndpoint(hooks=services.alerts.hooks, intake=services.alerts.intake, metrics=metrics, now=now)
    page = KeyPage(services.keys, services.language_of) if settings.http.public_url else None
    app = make_web_app(
        metrics=metrics,
        readiness=readiness,
        hooks=hooks,
        key_page=page,
        site=services.site,
        api=services.api,
        agents=services.agents,
        logins=services.logins,
    )
    async with serving_at(app, listeners) as port:
        yield port


async def _shut_down(stream: StreamClient, services: Services, replica: Replica | None) -> None:
    """Accept nothing new and finish running work; unanswered questions stay in the inbox for the next start.

    Another replica leads at once.
    """
    if replica is not None:
        await replica.retire()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SHUTDOWN_GRACE
    await stream.stop(grace=1.0)
    await services.clicks.close()
    left = await services.questions.drain(max(0.0, deadline - loop.time() - 1.0))
    if left:
        log.warning("bot.left_for_next_start", questions=left)
