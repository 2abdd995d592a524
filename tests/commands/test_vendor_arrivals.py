"""Which of a vendor's orders have come in whole."""

from __future__ import annotations

from datetime import date

from bot.erp.model import Progress, ReviewState
from commands.vendor import Arrived, count_arrived
from tests.read_model.ledger import purchase
from tests.rows import each_row

TODAY = date(2026, 11, 2)


@each_row(
    ("what", "arrived"),
    [
        ({"received": Progress.FULL}, Arrived(1, 1)),
        ({"received": Progress.FULL, "status": ReviewState.DONE}, Arrived(1, 1)),
        ({"received": Progress.PARTIAL}, Arrived(0, 1)),
        # The rest was dropped, or all went back.
        ({"received": Progress.PARTIAL, "status": ReviewState.DONE, "awaits_goods": False}, Arrived(0, 1)),
        ({"received": Progress.NONE, "status": ReviewState.DONE, "awaits_goods": False}, Arrived(0, 1)),
        # The ERP does not tell how much came.
        ({"received": None, "status": ReviewState.DONE}, Arrived(1, 1)),
        # Services bring nothing.
        ({"received": None, "awaits_goods": False}, None),
    ],
)
def test_an_order_came_when_all_its_goods_are_there(what: dict[str, object], arrived: Arrived | None) -> None:
    assert count_arrived([purchase("PO-1", due_on=date(2026, 11, 1), **what)], TODAY) == arrived
