"""From what stands in a cell to the line that it asks for: the text is one word of that line, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from bot.chat.arguments import ArgumentType, Keyword
from bot.chat.errors import BadArgument
from bot.chat.parsing import command_line, normalise, split
from bot.chat.registry import AnyCommand, Commands
from bot.sheets.sheet import ANYTHING, EditRefused, EditRules
from bot.words.errors import ConfigurationError
from bot.words.phrase import phrase

NUMBER, VALUE = "{number}", "{value}"
"""What stands for the document's number and for the text of the cell in a line of the settings."""
_PROBE = "dingerp-probe-1"
LONGEST = 60
"""Characters of a cell that are taken as a word."""


def digest_of(value: str) -> str:
    """Return what tells a text in a cell from others."""
    return sha256(value.encode()).hexdigest()[:32]


def written_in(value: str) -> str:
    """Return the text of a cell as it counts; empty for a cell with nothing in it."""
    return normalise(value)


def check_rules(commands: Commands, where: str, rules: EditRules) -> None:
    """Check the lines of one column. Raises `ConfigurationError`, with ``where`` as the name of the setting."""
    if not rules:
        raise ConfigurationError(f"{where}: say what may be written there, and the line that it asks for")
    for said, template in rules.items():
        try:
            _check(commands, template)
        except ConfigurationError as error:
            raise ConfigurationError(f"{where}.{said}: {error.detail}") from None


def _check(commands: Commands, template: str) -> None:
    words = split(normalise(template))
    if NUMBER not in words:
        raise ConfigurationError(f"the line needs {NUMBER} as a word of its own, for the row's document")
    if any(("{" in word or "}" in word) and word not in (NUMBER, VALUE) for word in words):
        raise ConfigurationError(f"only {NUMBER} and {VALUE} are known, each as a word of its own")
    line = _filled(template, _PROBE, _PROBE)
    parsed = commands.parse(line)
    if not normalise(template).startswith("/") or parsed.command is None:
        raise ConfigurationError("it begins with / and the name of a command")
    if commands.rest_only_asks(parsed.command, parsed.rest):
        raise ConfigurationError("the line only asks: an edit asks for something that is done")
    if not commands[parsed.command].proposable:
        raise ConfigurationError("only the person themselves answers with this command")


def line_for(commands: Commands, rules: EditRules, number: str, value: str) -> str:
    """Return the line that a text in the row of a document asks for. Raises `EditRefused`."""
    template = _named(rules, value)
    if template is None:
        said = ", ".join(each for each in rules if each != ANYTHING)
        raise EditRefused(phrase("write one of these: %(words)s", words=said))
    if not number:
        raise EditRefused(phrase("this list is not of documents"))
    if VALUE in split(normalise(template)) and (len(value) > LONGEST or value.startswith("@")):
        raise EditRefused(phrase("that is no text that a line can hold"))
    line = _filled(template, number, value)
    command, rest = _command_of(commands, line)
    _, probe = _command_of(commands, _filled(template, number, _PROBE))
    if _options(command, rest) != _options(command, probe):
        # The text is a value: what it says must not choose what the command does.
        raise EditRefused(phrase("that is a word of the command itself"))
    return line


def _named(rules: EditRules, value: str) -> str | None:
    by_text = {normalise(said).casefold(): template for said, template in rules.items() if said != ANYTHING}
    return by_text.get(value.casefold(), rules.get(ANYTHING))


def _filled(template: str, number: str, value: str) -> str:
    name, *words = split(normalise(template))
    filled: Mapping[str, str] = {NUMBER: number, VALUE: value}
    return command_line(name.removeprefix("/"), *(filled.get(word, word) for word in words)) if name else ""


def _command_of(commands: Commands, line: str) -> tuple[AnyCommand, str]:
    parsed = commands.parse(line)
    if parsed.command is None:
        raise EditRefused(phrase("that is no text that a line can hold"))
    return commands[parsed.command], parsed.rest


def _options(command: AnyCommand, rest: str) -> Mapping[str, object]:
    """Return what a line says by keywords and marked words, which count wherever they stand."""
    try:
        _, named = command.signature.parse(rest)
    except BadArgument as error:
        raise EditRefused(error.tell()) from None
    return {each.name: named.get(each.name) for each in command.signature.parameters if _is_option(each.type)}


def _is_option(kind: ArgumentType) -> bool:
    return issubclass(kind, Keyword) or bool(kind.prefix) or kind.anywhere
