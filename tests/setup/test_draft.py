"""What is done, and what comes next, by what is there and what was entered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.access.policy import ADMIN
from bot.settings import Settings, load_settings
from bot.setup.draft import (
    AccessChoice,
    EnteredAccess,
    EnteredAlerts,
    EnteredKeys,
    EnteredSource,
    SetupDraft,
    SetupStep,
)
from tests.rows import each_row

KEYS = EnteredKeys("ding1", "secret1")
SOURCE = EnteredSource("odoo", {"url": "https://erp.example.com", "user": "bot", "key": "key1"}, frozenset({"key"}))
ACCESS = EnteredAccess(AccessChoice.ROLES, ("boss01",), by_directory=True)
ALERTS = EnteredAlerts("cidGroup0000000000000000==", "仓库群", ("stock.*",))
WHOLE = SetupDraft(keys=KEYS, source=SOURCE, access=ACCESS, alerts=ALERTS)


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of an empty folder."""
    monkeypatch.chdir(tmp_path)
    return load_settings()


@each_row(
    "entered, step",
    [
        ({}, SetupStep.APP),
        ({"keys": KEYS}, SetupStep.ERP),
        ({"keys": KEYS, "source": SOURCE}, SetupStep.ACCESS),
        ({"keys": KEYS, "source": SOURCE, "access": ACCESS}, SetupStep.GROUP),
        ({"keys": KEYS, "source": SOURCE, "access": ACCESS, "without_group": True}, SetupStep.WRITE),
        ({"keys": KEYS, "source": SOURCE, "access": ACCESS, "alerts": ALERTS}, SetupStep.WRITE),
        ({"source": SOURCE, "access": ACCESS, "alerts": ALERTS}, SetupStep.APP),
    ],
)
def test_the_next_step_is_the_first_that_is_left(nothing: Settings, entered: dict[str, Any], step: SetupStep) -> None:
    assert SetupDraft(**entered).next_step(nothing) is step


@each_row(
    "file, text, step",
    [
        ("dingerp.toml", '[dingtalk]\nclient_id = "a"\nclient_secret = "b"', SetupStep.APP),
        ("dingerp.toml", '[erp.main]\nvendor = "demo"', SetupStep.ERP),
        ("dingerp.toml", "[access]\npresets = true", SetupStep.ACCESS),
        ("access.toml", "open = true", SetupStep.ACCESS),
        ("dingerp.toml", '[alerts]\ndefault_groups = ["cidGroup=="]', SetupStep.GROUP),
        ("alerts.toml", '[default]\nto = ["group:cidGroup=="]', SetupStep.GROUP),
    ],
)
def test_what_is_installed_is_done(nothing: Settings, tmp_path: Path, file: str, text: str, step: SetupStep) -> None:
    assert SetupDraft().done(nothing) == set()
    (tmp_path / file).write_text(text)
    assert SetupDraft().done(load_settings()) == {step}
    (tmp_path / file).unlink()


def test_what_was_entered_counts_over_what_is_installed(nothing: Settings) -> None:
    would = WHOLE.over(nothing)
    assert (would.dingtalk.client_id, would.dingtalk.client_secret.get_secret_value()) == ("ding1", "secret1")
    assert would.erp["main"].options == SOURCE.options
    assert would.access.roles[ADMIN] == {"boss01"}


def test_nothing_of_a_secret_is_in_a_log() -> None:
    assert "secret1" not in repr(WHOLE)
    assert "key1" not in repr(WHOLE)
