"""Figures by the API: each route is a line of the chat, and a word is never taken for something else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from bot.chat.registry import Commands
from bot.web.api.figures import FIGURES
from tests.rows import each_row
from tests.scenario.conftest import BotSystem
from tests.scenario.test_api import Door, opened
from tests.scenario.test_api_documents import fits


@pytest.fixture
async def door(system: BotSystem) -> AsyncIterator[Door]:
    async with opened(system) as door:
        await door.key()
        yield door


ASKED: tuple[tuple[str, str, Mapping[str, str], str], ...] = (
    ("/stock/{product}", "/stock/SKU123", {}, "/stock SKU123"),
    ("/stock/{product}", "/stock/SKU123", {"warehouse": "上海仓", "needed": "500"}, "/stock SKU123 @上海仓 ×500"),
    ("/stock", "/stock", {"warehouse": "上海仓"}, "/stock @上海仓"),
    ("/product/{product}", "/product/SKU123", {}, "/product SKU123"),
    ("/price/{product}", "/price/SKU123", {"customer": "宏达"}, "/price SKU123 宏达"),
    ("/promise/{product}", "/promise/SKU123", {"quantity": "500", "by": "next week"}, "/promise SKU123 ×500 next week"),
    ("/arrivals", "/arrivals", {}, "/arrivals"),
    ("/arrivals", "/arrivals", {"days": "this month"}, "/arrivals this month"),
    ("/shortage", "/shortage", {}, "/shortage"),
    ("/shortage", "/shortage", {"warehouse": "上海仓"}, "/shortage @上海仓"),
    ("/find", "/find", {"text": "宏达"}, "/find 宏达"),
    ("/report", "/report", {}, "/report"),
    ("/report", "/report", {"period": "week"}, "/report week"),
    ("/report", "/report", {"period": "last month"}, "/report last month"),
    (
        "/compare",
        "/compare",
        {"one": "SKU123", "other": "SKU124", "days": "last month"},
        "/compare SKU123 vs SKU124 last month",
    ),
    ("/compare", "/compare", {"days": "last month", "other_days": "this month"}, "/compare last month this month"),
    ("/why/{number}", "/why/SO-1001", {}, "/why SO-1001"),
    ("/why/{number}", "/why/PO-1001", {}, "/why PO-1001"),
)
"""By each route what is asked of it, and what people type for the same."""


def test_each_route_is_asked() -> None:
    assert {each.path for each in FIGURES} == {path for path, *_ in ASKED}
    assert {each.command for each in FIGURES} <= {*Commands.discover()}


@each_row("route,path,query,line", ASKED)
async def test_a_route_answers_what_the_line_would(
    route: str, path: str, query: dict[str, str], line: str, door: Door
) -> None:
    told = await door.client.get(path, **query, language="en")
    assert told.status == 200, told.body
    assert fits(told, route) == []
    chat = await door.client.ask(line, language="en", limit=50)
    assert chat.body["outcome"] == "answered"
    assert chat.body["asked"].replace('"', "") == told.body["line"].replace('"', "")
    assert _timeless(told.view) == _timeless(chat.view)


def _timeless(view: dict[str, Any]) -> dict[str, Any]:
    """Return a view without what differs with the time and the length of an answer."""
    return {name: value for name, value in view.items() if name not in {"freshness", "coverage", "rows"}}


@each_row(
    "path,query,says",
    [
        ("/stock/SKU123", {"needed": "0"}, ["needed"]),
        ("/stock/SKU123", {"needed": "-1"}, ["needed"]),
        ("/stock/SKU123", {"warehouse": "上海仓", "needed": "1e3"}, ["needed"]),
        ("/stock", {}, ["warehouse"]),
        ("/promise/SKU123", {}, ["quantity"]),
        ("/promise/SKU123", {"quantity": "5", "by": "soon"}, ["quantity", "by"]),
        ("/arrivals", {"text": "today"}, ["text"]),
        ("/report", {"period": "宏达"}, ["period"]),
        ("/find", {"text": " "}, ["text"]),
        ("/shortage", {"sku": "SKU123"}, ["sku"]),
    ],
)
async def test_what_would_be_read_otherwise_is_refused(
    path: str, query: dict[str, str], says: list[str], door: Door
) -> None:
    told = await door.client.get(path, **query)
    assert (told.status, [each["parameter"] for each in told.body["errors"]]) == (422, says)


@each_row(
    "path,query,status",
    [
        ("/stock/NOTHING-1", {}, 404),
        ("/stock/螺", {}, 409),
        ("/product/best", {}, 422),
        ("/stock", {"warehouse": "Nowhere"}, 404),
        ("/why/NOTHING-1", {}, 404),
        ("/stock/@", {}, 422),
        ("/compare", {"one": "last month", "other": "this month"}, 404),
    ],
)
async def test_what_is_not_there_is_no_zero(path: str, query: dict[str, str], status: int, door: Door) -> None:
    told = await door.client.get(path, **query)
    assert (told.status, "view" in told.body) == (status, False), told.body


@each_row("path,query", [("/stock", {"warehouse": "上海仓"}), ("/arrivals", {}), ("/shortage", {})])
async def test_parts_of_a_list_are_the_whole_of_it(path: str, query: dict[str, str], door: Door) -> None:
    rows = await _walk(door, path, query, limit="23")
    assert len(rows) > 23
    assert rows == await _walk(door, path, query, limit="100")


async def _walk(door: Door, path: str, query: dict[str, str], *, limit: str) -> list[Any]:
    """Return the rows of a whole list, asked for part by part."""
    rows, cursor = list[Any](), dict[str, str]()
    while True:
        told = await door.client.get(path, **query, limit=limit, **cursor)
        assert told.status == 200, told.body
        rows += told.view["rows"]
        if told.body["next"] is None:
            return rows
        cursor = {"cursor": told.body["next"]}
