"""What came in from vendors, and what went back to them (docs: platform/erp/odoo.md#goods)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bot.erp.errors import Unsupported
from bot.erp.goods import GoodsReceipt, ReceiptLine
from bot.erp.goods_lists import by_day
from bot.erp.odoo import query as queries
from bot.erp.odoo.client import OdooClient, Row
from bot.erp.odoo.goods import MOST, ReadProducts, places_of, used_for, warehouses_of
from bot.erp.odoo.mapping import OdooSite, Products, day, goods_of, name_of, number, number_of, reference
from bot.erp.odoo.query import Condition
from bot.erp.values import text

_ORDER = ("name", "partner_id", "user_id", "create_uid", "picking_ids")
_LINE = ("picking_id", "move_id", "product_id", "product_uom_id", "quantity", "qty_done", "lot_id")

ReadPeople = Callable[[list[Row]], Awaitable[Mapping[int, Row]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Related:
    """What records of other models say of transfers."""

    orders: Mapping[int, list[Row]]
    people: Mapping[int, Row]
    warehouses: Mapping[int, str]
    places: Mapping[int, str]
    """What places are used for."""
    lines: Mapping[int, list[Row]] = field(default_factory=dict)
    products: Products = field(default_factory=dict)


class OdooReceipts:
    """Reads receipts; ``products_of`` returns the products of lines, ``people`` the logins of creators."""

    def __init__(
        self,
        client: OdooClient,
        site: OdooSite,
        of_company: Condition,
        *,
        products_of: ReadProducts,
        people: ReadPeople,
    ) -> None:
        self._client, self._site, self._of_company = client, site, of_company
        self._products_of, self._people = products_of, people

    async def read(self, rows: list[Row], with_lines: bool) -> list[GoodsReceipt]:
        """Return the receipts of transfers."""
        (orders, people), warehouses, places, (lines, products) = await asyncio.gather(
            self._orders_of(rows),
            warehouses_of(self._client, rows),
            places_of(self._client, rows),
            self._lines_of(rows if with_lines else []),
        )
        related = _Related(
            orders=orders, people=people, warehouses=warehouses, places=places, lines=lines, products=products
        )
        return [self._receipt(row, related) for row in rows]

    async def of_order(self, order: Row) -> tuple[GoodsReceipt, ...]:
        """Return the receipts of a purchase order, oldest first."""
        receipt = queries.RECEIPTS
        available = await self._client.fields(receipt.model)
        rows = await self._client.rows(
            receipt.model,
            [*self._of_company, *receipt.base_of(available), ["id", "in", list(order.get("picking_ids") or ())]],
            receipt.fields,
            order="id asc",
            limit=MOST,
        )
        return by_day(await self.read(rows, True))

    def _receipt(self, row: Row, related: _Related) -> GoodsReceipt:
        orders = related.orders.get(row["id"], [])
        returned = _goes_back(row, related.places)
        owners = [
            owner
            for order in orders
            for owner in (
                name_of(order.get("user_id")),
                text(related.people.get(reference(order.get("create_uid")) or 0, {}).get("login")),
                name_of(order.get("create_uid")),
            )
        ]
        return GoodsReceipt(
            number=number_of(row),
            order_numbers=tuple(map(number_of, orders)),
            # The address of a transfer may be a contact's; the order names the vendor.
            vendor=name_of(orders[0].get("partner_id")) if orders else name_of(row.get("partner_id")),
            received_on=day(row.get("date_done"), self._site.zone),
            warehouse=related.warehouses.get(reference(row.get("picking_type_id")) or 0, ""),
            is_return=returned,
            lines=_lines(related.lines.get(row["id"], ()), related.products, sign=-1 if returned else 1),
            owners=tuple(dict.fromkeys(filter(None, owners))),
            **self._site.origin("stock.picking", row),
        )

    async def _orders_of(self, rows: Sequence[Row]) -> tuple[Mapping[int, list[Row]], Mapping[int, Row]]:
        """Return the purchase orders of each transfer, and the people that they name.

        Without purchasing there are none. Without the right to read orders there are no receipts either: nobody could
        tell whose they are.
        """
        ids = {row["id"] for row in rows}
        try:
            linked = bool(ids) and "picking_ids" in await self._client.fields("purchase.order")
        except Unsupported:
            linked = False
        if not linked:
            return {}, {}
        orders = await self._client.rows(
            "purchase.order", [["picking_ids", "in", sorted(ids)]], _ORDER, order="name asc, id asc", limit=MOST
        )
        found: dict[int, list[Row]] = defaultdict(list)
        for order in orders:
            for transfer in ids.intersection(order.get("picking_ids") or ()):
                found[transfer].append(order)
        return found, await self._people(orders)

    async def _lines_of(self, rows: Sequence[Row]) -> tuple[Mapping[int, list[Row]], Products]:
        if not rows:
            return {}, {}
        done: Condition = [["picking_id", "in", [row["id"] for row in rows]], ["state", "=", "done"]]
        lines = await self._client.rows("stock.move.line", done, _LINE, order="id asc", limit=MOST)
        found: dict[int, list[Row]] = defaultdict(list)
        for line in lines:
            found[reference(line.get("picking_id")) or 0].append(line)
        return found, await self._products_of(lines)


def _goes_back(row: Row, places: Mapping[int, str]) -> bool:
    """Return whether goods go to a vendor, or on their way to a sister company."""
    source, target = (used_for(row, end, places) for end in ("location_id", "location_dest_id"))
    return target == "supplier" or (target == "transit" and source != "supplier")


def _lines(rows: Iterable[Row], products: Products, *, sign: int) -> tuple[ReceiptLine, ...]:
    """Return what came in of each move by lot: packages and places divide it further, which nobody asks for."""
    first: dict[tuple[int | None, ...], Row] = {}
    moved: dict[tuple[int | None, ...], Decimal] = defaultdict(Decimal)
    for row in rows:
        key = tuple(reference(row.get(name)) for name in ("move_id", "product_id", "product_uom_id", "lot_id"))
        first.setdefault(key, row)
        # Renamed in 17.
        moved[key] += number(row.get("quantity") if "quantity" in row else row.get("qty_done")) or Decimal(0)
    return tuple(
        ReceiptLine(**goods_of(row, products), quantity=moved[key] * sign, lot=name_of(row.get("lot_id")))
        for key, row in first.items()
        if moved[key]
    )
