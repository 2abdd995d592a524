"""The bot's own HTTP server over a real socket: health, readiness with its reasons, and metrics."""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest

from bot.mechanisms.health import HealthReport, PartHealth, degraded, down
from bot.mechanisms.metrics import Metrics
from bot.web.server import listening, make_web_app, serving
from bot.words.errors import ConfigurationError


@dataclass(slots=True)
class Server:
    """A running server; ``parts`` are how the bot is."""

    client: aiohttp.ClientSession
    port: int
    metrics: Metrics
    parts: dict[str, PartHealth] = field(default_factory=dict)

    async def get(self, path: str) -> aiohttp.ClientResponse:
        return await self.client.get(f"http://127.0.0.1:{self.port}{path}")


async def ready() -> HealthReport:
    return HealthReport({})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    parts: dict[str, PartHealth] = {}
    metrics = Metrics()

    async def readiness() -> HealthReport:
        return HealthReport(parts)

    async with (
        aiohttp.ClientSession() as client,
        serving(make_web_app(metrics=metrics, readiness=readiness), "127.0.0.1", 0) as port,
    ):
        yield Server(client, port, metrics, parts)


async def test_the_process_is_alive_whether_ready_or_not(server: Server) -> None:
    server.parts["stream"] = down("no stream connection: still opening")
    answer = await server.get("/healthz")
    assert (answer.status, await answer.json()) == (200, {"status": "alive"})


async def test_ready(server: Server) -> None:
    server.parts["stream"] = down("")
    answer = await server.get("/readyz")
    assert (answer.status, answer.content_type) == (200, "application/json")
    parts = {"stream": {"status": "ok", "reason": ""}}
    assert await answer.json() == {"status": "ready", "reasons": [], "parts": parts, "rules": {}}


async def test_not_ready_names_every_reason(server: Server) -> None:
    server.parts |= {
        "ERP main": degraded("the ERP main does not answer"),
        "stream": down("no stream connection: still opening"),
        "database": down("数据库没有响应"),
    }
    answer = await server.get("/readyz")
    assert (answer.status, answer.content_type) == (503, "application/json")
    said = await answer.json()
    assert said["status"] == "not ready"
    assert said["reasons"] == [
        "no stream connection: still opening",
        "数据库没有响应",
        "the ERP main does not answer",
    ], "what is down comes first"
    assert said["parts"]["ERP main"] == {"status": "degraded", "reason": "the ERP main does not answer"}
    server.parts.clear()
    assert (await server.get("/readyz")).status == 200


async def test_what_is_only_degraded_is_ready_and_says_so(server: Server) -> None:
    server.parts["ERP main"] = degraded("the ERP main does not answer")
    answer = await server.get("/readyz")
    said = await answer.json()
    assert (answer.status, said["status"], said["reasons"]) == (200, "degraded", ["the ERP main does not answer"])


async def test_metrics_are_what_prometheus_reads(server: Server) -> None:
    server.metrics.questions.labels("stock", "answered").inc(3)
    server.metrics.answer_seconds.observe(0.02)
    answer = await server.get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    text = await answer.text()
    assert 'dingerp_questions_total{command="stock",outcome="answered"} 3.0' in text
    assert 'dingerp_answer_seconds_bucket{le="0.02"} 1.0' in text
    ours = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    assert all(name.startswith(("dingerp_", "process_")) for name in ours)
    assert {"dingerp_frames_total", "dingerp_api_calls_total", "dingerp_stream_connected"} <= ours


async def test_each_app_counts_for_itself(server: Server) -> None:
    Metrics().questions.labels("stock", "answered").inc()
    assert 'command="stock"' not in await (await server.get("/metrics")).text()


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("GET", "/metrics/x", 404), ("POST", "/readyz", 405)]
)
async def test_nothing_else_is_served(server: Server, method: str, path: str, status: int) -> None:
    answer = await server.client.request(method, f"http://127.0.0.1:{server.port}{path}")
    assert answer.status == status


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/nosuch"])
async def test_no_answer_names_versions(server: Server, path: str) -> None:
    assert (await server.get(path)).headers["Server"] == "dingerp"


async def test_a_port_that_is_taken_is_named_with_the_setting_to_change(server: Server) -> None:
    app = make_web_app(metrics=Metrics(), readiness=ready)
    with pytest.raises(ConfigurationError, match=rf"127\.0\.0\.1:{server.port}.*DINGERP_HTTP__PORT"):
        async with serving(app, "127.0.0.1", server.port):
            raise AssertionError("two servers on one port")


async def test_the_end_of_the_context_frees_the_port() -> None:
    async with serving(make_web_app(metrics=Metrics(), readiness=ready), "127.0.0.1", 0) as port:
        pass
    async with serving(make_web_app(metrics=Metrics(), readiness=ready), "127.0.0.1", port) as again:
        assert again == port


async def test_a_name_is_served_at_those_of_its_addresses_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    there = (socket.AF_INET, *stream, ("127.0.0.1", 0))
    elsewhere = (socket.AF_INET, *stream, ("192.0.2.1", 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [elsewhere, there])
    with listening("localhost", 0) as listeners:
        assert [listener.getsockname()[0] for listener in listeners] == ["127.0.0.1"]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [elsewhere])
    with pytest.raises(ConfigurationError, match="cannot listen on localhost:0"), listening("localhost", 0):
        raise AssertionError("it listens nowhere")
