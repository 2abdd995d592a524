"""Subscriptions, and their queued cards. The lines may name partners, so they are sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta, tzinfo
from functools import partial

from sqlalchemy import delete, select, update
from sqlalchemy.engine import Connection

from bot.alerts.subscriptions import Subscription
from bot.outbox.delivery import Delivery
from bot.outbox.place import Place, PlaceKind
from bot.store.database import Stored
from bot.store.outbox.queue import enqueue
from bot.store.record_codec import IN_MILLISECONDS, PlainCodec, RecordCodec
from bot.store.row_times import to_ms
from bot.store.statements import replace_into
from bot.store.tables import SUBSCRIPTION
from bot.store.unreadable_rows import read_readable

_S = SUBSCRIPTION.c
_AT_ONCE = 200
"""Subscriptions queued per transaction."""
_ENDED_KEPT = timedelta(days=2)
"""How long the card about a subscription's end may be pending."""
_TIME = PlainCodec("{:%H:%M}".format, time.fromisoformat)
_SUBSCRIPTION = RecordCodec(Subscription, {**IN_MILLISECONDS, time: _TIME}, names={"next_at": "next_ms"})


class StoredSubscriptions(Stored):
    """Stores subscriptions."""

    async def put(self, subscription: Subscription) -> None:
        await self._database.run(partial(_put, subscription))

    async def find(self, subscription_id: str) -> Subscription | None:
        query = select(SUBSCRIPTION).where(_S.id == subscription_id)
        row = await self._database.run(lambda connection: connection.execute(query).first())
        return None if row is None else _SUBSCRIPTION.read_row(row)

    async def at_place(self, place: Place) -> tuple[Subscription, ...]:
        query = select(SUBSCRIPTION).where(_S.place == str(place), _S.ended.is_(False)).order_by(_S.at, _S.id)
        rows = await self._database.run(lambda connection: read_readable(connection, SUBSCRIPTION, query))
        return tuple(map(_SUBSCRIPTION.read_row, rows))

    async def of_groups(self) -> tuple[Subscription, ...]:
        """Return the active subscriptions of all groups."""
        of_groups = _S.place.startswith(f"{PlaceKind.GROUP.value}:", autoescape=True)
        query = select(SUBSCRIPTION).where(of_groups, _S.ended.is_(False)).order_by(_S.place, _S.at, _S.id)
        rows = await self._database.run(lambda connection: read_readable(connection, SUBSCRIPTION, query))
        return tuple(map(_SUBSCRIPTION.read_row, rows))

    async def drop(self, ids: Sequence[str]) -> None:
        await self._database.execute(delete(SUBSCRIPTION).where(_S.id.in_(ids)))

    async def end(self, subscription_id: str) -> None:
        ended = update(SUBSCRIPTION).where(_S.id == subscription_id).values(ended=True)
        await self._database.execute(ended)

    async def wait(self, subscription_id: str, told: Delivery) -> None:
        await self._database.run(partial(_wait, subscription_id, told))

    async def go_on(self, subscription_id: str) -> None:
        going_on = update(SUBSCRIPTION).where(_S.id == subscription_id).values(waits=False)
        await self._database.execute(going_on)

    async def send_due(self, now: datetime, zone: tzinfo) -> int:
        return await self._database.run(partial(_send_due, now, zone))


def _put(subscription: Subscription, connection: Connection) -> None:
    row = _SUBSCRIPTION.write(subscription) | {"id": subscription.id}
    connection.execute(replace_into(SUBSCRIPTION, connection.dialect.name).values(row))


def _wait(subscription_id: str, told: Delivery, connection: Connection) -> None:
    waiting = update(SUBSCRIPTION).where(_S.id == subscription_id, _S.waits.is_(False)).values(waits=True)
    if connection.execute(waiting).rowcount:
        enqueue(connection, told, now=told.due_at)


def _send_due(now: datetime, zone: tzinfo, connection: Connection) -> int:
    connection.execute(delete(SUBSCRIPTION).where(_S.ended.is_(True), _S.next_ms <= to_ms(now - _ENDED_KEPT)))
    due = (
        select(SUBSCRIPTION)
        .where(_S.next_ms <= to_ms(now), _S.ended.is_(False))
        .order_by(_S.id)
        .limit(_AT_ONCE)
        # Skip those that another process is queueing right now.
        .with_for_update(skip_locked=True)
    )
    found = [_SUBSCRIPTION.read_row(row) for row in read_readable(connection, SUBSCRIPTION, due)]
    for each in found:
        later = to_ms(each.after(now, zone))
        connection.execute(update(SUBSCRIPTION).where(_S.id == each.id).values(next_ms=later))
    enqueue(connection, *(each.delivery(now, zone) for each in found), now=now)
    return len(found)
