"""Connections and bodies are bounded: senders that prove nothing take neither descriptors nor memory from the bot."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.mechanisms.health import HealthReport
from bot.mechanisms.metrics import Metrics
from bot.store.database import Database
from bot.web import connections
from bot.web.hooks import BodyMemory
from bot.web.server import make_web_app, serving
from tests.alerts.intake.samples import cloud_event
from tests.web.hook_server import hook_server

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def ready() -> HealthReport:
    return HealthReport({})


@asynccontextmanager
async def server() -> AsyncIterator[int]:
    async with serving(make_web_app(metrics=Metrics(), readiness=ready), "127.0.0.1", 0) as port:
        yield port


async def opened(port: int, said: bytes = b"") -> Connection:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    await writer.drain()
    return reader, writer


async def ends(connection: Connection) -> bool:
    """Wait until the server ends a connection; False if it answered before."""
    reader, writer = connection
    try:
        got = await asyncio.wait_for(reader.read(), 60)
    except ConnectionError:
        got = b""
    writer.close()
    return not got


@pytest.mark.parametrize(
    "said",
    [
        b"POST /hooks/main HTTP/1.1\r\nHost: x\r\n webhook-signature: v1,AAAA\r\n\r\n",
        b"POST /hooks/main HTTP/1.1\r\nHost: x\r\nContent-Length: v1,AAAA\r\n\r\n",
        b"GET v1,AAAA\r\n\r\n",
        b"GET / HTTP/9\r\nv1,AAAA\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00 v1,AAAA\r\n\r\n",
    ],
)
async def test_what_is_no_http_costs_a_line_and_a_number(said: bytes, caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    with capture_logs() as logs:
        async with serving(make_web_app(metrics=metrics, readiness=ready), "127.0.0.1", 0) as port:
            assert not await ends(await opened(port, said))
    assert [(line["event"], line["status"]) for line in logs] == [("http.unreadable_request", 400)]
    assert "AAAA" not in str(logs)
    assert not caplog.records
    labels = {"room": "http", "error": logs[0]["error"]}
    assert metrics.registry.get_sample_value("dingerp_errors_total", labels) == 1


@pytest.mark.parametrize("said", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"], ids=["nothing", "half a head"])
async def test_who_sends_no_request_is_sent_away(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.05)
    async with server() as port:
        assert await ends(await opened(port, said))


async def test_a_head_in_pieces_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server() as port:
        reader, writer = await opened(port)
        for piece in (b"GET /heal", b"thz HTTP/1.1\r\nHost: x\r", b"\n\r", b"\n"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_one_connection_too_many_is_ended_and_the_next_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 3)
    async with server() as port:
        held = [await opened(port) for _ in range(3)]
        with capture_logs() as lines:
            assert await ends(await opened(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))
        assert [line["event"] for line in lines] == ["http.too_many_connections"]
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        while True:  # until the server has noticed
            reader, writer = await opened(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            try:
                got = await reader.read()
            except ConnectionError:
                got = b""
            writer.close()
            if got:
                break
        assert got.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("soft", "most"), [(256, 64), (1024, 256), (1_000_000, 512), (resource.RLIM_INFINITY, 512), (2, 1)]
)
def test_three_quarters_of_the_descriptors_are_kept_back(soft: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))
    assert connections.most_connections() == most


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    yield database
    await database.close()


async def test_bodies_that_arrive_together_share_the_room(database: Database) -> None:
    async with hook_server(database, room=BodyMemory(1_500_000)) as opened_server:
        head = (
            b"POST /hooks/main HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n"
        )
        slow: Any = await opened(opened_server.port, head + b"[")
        while opened_server.room.free == 1_500_000:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0)
        reader, writer = await opened(opened_server.port, head + b"[")
        assert (await reader.readline()).startswith(b"HTTP/1.1 503")
        rest = await reader.read()
        assert b"Retry-After: 2" in rest
        writer.close()
        assert (await opened_server.post(cloud_event()))[0] == 202, "a small body still has room"
        slow[1].close()
        while opened_server.room.free < 1_500_000:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
