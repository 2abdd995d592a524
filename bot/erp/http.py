"""HTTP client for one source: a pooled session with timeouts that maps every failure to `bot.erp.errors`.

There are no retries here: the hub repeats reads, and a write is sent once. Answers are parsed as JSON with exact
numbers. No URL, header, query or body reaches a log or an error, as they may contain keys and prices.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import aiohttp
from pydantic import BaseModel, ConfigDict, Field

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
from bot.mechanisms.version import user_agent
from bot.words.errors import ConfigurationError

_CONNECTIONS = 20
_LONGEST = 32 * 1024 * 1024
"""Maximum bytes of an answer; a page of a list is about a thousandth of it."""
_MOST_CONTAINERS, _MOST_VALUES = 200_000, 1_000_000
"""Objects and arrays of an answer, and values in all: 31 MB of empty arrays took 950 MB and a minute (measured)."""
_LARGE = 100_000
"""Bytes from which an answer is parsed in a thread; a smaller one takes about a millisecond."""
_WORDS = 300
"""Maximum length of an ERP's message."""

_DOWN = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})


class HttpOptions(BaseModel):
    """Options of every source that uses HTTP; the options of vendors inherit from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://\S+$", description="Where the ERP answers, such as https://erp.example.com.")
    timeout: float = Field(4.0, gt=0, le=120, description="Seconds that one question may take.")
    write_timeout: float = Field(15.0, gt=0, le=300, description="Seconds that one decision may take to be confirmed.")
    ca_file: Path | None = Field(None, description="Certificates to trust instead of the system's.")
    proxy: str | None = Field(None, description="Address of an HTTP proxy.")


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer of the ERP: ``data`` is the body as JSON (with exact numbers), or its text if it is not JSON."""

    status: int
    headers: Mapping[str, str]
    data: Any
    cookies: Mapping[str, str]
    retry_after: float | None = None
    failure: type[ErpError] = Unavailable
    """The error for a failure of the server: `UnknownOutcome` for a write."""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def checked(self, *, what: str = "", source: str = "") -> Any:
        """Return ``data`` if the answer is `ok`; otherwise raises its `refusal`."""
        if not self.ok:
            raise refusal(self, what=what, source=source)
        return self.data


class Http:
    """Requests to one source. Connects lazily, so that opening a source needs no network; has to be closed."""

    def __init__(self, options: HttpOptions, *, now: Callable[[], datetime], source: str) -> None:
        """Raises `ConfigurationError` for certificates that cannot be read."""
        self.source = source
        self._options = options
        self._base = options.url.rstrip("/")
        self._now = now
        self._ssl: ssl.SSLContext | bool = True
        if options.ca_file is not None:
            try:
                self._ssl = ssl.create_default_context(cafile=options.ca_file)
            except (OSError, ssl.SSLError) as error:
                raise ConfigurationError(f"ERP source {source!r}: ca_file cannot be read: {error}") from None
        self._reads: aiohttp.ClientSession | None = None
        self._writes: aiohttp.ClientSession | None = None

    async def read(self, method: str, path: str, **arguments: Any) -> HttpResponse:
        """Send a request that changes nothing (including a login) and return the answer, whatever its status.

        ``arguments`` may be ``params``, ``json``, ``data`` and ``headers`` as in aiohttp. Raises `Unavailable` for a
        timeout, a broken connection or an HTML page, and `RateLimited` with the seconds to wait.
        """
        if self._reads is None:
            self._reads = _session(aiohttp.TCPConnector(limit=_CONNECTIONS), self._options.proxy)
        return await self._send(self._reads, method, path, self._options.timeout, Unavailable, arguments)

    async def write(self, method: str, path: str, **arguments: Any) -> HttpResponse:
        """Send a request that changes something once.

        Raises `UnknownOutcome` if it may have been executed (timeout, connection broken after sending, an HTML page),
        `Unavailable` if it certainly was not (no connection), `RateLimited`.
        """
        if self._writes is None:
            # A new connection for each write: if the ERP closes an idle connection just then, a write that it
            # never read looks the same as one whose answer was lost.
            self._writes = _session(aiohttp.TCPConnector(force_close=True), self._options.proxy)
        return await self._send(self._writes, method, path, self._options.write_timeout, UnknownOutcome, arguments)

    async def close(self) -> None:
        for session in (self._reads, self._writes):
            if session is not None:
                await session.close()

    async def _send(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        seconds: float,
        failure: type[ErpError],
        arguments: dict[str, Any],
    ) -> HttpResponse:
        address = path if path.startswith(("http://", "https://")) else f"{self._base}/{path.lstrip('/')}"
        if not all(_fits_header(value) for value in (arguments.get("headers") or {}).values()):
            raise Invalid("a value that has to go into a header has a control character", source=self.source)
        attempt = SimpleNamespace(sent=False, once=failure is UnknownOutcome)
        try:
            async with (
                asyncio.timeout(seconds),
                session.request(
                    method,
                    address,
                    trace_request_ctx=attempt,
                    ssl=self._ssl,
                    allow_redirects=False,
                    **arguments,
                ) as response,
            ):
                body = await _body(response)
                data = await _parsed(body)
        except aiohttp.ClientConnectorError as error:
            raise Unavailable(f"no connection: {type(error).__name__}", source=self.source) from None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            late = "no answer in time" if isinstance(error, TimeoutError) else f"broken off: {type(error).__name__}"
            raise (failure if attempt.sent else Unavailable)(late, source=self.source) from None
        return self._answer(response, data, failure)

    def _answer(self, response: aiohttp.ClientResponse, data: Any, failure: type[ErpError]) -> HttpResponse:
        retry_after = self._retry_after(response.headers.get("Retry-After"))
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise RateLimited("too many requests", source=self.source, retry_after=retry_after)
        if response.status in _DOWN or (_is_page(data) and 200 <= response.status < 300):
            # A gateway's page does not say whether the server executed the write; 503 comes from the gateway itself.
            error = Unavailable if response.status == HTTPStatus.SERVICE_UNAVAILABLE else failure
            raise error(f"status {response.status} with no data", source=self.source, retry_after=retry_after)
        cookies = {name: morsel.value for name, morsel in response.cookies.items()}
        return HttpResponse(response.status, response.headers, data, cookies, retry_after, failure)

    def _retry_after(self, text: str | None) -> float | None:
        """Return the seconds of a ``Retry-After`` header in either of its formats."""
        if not text:
            return None
        if re.fullmatch(r"\d+(\.\d+)?", text.strip()):
            return float(text)
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - self._now()).total_seconds())


