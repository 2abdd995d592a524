"""Shared by many views of the ERP: the age and origin of an answer, buttons, documents and lists of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar, Self, cast

from bot.cards.actions import Ask
from bot.cards.buttons import MAX_LABEL
from bot.cards.tables import Table
from bot.cards.view import Button, Label, ListView
from bot.chat.conditions import ListCondition, WiderList
from bot.chat.days import DayRange
from bot.chat.parsing import MAX_LINE_BYTES, command_line, split
from bot.erp.hub import Answer
from bot.erp.kinds.cards import CREATED_BY
from bot.erp.model import (
    ErpRecord,
    InvoiceStatus,
    OrderStatus,
    PaymentStatus,
    ProductionStatus,
    ReviewState,
)
from bot.words.columns import Column
from bot.words.disclosure import HIDDEN
from bot.words.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """The age of figures. ``stale``: the ERP does not answer now, so they are the last known ones.

    ``failures`` name other sources that did not answer, and further remarks for the reader.
    """

    as_of: datetime
    stale: bool
    source: str
    failures: tuple[Phrase, ...] = ()


def freshness(found: Answer[Any], as_of: datetime | None = None, *, failures: bool = True) -> Freshness:
    """Return the freshness of one answer; ``as_of`` is its time according to its adapter, if given.

    The adapter may have read the clock after the data, so a time after the question is not believed. Pass
    ``failures=False`` for a view that shows the failures itself.
    """
    shown = (*found.failures, *found.notes) if failures else found.notes
    books = found.value.books if isinstance(found.value, ErpRecord) else ()
    return Freshness(
        as_of=min(as_of or found.as_of, found.as_of),
        stale=found.stale,
        source=" · ".join(books) or found.source,
        failures=shown,
    )


def freshness_of_all(answers: Sequence[Answer[Any]]) -> Freshness:
    """Return the freshness of answers shown together: the oldest one's, with the source if all share it."""
    sources = {answer.source for answer in answers}
    return Freshness(
        as_of=min(answer.as_of for answer in answers),
        stale=any(answer.stale for answer in answers),
        source=sources.pop() if len(sources) == 1 else "",
        failures=tuple(
            {str(failure): failure for answer in answers for failure in (*answer.failures, *answer.notes)}.values()
        ),
    )


def ask_buttons(command: str, words: Iterable[str]) -> list[Button]:
    """Return one button per word that asks ``command`` for it; repeated and empty words give none."""
    return [Button(word, Ask(command_line(command, word))) for word in dict.fromkeys(words) if word]


def document_buttons(command: str, documents: Iterable[tuple[str, Sequence[str]]]) -> list[Button]:
    """Return a button for each document that opens it with ``command``, by its number and its books."""
    return [
        Button(button_label(number, books), Ask(command_line(command, number, books=books)))
        for number, books in dict.fromkeys((number, tuple(books)) for number, books in documents)
        if number
    ]


def button_label(number: str, books: Sequence[str]) -> str:
    """Return a document's button label: for a long number its distinctive end, and its books."""
    name = " · ".join((number, *books))
    over = len(name) - MAX_LABEL
    return name if not books or over <= 0 or over + 1 >= len(number) else f"…{name[over + 1 :]}"


def erp_link_buttons(url: str) -> list[Button]:
    """Return the button that opens a document in the ERP, if it has an address."""
    return [Button(phrase("Open in the ERP"), url)] if url.startswith("https://") else []


_IF_TOLD = (Column(phrase("Company"), lambda row: " · ".join(row.books)), CREATED_BY)


def columns_if_told(rows: Sequence[Any]) -> tuple[Column, ...]:
    """Return the columns of every kind that say something of a row: its books, if there are several, who created it."""
    return tuple(column for column in _IF_TOLD if any(column.of(row, None) for row in rows))


_EXPORT = phrase("Export")
_STOCK = phrase("Stock")


def export_buttons(line: str) -> list[Button]:
    """Return the button that requests the list or report of a line as a file, if the line leaves room for it."""
    if line is HIDDEN or len((asked := f"/export {line.removeprefix('/')}").encode()) > MAX_LINE_BYTES:
        return []
    return [Button(_EXPORT, Ask(asked))]


def table_of_lines(
    columns: Sequence[Column],
    view: ListView,
    *,
    as_of: datetime | None = None,
    today: date | None = None,
    more: bool = False,
) -> Table:
    """Return a table of rows identified only by position: a document may have two equal lines."""
    table = Table.of_rows(columns, view.rows, today=today, total=view.total, as_of=as_of, more=more, key_of=str)
    return replace(table, keys=tuple(str(view.offset + number) for number in range(len(view.rows))))


