"""AI tables before a simulated DingTalk: what is sent, repeated and refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from bot.dingtalk.notable import NotableTable
from bot.dingtalk.openapi import ApiRetryPolicy, OpenApi, pooled_session
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.notable import SimTable
from bot.kit.simulator.server import open_simulator
from bot.mechanisms.metrics import Metrics
from bot.sheets.records import CellsOf, SheetNotAnswered, SheetRefused
from tests.outbox.conftest import IMPATIENT, api_at
from tests.rows import each_row

BASE, SHEET, CLERK = "base1", "Orders / 订单", "sales01"
TWICE = ApiRetryPolicy(per_try=30.0, connect=30.0, overall=30.0, tries=2, backoff=0.0)
INSERT = "POST /v1.0/notable/bases/{baseId}/sheets/{sheet}/records"


@dataclass
class TableHarness:
    """A client of one sheet, and the DingTalk that it is in."""

    engine: SimEngine
    once: OpenApi
    twice: OpenApi
    url: str
    there: SimTable

    def table(self, by: str = CLERK, *, tries: int = 1, **place: Any) -> NotableTable:
        """Return the client in somebody's name."""
        union_id = self.engine.person(by).union_id
        api = self.twice if tries > 1 else self.once
        return NotableTable(api, self.url, **{"base": BASE, "sheet": SHEET, "operator": union_id, **place})

    def titles(self) -> list[str]:
        """Return what stands in the first column."""
        return [cells.get("标题", "") for cells in self.there.records.values()]


@pytest.fixture
async def harness() -> AsyncIterator[TableHarness]:
    async with open_simulator(SimulatorConfig(qps_limit=None)) as simulator, pooled_session() as session:
        engine = simulator.engine
        there = engine.tables.add(BASE, SHEET, editors=[engine.person(CLERK).union_id])
        there.records.clear()
        once = api_at(simulator.url, session, Metrics(), patience=IMPATIENT)
        twice = api_at(simulator.url, session, Metrics(), patience=TWICE)
        yield TableHarness(engine, once, twice, simulator.url, there)


async def test_rows_are_written_and_read(harness: TableHarness) -> None:
    table = harness.table()
    await table.add_column("Note")
    made = await table.insert([{"标题": "A", "Note": "=1+1"}, {"标题": "B"}], str(uuid4()))
    await table.update([CellsOf(made[1], {"Note": "x"})])
    assert await table.columns() == {"标题": "text", "Note": "text"}
    found = {each.id: dict(each.cells) for each in await table.records()}
    assert found == {made[0]: {"标题": "A", "Note": "=1+1"}, made[1]: {"标题": "B", "Note": "x"}}
    await table.delete([made[0]])
    assert harness.titles() == ["B"]


async def test_all_pages_are_read(harness: TableHarness) -> None:
    harness.engine.tables.insert(harness.there, [{"标题": str(number)} for number in range(230)])
    assert [each.cells["标题"] for each in await harness.table().records()] == [*map(str, range(230))]


async def test_a_choice_is_read_by_its_name(harness: TableHarness) -> None:
    harness.there.fields["Choice"] = "singleSelect"
    harness.engine.tables.insert(harness.there, [{"Choice": {"id": "o1", "name": "Yes"}}])
    assert [dict(each.cells) for each in await harness.table().records()] == [{"Choice": "Yes"}]


async def test_a_lost_answer_inserts_nothing_twice(harness: TableHarness) -> None:
    harness.engine.faults.set("lying_timeout", on=True, count=1, delay_ms=0, api=INSERT)
    made = await harness.table(tries=2).insert([{"标题": "A"}], str(uuid4()))
    assert [*harness.there.records] == [*made]


@each_row(
    "place, said",
    [
        ({"base": "none"}, "there is no such AI table"),
        ({"sheet": "none"}, "no such sheet"),
        ({"by": "keeper01"}, "may not edit"),
    ],
)
async def test_what_is_refused_is_told(harness: TableHarness, place: dict[str, str], said: str) -> None:
    with pytest.raises(SheetRefused) as refused:
        await harness.table(**place).records()
    assert said in str(refused.value.tell())


@each_row(
    "fault, error",
    [
        ("scope_denied", SheetRefused),
        ("quota_exhausted", SheetRefused),
        ("html_error", SheetNotAnswered),
        ("system_busy", SheetNotAnswered),
        ("qps_limit", SheetNotAnswered),
    ],
)
async def test_faults(harness: TableHarness, fault: str, error: type[Exception]) -> None:
    harness.engine.faults.clear()
    harness.engine.faults.set(fault, on=True)
    with pytest.raises(error):
        await harness.table().records()
