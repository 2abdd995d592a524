"""The files of a used installation tell nothing of what was asked, answered, reported and decided."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from bot.kit.simulator.chat import SimDelivery
from bot.kit.simulator.engine import SimEngine
from tests.alerts.intake.samples import cloud_event
from tests.scenario.approvals.scenario import (
    BOSS,
    LARGE,
    MANAGER,
    SMALL,
    YES,
    DemoApprovalScenario,
    OpenApprovalScenario,
    open_approval_scenario,
)
from tests.scenario.test_run import prices, remember_secrets

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

LINES = (
    "/order SO-1001",
    "/invoice INV-7",
    f"/po {SMALL}",
    "/stock SKU123",
    "那个很急的订单怎么样了",
)
GENERAL = "/invoice overdue"
"""It names nothing and nobody: the audit log keeps it."""
REASON = "价格太高，请重新询价"


def shown_texts(engine: SimEngine) -> str:
    """Return the text of all cards, as their readers see them."""
    cards = [
        item.card.view_for(member).markdown
        for place in engine.chat.conversations.values()
        for item in place.items
        if isinstance(item, SimDelivery)
        for member in place.members
    ]
    return " ".join(cards)


def found_in(folder: Path, words: Iterable[str]) -> set[str]:
    """Return the words that stand in a file of the bot, plain or as JSON escapes them.

    The demo company is an ERP, which has files of its own beside them.
    """
    files = [file.read_bytes() for file in folder.iterdir() if not file.name.startswith("erp-")]
    return {
        word
        for word in words
        for form in (word, json.dumps(word).strip('"'))
        if any(form.encode() in content for content in files)
    }


async def use(scenario: DemoApprovalScenario) -> None:
    """Ask, decide one order each way, and report an event."""
    for line in (*LINES, GENERAL):
        await scenario.ask(line, MANAGER)
    await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
    await scenario.ask(f"/reject {LARGE} {REASON}", BOSS)
    data = {
        "number": "SHOWN-1",
        "customer": "远山贸易",
        "amount": "98765.43",
        "currency": "CNY",
        "due_on": "2026-10-31",
    }
    reports = [cloud_event(id=f"E-{n}", type="invoice.overdue", subject="SHOWN-1", data=data) for n in (1, 2)]
    await scenario.system.app.alerts.intake.accept("erp", [*reports, {"id": "E-3", "note": REASON}], via="webhook")
    await scenario.settle()


@pytest.mark.parametrize("stopped", [True, False], ids=["stopped", "running"])
async def test_no_file_tells_a_price_a_partner_a_message_or_a_key(
    open_approval_scenario: OpenApprovalScenario, tmp_path: Path, stopped: bool
) -> None:
    data = tmp_path / "demo"
    async with open_approval_scenario(SMALL, LARGE) as scenario:
        engine = scenario.system.engine
        handed = remember_secrets(engine)
        await use(scenario)
        order = await scenario.erp.inner.purchase_order(SMALL)
        sale = await scenario.erp.inner.order("SO-1001")
        amounts = prices(shown_texts(engine))
        if not stopped:
            data = Path(shutil.copytree(data, tmp_path / "copied"))
    assert len(amounts) > 5
    assert len(handed) > len(LINES)
    words = {*amounts, *handed, *LINES, order.vendor, sale.customer, REASON, "远山贸易", "98765.43"}
    assert found_in(data, words) == set()
    assert found_in(data, {SMALL, MANAGER, "SHOWN-1", GENERAL}) == {SMALL, MANAGER, "SHOWN-1", GENERAL}, (
        "numbers and ids are searched for, and general lines counted"
    )
    assert sorted(file.name for file in data.iterdir() if file.name.startswith("dingerp")) == (
        ["dingerp.key", "dingerp.sqlite3", "dingerp.sqlite3.owner"]
        if stopped
        else ["dingerp.key", *(f"dingerp.sqlite3{suffix}" for suffix in ("", "-shm", "-wal", ".owner"))]
    )
