"""The doctor says whether the bot knows its organisation, and what a missing contact permission means."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.bootstrap.factories import open_api
from bot.dingtalk.openapi import pooled_session
from bot.doctor.dingtalk import check_app
from bot.doctor.local import check_organisation
from bot.doctor.results import CheckGrade, CheckResult, describe_results
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.server import open_simulator
from bot.mechanisms.metrics import Metrics
from bot.settings import Settings
from bot.store.database import Database
from bot.store.people import StoredOrganisation
from tests.scenario.conftest import system_settings

CONFIG = SimulatorConfig(qps_limit=None)


@dataclass(frozen=True, slots=True)
class IdentityCheckup:
    engine: SimEngine
    settings: Settings

    def with_directory(self, directory: bool | None) -> Settings:
        access = self.settings.access.model_copy(update={"directory": directory})
        return self.settings.model_copy(update={"access": access})

    async def permission(self, directory: bool | None) -> CheckResult | None:
        settings = self.with_directory(directory)
        async with pooled_session() as session:
            api = open_api(settings, session, Metrics())
            found = [result async for result in check_app(settings, session, api)]
        return next((result for result in found if "qyapi_get_member" in str(result.what)), None)


@pytest.fixture
async def checkup(tmp_path: Path) -> AsyncIterator[IdentityCheckup]:
    async with open_simulator(CONFIG) as simulator:
        unknown = {"dingtalk": {"corp_id": ""}, "http": {"public_url": ""}}
        yield IdentityCheckup(simulator.engine, system_settings(CONFIG, simulator.url, tmp_path, unknown))


@pytest.mark.parametrize(("directory", "grade"), [(True, CheckGrade.BAD), (None, CheckGrade.NOTE)])
async def test_a_missing_permission_is_a_defect_only_where_the_directory_is_wanted(
    checkup: IdentityCheckup, directory: bool | None, grade: CheckGrade
) -> None:
    checkup.engine.faults.set("scope_denied", on=True, api="/topapi/v2/user/get")
    found = await checkup.permission(directory)
    assert found is not None
    assert found.grade is grade
    text, remedy = describe_results([found], "en")
    assert "Grant it at " in remedy
    assert ("only people who have written to the bot are obeyed" in text) == (directory is None)


async def test_a_busy_directory_is_not_taken_for_a_missing_permission(checkup: IdentityCheckup) -> None:
    checkup.engine.faults.set("waf", on=True, api="/topapi/v2/user/get")
    found = await checkup.permission(None)
    assert found is not None
    assert found.grade is CheckGrade.BAD
    assert "busy" in str(found.words)


async def test_without_the_directory_its_permission_is_not_looked_at(checkup: IdentityCheckup) -> None:
    assert await checkup.permission(False) is None


async def test_the_organisation_is_unknown_learnt_or_configured(checkup: IdentityCheckup) -> None:
    settings = checkup.settings
    fresh = Database(settings.database)
    await fresh.migrate()
    await fresh.close()
    (unknown,) = await check_organisation(settings)
    assert (unknown.grade, str(unknown.words)) == (CheckGrade.GOOD, "not known yet, the first message will tell")
    database = Database(settings.database)
    await StoredOrganisation(database, settings.dingtalk.client_id).keep("dingcorp", instead=False)
    await database.close()
    (learnt,) = await check_organisation(settings)
    assert (learnt.grade, str(learnt.words)) == (CheckGrade.GOOD, "dingcorp, by the first message")
    dingtalk = settings.dingtalk.model_copy(update={"corp_id": "dingother"})
    (configured,) = await check_organisation(settings.model_copy(update={"dingtalk": dingtalk}))
    assert (configured.grade, str(configured.words)) == (CheckGrade.GOOD, "dingother")


async def test_a_database_that_fails_is_told_of_once(checkup: IdentityCheckup) -> None:
    assert await check_organisation(checkup.settings) == []
