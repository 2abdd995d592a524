"""The three reads of documents, and the names that they have for single kinds: of adapters, and of the hub's questions.

The names stay until 0.3 for packages of the plug-in API; everything here asks by kind.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from bot.erp import kinds
from bot.erp.answer import Answer
from bot.erp.kinds import D, Kind
from bot.erp.model import Slice
from bot.erp.port import ListQuery


def _read(kind: Kind[D]) -> Callable[[DocumentCalls, str], Coroutine[Any, Any, D]]:
    async def read(self: DocumentCalls, number: str) -> D:
        return await self.document(kind, number)

    return read


def _read_list(kind: Kind[D]) -> Callable[[DocumentCalls, ListQuery], Coroutine[Any, Any, Slice[D]]]:
    async def read_list(self: DocumentCalls, query: ListQuery) -> Slice[D]:
        return await self.documents(kind, query)

    return read_list


def _read_moves(kind: Kind[D]) -> Callable[[DocumentCalls, str], Coroutine[Any, Any, tuple[D, ...]]]:
    async def read_moves(self: DocumentCalls, order_number: str) -> tuple[D, ...]:
        return await self.of_order(kind, order_number)

    return read_moves


class DocumentCalls:
    """The reads of `bot.erp.port.Erp`, by kind and by name."""

    async def document(self, kind: Kind[D], number: str) -> D:
        raise NotImplementedError

    async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        raise NotImplementedError

    async def of_order(self, kind: Kind[D], order_number: str) -> tuple[D, ...]:
        raise NotImplementedError

    order, orders = _read(kinds.SALES_ORDERS), _read_list(kinds.SALES_ORDERS)
    invoice, invoices = _read(kinds.INVOICES), _read_list(kinds.INVOICES)
    purchase_order, purchase_orders = _read(kinds.PURCHASE_ORDERS), _read_list(kinds.PURCHASE_ORDERS)
    production_order, production_orders = _read(kinds.PRODUCTION_ORDERS), _read_list(kinds.PRODUCTION_ORDERS)
    delivery, deliveries = _read(kinds.DELIVERIES), _read_list(kinds.DELIVERIES)
    receipt, receipts = _read(kinds.RECEIPTS), _read_list(kinds.RECEIPTS)
    customer, customers = _read(kinds.CUSTOMERS), _read_list(kinds.CUSTOMERS)
    vendor, vendors = _read(kinds.VENDORS), _read_list(kinds.VENDORS)
    bill, bills = _read(kinds.BILLS), _read_list(kinds.BILLS)
    payment, payments = _read(kinds.PAYMENTS), _read_list(kinds.PAYMENTS)
    deliveries_of, receipts_of = _read_moves(kinds.DELIVERIES), _read_moves(kinds.RECEIPTS)


def _find(kind: Kind[D]) -> Callable[[DocumentAnswers, str], Coroutine[Any, Any, Answer[D]]]:
    async def find(self: DocumentAnswers, number: str) -> Answer[D]:
        return await self.document(kind, number)

    return find


def _find_all(kind: Kind[D]) -> Callable[[DocumentAnswers, ListQuery], Coroutine[Any, Any, Answer[Slice[D]]]]:
    async def find_all(self: DocumentAnswers, query: ListQuery) -> Answer[Slice[D]]:
        return await self.documents(kind, query)

    return find_all


def _find_moves(kind: Kind[D]) -> Callable[[DocumentAnswers, str], Coroutine[Any, Any, Answer[tuple[D, ...]]]]:
    async def find_moves(self: DocumentAnswers, order_number: str) -> Answer[tuple[D, ...]]:
        return await self.of_order(kind, order_number)

    return find_moves


class DocumentAnswers:
    """The hub's questions, by kind and by name."""

    async def document(self, kind: Kind[D], number: str) -> Answer[D]:
        raise NotImplementedError

    async def documents(self, kind: Kind[D], query: ListQuery) -> Answer[Slice[D]]:
        raise NotImplementedError

    async def of_order(self, kind: Kind[D], order_number: str) -> Answer[tuple[D, ...]]:
        raise NotImplementedError

    order, orders = _find(kinds.SALES_ORDERS), _find_all(kinds.SALES_ORDERS)
    invoice, invoices = _find(kinds.INVOICES), _find_all(kinds.INVOICES)
    purchase_order, purchase_orders = _find(kinds.PURCHASE_ORDERS), _find_all(kinds.PURCHASE_ORDERS)
    production_order, production_orders = _find(kinds.PRODUCTION_ORDERS), _find_all(kinds.PRODUCTION_ORDERS)
    delivery, deliveries = _find(kinds.DELIVERIES), _find_all(kinds.DELIVERIES)
    receipt, receipts = _find(kinds.RECEIPTS), _find_all(kinds.RECEIPTS)
    customer, customers = _find(kinds.CUSTOMERS), _find_all(kinds.CUSTOMERS)
    vendor, vendors = _find(kinds.VENDORS), _find_all(kinds.VENDORS)
    bill, bills = _find(kinds.BILLS), _find_all(kinds.BILLS)
    payment, payments = _find(kinds.PAYMENTS), _find_all(kinds.PAYMENTS)
    deliveries_of, receipts_of = _find_moves(kinds.DELIVERIES), _find_moves(kinds.RECEIPTS)
