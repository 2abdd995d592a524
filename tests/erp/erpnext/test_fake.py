"""The fake answers like the recorded server."""

from __future__ import annotations

import pytest
from aiohttp import web

from bot.erp.erpnext.adapter import ErpNextErp
from bot.erp.errors import NotFound
from bot.erp.model import Area
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import ParsedRequest, RequestKind
from tests.erp.fakes.erpnext import FakeErpNext
from tests.rows import each_row

from .replay import EXCHANGES

SHAPES = {
    "item": "Item",
    "sales order SAL-ORD-2026-00001": "Sales Order",
    "sales invoice": "Sales Invoice",
    "purchase order": "Purchase Order",
}


@each_row("title", SHAPES)
def test_the_fake_has_every_recorded_field_with_its_type(title: str) -> None:
    fake = FakeErpNext(ReferenceCompany(), Clock())
    rendered = fake._records(SHAPES[title], "bot")[1]
    recorded = EXCHANGES[title]["response"]["json"]["data"]
    assert {name: type(rendered.get(name)) for name in recorded} == {name: type(v) for name, v in recorded.items()}
    for line, known in zip(rendered.get("items", ()), recorded.get("items", ()), strict=False):
        assert {name: type(line.get(name)) for name in known} == {name: type(v) for name, v in known.items()}


@pytest.mark.parametrize("path", ["/api/resource/Item", "/api/method/frappe.auth.get_logged_user"])
async def test_the_fake_takes_nobody_without_a_key(site: FakeErpNext, erp: ErpNextErp, path: str) -> None:
    answer = await erp._http.read("GET", path)
    assert answer.status == 403
    assert "Guest" in answer.data["_server_messages"]


async def test_the_fake_has_no_other_methods(site: FakeErpNext, erp: ErpNextErp) -> None:
    with pytest.raises(NotFound):
        await erp._frappe.call("frappe.client.delete")


def test_the_fake_forbids_in_the_vendors_words(site: FakeErpNext) -> None:
    answer = site.say_forbidden(None, ParsedRequest(RequestKind.READ, Area.SALES))  # type: ignore[arg-type]  # is not looked at
    assert isinstance(answer, web.Response)
    assert "does not have doctype access" in str(answer.text)
