"""Looks documents up: by number, by part of a number or name, or as a list; suggests what may be meant instead."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar

from bot.cards.notices import Suggestion
from bot.chat.arguments import Keyword
from bot.chat.conditions import LONG_AGO, AskedBound, Conditions, ListCondition, WiderList, find_emptied
from bot.chat.context import QuestionContext
from bot.chat.days import DayRange
from bot.chat.errors import NothingFound
from bot.chat.parsing import command_line
from bot.chat.records.bounded_lists import BoundedLists
from bot.chat.records.kept_documents import ReadList, whole_lists
from bot.chat.records.own_documents import OWN_WORDS, OwnedDocuments
from bot.chat.revision_cases import RevisionCase
from bot.chat.view_parts import ALL_ADDED_UP, NotAddedUp
from bot.erp.errors import Ambiguous, ErpError, NotFound
from bot.erp.hub import Answer, ErpHub
from bot.erp.kinds import D, Kind
from bot.erp.model import Area, Followed, Product, Slice
from bot.erp.port import Capability, Filter, ListQuery, Period
from bot.read_model.queries import ReadModel
from bot.words.disclosure import ALL_FIELDS, FieldClass
from bot.words.phrase import Phrase
from bot.words.spelling import most_alike, other_spellings

MAX_CLOSEST = 4
SEARCH_LIMIT = 100
"""Hits among which a search looks for the closest."""

Search = Callable[[str], Awaitable[Iterable[str]]]
"""Returns the codes or numbers that contain a text, up to `SEARCH_LIMIT`."""

T = TypeVar("T")

_ALIKE = 0.6
"""From here on a name is told as like another."""
_ONE_DAY = timedelta(days=1)
_LOOK_ALIKES = str.maketrans("oil", "011")


async def find_closest(text: str, search: Search) -> tuple[str, ...]:
    """Return the hits most like ``text``, best first.

    Searches for shorter and shorter beginnings of it, three at most, because codes differ at the end.
    """
    for length in dict.fromkeys((len(text) - 1, len(text) * 3 // 4, len(text) // 2)):
        if length < 2:
            break
        hits = tuple(dict.fromkeys(await search(text[:length])))
        if hits:
            return most_alike(text, hits, limit=MAX_CLOSEST, fold=_folded)
    return ()


def _folded(text: str) -> str:
    return text.casefold().translate(_LOOK_ALIKES)


async def read_as_spelled(
    text: str, read: Callable[[str], Awaitable[T]], *, missing: tuple[type[ErpError], ...] = (NotFound, Ambiguous)
) -> T | None:
    """Return what ``read`` brings by the number that ``text`` spells, be it with other punctuation.

    None where that is no number, and where ``read`` raises an error that says that there is nothing of that number.
    """
    for number in (text, *other_spellings(text)) if any(char.isdigit() for char in text) else ():
        try:
            return await read(number)
        except missing:
            continue
    return None


FETCH_LIMIT = 20
"""Documents that one question fetches: more than a page shows, so that short lists can be summed up."""


class Numbered(Protocol):
    """Anything with a number."""

    @property
    def number(self) -> str: ...


@dataclass(frozen=True, slots=True)
class OneDocument(Generic[D]):
    """The one document that was meant, of which its reader may see these ``fields``; its ``case``, while it waits."""

    found: Answer[D]
    fields: frozenset[FieldClass] = ALL_FIELDS
    case: RevisionCase | None = None


@dataclass(frozen=True, slots=True)
class DocumentList(Generic[D]):
    """A list, perhaps an empty one; ``query`` finds it again by ``read``, None for what belongs to another document.

    ``is_bare``: nothing restricts it.
    """

    found: Answer[Slice[D]]
    query: ListQuery | None = None
    read: ReadList[D] | None = None
    erp: ErpHub | None = None
    """Where it is read: the reader's hub, or what that shows of one person's documents."""
    product: Product | None = None
    """What all documents of the list have a line of, where they were looked for by it."""
    emptied: tuple[WiderList, ...] = ()
    """What an empty list has without some of its conditions."""
    is_bare: bool = False
    overdue: int = 0
    """How many should have been done before today, and come first in a list of what is due."""
    text: str = ""
    which: Keyword | None = None
    days: DayRange | None = None
    bounded: tuple[AskedBound, ...] = ()
    """What was asked for."""
    sums: tuple[Any, ...] = ()
    """What the documents come to, one amount a currency; empty where not all of them are known."""
    left: tuple[Any, ...] = ()
    """What of it is still to be paid, where documents have such a part."""
    not_added_up: NotAddedUp = ALL_ADDED_UP
    fields: frozenset[FieldClass] = ALL_FIELDS
    """What the reader may see of them."""


@dataclass(frozen=True, slots=True)
class NoDocument:
    """A text names nothing; ``notes`` say why some may be missing."""

    notes: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class DocumentLookup(Generic[D]):
    """How to find the documents of ``command``: one of a ``kind`` by its number, lists by ``ask``."""

    command: str
    erp: ErpHub
    kind: Kind[D]
    ask: ReadList[D]
    context: QuestionContext
    kept: ReadModel
    owned: OwnedDocuments | None = None
    """Those of one person, where documents are somebody's."""
    linked: Callable[[str, ListQuery], Awaitable[Answer[Slice[D]] | None]] | None = None
    """Finds those that belong to another document, by its number."""
    bounds: BoundedLists[D] | None = None
    """Restricts the lists to documents within some bounds."""
    rest: tuple[str, ...] = ()
    """The other words of the line, empty ones for what was not typed."""

    async def look_up(
        self, text: str, wanted: Filter, *, days: DayRange | None = None
    ) -> OneDocument[D] | DocumentList[D]:
        """Return what `find` does; raises `NothingFound` where that is nothing."""
        hit = await self.find(text, wanted, days=days)
        if isinstance(hit, NoDocument):
            raise NothingFound(text, await self.closest(text), hit.notes)
        return hit

    async def find(
        self, text: str, wanted: Filter, *, days: DayRange | None = None
    ) -> OneDocument[D] | DocumentList[D] | NoDocument:
        """Return the document with the number ``text``, else the only one it fits, else all that it fits.

        ``text`` may also name the person whose documents are meant: 我的 the asker, a name a colleague. A list of what
        it names may be empty by other conditions. Where many rows are wanted, what it fits is a list, also where it is
        the number of none and fits a single one.
        """
        asked = Conditions(text=text, wanted=wanted, days=days, bounded=self.bounded_by)
        only_text, rows = asked.kinds == {ListCondition.TEXT}, self.context.rows
        # Text without a digit is no number: a search for a customer or vendor costs one call less.
        if only_text and _may_be_number(text):
            try:
                return OneDocument(await self.erp.document(self.kind, text))
            except (NotFound, Ambiguous):
                pass  # the list shows what there is
        listed = await self.read(asked, offset=self.context.offset, limit=rows or FETCH_LIMIT)
        found = listed.found.value
        if only_text and rows is None and found.total == 1 and found.items and listed.erp is self.erp:
            (row,) = found.items
            return OneDocument(await self.erp.beside(row).document(self.kind, row.number))
        if not asked.kinds:
            return replace(listed, is_bare=True)
        if found.total:
            return await self._set_apart(listed)
        if not text or text.casefold() in OWN_WORDS:
            return await self.told_empty(listed, asked)
        return await self._of_nothing(listed, asked)

    async def _of_nothing(
        self, listed: DocumentList[D], asked: Conditions
    ) -> OneDocument[D] | DocumentList[D] | NoDocument:
        """Return what to say of a text whose list is empty: by other conditions, or because it names nothing."""
        others = asked.kinds - {ListCondition.TEXT}
        try:
            named = bool(others) and await self._count(asked.without(*others)) > 0
            if not named and (spelled := await self._spelled_otherwise(asked.text)):
                if not others:
                    return spelled
                named = True
            if not named and not await self._names_somebody(asked.text):
                return NoDocument(listed.found.notes)
        except ErpError:
            return listed  # what emptied it is not known
        return await self.told_empty(listed, asked)

    async def told_empty(self, listed: DocumentList[D], asked: Conditions) -> DocumentList[D]:
        """Return an empty list that tells which of its conditions emptied it."""
        return replace(listed, emptied=await find_emptied(asked, self._count))

    async def _count(self, asked: Conditions) -> int:
        return (await self.read(asked, offset=0, limit=1)).found.value.total

    async def read(self, asked: Conditions, *, offset: int, limit: int) -> DocumentList[D]:
        """Return a part of a list: of what its text names, of the person whose name it is, or of another document."""
        ask = whole_lists(self.kept, self.kind, self.ask, now=self.context.now)
        read = self.bounds.only(asked.bounded).or_else(ask) if self.bounds else ask
        query = self._query(asked, offset=offset, limit=limit)
        unnamed = replace(query, text="")
        if self.owned and asked.text.casefold() in OWN_WORDS:
            return await _read_list(read, self.owned.of_asker(), unnamed)
        listed = await _read_list(read, self.erp, query)
        if not asked.text or listed.found.value.total:
            return listed
        if self.owned and not _may_be_number(asked.text):
            of_colleague = await _read_list(read, self.owned.of_named(asked.text), unnamed)
            if of_colleague.found.value.total:
                return of_colleague
        if self.linked and (of_other := await self.linked(asked.text, query)):
            return DocumentList(of_other)
        return listed

    def _query(self, asked: Conditions, *, offset: int, limit: int) -> ListQuery:
        may_be_open = Filter.OPEN in self.kind.filters
        return asked.query(self.context.today, may_be_open=may_be_open, offset=offset, limit=limit)

    async def _set_apart(self, listed: DocumentList[D]) -> DocumentList[D]:
        """Return a list of what is due that knows how much of it was due before today."""
        query, yesterday = listed.query, self.context.today - _ONE_DAY
        if query is None or query.due is None or query.due.first != LONG_AGO:
            return listed
        assert listed.read is not None
        assert listed.erp is not None
        before = replace(query, due=Period(LONG_AGO, yesterday), offset=0, limit=1)
        return replace(listed, overdue=(await listed.read(listed.erp, before)).value.total)

    @property
    def bounded_by(self) -> frozenset[ListCondition]:
        """What bounds the lists."""
        return frozenset(each.by for each in self.bounds.asked) if self.bounds else frozenset()

    async def _names_somebody(self, text: str) -> bool:
        """Return whether a text names a customer, a vendor or a product, of which there are no such documents."""
        query = ListQuery(text=text, limit=1)
        for area, capability, partners in (
            (Area.SALES, Capability.CUSTOMERS, self.erp.customers),
            (Area.PURCHASING, Capability.VENDORS, self.erp.vendors),
        ):
            known = area in _partner_areas(self.kind) and self.erp.offers(capability)
            if known and (await partners(query)).value.total:
                return True
        return self.kind.partner is None and bool((await self.erp.find_products(text, limit=1)).value)

    async def _spelled_otherwise(self, text: str) -> OneDocument[D] | None:
        """Return the document whose number ``text`` spells with other punctuation."""
        for number in other_spellings(text):
            try:
                return OneDocument(await self.erp.document(self.kind, number))
            except (NotFound, Ambiguous):
                continue
        return None

    async def closest(self, text: str) -> tuple[Suggestion, ...]:
        """Return the lines for the documents whose numbers are most like a text, and for the partners of such names."""

        books: dict[str, dict[tuple[str, ...], None]] = {}

        async def search(part: str) -> list[str]:
            hits = await self.ask(self.erp, ListQuery(text=part, limit=SEARCH_LIMIT))
            for document in hits.value.items:
                books.setdefault(document.number, {})[document.books] = None
            return [document.number for document in hits.value.items]

        closest = await find_closest(text, search)
        lines = [command_line(self.command, number, books=each) for number in closest for each in books[number]]
        numbers, names = tuple(map(Suggestion, lines)), await self._closest_names(text)
        return (numbers + names if _may_be_number(text) else names + numbers)[:MAX_CLOSEST]

    async def _closest_names(self, text: str) -> tuple[Suggestion, ...]:
        """Return the partners whose names are most like a text, or hold a part of it."""
        if self.kind.partner is None:
            return ()
        return tuple(self._suggest(name, area) for name, area in await closest_partners(text, self.kept))

    def _suggest(self, name: str, area: Followed) -> Suggestion:
        is_customer = area in (Area.SALES, Area.FINANCE)
        own = (Area.SALES if is_customer else Area.PURCHASING) in _partner_areas(self.kind)
        words = (self.command, *self.rest) if own else ("customer",) if is_customer else ("vendor",)
        line = command_line(*words, name)
        return Suggestion(line, name, tells=FieldClass.PARTNER)


async def closest_partners(text: str, kept: ReadModel) -> tuple[tuple[str, Followed], ...]:
    """Return the partners whose names are most like a text, or hold a part of it, each with its area."""
    sides = {partner.name: partner.area for partner in await kept.partners()}
    alike = most_alike(text, sides, limit=MAX_CLOSEST, similarity=_ALIKE, fold=_folded)
    return tuple((name, sides[name]) for name in alike)


def _partner_areas(kind: Kind[D]) -> frozenset[Area]:
    """Return on which sides of the business the partners of a kind of documents are."""
    if kind.partner is None:
        return frozenset()
    return frozenset(Area.PURCHASING if area is Area.PURCHASING else Area.SALES for area in kind.areas)


def _may_be_number(text: str) -> bool:
    return any(char.isdigit() for char in text)


async def _read_list(read: ReadList[D], erp: ErpHub, query: ListQuery) -> DocumentList[D]:
    return DocumentList(await read(erp, query), query, read, erp)
