"""The first start at a company where much is open already: a few cards, and everything behind their buttons."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy.engine import Connection

from bot.erp.port import Erp, Filter, ListQuery
from bot.kit.company import adapter
from bot.kit.demo import DEMO_ALERTS
from bot.kit.simulator.cards import SimCardView
from bot.settings import AlertSettings
from tests.scenario.alerts.scenario import BUYING, WAREHOUSE, AlertScenario, Clock, open_timeline_in
from tests.scenario.approvals.scenario import ACCOUNTS, APPROVERS, MANAGER, SMALL
from tests.scenario.conftest import KEEPER
from tests.scenario.more_documents import INVOICE, ORDER, PURCHASE, copy_document
from tests.scenario.test_least_disclosure import own_cards
from tests.scenario.traffic import eventually

MOST = 3
"""Cards in each group in the first ten minutes."""

TOLD_ALONE = "已单独发给你。"
"""The note on a group's card where the answer to a tap is for the one who tapped."""


async def add_matters(erp: adapter.DemoErp, count: int) -> None:
    """Let further orders be late, invoices overdue and purchase orders wait, a third of ``count`` each."""
    late = (await erp.orders(ListQuery(filter=Filter.LATE, limit=1))).items[0].number
    overdue = (await erp.invoices(ListQuery(filter=Filter.OVERDUE, limit=1))).items[0].number

    def add(connection: Connection) -> None:
        for number in range(count // 3):
            copy_document(connection, ORDER, late, f"SO-{70_000 + number}")
            copy_document(connection, INVOICE, overdue, f"INV-{70_000 + number}")
            copy_document(connection, PURCHASE, SMALL, f"PO-{70_000 + number}")

    await erp._database.run(add)


async def open_matters(erp: Erp) -> set[str]:
    """Return the numbers of what is late, overdue or waiting in the ERP."""
    found: set[str] = set()
    for read, which in (
        (erp.orders, Filter.LATE),
        (erp.invoices, Filter.OVERDUE),
        (erp.purchase_orders, Filter.PENDING),
        (erp.production_orders, Filter.LATE),
    ):
        page: Any = None
        offset = 0
        while page is None or page.items:
            page = await read(ListQuery(filter=which, offset=offset, limit=50))
            found |= {document.number for document in page.items}
            offset += len(page.items)
    return found


@asynccontextmanager
async def first_start(folder: Path, more: int) -> AsyncIterator[tuple[AlertScenario, set[str]]]:
    """Start the bot for the first time at the demo company with ``more`` open matters; return all open numbers."""
    clock, real = Clock(datetime.now(UTC)), adapter.open_demo
    matters: set[str] = set()

    async def open_busy(*args: Any, **kwargs: Any) -> Erp:
        erp = await real(*args, **kwargs)
        await add_matters(erp, more)
        matters.update(await open_matters(erp))
        return erp

    changes: dict[str, Any] = {
        "access": {
            "directory": True,
            "roles": {"approver": frozenset(APPROVERS)},
            "accounts": {account: {"demo": account} for account in ACCOUNTS},
        },
        "alerts": AlertSettings(rules=DEMO_ALERTS),
        "approvals": {"groups": (BUYING,), "group_cards": "waiting"},
        "poll": {"enabled": True},
        "outbox": {},
    }
    with patch.object(adapter, "open_demo", open_busy):
        async with open_timeline_in(folder, clock=clock, **changes) as scenario:
            await eventually(lambda: answered(scenario), hint=lambda: "the first look")
            await scenario.system.app.approvals.pending_poller.poll()
            for _ in range(20):
                clock.now += timedelta(seconds=30)
                await scenario.settle()
            yield scenario, matters


def answered(scenario: AlertScenario) -> bool:
    """Return whether the ERP was looked through once."""
    with closing(sqlite3.connect(scenario.folder / "demo" / "dingerp.sqlite3", timeout=5)) as connection:
        query = "SELECT count(*) FROM poll_position WHERE good_ms IS NOT NULL"
        return bool(connection.execute(query).fetchone()[0])


async def everything_behind(scenario: AlertScenario, digest: SimCardView, who: str) -> str:
    """Press each button of a digest and turn all pages; return all that was shown, be it on a card of their own."""
    system, shown = scenario.system, []
    for button in [button.text for button in digest.buttons]:
        card = await system.click(digest, button, who)
        is_own = card.markdown == digest.markdown
        if is_own:
            assert (card.title, card.buttons) == (digest.title, digest.buttons)
            assert card.tips.endswith(f"：{TOLD_ALONE}"), "with the name of who tapped"
            card = await own_card(scenario, button, who)
        shown.append(card.title + card.markdown)
        while any(other.text == "下一页" for other in card.buttons):
            card = await system.click(card, "下一页", who)
            shown.append(card.title + card.markdown)
        while any(other.text == "上一页" for other in card.buttons):
            card = await system.click(card, "上一页", who)
        if not is_own:
            await system.click(card, "返回", who)
    return " ".join(shown)


async def own_card(scenario: AlertScenario, about: str, who: str) -> SimCardView:
    """Return the card that this person alone got, once it lists the alerts of this kind."""
    engine = scenario.system.engine

    def found() -> SimCardView | None:
        return next((card for card in own_cards(scenario.system, who) if f"：{about} (" in card.title), None)

    return await engine.wait_for(found, timeout=120)


@pytest.mark.parametrize(
    "more", [0, 60, pytest.param(400, marks=pytest.mark.soak)], ids=["demo company", "60 more", "400 more"]
)
async def test_few_cards_at_the_first_start(more: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with first_start(tmp_path, more) as (scenario, matters):
        found = ""
        for group, who in ((WAREHOUSE, KEEPER), (BUYING, MANAGER)):
            cards = scenario.cards(group, who)
            assert 1 <= len(cards) <= MOST, [card.title for card in cards]
            for card in cards:
                found += await everything_behind(scenario, card, who)
        assert [number for number in sorted(matters) if number not in found] == []
