"""Reads a TOML document table by table, and collects every error with its line."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.rulefiles.errors import RuleProblem, RulesError, closest, did_you_mean
from bot.rulefiles.positions import DocumentPath, Positions, find_positions
from bot.words.names import NOTHING_KNOWN, KnownNames, NameKind, NameReference, check_names
from bot.words.phrase import Phrase, Words, phrase, reason_of
from bot.words.toml_errors import explain_toml_error

T = TypeVar("T")
D = TypeVar("D")
N = TypeVar("N", bound=Iterable[str])


class ProblemCollector:
    """Errors and warnings of one document."""

    def __init__(self, positions: Positions) -> None:
        self._positions = positions
        self._found: list[RuleProblem] = []
        self._warnings: list[RuleProblem] = []
        self._names: list[tuple[DocumentPath, NameKind, str]] = []

    def add(self, path: DocumentPath, reason: Words) -> None:
        """Add an error at ``path``."""
        self._found.append(RuleProblem(self._positions.line(*path), reason))

    def warn(self, path: DocumentPath, reason: Words) -> None:
        """Add a warning at ``path``: something that works but is probably a mistake."""
        self._warnings.append(RuleProblem(self._positions.line(*path), reason))

    def refer(self, path: DocumentPath, kind: NameKind, names: Iterable[str]) -> None:
        """Record names at ``path``."""
        self._names.extend((path, kind, name) for name in names)

    def references(self, file: str) -> tuple[NameReference, ...]:
        """Return the recorded names; ``file`` is the document's name."""
        return tuple(
            NameReference(kind=kind, value=name, file=file, line=self._positions.line(*path), key=str(path[-1]))
            for path, kind, name in self._names
        )

    def check_names(self, known: KnownNames) -> None:
        """Add an error or a warning for each name that leads nowhere."""
        for problem in check_names(self.references(""), known):
            told = self._found if problem.is_error else self._warnings
            told.append(RuleProblem(problem.reference.line, problem.reason))

    @property
    def warnings(self) -> tuple[RuleProblem, ...]:
        """The warnings in order of lines."""
        return _in_order(self._warnings)

    @property
    def found(self) -> tuple[RuleProblem, ...]:
        """The errors in order of lines."""
        return _in_order(self._found)


def _in_order(problems: Iterable[RuleProblem]) -> tuple[RuleProblem, ...]:
    """Return problems by line, each once."""
    by_words = {(problem.line, str(problem.reason)): problem for problem in problems}
    return tuple(by_words[key] for key in sorted(by_words))


class RuleTable:
    """The keys of one table. Value readers raise `ValueError` with the reason."""

    def __init__(self, values: Mapping[str, object], path: DocumentPath, errors: ProblemCollector) -> None:
        self.path = path
        self.errors = errors
        self._values = values
        self._known: list[str] = []
        self._missing: dict[str, str] = {}
        """Required keys that are missing, each with an example."""
        self.has_errors = False
        """Whether a key of this table was wrong: further errors may only be consequences."""

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    @property
    def is_blank(self) -> bool:
        """Whether all its values are empty or false."""
        return not any(self._values.values())

    def has_flag(self, key: str) -> bool:
        """Return whether ``key`` holds a boolean."""
        return isinstance(self._values.get(key), bool)

    def take(self, key: str, read: Callable[[object], T], default: D) -> T | D:
        """Return the value of a key, converted by ``read``; ``default`` if it is missing or wrong."""
        self._known.append(key)
        if key not in self._values:
            return default
        try:
            return read(self._values[key])
        except ValueError as error:
            self.wrong(key, reason_of(error))
            return default

    def take_names(self, key: str, read: Callable[[object], N], default: D, kind: NameKind) -> N | D:
        """Return the result of `take`; the values are names, which must exist."""
        found = self.take(key, read, None)
        if found is None:
            return default
        self.refer(key, kind, found)
        return found

    def refer(self, key: str, kind: NameKind, names: Iterable[str]) -> None:
        """Record names under a key."""
        self.errors.refer((*self.path, key), kind, sorted(names) if isinstance(names, AbstractSet) else names)

    def need(self, key: str, read: Callable[[object], T], default: D, example: str) -> T | D:
        """Return the result of `take`; if the key is missing, `finish` adds an error."""
        if key not in self:
            self._missing[key] = example
            self.has_errors = True
        return self.take(key, read, default)

    def table(self, key: str) -> RuleTable:
        """Return the table under ``key``, empty if it is missing."""
        self._known.append(key)
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            self.wrong(
                key,
                phrase("is written as a table, [%(path)s]", path=".".join([*self._names, _shown(key)])),
            )
            value = {}
        return RuleTable(value, (*self.path, key), self.errors)

    def tables(self, key: str) -> list[RuleTable]:
        """Return the tables under ``key``, which are written ``[[key]]``."""
        self._known.append(key)
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
            self.wrong(key, phrase("is written as tables, [[%(path)s]]", path=".".join([*self._names, key])))
            return []
        return [RuleTable(table, (*self.path, key, number), self.errors) for number, table in enumerate(value)]

    def few_tables(self, key: str, most: int) -> list[RuleTable]:
        """Return the result of `tables`; more than ``most`` are an error, and then none are returned."""
        tables = self.tables(key)
        if len(tables) > most:
            tables[most].miss(
                phrase("more than %(most)s %(key)s; take out those that nothing needs any more", most=most, key=key)
            )
            return []
        return tables

    def called(self, kind: str) -> str:
        """Return the default name of one of several tables: its kind and its number from 1."""
        return f"{kind} {int(self.path[-1]) + 1}"

    @property
    def _names(self) -> list[str]:
        return [part for part in self.path if isinstance(part, str)]

    def wrong(self, key: str, reason: Words) -> None:
        """Add an error at a key, starting with its name."""
        self.has_errors = True
        self.errors.add((*self.path, key), _about(key, reason))

    def miss(self, reason: Words) -> None:
        """Add an error at the table itself."""
        self.has_errors = True
        self.errors.add(self.path, reason)

    def warn(self, key: str, reason: Words) -> None:
        """Add a warning at a key, starting with its name."""
        self.errors.warn((*self.path, key), _about(key, reason))

    def finish(self) -> None:
        """Add an error for every unknown key, and for every missing one unless it was only misspelt."""
        for key in self._values:
            if key not in self._known:
                self.has_errors = True
                unknown = phrase(
                    "unknown key %(key)s; %(hint)s", key=f"{key!r:.60}", hint=did_you_mean(key, self._known)
                )
                self.errors.add((*self.path, key), unknown)
                for meant in closest(key, self._known):
                    self._missing.pop(meant, None)
        for key, example in self._missing.items():
            self.miss(phrase("%(key)s is missing, an example is %(example)s", key=key, example=example))


