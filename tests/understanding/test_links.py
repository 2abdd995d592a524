"""Sentences after a document: what they ask of it or of its customer is where its card leads."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.chat.questions.dialogues import LastQuestion
from bot.understanding.following.last_question import follow
from bot.understanding.grammar import Grammar
from tests.rows import each_row

CUSTOMER, VENDOR = "杭州宏达机电设备有限公司", "宝钢线材销售（上海）有限公司"
LINKS = {
    "/order SO-1001": (
        "/delivery SO-1001",
        "/invoice SO-1001",
        "/stock SKU123",
        f"/customer {CUSTOMER}",
        "/export order SO-1001",
    ),
    "/invoice INV-7": ("/order SO-1001", f"/invoice {CUSTOMER}", f"/customer {CUSTOMER}", "/payment INV-7"),
    "/po PO-1001": ("/stock RM-22", f"/vendor {VENDOR}", "/bill PO-1001"),
    "/mo MO-1": ("/order SO-1001", "/stock SKU123"),
}


def last(line: str) -> LastQuestion:
    return LastQuestion(line=line, links=LINKS[line], at=datetime(2026, 3, 2, 9, tzinfo=UTC))


@each_row(
    ("before", "sentence", "expected"),
    [
        ("/order SO-1001", "它的发货单", "/delivery SO-1001"),
        ("/order SO-1001", "这个客户还欠多少", f"/invoice open {CUSTOMER}"),
        ("/order SO-1001", "它还欠我们多少", f"/invoice open {CUSTOMER}"),
        ("/order SO-1001", "他的逾期发票", f"/invoice overdue {CUSTOMER}"),
        ("/order SO-1001", "这家还有别的单吗", f"/order {CUSTOMER}"),
        ("/invoice INV-7", "这家还有别的单吗", f"/order {CUSTOMER}"),
        ("/po PO-1001", "这家还有别的单吗", f"/po {VENDOR}"),
        ("/order SO-1001", "how much do they owe us", f"/invoice open {CUSTOMER}"),
        ("/order SO-1001", "这个客户逾期多少", f"/invoice overdue {CUSTOMER}"),
        ("/invoice INV-7", "该客户欠多少钱", f"/invoice open {CUSTOMER}"),
        ("/invoice INV-7", "还欠多少", "/invoice INV-7"),
        ("/order SO-1001", "它的发票", "/invoice SO-1001"),
        ("/order SO-1001", "该客户的信用额度", f"/customer {CUSTOMER}"),
        ("/order SO-1001", "这个客户怎么样", f"/customer {CUSTOMER}"),
        ("/invoice INV-7", "它的收款", "/payment INV-7"),
        ("/invoice INV-7", "它的订单", "/order SO-1001"),
        ("/po PO-1001", "这家供应商怎么样", f"/vendor {VENDOR}"),
        ("/po PO-1001", "我们欠它多少钱", f"/bill open {VENDOR}"),
        ("/po PO-1001", "这家供应商我们还欠多少", f"/bill open {VENDOR}"),
        ("/po PO-1001", "how much do we owe them", f"/bill open {VENDOR}"),
        ("/po PO-1001", "这家逾期了多少", f"/bill overdue {VENDOR}"),
        ("/mo MO-1", "它是给哪个订单做的", "/order SO-1001"),
        ("/po PO-1001", "what about this vendor", f"/vendor {VENDOR}"),
        ("/po PO-1001", "它的供应商", f"/vendor {VENDOR}"),
        ("/mo MO-1", "这个产品库存还有多少", "/stock SKU123"),
        ("/invoice INV-7", "是哪个订单的", "/order SO-1001"),
        ("/invoice INV-7", "原订单打开看下", "/order SO-1001"),
        ("/invoice INV-7", "什么时候到期", "/invoice INV-7"),
        ("/order SO-1001", "has it been invoiced", "/invoice SO-1001"),
        ("/mo MO-1", "做到哪一步了", "/mo MO-1"),
        ("/po PO-1001", "打开看看", "/po PO-1001"),
        ("/invoice INV-7", "its payments", "/payment INV-7"),
    ],
)
def test_what_is_asked_of_it_is_where_its_card_leads(
    before: str, sentence: str, expected: str, grammar: Grammar
) -> None:
    reading = follow(grammar, sentence, last(before))
    assert reading is not None
    assert reading.line == expected


@each_row(
    ("before", "sentence", "expected"),
    [
        *((f"/customer {CUSTOMER}", each, f"/invoice overdue {CUSTOMER}") for each in (
            "逾期", "逾期的", "逾期多少", "有没有逾期", "逾期明细", "哪些逾期了", "overdue", "how much is overdue")),
        *((f"/vendor {VENDOR}", each, f"/bill overdue {VENDOR}") for each in (
            "逾期", "逾期的", "逾期多少钱", "有没有逾期", "what is overdue")),
        (f"/vendor {VENDOR}", "我们还欠多少", f"/bill open {VENDOR}"),
        (f"/customer {CUSTOMER}", "还欠多少", f"/invoice open {CUSTOMER}"),
        (f"/customer {CUSTOMER}", "我们欠他们多少", f"/bill open {CUSTOMER}"),
        (f"/order {CUSTOMER}", "逾期的", f"/order late {CUSTOMER}"),
        (f"/order {CUSTOMER}", "逾期多少钱", f"/invoice overdue {CUSTOMER}"),
        (f"/po {VENDOR}", "逾期多少钱", f"/bill overdue {VENDOR}"),
    ],
)  # fmt: skip
def test_a_debt_is_of_the_whole_partner_and_of_the_side_that_is_said(
    before: str, sentence: str, expected: str, grammar: Grammar
) -> None:
    reading = follow(grammar, sentence, LastQuestion(line=before, at=datetime(2026, 3, 2, 9, tzinfo=UTC)))
    assert reading is not None
    assert reading.line == expected


@each_row(
    ("sentence", "line"),
    [
        *((f"宝钢{each}", "/bill overdue 宝钢") for each in (
            "逾期多少", "逾期多少钱", "逾期了多少", "逾期的有多少", "超期多少钱", "过期多少")),
        ("how much of 宝钢 is overdue", "/bill overdue 宝钢"),
        ("宏达逾期多少", "/invoice overdue 宏达"), ("how much is overdue at 宏达", "/invoice overdue 宏达"),
        ("宝钢逾期多少货", "/po late 宝钢"), ("宝钢逾期的订单", "/po late 宝钢"), ("宝钢逾期了几天", "/po late 宝钢"),
        ("我们欠宝钢多少", "/bill open 宝钢"), ("宝钢欠我们多少", "/invoice open 宝钢"),
        ("宝钢欠多少", "/bill open 宝钢"),
        ("宏达欠我们多少", "/invoice open 宏达"), ("我们欠宏达多少", "/bill open 宏达"),
        ("宏达欠多少", "/invoice open 宏达"),
    ],
)  # fmt: skip
def test_a_first_question_about_a_debt_is_of_the_side_that_is_said(sentence: str, line: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert (reading.line, reading.unsure) == (line, False)


OF_A_CUSTOMER = {
    "/order SO-1001": (f"/customer {CUSTOMER}",),
    "/invoice INV-7": (f"/customer {CUSTOMER}",),
    "/delivery SO-1002": (f"/customer {CUSTOMER}",),
    "/payment PAY-1": (f"/customer {CUSTOMER}",),
    f"/customer {CUSTOMER}": (),
    f"/order {CUSTOMER}": (),
}
OF_A_VENDOR = {
    "/po PO-1001": (f"/vendor {VENDOR}",),
    "/bill BILL-1": (f"/vendor {VENDOR}",),
    "/receipt GR-1": (f"/vendor {VENDOR}",),
    "/payment PAY-2": (f"/vendor {VENDOR}",),
    f"/vendor {VENDOR}": (),
    f"/bill overdue {VENDOR}": (),
}
ASKED_OF_ONE = (
    "这{0}",
    "这家{0}怎么样",
    "那个{0}呢",
    "这家{0}还欠多少",
    "我们欠这个{0}多少",
    "这家{0}逾期多少",
    "该{0}的电话",
    "{0}呢",
)


@each_row(
    ("before", "links", "word", "offered"),
    [
        *((line, links, word, (f"/customer {CUSTOMER}", "/vendor")) for line, links in OF_A_CUSTOMER.items()
          for word in ("供应商", "供货商")),
        *((line, links, "客户", (f"/vendor {VENDOR}", "/customer")) for line, links in OF_A_VENDOR.items()),
    ],
)  # fmt: skip
@each_row("asked", ASKED_OF_ONE)
def test_a_partner_of_the_other_side_is_not_there(
    before: str, links: tuple[str, ...], word: str, offered: tuple[str, ...], asked: str, grammar: Grammar
) -> None:
    """No figure of a customer is told as a vendor's, or the other way round."""
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    reading = follow(grammar, asked.format(word), LastQuestion(line=before, links=links, at=at))
    assert reading is not None
    assert reading.unsure
    assert reading.unsupported
    assert (reading.line, *reading.alternatives) == offered


