"""What differs between two revisions of a purchase order, as cards tell it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from bot.approvals.asking import Folder
from bot.approvals.case import Case, CaseState
from bot.approvals.insights import Insight
from bot.approvals.views import ChangedField, Shown
from bot.erp.model import Money, PurchaseLine, PurchaseOrder
from bot.phrase import Phrase, phrase

_NO_NAMES: Mapping[str, str] = MappingProxyType({})
_CHANGES = 6
"""Changes that a card names; who wants more opens the order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known about the case's own revision and its neighbours; ``order`` None: its lines are not."""

    order: PurchaseOrder | None = None
    insight: Insight | None = None
    before: PurchaseOrder | None = None
    newer: PurchaseOrder | None = None
    names: Mapping[str, str] = field(default_factory=lambda: _NO_NAMES)
    """userIds to names, as far as they are known."""


def changes_of(folder: Folder, known: Known, *, priced: bool) -> tuple[ChangedField, ...]:
    """Return what a card tells of the revision before or, where that took its place, after it."""
    case = folder.case
    if case.state is CaseState.SUPERSEDED and folder.newer is not None:
        changed = differences(case, folder.newer, known.order, known.newer, priced=priced)
    elif case.state is CaseState.OPEN and folder.before is not None and folder.before.state is CaseState.SUPERSEDED:
        changed = differences(folder.before, case, known.before, known.order, priced=priced)
    else:
        return ()
    return tuple(changed)[:_CHANGES]


def differences(
    was: Case, now: Case, was_order: PurchaseOrder | None, now_order: PurchaseOrder | None, *, priced: bool
) -> Iterator[ChangedField]:
    """Yield what differs between two revisions; lines only where both are known."""
    old, new = was.brief, now.brief
    amounts = (old.total, new.total) if priced else (None, None)
    fields: tuple[tuple[Phrase, object, object, Shown, Shown], ...] = (
        (phrase("Vendor"), old.vendor, new.vendor, old.vendor, new.vendor),
        (phrase("Amount"), old.total, new.total, *amounts),
        (phrase("Due"), old.due_on, new.due_on, old.due_on, new.due_on),
        (phrase("Requested by"), old.requested_by, new.requested_by, old.requested_by, new.requested_by),
    )
    for label, before, after, shown_before, shown_after in fields:
        if before != after:
            yield ChangedField(label=label, before=shown_before, now=shown_after)
    if was_order is not None and now_order is not None:
        yield from _line_changes(was_order.lines, now_order.lines, priced=priced)


def _line_changes(was: Sequence[PurchaseLine], now: Sequence[PurchaseLine], *, priced: bool) -> Iterator[ChangedField]:
    old, new = {line.sku: line for line in was}, {line.sku: line for line in now}
    for sku in dict.fromkeys((*old, *new)):
        before, after = old.get(sku), new.get(sku)
        if before is None or after is None:
            yield ChangedField(label=phrase("Line added") if before is None else phrase("Line removed"), what=sku)
            continue
        if (before.quantity, before.unit) != (after.quantity, after.unit):
            yield ChangedField(label=phrase("Quantity"), what=sku, before=_amount_of(before), now=_amount_of(after))
        if before.price != after.price:
            prices = (unit_price(before.price), unit_price(after.price)) if priced else (None, None)
            yield ChangedField(label=phrase("Price"), what=sku, before=prices[0], now=prices[1])


def unit_price(price: Money | None) -> str | None:
    """Return a price for one unit with all its digits: rounded like an amount, 0.1277 and 0.1297 look alike."""
    return None if price is None else f"{price.amount.normalize():f} {price.currency}".strip()


def _amount_of(line: PurchaseLine) -> str:
    return f"{line.quantity.normalize():f} {line.unit}".strip()
