"""One vendor's HTTP: a pooled session with time-outs, where every failure becomes one of `bot.erp.errors`.

Nothing is repeated here: the hub repeats reads, and a write is sent once. Answers are read as JSON with exact
numbers. No address, header, query or body reaches a log or an error: they may hold keys and prices.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any

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
from bot.errors import ConfigurationError

USER_AGENT = "dingerp"

_CONNECTIONS = 20
_WORDS = 200
"""How much of an ERP's own words is kept."""


class HttpOptions(BaseModel):
    """Options that every source on HTTP has; a vendor's options subclass this."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="Where the ERP answers, such as https://erp.example.com.")
    timeout: float = Field(4.0, gt=0, le=120, description="Seconds that one read may take.")
    write_timeout: float = Field(15.0, gt=0, le=300, description="Seconds that one decision may take to be confirmed.")
    ca_file: Path | None = Field(None, description="Certificates to trust instead of the system's.")
    proxy: str | None = Field(None, description="Address of an HTTP proxy.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the ERP answered: ``data`` is the body as JSON (numbers exact), or its text where it is not JSON."""

    status: int
    headers: Mapping[str, str]
    data: Any
    cookies: Mapping[str, str]
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the status is of the 2xx."""
        return 200 <= self.status < 300


class Http:
    """Requests to one source; ``close`` it. Made lazily, so that opening a source needs no network."""

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
        self._session: aiohttp.ClientSession | None = None

    async def read(self, method: str, path: str, **how: Any) -> Answer:
        """Send a request that changes nothing (a login too) and return the answer, whatever its status.

        ``how``: ``params``, ``json``, ``data``, ``headers`` as in aiohttp. Raises `Unavailable` for a time-out, a
        broken connection or a page instead of data, and `RateLimited` with the seconds to wait.
        """
        return await self._send(method, path, self._options.timeout, Unavailable, how)

    async def write(self, method: str, path: str, **how: Any) -> Answer:
        """Send a request that changes something, once.

        Raises `UnknownOutcome` where it may have happened (time-out, connection broken after it was sent, a page
        instead of data), `Unavailable` where it surely has not (no connection), `RateLimited`.
        """
        return await self._send(method, path, self._options.write_timeout, UnknownOutcome, how)

    async def close(self) -> None:
        """Give connections back."""
        if self._session is not None:
            await self._session.close()

    async def _send(
        self, method: str, path: str, seconds: float, broken: type[ErpError], how: dict[str, Any]
    ) -> Answer:
        address = path if path.startswith(("http://", "https://")) else f"{self._base}/{path.lstrip('/')}"
        attempt = SimpleNamespace(sent=False)
        try:
            async with (
                asyncio.timeout(seconds),
                self._opened().request(
                    method, address, trace_request_ctx=attempt, ssl=self._ssl, allow_redirects=False, **how
                ) as response,
            ):
                body = await response.read()
        except aiohttp.ClientConnectorError as error:
            raise Unavailable(f"no connection: {type(error).__name__}", source=self.source) from None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            late = "no answer in time" if isinstance(error, TimeoutError) else f"broken off: {type(error).__name__}"
            raise (broken if attempt.sent else Unavailable)(late, source=self.source) from None
        return self._answer(response, body, broken)

    def _answer(self, response: aiohttp.ClientResponse, body: bytes, broken: type[ErpError]) -> Answer:
        retry_after = self._retry_after(response.headers.get("Retry-After"))
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise RateLimited("too many requests", source=self.source, retry_after=retry_after)
        data = parse_body(body)
        if response.status in _DOWN or (_is_page(data) and 200 <= response.status < 300):
            # A gateway's page does not say whether the write behind it was done; 503 comes from before it.
            error = Unavailable if response.status == HTTPStatus.SERVICE_UNAVAILABLE else broken
            raise error(f"status {response.status} with no data", source=self.source, retry_after=retry_after)
        cookies = {name: morsel.value for name, morsel in response.cookies.items()}
        return Answer(response.status, response.headers, data, cookies, retry_after)

    def _retry_after(self, text: str | None) -> float | None:
        """Return the seconds that a ``Retry-After`` header names, in either of its spellings."""
        if not text:
            return None
        if text.strip().replace(".", "", 1).isdecimal():
            return float(text)
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - self._now()).total_seconds())

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            trace = aiohttp.TraceConfig()
            trace.on_request_headers_sent.append(_note_sent)
            trace.on_connection_create_start.append(_refuse_repeat)
            trace.on_connection_reuseconn.append(_refuse_repeat)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
                # Sessions are told by the adapters' own headers: a jar would mix the accounts of several people.
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": USER_AGENT},
                timeout=aiohttp.ClientTimeout(total=None),
                trace_configs=[trace],
                proxy=self._options.proxy,
            )
        return self._session


_DOWN = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})


async def _note_sent(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
    context.trace_request_ctx.sent = True


async def _refuse_repeat(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
    # aiohttp (3.14) itself sends PUT and DELETE a second time when a connection breaks; a write goes out once.
    if context.trace_request_ctx.sent:
        raise aiohttp.ClientConnectionError("broken off after it was sent")


def parse_body(body: bytes) -> Any:
    """Return a body as JSON with every fraction a `Decimal`, else as text; an empty one is None."""
    if not body.strip():
        return None
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return body.decode("utf-8", errors="replace")


def _is_page(data: Any) -> bool:
    return isinstance(data, str) and data.lstrip()[:1] == "<"


def words(data: Any) -> str:
    """Return an ERP's own words for an error, short enough to show."""
    text = data if isinstance(data, str) and not _is_page(data) else ""
    return " ".join(text.split())[:_WORDS]


def refusal(answer: Answer, text: str = "", *, what: str = "", source: str = "") -> ErpError:
    """Return the error that an answer's status stands for, where the vendor does not say it better.

    ``text`` is the ERP's own, ``what`` is what was asked for.
    """
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
            return Unavailable(text or f"status {status}", source=source)
        case _:
            return Invalid(text or f"status {answer.status}", source=source)
