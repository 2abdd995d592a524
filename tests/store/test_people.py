"""What is known about people and the organisation, in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from bot.access.directory_sync import ListedDepartment
from bot.access.membership import PersonRecord
from bot.access.people import DirectoryEntry
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.people import StoredOrganisation, StoredPeople

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
KEEPER = DirectoryEntry(name="王仓", roles=frozenset({"仓管", "x"}), departments=frozenset({"41", "50"}), is_admin=True)


async def test_what_is_kept_comes_back_also_after_a_restart(database: Database) -> None:
    people = StoredPeople(database)
    assert await people.find("keeper01") is None
    await people.record_entry("keeper01", KEEPER, NOW)
    expected = PersonRecord(user_id="keeper01", entry=KEEPER, checked_at=NOW)
    assert await people.find("keeper01") == await StoredPeople(database).find("keeper01") == expected


async def test_each_fact_is_kept_beside_the_others(database: Database) -> None:
    people = StoredPeople(database)
    await people.record_writer("keeper01", "小王", NOW)
    await people.record_entry("keeper01", KEEPER, NOW)
    await people.record_changed(["keeper01", "new01"], LATER)
    await people.record_left(["keeper01", "gone01"], LATER)
    assert await people.find("keeper01") == PersonRecord(
        user_id="keeper01", entry=KEEPER, checked_at=NOW, changed_at=LATER, left_at=LATER, wrote_at=NOW
    )
    nobody = DirectoryEntry(name="")
    assert await people.find("new01") == PersonRecord(user_id="new01", entry=nobody, changed_at=LATER)
    assert await people.find("gone01") == PersonRecord(user_id="gone01", entry=nobody, left_at=LATER)


async def test_changed_roles_concern_those_who_have_one(database: Database) -> None:
    people = StoredPeople(database)
    await people.record_entries({"keeper01": KEEPER, "clerk01": DirectoryEntry(name="职员")}, NOW)
    await people.find("keeper01")
    await people.record_roles_changed(LATER)
    found = [await people.find(user_id) for user_id in ("keeper01", "clerk01")]
    assert [one and one.changed_at for one in found] == [LATER, None]


async def test_an_event_that_another_process_got_counts_with_the_next_look(database: Database) -> None:
    people = StoredPeople(database)
    await people.record_entry("keeper01", KEEPER, NOW)
    await people.find("keeper01")
    await StoredPeople(database).record_left(["keeper01"], LATER)
    await people.forget_news()
    found = await people.find("keeper01")
    assert found is not None
    assert found.left_at == LATER


DEPARTMENTS = (
    ListedDepartment("1", "", ""),
    ListedDepartment("40", "销售部", "1"),
    ListedDepartment("41", "外贸组", "40"),
    ListedDepartment("50", "仓储部", "1"),
)


async def names_of(people: StoredPeople) -> Iterable[str]:
    found = await people.find("keeper01")
    assert found is not None
    return found.entry.department_names


async def test_departments_give_their_names_and_those_of_all_above(database: Database) -> None:
    people = StoredPeople(database)
    await people.record_entry("keeper01", KEEPER, NOW)
    assert await names_of(people) == set()
    await people.replace_departments(DEPARTMENTS)
    assert await names_of(people) == {"销售部", "外贸组", "仓储部"}
    again = StoredPeople(database)
    await again.load_departments()
    assert await names_of(again) == {"销售部", "外贸组", "仓储部"}
    await people.replace_departments(DEPARTMENTS[:2])
    assert await names_of(people) == set()


async def test_a_circle_of_departments_has_an_end(database: Database) -> None:
    people = StoredPeople(database)
    await people.replace_departments([ListedDepartment("41", "a", "50"), ListedDepartment("50", "b", "41")])
    await people.record_entry("keeper01", KEEPER, NOW)
    assert await names_of(people) == {"a", "b"}


async def test_one_process_walks_and_one_that_broke_off_is_replaced(database: Database) -> None:
    day = timedelta(days=1)
    one, other = StoredPeople(database), StoredPeople(database)
    assert await one.begin_walk(NOW, day)
    assert not await other.begin_walk(NOW + timedelta(hours=1), day)
    assert await other.begin_walk(NOW + timedelta(hours=2), day)
    await other.end_walk(NOW + timedelta(hours=2), NOW + timedelta(hours=3))
    assert not await one.begin_walk(NOW + timedelta(hours=25), day)
    assert await one.begin_walk(NOW + timedelta(hours=26), day)


async def test_whom_a_walk_did_not_find_must_be_looked_up(database: Database) -> None:
    people = StoredPeople(database)
    await people.record_entries(dict.fromkeys(("gone01", "left01"), KEEPER), NOW - timedelta(days=1))
    await people.record_left(["left01"], NOW - timedelta(hours=1))
    await people.record_writer("writer01", "小王", NOW - timedelta(days=1))
    await people.find("gone01")
    await people.record_entry("keeper01", KEEPER, LATER)
    assert await people.end_walk(NOW, LATER) == 1
    found = [await people.find(one) for one in ("gone01", "left01", "writer01", "keeper01")]
    assert [one and one.changed_at for one in found] == [NOW, None, None, None]


@pytest.mark.parametrize("instead", [True, False])
async def test_the_organisation_of_each_app_is_kept(database: Database, instead: bool) -> None:
    app, other = StoredOrganisation(database, "app"), StoredOrganisation(database, "other")
    assert await app.load() == ""
    assert await app.keep("dingcorp", instead=False) == "dingcorp"
    assert await app.keep("dingnew", instead=instead) == ("dingnew" if instead else "dingcorp")
    assert await other.load() == ""


async def test_without_a_look_at_the_news_nothing_in_memory_counts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = StoredPeople(database)
    await people.record_entry("keeper01", KEEPER, NOW)
    await people.find("keeper01")
    await StoredPeople(database, now=lambda: NOW - timedelta(days=1)).record_left(["keeper01"], LATER)
    looked = asyncio.Event()

    async def fail() -> None:
        looked.set()
        raise StoreUnavailable("away")

    monkeypatch.setattr("bot.store.people.NEWS_EVERY", 0)
    monkeypatch.setattr(people, "forget_news", fail)
    following = asyncio.create_task(people.follow())
    await looked.wait()
    following.cancel()
    found = await people.find("keeper01")
    assert found is not None
    assert found.left_at == LATER


async def test_members_are_listed_without_those_who_left(database: Database) -> None:
    people = StoredPeople(database)
    named = {f"clerk{number}": DirectoryEntry(name=f"职员{number}") for number in range(3)}
    await people.record_entries({"keeper01": KEEPER, **named, "gone01": DirectoryEntry(name="走了")}, NOW)
    await people.record_left(["gone01"], LATER)
    await people.record_changed(["new01"], NOW)
    assert [each.user_id for each in await people.listed("", 10)] == ["clerk0", "clerk1", "clerk2", "keeper01"]
    assert [each.user_id for each in await people.listed("", 2)] == ["clerk0", "clerk1"]
    (keeper,) = await people.listed("王", 10)
    assert (keeper.name, keeper.roles, keeper.is_admin) == ("王仓", ("x", "仓管"), True)
    assert [each.user_id for each in await people.listed("CLERK1", 10)] == ["clerk1"]
    assert await people.listed("%", 10) == []
    await people.record_entry("gone01", DirectoryEntry(name="走了"), LATER + timedelta(seconds=1))
    assert [each.user_id for each in await people.listed("走", 10)] == ["gone01"]
