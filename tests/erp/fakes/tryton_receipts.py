"""What came in from the reference company's vendors, and what went back, as Tryton's records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bot.erp.model import PurchaseOrder
from bot.erp.model.goods import GoodsReceipt, ReceiptLine
from bot.kit.testing.company import ReferenceCompany
from bot.kit.testing.reference_goods import order_of_line
from tests.erp.fakes import tryton_approvers as people
from tests.erp.fakes.tryton_query import Record

_SUPPLIER: Record = {"id": 901, "type": "supplier"}
_HERE: Record = {"id": 1, "type": "storage"}


def of_order(company: ReferenceCompany, order: PurchaseOrder, *, returned: bool) -> list[Record]:
    """Return the shipments of an order, or those back to its vendor."""
    return [
        {"id": int(each.id)}
        for each in company.receipts.values()
        if order.number in each.order_numbers and each.is_return is returned
    ]


def came_in(company: ReferenceCompany) -> Iterator[Record]:
    """Yield shipments from vendors: some are not put away yet, and some were put away days later.

    A draft and a cancelled one come last.
    """
    found = [each for each in company.receipts.values() if not each.is_return]
    for n, receipt in enumerate(found):
        assert receipt.received_on is not None
        moves = _moves(company, receipt, _SUPPLIER, _HERE)
        put_away = receipt.received_on + timedelta(days=n % 3)
        yield _shipment(receipt) | {
            "state": "received" if n == 1 else "done",
            "effective_date": None if n == 1 else put_away,
            "incoming_moves": [*moves, {**moves[0], "id": 99, "state": "cancelled"}],
            # Inside of the warehouse they are moved on.
            "moves": [*moves, *(move | _inside(put_away) for move in moves)],
        }
    for n, state in enumerate(("draft", "cancelled")):
        moves = [move | {"state": state} for move in _moves(company, found[0], _SUPPLIER, _HERE)]
        yield _shipment(found[0]) | {
            "id": 9_900 + n,
            "number": f"GRN-{state}",
            "state": state,
            "effective_date": None,
            "incoming_moves": moves,
            "moves": moves,
        }


def went_back(company: ReferenceCompany) -> Iterator[Record]:
    """Yield shipments back to vendors; one only waits to leave."""
    for receipt in company.receipts.values():
        if receipt.is_return:
            moves = _moves(company, receipt, _HERE, _SUPPLIER)
            done = _shipment(receipt) | {"state": "done", "effective_date": receipt.received_on, "moves": moves}
            yield done
            yield done | {"id": 9_950, "number": "RET-waiting", "state": "waiting", "effective_date": None}


def _inside(put_away: Any) -> Record:
    return {"from_location": _HERE, "to_location": _HERE, "effective_date": put_away, "purchase": None, "origin": None}


def _shipment(receipt: GoodsReceipt) -> Record:
    return {
        "id": int(receipt.id),
        "number": receipt.number,
        "supplier": {"id": 1, "name": receipt.vendor},
        "warehouse": {"id": 1, "name": receipt.warehouse},
        "last_modified_at": receipt.changed_at,
    }


def _moves(company: ReferenceCompany, receipt: GoodsReceipt, start: Record, end: Record) -> list[Record]:
    return [
        _move(company, receipt, n, line) | {"from_location": start, "to_location": end}
        for n, line in enumerate(receipt.lines, 1)
    ]


def _move(company: ReferenceCompany, receipt: GoodsReceipt, n: int, line: ReceiptLine) -> Record:
    order = order_of_line(receipt, line, company.purchases)
    purchase = {
        "id": int(order.id),
        "number": order.number,
        "quoted_by": {"id": 1, "rec_name": order.buyer},
        "create_uid": people.user(company, order.review.requester),
    }
    return {
        "id": 100 * int(receipt.id) + n,
        "state": "done",
        "effective_date": receipt.received_on,
        "product": {"id": n, "code": line.sku, "name": line.name},
        "quantity": float(abs(line.quantity)),
        "unit": {"id": 1, "symbol": line.unit, "digits": 6},
        "lot": {"id": n, "number": line.lot} if line.lot else None,
        "purchase": purchase,
        "origin": {"id": n, "purchase": purchase},
    }
