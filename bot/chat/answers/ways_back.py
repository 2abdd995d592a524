"""What people's cards showed before: the way back where the buttons' tokens have no room for it.

It is kept in memory: after a restart, a card leads back as far as its own buttons do.
"""

from __future__ import annotations

from collections import OrderedDict

from bot.cards.actions import Ask

MOST_CARDS = 4096
"""Cards whose way is remembered, each for one person."""

MOST_STEPS = 8
"""Views that people can go back to on one card."""


class WaysBack:
    """Remembers for each card and person the lines of what it shows and showed them, the newest first."""

    def __init__(self) -> None:
        self._ways: OrderedDict[tuple[str, str], tuple[str, ...]] = OrderedDict()

    def begin(self, track_id: str, user_id: str, line: str) -> None:
        """Note the line of an answer that is about to be sent; of a shared card ``user_id`` is empty."""
        if line:
            self._keep(track_id, user_id, (line,))

    def before(self, track_id: str, user_id: str, asked: Ask) -> tuple[str, ...]:
        """Return the lines of what a card showed before, the last first, if a click on it asks this now.

        What the token of the button says is certain; what is remembered makes it longer. A line that was on the way is
        where the way ends: so it leads no longer than it came.
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
        """Note what a card shows a person now, and the lines of what it showed before."""
        if line:
            self._keep(track_id, user_id, (line, *before)[: MOST_STEPS + 1])

    def end(self, track_id: str, user_id: str) -> None:
        """Forget the way of a card: something was done on it."""
        self._ways.pop((track_id, user_id), None)

    def _keep(self, track_id: str, user_id: str, way: tuple[str, ...]) -> None:
        self._ways[track_id, user_id] = way
        self._ways.move_to_end((track_id, user_id))
        if len(self._ways) > MOST_CARDS:
            self._ways.popitem(last=False)
