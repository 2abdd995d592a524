"""DingTalk's answers, as they are reported, and what each must lead to."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bot.dingtalk.apis import ACCESS_TOKEN, CREATE_AND_DELIVER, DIRECT_SEND, GROUP_SEND, SESSION_WEBHOOK, USER
from bot.dingtalk.envelope import read_answer
from bot.dingtalk.errors import (
    DingTalkAccessDenied,
    DingTalkAuthFailed,
    DingTalkError,
    DingTalkOutcomeUnknown,
    DingTalkQuotaExhausted,
    DingTalkRateLimited,
    DingTalkRefused,
    DingTalkScopeMissing,
    DingTalkSessionExpired,
    DingTalkTokenExpired,
    DingTalkUnavailable,
)
from bot.words.errors import ConfigurationError
from tests.rows import each_row

HTML = b"<html><body>400 The plain HTTP request was sent to HTTPS port</body></html>"
XML = b"<?xml version='1.0'?><error><code>x</code></error>"
WAF = {"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "u"}
SCOPE = "Forbidden.AccessDenied.AccessTokenPermissionDenied"


def api_error(code: str, message: str = "", **more: Any) -> dict[str, Any]:
    return {"code": code, "message": message or code, "requestid": "FD9F-1", **more}


@each_row(
    ("status", "answer", "expected"),
    [
        (400, api_error("InvalidAuthentication", "不合法的access_token"), DingTalkTokenExpired),
        (401, api_error("anything"), DingTalkTokenExpired),
        (403, api_error("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"), DingTalkRateLimited),
        (403, api_error("Forbidden.AccessDenied.QpsLimitForApi"), DingTalkRateLimited),
        (403, api_error("Forbidden.AccessDenied.ApiCountLimitForOrg"), DingTalkQuotaExhausted),
        (403, api_error(SCOPE, accessdenieddetail={"requiredScopes": ["Card.Instance.Write"]}), DingTalkScopeMissing),
        (403, api_error(SCOPE), DingTalkScopeMissing),
        (403, api_error("Forbidden.AccessDenied.IpNotInWhiteList"), DingTalkAccessDenied),
        (429, api_error("whatever"), DingTalkRateLimited),
        (400, api_error("send.too.fast"), DingTalkRateLimited),
        (400, api_error("param.templateUnpublished"), DingTalkRefused),
        (400, api_error("param.cardAlreadyExist"), DingTalkRefused),
        (400, api_error("invalid.openConversationId"), DingTalkRefused),
        (403, api_error("bot.forbidden.sendMessage"), DingTalkRefused),
        (404, api_error("InvalidAction.NotFound"), DingTalkRefused),
        (400, api_error("unknown.send.result"), DingTalkOutcomeUnknown),
        (500, api_error("system.error"), DingTalkOutcomeUnknown),
        (500, api_error("unknownError", "未知错误"), DingTalkOutcomeUnknown),
        (504, api_error("Timeout"), DingTalkOutcomeUnknown),
        (500, api_error("system.busy"), DingTalkUnavailable),
        (503, api_error("ServiceUnavailable"), DingTalkUnavailable),
        (200, {"success": False, "code": "x"}, DingTalkRefused),
        (200, {"success": "false"}, DingTalkRefused),
        (200, WAF, DingTalkRateLimited),
        (403, WAF, DingTalkRateLimited),
        (200, HTML, DingTalkOutcomeUnknown),
        (400, HTML, DingTalkUnavailable),
        (403, HTML, DingTalkUnavailable),
        (502, HTML, DingTalkOutcomeUnknown),
        (503, HTML, DingTalkUnavailable),
        (200, XML, DingTalkOutcomeUnknown),
        (200, b"", DingTalkOutcomeUnknown),
        (200, [], DingTalkOutcomeUnknown),
        (200, b"\xff\xfe", DingTalkOutcomeUnknown),
    ],
)
def test_errors_of_the_new_api(status: int, answer: Any, expected: type[DingTalkError]) -> None:
    body = answer if isinstance(answer, bytes) else orjson.dumps(answer)
    with pytest.raises(expected) as caught:
        read_answer(CREATE_AND_DELIVER, status, body, client_id="dingapp")
    assert type(caught.value) is expected


@each_row(
    ("answer", "expected"),
    [
        ({"errcode": 40014, "errmsg": "不合法的access_token"}, DingTalkTokenExpired),
        ({"errcode": "42001", "errmsg": "expired"}, DingTalkTokenExpired),
        ({"errcode": 88, "sub_code": "40014", "sub_msg": "不合法的access_token"}, DingTalkTokenExpired),
        ({"errcode": 88, "sub_code": 42001}, DingTalkTokenExpired),
        ({"errcode": 90018, "errmsg": "qps"}, DingTalkRateLimited),
        ({"errcode": 90002, "errmsg": "qps"}, DingTalkRateLimited),
        ({"errcode": 88, "sub_code": "90018"}, DingTalkRateLimited),
        ({"errcode": 88, "sub_code": "90005"}, DingTalkRateLimited),
        ({"errcode": 90020, "errmsg": "count"}, DingTalkQuotaExhausted),
        ({"errcode": 88, "sub_code": "90020"}, DingTalkQuotaExhausted),
        ({"errcode": 88, "sub_code": "60011", "sub_msg": "没有调用该接口的权限"}, DingTalkScopeMissing),
        ({"errcode": -1, "errmsg": "系统繁忙"}, DingTalkUnavailable),
        ({"errcode": 15, "sub_code": "isp.top-remote-connection-timeout"}, DingTalkOutcomeUnknown),
        ({"errcode": 60121, "errmsg": "找不到该用户"}, DingTalkRefused),
        ({"errcode": 300001, "errmsg": "token is not exist"}, DingTalkRefused),
        ({}, DingTalkOutcomeUnknown),
        (WAF, DingTalkRateLimited),
        (HTML, DingTalkOutcomeUnknown),
    ],
)
def test_errors_of_the_old_api(answer: Any, expected: type[DingTalkError]) -> None:
    body = answer if isinstance(answer, bytes) else orjson.dumps(answer)
    with pytest.raises(expected) as caught:
        read_answer(USER, 200, body, client_id="dingapp")
    assert type(caught.value) is expected


@each_row(
    ("answer", "expected"),
    [
        ({"errcode": 300001, "errmsg": "session 不存在"}, DingTalkSessionExpired),
        ({"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}, DingTalkRateLimited),
        ({"errcode": 430102, "errmsg": "text"}, DingTalkRefused),
        ({"errcode": 40014}, DingTalkRefused),
    ],
)
def test_errors_of_a_webhook(answer: Any, expected: type[DingTalkError]) -> None:
    with pytest.raises(expected) as caught:
        read_answer(SESSION_WEBHOOK, 200, orjson.dumps(answer), client_id="dingapp")
    assert type(caught.value) is expected


@each_row("status", [400, 401, 403])
def test_refused_keys_are_a_matter_of_configuration(status: int) -> None:
    body = orjson.dumps(api_error("invalidClientIdOrSecret", "无效的clientId或者clientSecret"))
    with pytest.raises(DingTalkAuthFailed) as caught:
        read_answer(ACCESS_TOKEN, status, body, client_id="dingapp")
    assert isinstance(caught.value, ConfigurationError)
    assert not caught.value.retry
    assert "invalidClientIdOrSecret" in caught.value.detail


def test_a_token_call_may_be_too_fast_like_any_other() -> None:
    body = orjson.dumps(api_error("Forbidden.AccessDenied.QpsLimitForApi"))
    with pytest.raises(DingTalkRateLimited):
        read_answer(ACCESS_TOKEN, 403, body, client_id="dingapp")


def test_a_missing_scope_is_named_with_the_page_that_grants_it() -> None:
    body = orjson.dumps(api_error(SCOPE, accessdenieddetail={"requiredScopes": ["qyapi_robot_sendmsg", "A.B.Write"]}))
    with pytest.raises(DingTalkScopeMissing) as caught:
        read_answer(GROUP_SEND, 403, body, client_id="ding app")
    assert caught.value.scopes == ("qyapi_robot_sendmsg", "A.B.Write")
    assert caught.value.links[0] == (
        "https://open-dev.dingtalk.com/appscope/apply?content=ding%20app%23qyapi_robot_sendmsg"
    )
    assert caught.value.links[0] in caught.value.detail
    assert caught.value.request_id == "FD9F-1"


def test_the_old_api_names_a_scope_in_its_words() -> None:
    words = "应用尚未开通所需的权限:[qyapi_get_member],点击链接申请"
    body = orjson.dumps({"errcode": 88, "sub_code": "60011", "sub_msg": words, "request_id": "r1"})
    with pytest.raises(DingTalkScopeMissing) as caught:
        read_answer(USER, 200, body, client_id="dingapp")
    assert caught.value.scopes == ("qyapi_get_member",)


def test_waits_are_those_that_dingtalk_names() -> None:
    with pytest.raises(DingTalkRateLimited) as punished:
        read_answer(USER, 200, orjson.dumps(WAF), client_id="x")
    assert punished.value.retry_after == 5
    with pytest.raises(DingTalkRateLimited) as muted:
        read_answer(SESSION_WEBHOOK, 200, b'{"errcode":410100}', client_id="x")
    assert muted.value.retry_after == 600


def test_long_words_of_dingtalk_are_cut() -> None:
    with pytest.raises(DingTalkRefused) as caught:
        read_answer(GROUP_SEND, 400, orjson.dumps(api_error("x", "长" * 5000)), client_id="x")
    assert len(caught.value.detail) < 300


@each_row(
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
    assert read_answer(api, 200, orjson.dumps(answer), client_id="x") == answer
