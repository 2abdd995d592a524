"""Questions to the demo company, to Odoo's own database and to T+'s: each reader's rows and columns."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.access.grants import Scope
from bot.access.policy import AccessPolicy
from bot.cards.notices import DeniedNotice
from bot.erp.model import Money
from bot.erp.named_queries import QueryDatabase
from bot.erp.vendors import open_query_database, open_source
from bot.kit.demo import DEMO_QUESTIONS
from bot.named_questions.file import QuestionReader
from bot.named_questions.values import read_words, values_of
from bot.words.disclosure import HIDDEN, FieldClass
from tests.commands.company import NOW
from tests.erp.sql.postgres_server import Postgres, administer
from tests.named_questions.company import SOURCE, Desk, read_questions
from tests.named_questions.schemas import ODOO, ODOO_QUESTIONS, TPLUS, TPLUS_QUESTIONS
from tests.named_questions.test_asking import cells, numbers, rule

SHANGHAI = ZoneInfo("Asia/Shanghai")
TEN = 10


async def test_ten_questions_have_an_answer_in_the_demo_company(tmp_path: Path) -> None:
    await (await open_source("demo", "demo", {"today": NOW.date()}, data_dir=tmp_path, now=lambda: NOW)).close()
    url = f"sqlite:///{tmp_path / 'erp-demo.sqlite3'}"
    database = open_query_database(url, source="demo", zone=SHANGHAI, seconds=10)
    reader = QuestionReader({"demo": database}, ())
    questions = reader.review(DEMO_QUESTIONS.read_bytes()).rules.rules.questions
    assert len(questions) == TEN
    for question in questions:
        values = values_of(question, read_words(question, question.sample, "en"), NOW.date())
        assert (await database.ask(question.query, values, most=3)).rows, question.name
    await database.close()


def _desk(postgres: Postgres, schema: str, questions: str, *rules: object) -> tuple[Desk, QueryDatabase]:
    administer(postgres, schema)
    database = open_query_database(postgres.admin_url, source=SOURCE, zone=SHANGHAI, seconds=10)
    return Desk(read_questions(database, questions), {SOURCE: database}, AccessPolicy(rules)), database  # type: ignore[arg-type]


async def test_odoos_database(postgres: Postgres) -> None:
    desk, database = _desk(postgres, ODOO, ODOO_QUESTIONS, rule("ask stock"), rule("order"))
    assert cells(await desk.ask("已发货未开票 11月")) == [
        ["S00001", "华东机械", Money(Decimal("6.60"), "CNY")],
        ["S00002", "宏达五金", Money(Decimal("0.666"), "CNY")],
    ]
    assert cells(await desk.ask("在库数量")) == [["SKU-1", "螺丝", Decimal("5.5")], ["SKU-2", "Nut", Decimal(0)]]
    assert numbers(await desk.ask("/ask in_stock ' OR '1'='1")) == []
    own = Desk(
        desk.questions,
        {SOURCE: database},
        AccessPolicy([rule("ask"), rule("order", scope=Scope(own=True), fields=frozenset({FieldClass.PARTNER}))]),
    )
    assert cells(await own.ask("/ask not_invoiced 2026-11")) == [["S00001", "华东机械", HIDDEN]]
    await database.close()


async def test_tplus_database(postgres: Postgres) -> None:
    keeper = rule("stock", scope=Scope(warehouses=frozenset({"W2"})), fields=frozenset({FieldClass.QUANTITY}))
    desk, database = _desk(postgres, TPLUS, TPLUS_QUESTIONS, rule("ask"), keeper)
    assert cells(await desk.ask("库存金额")) == [["M4", "W2", Decimal(5), HIDDEN], ["M5", "W2", Decimal(7), HIDDEN]]
    other = rule("stock", scope=Scope(categories=frozenset({"紧固件"})))
    narrower = Desk(desk.questions, {SOURCE: database}, AccessPolicy([rule("ask"), other]))
    assert isinstance((await narrower.ask("库存金额")).view, DeniedNotice)
    await database.close()
