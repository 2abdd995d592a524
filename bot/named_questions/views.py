"""Views of the company's own questions: the answer to one, and the list of those that somebody may ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Annotated, ClassVar

from bot.cards.actions import Ask
from bot.cards.tables import Table
from bot.cards.view import Button, ListView
from bot.chat.parsing import command_line
from bot.chat.view_parts import ExportedListView, Freshness, document_buttons, table_of_lines
from bot.erp.model import Money
from bot.words.columns import Column
from bot.words.disclosure import HIDDEN, ClassedBy, FieldClass
from bot.words.phrase import Phrase

COMMAND = "ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCell:
    """What a row says in one column: a text, a figure, money or a day, or the ``number`` of a document.

    ``opened_by`` is the command that opens the document.
    """

    field_class: FieldClass | None
    text: Annotated[str, ClassedBy("field_class")] = ""
    number: Annotated[str, ClassedBy("field_class")] = ""
    figure: Annotated[Decimal | None, ClassedBy("field_class")] = None
    money: Annotated[Money | None, ClassedBy("field_class")] = None
    day: Annotated[date | None, ClassedBy("field_class")] = None
    opened_by: str = ""

    @property
    def value(self) -> object:
        """What it shows; None for nothing."""
        values: tuple[object, ...] = (self.text, self.number, self.figure, self.money, self.day)
        return next((each for each in values if each is HIDDEN or not (each is None or each == "")), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """A row of an answer, with a cell for each heading."""

    cells: tuple[AnswerCell, ...]

    @property
    def document(self) -> AnswerCell | None:
        """The cell of the document that it leads to; the first one if there are several."""
        return next((cell for cell in self.cells if cell.opened_by and cell.number), None)


def _value(number: int, row: AnswerRow) -> object:
    return row.cells[number].value


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAnswer(ExportedListView):
    """The answer to a question of the company's own.

    ``more``: there are other rows, which nobody counted. ``narrowed``: rows that are not for the reader are left out.
    """

    card: ClassVar[str] = "named_answer"
    page_size: ClassVar[int] = 8
    tabled: ClassVar[bool] = True

    rows: tuple[AnswerRow, ...]
    title: str
    asked: str = ""
    """The words of the arguments."""
    headings: tuple[str, ...]
    freshness: Freshness
    more: bool = False
    narrowed: bool = False

    def row_buttons(self) -> Sequence[Button]:
        by_command: dict[str, list[tuple[str, Sequence[str]]]] = {}
        for document in self._documents():
            by_command.setdefault(document.opened_by, []).append((document.number, ()))
        return [button for command, found in by_command.items() for button in document_buttons(command, found)]

    def row_lines(self) -> Sequence[str]:
        documents = (row.document for row in self.rows)
        return [command_line(each.opened_by, each.number) if each else "" for each in documents]

    def table(self) -> Table:
        columns = [Column(Phrase(heading), partial(_value, at)) for at, heading in enumerate(self.headings)]
        return table_of_lines(columns, self, as_of=self.freshness.as_of, more=self.more)

    def _documents(self) -> Iterator[AnswerCell]:
        return (row.document for row in self.rows if row.document)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionEntry:
    """A question that somebody may ask: its name, how it is called, and how its arguments are typed."""

    name: str
    title: str
    usage: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionList(ListView):
    """The questions of the company's own that somebody may ask."""

    card: ClassVar[str] = "named_questions"
    page_size: ClassVar[int] = 20

    rows: tuple[QuestionEntry, ...]

    def row_buttons(self) -> Sequence[Button]:
        return [Button(row.title, Ask(command_line(COMMAND, row.name))) for row in self.rows]
