"""Copies the rows of all tables into another database in stored form: sealed values stay sealed with the same key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import Row, Table, TableClause, column, func, insert, inspect, literal, select, table, text, update
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DataError, IntegrityError

from bot.store.sealed_columns import Sealed
from bot.store.tables import AUDIT_HEAD, METADATA
from bot.store.transactions import begin_immediate
from bot.words.errors import ConfigurationError

BATCH = 500
"""Rows in memory at a time."""

_DIGEST_BYTES = 8


class CopyStopped(ConfigurationError):
    """The operator stopped the copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCount:
    """The number of rows of a table, and the sum of their digests, which is independent of the order."""

    name: str
    rows: int
    digests: int


def begin_snapshot(connection: Connection) -> None:
    """Let all reads of a transaction see one moment; it writes nothing."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    # It is idle while the other database checks its rows.
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


def begin_filling(connection: Connection) -> None:
    """Keep all others from writing until the transaction ends."""
    begin_immediate(connection)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(METADATA.tables)} IN EXCLUSIVE MODE")


def tables_there(connection: Connection) -> list[Table]:
    """Return those of the bot's tables that a database has; another program's may have the same names."""
    there = set(inspect(connection).get_table_names())
    return [each for each in METADATA.sorted_tables if each.name in there]


def tables_with_rows(connection: Connection) -> list[str]:
    """Return the names of the bot's tables that contain data."""
    return [each.name for each in tables_there(connection) if _has_rows(connection, each)]


def _has_rows(connection: Connection, each: Table) -> bool:
    any_row = select(literal(1)).select_from(each).limit(1)
    # The migrations put the first row there.
    wanted = any_row.where(each.c.seq != 0) if each is AUDIT_HEAD else any_row
    return connection.execute(wanted).first() is not None


def copy_tables(source: Connection, target: Connection, stopped: Callable[[], bool]) -> list[TableCount]:
    """Copy all rows into the empty tables of ``target``, and return their number.

    Raises `CopyStopped` soon after ``stopped`` returns true, and `ConfigurationError` if the target rejects a row or
    differs afterwards. The caller then has to roll its transaction back.
    """
    copied = [_copy(source, target, each, stopped) for each in METADATA.sorted_tables]
    for each, expected in zip(METADATA.sorted_tables, copied, strict=True):
        found = _counted(expected.name, _batches(target, each, stopped))
        if found != expected:
            raise ConfigurationError(
                f"the copy of table {each.name} differs: {found.rows} rows of {expected.rows}, or others"
            )
    return copied


def _copy(source: Connection, target: Connection, each: Table, stopped: Callable[[], bool]) -> TableCount:
    def writing() -> Iterator[Sequence[Row[tuple[object, ...]]]]:
        for batch in _batches(source, each, stopped):
            _write(target, each, batch)
            yield batch

    try:
        counted = _counted(each.name, writing())
    except (DataError, IntegrityError) as error:
        raise ConfigurationError(
            f"the target does not take a row of table {each.name} ({type(error).__name__})"
        ) from error
    _go_on_counting(source, target, each)
    return counted


def _write(target: Connection, each: Table, batch: Sequence[Row[tuple[object, ...]]]) -> None:
    plain, rows = _as_it_lies(each, target.dialect), [dict(row._mapping) for row in batch]
    if each is AUDIT_HEAD:
        for row in rows:
            target.execute(update(plain).where(plain.c.id == row["id"]).values(row))
        return
    target.execute(insert(plain), rows)


def _batches(
    connection: Connection, each: Table, stopped: Callable[[], bool]
) -> Iterator[Sequence[Row[tuple[object, ...]]]]:
    plain = _as_it_lies(each, connection.dialect)
    wanted = select(plain).order_by(*(plain.c[key.name] for key in each.primary_key))
    for batch in connection.execute(wanted, execution_options={"yield_per": BATCH}).partitions():
        if stopped():
            raise CopyStopped("the copy was stopped, and nothing was changed")
        yield batch


def _counted(name: str, batches: Iterator[Sequence[Row[tuple[object, ...]]]]) -> TableCount:
    rows = digests = 0
    for batch in batches:
        rows += len(batch)
        digests += sum(map(_digest, batch))
    return TableCount(name=name, rows=rows, digests=digests)


def _digest(row: Row[tuple[object, ...]]) -> int:
    return int.from_bytes(blake2b(repr(tuple(row)).encode(), digest_size=_DIGEST_BYTES).digest())


def _as_it_lies(each: Table, dialect: Dialect) -> TableClause:
    """Return a table whose sealed columns hold their stored text."""
    return table(
        each.name,
        *(
            column(c.name, c.type.load_dialect_impl(dialect) if isinstance(c.type, Sealed) else c.type)
            for c in each.columns
        ),
    )


def _go_on_counting(source: Connection, target: Connection, each: Table) -> None:
    """Let the target's counters continue from the source's, so that no number is reused, not even that of a deleted
    row.
    """
    if each.autoincrement_column is None:
        return
    highest = source.scalar(select(func.max(each.autoincrement_column))) or 0
    number = max(highest, _last_number(source, each, each.autoincrement_column.name))
    if number:
        _set_last_number(target, each, each.autoincrement_column.name, number)


def _last_number(connection: Connection, each: Table, name: str) -> int:
    """Return the last number that a database assigned; 0 if none or unknown."""
    if connection.dialect.name == "sqlite":
        kept = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return connection.scalar(kept, {"name": each.name}) or 0
    sequence = _sequence(connection, each, name)
    return connection.scalar(text(f"SELECT last_value FROM {sequence} WHERE is_called")) or 0  # noqa: S608 - our name


def _set_last_number(connection: Connection, each: Table, name: str, number: int) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("SELECT setval(:sequence, :number)"),
            {"sequence": _sequence(connection, each, name), "number": number},
        )
    elif each.dialect_options["sqlite"]["autoincrement"]:
        row = {"name": each.name, "number": number}
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), row)
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)"), row)


def _sequence(connection: Connection, each: Table, name: str) -> str:
    found = text("SELECT pg_get_serial_sequence(:table, :column)")
    return str(connection.scalar(found, {"table": each.name, "column": name}))
