"""Shared by many views of the ERP: the age and origin of an answer, buttons, documents and lists of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Protocol, Self, TypeAlias, TypeVar, cast

from bot.cards.actions import Ask
from bot.cards.buttons import MAX_LABEL
from bot.cards.tables import Column, Table
from bot.cards.view import Button, Label, ListView, View
from bot.chat.amounts import AmountBounds, ListBounds, read_amounts
from bot.chat.arguments import Keyword
from bot.chat.conditions import Emptied, ListCondition
from bot.chat.context import QuestionContext
from bot.chat.days import DayRange
from bot.chat.parsing import MAX_LINE_BYTES, command_line, marked
from bot.chat.product_shares import ProductShare, share_of
from bot.erp.hub import Answer
from bot.erp.model import (
    ErpRecord,
    InvoiceStatus,
    Money,
    OrderStatus,
    PaymentStatus,
    Product,
    ProductionStatus,
    PurchaseStatus,
    Slice,
)
from bot.words.disclosure import HIDDEN, ChosenBy, ClassedBy, FieldClass, cut
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


def columns_of_books(rows: Iterable[Any]) -> tuple[Column, ...]:
    """Return the column with the books of each row, if there are several."""
    if not any(row.books for row in rows):
        return ()
    return (Column(phrase("Company"), lambda row: " · ".join(row.books)),)


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


class EmptiedList:
    """The totals of an empty list without some of its conditions, and the lines that ask for them.

    ``emptied`` and ``books`` are fields of the view, and ``days`` if days restrict it.
    """

    __slots__ = ()
    command: ClassVar[str]
    emptied: tuple[Emptied, ...]
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

    def emptied_also(self, more: Emptied) -> Self:
        """Return the same list with one more total without some of its conditions."""
        same: Self = replace(cast(Any, self), emptied=(*self.emptied, more))
        return same

    def line_without(self, by: frozenset[ListCondition]) -> str:
        """Return the line of this list without some of its conditions."""
        left = {kind: word for kind, word in self.typed().items() if kind not in by}
        words = command_line(self.command, *(word for kind, word in left.items() if kind not in _TYPED_LAST))
        return " ".join(filter(None, (words, *(word for kind, word in left.items() if kind in _TYPED_LAST))))

    def widening_buttons(self) -> Sequence[Button]:
        """Return the buttons that relax an empty list, as far as its reader may see the remaining words."""
        shown = self.typed().get(ListCondition.TEXT) is not HIDDEN
        return [
            Button(
                phrase("Without %(words)s", words=self.words_of(each.by)),
                Ask(self.line_without(each.by)),
                of_all=ListCondition.BOOKS in each.by,
            )
            for each in self.emptied
            if shown or ListCondition.TEXT in each.by
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView(View):
    """One document of a kind without lines, as the ERP reports it."""

    command: ClassVar[str]
    """The command that shows it."""
    columns: ClassVar[tuple[Column, ...]]
    """The columns of a file, the same as for each row of a list."""

    document: Any
    freshness: Freshness

    def question(self) -> Ask:
        return Ask(command_line(self.command, self.document.number, books=self.document.books))

    def table(self) -> Table:
        return table_of_one(self.columns, self.document, self.freshness.as_of)

    @classmethod
    def of(cls, hit: FoundDocument, **more: Any) -> Self:
        """Return what the reader may see of the document found."""
        found = hit.found
        books = marked(found.value.books)
        return cut(cls(document=found.value, freshness=freshness(found), books=books, **more), hit.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentView(ExportedListView):
    """One document as the ERP reports it; ``rows`` are its lines, which lead to their products' stock."""

    page_size: ClassVar[int] = 8
    opens_rows: ClassVar[bool] = False
    command: ClassVar[str]
    """The command that shows it."""
    columns: ClassVar[tuple[Column, ...]] = ()
    """The columns of a file for each line."""

    document: Any
    days_late: int
    freshness: Freshness

    def row_buttons(self) -> Sequence[Button]:
        return ask_buttons("stock", (line.sku for line in self.rows))

    def folded_rows(self) -> Sequence[Button]:
        skus = tuple(dict.fromkeys(line.sku for line in self.rows if line.sku))
        return [Button(_STOCK, Ask(command_line("stock", *skus)))] if len(skus) > 1 else []

    def buttons(self) -> Sequence[Button]:
        return (*ListView.buttons(self), *erp_link_buttons(self.document.url), *self.file_buttons())

    def file_buttons(self) -> Sequence[Button]:
        return ExportedListView.file_buttons(self) if self.columns else []

    def table(self) -> Table | None:
        if not self.columns:
            return None
        as_of = self.freshness.as_of
        return table_of_lines(self.columns, self, as_of=as_of, today=as_of.date())

    @classmethod
    def of(cls, hit: FoundDocument, context: QuestionContext, **more: Any) -> Self:
        """Return what the reader may see of a document with lines, from the requested row on."""
        found, document = hit.found, hit.found.value
        view = cls(
            document=document,
            days_late=document.days_late(context.today),
            rows=document.lines[context.offset : context.offset + (context.rows or cls.page_size)],
            total=len(document.lines),
            offset=context.offset,
            line=command_line(cls.command, document.number, books=document.books),
            books=marked(document.books),
            freshness=freshness(found),
            **more,
        )
        return cut(view, hit.fields)


