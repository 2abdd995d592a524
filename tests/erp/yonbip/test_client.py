"""Wire format: the signature, the data centre, tokens, envelopes and pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest

from bot.erp.errors import (
    AuthExpired,
    AuthFailed,
    Conflict,
    ErpError,
    Invalid,
    NotFound,
    NotPermitted,
    RateLimited,
    Unavailable,
    UnknownOutcome,
    Unsupported,
)
from bot.erp.http import HttpResponse
from bot.erp.port import ListQuery
from bot.erp.yonbip.adapter import YonBipErp
from bot.erp.yonbip.client import batch_message, signature, unwrap
from bot.erp.yonbip.options import YonBipOptions
from bot.erp.yonbip.query import either
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET, RequestKind
from tests.erp.fakes.yonbip import APP_KEY, FakeYonBip
from tests.rows import each_row

from .conftest import Open

# The signature (its test vector; docs: platform/erp/yonbip.md#token)


def test_the_signature_is_the_vendors() -> None:
    expected = "ezdb495vvscZjGgZ95jE4AIs62LjMibI7sT5mWVCQNU="
    assert signature("secret", {"timestamp": "1700000000000", "appKey": "k1"}) == expected


async def test_the_signature_is_encoded_for_the_url_once(erp: YonBipErp, server: FakeYonBip, clock: Clock) -> None:
    await erp.check()
    [query] = [query for query in server.queries if "signature=" in query]
    raw = query.partition("signature=")[2].partition("&")[0]
    stamp = str(int(clock.now().timestamp() * 1000))
    expected = signature(SECRET, {"appKey": APP_KEY, "timestamp": stamp})
    assert unquote(raw) == expected
    assert raw.endswith("%3D")
    assert "+" not in raw
    assert f"timestamp={stamp}" in query


# The data centre and tokens


async def test_the_data_centre_is_asked_for_once_a_day(erp: YonBipErp, server: FakeYonBip, clock: Clock) -> None:
    for hours, lookups in ((0, 1), (3, 1), (22, 2)):
        clock.advance(hours * 3600)
        server.faults.expire_login()
        await erp.check()
        assert server.requests.count(RequestKind.OTHER) == lookups


async def test_a_gateway_without_tls_is_not_believed(open_with: Open) -> None:
    # In production the lookup itself uses TLS; here only the rule is tested.
    erp = open_with()
    erp._client.options = erp._client.options.model_copy(update={"url": "https://erp.invalid"})
    with pytest.raises(Unavailable):
        await erp.check()


async def test_an_unknown_tenant_and_a_wrong_secret_are_wrong_accounts(open_with: Open, server: FakeYonBip) -> None:
    for wrong in ({"tenant": "nobody"}, {"app_secret": "wrong"}, {"app_key": "k2"}):
        with pytest.raises(AuthFailed):
            await open_with(**wrong).check()
    assert not server.requests.count(RequestKind.READ)


async def test_the_token_is_a_query_parameter_and_no_header(erp: YonBipErp, server: FakeYonBip) -> None:
    await erp.check()
    [token] = server.faults.sessions
    [read] = server.requests.of(RequestKind.READ)
    assert read.call.session == token
    assert token not in str(read.headers)


@pytest.mark.parametrize("told", ["envelope", "text"])
async def test_an_expired_token_is_renewed_once(erp: YonBipErp, server: FakeYonBip, clock: Clock, told: str) -> None:
    server.expired = told
    await erp.check()
    clock.advance(7200)
    await erp.check()
    assert server.requests.count(RequestKind.LOGIN) == 2


# Envelopes


def answer(data: Any, *, status: int = 200, write: bool = False, retry_after: float | None = None) -> HttpResponse:
    return HttpResponse(status, {}, data, {}, retry_after, UnknownOutcome if write else Unavailable)


@each_row("code", ["200", 200, "00000", "10004", "100004"])
def test_codes_of_success(code: object) -> None:
    assert unwrap(answer({"code": code, "data": [1]})) == [1]


@each_row(
    ("code", "message", "error"),
    [
        ("310001", "token", AuthFailed),
        ("310036", "非法token", AuthExpired),
        (310036, "", AuthExpired),
        ("310037", "", NotPermitted),
        ("310405", "", Unsupported),
        ("310008", "", Invalid),
        ("310015", "", Invalid),
        ("310023", "", Invalid),
        ("310032", "", RateLimited),
        ("310039", "", RateLimited),
        ("310042", "", RateLimited),
        ("310046", "", RateLimited),
        ("310043", "", Unavailable),
        ("310504", "", Unavailable),
        ("10018", "", AuthFailed),
        ("1002", "数据不存在", NotFound),
        ("404", "", NotFound),
        ("999", "当前单据被删除或没有权限", NotFound),
        (999, "没有权限", NotPermitted),
        ("999", "该接口需要绑定用户身份", NotPermitted),
        ("999", "未查询到待办，请确定任务状态！", Conflict),
        ("999", "价税合计必须小于0", Invalid),
        ("", "", Invalid),
        (None, "", Invalid),
    ],
)
def test_errors_under_status_200(code: object, message: str, error: type[ErpError]) -> None:
    with pytest.raises(ErpError) as caught:
        unwrap(answer({"code": code, "message": message}, retry_after=3), what="PO-1")
    assert type(caught.value) is error
    assert caught.value.retry_after == (3 if error is RateLimited else None)


def test_an_address_that_is_not_registered_is_no_missing_document() -> None:
    with pytest.raises(Unsupported):
        unwrap(answer({"code": "310404", "message": "API未注册"}, status=404), what="PO-1")


def test_a_display_code_tells_a_task_that_is_gone() -> None:
    with pytest.raises(Conflict):
        unwrap(answer({"code": "999", "message": "…", "displayCode": "000-530-401032"}))


def test_a_silent_back_end_leaves_a_write_open_and_a_circuit_breaker_does_not() -> None:
    with pytest.raises(UnknownOutcome):
        unwrap(answer({"code": "310504", "message": "timeout"}, write=True))
    with pytest.raises(Unavailable):
        unwrap(answer({"code": "310043", "message": "熔断"}, write=True))


def test_what_is_no_envelope_is_no_answer() -> None:
    for data in ("OK", None, [1]):
        with pytest.raises(Unavailable):
            unwrap(answer(data))
    with pytest.raises(UnknownOutcome):
        unwrap(answer("OK", write=True))


@each_row(
    ("data", "error"),
    [
        ({"failCount": 1, "messages": ["网络上有其他人操作或者已经关闭、审核"]}, Conflict),
        ({"failCount": "1", "messages": ["没有权限"]}, NotPermitted),
        ({"failCount": 1, "messages": ["null"]}, Invalid),
        ({}, Invalid),
        (None, Invalid),
    ],
)
def test_a_batch_that_failed_under_code_200(data: Any, error: type[ErpError]) -> None:
    with pytest.raises(error):
        batch_message(data)
    assert batch_message({"failCount": 0, "sucessCount": 1, "messages": []}) == ""


# Lists


def test_conditions_are_spelled_as_documented() -> None:
    assert either("code", ["A"]) == [{"field": "code", "op": "eq", "value1": "A"}]
    assert either("code", ["A", "a", "A"]) == [
        {
            "logicOp": "or",
            "conditions": [
                {"field": "code", "op": "eq", "value1": "A"},
                {"field": "code", "op": "eq", "value1": "a"},
            ],
        }
    ]


@pytest.mark.parametrize("page", [1, 3, 10, 24, 100])
async def test_pages_shorter_than_asked_for_are_not_the_last(
    open_with: Open, server: FakeYonBip, company: ReferenceCompany, page: int
) -> None:
    server.page = page
    found = await open_with(page_rows=24).purchase_orders(ListQuery(limit=100))
    assert sorted(order.number for order in found.items) == sorted(company.purchases)


async def test_page_numbers_start_at_one_and_the_last_page_is_not_asked_twice(
    open_with: Open, server: FakeYonBip
) -> None:
    await open_with(page_rows=500).orders(ListQuery())
    asked = [body for path, body in server.asked if path.endswith("voucherorder/list")]
    assert [body["pageIndex"] for body in asked] == [1, 2, 3]
    assert {body["pageSize"] for body in asked} == {500}


async def test_a_list_that_is_too_long_is_refused(open_with: Open) -> None:
    with pytest.raises(Invalid, match="more than 20 rows"):
        await open_with(most_rows=20).orders(ListQuery())


async def test_a_page_is_500_rows_at_most() -> None:
    with pytest.raises(ValueError, match="page_rows"):
        YonBipOptions.model_validate({"tenant": "t", "app_key": "k", "app_secret": "s", "page_rows": 501})


async def test_a_list_without_records_is_no_empty_list(erp: YonBipErp, server: FakeYonBip) -> None:
    server.answers["/sd/voucherorder/list"] = {"code": "200", "data": {}}
    with pytest.raises(Invalid):
        await erp.orders(ListQuery())
