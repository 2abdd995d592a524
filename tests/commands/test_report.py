"""/report: figures of the areas that the asker may see, from the documents kept, without a call to the ERP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, timedelta
from decimal import Decimal

import pytest

from bot.access.grants import Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.language import load_languages
from bot.cards.notices import BadArgumentNotice
from bot.cards.renderer import CardRenderer
from bot.erp.kinds import AREA_KINDS
from bot.erp.model import Area, Feed, Money, OrderStatus, PaymentDirection, PaymentStatus
from bot.read_model.report import ReportSpan
from bot.words.disclosure import ALL_FIELDS, HIDDEN, FieldClass
from commands.report import ReportView
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
    assert view.line == "/report month"
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
        "/bill overdue",
        "/mo late",
        "/export report month",
        "/report month yoy",
        "/report day",
        "/report week",
        "/report last month",
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/report", "2026-11-01 2026-11-05 2026-10-01 2026-10-05"),
        ("/report month", "2026-11-01 2026-11-05 2026-10-01 2026-10-05"),
        ("/月报", "2026-11-01 2026-11-05 2026-10-01 2026-10-05"),
        ("/报表 本月", "2026-11-01 2026-11-05 2026-10-01 2026-10-05"),
        ("/report last month", "2026-10-01 2026-10-31 2026-09-01 2026-09-30"),
        ("/report 2026-10", "2026-10-01 2026-10-31 2026-09-01 2026-09-30"),
        ("/report 上上个月", "2026-09-01 2026-09-30 2026-08-01 2026-08-31"),
        ("/月报 上个月", "2026-10-01 2026-10-31 2026-09-01 2026-09-30"),
        ("/日报", "2026-11-05 2026-11-05 2026-11-04 2026-11-04"),
        ("/report today", "2026-11-05 2026-11-05 2026-11-04 2026-11-04"),
        ("/report day", "2026-11-05 2026-11-05 2026-11-04 2026-11-04"),
        ("/bb yesterday", "2026-11-04 2026-11-04 2026-11-03 2026-11-03"),
        ("周报", "2026-11-02 2026-11-05 2026-10-26 2026-10-29"),
        ("/报表 本周", "2026-11-02 2026-11-05 2026-10-26 2026-10-29"),
        ("/周报 上周", "2026-10-26 2026-11-01 2026-10-19 2026-10-25"),
        ("/report 10月1号到15号", "2026-10-01 2026-10-15 2026-09-16 2026-09-30"),
        ("/report 本季度", "2026-10-01 2026-11-05 2026-07-01 2026-08-05"),
        ("/report 今年", "2026-01-01 2026-11-05 2025-01-01 2025-11-05"),
        ("/月报 同比", "2026-11-01 2026-11-05 2025-11-01 2025-11-05"),
        ("/report 上个月 同比", "2026-10-01 2026-10-31 2025-10-01 2025-10-31"),
        ("/report week yoy", "2026-11-02 2026-11-05 2025-11-02 2025-11-05"),
        ("/报表 本月 环比", "2026-11-01 2026-11-05 2026-10-01 2026-10-05"),
        ("/report 去年同期", "2025-11-01 2025-11-05 2025-10-27 2025-10-31"),
        ("/日报 同比", "2026-11-05 2026-11-05 2025-11-05 2025-11-05"),
        ("/周报 去年同期", "2025-11-02 2025-11-05 2025-10-29 2025-11-01"),
        ("/report same period last month", "2026-10-01 2026-10-05 2026-09-26 2026-09-30"),
    ],
)
async def test_days_are_said_in_many_ways(ask: Ask, line: str, expected: str) -> None:
    span = as_(ReportView, await ask(line)).span
    assert " ".join(map(str, (span.first, span.last, span.first_before, span.last_before))) == expected


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

    @pytest.mark.parametrize("rules", [(allow("order", frozenset({FieldClass.QUANTITY, FieldClass.PARTNER})),)])
    async def test_a_lock_stands_for_all_currencies_and_the_tips_say_why(
        self, ask: Ask, company: Company, kept: MemoryDocuments
    ) -> None:
        order = replace(company.sales[0], status=OrderStatus.OPEN, ordered_on=TODAY)
        kept.documents_kept = (
            replace(order, number="A", total=cny("1")),
            replace(order, number="B", total=Money(Decimal(2), "EUR")),
        )
        view = as_(ReportView, await ask("/report", person=SALES))
        card = CardRenderer(languages=load_languages()).render(view, "zh_CN", zone=UTC)
        assert card.body.count("🔒") == 1
        assert card.tips.startswith("🔒 您无权查看：金额")
        assert [row[0] for row in view.table().rows if row[2] is HIDDEN] == [Area.SALES]

    @pytest.mark.parametrize("rules", [(allow("po", ALL_FIELDS - {FieldClass.COST}),)])
    async def test_what_vendors_get_is_hidden_with_purchase_prices(self, ask: Ask) -> None:
        view = as_(ReportView, await ask("/report last month", person=SALES))
        assert view.payables is not None
        assert view.payables.owed is HIDDEN
        assert [each.sums for each in view.payables.ageing if each.count] == [HIDDEN]
        assert view.payments is not None
        assert [each.now for each in view.payments.sums] == [HIDDEN]
        assert view.receipts is not None
        assert [each.now for each in view.receipts.sums] == [cny("50")]

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


def test_a_long_month_is_compared_with_a_short_one() -> None:
    span = ReportSpan.of(date(2026, 3, 1), date(2026, 3, 31), date(2026, 3, 30))
    assert (span.last, span.first_before, span.last_before) == (date(2026, 3, 30), date(2026, 2, 1), date(2026, 2, 28))


async def test_what_the_company_owes_and_what_was_paid(ask: Ask, company: Company, kept: MemoryDocuments) -> None:
    receipt, spent = company.paid
    kept.documents_kept = (
        *company.owed,
        replace(receipt, number="A", paid_on=TODAY, amount=cny("300")),
        replace(receipt, number="B", paid_on=TODAY, amount=cny("20"), direction=PaymentDirection.SPENT),
        replace(receipt, number="C", paid_on=TODAY, amount=cny("7"), status=PaymentStatus.DRAFT),
        replace(spent, number="D", paid_on=TODAY, amount=cny("90")),
        replace(spent, number="E", paid_on=TODAY, amount=None),
    )
    view = as_(ReportView, await ask("/report today"))
    assert company.calls == []
    assert view.receipts is not None
    assert (view.receipts.count, view.receipts.sums[0].now) == (2, cny("280")), "refunds count less"
    assert view.payments is not None
    assert (view.payments.count, view.payments.without_amount, view.payments.sums[0].now) == (2, 1, cny("90"))
    assert view.payables is not None
    assert (view.payables.owed, view.payables.overdue) == ((cny("100"),), 1)
    assert [(each.count, each.sums) for each in view.payables.ageing if each.count] == [(1, (cny("70"),))]
    assert "/bill overdue" in lines(view)


async def test_what_the_erp_does_not_tell_of_is_said(ask: Ask, kept: MemoryDocuments) -> None:
    kept.followed = (*(kind.area for kind in AREA_KINDS), Feed.PAYMENTS)
    view = as_(ReportView, await ask("/report"))
    assert (view.payables, view.unknown, view.missing) == (None, (Feed.BILLS,), ())
    assert view.receipts is not None


@pytest.mark.parametrize(("language", "said"), [("zh_CN", "客户回款：无"), ("en", "Received from customers: nothing")])
async def test_days_without_a_receipt_say_so(ask: Ask, language: str, said: str) -> None:
    view = as_(ReportView, await ask("/report today"))
    assert view.receipts is not None
    assert view.receipts.sums == ()
    assert said in CardRenderer(languages=load_languages()).render(view, language, zone=UTC).body


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_figures_in_several_currencies_fill_two_cards_and_none_is_cut(
    ask: Ask, company: Company, kept: MemoryDocuments, language: str
) -> None:
    sold = [
        replace(
            company.sales[0], number=f"X{currency}", ordered_on=TODAY, total=Money(Decimal("98765432.10"), currency)
        )
        for currency in ("CNY", "EUR", "USD")
    ]
    billed = [replace(company.issued[0], number=f"Y{each.number}", issued_on=TODAY, total=each.total) for each in sold]
    kept.documents_kept = (*kept.documents_kept, *sold, *billed)
    first, second = as_(ReportView, await ask("/report")), as_(ReportView, await ask("/report", offset=1))
    assert (first.is_split, lines(first)[0], lines(second)[0]) == (True, "/report month +1", "/report month")
    renderer = CardRenderer(languages=load_languages())
    cards = [renderer.render(view, language, zone=UTC) for view in (first, second)]
    bodies = [card.body for card in cards]
    assert not any(("其余未显示" in body) or ("does not fit" in body) for body in bodies)
    words = ("采购", "应完工生产订单") if language == "zh_CN" else ("Purchases", "Production due")
    assert all(word in bodies[1] and word not in bodies[0] for word in words)
    assert first.table().rows == second.table().rows, "a file has all"


async def test_one_currency_is_one_card(ask: Ask) -> None:
    view = as_(ReportView, await ask("/report"))
    assert (view.is_split, view.shows_sales, view.shows_purchases) == (False, True, True)


@pytest.mark.parametrize("line", ["/report yesterday", "/chart sales", "/product best", "/customer best"])
async def test_figures_say_what_they_leave_out_and_lists_show(ask: Ask, line: str) -> None:
    view = (await ask(line)).view
    assert view is not None
    said = {
        code: CardRenderer(languages=load_languages()).render(view, code, zone=UTC).tips for code in ("zh_CN", "en")
    }
    assert "不含草稿、未审批和已取消的单据" in said["zh_CN"]
    assert "without drafts, unapproved and cancelled documents" in said["en"]
