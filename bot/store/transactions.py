"""Units of work on the database: each is one transaction on a repository."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Generic, Protocol, TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError

from bot.store.database import Database

T = TypeVar("T")


class Unstorable(Exception):
    """The database is available but rejects a value: a defect of ours, which a retry does not fix."""


class Flushable(Protocol):
    """A repository that writes its changes together."""

    def flush(self) -> None:
        """Write the changes not yet written."""
        ...


R = TypeVar("R", bound=Flushable)


class StoredTransactions(Generic[R]):
    """Runs units of work, each in one transaction."""

    def __init__(
        self,
        database: Database,
        *,
        begin: Callable[[Connection], object],
        writing: Callable[[Connection], R],
        reading: Callable[[Connection], R],
    ) -> None:
        """``begin`` takes the locks of a writing unit; ``writing`` and ``reading`` open the repository."""
        self._database = database
        self._begin = begin
        self._writing = writing
        self._reading = reading

    async def transact(self, work: Callable[[R], T]) -> T:
        """Return the result of ``work`` after a commit that survives a power cut: people are told of it.

        Raises `Unstorable` and `StoreUnavailable`.
        """
        return await self._database.run(partial(self._begin_and_work, work), durable=True)

    async def query(self, work: Callable[[R], T]) -> T:
        """Return the result of ``work``, which only reads; raises `StoreUnavailable`."""
        return await self._database.read(lambda connection: work(self._reading(connection)))

    def _begin_and_work(self, work: Callable[[R], T], connection: Connection) -> T:
        self._begin(connection)
        return self._work(work, connection)

    def _work(self, work: Callable[[R], T], connection: Connection) -> T:
        repository = self._writing(connection)
        try:
            result = work(repository)
            repository.flush()
        except (DataError, IntegrityError) as error:
            raise Unstorable(type(error).__name__) from error
        return result


def begin_immediate(connection: Connection) -> None:
    """Begin to write: SQLite's driver would only do so at the first change, and earlier reads could be outdated."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
