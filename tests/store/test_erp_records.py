"""Last known answers and rejected records in the database."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from bot.erp.errors import Unavailable
from bot.erp.hub import ErpHub
from bot.erp.model import Area, Product, Quantities, StockLevel
from bot.erp.validation import QuarantinedRecord
from bot.erp.validation_rules import Defect
from bot.mechanisms.metrics import Metrics
from bot.store.database import Database
from bot.store.erp.records import KEPT_COPIES, KEPT_REJECTED, MAX_AGE, StoredErpRecords, count_rejected
from bot.store.tables import ERP_COPY, ERP_REJECTED
from tests.erp.test_multi_source import FakeSource

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEVEL = StockLevel(
    product=Product(sku="SKU1", name="螺丝", unit="个"),
    total=Quantities(on_hand=Decimal("5.50")),
    per_warehouse=(),
    reorder_point=None,
    as_of=NOON,
)
KEPT = QuarantinedRecord(
    source="main",
    area=Area.STOCK,
    key="SKU1",
    defect=Defect.NEGATIVE,
    why="stock on hand",
    record="{}",
    at=NOON,
)


async def count(database: Database, table: object) -> int:
    query = select(func.count()).select_from(table)  # type: ignore[arg-type]  # any table
    return await database.run(lambda connection: connection.scalar(query) or 0)


async def test_an_answer_is_there_after_a_restart(database: Database) -> None:
    records = StoredErpRecords(database)
    records.put("main", "stock", "('sku1',)", replace(LEVEL, total=Quantities(on_hand=Decimal(1))), NOON)
    records.put("main", "stock", "('sku1',)", LEVEL, NOON)
    await records.write()
    again = StoredErpRecords(database)
    await again.load()
    assert again.get("main", "stock", "('sku1',)") == (LEVEL, NOON)
    assert again.get("other", "stock", "('sku1',)") is None
    again.forget("main", "stock", "('sku1',)")
    assert again.get("main", "stock", "('sku1',)") is None
    await again.write()
    assert await count(database, ERP_COPY) == 0


async def test_what_gathered_is_written_at_the_end(database: Database) -> None:
    records = StoredErpRecords(database)
    task = asyncio.create_task(records.run(pause=3600))
    await asyncio.sleep(0)
    records.put("main", "stock", "x", LEVEL, NOON)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert await count(database, ERP_COPY) == 1


async def test_old_and_too_many_answers_are_pruned(database: Database) -> None:
    records = StoredErpRecords(database)
    for number in range(KEPT_COPIES):
        records.put("main", "stock", str(number), LEVEL, NOON - timedelta(seconds=number))
    await records.write()
    for number in range(10):
        records.put("main", "stock", f"new {number}", LEVEL, NOON + timedelta(seconds=1 + number))
    await records.write()
    assert await count(database, ERP_COPY) == KEPT_COPIES
    records.put("main", "stock", "later", LEVEL, NOON + MAX_AGE + timedelta(days=1))
    await records.write()
    assert await count(database, ERP_COPY) == 1


async def test_a_rejected_record_is_kept_once_with_its_times(database: Database) -> None:
    records = StoredErpRecords(database)
    records.add(KEPT)
    await records.write()
    records.add(replace(KEPT, at=NOON + timedelta(hours=1), record='{"later": 1}'))
    await records.write()
    (row,) = await database.run(lambda connection: connection.execute(select(ERP_REJECTED)).all())
    assert (row.source, row.area, row.key, row.defect) == ("main", "stock", "SKU1", "negative quantity")
    assert (row.last_ms - row.first_ms, row.record) == (3_600_000, '{"later": 1}')


async def test_rejected_records_are_bounded(database: Database) -> None:
    records = StoredErpRecords(database)
    for start in (0, KEPT_REJECTED):
        for number in range(start, start + KEPT_REJECTED):
            records.add(replace(KEPT, key=str(number), at=NOON + timedelta(seconds=number)))
        await records.write()
    assert await count(database, ERP_REJECTED) == KEPT_REJECTED


@pytest.mark.parametrize("several", [False, True])
async def test_a_restart_during_an_outage_still_answers(database: Database, several: bool) -> None:
    def hub_over(records: StoredErpRecords, *shops: FakeSource) -> ErpHub:
        return ErpHub(shops, metrics=Metrics(), now=lambda: NOON, kept=records, timeout=0.01)  # type: ignore[arg-type]  # part of the port

    others = (FakeSource("other"),) if several else ()
    before = StoredErpRecords(database)
    hub = hub_over(before, FakeSource("main", LEVEL), *others)
    await hub.stock("SKU1")
    await before.write()
    await hub.close()
    after = StoredErpRecords(database)
    await after.load()
    dead = FakeSource("main")
    dead.error = Unavailable("down")
    hub = hub_over(after, dead, *others)
    found = await hub.stock("sku1")
    assert (found.value, found.stale, found.as_of) == (LEVEL, True, NOON)
    assert len(found.failures) == 1
    await hub.close()


async def test_records_kept_aside_are_counted_by_source(database: Database) -> None:
    records = StoredErpRecords(database)
    for source, key in (("main", "SKU1"), ("main", "SKU2"), ("other", "SKU1"), ("main", "SKU1")):
        records.add(replace(KEPT, source=source, key=key))
    await records.write()
    assert await database.read(count_rejected) == {"main": 2, "other": 1}
