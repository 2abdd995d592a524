"""DingTalk's answers, as they are reported, and what each must lead to."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bot.dingtalk.apis import ACCESS_TOKEN, CREATE_AND_DELIVER, DIRECT_SEND, GROUP_SEND, SESSION_WEBHOOK, USER
from bot.dingtalk.envelope import open_envelope
from bot.dingtalk.errors import (
    AccessDenied,
    AuthFailed,
    DingTalkError,
    OutcomeUnknown,
    QuotaExhausted,
    RateLimited,
    Refused,
    ScopeMissing,
    SessionExpired,
    TokenExpired,
    Unavailable,
)
from bot.errors import ConfigurationError

HTML = b"<html><body>400 The plain HTTP request was sent to HTTPS port</body></html>"
XML = b"<?xml version='1.0'?><error><code>x</code></error>"
WAF = {"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "u"}
SCOPE = "Forbidden.AccessDenied.AccessTokenPermissionDenied"


def api_error(code: str, message: str = "", **more: Any) -> dict[str, Any]:
    return {"code": code, "message": message or code, "requestid": "FD9F-1", **more}


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (400, api_error("InvalidAuthentication", "不合法的access_token"), TokenExpired),
        (401, api_error("anything"), TokenExpired),
        (403, api_error("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"), RateLimited),
        (403, api_error("Forbidden.AccessDenied.QpsLimitForApi"), RateLimited),
        (403, api_error("Forbidden.AccessDenied.ApiCountLimitForOrg"), QuotaExhausted),
        (403, api_error(SCOPE, accessdenieddetail={"requiredScopes": ["Card.Instance.Write"]}), ScopeMissing),
        (403, api_error(SCOPE), ScopeMissing),
        (403, api_error("Forbidden.AccessDenied.IpNotInWhiteList"), AccessDenied),
        (429, api_error("whatever"), RateLimited),
        (400, api_error("send.too.fast"), RateLimited),
        (400, api_error("param.templateUnpublished"), Refused),
        (400, api_error("param.cardAlreadyExist"), Refused),
        (400, api_error("invalid.openConversationId"), Refused),
        (403, api_error("bot.forbidden.sendMessage"), Refused),
        (404, api_error("InvalidAction.NotFound"), Refused),
        (400, api_error("unknown.send.result"), OutcomeUnknown),
        (500, api_error("system.error"), OutcomeUnknown),
        (500, api_error("unknownError", "未知错误"), OutcomeUnknown),
        (504, api_error("Timeout"), OutcomeUnknown),
        (500, api_error("system.busy"), Unavailable),
        (503, api_error("ServiceUnavailable"), Unavailable),
        (200, {"success": False, "code": "x"}, Refused),
        (200, {"success": "false"}, Refused),
        (200, WAF, RateLimited),
        (403, WAF, RateLimited),
        (200, HTML, OutcomeUnknown),
        (400, HTML, Unavailable),
        (403, HTML, Unavailable),
        (502, HTML, OutcomeUnknown),
        (503, HTML, Unavailable),
        (200, XML, OutcomeUnknown),
        (200, b"", OutcomeUnknown),
        (200, [], OutcomeUnknown),
        (200, b"\xff\xfe", OutcomeUnknown),
    ],
)
def test_errors_of_the_new_api(status: int, answer: Any, expected: type[DingTalkError]) -> None:
    body = answer if isinstance(answer, bytes) else orjson.dumps(answer)
    with pytest.raises(expected) as caught:
        open_envelope(CREATE_AND_DELIVER, status, body, client_id="dingapp")
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"errcode": 40014, "errmsg": "不合法的access_token"}, TokenExpired),
        ({"errcode": "42001", "errmsg": "expired"}, TokenExpired),
        ({"errcode": 88, "sub_code": "40014", "sub_msg": "不合法的access_token"}, TokenExpired),
        ({"errcode": 88, "sub_code": 42001}, TokenExpired),
        ({"errcode": 90018, "errmsg": "qps"}, RateLimited),
        ({"errcode": 90002, "errmsg": "qps"}, RateLimited),
        ({"errcode": 88, "sub_code": "90018"}, RateLimited),
        ({"errcode": 88, "sub_code": "90005"}, RateLimited),
        ({"errcode": 90020, "errmsg": "count"}, QuotaExhausted),
        ({"errcode": 88, "sub_code": "90020"}, QuotaExhausted),
        ({"errcode": 88, "sub_code": "60011", "sub_msg": "没有调用该接口的权限"}, ScopeMissing),
        ({"errcode": -1, "errmsg": "系统繁忙"}, Unavailable),
        ({"errcode": 15, "sub_code": "isp.top-remote-connection-timeout"}, OutcomeUnknown),
        ({"errcode": 60121, "errmsg": "找不到该用户"}, Refused),
        ({"errcode": 300001, "errmsg": "token is not exist"}, Refused),
        ({}, OutcomeUnknown),
        (WAF, RateLimited),
        (HTML, OutcomeUnknown),
    ],
)
def test_errors_of_the_old_api(answer: Any, expected: type[DingTalkError]) -> None:
    body = answer if isinstance(answer, bytes) else orjson.dumps(answer)
    with pytest.raises(expected) as caught:
        open_envelope(USER, 200, body, client_id="dingapp")
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"errcode": 300001, "errmsg": "session 不存在"}, SessionExpired),
        ({"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}, RateLimited),
        ({"errcode": 430102, "errmsg": "text"}, Refused),
        ({"errcode": 40014}, Refused),
    ],
)
def test_errors_of_a_webhook(answer: Any, expected: type[DingTalkError]) -> None:
    with pytest.raises(expected) as caught:
        open_envelope(SESSION_WEBHOOK, 200, orjson.dumps(answer), client_id="dingapp")
    assert type(caught.value) is expected


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_keys_are_a_matter_of_configuration(status: int) -> None:
    body = orjson.dumps(api_error("invalidClientIdOrSecret", "无效的clientId或者clientSecret"))
    with pytest.raises(AuthFailed) as caught:
        open_envelope(ACCESS_TOKEN, status, body, client_id="dingapp")
    assert isinstance(caught.value, ConfigurationError)
    assert not caught.value.retry
    assert "invalidClientIdOrSecret" in caught.value.detail


def test_a_token_call_may_be_too_fast_like_any_other() -> None:
    body = orjson.dumps(api_error("Forbidden.AccessDenied.QpsLimitForApi"))
    with pytest.raises(RateLimited):
        open_envelope(ACCESS_TOKEN, 403, body, client_id="dingapp")


def test_a_missing_scope_is_named_with_the_page_that_grants_it() -> None:
    body = orjson.dumps(api_error(SCOPE, accessdenieddetail={"requiredScopes": ["qyapi_robot_sendmsg", "A.B.Write"]}))
    with pytest.raises(ScopeMissing) as caught:
        open_envelope(GROUP_SEND, 403, body, client_id="ding app")
    assert caught.value.scopes == ("qyapi_robot_sendmsg", "A.B.Write")
    assert caught.value.links[0] == (
        "https://open-dev.dingtalk.com/appscope/apply?content=ding%20app%23qyapi_robot_sendmsg"
    )
    assert caught.value.links[0] in caught.value.detail
    assert caught.value.request_id == "FD9F-1"


def test_the_old_api_names_a_scope_in_its_words() -> None:
    words = "应用尚未开通所需的权限:[qyapi_get_member],点击链接申请"
    body = orjson.dumps({"errcode": 88, "sub_code": "60011", "sub_msg": words, "request_id": "r1"})
    with pytest.raises(ScopeMissing) as caught:
        open_envelope(USER, 200, body, client_id="dingapp")
    assert caught.value.scopes == ("qyapi_get_member",)


def test_waits_are_those_that_dingtalk_names() -> None:
    with pytest.raises(RateLimited) as punished:
        open_envelope(USER, 200, orjson.dumps(WAF), client_id="x")
    assert punished.value.retry_after == 5
    with pytest.raises(RateLimited) as muted:
        open_envelope(SESSION_WEBHOOK, 200, b'{"errcode":410100}', client_id="x")
    assert muted.value.retry_after == 600


def test_long_words_of_dingtalk_are_cut() -> None:
    with pytest.raises(Refused) as caught:
        open_envelope(GROUP_SEND, 400, orjson.dumps(api_error("x", "长" * 5000)), client_id="x")
    assert len(caught.value.detail) < 300


@pytest.mark.parametrize(
    ("api", "answer"),
    [
        (CREATE_AND_DELIVER, {"success": True, "result": {}}),
        (DIRECT_SEND, {"processQueryKey": "k"}),
        (USER, {"errcode": 0, "result": {}}),
        (USER, {"errcode": "0"}),
        (SESSION_WEBHOOK, {"errcode": 0, "errmsg": "ok"}),
    ],
)
def test_good_answers(api: Any, answer: dict[str, Any]) -> None:
    assert open_envelope(api, 200, orjson.dumps(answer), client_id="x") == answer
