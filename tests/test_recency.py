"""The items that were set lately."""

from __future__ import annotations

from bot.mechanisms.recency import RecentItems


def test_of_too_many_items_those_go_that_were_set_longest_ago() -> None:
    items: RecentItems[str, int] = RecentItems(2)
    items.put_all([("a", 1), ("b", 2)])
    items.put("a", 3)
    items.put("c", 4)

    assert [items.get(key) for key in "abc"] == [3, None, 4]


def test_what_is_taken_out_is_gone() -> None:
    items: RecentItems[str, int] = RecentItems(2)
    items.put("a", 1)

    assert items.pop("a") == 1
    assert items.pop("a") is None
    assert items.get("a") is None
