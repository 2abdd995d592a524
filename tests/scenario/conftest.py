"""The whole bot over the wire: a simulated DingTalk and `bot.app` in one process, joined by real sockets.

`system` is a running pair; people in it `ask` and `click`, and see what the conversation shows them.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.app import App
from bot.app import running as app_running
from bot.bootstrap.infrastructure import Infrastructure
from bot.chat.answers.probe_results import ProbeResults
from bot.dingtalk.openapi import ApiRetryPolicy
from bot.dingtalk.stream_policy import StreamPolicy
from bot.kit.demo import demo_settings
from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.chat import ChatItem, SimDelivery, SimMessage
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import ClickResult, SimEngine
from bot.kit.simulator.server import RunningSimulator
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.settings import Settings, load_settings
from tests.scenario.traffic import LONGEST_WAIT, eventually
from tests.unlimited import NO_LIMIT

KEEPER, ENGLISH, OUTSIDER = "keeper01", "sales_en", "ext_carrier"


@dataclass(frozen=True, slots=True)
class BotSystem:
    engine: SimEngine
    app: App

    @property
    def group(self) -> str:
        """The first group: warehouse and sales, with an outsider in it."""
        return next(
            conversation.id for conversation in self.engine.chat.conversations.values() if conversation.kind == "group"
        )

    async def ask(self, text: str, who: str = KEEPER, *, where: str = "", **more: Any) -> SimCardView:
        """Ask the bot and return the card that answers, as the asker sees it."""
        message = self.engine.say(where or self.group, who, text, **more)
        return await self.engine.wait_for(
            lambda: next(iter(self.engine.cards_for(message)), None), timeout=LONGEST_WAIT
        )

    def cards_of(self, who: str) -> dict[str, SimCardView]:
        """Return the answers and forms that this person alone holds, by their ids."""
        places = self.engine.chat.conversations.values()
        found = ((place, item) for place in places for item in place.items if isinstance(item, SimDelivery))
        alone = [item for place, item in found if {who} in (item.recipients, {*place.members[: place.kind != "group"]})]
        tracks = {item.card.out_track_id: item.card for item in alone}
        return {track: card.view_for(who) for track, card in tracks.items() if not track.startswith("c1-")}

    async def answer_to(self, card: SimCardView, who: str, before: Mapping[str, SimCardView]) -> SimCardView:
        """Return what a tap has shown: the card, or what the clicker alone got where the card says so.

        ``before`` are their `cards_of` before the tap.
        """
        seen = self.see(card, who)
        if "已单独发给你" not in seen.tips:
            return seen
        shown: list[SimCardView] = await self.engine.wait_for(
            lambda: [view for track, view in self.cards_of(who).items() if before.get(track) != view]
        )
        return shown[-1]

    async def click(self, card: SimCardView, button: str, who: str = KEEPER) -> SimCardView:
        """Press the button with this text and return the card as the clicker sees it then."""
        result = await self.press(card, button, who)
        assert result.ok, result.toast
        return self.see(card, who)

    async def press(self, card: SimCardView, button: str, who: str = KEEPER) -> ClickResult:
        """Press the button with this text or id."""
        return await self.engine.click(card.out_track_id, who, button)

    def see(self, card: SimCardView, who: str = KEEPER) -> SimCardView:
        """Return the card as this person sees it now."""
        instance = self.engine.cards.get(card.out_track_id)
        assert instance is not None
        return instance.view_for(who)

    def answers(self, message: SimMessage) -> list[ChatItem]:
        """Return everything that the bot wrote into the message's conversation after it."""
        later = self.engine.chat.items(message.conversation, "", message.seq)
        return [item for item in later if isinstance(item, SimDelivery) or item.sender is None]

    async def settle(self) -> None:
        """Wait until the bot has counted and logged all its answers."""
        await eventually(lambda: not self.count("questions_waiting"), hint=lambda: "questions wait")

    def count(self, metric: str, **labels: str) -> float:
        """Return one of the bot's own counters (without the prefix ``dingerp_``)."""
        name = f"dingerp_{metric}"
        # The registry's own `get_sample_value` collects all metrics for one, and tests ask often.
        families = self.app.metrics.registry.restricted_registry([name]).collect()
        samples = (sample for family in families for sample in family.samples)
        return next((sample.value for sample in samples if sample.name == name and sample.labels == labels), 0.0)


IMPATIENT = SimulatorConfig(
    qps_limit=None,
    quota_limit=None,
    redelivery_delay=0.4,
    redeliveries=50,
    ping_interval=0.3,
    hard_close=0.5,
    click_timeout=1.0,
)
POLICY = StreamPolicy(
    open_timeout=0.5,
    backoff_first=0.05,
    backoff_max=0.3,
    unauthorized_wait=0.3,
    heartbeat=0.6,
    drain=0.5,
    close_timeout=0.2,
)
PATIENCE = ApiRetryPolicy(per_try=0.5, connect=0.5, overall=4.0, tries=3, backoff=0.05)
"""Short time-outs and pauses for bot and simulator."""

