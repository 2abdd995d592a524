"""What a company's own question is: its names, its arguments, the columns of its answer, and who may ask it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

from bot.chat.arguments import Parameter, Signature, Warehouse, Word
from bot.chat.days import DaysOrMonth
from bot.erp.kinds import Kind
from bot.erp.named_queries import NamedQuery, ValueKind
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase


@dataclass(frozen=True, slots=True)
class Title:
    """What something is called, and what people who read Chinese call it, if that differs."""

    text: str
    chinese: str = ""

    def in_language(self, code: str) -> str:
        """Return the title in a language by its code, such as ``zh_CN``."""
        return self.chinese if self.chinese and code.startswith("zh") else self.text


TODAY = "today"
"""The parameter that every query may use: the company's day."""


class ArgumentKind(StrEnum):
    """What may be typed for an argument."""

    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    DAYS = "days"
    """A range of days or a month; the query has its first and its last day."""
    PRODUCT = "product"
    PARTNER = "partner"
    WAREHOUSE = "warehouse"

    @property
    def names_partner(self) -> bool:
        """Whether what is typed may name a customer or vendor."""
        return self in (ArgumentKind.TEXT, ArgumentKind.PARTNER)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedArgument:
    """An argument: without a ``default`` it must be typed.

    ``field_class``: who may not see it may not choose rows by it either; None for what tells nothing.
    """

    name: str
    title: Title
    kind: ArgumentKind
    default: str | None = None
    field_class: FieldClass | None = None

    @property
    def is_text(self) -> bool:
        """Whether any text is a value of it."""
        return self.kind in (ArgumentKind.TEXT, ArgumentKind.PARTNER, ArgumentKind.PRODUCT)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names by which the query has it."""
        if self.kind is ArgumentKind.DAYS:
            return f"{self.name}_from", f"{self.name}_to"
        if self.kind in (ArgumentKind.NUMBER, ArgumentKind.DAY):
            return (self.name,)
        return self.name, f"{self.name}_like"

    def parameter(self, language: str, *, is_last: bool) -> Parameter:
        """Return it as a command's argument; the last text takes the rest of the line."""
        base: type[Word] = Word
        if self.kind in (ArgumentKind.DAY, ArgumentKind.DAYS):
            base = DaysOrMonth
        elif self.kind is ArgumentKind.WAREHOUSE:
            base = Warehouse
        own: dict[str, object] = {
            "__slots__": (),
            "placeholder": Phrase(self.title.in_language(language)),
            "takes_rest": is_last and base is Word and self.kind is not ArgumentKind.NUMBER,
        }
        kind: type[Word] = type(base.__name__, (base,), own)
        default = None if self.default is None else kind(self.default)
        return Parameter(name=self.name, type=kind, required=default is None, many=False, by_name=True, default=default)


class ColumnKind(StrEnum):
    """What a column of an answer shows."""

    TEXT = "text"
    NUMBER = "number"
    QUANTITY = "quantity"
    MONEY = "money"
    DAY = "day"
    DOCUMENT = "document"
    """The number of a document, which can be opened."""

    @property
    def values(self) -> ValueKind:
        """What the query gives for it."""
        if self is ColumnKind.DAY:
            return ValueKind.DAY
        figures = (ColumnKind.NUMBER, ColumnKind.QUANTITY, ColumnKind.MONEY)
        return ValueKind.NUMBER if self in figures else ValueKind.TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedColumn:
    """A column: its name in the query, what it is called and shows, and its class; None for what anybody may see.

    ``factor`` multiplies what the query gives, such as 0.01 for cents. ``currency`` and ``currency_from`` say the
    currency of money, the same for all rows or from a column of the query.
    """

    column: str
    title: Title
    kind: ColumnKind
    field_class: FieldClass | None
    document: Kind[Any] | None = None
    unit: str = ""
    currency: str = ""
    currency_from: str = ""
    factor: Decimal | None = None

    def heading(self, language: str) -> str:
        """Return what the column is called, with its unit."""
        name = self.title.in_language(language)
        return f"{name} ({self.unit})" if self.unit else name


@dataclass(frozen=True, slots=True, kw_only=True)
class RowScope:
    """The query's columns that tell what a row is of, by which it is shown only to those who may see that."""

    partner: str = ""
    category: str = ""
    company: str = ""
    owners: tuple[str, ...] = ()
    warehouses: tuple[str, ...] = ()

    @property
    def columns(self) -> Iterator[str]:
        """All these columns."""
        yield from filter(None, (self.partner, self.category, self.company))
        yield from (*self.owners, *self.warehouses)


@dataclass(frozen=True, kw_only=True)
class NamedQuestion:
    """A question: its query at a ``source``, and whose it is to ask.

    ``shows`` are the commands of the documents that it tells of, whose rules hold for it as well. ``roles``: who may
    ask it besides having the command. ``rows`` is the most that it shows, ``sample`` are arguments to try it with.
    """

    name: str
    title: Title
    words: tuple[str, ...]
    source: str
    sql: str
    seconds: float
    rows: int
    shows: tuple[str, ...]
    roles: frozenset[str]
    arguments: tuple[NamedArgument, ...]
    columns: tuple[NamedColumn, ...]
    scope: RowScope
    functions: frozenset[str]
    sample: str

    @property
    def names(self) -> tuple[str, ...]:
        """All words by which it is asked."""
        called = (self.name, self.title.text, self.title.chinese, *self.words)
        return tuple(dict.fromkeys(name for name in called if name))

    @cached_property
    def query(self) -> NamedQuery:
        """What the database is asked."""
        columns = dict.fromkeys((*self.scope.columns, *self._currencies), ValueKind.TEXT)
        shown = {each.column: each.kind.values for each in self.columns}
        return NamedQuery(sql=self.sql, columns={**columns, **shown}, seconds=self.seconds)

    @property
    def _currencies(self) -> Iterator[str]:
        return (each.currency_from for each in self.columns if each.currency_from)

    def signature(self, language: str) -> Signature:
        """Return its arguments as those of a command."""
        last = len(self.arguments) - 1
        found = (each.parameter(language, is_last=number == last) for number, each in enumerate(self.arguments))
        return Signature(tuple(found), {})


@dataclass(frozen=True)
class NamedQuestions:
    """All questions in force, by their names."""

    questions: tuple[NamedQuestion, ...] = ()

    @cached_property
    def _by_name(self) -> Mapping[str, NamedQuestion]:
        return {name.casefold(): each for each in self.questions for name in each.names}

    def named(self, name: str) -> NamedQuestion | None:
        """Return the question with this name, in any case."""
        return self._by_name.get(name.casefold())

    def take(self, text: str) -> tuple[NamedQuestion, str] | None:
        """Return the question whose name a text begins with, the longest one, and the text behind it."""
        words = text.split(" ")
        for count in range(min(len(words), 6), 0, -1):
            if found := self.named(" ".join(words[:count]).strip('"')):
                return found, " ".join(words[count:])
        return None

    def within(self, text: str) -> tuple[NamedQuestion, str] | None:
        """Return the question whose name stands in a sentence of Chinese, the longest one, and the rest around it."""
        named = [name for name in self._by_name if not name.isascii() and name in text.casefold()]
        if not named:
            return None
        name = max(named, key=len)
        before, _, behind = text.casefold().partition(name)
        return self._by_name[name], " ".join(filter(None, (before.strip(), behind.strip())))
