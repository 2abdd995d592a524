"""Chosen languages and counted months."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store.languages import StoredLanguages
from bot.store.months import StoredMonths


async def test_a_chosen_language_survives_a_restart_and_can_be_changed(engine: AsyncEngine) -> None:
    languages = StoredLanguages(engine)
    assert languages.chosen("u1") is None
    await languages.choose("u1", "en")
    await languages.choose("u1", "zh_CN")
    again = StoredLanguages(engine)
    await again.load()
    assert languages.chosen("u1") == again.chosen("u1") == "zh_CN"


async def test_two_processes_add_to_one_month(engine: AsyncEngine) -> None:
    one, other = StoredMonths(engine), StoredMonths(engine)
    assert await one.load("2026-11") == 0
    assert await one.add("2026-11", 3) == 3
    assert await other.add("2026-11", 4) == 7
    assert await other.add("2026-12", 1) == 1
    assert await one.load("2026-11") == 7
