"""What leaves for customers and what comes in from vendors, with what goes back: transfers of stock.

Docs: platform/erp/odoo.md#goods
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from bot.erp.errors import NotPermitted, Unsupported
from bot.erp.model.goods import DeliveryLine, DeliveryStatus, GoodsDelivery, GoodsReceipt, ReceiptLine
from bot.erp.odoo.mapping import OdooSite, Row, day, goods_of, linked, name_of, number, number_of, reference, references
from bot.erp.odoo.query import Condition, OdooTerms, any_of, joined
from bot.erp.odoo.reads import MOST, PEOPLE, PRODUCTS, Children, Linked, OdooPlan, OdooReads, OfOrder
from bot.erp.plans.plan import NamedRows
from bot.erp.port import Filter
from bot.erp.values import text

_STATES = {
    "draft": DeliveryStatus.PLANNED,
    "waiting": DeliveryStatus.PLANNED,
    "confirmed": DeliveryStatus.PLANNED,
    "assigned": DeliveryStatus.READY,
    "done": DeliveryStatus.SHIPPED,
    "cancel": DeliveryStatus.CANCELLED,
}
_SENDS_BACK = frozenset({"customer", "transit"})
"""What places are used for from which goods come back; what leaves comes from a place of the company's own."""

_JOINS = (
    Linked(into="types", by=("picking_type_id",), model="stock.picking.type", fields=("warehouse_id",)),
    Linked(into="places", by=("location_id", "location_dest_id"), model="stock.location", fields=("usage",)),
)
"""The warehouses of transfers, and what the places are used for from which they go and to which."""


def _warehouse(row: Row) -> str:
    return name_of(linked(row, "picking_type_id", "types").get("warehouse_id"))


def _used_for(row: Row, end: str) -> str:
    """Return what the place at one end of a transfer is used for."""
    return text(linked(row, end, "places").get("usage"))


# Deliveries


def delivery(row: Row, site: OdooSite) -> GoodsDelivery:
    order = linked(row, "sale_id", "order")
    status = _STATES.get(text(row.get("state")), DeliveryStatus.PLANNED)
    shipped, returned = status is DeliveryStatus.SHIPPED, _used_for(row, "location_id") in _SENDS_BACK
    return GoodsDelivery(
        number=number_of(row),
        order_number=text(order.get("name")) or text(row.get("origin")),
        # The address of a transfer may be a contact's; the order names the customer.
        customer=name_of(order.get("partner_id")) or name_of(row.get("partner_id")),
        status=status,
        planned_on=day(row.get("scheduled_date"), site.zone),
        shipped_on=day(row.get("date_done"), site.zone) if shipped else None,
        carrier=name_of(row.get("carrier_id")),
        tracking=text(row.get("carrier_tracking_ref")),
        is_return=returned,
        lines=tuple(
            DeliveryLine(**goods_of(move), quantity=_moved(move, shipped=shipped) * (-1 if returned else 1))
            for move in (row.get("moves") or {}).values()
            if move.get("state") != "cancel" or status is DeliveryStatus.CANCELLED
        ),
        salesperson=name_of(order.get("user_id")),
        warehouse=_warehouse(row),
        **site.origin("stock.picking", row),
    )


def _moved(move: Row, *, shipped: bool) -> Decimal:
    """Return what was moved, or is to be; the field of what was done was renamed in 17."""
    planned = number(move.get("product_uom_qty")) or Decimal(0)
    if not shipped:
        return planned
    done = number(move.get("quantity") if "quantity" in move else move.get("quantity_done"))
    return planned if done is None else done


_DONE: Condition = [["state", "=", "done"]]
_NOT_TO_VENDOR: Condition = [["location_dest_id.usage", "!=", "supplier"]]


