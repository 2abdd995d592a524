"""Who is a member: by the directory, by events, or by having written; a doubt is never a yes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.access.membership import ASK_AGAIN_AFTER, LEAVING_STANDS, OLDEST, DirectoryClosed, Membership
from bot.access.people import DirectoryEntry, NeverWrote
from bot.store.database import Database
from bot.store.people import StoredPeople
from bot.words.errors import DingerpError

SECOND = timedelta(seconds=1)
KEEPER = DirectoryEntry(name="王仓", roles=frozenset({"warehouse"}), departments=frozenset({"50"}))


@dataclass(slots=True)
class FakeDirectory:
    """Knows ``people``; says nothing before the gate is open, and then raises ``trouble`` if there is one."""

    people: dict[str, DirectoryEntry] = field(default_factory=lambda: {"keeper01": KEEPER})
    trouble: DingerpError | None = None
    asked: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    busy: asyncio.Event = field(default_factory=asyncio.Event)

    async def entry(self, user_id: str) -> DirectoryEntry | None:
        self.asked.append(user_id)
        found = self.people.get(user_id)
        self.busy.set()
        await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        return found


@dataclass(slots=True)
class Scene:
    store: StoredPeople
    directory: FakeDirectory
    now: datetime = datetime(2026, 11, 27, 9, tzinfo=UTC)

    def members(self, *, reads: bool = True, with_roles: bool = True) -> Membership:
        """Return the membership of a bot that has just started."""
        return Membership(self.store, self.directory if reads else None, now=lambda: self.now, with_roles=with_roles)

    async def writes(self, members: Membership, user_id: str = "keeper01") -> None:
        await members.record_writer(user_id, name="小王", wrote_at=self.now)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    scene = Scene(StoredPeople(database), FakeDirectory())
    scene.directory.gate.set()
    yield scene
    await database.close()


async def settled() -> None:
    """Let everything that waits for the database's thread come to its end."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)


async def test_a_known_member_costs_no_further_question(scene: Scene) -> None:
    members = scene.members()
    assert [await members.entry("keeper01") for _ in range(3)] == [KEEPER] * 3
    assert await scene.members().entry("keeper01") == KEEPER
    assert scene.directory.asked == ["keeper01"]


async def test_what_was_asked_some_time_ago_is_refreshed_behind_the_answer(scene: Scene) -> None:
    members = scene.members()
    await members.entry("keeper01")
    scene.directory.people["keeper01"] = DirectoryEntry(name="王仓")
    scene.now += ASK_AGAIN_AFTER + SECOND
    assert await members.entry("keeper01") == KEEPER
    await settled()
    assert await members.entry("keeper01") == DirectoryEntry(name="王仓")


async def test_what_is_very_old_counts_no_more(scene: Scene) -> None:
    members = scene.members()
    await members.entry("keeper01")
    scene.now += OLDEST + SECOND
    scene.directory.trouble = DingerpError("busy")
    with pytest.raises(DingerpError, match="busy"):
        await members.entry("keeper01")


async def test_messages_that_come_together_are_noted_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    async def record_writer(user_id: str, name: str, wrote_at: datetime) -> None:
        written.append(user_id)
        await StoredPeople.record_writer(scene.store, user_id, name, wrote_at)

    monkeypatch.setattr(scene.store, "record_writer", record_writer)
    members = scene.members()
    await asyncio.gather(*(scene.writes(members, who) for who in ["keeper01", "buyer01"] * 20))
    assert sorted(written) == ["buyer01", "keeper01"]
    await scene.writes(members)
    assert len(written) == 2


async def test_who_is_not_in_the_directory_is_outside_and_asked_for_once_a_minute(scene: Scene) -> None:
    members = scene.members()
    assert [await members.entry("ext_carrier") for _ in range(3)] == [None] * 3
    scene.now += timedelta(minutes=2)
    assert await members.entry("ext_carrier") is None
    assert scene.directory.asked == ["ext_carrier"] * 2


async def test_an_error_of_the_directory_is_no_yes_and_is_not_remembered(scene: Scene) -> None:
    members = scene.members()
    scene.directory.trouble = DingerpError("reset")
    for _ in range(2):
        with pytest.raises(DingerpError, match="reset"):
            await members.entry("keeper01")
    scene.directory.trouble = None
    assert await members.entry("keeper01") == KEEPER


async def test_an_error_makes_no_writer_a_member(scene: Scene) -> None:
    members = scene.members()
    await scene.writes(members)
    scene.directory.trouble = DingerpError("busy")
    with pytest.raises(DingerpError, match="busy"):
        await members.entry("keeper01")


@pytest.mark.parametrize("how", ["off", "closed", "refused"])
async def test_without_the_permission_members_are_those_who_wrote(scene: Scene, how: str) -> None:
    members = scene.members(reads=how != "off")
    members.set_closed(how == "closed")
    scene.directory.trouble = DirectoryClosed("60011")
    for _ in range(2):
        with pytest.raises(NeverWrote):
            await members.entry("keeper01")
    await scene.writes(members)
    assert await members.entry("keeper01") == DirectoryEntry(name="小王")
    assert await scene.members(reads=False).entry("keeper01") == DirectoryEntry(name="小王")
    assert len(scene.directory.asked) == (how == "refused")
    with pytest.raises(NeverWrote):
        await members.entry("ext_carrier")


