"""The replicas that share a PostgreSQL database, and the lease of the one that leads.

All times are the database's, so that clocks of machines do not matter. The statements run one by one on a connection of
their own, which no other work keeps busy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import orjson
import structlog
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    cast,
    column,
    delete,
    exists,
    extract,
    func,
    inspect,
    literal,
    select,
    table,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from bot.store.engines import CONNECTION_PREFIX, is_pooled, lease_engine
from bot.store.errors import store_unavailable
from bot.store.row_times import duration_to_ms, from_ms
from bot.store.statements import insert_into
from bot.store.tables import LEAD, REPLICA
from bot.words.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

T = TypeVar("T")

LEASE = timedelta(seconds=8)
"""How long a replica leads, and counts as living, after it last said so."""
BEAT_EVERY = 1.5
"""Seconds between two beats: some may fail before a lease ends."""
_FORGOTTEN_AFTER = timedelta(days=1)
_ONLY = 1
"""The id of the one row of the lease."""

_BEHIND_POOLER = 0
"""The backend of a replica whose connections belong to a pooler; PostgreSQL has none of that number."""

_L, _R = LEAD.c, REPLICA.c
_BACKENDS = table(
    "pg_stat_activity",
    column("pid"),
    column("datname"),
    column("backend_start"),
    column("application_name"),
    column("xact_start"),
)


def _microseconds(moment: ColumnElement[datetime]) -> ColumnElement[int]:
    return cast(extract("epoch", moment) * 1_000_000, BigInteger)


DATABASE_MS: ColumnElement[int] = cast(extract("epoch", func.clock_timestamp()) * 1000, BigInteger)
"""The database's time in milliseconds."""
DATABASE_US: ColumnElement[int] = _microseconds(func.clock_timestamp())
"""The same in microseconds."""
_OWN_BACKEND_US = (
    select(func.coalesce(_microseconds(_BACKENDS.c.backend_start), 0))
    .where(_BACKENDS.c.pid == func.pg_backend_pid())
    .scalar_subquery()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A replica as the others see it; ``settings`` and ``rules`` are digests by name."""

    id: str
    host: str
    process: int
    version: str
    settings: Mapping[str, str]
    rules: Mapping[str, str]
    joined_at: datetime | None = None
    beat_at: datetime | None = None
    is_alive: bool = True

    @property
    def name(self) -> Phrase:
        """The words by which people find it."""
        return phrase("process %(process)s on %(host)s", process=self.process, host=self.host)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What a beat found: the database's time, all replicas, who leads, and the fence if that is this one."""

    at: datetime
    members: Sequence[Member]
    leader: str
    fence: int | None


def living_replicas(lease: timedelta = LEASE) -> Select[tuple[str]]:
    """Return the query for the ids of the replicas that live."""
    return select(_R.id).where(_R.beat_ms > DATABASE_MS - duration_to_ms(lease))


def has_ended(process: ColumnElement[str], *, seen_by: str) -> ColumnElement[bool]:
    """Return the condition that a process of that id has ended: it beats no more, and no connection of its is left.

    Nothing has ended for a replica that has been connected for less than a lease: after an outage of the database it
    may be back before the others. Of a process behind a pooler no connection tells.
    """
    connected = exists().where(
        _BACKENDS.c.datname == func.current_database(), _BACKENDS.c.application_name == CONNECTION_PREFIX + process
    )
    pooled = exists().where(_R.id == process, _R.backend == _BEHIND_POOLER)
    long_connected = exists().where(
        _R.id == seen_by,
        _R.backend != _BEHIND_POOLER,
        _R.backend_us <= DATABASE_US - LEASE // timedelta(microseconds=1),
    )
    return process.not_in(living_replicas()) & ~connected & ~pooled & long_connected


def living_versions(connection: Connection) -> Sequence[str]:
    """Return the versions of the replicas that live, each with where it runs; none where there never was a replica."""
    if connection.dialect.name == "sqlite" or not inspect(connection).has_table(REPLICA.name):
        return ()
    living = select(_R.version, _R.process, _R.host).where(_R.id.in_(living_replicas()))
    return [f"{row.version} (process {row.process} on {row.host})" for row in connection.execute(living)]


class StoredReplicas:
    """Stores replicas and the lease. All methods raise `StoreUnavailable`."""

    def __init__(
        self, url: str, *, process: str = "", lease: timedelta = LEASE, clock: ColumnElement[int] = DATABASE_MS
    ) -> None:
        """``process`` names the connection; ``clock`` gives milliseconds since 1970 in SQL."""
        self._engine = lease_engine(url, process=process).execution_options(isolation_level="AUTOCOMMIT")
        self._backend = literal(_BEHIND_POOLER) if is_pooled(url) else func.pg_backend_pid()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lease")
        self._lease_ms = duration_to_ms(lease)
        self._clock = clock

    async def beat(self, me: Member, *, lead: bool) -> Pulse:
        """Say that this replica lives, and renew its lease; ``lead``: take over a lease that has ended."""
        return await self._run(partial(self._beat, me, lead))

    async def release(self, me: Member) -> None:
        """Let another replica lead at once."""
        statement = update(LEAD).where(_L.holder == me.id).values(holder="", until_ms=0)
        await self._run(lambda connection: connection.execute(statement))

    async def leave(self, me: Member) -> None:
        """Forget this replica."""
        await self._run(lambda connection: connection.execute(delete(REPLICA).where(_R.id == me.id)))

    async def close(self) -> None:
        """Close the connection."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
        self._thread.shutdown(wait=False)

    async def _run(self, call: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(self._call, call))

    def _call(self, call: Callable[[Connection], T]) -> T:
        try:
            with self._engine.connect() as connection:
                return call(connection)
        except (SQLAlchemyError, OSError) as error:
            raise store_unavailable(error) from error

    def _beat(self, me: Member, lead: bool, connection: Connection) -> Pulse:
        now = self._live(connection, me)
        self._end_transactions_of_the_dead(connection)
        fence = self._renew(connection, me)
        if fence is None and lead:
            fence = self._take_over(connection, me)
        holder = connection.scalar(select(_L.holder).where(_L.id == _ONLY, _L.until_ms > self._clock)) or ""
        rows = connection.execute(select(REPLICA).order_by(_R.joined_ms, _R.id)).all()
        return Pulse(at=from_ms(now), members=[self._member(row, now) for row in rows], leader=holder, fence=fence)

    def _live(self, connection: Connection, me: Member) -> int:
        insert = insert_into(REPLICA, "postgresql")
        beats = {
            "beat_ms": self._clock,
            "backend": self._backend,
            "backend_us": _OWN_BACKEND_US,
            "rules": orjson.dumps(me.rules).decode(),
        }
        row = {
            "id": me.id,
            "host": me.host,
            "process": me.process,
            "version": me.version,
            "joined_ms": self._clock,
            "settings": orjson.dumps(me.settings).decode(),
            **beats,
        }
        statement = insert.values(row).on_conflict_do_update(index_elements=["id"], set_=beats).returning(_R.beat_ms)
        return int(connection.execute(statement).scalar_one())

    def _end_transactions_of_the_dead(self, connection: Connection) -> None:
        """End what replicas left open that no longer beat: the others would wait for their locks.

        PostgreSQL's own limits do not end all of it. A process that froze between the statements of a pipeline, as of
        `executemany`, is not "idle in transaction" for the server, however long it says nothing. Only connections to
        this database count: a copy of it on the same server names the replicas that live on the original.
        """
        is_of_dead = (
            _BACKENDS.c.datname == func.current_database(),
            _BACKENDS.c.application_name == CONNECTION_PREFIX + _R.id,
            _R.beat_ms <= self._clock - self._lease_ms,
        )
        has_transaction = _BACKENDS.c.xact_start.is_not(None)
        ended = connection.scalars(
            select(func.pg_terminate_backend(_BACKENDS.c.pid)).where(*is_of_dead, has_transaction)
        ).all()
        if ended:
            log.info("replica.transactions_ended", connections=len(ended))

    def _renew(self, connection: Connection, me: Member) -> int | None:
        until = {"until_ms": self._clock + self._lease_ms}
        mine = update(LEAD).where(_L.id == _ONLY, _L.holder == me.id).values(until).returning(_L.fence)
        return connection.execute(mine).scalar()

    def _take_over(self, connection: Connection, me: Member) -> int | None:
        first = insert_into(LEAD, "postgresql").values(id=_ONLY, fence=0, holder="", until_ms=0)
        connection.execute(first.on_conflict_do_nothing(index_elements=["id"]))
        taken = {"fence": _L.fence + 1, "holder": me.id, "until_ms": self._clock + self._lease_ms}
        free = update(LEAD).where(_L.id == _ONLY, _L.until_ms <= self._clock).values(taken).returning(_L.fence)
        fence: int | None = connection.execute(free).scalar()
        if fence is not None:
            old = duration_to_ms(_FORGOTTEN_AFTER)
            connection.execute(delete(REPLICA).where(_R.beat_ms < self._clock - old))
        return fence

    async def forget_others(self, me: Member) -> None:
        """Forget all other replicas: this one is alone, so what they left is its own."""
        await self._run(lambda connection: connection.execute(delete(REPLICA).where(_R.id != me.id)))

    async def free_if_gone(self) -> None:
        """End the lease of a holder whose connection has ended: its process has ended, or soon notices that.

        That of a holder behind a pooler ends with time alone.
        """
        same = (_BACKENDS.c.backend_start.is_(None)) | (_microseconds(_BACKENDS.c.backend_start) == _R.backend_us)
        connected = exists().where(_BACKENDS.c.pid == _R.backend, same)
        there = exists().where(_R.id == _L.holder, connected | (_R.backend == _BEHIND_POOLER))
        free = update(LEAD).where(_L.id == _ONLY, ~there).values(holder="", until_ms=0)
        await self._run(lambda connection: connection.execute(free))

    def _member(self, row: Row[tuple[object, ...]], now_ms: int) -> Member:
        return Member(
            id=row.id,
            host=row.host,
            process=row.process,
            version=row.version,
            settings=orjson.loads(row.settings),
            rules=orjson.loads(row.rules),
            joined_at=from_ms(row.joined_ms),
            beat_at=from_ms(row.beat_ms),
            is_alive=row.beat_ms > now_ms - self._lease_ms,
        )
