"""What orders and production lack, what can be promised, and why bills are not paid: the same as in SQL."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.notices import BadArgumentNotice, NotFoundNotice
from bot.chat.records.need_views import MissingView
from bot.chat.records.needs import MOST_PRODUCTS, NeedState
from bot.chat.records.unpaid_bills import UnpaidView
from bot.words.disclosure import ALL_FIELDS, HIDDEN, FieldClass
from commands.promise import PromiseAnswer, PromiseView
from tests.commands.company import TODAY
from tests.commands.conftest import Ask, as_, lines
from tests.commands.demo.company import ALL_ROWS, OWN_CHAT, OWNER, DemoCompany, exact

NOTHING = Decimal(0)
OPEN = "('open', 'partly_delivered', 'on_hold')"
SOLD = (
    "SELECT l.sku, sum(l.quantity - l.delivered) FROM demo_order_line l JOIN demo_order d USING (number_key)"
    f" WHERE d.number = '{{}}' AND d.status IN {OPEN} AND l.quantity > l.delivered GROUP BY l.sku"
)
STOCK = "SELECT sum(on_hand), sum(outgoing) FROM demo_stock JOIN demo_product p USING (sku_key) WHERE p.sku = '{}'"
COMING = (
    "SELECT d.due_on, l.quantity - l.received FROM demo_purchase_line l JOIN demo_purchase d USING (number_key)"
    " WHERE l.sku = '{0}' AND d.status = 'approved' AND d.received != 'full' AND l.quantity > l.received"
    " UNION ALL SELECT due_on, planned - produced FROM demo_production"
    " WHERE sku = '{0}' AND status IN ('released', 'running') AND planned > produced"
)
SELLER = Person(user_id="sales02", name="谁都不是", roles=frozenset({"seller"}))
COUNTER = Person(user_id="counter", name="谁都不是", roles=frozenset({"counter"}))
MAKER = Person(user_id="maker", name="谁都不是", roles=frozenset({"maker"}))


def rule(person: Person, commands: str, fields: frozenset[FieldClass] = ALL_FIELDS) -> AccessRule:
    return AccessRule(commands=frozenset(commands.split()), roles=person.roles, fields=fields)


@pytest.fixture
def policy() -> AccessPolicy:
    quantities = frozenset({FieldClass.QUANTITY})
    return AccessPolicy(
        [
            rule(OWNER, "*"),
            rule(SELLER, "order stock why"),
            rule(COUNTER, "order mo po why"),
            rule(MAKER, "mo stock po order bill payment why", quantities),
        ]
    )


class Books:
    """What SQL says of one product."""

    def __init__(self, demo: DemoCompany, sku: str) -> None:
        ((on_hand, promised),) = demo.rows(STOCK.format(sku))
        self.sku, self.on_hand, self.promised = sku, exact(on_hand), exact(promised)
        days = [(date.fromisoformat(day), exact(much)) for day, much in demo.rows(COMING.format(sku)) if day]
        self.coming = sorted((day, much) for day, much in days if day >= TODAY)

    def there_on(self, day: date, own: Decimal = NOTHING) -> Decimal:
        others = max(NOTHING, self.promised - own)
        return self.on_hand - others + sum((much for due, much in self.coming if due <= day), NOTHING)

    def whole_on(self, needed: Decimal, own: Decimal = NOTHING) -> date | None:
        days = [TODAY, *(day for day, _ in self.coming)]
        return next((day for day in days if self.there_on(day, own) >= needed), None)


async def test_what_twenty_orders_lack_is_what_sql_says(ask: Ask, demo: DemoCompany) -> None:
    numbers = [number for (number,) in demo.rows(f"SELECT number FROM demo_order WHERE status IN {OPEN}")]
    lacking = whole = 0
    for number in numbers[:40]:
        view = as_(MissingView, await ask(f"/why {number}", where=OWN_CHAT, person=OWNER, rows=ALL_ROWS))
        sold = {sku: exact(rest) for sku, rest in demo.rows(SOLD.format(number))}
        rows = {row.sku: row for row in view.rows}
        assert len(rows) == min(len(sold), MOST_PRODUCTS)
        for sku in rows:
            needed = sold[sku]
            assert rows[sku].needed == needed
            books, cover = Books(demo, sku), rows[sku].cover
            assert cover is not None
            free = max(NOTHING, min(needed, books.there_on(TODAY, needed)))
            assert (cover.on_hand, cover.missing) == (books.on_hand, needed - free), (number, sku)
            assert cover.whole_on == books.whole_on(needed, needed), (number, sku)
        short = sum(row.state is not NeedState.THERE for row in view.rows)
        assert view.there == len(rows) - short
        lacking, whole = lacking + bool(short), whole + (not short)
    assert min(lacking, whole) >= 2


async def test_what_production_lacks_is_its_bill_of_materials_less_what_is_free(ask: Ask, demo: DemoCompany) -> None:
    query = "number, sku, planned - produced FROM demo_production WHERE status IN ('planned', 'released', 'running')"
    orders = demo.rows(f"SELECT {query}")
    assert len(orders) >= 20
    for number, sku, rest in orders:
        view = as_(MissingView, await ask(f"/why {number}", where=OWN_CHAT, person=OWNER, rows=ALL_ROWS))
        parts = demo.rows(
            "SELECT p.sku, c.quantity FROM demo_component c JOIN demo_product p ON p.sku_key = c.part_key"
            f" JOIN demo_product made ON made.sku_key = c.sku_key WHERE made.sku = '{sku}'"
        )
        needs = {part: exact(each) * exact(rest) for part, each in parts}
        assert {row.sku: row.needed for row in view.rows} == needs, number
        for row in view.rows:
            free = max(NOTHING, min(row.needed, Books(demo, row.sku).there_on(TODAY)))
            assert row.cover is not None
            assert row.cover.missing == row.needed - free


async def test_twenty_promises_are_what_sql_says_two_of_them_of_nothing(ask: Ask, demo: DemoCompany) -> None:
    skus = [
        sku for (sku,) in demo.rows("SELECT DISTINCT sku FROM demo_production WHERE status IN ('released', 'running')")
    ]
    empty = demo.rows(
        "SELECT p.sku FROM demo_stock s JOIN demo_product p USING (sku_key) GROUP BY p.sku"
        " HAVING sum(on_hand) <= sum(outgoing) AND sum(incoming) = 0"
    )
    cases = [*skus[:18], *(sku for (sku,) in empty[:2])]
    assert len(cases) == 20
    answers = set()
    for place, sku in enumerate(cases):
        books, by = Books(demo, sku), TODAY + timedelta(days=place % 9)
        needed = max(Decimal(1), books.on_hand // 2 + place * 40)
        view = as_(PromiseView, await ask(f"/promise {sku} ×{needed} {by}", where=OWN_CHAT, person=OWNER))
        there = max(NOTHING, min(needed, books.there_on(by)))
        assert (view.cover.on_hand, view.cover.promised, view.part) == (books.on_hand, books.promised, there), sku
        assert view.cover.whole_on == books.whole_on(needed), sku
        assert view.most == max(NOTHING, min(needed, books.there_on(date.max))), sku
        assert (view.answer in {PromiseAnswer.NOW, PromiseAnswer.IN_TIME}) is (there == needed), sku
        answers.add(view.answer)
    assert answers >= {PromiseAnswer.NOW, PromiseAnswer.NEVER}
    assert all(Books(demo, sku).there_on(date.max) <= 0 for (sku,) in empty[:2])


@pytest.mark.parametrize(
    ("asked", "needed"),
    [
        ("RM-01 12.5千克", "12.5"),
        ("RM-01 0.000001公斤", "0.000001"),
        ("RM-01 ×99999.75kg", "99999.75"),
        ("SKU123 2千个", "2000"),
        ("0.5千个 SKU123", "500"),
        ("SKU123 x300件", "300"),
    ],
)
async def test_a_quantity_may_be_a_fraction_in_a_unit_that_makes_the_products(
    ask: Ask, demo: DemoCompany, asked: str, needed: str
) -> None:
    view = as_(PromiseView, await ask(f"/promise {asked}", where=OWN_CHAT, person=OWNER))
    there = Books(demo, view.product.sku).there_on(TODAY)
    assert (view.cover.needed, view.part) == (Decimal(needed), max(NOTHING, min(Decimal(needed), there)))


async def test_without_a_day_the_answer_is_about_now_and_from_when(ask: Ask, demo: DemoCompany) -> None:
    books = Books(demo, "SKU123")
    first = books.coming[0][0]
    needed = books.there_on(TODAY) + 1
    view = as_(PromiseView, await ask(f"/promise SKU123 {needed}个", where=OWN_CHAT, person=OWNER))
    assert (view.answer, view.part, view.cover.whole_on) == (PromiseAnswer.LATER, needed - 1, first)
    assert "/mo MO-1" in lines(view)
    in_time = as_(PromiseView, await ask(f"/promise SKU123 ×{needed} {first}", where=OWN_CHAT, person=OWNER))
    assert in_time.answer is PromiseAnswer.IN_TIME


async def test_what_comes_today_is_in_time(ask: Ask, demo: DemoCompany) -> None:
    due = f"SELECT l.sku FROM demo_purchase_line l JOIN demo_purchase d USING (number_key) WHERE d.due_on = '{TODAY}'"
    known = [Books(demo, sku) for (sku,) in demo.rows(due + " AND d.status = 'approved' ORDER BY l.sku")]
    books = next(each for each in known if each.coming and each.coming[0][0] == TODAY and each.there_on(TODAY) > 0)
    for by in ("", f" {TODAY}", f" {TODAY + timedelta(days=3)}"):
        line = f"/promise {books.sku} ×{books.there_on(TODAY)}{by}"
        view = as_(PromiseView, await ask(line, where=OWN_CHAT, person=OWNER))
        assert (view.answer, view.cover.whole_on) == (PromiseAnswer.IN_TIME, TODAY), line


async def test_a_promise_needs_a_quantity_in_the_products_unit_and_a_day_to_come(ask: Ask) -> None:
    wrong = ("/promise SKU123", "/promise SKU123 0", "/promise SKU123 -5", "/promise SKU123 ×0")
    for line in (*wrong, "/promise SKU123 3箱", f"/promise SKU123 5 {TODAY - timedelta(days=1)}"):
        assert isinstance((await ask(line, where=OWN_CHAT, person=OWNER)).view, BadArgumentNotice), line


async def test_why_leads_to_what_an_order_or_production_order_lacks(ask: Ask) -> None:
    for number in ("SO-1001", "MO-1"):
        assert as_(MissingView, await ask(f"/why {number}", where=OWN_CHAT, person=OWNER)).document.number == number
    nothing = await ask("/why SO-99999", where=OWN_CHAT, person=OWNER)
    assert isinstance(nothing.view, NotFoundNotice)


async def test_why_of_twenty_bills_is_what_sql_says(ask: Ask, demo: DemoCompany) -> None:
    bills = demo.rows(
        "SELECT b.number, b.status, b.due_on, p.status, p.received FROM demo_bill b"
        " JOIN demo_purchase p ON p.number = b.order_number ORDER BY b.status DESC"
    )
    assert len(bills) >= 20
    for number, status, due_on, _, received in bills:
        view = as_(UnpaidView, await ask(f"/why {number}", where=OWN_CHAT, person=OWNER))
        said = {reason.msgid for reason in view.reasons}
        assert ("It is paid." in said) is (status == "paid"), number
        later = status != "paid" and date.fromisoformat(due_on) > TODAY
        assert ("It is not due before %(day)s." in said) is later, number
        partly = "Only a part of the goods of %(number)s came." in said
        assert partly is (status != "paid" and received == "partial"), number
        assert len(view.looked_at) == 4


async def test_what_is_closed_to_the_asker_is_said_and_not_left_out(ask: Ask) -> None:
    seller = as_(MissingView, await ask("/why SO-1001", where=OWN_CHAT, person=SELLER))
    assert {part.msgid for part in seller.closed_parts} == {"purchase orders", "production"}
    assert all(not each.arrival.document for row in seller.rows for each in row.coming)
    counter = as_(MissingView, await ask("/why SO-1001", where=OWN_CHAT, person=COUNTER))
    assert [part.msgid for part in counter.closed_parts] == ["stock"]
    assert {row.state for row in counter.rows} == {NeedState.UNKNOWN}
    maker = as_(MissingView, await ask("/why MO-1", where=OWN_CHAT, person=MAKER))
    assert (maker.rows, maker.total) == (HIDDEN, HIDDEN)
    assert "what it is made of" in {part.msgid for part in maker.closed_parts}
    bill = as_(UnpaidView, await ask("/why BILL-1", where=OWN_CHAT, person=MAKER))
    assert "payments to the vendor" in {part.msgid for part in bill.not_told}, "they are found by the vendor's name"
    assert isinstance((await ask("/why MO-1", where=OWN_CHAT, person=SELLER)).view, NotFoundNotice)
    assert isinstance((await ask("/why BILL-1", where=OWN_CHAT, person=SELLER)).view, NotFoundNotice)
