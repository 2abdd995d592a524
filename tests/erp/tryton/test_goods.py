"""Tryton's goods: what is still to come, and what other modules would tell."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.erp.goods.port import ArrivalQuery, GoodsReader
from bot.erp.model import Money
from bot.erp.port import Erp, Filter, ListQuery
from bot.kit.testing.company import TODAY
from tests.erp.fakes.tryton import FakeTryton
from tests.erp.fakes.tryton_query import TrytonFault
from tests.erp.tryton.test_partners import Records


def goods(erp: Erp) -> GoodsReader:
    assert isinstance(erp, GoodsReader)
    return erp


def missing(server: FakeTryton, *models: str) -> None:
    """Let the server lack the modules of some models."""
    genuine = server.table

    def table(name: str, *rest: Any) -> Records:
        if name in models:
            raise TrytonFault(repr(name))
        return genuine(name, *rest)

    server.table = table  # type: ignore[method-assign,assignment]  # what the fake holds


async def test_the_rest_of_an_order_comes_when_its_open_moves_are_planned(erp: Erp, server: FakeTryton) -> None:
    later = TODAY + timedelta(days=40)

    def planned(rows: Records) -> Records:
        def day(move: dict[str, Any]) -> dict[str, Any]:
            return {"planned_date": later if move["state"] == "draft" else TODAY}

        return [row | {"moves": [move | day(move) for move in row["moves"]]} for row in rows]

    server.alter("purchase.line", planned)
    found = [each for each in (await goods(erp).arrivals(ArrivalQuery(limit=99))).items if each.partner]
    assert found
    assert {each.due_on for each in found} == {later}


async def test_an_order_without_moves_comes_when_it_is_promised(erp: Erp, server: FakeTryton) -> None:
    before = (await goods(erp).arrivals(ArrivalQuery(limit=99))).items
    server.alter("purchase.line", lambda rows: [row | {"moves": []} for row in rows])
    after = (await goods(erp).arrivals(ArrivalQuery(limit=99))).items
    assert {(each.document, each.due_on) for each in after} >= {(each.document, each.due_on) for each in before}


async def test_without_production_and_purchase_there_is_less_to_tell_and_no_error(erp: Erp, server: FakeTryton) -> None:
    models = ("production", "production.bom.input", "product.product-production.bom", "purchase.product_supplier")
    missing(server, *models, "purchase.line")
    assert (await goods(erp).arrivals(ArrivalQuery())).items == ()
    details = await goods(erp).product("SKU128")
    assert (details.components, details.used_in, details.supplies) == ((), (), ())
    assert (await goods(erp).prices("SKU123", customer="")).purchases == ()


async def test_a_cost_that_somebody_entered_is_told(erp: Erp, server: FakeTryton) -> None:
    assert (await goods(erp).prices("SKU123", customer="")).standard_cost is None
    server.alter("product.product", lambda rows: [row | {"cost_price": Decimal("0.65")} for row in rows])
    assert (await goods(erp).prices("SKU123", customer="")).standard_cost == Money(Decimal("0.65"), "CNY")


async def test_trap_a_service_that_was_ordered_is_neither_on_its_way_nor_late(erp: Erp, server: FakeTryton) -> None:
    arrivals = (await goods(erp).arrivals(ArrivalQuery(limit=99))).items
    bought = next(each.document for each in arrivals if each.partner)
    sold = (await erp.orders(ListQuery(filter=Filter.LATE, limit=1))).items[0].number

    def of_services(rows: Records) -> Records:
        return [row | {"lines": [as_service(line) for line in row["lines"]]} for row in rows]

    for model in ("purchase.purchase", "sale.sale"):
        server.alter(model, of_services)
    server.alter("purchase.line", lambda rows: list(map(as_service, rows)))
    assert not [each for each in (await goods(erp).arrivals(ArrivalQuery(limit=99))).items if each.partner]
    for which in (Filter.OPEN, Filter.LATE):
        assert bought not in {each.number for each in (await erp.purchase_orders(ListQuery(filter=which))).items}
        assert sold not in {each.number for each in (await erp.orders(ListQuery(filter=which))).items}
    assert not (await erp.purchase_order(bought)).is_open


def as_service(line: dict[str, Any]) -> dict[str, Any]:
    product = line["product"] and line["product"] | {"type": "service", "template": {"id": 1, "type": "service"}}
    return line | {"product": product, "moves": []}
