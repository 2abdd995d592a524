"""Client for Frappe's REST interface: documents, lists, methods and errors.

Docs: platform/erp/erpnext.md#requests, #errors
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import SecretStr

from bot.erp.errors import AuthFailed, Conflict, ErpError, Invalid, NotFound, NotPermitted, Unavailable
from bot.erp.http import Http, HttpResponse, refusal, words

Row = dict[str, Any]
Condition = Sequence[Any]
"""One filter: field, operator, value."""

PAGE = 500
"""Rows per request. Frappe has no maximum, and returns 20 if no length is given."""

_ADDRESS = 1500
"""Longest query sent in the URL; longer ones go into a body, because proxies in front of Frappe refuse URLs of 4 kB."""

_CONFLICTS = {"TimestampMismatchError", "WorkflowTransitionError", "WorkflowStateError", "DuplicateEntryError"}
_FORBIDDEN = {"PermissionError", "WorkflowPermissionError"}


@dataclass(frozen=True, slots=True)
class Account:
    """The user who makes a request. A key pair needs no login and no CSRF token, and does not expire."""

    key: str
    secret: str = field(repr=False)

    @classmethod
    def of_pair(cls, pair: SecretStr) -> Account:
        """Return the account of a pair as people enter it, ``key:secret``. Raises `Invalid`."""
        key, colon, secret = pair.get_secret_value().strip().partition(":")
        if not colon or not key or not secret:
            raise Invalid("a key pair is the API key, a colon, and the API secret")
        return cls(key, secret)

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of every request; without ``Accept``, errors may come as HTML."""
        return {"Authorization": f"token {self.key}:{self.secret}", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A request for a DocType's list; ``parent`` is the DocType that a child table belongs to."""

    doctype: str
    fields: Sequence[str]
    filters: Sequence[Condition] = ()
    any_of: Sequence[Condition] = ()
    order_by: str = ""
    parent: str = ""
    repeats: bool = False
    """Whether a condition on a child table repeats a document for each of its rows that fulfil it."""

    def conditions(self) -> dict[str, Any]:
        """Return the conditions as parameters."""
        conditions: dict[str, Any] = {"filters": [list(condition) for condition in self.filters]}
        if self.any_of:
            conditions["or_filters"] = [list(condition) for condition in self.any_of]
        return conditions

    def parameters(self, start: int, length: int) -> dict[str, Any]:
        """Return all parameters of one page."""
        parameters = {
            "fields": list(self.fields),
            **self.conditions(),
            "limit_start": start,
            "limit_page_length": length,
        }
        if self.order_by:
            parameters["order_by"] = self.order_by
        if self.parent:
            # Without it, Frappe refuses a child table even to accounts that may read its parent
            # (docs: platform/erp/erpnext.md#child-tables).
            parameters["parent"] = self.parent
        return parameters


class ErpNextClient:
    """Calls to one site; ``page`` is the number of rows per request."""

    def __init__(self, http: Http, account: Account, *, page: int = PAGE) -> None:
        self._http = http
        self._account = account
        self._page = page

    async def document(self, doctype: str, name: str) -> Row:
        """Return one document with its child tables; raises `NotFound`."""
        if not name.strip() or name in {".", ".."}:
            # An empty name is the URL of the list, and dots are path segments.
            raise NotFound(name, source=self._http.source)
        answer = await self._http.read("GET", _resource(doctype, name), headers=self._account.headers)
        row = _row(self._checked(answer, "data", what=name), self._http.source)
        if not row.get("name"):
            raise Unavailable("a document without a name", source=self._http.source)
        return row

    async def rows(
        self, lookup: ListRequest, *, start: int = 0, limit: int | None = None, account: Account | None = None
    ) -> list[Row]:
        """Return ``limit`` rows from ``start`` on (None: all of them), page by page."""
        found: list[Row] = []
        while limit is None or len(found) < limit:
            length = self._page if limit is None else min(self._page, limit - len(found))
            rows = await self._page_of(lookup, start + len(found), length, account or self._account)
            found += rows
            if len(rows) < length:
                break
        return found

    async def distinct_rows(self, lookup: ListRequest, *, start: int, limit: int) -> list[Row]:
        """Return documents of a list that repeats them, each once: ``limit`` of them from ``start`` on."""
        found: dict[str, Row] = {}
        read, wanted = 0, start + limit
        while len(found) < wanted:
            rows = await self.rows(lookup, start=read, limit=wanted)
            read += len(rows)
            for row in rows:
                found.setdefault(str(row["name"]), row)
            if len(rows) < wanted:
                break
        return [*found.values()][start:wanted]

    async def count(self, lookup: ListRequest) -> int:
        """Return the total number of rows."""
        parameters = {"doctype": lookup.doctype, **lookup.conditions()}
        if lookup.repeats:
            parameters["distinct"] = "true"
        found = await self._query("frappe.desk.reportview.get_count", parameters, self._account)
        if not isinstance(found, int):
            raise Unavailable("a count that is no number", source=self._http.source)
        return found

    async def call(
        self, method: str, account: Account | None = None, *, parameters: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the result of a method that only reads."""
        return await self._query(method, parameters or {}, account or self._account)

    async def act(self, method: str, parameters: Mapping[str, Any], account: Account) -> Any:
        """Call a method that changes something once; returns its result, None if it has none."""
        answer = await self._http.write("POST", _method(method), json=parameters, headers=account.headers)
        return self._checked(answer, "message", optional=True)

    async def update(self, doctype: str, name: str, values: Mapping[str, Any], account: Account) -> Row:
        """Change fields of a document once; with ``modified``, only if it is still unchanged since then."""
        answer = await self._http.write("PUT", _resource(doctype, name), json=values, headers=account.headers)
        return _row(self._checked(answer, "data", what=name), self._http.source)

    async def _page_of(self, lookup: ListRequest, start: int, length: int, account: Account) -> list[Row]:
        parameters = lookup.parameters(start, length)
        if _fits(parameters):
            path = _resource(lookup.doctype)
            answer = await self._http.read("GET", path, params=_flat(parameters), headers=account.headers)
            rows = self._checked(answer, "data")
        else:
            rows = await self._query("frappe.client.get_list", {"doctype": lookup.doctype, **parameters}, account)
        if not isinstance(rows, list):
            raise Unavailable("a list that is none", source=self._http.source)
        return [_row(row, self._http.source) for row in rows]

    async def _query(self, method: str, parameters: Mapping[str, Any], account: Account) -> Any:
        """Call a read-only method, with its parameters in the URL or, if they are too long, in the body."""
        if _fits(parameters):
            answer = await self._http.read("GET", _method(method), params=_flat(parameters), headers=account.headers)
        else:
            answer = await self._http.read("POST", _method(method), json=parameters, headers=account.headers)
        return self._checked(answer, "message")

    def _checked(self, answer: HttpResponse, inside: str, *, what: str = "", optional: bool = False) -> Any:
        """Return the value under ``inside``; raises the error of a refusal."""
        if not answer.ok:
            raise response_error(answer, what=what, source=self._http.source)
        if not isinstance(answer.data, dict) or (inside not in answer.data and not optional):
            raise answer.failure("an answer without data", source=self._http.source)
        return answer.data.get(inside)


def response_error(answer: HttpResponse, *, what: str = "", source: str = "") -> ErpError:
    """Return the error for a refusal, by its exception class if there is one, else by its status."""
    data = answer.data if isinstance(answer.data, dict) else {}
    kind, text = str(data.get("exc_type") or ""), response_message(data)
    if answer.status == 401:
        # Keys do not expire, so a refused key is wrong.
        return AuthFailed("the API key is refused", source=source)
    if answer.status == 403 and "Guest" in text.split():
        return AuthFailed("the request arrived without its API key: does a proxy drop Authorization?", source=source)
    if answer.status == 404 and kind == "" and not isinstance(answer.data, dict):
        return Unavailable("no Frappe site answers at this address", source=source)
    if kind in _CONFLICTS:
        return Conflict(text or kind, source=source)
    if kind in _FORBIDDEN:
        return NotPermitted(text or kind, source=source)
    if kind == "DoesNotExistError":
        return NotFound(what, source=source)
    return refusal(answer, text, what=what, source=source)


def response_message(data: Mapping[str, Any]) -> str:
    """Return the ERP's messages, else its exception; messages are JSON inside JSON, with HTML inside that."""
    messages = [_message(text) for text in _list(data.get("_server_messages"))]
    if any(messages):
        return words(" ".join(filter(None, messages)))
    error, exception = data.get("_error_message"), data.get("exception")
    if isinstance(error, str):
        return words(error)
    # “frappe.exceptions.ValidationError: what is wrong”; without a message it only repeats `exc_type`.
    return words(exception.partition(": ")[2]) if isinstance(exception, str) else ""


def _message(text: Any) -> str:
    try:
        message = json.loads(text)
    except (TypeError, ValueError):
        return text if isinstance(text, str) else ""
    return str(message.get("message") or "") if isinstance(message, dict) else str(message)


def _list(text: Any) -> list[Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        return []
    return found if isinstance(found, list) else []


def _flat(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters for a URL, with lists as JSON."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        for name, value in parameters.items()
    }


def _fits(parameters: Mapping[str, Any]) -> bool:
    return len(urlencode(_flat(parameters))) <= _ADDRESS


def _resource(doctype: str, name: str | None = None) -> str:
    # Names may contain slashes, spaces and Chinese characters (docs: platform/erp/erpnext.md#requests).
    path = f"api/resource/{quote(doctype, safe='')}"
    return path if name is None else f"{path}/{quote(name, safe='')}"


def _method(name: str) -> str:
    return f"api/method/{name}"


def _row(value: Any, source: str) -> Row:
    if not isinstance(value, dict):
        raise Unavailable("a document that is none", source=source)
    return value


def pattern(text: str) -> str:
    """Return a ``like`` pattern that matches at least what contains ``text``.

    Frappe doubles every backslash, so wildcards cannot be escaped: each becomes a wildcard for one character, and the
    caller has to check the matches.
    """
    return f"%{''.join('%' if char in _BREAKS else '_' if char in _WILD else char for char in text)}%"


def is_exact(text: str) -> bool:
    """Whether `pattern` matches exactly what contains ``text``."""
    return not set(text) & {*_WILD, *_BREAKS}


_WILD = "%_\\"
_BREAKS = "\r\n"
