"""A company grows from SQLite to PostgreSQL: what was open before can be acted on afterwards."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.chat import SimConversation, SimDelivery
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.store.data_keys import KEY_FILE, KeyFile
from bot.store.database import Database
from bot.store.table_copies import tables_with_rows
from tests.scenario.conftest import KEEPER
from tests.scenario.processes import NO_INDEX, connected, dingerp, environment, run_dingerp, used_before
from tests.scenario.traffic import LONGEST_WAIT, eventually

CONFIG = SimulatorConfig(qps_limit=None, quota_limit=None, click_timeout=LONGEST_WAIT)
PEOPLE = 20_000
"""So many that a copy is still at work when it is killed."""

pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]


def first_group(engine: SimEngine) -> SimConversation:
    return next(each for each in engine.chat.conversations.values() if each.kind == "group")


def cards(engine: SimEngine, group: SimConversation) -> list[SimCardView]:
    return [item.card.view_for(KEEPER) for item in engine.chat.items(group) if isinstance(item, SimDelivery)]


def let_many_choose_a_language(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executemany("INSERT INTO language VALUES (?, 'en')", ((f"user{n}",) for n in range(PEOPLE)))


def is_being_filled(url: str) -> bool:
    """Return whether a copy has begun to write."""
    wanted = "SELECT count(*) FROM pg_locks WHERE mode = 'ExclusiveLock' AND relation IS NOT NULL AND granted"
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(wanted).fetchone() != (0,)


async def test_an_open_alert_is_taken_after_the_move(tmp_path: Path, empty_postgres_url: str) -> None:
    data = used_before(tmp_path / "data")
    async with simulator_running(CONFIG) as simulator:
        engine = simulator.engine
        group = first_group(engine)
        before = environment(CONFIG, simulator.url, data, DINGERP_ALERTS__DEFAULT_GROUPS=f'["{group.id}"]', **NO_INDEX)
        copying = ("db", "copy", "--to", "env:NEW_DATABASE")
        env = before | {"NEW_DATABASE": empty_postgres_url}
        async with dingerp("run", env=before, folder=tmp_path) as bot:
            await bot.saying("bot.running")
            sent = await run_dingerp(
                "send", "--title", "Cold store 2", "--subject", "cold-2", "--open", env=before, folder=tmp_path
            )
            assert sent.code == 0, sent.err
            await eventually(lambda: cards(engine, group), hint=lambda: bot.err)
            refused = await run_dingerp(*copying, env=env, folder=tmp_path)
            assert (refused.code, refused.out) == (3, ""), refused.err
            assert f"process {bot.process.pid} on" in refused.err
            assert (await bot.stop()).code == 0
        (old,) = cards(engine, group)
        let_many_choose_a_language(data / "dingerp.sqlite3")

        async with dingerp(*copying, env=env, folder=tmp_path) as killed:
            await eventually(lambda: is_being_filled(empty_postgres_url), hint=lambda: killed.err)
            await killed.kill()
        await eventually(lambda: not is_being_filled(empty_postgres_url), hint=lambda: "its transaction goes on")
        unfinished = Database(empty_postgres_url, looking=True)
        assert await unfinished.run(tables_with_rows) == []
        await unfinished.close()

        copied = await run_dingerp(*copying, env=env, folder=tmp_path)
        assert copied.code == 0, copied.err
        assert ["language", f"{PEOPLE:,}"] in [line.split() for line in copied.out.splitlines()]
        (key,) = KeyFile(path=data / KEY_FILE).read()
        assert key.text not in copied.out + copied.err

        after = before | {
            "DINGERP_DATABASE_URL": empty_postgres_url,
            "DINGERP_DATA_KEY": key.text,
            "DINGERP_DATA_DIR": str(used_before(tmp_path / "replica")),
        }
        async with dingerp("run", env=after, folder=tmp_path) as bot:
            await bot.saying("bot.running")
            await connected(engine)
            taken = await engine.click(old.out_track_id, KEEPER, "我来跟进")
            assert taken.ok, taken.toast
            await eventually(
                lambda: "我来跟进" not in [b.text for b in cards(engine, group)[0].buttons], hint=lambda: bot.err
            )
            question = engine.say(group.id, KEEPER, "/help")
            await eventually(lambda: engine.cards_for(question), hint=lambda: bot.err)
            assert (await bot.stop()).code == 0
