"""Two of a kind side by side: the same as in SQL."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.notices import BadArgumentNotice, ChoiceNotice, NotFoundNotice
from bot.chat.parsing import quote
from bot.erp.model import Money
from bot.words.disclosure import ALL_FIELDS, HIDDEN, FieldClass
from commands.compare import CompareView
from tests.commands.conftest import Ask, as_, lines
from tests.commands.demo.company import OWN_CHAT, OWNER, DemoCompany, exact

COUNTED = "('draft', 'cancelled')"
DAYS = "2026-10-01..2026-10-31"
IN_DAYS = "BETWEEN '2026-10-01' AND '2026-10-31'"
LEFT = "CASE WHEN is_credit_note THEN -abs(open_amount) ELSE open_amount END"
SELLER = Person(user_id="sales02", name="谁都不是", roles=frozenset({"seller"}))


@pytest.fixture
def policy() -> AccessPolicy:
    few = frozenset({FieldClass.QUANTITY, FieldClass.PARTNER})
    return AccessPolicy(
        [
            AccessRule(commands=frozenset({"*"}), roles=OWNER.roles, fields=ALL_FIELDS),
            AccessRule(commands=frozenset({"order", "compare"}), roles=SELLER.roles, fields=few),
        ]
    )


def figure(view: CompareView, label: str, currency: str = "") -> tuple[Any, Any]:
    """Return both values of the figure with this label, of amounts in a currency."""
    found = [
        (each.one, each.other)
        for each in view.figures
        if str(each.label) == label and (not currency or each.one.currency == currency)
    ]
    assert len(found) <= 1
    return found[0] if found else (None, None)


def amounts(view: CompareView, label: str) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Return the amounts of both sides by currency, without those that are nothing."""
    pairs = [(each.one, each.other) for each in view.figures if str(each.label) == label]
    one, other = (
        ({money.currency: money.amount for money in side if money.amount} for side in zip(*pairs, strict=True))
        if pairs
        else ({}, {})
    )
    return one, other


async def compare(ask: Ask, rest: str) -> CompareView:
    return as_(CompareView, await ask(f"/compare {rest}", where=OWN_CHAT, person=OWNER))


async def test_customers(ask: Ask, demo: DemoCompany) -> None:
    names = [name for (name,) in demo.rows("SELECT DISTINCT customer FROM demo_order ORDER BY customer LIMIT 8")]
    for pair in pairwise(names):
        view = await compare(ask, f"{quote(pair[0])} vs {quote(pair[1])} {DAYS}")
        for place, name in enumerate(pair):
            quoted = name.replace("'", "''")
            orders = f"demo_order WHERE customer = '{quoted}' AND ordered_on {IN_DAYS} AND status NOT IN {COUNTED}"
            assert figure(view, "Orders")[place] == len(demo.numbers(orders)), name
            assert amounts(view, "Orders, amount")[place] == demo.sums("total", orders), name
            owed = f"demo_invoice WHERE customer = '{quoted}' AND status IN ('unpaid', 'part_paid')"
            assert amounts(view, "Open invoices")[place] == demo.sums(LEFT, owed), name


async def test_vendors(ask: Ask, demo: DemoCompany) -> None:
    names = [name for (name,) in demo.rows("SELECT DISTINCT vendor FROM demo_purchase ORDER BY vendor LIMIT 5")]
    for pair in pairwise(names):
        view = await compare(ask, f"{quote(pair[0])} vs {quote(pair[1])} {DAYS}")
        for place, name in enumerate(pair):
            quoted = name.replace("'", "''")
            orders = (
                f"demo_purchase WHERE vendor = '{quoted}' AND ordered_on {IN_DAYS} AND status IN ('approved', 'done')"
            )
            assert amounts(view, "Purchase orders, amount")[place] == demo.sums("total", orders), name


async def test_products(ask: Ask, demo: DemoCompany) -> None:
    for pair in pairwise(("SKU123", "HT-116", "HT-130", "FAN-10")):
        view = await compare(ask, f"{pair[0]} vs {pair[1]} {DAYS}")
        for place, sku in enumerate(pair):
            sold = (
                "demo_order_line l JOIN demo_order d USING (number_key)"
                f" WHERE l.sku = '{sku}' AND d.ordered_on {IN_DAYS} AND d.status NOT IN {COUNTED}"
            )
            assert amounts(view, "Orders, amount")[place] == demo.sums("l.amount", sold), sku
            ((on_hand,),) = demo.rows(
                f"SELECT sum(on_hand) FROM demo_stock JOIN demo_product p USING (sku_key) WHERE p.sku = '{sku}'"
            )
            assert figure(view, "On hand")[place] in (None, exact(on_hand)), sku


