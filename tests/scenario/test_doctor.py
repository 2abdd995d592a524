"""``dingerp doctor`` with one defect of DingTalk or the environment after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.doctor import CheckGrade, run_checks
from bot.settings import ErpSettings, Settings
from bot.simulator.config import SimulatorConfig
from bot.simulator.engine import SimEngine
from bot.simulator.server import open_simulator as simulator_running
from tests.scenario.conftest import system_settings
from tests.scenario.processes import environment, forked, run_dingerp

CONFIG = SimulatorConfig(qps_limit=None)
NOBODY = "http://127.0.0.1:9"
"""The port `discard`, on which nobody listens."""

KEYS, GATEWAY, TEMPLATES, ROBOT = "App keys", "Stream gateway", "Card templates", "Robot in the group"
CARDS, TEXTS, ROLES = (
    f"Permission point {scope}" for scope in ("Card.Instance.Write", "qyapi_robot_sendmsg", "qyapi_get_member")
)
DATABASE, DATA_KEY, ERP = "Database", "Data key", "ERP"


@dataclass(frozen=True, slots=True)
class DoctorScenario:
    """A bot's settings and its simulated DingTalk."""

    engine: SimEngine
    settings: Settings

    @property
    def group(self) -> str:
        return next(iter(self.engine.chat.conversations))

    async def bad_findings(self, **changes: Any) -> set[str]:
        """Return the doctor's bad findings; each has a remedy."""
        findings = await run_checks(self.settings.model_copy(update=changes), group=self.group)
        bad = [finding for finding in findings if finding.grade is CheckGrade.BAD]
        assert all(finding.remedy for finding in bad)
        return {str(finding.what) for finding in bad}


@pytest.fixture
async def patient(tmp_path: Path) -> AsyncIterator[DoctorScenario]:
    async with simulator_running(CONFIG) as simulator:
        yield DoctorScenario(simulator.engine, system_settings(CONFIG, simulator.url, tmp_path, {}))


async def test_who_is_well_is_told_so_and_nobody_sees_anything(patient: DoctorScenario) -> None:
    assert await patient.bad_findings() == set()
    assert not patient.engine.items(patient.group)


AT_DINGTALK: Mapping[str, tuple[str, Mapping[str, Any], set[str]]] = {
    "the gateway is down": ("open_503", {}, {GATEWAY}),
    "the gateway refuses the keys": ("open_401", {}, {GATEWAY}),
    "no permission for cards": ("scope_denied", {"api": "createAndDeliver"}, {CARDS}),
    "no permission for texts": ("scope_denied", {"api": "groupMessages/send"}, {TEXTS}),
    "no permission for roles": ("scope_denied", {"api": "/topapi/v2/user/get"}, {ROLES}),
    "a template that is not published": ("template_unpublished", {}, {TEMPLATES}),
    "a token that is never accepted": ("invalid_auth", {}, {CARDS, TEXTS, ROLES, TEMPLATES, ROBOT}),
    "a month that is used up": ("quota_exhausted", {}, {CARDS, TEXTS, TEMPLATES, ROBOT}),
}


@pytest.mark.parametrize("illness", AT_DINGTALK)
async def test_what_is_ill_at_dingtalk_is_found(illness: str, patient: DoctorScenario) -> None:
    switch, more, expected = AT_DINGTALK[illness]
    patient.engine.faults.set(switch, on=True, **more)
    assert await patient.bad_findings() == expected


async def test_a_robot_outside_the_group_is_found(patient: DoctorScenario) -> None:
    patient.engine.conversation(patient.group).bot_member = False
    assert await patient.bad_findings() == {ROBOT}


def dingtalk(settings: Settings, **changes: Any) -> dict[str, Any]:
    return {"dingtalk": settings.dingtalk.model_copy(update=changes)}


AT_HOME: Mapping[str, tuple[Callable[[Settings], dict[str, Any]], set[str]]] = {
    "no keys": (lambda settings: dingtalk(settings, client_id=""), {KEYS}),
    "a wrong secret": (lambda settings: dingtalk(settings, client_secret=SecretStr("old")), {GATEWAY}),
    "a wrong address": (lambda settings: dingtalk(settings, openapi_endpoint=NOBODY), {GATEWAY}),
    "no ERP": (lambda _: {"erp": {}}, {ERP}),
    "an unknown vendor": (lambda _: {"erp": {"main": ErpSettings(vendor="nosuch")}}, {ERP}),
    "a folder that is none": (lambda _: {"data_dir": Path("/dev/null/data")}, {DATABASE, ERP}),
    "a key file that is none": (lambda _: {"data_key_file": Path("/dev/null")}, {DATA_KEY}),
    "a database that is none": (lambda _: {"database_url": SecretStr("mysql://bot:hunter2@db/bot")}, {DATABASE}),
}


@pytest.mark.parametrize("illness", AT_HOME)
async def test_what_is_ill_at_home_is_found(illness: str, patient: DoctorScenario) -> None:
    change, expected = AT_HOME[illness]
    assert await patient.bad_findings(**change(patient.settings)) == expected


@pytest.mark.process
async def test_the_exit_code_tells_whether_all_is_well(patient: DoctorScenario, tmp_path: Path) -> None:
    url = patient.engine.base_url
    env = environment(CONFIG, url, tmp_path / "data", DINGERP_LANGUAGE="en")
    well = await run_dingerp("doctor", "--group", patient.group, env=env, folder=tmp_path)
    assert (well.code, well.err) == (0, "")
    assert all(line.startswith("[ok] ") for line in well.out.splitlines())
    patient.engine.faults.set("template_unpublished", on=True)
    async with forked("bot.cli", "doctor", env={**env, "DINGTALK_OAPI_ENDPOINT": NOBODY}, folder=tmp_path) as started:
        ended = await started.ended()
    assert (ended.code, ended.err) == (1, "")
    assert "[!!] Card templates: DingTalk refuses" in ended.out
    assert "→ Publish the template" in ended.out


@pytest.mark.process
async def test_without_any_settings_the_doctor_says_what_to_do(tmp_path: Path) -> None:
    env = environment(CONFIG, "", tmp_path, DINGTALK_CLIENT_ID="", DINGERP_ERP__MAIN__VENDOR="", DINGERP_LANGUAGE="en")
    async with forked("bot.cli", "doctor", env=env, folder=tmp_path) as started:
        ended = await started.ended()
    assert (ended.code, ended.err) == (1, "")
    assert "DINGTALK_CLIENT_ID" in ended.out
    assert "DINGERP_ERP__MAIN__VENDOR" in ended.out
