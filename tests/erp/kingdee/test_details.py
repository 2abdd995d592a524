"""Details of materials where bills of material cannot be read."""

from __future__ import annotations

import pytest

from bot.erp.errors import Invalid, NotPermitted
from bot.erp.kingdee.client import KingdeeClient
from bot.erp.kingdee.query import BOMS, Form
from tests.erp.fakes.kingdee import FakeKingdee

from .conftest import Open


@pytest.mark.parametrize("error", [NotPermitted("no right"), Invalid("no such form")])
async def test_a_company_without_bills_of_material_has_no_components(
    open_at: Open, server: FakeKingdee, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    ask, fields = KingdeeClient.query_each, KingdeeClient.fields

    async def refused(self: KingdeeClient, form: Form, *args: object, **given: object) -> object:
        if form is BOMS:
            raise error
        return await ask(self, form, *args, **given)  # type: ignore[arg-type]  # passed on as they are

    async def known(self: KingdeeClient, form: str) -> object:
        return None if form == BOMS.id else await fields(self, form)

    monkeypatch.setattr(KingdeeClient, "query_each", refused)
    monkeypatch.setattr(KingdeeClient, "fields", known)
    details = await open_at(server).product("SKU128")
    assert (details.components, details.used_in_total) == ((), 0)
    assert details.reorder_point is not None
