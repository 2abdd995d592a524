"""Rankings out of the documents that are kept: partners by what is owed, and they and products by what was ordered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from bot.access.policy import AccessPolicy
from bot.cards.tables import Table
from bot.cards.view import Button, Label
from bot.chat.arguments import Keyword
from bot.chat.conditions import Conditions, ListCondition, WiderList, find_emptied
from bot.chat.context import QuestionContext
from bot.chat.days import DayRange, DaysOrMonth
from bot.chat.parsing import command_line, split
from bot.chat.records.reader_hub import visible_fields
from bot.chat.view_parts import EmptiedList, ExportedListView, ask_buttons, said_days, table_of_lines
from bot.erp.hub import ErpHub
from bot.erp.model import Area, Feed, Money, SalesAmount
from bot.erp.port import Period
from bot.read_model.queries import Coverage, KeptAnswer, ReadModel
from bot.read_model.rankings import PartnerSum, ProductSum, Ranking, rank_debts, rank_products, rank_turnover
from bot.words.columns import Column
from bot.words.disclosure import HIDDEN, ClassedBy, FieldClass, cut
from bot.words.phrase import Phrase, phrase

YEAR = timedelta(days=364)
"""How far back a ranking reaches if nobody names days."""


class RankedBy(StrEnum):
    """What partners are ranked by, and ``PRODUCTS`` are by their orders."""

    RECEIVABLES = "receivables"
    PAYABLES = "payables"
    SALES = "sales"
    PURCHASES = "purchases"
    PRODUCTS = "products"


_DEBTS: dict[RankedBy, Area | Feed] = {RankedBy.RECEIVABLES: Area.FINANCE, RankedBy.PAYABLES: Feed.BILLS}
_TURNOVER = {RankedBy.SALES: Area.SALES, RankedBy.PURCHASES: Area.PURCHASING}
_BOUND_BY = {
    RankedBy.RECEIVABLES: "invoice",
    RankedBy.SALES: "order",
    RankedBy.PAYABLES: "po",
    RankedBy.PURCHASES: "po",
}
"""The command whose rules bind the documents that are added up."""
_OF_VENDORS = frozenset({RankedBy.PAYABLES, RankedBy.PURCHASES})


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingView(EmptiedList, ExportedListView):
    """Those with the most first; readers who may not see the amounts do not learn their order.

    ``days`` are those of turnover, ``asked`` where the line says them; debts are as of now. ``without_amount``
    documents or lines of them are in no sum; ``narrowed``: there are documents that the reader may not see.
    ``silences`` name sources that tell no such documents.
    """

    page_size: ClassVar[int] = 6

    days: Period | None
    asked: DayRange | None = None
    bare_line: str = ""
    """The line for the days that are ranked where it says none."""
    without_amount: int
    coverage: Coverage
    stale: bool
    narrowed: bool
    silences: tuple[Phrase, ...] = ()
    emptied: tuple[WiderList, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Whether documents of the days may be missing."""
        return self.days is not None and not self.coverage.is_complete_from(self.days.first)

    @property
    def is_untold(self) -> bool:
        """Whether nothing is known of the days: their documents are not kept."""
        return self.days is not None and not self.coverage.tells_until(self.days.last)

    def typed(self) -> Mapping[ListCondition, str]:
        return {ListCondition.DAYS: self.asked.typed if self.asked else ""}

    def called(self) -> Mapping[ListCondition, Label]:
        return {ListCondition.DAYS: said_days(self.asked)} if self.asked else {}

    def line_without(self, by: frozenset[ListCondition]) -> str:
        return self.bare_line  # days and books are all that it can be without

    def buttons(self) -> Sequence[Button]:
        if any(row.amount is HIDDEN for row in self.rows):
            return ()  # no page shows any row
        return (*ExportedListView.buttons(self), *self.widening_buttons())

    def table(self) -> Table | None:
        return None if self.coverage.as_of is None else table_of_lines(self.columns(), self, as_of=self.coverage.as_of)

    def columns(self) -> Sequence[Column]:
        """Return what a file says of each row."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerRankingView(RankingView):
    """Customers or vendors, those with the most first: ``partners`` are ranked, each once in each currency."""

    card: ClassVar[str] = "partner_ranking"

    by: RankedBy
    rows: tuple[PartnerSum, ...]
    partners: int
    totals: Annotated[tuple[Money, ...], ClassedBy("money_class")]

    @property
    def listed(self) -> int:
        return self.partners

    @property
    def money_class(self) -> FieldClass:
        """The class of the amounts."""
        return FieldClass.COST if self.by in _OF_VENDORS else FieldClass.AMOUNT

    def row_buttons(self) -> Sequence[Button]:
        command = "vendor" if self.by in _OF_VENDORS else "customer"
        return ask_buttons(command, (row.partner for row in self.rows))

    def columns(self) -> Sequence[Column]:
        partner = Column(phrase("Vendor") if self.by in _OF_VENDORS else phrase("Customer"), "partner")
        columns = [partner, Column(phrase("Amount"), "amount"), Column(phrase("Documents"), "count")]
        if self.by in _DEBTS:
            columns += [Column(phrase("Overdue"), "overdue"), Column(phrase("Days overdue"), "days_overdue")]
        return columns


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRankingView(RankingView):
    """Products, what sells best first: ``products`` are ranked, each once in each currency.

    Of ``unread`` orders the lines are not known.
    """

    card: ClassVar[str] = "product_ranking"

    rows: tuple[ProductSum, ...]
    products: int
    totals: tuple[SalesAmount, ...]
    unread: int

    @property
    def listed(self) -> int:
        return self.products

    def row_buttons(self) -> Sequence[Button]:
        return ask_buttons("stock", (row.sku for row in self.rows))

    def columns(self) -> Sequence[Column]:
        return (
            Column(phrase("Product"), "sku"),
            Column(phrase("Name"), "name"),
            Column(phrase("Amount"), "amount"),
            Column(phrase("Quantity"), "quantity"),
            Column(phrase("Unit"), "unit"),
            Column(phrase("Order lines"), "count"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingRequest:
    """What is to be ranked by what, in which days (None: as of now), and the line that asks for it.

    ``asked`` are the days as the line says them, and ``bare_line`` is it without any.
    """

    by: RankedBy
    days: Period | None
    line: str
    bare_line: str
    asked: DayRange | None = None

    @classmethod
    def read(cls, command: str, which: Keyword, by: RankedBy, text: str, today: date) -> Self | None:
        """Return what is asked by the word ``which`` and the days beside it, those of a year where none are said.

        None where ``text`` says something else: both are part of a name then. Raises `BadArgument` for a day that does
        not exist.
        """
        bare = command_line(command, which)
        if by in _DEBTS:
            return None if text else cls(by=by, days=None, line=bare, bare_line=bare)
        if not text:
            return cls(by=by, days=_year(today), line=bare, bare_line=bare)
        words = list(split(text))
        days = DaysOrMonth.take_marked(words)
        found = days.within(today) if days and not words else None
        if found is None or found.due:
            return None
        line = command_line(command, which, found.typed)
        return cls(by=by, days=found.period, line=line, bare_line=bare, asked=found)


def _year(today: date) -> Period:
    return Period(today - YEAR, today)


async def rank_partners(
    asked: RankingRequest, *, erp: ErpHub, kept: ReadModel, policy: AccessPolicy, context: QuestionContext
) -> PartnerRankingView:
    """Return partners in their order, as far as the asker may see it.

    Raises a `DingerpError` when the store does not answer.
    """
    by, days = asked.by, asked.days
    kind = _DEBTS[by] if days is None else _TURNOVER[by]

    async def rank(days: Period | None) -> KeptAnswer[Ranking]:
        if days is None:
            return await rank_debts(kept, kind, context.today)
        return await rank_turnover(kept, _TURNOVER[by], days.first, days.last)

    async def count(part: Conditions) -> int:
        assert part.days is None, "nothing but days can be taken off"
        return _count_partners((await rank(_year(context.today))).value.sums)

    found = await rank(days)
    ranking, coverage = found.value, found.coverage
    sums = () if coverage.as_of is None else ranking.sums
    view = PartnerRankingView(
        by=by,
        days=days,
        rows=sums[context.offset : context.offset + (context.rows or PartnerRankingView.page_size)],
        total=len(sums),
        partners=_count_partners(sums),
        offset=context.offset,
        line=asked.line,
        bare_line=asked.bare_line,
        asked=asked.asked,
        emptied=() if sums else await find_emptied(Conditions(days=asked.asked), count),
        totals=ranking.totals,
        without_amount=ranking.without_amount,
        coverage=coverage,
        stale=coverage.is_stale(context.now),
        narrowed=erp.hides_documents(kind),
        silences=erp.silences_about(kind),
    )
    return cut(view, visible_fields(policy, context, _BOUND_BY[by]))


def _count_partners(sums: Sequence[PartnerSum]) -> int:
    return len({each.partner.casefold() for each in sums})


def _count_products(sums: Sequence[ProductSum]) -> int:
    return len({each.sku.casefold() for each in sums})


async def list_best_products(
    asked: RankingRequest, *, erp: ErpHub, kept: ReadModel, policy: AccessPolicy, context: QuestionContext
) -> ProductRankingView:
    """Return products in their order, as far as the asker may see it.

    Raises a `DingerpError` when the store does not answer.
    """
    today = context.today
    days = asked.days or _year(today)

    async def count(part: Conditions) -> int:
        assert part.days is None, "nothing but days can be taken off"
        year = _year(today)
        return _count_products((await rank_products(kept, year.first, year.last)).value.sums)

    found = await rank_products(kept, days.first, days.last)
    ranking, coverage = found.value, found.coverage
    sums = () if coverage.as_of is None else ranking.sums
    view = ProductRankingView(
        days=days,
        rows=sums[context.offset : context.offset + (context.rows or ProductRankingView.page_size)],
        total=len(sums),
        products=_count_products(sums),
        offset=context.offset,
        line=asked.line,
        bare_line=asked.bare_line,
        asked=asked.asked,
        emptied=() if sums else await find_emptied(Conditions(days=asked.asked), count),
        totals=ranking.totals,
        without_amount=ranking.without_amount,
        unread=ranking.unread,
        coverage=coverage,
        stale=coverage.is_stale(context.now),
        narrowed=erp.hides_documents(Area.SALES),
        silences=erp.silences_about(Area.SALES),
    )
    return cut(view, visible_fields(policy, context, "order"))
