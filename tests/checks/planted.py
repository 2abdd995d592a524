"""The demo company with documents planted in it, and what hand-written SQL reads of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from bot.checks.check import CheckOutcome
from bot.checks.document_checks import DocumentChecks
from bot.erp.hub import ErpHub
from bot.erp.kinds import Kind
from bot.erp.list_query import ListQuery
from bot.erp.model import Bill, InvoiceStatus, Money, Progress, PurchaseLine, PurchaseOrder, ReviewState
from bot.kit.company import seeding
from bot.kit.company.catalogue import MADE_TO_ORDER
from bot.kit.company.company import DemoCompany
from tests.bare_records import bare
from tests.erp.conftest import NOW, TODAY

SKU = MADE_TO_ORDER
"""A product that nobody buys in the demo company."""
VENDOR = "江阴市长江不锈钢制品厂"


def order(
    number: str,
    price: str = "",
    *,
    ago: int = 0,
    state: ReviewState = ReviewState.DONE,
    total: str = "",
    vendor: str = VENDOR,
    unit: str = "件",
    **told: Any,
) -> PurchaseOrder:
    """Return an order of ``ago`` days, of one line at a ``price`` if it is told."""
    line = PurchaseLine(
        sku=SKU,
        name="Planted",
        unit=unit,
        quantity=Decimal(10),
        received=Decimal(0),
        price=Money(Decimal(price or 0), "CNY"),
        amount=Money(Decimal(price or 0) * 10, "CNY"),
    )
    lines = told.pop("lines", (line,) if price else ())
    worth = sum((each.amount.amount for each in lines if each.amount), Decimal(0))
    day = TODAY - timedelta(days=ago)
    return bare(
        PurchaseOrder,
        number,
        vendor=vendor,
        state=state,
        version="1",
        ordered_on=day,
        total=Money(Decimal(total) if total else worth, "CNY"),
        lines=lines,
        received=Progress.NONE,
        changed_at=NOW,
        **told,
    )


def bill(
    number: str,
    total: str,
    *,
    ago: int = 0,
    vendor: str = VENDOR,
    status: InvoiceStatus = InvoiceStatus.UNPAID,
    **told: Any,
) -> Bill:
    """Return a bill of ``ago`` days."""
    amount = Money(Decimal(total), "CNY")
    day = TODAY - timedelta(days=ago)
    return bare(
        Bill,
        number,
        vendor=vendor,
        status=status,
        issued_on=day,
        total=amount,
        open_amount=amount,
        changed_at=NOW,
        **told,
    )


class PlantedCompany:
    """A copy of the demo company's file, its ERP behind a hub, and the checks."""

    def __init__(self, file: Path, hub: ErpHub) -> None:
        self._file = file
        self._client = hub.source_client("demo")
        self._checks = DocumentChecks(hub, now=lambda: NOW, seconds=60)

    def plant(self, **records: Sequence[Any]) -> None:
        """Add records, by the kinds of `DemoCompany`."""
        engine = create_engine(f"sqlite:///{self._file}")
        with engine.begin() as connection:
            seeding.insert_company(connection, DemoCompany(**{kind: tuple(each) for kind, each in records.items()}))
        engine.dispose()

    async def check(self, kind: Kind[Any], number: str, *bounds: Money) -> dict[str, CheckOutcome]:
        """Return what comes of a document, by the names of the checks."""
        found = await self._checks.of(await self._client.document(kind, number), bounds)
        return {result.check: result for result in found}

    async def flags(
        self, kind: Kind[Any], check: str, *bounds: Money, least: int = 50
    ) -> dict[str, list[dict[str, Any]]]:
        """Return the figures of the flags of every document that one check flags, by number.

        At ``least`` so many documents could be looked at as a whole.
        """
        listed = await self._client.documents(kind, ListQuery(limit=1_000))
        assert len(listed.items) == listed.total
        found = {each.number: (await self.check(kind, each.number, *bounds))[check] for each in listed.items}
        assert len([result for result in found.values() if result.is_whole]) >= least
        return {number: [_figures(flag) for flag in result.flags] for number, result in found.items() if result.flags}

    def sql(self, statement: str, **named: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a statement; amounts are in millionths."""
        with sqlite3.connect(self._file) as connection:
            return connection.execute(statement, named).fetchall()


def _figures(flag: Any) -> dict[str, Any]:
    """Return all values of a phrase, those of phrases in it by the outer name and a dot."""
    found: dict[str, Any] = {}
    for name, value in flag.params.items():
        nested = _figures(value) if hasattr(value, "params") else {"": value}
        found |= {f"{name}.{inner}".rstrip("."): each for inner, each in nested.items()}
    return found


def exact(value: int) -> Decimal:
    """Return a figure as the demo company stores it."""
    return Decimal(value).scaleb(-6)
