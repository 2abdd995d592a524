"""Where figures come from, how many calls they cost, and what becomes of a check that cannot look."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.checks.check import CheckOutcome
from bot.checks.document_checks import CHECKS, DocumentChecks
from bot.checks.evidence import MOST_PRICED
from bot.erp.hub import ErpHub
from bot.erp.kinds import BILLS, PURCHASE_ORDERS, SALES_ORDERS, Kind
from bot.erp.model import Money, PurchaseOrder, ReviewState
from bot.kit.company.adapter import DemoErp, open_demo
from bot.mechanisms.metrics import Metrics
from bot.read_model.queries import Coverage, KeptAnswer
from bot.read_model.records import DocumentWithLine
from tests.checks.planted import order
from tests.erp.conftest import NOW, TODAY

BOUNDS = (Money(order("X", "1").total.amount, "CNY"),)  # type: ignore[union-attr]  # it has a total


@dataclass
class KeptLines:
    """Stands in for a read model: the lines of every product, as of a time and complete from a day."""

    lines: tuple[DocumentWithLine, ...]
    as_of: datetime = NOW - timedelta(minutes=2)
    complete_since: Any = TODAY - timedelta(days=400)

    def narrowed(self, reader: ErpHub) -> KeptLines:
        return self

    async def lines_of(self, area: object, sku: str) -> KeptAnswer[tuple[DocumentWithLine, ...]]:
        coverage = Coverage(as_of=self.as_of, complete_since=self.complete_since)
        return KeptAnswer(tuple(each for each in self.lines if each.line and each.line.sku == sku), coverage)


class CountedErp(DemoErp):
    """Counts what it is asked for."""

    calls: Counter[str]

    async def _run(self, call: Any) -> Any:
        self.calls[call.func.__name__] += 1
        return await super()._run(call)


@pytest.fixture
async def erp(demo_file: Path) -> CountedErp:
    erp = await open_demo(demo_file, today=TODAY, now=lambda: NOW)
    erp.__class__ = CountedErp
    assert isinstance(erp, CountedErp)
    erp.calls = Counter()
    return erp


@pytest.fixture
def hub(erp: CountedErp) -> ErpHub:
    return ErpHub([erp], metrics=Metrics(), now=lambda: NOW)


def many_products() -> PurchaseOrder:
    """Return an order of more products than the ERP is asked for."""
    known = order("NEW-1", "11", state=ReviewState.WAITING)
    lines = tuple(replace(known.lines[0], sku=f"SKU-{place}") for place in range(MOST_PRICED + 3))
    return replace(known, lines=lines, source="demo")


async def outcome(document: Any, hub: ErpHub, check: str, kept: Any = None, seconds: float = 60) -> CheckOutcome:
    found = await DocumentChecks(hub, kept, now=lambda: NOW, seconds=seconds).of(document, BOUNDS)
    return next(each for each in found if each.check == check)


async def test_complete_copies_tell_all_prices_without_a_call(erp: CountedErp, hub: ErpHub) -> None:
    document = many_products()
    before = replace(order("OLD-1", "10", ago=300), lines=())
    lines = tuple(DocumentWithLine(before, line) for line in document.lines)
    cheaper = tuple(replace(each, line=replace(each.line, price=Money(BOUNDS[0].amount, "CNY"))) for each in lines[:1])
    found = await outcome(document, hub, "price_above_last", KeptLines(cheaper))
    assert (len(found.flags), found.is_whole, found.as_of) == (1, True, NOW - timedelta(minutes=2))
    assert erp.calls["prices"] == 0


@pytest.mark.parametrize(
    "kept",
    [
        KeptLines((), as_of=NOW - timedelta(hours=1)),
        KeptLines((), complete_since=TODAY - timedelta(days=30)),
        KeptLines((), complete_since=None),
    ],
    ids=["stale", "not of a year", "not complete"],
)
async def test_copies_that_do_not_tell_all_are_not_asked(erp: CountedErp, hub: ErpHub, kept: KeptLines) -> None:
    found = await outcome(many_products(), hub, "price_above_last", kept)
    assert (erp.calls["prices"], found.is_whole) == (MOST_PRICED, False)


@pytest.mark.parametrize(
    ("kind", "most"), [(PURCHASE_ORDERS, MOST_PRICED + 1), (BILLS, 4), (SALES_ORDERS, 3)], ids=["po", "bill", "order"]
)
async def test_calls_of_a_document_are_bounded(erp: CountedErp, hub: ErpHub, kind: Kind[Any], most: int) -> None:
    client = hub.source_client("demo")
    numbers = {PURCHASE_ORDERS: "PO-1006", BILLS: "BILL-1", SALES_ORDERS: "SO-1001"}
    document = await client.document(kind, numbers[kind])
    erp.calls.clear()
    await DocumentChecks(hub, now=lambda: NOW, seconds=60).of(document, BOUNDS)
    assert 0 < erp.calls.total() <= most


async def test_what_does_not_arrive_in_time_counts_as_flagged(hub: ErpHub) -> None:
    for name in ("price_above_last", "split"):
        found = await outcome(many_products(), hub, name, seconds=0)
        assert (found.flags, found.counts_as_flagged) == ((), True)
        assert str(found.looked_at) == f"{CHECKS[name].title}: could not be checked"
