"""The bot beside a DingTalk of its own: what ``dingerp demo`` and ``dingerp simulator`` start."""

from __future__ import annotations

import asyncio
import webbrowser
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from bot.app import running, stop_signal
from bot.cards.language import load_languages
from bot.chat.registry import Commands
from bot.kit.simulator.config import SimulatorConfig, SuggestedCommand
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.enterprise import demo_enterprise
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.settings import (
    ACCESS_RULES,
    ALERT_RULES,
    APPROVAL_RULES,
    EMBEDDED,
    QUESTIONS,
    DingTalkSettings,
    ErpSettings,
    PollSettings,
    Settings,
    SheetSettings,
)
from bot.words.errors import ConfigurationError

FINANCE_GROUP = "cidQm7Tz/4b+BuyFin00002Bb=="
"""The simulated group of purchasing and finance."""

DEMO_ACCESS = Path(__file__).with_name("demo_access.toml")
DEMO_QUESTIONS = Path(__file__).with_name("demo_questions.toml")
DEMO_ALERTS = Path(__file__).with_name("demo_alerts.toml")
DEMO_APPROVALS = Path(__file__).with_name("demo_approvals.toml")
"""Rules that hold while there are none of the operator's own."""

OWN_ADDRESS = "http://127.0.0.1:0"
"""Of the bot's pages, at the port that it gets."""

POLL_SECONDS, LIST_SECONDS = 5.0, 15.0
"""People who try the demo want to see an alert within seconds, and polling the embedded company costs nothing.

What is kept of its documents is no older: a report is compared with a list that was asked for a moment later.
"""


SHEET_BASE, SHEET, SHEET_OWNER = "demo", "采购单", "buymanager01"
SHEET_MINUTES = 0.5


async def run_demo(settings: Settings, *, port: int, browser: bool, still: bool = False) -> None:
    """Run simulator, bot and the embedded company until the process is asked to end.

    The company lives and raises alerts by itself, unless it is ``still``. Raises `ConfigurationError` when the port is
    taken.
    """
    stop = stop_signal()
    config = SimulatorConfig(commands=suggested_commands())
    async with AsyncExitStack() as stack:
        try:
            simulator = await stack.enter_async_context(simulator_running(config, port=port))
        except OSError as error:
            raise ConfigurationError(f"cannot listen on port {port} ({error.strerror}); try --port") from None
        demo = demo_settings(settings, config, simulator.url)
        demo = share_orders(demo, simulator.engine)
        await _remember(demo)
        app = await stack.enter_async_context(running(with_company(demo, settings, living=not still)))
        simulator.engine.home_page = f"{app.settings.http.public_url}/"
        _announce(f"{simulator.url}/")
        _announce(f"pages and API: {app.settings.http.public_url}/")
        if browser:
            await asyncio.to_thread(webbrowser.open, f"{simulator.url}/")
        await stop.wait()


async def run_simulator(*, host: str, port: int, unlimited: bool) -> None:
    """Run the simulator alone until the process is asked to end; raises `ConfigurationError` when the port is taken."""
    stop = stop_signal()
    config = SimulatorConfig(commands=suggested_commands())
    if unlimited:
        config = replace(config, qps_limit=None, quota_limit=None)
    async with AsyncExitStack() as stack:
        try:
            simulator = await stack.enter_async_context(simulator_running(config, host=host, port=port))
        except OSError as error:
            raise ConfigurationError(f"cannot listen on port {port} ({error.strerror}); try --port") from None
        _announce(
            f"{simulator.url}/\n"
            f"DINGTALK_OPENAPI_ENDPOINT={simulator.url} DINGTALK_OAPI_ENDPOINT={simulator.url} "
            f"DINGTALK_CLIENT_ID={config.client_id} DINGTALK_CLIENT_SECRET={config.client_secret}"
        )
        await stop.wait()


def suggested_commands() -> tuple[SuggestedCommand, ...]:
    """Return all installed commands, which the simulator's page offers after a slash."""
    languages = load_languages()
    chinese, english = languages["zh_CN"], languages["en"]
    return tuple(
        SuggestedCommand(name=command.name, chinese=chinese.say(command.summary), english=english.say(command.summary))
        for command in Commands.discover().values()
    )


async def _remember(demo: Settings) -> None:
    """Let the demo's database know of the year before it."""
    # Imported here: the library of tables takes half a second, which other commands need not wait for.
    from bot.kit.demo_waits import seed_waits
    from bot.store.database import Database

    demo.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(demo.database, folder=demo.data_dir)
    try:
        await database.migrate()
        await seed_waits(database, datetime.now(ZoneInfo(demo.zone)))
    finally:
        await database.close()


