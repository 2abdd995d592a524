"""/stock: one product, several, part of a name, a warehouse."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal

import pytest

from bot.alerts.event import EventType
from bot.alerts.intake.areas.stock import OUT, STOCK
from bot.cards.language import load_languages
from bot.cards.notices import BadArgumentNotice, ErpDownNotice, NotFoundNotice
from bot.cards.renderer import CardRenderer
from bot.chat.records.products import ProductChoice
from bot.chat.records.stock_views import StockListView, StockView
from bot.erp.errors import Ambiguous, NotFound, Unavailable
from bot.erp.hub import Answer, ErpHub
from bot.erp.model import Lot, Product, Quantities, StockLevel, WarehouseStock, by_expiry
from bot.mechanisms.metrics import Metrics
from bot.words.phrase import phrase
from tests.commands.company import NOW, SCREW, SHANGHAI, TODAY, Company, level, place
from tests.commands.conftest import Ask, as_, lines
from tests.rows import each_row


def warehouses(view: StockView) -> list[WarehouseStock]:
    return [row.warehouse for row in view.rows]


async def test_one_product_with_its_warehouses(ask: Ask) -> None:
    answer = await ask("/stock sku123")
    view = as_(StockView, answer)
    assert (answer.command, answer.outcome) == ("stock", "answered")
    assert view.level.product.name == "M6 螺丝"
    assert [(row.code, row.quantities.on_hand, row.quantities.reserved) for row in warehouses(view)] == [
        ("SH", Decimal(1200), Decimal(300)),
        ("SZ", Decimal(630), Decimal(0)),
        ("CD", Decimal(0), None),
    ]
    assert view.level.total.on_hand == Decimal(1830)
    assert view.level.total.incoming is None
    assert view.level.below_reorder_point
    assert view.level.company == "示范制造"
    assert (view.freshness.stale, view.freshness.source) == (False, "main")
    assert view.freshness.as_of < NOW


async def test_lots_that_expire_first_are_told_and_marked_when_they_are_over(ask: Ask, company: Company) -> None:
    lots = by_expiry(
        Lot(number=f"L-{days}", quantity=Decimal(2), warehouse=code, expires_on=TODAY + timedelta(days=days))
        for days, code in ((40, "SH"), (-1, "SZ"), (0, "SH"), (90, "SZ"), (400, "SH"))
    )
    places = (place(*SHANGHAI, "6"), place("SZ", "深圳仓", "4"))
    company.levels = [replace(level(SCREW, *places), lots=lots)]
    view = as_(StockView, await ask("/stock SKU123"))
    assert [(row.lot.number, row.expired) for row in view.lots] == [("L--1", True), ("L-0", False), ("L-40", False)]
    assert view.more_lots == 2
    there = as_(StockView, await ask("/stock SKU123 @深圳仓"))
    assert ([row.lot.number for row in there.lots], there.more_lots) == (["L--1", "L-90"], 0)


async def test_negative_stock_is_shown_with_a_mark_and_is_an_alert(ask: Ask, company: Company) -> None:
    company.levels = [
        level(SCREW, place(*SHANGHAI, "2"), place("SZ", "深圳仓", "-7"), reorder_point="10"),
        level(replace(SCREW, sku="SKU124"), place(*SHANGHAI, "2")),
    ]
    cards = CardRenderer(languages=load_languages())
    one = cards.render(as_(StockView, await ask("/stock SKU123")), "zh_CN", zone=UTC).body
    assert one.count("负库存") == 2, "in all, and in the warehouse that has it"
    several = cards.render(as_(StockListView, await ask("/stock SKU123 SKU124")), "zh_CN", zone=UTC).body
    assert several.count("负库存") == 1
    hub = ErpHub([company], metrics=Metrics(), now=lambda: NOW)
    record = await STOCK.read(hub.source_client("main"), "SKU123", TODAY)
    assert (record.state, record.type, record.data["available"]) == (OUT, EventType.STOCK_OUT, "-5")
    await hub.close()


async def test_a_code_of_several_products_is_a_choice(ask: Ask, company: Company) -> None:
    company.levels = [level(replace(SCREW, sku=f"DUP-1*{key}"), place(*SHANGHAI, "2")) for key in (7, 8)]

    async def stock(sku: str) -> StockLevel:
        raise Ambiguous(sku, 2) if sku == "DUP-1" else NotFound(sku)

    company.stock = stock  # type: ignore[method-assign]
    view = as_(ProductChoice, await ask("/stock DUP-1"))
    assert [product.sku for product in view.rows] == ["DUP-1*7", "DUP-1*8"]
    assert lines(view) == ["/stock DUP-1*7", "/stock DUP-1*8"]
    rows = as_(StockListView, await ask("/stock DUP-1 OTHER-1")).rows
    assert [(row.asked, row.hits) for row in rows] == [("DUP-1", 2), ("OTHER-1", 0)]


async def test_what_was_not_searched_is_said_where_nothing_is_found(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    note = phrase(
        "The product index of %(source)s is not complete yet: nothing is found by pinyin so far.", source="main"
    )
    real = ErpHub.find_products

    async def find_products(self: ErpHub, text: str, *, limit: int) -> Answer[tuple[Product, ...]]:
        return replace(await real(self, text, limit=limit), notes=(note,))

    monkeypatch.setattr(ErpHub, "find_products", find_products)
    view = as_(NotFoundNotice, await ask("/stock luomu"))
    assert view.notes == (note,)
    body = CardRenderer(languages=load_languages()).render(view, "zh_CN", zone=UTC).body
    assert "main 的产品索引尚未建完" in body


async def test_an_exact_code_wins_over_longer_codes_that_contain_it(ask: Ask, company: Company) -> None:
    assert as_(StockView, await ask("/stock SKU123")).level.product.sku == "SKU123"
    assert company.calls == ["stock SKU123"]


@pytest.mark.parametrize("line", ["/stock 六角", "/stock KU1234", "/stock 六角螺母", "/stock U1234"])
async def test_a_part_that_only_one_product_has_opens_it(ask: Ask, line: str) -> None:
    assert as_(StockView, await ask(line)).level.product.sku == "SKU1234"


async def test_a_code_without_a_digit_is_found_exactly(ask: Ask, company: Company) -> None:
    assert as_(StockView, await ask('/stock "BOLT A"')).level.product.sku == "BOLT A"
    assert company.calls == ["find_products BOLT A", "stock BOLT A"]


async def test_several_hits_give_a_list_to_choose_from(ask: Ask) -> None:
    view = as_(ProductChoice, await ask("/stock 螺丝 @上海仓"))
    assert [row.sku for row in view.rows] == ["SKU123", "SKU124"]
    assert lines(view) == ["/stock SKU123 @上海仓", "/stock SKU124 @上海仓"]
    chosen = as_(StockView, await ask(lines(view)[0]))
    assert [row.code for row in warehouses(chosen)] == ["SH"]


async def test_a_long_list_is_paged(ask: Ask) -> None:
    first = as_(ProductChoice, await ask("/stock 垫圈"))
    assert (len(first.rows), first.total, first.more) == (8, 12, False)
    assert lines(first)[-1] == "/stock 垫圈 +8"
    second = as_(ProductChoice, await ask("/stock 垫圈", offset=8))
    assert [row.sku for row in second.rows] == ["W-9", "W-10", "W-11", "W-12"]
    assert lines(second)[-1] == "/stock 垫圈"
    assert as_(ProductChoice, await ask("/stock 垫圈 +8")) == second


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("@SH", ["SH"]),
        ("@sz", ["SZ"]),
        ("@上海仓", ["SH"]),
        ("@上海成品仓库", ["SH"]),
        ("@ 深圳", ["SZ"]),
        ("＠成都", ["CD"]),
        ("@仓", ["SH", "SZ", "CD"]),
    ],
)
async def test_a_warehouse_by_code_or_part_of_its_name(ask: Ask, text: str, codes: list[str]) -> None:
    view = as_(StockView, await ask(f"/stock SKU123 {text}"))
    assert [row.code for row in warehouses(view)] == codes
    assert [row.code for row in warehouses(as_(StockView, await ask(view.line)))][: len(codes)]


async def test_an_unknown_warehouse_names_those_there_are(ask: Ask) -> None:
    answer = await ask("/stock SKU123 @北京")
    assert as_(NotFoundNotice, answer).what == "北京"
    assert "/stock SKU123 @深圳仓" in lines(answer.view)


async def test_several_products_at_a_glance(ask: Ask) -> None:
    view = as_(StockListView, await ask("/stock SKU123，sku124、螺丝 X999"))
    assert [(row.level.product.sku if row.level else None, row.hits) for row in view.rows] == [
        ("SKU123", 0),
        ("SKU124", 0),
        (None, 2),
        (None, 0),
    ]
    assert [row.level.below_reorder_point for row in view.rows if row.level] == [True, False]
    assert lines(view) == ["/stock SKU123", "/stock SKU124", "/stock 螺丝", "/export stock SKU123 sku124 螺丝 X999"]


async def test_a_code_with_blanks_is_one_code(ask: Ask, company: Company) -> None:
    codes = ("A/B 100%_x", "A/B", "X-100%_x")
    company.levels = [level(replace(SCREW, sku=sku), place(*SHANGHAI, "2")) for sku in codes]
    for line in ("/stock A/B 100%_x", "/stock a/b  100%_X", '/stock "A/B 100%_x"'):
        assert as_(StockView, await ask(line)).level.product.sku == "A/B 100%_x"
    assert len(as_(StockListView, await ask("/stock A/B X-100%_x")).rows) == 2


async def test_codes_that_are_exact_cost_no_further_call(ask: Ask, company: Company) -> None:
    await ask("/stock SKU123 SKU124")
    assert sorted(company.calls) == ["stock SKU123", "stock SKU124"]


async def test_several_products_in_one_warehouse(ask: Ask) -> None:
    view = as_(StockListView, await ask("/stock SKU123 SKU124 @SH"))
    quantities = [row.quantities for row in view.rows]
    assert [quantity.available for quantity in quantities if quantity] == [Decimal(900), Decimal(5)]


async def test_an_unknown_figure_makes_the_sum_unknown(ask: Ask) -> None:
    view = as_(StockListView, await ask("/stock SKU123 SKU123 SKU124 @仓"))
    assert view.rows[0].quantities is not None
    assert view.rows[0].quantities.on_hand == Decimal(1830)
    assert view.rows[0].quantities.reserved is None


async def test_more_than_eight_products_are_left_out_and_said_so(ask: Ask) -> None:
    view = as_(StockListView, await ask("/stock W-1 W-2 W-3 W-4 W-5 W-6 W-7 W-8 W-9 W-10"))
    assert (len(view.rows), view.left_out, view.limit) == (8, 2, 8)


async def test_nothing_found_offers_the_closest_codes(ask: Ask) -> None:
    answer = await ask("/stock SKU12Z")
    view = as_(NotFoundNotice, answer)
    assert answer.outcome == "not_found"
    assert view.what == "SKU12Z"
    assert lines(view) == ["/stock SKU123", "/stock SKU124", "/stock SKU1234"]
    assert all(str(pick.name).removeprefix(pick.line.split()[-1]).strip() for pick in view.closest), "people see names"


async def test_nothing_alike_offers_nothing(ask: Ask) -> None:
    assert lines(as_(NotFoundNotice, await ask("/stock 飞机"))) == []


async def test_an_erp_that_went_away_shows_the_last_known_figures(ask: Ask, company: Company) -> None:
    await ask("/stock SKU123")
    company.broken = Unavailable("gone")
    view = as_(StockView, await ask("/stock SKU123"))
    assert view.freshness.stale
    assert view.freshness.as_of < NOW
    answer = await ask("/stock SKU124")
    assert answer.outcome == "erp_down"
    assert lines(as_(ErpDownNotice, answer)) == ["/stock SKU124"]


@pytest.mark.parametrize(
    ("line", "spare"),
    [
        ("/stock SKU123 @SH ×500", "400"),
        ("/stock SKU123 @SH ×900件", "0"),
        ("/stock SKU123 @SH *1000个", "-100"),
        ("/stock SKU123 @SH ×5箱", None),
        ("/stock SKU123 @SH ×2千克", None),
    ],
)
async def test_what_is_needed_is_compared_with_what_is_available(ask: Ask, line: str, spare: str | None) -> None:
    """Not with figures that are unknown, nor in another unit: a wrong yes is worse than none."""
    view = as_(StockView, await ask(line))
    assert view.need is not None
    assert view.need.spare == (None if spare is None else Decimal(spare))
    assert view.need.is_met is (spare in {"400", "0"})
    assert view.need.missing == (Decimal(100) if spare == "-100" else None)
    assert view.line == line.replace("*", "×")


async def test_nothing_is_compared_where_nothing_is_said_to_be_needed(ask: Ask) -> None:
    assert as_(StockView, await ask("/stock SKU123")).need is None


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("/stock SKU123 x500", "/stock SKU123 ×500"),
        ("/stock SKU123 X 500 件 @SH", "/stock SKU123 @SH ×500件"),
        ("/stock SKU123 * 2.5", "/stock SKU123 ×2.5"),
        ("/stock SKU123 × 500", "/stock SKU123 ×500"),
    ],
)
async def test_a_quantity_may_be_typed_with_the_letter_of_the_keyboard(ask: Ask, line: str, asked: str) -> None:
    assert as_(StockView, await ask(line)).line == asked


async def test_a_product_that_is_called_like_a_quantity_is_the_product(ask: Ask, company: Company) -> None:
    company.levels = [level(SCREW, place(*SHANGHAI, "2")), level(replace(SCREW, sku="X500"), place(*SHANGHAI, "3"))]
    view = as_(StockListView, await ask("/stock SKU123 x500"))
    assert [row.level.product.sku for row in view.rows if row.level] == ["SKU123", "X500"]


@pytest.mark.parametrize("typed", ["×-5", "×0", "×many"])
async def test_what_is_no_quantity_is_said_to_be_none(ask: Ask, typed: str) -> None:
    said = as_(BadArgumentNotice, await ask(f"/stock SKU123 {typed}"))
    assert f"“{typed}” is no quantity" in str(said.problem)


async def test_the_figures_of_the_warehouse_that_was_asked_for_come_first(ask: Ask) -> None:
    cards = CardRenderer(languages=load_languages())
    asked = as_(StockView, await ask("/stock SKU123 @SZ ×700"))
    body = cards.render(asked, "zh_CN", zone=UTC).body
    place_in_it = [body.index(words) for words in ("**630 pcs**", "700 pcs：不够", "所有仓库", "**1,830 pcs**")]
    assert place_in_it == sorted(place_in_it)
    assert "所有仓库" not in cards.render(as_(StockView, await ask("/stock SKU123")), "zh_CN", zone=UTC).body


@pytest.mark.parametrize("line", ["/stock SKU123 SKU124 ×5", "/stock @SH ×5"])
async def test_enough_is_asked_of_one_product(ask: Ask, line: str) -> None:
    as_(BadArgumentNotice, await ask(line))


async def test_a_choice_keeps_what_is_needed(ask: Ask) -> None:
    offered = lines(as_(ProductChoice, await ask("/stock 螺丝 ×5个")))
    assert offered
    assert [line for line in offered if not line.endswith(" ×5个")] == []


KIT = StockLevel(
    product=Product(sku="KIT-1", name="螺丝套装", unit="套"),
    total=Quantities(on_hand=None, available=Decimal(8)),
    per_warehouse=(),
    reorder_point=None,
    as_of=NOW - timedelta(minutes=5),
    is_kit=True,
)


@each_row(
    ("line", "told", "untold"),
    [
        ("/stock KIT-1", ("Can be put together: 8 套", "A kit:"), ("On hand", "Available")),
        ("/stock KIT-1 ×5", ("5 套: enough", "A kit:"), ("On hand",)),
        ("/stock KIT-1 ×9", ("9 套: not enough", "1 套 short"), ("On hand",)),
        # Where its parts lie nobody told.
        ("/stock KIT-1 @上海仓", ("All warehouses", "Can be put together: 8 套"), ("On hand", "not there")),
        ("/stock KIT-1 ×5 @上海仓", ("cannot be compared",), (": enough", "On hand")),
        ("/stock SKU123 KIT-1", ("available 8 套 · a kit",), ()),
    ],
)
async def test_a_kit_is_told_as_what_its_parts_make(
    ask: Ask, company: Company, line: str, told: tuple[str, ...], untold: tuple[str, ...]
) -> None:
    company.levels = (*(each for each in company.levels if each is not KIT), KIT)
    view = (await ask(line)).view
    assert view is not None
    text = CardRenderer(languages=load_languages()).render(view, "en", zone=UTC).body.replace("**", "")
    assert [part for part in told if part not in text] == []
    assert [part for part in untold if part in text] == []
