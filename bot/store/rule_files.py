"""The files of the last rules in force: after a restart without them nothing opens by accident."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from bot.store.database import Stored
from bot.store.row_times import to_ms
from bot.store.statements import replace_into
from bot.store.tables import RULE_FILE

_F = RULE_FILE.c


@dataclass(frozen=True, slots=True)
class NotedRuleFile:
    """A file whose rules are in force; ``content`` is empty if unknown."""

    path: str
    content: bytes


class StoredRuleFiles(Stored):
    """Stores the files whose rules are in force, by subject of the rules."""

    async def all(self) -> Mapping[str, NotedRuleFile]:
        """Return the files."""
        rows = await self._database.rows(select(_F.name, _F.path, _F.content))
        return {row.name: NotedRuleFile(row.path, (row.content or "").encode()) for row in rows}

    async def put(self, name: str, file: NotedRuleFile | None, now: datetime) -> None:
        """Store a file; None records that the file was removed intentionally."""

        def write(connection: Connection) -> None:
            if file is not None:
                row = {"name": name, "path": file.path, "content": file.content.decode(), "since_ms": to_ms(now)}
                connection.execute(replace_into(RULE_FILE, connection.dialect.name), row)
            else:
                connection.execute(delete(RULE_FILE).where(_F.name == name))

        await self._database.run(write)
