"""The list of a sheet's owner: what is read of answers, and when there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, cast

import pytest

from bot.access.grants import FULL_GRANT
from bot.access.people import MembershipDoubt, Person
from bot.cards.language import load_languages
from bot.cards.notices import FailedNotice
from bot.cards.tables import Table
from bot.cards.view import ListView, View
from bot.chat.answers.page_answers import CutAnswer, PageAnswers
from bot.chat.question_handler import PreparedAnswer
from bot.chat.questions.failures import QuestionOutcome
from bot.chat.view_parts import Freshness
from bot.erp.model import Money
from bot.sheets.lists import OwnersLists
from bot.sheets.sheet import ListNotRead
from bot.words.disclosure import HIDDEN
from bot.words.phrase import phrase
from tests.rows import each_row
from tests.sheets.conftest import KEY, ORDERS

HEADINGS = (phrase("Number"), phrase("Amount"))
OWNER = Person(user_id=ORDERS.owner, name="Li")
FRESH = Freshness(as_of=datetime(2026, 11, 5, tzinfo=UTC), stale=False, source="erp")
CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOfOrders(ListView):
    """Some rows, each a number and a value."""

    freshness: Freshness = FRESH

    def table(self) -> Table:
        keys = tuple(f"erp\0{number}" for number, _ in self.rows)
        return Table(headings=HEADINGS, rows=self.rows, keys=keys, total=self.total)


def orders(*rows: tuple[Any, ...], total: int = 0, offset: int = 0, **more: Any) -> PageOfOrders:
    return PageOfOrders(rows=rows, total=total or len(rows), offset=offset, line="/po", **more)


@dataclass
class FakeAnswers:
    """Answers each question with the next of its views; an outcome stands for an answer without figures."""

    views: Sequence[View | str]
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def look_up(self, person: Person, line: str, *, offset: int, **_: Any) -> CutAnswer:
        found = self.views[len(self.asked)]
        self.asked.append((line, offset))
        notice = FailedNotice(problem=phrase("no"), reference="")
        if isinstance(found, str):
            return CutAnswer(notice, PreparedAnswer(notice, "po", found), cast(Any, None))
        answer = PreparedAnswer(found, "po", QuestionOutcome.ANSWERED, FULL_GRANT, "rule", read_as="/po open")
        return CutAnswer(found, answer, cast(Any, None))


def lists_of(*views: View | str, owner: Person = OWNER, most: int = 1000) -> tuple[OwnersLists, FakeAnswers]:
    answers = FakeAnswers(views)

    async def identify(user_id: str) -> Person:
        assert user_id == ORDERS.owner
        return owner

    language = load_languages()["en"]
    made = OwnersLists(
        answers=cast(PageAnswers, answers),
        identify=identify,
        language=language,
        zone=CHINA,
        key_heading=KEY,
        most=most,
    )
    return made, answers


@each_row(
    "value, text",
    [
        (HIDDEN, "🔒"),
        (Money(Decimal("1280"), "CNY"), "1280.00"),
        (Money(Decimal("12345678901234567890.125"), "CNY"), "12345678901234567890.125"),
        (Money(Decimal("1280"), "JPY"), "1280"),
        (Decimal("0.10"), "0.10"),
        (12, "12"),
        (None, ""),
        (date(2026, 11, 5), "2026-11-05"),
        (datetime(2026, 11, 5, 1, 30, tzinfo=UTC), "2026-11-05 09:30"),
        (phrase("yes"), "yes"),
        ("  =HYPERLINK(1)\n two ", "=HYPERLINK(1) two"),
    ],
)
async def test_figures_are_exact_text(value: object, text: str) -> None:
    found = await lists_of(orders(("PO-1", value)))[0].read(ORDERS)
    assert found.rows[0].cells["Amount"] == text


async def test_rows_have_keys_numbers_and_a_currency() -> None:
    found = await lists_of(orders(("PO-1", Money(Decimal(5), "USD"))))[0].read(ORDERS)
    assert found.headings == ("Number", "Amount", "Currency")
    [row] = found.rows
    assert (row.key, row.number) == ("erp · PO-1", "PO-1")
    assert row.cells == {KEY: "erp · PO-1", "Number": "PO-1", "Amount": "5.00", "Currency": "USD"}
    assert (found.is_whole, found.closed, found.rule) == (True, False, "rule")


async def test_all_pages_are_read_up_to_the_limit() -> None:
    pages = [
        orders(*((f"PO-{n}", n) for n in range(first, first + 2)), total=9, offset=first) for first in range(0, 8, 2)
    ]
    lists, answers = lists_of(*pages, most=5)
    found = await lists.read(ORDERS)
    assert [row.number for row in found.rows] == ["PO-0", "PO-1", "PO-2", "PO-3", "PO-4"]
    assert answers.asked == [("/po", 0), ("/po open", 2), ("/po open", 4)]
    assert found.is_whole, "a list is cut off on purpose"


async def test_a_row_that_moves_between_pages_makes_the_list_doubtful() -> None:
    pages = orders(("PO-1", 1), ("PO-2", 2), total=3), orders(("PO-2", 2), total=3, offset=2)
    found = await lists_of(*pages)[0].read(ORDERS)
    assert ([row.number for row in found.rows], found.is_whole) == (["PO-1", "PO-2"], False)


async def test_a_silent_source_makes_the_list_doubtful() -> None:
    quiet = replace(FRESH, failures=(phrase("yes"),))
    found = await lists_of(orders(("PO-1", 1), freshness=quiet))[0].read(ORDERS)
    assert (len(found.rows), found.is_whole) == (1, False)


async def test_a_list_without_rows_is_a_list() -> None:
    found = await lists_of(orders())[0].read(ORDERS)
    assert (found.rows, found.is_whole, found.closed) == ((), True, False)


@each_row(
    "views, owner",
    [
        ([QuestionOutcome.DENIED], OWNER),
        ([orders(("PO-1", 1), total=2), QuestionOutcome.DENIED], OWNER),
        ([], replace(OWNER, user_id=None)),
        ([], replace(OWNER, user_id=None, doubt=MembershipDoubt.NEVER_WROTE)),
    ],
)
async def test_who_may_not_see_it_has_no_rows(views: list[View | str], owner: Person) -> None:
    found = await lists_of(*views, owner=owner)[0].read(ORDERS)
    assert (found.rows, found.closed) == ((), True)


@each_row(
    "views, owner, said",
    [
        ([QuestionOutcome.ERP_DOWN], OWNER, "nobody can say"),
        ([QuestionOutcome.NOT_RECORDED], OWNER, "nobody can say"),
        ([orders(("PO-1", 1), total=2), QuestionOutcome.FAILED], OWNER, "nobody can say"),
        ([QuestionOutcome.NOT_FOUND], OWNER, "gives no list now (not_found)"),
        ([], replace(OWNER, user_id=None, doubt=MembershipDoubt.NO_ANSWER), "nobody can say"),
    ],
)
async def test_without_an_answer_there_is_no_list(views: list[View | str], owner: Person, said: str) -> None:
    with pytest.raises(ListNotRead) as missing:
        await lists_of(*views, owner=owner)[0].read(ORDERS)
    assert said in str(missing.value.reason)
