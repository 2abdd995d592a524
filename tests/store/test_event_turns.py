"""The order in which waiting events are processed, and what finding it costs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from bot.alerts.intake.port import ReceivedEvent
from bot.store.alerts.events import StoredEvents, mark_done, take_waiting
from bot.store.database import Database
from bot.words.severity import Severity
from tests.store.test_events import event

CRITICAL, WARNING, INFO = (severity.rank for severity in (Severity.CRITICAL, Severity.WARNING, Severity.INFO))


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    database = Database(request.getfixturevalue(f"{request.param}_url"))
    await database.migrate()
    yield database
    await database.close()


def of(source: str, name: str, rank: int, subject: str = "") -> ReceivedEvent:
    return event(0, source=source, id=name, rank=rank, subject=subject or name)


async def order(database: Database, limit: int = 100) -> str:
    def take(connection: sa.Connection) -> list[str]:
        taken = take_waiting(connection, limit)
        mark_done(connection, [each.seq for each in taken])
        return [each.id for each in taken]

    return " ".join(await database.run(take))


async def test_the_worst_comes_first_and_sources_take_turns(database: Database) -> None:
    flood = [of("flood", f"w{number}", WARNING) for number in range(4)]
    await StoredEvents(database).keep(
        [
            of("quiet", "i0", INFO),
            *flood,
            of("other", "w9", WARNING),
            of("quiet", "c0", CRITICAL),
            of("other", "w10", WARNING),
        ]
    )
    assert await order(database) == "c0 w0 w9 w1 w10 w2 w3 i0"


async def test_with_more_sources_than_room_nobody_is_left_out(database: Database) -> None:
    await StoredEvents(database).keep(
        [of(source, f"{source}{number}", WARNING) for source in "dacb" for number in range(2)]
    )
    assert await order(database, 2) == "d0 a0"
    assert await order(database, 2) == "d1 a1"
    assert await order(database, 4) == "c0 b0 c1 b1"


async def test_an_event_takes_along_what_came_before_it_about_its_subject(database: Database) -> None:
    await StoredEvents(database).keep(
        [
            of("main", "w1", WARNING, "SKU1"),
            of("main", "i1", INFO, "SKU1"),
            of("main", "w2", WARNING, "SKU2"),
            of("other", "w3", WARNING, "SKU1"),
            of("main", "c1", CRITICAL, "SKU1"),
            of("main", "w4", WARNING, "SKU1"),
        ]
    )
    assert await order(database, 3) == "w1 i1 c1"
    assert await order(database) == "w2 w3 w4"


async def test_a_flood_of_one_subject_keeps_no_other_source_waiting(database: Database) -> None:
    flood = [of("flood", f"w{number}", WARNING, "SKU1") for number in range(40)]
    await StoredEvents(database).keep(
        [*flood, of("flood", "c0", CRITICAL, "SKU1"), of("quiet", "c1", CRITICAL), of("quiet", "c2", CRITICAL)]
    )
    assert await order(database, 4) == "w0 c1 c2 w1"
    assert "c0" not in await order(database, 4)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Collect the statements of the database."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    sa.event.listen(database._engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(database._engine, "before_cursor_execute", note)


async def test_what_a_batch_costs_does_not_grow_with_what_waits(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await database.migrate()
    counts, steps = [], []
    for size in (200, 6_000):
        await StoredEvents(database).keep(
            [of(f"s{number % 3}", f"{size}-{number}", number % 3) for number in range(size)]
        )
        passed = 0

        def progress() -> int:
            nonlocal passed
            passed += 1
            return 0

        def take(connection: sa.Connection, progress: object = progress) -> None:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.set_progress_handler(progress, 10)
            take_waiting(connection, 50)
            driver.set_progress_handler(None, 0)

        with statements(database) as seen:
            await database.run(take)
        counts.append(len(seen))
        steps.append(passed)
    assert counts[0] == counts[1] < 20
    assert steps[1] < steps[0] * 1.5, "SQLite looks through no more rows"
    await database.close()
