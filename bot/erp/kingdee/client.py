"""The WebAPI on the wire: signed requests or a session, queries page by page, and the fields that a form has here."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bot.erp.errors import AuthFailed, ErpError, Invalid, NotPermitted, Unavailable
from bot.erp.http import Answer, Http, words
from bot.erp.kingdee.envelopes import authentication, body, opened, operation
from bot.erp.kingdee.manifest import KingdeeOptions
from bot.erp.kingdee.signing import App
from bot.erp.kingdee.wording import literal
from bot.erp.relogin import Relogin

T = TypeVar("T")
Row = dict[str, Any]
"""One line of an answer by the sheet's field keys; an optional field that this installation lacks is missing."""

_COOKIE = "kdservice-sessionid"
_SUCCESS, _NEEDS_FORM = 1, -5
_FIELDS_HOLD = timedelta(hours=1)
"""How long a form's fields are believed: people change forms, seldom."""
_FIELDS_UNKNOWN = timedelta(minutes=5)
_CHUNK = 200
"""How many ids or codes one filter names."""
_ALWAYS_THERE = re.compile(r"FID|\w+_F(EntryId|Seq)", re.IGNORECASE)
_TOKEN = re.compile(r"('(?:[^']|'')*')|(F\w+)")


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked of one form: its keys in the sheet's spelling, which may be missing, how lines are ordered."""

    id: str
    keys: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    order: str = "FID"
    org: str = ""
    """The key that holds the number of the organisation a record belongs to."""


