"""Lists of the directory, whatever their answers leave out."""

from __future__ import annotations

from typing import Any

import pytest

from bot.dingtalk.directory_listing import DingTalkDirectoryListing
from bot.dingtalk.errors import DingTalkScopeMissing
from bot.dingtalk.openapi import OpenApi
from tests.dingtalk.conftest import OAPI, FakeDingTalk


def url(path: str) -> str:
    return f"{OAPI}/topapi/{path}?access_token=token-1"


def answer(result: Any) -> dict[str, Any]:
    return {"errcode": 0, "errmsg": "ok", "result": result}


@pytest.fixture
def listing(api: OpenApi, dingtalk: FakeDingTalk) -> DingTalkDirectoryListing:
    dingtalk.token()
    return DingTalkDirectoryListing(api)


async def test_departments(listing: DingTalkDirectoryListing, dingtalk: FakeDingTalk) -> None:
    below = [{"dept_id": 40, "name": "销售部", "parent_id": 1}, {"name": "none"}, "rubbish"]
    dingtalk.post(url("v2/department/listsub"), payload=answer(below))
    assert await listing.departments_below("1") == [("40", "销售部")]


@pytest.mark.parametrize(
    ("result", "people", "following"),
    [
        ({"has_more": True, "next_cursor": 100, "list": [{"userid": "a", "dept_id_list": [40]}]}, ["a"], 100),
        ({"has_more": "true", "next_cursor": "7", "list": '[{"userid":"a"}]'}, ["a"], 7),
        ({"has_more": True, "list": [{"userid": "a"}]}, ["a"], 100),
        ({"has_more": True, "next_cursor": 0, "list": [{"userid": "a"}]}, ["a"], None),
        ({"has_more": True, "next_cursor": 100, "list": []}, [], None),
        ({"has_more": False, "list": [{"userid": "a"}, {"name": "b"}, None]}, ["a"], None),
        (None, [], None),
    ],
)
async def test_a_page_of_members(
    listing: DingTalkDirectoryListing,
    dingtalk: FakeDingTalk,
    result: Any,
    people: list[str],
    following: int | None,
) -> None:
    dingtalk.post(url("v2/user/list"), payload=answer(result))
    page = await listing.members("40", 0)
    assert ([person.user_id for person in page.people], page.following) == (people, following)


async def test_roles_of_all_groups_and_pages(listing: DingTalkDirectoryListing, dingtalk: FakeDingTalk) -> None:
    first = {"hasMore": True, "list": [{"groupId": 9, "roles": [{"id": 1, "name": "sales"}]}, {"groupId": 8}]}
    last = {"hasMore": False, "list": [{"groupId": 7, "roles": [{"id": 2, "name": "财务"}, {"id": 3}]}]}
    dingtalk.post(url("role/list"), payload=answer(first))
    dingtalk.post(url("role/list"), payload=answer(last))
    assert await listing.roles() == {"1": "sales", "2": "财务"}


async def test_a_page_of_people_with_a_role(listing: DingTalkDirectoryListing, dingtalk: FakeDingTalk) -> None:
    result = {"hasMore": True, "nextCursor": 100, "list": [{"userid": "a", "name": "A"}]}
    dingtalk.post(url("role/simplelist"), payload=answer(result))
    page = await listing.role_members("1", 0)
    assert ([person.user_id for person in page.people], page.following) == (["a"], 100)


async def test_a_missing_permission_has_its_name(listing: DingTalkDirectoryListing, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(url("v2/user/list"), payload={"errcode": 60011, "errmsg": "no permission"})
    with pytest.raises(DingTalkScopeMissing):
        await listing.members("40", 0)
