"""Contacts and login (docs: platform/dingtalk/directory.md, platform/dingtalk/login.md#web-login, #in-client-login)."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from bot.kit.simulator.enterprise import demo_enterprise, enlarged
from tests.simulator.bare_client import CLIENT

EVENTS = [{"type": "EVENT", "topic": "*"}]
AUTH = {
    "client_id": "dingdemoappkey",
    "response_type": "code",
    "scope": "openid",
    "prompt": "consent",
    "state": "s/1",
    "redirect_uri": "http://127.0.0.1:1/login?next=%2F",
}


async def test_a_person(wire):
    answer = await wire.oapi("/topapi/v2/user/get", {"userid": "buymanager01", "language": "zh_CN"})
    user = answer["result"]
    assert answer["errcode"] == 0
    assert {key: user[key] for key in ("userid", "name", "title", "admin", "boss", "manager_userid")} == {
        "userid": "buymanager01",
        "name": "赵国强",
        "title": "采购经理",
        "admin": False,
        "boss": False,
        "manager_userid": "boss01",
    }
    assert {role["name"] for role in user["role_list"]} == {"purchaser", "approver"}
    assert user["leader_in_dept"] == [{"dept_id": 30, "leader": True}]


@pytest.mark.parametrize(
    ("path", "body", "errcode"),
    [
        ("v2/user/get", {}, 33012),
        ("v2/user/get", {"userid": "nobody"}, 60121),
        ("v2/user/get", {"userid": "ext_carrier"}, 60121),
        ("v2/user/list", {"dept_id": 999, "cursor": 0, "size": 10}, 60003),
        ("v2/user/list", {"dept_id": 50, "cursor": 0, "size": 101}, 400002),
        ("user/listid", {}, 400002),
        ("role/simplelist", {"role_id": 1}, 400002),
        ("v2/user/getbymobile", {"mobile": "1"}, 60121),
        ("user/getbyunionid", {"unionid": "x"}, 60121),
    ],
)
async def test_errors(wire, path, body, errcode):
    assert (await wire.oapi(f"/topapi/{path}", body))["errcode"] == errcode


async def test_the_whole_company_can_be_walked(wire):
    async def ids(department):
        below = (await wire.oapi("/topapi/v2/department/listsub", {"dept_id": department}))["result"]
        found = (await wire.oapi("/topapi/user/listid", {"dept_id": department}))["result"]["userid_list"]
        for child in below:
            found += await ids(child["dept_id"])
        return found

    people = wire.engine.enterprise.people.values()
    assert sorted(await ids(1)) == sorted(person.user_id for person in people if not person.external)


async def test_pages_of_a_department(wire):
    first = (await wire.oapi("/topapi/v2/user/list", {"dept_id": 60, "cursor": 0, "size": 2}))["result"]
    rest = {"dept_id": 60, "cursor": first["next_cursor"], "size": 2}
    last = (await wire.oapi("/topapi/v2/user/list", rest))["result"]
    assert (first["has_more"], last["has_more"]) == (True, False)
    assert len({user["userid"] for user in first["list"] + last["list"]}) == 3


async def test_roles_and_their_members(wire):
    [group] = (await wire.oapi("/topapi/role/list", {"offset": 0, "size": 200}))["result"]["list"]
    approver = next(role["id"] for role in group["roles"] if role["name"] == "approver")
    members = (await wire.oapi("/topapi/role/simplelist", {"role_id": approver}))["result"]["list"]
    assert {member["userid"] for member in members} == {"boss01", "buymanager01", "finance01"}


async def test_by_mobile(wire):
    assert (await wire.oapi("/topapi/v2/user/getbymobile", {"mobile": "13800000009"}))["result"]["userid"] == "keeper01"


async def log_in(wire, user_id, **changes):
    query = {**AUTH, **changes}
    async with wire.session.get(f"{wire.url}/oauth2/auth", params=query) as response:
        assert response.status == 200
        assert f'value="{user_id}"' in await response.text()
    async with wire.session.post(
        f"{wire.url}/oauth2/auth", params=query, data={"userId": user_id}, allow_redirects=False
    ) as response:
        assert response.status == 302
        return {key: values[0] for key, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


async def test_web_login_from_page_to_user_id(wire):
    back = await log_in(wire, "sales01", scope="openid corpid")
    assert (back["state"], back["next"]) == ("s/1", "/")
    assert "code" not in back
    body = {**CLIENT, "code": back["authCode"], "grantType": "authorization_code"}
    token = (await wire.call("POST", "/v1.0/oauth2/userAccessToken", body))[1]
    assert (token["corpId"], token["expireIn"]) == ("dingdemocorp", 7200)
    assert (await wire.call("POST", "/v1.0/oauth2/userAccessToken", body))[0] == 400
    headers = {"x-acs-dingtalk-access-token": token["accessToken"]}
    me = (await wire.call("GET", "/v1.0/contact/users/me", headers=headers))[1]
    assert me["nick"] == "李娜"
    found = await wire.oapi("/topapi/user/getbyunionid", {"unionid": me["unionId"]})
    assert found["result"] == {"contact_type": 0, "userid": "sales01"}
    refresh = {**CLIENT, "refreshToken": token["refreshToken"], "grantType": "refresh_token"}
    assert (await wire.call("POST", "/v1.0/oauth2/userAccessToken", refresh))[0] == 200


async def test_people_are_found_by_their_union_id(wire):
    back = await log_in(wire, "sales01")
    body = {**CLIENT, "code": back["authCode"], "grantType": "authorization_code"}
    token = (await wire.call("POST", "/v1.0/oauth2/userAccessToken", body))[1]["accessToken"]
    headers = {"x-acs-dingtalk-access-token": token}
    boss = wire.engine.person("boss01")
    found = (await wire.call("GET", f"/v1.0/contact/users/{boss.union_id}", headers=headers))[1]
    assert (found["nick"], found["unionId"]) == (boss.name, boss.union_id)
    status, answer = await wire.call("GET", "/v1.0/contact/users/nobody", headers=headers)
    assert (status, answer["code"]) == (404, "invalidParameter.user.notFound")


async def test_outsiders_can_log_in_but_are_not_of_the_company(wire):
    back = await log_in(wire, "ext_carrier")
    body = {**CLIENT, "code": back["authCode"], "grantType": "authorization_code"}
    token = (await wire.call("POST", "/v1.0/oauth2/userAccessToken", body))[1]
    assert token["corpId"] != "dingdemocorp"
    headers = {"x-acs-dingtalk-access-token": token["accessToken"]}
    me = (await wire.call("GET", "/v1.0/contact/users/me", headers=headers))[1]
    assert (await wire.oapi("/topapi/user/getbyunionid", {"unionid": me["unionId"]}))["errcode"] == 60121


async def test_codes_expire(wire, clock):
    back = await log_in(wire, "sales01")
    clock.advance(minutes=5)
    body = {**CLIENT, "code": back["authCode"], "grantType": "authorization_code"}
    assert (await wire.call("POST", "/v1.0/oauth2/userAccessToken", body))[0] == 400


async def test_refusing(wire):
    assert await log_in(wire, "") == {"next": "/", "error": "access_denied", "state": "s/1"}


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "x"},
        {"prompt": "none"},
        {"response_type": "token"},
        {"scope": "x"},
        {"redirect_uri": "javascript:x"},
    ],
    ids=str,
)
async def test_bad_login_requests(wire, change):
    async with wire.session.get(f"{wire.url}/oauth2/auth", params={**AUTH, **change}) as response:
        assert response.status == 400


async def test_an_app_token_is_no_user_token(wire):
    assert (await wire.api("GET", "/v1.0/contact/users/me"))[1]["code"] == "InvalidAuthentication"


async def test_login_inside_the_client(wire):
    code = (await wire.call("POST", "/sim/auth-codes", {"userId": "it01"}))[1]["code"]
    result = (await wire.oapi("/topapi/v2/user/getuserinfo", {"code": code}))["result"]
    assert (result["userid"], result["sys"], result["sys_level"]) == ("it01", True, 1)
    assert (await wire.oapi("/topapi/v2/user/getuserinfo", {"code": code}))["errcode"] == 40078


async def test_a_list_tells_neither_roles_nor_managers(wire):
    page = (await wire.oapi("/topapi/v2/user/list", {"dept_id": 50, "cursor": 0, "size": 10}))["result"]
    assert {user["userid"] for user in page["list"]} == {"keeper01", "keeper02"}
    assert not {"role_list", "manager_userid"} & set(page["list"][0])


async def test_who_leaves_is_no_longer_known_and_an_event_tells_of_it(wire):
    async with wire.stream(subscriptions=EVENTS) as stream:
        assert (await wire.call("POST", "/sim/people", {"userId": "sales01", "left": True}))[0] == 200
        [frame] = await stream.take("*")
    assert frame["headers"]["eventType"] == "user_leave_org"
    assert (await wire.oapi("/topapi/v2/user/get", {"userid": "sales01"}))["errcode"] == 60121
    wire.engine.reset()
    assert (await wire.oapi("/topapi/v2/user/get", {"userid": "sales01"}))["errcode"] == 0


async def test_other_roles_are_told_of_by_an_event(wire):
    async with wire.stream(subscriptions=EVENTS) as stream:
        assert (await wire.call("POST", "/sim/people", {"userId": "sales01", "roles": ["approver"]}))[0] == 200
        frames = await stream.take("*", 2)
    assert [(frame["headers"]["eventType"], frame["decoded"]["action"]) for frame in frames] == [
        ("label_user_change", "add"),
        ("label_user_change", "remove"),
    ]
    user = (await wire.oapi("/topapi/v2/user/get", {"userid": "sales01"}))["result"]
    assert [role["name"] for role in user["role_list"]] == ["approver"]


@pytest.mark.parametrize("body", [{"userId": "sales01"}, {"userId": "sales01", "roles": ["x"]}, {"left": True}])
async def test_nobody_is_changed_by_a_wrong_request(wire, body):
    assert (await wire.call("POST", "/sim/people", body))[0] in {400, 404}
    assert (await wire.oapi("/topapi/v2/user/get", {"userid": "sales01"}))["errcode"] == 0


def test_a_large_company_has_teams_in_plants():
    company = enlarged(demo_enterprise(), 1_030)
    assert len(company.people) == len(demo_enterprise().people) + 1_030
    assert [len(company.members(10_000 + team)) for team in (0, 19, 20)] == [50, 50, 30]
    assert {company.departments[10_000 + team].parent_id for team in (0, 19)} == {1_000}
    assert company.departments[10_020].parent_id == 1_001
