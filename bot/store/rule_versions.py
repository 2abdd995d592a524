"""Versions of rule files, sealed: rules name people and amounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import and_, desc, func, insert, select, update
from sqlalchemy.engine import Connection

from bot.rulefiles.versions import RuleSubject, RuleVersion, VersionState, digest_of_content
from bot.store.database import Stored
from bot.store.record_codec import IN_MILLISECONDS, RecordCodec
from bot.store.row_times import to_ms
from bot.store.tables import RULE_VERSION
from bot.store.transactions import begin_immediate

_V = RULE_VERSION.c
_VERSION = RecordCodec(RuleVersion, IN_MILLISECONDS, names={"made_at": "made_ms", "published_at": "published_ms"})
_LOCK = 0x72756C65
"""Advisory lock of publications on PostgreSQL."""

CLAIMED_FOR = timedelta(minutes=1)
"""Much longer than a file takes to be written: an older claim is of a process that has ended meanwhile."""


class StoredRuleVersions(Stored):
    """Implements `bot.chat.rule_changes.RuleVersionStore`."""

    async def add(self, version: RuleVersion) -> RuleVersion:
        row = _VERSION.write(version)
        del row["number"]

        def write(connection: Connection) -> int:
            return int(connection.execute(insert(RULE_VERSION).values(**row).returning(_V.number)).scalar_one())

        return replace(version, number=await self._database.run(write, durable=True))

    async def find(self, number: int) -> RuleVersion | None:
        found = await self._database.rows(select(RULE_VERSION).where(_V.number == number))
        return _VERSION.read_row(found[0]) if found else None

    async def published(self, subject: RuleSubject, *, before: int = 0, limit: int = 1) -> Sequence[RuleVersion]:
        query = select(RULE_VERSION).where(_V.subject == subject.value, _V.state == VersionState.PUBLISHED.value)
        if before:
            query = query.where(_V.number < before)
        found = await self._database.rows(query.order_by(desc(_V.published_ms), desc(_V.number)).limit(limit))
        return [_VERSION.read_row(row) for row in found]

    async def open(self, limit: int) -> Sequence[RuleVersion]:
        waiting = (VersionState.PROPOSED.value, VersionState.PUBLISHING.value)
        query = select(RULE_VERSION).where(_V.state.in_(waiting)).order_by(desc(_V.number)).limit(limit)
        return [_VERSION.read_row(row) for row in await self._database.rows(query)]

    async def claim(self, version: RuleVersion, publisher: str, now: datetime) -> bool:
        under_way = and_(_V.subject == version.subject.value, _V.state == VersionState.PUBLISHING.value)
        forgotten = update(RULE_VERSION).where(under_way, _V.published_ms < to_ms(now - CLAIMED_FOR))
        free = and_(_V.number == version.number, _V.state == VersionState.PROPOSED.value)
        claiming = update(RULE_VERSION).where(free)
        values = {"state": VersionState.PUBLISHING.value, "publisher": publisher, "published_ms": to_ms(now)}

        def write(connection: Connection) -> bool:
            _begin_alone(connection)
            connection.execute(forgotten.values(state=VersionState.PROPOSED.value, published_ms=None, publisher=""))
            if connection.execute(select(_V.number).where(under_way)).first() is not None:
                return False
            return connection.execute(claiming.values(**values)).rowcount == 1

        return await self._database.run(write, durable=True)

    async def settle(self, version: RuleVersion, state: VersionState, now: datetime | None = None) -> None:
        values = {"state": state.value, "published_ms": None if now is None else to_ms(now)}
        await self._database.execute(update(RULE_VERSION).where(_V.number == version.number).values(**values))

    async def withdraw(self, number: int) -> bool:
        proposed = and_(_V.number == number, _V.state == VersionState.PROPOSED.value)
        withdrawing = update(RULE_VERSION).where(proposed).values(state=VersionState.WITHDRAWN.value)
        return await self._database.run(lambda connection: connection.execute(withdrawing).rowcount == 1)

    async def note(self, subject: RuleSubject, content: bytes, now: datetime) -> None:
        digest = digest_of_content(content)
        in_force = select(_V.sha256).where(_V.subject == subject.value, _V.state == VersionState.PUBLISHED.value)
        begun = and_(_V.subject == subject.value, _V.state == VersionState.PUBLISHING.value, _V.sha256 == digest)
        finishing = {"state": VersionState.PUBLISHED.value}
        outside = RuleVersion(
            subject=subject,
            state=VersionState.PUBLISHED,
            text=content.decode("utf-8-sig"),
            sha256=digest,
            made_at=now,
            published_at=now,
        )
        row = _VERSION.write(outside)
        del row["number"]

        def write(connection: Connection) -> None:
            _begin_alone(connection)
            newest = in_force.order_by(desc(_V.published_ms), desc(_V.number)).limit(1)
            if connection.execute(newest).scalar() == digest:
                return
            if not connection.execute(update(RULE_VERSION).where(begun).values(**finishing)).rowcount:
                connection.execute(insert(RULE_VERSION).values(**row))

        await self._database.run(write)


def _begin_alone(connection: Connection) -> None:
    """Let no two people publish at the same time, and no two replicas note the same edit."""
    begin_immediate(connection)
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
