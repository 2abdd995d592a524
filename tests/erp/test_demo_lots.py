"""Lots of the demo company: what is left of them follows from what lies there, the oldest gone first."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.erp.model import Lot
from bot.kit.company.adapter import open_demo
from bot.kit.company.lots import lying

TODAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, tzinfo=ZoneInfo("Asia/Shanghai"))


def lot(number: str, quantity: int, expires_on: date | None, warehouse: str = "SH") -> Lot:
    return Lot(number=number, quantity=Decimal(quantity), expires_on=expires_on, warehouse=warehouse)


def test_what_expires_first_leaves_first() -> None:
    lots = (lot("old", 10, TODAY), lot("new", 30, date(2027, 1, 1)), lot("kept", 5, None), lot("there", 7, TODAY, "SZ"))
    left = lying(lots, {"SH": Decimal(32), "SZ": Decimal(50)})
    assert [(each.number, each.quantity) for each in left] == [("there", 7), ("new", 27), ("kept", 5)]
    assert lying(lots, {"SH": Decimal(-3)}) == ()


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9) | st.none()), max_size=6), st.integers(-5, 200))
def test_lots_never_add_up_to_more_than_lies_there(parts: list[tuple[int, int | None]], on_hand: int) -> None:
    lots = [
        lot(str(n), quantity, None if day is None else date(2026, 12, 1 + day))
        for n, (quantity, day) in enumerate(parts)
    ]
    left = lying(lots, {"SH": Decimal(on_hand)})
    assert sum(each.quantity or 0 for each in left) == max(0, min(on_hand, sum(quantity for quantity, _ in parts)))


async def test_some_expire_soon_and_some_are_over() -> None:
    erp = await open_demo(":memory:", today=TODAY, now=lambda: NOON)
    try:
        cartons, steel, fan = [await erp.stock(sku) for sku in ("RM-52", "RM-01", "FAN-10")]
    finally:
        await erp.close()
    assert {each.is_expired(TODAY) for each in cartons.lots} == {True, False}
    assert any(each.expires_on and 0 <= (each.expires_on - TODAY).days <= 14 for each in cartons.lots)
    assert steel.lots
    assert {each.expires_on for each in steel.lots} == {None}
    assert fan.lots == ()
    for level in (cartons, steel):
        for place in level.per_warehouse:
            held = sum((each.quantity or 0 for each in level.lots if each.warehouse == place.code), Decimal(0))
            assert held <= (place.quantities.on_hand or 0)
