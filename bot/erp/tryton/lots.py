"""The stock of the warehouses by lot, according to Tryton's modules for lots (docs: platform/erp/tryton.md#lots)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

from bot.erp.errors import NotPermitted, Unsupported
from bot.erp.expiring import ExpiringValue
from bot.erp.model import Lot, Quantities, WarehouseStock, by_expiry
from bot.erp.tryton.client import Account, Domain, Row
from bot.erp.tryton.documents import quantity
from bot.erp.values import text

_LOT = "stock.lot"
_LAST_DAYS = ("expiration_date", "shelf_life_expiration_date")
_FIELDS_HOLD = timedelta(hours=1)


class LotReader:
    """Reads lots, where the server has them and the account may read them."""

    def __init__(self, account: Account, *, now: Callable[[], datetime]) -> None:
        self._account = account
        self._fields = ExpiringValue(self._read_fields, now=now, holds=_FIELDS_HOLD)
        self._readable = ExpiringValue(self._read_any, now=now, holds=_FIELDS_HOLD)

    async def has_lots(self, product_id: int) -> bool:
        """Return whether a product was ever in a lot; most never are."""
        try:
            return bool(await self._account.search(_LOT, [["product", "=", product_id]], ("number",), limit=1))
        except (NotPermitted, Unsupported):
            return False

    async def are_readable(self) -> bool:
        """Return whether the server has lots and the account may read them; asked once an hour."""
        return await self._readable.value()

    async def read(self, product_id: int, places: Mapping[int, WarehouseStock], digits: int | None) -> tuple[Lot, ...]:
        """Return what is in stock there of a product by lot, by one request for each warehouse that has any of it.

        Tryton computes the quantities of lots for one place at a time.
        """
        places = {key: place for key, place in places.items() if _is_used(place.quantities)}
        last_days = await self._fields.value()
        domain: Domain = [["product", "=", product_id], ["quantity", "!=", 0], ["active", "in", [True, False]]]
        fields = ("number", "quantity", *last_days)
        found = await asyncio.gather(
            *(self._account.search(_LOT, domain, fields, context={"locations": [place]}) for place in places)
        )
        return by_expiry(
            Lot(
                number=text(row["number"]),
                quantity=quantity(row["quantity"], digits),
                expires_on=_last_day(row, last_days),
                warehouse=place.code,
            )
            for place, rows in zip(places.values(), found, strict=True)
            for row in rows
        )

    async def _read_any(self) -> bool:
        try:
            await self._account.search(_LOT, [], ("number",), limit=1)
        except (NotPermitted, Unsupported):
            return False
        return True

    async def _read_fields(self) -> tuple[str, ...]:
        """Return the fields with last days, which a separate module adds."""
        known = await self._account.read(_LOT, "fields_get", list(_LAST_DAYS))
        return tuple(name for name in _LAST_DAYS if name in known)


def _is_used(quantities: Quantities) -> bool:
    return any((quantities.on_hand, quantities.reserved, quantities.incoming, quantities.outgoing))


def _last_day(row: Row, names: Sequence[str]) -> date | None:
    """Return the last day of a lot: until it expires, or until it may no longer be sold."""
    return min((day for name in names if isinstance(day := row[name], date)), default=None)
