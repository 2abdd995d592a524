"""Lists in shared tables, of the whole bot: each shows what its owner may see; an edit is decided once, by a tap."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from bot.access.audit import AuditKind
from bot.approvals.case import CaseState
from bot.bootstrap import services
from bot.bootstrap.sheets import sheets_of
from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.notable import SimTable
from bot.kit.simulator.server import RunningSimulator
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.settings import RuleSettings, Settings, SheetSettings
from bot.words.disclosure import FieldClass
from bot.words.errors import ConfigurationError
from tests.rows import each_row
from tests.scenario import test_gate
from tests.scenario.approvals.scenario import (
    BOSS,
    MANAGER,
    SMALL,
    OpenApprovalScenario,
    open_approval_scenario,
)
from tests.scenario.conftest import BotSystem, OpenSystem
from tests.scenario.test_audit import log_of
from tests.scenario.test_proposals import NO, YES, answers
from tests.scenario.traffic import eventually

__all__ = ["open_approval_scenario"]

BASE, CLERK = "base1", "sales01"
KEY, STATUS, DECISION = "行标识", "处理结果", "审批意见"
EDITS = {DECISION: {"同意": "/approve {number}", "*": "/reject {number} {value}"}}
APPROVE = f"/approve {SMALL}"
CONFIG = SimulatorConfig(qps_limit=None)


def sheet(owner: str, **more: Any) -> SheetSettings:
    """Return a sheet of somebody that is refreshed all the time; it is called as they are."""
    wanted = {"base": BASE, "sheet": owner, "owner": owner, "line": "/po", "shared": True, **more}
    return SheetSettings.model_validate(wanted).model_copy(update={"every": 0.002})


def table_of(engine: SimEngine, owner: str) -> SimTable:
    """Make the table of somebody, which they alone may edit."""
    return engine.tables.add(BASE, owner, editors=[engine.person(owner).union_id])


def rows(table: SimTable) -> dict[str, dict[str, str]]:
    """Return the bot's rows by their keys."""
    return {cells[KEY]: cells for cells in table.records.values() if cells.get(KEY)}


def row_of(table: SimTable, number: str) -> dict[str, str]:
    return next((cells for key, cells in rows(table).items() if key.endswith(number)), {})


def write(engine: SimEngine, table: SimTable, number: str, text: str) -> None:
    """Write into the cell for edits of a document, as a person in the client."""
    record = next(name for name, cells in table.records.items() if cells.get(KEY, "").endswith(number))
    engine.tables.update(table, {record: {DECISION: text}})


async def shown(table: SimTable) -> None:
    await eventually(lambda: rows(table), hint=lambda: table.render())


async def status(table: SimTable, text: str) -> None:
    """Wait until the row of the order says what became of its edit."""
    await eventually(lambda: text in row_of(table, SMALL).get(STATUS, ""), hint=lambda: row_of(table, SMALL))


async def card_of(system: BotSystem, line: str = APPROVE) -> SimCardView:
    """Return the card by which the owner decides on a line."""
    return await test_gate.card_of(system, MANAGER, line, YES)


async def test_the_rows_of_two_readers_differ_as_their_rights_do(open_system: OpenSystem) -> None:
    rules = (
        RuleSettings.model_validate({"commands": ["order"], "people": [BOSS], "fields": ["amount"]}),
        RuleSettings.model_validate({"commands": ["order"], "people": [CLERK], "fields": []}),
    )
    async with simulator_running(CONFIG) as simulator:
        people = (BOSS, CLERK, "keeper01")
        boss, clerk, keeper = (table_of(simulator.engine, person) for person in people)
        sheets = {person: sheet(person, line="/order") for person in people}
        async with open_system(simulator=simulator, sheets=sheets, access={"rules": rules}) as system:
            await asyncio.gather(shown(boss), shown(clerk))
            done = partial(system.count, "sheet_rounds_total", sheet="keeper01", outcome="done")
            await eventually(done, hint=lambda: keeper.render())
            chat = await system.ask("/order", where=system.engine.direct(CLERK).id, who=CLERK)
    assert rows(boss).keys() == rows(clerk).keys()
    assert not rows(keeper), "no rule lets them see orders"
    seen, cut = ({cells["金额"] for cells in rows(table).values()} for table in (boss, clerk))
    assert cut == {"🔒"}
    assert all(Decimal(amount) for amount in seen), "figures are exact text"
    assert "🔒" in chat.markdown, "the chat hides the same"


