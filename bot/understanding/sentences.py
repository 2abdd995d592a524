"""The wording of questions as data: the words that support a command, and those without meaning.

The files stand beside the commands (``commands/sentences``); a company adds its own words in a file of the same form.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from bot.chat.arguments import Keyword
from bot.chat.registry import AnyCommand, Commands
from bot.understanding.sentence_files import read_files, words_of
from bot.understanding.spoken_words import PARTED, SpokenWords
from bot.understanding.unsupported_topics import UnsupportedTopic
from bot.understanding.word_table import KnownWords, Meanings, WordTable
from bot.words.errors import ConfigurationError

_WEIGHTS = {"decisive": 6, "names": 4, "questions": 2, "hints": 1}
LIST_WEIGHT = 3
"""Weight of a word that names a list of its command."""
_FIXED_WEIGHT = 6
_KEYS = (*_WEIGHTS, "lists", "narrows", "fixed")
_SHORTEST_ALIAS = 2
_LONGEST_INSIDE = 6
_PATTERNS = 1_024
"""Patterns of words in two parts that are kept; there are some hundred such words."""
_SPOKEN = ("deeds", "holding")
_TABLES = ("asides", "tells", "says")
_WISH_KEYS = ("alone", "verbs", "when")
_UNKNOWN_KEYS = ("words", "nearest", "unless")
KINDS_NAMED = frozenset({"document", "partner", "product", "nothing"})
"""What a sentence may name of which is known what is unknown of others."""
IN_THE_ERP = "erp"
"""Stands among the wishes for what only the ERP does: to cancel an order, to move its date."""
_WORD_LISTS = (
    "fillers",
    "phrases",
    "kept",
    "dates",
    "due",
    "units",
    "verbs",
    "heard",
    "off_topic",
    "late",
    "due_soon",
    "finished",
    "status",
    "papers",
    "of_all",
    "refusals",
    "everyday",
)
_LOOKED_FOR = ("late", "due_soon", "finished", "status", "papers", "of_all", "refusals")
"""Of these lists, those of words that are looked for as they are."""


class DocumentStep(StrEnum):
    """An action on an order, or on one of its documents. Its words stand under its name among the ``states``."""

    INVOICED = "invoiced"
    SHIPPED = "shipped"
    PAID = "paid"
    RECEIVED = "received"
    APPROVED = "approved"
    FINISHED = "finished"


_KINDS: Mapping[str, type[StrEnum]] = {"gaps": UnsupportedTopic, "states": DocumentStep}
"""Tables of words → what they may be for."""


@dataclass(frozen=True, slots=True)
class Cue:
    """The meaning of a word: a command, possibly one of its named lists, or a whole line (``fixed``)."""

    command: str
    weight: int
    keyword: str = ""
    fixed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequestWords:
    """The words that ask for a change: ``alone``, or one of the ``verbs`` together with one of ``when``."""

    alone: SpokenWords
    verbs: SpokenWords
    when: SpokenWords


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownFact:
    """A fact that companies ask for and no command has, such as margins: its words, and the nearest questions.

    ``nearest`` are questions in words. The fact is known for anything that one of ``unless`` names.
    """

    words: SpokenWords
    nearest: tuple[str, ...]
    unless: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Sentences:
    """The words of all languages, in lower case."""

    cues: WordTable[tuple[Cue, ...]]
    """What files and signatures say of each word; `cues_of` tells what it comes to."""
    parted: tuple[str, ...]
    """Those of two parts, with other words between them (`parted_pattern`), the longest first."""
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
    verbs: frozenset[str]
    """Words that stand right before or after a name without a blank: 欠 in 欠宏达."""
    heard: frozenset[str]
    """Words that are understood in other characters of the same sound too."""
    asides: frozenset[str]
    """Words that no answer need hold, wherever they stand; the files give the reason for each."""
    everyday: frozenset[str]
    """Words of every day: nobody is called so, and no card says that it did not find them."""
    off_topic: frozenset[str]
    """Words of what people in offices speak of and no ERP knows: wages, meals, meetings, the weather."""

    late: SpokenWords
    """Words that say that something is late, and not what: 逾期, overdue."""
    due_soon: SpokenWords
    """Words that say that something is due soon, or on days that are named, and not what: 快到期."""
    finished: SpokenWords
    """Words that say that something was made, on the days that are named: 完工, finished."""
    status: SpokenWords
    """Words for how documents and goods may stand, beside late: 拖欠, 缺货. No list is of what is not so."""
    papers: SpokenWords
    """Words for documents, goods, money and people of which a list is asked for: 没付的发票."""
    of_all: SpokenWords
    """Words that ask for all there is, whatever was asked for before: 采购在途有多少."""
    refusals: SpokenWords
    """Words that turn a purchase order down: its card has the button for it."""
    said: Mapping[str, SpokenWords]
    """What a few words say of any question, by names of its own → the words (`says`)."""
    states: Mapping[str, SpokenWords]
    """What is done to documents (`DocumentStep`) → the words for it, with ``…`` for signs that it is over: 开…票 is
    开了票.
    """
    gaps: Mapping[str, SpokenWords]
    """What no line holds → the words that ask for it (`bot.understanding.unsupported_topics`)."""
    deeds: Mapping[str, SpokenWords]
    """A command whose documents tell on which day something was done to an order → the words that say it was done."""
    holding: Mapping[str, SpokenWords]
    """A command that lists the documents of a product → the words that ask for them beside a product."""
    tells: Mapping[str, tuple[str, ...]]
    """A command or named list → the others whose words its answer uses too: what is late is open."""
    wishes: Mapping[str, ChangeRequestWords]
    """A command that changes something, or ``erp`` for what only the ERP does → the words that want it done."""
    unknown: tuple[UnknownFact, ...]
    """What no command tells."""
    commands: frozenset[str]
    """The commands that sentences may ask for: those that change nothing."""
    lists: Mapping[str, tuple[str, ...]]
    """Command → its named lists; of several that a sentence names, the first is meant."""
    narrowed: Mapping[str, Mapping[str, frozenset[str]]]
    """Command → its named list → words that mean this list of it, and another one of other commands."""
    typed: Mapping[str, frozenset[str]]
    """Command → the words of these lists that may be typed after it."""

    @cached_property
    def parted_by_sign(self) -> Mapping[str, tuple[tuple[int, str, str], ...]]:
        """The two-part words by first sign, each with its rank and first part: most sentences contain few of them."""
        found: dict[str, list[tuple[int, str, str]]] = {}
        for rank, word in enumerate(self.parted):
            found.setdefault(word[0], []).append((rank, word.partition(PARTED)[0], word))
        return {sign: tuple(words) for sign, words in found.items()}

    @cached_property
    def _resolved(self) -> dict[str, tuple[Cue, ...]]:
        return {}

    def cues_of(self, word: str) -> tuple[Cue, ...]:
        """Return the meanings of a word, one per command; empty for a word that asks for nothing.

        Computed at the first question: most of the twenty thousand words are never used.
        """
        if word not in self.cues:
            return ()
        if word not in self._resolved:
            self._resolved[word] = _strongest(_with_weights_inside(word, self.cues[word], self.cues))
        return self._resolved[word]

    def says(self, what: str, text: str) -> bool:
        """Return whether a text contains any of the words for something, a name in the table *says* of the files."""
        return self.said[what].search(text.casefold()) is not None

    @cached_property
    def without_meaning(self) -> frozenset[str]:
        """The words of which a line need hold nothing."""
        return self.fillers.union(self.phrases, self.verbs, self.dates, self.due, self.units, self.asides)

    @cached_property
    def known_words(self) -> KnownWords:
        """All words with or without meaning in any company."""
        lists = (self.fillers, self.phrases, self.verbs, self.dates, self.due, self.units, self.everyday, self.asides)
        others = self.off_topic.union(*lists, *self.typed.values())
        return KnownWords(self.cues, frozenset(word for word in others if word not in self.cues))

    @classmethod
    def load(cls, commands: Commands, own: Iterable[Path] = ()) -> Sentences:
        """Read the built-in files and those of the company.

        Raises `ConfigurationError` for an unreadable file, and for nonexistent keys and commands. A command that may
        write is an error too: sentences only ask.
        """
        cues = Meanings[Cue]()
        words: dict[str, set[str]] = {name: set() for name in _WORD_LISTS}
        asked: dict[str, AnyCommand] = {}
        narrowed: dict[str, dict[str, frozenset[str]]] = {}
        wishes: dict[str, dict[str, set[str]]] = {}
        unknown: list[UnknownFact] = []
        by_kind: dict[str, dict[str, set[str]]] = {key: {} for key in _KINDS}
        spoken: dict[str, dict[str, set[str]]] = {key: {} for key in _SPOKEN}
        tables: dict[str, dict[str, list[str]]] = {key: {} for key in _TABLES}
        for name, content in read_files(own):
            for key, value in content.items():
                if key in tables:
                    _add_table(name, key, value, tables[key])
                    continue
                if key == "wishes":
                    _add_wishes(name, commands, value, wishes)
                    continue
                if key == "unknown":
                    unknown = [*_unknown_facts(name, value), *unknown]  # a company's own words before the built-in ones
                    continue
                if key in _KINDS:
                    _add_by_kind(name, key, value, by_kind[key])
                    continue
                if key in spoken:
                    _add_spoken(name, commands, key, value, spoken[key])
                    continue
                if key in words:
                    words[key].update(words_of(name, key, value))
                    continue
                asked[key] = _reading_command(name, commands, key)
                lists = narrowed.setdefault(key, {})
                lists.update(
                    (list_, lists.get(list_, frozenset()) | own) for list_, own in _narrowed(name, asked[key], value)
                )
                for said, cue in _from_table(name, asked[key], value):
                    cues.add(said, cue)
        for word, cue in _from_signatures(asked.values(), words["fillers"]):
            # 客户 names a command and is said of much else: what a file says of an alias goes before its usual weight.
            if cue.keyword or all(said.command != cue.command for said in cues.of.get(word, ())):
                cues.add((word,), cue)
        return cls(
            wishes={
                command: ChangeRequestWords(**{kind: SpokenWords.of(said.get(kind, ())) for kind in _WISH_KEYS})
                for command, said in wishes.items()
            },
            **{key: SpokenWords.of(words[key]) for key in _LOOKED_FOR},
            unknown=tuple(unknown),
            gaps=_each_of(by_kind["gaps"]),
            states=_each_of(by_kind["states"]),
            deeds=_each_of(spoken["deeds"]),
            holding=_each_of(spoken["holding"]),
            commands=frozenset(asked),
            cues=WordTable(cues.of),
            parted=tuple(sorted((word for word in cues.of if PARTED in word), key=len, reverse=True)),
            fillers=frozenset(words["fillers"]),
            phrases=frozenset(words["phrases"]),
            kept=frozenset(words["kept"]),
            lists={name: tuple(member.value for member in _lists(command)) for name, command in asked.items()},
            narrowed=narrowed,
            typed={
                name: frozenset(word for member in _lists(command) for word in member.words)
                for name, command in asked.items()
            },
            dates=frozenset(words["dates"]),
            due=frozenset(words["due"]),
            units=frozenset(words["units"]),
            verbs=frozenset(words["verbs"]),
            heard=frozenset(words["heard"]),
            everyday=frozenset(words["everyday"]),
            asides=frozenset(word for words_ in tables["asides"].values() for word in words_),
            said=_each_of(tables["says"]),
            tells={name: tuple(others) for name, others in tables["tells"].items()},
            off_topic=frozenset(words["off_topic"]),
        )


def _add_wishes(file: str, commands: Commands, tables: object, wishes: dict[str, dict[str, set[str]]]) -> None:
    """Add a file's requests for changes; read-only commands are none."""
    if not isinstance(tables, Mapping):
        raise ConfigurationError(f"{file}: wishes must be a table")
    for name, table in tables.items():
        command = commands.get(name)
        if name != IN_THE_ERP and (command is None or command.only_asks):
            raise ConfigurationError(f"{file}: wishes.{name} is no command that changes something")
        if not isinstance(table, Mapping) or not set(table) <= set(_WISH_KEYS):
            raise ConfigurationError(f"{file}: wishes.{name} may have {', '.join(_WISH_KEYS)}")
        for kind, listed in table.items():
            words = wishes.setdefault(name, {}).setdefault(kind, set())
            words.update(words_of(file, f"wishes.{name}.{kind}", listed))


