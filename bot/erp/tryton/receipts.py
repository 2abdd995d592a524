"""What came in from vendors, and what went back to them (docs: platform/erp/tryton.md#goods).

Tryton keeps the two apart, and they may have the same number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain

from bot.erp.goods.lists import by_day
from bot.erp.keys import escape_like, pick_by_key
from bot.erp.kinds import RECEIPTS
from bot.erp.model import Slice
from bot.erp.model.goods import GoodsReceipt, ReceiptLine
from bot.erp.port import ListQuery
from bot.erp.tryton import documents
from bot.erp.tryton.client import Account, Domain, Row, at, some
from bot.erp.tryton.documents import TrytonSite, goods_of, number_of, quantity
from bot.erp.tryton.lots import LotReader
from bot.erp.tryton.query import within

_TWINS = 50
"""How many records whose numbers differ only in case are compared."""
_AHEAD = 50
"""How many more than are shown a list reads at once: what came in days before it was put away moves up."""


@dataclass(frozen=True, slots=True)
class _Side:
    """Shipments in one direction: what is done, which of their moves count, and the purchase's name for them."""

    model: str
    states: tuple[str, ...]
    moves: str
    end: str
    """Which end of these moves is the vendor."""
    of_order: str
    sign: int

    def fields(self, *, lots: bool = False, lines: bool = False) -> tuple[str, ...]:
        """Return what is read: the moves tell the day and the orders of all of it."""
        told = ("number", "state", "supplier.name", "warehouse.name", "effective_date", *documents.ORIGIN)
        moved = (*_MOVED, *(_LINE if lines else ()), *(("lot.number",) if lots else ()))
        return (*told, *(f"{self.moves}.{name}" for name in moved))

    def asked(self, query: ListQuery) -> Domain:
        """Return the conditions for what a query asks for."""
        domain: Domain = [["state", "in", list(self.states)]]
        if query.during:
            done = [["state", "=", "done"], [f"{self.end}.type", "=", "supplier"]]
            domain.append(["moves", "where", [*done, *within("effective_date", query.during)]])
        if query.partner:
            domain.append(["supplier.name", "ilike", escape_like(query.partner)])
        if query.text:
            pattern = f"%{escape_like(query.text)}%"
            of_order = ["moves.origin.purchase.number", "ilike", pattern, "purchase.line"]
            domain.append(["OR", ["number", "ilike", pattern], ["supplier.name", "ilike", pattern], of_order])
        return domain

    def done(self, row: Row) -> list[Row]:
        """Return the moves that were made."""
        return [move for move in some(row, self.moves) if move["state"] == "done"]

    def day(self, row: Row) -> date | None:
        """Return when the goods were taken in: the shipment's own day is when they were put away."""
        own: date | None = row["effective_date"]
        days: Iterable[date] = (day for move in self.done(row) if (day := move["effective_date"]))
        return min(days, default=own)


_MOVED = ("state", "effective_date", "purchase.number", "purchase.quoted_by.rec_name", "purchase.create_uid.login")
_LINE = ("product.code", "product.name", "quantity", "unit.symbol", "unit.digits")
_CAME_IN = _Side("stock.shipment.in", ("received", "done"), "incoming_moves", "from_location", "shipments", 1)
_WENT_BACK = _Side("stock.shipment.in.return", ("done",), "moves", "to_location", "shipment_returns", -1)
_SIDES = (_CAME_IN, _WENT_BACK)

_Found = tuple[_Side, Row]


