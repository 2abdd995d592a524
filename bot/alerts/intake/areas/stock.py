"""Stock below its reorder point. ERPs have no list of it: products are read one by one as they change."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from bot.alerts.event import EventType
from bot.alerts.intake.areas.area import SweepPage, without_blanks
from bot.alerts.intake.poll_state import NORMAL, PolledRecord
from bot.erp.model import Area, Quantities, StockLevel
from bot.erp.port import Capability
from bot.erp.source_client import SourceClient

LOW, OUT = "low", "out"


class StockArea:
    """A `bot.alerts.intake.areas.area.PolledArea` of products below their reorder point."""

    name = "stock"
    feed = Area.STOCK
    needs = Capability.STOCK
    sweep_every = timedelta(days=1)

    async def read(self, erp: SourceClient, code: str, today: date) -> PolledRecord:
        """Return whether a product is short of stock."""
        return judge(await erp.stock(code))

    def gone(self, code: str) -> PolledRecord:
        """Return the record of a deleted product: it is no longer short."""
        return PolledRecord(code=code, state=NORMAL, type=EventType.STOCK_LOW, data={"sku": code, "resolved": True})

    async def sweep(self, erp: SourceClient, place: str, limit: int, today: date) -> SweepPage | None:
        """Return the next products in order of last change; they still have to be read."""
        if Capability.CHANGED_SINCE not in erp.capabilities:
            return None
        changes = await erp.changed_since(self.feed, place, limit=limit)
        codes = {change.key: change.changed_at for change in changes.items}
        return SweepPage((), codes, changes.cursor if changes.more else None)


STOCK = StockArea()


def judge(level: StockLevel) -> PolledRecord:
    """Return the meaning of a product's stock; without a reorder point it is never low."""
    stock_left = stock_left_of(level.total)
    state = NORMAL
    if level.below_reorder_point and stock_left is not None:
        state = LOW if stock_left > 0 else OUT
    data = data_of(level)
    if state == NORMAL:
        data["resolved"] = True
    return PolledRecord(
        code=level.product.sku,
        state=state,
        is_worst=state == OUT,
        type=EventType.STOCK_OUT if state == OUT else EventType.STOCK_LOW,
        data=data,
    )


def stock_left_of(total: Quantities) -> Decimal | None:
    """Return the available quantity, or the quantity on hand if the ERP gives no other."""
    return total.on_hand if total.available is None else total.available


def data_of(level: StockLevel) -> dict[str, object]:
    """Return a product's stock as the data of an event."""
    total, product = level.total, level.product
    return without_blanks(
        sku=product.sku,
        name=product.name,
        category=product.category,
        unit=product.unit,
        company=level.company,
        available=total.available,
        on_hand=total.on_hand,
        incoming=total.incoming,
        reorder_point=level.reorder_point,
    )
