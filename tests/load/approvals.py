"""Decisions from chat: ``python -m tests.load.approvals [--postgres]`` prints the measurements beside the goals.

``dingerp run`` has a process of its own; people, the simulated DingTalk and an ERP that takes 20 ms for each call share
another. DingTalk's limits and the budgets of the outbox are off, so that the bot is measured.
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

from bot.kit.simulator.timeline import TimelineEntry
from tests.load.__main__ import Goal
from tests.load.alert_storm import _postgres
from tests.scenario.alerts.call_recorder import CHANGE, CREATE
from tests.scenario.alerts.storm_run import percentile
from tests.scenario.approvals.cluster import ApprovalCluster, CardPlacement, open_cluster

PEOPLE = tuple(f"decider{number:02}" for number in range(5))
PLACES = len(PEOPLE) + 2
"""The cards of a decided case: one for each decider, one in the group, one for the requester."""

ERP_SECONDS = 0.02
ERP_CALLS = 2
"""Calls for one decision: the order is read before the vote counts, and the decision is written."""

ANSWER, FINAL = 0.2, 0.5
"""The goals in seconds: a click's answer, and the last card after the ERP's own time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFigures:
    """The measurements. Times are seconds."""

    answers: Sequence[float]
    """From each click to its answer."""
    finals: Sequence[float]
    """From each click that decided until the last of the case's cards was final."""
    rate: float
    """Clicks per second, as they were really made."""
    calls: float
    """Calls of card APIs per decision and place."""


class CardWatcher:
    """Counts calls about cards, and records when each card showed a decision."""

    def __init__(self, cluster: ApprovalCluster) -> None:
        self._engine = cluster.engine
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
        if card is not None and "审批通过" in card.view_for("").title:
            self.final_at.setdefault(track, perf_counter())


@asynccontextmanager
async def open_cluster_with_orders(
    folder: Path, orders: int, database_url: str = ""
) -> AsyncIterator[tuple[ApprovalCluster, list[str]]]:
    """Open a company with the cards of ``orders`` purchase orders, and one bot that waits for clicks."""
    async with open_cluster(folder, PEOPLE, database_url=database_url, erp_seconds=ERP_SECONDS) as cluster:
        numbers = cluster.submit(range(orders))
        async with cluster.bot() as bot:
            await bot.saying("stream.connected")
            await cluster.shown(numbers, PLACES - 1)
            await cluster.settled(0)
            yield cluster, numbers
            assert (await bot.stop()).code == 0
            assert "Traceback" not in bot.err, bot.err


async def decide(
    cluster: ApprovalCluster, numbers: Sequence[str], *, clicks: int, per_second: float
) -> DecisionFigures:
    """Let ``clicks`` people click at each order at an even pace; the first of them decides."""
    watcher, cards = CardWatcher(cluster), cluster.cards()
    began = perf_counter()
    clicked_at: dict[str, float] = {}
    tasks = []
    presses = [(number, card) for number in numbers for card in _own(cards[number])[:clicks]]
    for place, (number, card) in enumerate(presses):
        await asyncio.sleep(max(0.0, began + place / per_second - perf_counter()))
        clicked_at.setdefault(number, perf_counter())
        tasks.append(asyncio.create_task(cluster.press_stale(card)))
    rate = len(presses) / (perf_counter() - began)
    answers = await asyncio.gather(*tasks)
    assert all(answer.result.ok for answer in answers), Counter(answer.result.toast for answer in answers)
    await cluster.settled(len(numbers))
    cluster.assert_decided_once(numbers, PLACES)
    shown = cluster.cards()
    return DecisionFigures(
        answers=[answer.result.elapsed_ms / 1000 for answer in answers],
        finals=[max(watcher.final_at[card.track] for card in shown[number]) - clicked_at[number] for number in numbers],
        rate=rate,
        calls=sum(watcher.calls.values()) / len(numbers) / PLACES,
    )


def _own(cards: Sequence[CardPlacement]) -> list[CardPlacement]:
    return sorted((card for card in cards if card.reader in PEOPLE and not card.in_group), key=lambda card: card.reader)


async def measure(name: str, url_of: Iterator[str], *, clicks: int) -> list[Goal]:
    """Run both loads on one database, print the figures, and return the goals."""
    found = []
    # Five people click at each order, as when a card was just shown to all; then one decision follows the other.
    for what, orders, people, pace in (
        ("100 clicks/s", clicks // len(PEOPLE), len(PEOPLE), 100.0),
        ("5 decisions/s", 100, 1, 5.0),
    ):
        with tempfile.TemporaryDirectory() as folder:
            async with open_cluster_with_orders(Path(folder), orders, next(url_of)) as (cluster, numbers):
                figures = await decide(cluster, numbers, clicks=people, per_second=pace)
        found.append(figures)
        print(
            f"{name}, {what}: {len(figures.answers)} clicks at {figures.rate:.0f} a second, answers"
            f" {times(figures.answers)}; {len(figures.finals)} decisions, last card {times(figures.finals)};"
            f" {figures.calls:.2f} calls for each decision and place",
            flush=True,
        )
    burst, steady = found
    erp = ERP_CALLS * ERP_SECONDS
    return [
        Goal(f"{name}: clicks a second", burst.rate, 95, least=True),
        Goal(f"{name}: p99 click to answer, s", percentile(burst.answers, 0.99), ANSWER),
        Goal(f"{name}: p95 click to last card, s", percentile(steady.finals, 0.95), erp + FINAL),
        Goal(f"{name}: calls/decision/place", max(burst.calls, steady.calls), 1),
    ]


def times(seconds: Sequence[float]) -> str:
    """Return the percentiles of times in milliseconds."""
    p50, p95, p99 = (percentile(list(seconds), share) * 1000 for share in (0.5, 0.95, 0.99))
    return f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms, most {max(seconds) * 1000:.0f} ms"


def main() -> int:
    """Measure, print the goals, and return 1 when one was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.approvals", description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL server of its own instead of SQLite")
    parser.add_argument("--clicks", type=int, default=2000, help="clicks at 100 a second")
    options = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {_load()}")
    if options.postgres:
        with _postgres() as url_of:
            goals = asyncio.run(measure("PostgreSQL", url_of, clicks=options.clicks))
    else:
        goals = asyncio.run(measure("SQLite", iter(("", "")), clicks=options.clicks))
    print(f"load at the end {_load()}", *goals, sep="\n")
    return 0 if all(goal.held for goal in goals) else 1


def _load() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg())


if __name__ == "__main__":
    sys.exit(main())
