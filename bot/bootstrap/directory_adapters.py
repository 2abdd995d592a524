"""DingTalk's directory behind the ports of `bot.access`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from bot.access.directory_sync import ListedDepartment, ListedPage
from bot.access.membership import DirectoryClosed
from bot.access.people import DirectoryEntry
from bot.access.staff_keys import MatchKey, StaffKeys, phone_number
from bot.dingtalk.directory import DingTalkDirectory, DingTalkUnknownPerson, DirectoryPerson
from bot.dingtalk.directory_listing import DingTalkDirectoryListing, DirectoryPage
from bot.dingtalk.errors import DingTalkRefused, DingTalkScopeMissing

_NOT_SHOWN = frozenset({"50002"})
"""Codes for people outside the app's visible range (docs: platform/dingtalk/directory.md#errors)."""


class DirectoryAdapter:
    """Looks up members in DingTalk's directory."""

    def __init__(self, directory: DingTalkDirectory) -> None:
        self._directory = directory

    async def entry(self, user_id: str) -> DirectoryEntry | None:
        """Return a member's current entry; None for outsiders."""
        self._directory.forget(user_id)
        try:
            with _closed_by_permissions():
                person = await self._directory.person(user_id)
                return replace(_entry(person), manager=person.manager_id)
        except DingTalkUnknownPerson:
            return None


class DirectoryListingAdapter:
    """Lists members from DingTalk's directory."""

    def __init__(self, listing: DingTalkDirectoryListing) -> None:
        self._listing = listing

    async def departments_below(self, department_id: str) -> Sequence[ListedDepartment]:
        with _closed_by_permissions():
            found = await self._listing.departments_below(department_id)
        return [ListedDepartment(number, name, department_id) for number, name in found]

    async def members(self, department_id: str, start: int) -> ListedPage:
        with _closed_by_permissions():
            return _page(await self._listing.members(department_id, start))

    async def roles(self) -> dict[str, str]:
        with _closed_by_permissions():
            return dict(await self._listing.roles())

    async def role_members(self, role_id: str, start: int) -> ListedPage:
        with _closed_by_permissions():
            return _page(await self._listing.role_members(role_id, start))


@contextmanager
def _closed_by_permissions() -> Iterator[None]:
    """Raise `DirectoryClosed` for data that the app may not read."""
    try:
        yield
    except DingTalkScopeMissing as error:
        raise DirectoryClosed(error.detail) from error
    except DingTalkRefused as refusal:
        if refusal.code in _NOT_SHOWN:
            raise DirectoryClosed(refusal.detail) from refusal
        raise


def _entry(person: DirectoryPerson) -> DirectoryEntry:
    return DirectoryEntry(
        name=person.name, roles=person.roles, departments=person.departments, is_admin=person.is_admin
    )


def _page(page: DirectoryPage) -> ListedPage:
    entries = {person.user_id: _entry(person) for person in page.people}
    return ListedPage(entries, page.following, {person.user_id: _keys(person) for person in page.people})


def _keys(person: DirectoryPerson) -> StaffKeys:
    # Until the first login the mobile is unproved, and a private mail address always is.
    mobile = {MatchKey.MOBILE: phone_number(person.mobile, person.country.lstrip("+"))}
    return StaffKeys(
        user_id=person.user_id,
        name=person.name,
        verified={
            MatchKey.JOB_NUMBER: person.job_number,
            MatchKey.MAIL: person.mail,
            **(mobile if person.is_active else {}),
        },
        unverified={MatchKey.MAIL: person.own_mail, **({} if person.is_active else mobile)},
    )
