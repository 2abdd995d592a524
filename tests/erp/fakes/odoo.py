"""A small Odoo over HTTP, based on exchanges recorded from 18 and 19: JSON-2 from 19 on, JSON-RPC before.

It follows Odoo even where that is inconvenient for clients: approving without the right, or again, answers as approving
does; the buttons accept an order in any state; JSON-RPC errors have status 200; times are sent without microseconds but
compared with them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from aiohttp import web

from bot.erp.kinds import BILLS, PURCHASE_ORDERS, SALES_ORDERS, Kind
from bot.erp.model import Approval, Area, ReviewState, Verdict
from bot.kit.testing.company import Clock, DecisionNotAllowed, OrderNotWaiting, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET, FakeServer, ParsedRequest, RequestKind
from bot.kit.testing.reference_reviews import status_in
from tests.bare_records import with_review
from tests.erp.fakes.odoo_engine import Models, OdooEngine, OdooError, OdooModel, Record, access_error, user_error
from tests.erp.fakes.odoo_records import BOT, CompanyModels

DATABASE = "company"

_NO_PAGE = "<!doctype html>\n<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"
_BUTTONS = {"button_approve", "button_cancel", "action_confirm", "action_cancel", "action_post"}
_WRITES = {*_BUTTONS, "message_post", "create"}
_DECIDED: Mapping[str, Kind[Any]] = {
    "purchase.order": PURCHASE_ORDERS,
    "sale.order": SALES_ORDERS,
    "account.move": BILLS,
}
_OF_MODELS = {"search_read", "search_count", "fields_get", "context_get", "create"}
_ARGUMENTS = {
    "search_read": ("domain", "fields", "offset", "limit", "order"),
    "search_count": ("domain",),
    "fields_get": ("attributes",),
    "read": ("fields",),
    "message_post": ("body",),
    "create": ("vals_list",),
}
_AREAS = {
    "product.product": Area.PRODUCTS,
    "stock.quant": Area.STOCK,
    "stock.lot": Area.STOCK,
    "stock.move": Area.STOCK,
    "stock.warehouse": Area.STOCK,
    "stock.warehouse.orderpoint": Area.STOCK,
    "stock.picking": Area.SALES,
    "sale.order": Area.SALES,
    "sale.order.line": Area.SALES,
    "account.move": Area.FINANCE,
    "account.payment": Area.FINANCE,
    "purchase.order": Area.PURCHASING,
    "purchase.order.line": Area.PURCHASING,
    "mrp.production": Area.PRODUCTION,
}


def _area_of(model: str, body: str) -> Area | None:
    """Return the area of a request: a model may hold both sides of the business."""
    if model == "res.partner":
        return Area.SALES if "customer_rank" in body else Area.PURCHASING if "supplier_rank" in body else None
    if model == "stock.picking" and "purchase_id" in body:
        return Area.PURCHASING
    return Area.PURCHASING if model == "account.move" and "in_invoice" in body else _AREAS.get(model)


def key_of(login: str) -> str:
    """Return the API key of a user; the bot's is the fakes' common secret."""
    return SECRET if login == BOT else f"{SECRET}:{login}"


@dataclass(frozen=True, slots=True)
class OdooCall:
    """A call, independent of the transport."""

    model: str
    method: str
    ids: list[int] | None
    arguments: dict[str, Any]
    context: dict[str, Any]
    login: str


class FakeOdoo(FakeServer):
    """One release of Odoo; every user of the company has an API key, see `key_of`."""

    login_needed = False

    def __init__(
        self,
        company: ReferenceCompany,
        clock: Clock,
        release: tuple[int, int] = (19, 0),
        models: Models | None = None,
    ) -> None:
        super().__init__(company, clock)
        self.release = release
        self.records = CompanyModels(company, release)
        self.models: Models = models or self.records
        self.messages: list[tuple[int, str, str]] = []
        """Id of the order, login and body of every message."""
        self._logins = {key_of(login): login for login in self.records.users}

    @property
    def is_json2(self) -> bool:
        """Whether the release has JSON-2."""
        return self.release >= (18, 4)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return (
            web.get("/web/version", self._version),
            web.post("/json/2/{model}/{method}", self._json2),
            web.post("/jsonrpc", self._rpc),
        )

    def alter(self, model: str, change: Callable[[list[Record]], list[Record]]) -> None:
        """Let a model hold other records."""
        genuine = self.models

        def models(name: str) -> OdooModel | None:
            found = genuine(name)
            return replace(found, records=change(list(found.records))) if found and name == model else found

        self.models = models

    async def understand(self, request: web.Request) -> ParsedRequest:
        if request.path == "/jsonrpc":
            params = (await _body(request)).get("params", {})
            if params.get("service") == "common":
                return ParsedRequest(RequestKind.OTHER if params.get("method") == "version" else RequestKind.LOGIN)
            model, method = (*params.get("args", []), *[""] * 5)[3:5]
        elif request.path.startswith("/json/2/"):
            model, method = request.path.split("/")[3:5]
        else:
            return ParsedRequest(RequestKind.OTHER)
        kind = RequestKind.WRITE if method in _WRITES else RequestKind.READ
        return ParsedRequest(kind, _area_of(model, await request.text()))

    # How it words refusals

    def say_login_refused(self, request: web.Request) -> web.StreamResponse:
        if request.path != "/jsonrpc":
            return self._say_json2(OdooError("werkzeug.exceptions.Unauthorized", "Invalid apikey", 401))
        return self._say_rpc(OdooError("odoo.exceptions.AccessDenied", "Access Denied", 200))

    def say_forbidden(self, request: web.Request, call: ParsedRequest) -> web.StreamResponse:
        if call.kind is RequestKind.WRITE:
            # Odoo silently ignores orders that may not be approved.
            return _json(_rpc_result({}) if request.path == "/jsonrpc" else {})
        error = access_error("You are not allowed to access these records.\n\nContact your administrator.")
        return self._say_rpc(error) if request.path == "/jsonrpc" else self._say_json2(error)

    def _say_json2(self, error: OdooError) -> web.Response:
        code = [error.status] if error.name.startswith("werkzeug.") else []
        body: dict[str, Any] = {"name": error.name, "message": error.message, "arguments": [error.message, *code]}
        return _json({**body, "context": {}, "debug": "Traceback: /opt/odoo/server.py"}, error.status)

    def _say_rpc(self, error: OdooError) -> web.Response:
        data: dict[str, Any] = {"name": error.name, "debug": "Traceback: /opt/odoo/server.py", "message": error.message}
        data = {**data, "arguments": [error.message], "context": {}}
        code = 0 if self.release >= (19, 0) else 200
        return _json({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": "Odoo Server Error", "data": data}})

    # The two transports

    async def _version(self, request: web.Request) -> web.StreamResponse:
        if not self.is_json2:
            return web.Response(text=_NO_PAGE, status=404, content_type="text/html")
        major, minor = self.release
        series = f"saas~{major}" if minor else major
        return _json({"version_info": [series, minor, 0, "final", 0, ""], "version": f"{series}.{minor}"})

    async def _json2(self, request: web.Request) -> web.StreamResponse:
        if not self.is_json2:
            return web.Response(text=_NO_PAGE, status=404, content_type="text/html")
        if request.headers.get("X-Odoo-Database", DATABASE) != DATABASE:
            return web.Response(text=_NO_PAGE, status=404, content_type="text/html")
        if request.content_type != "application/json":
            return self._say_json2(OdooError("werkzeug.exceptions.UnsupportedMediaType", "no JSON", 415))
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        login = self._logins.get(key) if scheme.lower() == "bearer" else None
        if login is None:
            return self.say_login_refused(request)
        body = await _body(request)
        asked = OdooCall(
            model=request.match_info["model"],
            method=request.match_info["method"],
            ids=body.pop("ids", None),
            context=body.pop("context", {}),
            arguments=body,
            login=login,
        )
        try:
            return _json(self._answer(asked))
        except OdooError as error:
            return self._say_json2(error)

    async def _rpc(self, request: web.Request) -> web.StreamResponse:
        body = await _body(request)
        params = body["params"]
        try:
            if params["service"] == "common":
                return _json(_rpc_result(self._common(params["method"], params["args"])))
            database, uid, key, model, method, positional, named = (*params["args"], {})[:7]
            login = self._logins.get(key)
            if database != DATABASE or login is None or self.records.users[login] != uid:
                return self.say_login_refused(request)
            return _json(_rpc_result(self._answer(_by_name(model, method, positional, dict(named), login))))
        except OdooError as error:
            return self._say_rpc(error)

    def _common(self, method: str, arguments: list[Any]) -> Any:
        major, minor = self.release
        if method == "version":
            info = [major, minor, 0, "final", 0, ""]
            version = {"server_version": f"{major}.{minor}-20250702", "server_version_info": info}
            return {**version, "server_serie": f"{major}.{minor}", "protocol_version": 1}
        if method in ("login", "authenticate"):
            database, login, key = arguments[:3]
            return database == DATABASE and self._logins.get(key) == login and self.records.users[login]
        raise OdooError("builtins.AttributeError", f"no method {method}", 500)

    # The methods

    def _answer(self, asked: OdooCall) -> Any:
        method = self._methods().get(asked.method)
        if method is None:
            OdooEngine(self.models, self.release).model(asked.model)
            raise self._no_method(asked)
        if (asked.ids is not None) is (asked.method in _OF_MODELS):
            raise OdooError("werkzeug.exceptions.UnprocessableEntity", "cannot call with these ids", 422)
        for name in asked.arguments:
            if name not in _ARGUMENTS.get(asked.method, ()):
                raise self._unknown_argument(name)
        return method(asked, **asked.arguments)

    def _no_method(self, asked: OdooCall) -> OdooError:
        if self.is_json2:
            message = f"The method '{asked.model}.{asked.method}' does not exist"
            return OdooError("werkzeug.exceptions.NotFound", message, 404)
        message = f"The method '{asked.method}' does not exist on the model '{asked.model}'"
        return OdooError("builtins.AttributeError", message, 500)

    def _unknown_argument(self, name: str) -> OdooError:
        message = f"got an unexpected keyword argument {name!r}"
        if self.is_json2:
            return OdooError("werkzeug.exceptions.UnprocessableEntity", message, 422)
        return OdooError("builtins.TypeError", message, 500)

    def _methods(self) -> Mapping[str, Callable[..., Any]]:
        engine = OdooEngine(self.models, self.release)
        return {
            "context_get": self._context_get,
            "fields_get": lambda asked, attributes=None: engine.fields_get(asked.model, attributes),
            "search_read": partial(_search_read, engine),
            "search_count": lambda asked, domain: engine.search_count(asked.model, domain, asked.context),
            "read": lambda asked, fields: engine.read(asked.model, asked.ids or [], fields, asked.context),
            "button_approve": self._approve,
            "button_cancel": self._cancel,
            "action_confirm": self._agree,
            "action_post": self._agree,
            "action_cancel": self._cancel,
            "message_post": self._message_post,
            "create": self._create,
        }

    def _context_get(self, asked: OdooCall) -> dict[str, Any]:
        return {"lang": "zh_CN", "tz": "Asia/Shanghai", "uid": self.records.users[asked.login]}

    def _approve(self, asked: OdooCall) -> dict[str, Any]:
        """Approve without a word: also what waits no more, and nothing for those without the right."""
        kind, found = self._asked_for(asked)
        for document in found:
            try:
                self.company.decide(document.number, Verdict.APPROVE, asked.login, kind=kind)
            except DecisionNotAllowed:
                continue
            except OrderNotWaiting:
                if any(asked.login == user.id and user.levels for user in self.company.users):
                    self._overwrite(kind, document, ReviewState.APPROVED, asked.login)
        return {}

    def _agree(self, asked: OdooCall) -> bool:
        """Confirm or post drafts, and refuse anything else."""
        kind, found = self._asked_for(asked)
        for document in found:
            try:
                self.company.decide(document.number, Verdict.APPROVE, asked.login, kind=kind)
            except DecisionNotAllowed as error:
                raise access_error("You are not allowed to modify these records.") from error
            except OrderNotWaiting as error:
                raise user_error(f"{document.number} must be in draft.") from error
        return True

    def _cancel(self, asked: OdooCall) -> Any:
        kind, found = self._asked_for(asked)
        for document in found:
            if document.review.state is ReviewState.DONE:
                raise user_error(f"You cannot cancel the locked order {document.number}.")
            if asked.method == "action_cancel" and not asked.context.get("disable_cancel_warning"):
                return {"type": "ir.actions.act_window", "res_model": "sale.order.cancel"}
            reasons = [body for key, login, body in self.messages if (str(key), login) == (document.id, asked.login)]
            reason = reasons[-1] if reasons else ""
            try:
                self.company.decide(document.number, Verdict.REJECT, asked.login, reason, kind=kind)
            except DecisionNotAllowed as error:
                raise access_error("You are not allowed to modify these records.") from error
            except OrderNotWaiting:
                self._overwrite(kind, document, ReviewState.CANCELLED, asked.login)
        return None

    def _overwrite(self, kind: Kind[Any], document: Any, state: ReviewState, login: str) -> None:
        """Set the state regardless of the old one, like the buttons."""
        now = self.clock.now()
        self.company.documents(kind)[document.number] = with_review(
            replace(document, changed_at=now, **status_in(kind, state)),
            state=state,
            version=str(int(document.review.version) + 1),
            approval=Approval(decided_by=login, decided_at=now),
            changed_by=login,
        )

    def _create(self, asked: OdooCall, vals_list: list[dict[str, Any]]) -> list[int]:
        if asked.model != "sale.order":
            raise self._no_method(asked)
        if asked.login == self.records.guest:
            raise access_error("You are not allowed to create 'Sales Order' (sale.order) records.")
        return [self.records.begin_order(asked.login, self.clock.now(), **values) for values in vals_list]

    def _message_post(self, asked: OdooCall, body: str) -> list[int]:
        for document in self._asked_for(asked)[1]:
            self.messages.append((int(document.id), asked.login, body))
        return [769 + len(self.messages)]

    def _asked_for(self, asked: OdooCall) -> tuple[Kind[Any], list[Any]]:
        if asked.model not in _DECIDED:
            raise self._no_method(asked)
        kind, ids = _DECIDED[asked.model], {str(key) for key in asked.ids or ()}
        found = [each for each in self.company.documents(kind).values() if each.id in ids and each.review]
        if len(found) != len(ids):
            raise OdooError("odoo.exceptions.MissingError", "Record does not exist or has been deleted.", 404)
        return kind, found


def _search_read(
    engine: OdooEngine,
    asked: OdooCall,
    domain: list[Any],
    fields: list[str],
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
) -> list[dict[str, Any]]:
    return engine.search_read(asked.model, domain, fields, asked.context, offset=offset, limit=limit, order=order)


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        raise web.HTTPBadRequest(text="no JSON") from None
    return body if isinstance(body, dict) else {}


def _by_name(model: str, method: str, positional: list[Any], named: dict[str, Any], login: str) -> OdooCall:
    """Return a call of ``execute_kw`` with the names of its arguments on the server."""
    context = named.pop("context", {})
    names = {
        "search_read": ["domain", "fields", "offset", "limit", "order"],
        "search_count": ["domain"],
        "fields_get": ["allfields", "attributes"],
        "read": ["fields"],
        "create": ["vals_list"],
    }.get(method, [])
    ids = None
    if method not in _OF_MODELS:
        ids, *positional = positional
    return OdooCall(
        model=model,
        method=method,
        ids=ids,
        arguments={**dict(zip(names, positional, strict=False)), **named},
        context=context,
        login=login,
    )


def _rpc_result(value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": value}


def _json(value: Any, status: int = 200) -> web.Response:
    # Floats are sent like Odoo's: the shortest digits that read back as the same float.
    return web.Response(
        text=json.dumps(value, ensure_ascii=False), status=status, content_type="application/json", charset="utf-8"
    )
