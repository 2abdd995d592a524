"""The files of the set-up: what they hold, that the bot can read them, and that a crash leaves all or none."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap.access import make_access_policy
from bot.bootstrap.names import names_in_force
from bot.bootstrap.rules import follow_alerts
from bot.chat.registry import installed_commands
from bot.mechanisms.private_files import finish_replacing
from bot.settings import load_settings
from bot.setup.draft import AccessChoice, EnteredAccess, SetupDraft
from bot.setup.files import digest_of_plan, journal_of, plan_files, write_files
from tests.rows import each_row
from tests.setup.test_draft import ALERTS, KEYS, SOURCE, WHOLE

OLD = """# Our own words
language = "en"

[erp.main]  # the old one
vendor = "demo"
rate = 5.0
living = true

[access.roles]
finance = ["finance01"]
"""
FILES = {"dingerp.toml", "access.toml", "alerts.toml", "dingtalk-client-secret", "erp-main-key"}


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(draft: SetupDraft) -> None:
    settings = load_settings()
    write_files(plan_files(draft, settings, None), None)


def contents(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("choice", AccessChoice)
def test_the_bot_reads_what_was_written(tmp_path: Path, choice: AccessChoice) -> None:
    write(SetupDraft(keys=KEYS, source=SOURCE, access=EnteredAccess(choice, (), by_directory=False), alerts=ALERTS))
    settings = load_settings()
    assert settings.dingtalk.client_secret.get_secret_value() == "secret1"
    names = names_in_force(settings, installed_commands())
    make_access_policy(settings, names)
    follow_alerts(settings, names).current()
    assert {file.name for file in tmp_path.rglob("*") if file.is_file()} == FILES


@each_row(
    "old",
    [
        'erp = {main = {vendor = "demo"}}\nlanguage = "en"\n',
        'dingtalk.client_id = "x"\nerp.main.vendor = "demo"\nlanguage = "en"\n',
        'access = {directory = false, roles = {finance = ["finance01"]}}\nlanguage = "en"\n',
        'language = "en"\ndingtalk = {}\n[erp]\n[erp.main]\nvendor = "demo"\n[http]\nport = 8000\n',
    ],
)
def test_settings_are_changed_in_whatever_form_they_are_written(tmp_path: Path, old: str) -> None:
    (tmp_path / "dingerp.toml").write_text(old)
    write(WHOLE)
    settings = load_settings()
    assert settings.language == "en"
    assert settings.dingtalk.client_id == KEYS.client_id
    assert settings.erp["main"].vendor == SOURCE.vendor
    assert "admin" in settings.access.roles


def test_secrets_lie_in_files_of_their_own_that_only_the_bot_reads(tmp_path: Path) -> None:
    write(WHOLE)
    text = (tmp_path / "dingerp.toml").read_text()
    assert "secret1" not in text
    assert "key1" not in text
    assert (tmp_path / "data/secrets/erp-main-key").read_text() == "key1"
    assert {file.stat().st_mode & 0o777 for file in tmp_path.rglob("*") if file.is_file()} == {0o600}


def test_what_stands_in_the_settings_stays_but_for_the_options_of_the_other_erp(tmp_path: Path) -> None:
    (tmp_path / "dingerp.toml").write_text(OLD)
    (tmp_path / "dingerp.toml").chmod(0o640)
    write(WHOLE)
    text = (tmp_path / "dingerp.toml").read_text()
    read = tomllib.loads(text)
    assert "# Our own words" in text
    assert read["language"] == "en"
    assert read["access"]["roles"] == {"finance": ["finance01"], "admin": ["boss01"]}
    assert read["erp"]["main"] == {
        **SOURCE.options,
        "vendor": "odoo",
        "rate": 5.0,
        "key": "file:data/secrets/erp-main-key",
    }
    assert (tmp_path / "dingerp.toml").stat().st_mode & 0o777 == 0o640


def test_what_is_there_already_is_not_written_again() -> None:
    write(WHOLE)
    assert plan_files(WHOLE, load_settings(), None) == ()
    assert plan_files(SetupDraft(), load_settings(), None) == ()


def test_a_file_that_changed_meanwhile_is_another_plan(tmp_path: Path) -> None:
    shown = digest_of_plan(plan_files(WHOLE, load_settings(), None))
    (tmp_path / "alerts.toml").write_text("# mine\n")
    assert digest_of_plan(plan_files(WHOLE, load_settings(), None)) != shown


def test_a_crash_at_any_step_leaves_the_old_or_the_new_files_whole(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash at every call that changes something on the disk; the next who reads the settings finishes the rest."""
    ends = []
    for step in count(1):
        folder = tmp_path_factory.mktemp(f"at-{step}-")
        monkeypatch.chdir(folder)
        (folder / "dingerp.toml").write_text(OLD)
        (folder / "access.toml").write_text("open = true\n")
        planned = plan_files(WHOLE, load_settings(), None)
        with monkeypatch.context() as patched:
            crash_at(step, patched)
            try:
                write_files(planned, None)
            except _Crash:
                has_crashed = True
            else:
                has_crashed = False
        finish_replacing(journal_of(None))
        found = contents(folder)
        whole = all(found.get(str(each.path)) == each.after for each in planned)
        old = all(found.get(str(each.path), "") == each.before for each in planned)
        assert whole is not old, step
        ends.append(whole)
        if not has_crashed:
            break
    assert (ends[0], ends[-1]) == (False, True)
    assert ends == sorted(ends), "once they are in force, they stay"
    assert len(ends) > 4 * len(FILES)


class _Crash(BaseException):
    """The end of the process."""


def crash_at(step: int, patched: pytest.MonkeyPatch) -> None:
    """Let nothing happen from the given call on."""
    steps = count(1)

    def stepped(call: Callable[..., Any]) -> Callable[..., Any]:
        def reach(*args: Any, **more: Any) -> Any:
            if next(steps) >= step:
                raise _Crash
            return call(*args, **more)

        return reach

    for owner, name in ((os, "open"), (os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir")):
        patched.setattr(owner, name, stepped(getattr(owner, name)))
