"""The operator's commands about the key of the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.store.data_keys import KEY_FILE
from bot.store.database import Database
from bot.words.sealing import CompanyKey
from tests.admin.conftest import AdminShell, cloud

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


@pytest.fixture
def used(shell: AdminShell) -> AdminShell:
    shell.keep(cloud("order.created", "o1", "SO-1"), at=AT)
    return shell


def keys_of(file: Path) -> Sequence[str]:
    return [line for line in file.read_text().splitlines() if not line.startswith("#")]


def reads(shell: AdminShell) -> bool:
    return "SO-1" in shell.says("events", "show", "main/o1", "--data")


def test_a_new_key_is_a_key_and_never_the_same(shell: AdminShell) -> None:
    first, second = shell.says("data", "new-key"), shell.says("data", "new-key")
    assert first != second
    assert CompanyKey.parse(first).text == first.strip()


@pytest.mark.parametrize("stopped", [False, True])
def test_the_bot_s_own_key_is_changed_by_one_command(used: AdminShell, stopped: bool) -> None:
    (old,) = keys_of(used.folder / KEY_FILE)
    said = used.says("data", "rotate-key", *(["--stopped"] if stopped else []))
    (new,) = keys_of(used.folder / KEY_FILE)
    assert new != old
    assert f"opens with key {CompanyKey.parse(new).name} now; 1 row sealed again" in said
    assert ("in an hour" in said) is not stopped
    assert reads(used)
    (used.folder / KEY_FILE).write_text(old)
    assert f"sealed with key {CompanyKey.parse(new).name}" in used.refuses("events", "show", "main/o1")


def test_a_key_from_elsewhere_is_changed_with_both_at_hand(used: AdminShell, monkeypatch: pytest.MonkeyPatch) -> None:
    (old,) = keys_of(used.folder / KEY_FILE)
    (used.folder / KEY_FILE).unlink()
    new = used.says("data", "new-key").strip()
    monkeypatch.setenv("DINGERP_DATA_KEY", old)
    assert "there is no new key yet" in used.refuses("data", "rotate-key")
    monkeypatch.setenv("DINGERP_DATA_KEY", f"{new} {old}")
    assert "1 row sealed again" in used.says("data", "rotate-key", "--stopped")
    monkeypatch.setenv("DINGERP_DATA_KEY", new)
    assert reads(used)
    assert not (used.folder / KEY_FILE).exists()


def test_a_change_that_was_interrupted_goes_on_with_the_same_new_key(used: AdminShell) -> None:
    file = used.folder / KEY_FILE
    (old,) = keys_of(file)
    new = CompanyKey.generate().text
    file.write_text(f"{new}\n{old}\n")
    assert f"opens with key {CompanyKey.parse(new).name} now" in used.says("data", "rotate-key", "--stopped")
    assert keys_of(file) == [new]
    assert reads(used)


def test_a_key_in_a_file_moves_elsewhere(used: AdminShell, monkeypatch: pytest.MonkeyPatch) -> None:
    (used.folder / "safe").mkdir()
    (used.folder / KEY_FILE).rename(used.folder / "safe" / "key")
    assert "the key given is none" in used.refuses("events", "show", "main/o1")
    monkeypatch.setenv("DINGERP_DATA_KEY_FILE", "safe/key")
    assert reads(used)


def test_without_a_database_there_is_no_key_to_change(shell: AdminShell) -> None:
    assert "there is no database yet" in shell.refuses("data", "rotate-key")
    assert not (shell.folder / KEY_FILE).exists()


def test_an_upgrade_makes_the_key(shell: AdminShell) -> None:
    shell.says("db", "upgrade")
    assert len(keys_of(shell.folder / KEY_FILE)) == 1
    assert Database(shell.url).keys.source.read()
