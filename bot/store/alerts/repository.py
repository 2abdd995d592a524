"""The alert repository on the database: read once, kept in an identity map for the transaction, and written at its
end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Select, delete, or_, select, text, update
from sqlalchemy.engine import Connection

from bot.alerts.alert import Alert, AlertCard, Mute, Watch
from bot.alerts.happenings import happening_of, is_told
from bot.alerts.intake.port import StoredEvent
from bot.alerts.repository import AlertHistoryEntry, UnreadableRecord
from bot.outbox.delivery import Delivery
from bot.outbox.happenings import Receiver
from bot.outbox.place import Place
from bot.store.alerts import queries as sql
from bot.store.alerts.events import mark_done, mark_rejected, take_waiting
from bot.store.alerts.identity_map import AlertIdentityMap, CardIdentityMap
from bot.store.alerts.packs import forget_alerts
from bot.store.alerts.rows import (
    mute_of,
    mute_row,
    note_keys,
    note_row,
    notes_of,
    watch_of,
    watch_row,
)
from bot.store.database import Database
from bot.store.outbox.happenings import tell
from bot.store.outbox.queue import enqueue, withdraw
from bot.store.row_times import from_ms, to_ms_up
from bot.store.statements import chunks, execute_many, replace_into
from bot.store.tables import ALERT, ALERT_CARD, ALERT_CARD_MEMBER, ALERT_NOTE, MUTE, WATCH
from bot.store.transactions import StoredTransactions
from bot.store.unreadable_rows import read_watches
from bot.words.sealing import NotOpened

_LINES = 100
"""History lines per row: this many fill a page of the database exactly."""


class StoredAlertRepository:
    """The alert repository within one transaction; changes are written by `flush`."""

    def __init__(
        self,
        connection: Connection,
        now: datetime,
        *,
        receivers: Sequence[Receiver] = (),
        shows_unreadable: bool = False,
    ) -> None:
        """``receivers`` are told what happens. ``shows_unreadable``: for reading only; unreadable alerts are shown as
        such.
        """
        self._connection = connection
        self._now = now
        self._receivers = receivers
        self._alerts = AlertIdentityMap(connection, shows_unreadable=shows_unreadable)
        self._cards = CardIdentityMap(connection)
        self._mutes: dict[Place, list[Mute]] = {}
        self._watches: dict[str, list[Watch]] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._withdrawn: dict[str, None] = {}
        self._notes: list[AlertHistoryEntry] = []

    def expect(self, keys: Sequence[str], subjects: Sequence[str]) -> None:
        """Prefetch alerts with their cards, and watches; a new alert joins the cards of the group with its key."""
        found = self._alerts.load_latest(keys)
        self._cards.load_of([alert.id for alert in found])
        known = {alert.key for alert in found if alert.is_open}
        self._cards.load_groups(key for key in keys if key not in known)
        folded = {subject.casefold() for subject in subjects} - self._watches.keys()
        for subject in folded:
            self._watches[subject] = []
        for some in chunks(list(folded)):
            for row in read_watches(self._connection, sql.WATCHES_ON, {"some": some}):
                self._watches[row.folded].append(watch_of(row))

    def latest(self, key: str) -> Alert | None:
        return self._alerts.latest(key)

    def alert(self, alert_id: str) -> Alert | None:
        return next(iter(self._alerts.several((alert_id,))), None)

    def alerts(self, alert_ids: Sequence[str]) -> Sequence[Alert]:
        return self._alerts.several(alert_ids)

    def open_alerts(self, limit: int = 1000) -> Sequence[Alert]:
        return self._alerts.open(limit)

    def ended_alerts(self, limit: int) -> Sequence[Alert]:
        return self._alerts.query(sql.ENDED_ALERTS, {"most": limit})

    def put_alert(self, alert: Alert, due_at: datetime | None) -> None:
        self._alerts.put(alert, due_at)

    def mark_suppressed_due(self, now: datetime) -> None:
        self._alerts.mark_suppressed_due(now)

    def card(self, card_id: str) -> AlertCard | None:
        return self._cards.get(card_id)

    def cards(self, card_ids: Sequence[str]) -> Sequence[AlertCard]:
        self._cards.load(card_ids)
        return [card for card in map(self._cards.get, card_ids) if card is not None]

    def open_on(self, card_id: str, limit: int = 1000) -> Sequence[Alert]:
        return self._alerts.query(sql.OPEN_ON, {"card": card_id, "most": limit})

    def move_members(self, card_id: str, to: str) -> None:
        self._cards.move_members(card_id, to)

    def cards_of(self, alert_id: str) -> Sequence[AlertCard]:
        if self._alerts.is_new(alert_id):
            self._cards.begin(alert_id)
        return self._cards.of(alert_id)

    def open_card(self, place: Place, group: str) -> AlertCard | None:
        """Return the unclosed card of a group at a place."""
        return self._cards.open(place, group)

    def waiting_digest(self, place: Place) -> AlertCard | None:
        return self._cards.waiting_digest(place, to_ms_up(self._now))

    def cards_at(self, place: Place, limit: int = 1000) -> Sequence[AlertCard]:
        """Return the unclosed cards of a place, newest first."""
        return self._cards.query(sql.CARDS_AT, {"place": str(place), "most": limit})

    def put_card(self, card: AlertCard) -> None:
        self._cards.put(card)

    def standing_boxes(self) -> Sequence[str]:
        return self._connection.execute(sql.STANDING_BOXES).scalars().all()

    def due_alerts(self, now: datetime, limit: int) -> Sequence[str]:
        return self._due(sql.DUE_ALERTS, now, limit)

    def due_cards(self, now: datetime, limit: int) -> Sequence[str]:
        return self._due(sql.DUE_CARDS, now, limit)

    def _due(self, query: Select[Any], now: datetime, limit: int) -> Sequence[str]:
        self.flush()
        return self._connection.execute(query, {"now": to_ms_up(now), "most": limit}).scalars().all()

    def postpone(self, alert_ids: Sequence[str], card_ids: Sequence[str], until: datetime) -> None:
        """Make alerts and cards due at a time, without reading them."""
        self.flush()
        for table, ids in ((ALERT, alert_ids), (ALERT_CARD, card_ids)):
            for some in chunks(ids):
                later = update(table).where(table.c.id.in_(some)).values(due_ms=to_ms_up(until))
                self._connection.execute(later)

    def next_due(self) -> datetime | None:
        """Return when the next alert or card is due."""
        self.flush()
        due: int | None = self._connection.scalar(sql.NEXT_DUE)
        return None if due is None else from_ms(due)

    def mutes(self, place: Place, now: datetime) -> Sequence[Mute]:
        if place not in self._mutes:
            rows = self._connection.execute(sql.MUTES, {"place": str(place), "now": to_ms_up(now)})
            self._mutes[place] = [mute_of(row) for row in rows]
        return [mute for mute in self._mutes[place] if mute.until > now]

    def put_mute(self, mute: Mute) -> None:
        """Store a mute; one with the same id is replaced."""
        upsert = replace_into(MUTE, self._connection.dialect.name)
        self._connection.execute(upsert, mute_row(mute))
        self._mutes.clear()

    def watches_on(self, subject: str) -> Sequence[Watch]:
        folded = subject.casefold()
        if folded not in self._watches:
            self.expect((), (subject,))
        return self._watches[folded]

    def watches(self, user_id: str = "") -> Sequence[Watch]:
        query = sql.WATCHES.where(WATCH.c.user_id == user_id) if user_id else sql.WATCHES
        return [watch_of(row) for row in read_watches(self._connection, query)]

    def put_watch(self, watch: Watch) -> None:
        upsert = replace_into(WATCH, self._connection.dialect.name)
        self._connection.execute(upsert, watch_row(watch))
        self._watches.clear()

    def remove_watch(self, watch_id: str) -> None:
        self._connection.execute(delete(WATCH).where(WATCH.c.id == watch_id))
        self._watches.clear()

    def deliver(self, delivery: Delivery) -> None:
        """Queue a card's newest state for a place; repeats in one unit of work count once, with the highest urgency."""
        self._withdrawn.pop(delivery.card, None)
        earlier = self._deliveries.get(delivery.card)
        if earlier is not None:
            urgency = min(earlier.urgency, delivery.urgency, key=lambda urgency: urgency.rank)
            due_at = min(earlier.due_at, delivery.due_at)
            if urgency is not delivery.urgency or due_at != delivery.due_at:
                delivery = replace(delivery, urgency=urgency, due_at=due_at)
        self._deliveries[delivery.card] = delivery

    def withdraw(self, card_id: str) -> None:
        """Cancel the delivery of a card never seen at its place."""
        self._deliveries.pop(card_id, None)
        self._withdrawn[card_id] = None

    def note(self, note: AlertHistoryEntry) -> None:
        self._notes.append(note)

    def history(self, *, fact: str = "", alert: str = "", limit: int = 1000) -> Sequence[AlertHistoryEntry]:
        """Return the lines about an event or an alert, in order of writing."""
        self.flush()
        query = sql.HISTORY
        for column, key in ((ALERT_NOTE.c.fact, fact), (ALERT_NOTE.c.alert, alert)):
            if key:
                query = query.where(or_(column == key, ALERT_NOTE.c.number.in_(sql.notes_with(key))))
        rows = self._connection.execute(query, {"most": limit})
        lines = (note for row in rows for note in notes_of(row))
        return list(islice((n for n in lines if fact in ("", n.fact) and alert in ("", n.alert)), limit))

    def flush(self) -> None:
        """Write the changes."""
        self._alerts.flush()
        self._cards.flush()
        if self._withdrawn:
            withdraw(self._connection, self._withdrawn)
            self._withdrawn = {}
        if self._deliveries:
            enqueue(self._connection, *self._deliveries.values(), now=self._now)
            self._deliveries = {}
        if self._notes:
            self._tell()
            for start in range(0, len(self._notes), _LINES):
                self._write_lines(self._notes[start : start + _LINES])
            self._notes = []

    def _tell(self) -> None:
        if not self._receivers:
            return
        # An alert may be muted at several places for one event.
        notes = {(note.what, note.alert, note.fact): note for note in self._notes if is_told(note)}
        alerts = {alert.id: alert for alert in self.alerts([note.alert for note in notes.values()])}
        happenings = [happening_of(note, alerts[note.alert]) for note in notes.values() if note.alert in alerts]
        tell(self._connection, self._receivers, happenings, now=self._now)

    def _write_lines(self, lines: Sequence[AlertHistoryEntry]) -> None:
        number = self._connection.execute(sql.INSERT_NOTE, note_row(lines)).scalar_one()
        keys = [{"key": key, "note": number} for key in note_keys(lines)]
        execute_many(self._connection, sql.INSERT_NOTE_KEY, keys)


