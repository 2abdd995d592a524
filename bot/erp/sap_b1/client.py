"""Client for the Service Layer: one session, errors, pages, records with their ETag, names of keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from bot.erp.concurrency import gather_rows
from bot.erp.conditions import all_of
from bot.erp.errors import (
    AuthExpired,
    AuthFailed,
    Conflict,
    ErpError,
    Invalid,
    NotFound,
    NotListedByProduct,
    NotPermitted,
    Unavailable,
)
from bot.erp.expiring import ExpiringValue
from bot.erp.goods.lists import is_warehouse
from bot.erp.http import Http, HttpResponse, refusal, words
from bot.erp.keys import batches
from bot.erp.relogin import Relogin
from bot.erp.sap_b1 import query as queries
from bot.erp.sap_b1.mapping import Row, ValueReader
from bot.erp.sap_b1.options import SapB1Options
from bot.erp.values import code, text

_EXPIRED = frozenset({"301", "-1001"})
_NOT_FOUND, _CHANGED, _DENIED, _DOWN = "-2028", "-2039", "-1116", "-1102"
_WRONG_APPROVER = "-8023"
"""Wrong user code or password for the approver of a decision."""
_NO_RIGHT = re.compile(
    r"not authori[sz]ed|no (authori[sz]ation|permission)|无权|没有.{0,8}权限|未经授权", re.IGNORECASE
)
_NO_DATABASE = re.compile(r"fail(ed)? to get DB credentials", re.IGNORECASE)


def unwrap(answer: HttpResponse, *, what: str = "", source: str = "") -> Any:
    """Return an answer's data, or raise its error; ``what`` is the requested document."""
    if answer.ok:
        return answer.data
    number, message = _error_text(answer.data)
    message = words(message) or f"status {answer.status}"
    raise _error(answer, number, message, what, source)


def _error_text(data: Any) -> tuple[str, str]:
    """Return the code and text of an error: v1 has a number and a text with its language, v2 two texts."""
    error = data.get("error") if isinstance(data, dict) else None
    if not isinstance(error, dict):
        return "", ""
    message = error.get("message")
    return code(error.get("code")), text(message.get("value") if isinstance(message, dict) else message)


def _error(answer: HttpResponse, number: str, message: str, what: str, source: str) -> ErpError:
    if answer.status == 401 or number in _EXPIRED:
        return AuthExpired(message, source=source)
    if number == _DOWN or _NO_DATABASE.search(message):
        return answer.failure(message, source=source)
    if number == _NOT_FOUND or answer.status == 404:
        return NotFound(what, source=source) if what else Invalid(message, source=source)
    if number == _CHANGED or answer.status == 412:
        return Conflict(message, source=source)
    if number in (_DENIED, _WRONG_APPROVER) or answer.status == 403 or _NO_RIGHT.search(message):
        return NotPermitted(message, source=source)
    return refusal(answer, message, what=what, source=source)


_NAMED_AT_ONCE = 40
"""How many keys one condition lists."""


@dataclass(frozen=True, slots=True)
class Session:
    """The cookies of a session; hidden in reprs. The second one pins the load balancer to a node."""

    cookies: str = field(repr=False)


