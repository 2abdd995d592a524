"""Subscriptions in a running bot: kept, listed and stopped; when its time comes, each is one card, whatever happens."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import product
from pathlib import Path

import pytest

from bot.alerts import subscriptions
from bot.alerts.subscriptions import Subscription
from bot.kit.company.sales import ZONE
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.outbox.place import Place, PlaceKind
from bot.store.alerts.subscriptions import StoredSubscriptions
from tests.scenario.alerts import fast_clock_bot
from tests.scenario.conftest import KEEPER, BotSystem, run_system
from tests.scenario.processes import NO_INDEX, Program, environment, forked, shared_database, used_before
from tests.scenario.traffic import eventually

CONFIG = SimulatorConfig(qps_limit=None)
PEOPLE = ("boss01", "finance01", "buyer01", "sales01", KEEPER)
LINES = ("/order late", "/invoice overdue", "/po late", "/mo late", "/stock SKU123")


async def test_a_group_and_a_person_have_their_own(system: BotSystem) -> None:
    card = await system.ask("/订阅 延期订单 17:00 每天")
    assert card.title == "已订阅：/order 延期"
    assert "每天" in card.markdown
    assert "本群" in card.tips
    chat = system.engine.chat.direct_chat(KEEPER)
    assert chat is not None
    mine = await system.ask("/subscriptions", where=chat.id)
    assert "/order" not in mine.markdown
    stopped = await system.ask("/退订 延期订单")
    assert stopped.title == "已取消订阅：/order 延期"


@dataclass
class MovedClock:
    """The real time, moved on by as much as a test wants."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lets the bot look all the time for what is due, and tells how much was due at each look."""
    found: list[int] = []
    send_due = StoredSubscriptions.send_due

    async def counting(store: StoredSubscriptions, now: datetime, zone: tzinfo) -> int:
        found.append(await send_due(store, now, zone))
        return found[-1]

    monkeypatch.setattr(StoredSubscriptions, "send_due", counting)
    monkeypatch.setattr(subscriptions, "_LOOKED_EVERY", 0.01)
    return found


async def test_it_comes_once_when_its_time_has_come(tmp_path: Path, looks: list[int]) -> None:
    clock = MovedClock()
    async with run_system(tmp_path, clock=clock.now) as system:
        at = (clock.now() + timedelta(minutes=10)).astimezone(ZONE)
        asked = await system.ask(f"/订阅 延期订单 {at:%H:%M} 每天")
        assert asked.title == "已订阅：/order 延期"

        async def expect_in_all(count: int) -> None:
            """Expect so many cards in the group, and no more after some further looks."""
            seen = len(looks)
            await eventually(lambda: len(looks) > seen + 3, hint=lambda: looks)
            await eventually(lambda: len(system.engine.cards) == 1 + count, hint=lambda: len(system.engine.cards))
            assert sum(looks) == count

        clock.ahead += timedelta(minutes=8)
        await expect_in_all(0)
        clock.ahead += timedelta(minutes=3)
        await expect_in_all(1)
        clock.ahead += timedelta(hours=23)
        await expect_in_all(1)
        clock.ahead += timedelta(hours=1)
        await expect_in_all(2)
        later = (clock.now() + timedelta(minutes=30)).astimezone(ZONE)
        assert (await system.ask(f"/订阅 延期订单 {later:%H:%M} 每天")).title == "已订阅：/order 延期"
        clock.ahead += timedelta(minutes=31)
        await eventually(lambda: len(system.engine.cards) == 5, hint=lambda: len(system.engine.cards))
        assert sum(looks) == 3
        # After days of standing still one comes, and not one for each day.
        clock.ahead += timedelta(days=5)
        await eventually(lambda: sum(looks) == 4, hint=lambda: looks)
        await eventually(lambda: len(system.engine.cards) == 6, hint=lambda: len(system.engine.cards))
        views = [card.view_for(KEEPER) for card in system.engine.cards]
        comes = [card for card in views if not card.title.startswith("已订阅")]
        assert all(card.title.startswith("延期订单") and "SO-" in card.markdown for card in comes)


