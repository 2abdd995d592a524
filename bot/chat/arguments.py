"""Typed arguments, read from the signature of a command's function.

A parameter annotated with a `Word` or a `Keyword` is typed by the person; every other one is a collaborator and is
injected by its type. What people may type for a collaborator, whatever the command, are its ``restrictions``: they
follow the command's own words. The signature is read once, when the command is created.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from operator import attrgetter
from types import MappingProxyType, NoneType, UnionType
from typing import Any, ClassVar, Self, TypeAlias, Union, get_args, get_origin

from bot.chat.errors import BadArgument
from bot.chat.parsing import split
from bot.erp.kinds import Kind
from bot.words.errors import ConfigurationError
from bot.words.phrase import Phrase, phrase


class Word(str):
    """A typed piece of text: one word, or with ``takes_rest`` the rest of the line.

    ``placeholder`` represents it in the usage line; a ``prefix`` marks it, so that it may stand anywhere in the line.
    ``anywhere``: it is recognised without a prefix too.
    """

    __slots__ = ()

    placeholder: ClassVar[Phrase] = phrase("text")
    prefix: ClassVar[str] = ""
    anywhere: ClassVar[bool] = False
    takes_rest: ClassVar[bool] = False

    @classmethod
    def take_marked(cls, words: list[str]) -> Self | None:
        """Take this argument out of anywhere in a line, if something there marks it."""
        for i, word in enumerate(words):
            if not cls.prefix or not word.startswith(cls.prefix):
                continue
            text = words.pop(i).removeprefix(cls.prefix)
            if not text and i < len(words):
                text = words.pop(i)
            return cls(text) if text else None
        return None


class Sku(Word):
    """A product's code, or part of its code or name."""

    placeholder = phrase("SKU")


class Warehouse(Word):
    """A warehouse's code or part of its name, typed as ``@name``."""

    placeholder = phrase("warehouse")
    prefix = "@"


class DocumentNumber(Word):
    """The number of a document, or part of it."""

    placeholder = phrase("number")


class Term(Word):
    """Free text up to the end of the line: part of a number or name, including blanks."""

    placeholder = phrase("search text")
    takes_rest = True


class PartnerTerm(Term):
    """Free text that may name a customer or vendor, also in pinyin or by first letters."""


class InnerLine(Term):
    """The line of another command, which parses its own arguments."""

    __slots__ = ()

    placeholder = phrase("list or report")


class Keyword(StrEnum):
    """One of a few words with a meaning: ``LATE = phrase("late"), "晚", "延期"``.

    The phrase names the member in the usage line; any of the words may be typed, ignoring case. A line with one changes
    something, unless the class declares otherwise: ``class OrderList(Keyword, changes=False)``. Words for ``lists`` of
    documents say of which kind. With ``answers`` a person answers what was put to themselves: no program proposes them.
    """

    label: Phrase
    words: frozenset[str]
    changes: ClassVar[bool]
    lists: ClassVar[Kind[Any] | None]
    answers: ClassVar[bool]

    def __init_subclass__(cls, *, changes: bool = True, lists: Kind[Any] | None = None, answers: bool = False) -> None:
        super().__init_subclass__()
        cls.changes, cls.lists, cls.answers = changes, lists, answers

    def __new__(cls, label: Phrase, *words: str) -> Self:
        member = str.__new__(cls, label.msgid)
        member._value_ = label.msgid
        member.label = label
        member.words = frozenset(word.casefold() for word in (label.msgid, *words))
        return member

    @classmethod
    def meant_by(cls, word: str) -> Self | None:
        """Return the member that ``word`` names, if any."""
        folded = word.casefold()
        return next((member for member in cls if folded in member.words), None)


