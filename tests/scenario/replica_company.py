"""A company at work on several replicas: people ask, a source reports, orders come, and people click on their cards."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count
from pathlib import Path
from time import perf_counter

from sqlalchemy import func, select, text

from bot.kit.simulator.chat import SimConversation, SimDelivery
from bot.store.alerts.rows import notes_of
from bot.store.engines import CONNECTION_PREFIX
from bot.store.errors import StoreUnavailable
from bot.store.tables import ALERT_NOTE, LEAD, REPLICA
from tests.free_ports import free_port
from tests.scenario.alerts.call_recorder import CallRecorder, assert_every_card_once, assert_nothing_lost, settled
from tests.scenario.alerts.storm import Senders, Storm, hook
from tests.scenario.approvals.cluster import CONFIG, ROOT, ApprovalCluster, CardPlacement, ClickAnswer, open_cluster
from tests.scenario.processes import Exit, Program, used_before
from tests.scenario.test_endurance import NO_QUOTA
from tests.scenario.traffic import ASKER, LONGEST_WAIT, Traffic, eventually

DECIDER = "decider00"
TAKE = "我来跟进"
POLLED = "cidPolled0000/+=="
"""The group that is told of each order that was found by polling."""
COPIES = 3
"""Cards of a decided order: the decider's, the group's, and the requester's."""
PER_SECOND = 20.0
ERP_SECONDS = 0.15
QUICK = replace(CONFIG, click_timeout=10.0, redelivery_delay=3.0, redeliveries=50)
"""What a frozen bot does not acknowledge soon comes to another one, and a click that a dead one got fails."""
_ORDER_EVERY, _TAKE_EVERY, _AGAIN = 2.0, 1.0, 0.5
_SIZE, _SENDERS = 5, 4
"""Events of a request, and senders."""


class Mishap(StrEnum):
    """What happens to a replica."""

    KILLED = "killed"
    FROZEN = "frozen"
    STOPPED = "stopped"
    CUT_OFF = "cut off"
    """PostgreSQL ends the connections of all replicas."""