@each_row(
    ("before", "sentence", "line"),
    [
        *((line, "供应商呢", f"/vendor {VENDOR}") for line in OF_A_VENDOR),
        *((line, "客户呢", f"/customer {CUSTOMER}") for line in OF_A_CUSTOMER),
        *((line, "这家供应商逾期多少", f"/bill overdue {VENDOR}") for line in OF_A_VENDOR),
        *((line, "这个客户还欠多少", f"/invoice open {CUSTOMER}") for line in OF_A_CUSTOMER),
    ],
)
def test_a_partner_of_this_side_is_the_one_that_is_there(
    before: str, sentence: str, line: str, grammar: Grammar
) -> None:
    links = {**OF_A_CUSTOMER, **OF_A_VENDOR}[before]
    reading = follow(grammar, sentence, LastQuestion(line=before, links=links, at=datetime(2026, 3, 2, 9, tzinfo=UTC)))
    assert reading is not None
    assert (reading.line, reading.unsure) == (line, False)


@each_row("before", ["/stock SKU123", "/mo MO-1", "/invoice overdue"])
@each_row("asked", ["这家供应商逾期多少", "这个客户还欠多少", "this vendor"])
def test_nobody_is_chosen_where_nobody_is_shown(before: str, asked: str, grammar: Grammar) -> None:
    reading = follow(grammar, asked, LastQuestion(line=before, at=datetime(2026, 3, 2, 9, tzinfo=UTC)))
    assert reading is not None
    assert reading.unsure
    assert reading.unsupported


