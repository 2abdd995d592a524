"""Reads a TOML document table by table, and collects every error with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from bot.rulefiles.errors import RuleProblem, RulesError, closest, did_you_mean
from bot.rulefiles.positions import DocumentPath, Positions, find_positions

T = TypeVar("T")
D = TypeVar("D")


class ProblemCollector:
    """Errors and warnings of one document."""

    def __init__(self, positions: Positions) -> None:
        self._positions = positions
        self._found: set[RuleProblem] = set()
        self._warnings: set[RuleProblem] = set()

    def add(self, path: DocumentPath, reason: str) -> None:
        """Add an error at ``path``."""
        self._found.add(RuleProblem(self._positions.line(*path), reason))

    def warn(self, path: DocumentPath, reason: str) -> None:
        """Add a warning at ``path``: something that works, but is probably a mistake."""
        self._warnings.add(RuleProblem(self._positions.line(*path), reason))

    @property
    def warnings(self) -> tuple[RuleProblem, ...]:
        """The warnings in the order of lines."""
        return tuple(sorted(self._warnings))

    @property
    def found(self) -> tuple[RuleProblem, ...]:
        """The errors in the order of lines."""
        return tuple(sorted(self._found))


class RuleTable:
    """The keys of one table. Readers of values raise `ValueError` with the reason."""

    def __init__(self, values: Mapping[str, object], path: DocumentPath, errors: ProblemCollector) -> None:
        self.path = path
        self.errors = errors
        self._values = values
        self._known: list[str] = []
        self._missing: dict[str, str] = {}
        """Keys that are needed and absent, each with an example."""
        self.has_errors = False
        """Whether a key of this table was wrong: further errors may only follow from that."""

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    @property
    def is_blank(self) -> bool:
        """Whether all that it says is empty or false."""
        return not any(self._values.values())

    def has_flag(self, key: str) -> bool:
        """Return whether true or false is written under ``key``."""
        return isinstance(self._values.get(key), bool)

    def take(self, key: str, read: Callable[[object], T], default: D) -> T | D:
        """Return the value of a key as ``read`` returns it; ``default`` if it is absent or wrong."""
        self._known.append(key)
        if key not in self._values:
            return default
        try:
            return read(self._values[key])
        except ValueError as error:
            self.wrong(key, f"{_shown(key)}: {error}")
            return default

    def need(self, key: str, read: Callable[[object], T], default: D, example: str) -> T | D:
        """Return what `take` returns; if the key is absent, `finish` adds an error."""
        if key not in self:
            self._missing[key] = example
            self.has_errors = True
        return self.take(key, read, default)

    def table(self, key: str) -> RuleTable:
        """Return the table under ``key``, an empty one if it is absent."""
        self._known.append(key)
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            self.wrong(key, f"{_shown(key)}: is written as a table, [{'.'.join([*self._names, _shown(key)])}]")
            value = {}
        return RuleTable(value, (*self.path, key), self.errors)

    def tables(self, key: str) -> list[RuleTable]:
        """Return the tables under ``key``, which are written ``[[key]]``."""
        self._known.append(key)
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
            self.wrong(key, f"{key}: is written as tables, [[{'.'.join([*self._names, key])}]]")
            return []
        return [RuleTable(table, (*self.path, key, number), self.errors) for number, table in enumerate(value)]

    def few_tables(self, key: str, most: int) -> list[RuleTable]:
        """Return what `tables` returns; more than ``most`` are an error, and then none are returned."""
        tables = self.tables(key)
        if len(tables) > most:
            tables[most].miss(f"more than {most} {key}; take out those that nothing needs any more")
            return []
        return tables

    def called(self, kind: str) -> str:
        """Return the default name of one of several tables: its kind and its number from 1."""
        return f"{kind} {int(self.path[-1]) + 1}"

    @property
    def _names(self) -> list[str]:
        return [part for part in self.path if isinstance(part, str)]

    def wrong(self, key: str, reason: str) -> None:
        """Add an error of a key."""
        self.has_errors = True
        self.errors.add((*self.path, key), reason)

    def miss(self, reason: str) -> None:
        """Add an error of the table itself."""
        self.has_errors = True
        self.errors.add(self.path, reason)

    def warn(self, key: str, reason: str) -> None:
        """Add a warning about a key."""
        self.errors.warn((*self.path, key), reason)

    def finish(self) -> None:
        """Add an error for every unknown key, and for what is missing, unless it was only misspelt."""
        for key in self._values:
            if key not in self._known:
                self.wrong(key, f"unknown key {key!r:.60}; {did_you_mean(key, self._known)}")
                for meant in closest(key, self._known):
                    self._missing.pop(meant, None)
        for key, example in self._missing.items():
            self.miss(f"{key} is missing, an example is {example}")


def refuse_namesakes(tables: Iterable[RuleTable], names: Iterable[str]) -> None:
    """Add an error for each rule that is called like one before it."""
    seen: set[str] = set()
    for table, name in zip(tables, names, strict=True):
        if name.casefold() in seen:
            table.wrong("name", f"name: another rule is called {name!r} already; reasons could not tell them")
        seen.add(name.casefold())


def _shown(key: str) -> str:
    """Return a key as it is written, shortened to fit a line."""
    return key if key.isprintable() and len(key) <= 60 else f"{key!r:.60}"


MAX_BYTES = 1_000_000
_AT = re.compile(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", re.S)


def read_document(content: bytes, read: Callable[[RuleTable], T], *, name: str) -> T:
    """Return what ``read`` makes of the document; ``name`` is its name in errors.

    Raises `RulesError` with all errors.
    """
    text = _decode(content, name)
    try:
        document = RuleTable(_parse(text, name), (), ProblemCollector(find_positions(text)))
        found = read(document)
    except RecursionError:
        raise RulesError(name, (RuleProblem(1, "brackets lie too deep in each other"),)) from None
    if document.errors.found:
        raise RulesError(name, document.errors.found)
    return found


def _decode(content: bytes, name: str) -> str:
    if len(content) > MAX_BYTES:
        raise RulesError(
            name, (RuleProblem(1, f"{len(content)} bytes are more than the {MAX_BYTES} that rules may have"),)
        )
    try:
        # Windows' editor begins files with a byte order mark.
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RulesError(name, (RuleProblem(line, "no UTF-8; save the file in that encoding"),)) from None


def _parse(text: str, name: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOML's own, or that of a number with thousands of digits
        match = _AT.fullmatch(str(error))
        last = text.count("\n") + 1
        if match is None:
            raise RulesError(name, (RuleProblem(1, f"no TOML: {str(error)[:200]}"),)) from None
        line, column = (int(match[2]), int(match[3])) if match[2] else (last, 0)
        where = f", column {column}" if column else ""
        reason = f"no TOML{where}: {_explain(match[1][:200], text.split(chr(10))[line - 1], column)}"
        raise RulesError(name, (RuleProblem(line, reason),)) from None


_WIDE = str.maketrans("“”„‘’＂＇，＝［］｛｝【】：＃", '"""\'\'"\',=[]{}[]:#')
"""What a Chinese keyboard writes → what TOML knows."""


def _explain(problem: str, line: str, column: int) -> str:
    """Return what is wrong at a column of a line, counted from 1, in words for people who do not know TOML."""
    found = line[column - 1 : column]
    hint = 'texts stand in quotes, an example is name = "finance"'
    if (meant := found.translate(_WIDE)) != found:
        hint = f"{found} is a Chinese character, TOML needs {meant}"
    elif problem == "Cannot overwrite a value":
        hint = "this key stands here a second time"
    return f"{problem}; {hint}"
