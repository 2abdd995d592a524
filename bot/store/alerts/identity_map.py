"""The identity map of one transaction: alerts and cards as read, and as changed.

An alert with a sealed value that does not open must not hide the others: the database was changed from outside, or is
damaged. Lists for people show it as unreadable, with its unsealed columns; changes skip it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final, TypeAlias

import structlog
from sqlalchemy import Select, select
from sqlalchemy.engine import Connection

from bot.alerts.alert import Alert, AlertCard
from bot.alerts.event import UNREADABLE, Event
from bot.outbox.place import Place
from bot.store.alerts import queries as sql
from bot.store.alerts.packs import pack_events, with_events
from bot.store.alerts.rows import alert_of, alert_row, card_of, card_row, event_text
from bot.store.row_times import from_ms
from bot.store.sealed_columns import Sealed
from bot.store.statements import chunks, execute_many, insert_into
from bot.store.tables import ALERT, ALERT_CARD_MEMBER
from bot.store.unreadable_rows import read_cards
from bot.words.sealing import NotOpened
from bot.words.severity import Severity

log = structlog.get_logger(__name__)

_PLAIN = tuple(column for column in ALERT.c if not isinstance(column.type, Sealed))

StandIn: TypeAlias = Callable[[Any], Any]
"""Makes a readable row from the unsealed columns of an unreadable one."""


_MOST_OPEN: Final = 5_000


class AlertIdentityMap:
    """The alerts read by this unit of work, including those it changed."""

    def __init__(self, connection: Connection, *, shows_unreadable: bool = False) -> None:
        """``shows_unreadable``: unreadable alerts are shown as such; they must never be written back."""
        self._connection = connection
        self._shows_unreadable = shows_unreadable
        self._known: dict[str, Alert] = {}
        self._numbers: dict[str, int] = {}
        self._latest: dict[str, str | None] = {}
        self._changed: dict[str, datetime | None] = {}
        """Ids with their due times, to be written."""
        self._new: dict[str, None] = {}
        self._last: int | None = None
        self._open: dict[str, None] | None = None
        """Ids of the open alerts, oldest first; None until first needed."""
        self._held: dict[str, None] | None = None
        """Ids of the suppressed alerts; None until first needed."""

    def is_new(self, alert_id: str) -> bool:
        """Return whether an alert began in this unit of work and is not yet written."""
        return alert_id in self._new

    def load_latest(self, keys: Iterable[str]) -> list[Alert]:
        """Read the newest alerts of keys and return the newly loaded ones."""
        unknown = dict.fromkeys(key for key in keys if key not in self._latest)
        found = []
        for row in with_events(self._connection, select_chunked(self._connection, sql.LATEST, unknown)):
            alert = self._keep(row)
            self._latest[alert.key] = alert.id
            found.append(alert)
        for key in unknown:
            self._latest.setdefault(key, None)
        return found

    def latest(self, key: str) -> Alert | None:
        """Return the newest alert of a key."""
        if key not in self._latest:
            self.load_latest((key,))
        found = self._latest[key]
        return None if found is None else self._known[found]

    def several(self, alert_ids: Sequence[str]) -> tuple[Alert, ...]:
        """Return alerts in this order."""
        known = self._known
        unknown = [alert_id for alert_id in alert_ids if alert_id not in known]
        for some in chunks(unknown):
            for row in self._read(sql.ALERTS, {"some": some}, if_named=True):
                self._keep(row)
        return tuple([known[alert_id] for alert_id in alert_ids if alert_id in known])

    def open(self, limit: int) -> list[Alert]:
        """Return the open alerts, newest first."""
        if self._open is None:
            found = self.query(sql.OPEN_ALERTS, {"most": _MOST_OPEN})
            self._open = dict.fromkeys(alert.id for alert in reversed(found))
        newest = list(reversed(self._open))[:limit]
        return [self._known[alert_id] for alert_id in newest]

    def query(self, statement: Select[Any], values: dict[str, Any]) -> list[Alert]:
        """Return the results of a statement, with the changes of this unit of work."""
        self.flush()
        return [self._keep(row) for row in self._read(statement, values)]

    def _read(self, statement: Select[Any], values: dict[str, Any], *, if_named: bool = False) -> list[Any]:
        """Return rows; lists leave out unreadable ones, lookups by name fail on them."""
        if self._shows_unreadable:
            return _read_rows(self._connection, statement, values, _stand_in_row)
        if if_named:
            return with_events(self._connection, self._connection.execute(statement, values))
        return _read_rows(self._connection, statement, values, None)

    def put(self, alert: Alert, due_at: datetime | None) -> None:
        """Put an alert into the map, to be written."""
        # A caller that asked for the newest alert of the key and now puts an unread alert has opened it.
        if alert.id not in self._numbers and (alert.key in self._latest or not self.several((alert.id,))):
            self._numbers[alert.id] = self._next_number()
            self._new[alert.id] = None
            self._latest[alert.key] = alert.id
        self._known[alert.id] = alert
        self._changed[alert.id] = due_at
        if self._open is not None:
            self._count_open(self._open, alert)
        if self._held is not None:
            self._held.pop(alert.id, None)
            if alert.held and alert.is_open:
                self._held[alert.id] = None

    def mark_suppressed_due(self, now: datetime) -> None:
        """Make the suppressed alerts due."""
        if self._held is None:
            self._held = {}
            for row in self._read(sql.HELD_ALERTS, {}):
                self._keep(row)
            self._held = {alert.id: None for alert in self._known.values() if alert.held and alert.is_open}
        for alert_id in tuple(self._held):
            self.put(replace(self._known[alert_id], look_at=now), now)

    def flush(self) -> None:
        """Write the changes."""
        rows = [
            alert_row(self._known[alert_id], due_at, self._numbers[alert_id])
            for alert_id, due_at in self._changed.items()
        ]
        new = [row for row in rows if row["id"] in self._new]
        old = [row | {"which": row["number"]} for row in rows if row["id"] not in self._new]
        pack_events(self._connection, new)
        execute_many(self._connection, sql.INSERT_ALERT, new)
        execute_many(self._connection, sql.UPDATE_ALERT, old)
        self._changed, self._new = {}, {}

    def _count_open(self, ids: dict[str, None], alert: Alert) -> None:
        if not alert.is_open:
            ids.pop(alert.id, None)
        elif alert.id not in ids:
            newest = next(reversed(ids), None)
            ids[alert.id] = None
            if newest is not None and self._numbers[newest] > self._numbers[alert.id]:
                # It reopened: back to its place.
                self._open = dict.fromkeys(sorted(ids, key=self._numbers.__getitem__))

    def _keep(self, row: Any) -> Alert:
        known = self._known.get(row.id)
        if known is None:
            known = self._known[row.id] = alert_of(row)
            self._numbers[row.id] = row.number
        return known

    def _next_number(self) -> int:
        # One process writes at a time (`bot.store.alerts.repository`), so no other takes the number.
        if self._last is None:
            self._last = self._connection.scalar(sql.LAST_ALERT) or 0
        self._last += 1
        return self._last


class CardIdentityMap:
    """The cards read by this unit of work, including those it changed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, AlertCard] = {}
        self._numbers: dict[str, int] = {}
        self._members: dict[str, tuple[str, ...]] = {}
        """In their stored form."""
        self._of: dict[str, dict[str, None]] = {}
        """Ids of all cards of an alert, oldest first."""
        self._open: dict[tuple[Place, str], str | None] = {}
        self._groups: set[str] = set()
        """Groups whose unclosed cards have all been read."""
        self._joined: dict[str, dict[str, None]] = {}
        """The alerts named by digests now, or earlier in this unit of work."""
        self._waiting: dict[Place, str | None] = {}
        self._changed: dict[str, None] = {}
        self._new: dict[str, None] = {}
        self._last: int | None = None

    def begin(self, alert_id: str) -> None:
        """Record that an alert has no cards besides those put here."""
        self._of.setdefault(alert_id, {})

    def load_of(self, alert_ids: Iterable[str]) -> None:
        """Read the cards of alerts."""
        unknown = dict.fromkeys(alert_id for alert_id in alert_ids if alert_id not in self._of)
        if not unknown:
            return
        self.flush()
        pairs = select_chunked(self._connection, sql.MEMBERSHIPS, unknown)
        self.load({pair.card for pair in pairs})
        for alert_id in unknown:
            self._of[alert_id] = {}
        for pair in sorted(pairs, key=lambda pair: self._numbers[pair.card]):
            self._of[pair.alert][pair.card] = None

    def load_groups(self, groups: Iterable[str]) -> None:
        """Read the unclosed cards of groups, at all places."""
        unknown = set(groups) - self._groups
        for card in self._keep(self._read_chunked(sql.OPEN_CARDS_OF, unknown)):
            if not card.is_closed:
                self._open.setdefault((card.place, card.group), card.id)
        self._groups |= unknown

    def of(self, alert_id: str) -> list[AlertCard]:
        """Return all cards of an alert, oldest first."""
        if alert_id not in self._of:
            self.load_of((alert_id,))
        return [self._known[card_id] for card_id in self._of[alert_id]]

    def load(self, card_ids: Iterable[str]) -> None:
        """Read cards."""
        unknown = [card_id for card_id in card_ids if card_id not in self._known]
        self._keep(self._read_chunked(sql.CARDS, unknown))

    def get(self, card_id: str) -> AlertCard | None:
        self.load((card_id,))
        return self._known.get(card_id)

    def move_members(self, card_id: str, to: str) -> None:
        """Move the alerts of a digest to another one."""
        self.flush()
        self._connection.execute(sql.MOVE_MEMBERS, {"which": card_id, "to": to})

    def open(self, place: Place, group: str) -> AlertCard | None:
        """Return the unclosed card of a group at a place."""
        key = (place, group)
        if key not in self._open and group not in self._groups:
            values = {"place": str(place), "shared": group}
            found = self._keep(read_cards(self._connection, sql.OPEN_CARD, values))
            # A card closed by this unit of work, but not yet written, is still found.
            self._open[key] = next((card.id for card in found if not card.is_closed), None)
        card_id = self._open.get(key)
        return None if card_id is None else self._known[card_id]

    def waiting_digest(self, place: Place, now_ms: int) -> AlertCard | None:
        """Return the digest that waited for room at its place when this unit of work first asked."""
        if place not in self._waiting:
            found = self.query(sql.WAITING_DIGEST, {"place": str(place), "now": now_ms})
            self._waiting[place] = found[0].id if found else None
        card_id = self._waiting[place]
        card = None if card_id is None else self._known[card_id]
        return None if card is None or card.is_closed else card

    def query(self, statement: Select[Any], values: dict[str, Any]) -> list[AlertCard]:
        """Return the results of a statement, with the changes of this unit of work."""
        self.flush()
        return self._keep(read_cards(self._connection, statement, values))

    def put(self, card: AlertCard) -> None:
        """Put a card into the map, to be written."""
        before = self.get(card.id) if card.id not in self._known else self._known[card.id]
        if before is None:
            self._numbers[card.id] = self._next_number()
            self._new[card.id] = None
            self._members[card.id] = ()
        self._known[card.id] = card
        self._changed[card.id] = None
        came, left = _changes(() if before is None else before.alerts, card.alerts)
        if card.is_digest:
            self._joined.setdefault(card.id, {}).update(dict.fromkeys(card.alerts if before is None else came))
        for alert_id in left:
            if alert_id in self._of:
                self._of[alert_id].pop(card.id, None)
        for alert_id in came:
            if alert_id in self._of:
                self._of[alert_id][card.id] = None
        if not card.is_closed:
            self._open[card.place, card.group] = card.id
        elif self._open.get((card.place, card.group)) == card.id:
            self._open[card.place, card.group] = None

    def flush(self) -> None:
        """Write the changes."""
        if not self._changed:
            return
        changed = [self._known[card_id] for card_id in self._changed]
        # Closed cards first: others take their place in the unique index.
        changed.sort(key=lambda card: not card.is_closed)
        old = [{**card_row(card, 0), "which": self._numbers[card.id]} for card in changed if card.id not in self._new]
        execute_many(self._connection, sql.UPDATE_CARD, old)
        new = [card_row(card, self._numbers[card.id]) for card in changed if card.id in self._new]
        execute_many(self._connection, sql.INSERT_CARD, new)
        self._flush_members([card for card in changed if not card.is_digest])
        self._flush_joined()
        self._changed, self._new = {}, {}

    def _flush_members(self, cards: Iterable[AlertCard]) -> None:
        came, left = [], []
        for card in cards:
            written = self._members[card.id]
            if written == card.alerts:
                continue
            stay = card.alerts[: len(written)] == written
            if not stay:
                left.append({"which": card.id})
            came += [
                {"card": card.id, "alert": alert_id, "position": position}
                for position, alert_id in enumerate(card.alerts)
                if not stay or position >= len(written)
            ]
            self._members[card.id] = card.alerts
        if left:
            self._connection.execute(sql.DELETE_MEMBERS, left)
        execute_many(self._connection, sql.INSERT_MEMBER, came)

    def _flush_joined(self) -> None:
        """Write the alerts that joined digests. None ever leaves one: it is first named, then counted."""
        came = [
            {"card": card_id, "alert": alert_id, "position": 0}
            for card_id, joined in self._joined.items()
            for alert_id in joined.keys() - set(self._members[card_id])
        ]
        if came:
            joining = insert_into(ALERT_CARD_MEMBER, self._connection.dialect.name).on_conflict_do_nothing()
            self._connection.execute(joining, came)
        for card_id in self._joined:
            self._members[card_id] = self._known[card_id].alerts
        self._joined = {}

    def _read_chunked(self, statement: Select[Any], values: Iterable[str]) -> list[Any]:
        some = chunks(list(values))
        return [row for each in some for row in read_cards(self._connection, statement, {"some": each})]

    def _keep(self, rows: Sequence[Any]) -> list[AlertCard]:
        unknown = {row.id: row for row in rows if row.id not in self._known}
        if unknown:
            members: dict[str, list[str]] = {card_id: [] for card_id in unknown}
            unnamed = [card_id for card_id, row in unknown.items() if not row.digest]
            for member in select_chunked(self._connection, sql.MEMBERS, unnamed):
                members[member.card].append(member.alert)
            for card_id, row in unknown.items():
                self._known[card_id] = card_of(row, tuple(members[card_id]))
                self._numbers[card_id] = row.number
                self._members[card_id] = self._known[card_id].alerts
        return [self._known[row.id] for row in rows]

    def _next_number(self) -> int:
        if self._last is None:
            self._last = self._connection.scalar(sql.LAST_CARD) or 0
        self._last += 1
        return self._last


def _changes(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[Iterable[str], Iterable[str]]:
    """Return the alerts that joined a card, and those that left it."""
    if after[: len(before)] == before:
        # A growing digest is put once per alert.
        return after[len(before) :], ()
    return set(after).difference(before), set(before).difference(after)


def select_chunked(connection: Connection, statement: Select[Any], values: Iterable[str]) -> list[Any]:
    """Return the rows of a statement whose parameter ``some`` may have more values than one statement takes."""
    rows: list[Any] = []
    for some in chunks(list(values)):
        rows += connection.execute(statement, {"some": some})
    return rows


def _read_rows(
    connection: Connection, statement: Select[Any], values: dict[str, Any], stand_in: StandIn | None
) -> list[Any]:
    """Return the rows of a statement on the alert table.

    Unreadable ones are left out, or replaced by the result of ``stand_in``.
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


def _stand_in_row(plain: Any) -> Any:
    """Return a row with the known facts of an unreadable alert: its start, severity and state."""
    at = from_ms(plain.opened_ms)
    event = Event(
        source="", id="", type=UNREADABLE, subject="", at=at, received_at=at, severity=Severity(plain.severity)
    )
    return SimpleNamespace(**plain._mapping, key="", event=event_text(event), hands="")
