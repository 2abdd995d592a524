"""Goods of the demo company after three days, for readers of categories and warehouses: the same as in SQL."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bot.access.grants import EVERYTHING, Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.notices import NotFoundNotice
from bot.chat.document_views import DocumentListView
from bot.chat.records.stock_views import StockView, WarehouseView
from bot.words.disclosure import ALL_FIELDS
from commands.arrivals import ArrivalsView
from commands.shortage import ShortageView
from tests.commands.conftest import Ask, as_
from tests.commands.demo.company import ALL_ROWS, OWN_CHAT, DemoCompany, exact
from tests.rows import each_row

ALL, NONE = "1", "0"


@dataclass(frozen=True)
class GoodsReader:
    """Somebody who may see goods of a scope; in SQL its products ``p``, and its warehouses ``w``."""

    role: str
    scope: Scope
    products: str = ALL
    warehouses: str = ALL

    @property
    def person(self) -> Person:
        return Person(user_id=self.role, name="谁都不是", roles=frozenset({self.role}))

    @property
    def rule(self) -> AccessRule:
        roles = frozenset({self.role})
        return AccessRule(commands=frozenset({"*"}), roles=roles, fields=ALL_FIELDS, scope=self.scope)

    @property
    def placeless(self) -> str:
        """What is in no warehouse."""
        return ALL if self.warehouses == ALL else NONE


_SOME = frozenset({"原材料", "紧固件"})
_BOUGHT_AND_SMALL = "p.category IN ('原材料', '紧固件')"
READERS = (
    GoodsReader("everything", EVERYTHING),
    GoodsReader("categories", Scope(categories=_SOME), _BOUGHT_AND_SMALL),
    GoodsReader("warehouse", Scope(warehouses=frozenset({"上海仓"})), warehouses="w.code = 'SH'"),
    GoodsReader(
        "both",
        Scope(categories=_SOME, warehouses=frozenset({"上海仓", "成都仓"})),
        _BOUGHT_AND_SMALL,
        "w.code IN ('SH', 'CD')",
    ),
)
each_reader = each_row("reader", READERS)
PLACES = "demo_stock s JOIN demo_product p USING (sku_key) JOIN demo_warehouse w ON w.code = s.warehouse"


@pytest.fixture
def policy() -> AccessPolicy:
    return AccessPolicy([reader.rule for reader in READERS])


@each_reader
async def test_what_lies_in_a_warehouse(ask: Ask, demo: DemoCompany, reader: GoodsReader) -> None:
    for (name,) in demo.rows("SELECT name FROM demo_warehouse"):
        of_it = f"w.name = '{name}' AND {reader.products} AND {reader.warehouses}"
        there = demo.rows(
            f"SELECT p.sku, s.on_hand, s.reserved FROM {PLACES} WHERE {of_it} AND (s.on_hand OR s.reserved)"
        )
        answer = await ask(f"/stock @{name}", where=OWN_CHAT, person=reader.person, rows=ALL_ROWS)
        if not there:
            assert isinstance(answer.view, NotFoundNotice), name
            continue
        view = as_(WarehouseView, answer)
        told = {(row.product.sku, row.quantities.on_hand, row.quantities.reserved) for row in view.rows}
        assert told == {(sku, exact(on_hand), exact(reserved)) for sku, on_hand, reserved in there}, name
        assert view.total == len(there), name


@each_reader
async def test_the_stock_of_products(ask: Ask, demo: DemoCompany, reader: GoodsReader) -> None:
    found = 0
    for (sku,) in demo.rows("SELECT sku FROM demo_product ORDER BY sku")[::10]:
        answer = await ask(f"/stock {sku}", where=OWN_CHAT, person=reader.person)
        of_it = f"p.sku = '{sku}' AND {reader.products} AND {reader.warehouses}"
        places = {
            name: exact(there) for name, there in demo.rows(f"SELECT w.name, on_hand FROM {PLACES} WHERE {of_it}")
        }
        if not places:
            assert isinstance(answer.view, NotFoundNotice), sku
            continue
        view = as_(StockView, answer)
        assert {row.warehouse.name: row.warehouse.quantities.on_hand for row in view.rows} == places, sku
        assert view.level.total.on_hand == sum(places.values()), sku
        found += 1
    assert found


@each_reader
async def test_what_is_on_its_way_names_documents_that_the_reader_finds(
    ask: Ask, demo: DemoCompany, reader: GoodsReader
) -> None:
    arrives = f"EXISTS (SELECT 1 FROM demo_warehouse w WHERE w.code = 'SH' AND {reader.warehouses})"
    coming = demo.rows(
        "SELECT l.sku, l.quantity - l.received FROM demo_purchase_line l JOIN demo_purchase o USING (number_key)"
        f" JOIN demo_product p ON p.sku = l.sku WHERE o.status = 'approved' AND l.quantity > l.received"
        f" AND {reader.products} AND {arrives} UNION ALL"
        " SELECT o.sku, o.planned - o.produced FROM demo_production o JOIN demo_product p ON p.sku = o.sku"
        " WHERE o.status IN ('released', 'running') AND o.planned > o.produced"
        f" AND {reader.products} AND {reader.placeless}"
    )
    view = as_(ArrivalsView, await ask("/arrivals", where=OWN_CHAT, person=reader.person, rows=ALL_ROWS))
    assert coming
    assert view.total == len(coming)
    assert sorted((row.sku, row.quantity) for row in view.rows) == sorted((sku, exact(rest)) for sku, rest in coming)
    is_narrowed = reader.scope != EVERYTHING  # no document tells a category, and these no warehouse
    for row in view.rows:
        assert bool(row.document) != is_narrowed, row
        assert not (row.partner and is_narrowed), row
    for line in ("/po", "/mo"):
        view_of_documents = as_(DocumentListView, await ask(line, where=OWN_CHAT, person=reader.person))
        assert bool(view_of_documents.total) != is_narrowed, line


@each_reader
async def test_what_is_short(ask: Ask, demo: DemoCompany, reader: GoodsReader) -> None:
    owed = demo.rows(
        f"SELECT p.sku, w.name FROM {PLACES} WHERE s.outgoing > s.on_hand AND {reader.products} AND {reader.warehouses}"
    )
    low = demo.rows(
        f"SELECT p.sku, '' FROM {PLACES} WHERE {reader.products} AND {reader.placeless}"
        " GROUP BY p.sku_key HAVING SUM(s.on_hand - s.reserved) < p.reorder_point"
    )
    view = as_(ShortageView, await ask("/shortage", where=OWN_CHAT, person=reader.person, rows=ALL_ROWS))
    assert sorted((row.sku, row.warehouse) for row in view.rows) == sorted([*owed, *low])
    assert view.total == len([*owed, *low])
