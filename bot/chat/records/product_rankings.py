"""Products by what was ordered of them in some days: read from the documents that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.tables import Column, Table
from bot.cards.view import Button, ListView
from bot.chat.context import QuestionContext
from bot.chat.records.visible_fields import visible_fields
from bot.chat.view_parts import ask_buttons, export_buttons, table_of_lines
from bot.disclosure import HIDDEN, cut
from bot.erp.hub import ErpHub
from bot.erp.model import Area, SalesAmount
from bot.erp.port import Period
from bot.phrase import phrase
from bot.read_model.queries import Coverage, ReadModel
from bot.read_model.rankings import ProductSum, rank_products


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRankingView(ListView):
    """Products, what sells best first; who may not see the amounts does not learn their order either.

    ``products`` are ranked, each once in each currency. ``without_amount`` lines are in no sum, of ``unread`` orders
    the lines are not known; ``narrowed``: there are orders that the reader may not see.
    """

    card: ClassVar[str] = "product_ranking"
    page_size: ClassVar[int] = 6

    days: Period
    rows: tuple[ProductSum, ...]
    products: int
    totals: tuple[SalesAmount, ...]
    without_amount: int
    unread: int
    coverage: Coverage
    stale: bool
    narrowed: bool

    @property
    def is_partial(self) -> bool:
        """Whether documents of the days may be missing."""
        return not self.coverage.is_complete_from(self.days.first)

    def row_buttons(self) -> Sequence[Button]:
        return ask_buttons("stock", (row.sku for row in self.rows))

    def buttons(self) -> Sequence[Button]:
        if any(row.amount is HIDDEN for row in self.rows):
            return ()  # no page shows any row
        return (*ListView.buttons(self), *(export_buttons(self.line) if self.total else []))

    def table(self) -> Table | None:
        if self.coverage.as_of is None:
            return None
        columns = (
            Column(phrase("Product"), "sku"),
            Column(phrase("Name"), "name"),
            Column(phrase("Amount"), "amount"),
            Column(phrase("Quantity"), "quantity"),
            Column(phrase("Unit"), "unit"),
            Column(phrase("Order lines"), "count"),
        )
        return table_of_lines(columns, self, as_of=self.coverage.as_of)


async def list_best_products(
    days: Period, line: str, *, erp: ErpHub, kept: ReadModel, policy: AccessPolicy, context: QuestionContext
) -> ProductRankingView:
    """Return products in their order, as far as the asker may see it; ``line`` gives the same list.

    Raises a `DingerpError` when the store does not answer.
    """
    found = await rank_products(kept, days.first, days.last)
    ranking, coverage = found.value, found.coverage
    sums = () if coverage.as_of is None else ranking.sums
    view = ProductRankingView(
        days=days,
        rows=sums[context.offset : context.offset + (context.rows or ProductRankingView.page_size)],
        total=len(sums),
        products=len({each.sku.casefold() for each in sums}),
        offset=context.offset,
        line=line,
        totals=ranking.totals,
        without_amount=ranking.without_amount,
        unread=ranking.unread,
        coverage=coverage,
        stale=coverage.is_stale(context.now),
        narrowed=erp.hides_documents(Area.SALES),
    )
    return cut(view, visible_fields(policy, context, "order"))
