"""Traces as spans of OpenTelemetry, for a collector of the operator's; loaded only where one is configured.

A trace that has ended (`bot.mechanisms.tracing`) becomes a span with one for each step within it. Spans hold names of
commands, rules, sources and calls, outcomes and times, as traces do; what was asked is never among them.

What belongs together has ids that anybody can work out from its reference or cause: replicas need not tell one another.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from threading import Timer
from typing import Final

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from bot.mechanisms.metrics import Metrics
from bot.mechanisms.tracing import CARD, DELIVERY, Trace

log = structlog.get_logger(__name__)

_MOST_WAITING: Final = 4_096
"""Spans that wait for the collector; further ones are dropped and counted."""
_BATCH: Final = 512
_SENT_EVERY: Final = 1_000
"""Milliseconds."""
_LAST_SECONDS: Final = 2.0
"""Seconds that a stop waits for the collector."""
_ERP: Final = "erp "
_GOOD_STEPS: Final = frozenset({"ok", "shared", "recent", "copy"})
_PATH: Final = "/v1/traces"
_MILLISECOND: Final = 1_000_000


class SpanExport:
    """Sends the spans of traces in a thread of its own; `take` never waits and never fails."""

    def __init__(
        self,
        endpoint: str,
        *,
        headers: Mapping[str, str],
        seconds: float,
        sample: float,
        metrics: Metrics,
        resource: Mapping[str, str],
        has_failed: Callable[[Trace], bool],
    ) -> None:
        """``endpoint`` is the collector's base address, ``seconds`` the time for one request with its repeats,
        ``sample`` the part of the traces that is sent, and ``resource`` says which process they are from.
        """
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)  # `_Sender` tells of failures, once
        self._sender = _Sender(
            OTLPSpanExporter(endpoint.rstrip("/") + _PATH, headers=dict(headers), timeout=seconds), metrics
        )
        self._ids = _Ids()
        self._provider = TracerProvider(resource=Resource(resource), id_generator=self._ids, shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._sender,
                max_queue_size=_MOST_WAITING,
                max_export_batch_size=_BATCH,
                schedule_delay_millis=_SENT_EVERY,
            )
        )
        self._tracer = self._provider.get_tracer("dingerp")
        self._most = sample * 2**64
        self._metrics = metrics
        self._has_failed = has_failed
        self._taken = 0

    def take(self, trace: Trace) -> None:
        """Send the spans of a trace that has ended, if it is among the sampled ones and there is room."""
        whole = _digest(trace.cause or trace.reference)
        if int.from_bytes(whole[16:24]) >= self._most:
            return
        count = 1 + len(trace.steps)
        if self._taken + count - self._sender.ended > _MOST_WAITING:
            self._metrics.spans.labels("dropped").inc(count)
            return
        self._taken += count
        self._ids.trace = int.from_bytes(whole[:16])
        self._make_spans(trace)

    def _make_spans(self, trace: Trace) -> None:
        began = round(trace.at.timestamp() * 1000)
        root_id = _span_id(trace.cause or trace.reference)
        above = Context()
        if trace.cause and trace.what == DELIVERY:
            above = self._within(root_id)
            root_id = _span_id(trace.reference)
        self._ids.span = root_id
        root = self._tracer.start_span(
            trace.what,
            above,
            SpanKind.SERVER,
            {
                "dingerp.reference": trace.reference,
                "dingerp.command": trace.command,
                "dingerp.outcome": trace.outcome,
                "dingerp.rule": trace.rule,
                "dingerp.steps_left_out": trace.left_out,
            },
            start_time=began * _MILLISECOND,
        )
        if self._has_failed(trace):
            root.set_status(Status(StatusCode.ERROR, trace.outcome))
        for number, step in enumerate(trace.steps):
            # A step ends after its parts, and is added when it ends.
            later = range(number + 1, len(trace.steps))
            outer = next((each for each in later if trace.steps[each].name == step.within), None)
            parent = root_id if outer is None else _span_id(trace.reference, outer)
            self._ids.span = _span_id(trace.reference, number)
            span = self._tracer.start_span(
                step.name,
                self._within(parent),
                SpanKind.CLIENT if step.name == CARD or step.name.startswith(_ERP) else SpanKind.INTERNAL,
                {"dingerp.source": step.subject, "dingerp.outcome": step.outcome},
                start_time=(began + step.began) * _MILLISECOND,
            )
            if step.outcome not in _GOOD_STEPS:
                span.set_status(Status(StatusCode.ERROR, step.outcome))
            span.end((began + step.began + step.took) * _MILLISECOND)
        root.end((began + (trace.took or 0)) * _MILLISECOND)

    def _within(self, span: int) -> Context:
        parent = SpanContext(self._ids.trace, span, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        return set_span_in_context(NonRecordingSpan(parent), Context())

    def close(self) -> None:
        """Send what waits, for as long as a stop has time; blocks."""
        patience = Timer(_LAST_SECONDS, self._sender.shutdown)
        patience.start()
        self._provider.shutdown()
        patience.cancel()


class _Ids(IdGenerator):
    """The ids of the span that is made next."""

    def __init__(self) -> None:
        self.trace = self.span = 0

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


class _Sender(SpanExporter):
    """Counts what the collector takes, and tells once when it takes nothing."""

    def __init__(self, exporter: SpanExporter, metrics: Metrics) -> None:
        self._exporter = exporter
        self._metrics = metrics
        self._fails = self._gave_up = False
        self.ended = 0
        """Spans that wait no more."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE if self._gave_up else self._exporter.export(spans)
        fails = result is not SpanExportResult.SUCCESS
        self._metrics.spans.labels("failed" if fails else "sent").inc(len(spans))
        if fails and not self._fails:
            log.warning("spans.not_taken", spans=len(spans))
        elif self._fails and not fails:
            log.info("spans.taken_again")
        self._fails = fails
        self.ended += len(spans)
        return result

    def shutdown(self) -> None:
        self._gave_up = True
        self._exporter.shutdown()


def _digest(seed: str) -> bytes:
    return sha256(f"dingerp {seed}".encode()).digest()


def _span_id(reference: str, step: int | None = None) -> int:
    return int.from_bytes(_digest(reference if step is None else f"{reference} {step}")[24:])
