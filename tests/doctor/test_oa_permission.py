"""The doctor checks the permission of DingTalk's own approvals where they are used, and starts no approval."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.bootstrap.factories import open_api
from bot.dingtalk.openapi import pooled_session
from bot.doctor.dingtalk import check_app
from bot.doctor.results import CheckGrade, CheckResult, describe_results
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.server import open_simulator
from bot.mechanisms.metrics import Metrics
from bot.settings import OaSettings, Settings
from tests.scenario.conftest import system_settings

CONFIG = SimulatorConfig(qps_limit=None)
POINT, READ = "Permission point Workflow.Instance.Write", "Permission point Workflow.Instance.Read"


class PermissionScenario:
    """A simulated DingTalk and a bot's settings."""

    def __init__(self, engine: SimEngine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings

    async def findings(self, process: str = "PROC-1") -> list[CheckResult]:
        native = OaSettings.model_validate({"process": process})
        approvals = self.settings.approvals.model_copy(update={"native": native})
        settings = self.settings.model_copy(update={"approvals": approvals})
        async with pooled_session() as session:
            api = open_api(settings, session, Metrics())
            return [result async for result in check_app(settings, session, api)]

    async def finding(self) -> CheckResult:
        (found,) = [result for result in await self.findings() if str(result.what) == POINT]
        return found


@pytest.fixture
async def scenario(tmp_path: Path) -> AsyncIterator[PermissionScenario]:
    async with open_simulator(CONFIG) as simulator:
        yield PermissionScenario(simulator.engine, system_settings(CONFIG, simulator.url, tmp_path, {}))


async def test_it_is_granted_and_no_approval_is_started(scenario: PermissionScenario) -> None:
    grades = {str(result.what): result.grade for result in await scenario.findings()}
    assert (grades[POINT], grades[READ]) == (CheckGrade.GOOD, CheckGrade.GOOD)
    assert not scenario.engine.approvals._instances


async def test_it_is_missing_and_the_remedy_says_where_to_grant_it(scenario: PermissionScenario) -> None:
    scenario.engine.faults.set("scope_denied", on=True, api="/v1.0/workflow/processInstances")
    found = await scenario.finding()
    assert found.grade is CheckGrade.BAD
    text, remedy = describe_results([found], "en")
    assert text.endswith(
        "not granted; it is needed for: deciding in DingTalk's own approvals as well (the console calls it “OA 审批”)"
    )
    assert "Workflow.Instance.Write" in remedy
    assert remedy.endswith("and publish the app again.")


async def test_nobody_is_asked_for_it_who_does_not_use_them(scenario: PermissionScenario) -> None:
    assert {POINT, READ}.isdisjoint(str(result.what) for result in await scenario.findings(""))
