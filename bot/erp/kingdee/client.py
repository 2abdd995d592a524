"""Client for the WebAPI: signed requests or a session, envelopes and errors, queries, the fields of a form."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from bot.erp.conditions import all_of, literal
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
)
from bot.erp.expiring import COMPANIES_HOLD, ExpiringValue
from bot.erp.http import Http, HttpResponse, parse_body, refusal, words
from bot.erp.keys import batches
from bot.erp.kingdee.mapping import Row, ValueReader, code
from bot.erp.kingdee.options import KingdeeOptions, client_secret
from bot.erp.kingdee.query import ORGANISATIONS, Form, one_of
from bot.erp.relogin import Relogin
from bot.erp.values import is_true


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """A third-party app and the account that it calls as; hidden in reprs."""

    app_id: str
    secret: str
    acct_id: str
    user: str
    lcid: int
    org: str = "0"
    """Number of an organisation; ``0`` is the account's own."""

    def __repr__(self) -> str:
        return "App(…)"

    def headers(self, path: str, *, seconds: int) -> dict[str, str]:
        """Return the headers that sign a POST to ``path`` (with its leading slash) at a Unix time in seconds."""
        client, _, hidden = self.app_id.partition("_")
        timestamp = str(seconds)
        signed = quote(path, safe="/").replace("/", "%2F")
        text = f"POST\n{signed}\n\nx-api-nonce:{timestamp}\nx-api-timestamp:{timestamp}\n"
        account = f"{self.acct_id},{self.user},{self.lcid},{self.org}"
        return {
            "X-Api-ClientID": client,
            "X-Api-Auth-Version": "2.0",
            "x-api-timestamp": timestamp,
            "x-api-nonce": timestamp,
            "x-api-signheaders": "x-api-timestamp,x-api-nonce",
            "X-Api-Signature": sign(text, client_secret(hidden)),
            "X-Kd-Appkey": self.app_id,
            "X-Kd-Appdata": b64encode(account.encode()).decode(),
            "X-Kd-Signature": sign(self.app_id + account, self.secret),
        }

    def login_sign(self, *, seconds: int) -> str:
        """Return the signature for ``LoginBySign`` at a Unix time in seconds."""
        parts = sorted((self.acct_id, self.user, self.app_id, self.secret, str(seconds)))
        return hashlib.sha256("".join(parts).encode()).hexdigest()


def sign(text: str, key: str) -> str:
    """Return the Base64 of the *hexadecimal text* of HMAC-SHA256, as this vendor requires."""
    return b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest().encode()).decode()


_STUBS = "Kingdee.BOS.WebApi.ServicesStub"
_END = ".common.kdsvc"
_FORM_INSIDE = frozenset({"ExecuteBillQuery", "BillQuery", "QueryBusinessInfo", "WorkflowAudit", "SwitchOrg"})

EXPECT_QTY = f"Kingdee.K3.SCM.WebApi.ServicesStub.ExpectQtyQueryWebApi.GetExpectQty{_END}"

_EXCEPTION = "response_error:"
_LOST = re.compile(r"会话信息已丢失|未登录|重新登录|ctx\s*==\s*null")
_LOST_CODES = frozenset({"-10001", "401"})
_WRONG_DATA_CENTRE = re.compile(r"thirty passport", re.IGNORECASE)
_DENIED = re.compile(r"没有.*权限|无.{0,12}权限|(no|not have).{0,40}permission", re.IGNORECASE | re.DOTALL)
_CHANGED = re.compile(r"已被其他用户修改")
_GONE = re.compile(r"单据.{0,40}不存在")


def operation(name: str) -> str:
    """Return the path of an operation on forms."""
    return f"{_STUBS}.DynamicFormService.{name}{_END}"


def authentication(name: str) -> str:
    """Return the path of a login or logout call."""
    return f"{_STUBS}.AuthService.{name}{_END}"


