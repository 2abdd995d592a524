"""Installations of the reference company: the base of every vendor's fake server.

A vendor's fake subclasses `FakeServer` and writes only wire formats: its routes, its records as its JSON, its writes on
the company by its rules, and how it words a refusal. Sessions, faults, the log of requests and the clock are here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar, Protocol, runtime_checkable
from uuid import uuid4

import orjson
from aiohttp import web

from bot.erp.kinds import Kind
from bot.erp.model import Area
from bot.kit.testing.company import Clock, ReferenceCompany

SECRET = "s3cret-8c41-never-in-logs"  # noqa: S105  # invented; the contract looks for it in logs and errors
"""The password, key or token that a fake accepts; no log line and no error may repeat it."""

MAINTENANCE = "<!DOCTYPE html><html><body><h1>Maintenance</h1><p>系统维护中</p></body></html>"

_BARRIER_SECONDS = 2.0
"""Longest time that writes wait for one another: an adapter may rightly send only one of them."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RequestKind(StrEnum):
    """What a request is for."""

    LOGIN = "login"
    READ = "read"
    WRITE = "write"
    OTHER = "other"
    """Neither data nor login, such as a version or a list of databases; faults of data don't affect it."""


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A request as the fake understood it; ``session`` is the token or cookie it came with."""

    kind: RequestKind
    area: Area | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A request as it arrived."""

    method: str
    path: str
    call: ParsedRequest
    headers: dict[str, str]


@dataclass(slots=True)
class RequestLog:
    """Every request in order of arrival, those that a fault swallowed included."""

    entries: list[LoggedRequest] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once there is a request."""

    def add(self, entry: LoggedRequest) -> None:
        """Remember a request."""
        self.entries.append(entry)
        self.arrived.set()

    def of(self, kind: RequestKind, area: Area | None = None) -> list[LoggedRequest]:
        return [entry for entry in self.entries if entry.call.kind is kind and area in (None, entry.call.area)]

    def count(self, kind: RequestKind, area: Area | None = None) -> int:
        """Return how many requests of a kind (and area) arrived."""
        return len(self.of(kind, area))

    def clear(self) -> None:
        """Forget all."""
        self.entries.clear()
        self.arrived.clear()


@dataclass(frozen=True, slots=True)
class LostWrite:
    """A write whose answer gets lost; see `ServerFaults.lose_write_answer`."""

    happens: bool
    hang: bool
    then_down: bool
    meanwhile: Callable[[], object]


class ServerFaults:
    """What goes wrong at a fake server until `clear`. Faults of single requests end by themselves."""

    def __init__(self, *, logins: bool = True) -> None:
        """``logins``: a session is needed, which can run out."""
        self.logins = logins
        self.sessions: set[str] = set()
        self._released = asyncio.Event()
        self._gate = asyncio.Event()
        self.clear()

    def clear(self) -> None:
        """Let everything work again, and answer the requests that hang."""
        self._released.set()
        self._released = asyncio.Event()
        self._gate.set()
        self.refuse_logins = False
        self.sessions_die = False
        self.rate_limited = 0
        self.retry_after: float | None = None
        self.page: tuple[int, str] | None = None
        self.hanging = False
        self.seconds = 0.0
        self.resets = 0
        self.lost_write: LostWrite | None = None
        self.forbidden: set[Area] = set()
        self.forbidden_to_decide = False
        self.barrier_size = 0
        self.waiting_at_barrier = 0

    def of_reading(self) -> Sequence[Callable[[], None]]:
        """Return the faults that end every read in an error."""
        faults = [self.refuse_login, self.maintenance, self.rate_limit, self.reset_connection, self.hang]
        # With a key that is sent with every call, no login can run out.
        return [*faults, partial(self.expire_login, always=True)] if self.logins else faults

    def expire_login(self, *, always: bool = False) -> None:
        """End all sessions now; ``always``: new ones end at once too."""
        self.sessions.clear()
        self.sessions_die = always

    def refuse_login(self) -> None:
        """Treat every account as wrong, and end all sessions."""
        self.sessions.clear()
        self.refuse_logins = True

    def rate_limit(self, times: int = 1, retry_after: float | None = 7) -> None:
        """Refuse the next ``times`` reads and writes as too many; ``retry_after`` in seconds, None: not said."""
        self.rate_limited, self.retry_after = times, retry_after

    def maintenance(self, status: int = 503) -> None:
        """Answer everything with an HTML page, with status 503 or even 200."""
        self.page = status, MAINTENANCE

    def hang(self) -> None:
        """Take every request and never answer."""
        self.hanging = True

    def slow(self, seconds: float) -> None:
        """Answer every request later."""
        self.seconds = seconds

    def reset_connection(self, times: int = 1_000) -> None:
        """Break the connection off at the next ``times`` requests, whatever they are."""
        self.resets = times

    def lose_write_answer(
        self,
        *,
        happens: bool = True,
        hang: bool = False,
        then_down: bool = False,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        """Break the connection off at the next write, after doing it or (not ``happens``) without.

        ``hang``: never answer instead. ``then_down``: from then on nothing is answered at all. ``meanwhile`` is called
        at that moment: what somebody else does.
        """
        self.lost_write = LostWrite(happens, hang, then_down, meanwhile)

    def forbid(self, *areas: Area) -> None:
        """Let the account lack the right to read these areas."""
        self.forbidden |= set(areas)

    def forbid_deciding(self) -> None:
        """Let nobody have the right to approve or reject at the ERP, whatever the company's rules say."""
        self.forbidden_to_decide = True

    def synchronize_writes(self, count: int) -> None:
        """Hold writes until ``count`` have arrived, so that none was sent after another took effect."""
        self.barrier_size, self.waiting_at_barrier, self._gate = count, 0, asyncio.Event()

    async def wait_for_release(self) -> None:
        """Wait until the faults are cleared."""
        await self._released.wait()

    async def wait_at_barrier(self) -> None:
        """Wait at the gate of `synchronize_writes`."""
        if not self.barrier_size:
            return
        self.waiting_at_barrier += 1
        if self.waiting_at_barrier >= self.barrier_size:
            self._gate.set()
        try:
            async with asyncio.timeout(_BARRIER_SECONDS):
                await self._gate.wait()
        except TimeoutError:
            self._gate.set()


