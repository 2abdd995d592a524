"""What the bot remembers of shared tables, in its database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson
import structlog
from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from bot.sheets.sheet import CellEdit, SheetRound, SheetState
from bot.store.database import Stored
from bot.store.row_times import from_us, to_us
from bot.store.statements import replace_into
from bot.store.tables import SHEET_STATE
from bot.words.phrase import Phrase, pack_words, unpack_words
from bot.words.sealing import NotOpened

log = structlog.get_logger(__name__)

_S = SHEET_STATE.c
_EMPTY: Mapping[str, Any] = {"refreshed_us": None, "failed_us": None, "failure": "", "body": "{}"}


class StoredSheetStates(Stored):
    """Implements `bot.sheets.sheet.SheetStates`."""

    async def load(self, name: str) -> SheetState:
        row = await self._row(name)
        body = orjson.loads(row.body) if row is not None else {}
        edits = {(key, column): CellEdit(**edit) for key, column, edit in body.get("edits", ())}
        return SheetState(records=body.get("records", {}), edits=edits)

    async def save(self, name: str, state: SheetState) -> None:
        edits = [[*cell, asdict(edit)] for cell, edit in state.edits.items()]
        body = orjson.dumps({"records": dict(state.records), "edits": edits}).decode()
        await self._change(name, {"body": body})

    async def round_of(self, name: str) -> SheetRound:
        row = await self._row(name)
        return SheetRound() if row is None else _round(row)

    async def note_round(self, name: str, at: datetime, failure: Phrase | None = None) -> None:
        if failure is None:
            await self._change(name, {"refreshed_us": to_us(at), "failed_us": None, "failure": ""})
        else:
            packed = orjson.dumps(pack_words(failure)).decode()
            await self._change(name, {"failed_us": to_us(at), "failure": packed})

    async def _row(self, name: str) -> Any:
        wanted = select(SHEET_STATE).where(_S.name == name)
        try:
            return await self._database.read(lambda connection: connection.execute(wanted).one_or_none())
        except NotOpened as error:
            # Without its key the table begins anew: rows are found by what stands in them, edits are asked once more.
            log.error("sheet.state_unreadable", sheet=name, error=type(error).__name__)
            return None

    async def _change(self, name: str, values: Mapping[str, Any]) -> None:
        def change(connection: Connection) -> None:
            changed = connection.execute(update(SHEET_STATE).where(_S.name == name).values(values))
            if not changed.rowcount:
                first = {"name": name, **_EMPTY, **values}
                connection.execute(replace_into(SHEET_STATE, connection.dialect.name).values(first))

        # A power cut must not forget which proposal an edit has.
        await self._database.run(change, durable=True)


def _round(row: Any) -> SheetRound:
    words = unpack_words(orjson.loads(row.failure)) if row.failure else None
    return SheetRound(
        refreshed_at=None if row.refreshed_us is None else from_us(row.refreshed_us),
        failed_at=None if row.failed_us is None else from_us(row.failed_us),
        failure=words if isinstance(words, Phrase) else None,
    )
