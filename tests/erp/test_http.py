"""HTTP of the vendors: which failure becomes which error, and that a write is sent once."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import ValidationError

from bot.erp.errors import (
    AuthExpired,
    Conflict,
    ErpError,
    Invalid,
    NotFound,
    NotPermitted,
    RateLimited,
    Unavailable,
    UnknownOutcome,
)
from bot.erp.http import Http, HttpOptions, HttpResponse, parse_body, refusal, words
from bot.words.errors import ConfigurationError
from tests.rows import each_row

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
Open = Callable[..., Http]


class ScriptedServer:
    """A server that answers each request with the next of its answers, and counts them."""

    def __init__(self) -> None:
        self.answers: list[Callable[[web.Request], Awaitable[web.StreamResponse]]] = []
        self.requests: list[web.Request] = []

    def say(self, text: str = "{}", status: int = 200, **headers: str) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(text=text, status=status, headers=named)

        self.answers.append(answer)

    def break_off(self) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        self.answers.append(answer)

    def hang(self) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            await asyncio.Event().wait()
            raise AssertionError

        self.answers.append(answer)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        await request.read()
        return await self.answers.pop(0)(request)


@pytest.fixture
def script() -> ScriptedServer:
    return ScriptedServer()


@pytest.fixture
async def http(script: ScriptedServer) -> AsyncIterator[Http]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", script.handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(shutdown_timeout=0.1)
    options = HttpOptions(url=str(server.make_url("/api/")), timeout=5, write_timeout=5)
    http = Http(options, now=lambda: NOW, source="acme")
    yield http
    await http.close()
    await server.close()


async def test_an_answer_is_json_with_exact_numbers(http: Http, script: ScriptedServer) -> None:
    script.say('{"a": 12345678901234.56789, "b": 0.000001, "c": 7}', Set_Cookie="sid=abc; Path=/")
    answer = await http.read("GET", "orders", params={"n": "1"})
    assert answer.data == {"a": Decimal("12345678901234.56789"), "b": Decimal("0.000001"), "c": 7}
    assert (answer.ok, answer.status, answer.cookies) == (True, 200, {"sid": "abc"})
    assert script.requests[0].path_qs == "/api/orders?n=1"
    assert "Cookie" not in script.requests[0].headers


async def test_cookies_are_never_sent_by_themselves(http: Http, script: ScriptedServer) -> None:
    script.say(Set_Cookie="sid=abc")
    script.say()
    await http.read("GET", "x")
    await http.read("GET", "x")
    assert "Cookie" not in script.requests[1].headers


async def test_a_code_with_slashes_stays_one_step_of_the_path(http: Http, script: ScriptedServer) -> None:
    script.say()
    await http.read("GET", "stock/A%2FB%2050%25%231")
    assert script.requests[0].rel_url.raw_path == "/api/stock/A%2FB%2050%25%231"


@each_row(
    ("body", "data"),
    [
        (b"", None),
        (b" \n", None),
        (b"[1, 2.50]", [1, Decimal("2.50")]),
        (b"plain", "plain"),
        (b'{"a": NaN}', '{"a": NaN}'),
        (b"[" * 100_000, "[" * 100_000),
        ("中文".encode("gbk"), "\ufffd\ufffd\ufffd\ufffd"),
        (b'{"a": 1', '{"a": 1'),
        (b'{"a": 1e9999999999999999999}', '{"a": 1e9999999999999999999}'),
    ],
)
def test_bodies(body: bytes, data: object) -> None:
    assert parse_body(body) == data


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("0.5", 0.5),
        ("Tue, 24 Nov 2026 02:30:09 GMT", 9),
        ("Tue, 24 Nov 2026 02:00:00 GMT", 0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
async def test_a_limit_names_its_seconds(http: Http, script: ScriptedServer, text: str, seconds: float | None) -> None:
    script.say("{}", 429, Retry_After=text)
    with pytest.raises(RateLimited) as caught:
        await http.read("GET", "x")
    assert (caught.value.retry_after, caught.value.source) == (seconds, "acme")


PAGE = "<html><body>Maintenance</body></html>"


@pytest.mark.parametrize(
    ("text", "status", "read", "write"),
    [
        (PAGE, 200, Unavailable, UnknownOutcome),
        (PAGE, 502, Unavailable, UnknownOutcome),
        (PAGE, 504, Unavailable, UnknownOutcome),
        (PAGE, 503, Unavailable, Unavailable),
        ("{}", 503, Unavailable, Unavailable),
    ],
)
async def test_pages_are_no_answers(
    http: Http, script: ScriptedServer, text: str, status: int, read: type[ErpError], write: type[ErpError]
) -> None:
    for send, error in ((http.read, read), (http.write, write)):
        script.say(text, status)
        with pytest.raises(ErpError) as caught:
            await send("POST", "x")
        assert type(caught.value) is error


async def test_a_page_that_refuses_is_left_to_the_adapter(http: Http, script: ScriptedServer) -> None:
    script.say(PAGE, 401)
    answer = await http.read("GET", "x")
    assert (answer.status, answer.data) == (401, PAGE)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
async def test_a_write_whose_connection_breaks_goes_out_once(http: Http, script: ScriptedServer, method: str) -> None:
    for _ in range(2):
        # The first write opens the connection; the second finds it in the pool.
        script.say()
        await http.write(method, "x")
        script.break_off()
        with pytest.raises(UnknownOutcome, match="broken off"):
            await http.write(method, "x")
    assert len(script.requests) == 4


async def test_a_read_on_a_connection_that_died_while_idle_is_mended(http: Http, script: ScriptedServer) -> None:
    script.say()
    await http.read("GET", "x")
    script.break_off()
    script.say('{"n": 1}')
    assert (await http.read("GET", "x")).data == {"n": 1}


async def test_a_read_that_is_broken_off_is_unavailable(http: Http, script: ScriptedServer) -> None:
    script.break_off()
    with pytest.raises(Unavailable, match="broken off"):
        await http.read("POST", "x")


async def test_silence_ends_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        options = HttpOptions(url=f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.05, write_timeout=0.05)
        http = Http(options, now=lambda: NOW, source="acme")
        with pytest.raises(Unavailable, match="in time"):
            await http.read("GET", "x")
        with pytest.raises(UnknownOutcome, match="in time"):
            await http.write("POST", "x")
        await http.close()


async def test_who_is_not_there_did_nothing() -> None:
    with socket.socket() as gone:
        gone.bind(("127.0.0.1", 0))
        http = Http(HttpOptions(url=f"http://127.0.0.1:{gone.getsockname()[1]}"), now=lambda: NOW, source="acme")
        for send in (http.read, http.write):
            with pytest.raises(Unavailable, match="no connection"):
                await send("POST", "x")
        await http.close()


async def test_an_endless_answer_is_not_read_to_the_end(
    http: Http, script: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.erp.http._LONGEST", 1_000)
    script.say('"' + "x" * 5_000 + '"')
    with pytest.raises(Unavailable):
        await http.read("GET", "x")


@each_row("value", ["a\nb", "a\r\nX-Role: admin", "\0", "a\x7f"])
@each_row("write", [False, True])
async def test_what_fits_no_header_is_invalid_and_not_sent(
    http: Http, script: ScriptedServer, value: str, write: bool
) -> None:
    with pytest.raises(Invalid):
        await (http.write if write else http.read)("POST", "x", headers={"Authorization": value})
    assert not script.requests


async def test_redirects_are_not_followed(http: Http, script: ScriptedServer) -> None:
    script.say("{}", 302, Location="http://127.0.0.1:9/login")
    answer = await http.read("GET", "x")
    assert isinstance(refusal(answer), Unavailable)


@each_row(
    ("status", "error"),
    [
        (401, AuthExpired),
        (403, NotPermitted),
        (404, NotFound),
        (409, Conflict),
        (412, Conflict),
        (400, Invalid),
        (422, Invalid),
        (302, Unavailable),
        (500, Unavailable),
    ],
)
def test_statuses(status: int, error: type[ErpError]) -> None:
    found = refusal(HttpResponse(status, {}, None, {}), what="SO-1", source="acme")
    assert (type(found), found.source) == (error, "acme")


def test_a_failure_of_the_server_leaves_a_write_open() -> None:
    answer = HttpResponse(500, {}, None, {}, failure=UnknownOutcome)
    with pytest.raises(UnknownOutcome):
        answer.checked()
    assert HttpResponse(204, {}, None, {}).checked() is None


def test_words_are_one_short_line() -> None:
    assert words("<p>Not <b>enough</b>&nbsp;stock</p>\n  in\tstore") == "Not enough stock in store"
    assert words("a < b and c > d") == "a < b and c > d"
    assert len(words("x" * 5_000)) == 300


@each_row("wrong", [{"url": "ftp://x"}, {"url": ""}, {"timeout": 0}, {"passwort": "x"}])
def test_options_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HttpOptions.model_validate({"url": "https://erp.example.com", **wrong})


def test_certificates_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    for file in ("ca.pem", "missing.pem"):
        options = HttpOptions(url="https://erp.example.com", ca_file=tmp_path / file)
        with pytest.raises(ConfigurationError, match="ca_file"):
            Http(options, now=lambda: NOW, source="acme")


TOO_MANY = {
    "empty arrays": "[" + ",".join(["[]"] * 200_001) + "]",
    "objects": "[" + ",".join(["{}"] * 200_001) + "]",
    "numbers": "[" + ",".join(["0"] * 1_000_002) + "]",
}


@pytest.mark.parametrize("what", TOO_MANY)
async def test_an_answer_with_too_many_values_is_not_taken_apart(
    what: str, http: Http, script: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> object:
        raise AssertionError("it is parsed")

    monkeypatch.setattr("bot.erp.http.parse_body", refuse)
    script.say(TOO_MANY[what])
    with pytest.raises(Unavailable, match="broken off"):
        await http.read("GET", "/list")


async def test_a_large_answer_is_taken_apart_beside_the_loop(
    http: Http, script: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def parse(body: bytes, *, patient: bool = False) -> object:
        threads.append((threading.current_thread() is threading.main_thread(), patient))
        return parse_body(body, patient=patient)

    monkeypatch.setattr("bot.erp.http.parse_body", parse)
    rows = [{"sku": f"SKU{number}", "price": 1.50, "count": number} for number in range(5_000)]
    for text in (json.dumps(rows), "[1]"):
        script.say(text)
        assert (await http.read("GET", "/list")).data == json.loads(text, parse_float=Decimal)
    assert threads == [(False, True), (True, False)]


def test_a_patient_parser_reads_the_same() -> None:
    body = b'[{"a": 1, "b": [1.50, -2, 3e2], "c": {"d": null, "e": "x"}}, 12345678901234567890]'
    assert parse_body(body, patient=True) == parse_body(body)
    assert [type(value) for value in parse_body(body, patient=True)[0]["b"]] == [Decimal, int, Decimal]
    deep = b"[" * 100_000
    assert parse_body(deep, patient=True) == deep.decode()
