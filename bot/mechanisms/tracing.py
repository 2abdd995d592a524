"""Traces: what one piece of work did, step by step, under a short reference that stands on its card and in its log.

Its steps hold names of commands, rules, sources and calls, and how long each took; never names of people or partners,
or amounts. What was asked stands apart, in its lines: it is for the trace that is kept, sealed, and never for the log.
Outside a trace `step` costs a look at a variable.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32, without I, L, O and U: what is misread from a picture is still found."""
_MISREAD = str.maketrans("OIL", "011")
_LENGTH = 8
ANSWER, COMPOSE, CARD = "answer", "compose", "card"
"""The steps of a question or delivery that have others within them, and the one that goes to DingTalk."""
NOT_CALLED = "not called"
"""The outcome of a call that was not made, as the last ones had failed."""
PAGE, REQUEST = "page", "request"
"""What browsers and programs ask for. Thousands come in an hour, and no card tells their references."""
DELIVERY = "delivery"
"""A card that nobody asked for, on its way."""
_MOST_STEPS = 200
"""Steps that a trace keeps: a report over months makes hundreds of calls."""
_MOST_LINES, _LONGEST_LINE = 20, 400


def make_reference() -> str:
    """Return a new reference: one of 10¹²."""
    number = int.from_bytes(secrets.token_bytes(5))
    return "".join(_SIGNS[number >> shift & 31] for shift in range(0, 5 * _LENGTH, 5))


def read_reference(text: str) -> str | None:
    """Return a reference as it is kept, however it was typed; None for what cannot be one."""
    signs = "".join(text.split()).replace("-", "").upper().translate(_MISREAD)
    return signs if len(signs) == _LENGTH and set(signs) <= set(_SIGNS) else None


@dataclass(frozen=True, slots=True)
class TraceStep:
    """A step of a trace. ``began`` and ``took`` are in milliseconds, the first since the trace began."""

    name: str
    subject: str
    outcome: str
    began: int
    took: int
    within: str = ""
    """The name of the step of which it is a part; told to collectors, and not kept."""


@dataclass(frozen=True, slots=True)
class TracedLine:
    """A line that was asked, and how it was answered; ``at`` is the time of its audit entry.

    ``read_as`` is the line that a sentence was taken for, empty for none.
    """

    at: datetime
    line: str
    read_as: str
    command: str
    outcome: str
    rule: str


@dataclass(slots=True)
class Trace:
    """What one question, click, page or request did."""

    at: datetime
    what: str
    """``question``, ``click``, ``event``, `DELIVERY`, `PAGE` or `REQUEST`."""
    reference: str = field(default_factory=make_reference)
    command: str = ""
    outcome: str = ""
    rule: str = ""
    steps: list[TraceStep] = field(default_factory=list)
    left_out: int = 0
    """Steps beyond those that are kept."""
    lines: list[TracedLine] = field(default_factory=list)
    took: int | None = None
    """Milliseconds; None while it goes on."""
    cause: str = ""
    """The event that it is about, as all traces of one event name it; never told."""
    _began: float = field(default_factory=time.monotonic)

    def note(self, command: str, outcome: str, rule: str) -> None:
        """Note what was answered."""
        self.command, self.outcome, self.rule = command, outcome, rule

    def add(self, name: str, subject: str, outcome: str, seconds: float, within: str = "") -> None:
        """Add a step that ends now; one that ends after the trace is left out."""
        if self.took is not None:
            return
        if len(self.steps) == _MOST_STEPS:
            self.left_out += 1
            return
        took = round(seconds * 1000)
        self.steps.append(TraceStep(name, subject, outcome, max(self.age - took, 0), took, within))

    def add_line(self, asked: TracedLine) -> None:
        """Add a line that was asked, as far as there is room."""
        if self.took is None and len(self.lines) < _MOST_LINES:
            self.lines.append(replace(asked, line=asked.line[:_LONGEST_LINE]))

    def end(self) -> None:
        """Take no more steps."""
        self.took = self.age

    @property
    def age(self) -> int:
        """Milliseconds since it began."""
        return round((time.monotonic() - self._began) * 1000)


_TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)
_STEP: ContextVar[str] = ContextVar("step", default="")


def current_trace() -> Trace | None:
    """Return the trace of the work at hand, None if there is none or it has ended."""
    trace = _TRACE.get()
    return trace if trace is not None and trace.took is None else None


def reference_now() -> str:
    """Return the reference of the work at hand, or a new one that leads to the log alone."""
    trace = current_trace()
    return trace.reference if trace else make_reference()


@contextmanager
def tracing(what: str, at: datetime, ended: Callable[[Trace], None]) -> Iterator[Trace]:
    """Trace the work within; ``ended`` gets the trace, also if it fails."""
    trace = Trace(at, what)
    token, outer = _TRACE.set(trace), _STEP.set("")
    try:
        yield trace
    finally:
        _STEP.reset(outer)
        _TRACE.reset(token)
        trace.end()
        ended(trace)


def add_step(name: str, subject: str, outcome: str, seconds: float) -> None:
    """Add a step that ends now to the trace of the work at hand, if there is one."""
    trace = _TRACE.get()
    if trace is not None:
        trace.add(name, subject, outcome, seconds, _STEP.get())


def add_line(asked: TracedLine) -> None:
    """Add a line that was asked to the trace of the work at hand, if there is one."""
    trace = _TRACE.get()
    if trace is not None:
        trace.add_line(asked)


@contextmanager
def step(name: str, subject: str = "") -> Iterator[None]:
    """Add the work within as a step; an error's class is its outcome."""
    started, outcome = time.monotonic(), "ok"
    outer = _STEP.set(name)
    try:
        yield
    except BaseException as error:
        outcome = type(error).__name__
        raise
    finally:
        _STEP.reset(outer)
        add_step(name, subject, outcome, time.monotonic() - started)


def add_reference(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Give a line of the log the reference of the work that writes it."""
    trace = current_trace()
    if trace is not None:
        event.setdefault("reference", trace.reference)
    return event
