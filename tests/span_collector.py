"""A collector of OpenTelemetry on loopback, which reads what the bot sends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """A span as it arrived; times are in milliseconds since 1970."""

    name: str
    trace: str
    id: str
    parent: str
    kind: int
    has_failed: bool
    began: int
    ended: int
    attributes: Mapping[str, object]

    @property
    def reference(self) -> object:
        return self.attributes.get("dingerp.reference")


@dataclass(slots=True)
class SpanCollector:
    """What arrived. ``status`` is its answer, which it gives when ``open`` is set."""

    status: int = 200
    open: asyncio.Event = field(default_factory=asyncio.Event)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    spans: list[ReceivedSpan] = field(default_factory=list)
    resources: list[Mapping[str, object]] = field(default_factory=list)
    url: str = ""
    asked: int = 0

    async def take(self, request: web.Request) -> web.Response:
        self.asked += 1
        body = await request.read()
        await self.open.wait()
        if self.status == 200:
            self.bodies.append(body)
            self.headers.append(request.headers)
            for told in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.resources.append(_attributes(told.resource.attributes))
                self.spans += [_read(span) for scope in told.scope_spans for span in scope.spans]
        return web.Response(status=self.status)

    def of(self, root: ReceivedSpan) -> list[ReceivedSpan]:
        """Return all spans of a span's trace, in the order of their beginnings."""
        return sorted((span for span in self.spans if span.trace == root.trace), key=lambda span: span.began)

    def roots(self, name: str) -> list[ReceivedSpan]:
        """Return the spans of a name that tell a reference: questions, clicks, events, deliveries."""
        return [span for span in self.spans if span.name == name and span.reference]


def parents(spans: Sequence[ReceivedSpan]) -> list[tuple[str, str]]:
    """Return each span's name with that of the one above it."""
    names = {span.id: span.name for span in spans}
    return sorted((span.name, names.get(span.parent, span.parent)) for span in spans)


@asynccontextmanager
async def collecting() -> AsyncIterator[SpanCollector]:
    """Run a collector that takes everything at once."""
    collector = SpanCollector()
    collector.open.set()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    async with TestServer(app) as server:
        collector.url = str(server.make_url("/")).rstrip("/")
        yield collector
        collector.open.set()


def _read(span: Span) -> ReceivedSpan:
    return ReceivedSpan(
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        kind=span.kind,
        has_failed=span.status.code == Status.STATUS_CODE_ERROR,
        began=span.start_time_unix_nano // 1_000_000,
        ended=span.end_time_unix_nano // 1_000_000,
        attributes=_attributes(span.attributes),
    )


def _attributes(pairs: object) -> Mapping[str, object]:
    return {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value"))
        for pair in pairs  # type: ignore[attr-defined]  # a list of protobuf's own
    }
