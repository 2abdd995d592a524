"""How long to wait before the next call of ``connections/open``."""

from __future__ import annotations

import random


class Backoff:
    """Exponential back-off with jitter that trusts nothing but a connection's age.

    A gateway that accepts and then closes at once, politely or not, is a failure like any other: forgiving it would let
    it provoke hundreds of calls per second (DingTalk sheet, 12.1 no. 3). The pause is drawn evenly between ``first``
    and a ceiling that doubles with each failure up to ``most``, so two opens in a row are never closer than ``first``.
    """

    def __init__(self, *, first: float, most: float, stable_after: float, rng: random.Random) -> None:
        self._first = first
        self._most = most
        self._stable_after = stable_after
        self._rng = rng
        self._ceiling = first

    def after(self, lived: float) -> float:
        """Return the seconds to wait after a connection that lived ``lived`` seconds (0: it was never opened)."""
        if lived >= self._stable_after:
            self._ceiling = self._first
            return 0.0
        self._ceiling = min(self._ceiling * 2, self._most)
        return self._rng.uniform(self._first, self._ceiling)