@dataclass(slots=True, kw_only=True)
class ReplicatedCompany:
    """Some replicas, and everything that people, sources and the ERP ask of them."""

    cluster: ApprovalCluster
    storm: Storm
    traffic: Traffic
    recorder: CallRecorder
    senders: Senders
    stack: AsyncExitStack
    seconds: float
    bots: dict[int, Program] = field(default_factory=dict)
    """The replicas, by port."""
    orders: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    """The products whose alert somebody has taken, as their card says."""
    clicks: Counter[str] = field(default_factory=Counter)
    mishaps: Counter[str] = field(default_factory=Counter)
    takeovers: dict[str, list[float]] = field(default_factory=dict)
    """Seconds until another one led, by mishap."""
    names: Callable[[], int] = field(default_factory=lambda: count().__next__)

    async def start(self, port: int, checkout: Path = ROOT) -> None:
        """Start a replica that serves at this port, of the version in a checkout of the project."""
        name = f"bot{self.names()}"
        folder = used_before(self.cluster.folder / name)
        wanted = {"DINGERP_HTTP__PORT": str(port), "DINGERP_DATA_DIR": str(folder)}
        bot = await self.stack.enter_async_context(self.cluster.bot(name, checkout, **wanted))
        await bot.saying("stream.connected")
        self.bots[port] = bot

    async def work(self) -> None:
        """Let people and sources do their share of everything for the given time, and wait for what must be seen."""
        began = perf_counter()

        async def share() -> None:
            while (passed := (perf_counter() - began) / self.seconds) < 1:
                self.senders.share = passed
                await asyncio.sleep(0.1)
            self.senders.share = 1.0

        async with asyncio.TaskGroup() as group:
            group.create_task(self.traffic.flow(self.seconds, PER_SECOND))
            group.create_task(self.senders.send(self.storm.batches(_SENDERS, _SIZE)))
            group.create_task(share())
            group.create_task(self._order(group))
            group.create_task(self._take(group))

    async def _order(self, group: asyncio.TaskGroup) -> None:
        for number in range(round(self.seconds / _ORDER_EVERY)):
            (order,) = self.cluster.submit([number])
            self.orders.append(order)
            group.create_task(self._approve(order))
            await asyncio.sleep(_ORDER_EVERY)

    async def _approve(self, order: str) -> None:
        """Approve at the decider's card until it asks no more, once the polled event is told, too.

        The replica that begins to lead looks for waiting orders at once: it may find one before it is polled.
        """
        await eventually(lambda: self._card(order) and self._polled()[order], hint=lambda: order)
        while (card := self._card(order)) is not None and card.decidable:
            answer = await self.cluster.press_stale(card)
            self._count("orders", answer)
            await asyncio.sleep(_AGAIN)

    def _card(self, order: str) -> CardPlacement | None:
        cards = self.cluster.cards().get(order, [])
        return next((card for card in cards if card.reader == DECIDER and not card.in_group), None)

    async def _take(self, group: asyncio.TaskGroup) -> None:
        """Let somebody take an alert now and then."""
        for _ in range(round(self.seconds / _TAKE_EVERY)):
            lasting = {
                number: f"STORM{number:05d}" for number in range(self.storm.alerts) if not self.storm.ends(number)
            }
            wanted = set(lasting.values()) - self.taken
            track = next((track for track, product in self.recorder.subjects.items() if product in wanted), None)
            if track is not None:
                self.taken.add(self.recorder.subjects[track])
                group.create_task(self._tap(track))
            await asyncio.sleep(_TAKE_EVERY)

    async def _tap(self, track: str) -> None:
        card = self.cluster.engine.cards.get(track)
        assert card is not None
        while (button := card.view_for(ASKER).button(TAKE)) is not None:
            result = await self.cluster.engine.click(track, ASKER, params=button.params)
            self.clicks[f"alerts: {'ok' if result.ok else result.toast}"] += 1
            await asyncio.sleep(_AGAIN)

    def _count(self, what: str, answer: ClickAnswer) -> None:
        self.clicks[f"{what}: {'ok' if answer.result.ok else answer.result.toast}"] += 1

    async def suffer(self, mishap: Mishap) -> None:
        """Let something happen to the replica that leads, wait until another one does, and start one if it is gone."""
        port, bot = await self._leader()
        self.mishaps[mishap] += 1
        began = perf_counter()
        match mishap:
            case Mishap.CUT_OFF:
                await self._cut_connections()
                return
            case Mishap.KILLED:
                await bot.kill()
            case Mishap.FROZEN:
                bot.process.send_signal(signal.SIGSTOP)
            case Mishap.STOPPED:
                bot.process.send_signal(signal.SIGTERM)
        while (await self._leader())[0] == port:
            assert perf_counter() - began < LONGEST_WAIT, f"{mishap}: nobody else leads"
            await asyncio.sleep(0.02)
        self.takeovers.setdefault(mishap, []).append(perf_counter() - began)
        if mishap is Mishap.FROZEN:
            bot.process.send_signal(signal.SIGCONT)
            return
        if mishap is Mishap.STOPPED:
            self._check(await bot.ended())
        await self.start(port)

    async def replace(self, port: int, checkout: Path = ROOT) -> None:
        """Stop the replica at a port in an orderly way, and start one of the version in a checkout."""
        self._check(await self.bots[port].stop())
        await self.start(port, checkout)

    async def stop(self) -> None:
        """Stop all replicas in an orderly way."""
        for ended in await asyncio.gather(*(bot.stop() for bot in self.bots.values())):
            self._check(ended)

    def _check(self, ended: Exit) -> None:
        """Check that nothing failed but calls whose connection was cut."""
        lines = ended.err.splitlines()
        failed = [line for line in lines if "Traceback" in line and StoreUnavailable.__name__ not in line]
        assert (ended.code, failed) == (0, []), ended.err

    async def _leader(self) -> tuple[int, Program]:
        """Return the replica that leads, by its port, as soon as one does."""
        query = select(REPLICA.c.process).join(LEAD, LEAD.c.holder == REPLICA.c.id)
        now = func.extract("epoch", func.clock_timestamp()) * 1000
        while True:
            pid = await self.cluster.database.run(lambda c: c.scalar(query.where(LEAD.c.until_ms > now)))
            for port, bot in self.bots.items():
                if bot.process.pid == pid:
                    return port, bot
            await asyncio.sleep(0.02)

    async def _cut_connections(self) -> None:
        own = f"{CONNECTION_PREFIX}{self.cluster.database.process}"
        cut = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE :ours AND application_name <> :own"
        )
        values = {"ours": f"{CONNECTION_PREFIX}%", "own": own}
        ended = await self.cluster.database.run(lambda c: c.execute(cut, values).all())
        assert ended

    async def assert_nothing_lost_or_doubled(self) -> None:
        """Wait until all is done, and compare it with what was wanted."""
        await eventually(lambda: not self.traffic.unanswered, hint=lambda: self.traffic.unanswered)
        assert self.traffic.doubled == [], self.traffic.doubled
        assert self.traffic.answers == len(self.traffic.questions), self
        await self.cluster.settled(len(self.orders))
        counts = await settled(self.cluster.database, LONGEST_WAIT)
        assert_nothing_lost(self.storm, counts)
        assert_every_card_once(self.storm, self.recorder)
        self.cluster.assert_decided_once(self.orders, COPIES)
        posted = Counter(decision.number for decision in self.cluster.erp.erp.told)
        assert posted == dict.fromkeys(self.orders, 1), posted
        assert self._polled() == dict.fromkeys(self.orders, 1), self._polled()
        assert await self._noted_as_taken() == len(self.taken)

    def _polled(self) -> Counter[str]:
        items = self.cluster.engine.chat.conversations[POLLED].items
        texts = [item.card.view_for("") for item in items if isinstance(item, SimDelivery)]
        return Counter(order for order in self.orders for view in texts if order in f"{view.title} {view.markdown}")

    async def _noted_as_taken(self) -> int:
        """Return how often it was noted that an alert was taken."""
        rows = await self.cluster.database.rows(select(ALERT_NOTE))
        return sum(note.what == "acknowledged" for row in rows for note in notes_of(row))

    def __str__(self) -> str:
        seconds = {name: [round(each, 1) for each in times] for name, times in self.takeovers.items()}
        return (
            f"{len(self.traffic.questions)} questions, {self.storm.events} events pushed "
            f"({dict(self.senders.receipts)}, {dict(self.senders.refused)}), {len(self.orders)} orders, "
            f"{len(self.taken)} alerts taken, clicks {dict(self.clicks)}, mishaps {dict(self.mishaps)}, "
            f"seconds until another led {seconds}"
        )


