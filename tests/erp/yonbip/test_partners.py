"""Customers and vendors of the platform."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bot.erp.errors import Invalid, NotFound, NotPermitted
from bot.erp.model import Money
from bot.erp.port import ListQuery
from bot.erp.yonbip.adapter import YonBipErp
from bot.kit.testing.company import Clock
from bot.kit.testing.fake_erp import RequestKind
from tests.erp.fakes.yonbip import FakeYonBip

from .conftest import Open

NEWLIST = "/digitalModel/merchant/newlist"
VENDOR_LIST = "/digitalModel/vendor/list"


def said(data: Any) -> dict[str, Any]:
    return {"code": 200, "message": "操作成功", "data": data}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ({"simplifiedName": "宏达", "englishName": "Hongda"}, "宏达"),
        ({"zh_CN": "宏达"}, "宏达"),
        ({"simplifiedName": None, "englishName": "Hongda"}, "Hongda"),
        ("宏达", "宏达"),
        (None, ""),
    ],
)
async def test_a_name_may_have_languages(erp: YonBipErp, server: FakeYonBip, name: Any, expected: str) -> None:
    server.answers[VENDOR_LIST] = said({"recordList": [{"id": 1, "code": "V", "name": name}], "recordCount": 1})
    assert (await erp.vendor("V")).name == expected


async def test_a_vendor_of_two_organisations_is_one(erp: YonBipErp) -> None:
    codes = [vendor.code for vendor in (await erp.vendors(ListQuery(limit=100))).items]
    assert len(codes) == len(set(codes)) == 9


async def test_a_page_that_is_cut_is_not_the_last(open_with: Open, server: FakeYonBip) -> None:
    server.page = 3
    assert (await open_with(page_rows=100).customers(ListQuery(limit=2))).total == 10


async def test_partners_are_read_once_and_again_after_some_minutes(
    erp: YonBipErp, server: FakeYonBip, clock: Clock
) -> None:
    for offset in (0, 5):
        await erp.customers(ListQuery(offset=offset, limit=5))
    calls = server.requests.count(RequestKind.READ)
    clock.advance(601)
    await erp.customers(ListQuery(limit=5))
    assert server.requests.count(RequestKind.READ) == 2 * calls


@pytest.mark.parametrize("data", [{"recordList": []}, "text", [1]])
async def test_what_is_no_array_is_no_empty_list(erp: YonBipErp, server: FakeYonBip, data: Any) -> None:
    server.answers[NEWLIST] = said(data)
    with pytest.raises(Invalid):
        await erp.customers(ListQuery())


async def test_more_customers_than_are_read_are_refused(open_with: Open) -> None:
    with pytest.raises(Invalid, match="more than 5"):
        await open_with(most_materials=5).customers(ListQuery())


async def test_nobody_is_not_found(erp: YonBipErp) -> None:
    for one in (erp.customer, erp.vendor, erp.payment):
        with pytest.raises(NotFound):
            await one("nobody")


# Receipts and payments


async def test_each_list_is_asked_for_what_concerns_partners(erp: YonBipErp, server: FakeYonBip) -> None:
    server.page = 100
    await erp.payments(ListQuery())
    asked = {path.split("/")[2]: body["objectType"] for path, body in server.asked}
    assert asked == {"collection": ["1"], "arRefund": ["1"], "payment": "0", "apRefund": "0"}


async def test_payments_are_never_told_by_half(erp: YonBipErp, server: FakeYonBip) -> None:
    server.answers["/EFI/apRefund/list"] = {"code": "310037", "message": "应用没有该API的调用权限"}
    with pytest.raises(NotPermitted):
        await erp.payments(ListQuery())
    with pytest.raises(NotPermitted):
        await erp.payment("PAY-1001")


async def test_a_payment_is_the_sum_of_its_lines(erp: YonBipErp, server: FakeYonBip) -> None:
    head = {"id": "7", "code": "SK-1", "billDate": "2026-11-20 00:00:00", "verifyState": 2}
    lines = [
        {"bodyItemId": key, "bodyItemOriTaxIncludedAmount": amount, "bodyItemOriCurrencyName": "人民币"}
        for key, amount in (("71", 5), ("72", Decimal("2.5")), ("71", 5))
    ]
    empty = {"recordCount": 0, "recordList": []}
    server.answers |= {f"/EFI/{kind}/list": said(empty) for kind in ("arRefund", "payment", "apRefund")}
    server.answers["/EFI/collection/list"] = said(
        {"recordCount": 3, "recordList": [{**head, **each} for each in lines]}
    )
    [payment] = (await erp.payments(ListQuery())).items
    assert payment.amount == Money(Decimal("7.5"), "CNY")
