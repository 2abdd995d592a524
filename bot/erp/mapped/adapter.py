"""The port over mapped documents: subclasses say only how rows are fetched."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from bot.erp.cursor import TimeCursor
from bot.erp.errors import NotFound, Unsupported
from bot.erp.mapped import builders, sources
from bot.erp.mapped.bad_values import BadValues
from bot.erp.mapped.builders import DocumentMapping
from bot.erp.mapped.reader import MappingContext
from bot.erp.model import (
    Area,
    Change,
    Changes,
    Invoice,
    ProductionOrder,
    PurchaseOrder,
    SalesOrder,
    Slice,
)
from bot.erp.port import ListQuery
from bot.erp.refusing import RefusingErp

D = TypeVar("D", SalesOrder, Invoice, PurchaseOrder, ProductionOrder)

OVERLAP = timedelta(seconds=10)
"""How long a transaction may take whose records bear a time from before its end."""

_FIRST = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class MappedErp(RefusingErp):
    """Implements the documents of `bot.erp.port.Erp` by `_one` and `_listed`, and changes by `_changes`."""

    def __init__(self, ground: MappingContext) -> None:
        super().__init__(ground.source)
        self.context = ground

    @property
    def bad_values(self) -> BadValues:
        """Return what could not be read as the configuration says."""
        return self.context.bad_values

    async def order(self, number: str) -> SalesOrder:
        """Return one sales order with its lines; raises `NotFound`."""
        return await self._single(builders.SALES, number)

    async def orders(self, query: ListQuery) -> Slice[SalesOrder]:
        """Return sales orders without lines."""
        return await self._page(builders.SALES, query)

    async def invoice(self, number: str) -> Invoice:
        """Return one customer invoice; raises `NotFound`."""
        return await self._single(builders.FINANCE, number)

    async def invoices(self, query: ListQuery) -> Slice[Invoice]:
        """Return customer invoices."""
        return await self._page(builders.FINANCE, query)

    async def purchase_order(self, number: str) -> PurchaseOrder:
        """Return one purchase order with its lines; raises `NotFound`."""
        return await self._single(builders.PURCHASING, number)

    async def purchase_orders(self, query: ListQuery) -> Slice[PurchaseOrder]:
        """Return purchase orders without lines."""
        return await self._page(builders.PURCHASING, query)

    async def production_order(self, number: str) -> ProductionOrder:
        """Return one production order; raises `NotFound`."""
        return await self._single(builders.PRODUCTION, number)

    async def production_orders(self, query: ListQuery) -> Slice[ProductionOrder]:
        """Return production orders."""
        return await self._page(builders.PRODUCTION, query)

    async def _single(self, document: DocumentMapping[D], number: str) -> D:
        self._offered(document)
        return await self._read_one(document, self.checked_key(number))

    async def _page(self, document: DocumentMapping[D], query: ListQuery) -> Slice[D]:
        self._offered(document)
        if query.filter not in {query.filter.ALL, *document.listing.filters}:
            raise Unsupported(f"no list of {query.filter} here", source=self.name)
        return await self._read_list(document, query)

    def _offered(self, document: DocumentMapping[Any]) -> None:
        if document.capability not in self.capabilities:
            self._refuse(document.capability)

    def checked_key(self, key: str) -> str:
        """Return a code or number that is worth asking for; raises `NotFound` for one that no ERP can have.

        An empty one would address a list, dots are steps of a path, and neither zero bytes nor halves of characters
        pass a database's driver.
        """
        if not key.strip() or key in {".", ".."} or not is_encodable(key):
            raise NotFound(key, source=self.name)
        return key

    async def _read_one(self, document: DocumentMapping[D], number: str) -> D:
        raise NotImplementedError

    async def _read_list(self, document: DocumentMapping[D], query: ListQuery) -> Slice[D]:
        raise NotImplementedError

    def next_changes(self, area: Area, cursor: TimeCursor, told: Iterable[tuple[str, datetime]], limit: int) -> Changes:
        """Return the changes out of keys and times from `poll_start` on, as many as the cursor needs or all."""
        rows = sorted((Change(area=area, key=key, changed_at=at) for key, at in told), key=_by_time)
        # One second more than was gone back, for what `poll_start` cuts off.
        return cursor.next_changes(area, rows, limit=limit, overlap=OVERLAP + timedelta(seconds=1))


def poll_start(cursor: TimeCursor) -> datetime:
    """Return the time from which on to ask for changes.

    It is a whole second: a text such as ``2026-11-24 02:30:00`` then stands before every fraction of that second,
    however many digits the ERP writes.
    """
    since = cursor.since(OVERLAP)
    return _FIRST if since is None else since.replace(microsecond=0)


def as_stored(moment: datetime, form: str, zone: ZoneInfo) -> datetime | int | str:
    """Return a time as the ERP has it by its ``time_format``, so that the two compare."""
    match form:
        case sources.ZONED:
            return moment
        case sources.NAIVE:
            return moment.astimezone(zone).replace(tzinfo=None)
        case sources.EPOCH:
            return int(moment.timestamp())
        case sources.EPOCH_MS:
            return int(moment.timestamp()) * 1000
        case _:
            return moment.astimezone(zone).strftime(form)


def is_encodable(text: str) -> bool:
    """Whether a text can be sent to an ERP at all."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _by_time(change: Change) -> tuple[datetime, str]:
    return change.changed_at, change.key
