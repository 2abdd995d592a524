"""The doctor checks the permission to call people (DING) where they are called, and calls nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.bootstrap.factories import open_api
from bot.dingtalk.openapi import pooled_session
from bot.doctor.dingtalk import check_app
from bot.doctor.results import CheckGrade
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import open_simulator
from bot.mechanisms.metrics import Metrics
from bot.settings import NotifySettings
from tests.scenario.conftest import system_settings

CONFIG = SimulatorConfig(qps_limit=None)
POINT = "Permission point Premium.Ding.Write"
CALLS = '[default]\nto = ["person:boss01"]\n[[routes]]\ntypes = ["stock.out"]\nto = ["person:keeper01"]\nding = "{}"\n'


@pytest.mark.parametrize(
    ("usual", "route", "granted", "grade"),
    [
        ("app", "", True, CheckGrade.GOOD),
        ("off", "phone", True, CheckGrade.GOOD),
        ("phone", "", False, CheckGrade.BAD),
        ("off", "", True, None),
        ("off", "off", True, None),
    ],
)
async def test_it_is_looked_for_where_people_are_called(
    tmp_path: Path, usual: str, route: str, granted: bool, grade: CheckGrade | None
) -> None:
    async with open_simulator(CONFIG) as simulator, pooled_session() as session:
        settings = system_settings(CONFIG, simulator.url, tmp_path, {})
        settings = settings.model_copy(update={"notify": NotifySettings.model_validate({"ding": usual})})
        if route:
            file = settings.alert_rules[-1]
            file.parent.mkdir(exist_ok=True)
            file.write_text(CALLS.format(route))
        simulator.engine.faults.set("scope_denied", on=not granted, api="ding/send")
        api = open_api(settings, session, Metrics())
        found = {str(one.what): one async for one in check_app(settings, session, api)}
        assert (found[POINT].grade if POINT in found else None) is grade
        assert granted or "Professional" in str(found[POINT].words)
        assert not any(conversation.items for conversation in simulator.engine.chat.conversations.values())
