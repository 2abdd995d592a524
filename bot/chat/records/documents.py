"""One question about documents of a kind, whatever the kind: the same stages, and the same rights, for all.

A text is read as a number, as whose documents are meant, as a product, as another document, as a number spelled in
another way: the first that finds something is the answer. Lists come from what is kept, where that is as good, and
their sums from all that they hold.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, Generic, TypeAlias

from bot.access.policy import AccessPolicy
from bot.cards.view import View
from bot.chat.amounts import Amounts
from bot.chat.arguments import Keyword
from bot.chat.context import QuestionContext
from bot.chat.days import DayRange, Days, asked_days
from bot.chat.document_views import view_of_list, view_of_one
from bot.chat.errors import BadArgument
from bot.chat.links import links_of
from bot.chat.product_shares import amount_of
from bot.chat.records.bounded_lists import BoundedLists, ListBound, Restriction
from bot.chat.records.created_by import CreatedBy
from bot.chat.records.documents_by_product import DocumentsByProduct
from bot.chat.records.kept_documents import ReadList, kept_lists
from bot.chat.records.linked_documents import LinkedDocuments
from bot.chat.records.list_totals import ListAmounts, ListSums, total_of_list
from bot.chat.records.lookup import DocumentList, DocumentLookup, OneDocument
from bot.chat.records.order_moves import moves_of_order, view_of_moves
from bot.chat.records.own_documents import OwnDocuments
from bot.chat.records.products import ProductChoice, ProductLookup
from bot.chat.records.reader_hub import command_of, visible_fields
from bot.chat.revision_cases import RevisionCase, RevisionCases
from bot.erp.answer import Answer
from bot.erp.hub import ErpHub
from bot.erp.kinds import D, Kind
from bot.erp.model import Slice
from bot.erp.port import Filter, ListQuery
from bot.read_model.queries import ReadModel
from bot.words.disclosure import FieldClass, cut
from bot.words.phrase import phrase

FindLinked: TypeAlias = Callable[[str, ListQuery], Awaitable[Answer[Slice[D]] | None]]
"""Finds the documents that belong to another, by its number; None where there is no such document."""

_OVERDUE = frozenset({Filter.LATE, Filter.OVERDUE})


@dataclass(frozen=True, slots=True)
class _AskedDocuments(Generic[D]):
    """What a question asks of a kind, and how that is looked up."""

    lookup: DocumentLookup[D]
    bounds: BoundedLists[D]
    text: str
    which: Keyword | None
    wanted: Filter
    days: DayRange | None


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents that one asker may see, for one question."""

    erp: ErpHub
    kept: ReadModel
    own: OwnDocuments
    context: QuestionContext
    policy: AccessPolicy
    cases: RevisionCases | None
    """What is decided here; None where nothing is."""
    typed: Mapping[str, Restriction | None] = field(default_factory=dict)
    """What was typed of the restrictions."""

    restrictions: ClassVar[Mapping[str, type[Restriction]]] = {"created_by": CreatedBy}
    """What restricts lists of every kind: commands that ask for documents take all of it."""

    @property
    def is_restricted(self) -> bool:
        """Whether only a list is asked for, of some documents."""
        return any(self.typed.values())

    async def find(
        self,
        kind: Kind[D],
        text: str | None,
        *,
        which: Keyword | None = None,
        days: Days | DayRange | None = None,
        bounds: BoundedLists[D] | None = None,
        amounts: Amounts | None = None,
        ask: ReadList[D] | None = None,
        linked: FindLinked[D] | None = None,
        sums: ListSums[D, Any] | None = None,
    ) -> OneDocument[D] | DocumentList[D]:
        """Return the document that a text names, or the list that it asks for; ``which`` is called as its `Filter` is.

        ``ask`` reads lists in place of the ERPs, ``linked`` finds what belongs to another document in place of the
        kind's own orders, ``bounds`` restrict the amounts in place of ``amounts``, and ``sums`` adds them up in another
        way. Raises `NothingFound`.
        """
        asked = await self._asked(
            kind, text, which=which, days=days, bounds=bounds, amounts=amounts, ask=ask, linked=linked
        )
        hit = await asked.lookup.look_up(asked.text, asked.wanted, days=asked.days)
        return await self._shown(hit, asked, sums)

    async def find_by_product(
        self,
        kind: Kind[D],
        text: str | None,
        *,
        which: Keyword | None = None,
        days: Days | None = None,
        amounts: Amounts | None = None,
    ) -> OneDocument[D] | DocumentList[D] | ProductChoice:
        """Return what `find` does; a text that names no document may name what is in them, or several such products."""
        asked = await self._asked(kind, text, which=which, days=days, amounts=amounts)
        products = ProductLookup(
            command=kind.command, erp=self.erp, context=self.context, rest=(which or "", days or "")
        )
        by_product = DocumentsByProduct(asked.lookup, kind, products)
        hit = await by_product.look_up(asked.text, asked.wanted, days=asked.days)
        return hit if isinstance(hit, ProductChoice) else await self._shown(hit, asked)

    async def show_moved(self, kind: Kind[D], text: str | None) -> View | None:
        """Return the view of what was moved for the order with this number; None where there is no such order."""
        if not text or self.is_restricted or (found := await moves_of_order(text, kind, self.erp)) is None:
            return None
        order, moved = found
        return cut(view_of_moves(kind).of(order, moved, self.context), self.fields(kind))

    def show(self, kind: Kind[D], hit: OneDocument[D] | DocumentList[D] | ProductChoice) -> View:
        """Return the view of what was found, as the asker may see it."""
        if isinstance(hit, ProductChoice):
            return hit
        if isinstance(hit, DocumentList):
            return view_of_list(kind).of(hit, self.context)
        return view_of_one(kind).of(hit, self.context, links=links_of(kind, self.erp, of=hit.found))

    def fields(self, kind: Kind[D]) -> frozenset[FieldClass]:
        """Return the classes that the rules on a kind and on its area leave to the asker."""
        return visible_fields(self.policy, self.context, kind.command, command_of(kind.area))

    async def _asked(
        self,
        kind: Kind[D],
        text: str | None,
        *,
        which: Keyword | None,
        days: Days | DayRange | None,
        amounts: Amounts | None,
        bounds: BoundedLists[D] | None = None,
        ask: ReadList[D] | None = None,
        linked: FindLinked[D] | None = None,
    ) -> _AskedDocuments[D]:
        now = self.context.now
        wanted = Filter[which.name] if which else Filter.ALL
        restricted = bounds or BoundedLists.of(amounts, kind, self.fields(kind), self.kept, now)
        for restriction in filter(None, self.typed.values()):
            restricted = restricted.also(await self._bound(restriction, restricted.whole))
        typed = days.typed if isinstance(days, DayRange) else days or ""
        lookup = DocumentLookup(
            kind.command,
            self.erp,
            kind,
            self._lists(kind, ask),
            self.context,
            self.kept,
            owned=self.own.within(self.erp, kind.area, self.context) if kind.has_owners else None,
            linked=linked or self._linked(restricted.kind),
            bounds=restricted,
            rest=(which or "", *(each.typed for each in restricted.asked), typed),
        )
        of_days = days if isinstance(days, DayRange) else asked_days(days, now.date(), late=wanted in _OVERDUE)
        return _AskedDocuments(lookup, restricted, text or "", which, wanted, of_days)

    async def _bound(self, restriction: Restriction, kind: Kind[D]) -> ListBound[D]:
        """Return what is typed as a bound of lists; raises `BadArgument` for who may not see what it compares."""
        bound = await restriction.bound(kind, self.kept, self.own, self.context)
        if not bound.asked.compared <= self.fields(kind):
            raise BadArgument(phrase("You may not see this, so nothing is listed by it."))
        return bound

    def _lists(self, kind: Kind[D], ask: ReadList[D] | None) -> ReadList[D]:
        """Return what reads lists: out of what is kept where the kind does not stand for its area.

        Of orders and invoices people expect what the ERP says at that moment.
        """
        asked = ask or partial(_ask, kind)
        return kept_lists(self.kept, kind, asked, now=self.context.now) if kind.feed else asked

    def _linked(self, kind: Kind[D]) -> FindLinked[D] | None:
        if kind.origin is None or kind.order_call:
            return None
        return LinkedDocuments(self.kept, self.erp, kind, self.context.now).of

    async def _shown(
        self,
        hit: OneDocument[D] | DocumentList[D],
        asked: _AskedDocuments[D],
        sums: ListSums[D, Any] | None = None,
    ) -> OneDocument[D] | DocumentList[D]:
        """Return what was found with all that its card says of the question, and what its reader may see of it."""
        fields = self.fields(asked.bounds.whole)
        if isinstance(hit, OneDocument):
            return replace(hit, fields=fields, case=await self._case_of(hit.found, asked.bounds.whole))
        kind = asked.bounds.kind
        if kind.amounts.classes:
            # The lines of a list of a product are those of it alone.
            added = sums or ListAmounts(kind, amount_of if hit.product else None)
            totals, hit = await total_of_list(hit, added, self.kept, self.context.now)
            # Of what is open only the rest is told: the whole would read as what is owed.
            whole = () if kind.amounts.left and asked.which else totals.sums
            hit = replace(hit, sums=whole, left=totals.left, not_added_up=totals.not_added_up)
        return replace(
            hit, text=asked.text, which=asked.which, days=asked.days, bounded=asked.bounds.asked, fields=fields
        )

    async def _case_of(self, found: Answer[D], kind: Kind[D]) -> RevisionCase | None:
        """Return the case of a document that waits; of an old copy nothing is decided."""
        if self.cases is None or found.stale or not kind.waits(found.value):
            return None
        return await self.cases.case_of(replace(found.value, source=found.source), self.context.person.user_id or "")


async def _ask(kind: Kind[D], erp: ErpHub, query: ListQuery) -> Answer[Slice[D]]:
    return await erp.documents(kind, query)
