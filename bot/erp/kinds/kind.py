"""What a kind of document is: all that the bot asks of sales orders, invoices and the others, said once for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, NamedTuple, TypeVar, get_args, get_type_hints

from bot.erp.capabilities import Capability
from bot.erp.errors import UnknownFinish, Unsupported
from bot.erp.kinds.cards import Deciding, DocumentCards
from bot.erp.list_query import NEWEST_FIRST, Filter, ListQuery
from bot.erp.model import Area, ErpRecord, Feed, Followed, Money, PartnerKind, Progress, Review, Slice
from bot.erp.validation_rules import RecordRule
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase

D = TypeVar("D", bound=ErpRecord)


class NamedList(NamedTuple, Generic[D]):
    """Which documents are on a list with a name, and the day by which it is ordered and dated."""

    holds: Callable[[D, date], bool]
    day: Callable[[D], date | None]


@dataclass(frozen=True, slots=True)
class DocumentAmounts(Generic[D]):
    """What a document comes to, and what of it is still ``left`` to pay, where there is such a part.

    Readers see amounts of these ``classes``; a kind that has two says of each document which it is.
    """

    total: Callable[[D], Money | None]
    classes: frozenset[FieldClass] = frozenset()
    left: Callable[[D], Money | None] | None = None

    def left_of(self, document: D) -> Money | None:
        """Return what is left to pay of a document; None where there is no such part, or the ERP does not tell it."""
        return self.left(document) if self.left else None


@dataclass(frozen=True, slots=True, kw_only=True)
class KindWords:
    """What documents of a kind are called: all of them, those on its ``open`` list, and the late or overdue ones."""

    many: Phrase
    open: Phrase | None = None
    late: Phrase | None = None
    prefixes: tuple[str, ...] = ()
    """With which ERPs begin their numbers, in small letters, unless a company changes it
    (docs: platform/erp/general.md#numbers)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeKeys:
    """What scopes of rights ask of a record; a restriction that it tells nothing about is not met."""

    source: str
    company: str = ""
    category: str = ""
    partner: str = ""
    owners: tuple[str, ...] = ()
    warehouses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Orders(Generic[D]):
    """The orders that documents belong to: their kind, and their numbers as one document tells them.

    ``moved`` is how much of an order its documents moved, where the ERP says it.
    """

    kind: Kind[Any]
    numbers: Callable[[D], tuple[str, ...]]
    moved: Callable[[Any], Progress | None] | None = None


def _always(_document: object) -> bool:
    return True


def _never(_document: object) -> bool:
    return False


def _no_day(_document: object) -> None:
    return None


def _nobody(_document: object) -> tuple[str, ...]:
    return ()


def _in_none(_document: object) -> str:
    return ""


def _never_late(_document: object, _today: date) -> int:
    return 0


_NO_AMOUNTS: DocumentAmounts[Any] = DocumentAmounts(lambda _document: None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Kind(Generic[D]):
    """One kind of document. It holds data and functions of one document, and never asks anybody.

    Kinds of the same record are equal: one may list fewer documents than the other.
    """

    record: type[D]
    command: str
    """The command that shows such documents."""
    words: KindWords
    areas: tuple[Area, ...]
    """The areas that such documents belong to, its own first."""
    area_of: Callable[[D], Area] | None = None
    """To which of them one document belongs, where there are several."""
    capability: Capability
    by_product: Capability | None = None
    """What an ERP offers that can list those with a line of one product; None where there are no such lists."""
    feed: Feed | None = None
    """Where its changes are told, unless the kind stands for its area."""
    reads: tuple[str, ...]
    """What its reads are called in metrics and in the plug-in API: one, a list, what was moved for one order."""
    orders: Orders[D] | None = None
    """The orders that it belongs to: it bills them, moves their goods, or is made for them."""

    texts: Callable[[D], tuple[str, ...]]
    """What a search looks into: the number first, whom or what the document is about last."""
    partner: Callable[[D], str] | None = None
    """The name of its customer or vendor."""
    owners: Callable[[D], tuple[str, ...]] = _nobody
    """Whose it is: accounts and names of salespeople, buyers and requesters."""
    warehouse: Callable[[D], str] = _in_none
    day: Callable[[D], date | None] = _no_day
    """The day of the document, by which its list is ordered."""
    due: Callable[[D], date | None] = _no_day
    """When it is to be done."""
    days_late: Callable[[D, date], int] = _never_late
    """For how many days it should have been done on a day; 0 for what is done."""
    filters: Mapping[Filter, NamedList[D]]
    listed: Callable[[D], bool] = _always
    """What is not listed is only found by its number."""
    counts: Callable[[D], bool] = _always
    """Whether it is what the company agreed on: no draft, and nobody refused it or gave it up."""
    is_unfinished: Callable[[D], bool] = _never
    """Whether it is open, or may still become so: a draft, or an order that waits for a decision."""
    amounts: DocumentAmounts[D] = _NO_AMOUNTS
    inside: str = ""
    """The field with its lines, or with what it settles, which lists leave out."""
    rules: tuple[RecordRule, ...] = ()
    """What is checked of each that an ERP tells, besides its texts."""
    cards: DocumentCards[D]
    """What its cards and files say."""

    def __repr__(self) -> str:
        return f"<Kind {self.command}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kind) and other.record is self.record

    def __hash__(self) -> int:
        return hash(self.record)

    @property
    def origin(self) -> Kind[Any] | None:
        """The kind of the orders that it belongs to."""
        return self.orders.kind if self.orders else None

    def order_numbers(self, document: D) -> tuple[str, ...]:
        """Return the numbers of the orders that a document belongs to."""
        return self.orders.numbers(document) if self.orders else ()

    @property
    def card(self) -> str:
        """The name of the card of one document."""
        return self.command

    @property
    def list_card(self) -> str:
        """The name of the card of a list."""
        return self.cards.plural or f"{self.command}s"

    def list_title(self, wanted: Filter, *, restricted: bool) -> Phrase:
        """Return what a list is called."""
        words, cards = self.words, self.cards
        named = {Filter.OPEN: words.open, Filter.LATE: words.late, Filter.OVERDUE: words.late, **cards.lists}
        return named.get(wanted) or (cards.several or words.many if restricted else cards.newest)

    @property
    def deciding(self) -> Deciding | None:
        """How it waits for decisions; None for a kind that nobody decides."""
        return self.cards.deciding

    def review(self, document: D) -> Review | None:
        """Return how far a document is on its way through the ERP's approval; None where that tells of none."""
        return document.review if self.deciding is not None else None  # type: ignore[attr-defined]  # what is decided

    def reviewed(self, document: D) -> Review:
        """Return how far a document is on its way through the ERP's approval; raises `Unsupported` if it has none."""
        found = self.review(document)
        if found is None:
            raise Unsupported(f"the ERP tells of no approval of {self.call} {document.number}", source=document.source)
        return found

    @property
    def is_owed(self) -> bool:
        """Whether a part of what a document comes to may be left to pay."""
        return self.amounts.left is not None

    @property
    def call(self) -> str:
        """The name of the read of one document."""
        return self.reads[0]

    @property
    def list_call(self) -> str:
        """The name of the read of a list."""
        return self.reads[1]

    @property
    def order_call(self) -> str:
        """The name of the read of what was moved for one order; empty where nothing is."""
        return self.reads[2] if len(self.reads) > 2 else ""

    @property
    def has_owners(self) -> bool:
        """Whether documents are somebody's."""
        return self.owners is not _nobody

    @property
    def has_due(self) -> bool:
        """Whether documents are to be done on a day."""
        return self.due is not _no_day

    @property
    def area(self) -> Area:
        """The area that it belongs to first."""
        return self.areas[0]

    @property
    def followed(self) -> Followed:
        """What its changes are called."""
        return self.feed or self.area

    @property
    def line(self) -> type[Any] | None:
        """The class of its lines; None for a kind that has none."""
        return get_args(get_type_hints(self.record)[self.inside])[0] if self.inside == "lines" else None

    @property
    def partners(self) -> PartnerKind | None:
        """On which side of the business its partners stand; None where they are on both, or there are none."""
        if self.partner is None:
            return None
        sides = {PartnerKind.VENDOR if area is Area.PURCHASING else PartnerKind.CUSTOMER for area in self.areas}
        return sides.pop() if len(sides) == 1 else None

    @property
    def late_list(self) -> Filter | None:
        """Its list of what is late or overdue; None where nothing can be."""
        return next((wanted for wanted in (Filter.LATE, Filter.OVERDUE) if wanted in self.filters), None)

    def belongs_to(self, document: D) -> Area:
        """Return the area whose rules bind a document."""
        return self.area_of(document) if self.area_of else self.area

    def title(self, document: D) -> str:
        """Return whom or what a document is about: its partner, or the product that is made."""
        return self.texts(document)[-1]

    def partner_of(self, document: D) -> str:
        """Return the name of a document's customer or vendor; production has none."""
        return self.partner(document) if self.partner else ""

    def keys(self, document: D, source: str) -> ScopeKeys:
        """Return what scopes of rights ask of a document of a source."""
        return ScopeKeys(
            source=source,
            company=document.company,
            partner=self.partner_of(document),
            # ERPs tell salespeople by their names, and some adapters the account as well.
            owners=(*self.owners(document), document.extra.get("owner", "")),
            warehouses=(self.warehouse(document) or document.extra.get("warehouse", ""),),
        )

    def pick(self, documents: Iterable[D], query: ListQuery, today: date) -> Slice[D]:
        """Return the part of ``documents`` that ``query`` asks for; raises `Unsupported` for a filter it lacks.

        Documents without a day come last.
        """
        self.check_filter(query.filter)
        found = [document for document in documents if self.listed(document) and self.matches(document, query)]
        if query.filter is not Filter.ALL:
            holds = self.list_named(query.filter).holds
            found = [document for document in found if holds(document, today)]
        found = self.sort(found, query.filter)
        return Slice(items=tuple(found[query.offset : query.offset + query.limit]), total=len(found))

    def sort(self, documents: Iterable[D], wanted: Filter) -> list[D]:
        """Return documents in the order of a list; raises `Unsupported` for a filter that the kind lacks."""
        self.check_filter(wanted)
        ordered = sorted(documents, key=lambda document: document.number)
        if wanted in NEWEST_FIRST:
            own = self.day_in(wanted)
            ordered.sort(key=lambda document: own(document) or date.min, reverse=True)
        else:
            day = self.list_named(wanted).day
            ordered.sort(key=lambda document: day(document) or date.max)
        return ordered

    def check_filter(self, wanted: Filter, *, source: str = "") -> None:
        """Raise `Unsupported` for a filter that this kind of document lacks."""
        if wanted not in (Filter.ALL, *self.filters) and not (wanted is Filter.PENDING and self.deciding is not None):
            raise Unsupported(f"no list of {wanted} here", source=source)

    def list_named(self, wanted: Filter) -> NamedList[D]:
        """Return a list by its name; what waits for a decision is a list of every kind that is decided."""
        if wanted in self.filters:
            return self.filters[wanted]
        return NamedList(lambda document, _today: self.waits(document), self.day)

    def waits(self, document: D) -> bool:
        """Return whether a document waits for a decision."""
        found = self.review(document)
        return found is not None and found.waits

    def check_days(self, query: ListQuery, offered: Set[Capability], *, source: str = "") -> None:
        """Raise `UnknownFinish` for the days of what was finished, where the ERP does not tell them."""
        if query.filter is Filter.DONE and query.during and Capability.FINISHED_DAYS not in offered:
            raise UnknownFinish("no days of finishing here", source=source)

    def day_in(self, wanted: Filter) -> Callable[[D], date | None]:
        """Return the day by which a list is dated: of what was done when that was, else the document's own."""
        return self.filters[wanted].day if wanted in NEWEST_FIRST and wanted in self.filters else self.day

    def matches(self, document: D, query: ListQuery) -> bool:
        """Return whether a document has the text, the partner and the days that a query asks for."""
        folded = query.text.casefold()
        return (
            self.is_of(document, query.partner)
            and self.has_product(document, query.product)
            and (query.during is None or query.during.holds(self.day_in(query.filter)(document)))
            and (query.due is None or query.due.holds(self.due(document)))
            and any(folded in part.casefold() for part in self.texts(document))
        )

    def is_of(self, document: D, partner: str) -> bool:
        """Return whether a document is of exactly this partner; of nobody in particular all are."""
        return not partner or self.partner_of(document).casefold() == partner.casefold()

    def has_product(self, document: D, product: str) -> bool:
        """Return whether a document, with its lines, has one of exactly this product; of no product all have."""
        return not product or (self.by_product is not None and bool(lines_of_product(document, product)))


def numbers_in(text: str) -> tuple[str, ...]:
    """Return the numbers that an ERP tells in one text, with commas between them."""
    return tuple(filter(None, map(str.strip, text.split(","))))


def lines_of_product(document: object, product: str) -> tuple[Any, ...]:
    """Return the lines of a document that are of exactly this product."""
    wanted = product.casefold()
    return tuple(line for line in getattr(document, "lines", ()) if line.sku.casefold() == wanted)
