"""Programs that are slow, away or wrong, and bots that are killed: each event arrives, signed and in order."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from bot.store.database import Database
from bot.store.tables import DELIVERY
from tests.outbox.telling_process import HIDDEN
from tests.scenario.processes import at_work
from tests.web.receiving_program import SECRET, is_signed

REFUSED_EACH = 2_000
"""One program refuses one of so many events for what it says."""
Answer = Callable[["Programs", int], Awaitable[web.Response | None]]


@dataclass
class Programs:
    """Four programs of the company, by name, and the ids of events in the order in which they came there."""

    moments: Random
    arrived: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    calls: int = 0

    async def well(self, _number: int) -> web.Response:
        return web.Response(status=204)

    async def slow(self, _number: int) -> web.Response:
        """Answer at times when nobody waits any more."""
        await asyncio.sleep(0.7 if self.moments.random() < 0.01 else 0.002)
        return web.Response(status=204)

    async def away(self, _number: int) -> web.Response:
        """Be away for two calls, now and then."""
        self.calls += 1
        return web.Response(status=503 if self.calls % 200 in (30, 31) else 204)

    async def wrong(self, number: int) -> web.Response | None:
        """Refuse some, fail with others, and hang up on others that it has taken."""
        chance = self.moments.random()
        if number % REFUSED_EACH == REFUSED_EACH - 1:
            return web.Response(status=400)
        return web.Response(status=500) if chance < 0.03 else None if chance < 0.06 else web.Response(status=204)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        assert is_signed(SECRET, request.headers, body)
        name = request.match_info["name"]
        event = orjson.loads(body)
        response = await getattr(self, name)(event["data"]["view"]["number"])
        if response is None or response.status == 204:
            self.arrived[name].append(event["id"])
        if response is None:
            assert request.transport is not None
            request.transport.close()
        return response or web.Response()


@asynccontextmanager
async def four_programs(moments: Random) -> AsyncIterator[tuple[Programs, str]]:
    programs, app = Programs(moments), web.Application()
    app.router.add_post("/{name}", programs.take)
    server = TestServer(app)
    await server.start_server()
    addresses = {name: str(server.make_url(f"/{name}")) for name in ("well", "slow", "away", "wrong")}
    yield programs, orjson.dumps(addresses).decode()
    await server.close()


@pytest.mark.process
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.parametrize(
    ("events", "kills"), [(80, 2), pytest.param(25_000, 40, id="a hundred thousand", marks=pytest.mark.soak)]
)
async def test_each_event_arrives_in_order_whoever_is_killed(
    kind: str, events: int, kills: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue(f"{kind}_url")
    moments = Random(9)
    names = ["one"] if kind == "sqlite" else ["one", "other"]
    database = Database(url)
    await database.migrate()
    async with four_programs(moments) as (programs, addresses):
        each = str(events // len(names))
        for kill in range(1, kills + 1):
            async with AsyncExitStack() as stack:
                running = [
                    await stack.enter_async_context(
                        at_work("tests.outbox.telling_process", *(url, name, each, addresses), folder=tmp_path)
                    )
                    for name in names
                ]
                wanted = 3 * events * kill // kills
                while sum(map(len, programs.arrived.values())) < wanted:
                    assert any(program.process.returncode is None for program in running), running[0].err
                    await asyncio.sleep(0.005)
                for program in running:
                    await program.kill()
        async with AsyncExitStack() as stack:
            last = [
                await stack.enter_async_context(
                    at_work("tests.outbox.telling_process", *(url, name, each, addresses), folder=tmp_path)
                )
                for name in names
            ]
            for program in last:
                end = await asyncio.wait_for(program.process.wait(), 3_000)
                assert end == 0, program.err
    rows = await database.rows(select(DELIVERY).order_by(DELIVERY.c.due_ms))
    await database.close()
    assert len(rows) == 4 * events
    for name in ("well", "slow", "away", "wrong"):
        mine = [row for row in rows if row.place.endswith(f":{name}")]
        refused = {row.card for row in mine if row.state == "dead"}
        assert all((int(orjson.loads(row.ref)["line"]) + 1) % REFUSED_EACH == 0 for row in mine if row.card in refused)
        assert bool(refused) == (name == "wrong" and events >= REFUSED_EACH)
        owed: dict[str, list[str]] = defaultdict(list)
        for row in mine:
            if row.card not in refused and not row.fact.endswith(HIDDEN):
                owed[row.fact].append(row.card.rpartition(":")[2])
        first = {event_id: place for place, event_id in reversed([*enumerate(programs.arrived[name])])}
        assert first.keys() == {event_id for ids in owed.values() for event_id in ids}
        assert all(ids == sorted(ids, key=first.__getitem__) for ids in owed.values())
