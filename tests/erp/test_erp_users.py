"""Adapters that list people's accounts tell what the ERP knows of them, and leave out the bot and other programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.erp.errors import NotPermitted, Unsupported
from bot.erp.hub import ErpHub
from bot.erp.model import ErpUser
from bot.erp.port import ErpUsers
from bot.kit.testing import company as reference
from bot.mechanisms.metrics import Metrics
from tests.erp.fakes import staff
from tests.erp.opened_adapter import opened

LISTERS = (
    "erpnext.test_contract:TestErpNextContract",
    "odoo.test_contract:TestOdooJson2Contract",
    "odoo.test_contract:TestOdooJsonRpcContract",
    "tryton.test_contract:TestTrytonContract",
)


@pytest.mark.parametrize("adapter", LISTERS)
async def test_accounts_with_what_is_known_of_their_people(adapter: str, tmp_path: Path) -> None:
    async with opened(adapter, tmp_path) as there:
        erp, company = there.erp, there.company
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
    async with opened(LISTERS[0], tmp_path) as there:
        erp, server, company = there.erp, there.installation, there.company
        assert isinstance(erp, ErpUsers)
        server.unreadable.add("Employee")
        found = await erp.users()
        assert {(user.account, user.job_number) for user in found} == {(user.id, "") for user in company.users}
        server.unreadable.add("User")
        with pytest.raises(NotPermitted):
            await erp.users()


async def test_a_source_whose_adapter_lists_no_accounts_says_so(tmp_path: Path) -> None:
    async with opened("kingdee.test_contract:TestKingdeeSignedContract", tmp_path) as there:
        hub = ErpHub([there.erp], metrics=Metrics(), now=reference.Clock().now)
        with pytest.raises(Unsupported):
            await hub.users_of("main")


async def test_the_hub_asks_the_source(tmp_path: Path) -> None:
    async with opened(LISTERS[1], tmp_path) as there:
        erp, company = there.erp, there.company
        hub = ErpHub([erp], metrics=Metrics(), now=reference.Clock().now)
        assert len(await hub.users_of("main")) == len(company.users)
