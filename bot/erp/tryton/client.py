"""Client for Tryton's JSON-RPC: values and domains, sessions that expire after five idle minutes, and errors."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from bot.erp.errors import (
    AuthFailed,
    Conflict,
    ErpError,
    Invalid,
    NotPermitted,
    Unavailable,
    Unsupported,
)
from bot.erp.http import Http, HttpResponse, refusal, words
from bot.erp.keys import escape_like
from bot.erp.relogin import Relogin
from bot.erp.tryton.options import TrytonOptions

Row = dict[str, Any]
Domain = list[Any]
"""A list of conditions joined by AND, or by OR if it starts with ``"OR"``."""
Order = list[list[str]]


def encode(value: Any) -> Any:
    """Return a value in Tryton's JSON; times become UTC, which its databases store."""
    match value:
        case datetime():
            utc = value.astimezone(UTC)
            clock = {name: getattr(utc, name) for name in ("hour", "minute", "second", "microsecond")}
            return {"__class__": "datetime", "year": utc.year, "month": utc.month, "day": utc.day, **clock}
        case date():
            return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
        case Decimal():
            return {"__class__": "Decimal", "decimal": str(value)}
        case Mapping():
            return {name: encode(item) for name, item in value.items()}
        case list() | tuple():
            return [encode(item) for item in value]
        case _:
            return value


def decode(value: Any) -> Any:
    """Return an answer's value as a Python object; raises `ValueError` for a malformed one."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    try:
        match value.get("__class__"):
            case "Decimal":
                return Decimal(value["decimal"])
            case "date":
                return date(value["year"], value["month"], value["day"])
            case "datetime":
                day = date(value["year"], value["month"], value["day"])
                clock = time(value["hour"], value["minute"], value["second"], value["microsecond"], tzinfo=UTC)
                return datetime.combine(day, clock)
            case "timedelta":
                return timedelta(seconds=float(value["seconds"]))
            case _:
                return {name: decode(item) for name, item in value.items()}
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise ValueError(f"not a value of Tryton: {type(error).__name__}") from error


def at(row: Row, path: str) -> Any:
    """Return a field of a record or, by a path such as ``party.name``, of a related record; None if there is none.

    Raises `KeyError` for a field that was not requested.
    """
    *relations, name = path.split(".")
    for relation in relations:
        row = row[f"{relation}."]
        if row is None:
            return None
    return row[name]


def some(row: Row, relation: str) -> list[Row]:
    """Return the records of a to-many relation whose fields were requested."""
    return row[f"{relation}."] or []


def containing(text: str, fields: Iterable[str]) -> Domain:
    """Return the conditions for records with ``text`` in one of ``fields``, ignoring case; none for an empty text."""
    return [["OR", *([field, "ilike", f"%{escape_like(text)}%"] for field in fields)]] if text else []


Send = Callable[..., Awaitable[HttpResponse]]

_DISTINCT_PAGE = 200

_OF_COMPANY: Mapping[str, str] = {
    **dict.fromkeys(("sale.sale", "purchase.purchase", "account.invoice", "production"), "company"),
    **dict.fromkeys(("stock.move", "stock.shipment.out", "stock.order_point", "purchase.product_supplier"), "company"),
    **dict.fromkeys(("stock.shipment.in", "stock.shipment.in.return"), "company"),
    "sale.line": "sale.company",
    "purchase.line": "purchase.company",
    "account.move.line": "move.company",
    "account.general_ledger.account.party": "account.company",
}
"""Where the records of a model name their company. An account may be shown those of several at once."""

_SEARCHES = ("search_read", "search_count")

_CONTEXT = ("company", "employee", "language")
"""Preferences that a client sends back as context, so that the server answers for this company and person."""


class TrytonRefusal(Invalid):
    """Tryton's ``UserError``: a missing right, a wrong state or a wrong value. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Session:
    """A login that works until it has idled too long."""

    authorization: str = field(repr=False)
    context: Mapping[str, Any]
    companies: tuple[int, ...] = ()
    """The companies whose records the account is shown."""


