"""Opening, migrating and checking the database."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection

from bot.store import engines
from bot.store.database import Database
from bot.store.errors import DatabaseIsNewer, StoreUnavailable
from bot.store.revisions import latest_revision
from bot.words.errors import ConfigurationError
from tests.rows import each_row
from tests.scenario.processes import forked, own_environment

_INBOX = "inbox (msg_id, state, received_ms, payload)"


async def test_an_empty_database_has_no_revision_until_it_is_migrated(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'deep' / 'down' / 'bot.sqlite3'}")
    assert await database.revision() is None
    await database.migrate()
    assert await database.revision() == latest_revision()
    await database.migrate()
    assert await database.revision() == latest_revision()
    await database.close()


@each_row("url", ["", "nonsense", "mongodb://user:hunter2@localhost/x", "postgresql://user:hunter2@localhost:port/x"])
def test_an_unusable_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Database(url)
    assert "hunter2" not in str(raised.value)


def test_a_server_that_says_nothing_is_waited_for_as_long_as_the_address_says() -> None:
    address = "postgresql://bot@localhost/x"
    assert engines.make_engine(address).url.query["connect_timeout"] == "10"
    own = engines.make_engine(f"{address}?connect_timeout=3&sslmode=require").url.query
    assert (own["connect_timeout"], own["sslmode"], own["keepalives_idle"]) == ("3", "require", "30")


async def test_sqlite_writes_ahead_so_that_readers_never_wait(database: Database) -> None:
    mode = await database.run(lambda connection: connection.exec_driver_sql("PRAGMA journal_mode").scalar())
    assert mode == "wal"


async def test_a_failed_call_leaves_nothing_behind(database: Database) -> None:
    def half(connection: object) -> None:
        connection.execute(text("INSERT INTO language VALUES ('u1', 'en')"))  # type: ignore[attr-defined]
        connection.execute(text("INSERT INTO nowhere VALUES (1)"))  # type: ignore[attr-defined]

    with pytest.raises(StoreUnavailable, match="OperationalError"):
        await database.run(half)
    assert await database.run(lambda connection: connection.scalar(text("SELECT count(*) FROM language"))) == 0


async def test_a_silent_database_is_reported_in_time(database: Database) -> None:
    busy = threading.Event()
    blocked = database._threads.submit(busy.wait, 60)
    with pytest.raises(StoreUnavailable, match="TimeoutError"):
        await database.revision(timeout=0.05)
    assert not blocked.done(), "it did not wait for the other one"
    busy.set()
    assert blocked.result(60)


@pytest.mark.process
async def test_processes_that_start_together_migrate_once(empty_postgres_url: str, tmp_path: Path) -> None:
    """Two replicas on an empty database: the second one found half of the tables made and gave up."""
    start = partial(forked, "tests.store.migration_process", empty_postgres_url, env=own_environment(), folder=tmp_path)
    async with start() as one, start() as other, start() as third:
        ends = [await process.ended() for process in (one, other, third)]
    assert [(end.code, end.err) for end in ends] == [(0, "")] * 3
    database = Database(empty_postgres_url)
    assert await database.revision() == latest_revision()
    await database.close()


@pytest.fixture
async def postgresql(empty_postgres_url: str) -> AsyncIterator[Database]:
    """Return an empty database on PostgreSQL."""
    database = Database(empty_postgres_url)
    yield database
    await database.close()


def _process_id(connection: Connection) -> int:
    return connection.execute(text("SELECT pg_backend_pid()")).scalar_one()


_END_OTHERS = text(
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = user"
)
"""It waits until they have ended."""
_END_ITSELF = text("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.process
async def test_calls_that_run_side_by_side_end_before_the_connections(postgresql: Database) -> None:
    calls = [postgresql.start(partial(postgresql.read_blocking, _rest)) for _ in range(2)]
    await postgresql.close()
    assert [call.done() and call.result() for call in calls] == ["", ""]


def _rest(connection: Connection) -> object:
    return connection.execute(text("SELECT pg_sleep(0.2)")).scalar()


@pytest.mark.process
async def test_a_call_after_the_end_is_refused_in_a_sentence(database: Database) -> None:
    await database.close()
    for call in (database.run(lambda _: None), database.read(lambda _: None)):
        with pytest.raises(StoreUnavailable, match="closed"):
            await call


async def test_connections_that_end_while_they_are_idle_are_replaced_unseen(postgresql: Database) -> None:
    """As after a restart of PostgreSQL, however shortly before they were used."""
    other = Database(postgresql._engine.url.render_as_string(hide_password=False))
    for call in (postgresql.run, postgresql.read):
        before = await asyncio.gather(*(call(_process_id) for _ in range(4)))
        await other.run(lambda connection: connection.execute(_END_OTHERS).all())
        assert not {*before} & {*await asyncio.gather(*(call(_process_id) for _ in range(4)))}
    await other.close()


@pytest.mark.process
async def test_a_connection_that_ends_in_use_costs_one_call_and_no_more(postgresql: Database) -> None:
    with pytest.raises(StoreUnavailable, match="OperationalError"):
        await postgresql.run(lambda connection: connection.execute(_END_ITSELF).all())
    assert await asyncio.gather(*(postgresql.read(_process_id) for _ in range(4)))


@pytest.mark.process
async def test_a_read_is_no_transaction_and_leaves_none_to_the_next_call(postgresql: Database) -> None:
    now = text("SELECT transaction_timestamp()")
    first, second = await postgresql.read(lambda connection: (connection.scalar(now), connection.scalar(now)))
    assert first != second
    third, fourth = await postgresql.run(lambda connection: (connection.scalar(now), connection.scalar(now)))
    assert third == fourth


_IDLE_LIMIT = text("SHOW idle_in_transaction_session_timeout")


@pytest.mark.process
async def test_waiting_for_a_lock_ends(postgresql: Database) -> None:
    for call in (postgresql.run, postgresql.read):
        assert await call(lambda connection: connection.scalar(text("SHOW lock_timeout"))) == "5s"
        assert await call(lambda connection: connection.scalar(_IDLE_LIMIT)) == "30s"


def outcome_of(database: Database, job: Callable[[], str]) -> asyncio.Future[Future[str]]:
    """Return the outcome of a job on the database's thread, as the loop hears of it."""
    outcome: asyncio.Future[Future[str]] = asyncio.get_running_loop().create_future()
    database.call_when_done(database.start(job), outcome.set_result)
    return outcome


