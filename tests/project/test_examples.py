"""Examples in the documentation work: commands, cards and settings."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from bot.bootstrap.access import make_access_policy
from bot.cards.language import load_languages
from bot.cards.renderer import CardRenderer
from bot.cards.samples import CARDS, build_value
from bot.chat.registry import Commands
from bot.cli import cli
from bot.settings import load_settings

from .tree import ROOT, code_blocks, markdown_files

PAGE = ROOT / "docs/how-to/add-a-command.md"
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]


def block(page: Path, kind: str) -> str:
    return next(code for language, code in code_blocks(page.read_text(encoding="utf-8")) if language == kind)


@pytest.fixture
def example(tmp_path: Path) -> Iterator[ModuleType]:
    """The imported module of the page's example."""
    path = tmp_path / "shown_balance.py"
    path.write_text(block(PAGE, "python"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("shown_balance", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["shown_balance"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["shown_balance"]


@pytest.mark.parametrize("typed", ["/balance 华东机械", "往来 华东机械", "/BALANCE 华东机械"])
def test_the_command_is_found(example: ModuleType, typed: str) -> None:
    commands = Commands([example.balance])
    reading = commands.parse(typed)

    assert reading.command == "balance"
    assert commands["balance"].signature.parse(reading.rest)[0] == ["华东机械"]


def test_the_card_is_rendered(example: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "balance.md.j2").write_text(block(PAGE, "jinja"), encoding="utf-8")
    view = build_value(example.Balance, json.loads(block(PAGE, "json")))
    card = CardRenderer(languages=load_languages(), template_dirs=(tmp_path, CARDS)).render(view, "en", zone=UTC)

    assert card.title == "华东机械"
    assert "Overdue invoices: 1" in card.body


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.name))
def test_the_readme_shows_the_same(readme: Path) -> None:
    assert block(readme, "python") in block(PAGE, "python")
    assert block(readme, "jinja") == block(PAGE, "jinja")


def test_the_example_file_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DINGTALK_CLIENT_ID", "DINGTALK_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)

    settings = load_settings(ROOT / "dingerp.example.toml")

    assert settings.erp["main"].vendor == "demo"
    assert settings.keys_missing, "secrets belong into the environment"


def shown_settings() -> list[tuple[str, str]]:
    return [
        (str(page.relative_to(ROOT)), code)
        for page in markdown_files()
        for kind, code in code_blocks(page.read_text(encoding="utf-8"))
        if kind == "toml" and not code.startswith(("[project", "[build-system", "[[questions", "[[gate"))
    ]


@pytest.mark.parametrize(("page", "code"), shown_settings())
def test_shown_settings_are_valid(page: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DINGERP_ACCESS__OPEN", "true")  # most pages are about other settings than who may see what
    if "[erp." not in code:
        monkeypatch.setenv("DINGERP_ERP__MAIN__VENDOR", "demo")
    file = tmp_path / "dingerp.toml"
    file.write_text(code, encoding="utf-8")

    assert tomllib.loads(code)
    make_access_policy(load_settings(file))
    for check in ("access check", "routes check", "policy check"):
        result = CliRunner().invoke(cli, [*check.split(), "--config", str(file)])
        assert result.exit_code == 0, (check, result.output, result.exception)


def test_shown_variables_are_read() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in [*markdown_files(), ROOT / "Dockerfile"])
    reference = (ROOT / "docs/reference/configuration.md").read_text(encoding="utf-8")
    known = re.findall(r"`((?:DINGERP|DINGTALK)_[A-Z_<>]+)`", reference)
    patterns = [re.compile(re.sub(r"<[A-Z]+>", "[A-Z0-9]+", name)) for name in known]

    shown = set(re.findall(r"\b(?:DINGERP|DINGTALK)_[A-Z_0-9]*[A-Z0-9]\b", pages))
    assert shown
    # An adapter's own options (``DINGERP_ERP__MAIN__PASSWORD``) are checked in its tests.
    known_alone = re.compile(r"DINGERP_ERP(__[A-Z0-9_]+)?")
    assert [name for name in shown if not any(pattern.fullmatch(name) for pattern in [*patterns, known_alone])] == []
