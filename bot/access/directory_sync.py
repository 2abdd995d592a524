"""Keeps the database in step with DingTalk's directory: a slow walk through all departments once a day.

Askers are looked up individually in between (`bot.access.membership`), and events report changes, so nobody waits for a
walk. It finds changes without an event: people no longer listed must be looked up before they count again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.access.membership import DirectoryClosed, Membership
from bot.access.people import DirectoryEntry
from bot.access.staff_keys import StaffKeys
from bot.mechanisms.backoff import Backoff, BackoffPolicy
from bot.mechanisms.wakeup import Wakeup
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

ROOT_DEPARTMENT = "1"

CLOSED_PAUSE = 600.0
"""Seconds before a retry of a directory that may not be read."""

FAILURE_PAUSES = BackoffPolicy(first=60.0, longest=3600.0)

DEPARTMENTS_PAUSE = 30.0
"""Seconds for which further department changes are gathered after the first."""

_LOOKED_AT_EVERY = 600.0
"""Seconds between two checks whether a walk is due: another process may have done the last one."""


@dataclass(frozen=True, slots=True)
class ListedDepartment:
    """A department; ``parent_id`` is empty for the organisation itself."""

    id: str
    name: str
    parent_id: str


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Some members of a department or role, and the start of the next page (None at the end).

    ``keys`` are by userId, limited to the data on a department's page.
    """

    people: Mapping[str, DirectoryEntry]
    following: int | None
    keys: Mapping[str, StaffKeys] = field(default_factory=dict)


class DirectoryListing(Protocol):
    """DingTalk's directory, page by page. Raises `DirectoryClosed`, or another `DingerpError`."""

    async def departments_below(self, department_id: str) -> Sequence[ListedDepartment]:
        """Return the direct subdepartments."""
        ...

    async def members(self, department_id: str, start: int) -> ListedPage:
        """Return direct members of a department; their entries have no roles."""
        ...

    async def roles(self) -> Mapping[str, str]:
        """Return all role names by id."""
        ...

    async def role_members(self, role_id: str, start: int) -> ListedPage:
        """Return members with a role; their entries hold only a name."""
        ...


class SyncStore(Protocol):
    """Stores the results of a walk; implemented by `bot.store.people`. Raises a `DingerpError` when unavailable."""

    async def begin_walk(self, now: datetime, every: timedelta) -> bool:
        """Return whether a walk is due, and record that this process begins it."""
        ...

    async def record_entries(self, entries: Mapping[str, DirectoryEntry], asked_at: datetime) -> None:
        """Store the directory's data on many people as of ``asked_at``."""
        ...

    async def replace_departments(self, departments: Sequence[ListedDepartment]) -> None:
        """Replace all stored departments."""
        ...

    async def end_walk(self, began_at: datetime, now: datetime) -> int:
        """Record the end of a walk; return the number of people it did not find, who must be looked up again."""
        ...


@dataclass(frozen=True, slots=True)
class WalkResult:
    """The results of a walk through the directory."""

    people: int
    departments: int
    unlisted: int


class DirectorySync:
    """Walks through the directory when a walk is due, and reports whether the app may read it at all."""

    def __init__(
        self,
        listing: DirectoryListing,
        store: SyncStore,
        membership: Membership,
        *,
        every: timedelta,
        now: Callable[[], datetime],
        walked: Callable[[Sequence[StaffKeys]], Awaitable[None]] | None = None,
    ) -> None:
        """``walked`` receives everybody's keys at the end of a walk; they are not stored."""
        self._walked = walked
        self._listing = listing
        self._store = store
        self._membership = membership
        self._every = every
        self._now = now
        self._backoff = Backoff(FAILURE_PAUSES)
        self._wakeup = Wakeup()
        self._departments_changed = False
        self._was_closed = False
        self._is_walking = False
        """Whether a walk of this process is in progress."""

    def note_departments_changed(self) -> None:
        """Have the departments read again soon."""
        self._departments_changed = True
        self._wakeup.call()

    async def run(self) -> None:
        """Run until cancelled; errors of the directory and the store are logged and retried."""
        while True:
            self._wakeup.clear()
            await self._wakeup.sleep(await self.round())
            if self._departments_changed:
                self._wakeup.clear()
                await self._wakeup.sleep(DEPARTMENTS_PAUSE)

    async def round(self) -> float:
        """Run a due walk, and return the seconds until the next check."""
        try:
            if self._departments_changed:
                self._departments_changed = False
                await self._store.replace_departments(await self._read_departments())
            if self._is_walking or await self._store.begin_walk(self._now(), self._every):
                self._is_walking = True
                found = await self._walk()
                self._is_walking = False
                log.info(
                    "directory.synchronised",
                    people=found.people,
                    departments=found.departments,
                    unlisted=found.unlisted,
                )
        except DirectoryClosed as error:
            self._set_closed(error)
            return CLOSED_PAUSE
        except DingerpError as error:
            log.warning("directory.not_synchronised", error=type(error).__name__, detail=error.detail)
            return self._backoff.failed()
        self._backoff.succeeded()
        return _LOOKED_AT_EVERY

    async def _walk(self) -> WalkResult:
        began_at = self._now()
        departments = await self._read_departments()
        await self._store.replace_departments(departments)
        roles = await self._read_roles()
        seen: set[str] = set()
        keys: dict[str, StaffKeys] = {}
        for department in departments:
            start: int | None = 0
            while start is not None:
                asked_at = self._now()
                page = await self._listing.members(department.id, start)
                entries = {
                    user_id: replace(entry, roles=frozenset(roles.get(user_id, ())))
                    for user_id, entry in page.people.items()
                }
                await self._store.record_entries(entries, asked_at)
                seen.update(entries)
                if self._walked is not None:
                    keys.update(page.keys)
                start = page.following
        unlisted = await self._store.end_walk(began_at, self._now())
        if self._walked is not None:
            await self._walked(tuple(keys.values()))
        return WalkResult(len(seen), len(departments), unlisted)

    async def _read_departments(self) -> list[ListedDepartment]:
        """Return all departments, starting with the organisation itself."""
        found = {ROOT_DEPARTMENT: ListedDepartment(ROOT_DEPARTMENT, "", "")}
        waiting = deque(found)
        while waiting:
            for department in await self._listing.departments_below(waiting.popleft()):
                if department.id not in found:
                    found[department.id] = department
                    waiting.append(department.id)
            self._set_closed(None)
        return list(found.values())

    async def _read_roles(self) -> dict[str, set[str]]:
        """Return everybody's role names, which department lists do not include."""
        try:
            names = await self._listing.roles()
        except DirectoryClosed as error:
            # People can still be looked up individually, with their roles.
            raise DingerpError(f"roles cannot be listed: {error.detail}") from error
        roles: dict[str, set[str]] = {}
        for role_id, name in names.items():
            start: int | None = 0
            while start is not None:
                page = await self._listing.role_members(role_id, start)
                for user_id in page.people:
                    roles.setdefault(user_id, set()).add(name)
                start = page.following
        return roles

    def _set_closed(self, error: DirectoryClosed | None) -> None:
        self._membership.set_closed(error is not None)
        if error is not None and not self._was_closed:
            log.warning(
                "directory.permission_missing",
                detail=error.detail,
                consequence="only people who have written to the bot from inside the organisation are obeyed",
                remedy="grant qyapi_get_member and publish the app again",
            )
        self._was_closed = error is not None
