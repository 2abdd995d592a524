"""The organisation's directory, page by page (docs: platform/dingtalk/directory.md#calls)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.dingtalk.apis import DEPARTMENTS_BELOW, ROLES, USERS_OF_DEPARTMENT, USERS_WITH_ROLE
from bot.dingtalk.directory import DirectoryPerson, read_person
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.payload import flag, items, part, text

PEOPLE_A_PAGE = 100
ROLES_A_PAGE = 200


@dataclass(frozen=True, slots=True)
class DirectoryPage:
    """Some people, and the start of the next page (None at the end)."""

    people: tuple[DirectoryPerson, ...]
    following: int | None


class DingTalkDirectoryListing:
    """Reads lists of the directory. All methods raise `DingTalkScopeMissing` and other `DingTalkError`."""

    def __init__(self, api: OpenApi) -> None:
        self._api = api

    async def departments_below(self, department_id: str) -> Sequence[tuple[str, str]]:
        """Return ids and names of the direct subdepartments."""
        answer = await self._api.call(DEPARTMENTS_BELOW, {"dept_id": int(department_id), "language": "zh_CN"})
        listed = [part(item) for item in items(answer.get("result"))]
        return [
            (text(department.get("dept_id")), text(department.get("name")))
            for department in listed
            if text(department.get("dept_id"))
        ]

    async def members(self, department_id: str, start: int) -> DirectoryPage:
        """Return direct members of a department, without their roles and managers."""
        body = {"dept_id": int(department_id), "cursor": start, "size": PEOPLE_A_PAGE, "language": "zh_CN"}
        result = part((await self._api.call(USERS_OF_DEPARTMENT, body)).get("result"))
        return _page(result, start, more=result.get("has_more"), following=result.get("next_cursor"))

    async def roles(self) -> Mapping[str, str]:
        """Return all role names by id."""
        found: dict[str, str] = {}
        offset = 0
        while True:
            answer = await self._api.call(ROLES, {"offset": offset, "size": ROLES_A_PAGE})
            result = part(answer.get("result"))
            groups = [part(group) for group in items(result.get("list"))]
            listed = [part(role) for group in groups for role in items(group.get("roles"))]
            found.update({text(role.get("id")): text(role.get("name")) for role in listed})
            if not flag(result.get("hasMore")) or not listed:
                return {number: name for number, name in found.items() if number and name}
            offset += ROLES_A_PAGE

    async def role_members(self, role_id: str, start: int) -> DirectoryPage:
        """Return members with a role: their ids and names."""
        body = {"role_id": int(role_id), "offset": start, "size": PEOPLE_A_PAGE}
        result = part((await self._api.call(USERS_WITH_ROLE, body)).get("result"))
        return _page(result, start, more=result.get("hasMore"), following=result.get("nextCursor"))


def _page(result: Mapping[str, Any], start: int, *, more: object, following: object) -> DirectoryPage:
    listed = [read_person("", part(item)) for item in items(result.get("list"))]
    people = tuple(person for person in listed if person.user_id)
    # A missing continuation mark, or one that leads back, would loop for ever.
    further = int(text(following)) if text(following).isdigit() else start + PEOPLE_A_PAGE
    return DirectoryPage(people, further if flag(more) and people and further > start else None)
