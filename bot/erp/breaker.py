"""Leaves a source alone for a while after it has failed several times in a row.

An ERP that is down costs every question its whole time-out, and a wrong password that is tried again and again locks
the account. So after ``failures`` in a row nothing is sent for ``pause`` seconds; then one call is let through, and it
decides whether the source is asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from bot.erp.errors import AuthFailed, ErpError, RateLimited, Unavailable, UnknownOutcome

_FAILURES = (Unavailable, UnknownOutcome, AuthFailed)


class State(StrEnum):
    """What a breaker does with the next call."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    """One call is on its way to see whether the source is back."""


class Breaker:
    """The breaker of one source; ``failures`` 0 lets everything through for ever.

    ``on_change`` is called with the new state.
    """

    def __init__(
        self,
        source: str,
        *,
        failures: int,
        pause: float,
        monotonic: Callable[[], float],
        on_change: Callable[[State], None] = lambda state: None,
    ) -> None:
        self.source = source
        self.state = State.CLOSED
        self._failures, self._pause = failures, pause
        self._monotonic = monotonic
        self._on_change = on_change
        self._in_a_row = 0
        self._until = 0.0
        self._last: ErpError = Unavailable("", source=source)

    def admit(self) -> None:
        """Let a call through, or raise the error that the source would give again.

        Whoever was let through owes a `succeeded`, `failed` or `gave_up`.
        """
        if self.state is State.CLOSED:
            return
        if self.state is State.OPEN and self._monotonic() >= self._until:
            self._turn(State.HALF_OPEN)
            return
        kind = AuthFailed if isinstance(self._last, AuthFailed) else Unavailable
        raise kind(f"not asked for a while: {self._last.detail}", source=self.source)

    def succeeded(self) -> None:
        """The source answered, whatever it said."""
        self._in_a_row = 0
        if self.state is not State.CLOSED:
            self._turn(State.CLOSED)

    def failed(self, error: ErpError) -> None:
        """A call ended in ``error``; only those that tell of an unusable source are counted."""
        if isinstance(error, RateLimited):
            self.gave_up()  # it is there, and says so, but did not answer
            return
        if not isinstance(error, _FAILURES):
            self.succeeded()
            return
        self._in_a_row += 1
        self._last = error
        if self._failures and (self.state is State.HALF_OPEN or self._in_a_row >= self._failures):
            self._until = self._monotonic() + self._pause
            if self.state is not State.OPEN:
                self._turn(State.OPEN)

    def gave_up(self) -> None:
        """A call ended without telling anything, such as by being cancelled; the next one may try."""
        if self.state is State.HALF_OPEN:
            self._turn(State.OPEN)

    def _turn(self, state: State) -> None:
        self.state = state
        self._on_change(state)