class SapB1Client:
    """One user of one company. Raises only `bot.erp.errors`; reads are bounded, writes are sent once."""

    def __init__(self, options: SapB1Options, *, now: Callable[[], datetime], source: str) -> None:
        self.source = source
        self.version = options.version
        self.options = options
        self.now = now
        self.values = ValueReader(ZoneInfo(options.zone), options.currencies, source=source)
        self.names = NameCache(self)
        self._http = Http(options, now=now, source=source)
        self._root = f"/b1s/{options.version}/"
        self._relogin = Relogin(self._log_in)

    async def close(self) -> None:
        """Release the session's licence and close connections."""
        await self.names.close()
        try:
            await self._relogin.end(self._log_out)
        finally:
            await self._http.close()

    async def try_login(self, user: str, password: SecretStr) -> None:
        """Log in as a user and out again, which takes a licence for that moment; raises `AuthFailed`."""
        await self._log_out(await self._session_of(user, password))

    async def _log_in(self) -> Session:
        return await self._session_of(self.options.user, self.options.password)

    async def _session_of(self, user: str, password: SecretStr) -> Session:
        account = {
            "CompanyDB": self.options.company,
            "UserName": user,
            "Password": password.get_secret_value(),
            "Language": self.options.language,
        }
        # Paths are case-sensitive: the error for "login" looks like that of an expired session
        # (docs: platform/erp/sap-b1.md#login).
        answer = await self._http.read("POST", f"{self._root}Login", json=account)
        try:
            data = unwrap(answer, source=self.source)
        except (Invalid, NotFound, NotPermitted, AuthExpired) as error:
            raise AuthFailed(error.detail, source=self.source) from error
        session = answer.cookies.get("B1SESSION") or code(data.get("SessionId") if isinstance(data, dict) else None)
        if not session:
            raise Unavailable("the login gave no session", source=self.source)
        node = answer.cookies.get("ROUTEID")
        return Session(f"B1SESSION={session}" + (f"; ROUTEID={node}" if node else ""))

    async def _log_out(self, session: Session) -> None:
        await self._http.read("POST", f"{self._root}Logout", headers={"Cookie": session.cookies})

    # Reading

    async def probe(self, entity: str, key: str) -> None:
        """Read one record in a single call; raises the errors that a query would raise."""
        await self.rows(entity, select=(key,), limit=1)

    async def rows(
        self, entity: str, *, select: Sequence[str] = (), where: str = "", order: str = "", limit: int | None = None
    ) -> list[Row]:
        """Return records, page by page: up to ``limit``, or all.

        Raises `Invalid` if there are more than the configured maximum.
        """
        # With a limit below the page size there is no link to the next page, so the page is as long as the limit.
        size, top = (self.options.page_rows, "") if limit is None else (limit, str(limit))
        query = queries.query_text(select=",".join(select), filter=where, orderby=order, top=top)
        rows, _ = await self._pages(entity, query, size, limit)
        return rows

    async def rows_from(
        self, entity: str, *, select: Sequence[str], where: str, order: str, offset: int, limit: int
    ) -> tuple[list[Row], int]:
        """Return a part of a list that the server cuts, and how many records match."""
        counted = {"count": "true"} if self.version == "v2" else {"inlinecount": "allpages"}
        part = {"skip": str(offset), "top": str(limit)}
        query = queries.query_text(select=",".join(select), filter=where, orderby=order, **part, **counted)
        rows, first = await self._pages(entity, query, limit, limit)
        total = code(first.get("@odata.count", first.get("odata.count")))
        if not total.isdecimal():
            raise Invalid(f"{entity} did not tell how many records there are", source=self.source)
        return rows, int(total)

    async def keys_with_item(self, entity: str, sku: str, *, where: str = "") -> list[int]:
        """Return the keys of the documents of an entity that have a line of an item; ``where`` is of their heads.

        Only the query service can ask of lines. That it pages is not documented: it is asked on until there is no more.
        """
        found: list[int] = []
        while True:
            beyond = f"{entity}/DocEntry gt {found[-1]}" if found else ""
            query = queries.of_lines(entity, sku, all_of(beyond, where))
            page = await self._lines(query, what=entity)
            keys = sorted({int(row[entity]["DocEntry"]) for row in page})
            if not keys:
                return found
            found += keys
            if len(found) > self.options.most_rows:
                raise Invalid(f"more than {self.options.most_rows} {entity} of {sku}: ask for less", source=self.source)

    async def _lines(self, query: Row, *, what: str) -> list[Row]:
        async def call(session: Session) -> Any:
            headers = {"Cookie": session.cookies, "B1S-CaseInsensitive": "true"}
            path = f"{self._root}QueryService_PostQuery"
            answer = await self._http.read("POST", path, json=query, headers=headers)
            if answer.status == 404:
                raise NotListedByProduct("this release has no query service", source=self.source)
            return unwrap(answer, source=self.source)

        data = await self._relogin.run(call)
        found = data.get("value") if isinstance(data, dict) else None
        if not isinstance(found, list) or any(not isinstance(row, dict) for row in found):
            raise Invalid(f"the lines of {what} are no list of records", source=self.source)
        return found

    async def query_rows(self, name: str, **parameters: str) -> list[Row]:
        """Return the rows of a query that is stored in the ERP; raises `NotFound` for none of this name."""
        path = f"SQLQueries('{name}')/List"
        rows, _ = await self._pages(path, queries.parameter_text(**parameters), self.options.page_rows, None, what=name)
        return rows

    async def _pages(
        self, entity: str, query: str, size: int, limit: int | None, *, what: str = ""
    ) -> tuple[list[Row], Row]:
        """Return records of as many pages as are needed, and the first answer."""
        path = f"{entity}?{query}" if query else entity
        rows: list[Row] = []
        first: Row = {}
        while path:
            data = (await self._get(path, size, what=what)).data
            found, path = self._page(entity, data)
            rows, first = rows + found, first or data
            if limit is not None and len(rows) >= limit:
                return rows[:limit], first
            if len(rows) > self.options.most_rows:
                most = self.options.most_rows
                raise Invalid(f"more than {most} records of {entity}: ask for less", source=self.source)
        return rows, first

    async def administration(self) -> Row:
        """Return the company's administration data, such as its own currency."""

        async def call(session: Session) -> Any:
            path = f"{self._root}CompanyService_GetAdminInfo"
            return unwrap(await self._http.read("POST", path, headers={"Cookie": session.cookies}), source=self.source)

        data = await self._relogin.run(call)
        if not isinstance(data, dict):
            raise Invalid("the company's administration data are no record", source=self.source)
        return data

    async def rows_each(
        self, entity: str, key: str, values: Sequence[str | int], *, select: Sequence[str] = (), where: str = ""
    ) -> list[Row]:
        """Return the records with any of these values, in batches."""
        parts = (all_of(queries.one_of(key, part), where) for part in batches(values, _NAMED_AT_ONCE))
        return await gather_rows(*(self.rows(entity, select=select, where=part) for part in parts))

    def _page(self, entity: str, data: Any) -> tuple[list[Row], str]:
        """Return the records of a page, and the path of the next one, empty after the last."""
        found = data.get("value") if isinstance(data, dict) else None
        if not isinstance(found, list) or any(not isinstance(row, dict) for row in found):
            raise Invalid(f"{entity} did not answer with a list of records", source=self.source)
        link = code(data.get("@odata.nextLink") or data.get("odata.nextLink"))
        if not link or not found:
            return found, ""
        # The link is not always encoded, and spaces would become plus signs on the way.
        path = link.removeprefix(self._root).replace(" ", "%20")
        if path.partition("?")[0] != entity:
            # Never send the session's cookies to another address.
            raise Invalid(f"the next page of {entity} is somewhere else", source=self.source)
        return found, path

    async def record(self, path: str, *, what: str) -> tuple[Row, str]:
        """Return one record and its ETag, empty in old releases; raises `NotFound`. ``$select`` would omit it."""
        answer = await self._get(path, 1, what=what)
        if not isinstance(answer.data, dict):
            raise Invalid("the answer is not a record", source=self.source)
        return answer.data, answer.headers.get("ETag", "")

    async def _get(self, path: str, size: int, *, what: str = "") -> HttpResponse:
        async def call(session: Session) -> HttpResponse:
            headers = {
                "Cookie": session.cookies,
                "Prefer": f"odata.maxpagesize={size}",
                "B1S-CaseInsensitive": "true",
            }
            answer = await self._http.read("GET", self._root + path, headers=headers)
            unwrap(answer, what=what, source=self.source)
            return answer

        return await self._relogin.run(call)

    # Writing

    async def patch(self, path: str, body: Row, *, etag: str, what: str) -> None:
        """Change a record once, if it still has this ETag."""

        async def call(session: Session) -> None:
            headers = {"Cookie": session.cookies} | ({"If-Match": etag} if etag else {})
            unwrap(
                await self._http.write("PATCH", self._root + path, json=body, headers=headers),
                what=what,
                source=self.source,
            )

        await self._relogin.run(call)


