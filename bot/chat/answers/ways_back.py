"""The earlier contents of people's cards: the way back where button tokens have no room for it.

It is kept in memory: after a restart, a card leads back as far as its own buttons do.
"""

from __future__ import annotations

from collections import OrderedDict

from bot.cards.actions import Ask

MOST_CARDS = 4096
"""Cards whose way is kept, each for one person."""

MOST_STEPS = 8
"""Views one can go back through on one card."""


class WaysBack:
    """Keeps, for each card and person, the lines of its current and earlier contents, the newest first."""

    def __init__(self) -> None:
        self._ways: OrderedDict[tuple[str, str], tuple[str, ...]] = OrderedDict()

    def begin(self, track_id: str, user_id: str, line: str) -> None:
        """Record the line of an answer about to be sent; for a shared card ``user_id`` is empty."""
        if line:
            self._keep(track_id, user_id, (line,))

    def before(self, track_id: str, user_id: str, asked: Ask) -> tuple[str, ...]:
        """Return the lines of a card's earlier contents, the last first, for a click that asks ``asked``.

        The button's token is certain; the stored lines extend it. A line already on the way ends it, so that it never
        gets longer than the way there.
        """
        way = self._ways.get((track_id, user_id)) or self._ways.get((track_id, "")) or ()
        line = asked.typed
        if line in way:
            return way[way.index(line) + 1 :]
        if asked.back:
            known = way[way.index(asked.back[0]) :] if asked.back[0] in way else ()
            return known if len(known) > len(asked.back) else asked.back
        if way and Ask.from_typed(way[0]).line == asked.line:
            return way[1:]  # another page of the same list
        return way

    def go(self, track_id: str, user_id: str, line: str, before: tuple[str, ...]) -> None:
        """Record a card's current line for a person, and the earlier ones."""
        if line:
            self._keep(track_id, user_id, (line, *before)[: MOST_STEPS + 1])

    def end(self, track_id: str, user_id: str) -> None:
        """Drop a card's way back after an action."""
        self._ways.pop((track_id, user_id), None)

    def _keep(self, track_id: str, user_id: str, way: tuple[str, ...]) -> None:
        self._ways[track_id, user_id] = way
        self._ways.move_to_end((track_id, user_id))
        if len(self._ways) > MOST_CARDS:
            self._ways.popitem(last=False)