def _unknown_facts(file: str, tables: object) -> Iterator[UnknownFact]:
    """Yield a file's facts that no command has."""
    if not isinstance(tables, Mapping):
        raise ConfigurationError(f"{file}: unknown must be a table")
    for name, table in tables.items():
        if not isinstance(table, Mapping) or not set(table) <= set(_UNKNOWN_KEYS):
            raise ConfigurationError(f"{file}: unknown.{name} may have {', '.join(_UNKNOWN_KEYS)}")
        words, nearest, unless = (
            tuple(words_of(file, f"unknown.{name}.{key}", table.get(key, []))) for key in _UNKNOWN_KEYS
        )
        if not words or not set(unless) <= KINDS_NAMED:
            raise ConfigurationError(f"{file}: unknown.{name} needs words, and unless {', '.join(sorted(KINDS_NAMED))}")
        yield UnknownFact(words=SpokenWords.of(words), nearest=nearest, unless=frozenset(unless))


def _add_table(file: str, key: str, value: object, table: dict[str, list[str]]) -> None:
    """Add a file's lists of words under names of its own."""
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{file}: {key} must be a table")
    for name, listed in value.items():
        table.setdefault(name, []).extend(words_of(file, f"{key}.{name}", listed))


def _add_by_kind(file: str, key: str, table: object, by_kind: dict[str, set[str]]) -> None:
    """Add a file's words for uncovered topics, or for actions on documents."""
    if not isinstance(table, Mapping) or not set(table) <= set(_KINDS[key]):
        raise ConfigurationError(f"{file}: {key} may have {', '.join(_KINDS[key])}")
    for kind, listed in table.items():
        by_kind.setdefault(kind, set()).update(words_of(file, f"{key}.{kind}", listed))