def body(name: str, form: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return the body of an operation: depending on the operation, the form's id goes inside the data or beside it."""
    if name in _FORM_INSIDE:
        return {"data": {"FormId": form, **data}}
    return {"formid": form, "data": data}


def unwrap(answer: HttpResponse, *, signed: bool, what: str = "", source: str = "") -> Any:
    """Return an answer's data, or raise its error.

    ``signed`` requests have no session to renew, so a lost session means wrong credentials (MsgCode 1). ``what`` is the
    requested document.
    """
    data = answer.data
    if isinstance(data, str) and data.lstrip()[:1] in ("[", "{"):
        # Some services return JSON as a string inside JSON.
        data = parse_body(data.encode())
    status = next(_statuses(data), None)
    if status is not None and not is_true(status.get("IsSuccess")):
        text = _error_text(status)
        codes = {str(status.get("ErrorCode"))}
        raise _error(text, codes, str(status.get("MsgCode")), signed=signed, what=what, source=source) or Invalid(
            text or "refused without a word", source=source
        )
    if isinstance(data, str):
        # An exception of the application server as text with status 200 or 206, or a gateway's message.
        text = words(data.removeprefix(_EXCEPTION))
        error = _error(text, {str(answer.status)}, "", signed=signed, what=what, source=source)
        raise error or (answer.failure(text, source=source) if answer.ok else refusal(answer, text, source=source))
    codes, text = {str(answer.status)}, ""
    if isinstance(data, dict):
        codes |= {str(value) for key, value in data.items() if key.lower() in ("code", "errorcode", "errcode")}
        text = words(str(data.get("Message") or data.get("message") or ""))
    if not answer.ok or codes & _LOST_CODES:
        raise _error(text, codes, "", signed=signed, what=what, source=source) or refusal(answer, text, source=source)
    return data


def response_message(data: Any) -> str:
    """Return the ERP's message for an operation that succeeded."""
    status = next(_statuses(data), {})
    return words("; ".join(str(part.get("Message", "")) for part in status.get("SuccessMessages") or ()))


def _statuses(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the ``ResponseStatus`` of an answer: at the top, under ``Result``, or in the only cell of a table."""
    match data:
        case [[{"Result": {"ResponseStatus": dict(status)}}, *_], *_]:
            yield status
        case {"Result": {"ResponseStatus": dict(status)}} | {"ResponseStatus": dict(status)}:
            yield status


def _error_text(status: dict[str, Any]) -> str:
    errors = status.get("Errors") or ()
    return words("; ".join(str(error.get("Message", "")) for error in errors if isinstance(error, dict)))


def _error(text: str, codes: set[str], msg_code: str, *, signed: bool, what: str, source: str) -> ErpError | None:
    if _WRONG_DATA_CENTRE.search(text):
        return AuthFailed(text, source=source)
    if codes & _LOST_CODES or msg_code == "1" or _LOST.search(text):
        return (AuthFailed if signed else AuthExpired)(text or "not logged in", source=source)
    if _DENIED.search(text):
        return NotPermitted(text, source=source)
    if _CHANGED.search(text):
        return Conflict(text, source=source)
    if _GONE.search(text) and what:
        return NotFound(what, source=source)
    return None


_COOKIE = "kdservice-sessionid"
_SUCCESS, _NEEDS_FORM = 1, -5
_FIELDS_HOLD = timedelta(hours=1)
"""How long a form's fields are cached: forms seldom change."""
_FIELDS_UNKNOWN = timedelta(minutes=5)
_NAMED_AT_ONCE = 200
"""How many ids or codes one filter lists."""
_ALWAYS_THERE = re.compile(r"FID|\w+_F(EntryId|Seq)", re.IGNORECASE)
_TOKEN = re.compile(r"('(?:[^']|'')*')|(F\w+)")


class KingdeeClient:
    """One account on one server. Raises only `bot.erp.errors`; reads are bounded, writes are sent once."""

    def __init__(self, options: KingdeeOptions, *, now: Callable[[], datetime], source: str) -> None:
        self.source = source
        self.options = options
        self.now = now
        self.values = ValueReader(ZoneInfo(options.zone), options.currencies, source=source)
        self._http = Http(options, now=now, source=source)
        self._path = urlsplit(options.url).path.rstrip("/")
        self._app = _app(options)
        self._relogin = None if self._app and not options.app_login else Relogin(self._log_in)
        self._fields: dict[str, ExpiringValue[dict[str, str] | None]] = {}
        self._one_org = ExpiringValue(self._require_one_org, now=now, holds=COMPANIES_HOLD)

    # Calls

    async def read(self, path: str, sent: dict[str, Any], *, what: str = "") -> Any:
        """Call a service that changes nothing."""
        return await self._call(self._http.read, path, sent, what)

    async def write(self, name: str, form: str, data: dict[str, Any], *, what: str = "") -> Any:
        """Run an operation on a form once."""
        return await self._call(self._http.write, operation(name), body(name, form, data), what)

    async def _call(
        self, send: Callable[..., Awaitable[HttpResponse]], path: str, sent: dict[str, Any], what: str
    ) -> Any:
        async def call(headers: dict[str, str]) -> Any:
            answer = await send("POST", path, json=sent, headers=headers)
            return unwrap(answer, signed=self._relogin is None, what=what, source=self.source)

        if self._relogin is not None:
            return await self._relogin.run(call)
        assert self._app is not None
        # No cookie with signed requests: the server would accept a live session and ignore wrong credentials
        # (docs: platform/erp/kingdee.md#signed-headers).
        return await call(self._app.headers(f"{self._path}/{path}", seconds=self._seconds()))

    # Sessions

    async def _log_in(self) -> dict[str, str]:
        """Log in and return the headers of the session."""
        service, parameters = self._login()
        answer = await self._http.read("POST", authentication(service), json={"parameters": parameters})
        data = answer.data if isinstance(answer.data, dict) else {}
        result = str(data.get("LoginResultType", ""))
        token = str(data.get("KDSVCSessionId") or answer.cookies.get(_COOKIE) or "")
        if token and result in (str(_SUCCESS), str(_NEEDS_FORM)):
            return {"Cookie": f"{_COOKIE}={token}", _COOKIE: token}
        if result:
            raise AuthFailed(words(str(data.get("Message") or f"login result {result}")), source=self.source)
        try:
            unwrap(answer, signed=True, source=self.source)
        except Invalid as error:
            raise AuthFailed(error.detail, source=self.source) from error
        raise Unavailable("the login gave no result", source=self.source)

    def _login(self) -> tuple[str, list[Any]]:
        options, app = self.options, self._app
        if app is not None:
            seconds = self._seconds()
            account = [app.acct_id, app.user, app.app_id, seconds, app.login_sign(seconds=seconds), app.lcid]
            return "LoginBySign", account
        assert options.password is not None
        return "ValidateUser", [options.acct_id, options.user, options.password.get_secret_value(), options.lcid]

    def _seconds(self) -> int:
        return int(self.now().timestamp())

    async def close(self) -> None:
        """Release the session's licence and close connections."""
        for fields in self._fields.values():
            await fields.cancel()
        await self._one_org.cancel()
        try:
            if self._relogin is not None:
                await self._relogin.end(self._log_out)
        finally:
            await self._http.close()

    async def _log_out(self, headers: dict[str, str]) -> None:
        await self._http.read("POST", authentication("Logout"), json={"parameters": []}, headers=headers)

    # Queries

    async def probe(self, form: Form) -> None:
        """Read one line of a form in a single call; raises the errors that a query would raise.

        Without a chosen organisation the organisations are read before it.
        """
        await self._choose_org()
        key = form.order.partition(",")[0]
        data = {"FieldKeys": key, "FilterString": "", "OrderString": key, "TopRowCount": 0, "StartRow": 0, "Limit": 1}
        await self._page(form, data, (key,))

    async def query(
        self, form: Form, where: str = "", *, keys: Sequence[str] = (), order: str = "", limit: int | None = None
    ) -> list[Row]:
        """Return the lines of a form that match a condition, in order: up to ``limit``, or all.

        ``keys`` replace the form's own keys. Raises `Invalid` if there are more lines than the configured maximum, and
        `CompanyNotChosen` where the settings name none of several organisations.
        """
        await self._choose_org()
        fields = await self.fields(form.id)
        known_keys = [key for key in keys or form.keys if key not in form.optional or self._has(form, fields, key)]
        data = {
            "FieldKeys": ",".join(self._spell(form, fields, key) for key in known_keys),
            "FilterString": self._spell(form, fields, self.in_org(form, where)),
            "OrderString": self._spell(form, fields, order or form.order),
            "TopRowCount": 0,
            "SubSystemId": "",
        }
        most = self.options.most_rows if limit is None else limit
        rows: list[Row] = []
        while True:
            # One row beyond the limit reveals that there are too many.
            ask = min(self.options.page_rows, most - len(rows) + (limit is None))
            page = await self._page(form, {**data, "StartRow": len(rows), "Limit": ask}, known_keys)
            rows += page
            if limit is None and len(rows) > most:
                raise Invalid(f"more than {most} lines of {form.id}: ask for less", source=self.source)
            if len(page) < ask or len(rows) == limit:
                return rows

    async def query_each(
        self, form: Form, field: str, values: Sequence[str], *, where: str = "", keys: Sequence[str] = ()
    ) -> list[Row]:
        """Return the lines with any of these values, in batches."""
        rows: list[Row] = []
        for part in batches(values, _NAMED_AT_ONCE):
            rows += await self.query(form, all_of(where, one_of(field, part)), keys=keys)
        return rows

    def in_org(self, form: Form, where: str) -> str:
        """Return a condition narrowed to the source's organisation."""
        if not (self.options.org and form.org):
            return where
        return f"{form.org}={literal(self.options.org)}" + (f" and ({where})" if where else "")

    async def _choose_org(self) -> None:
        if not (self.options.org or self.options.several_orgs):
            await self._one_org.value()

    async def _require_one_org(self) -> None:
        """Look at the organisations: without a choice, queries tell of all of them together."""
        form, lines = ORGANISATIONS, 100
        sent = {"FieldKeys": ",".join(form.keys), "FilterString": "", "OrderString": form.order, "Limit": lines}
        try:
            rows = await self._page(form, {**sent, "TopRowCount": 0, "StartRow": 0}, form.keys)
        except (Invalid, NotPermitted) as error:
            raise self._unknown_orgs() from error
        if not rows:
            # An account without the right may be answered with nothing.
            raise self._unknown_orgs()
        if len(rows) > 1:
            found: dict[str | int, str] = {code(row["FNumber"]): str(row["FName"]) for row in rows}
            raise CompanyNotChosen(found, setting="org", source=self.source)

    def _unknown_orgs(self) -> Invalid:
        return Invalid("the account may not read what organisations there are: set org", source=self.source)

    async def _page(self, form: Form, data: dict[str, Any], keys: Sequence[str]) -> list[Row]:
        name = "ExecuteBillQuery"
        table = await self.read(operation(name), body(name, form.id, data))
        if not isinstance(table, list) or any(not isinstance(line, list) or len(line) != len(keys) for line in table):
            raise Invalid(f"{form.id} did not answer with lines of {len(keys)} fields", source=self.source)
        return [dict(zip(keys, line, strict=True)) for line in table]

    # Fields

    async def fields(self, form: str) -> dict[str, str] | None:
        """Return the keys of a form by their lower case, or None if the account may not read them.

        One unknown key fails a whole query, and keys differ between installations, even in case
        (docs: platform/erp/kingdee.md#queries).
        """
        if form not in self._fields:
            read = partial(self._read_fields, form)
            self._fields[form] = ExpiringValue(
                read, now=self.now, holds=lambda known: _FIELDS_HOLD if known else _FIELDS_UNKNOWN
            )
        return await self._fields[form].value()

    async def _read_fields(self, form: str) -> dict[str, str] | None:
        name = "QueryBusinessInfo"
        try:
            return _keys(await self.read(operation(name), body(name, form, {})))
        except (Invalid, NotPermitted):
            return None

    async def has(self, form: Form, key: str) -> bool:
        """Return whether this installation's form has a key; True if that is unknown."""
        return self._has(form, await self.fields(form.id), key)

    def _has(self, form: Form, fields: dict[str, str] | None, key: str) -> bool:
        name = key.partition(".")[0]
        known = (
            fields is None or _ALWAYS_THERE.fullmatch(name) is not None or f"{form.id}.{name}" in self.options.fields
        )
        return known or name.lower() in (fields or {})

    def _spell(self, form: Form, fields: dict[str, str] | None, text: str) -> str:
        """Return a condition or key with field names spelled as at this installation; literals are unchanged."""

        def spell(found: re.Match[str]) -> str:
            quoted, name = found.groups()
            if quoted is not None:
                return str(quoted)
            other = self.options.fields.get(f"{form.id}.{name}")
            return other or (fields or {}).get(name.lower(), name)

        # The part after a dot belongs to another form.
        return re.sub(rf"(?<![\w.])(?:{_TOKEN.pattern})", spell, text)


def _app(options: KingdeeOptions) -> AppCredentials | None:
    if options.app_secret is None:
        return None
    secret = options.app_secret.get_secret_value()
    return AppCredentials(options.app_id, secret, options.acct_id, options.user, options.lcid, options.org or "0")


def _keys(data: Any) -> dict[str, str] | None:
    """Return the keys in an answer to ``QueryBusinessInfo``, or None if it has another shape."""
    try:
        entries = data["Result"]["NeedReturnData"]["Entrys"]
        return {str(field["Key"]).lower(): str(field["Key"]) for entry in entries for field in entry["Fields"]} or None
    except (KeyError, TypeError):
        return None
