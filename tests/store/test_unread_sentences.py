"""Sentences that were not understood are counted without a name, and their text waits until many have asked it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from bot.efficiency.findings import MANY_ASK
from bot.efficiency.questions import UnreadSentence
from bot.efficiency.working_time import WorkingHours
from bot.store.database import Database
from bot.store.efficiency import StoredEfficiency
from bot.store.errors import StoreUnavailable
from bot.store.personal_data import erase_person, export_person
from bot.store.tables import UNREAD_SENTENCE
from bot.store.unread_sentences import StoredUnreadSentences
from tests.store.test_efficiency import NOW, SHANGHAI

FORM, OTHER = "〈product〉的唛头", "〈partner〉的毛重"
MONDAY = date(2026, 11, 23)
WEEK = timedelta(weeks=1)


@pytest.fixture
def stored(database: Database) -> StoredUnreadSentences:
    return StoredUnreadSentences(database)


async def ask(stored: StoredUnreadSentences, form: str, people: int, day: date = MONDAY, first: int = 0) -> None:
    for person in range(first, first + people):
        stored.note(form, f"p{person}", day)
    await stored.flush()


async def lying(database: Database) -> list[tuple[object, ...]]:
    """Return the rows as they lie in the database."""
    return await database.read(lambda c: [tuple(row) for row in c.execute(text("SELECT * FROM unread_sentence"))])


async def test_a_sentence_of_many_is_told_with_its_people_and_weeks(stored: StoredUnreadSentences) -> None:
    await ask(stored, FORM, MANY_ASK)
    await ask(stored, FORM, 2, MONDAY + timedelta(days=4))
    await ask(stored, FORM, 1, MONDAY + WEEK)
    assert await stored.all() == [UnreadSentence(text=FORM, number=MANY_ASK + 3, people=MANY_ASK, weeks=2)]


async def test_a_sentence_of_few_has_no_text_at_all(stored: StoredUnreadSentences, database: Database) -> None:
    for day in (MONDAY, MONDAY + WEEK):
        await ask(stored, FORM, MANY_ASK - 1, day)
    assert await stored.all() == []
    assert {row[-1] for row in await lying(database)} == {""}


async def test_neither_sentence_nor_asker_can_be_read_in_the_database(
    stored: StoredUnreadSentences, database: Database
) -> None:
    await ask(stored, FORM, MANY_ASK)
    await ask(stored, OTHER, MANY_ASK)
    rows = await lying(database)
    assert "唛头" not in str(rows)
    assert "p0" not in str(rows)
    assert len({row[2] for row in rows}) == len(rows), "nobody is the same in two sentences"


async def test_the_most_frequent_come_first(stored: StoredUnreadSentences) -> None:
    await ask(stored, FORM, MANY_ASK)
    for _ in range(2):
        await ask(stored, OTHER, MANY_ASK)
    assert [each.text for each in await stored.all()] == [OTHER, FORM]


async def test_weeks_go_and_the_text_stays_with_those_that_are_left(stored: StoredUnreadSentences) -> None:
    await ask(stored, FORM, MANY_ASK)
    await ask(stored, FORM, MANY_ASK, MONDAY + WEEK)
    await stored.prune(MONDAY)
    (left,) = await stored.all()
    assert (left.text, left.weeks) == (FORM, 1)
    await stored.prune(MONDAY + WEEK)
    assert await stored.all() == []


async def test_figures_of_a_month_are_of_the_weeks_that_ended_in_it(
    stored: StoredUnreadSentences, database: Database
) -> None:
    figures = StoredEfficiency(database, WorkingHours(SHANGHAI), lambda: NOW)
    for day, people in ((date(2026, 10, 25), 1), (date(2026, 10, 26), 2), (date(2026, 11, 29), MANY_ASK)):
        await ask(stored, FORM, people, day)
    await ask(stored, FORM, MANY_ASK, date(2026, 11, 30))
    (found,) = await figures.unread_sentences(date(2026, 11, 1))
    assert (found.number, found.people, found.weeks) == (MANY_ASK + 2, MANY_ASK, 2)


async def test_what_cannot_be_written_waits(stored: StoredUnreadSentences, database: Database) -> None:
    await database.execute(text("ALTER TABLE unread_sentence RENAME TO away"))
    with pytest.raises(StoreUnavailable):
        await ask(stored, FORM, MANY_ASK)
    await database.execute(text("ALTER TABLE away RENAME TO unread_sentence"))
    for _ in range(2):
        await stored.flush()
    (found,) = await stored.all()
    assert found.number == MANY_ASK


async def test_a_person_s_own_counts_are_told_and_erased(stored: StoredUnreadSentences, database: Database) -> None:
    await ask(stored, FORM, MANY_ASK + 1)
    await ask(stored, OTHER, 1)

    async def told(person: str) -> int:
        rows = await database.run(lambda c: [*export_person(c, person)])
        return sum(name == UNREAD_SENTENCE.name for name, _ in rows)

    assert (await told("p0"), await told("p1"), await told("nobody")) == (2, 1, 0)
    report = await database.run(lambda c: erase_person(c, "p0", NOW))
    assert report.erased[UNREAD_SENTENCE.name] == 2
    assert (await told("p0"), await told("p1")) == (0, 1)
    (left,) = await stored.all()
    assert left.people == MANY_ASK
