"""The doctor says where nobody could decide what waits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.doctor.local import check_deciders
from bot.doctor.results import CheckGrade
from bot.kit.simulator.config import SimulatorConfig
from bot.settings import Settings
from tests.scenario.conftest import system_settings

APPROVER = {"approver": frozenset({"boss01"})}
ACCOUNTS = {"boss01": {"demo": "boss"}}


def settings_with(folder: Path, access: dict[str, Any], account: str = "") -> Settings:
    settings = system_settings(SimulatorConfig(), "http://localhost:1", folder, {})
    rights = settings.access.model_copy(update={"roles": {}, "accounts": {}, **access})
    approvals = settings.approvals.model_copy(update={"technical_account": account})
    return settings.model_copy(update={"access": rights, "approvals": approvals})


async def test_approvers_without_an_account_are_told(tmp_path: Path) -> None:
    (result,) = await check_deciders(settings_with(tmp_path, {"roles": APPROVER}))
    assert result.grade is CheckGrade.NOTE
    assert "demo" in str(result.words)
    assert result.remedy is not None


async def test_one_with_an_account_is_enough(tmp_path: Path) -> None:
    (result,) = await check_deciders(settings_with(tmp_path, {"roles": APPROVER, "accounts": ACCOUNTS}))
    assert result.grade is CheckGrade.GOOD


@pytest.mark.parametrize(("access", "account"), [({}, ""), ({"roles": APPROVER}, "bot")])
async def test_nothing_is_said_where_it_does_not_matter(tmp_path: Path, access: dict[str, Any], account: str) -> None:
    assert await check_deciders(settings_with(tmp_path, access, account)) == []
