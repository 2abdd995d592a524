"""Every code that DingTalk refuses calls with, row by row, as an answer of the real platform."""

from __future__ import annotations

import orjson
import pytest

from bot.dingtalk.apis import ACCESS_TOKEN, CREATE_AND_DELIVER, SESSION_WEBHOOK, USER, ApiCall
from bot.dingtalk.envelope import read_answer
from bot.dingtalk.errors import (
    DingTalkAuthFailed,
    DingTalkError,
    DingTalkQuotaExhausted,
    DingTalkRateLimited,
    DingTalkRefused,
    DingTalkScopeMissing,
    DingTalkSessionExpired,
    DingTalkTokenExpired,
    DingTalkUnavailable,
)
from bot.dingtalk.refusals import API_REFUSALS, OAPI_REFUSALS
from tests.rows import each_row

DENIED = "Forbidden.AccessDenied"
TOO_FAST = (
    (403, f"{DENIED}.QpsLimitForAppkeyAndApi", 1),
    (403, f"{DENIED}.QpsLimitForApi", 1),
    (403, f"{DENIED}.QpsLimitForOrg", 1),
    (403, f"{DENIED}.QpmLimitForAppkeyAndApi", 60),
    (403, f"{DENIED}.QpmLimitForApi", 60),
    (400, "qps.exceed.limit", 1),
    (400, "request.overlimit", 1),
    (400, "oaplus.query.limit", 1),
    (400, "send.too.fast", 1),
    (400, "send.byToken.tooFast", 1),
)


def refusal(api: ApiCall, status: int, body: object) -> DingTalkError:
    with pytest.raises(DingTalkError) as caught:
        read_answer(api, status, body if isinstance(body, bytes) else orjson.dumps(body), client_id="dingapp")
    return caught.value


@each_row(("status", "code", "wait"), TOO_FAST)
@each_row("api", [CREATE_AND_DELIVER, ACCESS_TOKEN])
def test_too_fast_is_a_wait(api: ApiCall, status: int, code: str, wait: float) -> None:
    found = refusal(api, status, {"code": code, "message": "…", "requestid": "r"})
    assert (type(found), found.code, found.retry_after) == (DingTalkRateLimited, code, wait)


@each_row("status", [400, 403, 500])
def test_the_code_decides_whatever_the_status(status: int) -> None:
    found = refusal(CREATE_AND_DELIVER, status, {"code": "qps.exceed.limit"})
    assert type(found) is DingTalkRateLimited


@each_row(
    ("code", "wait"),
    [
        *((str(code), 1) for code in range(90001, 90015)),
        ("90018", 1),
        ("90099", 1),
        ("660026", 60),
        ("130101", 600),
        ("410100", 600),
    ],
)
@each_row("hidden", [False, True])
def test_too_fast_in_the_old_api(code: str, wait: float, hidden: bool) -> None:
    body = {"errcode": 88, "sub_code": code} if hidden else {"errcode": int(code)}
    for api in (USER, SESSION_WEBHOOK):
        found = refusal(api, 200, body)
        assert (type(found), found.code, found.retry_after) == (DingTalkRateLimited, code, wait)


@each_row(
    ("api", "status", "body", "expected"),
    [
        (CREATE_AND_DELIVER, 403, {"code": f"{DENIED}.ApiCountLimitForOrg"}, DingTalkQuotaExhausted),
        (USER, 200, {"errcode": 90020}, DingTalkQuotaExhausted),
        (CREATE_AND_DELIVER, 403, {"code": f"{DENIED}.AccessTokenPermissionDenied"}, DingTalkScopeMissing),
        (USER, 200, {"errcode": 88, "sub_code": "60011"}, DingTalkScopeMissing),
        (CREATE_AND_DELIVER, 400, {"code": "AuthenticationFailed.MissingParameter"}, DingTalkTokenExpired),
        (ACCESS_TOKEN, 400, {"code": "AuthenticationFailed.MissingParameter"}, DingTalkAuthFailed),
        (USER, 200, {"errcode": 88, "sub_code": "40014"}, DingTalkTokenExpired),
        (USER, 200, {"errcode": 88, "sub_code": "40000"}, DingTalkTokenExpired),
        (USER, 200, {"errcode": 40096}, DingTalkAuthFailed),
        (USER, 200, {"errcode": 22, "sub_msg": "不合法ApiName"}, DingTalkRefused),
        (SESSION_WEBHOOK, 200, {"errcode": 300005}, DingTalkSessionExpired),
        (SESSION_WEBHOOK, 200, {"errcode": 40014}, DingTalkRefused),
        (ACCESS_TOKEN, 503, {"code": "system.busy"}, DingTalkUnavailable),
    ],
)
def test_other_refusals(api: ApiCall, status: int, body: object, expected: type[DingTalkError]) -> None:
    assert type(refusal(api, status, body)) is expected


@each_row("api", [CREATE_AND_DELIVER, USER, SESSION_WEBHOOK])
@each_row(
    ("status", "body", "wait"),
    [
        (200, {"status": 1111, "wait": 5, "source": "x5", "punish": "deny"}, 5),
        (403, {"status": 1111, "punish": "deny"}, 300),
        (200, b'<html><script src="//g.alicdn.com/_____tmd_____/punish?x5secdata=a"></script></html>', 300),
        (405, b"<html><body>punish</body></html>", 300),
    ],
)
def test_a_blocked_address_is_a_wait(api: ApiCall, status: int, body: object, wait: float) -> None:
    found = refusal(api, status, body)
    assert (type(found), found.retry_after) == (DingTalkRateLimited, wait)


def test_only_waits_name_a_time() -> None:
    for row in (*API_REFUSALS.values(), *OAPI_REFUSALS.values()):
        assert (row.wait is not None) is (row.error is DingTalkRateLimited)
