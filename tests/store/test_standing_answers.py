"""Answers follow their documents for a day, the newest of each document, and owe one change of their card for each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.chat.answers.standing_answers import MAX_AGE, MAX_FOR_DOCUMENT, CardReaders, StandingAnswer, answer_card_key
from bot.chat.message import Conversation, ConversationKind
from bot.erp.model import DocumentRef
from bot.outbox.budgets import SendLimits
from bot.outbox.delivery import (
    NEEDS_REDRAW,
    DeliveryFormat,
    DeliveryResult,
    DeliveryState,
    DeliveryStepKind,
    OutboxRow,
)
from bot.store.chat.standing_answers import StoredStandingAnswers, redraw_answers
from bot.store.database import Database
from bot.store.outbox.queue import StoredBacklog
from bot.store.tables import DELIVERY

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ORDER = DocumentRef("main", "PO-1")


def answer(track: str = "q1-a", *, at: datetime = NOW, documents: tuple[DocumentRef, ...] = (ORDER,)) -> StandingAnswer:
    return StandingAnswer(
        track_id=track,
        conversation=Conversation("cidA==", ConversationKind.GROUP),
        user_id="boss01",
        line="/po PO-1",
        readers=CardReaders.ASKER,
        made_as="po",
        at=at,
        documents=documents,
    )


async def change(database: Database, now: datetime = NOW, number: str = "po-1") -> None:
    await database.run(lambda connection: redraw_answers(connection, {("main", number): now}, now))


async def owed(database: Database) -> dict[str, int]:
    query = select(DELIVERY.c.card, DELIVERY.c.wanted).where(DELIVERY.c.state == DeliveryState.QUEUED)
    rows = await database.run(lambda connection: connection.execute(query).all())
    return {row.card: row.wanted for row in rows}


async def claim(database: Database, now: datetime = NOW) -> tuple[OutboxRow, ...]:
    claimed = await StoredBacklog(database).claim("w", SendLimits(), room=50, sparing=False, now=now)
    return claimed.rows


async def test_an_answer_is_found_as_it_was_put(database: Database) -> None:
    answers = StoredStandingAnswers(database)
    await answers.put(answer())
    found = await answers.find("q1-a")
    assert found is not None
    assert (found.line, found.conversation, found.user_id, found.made_as) == (
        "/po PO-1",
        Conversation("cidA==", ConversationKind.GROUP),
        "boss01",
        "po",
    )
    assert await answers.find("q1-b") is None


async def test_a_change_owes_a_card_that_is_changed_and_never_made(database: Database) -> None:
    await StoredStandingAnswers(database).put(answer())
    await change(database, number="po-2")
    assert await owed(database) == {}
    await change(database)
    await change(database)
    assert await owed(database) == {answer_card_key("q1-a"): 3}, "folded into one"
    (row,) = await claim(database)
    assert (row.via, row.shown, row.made_as, row.doubt) == (DeliveryFormat.STANDING, NEEDS_REDRAW, "po", 0)
    done = DeliveryResult(what=DeliveryStepKind.UPDATED, revision=3, made_as="po", track_id="q1-a")
    assert await StoredBacklog(database).settle("w", row, done, NOW)
    assert await owed(database) == {}
    await change(database)
    assert await owed(database) == {answer_card_key("q1-a"): 4}


async def test_what_is_put_again_shows_something_else_as_the_same_card(database: Database) -> None:
    answers = StoredStandingAnswers(database)
    await answers.put(answer())
    await change(database)
    other = answer(documents=(DocumentRef("main", "PO-9"),))
    await answers.put(other)
    found = await answers.find("q1-a")
    assert found is not None
    assert found.revision == 2
    await change(database)
    assert await owed(database) == {answer_card_key("q1-a"): 2}, "it does not follow the first order any more"
    await change(database, number="po-9")
    assert await owed(database) == {answer_card_key("q1-a"): 3}


async def test_only_the_newest_of_a_day_follow(database: Database) -> None:
    answers = StoredStandingAnswers(database)
    for number in range(MAX_FOR_DOCUMENT + 2):
        await answers.put(answer(f"q1-{number}", at=NOW + timedelta(seconds=number)))
    later = NOW + timedelta(minutes=1)
    await change(database, later)
    expected = {answer_card_key(f"q1-{number}") for number in range(2, MAX_FOR_DOCUMENT + 2)}
    assert set(await owed(database)) == expected
    assert not await answers.stands("q1-0", later)
    assert await answers.stands("q1-2", later)
    assert not await answers.stands("q1-2", NOW + MAX_AGE + timedelta(minutes=1))


async def test_what_is_too_old_is_forgotten(database: Database) -> None:
    answers = StoredStandingAnswers(database)
    await answers.put(answer())
    await answers.put(answer("q1-b", at=NOW + MAX_AGE))
    assert await answers.find("q1-a") is None
    await change(database, NOW + MAX_AGE)
    assert set(await owed(database)) == {answer_card_key("q1-b")}


async def test_documents_are_added_to_cards_that_are_known(database: Database) -> None:
    answers = StoredStandingAnswers(database)
    assert not await answers.add("q1-a", (ORDER,), NOW)
    await answers.put(answer(documents=(DocumentRef("main", "PO-9"),)))
    assert await answers.add("q1-a", (ORDER,), NOW)
    for number in ("po-1", "po-9"):
        await change(database, number=number)
    assert await owed(database) == {answer_card_key("q1-a"): 3}


async def test_a_card_that_is_covered_is_drawn_again(database: Database) -> None:
    answers = StoredStandingAnswers(database)
    await answers.redraw("q1-a", NOW)
    assert await owed(database) == {}
    await answers.put(answer())
    await answers.redraw("q1-a", NOW)
    assert await owed(database) == {answer_card_key("q1-a"): 2}


@pytest.mark.parametrize("number", ["PO-1", "po-1"])
async def test_numbers_are_found_in_any_spelling(database: Database, number: str) -> None:
    await StoredStandingAnswers(database).put(answer(documents=(DocumentRef("main", number),)))
    await change(database)
    assert len(await owed(database)) == 1


async def test_a_card_that_changed_while_a_click_was_answered_is_drawn_again(database: Database) -> None:
    answers = StoredStandingAnswers(database)
    await answers.put(answer())
    await change(database)
    (row,) = await claim(database)
    done = DeliveryResult(what=DeliveryStepKind.UPDATED, revision=2, made_as="po", track_id="q1-a")
    await StoredBacklog(database).settle("w", row, done, NOW)
    second = timedelta(seconds=1)
    for since, until in ((NOW, NOW + second), (NOW - 2 * second, NOW - second)):
        await answers.uncover("q1-a", since, until, NOW + second)
        assert await owed(database) == {}, "it was changed before the click, or after its answer"
    await answers.uncover("q1-a", NOW - second, NOW, NOW)
    assert await owed(database) == {answer_card_key("q1-a"): 2}
    (row,) = await claim(database)
    assert row.shown == NEEDS_REDRAW