_OF_PRODUCT = phrase("Total of this product")
R = TypeVar("R")


def said_days(days: DayRange) -> Label:
    """Return the name of some days."""
    first, last = days.period.first, days.period.last
    return f"{first}" if first == last else phrase("%(first)s to %(last)s", first=first, last=last)


ListedRows: TypeAlias = Annotated[tuple[R, ...], ChosenBy("compared")]
"""The rows of a document list: those above an amount reveal the amounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncounted:
    """The number of documents in a list whose state does not count."""

    status: OrderStatus | InvoiceStatus | PurchaseStatus | ProductionStatus | PaymentStatus
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


class FoundList(Protocol):
    """A lookup's result for a list (`bot.chat.records.lookup.DocumentList`)."""

    @property
    def found(self) -> Answer[Slice[Any]]:
        """The documents."""
        ...

    @property
    def product(self) -> Product | None:
        """The product found in place of a text."""
        ...

    @property
    def emptied(self) -> tuple[Emptied, ...]:
        """The totals of an empty list without some of its conditions."""
        ...

    @property
    def overdue(self) -> int:
        """The number of leading documents that were due before today."""
        ...

    @property
    def text(self) -> str:
        """The request: a text, a named list, days, bounds of amounts."""
        ...

    @property
    def which(self) -> Keyword | None: ...

    @property
    def days(self) -> DayRange | None: ...

    @property
    def bounds(self) -> ListBounds: ...

    @property
    def sums(self) -> tuple[Any, ...]:
        """The documents' total."""
        ...

    @property
    def left(self) -> tuple[Any, ...]:
        """The part of it still to be paid."""
        ...

    @property
    def not_added_up(self) -> NotAddedUp: ...

    @property
    def fields(self) -> frozenset[FieldClass]:
        """The fields visible to the reader."""
        ...


