"""/ask: what each reader sees of a question's answer, by its name and in a sentence, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from bot.access.grants import EVERYTHING, Scope
from bot.access.people import KeyScope
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.language import load_languages
from bot.cards.notices import BadArgumentNotice, DeniedNotice, NotFoundNotice
from bot.cards.renderer import CardRenderer
from bot.chat.question_handler import PreparedAnswer
from bot.erp.errors import Unavailable
from bot.erp.model import Money
from bot.erp.named_queries import FoundRows, NamedQuery, QueryDatabase
from bot.named_questions.views import NamedAnswer, QuestionList
from bot.words.disclosure import HIDDEN, FieldClass, cut
from tests.commands.company import NOW
from tests.named_questions.company import (
    LI,
    NOT_INVOICED,
    SOURCE,
    STORES,
    Desk,
    open_company,
    read_questions,
)
from tests.rows import each_row

ALL = frozenset(FieldClass)


def rule(
    commands: str, role: str = "finance", scope: Scope = EVERYTHING, fields: frozenset[FieldClass] = ALL
) -> AccessRule:
    allowed = frozenset(commands.split())
    return AccessRule(commands=allowed, roles=frozenset({role}), scope=scope, fields=fields)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[QueryDatabase]:
    database = open_company(tmp_path)
    yield database
    await database.close()


def desk(database: QueryDatabase, *rules: AccessRule, texts: Sequence[str] = (NOT_INVOICED, STORES)) -> Desk:
    return Desk(read_questions(database, *texts), {SOURCE: database}, AccessPolicy(rules))


OPEN = (rule("ask order"),)


def answer(found: PreparedAnswer) -> NamedAnswer:
    shown = cut(found.view, found.grant.fields)
    assert isinstance(shown, NamedAnswer), found.view
    return shown


def cells(found: PreparedAnswer) -> list[list[object]]:
    return [[cell.value for cell in row.cells] for row in answer(found).rows]


def numbers(found: PreparedAnswer) -> list[object]:
    return [row[0] for row in cells(found)]


async def test_rows_are_exact_and_in_the_readers_language(database: QueryDatabase) -> None:
    found = await desk(database, *OPEN).ask("/ask not_invoiced 2026-11")
    assert cells(found) == [
        ["SO-1", "华东机械", date(2026, 11, 2), Decimal(3), Money(Decimal("1200.50"), "CNY"), Decimal("0.1")],
        ["SO-2", "宏达五金", date(2026, 11, 3), Decimal("0.5"), Money(Decimal("99.00"), "USD"), Decimal("0.2")],
        ["SO-4", '=HYPERLINK("http://x")', None, None, None, Decimal("0.1")],
    ]
    view = answer(found)
    assert (view.title, view.headings[0], view.headings[3]) == ("Shipped, not invoiced", "Order", "Pieces (个)")
    assert view.row_lines() == ["/order SO-1", "/order SO-2", "/order SO-4"]
    chinese = answer(await desk(database, *OPEN).ask("/ask not_invoiced 2026-11", replace(LI, language="zh_CN")))
    assert (chinese.title, chinese.headings[0]) == ("已发货未开票", "订单号")


async def test_sums_of_binary_floats_show_no_digits_of_their_own(database: QueryDatabase) -> None:
    found = await desk(database, *OPEN).ask("/ask stores")
    assert cells(found) == [
        ["W1", Decimal(15), Money(Decimal("0.1"), "CNY")],
        ["W2", Decimal("0.5"), Money(Decimal("0.3"), "CNY")],
    ]


@each_row(
    "line, expected",
    [
        ("/ask not_invoiced", ["SO-1", "SO-2", "SO-4"]),
        ("/ask not_invoiced last month", ["SO-3", "SO-4"]),
        ("/ask 已发货未开票 10月", ["SO-3", "SO-4"]),
        ("/查询 发货未开票 2026-11-02", ["SO-1", "SO-4"]),
        ("/ask not_invoiced 2026-11-02..2026-11-03", ["SO-1", "SO-2", "SO-4"]),
        ("/ask not_invoiced 2026-11 100", ["SO-1"]),
        ("/ask not_invoiced 2026-11 0 宏达", ["SO-2"]),
        ("/ask not_invoiced 2026-11 0 %", []),
        ("/ask not_invoiced 2026-11 0 ' OR 1=1 --", []),
        ("/ask not_invoiced 2026-11 0 '; DELETE FROM sale; --", []),
        ("/ask Shipped, not invoiced", ["SO-1", "SO-2", "SO-4"]),
        # The name alone is the line, with and without a slash, and in a sentence.
        ("/已发货未开票 10月", ["SO-3", "SO-4"]),
        ("已发货未开票", ["SO-1", "SO-2", "SO-4"]),
        ("已发货未开票 10月", ["SO-3", "SO-4"]),
        ("10月已发货未开票", ["SO-3", "SO-4"]),
        ("上个月 发货未开票", ["SO-3", "SO-4"]),
        ("not_invoiced last month", ["SO-3", "SO-4"]),
    ],
)
async def test_arguments_choose_rows_and_are_never_part_of_the_query(
    database: QueryDatabase, line: str, expected: list[str]
) -> None:
    assert numbers(await desk(database, *OPEN).ask(line)) == expected


@each_row(
    "line",
    [
        "/ask not_invoiced 2026-11 many",
        "/ask not_invoiced 2026-11 1x",
        "/ask not_invoiced 2026-02-30",
        "/ask stores W1",
    ],
)
async def test_what_is_no_value_of_an_argument_is_not_taken(database: QueryDatabase, line: str) -> None:
    assert isinstance((await desk(database, *OPEN).ask(line)).view, BadArgumentNotice)


@each_row("line", ["把已发货未开票的料号发我", "各仓件数 W9 太多", "/nothing", "库存"])
async def test_other_sentences_are_left_to_those_who_read_them(database: QueryDatabase, line: str) -> None:
    assert not isinstance((await desk(database, *OPEN).ask(line)).view, NamedAnswer)


async def test_nobody_asks_who_was_not_named_for_it(database: QueryDatabase) -> None:
    everything = [rule("*"), rule("order", "sales")]
    for rules in ([], everything, [rule("order")]):
        found = await desk(database, *rules).ask("/ask stores")
        assert isinstance(found.view, DeniedNotice), "closed by default, and not opened by a rule on all commands"
    guest = replace(LI, user_id="gu01", roles=frozenset({"hr"}))
    shared = desk(database, *OPEN, rule("ask order", "hr"))
    assert isinstance((await shared.ask("/ask not_invoiced", guest)).view, NotFoundNotice), "as if it were not there"
    assert not isinstance((await shared.ask("已发货未开票", guest)).view, NamedAnswer)
    listed = (await shared.ask("/ask", guest)).view
    assert isinstance(listed, QuestionList)
    assert [each.name for each in listed.rows] == ["stores"]
    assert isinstance((await shared.ask("/ask stores", guest)).view, NamedAnswer)


async def test_the_rules_on_what_it_tells_of_hold_for_it_too(database: QueryDatabase) -> None:
    closed = desk(database, rule("ask"), rule("order", "sales"))
    assert isinstance((await closed.ask("/ask stores")).view, DeniedNotice)
    few = desk(database, rule("ask"), rule("order", fields=frozenset({FieldClass.QUANTITY})))
    assert cells(await few.ask("/ask not_invoiced 2026-11-02"))[0] == [
        "SO-1",
        HIDDEN,
        date(2026, 11, 2),
        Decimal(3),
        HIDDEN,
        HIDDEN,
    ]
    assert answer(await few.ask("/ask not_invoiced")).withheld == {
        FieldClass.PARTNER,
        FieldClass.AMOUNT,
        FieldClass.COST,
    }
    assert cells(await few.ask("/ask stores"))[0] == ["W1", Decimal(15), HIDDEN]
    less = desk(database, rule("ask", fields=frozenset()), rule("order"))
    assert cells(await less.ask("/ask not_invoiced"))[0] == ["SO-1", HIDDEN, date(2026, 11, 2), HIDDEN, HIDDEN, HIDDEN]


async def test_what_is_hidden_cannot_be_found_by_choosing_rows(database: QueryDatabase) -> None:
    few = desk(database, rule("ask"), rule("order", fields=frozenset({FieldClass.QUANTITY})))
    for line in ("/ask not_invoiced 2026-11 100", "/ask not_invoiced 2026-11 0 华东", "/ask not_invoiced 华东"):
        assert isinstance((await few.ask(line)).view, DeniedNotice | BadArgumentNotice), line


@each_row(
    "scope, expected",
    [
        (Scope(partners=frozenset({"华东机械"})), ["SO-1", "SO-3"]),
        (Scope(warehouses=frozenset({"w2"})), ["SO-2", "SO-4"]),
        (Scope(own=True), ["SO-1", "SO-4"]),
        (Scope(own=True, warehouses=frozenset({"W1"})), ["SO-1"]),
        (Scope(sources=frozenset({"other"})), []),
        (Scope(sources=frozenset({SOURCE})), ["SO-1", "SO-2", "SO-3", "SO-4"]),
        (Scope(categories=frozenset({"螺丝"})), None),
        (Scope(companies=frozenset({"A"}), own=True), None),
    ],
)
async def test_rows_are_narrowed_to_what_is_for_the_reader(
    database: QueryDatabase, scope: Scope, expected: list[str] | None
) -> None:
    for rules in ([rule("ask"), rule("order", scope=scope)], [rule("ask", scope=scope), rule("order")]):
        found = await desk(database, *rules).ask("/ask not_invoiced 2026-10-01..2026-11-30")
        if expected is None:
            assert isinstance(found.view, DeniedNotice), "its rows do not say whose they are"
            continue
        assert numbers(found) == expected
        assert answer(found).total == len(expected), "nor does the number of rows tell of others"
    if scope.sources is None:
        narrowed = desk(database, rule("ask"), rule("order", scope=scope))
        assert isinstance((await narrowed.ask("/ask stores")).view, DeniedNotice), "sums are of everybody's rows"


async def test_a_persons_account_is_theirs_and_both_rules_narrow(database: QueryDatabase) -> None:
    both = desk(database, rule("ask", scope=Scope(own=True)), rule("order", scope=Scope(warehouses=frozenset({"W1"}))))
    assert numbers(await both.ask("/ask not_invoiced 2026-10-01..2026-11-30")) == ["SO-1"]
    wang = replace(LI, user_id="wang02", name="li01")
    assert numbers(await both.ask("/ask not_invoiced 2026-10-01..2026-11-30", wang)) == ["SO-3"], "not by their name"


async def test_narrowing_comes_before_the_most_rows(database: QueryDatabase) -> None:
    two = NOT_INVOICED.replace('sample = "2026-11"', "rows = 2")
    whole = answer(await desk(database, *OPEN, texts=[two]).ask("/ask not_invoiced"))
    assert (whole.total, whole.more, whole.narrowed) == (2, True, False)
    own = desk(database, rule("ask"), rule("order", scope=Scope(warehouses=frozenset({"W2"}))), texts=[two])
    found = await own.ask("/ask not_invoiced 2026-10-01..2026-11-30")
    assert (numbers(found), answer(found).more) == (["SO-2", "SO-4"], False)


async def test_a_key_opens_no_more_than_its_scopes(database: QueryDatabase) -> None:
    open_to_all = desk(database, *OPEN)
    program = LI.with_key(KeyScope("k1", commands=frozenset({"ask"}), documents=frozenset()))
    assert isinstance((await open_to_all.ask("/ask stores", program)).view, DeniedNotice)
    whole = LI.with_key(KeyScope("k1", commands=frozenset({"ask"}), documents=frozenset({"order"})))
    assert isinstance((await open_to_all.ask("/ask stores", whole)).view, NamedAnswer)


async def test_the_card_says_what_it_leaves_out(database: QueryDatabase) -> None:
    two = NOT_INVOICED.replace('sample = "2026-11"', "rows = 2")
    renderer = CardRenderer(languages=load_languages(), now=lambda: NOW)
    found = await desk(database, *OPEN, texts=[two]).ask("/ask not_invoiced")
    card = renderer.render(found.view, "en", zone=NOW.tzinfo)
    assert card.title == "Shipped, not invoiced (2+)"
    assert "There are more rows than the question shows." in card.tips


class DownDatabase:
    def check(self, query: NamedQuery, functions: frozenset[str]) -> frozenset[str]:
        raise NotImplementedError

    async def ask(self, query: NamedQuery, values: object, *, most: int) -> FoundRows:
        raise Unavailable("no answer in time", source=SOURCE)

    async def close(self) -> None:
        return


async def test_a_database_that_is_down_is_told_and_counted(database: QueryDatabase) -> None:
    down = Desk(read_questions(database, STORES), {SOURCE: DownDatabase()}, AccessPolicy(OPEN))
    assert (await down.ask("/ask stores")).outcome == "erp_down"
    value = down.metrics.erp_calls.labels(SOURCE, "named_question", "Unavailable")._value.get()
    assert value == 1
