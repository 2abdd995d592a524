"""Spaces calls to a source out, for ERPs that count them."""

from __future__ import annotations

from collections.abc import Callable


class CallRate:
    """At most ``per_second`` calls a second in the long run, and as many at once after a quiet second.

    The generic cell rate algorithm: one number says when the next call would be due, nothing is queued or refilled.
    """

    def __init__(self, per_second: float, monotonic: Callable[[], float]) -> None:
        self._interval = 1 / per_second
        self._slack = max(0.0, 1.0 - self._interval)
        self._monotonic = monotonic
        self._due = 0.0

    def reserve(self, longest: float) -> float | None:
        """Return how many seconds the next call must wait, and keep its place.

        None, and no place, if that is more than ``longest``.
        """
        now = self._monotonic()
        due = max(self._due, now)
        wait = max(0.0, due - self._slack - now)
        if wait > longest:
            return None
        self._due = due + self._interval
        return wait

    @property
    def wait(self) -> float:
        """Seconds that a call would have to wait now."""
        return max(0.0, self._due - self._slack - self._monotonic())
