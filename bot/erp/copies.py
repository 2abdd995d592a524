"""Last known answers, kept outside the process: after a restart an ERP that is down can still be spoken for.

An answer is kept as JSON, exactly: decimals as texts, times with their zone.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

import orjson
from pydantic import TypeAdapter, ValidationError

from bot.erp.model import Invoice, Product, ProductionOrder, PurchaseOrder, SalesOrder, Slice, StockLevel

KINDS: Mapping[str, Any] = {
    "find_products": tuple[Product, ...],
    "stock": StockLevel,
    "order": SalesOrder,
    "orders": Slice[SalesOrder],
    "invoice": Invoice,
    "invoices": Slice[Invoice],
    "purchase_order": PurchaseOrder,
    "purchase_orders": Slice[PurchaseOrder],
    "production_order": ProductionOrder,
    "production_orders": Slice[ProductionOrder],
}
"""What each call of the port brings."""


class Copies(Protocol):
    """Where last known answers are kept. Both calls return at once."""

    def put(self, source: str, call: str, asked: str, value: Any, as_of: datetime) -> None:
        """Keep an answer in place of an earlier one; it is written later."""
        ...

    def forget(self, source: str, call: str, asked: str) -> None:
        """Drop an answer that is no longer true."""
        ...

    def get(self, source: str, call: str, asked: str) -> tuple[Any, datetime] | None:
        """Return what an earlier process kept."""
        ...


def asked(args: tuple[Hashable, ...]) -> str:
    """Return the scope and the arguments of a call as the text by which its answer is found again."""
    return repr(args)


def dump(value: Any) -> str:
    """Return an answer as JSON."""
    return orjson.dumps(value, default=_plain).decode()


def load(call: str, text: str) -> Any:
    """Return an answer as it was; None for what an earlier version wrote in another way."""
    if call not in KINDS:
        return None
    try:
        return _adapter(call).validate_json(text)
    except ValidationError:
        return None


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return str(value)
        case Mapping():
            return dict(value)
        case _:
            raise TypeError(type(value).__name__)


@lru_cache(maxsize=len(KINDS))
def _adapter(call: str) -> TypeAdapter[Any]:
    return TypeAdapter(KINDS[call])
