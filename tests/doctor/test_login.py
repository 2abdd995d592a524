"""What the login to the pages needs of the console is checked, or said where nothing can check it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap.factories import open_api
from bot.dingtalk.openapi import pooled_session
from bot.doctor.dingtalk import check_app
from bot.doctor.results import CheckGrade, CheckResult
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import open_simulator
from bot.mechanisms.metrics import Metrics
from tests.scenario.conftest import system_settings

CONFIG = SimulatorConfig(qps_limit=None)
URL = "https://bot.company.example"


async def checked(folder: Path, changes: Mapping[str, Any], denied: str = "") -> dict[str, CheckResult]:
    """Return what doctor says of DingTalk, by the names of its checks."""
    async with open_simulator(CONFIG) as simulator, pooled_session() as session:
        if denied:
            simulator.engine.faults.set("scope_denied", on=True, api=denied)
        settings = system_settings(CONFIG, simulator.url, folder, changes)
        api = open_api(settings, session, Metrics())
        return {str(found.what): found async for found in check_app(settings, session, api)}


async def test_the_redirect_url_is_said(tmp_path: Path) -> None:
    found = await checked(tmp_path, {"http": {"public_url": URL}})
    assert f"{URL}/login/callback" in str(found["Login to the pages"].words)


@pytest.mark.parametrize(
    ("changes", "call", "scope"),
    [
        ({}, "/topapi/v2/user/getuserinfo", "qyapi_base"),
        ({"access": {"directory": False}}, "/topapi/user/getbyunionid", "qyapi_get_member"),
    ],
)
async def test_a_permission_that_the_login_lacks_is_found(
    changes: Mapping[str, Any], call: str, scope: str, tmp_path: Path
) -> None:
    found = await checked(tmp_path, {"http": {"public_url": URL}, **changes}, denied=call)
    assert found[f"Permission point {scope}"].grade is CheckGrade.BAD


@pytest.mark.parametrize("changes", [{"http": {"public_url": ""}}, {"pages": {"enabled": False}}])
async def test_without_pages_nothing_is_asked_of_the_console(changes: Mapping[str, Any], tmp_path: Path) -> None:
    found = await checked(tmp_path, changes)
    assert not {"Login to the pages", "Permission point qyapi_base"} & found.keys()
