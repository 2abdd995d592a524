"""Wire format: signatures, logins, bodies, envelopes, pages, and text in filters."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.erp.errors import (
    AuthExpired,
    AuthFailed,
    Conflict,
    ErpError,
    Invalid,
    NotFound,
    NotPermitted,
    Unavailable,
    UnknownOutcome,
)
from bot.erp.http import HttpResponse, parse_body
from bot.erp.kingdee import query
from bot.erp.kingdee.client import AppCredentials, body, operation, response_message, unwrap
from bot.erp.kingdee.options import KingdeeOptions, client_secret
from bot.erp.kingdee.query import MATERIALS
from bot.erp.port import ListQuery
from bot.kit.testing.fake_erp import SECRET, RequestKind
from tests.erp.fakes.kingdee import FakeKingdee
from tests.erp.fakes.kingdee_filter import KingdeeFilter
from tests.erp.fakes.kingdee_records import ORG
from tests.rows import each_row

from .conftest import ACCOUNT, APP, PASSWORD, Open, queries

# Signatures: the known vectors (docs: platform/erp/kingdee.md#login, #signed-headers)

VECTOR = AppCredentials("200001_" + 32 * "A", "secret", "acct01", "demo", 2052)
VIEW = "/k3cloud/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.View.common.kdsvc"


def test_signed_headers_are_the_vendors() -> None:
    assert client_secret(32 * "A") == "MDA1NGYzOTdjNjIzNDM3OGIwOWNhN2Qz"
    assert VECTOR.headers(VIEW, seconds=1_700_000_000) == {
        "X-Api-ClientID": "200001",
        "X-Api-Auth-Version": "2.0",
        "x-api-timestamp": "1700000000",
        "x-api-nonce": "1700000000",
        "x-api-signheaders": "x-api-timestamp,x-api-nonce",
        "X-Api-Signature": "MGI1NzkwOTU3M2NiZjRkNDQ5MDY2Y2MyNzA3YWM4ZmQxZGQzNzhjYzlkZDljYzk1MGU4NDQ4OTI4ODJkNzg0YQ==",
        "X-Kd-Appkey": "200001_" + 32 * "A",
        "X-Kd-Appdata": "YWNjdDAxLGRlbW8sMjA1Miww",
        "X-Kd-Signature": "MGJkM2Q5ODQ2MGE0NmZmNWY2MGUxZGE3MjA2MGI1YWNmZTBkNWRhM2ZkZmY3MTdjYjJlNjI3MmI4YTcyNWUwMQ==",
    }


def test_login_sign_is_the_vendors() -> None:
    app = AppCredentials("app1", "secret", "acct01", "demo", 2052)
    expected = "e60ad802e3a9c2f8c69641a4e48cad4c751547cbf067b0b6bb68a2446c803784"
    assert app.login_sign(seconds=1_700_000_000) == expected


def test_an_app_id_of_another_length_hides_no_secret() -> None:
    assert client_secret("short") == ""


def test_an_app_never_shows_its_secret() -> None:
    assert "secret" not in f"{VECTOR!r} {VECTOR}"


# Authentication


@each_row(
    "options",
    [
        {},
        PASSWORD | APP,
        {"app_id": APP["app_id"]},
        {"app_secret": SECRET},
        PASSWORD | {"app_login": True},
        PASSWORD | {"expect_field": "ExpectQty"},
        PASSWORD | {"org": ORG, "several_orgs": True},
        PASSWORD | {"zone": "China"},
        APP | {"app_id": "200001_" + 32 * "*"},
        APP | {"app_id": "200001_" + "A" + 31 * "="},
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"either|needs|zone|damaged"):
        KingdeeOptions.model_validate({"url": "https://x/k3cloud/", **ACCOUNT, **options})


async def test_the_options_choose_the_way_in(server: FakeKingdee, signed_server: FakeKingdee, open_at: Open) -> None:
    await open_at(server, **PASSWORD).check()
    assert server.requests.count(RequestKind.LOGIN) == 1
    await open_at(signed_server, **APP, org=ORG).check()
    assert signed_server.requests.count(RequestKind.LOGIN) == 0
    [signed] = signed_server.requests.of(RequestKind.READ)
    # A live session next to the signature would hide wrong credentials.
    assert "Cookie" not in signed.headers
    assert signed.headers["X-Kd-Appkey"] == APP["app_id"]


async def test_an_app_may_log_in_and_keep_a_session(server: FakeKingdee, open_at: Open) -> None:
    erp = open_at(server, **APP, app_login=True)
    await erp.check()
    await erp.check()
    [login] = server.requests.of(RequestKind.LOGIN)
    assert login.path.endswith("AuthService.LoginBySign.common.kdsvc")
    for read in server.requests.of(RequestKind.READ):
        assert read.headers["Cookie"] == f"kdservice-sessionid={read.headers['kdservice-sessionid']}"
        assert "X-Kd-Signature" not in read.headers


@pytest.mark.parametrize("wrong", [{"app_secret": "other"}, {"user": "other"}, {"acct_id": "other"}])
async def test_wrong_signed_credentials_are_told_and_not_tried_again(
    signed_server: FakeKingdee, open_at: Open, wrong: dict[str, str]
) -> None:
    with pytest.raises(AuthFailed):
        await open_at(signed_server, **APP | wrong).check()
    assert len(signed_server.requests.entries) == 1


@pytest.mark.parametrize("told", ["envelope", "exception", "code", "status"])
async def test_a_lost_session_is_renewed_however_it_is_told(server: FakeKingdee, open_at: Open, told: str) -> None:
    server.lost = told
    erp = open_at(server)
    await erp.check()
    server.faults.expire_login()
    await asyncio.gather(*(erp.check() for _ in range(5)))
    assert server.requests.count(RequestKind.LOGIN) == 2


async def test_closing_gives_the_licence_seat_back(server: FakeKingdee, open_at: Open) -> None:
    erp = open_at(server)
    await erp.check()
    assert server.faults.sessions
    await erp.close()
    assert not server.faults.sessions


# Bodies and envelopes (docs: platform/erp/kingdee.md#bodies, #errors)


@each_row("name", ["ExecuteBillQuery", "BillQuery", "QueryBusinessInfo", "WorkflowAudit", "SwitchOrg"])
def test_the_form_stands_inside(name: str) -> None:
    assert body(name, "X_Y", {"A": 1}) == {"data": {"FormId": "X_Y", "A": 1}}


@each_row(
    "name", ["View", "Save", "BatchSave", "Draft", "Submit", "Audit", "UnAudit", "Delete", "Push", "CancelAssign"]
)
def test_the_form_stands_outside(name: str) -> None:
    assert body(name, "X_Y", {"A": 1}) == {"formid": "X_Y", "data": {"A": 1}}


def test_an_operation_has_the_vendors_address() -> None:
    assert operation("View") == "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.View.common.kdsvc"


def answer(data: Any, status: int = 200, failure: type[ErpError] = Unavailable) -> HttpResponse:
    data = parse_body(data.encode()) if isinstance(data, str) else data
    return HttpResponse(status, {}, data, {}, None, failure)


def failed(text: str, msg_code: int = 0, success: Any = False, code: int = 500) -> dict[str, Any]:
    status = {"IsSuccess": success, "ErrorCode": code, "Errors": [{"Message": text}], "MsgCode": msg_code}
    return {"Result": {"ResponseStatus": status}}


@each_row(
    ("data", "signed", "error"),
    [
        (failed("会话信息已丢失，请重新登录", 1), False, AuthExpired),
        (failed("会话信息已丢失，请重新登录", 1), True, AuthFailed),
        ([[failed("会话信息已丢失，请重新登录")]], False, AuthExpired),
        ([[failed("", 1)]], True, AuthFailed),
        (failed("x", code=-10001), False, AuthExpired),
        ({"Code": -10001, "Message": "未登录"}, False, AuthExpired),
        ("response_error:System.NullReferenceException ctx == null", False, AuthExpired),
        ([[failed("字段 FFoo 不存在", 9)]], False, Invalid),
        ([[failed("业务对象不存在", 4)]], False, Invalid),
        ([[failed("参数为空", 8)]], False, Invalid),
        (failed("您没有采购订单的审核权限"), False, NotPermitted),
        (failed("You do not have the permission to audit"), False, NotPermitted),
        (failed("单据已被其他用户修改"), False, Conflict),
        (failed("单据 PO-1 不存在"), False, NotFound),
        (failed("x", success="false"), False, Invalid),
        ({"ResponseStatus": {"IsSuccess": "False", "Errors": []}}, False, Invalid),
        ("response_error:something broke", False, Unavailable),
    ],
)
def test_a_failure_with_status_200_is_none_the_less(data: Any, signed: bool, error: type[ErpError]) -> None:
    with pytest.raises(error) as caught:
        unwrap(answer(data), signed=signed, what="PO-1", source="k3")
    assert type(caught.value) is error
    assert caught.value.source == "k3"


@each_row(
    ("data", "status", "error"),
    [
        ("", 401, AuthExpired),
        ("cannot find thirty passport", 400, AuthFailed),
        ({"message": "cannot find thirty passport"}, 500, AuthFailed),
        ({"message": "no"}, 403, NotPermitted),
        ("<html>broken</html>", 500, Unavailable),
        ("<html>wrong address</html>", 404, NotFound),
    ],
)
def test_a_status_tells_where_the_body_does_not(data: Any, status: int, error: type[ErpError]) -> None:
    with pytest.raises(error):
        unwrap(answer(data, status), signed=False)


def test_an_exception_at_a_write_leaves_the_outcome_open() -> None:
    with pytest.raises(UnknownOutcome):
        unwrap(answer("response_error:something broke", failure=UnknownOutcome), signed=False)


@each_row("success", [True, "true", "True"])
def test_success_is_told_in_several_ways(success: object) -> None:
    status = {"IsSuccess": success, "SuccessMessages": [{"Message": "审核成功"}]}
    data = unwrap(answer({"Result": {"ResponseStatus": status}}), signed=False)
    assert response_message(data) == "审核成功"


def test_numbers_stay_exact_and_json_inside_a_text_is_read() -> None:
    assert unwrap(answer("[[12345678901234.56789]]"), signed=False) == [[Decimal("12345678901234.56789")]]
    assert unwrap(answer('"[[0.10]]"'), signed=False) == [[Decimal("0.10")]]


@pytest.mark.parametrize("table", ["[[1, 2]]", "[1]", '{"a": 1}', "[[]]"])
async def test_lines_of_another_shape_are_no_data(
    server: FakeKingdee, open_at: Open, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    erp = open_at(server, org=ORG)

    async def read(*args: object, **how: object) -> Any:
        return parse_body(table.encode())

    monkeypatch.setattr(erp._client, "read", read)
    with pytest.raises(Invalid, match="BD_MATERIAL"):
        await erp.check()


# Filters (docs: platform/erp/kingdee.md#queries)


@given(st.text())
def test_a_code_never_breaks_out_of_its_filter(text: str) -> None:
    parsed = KingdeeFilter(query.spelled("FBillNo", text))
    assert parsed.fields == {"FBillNo"}
    assert parsed.holds({"FBillNo": text})
    assert not parsed.holds({"FBillNo": text + "x"})


@given(st.text(), st.text(max_size=20), st.text(max_size=20))
def test_a_search_never_misses_and_never_breaks_out(text: str, before: str, after: str) -> None:
    condition = query.contains(("FName",), text)
    parsed = KingdeeFilter(condition)
    assert parsed.fields == {"FName"}
    assert parsed.holds({"FName": before + text + after})
    assert condition.count("'") == 2


@pytest.mark.parametrize("text", ["' or '1'='1", "') or (FName<>'", "''", "x' --", "x\\'"])
async def test_a_quote_stays_a_quote(server: FakeKingdee, open_at: Open, text: str) -> None:
    erp = open_at(server)
    with pytest.raises(NotFound):
        await erp.order(text)
    with pytest.raises(NotFound):
        await erp.stock(text)
    for product in await erp.find_products(text, limit=500):
        assert text in "\n".join((product.sku, product.name, product.spec, product.barcode))


@pytest.mark.parametrize("text", ["", " ", "a\nb", "a\x00b", "x" * 201])
async def test_what_cannot_be_a_number_is_not_asked_for(server: FakeKingdee, open_at: Open, text: str) -> None:
    erp = open_at(server)
    for ask in (erp.order, erp.invoice, erp.purchase_order, erp.production_order, erp.stock):
        with pytest.raises(NotFound):
            await ask(text)
    assert server.requests.entries == []


# Pages and fields (docs: platform/erp/kingdee.md#queries)


async def test_pages_go_on_until_one_is_short(server: FakeKingdee, open_at: Open) -> None:
    server.page = 10
    erp = open_at(server, page_rows=10)
    assert len(await erp.find_products("", limit=500)) == 32
    pages = [(sent["StartRow"], sent["Limit"]) for sent in queries(server, "BD_MATERIAL")]
    assert pages == [(0, 10), (10, 10), (20, 10), (30, 10)]
    assert all(sent["OrderString"] for sent in queries(server, "BD_MATERIAL"))


async def test_no_more_lines_are_read_than_allowed(server: FakeKingdee, open_at: Open) -> None:
    with pytest.raises(Invalid, match="more than 29"):
        await open_at(server, most_rows=29).orders(ListQuery(limit=1))
    assert (await open_at(server, most_rows=30).orders(ListQuery(limit=1))).total == 30


async def test_a_missing_optional_field_is_left_out(server: FakeKingdee, open_at: Open) -> None:
    server.missing = {"BD_MATERIAL.FBARCODE", "STK_Inventory.FBaseAVBQty", "SAL_SaleOrder.FInvoiceQty"}
    erp = open_at(server)
    level = await erp.stock("SKU123")
    assert level.product.barcode == ""
    # Without the field, the available quantity follows from the locked one.
    assert level.total.available == Decimal(7350)
    assert (await erp.order("SO-1001")).billing is None


async def test_fields_are_asked_for_once_and_again_after_an_hour(
    server: FakeKingdee, open_at: Open, clock: Any
) -> None:
    erp = open_at(server)
    for _ in range(3):
        await erp.order("SO-1001")
    assert [name for name, _ in server.asked].count("QueryBusinessInfo") == 1
    clock.advance(3601)
    await erp.order("SO-1001")
    assert [name for name, _ in server.asked].count("QueryBusinessInfo") == 2


async def test_fields_are_spelled_as_the_installation_spells_them(server: FakeKingdee, open_at: Open) -> None:
    erp = open_at(server, fields={"BD_MATERIAL.FBARCODE": "F_ABC_Code"})
    client = erp._client
    fields = {"fdate": "FDATE", "fbillno": "FBillNo", "fcustid": "FCUSTID"}
    spelled = client._spell(MATERIALS, fields, "FDate>='FDate' and FCustId.FName like '%x''FDate%' and FBARCODE='1'")
    assert spelled == "FDATE>='FDate' and FCUSTID.FName like '%x''FDate%' and F_ABC_Code='1'"


async def test_an_account_without_the_right_to_ask_for_fields_uses_the_usual_ones(
    server: FakeKingdee, open_at: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        server,
        "_business_info",
        lambda form: server.say_forbidden(_request("QueryBusinessInfo"), None),  # type: ignore[arg-type]  # not looked at
    )
    assert (await open_at(server).order("SO-1001")).number == "SO-1001"


def _request(name: str) -> Any:
    class Request:
        path = f"/k3cloud/{operation(name)}"

    return Request()