async def fall_due(url: str) -> int:
    """Store subscriptions of people whose time has just come, and return how many they are."""
    due = datetime.now(UTC) - timedelta(seconds=1)
    database = shared_database(url)
    store = StoredSubscriptions(database)
    for user_id, line in product(PEOPLE, LINES):
        subscription = Subscription(
            place=Place(PlaceKind.PERSON, user_id),
            conversation="",
            user_id=user_id,
            line=line,
            at=due.time().replace(second=0, microsecond=0),
            workdays=False,
            next_at=due,
        )
        await store.put(subscription)
    await database.close()
    return len(PEOPLE) * len(LINES)


def in_own_chats(engine: SimEngine) -> Counter[tuple[str, str]]:
    """Return how often each title stands in each person's chat with the bot."""
    found: Counter[tuple[str, str]] = Counter()
    for user_id in PEOPLE:
        chat = engine.direct(user_id)
        cards = [item.card for item in chat.items if hasattr(item, "card")]
        found.update((user_id, card.view_for(user_id).title) for card in cards)
    return found


async def more_than(engine: SimEngine, count: int, bots: Sequence[Program]) -> None:
    """Wait until more than so many digests have come."""
    await eventually(lambda: in_own_chats(engine).total() > count, hint=lambda: [bot.err for bot in bots])


async def come_to_rest(engine: SimEngine, owed: int, bots: Sequence[Program]) -> None:
    """Wait for the last digest, and stop the bots: each came once, to whom it was for."""
    await more_than(engine, owed - 1, bots)
    for bot, ended in zip(bots, await asyncio.gather(*(bot.stop() for bot in bots)), strict=True):
        assert ended.code == 0
        assert "Traceback" not in bot.err
    found = in_own_chats(engine)
    assert (found.total(), len(found)) == (owed, owed), found


@pytest.mark.process
@pytest.mark.timeout(300)
async def test_a_killed_bot_leaves_none_out_and_sends_none_twice(tmp_path: Path) -> None:
    async with simulator_running(CONFIG) as simulator:
        engine = simulator.engine
        folder = used_before(tmp_path / "data")
        owed = await fall_due(f"sqlite:///{folder / 'dingerp.sqlite3'}")
        env = environment(CONFIG, simulator.url, folder, **NO_INDEX)
        for come in (0, 7, 15):
            async with forked("bot.cli", "run", env=env, folder=tmp_path) as bot:
                await more_than(engine, come, [bot])
                await bot.kill()
        async with forked("bot.cli", "run", env=env, folder=tmp_path) as bot:
            await come_to_rest(engine, owed, [bot])


@pytest.mark.process
@pytest.mark.timeout(300)
async def test_two_bots_of_one_database_send_each_once(tmp_path: Path, postgres_url: str) -> None:
    async with simulator_running(CONFIG) as simulator, AsyncExitStack() as stack:
        engine, began = simulator.engine, f"{time.time()}"
        owed = await fall_due(postgres_url)

        async def start(name: str) -> Program:
            folder = used_before(tmp_path / name)
            shared = {"DINGERP_DATABASE_URL": postgres_url, "DINGERP_REPLICAS": "2"}
            env = environment(CONFIG, simulator.url, folder, **shared, **NO_INDEX)
            # What the killed bot was sending is free for another one when its lease ends.
            env |= {fast_clock_bot.BEGAN: began}
            return await stack.enter_async_context(forked(fast_clock_bot.__name__, env=env, folder=folder))

        first, second = await asyncio.gather(start("first"), start("second"))
        await more_than(engine, 4, [first, second])
        await first.kill()
        third = await start("third")
        await come_to_rest(engine, owed, [second, third])
