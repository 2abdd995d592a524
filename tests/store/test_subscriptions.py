"""Subscriptions in the database: once, whoever looks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from bot.alerts.subscriptions import Subscription
from bot.outbox.place import Place, PlaceKind
from bot.store.alerts.subscriptions import StoredSubscriptions
from bot.store.database import Database
from bot.store.tables import DELIVERY, SUBSCRIPTION

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 5, 8, 30, tzinfo=ZONE)
PLACE = Place(PlaceKind.PERSON, "keeper01")
REPORT = Subscription(
    place=PLACE,
    conversation="cidKeeper==",
    user_id="keeper01",
    line="/report yesterday",
    at=time(8, 30),
    workdays=True,
    next_at=NOW,
)


async def cards(database: Database) -> list[str]:
    rows = await database.run(lambda connection: connection.scalars(select(DELIVERY.c.card)).all())
    return sorted(rows)


async def test_it_is_kept(database: Database) -> None:
    store = StoredSubscriptions(database)
    await store.put(REPORT)
    await store.put(replace(REPORT, line="/order late", at=time(7), weekday=1))
    found = await store.at_place(PLACE)
    assert [each.line for each in found] == ["/order late", "/report yesterday"]
    assert (found[0].weekday, found[1]) == (1, REPORT)
    await store.put(replace(REPORT, at=time(6)))
    assert [each.at.hour for each in await store.at_place(PLACE)] == [6, 7]
    await store.drop([REPORT.id])
    assert await store.find(REPORT.id) is None
    assert await store.at_place(Place(PlaceKind.GROUP, "cid")) == ()


async def test_it_is_sent_once(database: Database) -> None:
    first, second = StoredSubscriptions(database), StoredSubscriptions(database)
    await first.put(REPORT)
    assert await first.send_due(NOW - timedelta(seconds=1), ZONE) == 0
    sent = await asyncio.gather(*(store.send_due(NOW, ZONE) for store in (first, second, first)))
    assert sorted(sent) == [0, 0, 1]
    assert await cards(database) == [f"subscription:{REPORT.id}:2026-11-05T08:30"]
    found = await first.find(REPORT.id)
    assert found is not None
    assert found.next_at == datetime(2026, 11, 6, 8, 30, tzinfo=ZONE)
    await first.send_due(datetime(2026, 11, 6, 8, 31, tzinfo=ZONE), ZONE)
    assert len(await cards(database)) == 2


async def test_one_that_is_moved_to_later_on_the_same_day_is_sent_then_too(database: Database) -> None:
    store, later = StoredSubscriptions(database), NOW + timedelta(hours=1)
    await store.put(REPORT)
    await store.send_due(NOW + timedelta(milliseconds=20), ZONE)
    moved = replace(REPORT, at=later.time())
    await store.put(replace(moved, next_at=moved.after(NOW + timedelta(minutes=5), ZONE)))
    assert await store.send_due(later + timedelta(milliseconds=20), ZONE) == 1
    assert len(await cards(database)) == 2


async def test_one_that_ended_is_sent_no_more_and_forgotten_later(database: Database) -> None:
    store = StoredSubscriptions(database)
    await store.put(REPORT)
    await store.end(REPORT.id)
    assert await store.send_due(NOW, ZONE) == 0
    assert await store.at_place(PLACE) == ()
    found = await store.find(REPORT.id)
    assert found is not None
    assert found.ended
    await store.send_due(NOW + timedelta(days=3), ZONE)
    assert await database.run(lambda connection: connection.execute(select(SUBSCRIPTION)).all()) == []


async def test_its_owner_is_told_once_that_it_waits(database: Database) -> None:
    store = StoredSubscriptions(database)
    await store.put(REPORT)
    for _ in range(2):
        await store.wait(REPORT.id, REPORT.waiting_delivery(NOW))
    assert await cards(database) == [f"subscription:{REPORT.id}:waits:{NOW:%FT%H:%M}"]
    assert await store.find(REPORT.id) == replace(REPORT, waits=True)
    assert await store.send_due(NOW, ZONE) == 1, "it is looked at each time, and goes on by itself"
    await store.go_on(REPORT.id)
    found = await store.find(REPORT.id)
    assert found is not None
    assert not found.waits


async def test_those_of_groups_are_found(database: Database) -> None:
    store, group = StoredSubscriptions(database), Place(PlaceKind.GROUP, "cid")
    await store.put(REPORT)
    await store.put(replace(REPORT, place=group))
    assert [each.place for each in await store.of_groups()] == [group]
