"""Partners, bills and payments are narrowed like the documents of their areas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bot.access.grants import EVERYTHING, Scope
from bot.erp.errors import NotFound
from bot.erp.hub import ErpHub
from bot.erp.model import Area
from bot.erp.narrowing import Narrowing
from bot.erp.port import ListQuery
from bot.mechanisms.metrics import Metrics
from tests.commands.company import NOW, Company

ALL = (EVERYTHING,)


def reader(scopes: Mapping[Area, tuple[Scope, ...]], *names: str, by_number: frozenset[Area] = frozenset()) -> ErpHub:
    hub = ErpHub([Company()], metrics=Metrics(), now=lambda: NOW)
    return hub.narrowed(Narrowing(scopes, lambda source: frozenset(names), by_number))


async def test_whoever_sees_own_documents_sees_own_customers() -> None:
    own = (replace(EVERYTHING, own=True),)
    mine, others = reader({Area.SALES: own}, "李娜"), reader({Area.SALES: own}, "孙悦")
    assert (await mine.customer("C001")).value.code == "C001"
    assert (await mine.customers(ListQuery())).value.total == 3
    with pytest.raises(NotFound):
        await others.customer("C001")
    assert (await others.customers(ListQuery())).value.total == 0
    assert mine.narrows(Area.SALES)
    assert not mine.narrows(Area.FINANCE)


async def test_a_payment_is_of_the_side_of_its_partner() -> None:
    sales = reader({Area.PURCHASING: ()})
    assert [payment.number for payment in (await sales.payments(ListQuery())).value.items] == ["PAY-1"]
    purchasing = reader({Area.FINANCE: ()})
    assert [payment.number for payment in (await purchasing.payments(ListQuery())).value.items] == ["PAY-2"]
    with pytest.raises(NotFound):
        await purchasing.payment("PAY-1")
    assert (await reader({Area.FINANCE: (), Area.PURCHASING: ()}).payments(ListQuery())).value.total == 0


async def test_a_scope_of_partners_holds_for_all_that_is_theirs() -> None:
    scope = (replace(EVERYTHING, partners=frozenset({"宁波标准件厂"})),)
    buyer = reader({Area.PURCHASING: scope})
    assert [vendor.code for vendor in (await buyer.vendors(ListQuery())).value.items] == ["V001"]
    assert (await buyer.bills(ListQuery())).value.total == 0
    with pytest.raises(NotFound):
        await buyer.bill("BILL-1")


async def test_whoever_may_not_see_partners_finds_none_and_nothing_by_their_names() -> None:
    areas = frozenset({Area.SALES, Area.FINANCE, Area.PURCHASING})
    hub = reader({}, by_number=areas)
    with pytest.raises(NotFound):
        await hub.customer("C001")
    assert (await hub.vendors(ListQuery())).value.total == 0
    assert (await hub.invoices(ListQuery(partner="上海宏图机械"))).value.total == 0
    assert (await hub.payments(ListQuery(text="上海"))).value.total == 0
    assert (await hub.payments(ListQuery(text="PAY-1"))).value.total == 1
    assert (await hub.bill("BILL-1")).value.number == "BILL-1"
