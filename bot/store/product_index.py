"""The index of products in the bot's database: one table that a search reads from end to end.

For 100 000 products that takes either database 20 to 30 ms (measured), outside the interpreter's lock and with next to
no memory, and it finds any part of a text, down to a single character. The databases' own text indexes find no parts so
short, and not the same things.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, case, delete, func, or_, select, update
from sqlalchemy.engine import Connection

from bot.erp.index.folding import words
from bot.erp.index.pinyin import may_be_initials, may_be_syllables
from bot.erp.index.port import IndexEntry, SyncState
from bot.erp.model import Product
from bot.store.database import Database
from bot.store.statements import insert_into
from bot.store.tables import INDEXED_PRODUCT, INDEXED_SOURCE, PINYIN

_P, _S = INDEXED_PRODUCT.c, INDEXED_SOURCE.c
_PRODUCT = (_P.sku, _P.name, _P.spec, _P.unit, _P.category, _P.barcode)
_AT_ONCE = 500
"""Values in one IN: SQLite of old takes 999."""
_MOMENT = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StoredProductIndex:
    """Implements `bot.erp.index.port.IndexStore`.

    ``searches`` is where searches run; it may be ``database`` itself where that has threads to spare.
    """

    def __init__(self, database: Database, searches: Database) -> None:
        self._database = database
        self._searches = searches
        self._position = func.instr if database.dialect == "sqlite" else func.strpos

    async def search(self, source: str, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return the products that have every word of ``text`` (folded) somewhere, best match first."""
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
        # SQLite finds plain letters a third faster by a pattern, and Chinese faster without one (measured).
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
        """Return how far each source has been followed."""
        rows = await self._database.run(lambda connection: connection.execute(select(INDEXED_SOURCE)).all())
        return {row.source: _position(row) for row in rows}

    async def count(self, source: str) -> int:
        """Return how many products of a source are kept."""
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
        """Store entries and the position behind them at once; False where somebody else moved on from ``before``."""
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
        for keys in _pieces(gone):
            connection.execute(delete(INDEXED_PRODUCT).where(own, _P.key.in_(keys)))
        if entries:
            insert = insert_into(INDEXED_PRODUCT, self._database.dialect)
            new = {name: insert.excluded[name] for name in map(str, INDEXED_PRODUCT.c.keys()) if name not in _KEY}
            upsert = insert.on_conflict_do_update(index_elements=_KEY, set_=new)
            connection.execute(upsert, [_entry_row(after, entry) for entry in entries])
        if before is not None and not after.walking and (before.walking or before.walk != after.walk):
            connection.execute(delete(INDEXED_PRODUCT).where(own, _P.walk < after.walk))
        return True

    def _move(self, connection: Connection, before: SyncState | None, after: SyncState) -> bool:
        """Change a source's position if it is still ``before``."""
        row = _position_row(after)
        if before is None:
            insert = insert_into(INDEXED_SOURCE, self._database.dialect).values(**row).on_conflict_do_nothing()
            return connection.scalar(insert.returning(_S.source)) is not None
        still = (_S.source == before.source, _S.cursor == before.cursor, _S.walk == before.walk)
        moved = update(INDEXED_SOURCE).where(*still).values(**row)
        return connection.scalar(moved.returning(_S.source)) is not None

    async def keep_only(self, sources: Collection[str]) -> None:
        """Drop all that belongs to other sources."""

        def drop(connection: Connection) -> None:
            for table in (INDEXED_PRODUCT, INDEXED_SOURCE):
                connection.execute(delete(table).where(table.c.source.not_in(sources)))

        await self._database.run(drop)

    async def readings(self, characters: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Return what is known of some characters' readings."""

        def read(connection: Connection) -> list[Row[Any]]:
            wanted = (select(PINYIN).where(PINYIN.c.sign.in_(signs)) for signs in _pieces(characters))
            return [row for query in wanted for row in connection.execute(query)]

        return {row.sign: tuple(row.readings.split()) for row in await self._database.run(read)}

    async def keep_readings(self, readings: Mapping[str, tuple[str, ...]]) -> None:
        """Add readings."""
        rows = [{"sign": sign, "readings": " ".join(told)} for sign, told in readings.items()]
        insert = insert_into(PINYIN, self._database.dialect).on_conflict_do_nothing()
        await self._database.run(lambda connection: connection.execute(insert, rows))


_KEY = ["source", "key"]


def _pieces(values: Collection[str]) -> Iterator[list[str]]:
    listed = list(values)
    return (listed[start : start + _AT_ONCE] for start in range(0, len(listed), _AT_ONCE))


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


def _position_row(position: SyncState) -> dict[str, Any]:
    return {
        "source": position.source,
        "cursor": position.cursor,
        "walk": position.walk,
        "walking": position.walking,
        "walked_ms": _ms(position.walked_at),
        "synced_ms": _ms(position.synced_at),
        "trouble": position.trouble,
        "version": position.version,
    }


def _position(row: Row[Any]) -> SyncState:
    return SyncState(
        source=row.source,
        cursor=row.cursor,
        walk=row.walk,
        walking=row.walking,
        walked_at=_moment(row.walked_ms),
        synced_at=_moment(row.synced_ms),
        trouble=row.trouble,
        version=row.version,
    )


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // _MOMENT


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else _EPOCH + ms * _MOMENT
