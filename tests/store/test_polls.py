"""What polling knows, on both databases: all of a step or nothing, and one process at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.alerts.intake.poll_state import NORMAL, Checkpoint, PolledSubject
from bot.store.alerts.events import StoredPolls
from bot.store.database import Database

AT = datetime(2026, 11, 24, 8, tzinfo=UTC)
FIRST = Checkpoint(source="main", area="stock", round=1)


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[StoredPolls]:
    database = Database(request.getfixturevalue(f"{request.param}_url"))
    await database.migrate()
    yield StoredPolls(database)
    await database.close()


def low(code: str, seen_at: datetime = AT, state: str = "low") -> PolledSubject:
    return PolledSubject(code=code, state=state, told=True, at=AT, said={"due_on": "2026-11-20"}, seen_at=seen_at)


async def test_a_step_is_kept_as_it_was(store: StoredPolls) -> None:
    position = Checkpoint(
        source="main", area="stock", round=1_790_000_000_000, cursor='["x",[]]', followed=True, place="40",
        sweeping=True, began_at=AT, swept_at=AT - timedelta(days=1), good_at=AT + timedelta(seconds=1),
    )  # fmt: skip
    assert await store.advance(None, position, [low("A-1"), low("Größe ß")], [{"id": "a"}, {"id": "b"}])
    assert await store.positions("main") == {"stock": position}
    assert await store.positions("other") == {}
    known = await store.subjects("main", "stock", ["a-1", "GRÖSSE SS", "B-1"])
    assert known == {"a-1": low("A-1"), "grösse ss": low("Größe ß")}
    assert [event for _, event in await store.unsent("main", 10)] == [{"id": "a"}, {"id": "b"}]
    assert await store.unsent("other", 10) == []


async def test_who_comes_second_stores_nothing(store: StoredPolls) -> None:
    second = Checkpoint(source="main", area="stock", round=2)
    assert await store.advance(None, FIRST, (), ())
    assert not await store.advance(None, FIRST, [low("A-1")], [{"id": "a"}])
    assert await store.advance(FIRST, second, (), ())
    assert not await store.advance(FIRST, second, [low("A-1")], [{"id": "a"}])
    assert await store.unsent("main", 10) == []
    assert await store.subjects("main", "stock", ["A-1"]) == {}


async def test_subjects_are_replaced_and_the_unseen_found(store: StoredPolls) -> None:
    hour = timedelta(hours=1)
    await store.advance(None, FIRST, [low("A-1"), low("A-2", AT - hour), low("A-3", AT - 2 * hour, NORMAL)], ())
    assert [subject.code for subject in await store.unseen("main", "stock", AT, 10)] == ["A-2"]
    await store.advance(FIRST, Checkpoint(source="main", area="stock", round=2), [low("A-2", AT + hour)], ())
    assert await store.unseen("main", "stock", AT, 10) == []
    assert [subject.code for subject in await store.unseen("main", "stock", AT + 2 * hour, 1)] == ["A-1"]
    await store.prune("main", AT)
    assert set(await store.subjects("main", "stock", ["A-1", "A-2", "A-3"])) == {"a-1", "a-2"}


async def test_events_are_forgotten_when_they_are_sent(store: StoredPolls) -> None:
    await store.advance(None, FIRST, (), [{"id": str(number)} for number in range(1_200)])
    ids = []
    while unsent := await store.unsent("main", 700):
        ids += [event["id"] for _, event in unsent]
        await store.sent([number for number, _ in unsent])
    assert ids == [str(number) for number in range(1_200)]


async def test_a_good_answer_is_noted_for_all_areas(store: StoredPolls) -> None:
    await store.advance(None, FIRST, (), ())
    await store.advance(None, Checkpoint(source="main", area="orders", round=1), (), ())
    await store.advance(None, Checkpoint(source="other", area="orders", round=1), (), ())
    await store.answered("main", AT)
    assert {position.good_at for position in (await store.positions("main")).values()} == {AT}
    assert (await store.positions("other"))["orders"].good_at is None
