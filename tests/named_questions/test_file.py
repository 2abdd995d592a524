"""questions.toml: each mistake is told with its line, and a wrong file changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.erp.named_queries import QueryDatabase
from bot.erp.vendors import open_query_database
from bot.named_questions.file import QuestionReader, follow_questions
from bot.named_questions.question import NamedQuestions
from bot.rulefiles.errors import RulesError
from bot.rulefiles.followed_file import FollowedFile
from bot.rulefiles.names_in_force import NamesInForce
from bot.words.names import NOTHING_KNOWN
from tests.named_questions.company import NOT_INVOICED, SOURCE, STORES, open_company, read_questions
from tests.project.tree import ROOT, code_blocks
from tests.rows import each_row


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[QueryDatabase]:
    database = open_company(tmp_path)
    yield database
    await database.close()


def refusal(database: QueryDatabase, text: str) -> str:
    with pytest.raises(RulesError) as raised:
        read_questions(database, text)
    return str(raised.value)


@each_row(
    "old, new, told",
    [
        ('name = "not_invoiced"\n', "", "name is missing"),
        ('name = "not_invoiced"', 'name = "Not invoiced"', "one word of small letters is expected"),
        ('title_zh = "已发货未开票"', 'title_zh = "库存"', "“库存” asks something else already"),
        ('title = "Shipped, not invoiced"', 'title = "Stock"', "“stock” asks something else already"),
        ('source = "main"', 'source = "mian"', "'mian' is no database; did you mean 'main'?"),
        ('shows = ["order"]\n', "", "shows is missing"),
        ('shows = ["order"]', 'shows = ["orders"]', "one of these is expected: stock, order, invoice, po, mo"),
        ('roles = ["finance", "sales"]\n', "", "roles is missing"),
        ('roles = ["finance", "sales"]', "roles = []", "the list is empty"),
        ('sample = "2026-11"', "rows = 100000", "a number from 1 to 5000 is expected"),
        ('sample = "2026-11"', "seconds = 60", "a number from 1 to 15 is expected"),
        ('sample = "2026-11"', "row = 5", "unknown key 'row'; did you mean 'rows'?"),
        ('of = "order"\nclass = "open"', 'of = "order"', "class is missing"),
        ('class = "partner"', 'class = "public"', "one of these is expected: quantity, amount"),
        ('currency_from = "currency"\n', "", "money needs one of"),
        ('currency_from = "currency"', 'currency = "cny"', "a currency has three letters"),
        ('factor = "0.01"\nclass = "amount"', 'class = "open"', "class: money is amount, cost"),
        ('unit = "个"\nclass = "quantity"', 'class = "open"', "class: a quantity is"),
        ('factor = "0.01"', "factor = 0.01", "a number as a text is expected"),
        ('of = "order"', 'of = "orders"', "one of these is expected"),
        ('column = "cost"', 'column = "margin"', "sql: gives no column 'margin'"),
        ('partner = "customer"', 'partner = "buyer"', "sql: gives no column 'buyer'"),
        ('type = "days"', 'type = "date"', "one of these is expected: text, number, day, days"),
        ('default = "this month"', 'default = "thos month"', "default: are no days"),
        ('default = "0"', 'default = "no"', "default: is no number"),
        ('class = "amount"\ndefault', "default", "class is missing"),
        (":least", "0", "sql: it does not use the argument least: :least"),
        (":least", ":lest", "sql: no argument gives :lest; there are: :customer, :customer_like"),
        ("ORDER BY no\n", "", "sql: has no ORDER BY"),
        ("FROM sale\nWHERE", "FROM sale; DELETE FROM sale\nWHERE", "sql: one query only"),
        ("ORDER BY no", "ORDER BY load_extension('x')", "sql: calls load_extension"),
    ],
)
def test_each_mistake_is_told(database: QueryDatabase, old: str, new: str, told: str) -> None:
    assert old in NOT_INVOICED
    assert told in refusal(database, NOT_INVOICED.replace(old, new, 1))


def test_two_questions_have_no_name_in_common(database: QueryDatabase) -> None:
    both = f"{NOT_INVOICED}\n{STORES.replace('各仓件数', '发货未开票')}"
    assert "“发货未开票” asks something else already" in refusal(database, both)


def test_the_query_gives_what_is_shown_and_whose_it_is(database: QueryDatabase) -> None:
    found = read_questions(database, NOT_INVOICED, STORES)
    question = found.named("发货未开票")
    assert question is not None
    assert question.query.columns.keys() == {
        *("customer", "seller", "store", "currency", "no", "shipped_on", "pieces", "cents", "cost")
    }


@pytest.mark.parametrize("page", ["how-to", "zh-CN/how-to"])
async def test_the_example_of_the_guide_is_right(tmp_path: Path, page: str) -> None:
    file = tmp_path / "shipments.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE shipments (no, customer, seller, shipped_on, amount, invoice_no)")
    database = open_query_database(f"sqlite:///{file}", source=SOURCE, zone=ZoneInfo("Asia/Shanghai"), seconds=10)
    guide = (ROOT / "docs" / page / "ask-your-own-questions.md").read_text(encoding="utf-8")
    (example,) = [code for kind, code in code_blocks(guide) if kind == "toml" and code.startswith("[[questions")]
    (question,) = read_questions(database, example).questions
    assert question.names == ("not_invoiced", "Shipped, not invoiced", "已发货未开票")
    await database.close()


@pytest.fixture
def followed(tmp_path: Path, database: QueryDatabase) -> FollowedFile[NamedQuestions]:
    file = tmp_path / "questions.toml"
    file.write_text(STORES, encoding="utf-8")
    reader = QuestionReader({SOURCE: database}, ())
    return follow_questions([file], reader, NamesInForce(NOTHING_KNOWN, str))


def _written(followed: FollowedFile[NamedQuestions], text: str) -> list[str]:
    followed.path.write_text(text, encoding="utf-8")
    followed.read_again()
    return [each.name for each in followed.current().questions]


def test_a_change_is_taken_over_and_a_wrong_file_leaves_the_old_in_force(
    followed: FollowedFile[NamedQuestions],
) -> None:
    assert _written(followed, STORES + NOT_INVOICED) == ["stores", "not_invoiced"]
    assert _written(followed, STORES + NOT_INVOICED.replace("ORDER BY no", "ORDER BY no FOR UPDATE")) == [
        "stores",
        "not_invoiced",
    ]
    assert "UPDATE writes" in str(followed.defect)
    assert _written(followed, "") == ["stores", "not_invoiced"]
    assert _written(followed, "none = true\n") == []
    assert not followed.defect
