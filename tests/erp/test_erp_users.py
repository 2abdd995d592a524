"""Adapters that list people's accounts tell what the ERP knows of them, and leave out the bot and other programs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from bot.erp.errors import NotPermitted, Unsupported
from bot.erp.hub import ErpHub
from bot.erp.model import ErpUser
from bot.erp.port import Erp, ErpUsers
from bot.erp.vendors import AdapterContext
from bot.kit.testing import company as reference
from bot.mechanisms.metrics import Metrics
from tests.erp.fakes import staff

LISTERS = (
    "erpnext.test_contract:TestErpNextContract",
    "odoo.test_contract:TestOdooJson2Contract",
    "odoo.test_contract:TestOdooJsonRpcContract",
    "tryton.test_contract:TestTrytonContract",
)


@asynccontextmanager
async def opened(adapter: str, tmp_path: Path) -> AsyncIterator[tuple[Erp, Any, reference.ReferenceCompany]]:
    """Open an adapter against its fake server."""
    module, _, name = adapter.partition(":")
    contract: Any = getattr(import_module(f"tests.erp.{module}"), name)()
    clock = reference.Clock()
    company = reference.ReferenceCompany(reference.TODAY, number=type(contract).number, now=clock.now)
    (tmp_path / "installation").mkdir()
    installation = contract.install(company, clock, tmp_path / "installation")
    await installation.start()
    options = contract.vendor.options.model_validate(contract.options(installation, 10.0))
    erp = await contract.vendor.open(AdapterContext(name="main", data_dir=tmp_path, now=clock.now), options)
    try:
        yield erp, installation, company
    finally:
        await erp.close()
        await installation.stop()


@pytest.mark.parametrize("adapter", LISTERS)
async def test_accounts_with_what_is_known_of_their_people(adapter: str, tmp_path: Path) -> None:
    async with opened(adapter, tmp_path) as (erp, _, company):
        assert isinstance(erp, ErpUsers)
        found = {user.account: user for user in await erp.users()}
        numbered = not adapter.startswith("tryton")
        assert found == {
            user.id: ErpUser(
                account=user.id,
                name=user.name,
                job_number=staff.job_number(user.id) if numbered else "",
                mobile=staff.mobile(user.id),
                mail=staff.mail(user.id),
            )
            for user in company.users
        }


async def test_without_the_right_to_read_employees_accounts_are_listed_all_the_same(tmp_path: Path) -> None:
    async with opened(LISTERS[0], tmp_path) as (erp, server, company):
        assert isinstance(erp, ErpUsers)
        server.unreadable.add("Employee")
        found = await erp.users()
        assert {(user.account, user.job_number) for user in found} == {(user.id, "") for user in company.users}
        server.unreadable.add("User")
        with pytest.raises(NotPermitted):
            await erp.users()


async def test_a_source_whose_adapter_lists_no_accounts_says_so(tmp_path: Path) -> None:
    async with opened("kingdee.test_contract:TestKingdeeSignedContract", tmp_path) as (erp, _, _):
        hub = ErpHub([erp], metrics=Metrics(), now=reference.Clock().now)
        with pytest.raises(Unsupported):
            await hub.users_of("main")


async def test_the_hub_asks_the_source(tmp_path: Path) -> None:
    async with opened(LISTERS[1], tmp_path) as (erp, _, company):
        hub = ErpHub([erp], metrics=Metrics(), now=reference.Clock().now)
        assert len(await hub.users_of("main")) == len(company.users)