_Names = dict[str, tuple[str, ...]]
"""Names by key."""
_COMPANY_CURRENCY = "LocalCurrency"


@dataclass(frozen=True, slots=True)
class UserNames:
    """Users by internal key: their codes, which decisions use as account, and their names."""

    codes: Mapping[str, str]
    names: Mapping[str, str]

    def account(self, key: str) -> str:
        """Return a user's code or, if the bot may not read users, their key, marked as one."""
        return self.codes.get(key) or (f"#{key}" if key else "")

    def known(self, key: str) -> tuple[str, ...]:
        """Return a user's name and code, as far as the bot may read them."""
        account = self.codes.get(key, "")
        return tuple(filter(None, (self.names.get(account), account)))


class NameCache:
    """Caches names; without the right to read them, keys are shown."""

    def __init__(self, client: SapB1Client) -> None:
        self._client = client
        self._holds = timedelta(minutes=client.options.names_minutes)
        self._known: dict[str, ExpiringValue[_Names]] = {}

    async def close(self) -> None:
        """Cancel reads in progress."""
        for names in self._known.values():
            await names.cancel()

    async def people(self) -> UserNames:
        found = await self._read("Users", "InternalKey", "UserCode", "UserName")
        codes = {key: user for key, (user, _) in found.items()}
        return UserNames(codes, {user: name for user, name in found.values() if name})

    async def salespersons(self) -> Mapping[str, str]:
        """Return the names of salespersons and buyers by their number; a negative number means none."""
        found = await self._named("SalesPersons", "SalesEmployeeCode", "SalesEmployeeName")
        return {key: name for key, name in found.items() if not key.startswith("-")}

    async def warehouses(self, called: str = "") -> Mapping[str, str]:
        """Return the names of warehouses by code, read again where none is ``called`` so: it may be new."""

        def fits(known: _Names) -> bool:
            return not called or is_warehouse(
                ((key, name) for key, (name,) in known.items()), called, lambda each: each
            )

        return await self._named("Warehouses", "WarehouseCode", "WarehouseName", fits=fits)

    async def groups(self) -> Mapping[str, str]:
        """Return the names of item groups by their number."""
        return await self._named("ItemGroups", "Number", "GroupName")

    async def carriers(self) -> Mapping[str, str]:
        """Return the names of shipping types by their number."""
        return await self._named("ShippingTypes", "Code", "Name")

    async def payment_terms(self) -> Mapping[str, str]:
        """Return the names of payment terms by their number."""
        return await self._named("PaymentTermsTypes", "GroupNumber", "PaymentTermsGroupName")

    async def _named(
        self, entity: str, key: str, name: str, fits: Callable[[_Names], bool] | None = None
    ) -> dict[str, str]:
        return {number: called for number, (called,) in (await self._read(entity, key, name, fits=fits)).items()}

    async def company_currency(self) -> str:
        """Return the code of the company's own currency, empty without the right to read it."""
        ((currency,),) = (await self._kept(_COMPANY_CURRENCY, self._administration)).values()
        return currency

    async def _administration(self) -> _Names:
        try:
            data = await self._client.administration()
        except NotPermitted:
            data = {}
        return {_COMPANY_CURRENCY: (code(data.get(_COMPANY_CURRENCY)),)}

    async def _read(self, entity: str, key: str, *names: str, fits: Callable[[_Names], bool] | None = None) -> _Names:
        return await self._kept(entity, partial(self._rows, entity, key, names), fits)

    async def _kept(
        self,
        what: str,
        read: Callable[[], Coroutine[Any, Any, _Names]],
        fits: Callable[[_Names], bool] | None = None,
    ) -> _Names:
        if what not in self._known:
            self._known[what] = ExpiringValue(read, now=self._client.now, holds=self._holds)
        return await self._known[what].value(fits=fits)

    async def _rows(self, entity: str, key: str, names: Sequence[str]) -> _Names:
        try:
            rows = await self._client.rows(entity, select=(key, *names))
        except NotPermitted:
            rows = []
        return {code(row.get(key)): tuple(text(row.get(name)) for name in names) for row in rows}
