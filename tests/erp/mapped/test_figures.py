"""What is available where an ERP says how much is on hand and how much of it is reserved."""

from __future__ import annotations

from decimal import Decimal

from bot.erp.mapped.builders import with_available
from bot.erp.model import Quantities
from tests.rows import each_row

D = Decimal


@each_row(
    "on_hand, reserved, available, expected",
    [
        (D(10), D(3), None, D(7)),
        (D(10), D(3), D(5), D(5)),
        (D(2), D(3), None, D(-1)),
        (D(10), None, None, None),
        (None, D(3), None, None),
    ],
)
def test_available(
    on_hand: Decimal | None, reserved: Decimal | None, available: Decimal | None, expected: Decimal | None
) -> None:
    figures = with_available(Quantities(on_hand=on_hand, reserved=reserved, available=available))
    assert figures.available == expected
