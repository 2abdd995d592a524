"""What is shared in a table: whose list, how often, and what edits of its cells ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.words.disclosure import FieldClass
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

KEY_HEADING = phrase("Row key")
"""Heads the column that tells which document a row is of: it is the bot's, whatever else the table has."""
STATUS_HEADING = phrase("What became of it")
"""Heads the column in which the bot says what became of edits."""

_BETWEEN = " · "

EditRules = Mapping[str, str]
"""What may be written into a cell → the line that it asks for; `ANYTHING` stands for all other texts."""
ANYTHING = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedSheet:
    """One list in one shared table.

    ``owner`` is the userId of the person whose rights cut it, at each refresh. ``edits`` are the columns that people
    write into, each with what that asks for.
    """

    name: str
    owner: str
    line: str
    every: timedelta
    edits: Mapping[str, EditRules]
    answer_within: timedelta
    """For how long a proposal waits for the owner."""


@dataclass(frozen=True, slots=True)
class WantedRow:
    """A row as it is to stand in the table: its ``key``, the ``number`` of its document, and the texts of its cells.

    The number is empty where the list is not of documents.
    """

    key: str
    number: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadList:
    """The owner's list as they may see it now. Of a list that they may not see there are no rows, and it is ``closed``.

    ``is_whole`` is False where a source did not answer: then what is missing may be there all the same.
    """

    headings: tuple[str, ...] = ()
    rows: tuple[WantedRow, ...] = ()
    is_whole: bool = True
    closed: bool = False
    shown: tuple[FieldClass, ...] = ()
    rule: str = ""


class ListNotRead(DingerpError):
    """There is no list now; ``reason`` says why, and what the table has stays as it is."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(str(reason))
        self.reason = reason

    def tell(self) -> Phrase:
        return self.reason


class ListReader(Protocol):
    """Reads a sheet's list as its owner may see it now; raises `ListNotRead`."""

    async def read(self, sheet: SharedSheet) -> ReadList: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CellEdit:
    """What somebody wrote into one cell, and what the bot did with it.

    ``asked_as`` is the idempotency key of its proposal: it is stored before the proposal is made, so that a crash
    between makes no second one. ``refused`` says in the table's language why nothing was proposed.
    """

    digest: str
    asked_as: str
    proposal: str = ""
    refused: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing left to propose."""
        return bool(self.proposal or self.refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetState:
    """What the bot remembers of one table: its own records with their keys, and the edits by key and column.

    Figures are not among it: each round compares the list with what stands in the table.
    """

    records: Mapping[str, str] = field(default_factory=dict)
    edits: Mapping[tuple[str, str], CellEdit] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRound:
    """When a table was last refreshed, and what has kept it from that since."""

    refreshed_at: datetime | None = None
    failed_at: datetime | None = None
    failure: Phrase | None = None


class SheetStates(Protocol):
    """Keeps the states of all sheets; implemented by `bot.store.sheets`. Raises a `DingerpError`."""

    async def load(self, name: str) -> SheetState: ...

    async def save(self, name: str, state: SheetState) -> None: ...

    async def round_of(self, name: str) -> SheetRound: ...

    async def note_round(self, name: str, at: datetime, failure: Phrase | None = None) -> None:
        """Record that a refresh is done, or why it is not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EditWish:
    """A line that an edit asks for, to be put to the sheet's owner."""

    sheet: SharedSheet
    line: str
    reason: str
    asked_as: str


class EditRefused(DingerpError):
    """Nothing can be proposed for an edit; ``later``: for now."""

    def __init__(self, reason: Phrase, *, later: bool = False) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.later = later


class EditDesk(Protocol):
    """Puts edits to the owners of sheets, and says what became of them."""

    async def propose(self, wish: EditWish) -> str:
        """Return the id of the proposal. Raises `EditRefused`."""
        ...

    async def outcome(self, proposal: str) -> Phrase:
        """Return what became of a proposal."""
        ...


def column_names(sheet: SharedSheet, headings: Sequence[str], key: str, status: str) -> tuple[str, ...]:
    """Return the columns that the bot needs; raises `ListNotRead` where two of them are called the same."""
    own = (key, *headings, *((*sheet.edits, status) if sheet.edits else ()))
    twice = sorted({name for name in own if own.count(name) > 1})
    if twice:
        raise ListNotRead(phrase("two columns are called %(name)s: name the column for edits otherwise", name=twice[0]))
    return own


def key_text(key: str) -> str:
    """Return the key of a list's row as people can read it: source, book and number."""
    return _BETWEEN.join(part for part in key.split("\0") if part)


def number_of(key: str) -> str:
    """Return the number of a row's document; empty for rows that only their place tells apart."""
    return key.rpartition(_BETWEEN)[2] if _BETWEEN in key else ""