def table_of_one(columns: Sequence[Column], document: Any, as_of: datetime) -> Table:
    """Return a table with one document without lines, formatted like a list of such documents."""
    return Table.of_rows(columns, (document,), today=as_of.date(), total=1, as_of=as_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedListView(ListView):
    """A list that its reader can also get as a file."""

    page_size: ClassVar[int] = 12

    def buttons(self) -> Sequence[Button]:
        return (*ListView.buttons(self), *self.file_buttons())

    def file_buttons(self) -> Sequence[Button]:
        """Return the button that requests the rows as a file, if there are any."""
        return export_buttons(self.line) if self.total else []


_TYPED_LAST = (ListCondition.AMOUNTS, ListCondition.DAYS)


def line_of(command: str, typed: Mapping[ListCondition, str]) -> str:
    """Return the line of a list with some conditions, amounts and days as they are typed, all else as one word."""
    words = command_line(command, *(word for kind, word in typed.items() if kind not in _TYPED_LAST))
    return " ".join(filter(None, (words, *(word for kind, word in typed.items() if kind in _TYPED_LAST))))


def without_button(words: tuple[Label, ...], line: str, *, of_all: bool = False) -> Button:
    """Return the button for the ``line`` that lacks some conditions; ``of_all``: and asks all sources."""
    return Button(phrase("Without %(words)s", words=words), Ask(line), of_all=of_all)


class EmptiedList:
    """The totals of an empty list without some of its conditions, and the lines that ask for them.

    ``emptied`` and ``books`` are fields of the view, and ``days`` if days restrict it.
    """

    __slots__ = ()
    command: ClassVar[str]
    emptied: tuple[WiderList, ...]
    books: tuple[str, ...]

    @property
    def listed(self) -> int:
        """Return the number of entries; hidden entries count as none."""
        total = getattr(self, "total", 0)
        return total if isinstance(total, int) else 0

    def typed(self) -> Mapping[ListCondition, str]:
        """Return the conditions besides the books as typed, in order; a text with a class may be hidden."""
        return {}

    def called(self) -> Mapping[ListCondition, Label]:
        """Return the names of conditions that differ from their typed form."""
        days: DayRange | None = getattr(self, "days", None)
        return {ListCondition.DAYS: said_days(days)} if days else {}

    def words_of(self, by: Iterable[ListCondition]) -> tuple[Label, ...]:
        """Return the names of conditions."""
        names = {**self.typed(), **self.called(), ListCondition.BOOKS: " ".join(self.books)}
        return tuple(names[kind] for kind in ListCondition if kind in by)

    def emptied_also(self, more: WiderList) -> Self:
        """Return the same list with one more total without some of its conditions."""
        same: Self = replace(cast(Any, self), emptied=(*self.emptied, more))
        return same

    def line_without(self, by: frozenset[ListCondition]) -> str:
        """Return the line of this list without some of its conditions."""
        return line_of(self.command, {kind: word for kind, word in self.typed().items() if kind not in by})

    def widening_buttons(self) -> Sequence[Button]:
        """Return the buttons that relax an empty list, as far as its reader may see the remaining words."""
        return self._buttons_without(each.by for each in self.emptied)

    def spare_buttons(self) -> Sequence[Button]:
        """Return those of the view, and those that take away a condition that the asker's sentence did not name."""
        spare: Sequence[Button] = super().spare_buttons()  # type: ignore[misc]
        return (*spare, *self._buttons_without(self._inherited_conditions())) if self.listed else spare

    def _inherited_conditions(self) -> Iterator[frozenset[ListCondition]]:
        """Return the conditions that come from the question before. The only text of a list is its subject."""
        inherited: frozenset[str] = getattr(self, "inherited", frozenset())
        typed = {kind: word for kind, word in self.typed().items() if word}
        for kind, word in typed.items():
            if word is HIDDEN or (kind is ListCondition.TEXT and len(typed) == 1):
                continue
            if word in inherited or inherited.issuperset(split(word)):
                yield frozenset({kind})

    def _buttons_without(self, conditions: Iterable[frozenset[ListCondition]]) -> Sequence[Button]:
        shown = self.typed().get(ListCondition.TEXT) is not HIDDEN
        return [
            without_button(self.words_of(by), self.line_without(by), of_all=ListCondition.BOOKS in by)
            for by in conditions
            if shown or ListCondition.TEXT in by
        ]


def said_days(days: DayRange) -> Label:
    """Return the name of some days."""
    first, last = days.period.first, days.period.last
    return f"{first}" if first == last else phrase("%(first)s to %(last)s", first=first, last=last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncounted:
    """The number of documents in a list whose state does not count."""

    status: OrderStatus | InvoiceStatus | ReviewState | ProductionStatus | PaymentStatus
    count: int

    @property
    def told(self) -> Phrase:
        """The number and the state, in words."""
        return phrase("%(num)s %(status)s", num=self.count, status=self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAddedUp:
    """Documents on a list but in no sum of it: in a state that does not count, or without an amount."""

    uncounted: tuple[Uncounted, ...] = ()
    without_amount: int = 0


ALL_ADDED_UP = NotAddedUp()
