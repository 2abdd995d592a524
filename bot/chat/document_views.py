"""Views of documents: what cards and files show of one of any kind, and of a list of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from functools import cache
from operator import attrgetter
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, NamedTuple, Protocol, Self, TypeAlias, TypeVar, get_type_hints

from bot.cards.actions import Ask
from bot.cards.tables import Table
from bot.cards.view import Button, Following, Label, ListView, View
from bot.chat.amounts import AmountBounds, read_amounts
from bot.chat.arguments import Keyword
from bot.chat.conditions import AskedBound, ListCondition, WiderList
from bot.chat.context import QuestionContext
from bot.chat.days import DayRange
from bot.chat.links import more_buttons
from bot.chat.parsing import command_line, marked
from bot.chat.product_shares import ProductShare, share_of
from bot.chat.revision_cases import RevisionCase
from bot.chat.view_parts import (
    ALL_ADDED_UP,
    EmptiedList,
    ExportedListView,
    Freshness,
    NotAddedUp,
    ask_buttons,
    columns_if_told,
    document_buttons,
    erp_link_buttons,
    freshness,
    line_of,
    table_of_lines,
    table_of_one,
)
from bot.erp.hub import Answer
from bot.erp.kinds import KINDS, Kind
from bot.erp.kinds.cards import Lead
from bot.erp.list_query import Filter
from bot.erp.model import DocumentRef, Money, Product, Review, ReviewState, Slice
from bot.words.columns import Column
from bot.words.disclosure import HIDDEN, ChosenBy, ClassedBy, FieldClass, cut
from bot.words.phrase import Phrase, phrase

_STOCK = phrase("Stock")
R = TypeVar("R")
V = TypeVar("V", bound=View)

ListedRows: TypeAlias = Annotated[tuple[R, ...], ChosenBy("compared")]
"""The rows of a document list: those above an amount reveal the amounts."""


_DECIDED_BY: Mapping[ReviewState | None, Phrase] = MappingProxyType(
    {
        ReviewState.APPROVED: phrase("Approved by"),
        ReviewState.DONE: phrase("Approved by"),
        ReviewState.REJECTED: phrase("Rejected by"),
        ReviewState.CANCELLED: phrase("Cancelled by"),
    }
)
_DECIDED_AT_A_LEVEL = phrase("Decided by")
_TOLD_STATES = frozenset({ReviewState.WAITING, ReviewState.REJECTED})


def _told_state(kind: Kind[Any], document: Any) -> ReviewState | None:
    """Return what the approval of a document says beyond its own state: that it waits, or was refused."""
    review = kind.review(document)
    if review is None or review.state not in _TOLD_STATES or review.state == kind.cards.state(document):
        return None
    return review.state


def _following(kind: Kind[Any], documents: Iterable[Any], known: Freshness, again: Ask | None) -> Following | None:
    """Return those documents that wait: what is decided of them has their card drawn again."""
    waiting = tuple(DocumentRef(each.source or known.source, each.number) for each in documents if kind.waits(each))
    return Following(waiting, again) if waiting and again is not None else None


class FactOfKind(NamedTuple):
    """One line of a card: ``beside`` follows on it."""

    label: Phrase
    value: object
    is_bold: bool
    beside: Sequence[FactOfKind]


def _facts_of(record: Any, columns: Sequence[Column]) -> Sequence[FactOfKind]:
    """Return what columns say of a record, as far as there is something to say."""
    said = [(column, column.of(record, None)) for column in columns]
    return [
        FactOfKind(column.heading, value, column.bold, _facts_of(record, column.beside) if column.beside else ())
        for column, value in said
        if value is not None and value not in ("", ())
    ]


class OneOfKind:
    """What the card of one document says of it by its kind; a view with a template of its own may have none."""

    __slots__ = ()
    kind: ClassVar[Kind[Any]]
    card: ClassVar[str]
    drawn_by: ClassVar[str] = "document"
    command: ClassVar[str]
    """The command that shows it."""
    columns: ClassVar[tuple[Column, ...]]
    """What a file says of each line, or of the document, where it has none."""
    document: Any
    days_late: int
    freshness: Freshness
    case: RevisionCase | None = None
    """What is decided here of the document, while it waits."""
    links: tuple[str, ...]
    """The commands besides its own that a source of it can answer."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if (kind := vars(cls).get("kind")) is not None:
            cls.card, cls.command, cls.columns = kind.card, kind.command, kind.cards.lines or kind.cards.columns

    @property
    def heading(self) -> Phrase:
        """What the document is called, with its number."""
        return self.kind.cards.title(self.document)

    @property
    def partner(self) -> tuple[Phrase, str]:
        """Whom it is with: what they are called, and their name."""
        return self.kind.cards.partner_label(self.document), self.kind.partner_of(self.document)

    @property
    def state(self) -> Enum | None:
        """The state that it is in."""
        return self.kind.cards.state(self.document)

    @property
    def review(self) -> Review | None:
        """How far it is on its way through the ERP's approval; None where that tells of none."""
        return self.kind.review(self.document)

    @property
    def review_state(self) -> ReviewState | None:
        """What its approval says beyond its own state: that it waits, or was refused."""
        return _told_state(self.kind, self.document)

    @property
    def decided_by_label(self) -> Phrase:
        """What the last decider is called: by what came of it, once nothing waits."""
        return _DECIDED_BY.get(self.review.state if self.review else None, _DECIDED_AT_A_LEVEL)

    @property
    def days_overdue(self) -> int:
        """The same of what is owed, as companies' own templates call it."""
        return self.days_late

    @property
    def mark(self) -> Phrase | None:
        """What sets it apart from others."""
        return self.kind.cards.mark(self.document)

    def facts(self, first: int = 0, last: int | None = None) -> Sequence[FactOfKind]:
        """Return what its card says besides, of all its facts or of some, as far as there is something to say."""
        return _facts_of(self.document, self.kind.cards.fact_columns[first:last])

    def _first_buttons(self) -> Sequence[Button]:
        """Return the buttons that decide it, of its orders and of what else it opens, then those before the lines'."""
        kind, cards = self.kind, self.kind.cards
        opens = (*_orders_of(kind), *cards.opens)
        named = [button for lead in opens for button in ask_buttons(lead.command, lead.words(self.document))]
        theirs = Ask(command_line(self.command, kind.partner_of(self.document)))
        others = [Button(cards.others, theirs)] if cards.others else []
        decisions = self.case.buttons(self.document.number) if self.case else ()
        return (*decisions, *named, *others, *self._link_buttons(cards.tells))

    def _last_buttons(self) -> Sequence[Button]:
        return (*self._link_buttons(self.kind.cards.about), *erp_link_buttons(self.document.url))

    def _link_buttons(self, leads: Sequence[Lead[Any]]) -> Sequence[Button]:
        led = [(lead.command, lead.words(self.document)) for lead in leads if lead.command in self.links]
        return [button for command, words in led for word in words for button in more_buttons((command,), word)]


