"""Every kind of document has every feature, or there is a reason why not: a matrix of kinds and features."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import pytest

from bot.alerts.views import AlertReply
from bot.chat.amounts import Amounts
from bot.chat.arguments import Keyword
from bot.chat.days import Days
from bot.chat.document_views import DocumentListView
from bot.chat.records.created_by import CreatedBy
from bot.chat.registry import AnyCommand
from bot.erp.kinds import (
    BILLS,
    DELIVERIES,
    FOLLOWED,
    INVOICES,
    PAYMENTS,
    PRODUCTION_ORDERS,
    PURCHASE_ORDERS,
    RECEIPTS,
    SALES_ORDERS,
    Kind,
)
from tests.commands.alert_fakes import InMemoryAlertService
from tests.commands.company import Company
from tests.commands.conftest import Ask, as_
from tests.commands.goods_company import GoodsCompany

NO_AMOUNTS: Mapping[Kind[Any], str] = {
    DELIVERIES: "what is moved is counted in pieces; its money stands on the order",
    RECEIPTS: "what is moved is counted in pieces; its money stands on the order",
    PRODUCTION_ORDERS: "no ERP tells what an order costs before it is finished",
}
NO_OWNERS: Mapping[Kind[Any], str] = {
    INVOICES: "ERPs name a salesperson on orders alone",
    BILLS: "ERPs name a buyer on orders alone",
    PAYMENTS: "money is nobody's",
    PRODUCTION_ORDERS: "ERPs do not tell who planned it",
}
NO_PRODUCT: Mapping[Kind[Any], str] = {
    INVOICES: "lists of invoices by product would be those of their orders",
    BILLS: "lists of bills by product would be those of their orders",
    PAYMENTS: "money is for whole documents",
    PRODUCTION_ORDERS: "its product is what the text names",
    DELIVERIES: "`/arrivals` and the orders tell where goods are",
    RECEIPTS: "`/arrivals` and the orders tell where goods are",
}
NO_ORDERS: Mapping[Kind[Any], str] = {
    SALES_ORDERS: "it is the order",
    PURCHASE_ORDERS: "it is the order",
    PAYMENTS: "it belongs to invoices and bills, which it names itself",
}


@pytest.fixture
def company() -> Company:
    return GoodsCompany()


def command_of(kind: Kind[Any]) -> AnyCommand:
    found: AnyCommand = getattr(importlib.import_module(f"commands.{kind.command}"), kind.command)
    return found


def takes(kind: Kind[Any], argument: type[Any]) -> bool:
    return any(issubclass(each.type, argument) for each in command_of(kind).signature.parameters)


@pytest.mark.parametrize("kind", FOLLOWED, ids=lambda kind: kind.command)
def test_lists_by_days_and_names_are_typed(kind: Kind[Any]) -> None:
    assert takes(kind, Days)
    named = {
        member.name for each in command_of(kind).signature.parameters if issubclass(each.type, Keyword)
        for member in each.type
    }  # fmt: skip
    assert named == {wanted.name for wanted in kind.filters}


@pytest.mark.parametrize("kind", FOLLOWED, ids=lambda kind: kind.command)
def test_lists_are_of_what_somebody_created(kind: Kind[Any]) -> None:
    assert takes(kind, CreatedBy)
    assert kind.cards.fact_columns[-1].shows == "creator"


def test_amounts_are_compared_and_added_up_where_there_are_any() -> None:
    assert {kind for kind in FOLLOWED if not kind.amounts.classes} == set(NO_AMOUNTS)
    assert {kind for kind in FOLLOWED if not takes(kind, Amounts)} == set(NO_AMOUNTS)


def test_what_a_kind_lacks_has_a_reason() -> None:
    assert {kind for kind in FOLLOWED if not kind.has_owners} == set(NO_OWNERS)
    assert {kind for kind in FOLLOWED if kind.by_product is None} == set(NO_PRODUCT)
    assert {kind for kind in FOLLOWED if kind.origin is None} == set(NO_ORDERS)


@pytest.mark.parametrize("kind", [kind for kind in FOLLOWED if kind.has_owners], ids=lambda kind: kind.command)
async def test_own_documents_are_listed(ask: Ask, kind: Kind[Any]) -> None:
    assert as_(DocumentListView, await ask(f"/{kind.command} 我的")).text == "我的"


@pytest.mark.parametrize("kind", FOLLOWED, ids=lambda kind: kind.command)
async def test_lists_are_had_as_a_file(ask: Ask, kind: Kind[Any]) -> None:
    view = as_(DocumentListView, await ask(f"/{kind.command}"))
    assert view.columns
    assert view.line == f"/{kind.command}"


@pytest.mark.parametrize("kind", [kind for kind in FOLLOWED if kind != RECEIPTS], ids=lambda kind: kind.command)
async def test_documents_are_watched(ask: Ask, service: InMemoryAlertService, kind: Kind[Any]) -> None:
    listed = as_(DocumentListView, await ask(f"/{kind.command}"))
    as_(AlertReply, await ask(f"/watch {listed.rows[0].number}"))
    (watch,) = service.stored_watches.values()
    assert (watch.area, watch.subject) == (kind.followed, listed.rows[0].number)
    assert watch.said["status"]
