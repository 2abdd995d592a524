"""Warehouses as people call them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from bot.erp.errors import Ambiguous, NotFound
from bot.erp.goods import WarehouseContents, WarehouseItem
from bot.erp.goods_port import WarehouseQuery
from bot.erp.model import Product, Quantities

W = TypeVar("W")


def pick_warehouse(warehouses: Iterable[W], wanted: str, names: Callable[[W], tuple[str, str]], *, source: str) -> W:
    """Return the warehouse with this code or name, else the only one whose name holds it.

    ``names`` returns code and name. Raises `NotFound`, and `Ambiguous` where several fit.
    """
    known = [(warehouse, *names(warehouse)) for warehouse in warehouses]
    folded = wanted.strip().casefold()
    # People say 上海仓 for 上海成品仓库.
    part = folded.removesuffix("库").removesuffix("仓") or folded
    exact = [warehouse for warehouse, code, name in known if folded in (code.casefold(), name.casefold())]
    found = exact or [warehouse for warehouse, _, name in known if part and part in name.casefold()]
    if not found:
        raise NotFound(wanted, source=source)
    if len(found) > 1:
        raise Ambiguous(wanted, len(found), source=source)
    return found[0]


def contents_of(
    items: Iterable[WarehouseItem], code: str, name: str, query: WarehouseQuery, *, source: str
) -> WarehouseContents:
    """Return the part that a query asks for of a warehouse's stock and what is reserved there."""
    found = sorted(
        (item for item in items if _is_there(item.quantities) and _has(item.product, query.text)),
        key=lambda item: item.product.sku,
    )
    return WarehouseContents(
        code=code,
        name=name,
        items=tuple(found[query.offset : query.offset + query.limit]),
        total=len(found),
        source=source,
    )


def _is_there(quantities: Quantities) -> bool:
    return bool(quantities.on_hand or quantities.reserved)


def _has(product: Product, text: str) -> bool:
    """Whether a product has each word of a text in its code, name or spec."""
    known = f"{product.sku}\n{product.name}\n{product.spec}".casefold()
    return all(word in known for word in text.casefold().split())
