"""/order 我的 and /order 李娜 on the demo company: the documents of a person."""

from __future__ import annotations

from typing import Any

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.presets import PRESET_RULES
from bot.chat.document_views import DocumentListView, view_of_list
from bot.erp.kinds import SALES_ORDERS
from bot.erp.model import SalesOrder
from bot.kit.testing.commands import Chat, open_chat
from tests.rows import each_row

OrderListView = view_of_list(SALES_ORDERS)

pytest_plugins = "bot.kit.testing.commands"

OWNERS = ("sales01", "salesmanager01", "sales_en")
SALES = Person(user_id="sales01", name="李娜", roles=frozenset({"sales"}))
NOBODY = Person(user_id="temp01", name="王五")


async def orders(chat: Chat, line: str, person: Person = SALES) -> DocumentListView:
    view = (await chat.says(line, person=person, private=True)).view
    assert isinstance(view, OrderListView)
    return view


@pytest.mark.parametrize("word", ["我的", "mine", "My"])
async def test_ones_own_orders_are_those_that_name_one(chat: Chat, word: str) -> None:
    everything, own = await orders(chat, "/order"), await orders(chat, f"/order {word}")
    assert 0 < own.total < everything.total
    found: tuple[SalesOrder, ...] = own.rows
    assert {order.salesperson for order in found} == {"李娜"}


async def test_they_are_narrowed_further(chat: Chat) -> None:
    late = await orders(chat, "/order 我的 延期")
    assert 0 < late.total < (await orders(chat, "/order 我的")).total
    assert all(order.days_late(late.today) for order in late.rows)
    page = await orders(chat, late.line)
    assert (page.rows, page.total) == (late.rows, late.total)


async def test_who_has_none_is_told_so(chat: Chat) -> None:
    assert (await orders(chat, "/order 我的", NOBODY)).total == 0


async def test_a_colleague_is_meant_where_no_customer_is(chat: Chat) -> None:
    view = await orders(chat, "/order 李娜", NOBODY)
    assert (view.total, view.rows) == ((own := await orders(chat, "/order 我的")).total, own.rows)
    assert (await chat.says("/order 无此人", private=True)).outcome == "not_found"


LISTS = [(line, user_id) for line in ("/order", "/invoice", "/customer", "/payment") for user_id in OWNERS]


@each_row(("line", "user_id"), LISTS)
async def test_a_rule_on_ones_own_documents_finds_those_of_the_account(line: str, user_id: str) -> None:
    """The demo company calls its salespeople by name, and a name in DingTalk proves nothing."""
    owner = Person(user_id=user_id, name="谁都不是", roles=frozenset({"sales"}))
    async with open_chat(policy=AccessPolicy(PRESET_RULES)) as narrowed, open_chat() as whole:
        own: Any = (await narrowed.says(line, person=owner, private=True)).view
        every: Any = (await whole.says(line, person=owner, private=True)).view
        assert 0 < own.total < every.total
        stranger = Person(user_id="sales09", name="李娜", roles=frozenset({"sales"}))
        none: Any = (await narrowed.says(line, person=stranger, private=True)).view
        assert none.total == 0
