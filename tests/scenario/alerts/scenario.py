"""Scenarios on a timeline: at one moment something happens, then every place shows exactly these cards.

The whole bot runs against the simulated DingTalk, over real sockets; only its clock is the test's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from pydantic import SecretStr

from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.chat import SimDelivery
from bot.settings import AlertSettings, HookSettings
from tests.scenario.conftest import BotSystem, run_system
from tests.scenario.traffic import eventually

START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
"""A Tuesday, ten in the morning in China."""

LATE = timedelta(milliseconds=20)

WAREHOUSE, BUYING = "cidKp3Lr+9x/WhSales0001Aa==", "cidQm7Tz/4b+BuyFin00002Bb=="
"""The two groups of the simulated company."""

_KEY = b"a-secret-for-tests-only!"
_SECRET = "whsec_" + base64.b64encode(_KEY).decode()


@dataclass(slots=True)
class Clock:
    """The bot's clock; only tests move it."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class AlertScenario:
    """A bot system whose clock is moved by hand."""

    system: BotSystem
    clock: Clock
    folder: Path
    session: aiohttp.ClientSession
    _ids: itertools.count[int] = field(default_factory=itertools.count)

    async def at(self, text: str) -> None:
        """Move the clock to this time after the start (``30s``, ``5m``, ``2h``, ``1d``), a little late as timers are,
        then let the bot do all that is due.
        """
        unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[text[-1]]
        moment = START + timedelta(**{unit: float(text[:-1])})
        assert moment >= self.clock.now, "time goes forward"
        self.clock.now = moment + LATE
        await self.settle()

    async def post(self, *events: Mapping[str, Any], status: int = 202) -> dict[str, Any]:
        """Send signed events to the bot's hook, and let the bot do everything that follows at once."""
        body = orjson.dumps(list(events))
        async with self.session.post(
            f"http://127.0.0.1:{self.system.app.port}/hooks/erp", data=body, headers=self.signed(body)
        ) as response:
            assert response.status == status, await response.text()
            answer: dict[str, Any] = await response.json()
        await self.settle()
        return answer

    def signed(self, body: bytes) -> dict[str, str]:
        """Return the headers of a signed request."""
        name, sent = f"msg-{next(self._ids)}", str(int(self.clock.now.timestamp()))
        digest = hmac.new(_KEY, b".".join((name.encode(), sent.encode(), body)), hashlib.sha256).digest()
        return {
            "webhook-id": name,
            "webhook-timestamp": sent,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
            "content-type": "application/json",
        }

    def event(self, kind: str, subject: str, /, **data: Any) -> dict[str, Any]:
        """Return an event at the current time; ``id`` and ``severity`` may be given."""
        envelope = {name: data.pop(name) for name in ("id", "severity") if name in data}
        return {
            "specversion": "1.0",
            "id": f"e{next(self._ids)}",
            "source": "/erp",
            "type": kind,
            "subject": subject,
            "time": self.clock.now.isoformat(),
            "data": data,
            **envelope,
        }

    def low(self, sku: str, available: str = "3", **data: Any) -> dict[str, Any]:
        """Return the event that a product is below its reorder point, or no longer is."""
        return self.event("stock.low", sku, sku=sku, available=available, reorder_point="10", unit="个", **data)

    def cards(self, place: str, who: str = "keeper01") -> list[SimCardView]:
        """Return the cards that the bot showed unasked at a place, oldest first, as a person sees them now.

        ``place`` is a group's id, or the userId of a person whose own chat with the bot is meant.
        """
        chat = self.system.engine.chat
        groups = [
            conversation
            for conversation in chat.conversations.values()
            if place in (conversation.id, *self._direct(conversation))
        ]
        tracks = [item.card.out_track_id for group in groups for item in group.items if isinstance(item, SimDelivery)]
        cards = [self.system.engine.cards.get(track) for track in dict.fromkeys(tracks)]
        reader = place if place in self.system.engine.enterprise.people else who
        return [card.view_for(reader) for card in cards if card is not None and card.out_track_id.startswith("c1-")]

    @staticmethod
    def _direct(conversation: Any) -> tuple[str, ...]:
        return tuple(conversation.members) if conversation.kind != "group" else ()

    def titles(self, place: str) -> list[str]:
        """Return the titles of the cards at a place."""
        return [card.title for card in self.cards(place)]

    @property
    def calls(self) -> int:
        """API calls so far that count against the month."""
        return self.system.engine.flow.used

    async def settle(self) -> None:
        """Wait until the bot has no work left at this time of its clock."""
        services = self.system.app.alerts
        services.processor.poke()
        services.outbox.poke()
        # One connection for all looks: each new one reads the whole schema first.
        with closing(sqlite3.connect(self.folder / "demo" / "dingerp.sqlite3", timeout=5)) as connection:
            await eventually(partial(self._is_quiet, connection), hint=partial(self._rest, connection))

    def _is_quiet(self, connection: sqlite3.Connection) -> bool:
        if not any(self._rest(connection).values()):
            return True
        self.system.app.alerts.processor.poke()
        self.system.app.alerts.outbox.poke()
        return False

    def _rest(self, connection: sqlite3.Connection) -> dict[str, int]:
        now = int(self.clock.now.timestamp() * 1000)
        due = {
            "events": "SELECT count(*) FROM event WHERE state = 'waiting'",
            "alerts": f"SELECT count(*) FROM alert WHERE due_ms <= {now}",
            "cards": f"SELECT count(*) FROM alert_card WHERE due_ms <= {now}",
            "deliveries": f"SELECT count(*) FROM delivery WHERE state = 'queued' AND due_ms <= {now}",
        }
        return {name: connection.execute(query).fetchone()[0] for name, query in due.items()}


OpenAlertScenario = Callable[..., Any]


@pytest.fixture
def open_alert_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenAlertScenario:
    """Return a function that opens a scenario: ``open_alert_scenario(rules="…")``."""
    monkeypatch.chdir(tmp_path)
    return partial(open_timeline_in, tmp_path)


@asynccontextmanager
async def open_timeline_in(
    folder: Path, rules: str = "", *, clock: Clock | None = None, **changes: Any
) -> AsyncIterator[AlertScenario]:
    """Open a system with its own clock; ``rules`` are the alert rules; without them all alerts go to `WAREHOUSE`."""
    clock = clock or Clock()
    file = folder / "alerts.toml"
    if rules:
        file.write_text(rules)
    changes = {
        "alerts": AlertSettings(default_groups=(WAREHOUSE,), rules=file if file.is_file() else None),
        "hooks": {"erp": HookSettings(secret=SecretStr(_SECRET))},
        "outbox": {"per_second": 1000, "place_minute": 1000},
        # Learning the names of products and partners would cost as much as most of these tests.
        "index": {"enabled": False},
        "understanding": {"enabled": False},
        **changes,
    }
    async with run_system(folder, clock=clock, **changes) as system, aiohttp.ClientSession() as session:
        yield AlertScenario(system, clock, folder, session)