ArgumentType: TypeAlias = type[Word] | type[Keyword]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One argument as in the usage line; ``many`` takes one or more words, ``default`` applies without a word."""

    name: str
    type: ArgumentType
    required: bool
    many: bool
    by_name: bool
    default: object = None

    def missing(self) -> object:
        """Return the value of an omitted argument; raises `BadArgument` if it is required."""
        if self.required:
            raise BadArgument(phrase("Something is missing after the command."))
        return self.default

    @property
    def prefix(self) -> str:
        """The character required before it."""
        return self.type.prefix if issubclass(self.type, Word) else ""

    @property
    def choices(self) -> tuple[Phrase, ...]:
        """The possible words, or one placeholder, as in the usage line."""
        if issubclass(self.type, Word):
            return (self.type.placeholder,)
        return tuple(member.label for member in self.type)


_TAKES_MANY = attrgetter("many")


@dataclass(frozen=True, slots=True)
class Signature:
    """The typed parameters of a command in order, and the types of its collaborators by name."""

    parameters: tuple[Parameter, ...]
    collaborators: Mapping[str, type]

    @property
    def names_partners(self) -> bool:
        """Whether the typed text may name a customer or vendor."""
        return any(issubclass(parameter.type, PartnerTerm) for parameter in self.parameters)

    def parse(self, text: str, *, mentions: bool = True) -> tuple[list[object], dict[str, object]]:
        """Return the positional and named arguments in the normalised ``text``; raises `BadArgument`.

        Marked words are taken from anywhere, keywords from either end, the rest in order. An ``@name`` without a
        matching parameter is a person mentioned beside the bot, and no argument (docs:
        platform/dingtalk/messages.md#mentions); without ``mentions`` nobody is, and it is not understood.
        """
        words = list(split(text, listed=any(map(_TAKES_MANY, self.parameters))))
        values: dict[str, object] = {}
        for parameter in self.parameters:
            if issubclass(parameter.type, Keyword):
                values[parameter.name] = _take_keyword(parameter.type, words) or parameter.missing()
            elif parameter.type.prefix or parameter.type.anywhere:
                values[parameter.name] = parameter.type.take_marked(words) or parameter.missing()
        if "@" in text:
            inner = any(issubclass(parameter.type, InnerLine) for parameter in self.parameters)
            words = _without_mentions(words, mentions=mentions or inner)
        positional: list[object] = []
        for parameter in self.parameters:
            if parameter.many:
                taken: list[object] = [*_take_all(parameter.type, words)]
                # A marked argument may stand alone: @上海仓 means everything in that warehouse.
                if not (taken or any(values.get(other.name) for other in self.parameters if other.prefix)):
                    taken = [parameter.missing()]
                positional += taken
                continue
            if parameter.name not in values:
                values[parameter.name] = _take(parameter.type, words) or parameter.missing()
            if not parameter.by_name:
                positional.append(values.pop(parameter.name))
        if words:
            raise BadArgument(phrase("“%(word)s” was not understood.", word=shortened(words[0])))
        return positional, values

    def general_words(self, text: str) -> tuple[str, ...] | None:
        """Return the keywords and words of time of a normalised text; None if it says anything else, such as a name.

        Raises `BadArgument`.
        """
        if "@" in text or any(map(str.isnumeric, text)):
            return None
        positional, named = self.parse(text)
        said = [value for value in (*positional, *named.values()) if value is not None]
        is_general = all(isinstance(value, Keyword) or (isinstance(value, Word) and value.anywhere) for value in said)
        return tuple(map(str, said)) if is_general else None

    def changes_by(self, text: str) -> bool:
        """Return whether any word of a normalised text is a keyword that changes something.

        `parse` takes keywords only from the ends; but the ends depend on which words are taken out before.
        """
        kinds = [each.type for each in self.parameters if issubclass(each.type, Keyword) and each.type.changes]
        words = (*split(text), *split(text, listed=True)) if kinds else ()
        phrases = (*words, *map(" ".join, pairwise(words)))
        return any(kind.meant_by(words) for kind in kinds for words in phrases)


def read_signature(function: Callable[..., object]) -> Signature:
    """Return the signature of ``function``; raises `ConfigurationError` for one that no line can fill."""
    where = f"{function.__module__}.{function.__qualname__}"
    try:
        signature = inspect.signature(function, eval_str=True)
    except NameError as error:
        raise ConfigurationError(f"{where}: {error}; its types must be importable and stand above it") from error
    parameters: list[Parameter] = []
    collaborators: dict[str, type] = {}
    shared: dict[str, ArgumentType] = {}
    for parameter in signature.parameters.values():
        kind = _bare_type(parameter.annotation)
        if kind is None or parameter.kind is parameter.VAR_KEYWORD:
            raise ConfigurationError(f"{where}: parameter {parameter.name!r} needs one type as its annotation")
        if issubclass(kind, Keyword) and parameter.kind is parameter.VAR_POSITIONAL:
            raise ConfigurationError(f"{where}: {parameter.name!r} cannot take many keywords")
        if issubclass(kind, (Word, Keyword)):
            parameters.append(_parameter(parameter, kind))
        elif parameter.kind is parameter.KEYWORD_ONLY:
            collaborators[parameter.name] = kind
            shared.update(getattr(kind, "restrictions", {}))
        else:
            raise ConfigurationError(f"{where}: collaborator {parameter.name!r} must be keyword-only")
    own = {parameter.name for parameter in parameters}
    parameters += (_optional(name, kind) for name, kind in shared.items() if name not in own)
    return Signature(tuple(parameters), collaborators)


def usage(command: str, signature: Signature) -> Phrase:
    """Return the usage of a command. The text itself is the same in all languages, its placeholders are phrases."""
    parts, words = [f"/{command}"], dict[str, object]()
    for parameter in signature.parameters:
        for choice in parameter.choices:
            words[f"word{len(words)}"] = choice
        names = list(words)[-len(parameter.choices) :]
        text = parameter.prefix + "|".join(f"%({name})s" for name in names) + ("…" if parameter.many else "")
        parts.append(f"<{text}>" if parameter.required else f"[{text}]")
    return Phrase(" ".join(parts), MappingProxyType(words))


def _optional(name: str, kind: ArgumentType) -> Parameter:
    return Parameter(name=name, type=kind, required=False, many=False, by_name=True)


def _parameter(parameter: inspect.Parameter, kind: ArgumentType) -> Parameter:
    many = parameter.kind is parameter.VAR_POSITIONAL
    required = parameter.default is parameter.empty
    return Parameter(
        name=parameter.name,
        type=kind,
        required=required,
        many=many,
        by_name=parameter.kind is parameter.KEYWORD_ONLY,
        default=None if required else parameter.default,
    )


def _bare_type(annotation: Any) -> type | None:
    """Return the class of ``X`` or ``X | None``."""
    if get_origin(annotation) in {Union, UnionType}:
        types = [kind for kind in get_args(annotation) if kind is not NoneType]
        annotation = types[0] if len(types) == 1 else None
    return annotation if isinstance(annotation, type) and annotation is not inspect.Parameter.empty else None


def _take_keyword(kind: type[Keyword], words: list[str]) -> Keyword | None:
    """Take a keyword of one or two words from either end."""
    for count in (2, 1):
        for part in (slice(0, count), slice(-count, None)):
            if len(words) >= count and (member := kind.meant_by(" ".join(words[part]))):
                del words[part]
                return member
    return None


def _take_all(kind: ArgumentType, words: list[str]) -> list[Word]:
    taken = [kind(word) for word in words] if issubclass(kind, Word) else []
    words.clear()
    return taken


def _take(kind: ArgumentType, words: list[str]) -> Word | None:
    if not words or issubclass(kind, Keyword):
        return None
    count = len(words) if kind.takes_rest else 1
    text = " ".join(words[:count])
    del words[:count]
    return kind(text)


def _without_mentions(words: list[str], *, mentions: bool) -> list[str]:
    marked = [word for word in words if len(word) > 1 and word.startswith("@")]
    if marked and not mentions:
        raise BadArgument(
            phrase(
                "“%(word)s” is nobody who was mentioned, and no warehouse is asked for here. Try it without the @.",
                word=shortened(marked[0]),
            )
        )
    return [word for word in words if word not in marked]


def shortened(text: str, limit: int = 24) -> str:
    """Return ``text`` in at most ``limit`` characters, for echoing typed text."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
