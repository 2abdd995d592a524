"""The base of adapters: the eight calls for documents, written once for all kinds.

A vendor says how a document and a list are read (`DocumentErp.read_document`, `DocumentErp.list_documents`). What holds
for every vendor happens here: a kind that is not offered is refused, as is a filter that a kind does not have; a number
that cannot exist is not asked for; an answer that cannot be read becomes `Invalid`.
"""

from __future__ import annotations

from bot.erp.keys import checked_key
from bot.erp.listing import INVOICES, PRODUCTION_ORDERS, PURCHASE_ORDERS, SALES_ORDERS, D, Listing
from bot.erp.model import Invoice, ProductionOrder, PurchaseOrder, SalesOrder, Slice
from bot.erp.port import ListQuery
from bot.erp.refusing import RefusingErp
from bot.erp.values import malformed_is_invalid


class DocumentErp(RefusingErp):
    """Answers for each kind of document among the capabilities; refuses the others, and every other call."""

    async def read_document(self, kind: Listing[D], number: str) -> D:
        """Return one document with its lines; raises `NotFound`. Called for the kinds that are offered."""
        self._refuse(kind.capability)

    async def list_documents(self, kind: Listing[D], query: ListQuery) -> Slice[D]:
        """Return part of a list, without lines. Called with the filters that the kind has."""
        self._refuse(kind.capability)

    async def order(self, number: str) -> SalesOrder:
        return await self._checked_document(SALES_ORDERS, number)

    async def orders(self, query: ListQuery) -> Slice[SalesOrder]:
        return await self._checked_list(SALES_ORDERS, query)

    async def invoice(self, number: str) -> Invoice:
        return await self._checked_document(INVOICES, number)

    async def invoices(self, query: ListQuery) -> Slice[Invoice]:
        return await self._checked_list(INVOICES, query)

    async def purchase_order(self, number: str) -> PurchaseOrder:
        return await self._checked_document(PURCHASE_ORDERS, number)

    async def purchase_orders(self, query: ListQuery) -> Slice[PurchaseOrder]:
        return await self._checked_list(PURCHASE_ORDERS, query)

    async def production_order(self, number: str) -> ProductionOrder:
        return await self._checked_document(PRODUCTION_ORDERS, number)

    async def production_orders(self, query: ListQuery) -> Slice[ProductionOrder]:
        return await self._checked_list(PRODUCTION_ORDERS, query)

    async def _checked_document(self, kind: Listing[D], number: str) -> D:
        self._check_offered(kind)
        with malformed_is_invalid(self.name):
            return await self.read_document(kind, checked_key(number, source=self.name))

    async def _checked_list(self, kind: Listing[D], query: ListQuery) -> Slice[D]:
        self._check_offered(kind)
        kind.check_filter(query.filter, source=self.name)
        with malformed_is_invalid(self.name):
            return await self.list_documents(kind, query)

    def _check_offered(self, kind: Listing[D]) -> None:
        if kind.capability not in self.capabilities:
            self._refuse(kind.capability)
