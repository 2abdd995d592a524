"""A Tryton 8 server on JSON-RPC: sessions, typed values, domains, buttons with rules, and errors with status 200.

Like the real one, it accepts calls with exactly ``id``, ``method`` and ``params``, the last of which is the context. It
never cuts off pages but refuses those above its ``records_limit``. It compresses long answers only for clients that
accept it, but always says in the header that it did.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from bot.erp.model import Area, Verdict
from bot.kit.testing.company import Clock, DecisionNotAllowed, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET, FakeServer, ParsedRequest, RequestKind
from tests.bare_records import with_review
from tests.erp.fakes.tryton_approvers import DECIDED, DECIDERS, groups_of, in_review
from tests.erp.fakes.tryton_query import Record, TrytonFault, find, project
from tests.erp.fakes.tryton_records import decode, encode, tables

DATABASE = "company"
USER = "bot"
RECORDS_LIMIT = 10
"""Maximum length of a page; longer ones are refused (HTTP 413)."""

_IDLE = timedelta(minutes=5)
_LONG = 1_400
"""Length in characters from which on an answer is declared as compressed."""

_AREAS = {
    "stock.shipment.out": Area.SALES,
    "stock.shipment.in": Area.PURCHASING,
    "product": Area.PRODUCTS,
    "stock": Area.STOCK,
    "sale": Area.SALES,
    "account": Area.FINANCE,
    "purchase": Area.PURCHASING,
    "production": Area.PRODUCTION,
}
_OF_DECISIONS = ("ir.model.log", "ir.model.button.rule", "ir.model.button.click", "ir.note")
_BILLS = str(["type", "=", "in"])
"""How a question for suppliers' invoices tells itself from those for customers'."""
_OF_COMPANY = (
    *("sale.sale", "sale.line", "purchase.purchase", "purchase.line", "account.invoice", "production"),
    *("stock.move", "stock.shipment.out", "stock.order_point", "account.move.line", "account.move"),
    *("stock.shipment.in", "stock.shipment.in.return"),
    "account.general_ledger.account.party",
)
_WRITES = ("confirm", "post", "cancel", "create")


class TrytonUserError(Exception):
    """An error for users: a missing right, a wrong state or a wrong value."""


class FakeTryton(FakeServer):
    """The server of one database; everybody in the company has an account with the password `SECRET`."""

    def __init__(self, company: ReferenceCompany, clock: Clock) -> None:
        super().__init__(company, clock)
        self._people: dict[str, str] = {}
        self._used: dict[str, datetime] = {}
        self.calls: list[tuple[str, list[Any]]] = []
        """Methods and parameters of all calls of models, in order."""
        self.records_limit = RECORDS_LIMIT
        self.second_company: ReferenceCompany | None = None
        """The company that the account is shown besides its own, if it is set to be shown all of its companies."""
        self.warning: tuple[str, str, str] | None = None
        """Name, message and description of a question that blocks every confirmation."""

    # Requests

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return (web.post("/{database}/rpc/", self._rpc),)

    async def understand(self, request: web.Request) -> ParsedRequest:
        try:
            body = await request.json()
            method = str(body["method"])
        except (ValueError, TypeError, KeyError):
            return ParsedRequest(RequestKind.OTHER)
        if method == "common.db.login":
            return ParsedRequest(RequestKind.LOGIN)
        model, _, name = method.removeprefix("model.").rpartition(".")
        asked = str(body["params"])
        of_purchases = (model in _OF_DECISIONS and "sale.sale" not in asked) or (
            model == "account.invoice" and _BILLS in asked
        )
        area = (
            Area.PURCHASING
            if of_purchases
            else Area.SALES
            if model in _OF_DECISIONS
            else _AREAS.get(model) or _AREAS.get(model.partition(".")[0])
        )
        return ParsedRequest(RequestKind.WRITE if name in _WRITES else RequestKind.READ, area, self._session(request))

    def _session(self, request: web.Request) -> str | None:
        """Return the key of ``Session base64(login:id:key)`` if all three match and it has not expired."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        try:
            login, user_id, key = base64.b64decode(text, validate=True).decode().split(":")
        except (ValueError, binascii.Error):
            return None
        if scheme != "Session" or self._people.get(key) != login or user_id != str(self._user_id(login)):
            return None
        if self.clock.now() - self._used[key] > _IDLE:
            self.faults.sessions.discard(key)
        self._used[key] = self.clock.now()
        return key

    # Answers

    def say_login_refused(self, request: web.Request) -> web.StreamResponse:
        return _page(401, "Unauthorized")

    def say_login_needed(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=401)

    def say_rate_limited(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:
        return _page(429, "Too Many Requests", {} if retry_after is None else {"Retry-After": f"{retry_after:g}"})

    def say_forbidden(self, request: web.Request, call: ParsedRequest) -> web.StreamResponse:
        return _say(request, {"id": 1, "error": _user_error('You are not allowed to access "Document".')})

    async def _rpc(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if request.match_info["database"] != DATABASE:
            return _page(404, "Not Found")
        if set(body) != {"id", "method", "params"}:
            return _page(400, "Bad Request")
        try:
            result = self._dispatch(request, body["method"], decode(body["params"]))
        except web.HTTPException as error:
            return _page(error.status, error.reason)
        except TrytonUserError as error:
            return _say(request, {"id": body["id"], "error": _user_error(str(error))})
        except _Warning as error:
            return _say(request, {"id": body["id"], "error": ["UserWarning", list(error.args)]})
        except _Concurrency as error:
            return _say(request, {"id": body["id"], "error": ["ConcurrencyException", str(error)]})
        except TrytonFault as error:
            return _say(request, {"id": body["id"], "error": [str(error), ""]})
        return _say(request, {"id": body["id"], "result": encode(result)})

    def _dispatch(self, request: web.Request, method: str, params: list[Any]) -> Any:
        if method == "common.db.login":
            return self._login(*params)
        if not params or not isinstance(params[-1], dict):
            raise web.HTTPUnprocessableEntity
        *params, context = params
        model, _, name = method.removeprefix("model.").rpartition(".")
        known: dict[str, Callable[..., Any]] = {
            "search_read": self._search_read,
            "search_count": self._search_count,
            "get_preferences": self._preferences,
            "get_access": self._access,
            "fields_get": self._fields,
            "confirm": self._approve,
            "post": self._approve,
            "cancel": self._cancel,
            "create": self._create,
        }
        if name not in known:
            raise web.HTTPForbidden
        self.calls.append((method, params))
        login = self._people[self._session(request) or ""]
        return known[name](model, login, context, *params)

    def _login(self, login: str, parameters: Mapping[str, str], _language: str | None = None) -> list[Any]:
        if parameters != {"password": SECRET} or login not in self._logins():
            raise web.HTTPUnauthorized
        key = self.new_session()
        self._people[key], self._used[key] = login, self.clock.now()
        return [self._user_id(login), key, None]

    def _logins(self) -> list[str]:
        return [USER, *(user.id for user in self.company.users)]

    def _user_id(self, login: str) -> int:
        return self._logins().index(login) + 2

    # Reading

    def _search_read(
        self,
        model: str,
        login: str,
        context: Mapping[str, Any],
        domain: list[Any],
        offset: int = 0,
        limit: int | None = None,
        order: list[list[str]] | None = None,
        fields: list[str] | None = None,
    ) -> list[Any]:
        if limit is not None and limit > self.records_limit:
            raise web.HTTPRequestEntityTooLarge(self.records_limit, limit)
        records = find(self.table(model, context, domain), domain, order or [["id", "ASC"]])
        page = records[offset : None if limit is None else offset + limit]
        return [project(record, [*(fields or []), "id"]) for record in page]

    def _search_count(
        self, model: str, login: str, context: Mapping[str, Any], domain: list[Any], offset: int = 0, limit: Any = None
    ) -> int:
        return len(find(self.table(model, context, domain), domain, [["id", "ASC"]]))

    def alter(self, model: str, change: Callable[[list[Record]], list[Record]]) -> None:
        """Let a model hold other records."""
        genuine = self.table

        def table(name: str, context: Mapping[str, Any], domain: list[Any]) -> list[Record]:
            found = genuine(name, context, domain)
            return change(found) if name == model else found

        self.table = table  # type: ignore[method-assign]  # what the fake holds

    def table(self, model: str, context: Mapping[str, Any], domain: list[Any]) -> list[dict[str, Any]]:
        """Return the records of a model that the account is shown; disabled ones only for a domain about them."""
        known = tables(self.company, context)
        if model not in known:
            raise TrytonFault(repr(model))
        records = known[model]()
        if self.second_company is not None and model in _OF_COMPANY:
            records += tables(self.second_company, context, 2)[model]()
        return records if "'active'" in str(domain) else [record for record in records if record.get("active", True)]

    def _preferences(self, model: str, login: str, context: Mapping[str, Any], context_only: bool) -> dict[str, Any]:
        groups = groups_of(self.company, login, nobody=self.faults.forbidden_to_decide)
        shown = {"companies": [1, 2], "company_filter": "one" if self.second_company is None else "all"}
        person = {"employee": None, "language": "zh_CN", "groups": groups, "locale": {"decimal_point": "."}}
        return {"company": 1, **shown, **person}

    def _fields(self, model: str, login: str, context: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
        (record, *_) = self.table(model, context, [])
        return {name: {"name": name, "type": "date"} for name in names if name in record}

    def _access(self, model: str, login: str, context: Mapping[str, Any], models: list[str]) -> dict[str, Any]:
        return {name: {"read": 1, "write": 1, "create": 1, "delete": 1} for name in models}

    # Deciding

    def _approve(self, model: str, login: str, context: Mapping[str, Any], ids: list[int]) -> None:
        kind = DECIDED[model].kind
        for document in self._pressed(model, DECIDED[model].approve, login, ids):
            approval, number = document.review.progress, document.number
            if self.warning is not None:
                raise _Warning(*self.warning)
            if login not in approval.pending_for:
                # Clicks that a rule does not count: of a group that is not asked, or by the same person again.
                continue
            if approval.level == approval.levels:
                self._check_stamp(model, document, context)
                self.company.decide(number, Verdict.APPROVE, login, kind=kind)
                continue
            # Only the click is stored: the document itself is not written.
            clicked = self.company.decide(number, Verdict.APPROVE, login, kind=kind)
            self.company.documents(kind)[number] = replace(clicked, changed_at=document.changed_at)

    def _cancel(self, model: str, login: str, context: Mapping[str, Any], ids: list[int]) -> None:
        for document in self._pressed(model, "cancel", login, ids):
            self._check_stamp(model, document, context)
            try:
                self.company.decide(document.number, Verdict.REJECT, login, kind=DECIDED[model].kind)
            except DecisionNotAllowed:
                raise TrytonUserError('You are not allowed to access "Document".') from None

    def _pressed(self, model: str, button: str, login: str, ids: list[int]) -> list[Any]:
        """Return the documents that a button was pressed on, after the server's own checks."""
        if DECIDERS not in groups_of(self.company, login, nobody=self.faults.forbidden_to_decide):
            raise TrytonUserError(f'Calling button "{button} on "Document" is not allowed.')
        documents = [each for each in self.company.documents(DECIDED[model].kind).values() if int(each.id) in ids]
        for document in documents:
            if not document.review.waits:
                raise TrytonUserError(f'You can not call "{button}" on "{document.number}" of "Document".')
        return documents

    def _check_stamp(self, model: str, document: Any, context: Mapping[str, Any]) -> None:
        known = context.get("_timestamp", {}).get(f"{model},{document.id}")
        if known is not None and known != in_review(self.company, model, document)["_timestamp"]:
            raise _Concurrency("Records were modified in the meanwhile")

    def _create(self, model: str, login: str, context: Mapping[str, Any], values: list[dict[str, str]]) -> list[int]:
        if model != "ir.note":
            raise web.HTTPForbidden
        for note in values:
            about, _, document_id = note["resource"].partition(",")
            kept: dict[str, Any] = self.company.documents(DECIDED[about].kind)
            document = next(each for each in kept.values() if each.id == document_id)
            if document.review.progress.decided_by == login:
                explained = replace(document.review.approval, reason=note["message"])
                kept[document.number] = with_review(document, approval=explained)
        return [1 + n for n in range(len(values))]


class _Warning(Exception):
    """A question to the user."""


class _Concurrency(Exception):
    """A record changed since it was read."""


def _user_error(message: str) -> list[Any]:
    return ["UserError", [message, "", None]]


def _page(status: int, reason: str, headers: Mapping[str, str] | None = None) -> web.Response:
    text = f"<!doctype html>\n<html lang=en>\n<title>{status} {reason}</title>\n<h1>{reason}</h1>\n"
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def _say(request: web.Request, body: dict[str, Any]) -> web.Response:
    data = json.dumps(body, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json"}
    if len(data) > _LONG:
        headers["Content-Encoding"] = "gzip"
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            data = gzip.compress(data, 1)
    return web.Response(body=data, headers=headers)
