"""The doctor checks what shared tables need where there are some, and changes none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.bootstrap.factories import open_api
from bot.dingtalk.openapi import pooled_session
from bot.doctor.dingtalk import check_app
from bot.doctor.results import CheckGrade, CheckResult
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.server import open_simulator
from bot.mechanisms.metrics import Metrics
from bot.settings import SheetSettings
from tests.scenario.conftest import system_settings

CONFIG = SimulatorConfig(qps_limit=None)
CLERK = "sales01"
READ, WRITE, MEMBERS = (
    f"Permission point {name}" for name in ("Notable.Base.Read.All", "Notable.Base.Write.All", "qyapi_get_member")
)
TABLE = "Shared table orders"


async def checked(folder: Path, prepare: Any = None, **more: Any) -> dict[str, CheckResult]:
    """Return the results of the doctor for a bot with one shared table."""
    async with open_simulator(CONFIG) as simulator:
        engine: SimEngine = simulator.engine
        table = engine.tables.add("base1", "Orders", editors=[engine.person(CLERK).union_id])
        before = table.render()
        if prepare is not None:
            prepare(engine)
        wanted = {"base": "base1", "sheet": "Orders", "owner": CLERK, "line": "/order", "shared": True, **more}
        sheets = {"orders": SheetSettings.model_validate(wanted)}
        settings = system_settings(CONFIG, simulator.url, folder, {}).model_copy(update={"sheets": sheets})
        async with pooled_session() as session:
            api = open_api(settings, session, Metrics())
            found = {str(one.what): one async for one in check_app(settings, session, api)}
        assert table.render() == before
        return found


async def test_all_is_there(tmp_path: Path) -> None:
    found = await checked(tmp_path)
    assert [found[what].grade for what in (READ, WRITE, MEMBERS, TABLE)] == [CheckGrade.GOOD] * 4


async def test_permissions_that_are_missing_are_named(tmp_path: Path) -> None:
    found = await checked(tmp_path, lambda engine: engine.faults.set("scope_denied", on=True))
    assert [found[what].grade for what in (READ, WRITE)] == [CheckGrade.BAD] * 2


async def test_a_table_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    for more, said in (
        ({"base": "other"}, "no such AI table"),
        ({"operator": "keeper01"}, "may not edit"),
        ({"operator": "nobody"}, "is no member"),
    ):
        found = (await checked(tmp_path, **more))[TABLE]
        assert found.grade is CheckGrade.BAD
        assert said in str(found.words)
