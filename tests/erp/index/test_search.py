"""What a search finds, in which order, and that it finds every product by any part of what is known of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.erp.index.folding import entries, fold, words
from bot.erp.index.pinyin import MOST_INITIALS, MOST_SYLLABLES, chinese, spell
from bot.erp.index.port import Readings, SyncState
from bot.erp.model import Product
from bot.store.database import Database
from bot.store.erp.product_index import StoredProductIndex
from tests.erp.index.catalogue import screw
from tests.erp.index.conftest import SIGNS
from tests.examples import examples

SHELF = (
    screw("LS-01", "平头螺丝", spec="M4×10", barcode="6901234000017"),
    screw("LS-012", "螺丝", spec="M8×25", barcode="6901234000024"),
    screw("X-LS-01", "内六角螺丝 M8", spec="Ｍ６×２０"),
    screw("ZC-1", "重型轴承", spec="6204-2RS", barcode="ABc-9"),
    screw("ZC-2", "长轴", spec="L=100%_a\\b"),
    screw("100", "不锈钢垫圈"),
    screw("D-6204", "Bearing 6204"),
    screw("luo", "罗"),
)
FOUND = [
    # exact code or barcode, then what begins with it
    ("LS-01", ["LS-01", "LS-012", "X-LS-01"]),
    ("ls-01 ", ["LS-01", "LS-012", "X-LS-01"]),
    ("ＬＳ－０１", ["LS-01", "LS-012", "X-LS-01"]),
    ("6901234000024", ["LS-012"]),
    ("abc-9", ["ZC-1"]),
    # exact name, name that begins so, part of a name
    ("螺丝", ["LS-012", "LS-01", "X-LS-01"]),
    ("垫圈", ["100"]),
    # part of code before part of name before part of spec
    ("6204", ["D-6204", "ZC-1"]),
    ("m8", ["X-LS-01", "LS-012"]),
    ("m4*10", ["LS-01"]),
    ("m6x20", ["X-LS-01"]),
    ("4000", ["LS-012", "LS-01"]),
    # pinyin: first letters and syllables, of any reading
    ("nljls", ["X-LS-01"]),
    ("luosi", ["LS-012", "LS-01", "X-LS-01"]),
    ("LuoSi", ["LS-012", "LS-01", "X-LS-01"]),
    ("zhongxing", ["ZC-1"]),
    ("chongxing", ["ZC-1"]),
    ("cxzc", ["ZC-1"]),
    ("changzhou", ["ZC-2"]),
    ("zhangzhou", ["ZC-2"]),
    ("bxg", ["100"]),
    ("luo", ["luo", "LS-012", "LS-01", "X-LS-01"]),
    # every word somewhere, whatever the blanks between
    ("螺丝 m8", ["X-LS-01", "LS-012"]),
    ("m8\u3000\u00a0 内六角", ["X-LS-01"]),
    ("螺丝 轴承", []),
    # plain text to the database
    ("100%", ["ZC-2"]),
    ("%_a\\", ["ZC-2"]),
    ("%", ["ZC-2"]),
    ("'", []),
    ("no such thing", []),
    ("half\ud800", []),
    ("nul\0", []),
    ("平头 " * 500, ["LS-01"]),
]


@pytest.fixture
async def shelf(store: StoredProductIndex, readings: Readings) -> StoredProductIndex:
    await store.advance(None, SyncState(source="main"), entries=entries(SHELF, {**readings, "罗": ("luo",)}))
    await store.advance(None, SyncState(source="other"), entries=entries([screw("LS-01", "螺丝 乙")], readings))
    return store


async def test_what_is_found_and_in_which_order(shelf: StoredProductIndex) -> None:
    for text, wanted in FOUND:
        found = [product.sku for product in await shelf.search("main", fold(text), limit=40)]
        assert found == wanted, text
    assert (await shelf.search("main", "ls-01", limit=1)) == (SHELF[0],)
    assert len(await shelf.search("main", "", limit=3)) == 3
    assert [one.name for one in await shelf.search("other", "ls-01", limit=40)] == ["螺丝 乙"]


async def test_products_come_back_as_they_were(shelf: StoredProductIndex) -> None:
    assert set(await shelf.search("main", "", limit=40)) == set(SHELF)


async def test_what_a_database_cannot_hold_does_not_stop_the_rest(store: StoredProductIndex) -> None:
    odd = [screw("A\0-1", "half \ud800"), screw("A-2", "螺" * 500), screw("a\u200b-3", "")]
    assert await store.advance(None, SyncState(source="main"), entries=entries(odd, {}))
    assert [product.sku for product in await store.search("main", "half", limit=9)] == ["A-1"]
    assert len(await store.search("main", "", limit=9)) == 3
    assert len(await store.search("main", fold("A-3"), limit=9)) == 1


def test_words_are_bounded_and_each_counts_once() -> None:
    assert words(fold("螺丝  M8 螺丝")) == ("螺丝", "m8")
    assert len(words(" ".join(map(str, range(1_000))))) == 16


def test_spellings_are_bounded_and_start_with_the_usual_ones(readings: Readings) -> None:
    assert spell(fold("M8×20"), readings) == ("", "")
    assert spell("螺丝", readings) == ("\nls", "\nluosi")
    assert [spelling.split() for spelling in spell("重型", readings)] == [
        ["zx", "cx", "tx"],
        ["zhongxing", "chongxing", "tongxing"],
    ]
    assert spell("重调乐", readings)[0].split() == ["zdl", "cdl", "ztl", "zdy", "tdl", "ctl", "cdy", "zty"]
    initials, syllables = (spelling.split() for spelling in spell("行长重调角乐车单弹" * 30, readings))
    assert (len(initials), len(syllables)) == (MOST_INITIALS, MOST_SYLLABLES)
    assert max(map(len, initials)) == 32
    assert max(map(len, syllables)) < 200
    assert chinese("𠀀x〇") == ["𠀀", "〇"]


NAMES = st.lists(
    st.one_of(
        st.text(SIGNS, min_size=1, max_size=6),
        st.text("abXY019", min_size=1, max_size=4),
        st.sampled_from([" ", "\u3000", "M8×20", "（加厚）", "%", "_", "'", "Ø12", "ß", "ǆ"]),
    ),
    min_size=1,
    max_size=5,
).map("".join)
PRODUCTS = st.lists(
    st.builds(
        screw, sku=st.text("AB019-_零件×", min_size=1, max_size=8), name=NAMES, spec=st.text("M×8.25 ", max_size=6)
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda product: fold(product.sku),
)


@settings(max_examples=examples(1 / 2), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(products=PRODUCTS, data=st.data())
def test_every_product_is_found_by_any_part(products: list[Product], data: st.DataObject, readings: Readings) -> None:
    made = entries(products, readings)
    asked: list[tuple[str, Product]] = []
    for product, entry in zip(products, made, strict=True):
        name = product.name
        start = data.draw(st.integers(0, max(0, len(name) - 2)))
        end = data.draw(st.integers(min(start + 2, len(name)), len(name)))
        asked += [(product.sku, product), (name, product), (name[start:end], product), (product.spec, product)]
        usual = [readings[sign][0] for sign in chinese(entry.name)]
        asked += [("".join(one[0] for one in usual), product), ("".join(usual).upper(), product)]
        asked += [(spelling, product) for spelling in (entry.initials + entry.syllables).split()]
    for (text, product), found in zip(asked, asyncio.run(_search_all(made, [text for text, _ in asked])), strict=True):
        assert product in found, (text, product)


async def _search_all(made: Sequence[object], texts: Sequence[str]) -> list[tuple[Product, ...]]:
    database = Database("sqlite:///:memory:")
    try:
        await database.migrate()
        store = StoredProductIndex(database, database)
        await store.advance(None, SyncState(source="main"), entries=made)  # type: ignore[arg-type]  # entries
        return [await store.search("main", fold(text), limit=100) for text in texts]
    finally:
        await database.close()