class Client:
    """One account at one server. Raises only `bot.erp.errors`; reads are bounded, writes go out once."""

    def __init__(self, options: KingdeeOptions, *, now: Callable[[], datetime], source: str) -> None:
        self.source = source
        self._options = options
        self._now = now
        self._http = Http(options, now=now, source=source)
        self._path = urlsplit(options.url).path.rstrip("/")
        self._app = _app(options)
        self._relogin = None if self._app and not options.app_login else Relogin(self._log_in)
        self._fields: dict[str, tuple[dict[str, str] | None, datetime]] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    # Calls

    async def read(self, path: str, sent: dict[str, Any], *, what: str = "") -> Any:
        """Call a service that changes nothing and return its data."""
        return await self._call(self._http.read, path, sent, what)

    async def write(self, name: str, form: str, data: dict[str, Any], *, what: str = "") -> Any:
        """Do an operation on a form, once, and return its data."""
        return await self._call(self._http.write, operation(name), body(name, form, data), what)

    async def _call(self, send: Callable[..., Awaitable[Answer]], path: str, sent: dict[str, Any], what: str) -> Any:
        async def call(headers: dict[str, str]) -> Any:
            answer = await send("POST", path, json=sent, headers=headers)
            return opened(answer, signed=self._relogin is None, what=what, source=self.source)

        if self._relogin is not None:
            return await self._relogin.run(call)
        assert self._app is not None
        # No cookie beside the signature: the server would believe a living session and ignore wrong credentials (1.4).
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
            opened(answer, signed=True, source=self.source)
        except Invalid as error:
            raise AuthFailed(error.detail, source=self.source) from error
        raise Unavailable("the login gave no result", source=self.source)

    def _login(self) -> tuple[str, list[Any]]:
        options, app = self._options, self._app
        if app is not None:
            seconds = self._seconds()
            account = [app.acct_id, app.user, app.app_id, seconds, app.login_sign(seconds=seconds), app.lcid]
            return "LoginBySign", account
        assert options.password is not None
        return "ValidateUser", [options.acct_id, options.user, options.password.get_secret_value(), options.lcid]

    def _seconds(self) -> int:
        return int(self._now().timestamp())

    async def close(self) -> None:
        """Give the session's licence seat back, and the connections."""
        headers = self._relogin.session if self._relogin is not None else None
        self._relogin = Relogin(self._log_in) if self._relogin is not None else None
        try:
            if headers is not None:
                await self._http.read("POST", authentication("Logout"), json={"parameters": []}, headers=headers)
        except ErpError:
            return  # The session ends by itself.
        finally:
            await self._http.close()

    # Queries

    async def probe(self, form: Form) -> None:
        """Read one line of a form in a single call; raises what a question would meet."""
        key = form.order.partition(",")[0]
        data = {"FieldKeys": key, "FilterString": "", "OrderString": key, "TopRowCount": 0, "StartRow": 0, "Limit": 1}
        await self._page(form, data, (key,))

    async def query(
        self, form: Form, where: str = "", *, keys: Sequence[str] = (), order: str = "", limit: int | None = None
    ) -> list[Row]:
        """Return the lines of a form that a condition holds for, in order: ``limit`` of them, or all.

        ``keys`` instead of all of the form's. Raises `Invalid` where all are more than one question may read.
        """
        fields = await self.fields(form.id)
        wanted = [key for key in keys or form.keys if key not in form.optional or self._has(form, fields, key)]
        data = {
            "FieldKeys": ",".join(self._spell(form, fields, key) for key in wanted),
            "FilterString": self._spell(form, fields, self.in_org(form, where)),
            "OrderString": self._spell(form, fields, order or form.order),
            "TopRowCount": 0,
            "SubSystemId": "",
        }
        most = self._options.most_rows if limit is None else limit
        rows: list[Row] = []
        while True:
            # One row more than may be read tells that there are too many.
            ask = min(self._options.page_rows, most - len(rows) + (limit is None))
            page = await self._page(form, {**data, "StartRow": len(rows), "Limit": ask}, wanted)
            rows += page
            if limit is None and len(rows) > most:
                raise Invalid(f"more than {most} lines of {form.id}: ask for less", source=self.source)
            if len(page) < ask or len(rows) == limit:
                return rows

    async def query_each(
        self, form: Form, condition: Callable[[Sequence[T]], str], values: Sequence[T], *, keys: Sequence[str] = ()
    ) -> list[Row]:
        """Return the lines for many values, a filter of bearable length at a time."""
        rows: list[Row] = []
        for start in range(0, len(values), _CHUNK):
            rows += await self.query(form, condition(values[start : start + _CHUNK]), keys=keys)
        return rows

    def in_org(self, form: Form, where: str) -> str:
        """Return a condition narrowed to the organisation that the source is for."""
        if not (self._options.org and form.org):
            return where
        return f"{form.org}={literal(self._options.org)}" + (f" and ({where})" if where else "")

    async def _page(self, form: Form, data: dict[str, Any], keys: Sequence[str]) -> list[Row]:
        name = "ExecuteBillQuery"
        table = await self.read(operation(name), body(name, form.id, data))
        if not isinstance(table, list) or any(not isinstance(line, list) or len(line) != len(keys) for line in table):
            raise Invalid(f"{form.id} did not answer with lines of {len(keys)} fields", source=self.source)
        return [dict(zip(keys, line, strict=True)) for line in table]

    # Fields

    async def fields(self, form: str) -> dict[str, str] | None:
        """Return the keys of a form by their small letters, or None where the account may not ask.

        One unknown key fails a whole query, and keys differ between installations, even in the case of letters (1.6).
        """
        async with self._asking[form]:
            known, until = self._fields.get(form, (None, datetime.min.replace(tzinfo=self._now().tzinfo)))
            if self._now() < until:
                return known
            try:
                name = "QueryBusinessInfo"
                data = await self.read(operation(name), body(name, form, {}))
            except (Invalid, NotPermitted):
                found, hold = None, _FIELDS_UNKNOWN
            else:
                found, hold = _keys(data), _FIELDS_HOLD
            self._fields[form] = found, self._now() + hold
            return found

    async def has(self, form: Form, key: str) -> bool:
        """Return whether a form has a key here, as far as can be known."""
        return self._has(form, await self.fields(form.id), key)

    def _has(self, form: Form, fields: dict[str, str] | None, key: str) -> bool:
        name = key.partition(".")[0]
        known = (
            fields is None or _ALWAYS_THERE.fullmatch(name) is not None or f"{form.id}.{name}" in self._options.fields
        )
        return known or name.lower() in (fields or {})

    def _spell(self, form: Form, fields: dict[str, str] | None, text: str) -> str:
        """Return a condition or key with the fields' names as this installation spells them; literals stay."""

        def spell(found: re.Match[str]) -> str:
            quoted, name = found.groups()
            if quoted is not None:
                return str(quoted)
            other = self._options.fields.get(f"{form.id}.{name}")
            return other or (fields or {}).get(name.lower(), name)

        # What follows a dot belongs to another form.
        return re.sub(rf"(?<![\w.])(?:{_TOKEN.pattern})", spell, text)


def _app(options: KingdeeOptions) -> App | None:
    if options.app_secret is None:
        return None
    secret = options.app_secret.get_secret_value()
    return App(options.app_id, secret, options.acct_id, options.user, options.lcid, options.org or "0")


def _keys(data: Any) -> dict[str, str] | None:
    """Return the keys that ``QueryBusinessInfo`` tells, or None for an answer of another shape."""
    try:
        entries = data["Result"]["NeedReturnData"]["Entrys"]
        return {str(field["Key"]).lower(): str(field["Key"]) for entry in entries for field in entry["Fields"]} or None
    except (KeyError, TypeError):
        return None
