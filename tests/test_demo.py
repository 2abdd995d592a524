"""The settings of ``dingerp demo``."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from bot.bootstrap.names import known_names, names_in_force
from bot.bootstrap.rules import open_rules
from bot.bootstrap.sheets import sheets_of
from bot.chat.registry import Commands
from bot.kit.demo import (
    DEMO_ACCESS,
    DEMO_ALERTS,
    DEMO_APPROVALS,
    DEMO_QUESTIONS,
    FINANCE_GROUP,
    demo_settings,
    share_orders,
    with_company,
)
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.rulefiles.names_in_force import NamesInForce
from bot.settings import load_settings


@pytest.mark.parametrize("living", [True, False], ids=["living", "still"])
def test_a_company_that_stands_still_is_the_same_company(tmp_path: Path, living: bool) -> None:
    own = load_settings(data_dir=tmp_path)
    demo = with_company(demo_settings(own, SimulatorConfig(), "http://127.0.0.1:1"), own, living=living)
    assert demo.access.roles["approver"] == {"boss01", "buymanager01", "finance01"}
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


def test_the_managers_orders_are_shared_unless_something_else_is(tmp_path: Path) -> None:
    engine = SimEngine(SimulatorConfig())
    own = load_settings(data_dir=tmp_path)
    demo = share_orders(demo_settings(own, SimulatorConfig(), "http://127.0.0.1:1"), engine)
    assert [sheet.line for sheet in sheets_of(demo)] == ["/po"]
    [table] = engine.tables
    assert table.editors == {engine.person(demo.sheets["orders"].owner).union_id}
    assert share_orders(demo, engine) is demo


def test_the_demos_own_rules_leave_nothing_in_doubt(tmp_path: Path) -> None:
    own = load_settings(data_dir=tmp_path)
    demo = with_company(demo_settings(own, SimulatorConfig(), "http://127.0.0.1:1"), own, living=False)
    doubts: list[str] = []
    open_rules(demo, NamesInForce(known_names(demo, Commands.discover()), lambda doubt: doubts.append(str(doubt))))
    assert doubts == []


OWN_RULES = {
    "access.toml": "open = true\n",
    "alerts.toml": "[default]\nto = []\n",
    "approvals.toml": "default = true\n",
}


def test_rules_of_the_operator_take_the_place_of_the_demos_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = load_settings(data_dir=Path("data"))
    demo = with_company(demo_settings(own, SimulatorConfig(), "http://127.0.0.1:1"), own, living=False)
    files = open_rules(demo, names_in_force(demo, Commands.discover()))
    paths = [file.in_force.path for file in files.named.values()]
    assert paths == [DEMO_ACCESS, DEMO_ALERTS, DEMO_APPROVALS, DEMO_QUESTIONS]
    assert demo.ready_rules == {DEMO_ACCESS, DEMO_ALERTS, DEMO_APPROVALS, DEMO_QUESTIONS}
    Path("data").mkdir()
    for folder, name in product((Path("data"), Path()), OWN_RULES):
        (folder / name).write_text(OWN_RULES[name], encoding="utf-8")
        files.read_again()
        assert folder / name in [file.in_force.path for file in files.named.values()]
    assert [file.defect for file in files.named.values()] == ["", "", "", ""]