@asynccontextmanager
async def open_replicated_company(
    folder: Path, url: str, seconds: float, replicas: int = 2
) -> AsyncIterator[ReplicatedCompany]:
    """Open a company that works for so long; its replicas are started by the tests."""
    storm = Storm(alerts=60, rounds=max(2, round(seconds / 5)), groups=6)
    async with (
        open_cluster(folder, [DECIDER], database_url=url, erp_seconds=ERP_SECONDS, config=QUICK) as cluster,
        AsyncExitStack() as stack,
    ):
        engine = cluster.engine
        storm.open_groups(engine)
        engine.chat.conversations[POLLED] = SimConversation(POLLED, "group", POLLED, (ASKER,), deque())
        rules = storm.rules(folder)
        polled = (
            f'\n[[routes]]\nname = "polled"\nsources = ["main"]\ntypes = ["po.submitted"]\nto = ["group:{POLLED}"]\n'
        )
        rules.write_text(rules.read_text("utf-8") + polled, "utf-8")
        cluster.env |= {
            **hook(rules),
            "DINGERP_ERP__MAIN__STOCKED": "true",
            **NO_QUOTA,
            "DINGERP_REPLICAS": str(replicas),
            "DINGERP_POLL__ENABLED": "true",
            "DINGERP_POLL__AREAS": '["purchasing"]',
            "DINGERP_POLL__LIST_SECONDS": "5",
            "DINGERP_POLL__SECONDS": "1",
        }
        # Who asks while PostgreSQL is cut off may be told to ask again.
        ports, traffic = [free_port() for _ in range(replicas)], Traffic(engine, 60, may_refuse=True)
        cluster.elsewhere = {POLLED, *storm.group_ids, *(group.id for group in traffic.groups)}
        yield ReplicatedCompany(
            cluster=cluster,
            storm=storm,
            recorder=CallRecorder(engine),
            traffic=traffic,
            senders=Senders(ports, share=0.0),
            stack=stack,
            seconds=seconds,
        )
