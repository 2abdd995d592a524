"""What stored years cost: ``python -m tests.load.bench_growth [ROWS…]`` prints a table of PostgreSQL.

A company asks, is told of alerts, takes them and decides orders. What a bot has stored of that is multiplied in the
database, older and under other names, until each kind has so many rows. A bot that starts on it does the same work at
each size. The cost is the processor's time of the bot and of PostgreSQL together, without what both need while nobody
asks: it says more than a wait does on a machine with other work.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil
from sqlalchemy import BigInteger, Table, func, select, text
from sqlalchemy.engine import Connection

from bot.store import tables
from tests.erp.sql import postgres_server
from tests.free_ports import free_port
from tests.load.__main__ import Goal
from tests.scenario.alerts.call_recorder import CallRecorder
from tests.scenario.alerts.storm import Senders, Storm, hook
from tests.scenario.approvals.cluster import ApprovalCluster, CardPlacement, open_cluster
from tests.scenario.processes import Program
from tests.scenario.replica_company import DECIDER, QUICK, TAKE
from tests.scenario.test_endurance import NO_QUOTA
from tests.scenario.traffic import ASKER, LONGEST_WAIT, Traffic, eventually

SIZES = (1_000, 100_000, 1_000_000)
MOST_GROWTH = 1.3
QUESTIONS, PER_SECOND = 1_500, 50.0
EVENTS_EACH, ALERTS, CLICKS = 5, 300, 200
ORDERS = 20
GROUPS = 60
QUIET = 15.0
"""Seconds without any work: what they cost is taken off."""
DAYS = 20
"""What is multiplied lies within so many days: nothing of it is old enough to be deleted."""

FINAL: Mapping[Table, str] = {
    tables.INBOX: "state = 'answered'",
    tables.EVENT: "state = 'done'",
    tables.EVENT_PACK: "",
    tables.ALERT: "state = 'resolved'",
    tables.ALERT_PACK: "",
    tables.ALERT_CARD: "state = 'closed'",
    tables.ALERT_CARD_MEMBER: "card IN (SELECT id FROM alert_card WHERE state = 'closed')",
    tables.ALERT_NOTE: "",
    tables.ALERT_NOTE_KEY: "",
    tables.DELIVERY: "state = 'done'",
    tables.DELIVERY_STEP: "",
    tables.APPROVAL_CASE: "state NOT IN ('open', 'writing', 'unknown')",
    tables.APPROVAL_VOTE: "",
    tables.APPROVAL_DECISION: "",
    tables.APPROVAL_PERSON: "",
    tables.APPROVAL_CARD: "",
    tables.APPROVAL_AUDIT: "",
    tables.STANDING_ANSWER: "",
    tables.STANDING_DOCUMENT: "",
    tables.TRACE: "",
}
"""What grows with the company's work, and which rows of it are over.

Entries of the audit log prove one another: a bot would report copies of them.
"""
NAMES = frozenset(
    {"msg_id", "event_id", "subject", "id", "key", "shared", "card", "alert", "fact", "track", "ref", "case_id"}
    | {"folded", "document", "reference", "conversation"}
)
"""Columns whose texts name a row here or in another table: a copy's begin with its number."""
NUMBERS = frozenset({"seq", "number", "first", "note", "pack"})
"""Columns whose numbers do: a copy's are below all that the bot gives. 0 names nothing."""
_APART = 1_000_000


def grow(connection: Connection, table: Table, rows: int) -> None:
    """Multiply what is over of a kind until there are ``rows`` of it."""
    over = f"WHERE {FINAL[table]}" if FINAL[table] else ""
    counted = text(f"SELECT count(*), (SELECT count(*) FROM {table.name}) FROM {table.name} {over}")
    ended, total = connection.execute(counted).one()
    assert ended, f"nothing of {table.name} is over"
    # The database itself gives the other numbers, to which nothing refers.
    copied = [column for column in table.columns if column.name != "id" or not isinstance(column.type, BigInteger)]
    names = ", ".join(f'"{column.name}"' for column in copied)
    values = ", ".join(_value(column.name) for column in copied)
    connection.execute(
        text(
            f"INSERT INTO {table.name} ({names}) SELECT {values} FROM (SELECT * FROM {table.name} {over}) AS was,"
            f" generate_series(1, {-(-(rows - total) // ended)}) AS copies(turn) ORDER BY turn DESC"
        )
    )


def _value(column: str) -> str:
    was = f'was."{column}"'
    if column in NAMES:
        return f"CASE {was} WHEN '' THEN '' ELSE turn || '~' || {was} END"
    if column in NUMBERS:
        return f"CASE {was} WHEN 0 THEN 0 ELSE {was} - turn::bigint * {_APART} END"
    if (unit := {"_ms": 1, "_us": 1_000}.get(column[-3:])) is not None:
        return f"{was} - turn % {DAYS * 24 * 60} * 60000::bigint * {unit}"
    return was


