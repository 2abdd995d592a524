"""What the ERP contract looks at: the kinds of documents, and checks that hold for all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, Protocol

import pytest

from bot.erp.errors import NotFound
from bot.erp.model import Area, Change, DecisionResult, Money, PurchaseOrder, Quantities, Slice
from bot.erp.port import Capability, Erp, Filter, ListQuery


class Document(Protocol):
    """What all listed documents have in common."""

    @property
    def number(self) -> str: ...
    @property
    def changed_at(self) -> datetime | None: ...
    @property
    def source(self) -> str: ...


@dataclass(frozen=True)
class Kind:
    """One kind of document: its capability, its two calls, whom it names, and by which fields its lists are sorted."""

    capability: Capability
    single: str
    plural: str
    partner: str
    newest: str
    due: Mapping[Filter, str]
    days: Callable[[Any, date], int]

    def __str__(self) -> str:
        return self.plural

    async def one(self, erp: Erp, number: str) -> Any:
        """Read a single document."""
        return await getattr(erp, self.single)(number)

    async def many(self, erp: Erp, query: ListQuery) -> Slice[Any]:
        """Read a part of a list."""
        found: Slice[Any] = await getattr(erp, self.plural)(query)
        return found


_LATE = {Filter.LATE: "due_on"}
ORDERS = Kind(
    Capability.SALES_ORDERS, "order", "orders", "customer", "ordered_on", {Filter.LATE: "promised_on"},
    lambda order, today: order.days_late(today),
)  # fmt: skip
INVOICES = Kind(
    Capability.INVOICES, "invoice", "invoices", "customer", "issued_on", {Filter.OVERDUE: "due_on"},
    lambda invoice, today: invoice.days_overdue(today),
)  # fmt: skip
PURCHASES = Kind(
    Capability.PURCHASE_ORDERS, "purchase_order", "purchase_orders", "vendor", "ordered_on", _LATE,
    lambda order, today: order.days_late(today),
)  # fmt: skip
PRODUCTIONS = Kind(
    Capability.PRODUCTION_ORDERS, "production_order", "production_orders", "name", "start_on", _LATE,
    lambda order, today: order.days_late(today),
)  # fmt: skip
KINDS = (ORDERS, INVOICES, PURCHASES, PRODUCTIONS)


def order_of(result: DecisionResult) -> PurchaseOrder:
    """Return the order that a decision left behind."""
    assert result.order is not None
    return result.order


async def expect_not_found(call: Callable[..., Awaitable[object]], *args: str) -> None:
    """Check that the call finds nothing."""
    with pytest.raises(NotFound):
        await call(*args)


async def all_changes(erp: Erp, area: Area, cursor: str, *, limit: int, rounds: int) -> tuple[list[Change], str]:
    """Return all changes after ``cursor`` and the last cursor."""
    items: list[Change] = []
    for _ in range(rounds):
        changes = await erp.changed_since(area, cursor, limit=limit)
        assert len(changes.items) <= limit
        items += changes.items
        cursor = changes.cursor
        if not changes.more:
            return items, cursor
    pytest.fail(f"changes of {area} do not end")


def check_aware(moment: datetime | None) -> None:
    """Check that a time has a zone."""
    assert moment is not None
    assert moment.tzinfo is not None


def check_exact(amount: Decimal | None) -> None:
    """Check that an amount never was a float."""
    if amount is not None:
        assert type(amount) is Decimal
        assert amount.is_finite()
        # A float on the way leaves a tail of digits behind.
        assert -amount.normalize().as_tuple().exponent <= 6  # type: ignore[operator]  # finite, so a number


def check_figures(quantities: Quantities) -> None:
    """Check all figures of one place."""
    for name in ("on_hand", "reserved", "available", "incoming", "outgoing", "forecast"):
        check_exact(getattr(quantities, name))


def check_document(record: Any, source: str) -> None:
    """Check what holds for every document: source, aware times, exact amounts with currency, quantities with unit."""
    assert record.number
    assert record.source == source
    if record.changed_at is not None:
        check_aware(record.changed_at)
    for part in (record, *getattr(record, "lines", ())):
        for name in part.__dataclass_fields__:
            value = getattr(part, name)
            if isinstance(value, Money):
                check_exact(value.amount)
                assert len(value.currency) == 3
                assert value.currency.isupper()
            else:
                assert not isinstance(value, float)
                check_exact(value if isinstance(value, Decimal) else None)
        assert not hasattr(part, "unit") or part.unit


def without_lines(document: Any) -> dict[str, Any]:
    """Return a document's fields as they are the same in a list and alone."""
    return {name: getattr(document, name) for name in document.__dataclass_fields__ if name != "lines"}


def check_equal_days(documents: Iterable[Document], days: list[Any]) -> None:
    """Check that documents of one day are in the order of their numbers."""
    pairs = list(zip(days, (document.number for document in documents), strict=True))
    for (day, number), (next_day, next_number) in pairwise(pairs):
        assert day != next_day or number < next_number