def _add_spoken(file: str, commands: Commands, key: str, table: object, spoken: dict[str, set[str]]) -> None:
    """Add a file's literal words, by the commands they ask for."""
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{file}: {key} must be a table")
    for name, listed in table.items():
        command = _reading_command(file, commands, name)
        spoken.setdefault(command.name, set()).update(words_of(file, f"{key}.{name}", listed))


def _each_of(spoken: Mapping[str, Iterable[str]]) -> Mapping[str, SpokenWords]:
    return {command: SpokenWords.of(said) for command, said in spoken.items()}


def _reading_command(file: str, commands: Commands, name: str) -> AnyCommand:
    command = commands.get(name)
    if command is None:
        raise ConfigurationError(f"{file}: there is no command {name!r}")
    if not command.only_asks:
        raise ConfigurationError(f"{file}: /{name} may change something, which no sentence does")
    return command


def _from_signatures(commands: Iterable[AnyCommand], fillers: Container[str]) -> Iterator[tuple[str, Cue]]:
    """Yield the aliases of commands, and the words of their named lists.

    An alias that is meaningless in a sentence asks for its command only at the beginning of a line: 产品. The lists
    of a command whose names count only after a slash are called by words of others.
    """
    for command in commands:
        for alias in command.names:
            # 采购 may stand anywhere in a sentence, and cg beside Chinese words; so is a word of its own.
            if len(alias) >= _SHORTEST_ALIAS and alias not in fillers and alias != command.name:
                yield alias.casefold(), Cue(command.name, _WEIGHTS["names"])
        for member in () if command.slashed else _lists(command):
            for word in member.words:
                if len(word) >= _SHORTEST_ALIAS:  # 晚 alone is the evening too
                    yield word, Cue(command.name, LIST_WEIGHT, keyword=member.value)


