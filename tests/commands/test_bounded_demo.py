"""Lists within amounts on the demo company: the same documents as SQL finds in its database."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.chat.message import Conversation, ConversationKind
from bot.chat.view_parts import DocumentListView
from bot.erp.hub import ErpHub
from bot.erp.listing import BILLS, INVOICES, PAYMENTS, PURCHASE_ORDERS, SALES_ORDERS
from bot.erp.port import Erp, ListQuery
from bot.erp.vendors import open_source
from bot.metrics import Metrics
from tests.commands.company import NOW, TODAY
from tests.commands.conftest import Ask, as_
from tests.read_model.memory_documents import MemoryDocuments

OWN_CHAT = Conversation("cidKeeper==", ConversationKind.DIRECT)
_A_YUAN = 1_000_000
"""The database keeps amounts as whole numbers of millionths."""
_OPEN = "status IN ('unpaid', 'part_paid')"


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


@pytest.fixture
async def kept(demo: Erp) -> MemoryDocuments:
    documents: list[Any] = []
    for kind in (SALES_ORDERS, INVOICES, PURCHASE_ORDERS, BILLS, PAYMENTS):
        documents += (await demo.documents(kind, ListQuery(limit=100_000))).items
    return MemoryDocuments(NOW, documents, source="demo")


def found_by_sql(folder: Path, table: str, where: str) -> Sequence[str]:
    with closing(sqlite3.connect(folder / "erp-demo.sqlite3")) as database:
        return [number for (number,) in database.execute(f"SELECT number FROM demo_{table} WHERE {where}")]


@pytest.mark.parametrize(
    ("line", "table", "where"),
    [
        ("/order >100000", "order", f"total > {100_000 * _A_YUAN}"),
        ("/order 宏达 >20000", "order", f"customer LIKE '%宏达%' AND total > {20_000 * _A_YUAN}"),
        (
            "/order >20000 2026-10",
            "order",
            f"total > {20_000 * _A_YUAN} AND ordered_on BETWEEN '2026-10-01' AND '2026-10-31'",
        ),
        ("/order 李娜 >50000", "order", f"salesperson = '李娜' AND total > {50_000 * _A_YUAN}"),
        (
            "/invoice overdue >10000",
            "invoice",
            f"{_OPEN} AND open_amount > 0 AND due_on < '{TODAY}' AND NOT is_credit_note AND total > {10_000 * _A_YUAN}",
        ),
        (
            "/invoice open 余额>=10000",
            "invoice",
            f"{_OPEN} AND NOT is_credit_note AND open_amount >= {10_000 * _A_YUAN}",
        ),
        ("/bill open <5000", "bill", f"{_OPEN} AND (is_credit_note OR total < {5_000 * _A_YUAN})"),
        ("/po pending >30000", "purchase", f"status = 'waiting' AND total > {30_000 * _A_YUAN}"),
        ("/po 一万到五万", "purchase", f"total BETWEEN {10_000 * _A_YUAN} AND {50_000 * _A_YUAN}"),
        ("/payment received >10000", "payment", f"direction = 'received' AND amount > {10_000 * _A_YUAN}"),
    ],
)
async def test_the_same_documents_as_in_the_database(
    ask: Ask, tmp_path: Path, line: str, table: str, where: str
) -> None:
    line = line.replace("2026-10", "2026-10-01..2026-10-31")
    view = as_(DocumentListView, await ask(line, where=OWN_CHAT, rows=10_000))
    expected = found_by_sql(tmp_path, table, where)
    assert expected, "nothing is compared"
    assert sorted(row.number for row in view.rows) == sorted(expected)
    assert view.total == len(expected)