def _orders_of(kind: Kind[Any]) -> Sequence[Lead[Any]]:
    return (Lead(kind.origin.command, kind.order_numbers),) if kind.origin else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView(OneOfKind, View):
    """One document of a kind without lines, as the ERP reports it."""

    document: Any
    days_late: int = 0
    freshness: Freshness
    case: RevisionCase | None = None
    links: tuple[str, ...] = ()

    def question(self) -> Ask:
        return Ask(command_line(self.command, self.document.number, books=self.document.books))

    def table(self) -> Table:
        return table_of_one(self.columns, self.document, self.freshness.as_of)

    def following(self) -> Following | None:
        return _following(self.kind, (self.document,), self.freshness, self.question())

    def buttons(self) -> Sequence[Button]:
        return (*self._first_buttons(), *self._last_buttons())

    @classmethod
    def of(cls, hit: FoundDocument, context: QuestionContext | None = None, **more: Any) -> Self:
        """Return what the reader may see of the document found."""
        found = hit.found
        if context is not None:
            more["days_late"] = cls.kind.days_late(found.value, context.today)
        books = marked(found.value.books)
        view = cls(document=found.value, freshness=freshness(found), case=hit.case, books=books, **more)
        return cut(view, hit.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentView(OneOfKind, ExportedListView):
    """One document as the ERP reports it; ``rows`` are its lines, which lead to their products' stock."""

    opens_rows: ClassVar[bool] = False
    tabled: ClassVar[bool] = True
    page_size: ClassVar[int] = 8
    columns: ClassVar[tuple[Column, ...]] = ()

    document: Any
    days_late: int
    freshness: Freshness
    case: RevisionCase | None = None
    links: tuple[str, ...] = ()

    def row_buttons(self) -> Sequence[Button]:
        return ask_buttons("stock", (line.sku for line in self.rows))

    def folded_rows(self) -> Sequence[Button]:
        skus = tuple(dict.fromkeys(line.sku for line in self.rows if line.sku))
        return [Button(_STOCK, Ask(command_line("stock", *skus)))] if len(skus) > 1 else []

    def following(self) -> Following | None:
        return _following(self.kind, (self.document,), self.freshness, self.question())

    def buttons(self) -> Sequence[Button]:
        return (*self._first_buttons(), *ListView.buttons(self), *self._last_buttons(), *self.file_buttons())

    def file_buttons(self) -> Sequence[Button]:
        return ExportedListView.file_buttons(self) if self.columns else []

    def table(self) -> Table | None:
        if not self.columns:
            return None
        as_of = self.freshness.as_of
        return table_of_lines(self.columns, self, as_of=as_of, today=as_of.date())

    def line_facts(self, line: Any) -> Sequence[FactOfKind]:
        """Return what the card says of a line besides its product, quantity and amount."""
        return _facts_of(line, self.kind.cards.line_facts)

    @classmethod
    def made_for(cls, card: str) -> type[View] | None:
        return next((view_of_one(kind) for kind in KINDS if kind.card == card), None)

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
            case=hit.case,
            **more,
        )
        return cut(view, hit.fields)