T = TypeVar("T")

ALERT_RETENTION = timedelta(days=90)
"""The default retention of alerts."""
PRUNED_AT_ONCE = 2_000
"""Rows per transaction: others want to write in between."""
_NOTES_AT_ONCE = 50
"""History rows, each with the lines of a transaction."""

_LOCK = 0x616C6572
_TRY = text("SELECT pg_try_advisory_xact_lock(:lock)")
_WAIT = text("SELECT pg_advisory_xact_lock(:lock)")


class StoredAlertQueue(StoredAlertRepository):
    """The alert repository together with the waiting events."""

    def waiting(self, limit: int) -> Sequence[StoredEvent]:
        return take_waiting(self._connection, limit)

    def done(self, seqs: Sequence[int]) -> None:
        """Mark events as processed."""
        mark_done(self._connection, seqs)

    def reject(self, seq: int, reason: str) -> None:
        """Reject an event with the reason."""
        mark_rejected(self._connection, {seq: reason})


class StoredAlertTransactions(StoredTransactions[StoredAlertQueue]):
    """Transactions of the alert service and of the processor."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        *,
        receivers: Sequence[Receiver] = (),
        keep: timedelta = ALERT_RETENTION,
    ) -> None:
        """``receivers`` are told what happens; ``keep`` is the retention of resolved alerts, their cards and the
        history.
        """
        self._keep = keep

        def repository(connection: Connection) -> StoredAlertQueue:
            return StoredAlertQueue(connection, now(), receivers=receivers)

        def reading(connection: Connection) -> StoredAlertQueue:
            return StoredAlertQueue(connection, now(), shows_unreadable=True)

        super().__init__(database, begin=wait_for_turn, writing=repository, reading=reading)

    async def try_transact(self, work: Callable[[StoredAlertQueue], T]) -> T | None:
        return await self._database.run(partial(self._try_and_work, work))

    async def prune(self, now: datetime) -> None:
        """Delete what ended long ago; open alerts are never deleted."""
        before = to_ms_up(now - self._keep)
        for forget in (_forget_alerts, _forget_cards, _forget_notes, _forget_mutes):
            while await self._database.run(partial(forget, before)):
                pass

    def _try_and_work(self, work: Callable[[StoredAlertQueue], T], connection: Connection) -> T | None:
        if connection.dialect.name == "postgresql" and not connection.scalar(_TRY, {"lock": _LOCK}):
            return None
        try:
            return self._work(work, connection)
        except NotOpened as error:
            raise UnreadableRecord(error.detail) from error


def wait_for_turn(connection: Connection) -> None:
    """Wait until no other process changes alerts, and lock them until the end of the transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(_WAIT, {"lock": _LOCK})


