"""Substitutes that stand in for each other in a circle: while that lasts nobody of them is there."""

from __future__ import annotations

from collections.abc import Sequence

from bot.approvals.policy.rule import Substitute


def find_loop(substitutes: Sequence[Substitute]) -> tuple[int, ...]:
    """Return the places of substitutes that hold at one moment and lead back to where they began; empty if none do."""
    # Several spans that have a moment in common have that moment at which the last of them begins.
    for begins in sorted({one.begins for one in substitutes}):
        held = [place for place, one in enumerate(substitutes) if one.holds(begins)]
        loop = _loop(substitutes, held)
        if loop:
            return loop
    return ()


def _loop(substitutes: Sequence[Substitute], held: Sequence[int]) -> tuple[int, ...]:
    leads: dict[str, list[int]] = {}
    for place in held:
        leads.setdefault(substitutes[place].person, []).append(place)
    cleared: set[str] = set()
    for person in leads:
        loop = _walk(substitutes, leads, person, cleared)
        if loop:
            return loop
    return ()


def _walk(
    substitutes: Sequence[Substitute], leads: dict[str, list[int]], person: str, cleared: set[str]
) -> tuple[int, ...]:
    """Follow all ways from one person; whoever was followed to their ends without a circle is ``cleared``."""
    path: list[int] = []
    ways = [iter(leads.get(person, ()))]
    while ways:
        place = next(ways[-1], None)
        if place is None:
            ways.pop()
            if path:
                cleared.add(substitutes[path.pop()].by)
            continue
        by = substitutes[place].by
        path.append(place)
        begun = [substitutes[one].person for one in path]
        if by in begun:
            return tuple(path[begun.index(by) :])
        ways.append(iter(() if by in cleared else leads.get(by, ())))
    cleared.add(person)
    return ()
