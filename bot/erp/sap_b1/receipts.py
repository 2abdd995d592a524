"""What came in from vendors, and what went back to them (docs: platform/erp/sap-b1.md#goods-receipts)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.erp.errors import NotPermitted
from bot.erp.model.goods import GoodsReceipt
from bot.erp.sap_b1.client import SapB1Client
from bot.erp.sap_b1.decisions import DraftApprovals
from bot.erp.sap_b1.documents import (
    GOODS_RECEIPT,
    PURCHASE_ORDER,
    DocumentMapper,
    ReceivedOrder,
    base_keys,
    requester_of,
)
from bot.erp.sap_b1.mapping import Row, rows_of
from bot.erp.sap_b1.query import GOODS_RECEIPTS, GOODS_RETURNS, PURCHASES, Found
from bot.erp.values import code

_ORDER = (PURCHASES.key, PURCHASES.number_field, "SalesPersonCode", "UserSign")
_BASES = (GOODS_RECEIPTS.key, "DocumentLines")


Origins = Mapping[tuple[str, str], str]
"""The keys of purchase orders by the key and the line of the receipts that were made from them."""


def received_of(order: str, found: Iterable[Found]) -> list[Found]:
    """Return what came in of an order by its key, and what went back of that."""
    moved = list(found)
    origins = _origins(row for entity, row in moved if entity is GOODS_RECEIPTS)
    return [each for each in moved if order in _order_keys(each, origins)]


def _origins(receipts: Iterable[Row]) -> Origins:
    return {
        (code(row[GOODS_RECEIPTS.key]), code(line.get("LineNum"))): code(line.get("BaseEntry"))
        for row in receipts
        for line in rows_of(row, "DocumentLines")
        if code(line.get("BaseType")) == PURCHASE_ORDER
    }


def _order_keys(found: Found, origins: Origins) -> list[str]:
    """Return the keys of the orders of a record: a return is made from receipts, line by line."""
    entity, row = found
    if entity is GOODS_RECEIPTS:
        return base_keys(row, PURCHASE_ORDER)
    bases = (
        (code(line.get("BaseEntry")), code(line.get("BaseLine")))
        for line in rows_of(row, "DocumentLines")
        if code(line.get("BaseType")) == GOODS_RECEIPT
    )
    return list(dict.fromkeys(origins[base] for base in bases if base in origins))


class ReceiptReader:
    """Builds receipts from their records; what the user may not read of their orders is left out."""

    def __init__(self, client: SapB1Client, mapper: DocumentMapper, approvals: DraftApprovals) -> None:
        self._client, self._mapper, self._approvals = client, mapper, approvals

    async def read(self, found: Sequence[Found]) -> list[GoodsReceipt]:
        """Return the receipts and returns of records, in order."""
        origins = await self._origins_of([row for entity, row in found if entity is GOODS_RETURNS])
        keys = [_order_keys(each, origins) for each in found]
        orders = await self._orders([key for each in keys for key in each])
        places = await self._client.names.warehouses()
        return [
            self._mapper.receipt(entity, row, [orders[key] for key in of_record if key in orders], places)
            for (entity, row), of_record in zip(found, keys, strict=True)
        ]

    async def _origins_of(self, returns: Sequence[Row]) -> Origins:
        """Return where the receipts that returns were made from come from; nothing if they may not be read."""
        bases = (key for row in returns for key in base_keys(row, GOODS_RECEIPT) if key.isdecimal())
        keys = list(dict.fromkeys(map(int, bases)))
        try:
            return _origins(await self._client.rows_each(GOODS_RECEIPTS.name, GOODS_RECEIPTS.key, keys, select=_BASES))
        except NotPermitted:
            return {}

    async def _orders(self, keys: Iterable[str]) -> Mapping[str, ReceivedOrder]:
        """Return orders by their keys; none if they may not be read."""
        wanted = dict.fromkeys(int(key) for key in keys if key.isdecimal())
        try:
            rows = await self._client.rows_each(PURCHASES.name, PURCHASES.key, list(wanted), select=_ORDER)
        except NotPermitted:
            return {}
        requests = await self._approvals.requests([PURCHASES.key_of(row) for row in rows])
        people, buyers = await self._client.names.people(), await self._client.names.salespersons()
        orders = {}
        for row in rows:
            requester = requester_of(row, requests.get(PURCHASES.key_of(row)), people)
            buyer = buyers.get(code(row.get("SalesPersonCode")), "")
            # As the rights on purchase orders name their people.
            owners = (buyer, requester, people.names.get(requester, ""))
            orders[code(row[PURCHASES.key])] = ReceivedOrder(PURCHASES.number(row), tuple(filter(None, owners)))
        return orders