async def test_a_quick_job_is_reported_at_once(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    at_once = 0
    for _ in range(50):  # a machine with much else to do may now and then need longer than that moment
        outcome = outcome_of(database, lambda: "done")
        at_once += outcome.done()
        assert (await asyncio.wait_for(outcome, 60)).result() == "done"
    assert at_once > 0
    await database.close()


async def test_a_slow_job_is_reported_when_it_is_done_while_the_loop_goes_on(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    gate = threading.Event()

    def wait_and_fail() -> str:
        gate.wait(60)
        raise StoreUnavailable("full")

    outcome = outcome_of(database, wait_and_fail)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not outcome.done()
    gate.set()
    with pytest.raises(StoreUnavailable):
        (await asyncio.wait_for(outcome, 60)).result()
    await database.close()


@pytest.mark.process
async def test_the_loop_does_not_wait_for_postgresql(postgresql: Database) -> None:
    gate = threading.Event()
    outcome = outcome_of(postgresql, lambda: "done" if gate.wait(60) else "never")
    assert not outcome.done()
    gate.set()
    assert (await asyncio.wait_for(outcome, 60)).result() == "done"


async def test_a_checkpoint_moves_the_log_into_the_file_while_others_write(tmp_path: Path) -> None:
    file = tmp_path / "bot.sqlite3"
    database = Database(f"sqlite:///{file}")
    await database.migrate()
    size = file.stat().st_size

    def write(connection: Connection) -> None:
        connection.execute(
            text(f"INSERT INTO {_INBOX} VALUES ('m1', 'waiting', 1, :payload)"),
            {"payload": "x" * 200_000},
        )

    await database.run(write)
    assert file.stat().st_size == size, "a commit waits for no disk"
    await database.run(lambda connection: connection.execute(text("UPDATE inbox SET state = 'answered'")))
    await database.checkpoint()
    assert file.stat().st_size > size + 200_000
    await database.checkpoint()  # there is nothing new
    await database.close()


def rewriting(mark: int) -> Callable[[Connection], object]:
    """Return what writes 50 kB into the log."""
    return lambda connection: connection.execute(
        text(f"REPLACE INTO {_INBOX} VALUES ('m1', 'waiting', :mark, :payload)"),
        {"mark": mark, "payload": "x" * 50_000},
    )


async def test_the_log_stays_short_under_constant_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_LONG_LOG_PAGES", 200)
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()

    log = tmp_path / "bot.sqlite3-wal"
    written, moved, enough = 0, 0, asyncio.Event()

    async def write() -> None:
        nonlocal written
        while not enough.is_set():
            # On a busy machine the other thread may have to be waited for.
            if written < moved + 500:
                await database.run(rewriting(written))
                written += 1
            else:
                await asyncio.sleep(0.001)

    writing = asyncio.create_task(write())
    # The log's file never shrinks. Once the log has restarted, writing on makes it small beside what was written.
    while written < 100 or log.stat().st_size > written * 50_000 / 2:
        assert not writing.done(), "nobody writes"
        assert written < 4_000, "the log never restarted"  # SQLite itself restarts it at some 4 600
        await database.checkpoint()
        moved = written
        await asyncio.sleep(0)
    enough.set()
    await writing
    await database.close()


async def test_a_reader_of_the_log_blocks_no_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_LONG_LOG_PAGES", 0)
    file = tmp_path / "bot.sqlite3"
    database = Database(f"sqlite:///{file}")
    await database.migrate()
    await database.run(rewriting(1))
    reader = sqlite3.connect(file, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM inbox").fetchone()
    await database.run(rewriting(2))
    # A writer that was blocked would fail: it waits for two seconds.
    async with asyncio.timeout(60):
        await asyncio.gather(database.checkpoint(), *(database.run(rewriting(mark)) for mark in range(20)))
    reader.close()
    await database.close()


async def test_a_checkpoint_that_fails_says_so(tmp_path: Path) -> None:
    file = tmp_path / "bot.sqlite3"
    database = Database(f"sqlite:///{file}")
    file.write_bytes(b"no database at all, but long enough to be looked at " * 20)
    file.with_name("bot.sqlite3-wal").write_bytes(b"")
    with pytest.raises(StoreUnavailable):
        await database.checkpoint()
    await database.close()


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return all that is in a folder: files with their content, folders with None."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


async def test_looking_changes_nothing_and_makes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "data" / "bot.sqlite3"
    looking = Database(f"sqlite:///{file}", looking=True)
    assert await looking.revision() is None
    assert contents(tmp_path) == {}
    database = Database(f"sqlite:///{file}")
    await database.migrate()
    assert await looking.revision() == latest_revision(), "beside one that writes"
    with pytest.raises(StoreUnavailable, match="read-only"):
        await looking.run(lambda connection: connection.execute(text("DELETE FROM inbox")))
    await looking.close()
    await database.close()
    before = contents(tmp_path)
    alone = Database(f"sqlite:///{file}", looking=True)
    assert await alone.revision() == latest_revision()
    await alone.close()
    assert contents(tmp_path) == before


@pytest.mark.process
async def test_looking_into_postgresql_changes_nothing(postgresql: Database) -> None:
    await postgresql.migrate()
    looking = Database(postgresql._engine.url.render_as_string(hide_password=False), looking=True)
    assert await looking.revision() == latest_revision()
    with pytest.raises(StoreUnavailable, match="read-only"):
        await looking.run(lambda connection: connection.execute(text("DELETE FROM inbox")))
    await looking.close()


async def test_a_database_of_a_newer_version_is_refused_in_a_sentence(database: Database) -> None:
    await database.run(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(DatabaseIsNewer, match=r"a newer version of dingerp has used the database .*9999"):
        await database.migrate()
    assert await database.revision() == "9999"


async def _full(database: Database) -> None:
    def fill(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        connection.exec_driver_sql("INSERT INTO language VALUES ('u', :text)", {"text": "x" * 100_000})

    await database.run(fill)


async def _read_only(database: Database) -> None:
    await database.run(lambda connection: connection.exec_driver_sql("PRAGMA query_only = ON"))
    await database.run(lambda connection: connection.exec_driver_sql("INSERT INTO language VALUES ('u', 'en')"))


FAILURES = {"the disk is full": _full, "the database is read-only": _read_only}


@pytest.mark.parametrize("cause", FAILURES)
async def test_a_failure_says_its_cause_and_the_remedy(cause: str, database: Database) -> None:
    with pytest.raises(StoreUnavailable, match=f"{cause}; .*OperationalError"):
        await FAILURES[cause](database)


async def test_a_file_that_is_no_database_is_called_damaged(tmp_path: Path) -> None:
    file = tmp_path / "bot.sqlite3"
    file.write_bytes(b"no database at all, but long enough to be looked at " * 20)
    database = Database(f"sqlite:///{file}")
    with pytest.raises(StoreUnavailable, match=r"damaged.*db restore"):
        await database.revision()
    await database.close()


async def test_what_is_durable_waits_for_the_disk_and_nothing_else_does(database: Database) -> None:
    def synchronous(connection: Connection) -> object:
        connection.execute(text("REPLACE INTO language VALUES ('u1', 'en')"))
        return connection.exec_driver_sql("PRAGMA synchronous").scalar()

    normal, full = 1, 2
    assert await database.run(synchronous) == normal
    assert await database.run(synchronous, durable=True) == full
    with pytest.raises(ZeroDivisionError):
        await database.run(lambda _: 1 / 0, durable=True)
    assert await database.run(synchronous) == normal


async def test_while_somebody_holds_the_lock_each_writer_waits_but_a_moment(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_BUSY_MS", 60_000)
    monkeypatch.setattr(database._patience, "wait", 50)  # as after a first writer that waited in vain

    def wait_for_lock(connection: Connection) -> object:
        return connection.exec_driver_sql("PRAGMA busy_timeout").scalar()

    words = "REPLACE INTO language VALUES ('u1', 'en')"
    file = str(database._engine.url.database)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="another process holds the database's lock"):
                await database.run(lambda connection: connection.exec_driver_sql(words))
        other.execute("ROLLBACK")
    await database.run(lambda connection: connection.exec_driver_sql(words))
    assert await database.run(wait_for_lock) == 60_000


async def test_the_first_writer_that_waits_in_vain_makes_the_others_impatient(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database._patience, "wait", 1)
    with closing(sqlite3.connect(str(database._engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            await database.run(lambda connection: connection.exec_driver_sql("DELETE FROM language"))
    assert database._patience.wait == 50
