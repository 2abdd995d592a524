"""Lists of what somebody created: /order by:李娜, by:me, by:who, for documents of every kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.notices import BadArgumentNotice, ChoiceNotice, NotFoundNotice
from bot.chat.conditions import ListCondition
from bot.chat.document_views import DocumentListView
from bot.chat.message import Conversation, ConversationKind
from bot.chat.records import created_by
from bot.words.disclosure import ALL_FIELDS, FieldClass
from tests.commands.company import Company, cny, invoice, order, purchase
from tests.commands.conftest import Ask, as_, lines
from tests.commands.export_fakes import MemoryCourier
from tests.rows import each_row
from tests.workbook_cells import read_sheets

OWN_CHAT = Conversation("cidKeeper==", ConversationKind.DIRECT)
LI_NA = Person(user_id="sales01", name="李娜", roles=frozenset({"sales"}))
NA, NAN, YUE = ("李娜", "sales01"), ("李楠",), ("Sun Yue", "yue@example.com")


@pytest.fixture
def company() -> Company:
    company = Company()
    company.sales = (
        replace(order("SO-1", "宏达机电", late=3), created_by=NA, total=cny("100")),
        replace(order("SO-2", "宏达机电"), created_by=NA, total=cny("5000")),
        replace(order("SO-3", "湘江", late=1), created_by=NAN),
        replace(order("SO-4", "湘江"), created_by=YUE),
        order("SO-5", "湘江"),
    )
    company.issued = (replace(invoice("INV-1", "湘江", cny("9")), created_by=YUE),)
    company.owed, company.paid, company.productions = (), (), ()
    company.purchases = (purchase("PO-1", "宝钢", company.purchases[0].status),)
    return company


async def listed(ask: Ask, line: str, person: Person = LI_NA) -> DocumentListView:
    return as_(DocumentListView, await ask(line, person=person, where=OWN_CHAT))


@each_row(
    ("line", "numbers"),
    [
        ("/order by:李娜", ["SO-1", "SO-2"]),
        ("/订单 制单人:李娜", ["SO-1", "SO-2"]),
        ("/order 创建人：李娜", ["SO-1", "SO-2"]),
        ("/order by:sales01", ["SO-1", "SO-2"]),
        ("/order by:me", ["SO-1", "SO-2"]),
        ("/order 制单人:我 late", ["SO-1"]),
        ("/order by:李娜 >1000", ["SO-2"]),
        ("/order 湘江 by:李楠", ["SO-3"]),
        ("/order by:楠", ["SO-3"]),
        ('/order by:"Sun Yue"', ["SO-4"]),
        ("/order by: sun", ["SO-4"]),
        ("/order by:YUE@EXAMPLE.COM", ["SO-4"]),
        ("/order SO-2 by:李娜", ["SO-2"]),
        ("/order SO-2 by:李楠", []),
        ("/invoice by:me", []),
    ],
)
async def test_what_somebody_created(line: str, numbers: list[str], ask: Ask) -> None:
    view = await listed(ask, line)
    assert sorted(row.number for row in view.rows) == numbers
    again = await listed(ask, view.line)
    assert (again.rows, again.line) == (view.rows, view.line)


async def test_the_card_says_it_and_it_can_be_taken_off(ask: Ask) -> None:
    view = await listed(ask, "/order late by:李娜")
    assert [str(each.called) for each in view.bounded] == ["created by 李娜"]
    assert "/order late" in lines(view)
    assert "/export order late by:李娜" in lines(view)
    empty = await listed(ask, "/order SO-2 by:李楠")
    assert {each.by for each in empty.emptied} == {
        frozenset({ListCondition.CREATED_BY}),
        frozenset({ListCondition.TEXT}),
    }
    assert "/order SO-2" in lines(empty)


async def test_what_nobody_is_known_to_have_created_is_said(ask: Ask) -> None:
    told = [str(each) for each in (await listed(ask, "/order by:李娜")).freshness.failures]
    assert told == ["not listed: 1 of which the ERP doesn't say who created them"]


async def test_where_the_erp_tells_no_creator_nothing_is_listed(ask: Ask) -> None:
    for line in ("/po by:李娜", "/po by:me", "/po by:who"):
        notice = as_(BadArgumentNotice, await ask(line, person=LI_NA, where=OWN_CHAT))
        assert str(notice.problem).startswith("The ERP doesn't say who created these documents")


async def test_a_name_that_several_have_is_a_choice_and_an_unknown_one_has_the_nearest(ask: Ask) -> None:
    several = as_(ChoiceNotice, await ask("/order late by:李", person=LI_NA, where=OWN_CHAT))
    assert [each.line for each in several.suggestions] == ["/order late by:sales01", "/order late by:李楠"]
    everybody = as_(ChoiceNotice, await ask("/order by:谁", person=LI_NA, where=OWN_CHAT))
    assert [each.label for each in everybody.suggestions] == ["李娜 (2)", "Sun Yue (1)", "李楠 (1)"]
    unknown = as_(NotFoundNotice, await ask("/order by:李南", person=LI_NA, where=OWN_CHAT))
    assert unknown.closest
    assert all(each.line.startswith("/order by:") for each in unknown.closest)


class TestClosedToAReader:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        seen = ALL_FIELDS - {FieldClass.COST}
        return AccessPolicy([AccessRule(commands=frozenset({"order"}), roles=frozenset({"sales"}), fields=seen)])

    async def test_nothing_is_listed_by_it(self, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
        assert (await listed(ask, "/order by:me")).total == 2
        monkeypatch.setattr(created_by, "_classes", lambda: frozenset({FieldClass.COST}))
        as_(BadArgumentNotice, await ask("/order by:me", person=LI_NA, where=OWN_CHAT))


async def test_a_file_and_a_card_say_who_created_it(ask: Ask, courier: MemoryCourier) -> None:
    await ask("/export order by:李娜", person=LI_NA, where=OWN_CHAT)
    cells = str(read_sheets(courier.files[-1][2]))
    assert "李娜" in cells
