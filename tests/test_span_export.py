"""Traces arrive at a collector as spans, and what is wrong with the collector costs nobody anything."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from structlog.testing import capture_logs

from bot.bootstrap.spans import open_span_export
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.tracing import ANSWER, CARD, COMPOSE, DELIVERY, Trace, TraceStep
from bot.settings import OtelSettings
from bot.words.errors import ConfigurationError
from tests.free_ports import free_port
from tests.span_collector import collecting, parents

AT = datetime(2026, 12, 2, 8, tzinfo=UTC)
AT_MS = round(AT.timestamp() * 1000)


def traced(what: str = "question", *steps: TraceStep, **fields: Any) -> Trace:
    trace = Trace(AT, what, steps=list(steps), command="order", outcome="answered", rule="sales")
    trace.took = 200
    for name, value in fields.items():
        setattr(trace, name, value)
    return trace


class Exported:
    """What takes traces for a collector, and the counts of its spans."""

    def __init__(self, take: Callable[[Trace], None], metrics: Metrics) -> None:
        self.take = take
        self._metrics = metrics

    def count(self, outcome: str) -> int:
        return round(self._metrics.spans.labels(outcome)._value.get())

    async def until(self, outcome: str, count: int) -> None:
        async with asyncio.timeout(60):
            while self.count(outcome) < count:  # noqa: ASYNC110 - a thread counts
                await asyncio.sleep(0.01)


@asynccontextmanager
async def exporting(endpoint: str, **changes: Any) -> AsyncIterator[Exported]:
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        wanted = OtelSettings.model_validate({"endpoint": endpoint, **changes})
        yield Exported(open_span_export(stack, wanted, metrics, "p1"), metrics)


async def test_a_question_is_a_span_with_its_steps_within() -> None:
    trace = traced(
        "question",
        TraceStep("erp order", "demo", "ok", 10, 80, ANSWER),
        TraceStep("erp stock", "demo", "timeout", 90, 10, ANSWER),
        TraceStep(ANSWER, "", "ok", 1, 100),
        TraceStep(CARD, "", "ok", 101, 0),
    )
    async with collecting() as collector, exporting(collector.url, headers={"X-Key": "hunter2"}) as exported:
        exported.take(trace)
        await exported.until("sent", 5)
    assert parents(collector.spans) == [
        ("answer", "question"),
        ("card", "question"),
        ("erp order", "answer"),
        ("erp stock", "answer"),
        ("question", ""),
    ]
    assert len({span.trace for span in collector.spans}) == 1
    found = {span.name: span for span in collector.spans}
    assert found["question"].attributes == {
        "dingerp.reference": trace.reference,
        "dingerp.command": "order",
        "dingerp.outcome": "answered",
        "dingerp.rule": "sales",
        "dingerp.steps_left_out": 0,
    }
    assert found["erp order"].attributes == {"dingerp.source": "demo", "dingerp.outcome": "ok"}
    assert (found["erp order"].began - AT_MS, found["erp order"].ended - AT_MS) == (10, 90)
    assert (found["question"].began - AT_MS, found["question"].ended - AT_MS) == (0, 200)
    assert [name for name, span in found.items() if span.has_failed] == ["erp stock"]
    calls = {name for name, span in found.items() if span.kind == Span.SPAN_KIND_CLIENT}
    assert calls == {"erp order", "erp stock", "card"}
    assert [each["X-Key"] for each in collector.headers] == ["hunter2"]
    (resource,) = collector.resources
    assert (resource["service.name"], resource["service.instance.id"]) == ("dingerp", "p1")


@pytest.mark.parametrize("outcome", ["erp_down", "failed", "not_delivered", "500"])
async def test_what_has_failed_is_marked(outcome: str) -> None:
    async with collecting() as collector, exporting(collector.url) as exported:
        exported.take(traced(outcome=outcome))
    assert [span.has_failed for span in collector.spans] == [True], "a stop sends what waits"


async def test_an_event_and_its_cards_are_one_trace_also_from_several_replicas() -> None:
    event = traced("event", TraceStep("process", "erp", "ok", 5, 1), cause="erp/1")
    steps = TraceStep("erp stock", "demo", "ok", 1, 40, COMPOSE), TraceStep(COMPOSE, "", "ok", 0, 50)
    async with collecting() as collector, exporting(collector.url) as one, exporting(collector.url) as other:
        one.take(event)
        other.take(traced(DELIVERY, *steps, cause="erp/1"))
        other.take(traced(DELIVERY, cause=""))
        await one.until("sent", 2)
        await other.until("sent", 4)
    (root,) = collector.roots("event")
    assert parents(collector.of(root)) == [
        ("compose", "delivery"),
        ("delivery", "event"),
        ("erp stock", "compose"),
        ("event", ""),
        ("process", "event"),
    ]
    assert len({span.trace for span in collector.spans}) == 2, "a card without an event is apart"
    assert not any(b"erp/1" in body for body in collector.bodies)


async def test_a_part_of_the_traces_is_sent_and_each_of_them_whole() -> None:
    traces = [traced("question", TraceStep(CARD, "", "ok", 0, 1)) for _ in range(200)]
    async with collecting() as collector:
        async with exporting(collector.url, sample=0) as none, exporting(collector.url, sample=0.5) as half:
            for trace in traces:
                none.take(trace)
                half.take(trace)
        assert none.count("sent") == 0
        sampled = {span.trace for span in collector.spans}
        assert 50 < len(sampled) < 150
        assert len(collector.spans) == 2 * len(sampled)


@pytest.mark.parametrize("status", [500, 503, 400])
async def test_a_collector_that_refuses_is_said_once_and_counted(status: int) -> None:
    async with collecting() as collector, exporting(collector.url, timeout=0.2) as exported:
        collector.status = status
        with capture_logs() as log:
            for count in (1, 2):
                exported.take(traced())
                await exported.until("failed", count)
            collector.status = 200
            exported.take(traced())
            await exported.until("sent", 1)
        said = [line["event"] for line in log if line["event"].startswith("spans.")]
    assert said == ["spans.not_taken", "spans.taken_again"]


async def test_a_collector_that_is_away_costs_nobody_anything() -> None:
    async with exporting(f"http://127.0.0.1:{free_port()}", timeout=0.2) as exported:
        exported.take(traced())
        await exported.until("failed", 1)


async def test_what_a_hanging_collector_leaves_no_room_for_is_dropped_and_counted() -> None:
    steps = [TraceStep("erp order", "demo", "ok", 0, 1)] * 99
    async with collecting() as collector:
        collector.open.clear()
        async with exporting(collector.url, timeout=5) as exported:
            for _ in range(50):
                exported.take(traced("question", *steps))
            assert exported.count("dropped") == 1_000, "40 traces of 100 spans wait"
            collector.open.set()
            await exported.until("sent", 4_000)
            exported.take(traced())
            await exported.until("sent", 4_001)


async def test_a_stop_gives_up_what_a_hanging_collector_does_not_take() -> None:
    steps = [TraceStep("erp order", "demo", "ok", 0, 1)] * 99
    async with collecting() as collector:
        collector.open.clear()
        async with exporting(collector.url, timeout=3) as exported:
            for _ in range(20):
                exported.take(traced("question", *steps))
            async with asyncio.timeout(60):
                while not collector.asked:  # noqa: ASYNC110 - a thread asks
                    await asyncio.sleep(0.01)
        assert exported.count("failed") == 2_000
        assert collector.asked < 4, "each request in turn would be waited for"


async def test_without_a_collector_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bot.mechanisms.span_export", None)
    async with exporting("") as exported:
        exported.take(traced())


async def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "bot.mechanisms.span_export", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    needs = r"^otel.endpoint needs the package opentelemetry.*: pip install 'dingerp\[otel\]'$"
    with pytest.raises(ConfigurationError, match=needs):
        async with exporting("http://127.0.0.1:4318"):
            pass
