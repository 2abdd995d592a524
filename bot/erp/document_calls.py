"""The calls for documents and partners, by two that serve every kind: the port's calls and the hub's questions.

Another kind of document is another pair of lines in both classes; `bot.erp.port.Erp` says what each call returns.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from bot.erp import listing
from bot.erp.answer import Answer
from bot.erp.listing import D, Listing
from bot.erp.model import Slice
from bot.erp.port import ListQuery


def _read(kind: Listing[D]) -> Callable[[DocumentCalls, str], Coroutine[Any, Any, D]]:
    async def read(self: DocumentCalls, number: str) -> D:
        return await self._ask_document(kind, number)

    return read


def _read_list(kind: Listing[D]) -> Callable[[DocumentCalls, ListQuery], Coroutine[Any, Any, Slice[D]]]:
    async def read_list(self: DocumentCalls, query: ListQuery) -> Slice[D]:
        return await self._ask_documents(kind, query)

    return read_list


class DocumentCalls:
    """The port's calls, by `_ask_document` and `_ask_documents`."""

    async def _ask_document(self, kind: Listing[D], number: str) -> D:
        raise NotImplementedError

    async def _ask_documents(self, kind: Listing[D], query: ListQuery) -> Slice[D]:
        raise NotImplementedError

    order, orders = _read(listing.SALES_ORDERS), _read_list(listing.SALES_ORDERS)
    invoice, invoices = _read(listing.INVOICES), _read_list(listing.INVOICES)
    purchase_order, purchase_orders = _read(listing.PURCHASE_ORDERS), _read_list(listing.PURCHASE_ORDERS)
    production_order, production_orders = _read(listing.PRODUCTION_ORDERS), _read_list(listing.PRODUCTION_ORDERS)
    delivery, deliveries = _read(listing.DELIVERIES), _read_list(listing.DELIVERIES)
    receipt, receipts = _read(listing.RECEIPTS), _read_list(listing.RECEIPTS)
    customer, customers = _read(listing.CUSTOMERS), _read_list(listing.CUSTOMERS)
    vendor, vendors = _read(listing.VENDORS), _read_list(listing.VENDORS)
    bill, bills = _read(listing.BILLS), _read_list(listing.BILLS)
    payment, payments = _read(listing.PAYMENTS), _read_list(listing.PAYMENTS)


def _find(kind: Listing[D]) -> Callable[[DocumentAnswers, str], Coroutine[Any, Any, Answer[D]]]:
    async def find(self: DocumentAnswers, number: str) -> Answer[D]:
        return await self._document(kind, number)

    return find


def _find_all(kind: Listing[D]) -> Callable[[DocumentAnswers, ListQuery], Coroutine[Any, Any, Answer[Slice[D]]]]:
    async def find_all(self: DocumentAnswers, query: ListQuery) -> Answer[Slice[D]]:
        return await self._documents(kind, query)

    return find_all


class DocumentAnswers:
    """The hub's questions, by `_document` and `_documents`."""

    async def _document(self, kind: Listing[D], number: str) -> Answer[D]:
        raise NotImplementedError

    async def _documents(self, kind: Listing[D], query: ListQuery) -> Answer[Slice[D]]:
        raise NotImplementedError

    order, orders = _find(listing.SALES_ORDERS), _find_all(listing.SALES_ORDERS)
    invoice, invoices = _find(listing.INVOICES), _find_all(listing.INVOICES)
    purchase_order, purchase_orders = _find(listing.PURCHASE_ORDERS), _find_all(listing.PURCHASE_ORDERS)
    production_order, production_orders = _find(listing.PRODUCTION_ORDERS), _find_all(listing.PRODUCTION_ORDERS)
    delivery, deliveries = _find(listing.DELIVERIES), _find_all(listing.DELIVERIES)
    receipt, receipts = _find(listing.RECEIPTS), _find_all(listing.RECEIPTS)
    customer, customers = _find(listing.CUSTOMERS), _find_all(listing.CUSTOMERS)
    vendor, vendors = _find(listing.VENDORS), _find_all(listing.VENDORS)
    bill, bills = _find(listing.BILLS), _find_all(listing.BILLS)
    payment, payments = _find(listing.PAYMENTS), _find_all(listing.PAYMENTS)