class NetworkFaults(Protocol):
    """What goes wrong on any way to an ERP, and at its account, until `clear`."""

    @property
    def sessions(self) -> Collection[str]:
        """Return what a login gave out and nobody may see."""
        ...

    def clear(self) -> None:
        """Let everything work again, and answer what hangs."""
        ...

    def refuse_login(self) -> None:
        """Treat every account as wrong."""
        ...

    def hang(self) -> None:
        """Take everything and never answer."""
        ...

    def reset_connection(self) -> None:
        """Break off every connection."""
        ...

    def forbid(self, *areas: Area) -> None:
        """Let the account lack the right to read these areas."""
        ...

    def of_reading(self) -> Sequence[Callable[[], None]]:
        """Return the faults that end every read in an error."""
        ...


@runtime_checkable
class NetworkedErp(Protocol):
    """An installation behind a network: `FakeServer`, or a database behind a relay."""

    @property
    def faults(self) -> NetworkFaults: ...

    @property
    def requests(self) -> RequestLog: ...

    async def stop(self) -> None: ...


class Installation:
    """A vendor's ERP that holds the reference company. Subclass this for what has no network, such as a database."""

    def __init__(self, company: ReferenceCompany, clock: Clock) -> None:
        self.company = company
        self.clock = clock

    async def start(self) -> None:
        """Start the installation."""

    async def stop(self) -> None:
        """Stop the installation and free what it holds."""

    async def document(self, kind: Kind[Any], number: str) -> Any:
        """Return a document as the ERP has it, without asking the adapter: the true result of a decision."""
        return self.company.documents(kind)[number]


