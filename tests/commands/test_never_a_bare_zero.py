"""A demo company and an ERP that tells less: nothing is not found, emptied by a condition, or not known to one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.cards.notices import NotFoundNotice
from bot.chat.view_parts import EmptiedList, Freshness
from bot.erp.hub import ErpHub
from bot.erp.port import GOODS, Capability, Erp
from bot.erp.vendors import open_source
from bot.metrics import Metrics
from tests.commands.company import NOW, Company, level, order, place, product
from tests.commands.conftest import Ask, lines
from tests.commands.test_demo_lists import OWN_CHAT, OWNER, read_all
from tests.read_model.memory_documents import MemoryDocuments
from tests.rows import each_row

LITTLE = frozenset({Capability.STOCK, Capability.SALES_ORDERS, Capability.CUSTOMERS}) - GOODS
UNTOLD = "south does not tell this: what it has is not known."
NEVER = "2020-01-01"


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Erp]:
    erp = await open_source("demo", "demo", {}, data_dir=tmp_path, now=lambda: NOW, timeout=10)
    yield erp
    await erp.close()


@pytest.fixture
async def hub(demo: Erp) -> AsyncIterator[ErpHub]:
    south = Company(
        name="south",
        capabilities=LITTLE,
        levels=(level(product("SOUTH-1", "南方螺丝"), place("SH", "南方仓", "4")),),
        clients=(),
        sales=(order("SO-7001", "深圳创新"),),
    )
    hub = ErpHub([demo, south], metrics=Metrics(), now=lambda: NOW, timeout=10)
    yield hub
    await hub.close()


@pytest.fixture
async def kept(demo: Erp) -> MemoryDocuments:
    return MemoryDocuments(NOW, await read_all(demo), source="demo")


def told(view: Any) -> str:
    """Return what a card says of sources that do not tell."""
    seen = getattr(view, "freshness", None)
    notes = seen.failures if isinstance(seen, Freshness) else getattr(view, "notes", ())
    return " ".join(map(str, (*notes, *getattr(view, "silences", ()))))


def not_found() -> Iterator[tuple[str, str]]:
    names = ("大疆", "Baosteel")
    for name in names:
        for line in (
            *("order", "order open", "order late", f"order {NEVER}", "order >1000", "customer", "customer owing"),
            *("invoice open", "invoice overdue", "bill open", "bill 上个月", "po late", "po >1000", "payment received"),
            *("delivery late", "receipt", "mo open", "vendor", "vendor payable", "arrivals", f"arrivals {NEVER}"),
            *("price", "product", "stock", "find"),
        ):
            command, _, rest = line.partition(" ")
            yield f"/{command} {name} {rest}".strip(), name
    yield "/shortage @大疆仓", "大疆仓"
    yield "/stock @大疆仓", "大疆仓"
    yield "/stock 螺丝 @大疆仓", "大疆仓"
    yield "/stock HT-113 @大疆仓", "大疆仓"
    yield "/price HT-113 大疆", "大疆"
    yield "/pending 大疆", "大疆"
    yield "/pending PO-99999", "PO-99999"


UNTOLD_COMMANDS = ("bill", "po", "payment", "delivery", "receipt", "mo", "vendor", "arrivals")
"""What south tells nothing of; products it knows, so that those that nobody has are not found for certain."""


@each_row("line, name", not_found())
async def test_what_nobody_has_is_not_found_and_who_cannot_tell_is_named(ask: Ask, line: str, name: str) -> None:
    answer = await ask(line, where=OWN_CHAT, person=OWNER)
    assert isinstance(answer.view, NotFoundNotice), answer.view
    assert answer.view.what == name
    if line.split()[0].removeprefix("/") in UNTOLD_COMMANDS:
        assert UNTOLD in told(answer.view), told(answer.view)


@each_row(
    "line, nearest",
    [
        ("/shortage @上海成品", "/shortage @上海仓"),
        ("/stock @上海成品", "/stock @上海仓"),
        ("/stock HT-113 @上海成品", "/stock HT-113 @上海仓"),
        ("/arrivals 永康市金工工具厂", "/arrivals 永康市金工量具有限公司"),
        (f"/arrivals 永康市金工工具厂 {NEVER}", f"/arrivals 永康市金工量具有限公司 {NEVER}"),
        ("/price HT-113 杭州宏达机电设备厂", "/price HT-113 杭州宏达机电设备有限公司 @demo"),
    ],
)
async def test_the_nearest_names_are_offered_with_the_rest_of_the_line(ask: Ask, line: str, nearest: str) -> None:
    answer = await ask(line, where=OWN_CHAT, person=OWNER)
    assert isinstance(answer.view, NotFoundNotice), answer.view
    assert nearest in lines(answer.view)


@each_row(
    "line, wider",
    [
        (f"/order {NEVER}", "/order"),
        (f"/order SOUTH-1 {NEVER}", "/order"),
        (f"/order 宏达 {NEVER} >99999999", "/order 宏达"),
        (f"/invoice overdue {NEVER}", "/invoice overdue"),
        (f"/bill 宝钢 {NEVER}", "/bill 宝钢"),
        (f"/po late {NEVER}", "/po late"),
        (f"/payment paid {NEVER}", "/payment paid"),
        (f"/delivery late {NEVER}", "/delivery late"),
        (f"/receipt {NEVER}", "/receipt"),
        (f"/mo HT-113 {NEVER}", "/mo HT-113"),
        ("/arrivals 2030-01-01", "/arrivals"),
        ("/arrivals 宝钢 2030-01-01", "/arrivals 宝钢"),
        ("/arrivals RM-41 2030-01-01", "/arrivals RM-41"),
        ("/arrivals HT-113", "/arrivals"),
        ("/arrivals HT-113 2030-01-01", "/arrivals"),
        ("/price HT-113 恒兴", "/price HT-113"),
        ("/po pending >99999999", "/po pending"),
        ("/bill open >99999999", "/bill open"),
    ],
)
async def test_an_empty_list_says_what_emptied_it_and_offers_the_rest(ask: Ask, line: str, wider: str) -> None:
    view = (await ask(line, where=OWN_CHAT, person=OWNER)).view
    assert isinstance(view, EmptiedList), view
    assert view.emptied[0].total > 0
    assert view.words_of(view.emptied[0].by)
    assert wider in lines(view)
    again = (await ask(wider, where=OWN_CHAT, person=OWNER)).view
    assert getattr(again, "total", view.emptied[0].total) == view.emptied[0].total
    if not line.startswith(("/order", "/price")):
        assert UNTOLD in told(view), told(view)