def _lists(command: AnyCommand) -> Iterator[Keyword]:
    for parameter in command.signature.parameters:
        if issubclass(parameter.type, Keyword):
            yield from parameter.type


def _from_table(file: str, command: AnyCommand, table: object) -> Iterator[tuple[Iterable[str], Cue]]:
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{file}: {command.name} must be a table")
    known = {member.value for member in _lists(command)}
    for key, value in table.items():
        if key in _WEIGHTS:
            yield words_of(file, f"{command.name}.{key}", value), Cue(command.name, _WEIGHTS[key])
        elif key == "lists":
            for name, listed in value.items():
                if name not in known:
                    raise ConfigurationError(f"{file}: /{command.name} has no list {name!r}")
                yield (
                    words_of(file, f"{command.name}.lists.{name}", listed),
                    Cue(command.name, LIST_WEIGHT, keyword=name),
                )
        elif key == "narrows":
            continue  # they speak for no command
        elif key == "fixed":
            for rest, listed in value.items():
                yield (
                    words_of(file, f"{command.name}.fixed.{rest}", listed),
                    Cue(command.name, _FIXED_WEIGHT, fixed=rest),
                )
        else:
            raise ConfigurationError(f"{file}: {command.name}.{key} is unknown; known are {', '.join(_KEYS)}")


