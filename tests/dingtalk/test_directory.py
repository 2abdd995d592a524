from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from bot.dingtalk.directory import DingTalkDirectory, DingTalkUnknownPerson, DirectoryPerson
from bot.dingtalk.errors import DingTalkScopeMissing, DingTalkUnavailable
from bot.dingtalk.openapi import OpenApi
from tests.dingtalk.conftest import OAPI, FakeDingTalk

URL = f"{OAPI}/topapi/v2/user/get?access_token=token-1"
USER = {
    "userid": "manager4220",
    "unionid": "union1",
    "name": "王小明",
    "title": "采购经理",
    "role_list": [{"id": 1, "name": "approver", "group_name": "g"}, {"id": 2, "name": "主管"}],
    "dept_id_list": [7, 8],
    "leader_in_dept": [{"dept_id": 7, "leader": True}, {"dept_id": 8, "leader": False}],
    "manager_userid": "boss1",
    "admin": True,
    "boss": False,
}
PERSON = DirectoryPerson(
    user_id="manager4220",
    name="王小明",
    union_id="union1",
    title="采购经理",
    roles=frozenset({"approver", "主管"}),
    departments=frozenset({"7", "8"}),
    leads=frozenset({"7"}),
    manager_id="boss1",
    is_admin=True,
)
AS_TEXT = {
    **USER,
    "dept_id_list": "[7,8]",
    "leader_in_dept": '[{"dept_id":7,"leader":"true"},{"dept_id":8,"leader":"false"}]',
    "admin": "true",
    "boss": "false",
}


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(api: OpenApi, dingtalk: FakeDingTalk, clock: Clock) -> DingTalkDirectory:
    dingtalk.token()
    return DingTalkDirectory(api, ttl=300, clock=clock)


@pytest.mark.parametrize("user", [USER, AS_TEXT], ids=["native", "text"])
async def test_a_person(directory: DingTalkDirectory, dingtalk: FakeDingTalk, user: dict[str, Any]) -> None:
    dingtalk.post(URL, payload={"errcode": 0, "result": user})
    assert await directory.person("manager4220") == PERSON


async def test_fields_without_permission_are_empty(directory: DingTalkDirectory, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(URL, payload={"errcode": 0, "result": {"name": "王小明", "role_list": None}})
    assert await directory.person("u") == DirectoryPerson(user_id="u", name="王小明")


async def test_one_call_for_all_and_none_for_five_minutes(
    directory: DingTalkDirectory, dingtalk: FakeDingTalk, clock: Clock
) -> None:
    dingtalk.post(URL, payload={"errcode": 0, "result": USER}, repeat=True)
    people = await asyncio.gather(*(directory.person("manager4220") for _ in range(20)))
    clock.now = 299
    assert {*people, await directory.person("manager4220")} == {PERSON}
    assert len(dingtalk.asked(URL)) == 1
    clock.now = 301
    await directory.person("manager4220")
    assert len(dingtalk.asked(URL)) == 2
    directory.forget("manager4220")
    await directory.person("manager4220")
    assert len(dingtalk.asked(URL)) == 3


async def test_one_who_gives_up_does_not_stop_the_others(directory: DingTalkDirectory, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(URL, payload={"errcode": 0, "result": USER})
    first, second = (asyncio.create_task(directory.person("manager4220")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == PERSON


@pytest.mark.parametrize("code", [33012, 60121, 60111])
async def test_an_unknown_person_is_remembered_for_a_minute(
    directory: DingTalkDirectory, dingtalk: FakeDingTalk, clock: Clock, code: int
) -> None:
    dingtalk.post(URL, payload={"errcode": code, "errmsg": "x"}, repeat=True)
    for _ in range(3):
        with pytest.raises(DingTalkUnknownPerson):
            await directory.person("nobody")
    assert len(dingtalk.asked(URL)) == 1
    clock.now = 61
    with pytest.raises(DingTalkUnknownPerson):
        await directory.person("nobody")
    assert len(dingtalk.asked(URL)) == 2


async def test_a_missing_scope_costs_one_call_a_minute(directory: DingTalkDirectory, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(URL, payload={"errcode": 88, "sub_code": "60011", "sub_msg": "qyapi_get_member"}, repeat=True)
    for _ in range(3):
        with pytest.raises(DingTalkScopeMissing, match="qyapi_get_member"):
            await directory.person("manager4220")
    assert len(dingtalk.asked(URL)) == 1


async def test_a_passing_trouble_is_not_remembered(directory: DingTalkDirectory, dingtalk: FakeDingTalk) -> None:
    for _ in range(3):
        dingtalk.post(URL, payload={"errcode": -1, "errmsg": "busy"})
    dingtalk.post(URL, payload={"errcode": 0, "result": USER})
    with pytest.raises(DingTalkUnavailable):
        await directory.person("manager4220")
    assert await directory.person("manager4220") == PERSON
