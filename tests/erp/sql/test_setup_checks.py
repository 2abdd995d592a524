"""``dingerp erp check`` over a company's database: wrong addresses and accounts, missing rights, nothing inside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.erp.model import Area
from bot.erp.source_check import SourceChecker, SourceReport, report_lines
from bot.erp.validation import Validator
from tests.erp.fakes.sql import SqlInstallation
from tests.erp.sql.conftest import NOW
from tests.erp.sql.documented_config import company_options
from tests.erp.sql.minimal_source import Open
from tests.erp.sql.postgres_server import PASSWORD, Postgres

TABLES = {
    Area.PRODUCTS: "items",
    Area.STOCK: "holdings",
    Area.SALES: "orders",
    Area.FINANCE: "bills",
    Area.PURCHASING: "purchases",
    Area.PRODUCTION: "works",
}


async def examine(open_erp: Open, **options: Any) -> SourceReport:
    erp = open_erp(**company_options(**options))
    return await SourceChecker(erp, Validator("main", now=lambda: NOW), sample=2).examine()


def said(report: SourceReport) -> list[str]:
    lines = "\n".join(report_lines(report))
    assert "nothing is rejected" not in lines
    assert all(str(problem.remedy) in lines for problem in report.problems)
    return [str(problem.words) for problem in report.problems]


async def test_a_right_database_has_no_problem(
    server_company: SqlInstallation, postgres: Postgres, open_erp: Open
) -> None:
    report = await examine(open_erp, url=postgres.reader_url)
    assert (report.problems, report.exit_code) == ((), 0)


async def test_a_file_that_is_not_there(tmp_path: Path, open_erp: Open) -> None:
    report = await examine(open_erp, url=f"sqlite:///{tmp_path / 'gone.sqlite3'}")
    assert said(report)[0].startswith("The ERP does not answer")
    assert report.exit_code == 2


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("reader:{password}@127.0.0.1:1/postgres", "The ERP does not answer"),
        ("reader:{password}@127.0.0.1:{port}/nowhere", "nowhere"),
        ("nobody:{password}@127.0.0.1:{port}/postgres", "The ERP does not accept the bot's account"),
        ("reader:wrong@127.0.0.1:{port}/postgres", "The ERP does not accept the bot's account"),
    ],
    ids=["address", "database", "user", "password"],
)
async def test_a_wrong_address_or_account(postgres: Postgres, open_erp: Open, address: str, words: str) -> None:
    url = "postgresql://" + address.format(password=PASSWORD, port=postgres.port)
    report = await examine(open_erp, url=url, timeout=5)
    (problem,) = said(report)
    assert words in problem
    assert PASSWORD not in problem
    assert report.exit_code == 2


@contextmanager
def changed(installation: SqlInstallation, before: str, after: str) -> Iterator[None]:
    """Let a database be otherwise for a while."""
    with installation.engine.begin() as connection:
        connection.execute(text(before))
    try:
        yield
    finally:
        with installation.engine.begin() as connection:
            connection.execute(text(after))


@pytest.mark.parametrize("area", TABLES)
async def test_a_table_that_the_account_may_not_read(
    server_company: SqlInstallation, postgres: Postgres, open_erp: Open, area: Area
) -> None:
    table = TABLES[area]
    with changed(server_company, f"REVOKE SELECT ON {table} FROM reader", f"GRANT SELECT ON {table} TO reader"):
        report = await examine(open_erp, url=postgres.reader_url)
    assert any(f"permission denied for table {table}" in words for words in said(report))
    assert report.exit_code > 0


@pytest.mark.parametrize("area", [area for area in TABLES if area is not Area.STOCK])
async def test_a_table_without_rows(
    server_company: SqlInstallation, postgres: Postgres, open_erp: Open, area: Area
) -> None:
    with server_company.engine.begin() as connection:
        connection.execute(text(f"DELETE FROM {TABLES[area]}"))
    report = await examine(open_erp, url=postgres.reader_url)
    assert f"{area}: the account may read it and sees nothing." in said(report)
    assert report.exit_code == 1


async def test_a_column_that_is_not_there(server_company: SqlInstallation, postgres: Postgres, open_erp: Open) -> None:
    options = company_options(url=postgres.reader_url)
    options["sales"]["list"] = "SELECT gone FROM orders"
    report = await examine(open_erp, **options)
    assert any("sales.list" in words and "gone" in words for words in said(report))
    assert report.exit_code > 0


async def test_a_table_that_somebody_locked(
    server_company: SqlInstallation, postgres: Postgres, open_erp: Open
) -> None:
    with server_company.engine.begin() as connection:
        connection.execute(text("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE"))
        report = await examine(open_erp, url=postgres.reader_url, timeout=0.3)
    assert said(report)
    assert report.exit_code > 0