def _narrowed(file: str, command: AnyCommand, table: Mapping[str, Any]) -> Iterator[tuple[str, frozenset[str]]]:
    known = {member.value for member in _lists(command)}
    for name, listed in table.get("narrows", {}).items():
        if name not in known:
            raise ConfigurationError(f"{file}: /{command.name} has no list {name!r}")
        yield name, frozenset(words_of(file, f"{command.name}.narrows.{name}", listed))


# Made when a sentence has both parts: to make all of them takes 40 ms, and a sentence needs one or two.
@lru_cache(maxsize=_PATTERNS)
def parted_pattern(word: str) -> re.Pattern[str]:
    """Return the pattern of a two-part word; recognised parts may stand in between."""
    first, _, last = (re.escape(part.strip()) for part in word.partition(PARTED))
    if first.isascii():
        return re.compile(rf"\b({first})\b[^,;!?]{{1,40}}?\b({last})\b")
    return re.compile(rf"({first})(?:(?:\x00*[^\x00,;!?]){{1,8}}?\x00*|\x00+)({last})")


def _with_weights_inside(word: str, cues: Iterable[Cue], known: Mapping[str, Sequence[Cue]]) -> Iterator[Cue]:
    """Yield the meanings of a word, which weighs no less than the words inside it.

    到货的采购单 supports purchase orders as 采购单 does, and 付款明细 names the list that 付款 does.
    """
    inside = [] if word.isascii() else [cue for part in _parts(word) if part in known for cue in known[part]]
    if not inside:
        yield from cues
        return
    own = list(cues)
    listed = {cue.command for cue in own if cue.keyword or cue.fixed}
    for cue in own:
        same = [other for other in inside if other.command == cue.command]
        weight = max([cue.weight, *(other.weight for other in same)])
        inherited = next((other.keyword for other in same if other.keyword), "")
        keyword = cue.keyword or ("" if cue.command in listed else inherited)
        unchanged = (weight, keyword) == (cue.weight, cue.keyword)
        yield cue if unchanged else replace(cue, weight=weight, keyword=keyword)


def _parts(word: str) -> Sequence[str]:
    size = len(word)
    sizes = range(_SHORTEST_ALIAS, min(size - 1, _LONGEST_INSIDE) + 1)
    return [word[start : start + each] for each in sizes for start in range(size - each + 1)]


def _strongest(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """Return one meaning per command, with the maximum of its words."""
    merged: dict[str, Cue] = {}
    for cue in cues:
        known = merged.setdefault(cue.command, cue)
        if known is not cue:
            merged[cue.command] = Cue(
                cue.command, max(known.weight, cue.weight), known.keyword or cue.keyword, known.fixed or cue.fixed
            )
    return tuple(merged.values())
