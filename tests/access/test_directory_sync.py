"""The walk through the directory: everybody once, a broken one goes on later, a closed directory is told of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.access.directory_sync import CLOSED_PAUSE, DirectorySync, ListedDepartment, ListedPage
from bot.access.membership import DirectoryClosed, Membership
from bot.access.people import DirectoryEntry, NeverWrote
from bot.access.staff_keys import StaffKeys
from bot.store.database import Database
from bot.store.people import StoredPeople
from bot.words.errors import DingerpError

DAY = timedelta(days=1)


@dataclass(slots=True)
class FakeListing:
    """A company of two departments, two people a page; raises ``trouble`` at the calls in ``troubled``."""

    members_of: dict[str, list[str]] = field(
        default_factory=lambda: {"1": ["boss"], "40": ["a", "b", "c"], "41": ["c", "d"]}
    )
    roles_of: dict[str, list[str]] = field(default_factory=lambda: {"r1": ["a", "b", "c"], "r2": ["c"]})
    trouble: DingerpError | None = None
    troubled: str = "departments"
    calls: list[str] = field(default_factory=list)
    at_last_page: asyncio.Event = field(default_factory=asyncio.Event)

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if call == "members 41 0":
            self.at_last_page.set()
        if self.trouble is not None and call.startswith(self.troubled):
            raise self.trouble

    async def departments_below(self, department_id: str) -> Sequence[ListedDepartment]:
        self._note(f"departments {department_id}")
        below = {"1": [ListedDepartment("40", "销售部", "1")], "40": [ListedDepartment("41", "外贸组", "40")]}
        return below.get(department_id, [])

    async def members(self, department_id: str, start: int) -> ListedPage:
        self._note(f"members {department_id} {start}")
        own = frozenset({department_id})
        return _page(self.members_of[department_id], start, DirectoryEntry(name="x", departments=own))

    async def roles(self) -> Mapping[str, str]:
        self._note("roles")
        return {"r1": "sales", "r2": "approver"}

    async def role_members(self, role_id: str, start: int) -> ListedPage:
        self._note(f"role {role_id} {start}")
        return _page(self.roles_of[role_id], start, DirectoryEntry(name="x"))


def _page(people: Sequence[str], start: int, entry: DirectoryEntry) -> ListedPage:
    end = start + 2
    return ListedPage(dict.fromkeys(people[start:end], entry), end if end < len(people) else None)


@dataclass
class SyncScene:
    store: StoredPeople
    listing: FakeListing = field(default_factory=FakeListing)
    now: datetime = datetime(2026, 11, 27, 9, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.asked: list[str] = []
        self.members = Membership(self.store, self, now=lambda: self.now)
        self.sync = DirectorySync(self.listing, self.store, self.members, every=DAY, now=lambda: self.now)

    async def entry(self, user_id: str) -> DirectoryEntry | None:
        """Answer for the directory that is asked about single people: it knows nobody."""
        self.asked.append(user_id)
        return None


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[SyncScene]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    yield SyncScene(StoredPeople(database))
    await database.close()


async def test_everybody_is_known_after_a_walk_with_roles_and_departments(scene: SyncScene) -> None:
    await scene.sync.round()
    found = {user_id: await scene.members.entry(user_id) for user_id in ("boss", "a", "c", "d")}
    assert {user_id: entry and sorted(entry.roles) for user_id, entry in found.items()} == {
        "boss": [],
        "a": ["sales"],
        "c": ["approver", "sales"],
        "d": [],
    }
    assert found["d"] is not None
    assert found["d"].department_names == {"外贸组", "销售部"}
    assert not scene.asked
    assert len(scene.listing.calls) == len(set(scene.listing.calls)) == 11


async def test_the_next_walk_is_due_a_day_later(scene: SyncScene) -> None:
    await scene.sync.round()
    calls = len(scene.listing.calls)
    scene.now += DAY - timedelta(minutes=1)
    await scene.sync.round()
    assert len(scene.listing.calls) == calls
    scene.now += timedelta(minutes=1)
    await scene.sync.round()
    assert len(scene.listing.calls) == 2 * calls


async def test_who_is_no_longer_listed_is_looked_up_before_they_count(scene: SyncScene) -> None:
    await scene.sync.round()
    scene.listing.members_of["41"].remove("d")
    scene.now += DAY
    await scene.sync.round()
    assert await scene.members.entry("d") is None
    assert scene.asked == ["d"]


@pytest.mark.parametrize("troubled", ["departments 40", "roles", "role r2", "members 40 2"])
async def test_a_walk_that_breaks_off_begins_again_soon_and_takes_nobody_away(scene: SyncScene, troubled: str) -> None:
    await scene.sync.round()
    scene.now += DAY
    scene.listing.trouble, scene.listing.troubled = DingerpError("busy"), troubled
    assert await scene.sync.round() == 60
    assert await scene.members.entry("d") is not None
    scene.listing.trouble = None
    scene.now += timedelta(minutes=1)
    scene.listing.calls.clear()
    await scene.sync.round()
    assert len(scene.listing.calls) == 11


async def test_a_closed_directory_is_told_of_once_and_tried_again(scene: SyncScene) -> None:
    scene.listing.trouble = DirectoryClosed("60011")
    with capture_logs() as logs:
        assert [await scene.sync.round() for _ in range(3)] == [CLOSED_PAUSE] * 3
    assert [log["event"] for log in logs] == ["directory.permission_missing"]
    with pytest.raises(NeverWrote):
        await scene.members.entry("a")
    assert not scene.asked
    scene.listing.trouble = None
    await scene.sync.round()
    assert await scene.members.entry("a") is not None


async def test_closed_roles_leave_people_to_be_looked_up(scene: SyncScene) -> None:
    scene.listing.trouble, scene.listing.troubled = DirectoryClosed("60011"), "roles"
    with capture_logs() as logs:
        await scene.sync.round()
    assert [log["event"] for log in logs] == ["directory.not_synchronised"]
    assert await scene.members.entry("a") is None
    assert scene.asked == ["a"]


async def test_changed_departments_are_read_again_without_a_walk(scene: SyncScene) -> None:
    await scene.sync.round()
    scene.listing.calls.clear()
    scene.sync.note_departments_changed()
    await scene.sync.round()
    await scene.sync.round()
    assert scene.listing.calls == ["departments 1", "departments 40", "departments 41"]


async def test_it_walks_at_once_and_ends_when_it_is_cancelled(scene: SyncScene) -> None:
    working = asyncio.create_task(scene.sync.run())
    await scene.listing.at_last_page.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


async def test_everybodys_keys_are_handed_on_once_after_a_walk(scene: SyncScene) -> None:
    handed: list[list[str]] = []

    async def take(people: Sequence[StaffKeys]) -> None:
        handed.append(sorted(one.user_id for one in people))

    listing = KeyedListing()
    sync = DirectorySync(listing, scene.store, scene.members, every=DAY, now=lambda: scene.now, walked=take)
    await sync.round()
    await sync.round()
    assert handed == [["a", "b", "boss", "c", "d"]]


@dataclass(slots=True)
class KeyedListing(FakeListing):
    """Tells everybody's keys with the members of a department."""

    async def members(self, department_id: str, start: int) -> ListedPage:
        page = await FakeListing.members(self, department_id, start)
        return replace(page, keys={one: StaffKeys(user_id=one, name=one) for one in page.people})
