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
    """The database is there and refuses a value: a defect of ours, which trying again does not mend."""


class Flushable(Protocol):
    """A repository that writes together what was put."""

    def flush(self) -> None:
        """Write what was put and is not written yet."""
        ...


R = TypeVar("R", bound=Flushable)


class StoredTransactions(Generic[R]):
    """Implements `bot.mechanisms.unit_of_work.Transactions`."""

    def __init__(
        self,
        database: Database,
        *,
        begin: Callable[[Connection], object],
        writing: Callable[[Connection], R],
        reading: Callable[[Connection], R],
    ) -> None:
        """``begin`` takes the locks of a unit that writes; ``writing`` and ``reading`` open the repository."""
        self._database = database
        self._begin = begin
        self._writing = writing
        self._reading = reading

    async def transact(self, work: Callable[[R], T]) -> T:
        """Return what ``work`` returns, after a commit that survives a power cut: a person was told what it says.

        Raises `Unstorable` and `StoreUnavailable`.
        """
        return await self._database.run(partial(self._begin_and_work, work), durable=True)

    async def query(self, work: Callable[[R], T]) -> T:
        """Return what ``work`` finds; raises `StoreUnavailable`."""
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
    """Begin to write: SQLite's driver would only do so at the first change, and what was read before could be old."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
