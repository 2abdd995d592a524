"""The bot beside a DingTalk of its own: what ``dingerp demo`` and ``dingerp simulator`` start."""

from __future__ import annotations

import asyncio
import webbrowser
from contextlib import AsyncExitStack

from pydantic import SecretStr

from bot.app import running, stop_signal
from bot.errors import ConfigurationError
from bot.settings import DingTalkSettings, ErpSettings, Settings
from bot.simulator.config import SimulatorConfig
from bot.simulator.enterprise import demo_enterprise
from bot.simulator.server import running as simulator_running


async def run_demo(settings: Settings, *, port: int, browser: bool) -> None:
    """Run simulator, bot and the embedded company until the process is asked to end.

    Raises `ConfigurationError` when the port is taken.
    """
    stop = stop_signal()
    config = SimulatorConfig()
    async with AsyncExitStack() as stack:
        try:
            simulator = await stack.enter_async_context(simulator_running(config, port=port))
        except OSError as error:
            raise ConfigurationError(f"cannot listen on port {port} ({error.strerror}); try --port") from None
        await stack.enter_async_context(running(demo_settings(settings, config, simulator.url)))
        _announce(f"{simulator.url}/")
        if browser:
            await asyncio.to_thread(webbrowser.open, f"{simulator.url}/")
        await stop.wait()


async def run_simulator(*, host: str, port: int, unlimited: bool) -> None:
    """Run the simulator alone until the process is asked to end; raises `ConfigurationError` when the port is taken."""
    stop = stop_signal()
    config = SimulatorConfig(qps_limit=None, quota_limit=None) if unlimited else SimulatorConfig()
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


def demo_settings(settings: Settings, config: SimulatorConfig, url: str) -> Settings:
    """Return the settings with which a bot works against the simulator at ``url``, its people and the demo company."""
    return settings.model_copy(
        update={
            "dingtalk": DingTalkSettings(
                client_id=config.client_id,
                client_secret=SecretStr(config.client_secret),
                corp_id=config.corp_id,
                robot_names=(config.robot_name,),
                openapi_endpoint=url,
                oapi_endpoint=url,
            ),
            "erp": settings.erp or {"demo": ErpSettings(vendor="demo")},
            "access": settings.access.model_copy(update={"directory": True}),
            "data_dir": settings.data_dir / "demo",
            "database_url": SecretStr(""),
            "http": settings.http.model_copy(update={"port": 0}),
            "languages": {
                person.user_id: person.language for person in demo_enterprise().people.values() if not person.external
            },
        }
    )


def _announce(text: str) -> None:
    # The one line that whoever started this waits for, so it must not stay in a buffer.
    print(text, flush=True)  # noqa: T201