def share_orders(demo: Settings, engine: SimEngine) -> Settings:
    """Make an AI table, and return the settings of a bot that keeps the purchasing manager's orders in it.

    It is refreshed more often than settings allow, which costs nothing here: somebody looks on.
    """
    if demo.sheets or EMBEDDED not in demo.erp:
        return demo
    owner = engine.person(SHEET_OWNER)
    engine.tables.add(SHEET_BASE, SHEET, editors=[owner.union_id])
    wanted = SheetSettings(
        base=SHEET_BASE,
        sheet=SHEET,
        owner=SHEET_OWNER,
        line="/po",
        shared=True,
        edits={"审批意见": {"同意": "/approve {number}", "*": "/reject {number} {value}"}},
    )
    return demo.model_copy(update={"sheets": {"orders": wanted.model_copy(update={"every": SHEET_MINUTES})}})


def demo_settings(settings: Settings, config: SimulatorConfig, url: str) -> Settings:
    """Return the settings of a bot that works with the simulator at ``url``, its people and a company at rest.

    Nothing in it changes by itself, so no ERP is polled.
    """
    return settings.model_copy(
        update={
            "dingtalk": DingTalkSettings(
                client_id=config.client_id,
                client_secret=SecretStr(config.client_secret),
                corp_id=config.corp_id,
                robot_names=(config.robot_name,),
                openapi_endpoint=url,
                oapi_endpoint=url,
                login_page=f"{url}/oauth2/auth",
            ),
            "erp": settings.erp or {EMBEDDED: ErpSettings.model_validate({"vendor": EMBEDDED})},
            "poll": settings.poll.model_copy(update={"enabled": False}),
            "access": settings.access.model_copy(update={"directory": True}),
            "data_dir": settings.data_dir / "demo",
            "database_url": SecretStr(""),
            "http": settings.http.model_copy(update={"port": 0, "public_url": OWN_ADDRESS}),
            "languages": {
                person.user_id: person.language for person in demo_enterprise().people.values() if not person.external
            },
        }
    )


def with_company(demo: Settings, settings: Settings, *, living: bool) -> Settings:
    """Return ``demo`` with who may see and decide what in the company, its alerts and its approvals.

    ``settings`` are the operator's own, which go before. A ``living`` company changes by itself.
    """
    company = demo.model_copy(
        update={
            "erp": {name: _alive(source, living) for name, source in demo.erp.items()},
            # Alerts for everything that is late or short from the start would be a wall of cards.
            "poll": PollSettings(seconds=POLL_SECONDS, list_seconds=LIST_SECONDS, backlog=False),
            "read_model": demo.read_model.model_copy(update={"seconds": min(POLL_SECONDS, demo.read_model.seconds)}),
            "access": demo.access.model_copy(update=_access(settings)),
            # The demo has no month's quota: its group sees an order from the first moment on.
            "approvals": demo.approvals.model_copy(update={"groups": (FINANCE_GROUP,), "group_cards": "waiting"}),
        }
    )
    ready = {ACCESS_RULES: DEMO_ACCESS, ALERT_RULES: DEMO_ALERTS, APPROVAL_RULES: DEMO_APPROVALS}
    if _has_database(company):
        ready[QUESTIONS] = DEMO_QUESTIONS
    return company.with_rules_of(settings, ready)


def _has_database(company: Settings) -> bool:
    """Return whether the embedded company lies where the ready questions ask for it."""
    source = company.erp.get(EMBEDDED)
    return source is not None and source.vendor == EMBEDDED and source.options.get("database") != ":memory:"


def _alive(source: ErpSettings, living: bool) -> ErpSettings:
    """Return a source that changes by itself if it is ``living`` and embedded: the README has its vendor exported."""
    if source.vendor != EMBEDDED:
        return source
    lives = living and source.options.get("living", True)
    return ErpSettings.model_validate({**source.model_dump(), "living": lives})


def _access(settings: Settings) -> dict[str, Any]:
    """Return who may decide and see what, and with which accounts: the demo company calls people as DingTalk does."""
    company = demo_enterprise()
    approvers = [person.user_id for person in company.people.values() if "approver" in person.roles]
    outsiders = {person.user_id for person in company.people.values() if person.external}
    return {
        "directory": True,
        "roles": {"approver": frozenset(approvers), **settings.access.roles},
        "outsider_groups": tuple(group.id for group in company.groups if not outsiders.isdisjoint(group.members)),
        "accounts": {
            **{
                person: dict.fromkeys(settings.erp or (EMBEDDED,), person)
                for person, entry in company.people.items()
                if not entry.external
            },
            **settings.access.accounts,
        },
    }


def _announce(text: str) -> None:
    # The user waits for this line, so it must not stay in a buffer.
    print(text, flush=True)  # noqa: T201
