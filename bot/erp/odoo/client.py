"""Client for one Odoo: JSON-2 (19 and later) or JSON-RPC (14 to 18), depending on its release."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pydantic import SecretStr

from bot.erp.errors import (
    AuthExpired,
    AuthFailed,
    CompanyNotChosen,
    Conflict,
    ErpError,
    Invalid,
    NotFound,
    NotPermitted,
    Unavailable,
    Unsupported,
)
from bot.erp.expiring import COMPANIES_HOLD, ExpiringValue
from bot.erp.http import Http, HttpResponse, refusal, words
from bot.erp.keys import batches
from bot.erp.odoo.options import OdooOptions
from bot.erp.relogin import Relogin


@dataclass(frozen=True, slots=True)
class Account:
    """The user who makes a call; an API key belongs to one user."""

    login: str
    key: SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCall:
    """A call of a model's method; ``ids`` is None for methods of the model, not of records."""

    model: str
    method: str
    ids: tuple[int, ...] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    writes: bool = False


class Transport(Protocol):
    """A protocol to call methods; raises `bot.erp.errors` classes, `UnknownOutcome` for a write without an answer."""

    async def call(self, account: Account, call: MethodCall) -> Any:
        """Return the method's result as JSON with exact numbers."""
        ...


class Json2Transport:
    """``POST /json/2/<model>/<method>`` with named arguments and the API key in a header."""

    def __init__(self, http: Http, database: str) -> None:
        self._http = http
        self._host = {"X-Odoo-Database": database} if database else {}

    async def call(self, account: Account, call: MethodCall) -> Any:
        body = dict(call.arguments)
        if call.ids is not None:
            body["ids"] = list(call.ids)
        if call.context:
            body["context"] = dict(call.context)
        send = self._http.write if call.writes else self._http.read
        headers = {"Authorization": f"bearer {account.key.get_secret_value()}", **self._host}
        answer = await send("POST", f"json/2/{call.model}/{call.method}", json=body, headers=headers)
        if answer.ok:
            return answer.data
        raise _http_error(answer, self._http.source, found_odoo=True)


class JsonRpcTransport:
    """``POST /jsonrpc``: ``execute_kw`` with database, user id and key in every call; errors come with status 200."""

    def __init__(self, http: Http, database: str) -> None:
        self._http = http
        self._database = database
        self._logins: dict[Account, Relogin[int]] = {}

    async def call(self, account: Account, call: MethodCall) -> Any:
        login = self._logins.get(account)
        if login is None:
            login = self._logins[account] = Relogin(lambda: self._authenticate(account))
        return await login.run(lambda uid: self._execute(uid, account, call))

    async def _authenticate(self, account: Account) -> int:
        arguments = [self._database, account.login, account.key.get_secret_value(), {}]
        try:
            uid = await self.ask(self._http.read, "common", "authenticate", arguments)
        except AuthExpired as error:
            raise AuthFailed(error.detail, source=self._http.source) from None
        if not isinstance(uid, int) or not uid:
            raise AuthFailed("the account is refused", source=self._http.source)
        return uid

    async def _execute(self, uid: int, account: Account, call: MethodCall) -> Any:
        arguments = dict(call.arguments)
        # By position: before 16, search_count and create have other names for these arguments.
        first: list[Any] = [arguments.pop(name) for name in ("domain", "vals_list") if name in arguments]
        if call.ids is not None:
            first = [list(call.ids), *first]
        if call.context:
            arguments["context"] = dict(call.context)
        send = self._http.write if call.writes else self._http.read
        key = account.key.get_secret_value()
        return await self.ask(
            send, "object", "execute_kw", [self._database, uid, key, call.model, call.method, first, arguments]
        )

    async def ask(self, send: Callable[..., Any], service: str, method: str, arguments: list[Any]) -> Any:
        """Return the result of a method of a service."""
        params = {"service": service, "method": method, "args": arguments}
        answer: HttpResponse = await send(
            "POST", "jsonrpc", json={"jsonrpc": "2.0", "method": "call", "params": params, "id": 1}
        )
        if not answer.ok or not isinstance(answer.data, dict):
            raise _http_error(answer, self._http.source)
        if "error" in answer.data:
            raise _rpc_error(answer, self._http.source)
        return answer.data.get("result")


