"""The calls for documents and partners, as two that serve every kind: the port's calls and the hub's questions."""

from __future__ import annotations

from bot.erp.answer import Answer
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
    """The port's calls, by `_ask_document` and `_ask_documents`."""

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


class DocumentAnswers:
    """The hub's questions, by `_document` and `_documents`; `bot.erp.port.Erp` says what each returns."""

    async def _document(self, kind: Listing[D], number: str) -> Answer[D]:
        raise NotImplementedError

    async def _documents(self, kind: Listing[D], query: ListQuery) -> Answer[Slice[D]]:
        raise NotImplementedError

    async def order(self, number: str) -> Answer[SalesOrder]:
        return await self._document(SALES_ORDERS, number)

    async def orders(self, query: ListQuery) -> Answer[Slice[SalesOrder]]:
        return await self._documents(SALES_ORDERS, query)

    async def invoice(self, number: str) -> Answer[Invoice]:
        return await self._document(INVOICES, number)

    async def invoices(self, query: ListQuery) -> Answer[Slice[Invoice]]:
        return await self._documents(INVOICES, query)

    async def purchase_order(self, number: str) -> Answer[PurchaseOrder]:
        return await self._document(PURCHASE_ORDERS, number)

    async def purchase_orders(self, query: ListQuery) -> Answer[Slice[PurchaseOrder]]:
        return await self._documents(PURCHASE_ORDERS, query)

    async def production_order(self, number: str) -> Answer[ProductionOrder]:
        return await self._document(PRODUCTION_ORDERS, number)

    async def production_orders(self, query: ListQuery) -> Answer[Slice[ProductionOrder]]:
        return await self._documents(PRODUCTION_ORDERS, query)

    async def delivery(self, number: str) -> Answer[GoodsDelivery]:
        return await self._document(DELIVERIES, number)

    async def deliveries(self, query: ListQuery) -> Answer[Slice[GoodsDelivery]]:
        return await self._documents(DELIVERIES, query)

    async def customer(self, code: str) -> Answer[Customer]:
        return await self._document(CUSTOMERS, code)

    async def customers(self, query: ListQuery) -> Answer[Slice[Customer]]:
        return await self._documents(CUSTOMERS, query)

    async def vendor(self, code: str) -> Answer[Supplier]:
        return await self._document(VENDORS, code)

    async def vendors(self, query: ListQuery) -> Answer[Slice[Supplier]]:
        return await self._documents(VENDORS, query)

    async def bill(self, number: str) -> Answer[Bill]:
        return await self._document(BILLS, number)

    async def bills(self, query: ListQuery) -> Answer[Slice[Bill]]:
        return await self._documents(BILLS, query)

    async def payment(self, number: str) -> Answer[Payment]:
        return await self._document(PAYMENTS, number)

    async def payments(self, query: ListQuery) -> Answer[Slice[Payment]]:
        return await self._documents(PAYMENTS, query)
