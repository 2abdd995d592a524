"""How people ask, as data: the words that speak for a command, and those that mean nothing.

The files stand beside the commands (``commands/sentences``); a company adds its own words in a file of the same form.
"""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from bot.chat.arguments import Keyword
from bot.chat.registry import AnyCommand, Commands
from bot.errors import ConfigurationError

_WEIGHTS = {"decisive": 6, "names": 4, "questions": 2, "hints": 1}
LIST_WEIGHT = 3
"""Weight of a word that names a list of its command."""
_FIXED_WEIGHT = 6
_SHORTEST_ALIAS = 2
_WORD_LISTS = ("fillers", "phrases", "kept", "dates", "due", "units", "heard")


@dataclass(frozen=True, slots=True)
class Cue:
    """What a word speaks for: a command, perhaps one of its named lists, or a whole line (``fixed``)."""

    command: str
    weight: int
    keyword: str = ""
    fixed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentences:
    """The words of all languages, in small letters."""

    cues: Mapping[str, tuple[Cue, ...]]
    fillers: frozenset[str]
    """Words that mean nothing at either end of a name."""
    phrases: frozenset[str]
    """Words that mean nothing wherever they stand."""
    kept: frozenset[str]
    """Beginnings of names that look like such words: 和平 is a name, 和 is not."""
    dates: frozenset[str]
    """Words of time that name no days."""
    due: frozenset[str]
    """Words that say that the days in a sentence are those on which something is due."""
    units: frozenset[str]
    heard: frozenset[str]
    """Words that are understood in other characters of the same sound too."""

    commands: frozenset[str]
    """The commands that sentences may ask for: those that change nothing."""
    lists: Mapping[str, frozenset[str]]
    """Command → its named lists."""
    typed: Mapping[str, frozenset[str]]
    """Command → the words of these lists that may be typed after it."""

    @classmethod
    def load(cls, commands: Commands, own: Iterable[Path] = ()) -> Sentences:
        """Read the built-in files and those of the company.

        Raises `ConfigurationError` for a file that cannot be read, and for keys and commands that do not exist. A
        command that may write is an error too: sentences only ask.
        """
        cues: dict[str, list[Cue]] = {}
        words: dict[str, set[str]] = {name: set() for name in _WORD_LISTS}
        asked: dict[str, AnyCommand] = {}
        for name, content in _files(own):
            for key, value in content.items():
                if key in words:
                    words[key].update(_words(name, key, value))
                    continue
                asked[key] = _reading_command(name, commands, key)
                for word, cue in _from_table(name, asked[key], value):
                    cues.setdefault(word, []).append(cue)
        for word, cue in _from_signatures(asked.values(), words["fillers"]):
            known = cues.setdefault(word, [])
            # 客户 names a command and is said of much else: what a file says of an alias goes before its usual weight.
            if cue.keyword or all(said.command != cue.command for said in known):
                known.append(cue)
        return cls(
            commands=frozenset(asked),
            cues={word: _strongest(found) for word, found in cues.items()},
            fillers=frozenset(words["fillers"]),
            phrases=frozenset(words["phrases"]),
            kept=frozenset(words["kept"]),
            lists={name: frozenset(member.value for member in _lists(command)) for name, command in asked.items()},
            typed={
                name: frozenset(word for member in _lists(command) for word in member.words)
                for name, command in asked.items()
            },
            dates=frozenset(words["dates"]),
            due=frozenset(words["due"]),
            units=frozenset(words["units"]),
            heard=frozenset(words["heard"]),
        )


def _reading_command(file: str, commands: Commands, name: str) -> AnyCommand:
    command = commands.get(name)
    if command is None:
        raise ConfigurationError(f"{file}: there is no command {name!r}")
    if not command.only_asks:
        raise ConfigurationError(f"{file}: /{name} may change something, which no sentence does")
    return command


def _files(own: Iterable[Path]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for resource in sorted(files("commands").joinpath("sentences").iterdir(), key=lambda file: file.name):
        if resource.name.endswith(".toml"):
            yield resource.name, tomllib.loads(resource.read_text(encoding="utf-8"))
    for path in own:
        try:
            yield str(path), tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{path}: {error}") from error


def _from_signatures(commands: Iterable[AnyCommand], fillers: Container[str]) -> Iterator[tuple[str, Cue]]:
    """Yield the aliases of commands, and the words of their named lists.

    An alias that means nothing in a sentence asks for its command only where it begins a line: 产品.
    """
    for command in commands:
        for alias in command.names:
            # 采购 may stand anywhere in a sentence; cg and so are abbreviations that only begin a line.
            if not alias.isascii() and len(alias) >= _SHORTEST_ALIAS and alias not in fillers:
                yield alias.casefold(), Cue(command.name, _WEIGHTS["names"])
        for member in _lists(command):
            for word in member.words:
                if len(word) >= _SHORTEST_ALIAS:  # 晚 alone is the evening too
                    yield word, Cue(command.name, LIST_WEIGHT, keyword=member.value)


def _lists(command: AnyCommand) -> Iterator[Keyword]:
    for parameter in command.signature.parameters:
        if issubclass(parameter.type, Keyword):
            yield from parameter.type


def _from_table(file: str, command: AnyCommand, table: object) -> Iterator[tuple[str, Cue]]:
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{file}: {command.name} must be a table")
    known = {member.value for member in _lists(command)}
    for key, value in table.items():
        if key in _WEIGHTS:
            for word in _words(file, f"{command.name}.{key}", value):
                yield word, Cue(command.name, _WEIGHTS[key])
        elif key == "lists":
            for name, listed in value.items():
                if name not in known:
                    raise ConfigurationError(f"{file}: /{command.name} has no list {name!r}")
                for word in _words(file, f"{command.name}.lists.{name}", listed):
                    yield word, Cue(command.name, LIST_WEIGHT, keyword=name)
        elif key == "fixed":
            for rest, listed in value.items():
                for word in _words(file, f"{command.name}.fixed.{rest}", listed):
                    yield word, Cue(command.name, _FIXED_WEIGHT, fixed=rest)
        else:
            raise ConfigurationError(
                f"{file}: {command.name}.{key} is unknown; known are decisive, names, questions, hints, lists and fixed"
            )


def _words(file: str, key: str, value: object) -> Iterator[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) and word.strip() for word in value):
        raise ConfigurationError(f"{file}: {key} must be a list of words")
    for word in value:
        yield " ".join(word.casefold().split())


def _strongest(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """Return one cue a command, with all that its words say."""
    merged: dict[str, Cue] = {}
    for cue in cues:
        known = merged.get(cue.command, cue)
        merged[cue.command] = Cue(
            cue.command, max(known.weight, cue.weight), known.keyword or cue.keyword, known.fixed or cue.fixed
        )
    return tuple(merged.values())