CLICK_SECONDS = 4.0
"""So long a click is worked on here, and DingTalk waits longer: a slow machine is hardly a reason for "please wait".

After five seconds the stream itself gives up (`bot.dingtalk.stream`).

What happens when it takes too long is tested with limits of its own.
"""

READING: Mapping[str, Any] = {"understanding": {"enabled": True}}
"""Of a system that reads sentences, too."""

MILD = SimulatorConfig(qps_limit=None, answers_public=False, private_values=True)
"""A platform on which answers to clicks are for the clicker alone and values for single people arrive."""

OpenSystem = Callable[..., AbstractAsyncContextManager[BotSystem]]


@pytest.fixture
def confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let somebody have seen that the platform is `MILD`."""
    seen = ProbeResults(private_values=True, own_answers=True)
    monkeypatch.setattr(Infrastructure, "confirmed", lambda base: seen)


@pytest.fixture
def open_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenSystem:
    """Return a function that opens a system in its own folder; see `run_system`."""
    monkeypatch.chdir(tmp_path)
    return partial(run_system, tmp_path)


@pytest.fixture
def open_impatient_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenSystem:
    """Return a function that opens a system with short time-outs."""
    monkeypatch.chdir(tmp_path)
    return partial(run_system, tmp_path, IMPATIENT, policy=POLICY, patience=PATIENCE)


@asynccontextmanager
async def run_system(
    folder: Path,
    config: SimulatorConfig | None = None,
    *,
    policy: StreamPolicy | None = None,
    patience: ApiRetryPolicy | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    simulator: RunningSimulator | None = None,
    **changes: Any,
) -> AsyncIterator[BotSystem]:
    """Open a system with its files in ``folder``; ``changes`` are settings of the bot, ``config`` is the
    simulator's. A ``simulator`` that runs with that already is used, as by a bot that starts again."""
    config = config or SimulatorConfig(qps_limit=None)
    if config.click_timeout == SimulatorConfig().click_timeout:
        config = replace(config, click_timeout=LONGEST_WAIT)
    async with nullcontext(simulator) if simulator is not None else simulator_running(config) as simulator:
        settings = system_settings(config, simulator.url, folder, changes)
        async with app_running(settings, policy=policy, patience=patience, clock=clock) as app:
            await simulator.engine.wait_for(lambda: simulator.engine.pushes.connections)
            yield BotSystem(simulator.engine, app)


def system_settings(config: SimulatorConfig, url: str, folder: Path, changes: Mapping[str, Any]) -> Settings:
    """Return the demo's settings with ``changes``: whole parts, or a mapping of the fields of a part."""
    settings = demo_settings(load_settings(data_dir=folder), config, url)
    unlimited = {
        "qps": math.inf,
        "person": NO_LIMIT,
        "conversation": NO_LIMIT,
        "click_seconds": CLICK_SECONDS,
        # On a busy machine any answer may take long: most tests count the calls of quick ones.
        "interim_seconds": 0.0,
    }
    limits = settings.limits.model_copy(update=unlimited)
    # People are looked up when they ask: a walk through the directory would be among the calls that tests count.
    # Who may see what of another ERP is chosen already, as every operator has to.
    access = settings.access.model_copy(update={"sync_hours": 0.0, "open": True})
    # Documents are kept where a test asks for them: reading the whole company takes as long as many a test.
    kept = settings.read_model.model_copy(update={"enabled": False})
    # Sentences are read where a test asks them (`READING`): to learn the company's words takes a third of a start.
    understanding = settings.understanding.model_copy(update={"enabled": False})
    # A first answer is like all others, but where a test is about newcomers.
    notify = settings.notify.model_copy(update={"welcome": False})
    parts = {
        "limits": limits,
        "access": access,
        "read_model": kept,
        "understanding": understanding,
        "notify": notify,
    }
    settings = settings.model_copy(update={**parts, "database_url": SecretStr("")})
    for name, value in changes.items():
        part = getattr(settings, name)
        new = (
            part.model_copy(update=dict(value)) if isinstance(value, Mapping) and hasattr(part, "model_copy") else value
        )
        settings = settings.model_copy(update={name: new})
    return settings


@pytest.fixture
async def system(open_system: OpenSystem) -> AsyncIterator[BotSystem]:
    """A system with the standard settings, without DingTalk's limits."""
    async with open_system() as opened:
        yield opened


@pytest.fixture
async def reading_system(open_system: OpenSystem) -> AsyncIterator[BotSystem]:
    """The same, and it reads sentences."""
    async with open_system(**READING) as opened:
        yield opened
