"""``dingerp doctor`` with one defect of DingTalk or the environment after the other."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.app import running
from bot.doctor import CheckGrade, run_checks
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.settings import ErpSettings, HookSettings, HttpSettings, QueueSettings, RuleSettings, Settings
from tests.scenario.conftest import system_settings
from tests.scenario.processes import environment, forked, run_dingerp, used_before
from tests.scenario.traffic import eventually

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
        # What the login to pages needs is in `tests.doctor.test_login`.
        settings = system_settings(CONFIG, simulator.url, tmp_path, {"http": {"public_url": ""}})
        yield DoctorScenario(simulator.engine, settings)


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


def hook(**changes: str) -> dict[str, Any]:
    return {"hooks": {"erp": HookSettings.model_validate(changes)}}


AT_HOME: Mapping[str, tuple[Callable[[Settings], dict[str, Any]], set[str]]] = {
    "no keys": (lambda settings: dingtalk(settings, client_id=""), {KEYS}),
    "a wrong secret": (lambda settings: dingtalk(settings, client_secret=SecretStr("old")), {GATEWAY}),
    "a wrong address": (lambda settings: dingtalk(settings, openapi_endpoint=NOBODY), {GATEWAY}),
    "no ERP": (lambda _: {"erp": {}}, {ERP}),
    "an unknown vendor": (lambda _: {"erp": {"main": ErpSettings(vendor="nosuch")}}, {ERP}),
    "a folder that is none": (lambda _: {"data_dir": Path("/dev/null/data")}, {DATABASE, ERP}),
    "a template for forms that is none": (
        lambda settings: {"cards": settings.cards.model_copy(update={"form_template": "nosuch.schema"})},
        {TEMPLATES},
    ),
    "a hook's secret that is none": (lambda _: hook(secret="whsec_?"), {"Webhooks"}),
    "a hook without a secret": (lambda _: hook(scheme="odoo"), {"Webhooks"}),
    "a queue's address that is none": (
        lambda _: {"queues": {"erp": QueueSettings.model_validate({"url": "smoke://signals", "name": "events"})}},
        {"Message queues"},
    ),
    "an access rule about nothing": (
        lambda settings: {
            "access": settings.access.model_copy(
                update={"rules": (RuleSettings.model_validate({"commands": ["stok"], "roles": ["admin"]}),)}
            )
        },
        {"Access rules"},
    ),
    "alert rules that are none": (
        lambda settings: {"alerts": settings.alerts.model_copy(update={"rules": Path(__file__)})},
        {"Alert rules"},
    ),
    "approval rules that are none": (
        lambda settings: {"approvals": settings.approvals.model_copy(update={"rules": Path(__file__)})},
        {"Approval rules"},
    ),
    "a key file that is none": (lambda _: {"data_key_file": Path("/dev/null")}, {DATA_KEY}),
    "a database that is none": (lambda _: {"database_url": SecretStr("mysql://bot:hunter2@db/bot")}, {DATABASE}),
}


@pytest.mark.parametrize("illness", AT_HOME)
async def test_what_is_ill_at_home_is_found(illness: str, patient: DoctorScenario) -> None:
    change, expected = AT_HOME[illness]
    assert await patient.bad_findings(**change(patient.settings)) == expected


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("dingerp.sqlite3*")}


async def test_the_doctor_changes_nothing_in_the_database(patient: DoctorScenario) -> None:
    folder = patient.settings.data_dir
    assert await patient.bad_findings() == set()
    assert contents(folder) == {}, "it makes no database"
    used_before(folder)
    with closing(sqlite3.connect(folder / "dingerp.sqlite3")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    before = contents(folder)
    assert await patient.bad_findings() == set()
    assert contents(folder) == before


async def test_a_database_of_a_newer_version_is_found(patient: DoctorScenario) -> None:
    used_before(patient.settings.data_dir)
    with closing(sqlite3.connect(patient.settings.data_dir / "dingerp.sqlite3")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    assert await patient.bad_findings() == {DATABASE}


async def test_a_key_that_is_not_there_is_not_said_to_fit(patient: DoctorScenario) -> None:
    findings = {str(finding.what): finding for finding in await run_checks(patient.settings, group=patient.group)}
    assert str(findings[DATA_KEY].words) == "not there yet; the first start makes it"


async def test_another_program_on_the_port_is_found(patient: DoctorScenario) -> None:
    port = int(patient.engine.base_url.rpartition(":")[2])
    http = HttpSettings.model_validate({"port": port})
    assert await patient.bad_findings(http=http) == {f"HTTP port {port}"}


async def test_beside_a_running_bot_all_is_well(patient: DoctorScenario) -> None:
    async with running(patient.settings) as app:
        await eventually(lambda: app.stream.status.connected, hint=lambda: app.stream.status)
        http = HttpSettings.model_validate({"port": app.port})
        assert await patient.bad_findings(http=http) == set()


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
