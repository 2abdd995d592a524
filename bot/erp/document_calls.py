"""The calls of the port for documents and partners, as two that serve every kind."""

from __future__ import annotations

from bot.erp.goods import GoodsDelivery
from bot.erp.listing import (
    BILLS,
    CUSTOMERS,
    DELIVERIES,
    INVOICES,
    PAYMENTS,
    PRODUCTION_ORDERS,
    PURCHASE_ORDERS,
    SALES_ORDERS,
    VENDORS,
    D,
    Listing,
)
from bot.erp.model import (
    Bill,
    Customer,
    Invoice,
    Payment,
    ProductionOrder,
    PurchaseOrder,
    SalesOrder,
    Slice,
    Supplier,
)
from bot.erp.port import ListQuery


class DocumentCalls:
    """Implements them by `_ask_document` and `_ask_documents`."""

    async def _ask_document(self, kind: Listing[D], number: str) -> D:
        raise NotImplementedError

    async def _ask_documents(self, kind: Listing[D], query: ListQuery) -> Slice[D]:
        raise NotImplementedError

    async def order(self, number: str) -> SalesOrder:
        return await self._ask_document(SALES_ORDERS, number)

    async def orders(self, query: ListQuery) -> Slice[SalesOrder]:
        return await self._ask_documents(SALES_ORDERS, query)

    async def invoice(self, number: str) -> Invoice:
        return await self._ask_document(INVOICES, number)

    async def invoices(self, query: ListQuery) -> Slice[Invoice]:
        return await self._ask_documents(INVOICES, query)

    async def purchase_order(self, number: str) -> PurchaseOrder:
        return await self._ask_document(PURCHASE_ORDERS, number)

    async def purchase_orders(self, query: ListQuery) -> Slice[PurchaseOrder]:
        return await self._ask_documents(PURCHASE_ORDERS, query)

    async def production_order(self, number: str) -> ProductionOrder:
        return await self._ask_document(PRODUCTION_ORDERS, number)

    async def production_orders(self, query: ListQuery) -> Slice[ProductionOrder]:
        return await self._ask_documents(PRODUCTION_ORDERS, query)

    async def delivery(self, number: str) -> GoodsDelivery:
        return await self._ask_document(DELIVERIES, number)

    async def deliveries(self, query: ListQuery) -> Slice[GoodsDelivery]:
        return await self._ask_documents(DELIVERIES, query)

    async def customer(self, code: str) -> Customer:
        return await self._ask_document(CUSTOMERS, code)

    async def customers(self, query: ListQuery) -> Slice[Customer]:
        return await self._ask_documents(CUSTOMERS, query)

    async def vendor(self, code: str) -> Supplier:
        return await self._ask_document(VENDORS, code)

    async def vendors(self, query: ListQuery) -> Slice[Supplier]:
        return await self._ask_documents(VENDORS, query)

    async def bill(self, number: str) -> Bill:
        return await self._ask_document(BILLS, number)

    async def bills(self, query: ListQuery) -> Slice[Bill]:
        return await self._ask_documents(BILLS, query)

    async def payment(self, number: str) -> Payment:
        return await self._ask_document(PAYMENTS, number)

    async def payments(self, query: ListQuery) -> Slice[Payment]:
        return await self._ask_documents(PAYMENTS, query)
