"""A company's database behind a relay on loopback: the way can fail, and the reader can lose password or rights."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy import Engine

from bot.erp.kinds import Kind
from bot.erp.model import Area
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import Installation, LoggedRequest, ParsedRequest, RequestKind, RequestLog
from tests.erp.sql.postgres_server import PASSWORD, READER, Postgres, administer, table_names


class CompanyTables(Protocol):
    """The company in a database, as `tests.erp.fakes.sql` and `tests.erp.fakes.vendor_tables` write it."""

    company: ReferenceCompany
    clock: Clock

    @property
    def engine(self) -> Engine: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def document(self, kind: Kind[Any], number: str) -> Any: ...


class Relay:
    """Passes bytes between the adapter and the database, or holds them, or breaks off."""

    def __init__(self, to_port: int, log: RequestLog) -> None:
        self.port = 0
        self.breaks_off = False
        self._to_port = to_port
        self._log = log
        self._passing = asyncio.Event()
        self._passing.set()
        self._ways: set[asyncio.StreamWriter] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def hold(self) -> None:
        """Take everything and pass nothing on."""
        self._passing.clear()

    def release(self) -> None:
        """Pass on again, and what was held as well."""
        self._passing.set()

    def break_off(self) -> None:
        """Break off every connection that there is."""
        for way in self._ways:
            way.transport.abort()

    async def stop(self) -> None:
        """Listen no more, and break off."""
        self.release()
        if self._server is not None:
            self._server.close()
        self.break_off()
        await asyncio.gather(*self._under_way)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._join(reader, writer))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._note(RequestKind.LOGIN)
        if self.breaks_off:
            writer.transport.abort()
            return
        from_database, to_database = await asyncio.open_connection("127.0.0.1", self._to_port)
        both = {writer, to_database}
        self._ways |= both
        try:
            await asyncio.gather(
                self._pass_on(reader, to_database, asked=True), self._pass_on(from_database, writer, asked=False)
            )
        finally:
            self._ways -= both

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asked: bool) -> None:
        try:
            while data := await reader.read(65_536):
                if asked:
                    self._note(RequestKind.OTHER)
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass  # the other side was told, or broke off itself
        finally:
            writer.close()

    def _note(self, kind: RequestKind) -> None:
        self._log.add(LoggedRequest("", "", ParsedRequest(kind), {}))


class DatabaseFaults:
    """Implements `bot.kit.testing.fake_erp.NetworkFaults` at a relay and at the database's own rights."""

    sessions: Collection[str] = ()

    def __init__(self, relay: Relay, server: Postgres, product_queries: str) -> None:
        self._relay = relay
        self._server = server
        self._product_queries = product_queries
        self._undo: list[str] = []

    def clear(self) -> None:
        while self._undo:
            administer(self._server, self._undo.pop())
        self._relay.breaks_off = False
        self._relay.release()

    def refuse_login(self) -> None:
        self._change(f"ALTER ROLE {READER} PASSWORD 'another'", back=f"ALTER ROLE {READER} PASSWORD '{PASSWORD}'")
        self._relay.break_off()

    def hang(self) -> None:
        self._relay.hold()

    def reset_connection(self) -> None:
        self._relay.breaks_off = True
        self._relay.break_off()

    def forbid(self, *areas: Area) -> None:
        """Take the right to the tables of products, or to all others: rights are by table, and documents share them."""
        of_products = Area.PRODUCTS in areas
        for table in table_names(self._server):
            if _names(self._product_queries, table) is of_products:
                self._change(f"REVOKE SELECT ON {table} FROM {READER}", back=f"GRANT SELECT ON {table} TO {READER}")

    def of_reading(self) -> Sequence[Callable[[], None]]:
        return [self.refuse_login, self.reset_connection, self.hang]

    def _change(self, statement: str, *, back: str) -> None:
        administer(self._server, statement)
        self._undo.append(back)


def product_queries(options: Mapping[str, Any]) -> str:
    """Return the text of the queries by which a source with these options finds products."""
    products = options["products"]
    return " ".join((products["one"], products["list"], options.get("views", {}).get("products", "")))


def _names(queries: str, table: str) -> bool:
    return re.search(rf"\b{table}\b", queries, re.IGNORECASE) is not None


class RelayedDatabase(Installation):
    """The company's tables in PostgreSQL, read through a relay."""

    def __init__(self, tables: CompanyTables, server: Postgres, product_queries: str) -> None:
        """``product_queries`` is the text of the queries by which the adapter reads products."""
        super().__init__(tables.company, tables.clock)
        self.requests = RequestLog()
        self._tables = tables
        self._server = server
        self._relay = Relay(server.port, self.requests)
        self.faults = DatabaseFaults(self._relay, server, product_queries)

    @property
    def reader_url(self) -> str:
        """Return the address for the adapter: the relay's."""
        return replace(self._server, port=self._relay.port).reader_url

    @property
    def engine(self) -> Engine:
        """Return an engine for tests that change the tables themselves."""
        return self._tables.engine

    async def document(self, kind: Kind[Any], number: str) -> Any:
        return await self._tables.document(kind, number)

    async def start(self) -> None:
        await self._tables.start()
        await self._relay.start()

    async def stop(self) -> None:
        self.faults.clear()
        await self._relay.stop()
        await self._tables.stop()
