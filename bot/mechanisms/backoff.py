"""Pauses between attempts: they grow with every failure in a row, and a success resets them.

Nothing here waits or reads a clock: the caller sleeps, and passes in the random numbers.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

_MAX_GROWTH = 64
"""Failures after which a pause stops growing, so that days of failures do not overflow a float."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackoffPolicy:
    """The growth of pauses; all times in seconds.

    ``spread`` is the jitter: a pause is drawn evenly between these two fractions of its length, but not below
    ``shortest``. Without it, clients that failed together return together.
    """

    first: float
    longest: float = math.inf
    factor: float = 2.0
    spread: tuple[float, float] = (1.0, 1.0)
    shortest: float = 0.0

    def pause(self, failures: int, chance: float = 1.0) -> float:
        """Return the pause after ``failures`` (at least one) in a row; ``chance``, 0 to 1, selects it within the
        spread.
        """
        length = min(self.longest, self.first * self.factor ** min(failures - 1, _MAX_GROWTH))
        low, high = (part * length for part in self.spread)
        low = max(low, self.shortest)
        return low + (high - low) * chance


@dataclass(frozen=True, slots=True)
class BackoffSteps:
    """Pauses listed one by one; the last one repeats."""

    seconds: tuple[float, ...]

    def pause(self, failures: int) -> float:
        """Return the pause after this many failures in a row, at least one."""
        return self.seconds[min(failures, len(self.seconds)) - 1]


class Backoff:
    """Counts the failures in a row of a repeated operation."""

    def __init__(
        self, policy: BackoffPolicy, draw: Callable[[], float] = random.random, *, stable_after: float = 0.0
    ) -> None:
        """``draw`` returns numbers from 0 to 1; ``stable_after`` is for `ended`."""
        self._policy = policy
        self._draw = draw
        self._stable_after = stable_after
        self._failures = 0

    def failed(self) -> float:
        """Count a failure and return the pause that follows it."""
        self._failures += 1
        return self._policy.pause(self._failures, self._draw())

    def succeeded(self) -> None:
        """Reset the count."""
        self._failures = 0

    def ended(self, lasted: float) -> float:
        """Return the pause after an operation that worked for ``lasted`` seconds.

        Only one that lasted ``stable_after`` seconds was a success, followed by no pause: a peer that accepts and then
        closes at once would otherwise be asked hundreds of times a second.
        """
        if lasted < self._stable_after:
            return self.failed()
        self.succeeded()
        return 0.0