def _of_customers(terms: OdooTerms) -> Condition:
    """Return the condition that goods leave for a customer, or came back from one.

    The kind of a transfer does not tell: what comes back is mostly of the kind of receipts, and what goes back to a
    vendor of the kind of deliveries. A sister company is sent goods by a place in between, and so is another warehouse,
    but that is for no order.
    """
    available = terms.available
    sold = [["sale_id", "!=", False]] if "sale_id" in available else []
    leaves = [
        [["picking_type_code", "=", "outgoing"]],
        [["location_id.usage", "!=", "customer"]],
        _NOT_TO_VENDOR,
        any_of(["location_dest_id.usage", "!=", "transit"], *sold),
    ]
    senders: list[Condition] = [[["location_id.usage", "=", "customer"]]]
    if {"sale_id", "return_id"} <= available:
        of_sister = (["location_id.usage", "=", "transit"], ["picking_type_code", "!=", "outgoing"])
        senders.append(joined("&", *([each] for each in (*of_sister, *sold, ["return_id", "!=", False]))))
    back = joined("&", _DONE, _NOT_TO_VENDOR, joined("|", *senders))
    return joined("|", joined("&", *leaves), back)


_DELIVERIES = OdooPlan(
    model="stock.picking",
    fields=(
        "name", "state", "origin", "sale_id", "partner_id", "scheduled_date", "date_done", "carrier_id",
        "carrier_tracking_ref", "picking_type_id", "location_id", "location_dest_id", "write_date",
    ),
    days=("scheduled_date",),
    due="scheduled_date",
    texts=("name", "origin", "partner_id.name", "partner_id.parent_id.name"),
    where=_of_customers,
    lists={
        Filter.LATE: NamedRows(
            "scheduled_date",
            lambda terms: [["state", "not in", ["done", "cancel"]], ["scheduled_date", "<", terms.start.moment]],
        )
    },
    order=OfOrder(
        "sale.order",
        ("name",),
        lambda order, terms: [
            ["sale_id", "=", order["id"]] if "sale_id" in terms.available else ["origin", "=", number_of(order)]
        ],
    ),
    joins=(
        *_JOINS,
        Linked(
            into="order",
            by=("sale_id",),
            model="sale.order",
            fields=("name", "partner_id", "user_id"),
            # The transfer itself names an address and its origin.
            closed=(NotPermitted, Unsupported),
        ),
        Children(
            into="moves",
            model="stock.move",
            by="picking_id",
            fields=("product_id", "product_uom_qty", "quantity", "quantity_done", "product_uom", "state"),
            joins=(PRODUCTS,),
        ),
    ),
    build=delivery,
)  # fmt: skip
DELIVERIES = replace(
    _DELIVERIES,
    halves=(
        replace(_DELIVERIES, where=lambda terms: [*_DONE, *_of_customers(terms)], days=("date_done",)),
        replace(_DELIVERIES, where=lambda terms: [["state", "!=", "done"], *_of_customers(terms)]),
    ),
)
"""What left is listed by the day when it did, the rest by the day it is planned for."""

# Receipts


def receipt(row: Row, site: OdooSite) -> GoodsReceipt:
    orders = row.get("orders") or []
    returned = _goes_back(row)
    owners = [
        owner
        for order in orders
        for owner in (
            name_of(order.get("user_id")),
            text(linked(order, "create_uid", "people").get("login")),
            name_of(order.get("create_uid")),
        )
    ]
    return GoodsReceipt(
        number=number_of(row),
        order_numbers=tuple(map(number_of, orders)),
        # The address of a transfer may be a contact's; the order names the vendor.
        vendor=name_of(orders[0].get("partner_id")) if orders else name_of(row.get("partner_id")),
        received_on=day(row.get("date_done"), site.zone),
        warehouse=_warehouse(row),
        is_return=returned,
        lines=_received((row.get("moves") or {}).values(), sign=-1 if returned else 1),
        owners=tuple(dict.fromkeys(filter(None, owners))),
        **site.origin("stock.picking", row),
    )


def _goes_back(row: Row) -> bool:
    """Return whether goods go to a vendor, or on their way to a sister company."""
    source, target = (_used_for(row, end) for end in ("location_id", "location_dest_id"))
    return target == "supplier" or (target == "transit" and source != "supplier")


