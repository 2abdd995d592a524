"""Traces: which are kept, for how long, and what is said of slow ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog

from bot.bootstrap.infrastructure import Infrastructure
from bot.chat.questions.failures import QuestionOutcome, has_failed
from bot.mechanisms.background import Runs, finish, repeat
from bot.mechanisms.tracing import ANSWER, PAGE, REQUEST, Trace, current_trace
from bot.settings import TraceSettings
from bot.store.traces import StoredTraces

log = structlog.get_logger(__name__)

_FLUSHED_EVERY = 1.0
_PRUNED_EVERY = 600.0
_BY_BROWSERS_AND_PROGRAMS = frozenset({PAGE, REQUEST})


async def keep_traces(base: Infrastructure) -> Callable[[Trace], None]:
    """Return what takes the traces that have ended."""
    settings, stored = base.settings.trace, StoredTraces(base.database)

    async def prune() -> None:
        await stored.prune(base.now(), keep=timedelta(days=settings.keep_days), most=settings.keep_rows)

    base.stack.push_async_callback(finish, stored.flush, failed="traces.not_kept")
    flushing = partial(repeat, stored.flush, every=_FLUSHED_EVERY, failed="traces.not_kept")
    await base.run_in_background(flushing, "traces", Runs.EVERYWHERE)
    pruning = partial(repeat, prune, every=_PRUNED_EVERY, failed="traces.not_pruned")
    await base.run_in_background(pruning, "old traces", Runs.WITH_LEAD)

    def take(trace: Trace) -> None:
        take_trace(settings, stored.keep, trace)
        base.send_spans(trace)

    return take


def reference_on_card(settings: TraceSettings) -> str:
    """Return the reference for the card of the answer that is being traced; empty if it needs none.

    By default it stands where somebody will ask why: a card that tells what was asked for stays as quiet as it was.
    """
    trace = current_trace()
    if trace is None or trace.outcome == QuestionOutcome.FAILED:  # whose card has it in its body
        return ""
    tells = settings.on_cards == "all" or has_failed(trace) or trace.age >= settings.slow_seconds * 1000
    return trace.reference if tells else ""


def take_trace(settings: TraceSettings, keep: Callable[[Trace], None], trace: Trace) -> None:
    """Keep a trace that has ended if the settings say so, and tell of a slow one with its longest step."""
    assert trace.took is not None, "it has ended"
    is_slow = trace.took >= settings.slow_seconds * 1000
    if is_slow:
        within = [step for step in trace.steps if step.name != ANSWER]  # which has all calls to ERPs within it
        longest = max(within or trace.steps, key=lambda step: step.took, default=None)
        log.warning(
            f"{trace.what}.slow",
            reference=trace.reference,
            command=trace.command,
            seconds=trace.took / 1000,
            longest=f"{longest.name} {longest.subject}".rstrip() if longest else "",
            longest_seconds=longest.took / 1000 if longest else 0,
        )
    keeps_all = settings.keep == "all" and trace.what not in _BY_BROWSERS_AND_PROGRAMS
    if keeps_all or is_slow or has_failed(trace):
        if not settings.keep_lines:
            trace.lines[:] = [replace(each, line="", read_as="") for each in trace.lines]
        keep(trace)
