"""Batches and serial numbers, read by queries that are stored in the ERP (docs: platform/erp/sap-b1.md#lots)."""

from __future__ import annotations

from collections.abc import Sequence

from bot.erp.concurrency import gather_rows
from bot.erp.errors import Invalid, NotFound, NotPermitted
from bot.erp.model import Lot, by_expiry
from bot.erp.sap_b1.client import SapB1Client
from bot.erp.sap_b1.mapping import Row, day_of
from bot.erp.values import code, number


class LotReader:
    """Reads lots by stored queries: the Service Layer's own records of them have no quantities."""

    def __init__(self, client: SapB1Client, queries: Sequence[str]) -> None:
        self._client, self._queries = client, queries

    async def read(self, item: str) -> tuple[Lot, ...]:
        """Return what is in stock there of an item by lot; raises `Invalid` for a query that is not stored."""
        try:
            rows = await gather_rows(*(self._client.query_rows(name, item=item) for name in self._queries))
        except NotPermitted:
            return ()
        except NotFound as error:
            raise Invalid(f"lots_queries: no such query is stored: {error.what}", source=self._client.source) from error
        return by_expiry(_lot(row) for row in rows if number(row.get("Quantity")))


def _lot(row: Row) -> Lot:
    return Lot(
        number=code(row["DistNumber"]),
        quantity=number(row["Quantity"]),
        expires_on=day_of(row.get("ExpDate")),
        warehouse=code(row["WhsCode"]),
    )
