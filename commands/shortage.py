"""/shortage: what is short for open orders and production, or below its reorder point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.tables import Table
from bot.cards.view import Button, View
from bot.chat.arguments import Term, Warehouse
from bot.chat.conditions import Conditions, ListCondition, WiderList, find_emptied
from bot.chat.context import QuestionContext
from bot.chat.errors import NothingFound
from bot.chat.parsing import command_line
from bot.chat.records.warehouses import closest_warehouses
from bot.chat.registry import command
from bot.chat.view_parts import EmptiedList, ExportedListView, Freshness, ask_buttons, freshness
from bot.erp.errors import NotFound
from bot.erp.goods.port import ShortageQuery
from bot.erp.hub import ErpHub
from bot.erp.model.goods import Shortage
from bot.words.columns import Column
from bot.words.disclosure import HIDDEN, cut
from bot.words.phrase import phrase


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
class ShortageView(EmptiedList, ExportedListView):
    """Products of which there is too little, in all or in one warehouse."""

    card: ClassVar[str] = "shortages"
    command: ClassVar[str] = "shortage"

    warehouse: str
    rows: tuple[Shortage, ...]
    freshness: Freshness
    emptied: tuple[WiderList, ...] = ()

    def row_buttons(self) -> Sequence[Button]:
        return [*ask_buttons("stock", (row.sku for row in self.rows)), *self.widening_buttons()]

    def typed(self) -> Mapping[ListCondition, str]:
        return {ListCondition.WAREHOUSE: f"@{self.warehouse}" if self.warehouse else ""}

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
    try:
        found = await erp.shortages(query)
    except NotFound as error:
        raise NothingFound(where, await closest_warehouses(where, erp, "shortage"), error.notes) from None

    async def count(part: Conditions) -> int:
        return (await erp.shortages(ShortageQuery(warehouse=part.warehouse, limit=1))).value.total

    view = ShortageView(
        warehouse=where,
        rows=found.value.items,
        total=found.value.total,
        offset=context.offset,
        line=command_line("shortage", f"@{where}" if where else ""),
        freshness=freshness(found),
        emptied=() if found.value.total else await find_emptied(Conditions(warehouse=where), count),
    )
    return cut(view, policy.decide_area(context.person, "stock", context.conversation.id).grant.fields)
