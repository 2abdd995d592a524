"""A word that is no argument and no name is not taken silently for one: /invoice opne, /payment sideways."""

from __future__ import annotations

import pytest

from bot.cards.notices import BadArgumentNotice, NotFoundNotice
from bot.chat.document_views import view_of_list, view_of_one
from bot.erp.kinds import INVOICES
from tests.commands.conftest import Ask, as_, lines

InvoiceListView = view_of_list(INVOICES)

InvoiceView = view_of_one(INVOICES)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/invoice opne", ["/invoice open"]),
        ("/invoice opne nobody", ["/invoice open nobody"]),
        ("/invoice overdeu", ["/invoice overdue"]),
        ("/invoice unpiad", ["/invoice open"]),
        ("/payment recieved", ["/payment received"]),
        ("/bill overdu", ["/bill overdue"]),
        ("/order dalayed", ["/order late"]),
        ("/po pendng", ["/po pending"]),
        ("/customer owig", ["/customer owing"]),
        ("/payment sideways", []),
        ("/invoice foo bar", []),
    ],
)
async def test_what_may_have_been_meant_is_offered(ask: Ask, typed: str, meant: list[str]) -> None:
    view = as_(NotFoundNotice, await ask(typed))
    assert [line for line in lines(view) if line in meant] == meant
    assert len(view.closest) == len(meant)


@pytest.mark.parametrize(
    ("typed", "kind", "words"),
    [
        ("/payment sideways", "number or partner", "received, paid"),
        ("/invoice foo bar", "number or customer", "overdue, open"),
        ("/invoice opne", "number or customer", "overdue, open"),
    ],
)
async def test_what_was_understood_is_said(ask: Ask, typed: str, kind: str, words: str) -> None:
    (note,) = as_(NotFoundNotice, await ask(typed)).notes
    assert str(note) == f"It was looked for as {kind}. This command also knows the words: {words}."


@pytest.mark.parametrize("typed", ["/invoice 某某公司", "/invoice INV-99", "/arrivals nosuch", "/find nosuch"])
async def test_numbers_and_names_are_no_misspelt_words(ask: Ask, typed: str) -> None:
    notes = as_(NotFoundNotice, await ask(typed)).notes
    assert [str(note) for note in notes if "also knows the words" in str(note)] == []


@pytest.mark.parametrize(
    "typed", ["/invoice @宏达", "/payment @宏达", "/invoice open @宏达", "发票 @宏达", "/order ＠宏达"]
)
async def test_an_at_sign_without_a_mention_is_not_dropped(ask: Ask, typed: str) -> None:
    view = as_(BadArgumentNotice, await ask(typed))
    assert "“@宏达” is nobody who was mentioned" in str(view.problem)
    assert view.examples


async def test_who_is_mentioned_is_no_argument(ask: Ask) -> None:
    assert as_(InvoiceListView, await ask("/invoice @李四", mentions_others=True)).total
    as_(InvoiceView, await ask("/invoice INV-7 @李四", mentions_others=True))
