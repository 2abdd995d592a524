"""Decisions from chat: ``python -m tests.load.approvals [--postgres]`` prints what was measured, beside the promises.

``dingerp run`` is a process of its own; people, the simulated DingTalk and an ERP whose every call takes 20 ms share
another one. DingTalk's limits and the budgets of the outbox are off: what is measured is the bot.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from bot.simulator.timeline import TimelineEntry
from tests.load.__main__ import Goal
from tests.load.alert_storm import _postgres
from tests.scenario.alerts.call_recorder import CHANGE, CREATE
from tests.scenario.alerts.storm_run import percentile
from tests.scenario.approvals.cluster import ApprovalCluster, CardPlacement, cluster

PEOPLE = tuple(f"decider{number:02}" for number in range(5))
PLACES = len(PEOPLE) + 2
"""Where a case's card stands in the end: with each of them, in the group, and with the requester."""

ERP_SECONDS = 0.02
ERP_CALLS = 2
"""Of a decision: the order is read before the word counts, and it is written."""

ANSWER, FINAL = 0.2, 0.5
"""The promises in seconds: a click's answer, and the last card after what the ERP took."""

_PATIENCE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFigures:
    """What was measured. Times are seconds."""

    answers: Sequence[float]
    """From each click to its answer."""
    finals: Sequence[float]
    """From each click that decided until the last of the case's cards was final."""
    rate: float
    """Clicks a second, as they were really made."""
    calls: float
    """Calls of card APIs for each decision and place."""


class CardWatcher:
    """Counts calls about cards, and when each card showed an end."""

    def __init__(self, scene: ApprovalCluster) -> None:
        self._engine = scene.engine
        self.calls: Counter[str] = Counter()
        self.final_at: dict[str, float] = {}
        self._on_entry, self._engine.timeline.on_entry = self._engine.timeline.on_entry, self._saw

    def _saw(self, entry: TimelineEntry) -> None:
        if self._on_entry is not None:
            self._on_entry(entry)
        if entry.direction != "call" or entry.name not in (CREATE, CHANGE) or entry.status != 200:
            return
        self.calls[entry.name] += 1
        track = str((entry.detail.get("request") or {}).get("outTrackId", ""))
        card = self._engine.cards.get(track)
        if card is not None and "已批准" in card.view_for("").title:
            self.final_at.setdefault(track, perf_counter())


@asynccontextmanager
async def open_cluster_with_orders(
    folder: Path, orders: int, database_url: str = ""
) -> AsyncIterator[tuple[ApprovalCluster, list[str]]]:
    """Open a company in which all cards of so many orders stand, and one bot waits for clicks."""
    async with cluster(folder, PEOPLE, database_url=database_url, erp_seconds=ERP_SECONDS) as scene:
        numbers = scene.submit(range(orders))
        async with scene.bot() as bot:
            await bot.saying("bot.running")
            await scene.shown(numbers, PLACES - 1, _PATIENCE + orders)
            await scene.settled(0, _PATIENCE)
            yield scene, numbers
            assert (await bot.stop()).code == 0
            assert "Traceback" not in bot.err, bot.err


async def decide(scene: ApprovalCluster, numbers: Sequence[str], *, clicks: int, per_second: float) -> DecisionFigures:
    """Let ``clicks`` people click at each order at an even pace; the first of them decides."""
    watch, cards = CardWatcher(scene), scene.cards()
    began = perf_counter()
    clicked_at: dict[str, float] = {}
    tasks = []
    presses = [(number, card) for number in numbers for card in _own(cards[number])[:clicks]]
    for place, (number, card) in enumerate(presses):
        await asyncio.sleep(max(0.0, began + place / per_second - perf_counter()))
        clicked_at.setdefault(number, perf_counter())
        tasks.append(asyncio.create_task(scene.press_stale(card)))
    rate = len(presses) / (perf_counter() - began)
    answers = await asyncio.gather(*tasks)
    assert all(answer.result.ok for answer in answers), Counter(answer.result.toast for answer in answers)
    await scene.settled(len(numbers), _PATIENCE)
    scene.assert_decided_once(numbers, PLACES)
    standing = scene.cards()
    return DecisionFigures(
        answers=[answer.result.elapsed_ms / 1000 for answer in answers],
        finals=[
            max(watch.final_at[card.track] for card in standing[number]) - clicked_at[number] for number in numbers
        ],
        rate=rate,
        calls=sum(watch.calls.values()) / len(numbers) / PLACES,
    )


def _own(cards: Sequence[CardPlacement]) -> list[CardPlacement]:
    return sorted((card for card in cards if card.reader in PEOPLE and not card.in_group), key=lambda one: one.reader)


async def measure(name: str, url_of: Iterator[str], *, clicks: int) -> list[Goal]:
    """Run both loads on one database, print the figures, and return what was promised."""
    found = []
    # Five people at each order, as when a card was just shown to all; then one decision after the other.
    for what, orders, people, pace in (
        ("100 clicks/s", clicks // len(PEOPLE), len(PEOPLE), 100.0),
        ("5 decisions/s", 100, 1, 5.0),
    ):
        with tempfile.TemporaryDirectory() as folder:
            async with open_cluster_with_orders(Path(folder), orders, next(url_of)) as (scene, numbers):
                figures = await decide(scene, numbers, clicks=people, per_second=pace)
        found.append(figures)
        print(
            f"{name}, {what}: {len(figures.answers)} clicks at {figures.rate:.0f} a second, answers"
            f" {times(figures.answers)}; {len(figures.finals)} decisions, last card {times(figures.finals)};"
            f" {figures.calls:.2f} calls for each decision and place",
            flush=True,
        )
    crowd, calm = found
    erp = ERP_CALLS * ERP_SECONDS
    return [
        Goal(f"{name}: clicks a second", crowd.rate, 95, least=True),
        Goal(f"{name}: p99 click to answer, s", percentile(crowd.answers, 0.99), ANSWER),
        Goal(f"{name}: p95 click to last card, s", percentile(calm.finals, 0.95), erp + FINAL),
        Goal(f"{name}: calls/decision/place", max(crowd.calls, calm.calls), 1),
    ]


def times(seconds: Sequence[float]) -> str:
    """Return the percentiles of times in milliseconds."""
    p50, p95, p99 = (percentile(list(seconds), share) * 1000 for share in (0.5, 0.95, 0.99))
    return f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms, most {max(seconds) * 1000:.0f} ms"


def main() -> int:
    """Measure, print the bars, and return 1 when one was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.approvals", description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL server of its own instead of SQLite")
    parser.add_argument("--clicks", type=int, default=2000, help="clicks at 100 a second")
    options = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {_load()}")
    if options.postgres:
        with _postgres() as url_of:
            promises = asyncio.run(measure("PostgreSQL", url_of, clicks=options.clicks))
    else:
        promises = asyncio.run(measure("SQLite", iter(("", "")), clicks=options.clicks))
    print(f"load at the end {_load()}", *promises, sep="\n")
    return 0 if all(promise.held for promise in promises) else 1


def _load() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg())


if __name__ == "__main__":
    sys.exit(main())