async def test_people_by_what_is_theirs(ask: Ask, demo: DemoCompany) -> None:
    names = [name for (name,) in demo.rows("SELECT DISTINCT salesperson FROM demo_order ORDER BY 1 LIMIT 3")]
    for pair in pairwise(names):
        view = await compare(ask, f"{pair[0]} vs {pair[1]} {DAYS}")
        for place, name in enumerate(pair):
            orders = f"demo_order WHERE salesperson = '{name}' AND ordered_on {IN_DAYS} AND status NOT IN {COUNTED}"
            assert figure(view, "Orders")[place] == len(demo.numbers(orders)), name


async def test_warehouses(ask: Ask, demo: DemoCompany) -> None:
    names = [name for (name,) in demo.rows("SELECT name FROM demo_warehouse ORDER BY position")]
    for pair in pairwise(names):
        view = await compare(ask, f"@{pair[0]} @{pair[1]} {DAYS}")
        for place, name in enumerate(pair):
            there = demo.rows(
                "SELECT s.sku_key FROM demo_stock s JOIN demo_warehouse w ON w.code = s.warehouse"
                f" WHERE w.name = '{name}' AND (s.on_hand OR s.reserved)"
            )
            assert figure(view, "Products in stock")[place] == len(there), name


async def test_periods(ask: Ask, demo: DemoCompany) -> None:
    view = await compare(ask, "2026-09 2026-10")
    by_first = {side.days.first: place for place, side in enumerate(view.sides)}
    for month in (9, 10):
        orders = f"demo_order WHERE ordered_on LIKE '2026-{month:02}-%' AND status NOT IN {COUNTED}"
        place = by_first[date(2026, month, 1)]
        assert figure(view, "Orders")[place] == len(demo.numbers(orders))
        assert amounts(view, "Orders, amount")[place] == demo.sums("total", orders)
    assert lines(view) == ["/report 2026-09-01..2026-09-30", "/report 2026-10-01..2026-10-31"]


async def test_one_name_in_two_periods_and_the_difference(ask: Ask) -> None:
    view = await compare(ask, "宏达 2026-09 2026-10")
    assert len({side.name for side in view.sides}) == len(lines(view)) == 1
    money = next(each for each in view.figures if isinstance(each.one, Money))
    assert isinstance(money.other, Money)
    assert money.difference.amount == money.one.amount - money.other.amount


async def test_of_days_before_the_kept_documents_nothing_is_told(ask: Ask) -> None:
    view = await compare(ask, "2024-01 2026-10")
    orders = next(each for each in view.figures if str(each.label) == "Orders")
    assert (orders.one, orders.difference) == (None, None)
    assert orders.other
    assert view.is_partial
    assert all(each.one is None for each in view.figures)


async def test_quantities_in_different_units_have_no_difference(ask: Ask) -> None:
    view = await compare(ask, "SKU123 vs RM-01")
    on_hand = next(each for each in view.figures if str(each.label) == "On hand")
    assert (on_hand.units, on_hand.difference) == (("个", "千克"), None)
    assert on_hand.one
    assert on_hand.other


async def test_two_sides_must_be_known_different_and_of_one_kind(ask: Ask) -> None:
    expected = {
        "宏达 vs SKU123": BadArgumentNotice,
        "SKU123 vs sku123": BadArgumentNotice,
        "": BadArgumentNotice,
        "宏达 vs 没有这家": NotFoundNotice,
        "机械 vs 宏达": ChoiceNotice,
    }
    for rest, notice in expected.items():
        assert isinstance((await ask(f"/compare {rest}", where=OWN_CHAT, person=OWNER)).view, notice), rest


async def test_closed_parts_are_said_and_amounts_are_hidden(ask: Ask) -> None:
    answer = await ask("/compare 宏达 vs 金陵", where=OWN_CHAT, person=SELLER)
    view = as_(CompareView, answer)
    assert [part.msgid for part in view.closed_parts] == ["Invoices"]
    money = [each for each in view.figures if each.value_class is FieldClass.AMOUNT]
    assert len(money) == 1, "how many currencies there are is not told"
    assert all((each.one, each.difference) == (HIDDEN, HIDDEN) for each in money)
