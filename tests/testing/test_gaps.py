"""A value that a vendor cannot provide reads as unknown; everything else is unchanged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from bot.erp.kinds import KINDS, SALES_ORDERS
from bot.erp.model import Money, PurchaseOrder, ReviewState
from bot.erp.port import Capability
from bot.kit.testing.company import ReferenceCompany
from bot.kit.testing.contract_base import ContractCase, Network, gap_reason
from bot.kit.testing.gaps import Gaps, Rewrite, comparable

COMPANY = ReferenceCompany()


def test_without_gaps_everything_is_told() -> None:
    for records in (COMPANY.orders, COMPANY.purchases, COMPANY.stock, COMPANY.products):
        for record in records.values():
            assert Gaps().expected(record) == record


def test_fields_that_are_not_told() -> None:
    order = Gaps(
        fields={
            "SalesOrder.salesperson": "…",
            "SalesOrder.promised_on": "…",
            "SalesOrder.total": "…",
            "OrderLine.due_on": "…",
            "OrderLine.sku": "…",
        }
    ).expected(COMPANY.orders["SO-1001"])
    assert (order.salesperson, order.promised_on, order.total) == ("", None, None)
    assert {(line.due_on, line.sku) for line in order.lines} == {(None, "")}
    gaps = Gaps(fields={"Approval.pending_for": "…", "Approval.level": "…"})
    approval = COMPANY.purchases["PO-1008"].review.approval
    assert approval is not None
    assert gaps.expected(COMPANY.purchases["PO-1008"]).review.approval == replace(approval, pending_for=(), level=1)


def test_states_that_are_called_otherwise() -> None:
    gaps = Gaps(states={ReviewState.REJECTED: (ReviewState.CANCELLED, "…")})
    statuses = {gaps.expected(order).status for order in COMPANY.purchases.values()}
    assert statuses == set(ReviewState) - {ReviewState.REJECTED}


def test_times_in_coarse_steps() -> None:
    at = datetime(2026, 11, 24, 8, 15, 30, 999_999, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    coarse = Gaps(resolution=timedelta(seconds=1)).expected(replace(COMPANY.orders["SO-1001"], changed_at=at))
    assert coarse.changed_at == datetime(2026, 11, 24, 2, 30, 30, tzinfo=UTC)


def test_peculiarities_and_what_is_hidden() -> None:
    def change(record: object) -> object:
        if isinstance(record, PurchaseOrder):
            return None if record.status is ReviewState.DRAFT else replace(record, buyer="?")
        return record

    gaps = Gaps(rewrites=(Rewrite("…", change),))
    expected = [gaps.expected(order) for order in COMPANY.purchases.values()]
    assert expected.count(None) == 1
    assert {order.buyer for order in expected if order} == {"?"}


def test_records_compare_by_what_they_say() -> None:
    order = COMPANY.orders["SO-1001"]
    assert order.changed_at is not None
    same = replace(order, id="?", url="?", source="?", changed_at=order.changed_at.astimezone(UTC))
    assert comparable(same) == comparable(order)
    total = replace(order, total=Money(Decimal("0.2500"), "CNY"))
    assert comparable(total) == comparable(order)
    for other in (replace(order, customer="?"), replace(order, total=None), replace(order, lines=order.lines[1:])):
        assert comparable(other) != comparable(order)


def test_a_row_is_a_gap_by_name_by_network_or_by_capability() -> None:
    everything = frozenset(Capability)
    plain = ContractCase("stock.exact", "…", needs=(Capability.STOCK,))
    wide = ContractCase("read.exact", "…", over=("kind", KINDS))
    online = ContractCase("down.gone", "…", network=Network.CONNECTION)

    def reason(
        case: ContractCase, value: object = None, offers: frozenset[Capability] = everything, **cases: str
    ) -> str | None:
        named = {name.replace("_", "."): text for name, text in cases.items()}
        return gap_reason(case, value, offers=offers, gaps=Gaps(cases=named), embedded=True)

    assert reason(plain) is None
    assert reason(plain, stock_exact="why") == "why"
    assert reason(plain, offers=everything - {Capability.STOCK}) == "not offered: stock"
    assert reason(online) == "embedded: no network"
    assert gap_reason(online, None, offers=everything, gaps=Gaps(), embedded=False, database=True) is None
    limited = ContractCase("limit.told", "…", network=Network.HTTP)
    assert gap_reason(limited, None, offers=everything, gaps=Gaps(), embedded=False) is None
    told = gap_reason(limited, None, offers=everything, gaps=Gaps(), embedded=False, database=True)
    assert told == "a database's connection: no logins that run out, no limits, no pages"
    assert reason(wide, SALES_ORDERS) is None
    assert reason(wide, SALES_ORDERS, read_exact="all") == "all"
    assert reason(wide, SALES_ORDERS, offers=everything - {Capability.SALES_ORDERS}) == "not offered: sales_orders"
    assert (
        gap_reason(
            wide, SALES_ORDERS, offers=everything, gaps=Gaps(cases={"read.exact[orders]": "one"}), embedded=False
        )
        == "one"
    )
    assert wide.row(SALES_ORDERS) == "read.exact[orders]"
