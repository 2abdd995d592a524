"""Records of a shared table, and what can be done with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

AT_ONCE = 100
"""Records of one call, as many as a page of them may have."""
TEXT_FIELD = "text"
"""The type of the columns that the bot makes: text holds each figure exactly, and the sign for what is hidden."""


@dataclass(frozen=True, slots=True)
class TableRecord:
    """One record: its id, and the text of its cells by the names of their columns."""

    id: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CellsOf:
    """What is to stand in some cells of a record."""

    id: str
    cells: Mapping[str, str]


class SheetRefused(DingerpError):
    """The shared table cannot be used as it is; ``reason`` says why."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(str(reason))
        self.reason = reason

    def tell(self) -> Phrase:
        return self.reason


class SheetNotAnswered(DingerpError):
    """It is unknown what a call has done, or it did nothing for now: the next round reads the table first."""

    retry: ClassVar[bool] = True

    def tell(self) -> Phrase:
        return phrase("DingTalk does not answer, or takes no more calls for a moment")


class TableClient(Protocol):
    """One shared table, in the name of one person; implemented by `bot.dingtalk.notable`.

    Raises `SheetRefused` and `SheetNotAnswered`.
    """

    async def columns(self) -> Mapping[str, str]:
        """Return the types of the columns by name."""
        ...

    async def add_column(self, name: str) -> None:
        """Add a column of text."""
        ...

    async def records(self) -> Sequence[TableRecord]:
        """Return all records."""
        ...

    async def insert(self, rows: Sequence[Mapping[str, str]], token: str) -> Sequence[str]:
        """Add at most `AT_ONCE` records and return their ids; the same token again adds none."""
        ...

    async def update(self, changes: Sequence[CellsOf]) -> None:
        """Change cells of at most `AT_ONCE` records."""
        ...

    async def delete(self, record_ids: Sequence[str]) -> None:
        """Delete at most `AT_ONCE` records."""
        ...