def _received(rows: Iterable[Row], *, sign: int) -> tuple[ReceiptLine, ...]:
    """Return what came in of each move by lot: packages and places divide it further, which nobody asks for."""
    first: dict[tuple[int | None, ...], Row] = {}
    moved: dict[tuple[int | None, ...], Decimal] = defaultdict(Decimal)
    for row in rows:
        key = tuple(reference(row.get(name)) for name in ("move_id", "product_id", "product_uom_id", "lot_id"))
        first.setdefault(key, row)
        # Renamed in 17.
        moved[key] += number(row.get("quantity") if "quantity" in row else row.get("qty_done")) or Decimal(0)
    return tuple(
        ReceiptLine(**goods_of(row), quantity=moved[key] * sign, lot=name_of(row.get("lot_id")))
        for key, row in first.items()
        if moved[key]
    )


async def purchase_orders_of(reads: OdooReads, rows: list[Row], whole: bool) -> None:
    """Join the purchase orders of each transfer, with the people that they name.

    Without purchasing there are none. Without the right to read orders there are no receipts either: nobody could tell
    whose they are.
    """
    ids = {row["id"] for row in rows}
    try:
        are_named = bool(ids) and "picking_ids" in await reads.client.fields("purchase.order")
    except Unsupported:
        are_named = False
    if not are_named:
        return
    fields = ("name", "partner_id", "user_id", "create_uid", "picking_ids")
    of_rows: Condition = [["picking_ids", "in", sorted(ids)]]
    orders = await reads.client.rows("purchase.order", of_rows, fields, order="name asc, id asc", limit=MOST)
    for row in rows:
        row["orders"] = [order for order in orders if row["id"] in references(order.get("picking_ids"))]
    await PEOPLE(reads, orders)


_CAME_IN: Condition = [
    *_DONE,
    # What customers send back, and what goes from a vendor to a customer at once.
    ["location_id.usage", "!=", "customer"],
    ["location_dest_id.usage", "!=", "customer"],
]
_OF_VENDORS: tuple[Condition, ...] = (
    ["location_id.usage", "=", "supplier"],
    # Mostly a transfer of the kind of deliveries.
    ["location_dest_id.usage", "=", "supplier"],
)
_ON_THE_WAY = any_of(["location_id.usage", "=", "transit"], ["location_dest_id.usage", "=", "transit"])
"""What a sister company sends or takes back, but also what goes from one warehouse to another."""


def _came_in(terms: OdooTerms) -> Condition:
    of_vendors = any_of(*_OF_VENDORS)
    if "purchase_id" not in terms.available:
        return [*_CAME_IN, *of_vendors]
    return [*_CAME_IN, *joined("|", of_vendors, joined("&", [["purchase_id", "!=", False]], _ON_THE_WAY))]


_OF_RECEIPTS = ("partner_id.name", "partner_id.parent_id.name", "purchase_id.partner_id.name")
RECEIPTS = OdooPlan(
    model="stock.picking",
    fields=(
        "name", "state", "origin", "partner_id", "date_done", "picking_type_id", "location_id", "location_dest_id",
        "write_date",
    ),
    days=("date_done",),
    texts=("name", "origin", "purchase_id.name", *_OF_RECEIPTS),
    partners=_OF_RECEIPTS,
    where=_came_in,
    order=OfOrder(
        "purchase.order",
        ("name", "picking_ids"),
        lambda order, _terms: [["id", "in", references(order.get("picking_ids"))]],
    ),
    joins=(
        *_JOINS,
        purchase_orders_of,
        Children(
            into="moves",
            model="stock.move.line",
            by="picking_id",
            fields=("move_id", "product_id", "product_uom_id", "quantity", "qty_done", "lot_id"),
            where=[["state", "=", "done"]],
            joins=(PRODUCTS,),
        ),
    ),
    build=receipt,
)  # fmt: skip