async def test_a_writer_is_noted_once_a_day(scene: Scene) -> None:
    members = scene.members(reads=False)
    first = scene.now
    for hours in (0, 1, 23, 25):
        scene.now = first + timedelta(hours=hours)
        await scene.writes(members)
    record = await scene.store.find("keeper01")
    assert record is not None
    assert record.wrote_at == first + timedelta(hours=25)


@pytest.mark.parametrize("reads", [True, False])
async def test_a_leaver_is_none_from_the_event_on_whatever_else_says(scene: Scene, reads: bool) -> None:
    members = scene.members(reads=reads)
    await scene.writes(members)
    assert await members.entry("keeper01") is not None
    scene.now += SECOND
    await members.record_left(("keeper01",))
    scene.now += SECOND
    await scene.writes(members)
    assert (await _is_member(members), await _is_member(scene.members(reads=reads))) == (False, False)


async def _is_member(members: Membership, user_id: str = "keeper01") -> bool:
    try:
        return await members.entry(user_id) is not None
    except DingerpError:
        return False


@pytest.mark.parametrize("reads", [True, False])
async def test_a_leaver_comes_back_by_an_event(scene: Scene, reads: bool) -> None:
    members = scene.members(reads=reads)
    await members.record_left(("keeper01",))
    assert not await _is_member(members)
    scene.now += SECOND
    await members.record_changed(("keeper01",))
    scene.now += SECOND
    await scene.writes(members)
    assert await _is_member(members)


@pytest.mark.parametrize("reads", [True, False])
async def test_without_that_event_the_directory_or_a_message_counts_again_after_a_while(
    scene: Scene, reads: bool
) -> None:
    members = scene.members(reads=reads)
    await scene.writes(members)
    scene.now += SECOND
    await members.record_left(("keeper01",))
    scene.now += LEAVING_STANDS + SECOND
    if not reads:
        assert not await _is_member(members)
        await scene.writes(members)
    assert await _is_member(members)


async def test_what_was_known_before_a_change_does_not_count(scene: Scene) -> None:
    members = scene.members()
    await members.entry("keeper01")
    scene.directory.people["keeper01"] = DirectoryEntry(name="王仓")
    scene.now += SECOND
    await members.record_changed(("keeper01",))
    assert await members.entry("keeper01") == DirectoryEntry(name="王仓")
    scene.now += SECOND
    await members.record_changed(("keeper01",))
    scene.directory.trouble = DingerpError("busy")
    with pytest.raises(DingerpError, match="busy"):
        await members.entry("keeper01")


@pytest.mark.parametrize("event", ["left", "changed"])
async def test_an_answer_that_an_event_has_overtaken_does_not_count(scene: Scene, event: str) -> None:
    members = scene.members()
    scene.directory.gate.clear()
    asking = asyncio.create_task(members.entry("keeper01"))
    await scene.directory.busy.wait()
    scene.now += SECOND
    scene.directory.people["keeper01"] = DirectoryEntry(name="王仓")
    await (members.record_left if event == "left" else members.record_changed)(("keeper01",))
    scene.now += SECOND
    scene.directory.gate.set()
    assert await asking == (None if event == "left" else DirectoryEntry(name="王仓"))


async def test_whom_the_directory_no_longer_knows_is_none_without_any_event(scene: Scene) -> None:
    members = scene.members()
    await members.entry("keeper01")
    scene.directory.people.clear()
    scene.now += ASK_AGAIN_AFTER + SECOND
    await members.entry("keeper01")
    await settled()
    assert await members.entry("keeper01") is None
    assert await scene.members().entry("keeper01") is None


async def test_roles_count_only_where_that_is_wanted(scene: Scene) -> None:
    entry = await scene.members(with_roles=False).entry("keeper01")
    assert entry is not None
    assert (entry.name, entry.roles, entry.departments) == ("王仓", frozenset(), frozenset({"50"}))


async def test_without_the_permission_what_the_directory_said_before_counts_for_its_time(scene: Scene) -> None:
    members = scene.members()
    await members.entry("keeper01")
    members.set_closed(True)
    assert await members.entry("keeper01") == KEEPER
    scene.now += OLDEST + SECOND
    with pytest.raises(NeverWrote):
        await members.entry("keeper01")


async def test_a_manager_is_asked_for_once_until_something_says_otherwise(scene: Scene) -> None:
    managed = DirectoryEntry(name="王仓", manager="boss01")
    scene.directory.people["keeper01"] = managed
    await scene.store.record_entries({"keeper01": DirectoryEntry(name="王仓")}, scene.now)
    members = scene.members()
    assert [await members.entry_with_manager("keeper01") for _ in range(3)] == [managed] * 3
    assert await scene.members().entry_with_manager("keeper01") == managed
    assert scene.directory.asked == ["keeper01"], "a walk does not tell managers"
    scene.directory.people["keeper01"] = DirectoryEntry(name="王仓", manager="")
    scene.now += SECOND
    await members.record_changed(("keeper01",))
    scene.now += SECOND
    assert await members.entry_with_manager("keeper01") == DirectoryEntry(name="王仓", manager="")
    await members.record_left(("keeper01",))
    assert await members.entry_with_manager("keeper01") is None
    assert len(scene.directory.asked) == 2


async def test_a_manager_is_never_guessed(scene: Scene) -> None:
    with pytest.raises(DirectoryClosed):
        await scene.members(reads=False).entry_with_manager("keeper01")
    scene.directory.trouble = DingerpError("busy")
    with pytest.raises(DingerpError, match="busy"):
        await scene.members().entry_with_manager("keeper01")