class Account:
    """A person's account, which logs in on first use and again when the session has expired."""

    def __init__(self, client: TrytonClient, user: str, password: SecretStr) -> None:
        self.user = user
        self._client, self._password = client, password
        self._relogin = Relogin(self._login)

    def is_of(self, password: SecretStr) -> bool:
        """Whether it logs in with this password."""
        return self._password == password

    async def companies(self) -> tuple[int, ...]:
        """Return the companies whose records the account is shown."""

        async def companies(session: Session) -> tuple[int, ...]:
            return session.companies

        return await self._relogin.run(companies)

    async def read(self, model: str, method: str, *params: Any, context: Mapping[str, Any] | None = None) -> Any:
        """Call a method that changes nothing; a ``UserError`` then means a missing right: `NotPermitted`."""
        try:
            return await self._call(self._client.http.read, model, method, params, context)
        except TrytonRefusal as error:
            raise NotPermitted(error.detail, source=error.source) from None

    async def write(self, model: str, method: str, *params: Any, context: Mapping[str, Any] | None = None) -> Any:
        """Call a method that changes something once.

        Raises `TrytonRefusal`, `Conflict` or `Invalid` as Tryton refuses.
        """
        return await self._call(self._client.http.write, model, method, params, context)

    async def search(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        order: Order | None = None,
        offset: int = 0,
        limit: int | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> list[Row]:
        """Return matching records page by page, up to ``limit`` if given."""
        found: list[Row] = []
        order = order or [["id", "ASC"]]
        while True:
            size = self._client.page if limit is None else min(self._client.page, limit - len(found))
            if size <= 0:
                return found
            start = offset + len(found)
            rows = await self.read(model, "search_read", domain, start, size, order, list(fields), context=context)
            found += rows
            if len(rows) < size:
                return found

    async def distinct(self, model: str, domain: Domain, relation: str, known: Collection[int] = ()) -> set[int]:
        """Return the ids, besides those ``known``, of the records to which a relation of matching records leads.

        Each page makes at least one of them known, so that few calls are needed for many records.
        """
        found: set[int] = set()
        while True:
            unknown = [*domain, [relation, "!=", None], [relation, "not in", sorted({*known, *found})]]
            rows = await self.search(model, unknown, (relation,), limit=_DISTINCT_PAGE)
            found |= {row[relation] for row in rows}
            if len(rows) < _DISTINCT_PAGE:
                return found

    async def count(self, model: str, domain: Domain, *, context: Mapping[str, Any] | None = None) -> int:
        """Return the number of matching records."""
        return int(await self.read(model, "search_count", domain, 0, None, context=context))

    async def _call(
        self, send: Send, model: str, method: str, params: Sequence[Any], context: Mapping[str, Any] | None
    ) -> Any:
        name = f"model.{model}.{method}"

        async def call(session: Session) -> Any:
            wanted = _of_company(session, model, params) if method in _SEARCHES else params
            arguments = [*wanted, {**session.context, **(context or {})}]
            return await self._client.call(send, name, arguments, session.authorization, model=model)

        return await self._relogin.run(call)

    async def _login(self) -> Session:
        client = self._client
        try:
            password = {"password": self._password.get_secret_value()}
            user_id, key, *_ = await client.call(client.http.read, "common.db.login", [self.user, password])
            authorization = b64encode(f"{self.user}:{user_id}:{key}".encode()).decode()
            preferences = await client.call(
                client.http.read, "model.res.user.get_preferences", [True, {}], authorization
            )
        except (TypeError, ValueError):
            raise Unavailable("not an answer to a login", source=client.http.source) from None
        except Invalid as error:
            # A server started for other databases does not know any model of this one.
            raise Unavailable(f"the database does not answer: {error.detail}", source=error.source) from None
        context = {name: preferences[name] for name in _CONTEXT if preferences.get(name) is not None}
        return Session(authorization, context | client.context, _shown_companies(preferences))


def _shown_companies(preferences: Mapping[str, Any]) -> tuple[int, ...]:
    """Return all of an account's companies or, unless it is set to be shown all, its current one."""
    if preferences.get("company_filter") == "all":
        return tuple(preferences.get("companies") or ())
    return (preferences["company"],) if preferences.get("company") else ()


def _of_company(session: Session, model: str, params: Sequence[Any]) -> list[Any]:
    """Return the parameters of a search for records of the session's company alone."""
    domain, *others = params
    path, company = _OF_COMPANY.get(model), session.context.get("company")
    return [domain if path is None or company is None else [[path, "=", company], domain], *others]


class TrytonClient:
    """One database of a server."""

    def __init__(self, options: TrytonOptions, http: Http) -> None:
        self.http = http
        self.page = options.page
        chosen = {"company": options.company, "language": options.language}
        self.context = {name: value for name, value in chosen.items() if value}
        self._database = options.database
        self._path = f"{quote(options.database, safe='')}/rpc/"

    async def call(
        self, send: Send, method: str, params: Sequence[Any], authorization: str = "", *, model: str = ""
    ) -> Any:
        """Send a call once and return its result.

        Raises `AuthExpired` for an expired session and, at a login, for a wrong password.
        """
        headers = {"Authorization": f"Session {authorization}"} if authorization else {}
        body = {"id": 1, "method": method, "params": encode(params)}
        answer = await send("POST", self._path, json=body, headers=headers)
        return self._result(answer, method, model)

    def _result(self, answer: HttpResponse, method: str, model: str) -> Any:
        source = self.http.source
        match answer.status:
            case 403:
                raise Unsupported(f"Tryton does not offer {method}", source=source)
            case 404:
                raise AuthFailed(f"there is no database {self._database!r}", source=source)
            case 413:
                raise Invalid("the option page is above the server's records_limit", source=source)
            case _ if not answer.ok:
                raise refusal(answer, answer.data if isinstance(answer.data, str) else "", source=source)
        if isinstance(answer.data, dict) and "error" in answer.data:
            raise _error(answer.data["error"], model, source)
        try:
            return decode(answer.data["result"])
        except (KeyError, TypeError, ValueError):
            raise answer.failure("not an answer of Tryton", source=source) from None


def _error(error: Any, model: str, source: str) -> ErpError:
    """Return the error that a Tryton error object stands for."""
    match error:
        case ["UserError", [str() as message, description, *_]]:
            return TrytonRefusal(words(f"{message} {description or ''}"), source=source)
        case ["UserWarning", [_, message, *description]]:
            # A question that the user has to answer in Tryton's client.
            return Invalid(words(" ".join(str(part) for part in (message, *description) if part)), source=source)
        case ["ConcurrencyException", *_]:
            return Conflict("changed meanwhile", source=source)
        case ["LoginException", *_]:
            return AuthFailed("the login wants more than a password", source=source)
        case [str() as text, *_] if model and text == repr(model):
            return Unsupported(f"Tryton's module with {model} is not installed", source=source)
        case [str() as text, *_]:
            return Invalid(words(text), source=source)
        case _:
            return Invalid("refused without a word", source=source)
