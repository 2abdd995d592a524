"""Lets a fake source that answers by the names of reads be asked by kind."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from bot.erp.kinds import Kind
from bot.erp.port import ListQuery


class NamedReads:
    """The reads of documents, by the names that they have in metrics."""

    def document(self, kind: Kind[Any], number: str) -> Awaitable[Any]:
        read: Awaitable[Any] = getattr(self, kind.call)(number)
        return read

    def documents(self, kind: Kind[Any], query: ListQuery) -> Awaitable[Any]:
        read: Awaitable[Any] = getattr(self, kind.list_call)(query)
        return read

    def of_order(self, kind: Kind[Any], order_number: str) -> Awaitable[Any]:
        read: Awaitable[Any] = getattr(self, kind.order_call)(order_number)
        return read
