"""A PostgreSQL server of the tests' own: on loopback, in a folder that goes away, without any durability."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from bot.kit.testing.fake_erp import SECRET
from tests.free_ports import free_port

READER, PASSWORD = "reader", SECRET
"""The role that may read only."""
_NUMBERS = count(1)
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_connections": "40",
    "shared_buffers": "16MB",
    "TimeZone": "America/St_Johns",
    "lc_messages": "C",
}


_EMPTY = """
DO $$ DECLARE one regclass; used boolean;
BEGIN
    SET LOCAL session_replication_role = replica;  -- without the triggers that keep a record from being shortened
    FOR one IN SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one) INTO used;
        IF used THEN EXECUTE format('TRUNCATE %s CASCADE', one); END IF;
    END LOOP;
    INSERT INTO audit_head VALUES (1, 0, repeat('0', 64), 0, repeat('0', 64));  -- as the migration leaves it
    PERFORM setval(oid, 1, false) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S';
END $$
"""
"""Only what has rows is truncated: to truncate all tables of the bot takes 40 ms, this 5 to 10."""

_SHAPE = """
SELECT string_agg(concat_ws(' ', relname, relnatts, relchecks, relhasindex, relhastriggers), ', ' ORDER BY relname),
    (SELECT string_agg(version_num, ', ') FROM alembic_version)
FROM pg_class WHERE relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True, slots=True)
class Postgres:
    """Where the server listens, and one of its databases."""

    port: int
    database: str = "postgres"

    @property
    def admin_url(self) -> str:
        return f"postgresql+psycopg://owner@127.0.0.1:{self.port}/{self.database}"

    @property
    def reader_url(self) -> str:
        return f"postgresql://{READER}:{PASSWORD}@127.0.0.1:{self.port}/{self.database}"


def programs() -> Path | None:
    """Return the folder of the newest installed server, Debian's included."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def running(folder: Path) -> Iterator[Postgres]:
    """Start the server whose programs are in ``folder``; as root it runs as nobody, since it refuses root."""
    user = "nobody" if os.getuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="dingerp-postgres-"))
    port = free_port()
    try:
        if user:
            shutil.chown(home, user)
        how = {"user": user, "cwd": home, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        initdb = [folder / "initdb", "-D", home / "data", "-U", "owner", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run([*initdb, "--auth=trust", "--no-sync"], check=True, **how)  # type: ignore[call-overload]
        (home / "data" / "pg_hba.conf").write_text(
            "host all owner 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        server = subprocess.Popen(  # type: ignore[call-overload]
            [folder / "postgres", "-D", home / "data", "-p", str(port), *settings], **how
        )
        try:
            _make_reader(Postgres(port))
            _let_read(Postgres(port))
            yield Postgres(port)
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def new_database(server: Postgres) -> Iterator[Postgres]:
    """Make an empty database for one user; whoever is still connected at the end is cut off."""
    made = replace(server, database=f"test{next(_NUMBERS)}")
    with _connected(server) as connection:
        connection.execute(f"CREATE DATABASE {made.database}")
    try:
        _let_read(made)
        yield made
    finally:
        with _connected(server) as connection:
            connection.execute(f"DROP DATABASE {made.database} WITH (FORCE)")


@dataclass(slots=True)
class Kept:
    """Copies of one database, each for one user after the other: to empty one takes a tenth of a copy's 110 ms.

    They end with their server.
    """

    server: Postgres
    like: Postgres
    _shape: Any = field(init=False)
    _free: list[Postgres] = field(default_factory=list)

    def __post_init__(self) -> None:
        with _connected(self.like) as connection:
            self._shape = connection.execute(_SHAPE).fetchone()

    @contextmanager
    def lend(self) -> Iterator[Postgres]:
        """Lend a database without rows; whoever is still connected at the end is cut off."""
        lent = self._free.pop() if self._free else self._copy()
        yield lent
        if self._emptied(lent):
            self._free.append(lent)

    def _copy(self) -> Postgres:
        made = replace(self.server, database=f"test{next(_NUMBERS)}")
        with _connected(self.server) as connection:
            connection.execute(f"CREATE DATABASE {made.database} TEMPLATE {self.like.database}")
        return made

    def _emptied(self, lent: Postgres) -> bool:
        """Empty it, unless its tables are no longer those of the original."""
        with _connected(lent) as connection:
            rest = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(f"SELECT pg_terminate_backend(pid, 10000) {rest}")
            if connection.execute(_SHAPE).fetchone() != self._shape:
                return False
            connection.execute(_EMPTY)
            return True


def administer(postgres: Postgres, statement: str) -> None:
    """Run a statement as the owner of the server."""
    with _connected(postgres) as connection:
        connection.execute(statement)


def table_names(postgres: Postgres) -> list[str]:
    """Return the names of a database's own tables."""
    with _connected(postgres) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        return [name for (name,) in rows]


def _connected(postgres: Postgres) -> psycopg.Connection:
    where = f"host=127.0.0.1 port={postgres.port} user=owner dbname={postgres.database}"
    return psycopg.connect(where, autocommit=True)  # databases are not made in transactions


def _let_read(postgres: Postgres) -> None:
    """Grant what holds for one database only."""
    with _connected(postgres) as connection:
        connection.execute("GRANT USAGE ON SCHEMA public TO reader")
        connection.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO reader")


def _make_reader(postgres: Postgres) -> None:
    ends = time.monotonic() + 180
    while True:
        try:
            with _connected(postgres) as connection:
                connection.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
            return
        except psycopg.OperationalError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)
