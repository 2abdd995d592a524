"""The doctor tells whose keys stand in the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.doctor.local import check_configured_keys
from bot.doctor.results import CheckGrade
from bot.settings import load_settings


def test_keys_in_the_configuration_are_told_without_the_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dingerp.toml").write_text(
        '[erp.main]\nvendor = "odoo"\n[erp.main.approvers]\nlina = "hunter2"\nboss = "hunter3"\n'
        '[erp.second]\nvendor = "demo"\n'
    )
    (result,) = check_configured_keys(load_settings())
    assert result.grade is CheckGrade.NOTE
    assert "boss, lina" in str(result.words)
    assert "/bind main key" in str(result.remedy)
    assert "hunter" not in f"{result.words}{result.remedy}"


def test_nothing_is_said_without_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dingerp.toml").write_text('[erp.main]\nvendor = "odoo"\n')
    assert check_configured_keys(load_settings()) == []
