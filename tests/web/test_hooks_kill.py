"""202 means committed: every event that was answered before the kill is stored afterwards, once."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import select

from bot.store.database import Database
from bot.store.tables import EVENT
from tests.alerts.intake.samples import NOW, cloud_event
from tests.alerts.intake.signed_requests import sign
from tests.scenario.processes import at_work


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


class Senders:
    """Send numbered events, eight requests at a time, until the server is gone."""

    def __init__(self) -> None:
        self.numbers = itertools.count()
        self.promised: set[str] = set()
        self.sent: set[str] = set()
        self.enough = asyncio.Event()

    async def send(self, client: aiohttp.ClientSession, port: int, wanted: int) -> None:
        while True:
            ids = [f"E-{next(self.numbers)}" for _ in range(3)]
            body = json.dumps([cloud_event(id=each) for each in ids]).encode()
            self.sent.update(ids)
            address = f"http://127.0.0.1:{port}/hooks/main"
            try:
                async with client.post(address, data=body, headers=sign(body, NOW)) as answer:
                    assert answer.status == 202
            except aiohttp.ClientError:
                return
            self.promised.update(ids)
            if len(self.promised) >= wanted:
                self.enough.set()


@pytest.mark.process
@pytest.mark.timeout(600)
async def test_what_was_acknowledged_survives_a_kill_at_any_moment(url: str, tmp_path: Path) -> None:
    senders = Senders()
    for kill in range(1, 4):
        senders.enough.clear()
        async with (
            at_work("tests.web.hook_process", url, folder=tmp_path) as process,
            aiohttp.ClientSession() as client,
        ):
            port = int(process.out)
            tasks = [asyncio.create_task(senders.send(client, port, kill * 150)) for _ in range(8)]
            await asyncio.wait_for(senders.enough.wait(), 30)
            await process.kill()
            await asyncio.gather(*tasks)

    database = Database(url)
    kept = Counter(await database.run(lambda connection: connection.scalars(select(EVENT.c.event_id)).all()))
    await database.close()
    assert len(senders.promised) >= 450
    assert senders.promised <= kept.keys() <= senders.sent
    assert set(kept.values()) == {1}