async def test_a_refresh_is_recorded_by_what_it_shows_anew(open_system: OpenSystem) -> None:
    async with simulator_running(CONFIG) as simulator:
        table = table_of(simulator.engine, CLERK)
        async with open_system(simulator=simulator, sheets={"orders": sheet(CLERK, line="/order")}) as system:
            done = partial(system.count, "sheet_rounds_total", sheet="orders", outcome="done")
            await eventually(lambda: done() >= 3, hint=done)
    kept, _ = await log_of(system)
    found = [(line.entry.kind, line.entry.action, len(line.entry.documents)) for line in kept if line.entry.documents]
    assert found == [(AuditKind.EXPORT, "sheet orders", len(rows(table)))]
    assert FieldClass.AMOUNT in next(line.entry for line in kept if line.entry.documents).shown


async def test_an_owner_who_leaves_takes_the_rows_along(open_system: OpenSystem) -> None:
    async with simulator_running(CONFIG) as simulator:
        table = simulator.engine.tables.add(BASE, CLERK, editors=[simulator.engine.person(BOSS).union_id])
        wanted = sheet(CLERK, line="/order", operator=BOSS)
        access = {"directory": True}
        async with open_system(simulator=simulator, sheets={"orders": wanted}, access=access) as system:
            await shown(table)
            system.engine.dismiss(CLERK)
            await eventually(lambda: not rows(table), hint=lambda: table.render())


@pytest.fixture
async def simulator() -> Any:
    async with simulator_running(CONFIG) as running:
        yield running


async def test_an_edit_is_one_card_that_is_decided_once(
    open_approval_scenario: OpenApprovalScenario, simulator: RunningSimulator
) -> None:
    table = table_of(simulator.engine, MANAGER)
    sheets = {"orders": sheet(MANAGER, edits=EDITS)}
    async with open_approval_scenario(SMALL, simulator=simulator, sheets=sheets) as scenario:
        await shown(table)
        write(simulator.engine, table, SMALL, "同意")
        card = await card_of(scenario.system)
        assert "共享表格" in f"{card.title} {card.markdown}"
        await status(table, "已交给表格负责人决定")
        assert (await scenario.case(SMALL)).state is CaseState.OPEN, "nothing is done before the tap"
        done = partial(scenario.system.count, "sheet_rounds_total", sheet="orders", outcome="done")
        rounds = done()
        await eventually(lambda: done() >= rounds + 3, hint=done)
        assert len(answers(scenario.system, MANAGER, APPROVE)) == 1, "further rounds ask no more"
        await asyncio.gather(*(scenario.system.press(card, YES, MANAGER) for _ in range(2)))
        await scenario.settle()
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert len(await scenario.erp.decisions(SMALL)) == 1
        await status(table, "负责人已同意执行")
        assert row_of(table, SMALL)[DECISION] == "同意", "what people wrote stays"


async def test_what_the_owner_leaves_is_not_done(
    open_approval_scenario: OpenApprovalScenario, simulator: RunningSimulator
) -> None:
    table = table_of(simulator.engine, MANAGER)
    async with open_approval_scenario(
        SMALL, simulator=simulator, sheets={"orders": sheet(MANAGER, edits=EDITS)}
    ) as scenario:
        await shown(table)
        write(simulator.engine, table, SMALL, "太贵 /approve PO-1")
        line = f'/reject {SMALL} "太贵 /approve PO-1"'
        await scenario.system.press(await card_of(scenario.system, line), NO, MANAGER)
        await status(table, "负责人没有同意")
        await scenario.settle()
        assert not await scenario.erp.decisions(SMALL)


async def test_a_bot_that_is_killed_after_the_tap_decides_once_when_it_starts_again(
    open_approval_scenario: OpenApprovalScenario, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_of(simulator.engine, MANAGER)
    sheets = {"orders": sheet(MANAGER, edits=EDITS)}
    with monkeypatch.context() as dying:
        dying.setattr(services, "answer_typed", lambda *_: None)
        async with open_approval_scenario(SMALL, simulator=simulator, sheets=sheets) as scenario:
            await shown(table)
            write(simulator.engine, table, SMALL, "同意")
            await scenario.system.press(await card_of(scenario.system), YES, MANAGER)
            assert not await scenario.erp.decisions(SMALL)
    async with open_approval_scenario(SMALL, simulator=simulator, sheets=sheets) as scenario:
        await status(table, "负责人已同意执行")
        await scenario.settle()
        assert len(await scenario.erp.decisions(SMALL)) == 1


@each_row(
    "changes, said",
    [
        ({"shared": False}, "sheets.orders.shared: set it to true"),
        ({"line": "/approve PO-1"}, "is no line of a list"),
        ({"line": "order late"}, "is no line of a list"),
        ({"line": "/export order"}, "is no line of a list"),
        ({"edits": {"A": {"*": "/order {number}"}}}, "sheets.orders.edits.A.*"),
    ],
)
def test_settings_that_cannot_be_meant(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        sheets_of(Settings(sheets={"orders": sheet(BOSS, **changes)}))
    assert said in wrong.value.detail