class LaterStorm(Storm):
    """A storm about other products than an earlier storm."""

    def event(self, correlation: int, turn: int) -> dict[str, Any]:
        event = super().event(correlation, turn)
        return event | {"id": f"later {event['id']}", "subject": f"STORM{correlation + 50_000}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthFigures:
    """Costs in milliseconds of the processor, of the bot and of PostgreSQL; sizes in bytes."""

    rows: int
    size: int
    idle: float
    """For each second in which nobody does anything."""
    costs: Mapping[str, float]


@dataclass(slots=True, kw_only=True)
class Company:
    """A company whose stored rows grow; its bots work one after the other."""

    cluster: ApprovalCluster
    server: psutil.Process
    traffic: Traffic
    recorder: CallRecorder
    port: int

    def spent(self, bot: Program) -> float:
        """Return the seconds that the processor has worked for the bot and for PostgreSQL."""
        processes = [psutil.Process(bot.process.pid), self.server, *self.server.children()]
        times = [each.cpu_times() for each in processes]
        ended = self.server.cpu_times()
        return sum(each.user + each.system for each in times) + ended.children_user + ended.children_system

    @asynccontextmanager
    async def bot(self, name: str) -> AsyncIterator[Program]:
        async with self.cluster.bot(name, DINGERP_HTTP__PORT=str(self.port)) as bot:
            await bot.saying("stream.connected")
            yield bot
            await bot.stop()

    async def ask(self, questions: int) -> int:
        """Ask at an even pace, and wait for all answers."""
        await self.traffic.flow(questions / PER_SECOND, PER_SECOND)
        await eventually(lambda: not self.traffic.unanswered, hint=lambda: len(self.traffic.unanswered))
        return questions

    async def report(self, storm: Storm) -> int:
        """Send events, and wait until all are done and shown."""
        await Senders([self.port]).send(storm.batches(4, 5))
        await self._drained()
        return storm.events

    async def take(self, storm: Storm, clicks: int) -> int:
        """Take alerts, one click after the other."""
        first = int(storm.event(0, 0)["subject"].removeprefix("STORM"))
        open_ones = {f"STORM{first + each:05d}" for each in range(storm.alerts) if not storm.ends(each)}
        tracks = [track for track, product in self.recorder.subjects.items() if product in open_ones][:clicks]
        assert len(tracks) == clicks, len(tracks)
        for track in tracks:
            card = self.cluster.engine.cards.get(track)
            assert card is not None
            button = card.view_for(ASKER).button(TAKE)
            assert button is not None, card.view_for(ASKER)
            await self.cluster.engine.click(track, ASKER, params=button.params)
        await self._drained()
        return clicks

    async def decide(self, orders: Sequence[str]) -> int:
        """Approve orders at their cards, one after the other."""
        for number in orders:
            await eventually(partial(self._card, number), hint=partial(str, number))
            card = self._card(number)
            assert card is not None
            await self.cluster.press_stale(card)
        await self.cluster.settled(len(self.cluster.erp.erp.orders))
        return len(orders)

    def _card(self, order: str) -> CardPlacement | None:
        cards = self.cluster.cards().get(order, [])
        return next((card for card in cards if card.reader == DECIDER and card.decidable), None)

    async def _ask_for_orders(self, orders: Sequence[str]) -> None:
        """Let the decider ask what waits: the answer is kept up to date."""
        card = self._card(orders[0])
        assert card is not None
        asked = self.cluster.engine.say(card.place, DECIDER, "/pending")
        await eventually(partial(self.cluster.engine.cards_for, asked), hint=partial(str, asked))

    async def _drained(self) -> None:
        """Wait until no event and no card is owed."""
        owed = select(
            select(func.count()).where(tables.EVENT.c.state == "waiting").scalar_subquery()
            + select(func.count()).where(tables.DELIVERY.c.state == "queued").scalar_subquery()
        )
        ends = perf_counter() + LONGEST_WAIT
        while left := await self.cluster.database.run(lambda connection: connection.scalar(owed)):
            assert perf_counter() < ends, f"{left} events and cards are left"
            await asyncio.sleep(0.1)

    async def work(self, name: str, storm: Storm, questions: int) -> tuple[float, dict[str, float]]:
        """Let a bot do everything; return what an idle second and each piece of work cost, in milliseconds."""
        orders = self.cluster.submit(range(len(self.cluster.erp.erp.orders), len(self.cluster.erp.erp.orders) + ORDERS))
        async with self.bot(name) as bot:
            await self.ask(GROUPS)  # what a bot reads once
            await self.cluster.shown(orders, len(("the decider's", "the group's")))
            await self._ask_for_orders(orders)
            await self._drained()
            idle = await self._measure(bot, 0.0, asyncio.sleep(QUIET, QUIET))
            works: dict[str, Awaitable[float]] = {
                "question": self.ask(questions),
                "event": self.report(storm),
                "alert taken": self.take(storm, CLICKS),
                "order decided": self.decide(orders),
            }
            return 1000 * idle, {what: 1000 * await self._measure(bot, idle, work) for what, work in works.items()}

    async def _measure(self, bot: Program, idle: float, work: Awaitable[float]) -> float:
        began, before = perf_counter(), self.spent(bot)
        pieces = await work
        return (self.spent(bot) - before - idle * (perf_counter() - began)) / pieces


@asynccontextmanager
async def open_company(folder: Path, url: str, server: psutil.Process, storm: Storm) -> AsyncIterator[Company]:
    """Open a company without a bot."""
    async with open_cluster(folder, [DECIDER], database_url=url, config=QUICK) as cluster:
        storm.open_groups(cluster.engine)
        cluster.env |= {
            **hook(storm.rules(folder)),
            **NO_QUOTA,
            "DINGERP_REPLICAS": "1",
            "DINGERP_ERP__MAIN__STOCKED": "true",
        }
        traffic = Traffic(cluster.engine, GROUPS)
        cluster.elsewhere = {*storm.group_ids, *(group.id for group in traffic.groups)}
        recorder = CallRecorder(cluster.engine)
        yield Company(cluster=cluster, server=server, traffic=traffic, recorder=recorder, port=free_port())


async def measure(folder: Path, url: str, server: psutil.Process, rows: int, work: int) -> GrowthFigures:
    """Return the costs at a size, on an empty database; ``work`` is the number of questions."""
    storm = Storm(alerts=ALERTS, rounds=EVENTS_EACH, groups=6)
    async with open_company(folder, url, server, storm) as company:
        await company.work("first", storm, GROUPS)
        began = perf_counter()
        database = company.cluster.database
        for table in FINAL:
            await database.run(partial(grow, table=table, rows=rows))
        size = await database.read(_settle)
        print(f"{rows} rows a kind: {size / 1e6:.0f} MB, multiplied in {perf_counter() - began:.0f} s", flush=True)
        later = LaterStorm(alerts=ALERTS, rounds=EVENTS_EACH, groups=6)
        idle, costs = await company.work("second", later, work)
        return GrowthFigures(rows=rows, size=size, idle=idle, costs=costs)


def _settle(connection: Connection) -> int:
    """Let the server finish what it owes to new rows; return the database's size in bytes."""
    connection.execute(text("VACUUM ANALYZE"))
    connection.execute(text("CHECKPOINT"))
    return int(connection.scalar(text("SELECT pg_database_size(current_database())")))


def process_of(postgres: postgres_server.Postgres) -> psutil.Process:
    """Return the server's own process, the parent of all others of it."""
    return next(each for each in psutil.Process().children() if str(postgres.port) in each.cmdline())


def report(measured: Sequence[GrowthFigures]) -> str:
    """Return the table, and after it the goals."""
    works = list(measured[0].costs)
    lines = [f"{'rows a kind':>12}{'MB':>8}{'idle ms/s':>11}" + "".join(f"{what + ', ms':>19}" for what in works)]
    for each in measured:
        costs = "".join(f"{each.costs[what]:19.2f}" for what in works)
        lines.append(f"{each.rows:12,}{each.size / 1e6:8.0f}{each.idle:11.1f}{costs}")
    return "\n".join(lines)


def goals(measured: Sequence[GrowthFigures]) -> list[Goal]:
    """Return how much dearer each piece of work is at the largest size than at the smallest."""
    first, *_, last = measured
    return [Goal(f"{what}, times the first", last.costs[what] / first.costs[what], MOST_GROWTH) for what in first.costs]


def main() -> int:
    """Measure all sizes, print the goals, and return 1 when one was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.bench_growth", description=__doc__)
    parser.add_argument("rows", type=int, nargs="*", default=SIZES)
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    options = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    programs = postgres_server.programs()
    assert programs is not None, "no PostgreSQL server is installed"
    measured = []
    with postgres_server.running(programs) as postgres:
        server = process_of(postgres)
        for rows in options.rows:
            with postgres_server.new_database(postgres) as made, tempfile.TemporaryDirectory() as folder:
                work = measure(Path(folder), made.admin_url, server, rows, options.questions)
                measured.append(asyncio.run(work))
            print(report(measured[-1:]), flush=True)
    reached = goals(measured) if len(measured) > 1 else []
    print("", report(measured), *reached, sep="\n")
    return 0 if all(goal.held for goal in reached) else 1


if __name__ == "__main__":
    sys.exit(main())