@each_row("sentence", ["我们还欠多少", "谁欠得最多", "逾期应付", "延期的订单"])
def test_what_is_no_debt_of_a_customer_is_not_read_as_one(sentence: str, grammar: Grammar) -> None:
    before = LastQuestion(line=f"/customer {CUSTOMER}", at=datetime(2026, 3, 2, 9, tzinfo=UTC))
    reading = follow(grammar, sentence, before)
    assert reading is None or not CUSTOMER not in reading.line or reading.line.startswith("/order")


@each_row(
    ("sentence", "line"),
    [
        ("未付的采购账单", "/bill open"), ("没付的采购发票", "/bill open"), ("未付采购款", "/bill open"),
        ("采购账单", "/bill"), ("采购发票逾期", "/bill overdue"), ("逾期未付的采购账单", "/bill overdue"),
        ("unpaid purchase invoices", "/bill open"), ("销售账单未收", "/invoice open"), ("采购员的订单", "/po"),
    ],
)  # fmt: skip
def test_bills_of_purchases_are_what_we_owe(sentence: str, line: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.line == line


@each_row("sentence", ["它", "这个客户叫什么名字好呢", "它的生产单", "今天天气"])
def test_where_the_card_leads_nowhere_nothing_is_made_up(sentence: str, grammar: Grammar) -> None:
    reading = follow(grammar, sentence, last("/order SO-1001"))
    assert reading is None or reading.line.startswith("/customer")


def test_what_the_asker_may_not_use_is_not_read(grammar: Grammar) -> None:
    usable = frozenset(grammar.sentences.commands - {"payment"})
    reading = follow(grammar, "它的收款", last("/invoice INV-7"), usable)
    assert reading is None or "/payment" not in reading.line


@each_row("sentence", ["上个月的", "上个月", "那上个月的呢"])
def test_days_alone_go_on_with_the_list(sentence: str, grammar: Grammar) -> None:
    before = LastQuestion(line="/po 宝钢", at=datetime(2026, 3, 2, 9, tzinfo=UTC))
    reading = follow(grammar, sentence, before)
    assert reading is not None
    assert reading.line == "/po 宝钢 上个月"
