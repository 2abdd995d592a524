"""A PgBouncer of the tests' own, in transaction mode, before a PostgreSQL server of theirs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.erp.sql.postgres_server import Postgres
from tests.free_ports import free_port

CONNECTIONS = 3
"""To a database, for all who come through it: fewer than one replica has, so that they are handed around."""


def program() -> Path | None:
    """Return the installed program; Debian keeps it among those of administrators."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return Path(found) if found else None


@contextmanager
def pooling(pgbouncer: Path, server: Postgres) -> Iterator[int]:
    """Run it before a server; gives its port. As root it runs as nobody, since it refuses root."""
    home = Path(tempfile.mkdtemp(prefix="dingerp-pgbouncer-"))
    port = free_port()
    user = "nobody" if os.getuid() == 0 else None
    settings = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "pool_mode": "transaction",
        "default_pool_size": CONNECTIONS,
        "max_client_conn": 200,
        "max_prepared_statements": 0,
        "logfile": home / "log",
    }
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
    (home / "ini").write_text(f"[databases]\n* = host=127.0.0.1 port={server.port} user=owner\n[pgbouncer]\n{lines}")
    if user:
        shutil.chown(home, user)
    running = subprocess.Popen([pgbouncer, "-q", home / "ini"], user=user, stderr=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(running, port, server.database)
        yield port
    finally:
        # Since 1.23 it waits for its clients after SIGTERM.
        running.kill()
        running.wait()
        shutil.rmtree(home, ignore_errors=True)


def _wait_until_it_answers(running: subprocess.Popen[bytes], port: int, database: str) -> None:
    while True:
        try:
            psycopg.connect(host="127.0.0.1", port=port, dbname=database, user="owner", connect_timeout=5).close()
        except psycopg.OperationalError:
            assert running.poll() is None, "PgBouncer has ended"
        else:
            return