class FakeServer(Installation):
    """A vendor's server on loopback.

    Subclasses give `routes` and `understand`, and override the ``say_…`` methods where their vendor words a refusal
    in another way. In front of every route stand the log, the faults and (where `ParsedRequest.session` is used) the
    sessions.
    """

    login_needed: ClassVar[bool] = True
    """Whether reads and writes need a session from `new_session`; else the fake checks its key itself."""

    def __init__(self, company: ReferenceCompany, clock: Clock) -> None:
        super().__init__(company, clock)
        self.faults = ServerFaults(logins=self.login_needed)
        self.requests = RequestLog()
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._turn = asyncio.Lock()

    # What a vendor's fake writes

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the vendor's addresses."""
        raise NotImplementedError

    async def understand(self, request: web.Request) -> ParsedRequest:
        """Return what a request is for; may read its body (aiohttp keeps it for the route)."""
        raise NotImplementedError

    def say_login_needed(self, request: web.Request) -> web.StreamResponse:
        """Answer a request without a living session."""
        return web.json_response({"error": "login needed"}, status=401)

    def say_login_refused(self, request: web.Request) -> web.StreamResponse:
        """Answer a login with a wrong account."""
        return web.json_response({"error": "wrong account"}, status=401)

    def say_rate_limited(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:
        """Answer one request too many."""
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
        return web.json_response({"error": "too many requests"}, status=429, headers=headers)

    def say_forbidden(self, request: web.Request, call: ParsedRequest) -> web.StreamResponse:
        """Answer a read or a decision that the account has no right to."""
        return web.json_response({"error": "no permission"}, status=403)

    # Sessions

    def new_session(self) -> str:
        """Return the token of a new session."""
        token = uuid4().hex
        if not self.faults.sessions_die:
            self.faults.sessions.add(token)
        return token

    # The server

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1; `url` says where, without a slash at the end."""

        @web.middleware
        async def front(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._front(request, handler)

        app = web.Application(middlewares=[front], client_max_size=16 * 1024 * 1024)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = site.name if ":0" not in site.name else f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Answer the requests that hang, and stop."""
        self.faults.clear()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _front(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        faults = self.faults
        call = await self.understand(request)
        self.requests.add(LoggedRequest(request.method, request.path, call, dict(request.headers)))
        if faults.seconds:
            await asyncio.sleep(faults.seconds)
        if faults.hanging:
            await faults.wait_for_release()
        if faults.resets:
            faults.resets -= 1
            return _abort_connection(request)
        if faults.page is not None:
            status, page = faults.page
            return web.Response(text=page, status=status, content_type="text/html")
        return self._refusal(request, call) or await self._do(request, call, handler)

    def _refusal(self, request: web.Request, call: ParsedRequest) -> web.StreamResponse | None:
        faults = self.faults
        if call.kind is RequestKind.OTHER:
            return None
        if call.kind is RequestKind.LOGIN:
            return self.say_login_refused(request) if faults.refuse_logins else None
        if faults.rate_limited:
            faults.rate_limited -= 1
            return self.say_rate_limited(request, faults.retry_after)
        if self.login_needed and call.session not in faults.sessions:
            return self.say_login_needed(request)
        if not self.login_needed and faults.refuse_logins:
            return self.say_login_refused(request)
        if call.area in faults.forbidden or (call.kind is RequestKind.WRITE and faults.forbidden_to_decide):
            return self.say_forbidden(request, call)
        return None

    async def _do(self, request: web.Request, call: ParsedRequest, handler: Handler) -> web.StreamResponse:
        faults = self.faults
        if call.kind is not RequestKind.WRITE:
            return await handler(request)
        await faults.wait_at_barrier()
        lost, faults.lost_write = faults.lost_write, None
        # One after the other, as in a database.
        async with self._turn:
            if lost is None:
                return await handler(request)
            if lost.happens:
                await handler(request)
            lost.meanwhile()
        if lost.then_down:
            faults.reset_connection()
        if lost.hang:
            await faults.wait_for_release()
        return _abort_connection(request)


def _abort_connection(request: web.Request) -> web.StreamResponse:
    """Cut the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def exact_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with JSON in which every `Decimal` is a number with all its digits, and dates and times are ISO texts."""
    return web.Response(
        body=_json(value), status=status, headers=headers, content_type="application/json", charset="utf-8"
    )


def write_json(value: Any) -> str:
    """Return a value as JSON; the standard encoder would take a `Decimal` through a float."""
    return _json(value).decode()


def _json(value: Any) -> bytes:
    return orjson.dumps(value, default=_exact, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS)


def _exact(value: Any) -> Any:
    """Return a value that `orjson` cannot write, or would write differently, in a form that it can."""
    match value:
        case Decimal():
            return orjson.Fragment(format(value, "f"))
        case date():
            return value.isoformat()
        case Mapping():
            return dict(value)
        case _:
            raise TypeError(value)
