"""From which files the rules in force came last: after a restart without them nothing opens by accident."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from bot.store.database import Stored
from bot.store.row_times import to_ms
from bot.store.statements import replace_into
from bot.store.tables import RULE_FILE

_F = RULE_FILE.c


class StoredRuleFiles(Stored):
    """Keeps the path of each file whose rules are in force, by what the rules are about."""

    async def all(self) -> Mapping[str, str]:
        """Return the paths."""
        return {row.name: row.path for row in await self._database.rows(select(_F.name, _F.path))}

    async def put(self, name: str, path: str, now: datetime) -> None:
        """Note the path of a file; an empty one says that there is none any more, and that this is meant."""

        def write(connection: Connection) -> None:
            if path:
                row = {"name": name, "path": path, "since_ms": to_ms(now)}
                connection.execute(replace_into(RULE_FILE, connection.dialect.name), row)
            else:
                connection.execute(delete(RULE_FILE).where(_F.name == name))

        await self._database.run(write)
