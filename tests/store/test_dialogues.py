"""Dialogues in the database: kept for half an hour, and sealed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from bot.chat.questions.dialogues import DialogueKey, LastQuestion
from bot.chat.questions.prompts import OpenPrompt
from bot.outbox.place import Place
from bot.store.chat.conversations import StoredDialogues, StoredLanguages, StoredPrompts
from bot.store.database import Database
from bot.store.statements import AT_ONCE

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINE, OTHERS = DialogueKey("keeper01", "cid1"), DialogueKey("sales01", "cid1")


async def test_the_last_question_of_each_dialogue_is_kept_and_old_ones_go(database: Database) -> None:
    store = StoredDialogues(database)
    old = LastQuestion(line="/stock SKU123", at=NOW - timedelta(hours=1))
    await store.save([(MINE, old), (OTHERS, old)], NOW - timedelta(hours=2))
    new = LastQuestion(line="/order 宏达", rows=("/order SO-1", "/order SO-2"), at=NOW)
    await store.save([(MINE, new)], NOW - timedelta(minutes=30))
    assert list(await store.load(NOW - timedelta(minutes=30))) == [(MINE, new)]
    assert (await store.find(MINE), await store.find(OTHERS)) == (new, None)
    count = await database.run(lambda connection: connection.scalar(text("SELECT count(*) FROM dialogue")))
    assert count == 1


async def test_what_was_asked_lies_sealed(database: Database) -> None:
    await StoredDialogues(database).save([(MINE, LastQuestion(line="/order 宏达", at=NOW))], NOW)
    raw = await database.run(lambda connection: connection.scalar(text("SELECT line FROM dialogue")))
    assert "宏达" not in raw


async def test_more_dialogues_than_one_transaction_takes_are_kept(database: Database) -> None:
    store = StoredDialogues(database)
    many = {
        DialogueKey("keeper01", f"cid{number}"): LastQuestion(line=f"/stock SKU{number}", at=NOW)
        for number in range(AT_ONCE + 1)
    }
    await store.save(many.items(), NOW)
    assert dict(await store.load(NOW)) == many


async def test_a_prompt_is_kept_sealed_and_taken_once(database: Database) -> None:
    store = StoredPrompts(database)
    places = (Place.parse("group:cid1"), Place.parse("person:boss01"))
    await store.keep("boss01", OpenPrompt("/reject PO-1", places, NOW))
    newer = OpenPrompt("/reject PO-2 #1234", places, NOW)
    await store.keep("boss01", newer)
    assert (await store.find("boss01"), await store.find("buyer01")) == (newer, None)
    raw = await database.run(lambda connection: connection.scalar(text("SELECT line FROM prompt")))
    assert "PO-2" not in raw
    assert [await store.drop("boss01") for _ in range(2)] == [True, False]
    assert await store.find("boss01") is None


async def test_a_language_that_another_process_stored_is_read(database: Database) -> None:
    here, there = StoredLanguages(database), StoredLanguages(database)
    await there.choose("boss01", "en")
    assert here.chosen("boss01") is None
    await here.refresh("boss01")
    assert here.chosen("boss01") == "en"