def refuse_namesakes(tables: Iterable[RuleTable], names: Iterable[str]) -> None:
    """Add an error for each rule with the same name as an earlier one."""
    seen: set[str] = set()
    for table, name in zip(tables, names, strict=True):
        if name.casefold() in seen:
            table.wrong(
                "name", phrase("another rule is called %(name)s already; reasons could not tell them", name=f"{name!r}")
            )
        seen.add(name.casefold())


def _about(key: str, reason: Words) -> Phrase:
    return phrase("%(key)s: %(reason)s", key=_shown(key), reason=reason)


def _shown(key: str) -> str:
    """Return a key as written, shortened to fit a line."""
    return key if key.isprintable() and len(key) <= 60 else f"{key!r:.60}"


MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Reviewed(Generic[T]):
    """The content of a document, its probable mistakes that still work, and the names it uses."""

    rules: T
    warnings: tuple[RuleProblem, ...] = ()
    references: tuple[NameReference, ...] = ()

    def become(self, make: Callable[[T], D]) -> Reviewed[D]:
        """Return a copy with the result of ``make`` on the content."""
        return Reviewed(make(self.rules), self.warnings, self.references)


def read_document(
    content: bytes, read: Callable[[RuleTable], T], *, name: str, known: KnownNames = NOTHING_KNOWN
) -> Reviewed[T]:
    """Return the document as converted by ``read``; ``name`` is its name in errors, ``known`` are the existing names.

    Raises `RulesError` with all errors.
    """
    text = _decode(content, name)
    try:
        document = RuleTable(_parse(text, name), (), ProblemCollector(find_positions(text)))
        found = read(document)
    except RecursionError:
        raise RulesError(name, (RuleProblem(1, phrase("brackets lie too deep in each other")),)) from None
    document.errors.check_names(known)
    if document.errors.found:
        raise RulesError(name, document.errors.found)
    return Reviewed(found, document.errors.warnings, document.errors.references(name))


def _decode(content: bytes, name: str) -> str:
    if len(content) > MAX_BYTES:
        raise RulesError(
            name,
            (
                RuleProblem(
                    1,
                    phrase(
                        "%(num)s bytes are more than the %(most)s that rules may have",
                        num=len(content),
                        most=MAX_BYTES,
                    ),
                ),
            ),
        )
    try:
        # Windows' editor starts files with a byte order mark.
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RulesError(name, (RuleProblem(line, phrase("no UTF-8; save the file in that encoding")),)) from None


def _parse(text: str, name: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise RulesError(name, (RuleProblem(*explain_toml_error(error, text)),)) from None
