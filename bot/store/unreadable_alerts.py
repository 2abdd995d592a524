"""Alerts of which a sealed value does not open: somebody changed the database, or it is damaged.

They must not hide the others. Lists for people show them as what they are, by the columns that are plain; whoever
changes alerts works without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, TypeAlias

import structlog
from sqlalchemy import Select, select
from sqlalchemy.engine import Connection

from bot.alerts.event import UNREADABLE, Event
from bot.sealing import NotOpened
from bot.severity import Severity
from bot.store.alert_packs import with_events
from bot.store.alert_rows import event_text
from bot.store.row_times import from_ms
from bot.store.sealed_columns import Sealed
from bot.store.tables import ALERT

log = structlog.get_logger(__name__)

_PLAIN = tuple(column for column in ALERT.c if not isinstance(column.type, Sealed))

StandIn: TypeAlias = Callable[[Any], Any]
"""Makes a readable row of the plain columns of one that does not open."""


def read_rows(
    connection: Connection, statement: Select[Any], values: dict[str, Any], stand_in: StandIn | None
) -> list[Any]:
    """Return the rows that a statement finds in the table of alerts.

    Those that do not open are left out, or replaced by what ``stand_in`` makes of them.
    """
    try:
        return with_events(connection, connection.execute(statement, values))
    except NotOpened:
        return list(_read_one_by_one(connection, statement, values, stand_in))


def _read_one_by_one(
    connection: Connection, statement: Select[Any], values: dict[str, Any], stand_in: StandIn | None
) -> Iterator[Any]:
    for plain in connection.execute(statement.with_only_columns(*_PLAIN), values).all():
        try:
            yield from with_events(connection, connection.execute(select(ALERT).where(ALERT.c.number == plain.number)))
        except NotOpened as error:
            log.error("alerts.unreadable", alert=plain.id, detail=error.detail)
            if stand_in is not None:
                yield stand_in(plain)


def stand_in_row(plain: Any) -> Any:
    """Return a row that says of an unreadable alert what is known: when it began, how bad it is, what became of it."""
    at = from_ms(plain.opened_ms)
    event = Event(
        source="", id="", type=UNREADABLE, subject="", at=at, received_at=at, severity=Severity(plain.severity)
    )
    return SimpleNamespace(**plain._mapping, key="", event=event_text(event), hands="")
