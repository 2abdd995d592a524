"""The most recently set items, up to a maximum.

`cachetools.LRUCache` also counts a lookup as a use, and does so in Python: a lookup takes four times as long there
(measured), and every question makes several.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class RecentItems(Generic[K, V]):
    """Values by key; beyond ``most``, the ones set longest ago are dropped."""

    __slots__ = ("_items", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: OrderedDict[K, V] = OrderedDict()

    def put(self, key: K, value: V) -> None:
        """Set a value, which becomes the newest."""
        items = self._items
        if key in items:
            items.move_to_end(key)
        items[key] = value
        if len(items) > self._most:
            items.popitem(last=False)

    def put_all(self, pairs: Iterable[tuple[K, V]]) -> None:
        """Set values, the last one as the newest."""
        for key, value in pairs:
            self.put(key, value)

    def get(self, key: K) -> V | None:
        """Return a value, None if there is none."""
        return self._items.get(key)

    def pop(self, key: K) -> V | None:
        """Remove a value and return it, None if there is none."""
        return self._items.pop(key, None)

    def clear(self) -> None:
        """Remove all values."""
        self._items.clear()
