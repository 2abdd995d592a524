"""``kill -9`` at any moment of a refresh: no row stands twice, no edit is lost, and none is asked twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from random import Random

import orjson
import pytest
from sqlalchemy import select

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.notable import SimTable
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.store.database import Database
from bot.store.tables import PROPOSAL
from tests.scenario.processes import NO_INDEX, connected, environment, forked, used_before
from tests.scenario.test_kill import moments
from tests.scenario.traffic import eventually

__all__ = ["moments"]

CONFIG = SimulatorConfig(qps_limit=None, quota_limit=None)
BASE, OWNER, KEY, STATUS, ASKED = "base1", "sales01", "行标识", "处理结果", "关注"
SHEETS = {
    "orders": {
        "base": BASE,
        "sheet": "Orders",
        "owner": OWNER,
        "line": "/order",
        "shared": True,
        "edits": {ASKED: {"yes": "/watch {number}"}},
    }
}
BOT = "tests.scenario.sharing_bot"
SLOW = 0.03
"""Seconds of each call about the table: a kill is as likely between them as within."""
KILLS = 8

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]


def keys(table: SimTable) -> list[str]:
    return [cells[KEY] for cells in table.records.values() if cells.get(KEY)]


def asked(table: SimTable) -> set[str]:
    """Return the keys of the rows that somebody wrote into."""
    return {cells[KEY] for cells in table.records.values() if cells.get(ASKED) and cells.get(KEY)}


def told(table: SimTable) -> list[str]:
    """Return what the bot says of edits."""
    return [cells[STATUS] for cells in table.records.values() if cells.get(STATUS)]


async def test_rows_stand_once_and_edits_are_asked_once(tmp_path: Path, moments: Random) -> None:
    folder = used_before(tmp_path / "data")
    async with simulator_running(CONFIG) as simulator:
        engine = simulator.engine
        table = engine.tables.add(BASE, "Orders", editors=[engine.person(OWNER).union_id])
        env = environment(CONFIG, simulator.url, folder, **NO_INDEX, DINGERP_SHEETS=orjson.dumps(SHEETS).decode())
        engine.faults.set("slow_api", on=True, delay_ms=round(SLOW * 1000))
        for number in range(KILLS):
            async with forked(BOT, env=env, folder=tmp_path) as bot:
                await connected(engine)
                if number:
                    # Somebody edits, and takes rows away that the bot brings again.
                    await eventually(lambda: keys(table), hint=lambda: bot.err)
                    unasked = sorted(each for each in table.records if not table.records[each].get(ASKED))
                    filled = [each for each in unasked if table.records[each].get(KEY)]
                    engine.tables.update(table, {filled[0]: {ASKED: "yes"}})
                    engine.tables.delete(table, filled[1:4])
                await asyncio.sleep(moments.uniform(0.0, 10 * SLOW))
                await bot.kill()
                assert "Traceback" not in bot.err
            await engine.wait_for(lambda: not engine.pushes.connections)
        engine.faults.clear()
        async with forked(BOT, env=env, folder=tmp_path) as bot:
            said = {f"/watch {key.rpartition(' · ')[2]}" for key in asked(table)}
            assert len(said) == KILLS - 1
            await eventually(lambda: len(told(table)) == len(said), hint=lambda: (told(table), bot.err))
            whole = len(keys(table))
            await bot.stop()
    assert [key for key, count in Counter(keys(table)).items() if count > 1] == []
    assert whole > 10
    database = Database(f"sqlite:///{folder / 'dingerp.sqlite3'}")
    lines = await database.read(lambda connection: [*connection.execute(select(PROPOSAL.c.body)).scalars()])
    await database.close()
    assert Counter(orjson.loads(body)["line"] for body in lines) == dict.fromkeys(said, 1)