class FoundDocument(Protocol):
    """A lookup's result for one document (`bot.chat.records.lookup.OneDocument`)."""

    @property
    def found(self) -> Answer[Any]: ...

    @property
    def fields(self) -> frozenset[FieldClass]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentListView(EmptiedList, ExportedListView):
    """Documents: the newest, those with ``text`` or of some ``days``, or the list named by ``which``.

    ``amounts`` are the amount bounds as typed, and ``compared`` the classes of the compared figures. ``emptied`` holds
    the totals of an empty list without some of its conditions. Of documents due on some days, the first ``overdue``
    were due before today. ``not_added_up`` are on the list but in no sum of it.
    """

    command: ClassVar[str]
    """The command that shows the list, and each of its documents."""
    text_class: ClassVar[FieldClass | None] = FieldClass.PARTNER
    """The field class of names in ``text``."""
    columns: ClassVar[tuple[Column, ...]] = ()
    """The columns of a file for each row."""

    total_heading: ClassVar[Phrase] = phrase("Total")
    open_heading: ClassVar[Phrase] = phrase("Total open")
    """The heading of a list's sums."""
    left_heading: ClassVar[Phrase] = phrase("Outstanding")
    """A file's heading for the undelivered or outstanding part of a product."""

    which: Keyword | None
    product: Product | None = None
    """The product for which the documents were looked up; their lines are then only those of it."""
    days: DayRange | None = None
    amounts: str = ""
    compared: frozenset[FieldClass] = frozenset()
    text: Annotated[str, ClassedBy("text_class")]
    line: Annotated[str, ClassedBy("line_class")]
    rows: ListedRows[Any]
    total: Annotated[int, ChosenBy("compared")]
    today: date
    freshness: Freshness
    emptied: Annotated[tuple[Emptied, ...], ChosenBy("compared")] = ()
    overdue: Annotated[int, ChosenBy("compared")] = 0
    not_added_up: Annotated[NotAddedUp, ChosenBy("compared")] = ALL_ADDED_UP

    @property
    def bounds(self) -> AmountBounds | None:
        """The bounds of the amounts, None without any."""
        return read_amounts(self.amounts) if self.amounts else None

    @property
    def line_class(self) -> FieldClass | None:
        """The field class of ``line``, which repeats the text."""
        return self.text_class if self.text else None

    def share_of(self, row: Any) -> ProductShare | None:
        """Return a document's quantity of the product, if the list has it."""
        return share_of(row) if self.product else None

    def begins(self, index: int) -> str:
        """Return the section that starts at a row of a list of due documents: ``overdue`` or ``due``; otherwise
        empty.
        """
        if not self.overdue or self.offset + index > self.overdue:
            return ""
        return "due" if self.offset + index == self.overdue else "" if index else "overdue"

    def sums(self) -> Sequence[tuple[Phrase, Sequence[Money]]]:
        """Return the total of the counted documents, one amount per currency, with the sums' names."""
        total = _OF_PRODUCT if self.product else self.total_heading
        named = ((total, "total_amounts"), (self.open_heading, "open_amounts"))
        return tuple((name, amounts) for name, field in named if (amounts := getattr(self, field, ())))

    def row_buttons(self) -> Sequence[Button]:
        rows = document_buttons(self.command, ((row.number, row.books) for row in self.rows))
        return [*rows, *self.widening_buttons()]

    def typed(self) -> Mapping[ListCondition, str]:
        return {
            ListCondition.LIST: self.which or "",
            ListCondition.TEXT: self.product.sku if self.product else self.text,
            ListCondition.AMOUNTS: self.amounts,
            ListCondition.DAYS: self.days.typed if self.days else "",
        }

    def called(self) -> Mapping[ListCondition, Label]:
        names: dict[ListCondition, Label] = {ListCondition.LIST: self.which.label} if self.which else {}
        return {**names, **EmptiedList.called(self)}

    def file_buttons(self) -> Sequence[Button]:
        return ExportedListView.file_buttons(self) if self.columns else []

    def table(self) -> Table | None:
        if not self.columns or self.rows is HIDDEN:
            return None
        columns = (*self.columns, *columns_of_books(self.rows), *(self._share_columns() if self.product else ()))
        as_of = self.freshness.as_of
        found = Table.of_rows(columns, self.rows, today=self.today, total=self.total, as_of=as_of)
        return replace(found, facts=(*self.sums(), *self._not_added_up()))

    def _not_added_up(self) -> Sequence[tuple[Phrase, object]]:
        """Return a file's remark on documents in no sum."""
        parts: list[tuple[Phrase, object]] = []
        if self.not_added_up.uncounted:
            parts.append((phrase("Not counted"), tuple(each.told for each in self.not_added_up.uncounted)))
        if self.not_added_up.without_amount:
            parts.append((phrase("Without an amount"), self.not_added_up.without_amount))
        return parts

    def _share_columns(self) -> Sequence[Column]:
        """Return the columns with each document's quantity of the product."""

        def column(heading: Phrase, figure: Callable[[ProductShare], object]) -> Column:
            def show(row: Any) -> object:
                share = self.share_of(row)
                return None if share is None else figure(share)

            return Column(heading, show)

        assert self.product is not None
        sku = self.product.sku
        return (
            Column(phrase("Product"), lambda row: sku),
            column(phrase("Quantity"), attrgetter("quantity")),
            column(self.left_heading, attrgetter("left")),
            column(phrase("Unit"), attrgetter("unit")),
        )

    @classmethod
    def of(cls, hit: FoundList, context: QuestionContext, **more: Any) -> Self:
        """Return what the reader may see of the documents found, from the requested row on.

        If a product was found in place of the text, the text names no partner.
        """
        found, product, days, bounds = hit.found, hit.product, hit.days, hit.bounds
        text, word = ("", product.sku) if product else (hit.text, hit.text)
        asked = (command_line(cls.command, hit.which or "", word), bounds.amounts, days.typed if days else "")
        sums: dict[str, Any] = {"total_amounts": hit.sums, "open_amounts": hit.left}
        view = cls(
            which=hit.which,
            product=product,
            days=days,
            amounts=bounds.amounts,
            compared=bounds.compared,
            text=text,
            rows=found.value.items[: context.rows or cls.page_size],
            total=found.value.total,
            offset=context.offset,
            line=" ".join(filter(None, asked)),
            today=context.today,
            freshness=freshness(found),
            emptied=hit.emptied,
            overdue=hit.overdue,
            not_added_up=hit.not_added_up,
            **{name: amounts for name, amounts in sums.items() if name in cls.__dataclass_fields__},
            **more,
        )
        return cut(view, hit.fields)
