"""The doctor checks what to-dos need where they are used, and creates none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap.factories import open_api
from bot.dingtalk.openapi import pooled_session
from bot.doctor.dingtalk import check_app
from bot.doctor.results import CheckGrade
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.server import open_simulator
from bot.mechanisms.metrics import Metrics
from bot.settings import AccessSettings, NotifySettings, Settings
from tests.scenario.conftest import system_settings

CONFIG = SimulatorConfig(qps_limit=None)
WRITE, READ, MEMBERS = (
    f"Permission point {name}" for name in ("Todo.Todo.Write", "Todo.Todo.Read", "qyapi_get_member")
)


class TodoPermissions:
    """A simulated DingTalk and a bot's settings."""

    def __init__(self, engine: SimEngine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings

    async def grades(self, *, todo: bool = True, **access: Any) -> dict[str, CheckGrade]:
        changes: dict[str, Any] = {"notify": NotifySettings.model_validate({"todo": todo})}
        if access:
            changes["access"] = AccessSettings.model_validate(access)
        settings = self.settings.model_copy(update=changes)
        async with pooled_session() as session:
            api = open_api(settings, session, Metrics())
            return {str(one.what): one.grade async for one in check_app(settings, session, api)}


@pytest.fixture
async def permissions(tmp_path: Path) -> AsyncIterator[TodoPermissions]:
    async with open_simulator(CONFIG) as simulator:
        yield TodoPermissions(simulator.engine, system_settings(CONFIG, simulator.url, tmp_path, {}))


async def test_they_are_granted_and_nobody_gets_a_todo(permissions: TodoPermissions) -> None:
    grades = await permissions.grades()
    assert (grades[WRITE], grades[READ], grades[MEMBERS]) == (CheckGrade.GOOD,) * 3
    assert list(permissions.engine.todos) == []


async def test_a_rule_that_wants_todos_needs_them_too(permissions: TodoPermissions) -> None:
    rules = '[[rules]]\nname = "all"\nlevels = [{any = ["role:approver"]}]\ntodo = true\n'
    file = permissions.settings.approval_rules[-1]
    file.parent.mkdir(exist_ok=True)
    file.write_text(rules)
    assert {WRITE, READ, MEMBERS} <= (await permissions.grades(todo=False)).keys()


async def test_what_is_missing_is_found(permissions: TodoPermissions) -> None:
    permissions.engine.faults.set("scope_denied", on=True)
    grades = await permissions.grades(directory=False)
    assert (grades[WRITE], grades[READ], grades[MEMBERS]) == (CheckGrade.BAD,) * 3


async def test_nobody_is_asked_for_them_who_does_not_use_them(permissions: TodoPermissions) -> None:
    assert {WRITE, READ}.isdisjoint(await permissions.grades(todo=False))
