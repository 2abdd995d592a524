"""Settings that are sealed with the company's key: whoever reads the file learns nothing, and the bot reads it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest

from bot.erp.vendors import open_source
from bot.settings import load_settings
from bot.store.data_keys import KEY_FILE
from bot.words.errors import ConfigurationError
from bot.words.sealing import CompanyKey
from bot.words.secret_values import SEALED
from tests.admin.conftest import AdminShell

SECRET = "hunter2 密"


def sealed(shell: AdminShell, secret: str = SECRET) -> str:
    line = shell.says("data", "seal", stdin=f"{secret}\n").strip()
    assert line.startswith(SEALED)
    assert secret not in line
    return line


def write(shell: AdminShell, text: str) -> Path:
    file = shell.folder / "dingerp.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_sealed_secret_is_read_and_never_shown(shell: AdminShell) -> None:
    value = sealed(shell)
    file = write(shell, f'[dingtalk]\nclient_secret = "{value}"\n[hooks.main]\nprevious_secrets = ["{value}", "x"]\n')
    settings = load_settings(file)
    assert settings.dingtalk.client_secret.get_secret_value() == SECRET
    assert settings.hooks["main"].secrets[1:] == (SECRET, "x")
    assert settings.sealed == ("dingtalk.client_secret", "hooks.main.previous_secrets.0")
    assert SECRET not in repr(settings)
    assert sealed(shell) != value


def test_a_secret_that_looks_like_a_reference_is_none(shell: AdminShell) -> None:
    value = sealed(shell, "env:NOBODY")
    settings = load_settings(write(shell, f'[dingtalk]\nclient_secret = "{value}"\n'))
    assert settings.dingtalk.client_secret.get_secret_value() == "env:NOBODY"


async def test_an_adapters_own_options_may_be_sealed(shell: AdminShell, monkeypatch: pytest.MonkeyPatch) -> None:
    value = sealed(shell)
    monkeypatch.setenv("DINGERP_ERP__MAIN__KEY", value)
    file = write(
        shell,
        '[erp.main]\nvendor = "odoo"\nurl = "https://erp.example"\nuser = "bot"\n'
        f'[erp.main.approvers]\nlina = "{value}"\n',
    )
    settings = load_settings(file)
    source = settings.erp["main"]
    assert SECRET not in repr(source)
    erp = await open_source(
        "main", "odoo", source.options, data_dir=shell.folder, now=lambda: (_ for _ in ()).throw(AssertionError)
    )
    options = erp._options  # type: ignore[attr-defined]
    assert options.key.get_secret_value() == options.approvers["lina"].get_secret_value() == SECRET
    await erp.close()


def test_without_its_key_a_sealed_value_names_the_setting(shell: AdminShell, monkeypatch: pytest.MonkeyPatch) -> None:
    value = sealed(shell)
    file = write(shell, f'[hooks.main]\nsecret = "{value}"\n')
    other = CompanyKey.generate()
    monkeypatch.setenv("DINGERP_DATA_KEY", other.text)
    with pytest.raises(ConfigurationError, match=f"hooks.main.secret: .*another key.*{other.name}"):
        load_settings(file)
    monkeypatch.delenv("DINGERP_DATA_KEY")
    changed = value[:-6] + ("A" if value[-6] != "A" else "B") + value[-5:]
    with pytest.raises(ConfigurationError, match=r"hooks.main.secret: the sealed value was changed"):
        load_settings(write(shell, f'[hooks.main]\nsecret = "{changed}"\n'))
    (shell.folder / KEY_FILE).unlink()
    with pytest.raises(ConfigurationError, match=r"hooks.main.secret is sealed, and the key file .* cannot be read"):
        load_settings(file)


@pytest.mark.parametrize("where", ["variable", "file"])
def test_the_key_may_lie_elsewhere(shell: AdminShell, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    key = CompanyKey.generate()
    elsewhere = shell.folder / "elsewhere.key"
    elsewhere.write_text(f"# a remark\n{key.text}\n")
    if where == "variable":
        monkeypatch.setenv("DINGERP_DATA_KEY", key.text)
    else:
        monkeypatch.setenv("DINGERP_DATA_KEY_FILE", str(elsewhere))
    value = sealed(shell)
    assert not (shell.folder / KEY_FILE).exists()
    settings = load_settings(write(shell, f'[dingtalk]\nclient_secret = "{value}"\n'))
    assert settings.dingtalk.client_secret.get_secret_value() == SECRET


def test_the_key_itself_cannot_be_sealed(shell: AdminShell) -> None:
    value = sealed(shell)
    with pytest.raises(ConfigurationError, match="data_key: the key cannot be sealed by itself"):
        load_settings(write(shell, f'data_key = "{value}"\n'))


def test_nothing_is_not_sealed(shell: AdminShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("\n"))
    assert "nothing was given to seal" in shell.refuses("data", "seal")


def test_a_new_key_leaves_sealed_settings_readable(shell: AdminShell) -> None:
    shell.has_a_database()
    value = sealed(shell)
    file = write(shell, f'[dingtalk]\nclient_secret = "{value}"\n')
    said = shell.says("data", "rotate-key", "--stopped")
    assert "still opens sealed settings: dingtalk.client_secret" in said
    assert load_settings(file).dingtalk.client_secret.get_secret_value() == SECRET
    new = sealed(shell)
    keys = shell.folder / KEY_FILE
    keys.write_text(keys.read_text().splitlines()[1])
    settings = load_settings(write(shell, f'[dingtalk]\nclient_secret = "{new}"\n'))
    assert settings.dingtalk.client_secret.get_secret_value() == SECRET


def test_a_sealed_value_in_what_is_referred_to_is_an_error(shell: AdminShell, monkeypatch: pytest.MonkeyPatch) -> None:
    value = sealed(shell)
    (shell.folder / "secret").write_text(value)
    monkeypatch.setenv("A_SECRET", value)
    for reference in ("env:A_SECRET", f"file:{shell.folder / 'secret'}"):
        with pytest.raises(ConfigurationError, match="must stand in the configuration itself") as refusal:
            load_settings(write(shell, f'[hooks.main]\nsecret = "{reference}"\n'))
        assert "hooks.main.secret" in refusal.value.detail
