"""Calls to sources: bounded in time, spaced out, repeated where that helps, counted, and not made at all while a source
keeps failing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from decimal import InvalidOperation
from pathlib import PurePath
from random import Random
from typing import TypeVar

import structlog

from bot.erp.errors import ErpError, RateLimited, Unavailable, UnknownOutcome
from bot.erp.limits import BreakerState, CallRate, CircuitBreaker, SourceLimits
from bot.erp.port import Erp
from bot.mechanisms.backoff import BackoffPolicy
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.time_limit import TimeLimit
from bot.mechanisms.tracing import NOT_CALLED, add_step

log = structlog.get_logger(__name__)

T = TypeVar("T")

_ATTEMPTS = 3
"""At a read, within its time."""
_BACKOFF = BackoffPolicy(first=0.1, factor=4.0, spread=(0.5, 1.5))
"""Between them."""


_NOT_UNDERSTOOD = (AttributeError, InvalidOperation, LookupError, OverflowError, RecursionError, TypeError, ValueError)
"""What reading values of other types, or values that are not there, ends with."""


def _place_of(error: BaseException) -> str:
    """Return an error's class and where it was raised; its text may hold what the ERP said."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    file = PurePath(trace.tb_frame.f_code.co_filename)
    return f"{type(error).__name__} in {file.parent.name}/{file.name}:{trace.tb_lineno}"


class CallRunner:
    """Makes all calls of a hub. Times are in seconds; ``timeout`` bounds a whole read with its repeats."""

    def __init__(
        self,
        sources: Iterable[str],
        *,
        metrics: Metrics,
        timeout: float,
        timeouts: Mapping[str, float],
        write_timeout: float,
        protections: Mapping[str, SourceLimits],
        rng: Random,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        guards = {name: protections.get(name, SourceLimits()) for name in sources}
        self._limits = {name: TimeLimit(timeouts.get(name, timeout)) for name in guards}
        self._write_limit = TimeLimit(write_timeout)
        self._metrics = metrics
        self._monotonic = monotonic
        self._sleep = sleep
        self._random = rng
        self._has_ended = False
        self._counters: dict[tuple[str, str, str], Callable[[], None]] = {}
        self._clocks: dict[tuple[str, str], Callable[[float], None]] = {}
        self._breakers = {name: self._breaker(name, guard) for name, guard in guards.items()}
        self._rates = {name: CallRate(guard.rate, monotonic) for name, guard in guards.items() if guard.rate}

    def end(self) -> None:
        """Begin no more calls: reads that several share may go on after all who asked have gone."""
        self._has_ended = True

    @property
    def troubles(self) -> Mapping[str, str]:
        """For each source the class of the error that made its last read fail; empty where it answered."""
        return {name: breaker.trouble for name, breaker in self._breakers.items()}

    async def read(self, source: Erp, call: str, read: Callable[[Erp], Awaitable[T]]) -> T:
        """Try up to three times within the source's time; raises the last error."""
        breaker = self._breakers[source.name]
        try:
            breaker.admit()
        except ErpError:
            add_step(f"erp {call}", source.name, NOT_CALLED, 0)
            raise
        try:
            answer = await self._try(source, call, read)
        except ErpError as error:
            breaker.failed(error)
            raise
        except BaseException:
            breaker.abandoned()
            raise
        breaker.succeeded()
        return answer

    async def _try(self, source: Erp, call: str, read: Callable[[Erp], Awaitable[T]]) -> T:
        limit = self._limits[source.name]
        deadline = self._monotonic() + limit.seconds
        for attempt in range(1, _ATTEMPTS + 1):
            if self._rates:
                await self._queue(source, deadline - self._monotonic())
            try:
                return await self._attempt(source, call, read, limit, Unavailable)
            except ErpError as error:
                if not error.retry or attempt == _ATTEMPTS:
                    raise
                wait = error.retry_after
                if wait is None:
                    wait = _BACKOFF.pause(attempt, self._random.random())
                if self._monotonic() + wait >= deadline:
                    raise
            await self._sleep(wait)
            limit = TimeLimit(deadline - self._monotonic())
        raise AssertionError("the last attempt returns or raises")

    async def write(self, source: Erp, call: str, act: Callable[[Erp], Awaitable[T]]) -> T:
        """Call once; raises `UnknownOutcome` when no answer comes in time.

        The breaker does not stop it: a person waits for it, and it is sent at most once.
        """
        await self._queue(source, self._write_limit.seconds)
        return await self._attempt(source, call, act, self._write_limit, UnknownOutcome)

    async def once(self, source: Erp, call: str, act: Callable[[Erp], Awaitable[T]]) -> T:
        """Call once within the time of a read, whatever the breaker says."""
        return await self._attempt(source, call, act, self._limits[source.name], Unavailable)

    async def _queue(self, source: Erp, longest: float) -> None:
        """Wait until the source may be called; raises `RateLimited` if that takes too long."""
        rate = self._rates.get(source.name)
        if rate is None:
            return
        wait = rate.reserve(longest)
        if wait is None:
            raise RateLimited("its rate is used up", source=source.name, retry_after=rate.wait)
        if wait:
            await self._sleep(wait)

    def _breaker(self, name: str, guard: SourceLimits) -> CircuitBreaker:
        gauge = self._metrics.erp_open.labels(name)
        gauge.set(0)

        def show(state: BreakerState) -> None:
            gauge.set(state is not BreakerState.CLOSED)
            log.warning("erp.breaker", source=name, state=state.value)

        return CircuitBreaker(
            name, failures=guard.failures, pause=guard.pause, monotonic=self._monotonic, on_change=show
        )

    async def _attempt(
        self, source: Erp, call: str, act: Callable[[Erp], Awaitable[T]], limit: TimeLimit, late: type[ErpError]
    ) -> T:
        """Call the source once and count it; raises ``late`` when it takes longer than ``limit``."""
        if self._has_ended:
            raise late(f"no {call}: the bot stops", source=source.name)
        outcome = "crashed"
        started = self._monotonic()
        try:
            with limit.running():
                answer = await act(source)
            outcome = "ok"
        except TimeoutError:
            outcome = "timeout"
            raise late(f"no answer to {call} in time", source=source.name) from None
        except ErpError as error:
            outcome = type(error).__name__
            error.source = error.source or source.name
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        except _NOT_UNDERSTOOD as error:
            # The adapter cannot read the answer; the outcome of a write is then unknown.
            what = f"its answer to {call} is not understood: {_place_of(error)}"
            log.error("erp.not_understood", source=source.name, call=call, error=_place_of(error))
            raise late(what, source=source.name) from error
        finally:
            self._count(source.name, call, outcome, self._monotonic() - started)
        return answer

    def _count(self, source: str, call: str, outcome: str, seconds: float) -> None:
        count = self._counters.get((source, call, outcome))
        if count is None:
            count = self._counters[source, call, outcome] = self._metrics.erp_calls.labels(source, call, outcome).inc
        clock = self._clocks.get((source, call))
        if clock is None:
            clock = self._clocks[source, call] = self._metrics.erp_seconds.labels(source, call).observe
        count()
        clock(seconds)
        add_step(f"erp {call}", source, outcome, seconds)
