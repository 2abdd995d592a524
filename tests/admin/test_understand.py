"""``dingerp understand``: a sentence in, the line that it is taken for out, with nothing running."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.words.errors import ConfigurationError


@pytest.fixture
def nowhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder without a configuration."""
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))


@pytest.mark.usefixtures("nowhere")
def test_a_sentence_is_read_with_the_words_of_the_demo_company() -> None:
    result = CliRunner().invoke(cli, ["understand", "宏达的订单发货了吗", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["line"], told["by"]) == ("/order 宏达", "grammar")
    assert set(told) == {"line", "by", "alternatives", "understood"}


@pytest.mark.usefixtures("nowhere")
def test_what_is_not_understood_ends_with_1() -> None:
    result = CliRunner().invoke(cli, ["understand", "今天天气不错"])
    assert (result.exit_code, result.stdout) == (1, "not understood\n")


@pytest.mark.usefixtures("nowhere")
def test_commands_that_a_person_may_not_use_are_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DINGERP_ACCESS__ROLES", '{"finance": ["cfo01"]}')
    monkeypatch.setenv("DINGERP_ACCESS__RULES", '[{"commands": ["invoice"], "roles": ["finance"]}]')
    asked = ["understand", "INV-7付了吗", "--as"]
    assert CliRunner().invoke(cli, [*asked, "keeper01"]).exit_code == 1
    assert CliRunner().invoke(cli, [*asked, "cfo01"]).stdout.startswith("/invoice INV-7\n")


@pytest.mark.usefixtures("nowhere")
def test_a_model_that_nobody_named_cannot_be_asked() -> None:
    result = CliRunner().invoke(cli, ["understand", "今天天气不错", "--model"])
    assert isinstance(result.exception, ConfigurationError)
    assert "there is no language model in the settings" in result.exception.detail
