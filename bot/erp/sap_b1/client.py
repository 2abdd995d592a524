"""The Service Layer on the wire: one session, pages, single records with their ETag, writes that go out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.erp.errors import AuthExpired, AuthFailed, ErpError, Invalid, NotFound, NotPermitted, Unavailable
from bot.erp.http import Answer, Http
from bot.erp.relogin import Relogin
from bot.erp.sap_b1 import wording
from bot.erp.sap_b1.envelopes import opened
from bot.erp.sap_b1.manifest import SapB1Options
from bot.erp.sap_b1.values import Row, code
from bot.erp.together import together

_NAMED_AT_ONCE = 40
"""How many keys one condition names."""


@dataclass(frozen=True, slots=True)
class Session:
    """The cookies of a session; not shown. The second keeps the load balancer on one node."""

    cookies: str = field(repr=False)


class Client:
    """One user of one company. Raises only `bot.erp.errors`; reads are bounded, writes go out once."""

    def __init__(self, options: SapB1Options, *, now: Callable[[], datetime], source: str) -> None:
        self.source = source
        self.version = options.version
        self._options = options
        self._http = Http(options, now=now, source=source)
        self._root = f"/b1s/{options.version}/"
        self._relogin = Relogin(self._log_in)

    async def close(self) -> None:
        """Give the session's licence seat back, and the connections."""
        session, self._relogin = self._relogin.session, Relogin(self._log_in)
        try:
            if session is not None:
                await self._http.read("POST", f"{self._root}Logout", headers={"Cookie": session.cookies})
        except ErpError:
            return  # The session ends by itself.
        finally:
            await self._http.close()

    async def _log_in(self) -> Session:
        account = {
            "CompanyDB": self._options.company,
            "UserName": self._options.user,
            "Password": self._options.password.get_secret_value(),
            "Language": self._options.language,
        }
        # Paths tell cases apart: "login" would be refused in the words of a session that ran out (sheet, 5.1).
        answer = await self._http.read("POST", f"{self._root}Login", json=account)
        try:
            data = opened(answer, source=self.source)
        except (Invalid, NotFound, NotPermitted, AuthExpired) as error:
            raise AuthFailed(error.detail, source=self.source) from error
        session = answer.cookies.get("B1SESSION") or code(data.get("SessionId") if isinstance(data, dict) else None)
        if not session:
            raise Unavailable("the login gave no session", source=self.source)
        node = answer.cookies.get("ROUTEID")
        return Session(f"B1SESSION={session}" + (f"; ROUTEID={node}" if node else ""))

    # Reading

    async def probe(self, entity: str, key: str) -> None:
        """Read one record in a single call; raises what a question would meet."""
        await self.rows(entity, select=(key,), limit=1)

    async def rows(
        self, entity: str, *, select: Sequence[str] = (), where: str = "", order: str = "", limit: int | None = None
    ) -> list[Row]:
        """Return records, page by page: ``limit`` of them, or all.

        Raises `Invalid` where all are more than one question may read.
        """
        # A limit below the size of a page leaves out the link to the next one: then the page is as long as the limit.
        size, top = (self._options.page_rows, "") if limit is None else (limit, str(limit))
        query = wording.query_text(select=",".join(select), filter=where, orderby=order, top=top)
        path = f"{entity}?{query}" if query else entity
        rows: list[Row] = []
        while path:
            found, path = self._page(entity, (await self._get(path, size)).data)
            rows += found
            if limit is not None and len(rows) >= limit:
                return rows[:limit]
            if len(rows) > self._options.most_rows:
                most = self._options.most_rows
                raise Invalid(f"more than {most} records of {entity}: ask for less", source=self.source)
        return rows

    async def rows_each(
        self, entity: str, key: str, values: Sequence[str | int], *, select: Sequence[str] = (), where: str = ""
    ) -> list[Row]:
        """Return the records that have one of many values, a filter of bearable length at a time."""
        parts = [values[start : start + _NAMED_AT_ONCE] for start in range(0, len(values), _NAMED_AT_ONCE)]
        asked = (
            self.rows(entity, select=select, where=wording.all_of(wording.one_of(key, part), where)) for part in parts
        )
        return [row for rows in await together(*asked) for row in rows]

    def _page(self, entity: str, data: Any) -> tuple[list[Row], str]:
        """Return the records of a page, and the path of the next one, empty after the last."""
        found = data.get("value") if isinstance(data, dict) else None
        if not isinstance(found, list) or any(not isinstance(row, dict) for row in found):
            raise Invalid(f"{entity} did not answer with a list of records", source=self.source)
        link = code(data.get("@odata.nextLink") or data.get("odata.nextLink"))
        if not link or not found:
            return found, ""
        # It is not always encoded, and blanks would become plus signs on the way.
        path = link.removeprefix(self._root).replace(" ", "%20")
        if path.partition("?")[0] != entity:
            # The session's cookies go to no other place than the one that was asked.
            raise Invalid(f"the next page of {entity} is somewhere else", source=self.source)
        return found, path

    async def record(self, path: str, *, what: str) -> tuple[Row, str]:
        """Return one record and its ETag, empty in old releases; raises `NotFound`. A ``$select`` would drop it."""
        answer = await self._get(path, 1, what=what)
        if not isinstance(answer.data, dict):
            raise Invalid("a record that is none in an answer", source=self.source)
        return answer.data, answer.headers.get("ETag", "")

    async def _get(self, path: str, size: int, *, what: str = "") -> Answer:
        async def call(session: Session) -> Answer:
            headers = {
                "Cookie": session.cookies,
                "Prefer": f"odata.maxpagesize={size}",
                "B1S-CaseInsensitive": "true",
            }
            answer = await self._http.read("GET", self._root + path, headers=headers)
            opened(answer, what=what, source=self.source)
            return answer

        return await self._relogin.run(call)

    # Writing

    async def patch(self, path: str, body: Row, *, etag: str, what: str) -> None:
        """Change a record, once, if it is still the one with this ETag."""

        async def call(session: Session) -> None:
            headers = {"Cookie": session.cookies} | ({"If-Match": etag} if etag else {})
            opened(
                await self._http.write("PATCH", self._root + path, json=body, headers=headers),
                what=what,
                source=self.source,
            )

        await self._relogin.run(call)
