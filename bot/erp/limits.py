"""What protects a source: limits, a call rate, and a circuit breaker that leaves a failing source alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.erp.errors import AuthFailed, ErpError, RateLimited, Unavailable, UnknownOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLimits:
    """``rate`` calls per second at most (0: as many as there are).

    After ``failures`` reads in a row that failed (0: never) the source is left alone for ``pause`` seconds.
    ``negative_stock``: its stock on hand may be below zero. For ``cache`` seconds it is not asked the same again.
    """

    rate: float = 0.0
    failures: int = 5
    pause: float = 15.0
    negative_stock: bool = True
    cache: float = 0.0


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
        """Reserve a place for the next call and return the seconds that it must wait.

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


_FAILURES = (Unavailable, UnknownOutcome, AuthFailed)


class BreakerState(StrEnum):
    """What a breaker does with the next call."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    """One call is on its way to see whether the source is back."""


class CircuitBreaker:
    """The breaker of a source; with ``failures`` 0 it admits every call.

    ``on_change`` is called with the new state.
    """

    def __init__(
        self,
        source: str,
        *,
        failures: int,
        pause: float,
        monotonic: Callable[[], float],
        on_change: Callable[[BreakerState], None] = lambda state: None,
    ) -> None:
        self.source = source
        self.state = BreakerState.CLOSED
        self._failures, self._pause = failures, pause
        self._monotonic = monotonic
        self._on_change = on_change
        self._in_a_row = 0
        self._until = 0.0
        self._last: ErpError = Unavailable("", source=source)

    @property
    def trouble(self) -> str:
        """The class of the error that made the last call fail; empty while the source can be used."""
        return type(self._last).__name__ if self._in_a_row else ""

    def admit(self) -> None:
        """Admit a call, or raise the error that the source would give again.

        An admitted call must be followed by `succeeded`, `failed` or `abandoned`.
        """
        if self.state is BreakerState.CLOSED:
            return
        if self.state is BreakerState.OPEN and self._monotonic() >= self._until:
            self._turn(BreakerState.HALF_OPEN)
            return
        kind = AuthFailed if isinstance(self._last, AuthFailed) else Unavailable
        raise kind(f"not asked for a while: {self._last.detail}", source=self.source)

    def succeeded(self) -> None:
        """The source answered, whatever it said."""
        self._in_a_row = 0
        if self.state is not BreakerState.CLOSED:
            self._turn(BreakerState.CLOSED)

    def failed(self, error: ErpError) -> None:
        """A call ended in ``error``; only errors that mean an unusable source are counted."""
        if isinstance(error, RateLimited):
            self.abandoned()  # the source is up, but did not answer
            return
        if not isinstance(error, _FAILURES):
            self.succeeded()
            return
        self._in_a_row += 1
        self._last = error
        if self._failures and (self.state is BreakerState.HALF_OPEN or self._in_a_row >= self._failures):
            self._until = self._monotonic() + self._pause
            if self.state is not BreakerState.OPEN:
                self._turn(BreakerState.OPEN)

    def abandoned(self) -> None:
        """A call ended without a result, for example cancelled; the next one may try."""
        if self.state is BreakerState.HALF_OPEN:
            self._turn(BreakerState.OPEN)

    def _turn(self, state: BreakerState) -> None:
        self.state = state
        self._on_change(state)
