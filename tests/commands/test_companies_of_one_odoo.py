"""Two companies of one Odoo, each a source with the same account: everything works as for two ERPs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.cards.notices import ChoiceNotice
from bot.cards.view import ListView
from bot.erp.books import Books
from bot.erp.hub import ErpHub
from bot.erp.kinds import AREA_KINDS, PURCHASE_ORDERS, Kind
from bot.erp.model import Decision, DecisionOutcome, Money, ReviewState, Verdict
from bot.erp.odoo.manifest import vendor
from bot.erp.port import Erp, ListQuery
from bot.erp.vendors import AdapterContext
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET
from tests.commands.company import NOW
from tests.commands.conftest import Ask as AskLine
from tests.commands.conftest import as_
from tests.commands.test_books import (
    OPENED,
    asks,
    hub,
    kept,
    tell_of,
    test_each_row_of_a_list_opens_the_document_that_it_shows,
    told,
)
from tests.erp.fakes.odoo import DATABASE, key_of
from tests.erp.fakes.odoo_companies import TIMES, TwoCompanyOdoo
from tests.erp.fakes.odoo_records import BOT
from tests.rows import each_row

__all__ = [
    "hub",
    "kept",
    "test_each_row_of_a_list_opens_the_document_that_it_shows",
]

OURS, THEIRS = "深圳公司", "上海公司"


@pytest.fixture
async def odoo() -> AsyncIterator[TwoCompanyOdoo]:
    clock = Clock(NOW)
    server = TwoCompanyOdoo(ReferenceCompany(NOW.date(), now=clock.now), clock)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def sources(odoo: TwoCompanyOdoo, tmp_path: Path) -> AsyncIterator[dict[str, Erp]]:
    async with AsyncExitStack() as stack:
        opened: dict[str, Erp] = {}
        for name, company in ((OURS, 1), (THEIRS, 2)):
            settings = {"url": odoo.url, "database": DATABASE, "user": BOT, "key": SECRET, "company": company}
            options = vendor.options.model_validate({**settings, "approvers": {"anna": key_of("anna")}})
            context = AdapterContext(name=name, data_dir=tmp_path, now=odoo.clock.now)
            erp = opened[name] = await vendor.open(context, options)
            stack.push_async_callback(erp.close)
        yield opened


def amounts_of(document: Any) -> dict[str, Money]:
    """Return the amounts of a document by their names, but for those that a binary float does not hold."""
    named = {name: getattr(document, name, None) for name in ("total", "open_amount", "amount")}
    return {name: each for name, each in named.items() if isinstance(each, Money) and each.amount < 10**9}


@pytest.mark.parametrize("kind", AREA_KINDS, ids=lambda kind: kind.call)
async def test_each_document_is_of_its_own_company(hub: ErpHub, kind: Kind[Any]) -> None:
    """Equal numbers stand in both lists; each opens its own document, also from a list of both, and never the other."""
    both = (await hub.documents(kind, ListQuery(limit=500))).value.items
    assert {row.source for row in both} == {OURS, THEIRS}
    numbers = {source: {_key(row) for row in both if row.source == source} for source in (OURS, THEIRS)}
    assert numbers[OURS] == numbers[THEIRS]
    for number in sorted(numbers[OURS])[::5]:
        ours, theirs = [(await hub.within(Books(source)).document(kind, number)).value for source in (OURS, THEIRS)]
        assert (ours.source, theirs.source) == (OURS, THEIRS)
        doubled = {name: replace(each, amount=each.amount * TIMES) for name, each in amounts_of(ours).items()}
        assert amounts_of(theirs) == doubled


def _key(document: Any) -> str:
    return getattr(document, "number", "") or getattr(document, "code", "")


@pytest.mark.parametrize("line", ["/invoice INV-7", "/order SO-1001", "/po PO-1001", "/mo MO-1002"])
async def test_a_number_of_both_is_a_choice(ask: AskLine, sources: dict[str, Erp], line: str) -> None:
    command, number = line[1:].split()
    choices = dict(asks(as_(ChoiceNotice, await ask(line))))
    assert set(choices) == {f"{number} · {OURS}", f"{number} · {THEIRS}"}
    for text, tapped in choices.items():
        opened: Any = (await ask(tapped.line, clicked=True)).view
        assert told(opened.document) == await tell_of(sources, command, number, text.rpartition(" · ")[2])


async def test_what_a_partner_owes_is_told_of_each_company(ask: AskLine, hub: ErpHub) -> None:
    customers = [row for row in as_(ListView, await ask("/customer", rows=60)).rows if row.receivable]
    by_source = {(row.code, row.source): row.receivable for row in customers}
    codes = {code for code, _ in by_source}
    assert codes
    for code in codes:
        assert by_source[code, THEIRS].amount == by_source[code, OURS].amount * TIMES
        card: Any = (await ask(f"/customer {code} @{THEIRS}")).view
        assert card.books == (f"@{THEIRS}",)
        assert {row.books for row in card.orders} <= {(THEIRS,)}


async def test_a_decision_reaches_the_order_that_was_meant(hub: ErpHub, odoo: TwoCompanyOdoo) -> None:
    (number, *_) = sorted(
        order.number for order in odoo.company.purchases.values() if order.status is ReviewState.WAITING
    )
    seen = await hub.reread(THEIRS, PURCHASE_ORDERS, number)
    decision = Decision(number=number, version=seen.review.version, verdict=Verdict.APPROVE, by="anna")
    result = await hub.decide(THEIRS, decision)
    assert result.outcome is DecisionOutcome.APPLIED
    assert odoo.sister.purchases[number].status is not ReviewState.WAITING
    assert odoo.company.purchases[number].status is ReviewState.WAITING
    assert (await hub.reread(OURS, PURCHASE_ORDERS, number)).status is ReviewState.WAITING


@each_row("line", [*(f"/{name}" for name in OPENED), "/arrivals", "/find SO-1001", "/price SKU123", "/po late"])
async def test_whatever_a_list_offers_is_of_one_company(ask: AskLine, line: str) -> None:
    view = (await ask(line, rows=60)).view
    offered = [asked.line for _, asked in asks(view) if asked.line.startswith(tuple(f"/{name} " for name in OPENED))]
    opening = [each for each in offered if re.search(r"\d", each)]
    assert opening, line
    assert {each.rpartition(" @")[2] for each in opening} == {OURS, THEIRS}
