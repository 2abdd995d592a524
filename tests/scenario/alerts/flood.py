"""A flood: one source reports matter after matter to one place, as fast as it is answered, and another source needs it.

What is compared comes from one run, so that it says the same on a slow machine: what an event takes of the processor in
the second half and in the first, and of the disk beside its own size.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp
import orjson
from sqlalchemy import func, select

from bot.kit.simulator.config import utc_now
from bot.store.database import Database
from bot.store.tables import EVENT
from tests.alerts.intake.signed_requests import SECRET, sign
from tests.scenario.alerts.storm import SOURCE, Storm
from tests.scenario.alerts.storm_run import StormRun, run_storm
from tests.scenario.traffic import eventually

NEEDY = "needy"
"""The other source, whose critical events must not wait for the flood."""

_PARTS = 4
"""A critical event comes after each quarter of the flood but the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodFigures:
    """What a flood did."""

    events: int
    accepted: int
    """Events that were answered 202."""
    states: Mapping[str, int]
    """The flood's events by what became of them."""
    refused: Mapping[str, int]
    sent_bytes: int
    """The size of all events as JSON."""
    stored_bytes: int
    """By how much the database grew."""
    drained: float
    """Seconds from the first request until no event waited."""
    critical_waits: list[float]
    """Seconds from a critical event of the other source to the call of its card."""
    halves: tuple[float, float]
    """The processor's seconds for the first and the second half of the flood."""

    @property
    def rate(self) -> float:
        """Events a second, from the first request to the last effect."""
        return self.events / self.drained

    @property
    def growth(self) -> float:
        """The database's growth, in sizes of the events."""
        return self.stored_bytes / self.sent_bytes

    @property
    def slowing(self) -> float:
        """How many times as much an event of the second half takes of the processor as one of the first."""
        first, second = self.halves
        return second / first

    def __str__(self) -> str:
        waits = ", ".join(f"{wait:.1f}" for wait in self.critical_waits)
        return (
            f"{self.events} events, {self.accepted} accepted, {dict(self.states)}, refused {dict(self.refused)}; "
            f"{self.rate:.0f} events/s until all were done, {sum(self.halves) / self.events * 1e6:.0f} µs of the "
            f"processor each, in the second half {self.slowing:.2f} times the first; "
            f"{self.stored_bytes / self.events:.0f} bytes stored for {self.sent_bytes / self.events:.0f} sent, "
            f"{self.growth:.2f} times; critical cards of another source after {waits} s"
        )


class Flood(Storm):
    """Each event is a matter of its own, and all of them go to one group, as those of the other source do."""

    def rules(self, folder: Path) -> Path:
        """Write the alert rules and return the file."""
        file = folder / "flood.toml"
        route = f'name = "flood"\nsources = ["{SOURCE}", "{NEEDY}"]\nto = ["group:{self.group_ids[0]}"]\n'
        file.write_text(f"[default]\nto = []\n\n[[routes]]\n{route}", "utf-8")
        return file


async def send_flood(
    folder: Path, events: int, *, size: int = 100, senders: int = 4, seconds: float, database_url: str = ""
) -> FloodFigures:
    """Send a flood to a bot of its own, in requests of ``size`` events; all must be done within so many seconds."""
    flood = Flood(alerts=events, rounds=1, groups=1)
    other = {f"DINGERP_HOOKS__{NEEDY.upper()}__SECRET": SECRET}
    async with run_storm(flood, folder, database_url, **other) as run:
        before, empty = _processor_seconds(run), await stored_bytes(run.database)
        began = perf_counter()
        sending = asyncio.create_task(run.senders.send(flood.batches(senders, size)))
        waits: list[float] = []
        half = before
        for part in range(1, _PARTS):
            await _wait_until_done(run, events * part // _PARTS, seconds)
            if part * 2 == _PARTS:
                half = _processor_seconds(run)
            waits.append(await _critical_wait(run, part))
        await sending
        await _wait_until_done(run, events, seconds)
        return FloodFigures(
            events=events,
            accepted=run.senders.receipts["accepted"],
            states=await _states(run.database),
            refused=run.senders.refused,
            sent_bytes=sum(len(orjson.dumps(flood.event(number, 0))) for number in range(events)),
            stored_bytes=await stored_bytes(run.database) - empty,
            drained=perf_counter() - began,
            critical_waits=waits,
            halves=(half - before, _processor_seconds(run) - half),
        )


async def stored_bytes(database: Database) -> int:
    """Return how large a SQLite database is, with what waits in its log."""
    return await database.read(
        lambda connection: int(
            connection.exec_driver_sql(
                "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            ).scalar_one()
        )
    )


async def _critical_wait(run: StormRun, number: int) -> float:
    """Send a critical event of the other source; return the seconds until its card was shown."""
    subject = f"STORM{90_000_000 + number}"
    body = orjson.dumps(_critical_event(subject, is_news=number % 2 == 0))
    began = perf_counter()
    url = f"http://127.0.0.1:{run.senders.ports[0]}/hooks/{NEEDY}"
    async with (
        aiohttp.ClientSession() as client,
        client.post(url, data=body, headers=sign(body, utc_now())) as answer,
    ):
        assert answer.status == 202, await answer.text()
    shown = run.recorder.first_shown
    await eventually(lambda: subject in shown, hint=lambda: f"no card of {subject} among {len(shown)}")
    return shown[subject] - began


def _critical_event(subject: str, *, is_news: bool) -> dict[str, Any]:
    """Return an event that opens an alert, or one of the company's own that is only news."""
    shortage = {"name": "轴承 6204", "warehouse": "W0", "available": "1", "reorder_point": "20", "unit": "个"}
    kind, data = ("custom.fire", {"title": "Fire", "facts": {"可用": "1"}}) if is_news else ("stock.low", shortage)
    return {
        "specversion": "1.0",
        "id": subject,
        "source": "/needy",
        "type": kind,
        "severity": "critical",
        "subject": subject,
        "time": utc_now().isoformat(),
        "data": data,
    }


async def _wait_until_done(run: StormRun, count: int, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while (await _states(run.database)).get("done", 0) < count:  # noqa: ASYNC110 - another process counts
            await asyncio.sleep(0.05)


async def _states(database: Database) -> Mapping[str, int]:
    states = select(EVENT.c.state, func.count()).where(EVENT.c.source == SOURCE).group_by(EVENT.c.state)
    return dict(map(tuple, await database.read(lambda connection: connection.execute(states).all())))


def _processor_seconds(run: StormRun) -> float:
    """Return how long the bot has used the processor (fields 14 and 15 of proc_pid_stat(5))."""
    fields = Path(f"/proc/{run.bot.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
