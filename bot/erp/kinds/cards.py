"""What the cards and files of a kind say: its words, and the columns of its documents and of their lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

from bot.erp.list_query import Filter
from bot.erp.model import ErpRecord
from bot.words.columns import Column
from bot.words.phrase import Phrase, phrase

D = TypeVar("D", bound=ErpRecord)

CUSTOMER = phrase("Customer")
VENDOR = phrase("Vendor")
CREATED_BY = Column(phrase("Created by"), "creator")
"""What a card of any kind says last, and a file, where the ERP tells it."""
_DUE = phrase("due %(days)s")
_TOTAL_OPEN = phrase("Total open")
_OUTSTANDING = phrase("Outstanding")
_LEFT = phrase("%(quantity)s outstanding")


@dataclass(frozen=True, slots=True)
class State:
    """What a state is called, and its colour: green is settled, orange needs somebody, red is refused, blue goes on."""

    member: Enum
    label: Phrase
    colour: str = "gray"


class Lateness(StrEnum):
    """What is said of a document that is behind its day."""

    LATE = "late"
    OVERDUE = "overdue"
    """What is to be paid."""
    EXPIRED = "expired"
    """What held until a day."""


class Lead(NamedTuple, Generic[D]):
    """Buttons that ask ``command`` about words of a document, such as its number or its partner; without any, none."""

    command: str
    words: Callable[[D], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """What cards call documents of a kind that wait for decisions."""

    title: Callable[[str], Phrase]
    """What a document with a number is called."""
    waiting: Phrase
    """What the card is called that asks for a decision."""
    day: Phrase
    """What the day of a document is called."""
    due: Phrase
    """What the day is called on which a document is due."""


def _no_mark(_document: object) -> None:
    return None


def _status(document: Any) -> Enum | None:
    state: Enum | None = document.status
    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentCards(Generic[D]):
    """What the card of one document, the card of a list, and their files say.

    ``%(days)s`` in a phrase stands for days, ``%(quantity)s`` for a quantity.
    """

    title: Callable[[D], Phrase]
    """What the card of one document is called, with its number."""
    deciding: Deciding | None = None
    """How it waits for decisions; None for a kind that nobody decides."""
    partner: Phrase | Callable[[D], Phrase] = CUSTOMER
    """What whoever the document is with is called."""
    newest: Phrase
    several: Phrase | None = None
    lists: Mapping[Filter, Phrase] = field(default_factory=dict)
    """What the newest are called, and where the words of the kind do not say it (`bot.erp.kinds.kind.KindWords`), those
    of a text, of some days or amounts, and lists with a name."""
    plural: str = ""
    """The name of the list's card, where that is not the command with an *s*."""
    due: Phrase = _DUE
    due_day: Phrase | None = None
    """What the days are called on which documents are due: of a list, and of one row, where that differs."""
    lateness: Lateness = Lateness.LATE
    during: Mapping[Filter, Phrase] = field(default_factory=dict)
    """What other days are called, of all documents and of lists with a name; without words they are only told."""
    open_heading: Phrase = _TOTAL_OPEN
    """What the sum of what is left to pay is called."""
    left_heading: Phrase = _OUTSTANDING
    left_share: Phrase = _LEFT
    """What is called, in a file and in a row, the part of a product that is not there yet."""
    columns: tuple[Column, ...]
    """What a file says of each document."""
    facts: tuple[Column | str, ...] | None = None
    """What the card of one says besides its partner and state, those that are columns by what they show; else it says
    all that is a column."""
    lines: tuple[Column, ...] = ()
    """What a file says of each line; empty for a kind without lines."""
    line_facts: tuple[Column, ...] = ()
    """What the card says of a line besides its product, quantity and amount."""
    state: Callable[[D], Enum | None] = _status
    states: tuple[State, ...] = ()
    mark: Callable[[D], Phrase | None] = _no_mark
    """What sets a document apart from others of its kind, such as goods that come back."""
    opens: tuple[Lead[D], ...] = ()
    """What the card of one leads to besides its orders, by buttons that are called by their words."""
    others: Phrase | None = None
    """What the list of its partner's documents is called, where the card leads to it."""
    tells: tuple[Lead[D], ...] = ()
    about: tuple[Lead[D], ...] = ()
    """What the card of one leads to where a source can answer it, before the buttons of its lines and after them."""

    def partner_label(self, document: D) -> Phrase:
        """Return what whoever a document is with is called."""
        return self.partner if isinstance(self.partner, Phrase) else self.partner(document)

    @property
    def fact_columns(self) -> tuple[Column, ...]:
        """What the card of one says besides its partner and state."""
        shown = {column.shows: column for column in self.columns}
        if self.facts is None:
            return (*(column for name, column in shown.items() if name not in _ON_EVERY_CARD), CREATED_BY)
        return (*(shown[each] if isinstance(each, str) else each for each in self.facts), CREATED_BY)

    @property
    def row_due(self) -> Phrase:
        """What the day is called on which one document of a list is due."""
        return self.due_day or self.due

    @property
    def has_priced_lines(self) -> bool:
        """Whether lines have amounts."""
        return any(column.shows == "amount" for column in self.lines)


_ON_EVERY_CARD = frozenset({"number", "customer", "vendor", "partner", "status", "days_late", "days_overdue"})
"""What a card says in its title, in its first lines or by its colours."""


def marked_return(document: Any) -> Phrase | None:
    """Return the mark of goods that come back."""
    return phrase("return") if document.is_return else None


def is_when(name: str, wanted: bool, flag: str = "is_return") -> Callable[[Any], object]:
    """Return what shows an attribute of those documents alone whose flag is as wanted."""
    read, read_flag = attrgetter(name), attrgetter(flag)
    return lambda document: read(document) if read_flag(document) is wanted else None


GOODS_LINES = (
    Column(phrase("Product"), "sku"),
    Column(phrase("Name"), "name"),
    Column(phrase("Quantity"), "quantity"),
    Column(phrase("Unit"), "unit"),
)
"""What a file says of each line of what is moved."""
