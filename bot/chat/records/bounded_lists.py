"""Lists of documents within bounds that no ERP is asked to compare, such as amounts: out of those that are kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from sys import maxsize
from typing import ClassVar, Generic, NamedTuple

from bot.chat.amounts import AmountBounds, Amounts
from bot.chat.arguments import Word
from bot.chat.conditions import AskedBound, ListCondition
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument
from bot.chat.records.kept_documents import OF_OPEN, ReadList, gaps
from bot.chat.records.own_documents import OwnDocuments
from bot.erp.answer import Answer
from bot.erp.counting import signed
from bot.erp.hub import ErpHub
from bot.erp.kinds import D, Kind
from bot.erp.model import ErpRecord, Followed, InvoiceRecord, Money, Slice
from bot.erp.port import ListQuery
from bot.read_model.queries import KeptAnswer, ReadModel
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase, phrase


class _Picked(NamedTuple, Generic[D]):
    """A page of a list; and what is to be said of all that was asked for."""

    page: Slice[D]
    remarks: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class ListBound(Generic[D]):
    """What each document of a list ``holds``; ``remarks`` say of all that are asked for what it does not decide."""

    asked: AskedBound
    holds: Callable[[D], bool]
    remarks: Callable[[Sequence[D]], Iterable[Phrase]]


@dataclass(frozen=True, slots=True)
class BoundedLists(Generic[D]):
    """Lists of the documents of a kind that are within all ``bounds``. ``notes`` are said of them."""

    whole: Kind[D]
    kept: ReadModel
    now: datetime
    bounds: tuple[ListBound[D], ...] = ()
    notes: tuple[Phrase, ...] = ()

    @classmethod
    def of(
        cls,
        amounts: Amounts | None,
        kind: Kind[D],
        seen: frozenset[FieldClass],
        kept: ReadModel,
        now: datetime,
        *,
        notes: tuple[Phrase, ...] = (),
    ) -> BoundedLists[D]:
        """Return the lists that ``amounts`` restrict, for a reader of the classes ``seen``.

        Raises `BadArgument` for who may not see what is compared: which documents are listed would tell it.
        """
        if amounts is None:
            return cls(kind, kept, now, (), notes)
        if not kind.amounts.classes or not kind.amounts.classes <= seen:
            raise BadArgument(phrase("You may not see these amounts, so nothing is listed by them."))
        if amounts.range.of_balance and kind.amounts.left is None:
            raise BadArgument(phrase("Only invoices and bills have an open amount. Try it without “balance”."))
        return cls(kind, kept, now, (_amounts_within(amounts.range, kind),), notes)

    def also(self, bound: ListBound[D]) -> BoundedLists[D]:
        """Return the lists within one more bound."""
        return replace(self, bounds=(*self.bounds, bound))

    def only(self, some: Collection[ListCondition]) -> BoundedLists[D]:
        """Return the lists within some of the bounds."""
        return replace(self, bounds=tuple(each for each in self.bounds if each.asked.by in some))

    @property
    def asked(self) -> tuple[AskedBound, ...]:
        """What the list says of it."""
        return tuple(each.asked for each in self.bounds)

    @property
    def kind(self) -> Kind[D]:
        """The kind of documents, of which only those within the bounds are listed."""
        return replace(self.whole, listed=self._is_listed) if self.bounds else self.whole

    def or_else(self, ask: ReadList[D]) -> ReadList[D]:
        """Return what reads such lists, and those without bounds by ``ask``."""
        return self._read if self.bounds else ask

    async def _read(self, erp: ErpHub, query: ListQuery) -> Answer[Slice[D]]:
        """Return the part of a list that a query asks for, as far as ``erp`` shows it to its reader.

        Raises `BadArgument` where nothing is kept.
        """
        followed: Followed = self.whole.followed
        days = query.during
        found = await self.kept.narrowed(erp).fold(
            followed,
            partial(self._pick, query),
            since=days.first if days else None,
            until=days.last if days else None,
            unfinished=query.filter in OF_OPEN,
            text=query.text,
        )
        answer: Answer[Slice[D]] = self._answer(found, query, erp.visible_sources(followed))
        # That one source has none is not that there is none.
        silences: tuple[Phrase, ...] = erp.silences_about(followed)
        return replace(answer, value=erp.addressed_all(answer.value), notes=(*answer.notes, *silences))

    def _answer(self, found: KeptAnswer[_Picked[D]], query: ListQuery, sources: tuple[str, ...]) -> Answer[Slice[D]]:
        as_of = found.coverage.as_of
        if as_of is None:
            raise BadArgument(_nothing_kept(found.coverage.sources_missing))
        notes = (*self.notes, *gaps(found.coverage, query), *found.value.remarks)
        source, stale = sources[0] if len(sources) == 1 else "", found.coverage.is_stale(self.now)
        return Answer(found.value.page, source, as_of, stale=stale, notes=notes)

    def _pick(self, query: ListQuery, documents: Iterator[ErpRecord]) -> _Picked[D]:
        today, whole = self.now.date(), replace(query, offset=0, limit=maxsize)
        asked = self.whole.pick(documents, whole, today).items  # type: ignore[arg-type]  # they are of this kind
        remarks = (remark for bound in self.bounds for remark in bound.remarks(asked))
        return _Picked(self.kind.pick(asked, query, today), tuple(remarks))

    def _is_listed(self, document: D) -> bool:
        return self.whole.listed(document) and all(bound.holds(document) for bound in self.bounds)


def _nothing_kept(missing: tuple[str, ...]) -> Phrase:
    if missing:
        return phrase(
            "The documents of %(sources)s have not all been read yet. Until then nothing is listed in this way.",
            sources=missing,
        )
    return phrase("There is nothing here that you may see.")


def _amounts_within(asked: AmountBounds, kind: Kind[D]) -> ListBound[D]:
    """Return what bounds the amounts of documents, or what is left of them to pay."""

    def amount(document: D) -> Money | None:
        money = kind.amounts.left_of(document) if asked.of_balance else kind.amounts.total(document)
        return signed(document, money)

    def holds(document: D) -> bool:
        settled = asked.of_balance and isinstance(document, InvoiceRecord) and not document.is_open
        return not settled and asked.holds(amount(document))

    def remarks(documents: Sequence[D]) -> Iterator[Phrase]:
        amounts = [amount(each) for each in documents]
        if without := sum(money is None for money in amounts):
            yield phrase("not listed: %(num)s without an amount", num=without)
        if len({money.currency for money in amounts if money}) > 1 and not asked.currency:
            yield phrase("each amount in its own currency")

    said = AskedBound(by=ListCondition.AMOUNTS, typed=asked.typed, compared=kind.amounts.classes)
    return ListBound(said, holds, remarks)


class Restriction(Word):
    """A word that restricts lists of documents of every kind to those that a bound holds; forms show its ``label``."""

    by: ClassVar[ListCondition]
    label: ClassVar[Phrase]

    async def bound(self, kind: Kind[D], kept: ReadModel, own: OwnDocuments, context: QuestionContext) -> ListBound[D]:
        """Return what the documents meet, as ``context.person`` asks for it; raises a `DingerpError`."""
        raise NotImplementedError