_BY_NAME: Mapping[str, type[ErpError]] = {
    "odoo.exceptions.AccessDenied": AuthExpired,
    "odoo.http.SessionExpiredException": AuthExpired,
    "werkzeug.exceptions.Unauthorized": AuthExpired,
    "odoo.exceptions.AccessError": NotPermitted,
    "werkzeug.exceptions.Forbidden": NotPermitted,
    "odoo.exceptions.UserError": Invalid,
    "odoo.exceptions.ValidationError": Invalid,
    "odoo.exceptions.RedirectWarning": Invalid,
    "odoo.exceptions.Warning": Invalid,
    "odoo.exceptions.except_orm": Invalid,
    "werkzeug.exceptions.UnprocessableEntity": Invalid,
    "werkzeug.exceptions.BadRequest": Invalid,
    # Names that this release or database lacks: a retry would fail too.
    "builtins.ValueError": Invalid,
    "builtins.TypeError": Invalid,
    "builtins.KeyError": Invalid,
    "builtins.AttributeError": Unsupported,
    "werkzeug.exceptions.NotFound": Unsupported,
    "odoo.exceptions.LockError": Conflict,
    "odoo.exceptions.ConcurrencyError": Conflict,
    "psycopg2.errors.SerializationFailure": Conflict,
    "psycopg2.errors.LockNotAvailable": Conflict,
    "psycopg2.errors.DeadlockDetected": Conflict,
}


def _named(name: str, text: str, source: str) -> ErpError | None:
    if name == "odoo.exceptions.MissingError":
        return NotFound(text, source=source)
    kind = _BY_NAME.get(name)
    return None if kind is None else kind(text, source=source)


_NO_DATABASE = "this Odoo has no database of the configured name, or has several and none is named"


def _http_error(answer: HttpResponse, source: str, *, found_odoo: bool = False) -> ErpError:
    """Return the error for an HTTP status, by Odoo's exception name if there is one; ``debug`` is never read."""
    data = _object(answer.data)
    text = words(str(data.get("message", "")))
    if 300 <= answer.status < 400:
        return Unavailable("sent elsewhere: is the name of the database right?", source=source)
    if answer.ok:
        return answer.failure("an answer without data", source=source)
    if "name" not in data and answer.status == 404:
        # Its release was read before: Odoo says this for a database that it does not have.
        return Unavailable(_NO_DATABASE if found_odoo else "no Odoo at this address", source=source)
    found = _named(str(data.get("name", "")), text, source) or refusal(answer, text, source=source)
    # The API key is the login, so there is nothing to renew.
    return AuthFailed(found.detail, source=source) if isinstance(found, AuthExpired) else found


def _rpc_error(answer: HttpResponse, source: str) -> ErpError:
    """Return the error of a JSON-RPC envelope by its name; its code differs between releases."""
    error = _object(answer.data["error"])
    data = _object(error.get("data"))
    text = words(str(data.get("message") or error.get("message", "")))
    if error.get("code") == 100:
        return AuthExpired(text, source=source)
    return _named(str(data.get("name", "")), text, source) or answer.failure(text, source=source)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


Row = dict[str, Any]
"""A record as Odoo sends it: False for what is empty, many2one as ``[id, name]``, naive times in UTC."""
Domain = Sequence[Any]
"""A condition in Odoo's prefix notation."""
Release = tuple[int, int]

_MOST_COMPANIES = 100
PAGE = 500
"""Records per request."""
_JSON2_SINCE: Release = (18, 4)
"""Odoo 19 has JSON-2, and so has the hosted release before it, which reports itself as saas~18.4."""


