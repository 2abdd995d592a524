"""The settings of ``dingerp demo``."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.demo import FINANCE_GROUP, demo_settings, with_company
from bot.settings import load_settings
from bot.simulator.config import SimulatorConfig


@pytest.mark.parametrize("living", [True, False], ids=["living", "still"])
def test_a_company_that_stands_still_is_the_same_company(tmp_path: Path, living: bool) -> None:
    own = load_settings(data_dir=tmp_path)
    demo = with_company(demo_settings(own, SimulatorConfig(), "http://127.0.0.1:1"), own, living=living)
    assert demo.access.roles["approver"] == {"boss01", "buymanager01"}
    assert demo.access.accounts["boss01"] == {"demo": "boss01"}
    assert (demo.approvals.groups, demo.poll.enabled) == ((FINANCE_GROUP,), True)
    assert demo.erp["demo"].model_dump()["living"] is living
    assert demo.read_model.seconds == demo.poll.seconds, "reports are no older than alerts"


@pytest.mark.parametrize(
    ("variables", "lives"),
    [
        ({"DINGERP_ERP__MAIN__VENDOR": "demo"}, {"main": True}),
        ({"DINGERP_ERP__MAIN__VENDOR": "demo", "DINGERP_ERP__MAIN__LIVING": "false"}, {"main": False}),
        ({"DINGERP_ERP__MAIN__VENDOR": "demo", "DINGERP_ERP__SHOP__VENDOR": "odoo"}, {"main": True, "shop": None}),
    ],
)
def test_a_company_that_was_exported_as_the_readme_says_lives_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], lives: dict[str, object]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    own = load_settings(data_dir=tmp_path)
    demo = with_company(demo_settings(own, SimulatorConfig(), "http://127.0.0.1:1"), own, living=True)
    assert {name: source.options.get("living") for name, source in demo.erp.items()} == lives
