"""Pages of lists as ERPs cut them, and searches for products in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from bot.erp.kinds import Kind as Listing
from bot.erp.model import Product
from bot.erp.port import ListQuery

__all__ = ["Listing", "find_products", "read_page"]
"""`Listing` is the earlier name of `Kind`, which adapters of other packages use until 0.3."""

R = TypeVar("R")


async def read_page(
    query: ListQuery, rows: Awaitable[list[R]], count: Callable[[], Awaitable[int]]
) -> tuple[list[R], int]:
    """Return a page of rows that the ERP cut, and the total number of rows.

    The ERP is only asked for the total if the page is full.
    """
    page = await rows
    ended = len(page) < query.limit and (page or not query.offset)
    return page, query.offset + len(page) if ended else await count()


def find_products(products: Iterable[Product], text: str, *, limit: int) -> tuple[Product, ...]:
    """Return products with ``text`` in code, name, spec or barcode, best match first."""
    folded = text.casefold()
    found = [(rank, product) for product in products if (rank := _rank(product, folded)) is not None]
    found.sort(key=lambda hit: (hit[0], len(hit[1].name), hit[1].sku))
    return tuple(product for _, product in found[:limit])


def _rank(product: Product, folded: str) -> int | None:
    """Return the rank of a match, 0 best, or None for no match."""
    sku, name = product.sku.casefold(), product.name.casefold()
    if folded and folded in (sku, product.barcode.casefold()):
        return 0
    for rank, hit in enumerate((sku.startswith(folded), name.startswith(folded), folded in sku, folded in name), 1):
        if hit:
            return rank
    return 5 if folded in product.spec.casefold() or folded in product.barcode.casefold() else None
