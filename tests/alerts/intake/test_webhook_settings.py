"""The smallest configuration of a hook works, and mistakes are named without the secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import load_settings
from bot.words.errors import ConfigurationError
from tests.alerts.intake.signed_requests import OTHER_SECRET, SECRET


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_one_variable_opens_a_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DINGERP_HOOKS__MAIN__SECRET", SECRET)
    hook = load_settings().hooks["main"]

    assert (hook.secrets, hook.scheme, hook.max_bytes) == ((SECRET,), "standard", 1_000_000)
    assert SECRET not in repr(hook)


def test_older_secrets_come_as_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DINGERP_HOOKS__MAIN__SECRET", SECRET)
    monkeypatch.setenv("DINGERP_HOOKS__MAIN__PREVIOUS_SECRETS", f'["{OTHER_SECRET}"]')

    assert load_settings().hooks["main"].secrets == (SECRET, OTHER_SECRET)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[hooks.main]\nsecret = "x"\nscheme = "sap"', "hooks.main.scheme"),
        ('[hooks.main]\nsecret = "x"\nmax_bytes = 0', "hooks.main.max_bytes"),
        ('[hooks.main]\nsecret = "x"\ncurrency = "yuan"', "hooks.main.currency"),
        ("[events]\nkeep_days = 0", "events.keep_days"),
    ],
)
def test_mistakes_are_named(text: str, named: str, tmp_path: Path) -> None:
    (tmp_path / "dingerp.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert named in refused.value.detail
