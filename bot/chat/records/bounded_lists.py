"""Lists of documents within bounds of their amounts, out of those that are kept: no ERP is asked to compare amounts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from sys import maxsize
from typing import Generic, NamedTuple

from bot.chat.amounts import NO_BOUNDS, AmountBounds, Amounts, ListBounds
from bot.chat.errors import BadArgument
from bot.chat.records.kept_documents import OF_OPEN, ReadList, gaps
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
    """A page of a list; and of all that was asked for, how many have no amount, and how many currencies there are."""

    page: Slice[D]
    without_amount: int
    currencies: int


@dataclass(frozen=True, slots=True)
class BoundedLists(Generic[D]):
    """Lists of the documents of a kind whose amounts lie in a ``range``; None: of all. ``notes`` are said of them."""

    whole: Kind[D]
    range: AmountBounds | None
    kept: ReadModel
    now: datetime
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
            return cls(kind, None, kept, now)
        if not kind.amounts.classes or not kind.amounts.classes <= seen:
            raise BadArgument(phrase("You may not see these amounts, so nothing is listed by them."))
        if amounts.range.of_balance and kind.amounts.left is None:
            raise BadArgument(phrase("Only invoices and bills have an open amount. Try it without “balance”."))
        return cls(kind, amounts.range, kept, now, notes)

    @property
    def is_bounded(self) -> bool:
        """Whether any amount is restricted."""
        return self.range is not None

    @property
    def shown(self) -> ListBounds:
        """What the list says of it."""
        return ListBounds(amounts=self.range.typed, compared=self.whole.amounts.classes) if self.range else NO_BOUNDS

    @property
    def kind(self) -> Kind[D]:
        """The kind of documents, of which only those within the bounds are listed."""
        return replace(self.whole, listed=self._is_listed) if self.range else self.whole

    def or_else(self, ask: ReadList[D]) -> ReadList[D]:
        """Return what reads such lists, and those without bounds by ``ask``."""
        return self._read if self.range else ask

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
        notes = (*self.notes, *gaps(found.coverage, query), *_oddities(found.value, self.range))
        source, stale = sources[0] if len(sources) == 1 else "", found.coverage.is_stale(self.now)
        return Answer(found.value.page, source, as_of, stale=stale, notes=notes)

    def _pick(self, query: ListQuery, documents: Iterator[ErpRecord]) -> _Picked[D]:
        today, whole = self.now.date(), replace(query, offset=0, limit=maxsize)
        asked = self.whole.pick(documents, whole, today).items  # type: ignore[arg-type]  # they are of this kind
        amounts = [self._amount(each) for each in asked]
        return _Picked(
            page=self.kind.pick(asked, query, today),
            without_amount=sum(money is None for money in amounts),
            currencies=len({money.currency for money in amounts if money}),
        )

    def _is_listed(self, document: D) -> bool:
        settled = self._of_balance and isinstance(document, InvoiceRecord) and not document.is_open
        return not settled and self.whole.listed(document) and self._holds(self._amount(document))

    @property
    def _of_balance(self) -> bool:
        return self.range is not None and self.range.of_balance

    def _holds(self, money: Money | None) -> bool:
        return self.range is None or self.range.holds(money)

    def _amount(self, document: D) -> Money | None:
        amounts = self.whole.amounts
        money = amounts.left_of(document) if self._of_balance else amounts.total(document)
        return signed(document, money)


def _nothing_kept(missing: tuple[str, ...]) -> Phrase:
    if missing:
        return phrase(
            "The documents of %(sources)s have not all been read yet. Until then nothing is listed by amounts.",
            sources=missing,
        )
    return phrase("There is nothing here that you may see.")


def _oddities(found: _Picked[D], asked: AmountBounds | None) -> Iterator[Phrase]:
    if found.without_amount:
        yield phrase("not listed: %(num)s without an amount", num=found.without_amount)
    if found.currencies > 1 and asked and not asked.currency:
        yield phrase("each amount in its own currency")
