"""A small company for the tests of approvals: who has which role, who manages whom, and purchase orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from bot.approvals.document import ApprovalDocument, DocumentKey
from bot.checks.check import CheckOutcome
from bot.erp.kinds import PURCHASE_ORDERS, Kind, kind_of, review_of
from bot.erp.model import (
    ErpRecord,
    Money,
    PurchaseLine,
    PurchaseOrder,
    Review,
    ReviewState,
)
from tests.bare_records import bare

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)

ROLES: Mapping[str, tuple[str, ...]] = {
    "approver": ("wang", "qian", "li"),
    "purchasing": ("wang", "zhao"),
    "finance": ("qian",),
    "board": ("sun", "zhou"),
    "nobody": (),
}
MANAGERS: Mapping[str, tuple[str, ...]] = {"li": ("wu", "zheng", "sun"), "wang": ("sun",)}
ACCOUNTS: Mapping[tuple[str, str], str] = {("main", "erp-li"): "li", ("main", "erp-zhao"): "zhao"}


@dataclass(frozen=True, slots=True)
class FakeCompanyDirectory:
    """Implements `bot.approvals.plan.CompanyDirectory`."""

    def members_of(self, role: str) -> tuple[str, ...]:
        return ROLES.get(role, ())

    def managers_of(self, user_id: str) -> tuple[str, ...]:
        return MANAGERS.get(user_id, ())

    def person_of(self, source: str, account: str) -> str:
        return ACCOUNTS.get((source, account), "")

    def account_of(self, user_id: str, source: str) -> str:
        return next((account for (at, account), person in ACCOUNTS.items() if (at, person) == (source, user_id)), "")


@dataclass(frozen=True, slots=True)
class FakeDailySpending:
    """Implements `bot.approvals.plan.DailySpending`: what people approved so far today."""

    sums: Mapping[str, Money] = field(default_factory=dict)

    def approved_today(self, user_id: str, currency: str) -> Money:
        spent = self.sums.get(user_id)
        return spent if spent is not None and spent.currency == currency else Money(Decimal(0), currency)


def money(text: str) -> Money:
    """Return the amount written as ``5000 CNY``."""
    amount, currency = text.split()
    return Money(Decimal(amount), currency)


def po_key(source: str, number: str) -> DocumentKey:
    """Return the key of a purchase order."""
    return DocumentKey(source, PURCHASE_ORDERS, number)


def waiting_order(
    total: str | None = "3000 CNY",
    *,
    requester: str = "li",
    supplier: str = "ACME",
    source: str = "main",
    buyer: str = "",
) -> PurchaseOrder:
    """Return a purchase order that waits."""
    amount = None if total is None else money(total)
    return bare(
        PurchaseOrder,
        "PO-1",
        vendor=supplier,
        requester=f"erp-{requester}" if requester else "",
        buyer=buyer,
        ordered_on=date(2026, 11, 20),
        due_on=date(2026, 12, 1),
        total=amount,
        lines=(PurchaseLine(sku="SKU1", name="螺丝", unit="个", quantity=Decimal(10), price=amount, amount=amount),),
        version="v1",
        source=source,
    )


def waiting_of(kind: Kind[Any], number: str) -> ErpRecord:
    """Return a document of a kind that waits, requested by wu."""
    if kind == PURCHASE_ORDERS:
        return replace(waiting_order(requester="wu"), number=number)
    review = Review(state=ReviewState.WAITING, version="v1", requester="erp-wu")
    document: ErpRecord = bare(kind.record, number, source="main", total=money("3000 CNY"), review=review)
    return document


def document(
    total: str | None = "3000 CNY",
    *,
    requester: str = "li",
    editors: tuple[str, ...] = (),
    supplier: str = "ACME",
    source: str = "main",
    company: str = "上海",
    department: str = "生产部",
    categories: tuple[str, ...] = ("紧固件",),
    buyer: str = "",
    checks: tuple[CheckOutcome, ...] = (),
) -> ApprovalDocument:
    """Return what deciders see of a purchase order that waits."""
    return document_of(
        waiting_order(total, requester=requester, supplier=supplier, source=source, buyer=buyer),
        company=company,
        department=department,
        categories=frozenset(categories),
        requester=requester,
        editors=frozenset(editors),
        checks=checks,
    )


def document_of(record: ErpRecord, **fields: object) -> ApprovalDocument:
    """Return what deciders see of a record; ``fields`` are further ones of the document."""
    kind = kind_of(record)
    return ApprovalDocument(
        key=DocumentKey.of(record),
        review=review_of(record),
        partner=kind.partner_of(record),
        total=kind.amounts.total(record),
        record=record,
        **fields,  # type: ignore[arg-type]  # fields of a document
    )
