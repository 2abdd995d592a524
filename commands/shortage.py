"""/shortage: what is short for open orders and production, or below its reorder point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.tables import Column, Table
from bot.cards.view import Button, View
from bot.chat.arguments import Term, Warehouse
from bot.chat.context import QuestionContext
from bot.chat.parsing import command_line
from bot.chat.registry import command
from bot.chat.view_parts import ExportedListView, Freshness, ask_buttons, freshness
from bot.disclosure import HIDDEN, cut
from bot.erp.goods import Shortage
from bot.erp.goods_port import ShortageQuery
from bot.erp.hub import ErpHub
from bot.phrase import phrase


class WarehouseTerm(Term):
    """A warehouse's code or part of its name."""

    placeholder = phrase("warehouse")


def _missing(row: Shortage) -> object:
    return HIDDEN if row.on_hand is HIDDEN else row.missing


_COLUMNS = (
    Column(phrase("Product"), "sku"),
    Column(phrase("Name"), "name"),
    Column(phrase("Warehouse"), "warehouse"),
    Column(phrase("Missing"), _missing),
    Column(phrase("On hand"), "on_hand"),
    Column(phrase("Available"), "available"),
    Column(phrase("Reorder point"), "reorder_point"),
    Column(phrase("Demanded"), "demanded"),
    Column(phrase("Incoming"), "incoming"),
    Column(phrase("Unit"), "unit"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortageView(ExportedListView):
    """Products of which there is too little, in all or in one warehouse."""

    card: ClassVar[str] = "shortages"

    warehouse: str
    rows: tuple[Shortage, ...]
    freshness: Freshness

    def row_buttons(self) -> Sequence[Button]:
        return ask_buttons("stock", (row.sku for row in self.rows))

    def table(self) -> Table:
        as_of = self.freshness.as_of
        return Table.of_rows(_COLUMNS, self.rows, today=as_of.date(), total=self.total, as_of=as_of, key_of=_key)


def _key(row: Shortage) -> str:
    return f"{row.source}\0{row.sku}\0{row.warehouse_code or row.warehouse}"


@command(
    "shortage",
    aliases=("缺货", "qh", "低库存", "补货", "shortages"),
    examples=("/shortage", "/缺货 @上海仓"),
    shows=("stock",),
    changes=False,
    summary=phrase("What is short for orders, or below its reorder point"),
    place=28,
)
async def shortage(
    place: WarehouseTerm | None = None,
    *,
    warehouse: Warehouse | None = None,
    erp: ErpHub,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Show what is short, the most urgent first."""
    where = warehouse or place or ""
    query = ShortageQuery(warehouse=where, offset=context.offset, limit=context.rows or ShortageView.page_size)
    found = await erp.shortages(query)
    view = ShortageView(
        warehouse=where,
        rows=found.value.items,
        total=found.value.total,
        offset=context.offset,
        line=command_line("shortage", f"@{where}" if where else ""),
        freshness=freshness(found),
    )
    return cut(view, policy.decide_area(context.person, "stock", context.conversation.id).grant.fields)