class TrytonGoodsReceipts:
    """Reads receipts."""

    def __init__(self, account: Account, site: TrytonSite, lots: LotReader) -> None:
        self._account, self._site, self._lots = account, site, lots

    async def receipt(self, number: str) -> GoodsReceipt:
        """Return a receipt with what came in; raises `NotFound`, and `Ambiguous` for a number of both sides."""
        wanted: Domain = [["number", "ilike", escape_like(number)]]
        found = await self._with_lines(dict.fromkeys(_SIDES, wanted), _TWINS)
        side, row = pick_by_key(found, number, lambda each: number_of(each[1]), source=self._site.source)
        return self._receipt(side, row, with_lines=True)

    async def receipts_of(self, order_number: str) -> tuple[GoodsReceipt, ...]:
        """Return what came in of a purchase; raises `NotFound`."""
        wanted = [["number", "ilike", escape_like(order_number)]]
        named = ("number", *(side.of_order for side in _SIDES))
        orders = await self._account.search("purchase.purchase", wanted, named, limit=_TWINS)
        order = pick_by_key(orders, order_number, number_of, source=self._site.source)
        domains: dict[_Side, Domain] = {
            side: [["id", "in", order[side.of_order]]] for side in _SIDES if order[side.of_order]
        }
        return by_day(self._receipt(*each, with_lines=True) for each in await self._with_lines(domains))

    async def receipts(self, query: ListQuery) -> Slice[GoodsReceipt]:
        """Return receipts without what came in, newest first.

        What came in and is not put away has no day of its own, and is read whole; of the rest, as much as may be shown.
        """
        RECEIPTS.check_filter(query.filter, source=self._site.source)
        if query.due is not None:
            return Slice(items=(), total=0)
        needed = query.offset + query.limit
        without_day = [*_CAME_IN.asked(query), ["effective_date", "=", None]]
        waiting, came_in, went_back = await asyncio.gather(
            self._account.search(_CAME_IN.model, without_day, _CAME_IN.fields()),
            self._newest(_CAME_IN, query, needed),
            self._newest(_WENT_BACK, query, needed),
        )
        found = [*((_CAME_IN, row) for row in (*waiting, *came_in[0])), *((_WENT_BACK, row) for row in went_back[0])]
        plain = [self._receipt(*each, with_lines=False) for each in found]
        shown = RECEIPTS.sort(plain, query.filter)[query.offset : needed]
        return Slice(items=tuple(shown), total=len(waiting) + came_in[1] + went_back[1])

    async def _newest(self, side: _Side, query: ListQuery, needed: int) -> tuple[list[Row], int]:
        """Return the rows among which the newest are, and how many rows there are in all.

        The server sorts by the day on which goods were put away, which is never before they came in: rows that came in
        after the last day read are newer than all that is unread.
        """
        domain: Domain = [*side.asked(query), ["effective_date", "!=", None]]
        order = [["effective_date", "DESC"], ["number", "ASC"], ["id", "ASC"]]
        rows: list[Row] = []
        while True:
            size = needed + _AHEAD
            page = await self._account.search(
                side.model, domain, side.fields(), order=order, offset=len(rows), limit=size
            )
            rows += page
            if len(page) < size:
                return rows, len(rows)
            last = rows[-1]["effective_date"]
            if sum((side.day(row) or last) > last for row in rows) >= needed:
                return rows, await self._account.count(side.model, domain)

    async def _with_lines(self, domains: Mapping[_Side, Domain], limit: int | None = None) -> list[_Found]:
        lots = await self._lots.are_readable()

        async def search(side: _Side, domain: Domain) -> list[_Found]:
            wanted = [["state", "in", list(side.states)], *domain]
            rows = await self._account.search(side.model, wanted, side.fields(lots=lots, lines=True), limit=limit)
            return [(side, row) for row in rows]

        return list(chain.from_iterable(await asyncio.gather(*(search(*each) for each in domains.items()))))

    def _receipt(self, side: _Side, row: Row, *, with_lines: bool) -> GoodsReceipt:
        moves = side.done(row)
        return GoodsReceipt(
            number=number_of(row),
            order_numbers=_named(moves, "purchase.number"),
            vendor=at(row, "supplier.name") or "",
            received_on=side.day(row),
            warehouse=at(row, "warehouse.name") or "",
            is_return=side is _WENT_BACK,
            lines=tuple(_line(move, side.sign) for move in moves) if with_lines else (),
            owners=_named(moves, "purchase.quoted_by.rec_name", "purchase.create_uid.login"),
            **self._site.origin(side.model, row),
        )


def _named(moves: Sequence[Row], *paths: str) -> tuple[str, ...]:
    """Return what moves name, each once."""
    return tuple(dict.fromkeys(name for move in moves for path in paths if (name := at(move, path))))


def _line(move: Row, sign: int) -> ReceiptLine:
    return ReceiptLine(
        **goods_of(move),
        quantity=sign * quantity(move["quantity"], at(move, "unit.digits")),
        lot=at(move, "lot.number") or "" if "lot." in move else "",
    )
