"""The organisation's people (docs: platform/dingtalk/directory.md)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cachetools import TTLCache

from bot.dingtalk.apis import USER
from bot.dingtalk.errors import DingTalkError, DingTalkRefused
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.payload import flag, items, part, text
from bot.mechanisms.single_flight import SingleFlights

_UNKNOWN_PERSON = frozenset({"33012", "60111", "60121"})
_REMEMBER_REFUSAL = 60.0
"""Seconds for which a refusal is repeated without asking DingTalk."""


class DingTalkUnknownPerson(DingTalkRefused):
    """Nobody in the organisation has this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryPerson:
    """A member of the organisation according to the directory.

    ``departments`` and ``leads`` are ids, of all departments and of those the person leads. ``mail`` is the
    organisation's mailbox, ``own_mail`` an address they may have entered themselves. ``is_active``: they have logged in
    with their mobile. Fields that the application may not read are empty.
    """

    user_id: str
    name: str
    union_id: str = ""
    title: str = ""
    roles: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    leads: frozenset[str] = frozenset()
    manager_id: str = ""
    is_admin: bool = False
    job_number: str = ""
    mobile: str = field(default="", repr=False)
    country: str = ""
    mail: str = field(default="", repr=False)
    own_mail: str = field(default="", repr=False)
    is_active: bool = False


class DingTalkDirectory:
    """Looks people up, caches them for ``ttl`` seconds, and shares lookups among concurrent callers."""

    def __init__(
        self, api: OpenApi, *, ttl: float = 300.0, size: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._api = api
        self._people: MutableMapping[str, DirectoryPerson] = TTLCache(size, ttl, clock)
        self._refusals: MutableMapping[str, DingTalkError] = TTLCache(size, min(ttl, _REMEMBER_REFUSAL), clock)
        self._asking: SingleFlights[str, DirectoryPerson] = SingleFlights()

    async def person(self, user_id: str) -> DirectoryPerson:
        """Return a member; raises `DingTalkUnknownPerson` and other `DingTalkError`."""
        if (known := self._people.get(user_id)) is not None:
            return known
        if (refusal := self._refusals.get(user_id)) is not None:
            raise refusal.with_traceback(None)
        return await self._asking.join(user_id, partial(self._ask, user_id))

    def forget(self, user_id: str) -> None:
        """Drop a cached entry after an event about this person."""
        self._people.pop(user_id, None)
        self._refusals.pop(user_id, None)

    async def _ask(self, user_id: str) -> DirectoryPerson:
        try:
            person = self._people[user_id] = await self._read(user_id)
        except DingTalkError as error:
            if not error.retry:
                self._refusals[user_id] = error
            raise
        return person

    async def _read(self, user_id: str) -> DirectoryPerson:
        try:
            answer = await self._api.call(USER, {"userid": user_id, "language": "zh_CN"})
        except DingTalkRefused as refusal:
            raise _named(refusal) from refusal
        return read_person(user_id, part(answer.get("result")))


def _named(refusal: DingTalkRefused) -> DingTalkRefused:
    if refusal.code in _UNKNOWN_PERSON:
        return DingTalkUnknownPerson(refusal.detail, code=refusal.code, request_id=refusal.request_id)
    return refusal


def _texts(values: Iterable[object]) -> frozenset[str]:
    return frozenset(filter(None, map(text, values)))


def read_person(user_id: str, user: Mapping[str, Any]) -> DirectoryPerson:
    """Return the person in a directory entry; lists and booleans may come as text."""
    return DirectoryPerson(
        user_id=text(user.get("userid")) or user_id,
        name=text(user.get("name")),
        union_id=text(user.get("unionid")),
        title=text(user.get("title")),
        roles=_texts(part(role).get("name") for role in items(user.get("role_list"))),
        departments=_texts(items(user.get("dept_id_list"))),
        leads=_texts(
            part(entry).get("dept_id") for entry in items(user.get("leader_in_dept")) if flag(part(entry).get("leader"))
        ),
        manager_id=text(user.get("manager_userid")),
        is_admin=flag(user.get("admin")),
        job_number=text(user.get("job_number")),
        mobile=text(user.get("mobile")),
        country=text(user.get("state_code")),
        mail=text(user.get("org_email")),
        own_mail=text(user.get("email")),
        is_active=flag(user.get("active")),
    )
