"""/report: figures of the areas that the asker may see, from the documents kept, without a call to the ERP."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bot.access.grants import Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.notices import BadArgumentNotice
from bot.disclosure import ALL_FIELDS, HIDDEN, FieldClass
from bot.erp.model import Area, Money, OrderStatus
from commands.report import COMMAND_OF, SPANS, ReportPeriod, ReportView
from tests.commands.company import TODAY, Company, cny
from tests.commands.conftest import Ask, as_, lines
from tests.read_model.memory_documents import MemoryDocuments

SALES = Person(user_id="sales01", name="李销", roles=frozenset({"sales"}))


def allow(commands: str, fields: frozenset[FieldClass] = ALL_FIELDS, scope: Scope | None = None) -> AccessRule:
    return AccessRule(
        commands=frozenset(commands.split()),
        roles=frozenset({"sales"}),
        fields=fields,
        scope=scope or Scope(),
    )


async def test_all_areas_are_shown_and_no_erp_is_asked(ask: Ask, company: Company, kept: MemoryDocuments) -> None:
    view = as_(ReportView, await ask("/report"))
    assert view.period is ReportPeriod.MONTH
    assert company.calls == []
    assert view.sales is not None
    assert view.sales.late == 2
    assert view.invoices is not None
    assert view.invoices.overdue == 2
    assert view.invoices.owed == (cny("101.00"), Money(Decimal(20), "EUR")), "currencies are never added"
    assert [(each.count, each.sums) for each in view.invoices.ageing if each.count] == [
        (2, (cny("100.10"), Money(Decimal(20), "EUR")))
    ]
    assert view.purchases is not None
    assert view.purchases.waiting == 1
    assert view.production is not None
    assert view.production.late == 1
    assert (view.as_of, view.missing, view.narrowed, view.is_partial) == (kept.synced_at, (), False, False)
    assert lines(view) == [
        "/order late",
        "/invoice overdue",
        "/po late",
        "/po pending",
        "/mo late",
        "/report today",
        "/report week",
        "/report last month",
        "/export report month",
    ]


@pytest.mark.parametrize(
    ("line", "period"),
    [
        ("/report last month", ReportPeriod.LAST_MONTH),
        ("/report 上个月", ReportPeriod.LAST_MONTH),
        ("/报表 本周", ReportPeriod.WEEK),
        ("/日报", ReportPeriod.TODAY),
        ("/周报 上周", ReportPeriod.LAST_WEEK),
        ("月报", ReportPeriod.MONTH),
        ("周报", ReportPeriod.WEEK),
        ("/bb yesterday", ReportPeriod.YESTERDAY),
    ],
)
async def test_the_period_is_said_in_many_ways(ask: Ask, line: str, period: ReportPeriod) -> None:
    assert as_(ReportView, await ask(line)).period is period


async def test_a_customer_is_no_period(ask: Ask) -> None:
    as_(BadArgumentNotice, await ask("/report 上海宏图机械"))


async def test_what_was_ordered_is_compared_with_the_days_before(
    ask: Ask, company: Company, kept: MemoryDocuments
) -> None:
    order = replace(company.sales[0], status=OrderStatus.OPEN)
    last_month = TODAY.replace(day=1) - timedelta(days=28)
    kept.documents_kept = (
        replace(order, number="A", ordered_on=TODAY, total=cny("300")),
        replace(order, number="B", ordered_on=TODAY.replace(day=1), total=cny("100")),
        replace(order, number="C", ordered_on=TODAY, total=None),
        replace(order, number="D", ordered_on=TODAY, total=cny("1"), status=OrderStatus.CANCELLED),
        replace(order, number="E", ordered_on=last_month, total=cny("200")),
        replace(order, number="F", ordered_on=last_month + timedelta(days=20), total=cny("9")),
        replace(order, number="G", ordered_on=None, total=cny("9")),
    )
    view = as_(ReportView, await ask("/report month"))
    assert view.sales is not None
    ordered = view.sales.ordered
    assert (ordered.count, ordered.count_before, ordered.without_amount) == (3, 1, 1)
    (compared,) = ordered.sums
    assert (compared.now, compared.before, compared.percent) == (cny("400"), cny("200"), 100)


async def test_credit_notes_lower_the_sums_whatever_their_sign(
    ask: Ask, company: Company, kept: MemoryDocuments
) -> None:
    bill = company.issued[0]
    for sign in (1, -1):
        kept.documents_kept = (
            replace(bill, number="I", issued_on=TODAY, total=cny("100"), open_amount=cny("40")),
            replace(
                bill,
                number="C",
                issued_on=TODAY,
                total=cny(str(30 * sign)),
                open_amount=cny(str(30 * sign)),
                is_credit_note=True,
            ),
        )
        view = as_(ReportView, await ask("/report today"))
        assert view.invoices is not None
        assert view.invoices.invoiced.sums[0].now == cny("70")
        assert view.invoices.paid == (cny("60"),)
        assert view.invoices.owed == (cny("10"),)


async def test_what_is_missing_is_said(ask: Ask, kept: MemoryDocuments) -> None:
    kept.complete_since = TODAY
    assert as_(ReportView, await ask("/report")).is_partial
    kept.complete_since = None
    view = as_(ReportView, await ask("/report"))
    assert (view.as_of, view.missing) == (None, ("main",))


async def test_old_figures_are_said_to_be_old(ask: Ask, kept: MemoryDocuments) -> None:
    assert not as_(ReportView, await ask("/report")).stale
    kept.synced_at -= timedelta(hours=1)
    assert as_(ReportView, await ask("/report")).stale


class TestRights:
    @pytest.fixture
    def policy(self, rules: tuple[AccessRule, ...]) -> AccessPolicy:
        return AccessPolicy(rules=rules)

    @pytest.mark.parametrize(
        "rules", [(allow("order"), AccessRule(commands=frozenset({"invoice", "po", "mo"}), roles=frozenset({"boss"})))]
    )
    async def test_an_area_that_is_closed_is_left_out(self, ask: Ask) -> None:
        view = as_(ReportView, await ask("/report", person=SALES))
        assert view.sales is not None
        assert (view.invoices, view.purchases, view.production) == (None, None, None)

    @pytest.mark.parametrize("rules", [(allow("order", frozenset({FieldClass.QUANTITY, FieldClass.PARTNER})),)])
    async def test_amounts_that_an_order_hides_are_hidden_here(self, ask: Ask, company: Company) -> None:
        view = as_(ReportView, await ask("/report", person=SALES))
        assert view.sales is not None
        assert all(each.now is HIDDEN and each.percent is None for each in view.sales.ordered.sums)
        assert view.sales.ordered.sums
        assert view.invoices is not None
        assert view.invoices.owed is not HIDDEN

    @pytest.mark.parametrize("rules", [(allow("order", scope=Scope(partners=frozenset({"Acme, Inc"}))),)])
    async def test_only_documents_of_the_asker_count(self, ask: Ask) -> None:
        view = as_(ReportView, await ask("/report", person=SALES))
        assert view.sales is not None
        assert view.sales.late == 1
        assert view.narrowed

    @pytest.mark.parametrize(
        "rules", [(AccessRule(commands=frozenset({"order", "invoice", "po", "mo"}), roles=frozenset({"boss"})),)]
    )
    async def test_who_may_see_nothing_is_told_so(self, ask: Ask) -> None:
        view = as_(ReportView, await ask("/report", person=SALES))
        assert (view.sales, view.as_of, view.missing) == (None, None, ())


@pytest.mark.parametrize(
    ("day", "period", "expected"),
    [
        ("2026-11-24", ReportPeriod.TODAY, "2026-11-24 2026-11-24 2026-11-23 2026-11-23"),
        ("2026-11-24", ReportPeriod.YESTERDAY, "2026-11-23 2026-11-23 2026-11-22 2026-11-22"),
        ("2026-11-24", ReportPeriod.WEEK, "2026-11-23 2026-11-24 2026-11-16 2026-11-17"),
        ("2026-11-24", ReportPeriod.LAST_WEEK, "2026-11-16 2026-11-22 2026-11-09 2026-11-15"),
        ("2026-11-24", ReportPeriod.MONTH, "2026-11-01 2026-11-24 2026-10-01 2026-10-24"),
        ("2026-03-31", ReportPeriod.MONTH, "2026-03-01 2026-03-31 2026-02-01 2026-02-28"),
        ("2026-01-15", ReportPeriod.LAST_MONTH, "2025-12-01 2025-12-31 2025-11-01 2025-11-30"),
    ],
)
async def test_the_days_of_a_period(day: str, period: ReportPeriod, expected: str) -> None:
    span = SPANS[period](date.fromisoformat(day))
    assert " ".join(map(str, (span.first, span.last, span.first_before, span.last_before))) == expected


def test_every_area_has_a_command() -> None:
    assert set(COMMAND_OF) == {Area.SALES, Area.FINANCE, Area.PURCHASING, Area.PRODUCTION}