def _forget_alerts(before: int, connection: Connection) -> int:
    old = select(ALERT.c.number).where(ALERT.c.state != "open", ALERT.c.last_ms < before).limit(PRUNED_AT_ONCE)
    numbers = connection.execute(old).scalars().all()
    forget_alerts(connection, numbers)
    return len(numbers)


def _forget_cards(before: int, connection: Connection) -> int:
    long_ago = or_(ALERT_CARD.c.changed_ms < before, ALERT_CARD.c.changed_ms.is_(None))
    old = select(ALERT_CARD.c.id).where(ALERT_CARD.c.state == "closed", long_ago, ALERT_CARD.c.opened_ms < before)
    some = connection.execute(old.limit(PRUNED_AT_ONCE)).scalars().all()
    for ids in chunks(some):
        connection.execute(delete(ALERT_CARD_MEMBER).where(ALERT_CARD_MEMBER.c.card.in_(ids)))
        connection.execute(delete(ALERT_CARD).where(ALERT_CARD.c.id.in_(ids)))
    return len(some)


def _forget_notes(before: int, connection: Connection) -> int:
    old = select(ALERT_NOTE).where(ALERT_NOTE.c.at_ms < before).order_by(ALERT_NOTE.c.at_ms).limit(_NOTES_AT_ONCE)
    rows = connection.execute(old).all()
    keys = [{"key": key, "note": row.number} for row in rows if not row.what for key in note_keys(notes_of(row))]
    execute_many(connection, sql.DELETE_NOTE_KEY, keys)
    connection.execute(delete(ALERT_NOTE).where(ALERT_NOTE.c.number.in_([row.number for row in rows])))
    return len(rows)


def _forget_mutes(before: int, connection: Connection) -> int:
    return connection.execute(delete(MUTE).where(MUTE.c.until_ms < before)).rowcount


def read_mutes_and_watches(connection: Connection, since: datetime) -> tuple[Mute | Watch, ...]:
    """Return the mutes in force at ``since`` or later, at any place, and the current watches."""
    mutes = connection.execute(select(MUTE).where(MUTE.c.until_ms > to_ms_up(since)))
    return (*map(mute_of, mutes), *map(watch_of, read_watches(connection, select(WATCH))))
