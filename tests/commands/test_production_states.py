"""/mo open and /mo done: what is still to be made, and what was finished when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date

import pytest

from bot.cards.language import load_languages
from bot.cards.renderer import CardRenderer
from bot.cards.view import View
from bot.chat.document_views import view_of_list, view_of_one
from bot.erp.errors import UnknownFinish
from bot.erp.kinds import PRODUCTION_ORDERS
from bot.erp.model import ProductionOrder, ProductionStatus
from tests.commands.company import Company, production
from tests.commands.conftest import Ask, as_, lines

ProductionListView = view_of_list(PRODUCTION_ORDERS)

ProductionView = view_of_one(PRODUCTION_ORDERS)

YESTERDAY, LONG_AGO = date(2026, 11, 4), date(2026, 10, 12)


def _made() -> Iterable[ProductionOrder]:
    late, planned = (
        production("MO-1", "SKU205", "直流电机", "125", late=4),
        production("MO-2", "SKU206", "步进电机", "0"),
    )
    yield replace(late, start_on=date(2026, 10, 20))
    yield replace(planned, status=ProductionStatus.PLANNED, due_on=date(2026, 11, 20), start_on=date(2026, 11, 12))
    for number, finished_on in (("MO-3", LONG_AGO), ("MO-4", YESTERDAY), ("MO-5", None), ("MO-6", YESTERDAY)):
        done = production(number, "SKU206", "步进电机", "200", late=30)
        yield replace(done, status=ProductionStatus.DONE, finished_on=finished_on, start_on=date(2026, 9, 30))
    yield replace(production("MO-7", "SKU205", "直流电机", "0"), status=ProductionStatus.CANCELLED)
    yield replace(production("MO-8", "SKU205", "直流电机", "9", late=9), status=ProductionStatus.ON_HOLD)


@pytest.fixture(autouse=True)
def _productions(company: Company) -> None:
    company.productions = tuple(_made())


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("/mo open", ["MO-8", "MO-1", "MO-2"]),
        ("/生产 未完工", ["MO-8", "MO-1", "MO-2"]),
        ("/mo open 电机", ["MO-8", "MO-1", "MO-2"]),
        ("/mo open SKU206", ["MO-2"]),
        ("/mo open 下周", ["MO-2"]),
        ("/mo open due 11月20日", ["MO-2"]),
        ("/mo late", ["MO-1"]),
        ("/mo done", ["MO-4", "MO-6", "MO-3", "MO-5"]),
        ("/mo done SKU206", ["MO-4", "MO-6", "MO-3", "MO-5"]),
        ("/mo done SKU205", []),
        ("/mo done 昨天", ["MO-4", "MO-6"]),
        ("/生产 已完工 昨天", ["MO-4", "MO-6"]),
        ("/mo 完工 2026-10-12", ["MO-3"]),
        ("/mo done last month", ["MO-3"]),
        ("/mo done 昨天完工", ["MO-4", "MO-6"]),
        ("/mo 昨天完工", ["MO-4", "MO-6"]),
        ("/mo done 今天完工", []),
        ("/mo 明天完工", []),
        ("/mo 11月20日完工", ["MO-2"]),
    ],
)
async def test_the_lists_by_state(ask: Ask, line: str, numbers: list[str]) -> None:
    view = as_(ProductionListView, await ask(line))
    assert (sorted(row.number for row in view.rows), view.total) == (sorted(numbers), len(numbers))


@pytest.mark.parametrize(
    ("line", "title", "again"),
    [
        ("/mo open", "未完工生产订单 (3)", "/mo open"),
        (
            "/mo open 电机 下周",
            "未完工生产订单：电机 · 11月9日至11月15日 开工 (1)",
            "/mo open 电机 2026-11-09..2026-11-15",
        ),
        ("/mo open 明天到期", "未完工生产订单 · 11月6日 应完工 (0)", "/mo open due 2026-11-06"),
        ("/mo done", "已完工生产订单 (4)", "/mo done"),
        ("/mo done 昨天", "已完工生产订单 · 11月4日 完工 (2)", "/mo done 2026-11-04"),
        ("/mo 昨天完工", "已完工生产订单 · 11月4日 完工 (2)", "/mo done 2026-11-04"),
        ("/mo 明天完工", "生产订单 · 11月6日 应完工 (0)", "/mo due 2026-11-06"),
        ("/mo 上个月", "生产订单 · 10月1日至10月31日 开工 (1)", "/mo 2026-10-01..2026-10-31"),
    ],
)
async def test_the_head_says_what_the_days_mean(ask: Ask, line: str, title: str, again: str) -> None:
    view = as_(ProductionListView, await ask(line))
    shown = CardRenderer(languages=load_languages()).render(view, "zh_CN", zone=UTC)
    assert (shown.title.replace("\u2060", ""), view.line) == (title, again)


async def test_a_row_tells_when_it_was_finished(ask: Ask) -> None:
    body = body_of(as_(ProductionListView, await ask("/mo done")))
    assert "11月4日 完工" in body
    assert "计划完工" not in body
    assert "计划完工" in body_of(as_(ProductionListView, await ask("/mo open")))


async def test_the_card_tells_when_it_was_finished(ask: Ask) -> None:
    assert "完工日期：2026年11月4日" in body_of(as_(ProductionView, await ask("/mo MO-4")))
    assert "完工日期" not in body_of(as_(ProductionView, await ask("/mo MO-1")))


async def test_a_file_has_both_days(ask: Ask) -> None:
    table = as_(ProductionListView, await ask("/mo done 昨天")).table()
    assert table is not None
    row = dict(zip(map(str, table.headings), table.rows[0], strict=True))
    assert (row["Planned finish"], row["Finished on"]) == (date(2026, 10, 6), YESTERDAY)
    assert "/export mo done 2026-11-04" in lines((await ask("/mo done 昨天")).view)


async def test_an_erp_that_does_not_tell_the_days_is_named(ask: Ask, company: Company) -> None:
    company.broken = UnknownFinish("no days of finishing here")
    answer = await ask("/mo done 昨天")
    assert "不提供生产的实际完工日期" in body_of(answer.view)


def body_of(view: View) -> str:
    """Return a card's text, without the signs that keep days in one line."""
    return CardRenderer(languages=load_languages()).render(view, "zh_CN", zone=UTC).body.replace("\u2060", "")
