"""The database adapter passes the contract with the very configuration that its README shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.erp.model import Feed
from bot.erp.port import Capability
from bot.erp.sql.manifest import vendor
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.erp_contract import ErpContract
from bot.kit.testing.gaps import Gaps
from tests.erp.fakes.relayed_database import RelayedDatabase, product_queries
from tests.erp.fakes.sql import SqlInstallation
from tests.erp.sql.documented_config import company_options
from tests.erp.sql.postgres_server import Postgres

DECIDING = {Capability.APPROVE, Capability.REJECT, Capability.VERSION_CHECK}
READ = frozenset(Capability) - DECIDING


@pytest.mark.sampled(2)
class TestSqlContract(ErpContract):
    """On SQLite."""

    name, vendor, offers, embedded = "sql", vendor, READ, True
    feeds = frozenset(Feed)
    gaps = Gaps(cases={"list.created_by": "the tables of the test have no column for it"})

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> SqlInstallation:
        return SqlInstallation.in_folder(company, clock, folder)

    def options(self, installation: SqlInstallation, timeout: float) -> dict[str, Any]:
        return company_options(url=installation.url, timeout=timeout)


@pytest.mark.sampled(7)
class TestPostgresContract(TestSqlContract):
    """On PostgreSQL, whose server is reached by a connection."""

    name, embedded, database = "sql-postgresql", False, True

    @pytest.fixture(autouse=True)
    def _server(self, postgres: Postgres) -> None:
        self._postgres = postgres

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> RelayedDatabase:
        tables = SqlInstallation(company, clock, self._postgres.admin_url)
        return RelayedDatabase(tables, self._postgres, product_queries(company_options()))

    def options(self, installation: RelayedDatabase, timeout: float) -> dict[str, Any]:
        return company_options(url=installation.reader_url, timeout=timeout)
