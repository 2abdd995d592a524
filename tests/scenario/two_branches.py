"""The demo company as an ERP of two companies, of whose sales orders each has half."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass, replace
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from bot.erp.model import Slice, StockLevel
from bot.erp.vendors import AdapterContext, Vendor
from bot.kit.company.manifest import vendor as demo

EAST, WEST = "East", "West"


def company_of(number: str) -> str:
    """Return whose a document with this number is, or a product with this code: the last digit says it."""
    return EAST if int("".join(filter(str.isdigit, number))[-1:] or 1) % 2 else WEST


class _Branches:
    """A source whose answers say the company of each record."""

    def __init__(self, erp: Any) -> None:
        self._erp = erp

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._erp, name)
        return _told(found) if iscoroutinefunction(found) else found


def _told(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    async def told(*args: Any, **kwargs: Any) -> Any:
        return _with_company(await call(*args, **kwargs))

    return told


def _with_company(value: Any) -> Any:
    if isinstance(value, Slice):
        return replace(value, items=tuple(map(_with_company, value.items)))
    if isinstance(value, tuple):
        return tuple(map(_with_company, value))
    if isinstance(value, StockLevel):
        return replace(value, company=company_of(value.product.sku))
    if not is_dataclass(value) or not hasattr(value, "extra"):
        return value
    origins = (getattr(value, name, "") for name in ("order_number", "sales_order", "number"))
    return replace(value, extra={**value.extra, "company": company_of(next(filter(None, origins)))})


async def _open(context: AdapterContext, options: Any) -> Any:
    return _Branches(await demo.open(context, options))


vendor = Vendor(title="Two branches", options=demo.options, open=_open)
