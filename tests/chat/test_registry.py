"""Declaring commands and finding them: clashes, outside packages, names that were misspelt."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from bot.access.grants import EVERYTHING, Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.notices import HintNotice
from bot.cards.view import View
from bot.chat import registry
from bot.chat.arguments import Word
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind
from bot.chat.registry import AnyCommand, Commands, command
from bot.words.errors import ConfigurationError
from bot.words.phrase import phrase
from tests.project.tree import ROOT
from tests.rows import each_row


def make(name: str, *aliases: str, place: int = 100) -> AnyCommand:
    @command(name, aliases=aliases, summary=phrase("What you can ask"), place=place)
    async def answer(text: Word | None = None) -> View:
        return HintNotice(problem=phrase("What you can ask"))

    return answer


async def test_a_command_can_be_called_like_its_function() -> None:
    assert isinstance(await make("weather")(), HintNotice)


def test_a_command_knows_all_its_names_and_how_it_is_typed() -> None:
    weather = make("weather", "天气", "tq")
    assert weather.names == ("weather", "天气", "tq")
    assert str(weather.usage) == "/weather [text]"
    assert not weather.writes


def test_a_plain_function_is_no_command() -> None:
    def answer() -> View:
        return HintNotice(problem=phrase("What you can ask"))

    with pytest.raises(ConfigurationError, match="async"):
        command("weather", summary=phrase("What you can ask"))(answer)  # type: ignore[arg-type]  # the mistake


@each_row("second", [make("weather"), make("sky", "WEATHER"), make("TQ"), make("sky", "tq")])
def test_two_commands_cannot_have_the_same_name(second: AnyCommand) -> None:
    with pytest.raises(ConfigurationError, match="both want"):
        Commands([make("weather", "tq"), second])


@each_row("name", ["", "two words", "a\u3000b"])
def test_a_name_is_one_word(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no single word"):
        Commands([make("weather", name)])


def test_commands_come_in_the_order_of_their_places() -> None:
    assert list(Commands([make("b"), make("a"), make("z", place=1)])) == ["z", "a", "b"]


@each_row("word", ["weather", "WEATHER", "/weather", "天气", "Tq"])
def test_a_command_is_found_by_any_of_its_names(word: str) -> None:
    weather = make("weather", "天气", "tq")
    commands = Commands([weather])
    assert commands.named(word) is weather
    assert commands.named("sky") is None


@each_row(
    ("word", "names"),
    [
        ("stcok", ["stock"]),
        ("Stok", ["stock"]),
        ("ordre", ["order"]),
        ("invoce", ["invoice"]),
        ("库房", []),
        ("库存量", ["stock"]),
        ("hlep", ["help"]),
        ("holiday", []),
        ("", []),
    ],
)
def test_a_misspelt_name_is_recognised(word: str, names: list[str]) -> None:
    assert [command.name for command in Commands.discover().similar(word)] == names


def test_a_command_within_a_sentence_is_no_slip() -> None:
    """谁外出了 is about people, and 外出 is a command: it would be wrong to say that there is no such command."""
    assert not Commands.discover().similar("外出", slashed=False)
    assert Commands.discover().similar("stokc", slashed=False)


def test_each_file_of_commands_is_found() -> None:
    files = {f"commands.{file.stem}" for file in (ROOT / "commands").glob("[a-z]*.py")}
    assert files - {known.function.__module__ for known in Commands.discover().values()} == set()


def test_help_begins_with_what_is_asked_most() -> None:
    order = ["stock", "order", "invoice", "po", "mo", "report", "chart"]
    order += ["approve", "reject", "pending", "why", "alerts", "mute", "watch", "export", "find", "help", "whoami"]
    assert [name for name in Commands.discover() if name in order] == order


class TestOutsidePackages:
    @pytest.fixture
    def offered(self, monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
        module = ModuleType("weather_plugin")
        weather = make("weather")
        weather.function.__module__ = module.__name__
        module.__dict__.update(weather=weather, imported=make("elsewhere"), nonsense=3)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        points: list[EntryPoint] = []
        monkeypatch.setattr(registry, "entry_points", lambda group: points if group == "dingerp.commands" else [])
        return points

    def offer(self, points: list[EntryPoint], value: str) -> None:
        points.append(EntryPoint("weather", value, "dingerp.commands"))

    @pytest.mark.parametrize("value", ["weather_plugin", "weather_plugin:weather"])
    def test_an_entry_point_names_a_module_or_a_command(self, offered: list[EntryPoint], value: str) -> None:
        self.offer(offered, value)
        commands = Commands.discover()
        assert "weather" in commands
        assert "elsewhere" not in commands

    @pytest.mark.parametrize("value", ["weather_plugin:nonsense", "weather_plugin:missing", "no_such_plugin"])
    def test_anything_else_stops_the_start(self, offered: list[EntryPoint], value: str) -> None:
        self.offer(offered, value)
        with pytest.raises(ConfigurationError, match="weather"):
            Commands.discover()

    def test_the_commands_of_an_installation_are_looked_for_once(self, offered: list[EntryPoint]) -> None:
        found = registry.installed_commands()
        self.offer(offered, "no_such_plugin")
        assert registry.installed_commands() is found

    def test_an_outside_command_cannot_take_a_built_in_name(self, offered: list[EntryPoint]) -> None:
        module = sys.modules["weather_plugin"]
        module.__dict__["weather"] = make("stock")
        self.offer(offered, "weather_plugin:weather")
        with pytest.raises(ConfigurationError, match="stock"):
            Commands.discover()


def test_an_answer_reaches_the_documents_that_the_asker_may_see_of_each_command_that_it_shows() -> None:
    north, south = (Scope(sources=frozenset({name})) for name in ("north", "south"))
    policy = AccessPolicy(
        AccessRule(commands=frozenset({name}), roles=frozenset({"*"}), scope=scope)
        for name, scope in (("order", north), ("po", south))
    )
    asked = QuestionContext(
        person=Person(user_id="u1", name="x"),
        conversation=Conversation("cidA==", ConversationKind.GROUP),
        line="/sky",
        now=datetime(2026, 11, 24, tzinfo=UTC),
    )

    assert shows("weather").reach(policy, asked, (EVERYTHING,)) == {}
    assert shows("sky", "order").reach(policy, asked, (EVERYTHING,)) == {"sky": (EVERYTHING,), "order": (north,)}
    also = shows("sky", "order").reach(policy, asked, (north,), also=("po",))
    assert also == {"sky": (north,), "order": (north,), "po": (Scope(sources=frozenset()),)}
    concerned = replace(shows("sky", "po"), to_concerned=True).reach(policy, asked, (EVERYTHING,), also=("order",))
    assert concerned == {"sky": (EVERYTHING,), "po": (EVERYTHING,), "order": (north,)}


def shows(name: str, *commands: str) -> AnyCommand:
    @command(name, summary=phrase("What you can ask"), shows=commands)
    async def answer() -> View:
        return HintNotice(problem=phrase("What you can ask"))

    return answer
