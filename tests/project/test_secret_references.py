"""Secrets may stand in a variable or a file that the configuration names; errors name the setting, never the secret."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.erp.vendors import open_source
from bot.settings import load_settings
from bot.words.errors import ConfigurationError

KEY = "hunter2"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_text(f"{KEY}\n")
    (tmp_path / "empty").write_text("\n")
    monkeypatch.setenv("THE_KEY", KEY)
    return tmp_path


@pytest.mark.parametrize("reference", ["env:THE_KEY", "file:key"])
def test_a_secret_stands_elsewhere(folder: Path, reference: str) -> None:
    file = folder / "dingerp.toml"
    file.write_text(
        f'database_url = "{reference}"\n[dingtalk]\nclient_secret = "{reference}"\n'
        f'[hooks.main]\nsecret = "{reference}"\nprevious_secrets = ["{reference}", "plain"]\n'
        f'[otel]\nheaders = {{ Authorization = "{reference}" }}\n'
    )
    settings = load_settings(file)
    assert settings.dingtalk.client_secret.get_secret_value() == settings.database == KEY
    assert settings.hooks["main"].secrets == (KEY, KEY, "plain")
    assert settings.otel.headers["Authorization"].get_secret_value() == KEY


@pytest.mark.parametrize("value", ["", "envy:x", "file", "https://x/file:y", "hunter2"])
def test_other_values_are_what_they_are(folder: Path, value: str) -> None:
    file = folder / "dingerp.toml"
    file.write_text(f'[dingtalk]\nclient_secret = "{value}"\n')
    assert load_settings(file).dingtalk.client_secret.get_secret_value() == value


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("env:NOBODY", "there is no variable NOBODY"),
        ("env:", "there is no variable "),
        ("file:gone", "the file gone cannot be read: No such file or directory"),
        ("file:empty", "the file empty is empty"),
        ("file:.", "the file . cannot be read: Is a directory"),
    ],
)
def test_a_reference_to_nothing_names_the_setting(folder: Path, reference: str, why: str) -> None:
    file = folder / "dingerp.toml"
    file.write_text(f'[hooks.main]\nsecret = "{reference}"\n')
    with pytest.raises(ConfigurationError, match=f"hooks.main.secret: .*{why}"):
        load_settings(file)


@pytest.mark.parametrize(
    ("variable", "path"),
    [
        ("DINGTALK_CLIENT_SECRET_FILE", "dingtalk.client_secret"),
        ("DINGERP_DINGTALK__CLIENT_SECRET_FILE", "dingtalk.client_secret"),
        ("DINGERP_DATABASE_URL_FILE", "database_url"),
        ("DINGERP_HOOKS__MAIN__SECRET_FILE", "hooks.main.secret"),
    ],
)
def test_a_variable_names_a_file(monkeypatch: pytest.MonkeyPatch, variable: str, path: str) -> None:
    monkeypatch.setenv(variable, "key")
    found: Any = load_settings()
    for part in path.split("."):
        found = found[part] if isinstance(found, dict) else getattr(found, part)
    assert found.get_secret_value() == KEY


def test_a_file_may_hold_any_setting_and_settings_that_are_files_stay_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DINGTALK_CLIENT_ID_FILE", "key")
    monkeypatch.setenv("DINGERP_DATA_KEY_FILE", "gone")
    settings = load_settings()
    assert (settings.dingtalk.client_id, settings.data_key_file) == (KEY, Path("gone"))


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"DINGERP_DATABASE_URL_FILE": "gone"}, "DINGERP_DATABASE_URL_FILE: the file gone cannot be read"),
        ({"DINGTALK_CLIENT_SECRET_FILE": "gone"}, "DINGTALK_CLIENT_SECRET_FILE: the file gone cannot be read"),
        (
            {"DINGERP_DATABASE_URL_FILE": "key", "DINGERP_DATABASE_URL": "sqlite://"},
            "DINGERP_DATABASE_URL_FILE and DINGERP_DATABASE_URL are both set",
        ),
        (
            {"DINGTALK_CLIENT_SECRET_FILE": "key", "DINGTALK_CLIENT_SECRET": "x"},
            "DINGTALK_CLIENT_SECRET_FILE and DINGTALK_CLIENT_SECRET are both set",
        ),
        ({"DINGERP_DATABASE_URLL_FILE": "key"}, "DINGERP_DATABASE_URLL_FILE is no setting"),
        ({"DINGERP_HOOKS__MAIN__SECRRET_FILE": "key"}, "hooks.main.secrret_file"),
    ],
)
def test_a_wrong_file_variable_is_named(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], why: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=why):
        load_settings()


async def open_erp(**options: str) -> None:
    erp = await open_source("main", "tryton", options, data_dir=Path(), now=lambda: datetime(2026, 11, 27, tzinfo=UTC))
    await erp.close()


TRYTON = {"url": "http://127.0.0.1:9", "database": "company", "user": "reader"}


@pytest.mark.parametrize("given", [{"password": "env:THE_KEY"}, {"password_file": "key"}, {"password": "file:key"}])
async def test_options_of_an_erp_may_stand_elsewhere(given: dict[str, str]) -> None:
    await open_erp(**TRYTON, **given)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"password": "env:NOBODY"}, "'main': password: .*no variable NOBODY"),
        ({"password_file": "gone"}, "'main': password_file: the file gone cannot be read"),
        ({"password": "x", "passwort_file": "key"}, "'main': passwort_file is no setting; did you mean password"),
        ({"password": "x", "ca_file": "gone"}, "'main': ca_file cannot be read"),
    ],
)
async def test_a_wrong_reference_of_an_erp_is_named(given: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        await open_erp(**TRYTON, **given)
