"""Replicas count what a person reads together; the rules are those of one process."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest

from bot.access.limits import Allowance, LimitKind
from bot.access.shared_limits import CountedUse, Decision, SharedFileLimits, SharedLimits
from bot.store.database import Database
from bot.store.reading_uses import StoredUses
from bot.words.errors import DingerpError

T = TypeVar("T")

DAWN = datetime(2026, 12, 1, 6, tzinfo=ZoneInfo("Asia/Shanghai"))
"""Where the day began while it was still the day before elsewhere."""
FREE = Allowance(questions_minute=0, documents_day=0, documents_row=0, row=timedelta(minutes=10))
PERSON = Allowance(questions_minute=3, documents_day=4, documents_row=3, row=timedelta(minutes=10))


class Uses:
    """What all replicas counted; fails while ``away``."""

    def __init__(self) -> None:
        self.uses: dict[tuple[str, str, str], CountedUse] = {}
        self.is_away = False

    async def decide(self, parties: Collection[str], kind: str, since: datetime, decide: Decision[T]) -> T:
        if self.is_away:
            raise DingerpError("away")
        kept = [replace(use, at=use.at.astimezone(UTC)) for use in self.uses.values()]  # as a database tells times
        counted = [use for use in kept if use.party in parties and use.kind == kind and use.at >= since]
        result, new = decide(sorted(counted, key=lambda use: use.at))
        self.uses |= {(use.party, use.kind, use.subject): use for use in new}
        return result

    @contextmanager
    def away(self) -> Iterator[None]:
        self.is_away = True
        yield
        self.is_away = False


@pytest.fixture
def uses() -> Uses:
    return Uses()


@pytest.fixture
def replicas(uses: Uses) -> list[SharedLimits]:
    return [SharedLimits(uses, person=PERSON, conversation=FREE) for _ in range(2)]


async def test_questions_are_counted_together_for_a_minute(replicas: list[SharedLimits]) -> None:
    times = [DAWN + timedelta(seconds=10 * number) for number in range(4)]
    reached = [await replicas[n % 2].take_question("boss01", "cid1", at) for n, at in enumerate(times)]
    assert [limit and limit.kind for limit in reached] == [None, None, None, LimitKind.QUESTIONS_MINUTE]
    assert reached[-1] is not None
    assert reached[-1].until == DAWN + timedelta(minutes=1)
    assert await replicas[0].take_question("buyer01", "cid1", times[-1]) is None, "others have their own"
    assert await replicas[1].take_question("boss01", "cid1", DAWN + timedelta(seconds=61)) is None


async def test_documents_are_counted_together_in_a_row_and_a_day(replicas: list[SharedLimits]) -> None:
    first, second = replicas
    assert await first.take_documents("boss01", "", ["SO-1", "SO-2"], DAWN) is None
    assert await second.take_documents("boss01", "", ["SO-2", "SO-3"], DAWN) is None
    in_row = await first.take_documents("boss01", "", ["SO-4"], DAWN + timedelta(minutes=1))
    assert (in_row and in_row.kind) == LimitKind.DOCUMENTS_ROW
    later = DAWN + timedelta(hours=1)
    assert await second.take_documents("boss01", "", ["SO-4"], later) is None
    of_day = await first.take_documents("boss01", "", ["SO-5"], later + timedelta(hours=1))
    assert (of_day and of_day.kind) == LimitKind.DOCUMENTS_DAY
    assert await first.take_documents("boss01", "", ["SO-5"], DAWN + timedelta(days=1)) is None


async def test_without_the_store_each_counts_alone(uses: Uses, replicas: list[SharedLimits]) -> None:
    with uses.away():
        for replica in replicas:
            reached = [await replica.take_question("boss01", "", DAWN) for _ in range(4)]
            assert [limit is None for limit in reached] == [True, True, True, False]


async def test_files_are_counted_together(uses: Uses) -> None:
    first, second = (SharedFileLimits(uses, 2) for _ in range(2))
    assert await first.reached("boss01", DAWN) is None
    assert [await each.take("boss01", DAWN) is None for each in (first, second, first)] == [True, True, False]
    assert await second.reached("boss01", DAWN) is not None
    assert await second.reached("boss01", DAWN + timedelta(days=1)) is None


async def test_what_is_counted_lies_in_the_database_for_as_long_as_it_counts(postgres_url: str) -> None:
    database = Database(postgres_url)
    store = StoredUses(database)
    limits = SharedLimits(store, person=PERSON, conversation=FREE)
    assert await limits.take_documents("boss01", "cid1", ["SO-1", "SO-2", "SO-3"], DAWN) is None
    assert await SharedLimits(store, person=PERSON, conversation=FREE).take_documents("boss01", "", ["SO-4"], DAWN)
    await store.forget(DAWN + timedelta(days=3))
    assert await limits.take_documents("boss01", "", ["SO-4"], DAWN) is None
    await database.close()
