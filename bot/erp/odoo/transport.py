"""The two ways of calling an Odoo: JSON-2 (19 and later) and JSON-RPC (14 to 18), which say the same differently.

Both raise `bot.erp.errors` classes. An error in Odoo's own envelope means that its transaction was rolled back, so that
a refused write has surely not happened (ERP sheet, 3.1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import SecretStr

from bot.erp.errors import (
    AuthExpired,
    AuthFailed,
    Conflict,
    ErpError,
    Invalid,
    NotFound,
    NotPermitted,
    Unavailable,
    Unsupported,
)
from bot.erp.http import Answer, Http, refusal, words
from bot.erp.relogin import Relogin


@dataclass(frozen=True, slots=True)
class Account:
    """In whose name a call is made; an API key belongs to one user."""

    login: str
    key: SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a model's method: ``ids`` for methods of records, None for methods of the model."""

    model: str
    method: str
    ids: tuple[int, ...] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    writes: bool = False


class Transport(Protocol):
    """A way of calling; raises `bot.erp.errors` classes, `UnknownOutcome` for a write without an answer."""

    async def call(self, account: Account, call: Call) -> Any:
        """Return what the method returned, as JSON with exact numbers."""
        ...


class Json2:
    """``POST /json/2/<model>/<method>`` with named arguments and the API key in a header."""

    def __init__(self, http: Http, database: str) -> None:
        self._http = http
        self._host = {"X-Odoo-Database": database} if database else {}

    async def call(self, account: Account, call: Call) -> Any:
        """Return the bare value of the answer."""
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
        raise _of_envelope(answer, self._http.source)


class JsonRpc:
    """``POST /jsonrpc``: ``execute_kw`` with database, user id and key in every call; errors come with status 200."""

    def __init__(self, http: Http, database: str) -> None:
        self._http = http
        self._database = database
        self._logins: dict[Account, Relogin[int]] = {}

    async def call(self, account: Account, call: Call) -> Any:
        """Return the result, after asking once for the account's user id."""
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

    async def _execute(self, uid: int, account: Account, call: Call) -> Any:
        arguments = dict(call.arguments)
        # By position what every release takes by position: search_count named it otherwise before 16.
        first: list[Any] = [] if "domain" not in arguments else [arguments.pop("domain")]
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
        answer: Answer = await send(
            "POST", "jsonrpc", json={"jsonrpc": "2.0", "method": "call", "params": params, "id": 1}
        )
        if not answer.ok or not isinstance(answer.data, dict):
            raise _of_envelope(answer, self._http.source)
        if "error" in answer.data:
            raise _of_rpc(answer, self._http.source)
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
    # What we asked for does not exist in this release or database: no fault that goes away by itself.
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
    """Return the error that the name of an exception stands for, if known."""
    if name == "odoo.exceptions.MissingError":
        return NotFound(text, source=source)
    kind = _BY_NAME.get(name)
    return None if kind is None else kind(text, source=source)


def _of_envelope(answer: Answer, source: str) -> ErpError:
    """Return the error of an HTTP status, by Odoo's own name where there is one; ``debug`` is never looked at."""
    data = _object(answer.data)
    text = words(str(data.get("message", "")))
    if 300 <= answer.status < 400:
        return Unavailable("sent elsewhere: is the name of the database right?", source=source)
    if answer.ok:
        return answer.failure("an answer without data", source=source)
    if "name" not in data and answer.status == 404:
        return Unavailable("no Odoo at this address", source=source)
    found = _named(str(data.get("name", "")), text, source) or refusal(answer, text, source=source)
    # The key is the login: nothing renews it.
    return AuthFailed(found.detail, source=source) if isinstance(found, AuthExpired) else found


def _of_rpc(answer: Answer, source: str) -> ErpError:
    """Return the error of a JSON-RPC envelope; its code differs between releases, its name does not."""
    error = _object(answer.data["error"])
    data = _object(error.get("data"))
    text = words(str(data.get("message") or error.get("message", "")))
    if error.get("code") == 100:
        return AuthExpired(text, source=source)
    return _named(str(data.get("name", "")), text, source) or answer.failure(text, source=source)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
