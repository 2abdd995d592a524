"""The items that were set lately, up to a number of them.

`cachetools.LRUCache` counts a look-up as a use, too, and does so in Python: a look-up takes four times as long there
(measured), and every question makes several.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class RecentItems(Generic[K, V]):
    """Values by key; of more than ``most``, those go that were set longest ago."""

    __slots__ = ("_items", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: OrderedDict[K, V] = OrderedDict()

    def put(self, key: K, value: V) -> None:
        """Set a value, which makes it the newest."""
        items = self._items
        if key in items:
            items.move_to_end(key)
        items[key] = value
        if len(items) > self._most:
            items.popitem(last=False)

    def put_all(self, pairs: Iterable[tuple[K, V]]) -> None:
        """Set values, the last as the newest."""
        for key, value in pairs:
            self.put(key, value)

    def get(self, key: K) -> V | None:
        """Return a value, None if there is none."""
        return self._items.get(key)

    def pop(self, key: K) -> V | None:
        """Forget a value and return it, None if there is none."""
        return self._items.pop(key, None)

    def clear(self) -> None:
        """Forget all of them."""
        self._items.clear()
