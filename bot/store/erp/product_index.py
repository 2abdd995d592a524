"""The product index in the bot's database: one table that each search scans completely.

For 100 000 products either database takes 20 to 30 ms (measured), outside the interpreter's lock and with hardly any
memory, and finds any part of a text, down to a single character. The databases' own text indexes do not find such short
parts, and those of SQLite and PostgreSQL give different results.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, case, delete, func, or_, select, update
from sqlalchemy.engine import Connection

from bot.erp.index.folding import words
from bot.erp.index.pinyin import may_be_initials, may_be_syllables
from bot.erp.index.port import IndexEntry, SyncState
from bot.erp.model import Product
from bot.store.database import Database
from bot.store.record_codec import IN_MILLISECONDS, RecordCodec
from bot.store.statements import chunks, insert_into, replace_into
from bot.store.tables import INDEXED_PRODUCT, INDEXED_SOURCE, PINYIN

_P, _S = INDEXED_PRODUCT.c, INDEXED_SOURCE.c
_PRODUCT = (_P.sku, _P.name, _P.spec, _P.unit, _P.category, _P.barcode)
_SYNC_STATE = RecordCodec(SyncState, IN_MILLISECONDS, names={"walked_at": "walked_ms", "synced_at": "synced_ms"})


class StoredProductIndex:
    """Stores the product index.

    ``searches`` is the database for searches; it may be ``database`` itself if that has threads to spare.
    """

    def __init__(self, database: Database, searches: Database) -> None:
        self._database = database
        self._searches = searches
        self._position = func.instr if database.dialect == "sqlite" else func.strpos

    async def search(self, source: str, text: str, *, limit: int) -> tuple[Product, ...]:
        found = (
            select(*_PRODUCT)
            .where(_P.source == source, *map(self._somewhere, words(text)))
            .order_by(self._rank(text), func.length(_P.folded), _P.key)
            .limit(limit)
        )
        rows = await self._searches.run(lambda connection: connection.execute(found).all())
        return tuple(Product(**row._mapping) for row in rows)

    def _somewhere(self, word: str) -> ColumnElement[bool]:
        columns = [_P.plain]
        if may_be_initials(word):
            columns.append(_P.initials)
        if may_be_syllables(word):
            columns.append(_P.syllables)
        return or_(*(self._has(column, word) for column in columns))

    def _has(self, column: Column[str], word: str) -> ColumnElement[bool]:
        # SQLite finds plain letters a third faster with a pattern, and Chinese faster without (measured).
        if self._database.dialect == "sqlite" and word.isascii() and word.isalnum():
            return column.bool_op("GLOB")(f"*{word}*")
        return self._position(column, word) > 0

    def _rank(self, text: str) -> ColumnElement[int]:
        at = self._position
        return case(
            (or_(_P.code == text, func.lower(_P.barcode) == text), 0),
            (at(_P.code, text) == 1, 1),
            (_P.folded == text, 2),
            (at(_P.folded, text) == 1, 3),
            (at(_P.code, text) > 0, 4),
            (at(_P.folded, text) > 0, 5),
            (at(_P.plain, text) > 0, 6),
            (or_(at(_P.initials, f"\n{text}") > 0, at(_P.syllables, f"\n{text}") > 0), 7),
            else_=8,
        )

    async def positions(self) -> Mapping[str, SyncState]:
        rows = await self._database.rows(select(INDEXED_SOURCE))
        return {row.source: _SYNC_STATE.read_row(row) for row in rows}

    async def count(self, source: str) -> int:
        wanted = select(func.count()).select_from(INDEXED_PRODUCT).where(_P.source == source)
        return await self._searches.run(lambda connection: connection.scalar(wanted) or 0)

    async def advance(
        self,
        before: SyncState | None,
        after: SyncState,
        *,
        entries: Sequence[IndexEntry] = (),
        gone: Collection[str] = (),
    ) -> bool:
        """Store entries and the new position at once; False if another process has moved on from ``before``."""
        return await self._database.run(lambda connection: self._advance(connection, before, after, entries, gone))

    def _advance(
        self,
        connection: Connection,
        before: SyncState | None,
        after: SyncState,
        entries: Sequence[IndexEntry],
        gone: Collection[str],
    ) -> bool:
        if not self._move(connection, before, after):
            return False
        own = _P.source == after.source
        for keys in chunks(gone):
            connection.execute(delete(INDEXED_PRODUCT).where(own, _P.key.in_(keys)))
        if entries:
            upsert = replace_into(INDEXED_PRODUCT, self._database.dialect)
            connection.execute(upsert, [_entry_row(after, entry) for entry in entries])
        if before is not None and not after.walking and (before.walking or before.walk != after.walk):
            connection.execute(delete(INDEXED_PRODUCT).where(own, _P.walk < after.walk))
        return True

    def _move(self, connection: Connection, before: SyncState | None, after: SyncState) -> bool:
        """Change a source's position if it is still ``before``."""
        row = _SYNC_STATE.write(after)
        if before is None:
            insert = insert_into(INDEXED_SOURCE, self._database.dialect).values(**row).on_conflict_do_nothing()
            return connection.scalar(insert.returning(_S.source)) is not None
        still = (_S.source == before.source, _S.cursor == before.cursor, _S.walk == before.walk)
        moved = update(INDEXED_SOURCE).where(*still).values(**row)
        return connection.scalar(moved.returning(_S.source)) is not None

    async def keep_only(self, sources: Collection[str]) -> None:
        """Delete the entries of all other sources."""

        def drop(connection: Connection) -> None:
            for table in (INDEXED_PRODUCT, INDEXED_SOURCE):
                connection.execute(delete(table).where(table.c.source.not_in(sources)))

        await self._database.run(drop)

    async def readings(self, characters: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        def read(connection: Connection) -> list[Row[Any]]:
            wanted = (select(PINYIN).where(PINYIN.c.sign.in_(signs)) for signs in chunks(characters))
            return [row for query in wanted for row in connection.execute(query)]

        return {row.sign: tuple(row.readings.split()) for row in await self._database.run(read)}

    async def keep_readings(self, readings: Mapping[str, tuple[str, ...]]) -> None:
        rows = [{"sign": sign, "readings": " ".join(told)} for sign, told in readings.items()]
        insert = insert_into(PINYIN, self._database.dialect).on_conflict_do_nothing()
        await self._database.execute(insert, rows)


def _entry_row(position: SyncState, entry: IndexEntry) -> dict[str, Any]:
    product = entry.product
    return {
        "source": position.source,
        "key": entry.key,
        "walk": position.walk,
        "code": entry.code,
        "folded": entry.name,
        "plain": entry.plain,
        "initials": entry.initials,
        "syllables": entry.syllables,
        "sku": product.sku,
        "name": product.name,
        "spec": product.spec,
        "unit": product.unit,
        "category": product.category,
        "barcode": product.barcode,
    }