class OdooClient:
    """Calls to one source."""

    def __init__(self, options: OdooOptions, *, now: Callable[[], datetime], source: str) -> None:
        self.source = source
        self.bot = Account(options.user, options.key)
        self._options = options
        self._http = Http(options, now=now, source=source)
        self._turn = asyncio.Semaphore(options.parallel)
        self._now = now
        self._opened = ExpiringValue(self._open, now=now)
        self._one_company = ExpiringValue(self._require_one_company, now=now, holds=COMPANIES_HOLD)
        self._fields: dict[str, ExpiringValue[frozenset[str]]] = {}
        self._context: dict[str, Any] = {}
        if options.language:
            self._context["lang"] = options.language
        if options.company is not None:
            self._context["allowed_company_ids"] = [options.company]

    async def release(self) -> Release:
        """Return the major and minor version of the server."""
        return (await self._opened.value())[0]

    async def call(
        self,
        model: str,
        method: str,
        *,
        ids: Iterable[int] | None = None,
        context: Mapping[str, Any] | None = None,
        account: Account | None = None,
        writes: bool = False,
        **arguments: Any,
    ) -> Any:
        """Call a method once and return its result; as the bot unless ``account`` is given. Methods of records need
        ``ids``. Raises `CompanyNotChosen` where the settings name none of several companies."""
        call = MethodCall(
            model=model,
            method=method,
            ids=None if ids is None else tuple(ids),
            arguments=arguments,
            context={**self._context, **(context or {})},
            writes=writes,
        )
        _, transport = await self._opened.value()
        if self._options.company is None:
            await self._one_company.value()
        try:
            async with asyncio.timeout(self._options.timeout):
                await self._turn.acquire()
        except TimeoutError:
            # Nothing was sent, because too many calls are queued.
            raise Unavailable("too many calls are waiting", source=self.source) from None
        try:
            return await transport.call(account or self.bot, call)
        finally:
            self._turn.release()

    async def fields(self, model: str) -> frozenset[str]:
        """Return the names of a model's fields, which depend on release, installed apps and rights.

        Raises `Unsupported` where the database lacks the model.
        """
        if model not in self._fields:
            self._fields[model] = ExpiringValue(lambda: self._fields_of(model), now=self._now)
        return await self._fields[model].value()

    async def rows(
        self,
        model: str,
        domain: Domain,
        fields: Iterable[str],
        *,
        order: str,
        offset: int = 0,
        limit: int,
        page: int | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> list[Row]:
        """Return up to ``limit`` records, ``page`` (`PAGE`) at a time; fields that this release lacks are left out."""
        known = await self._known(model, fields)
        found: list[Row] = []
        while len(found) < limit:
            size = min(page or PAGE, limit - len(found))
            rows = await self.search(
                model, domain, known, order=order, offset=offset + len(found), limit=size, context=context
            )
            found += rows
            if len(rows) < size:
                break
        return found

    async def search(
        self,
        model: str,
        domain: Domain,
        fields: list[str],
        *,
        order: str,
        offset: int = 0,
        limit: int,
        context: Mapping[str, Any] | None = None,
    ) -> list[Row]:
        """Return the records of a single request; each of ``fields`` must exist."""
        paging: dict[str, Any] = {"offset": offset} if offset else {}
        return await self._rows(
            model,
            "search_read",
            context=context,
            domain=list(domain),
            fields=fields,
            limit=limit,
            order=order,
            **paging,
        )

    async def count(self, model: str, domain: Domain, *, context: Mapping[str, Any] | None = None) -> int:
        """Return the number of matching records."""
        found = await self.call(model, "search_count", domain=list(domain), context=context)
        return found if isinstance(found, int) else 0

    async def read(
        self, model: str, ids: Iterable[int], fields: Iterable[str], *, context: Mapping[str, Any] | None = None
    ) -> dict[int, Row]:
        """Return records by id, including archived ones; missing ones are left out."""
        known = await self._known(model, fields)
        found: dict[int, Row] = {}
        for batch in batches(sorted(set(ids)), PAGE):
            rows = await self._rows(model, "read", ids=batch, fields=known, context=context)
            found |= {row["id"]: row for row in rows}
        return found

    async def close(self) -> None:
        await self._http.close()

    async def _rows(self, model: str, method: str, **arguments: Any) -> list[Row]:
        try:
            rows = await self.call(model, method, **arguments)
        except (Invalid, Unsupported):
            # The server may have been upgraded or have lost an app: read its release and fields again next time.
            self._forget()
            raise
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Unavailable("an answer that is no list of records", source=self.source)
        return rows

    def _forget(self) -> None:
        self._opened = ExpiringValue(self._open, now=self._now)
        self._fields.clear()

    async def _known(self, model: str, fields: Iterable[str]) -> list[str]:
        available = await self.fields(model)
        return [name for name in fields if name in available]

    async def _fields_of(self, model: str) -> frozenset[str]:
        try:
            return frozenset(await self.call(model, "fields_get", attributes=["type"]))
        except Invalid as error:
            # JSON-RPC reports "Object mrp.production doesn't exist" as a user error.
            raise Unsupported(f"no {model} here: is its app installed?", source=self.source) from error

    async def _require_one_company(self) -> None:
        """Look at the companies of the bot's account: without a choice, Odoo tells of all of them together."""
        _, transport = await self._opened.value()
        arguments = {"domain": [], "fields": ["name"], "limit": _MOST_COMPANIES, "order": "id asc"}
        everywhere: Mapping[str, Any] = {"allowed_company_ids": []}
        rows = await transport.call(
            self.bot, MethodCall(model="res.company", method="search_read", arguments=arguments, context=everywhere)
        )
        companies = {row["id"]: str(row["name"]) for row in rows}
        if len(companies) > 1:
            raise CompanyNotChosen(companies, source=self.source)

    async def _open(self) -> tuple[Release, Transport]:
        """Read the release, first at the address of 19, then at that of older releases."""
        answer = await self._http.read("GET", "web/version")
        rpc = JsonRpcTransport(self._http, self._options.database)
        version_info = answer.data.get("version_info") if answer.ok and isinstance(answer.data, dict) else None
        if version_info is None:
            version = await rpc.ask(self._http.read, "common", "version", [])
            version_info = version.get("server_version_info") if isinstance(version, dict) else None
        release = _release(version_info, self.source)
        return release, Json2Transport(self._http, self._options.database) if release >= _JSON2_SINCE else rpc


def _release(version_info: Any, source: str) -> Release:
    """Parse ``[18, 0, 0, "final", 0, ""]`` or ``["saas~18", 4, …]``."""
    try:
        return int(str(version_info[0]).rpartition("~")[2]), int(version_info[1])
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise Unavailable("no Odoo that tells its release", source=source) from error