_TOTAL = phrase("Total")
_OF_PRODUCT = phrase("Total of this product")


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
    def emptied(self) -> tuple[WiderList, ...]:
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
    def bounded(self) -> tuple[AskedBound, ...]: ...

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

    @property
    def case(self) -> RevisionCase | None: ...


class RowOfKind(NamedTuple):
    """What a row of a list says by its kind.

    The ``amount`` is what is left of what is owed, else the ``whole``, which is told besides where bounds are of it.
    ``awaits`` are the names of those whose turn it is to decide.
    """

    title: str
    days_late: int
    state: Enum | None
    day: date | None
    amount: Money | None
    whole: Money | None
    mark: Phrase | None
    awaits: tuple[str, ...]


class ListOfKind:
    """What the card of a list says by its kind; a view with a template of its own may have none."""

    __slots__ = ()
    kind: ClassVar[Kind[Any]]
    card: ClassVar[str]
    drawn_by: ClassVar[str] = "documents"
    command: ClassVar[str]
    """The command that shows the list, and each of its documents."""
    text_class: ClassVar[FieldClass | None] = FieldClass.PARTNER
    """The field class of names in ``text``."""
    columns: ClassVar[tuple[Column, ...]] = ()
    """The columns of a file for each row."""
    which: Keyword | None
    product: Product | None
    days: DayRange | None
    text: str
    bounded: tuple[AskedBound, ...]
    today: date

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if (kind := vars(cls).get("kind")) is not None:
            cls.card, cls.command, cls.columns = kind.list_card, kind.command, kind.cards.columns
            cls.text_class = FieldClass.PARTNER if kind.partner else None

    @property
    def heading(self) -> Phrase:
        """What the list is called."""
        wanted = Filter[self.which.name] if self.which else Filter.ALL
        restricted = self.text != "" or bool(self.product or self.days or self.bounded)
        return self.kind.list_title(wanted, restricted=restricted)

    @property
    def days_called(self) -> Phrase | None:
        """What the days of the list are called; None where they are only told."""
        if self.days and self.days.due:
            return self.kind.cards.due
        during = self.kind.cards.during
        return during.get(Filter[self.which.name], during.get(Filter.ALL)) if self.which else during.get(Filter.ALL)

    @property
    def amounts(self) -> str:
        """The bounds of the amounts as typed, empty without any."""
        return next((each.typed for each in self.bounded if each.by is ListCondition.AMOUNTS), "")

    @property
    def bounds(self) -> AmountBounds | None:
        """The bounds of the amounts, None without any."""
        return read_amounts(self.amounts) if self.amounts else None

    @property
    def compared(self) -> frozenset[FieldClass]:
        """The classes of what was compared."""
        return frozenset().union(*(each.compared for each in self.bounded))

    @property
    def amount_classes(self) -> frozenset[FieldClass]:
        """What its sums tell."""
        return self.kind.amounts.classes

    def of_row(self, row: Any) -> RowOfKind:
        """Return what a row says by its kind."""
        kind, total, left = self.kind, self.kind.amounts.total(row), self.kind.amounts.left_of(row)
        is_left = kind.is_owed and kind.is_unfinished(row)
        both = is_left and self.bounds is not None and not self.bounds.of_balance and total != left
        review = kind.review(row)
        return RowOfKind(
            title=kind.title(row),
            days_late=kind.days_late(row, self.today),
            state=_told_state(kind, row) or kind.cards.state(row),
            day=kind.due(row) if kind.has_due else kind.day(row),
            amount=left if is_left else total,
            whole=total if both else None,
            mark=kind.cards.mark(row),
            awaits=review.names(review.progress.pending_for) if review else (),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentListView(EmptiedList, ListOfKind, ExportedListView):
    """Documents: the newest, those with ``text`` or of some ``days``, or the list named by ``which``.

    They meet what it is ``bounded`` by. ``emptied`` holds the totals of an empty list without some of its conditions.
    Of documents due on some days, the first ``overdue`` were due before today. ``not_added_up`` are on the list but in
    no sum of it.
    """

    tabled: ClassVar[bool] = True

    which: Keyword | None
    product: Product | None = None
    """The product for which the documents were looked up; their lines are then only those of it."""
    days: DayRange | None = None
    bounded: tuple[AskedBound, ...] = ()
    text: Annotated[str, ClassedBy("text_class")]
    line: Annotated[str, ClassedBy("line_class")]
    rows: ListedRows[Any]
    total: Annotated[int, ChosenBy("compared")]
    today: date
    freshness: Freshness
    emptied: Annotated[tuple[WiderList, ...], ChosenBy("compared")] = ()
    overdue: Annotated[int, ChosenBy("compared")] = 0
    total_amounts: Annotated[tuple[Money, ...], ClassedBy("amount_classes")] = ()
    open_amounts: Annotated[tuple[Money, ...], ClassedBy("amount_classes")] = ()
    not_added_up: Annotated[NotAddedUp, ChosenBy("compared")] = ALL_ADDED_UP

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

    def following(self) -> Following | None:
        return _following(self.kind, self.rows, self.freshness, self.question())

    def sums(self) -> Sequence[tuple[Phrase, Sequence[Money]]]:
        """Return the total of the counted documents, one amount per currency, with the sums' names."""
        total = _OF_PRODUCT if self.product else _TOTAL
        named = ((total, self.total_amounts), (self.kind.cards.open_heading, self.open_amounts))
        return tuple((name, amounts) for name, amounts in named if amounts)

    def row_buttons(self) -> Sequence[Button]:
        rows = document_buttons(self.command, ((row.number, row.books) for row in self.rows))
        return [*rows, *self.widening_buttons()]

    def buttons(self) -> Sequence[Button]:
        taken_off = [
            Button(phrase("Without %(words)s", words=each.called), Ask(self.line_without(frozenset({each.by}))))
            for each in self.bounded
            if each.called and self.listed and self.line is not HIDDEN
        ]
        return (*ExportedListView.buttons(self), *taken_off)

    def typed(self) -> Mapping[ListCondition, str]:
        return {
            ListCondition.LIST: self.which or "",
            ListCondition.TEXT: self.product.sku if self.product else self.text,
            **{each.by: each.typed for each in self.bounded},
            ListCondition.DAYS: self.days.typed if self.days else "",
        }

    def called(self) -> Mapping[ListCondition, Label]:
        names: dict[ListCondition, Label] = {each.by: each.called for each in self.bounded if each.called}
        if self.which:
            names[ListCondition.LIST] = self.which.label
        return {**names, **EmptiedList.called(self)}

    def file_buttons(self) -> Sequence[Button]:
        return ExportedListView.file_buttons(self) if self.columns else []

    def table(self) -> Table | None:
        if not self.columns or self.rows is HIDDEN:
            return None
        columns = (*self.columns, *columns_if_told(self.rows), *(self._share_columns() if self.product else ()))
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
            column(self.kind.cards.left_heading, attrgetter("left")),
            column(phrase("Unit"), attrgetter("unit")),
        )

    @classmethod
    def made_for(cls, card: str) -> type[View] | None:
        return next((view_of_list(kind) for kind in KINDS if kind.list_card == card), None)

    @classmethod
    def of(cls, hit: FoundList, context: QuestionContext, **more: Any) -> Self:
        """Return what the reader may see of the documents found, from the requested row on.

        If a product was found in place of the text, the text names no partner.
        """
        found = hit.found
        view = cls(
            which=hit.which,
            product=hit.product,
            days=hit.days,
            bounded=hit.bounded,
            text="" if hit.product else hit.text,
            rows=found.value.items[: context.rows or cls.page_size],
            total=found.value.total,
            offset=context.offset,
            line="",
            today=context.today,
            freshness=freshness(found),
            emptied=hit.emptied,
            overdue=hit.overdue,
            not_added_up=hit.not_added_up,
            total_amounts=hit.sums,
            open_amounts=hit.left,
            **more,
        )
        return cut(replace(view, line=line_of(cls.command, view.typed())), hit.fields)


