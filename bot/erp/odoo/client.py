"""One Odoo as the adapter asks it: the release is found out once, then the fitting transport carries all calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from bot.erp.errors import Invalid, Unavailable, Unsupported
from bot.erp.http import Http
from bot.erp.odoo.manifest import OdooOptions
from bot.erp.odoo.transport import Account, Call, Json2, JsonRpc, Transport

Row = dict[str, Any]
"""A record as Odoo tells it: False for what is empty, many2one as ``[id, name]``, naive times in UTC."""
Domain = Sequence[Any]
"""A condition in Odoo's prefix notation."""
Release = tuple[int, int]

PAGE = 500
"""Records that are asked for at once."""
_JSON2_SINCE: Release = (18, 4)
"""Odoo 19 has JSON-2, and so has the hosted release before it, which calls itself saas~18.4."""

T = TypeVar("T")


class Once(Generic[T]):
    """Something that is asked for once, by one caller for all who wait; what fails is asked for again by the next."""

    def __init__(self, get: Callable[[], Awaitable[T]]) -> None:
        self._get = get
        self._asked: asyncio.Task[T] | None = None

    async def value(self) -> T:
        """Return it; raises what asking for it raises."""
        asked = self._asked
        if asked is None or (asked.done() and (asked.cancelled() or asked.exception() is not None)):
            asked = self._asked = asyncio.ensure_future(self._ask())
            # Who asked may have gone away, and then nobody looks at the error.
            asked.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(asked)

    async def _ask(self) -> T:
        return await self._get()


class OdooClient:
    """Calls of one source."""

    def __init__(self, options: OdooOptions, *, now: Callable[[], datetime], source: str) -> None:
        self.source = source
        self.bot = Account(options.user, options.key)
        self._options = options
        self._http = Http(options, now=now, source=source)
        self._turn = asyncio.Semaphore(options.parallel)
        self._opened: Once[tuple[Release, Transport]] = Once(self._open)
        self._fields: dict[str, Once[frozenset[str]]] = {}
        self._context: dict[str, Any] = {}
        if options.language:
            self._context["lang"] = options.language
        if options.company is not None:
            self._context["allowed_company_ids"] = [options.company]

    async def release(self) -> Release:
        """Return major and minor number of the server."""
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
        """Return what a method returns; a method of records gets ``ids``. Sent once, in the bot's name by default."""
        call = Call(
            model=model,
            method=method,
            ids=None if ids is None else tuple(ids),
            arguments=arguments,
            context={**self._context, **(context or {})},
            writes=writes,
        )
        _, transport = await self._opened.value()
        try:
            async with asyncio.timeout(self._options.timeout):
                await self._turn.acquire()
        except TimeoutError:
            # Nothing was sent: others wait for their answers already.
            raise Unavailable("too many calls are waiting", source=self.source) from None
        try:
            return await transport.call(account or self.bot, call)
        finally:
            self._turn.release()

    async def fields(self, model: str) -> frozenset[str]:
        """Return the names of a model's fields: they differ by release, by installed apps and by rights.

        Raises `Unsupported` where the database has no such model.
        """
        if model not in self._fields:
            self._fields[model] = Once(lambda: self._fields_of(model))
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
        context: Mapping[str, Any] | None = None,
    ) -> list[Row]:
        """Return up to ``limit`` records with those of ``fields`` that there are, in pages of `PAGE`."""
        wanted = await self._known(model, fields)
        found: list[Row] = []
        while len(found) < limit:
            size = min(PAGE, limit - len(found))
            page = await self.search(
                model, domain, wanted, order=order, offset=offset + len(found), limit=size, context=context
            )
            found += page
            if len(page) < size:
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
        """Return records of one single question; each of ``fields`` must exist."""
        how: dict[str, Any] = {"offset": offset} if offset else {}
        return await self._rows(
            model,
            "search_read",
            context=context,
            domain=list(domain),
            fields=fields,
            limit=limit,
            order=order,
            **how,
        )

    async def count(self, model: str, domain: Domain) -> int:
        """Return how many records match."""
        found = await self.call(model, "search_count", domain=list(domain))
        return found if isinstance(found, int) else 0

    async def read(
        self, model: str, ids: Iterable[int], fields: Iterable[str], *, context: Mapping[str, Any] | None = None
    ) -> dict[int, Row]:
        """Return records by their ids, archived ones too; those that do not exist are left out."""
        wanted, left = await self._known(model, fields), sorted(set(ids))
        found: dict[int, Row] = {}
        for start in range(0, len(left), PAGE):
            rows = await self._rows(model, "read", ids=left[start : start + PAGE], fields=wanted, context=context)
            found |= {row["id"]: row for row in rows}
        return found

    async def close(self) -> None:
        """Give connections back."""
        await self._http.close()

    async def _rows(self, model: str, method: str, **how: Any) -> list[Row]:
        try:
            rows = await self.call(model, method, **how)
        except (Invalid, Unsupported):
            # The server may be another release by now, or have lost an app: look anew next time.
            self._forget()
            raise
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Unavailable("an answer that is no list of records", source=self.source)
        return rows

    def _forget(self) -> None:
        self._opened = Once(self._open)
        self._fields.clear()

    async def _known(self, model: str, fields: Iterable[str]) -> list[str]:
        there = await self.fields(model)
        return [name for name in fields if name in there]

    async def _fields_of(self, model: str) -> frozenset[str]:
        try:
            return frozenset(await self.call(model, "fields_get", attributes=["type"]))
        except Invalid as error:
            # JSON-RPC: "Object mrp.production doesn't exist", as an error of the user.
            raise Unsupported(f"no {model} here: is its app installed?", source=self.source) from error

    async def _open(self) -> tuple[Release, Transport]:
        """Ask for the release where 19 tells it, else where the older ones do."""
        answer = await self._http.read("GET", "web/version")
        rpc = JsonRpc(self._http, self._options.database)
        told = answer.data.get("version_info") if answer.ok and isinstance(answer.data, dict) else None
        if told is None:
            version = await rpc.ask(self._http.read, "common", "version", [])
            told = version.get("server_version_info") if isinstance(version, dict) else None
        release = _release(told, self.source)
        return release, Json2(self._http, self._options.database) if release >= _JSON2_SINCE else rpc


def _release(told: Any, source: str) -> Release:
    """Return the numbers out of ``[18, 0, 0, "final", 0, ""]`` or ``["saas~18", 4, …]``."""
    try:
        return int(str(told[0]).rpartition("~")[2]), int(told[1])
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise Unavailable("no Odoo that tells its release", source=source) from error
