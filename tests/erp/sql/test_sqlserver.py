"""SQL Server: how it is reached, and what its errors mean; there is none here, so the driver's own errors are made."""

from __future__ import annotations

import pymssql
import pytest
from sqlalchemy.exc import DBAPIError

from bot.erp.errors import AuthFailed, ErpError, Invalid, NotPermitted, Unavailable
from bot.erp.sql.client import (
    ReadOnlyDatabase,
    SqlServerError,
    prepare_session,
    session_commands,
    sqlserver_arguments,
    told_by_sqlserver,
)
from tests.erp.sql.minimal_source import Open, sales
from tests.rows import each_row

NOBODY = "mssql://reader:s3cret@127.0.0.1:1/UFDATA_001_2026"


def test_a_session_waits_shortly_gives_way_and_reads_versions() -> None:
    commands = session_commands("mssql", 2.5)
    assert commands[:3] == ("SET DATEFORMAT ymd", "SET LOCK_TIMEOUT 2500", "SET DEADLOCK_PRIORITY LOW")
    assert commands[3].endswith("SET TRANSACTION ISOLATION LEVEL SNAPSHOT")
    assert "snapshot_isolation_state = 1" in commands[3]


class SqlServerSession:
    """A connection of the driver, and its cursor."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def cursor(self) -> SqlServerSession:
        return self

    def execute(self, statement: str) -> None:
        self.said.append(statement)

    def close(self) -> None:
        pass

    def rollback(self) -> None:
        self.said.append("ROLLBACK")


def test_the_transaction_that_the_driver_began_ends_before_the_first_question() -> None:
    session = SqlServerSession()
    prepare_session(session, "mssql", 2.5)
    assert session.said == [*session_commands("mssql", 2.5), "ROLLBACK"]


def test_the_driver_is_told_that_only_is_read() -> None:
    told = sqlserver_arguments(2.5)
    assert told["read_only"] is True
    assert told["charset"] == "UTF-8"
    assert told["timeout"] == told["login_timeout"] == 3


@pytest.mark.parametrize("driver", ["mssql", "mssql+pymssql"])
def test_an_address_without_a_driver_means_the_one_of_the_extra(driver: str) -> None:
    database = ReadOnlyDatabase(NOBODY.replace("mssql", driver, 1), timeout=2, connections=1, source="main")
    assert database.dialect == "mssql"


@each_row(
    ("error", "kind", "text"),
    [
        (pymssql.ProgrammingError(207, "列名 'cInvCod' 无效。".encode()), Invalid, "列名 'cInvCod' 无效。"),
        (
            pymssql.ProgrammingError(208, b"No object 'x'.DB-Lib error message 20018, severity 16:\n"),
            Invalid,
            "No object 'x'.",
        ),
        (
            pymssql.OperationalError(229, b"The SELECT permission was denied."),
            NotPermitted,
            "The SELECT permission was denied.",
        ),
        (pymssql.OperationalError((18456, b"Login failed for 'reader'.")), AuthFailed, "Login failed for 'reader'."),
        (pymssql.OperationalError((4060, b"Cannot open database")), AuthFailed, "Cannot open database"),
        (pymssql.OperationalError(1222, b"Lock request time out."), Unavailable, "Lock request time out."),
        (pymssql.OperationalError(1205, b"The deadlock victim"), Unavailable, "The deadlock victim"),
        (pymssql.OperationalError(3906, b"The database is read-only"), NotPermitted, "The database is read-only"),
        (
            pymssql.OperationalError((20009, b"DB-Lib error message 20009:\nNo server\nNet-Lib error")),
            Unavailable,
            "No server",
        ),
    ],
)
def test_the_number_of_an_error_tells_what_it_is(error: Exception, kind: type[ErpError], text: str) -> None:
    assert told_by_sqlserver(error) == SqlServerError(kind, text)


def test_errors_of_other_drivers_are_not_read_so() -> None:
    assert told_by_sqlserver(RuntimeError(1045, "Access denied for user")) is None
    assert told_by_sqlserver(DBAPIError("", {}, ValueError("x"))) is None
    assert told_by_sqlserver(None) is None
    assert told_by_sqlserver(pymssql.InterfaceError("Connection is closed.")) is None


async def test_a_server_that_is_not_there_is_unavailable(open_erp: Open) -> None:
    erp = open_erp(**sales(NOBODY), timeout=3)
    with pytest.raises(Unavailable) as caught:
        await erp.check()
    assert "s3cret" not in f"{caught.value!s} {caught.value!r}"