def _session(connector: aiohttp.TCPConnector, proxy: str | None) -> aiohttp.ClientSession:
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_note_sent)
    trace.on_connection_create_start.append(_refuse_repeat)
    return aiohttp.ClientSession(
        connector=connector,
        # Adapters send sessions in their own headers: a cookie jar would mix the accounts of several people.
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent()},
        timeout=aiohttp.ClientTimeout(total=None),
        trace_configs=[trace],
        proxy=proxy,
    )


def _fits_header(value: str) -> bool:
    return not any((letter < " " and letter != "\t") or letter == "\x7f" for letter in value)


async def _note_sent(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
    context.trace_request_ctx.sent = True


async def _refuse_repeat(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
    # aiohttp (3.14) repeats PUT and DELETE by itself when a connection breaks, but a write must be sent once.
    if context.trace_request_ctx.once and context.trace_request_ctx.sent:
        raise aiohttp.ClientConnectionError("broken off after it was sent")


async def _body(response: aiohttp.ClientResponse) -> bytes:
    parts, length = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        length += len(part)
        if length > _LONGEST:
            response.close()
            raise aiohttp.ClientPayloadError("the answer is too long")
    return b"".join(parts)


async def _parsed(body: bytes) -> Any:
    """Return a body as `parse_body` does, without stopping the loop for a large one."""
    if len(body) < _LARGE:
        return parse_body(body)
    # Commas and brackets in texts count, too: no page of a list comes near these numbers.
    if body.count(b"[") + body.count(b"{") > _MOST_CONTAINERS or body.count(b",") > _MOST_VALUES:
        raise aiohttp.ClientPayloadError("the answer has too many values")
    return await asyncio.to_thread(parse_body, body, patient=True)


def parse_body(body: bytes, *, patient: bool = False) -> Any:
    """Return a body as JSON with every fraction as `Decimal`, else as text; None if it is empty.

    A thread that is ``patient`` lets others work at every object and number: the parser itself, which is no Python
    code, would keep the interpreter to itself until its end.
    """
    if not body.strip():
        return None
    hooks: dict[str, Any] = {"object_pairs_hook": lambda pairs: dict(pairs), "parse_int": lambda digits: int(digits)}
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant, **(hooks if patient else {}))
    except (ValueError, RecursionError, ArithmeticError):  # the last for a number that no decimal can hold
        return body.decode("utf-8", errors="replace")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _is_page(data: Any) -> bool:
    return isinstance(data, str) and data.lstrip()[:1] == "<"


def words(text: str) -> str:
    """Return an ERP's message as one line without tags, truncated."""
    return " ".join(html.unescape(re.sub(r"</?[a-zA-Z!][^<>]*>", " ", text)).split())[:_WORDS]


def refusal(answer: HttpResponse, text: str = "", *, what: str = "", source: str = "") -> ErpError:
    """Return the error for an answer's status, if the vendor's own error does not say more.

    ``text`` is the ERP's message, ``what`` the requested document. For a failure of the server it is
    `HttpResponse.failure`.
    """
    text = words(text) or f"status {answer.status}"
    match answer.status:
        case 401:
            return AuthExpired(text, source=source)
        case 403:
            return NotPermitted(text, source=source)
        case 404:
            return NotFound(what, source=source)
        case 409 | 412:
            return Conflict(text, source=source)
        case status if status >= 500:
            return answer.failure(text, source=source)
        case status if 300 <= status < 400:
            # Another system's login page, or a moved address.
            return Unavailable(text, source=source)
        case _:
            return Invalid(text, source=source)
