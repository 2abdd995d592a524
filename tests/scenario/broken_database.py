"""A database that takes nothing for a while: a disk that is full or read-only, and PostgreSQL that is not reached."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from bot.store.database import Database
from bot.store.engines import SqliteConnection
from bot.store.errors import store_unavailable

REFUSALS = [(sqlite3.SQLITE_FULL, "the disk is full"), (sqlite3.SQLITE_READONLY, "the database is read-only")]
"""SQLite's codes, and what the bot says of them."""


@contextmanager
def refusing_disk(code: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Let SQLite refuse every write with a code, until what it gives is called or the block ends.

    Reading works, as it does on such disks.
    """

    def refuse(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("refused")
        error.sqlite_errorcode = code
        raise store_unavailable(error)

    with monkeypatch.context() as disk:
        disk.setattr(Database, "run_blocking", refuse)
        disk.setattr(SqliteConnection, "execute", refuse)
        yield disk.undo


class Relay:
    """A way to a server that can be cut."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def open(self) -> None:
        """Let connections through, at the same port as before."""
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """End all connections and take no more."""
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._behind)
        self._open |= {writer, back}
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        self._open -= {writer, back}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # it was cut
        writer.close()


@asynccontextmanager
async def relayed(port: int) -> AsyncIterator[Relay]:
    relay = Relay(port)
    await relay.open()
    yield relay
    relay.cut()
