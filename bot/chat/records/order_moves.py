"""What was moved for one order: the deliveries of a sales order, or the receipts of a purchase order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from typing import Any, ClassVar, Self

from bot.cards.tables import Table
from bot.cards.view import Button, View
from bot.chat.context import QuestionContext
from bot.chat.document_views import make_view
from bot.chat.parsing import command_line, marked
from bot.chat.records.lookup import read_as_spelled
from bot.chat.view_parts import ExportedListView, Freshness, ask_buttons, document_buttons, freshness
from bot.erp.hub import Answer, ErpHub
from bot.erp.kinds import KINDS, D, Kind
from bot.erp.model import ErpRecord, PartnerName, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMovesView(ExportedListView):
    """The documents by which the goods of one order were moved, oldest first."""

    kind: ClassVar[Kind[Any]]
    command: ClassVar[str]
    order_command: ClassVar[str]
    """The commands that show each of them, and the order."""

    order_number: str
    partner: PartnerName
    moved: Progress | None
    """How much of the order was moved, where the ERP says it."""
    rows: tuple[Any, ...]
    today: date
    freshness: Freshness

    def row_buttons(self) -> Sequence[Button]:
        return [
            *document_buttons(self.command, ((row.number, row.books) for row in self.rows)),
            *ask_buttons(self.order_command, (self.order_number,)),
        ]

    def table(self) -> Table:
        as_of = self.freshness.as_of
        return Table.of_rows(self.kind.cards.columns, self.rows, today=self.today, total=self.total, as_of=as_of)

    @classmethod
    def made_for(cls, card: str) -> type[View] | None:
        return next((view_of_moves(kind) for kind in KINDS if kind.order_call and _card(kind) == card), None)

    @classmethod
    def of(cls, order: ErpRecord, found: Answer[tuple[Any, ...]], context: QuestionContext) -> Self:
        """Return the view of what was found for an order, from the row on that was asked for."""
        orders = cls.kind.orders
        assert orders is not None
        return cls(
            order_number=order.number,
            partner=orders.kind.partner_of(order),
            moved=orders.moved(order) if orders.moved else None,
            rows=found.value[context.offset : context.offset + (context.rows or cls.page_size)],
            total=len(found.value),
            offset=context.offset,
            line=command_line(cls.command, order.number, books=order.books),
            books=marked(order.books),
            today=context.today,
            freshness=freshness(found),
        )


@cache
def view_of_moves(kind: Kind[Any]) -> type[OrderMovesView]:
    """Return the view of what was moved for one order by documents of a kind."""
    assert kind.origin is not None
    commands = {"command": kind.command, "order_command": kind.origin.command}
    rows: Any = tuple
    fields = {"rows": rows[kind.record, ...]}
    return make_view(OrderMovesView, kind, f"{kind.words.many} of one order.", fields, card=_card(kind), **commands)


def _card(kind: Kind[Any]) -> str:
    return f"order_{kind.list_card}"


async def moves_of_order(text: str, kind: Kind[D], erp: ErpHub) -> tuple[Any, Answer[tuple[D, ...]]] | None:
    """Return the order whose number ``text`` spells, and what of the kind was moved for it; None for no such order."""
    assert kind.origin is not None
    if (found := await read_as_spelled(text, partial(_read_moves, kind, erp))) is None:
        return None
    number, moved = found
    return (await erp.document(kind.origin, number)).value, moved


async def _read_moves(kind: Kind[D], erp: ErpHub, number: str) -> tuple[str, Answer[tuple[D, ...]]]:
    return number, await erp.of_order(kind, number)
