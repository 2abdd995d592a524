"""Conversations with outsiders are known at once, after a restart, and to other processes."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text

from bot.store.database import Database
from bot.store.people import StoredOutsiders

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)


def outsiders_in(database: Database, *named: str) -> StoredOutsiders:
    return StoredOutsiders(database, now=lambda: NOW, named=named)


async def test_what_was_noted_is_known_at_once_and_after_a_restart(database: Database) -> None:
    outsiders = outsiders_in(database)
    outsiders.note("cidA==")
    assert outsiders.are_in("cidA==")
    assert not outsiders.are_in("cida==")
    await outsiders.store()
    assert outsiders.are_in("cidA==")
    again = outsiders_in(database)
    await again.load()
    assert again.are_in("cidA==")


async def test_two_processes_may_note_the_same(database: Database) -> None:
    one, other = outsiders_in(database), outsiders_in(database)
    for outsiders in (one, other):
        outsiders.note("cidA==")
        await outsiders.store()
        await outsiders.load()
    assert other.are_in("cidA==")


async def test_what_is_noted_while_the_store_works_is_not_lost(database: Database) -> None:
    outsiders = outsiders_in(database)
    outsiders.note("cidA==")
    storing = outsiders.store()
    outsiders.note("cidB==")
    await storing
    await outsiders.store()
    await outsiders.load()
    assert (outsiders.are_in("cidA=="), outsiders.are_in("cidB==")) == (True, True)


async def test_operators_name_conversations(database: Database) -> None:
    outsiders = outsiders_in(database, "cidN==")
    await outsiders.load()
    assert outsiders.are_in("cidN==")
    await outsiders.store()
    count = await database.run(lambda connection: connection.scalar(text("SELECT count(*) FROM outsider_group")))
    assert count == 0


async def test_nothing_is_noted_of_a_conversation_without_an_id(database: Database) -> None:
    outsiders = outsiders_in(database)
    outsiders.note("")
    assert not outsiders.are_in("")