@cache
def view_of_one(kind: Kind[Any]) -> type[DocumentView | RecordView]:
    """Return the view of one document of a kind: the class that a command has for it, else one made of the kind."""
    known: type[DocumentView | RecordView] | None = _known(OneOfKind, kind)
    if known is not None:
        return known
    says, base = f"One of: {kind.words.many}.", DocumentView if kind.cards.lines else RecordView
    fields = {"document": kind.record}
    if kind.cards.lines:
        fields["rows"] = get_type_hints(kind.record, include_extras=True)[kind.inside]
    return make_view(base, kind, says, fields)


@cache
def view_of_list(kind: Kind[Any]) -> type[DocumentListView]:
    """Return the view of a list of a kind: the class that a command has for it, else one made of the kind."""
    known: type[DocumentListView] | None = _known(ListOfKind, kind)
    if known is not None:
        return known
    rows: Any = ListedRows
    which = next((each for each in Keyword.__subclasses__() if each.lists == kind), Keyword)
    fields = {"rows": rows[kind.record], "which": which | None}
    return make_view(DocumentListView, kind, f"{kind.cards.several or kind.words.many}.", fields, which=None)


def _known(base: type[Any], kind: Kind[Any]) -> Any:
    """Return the class that somebody wrote for a kind, None without one."""
    for cls in base.__subclasses__():
        # A dataclass with slots is made anew; the class it was made of lives on until it is collected.
        if vars(cls).get("kind") == kind and "__slots__" in vars(cls):
            return cls
        if (found := _known(cls, kind)) is not None:
            return found
    return None


def make_view(base: type[V], kind: Kind[Any], says: str, fields: Mapping[str, Any], **stated: Any) -> type[V]:
    """Return a view class made of a kind, with these fields, and class attributes that are ``stated``."""
    body = {"kind": kind, "__annotations__": fields, "__module__": __name__, "__doc__": says, **stated}
    made: type[V] = type(f"{kind.record.__name__}{base.__name__}", (base,), body)
    return dataclass(frozen=True, slots=True, kw_only=True)(made)
