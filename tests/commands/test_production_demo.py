"""Production by state on the demo company: the same orders as SQL finds in its database."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.chat.message import Conversation, ConversationKind
from bot.erp.hub import ErpHub
from bot.erp.port import Erp
from bot.erp.vendors import open_source
from bot.metrics import Metrics
from commands.mo import ProductionListView
from tests.commands.company import NOW, TODAY
from tests.commands.conftest import Ask, as_

OWN_CHAT = Conversation("cidKeeper==", ConversationKind.DIRECT)
_WEEK = f"finished_on BETWEEN '{TODAY - timedelta(days=6)}' AND '{TODAY}'"
_TO_MAKE = "status NOT IN ('done', 'cancelled')"


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Erp]:
    erp = await open_source("demo", "demo", {}, data_dir=tmp_path, now=lambda: NOW, timeout=10)
    yield erp
    await erp.close()


@pytest.fixture
async def hub(demo: Erp) -> AsyncIterator[ErpHub]:
    hub = ErpHub([demo], metrics=Metrics(), now=lambda: NOW, timeout=10)
    yield hub
    await hub.close()


def found_by_sql(folder: Path, where: str) -> Sequence[str]:
    with closing(sqlite3.connect(folder / "erp-demo.sqlite3")) as database:
        return [number for (number,) in database.execute(f"SELECT number FROM demo_production WHERE {where}")]


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("/mo open", f"{_TO_MAKE} ORDER BY due_on, lower(number)"),
        ("/mo open SKU123", f"{_TO_MAKE} AND sku LIKE '%SKU123%' ORDER BY due_on, lower(number)"),
        (
            "/mo open due this week",
            f"{_TO_MAKE} AND due_on <= '2026-11-08' ORDER BY due_on, lower(number)",
        ),
        ("/mo done", "status = 'done' ORDER BY finished_on DESC, lower(number)"),
        ("/mo done last 7 days", f"status = 'done' AND {_WEEK} ORDER BY finished_on DESC, lower(number)"),
        ("/mo done yesterday", f"finished_on = '{TODAY - timedelta(days=1)}' ORDER BY lower(number)"),
    ],
)
async def test_the_same_orders_as_in_the_database(ask: Ask, tmp_path: Path, line: str, where: str) -> None:
    view = as_(ProductionListView, await ask(line, where=OWN_CHAT, rows=10_000))
    expected = found_by_sql(tmp_path, where)
    assert expected, "nothing is compared"
    assert [row.number for row in view.rows] == list(expected)
    assert view.total == len(expected)


async def test_what_is_finished_was_finished_after_it_began(demo: Erp, tmp_path: Path) -> None:
    await demo.check()
    wrong = f"(status = 'done') <> (finished_on IS NOT NULL) OR finished_on < start_on OR finished_on > '{TODAY}'"
    assert not found_by_sql(tmp_path, wrong)
