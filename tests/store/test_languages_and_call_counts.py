"""Chosen languages and counted months."""

from __future__ import annotations

from sqlalchemy import update

from bot.outbox.spending import Purpose, Quota, SpentKey
from bot.store.chat.conversations import StoredLanguages
from bot.store.database import Database
from bot.store.outbox.call_counts import StoredMonthlyCalls
from bot.store.tables import QUOTA_MONTH


async def test_a_chosen_language_survives_a_restart_and_can_be_changed(database: Database) -> None:
    languages = StoredLanguages(database)
    assert languages.chosen("u1") is None
    await languages.choose("u1", "en")
    await languages.choose("u1", "zh_CN")
    again = StoredLanguages(database)
    await again.load()
    assert languages.chosen("u1") == again.chosen("u1") == "zh_CN"


async def test_two_processes_add_to_one_month(database: Database) -> None:
    one, other = StoredMonthlyCalls(database), StoredMonthlyCalls(database)
    alerts = SpentKey(Quota.CALLS, Purpose.ALERT, "cidA")
    questions = SpentKey(Quota.USES, Purpose.QUESTION)
    assert await one.load("2026-11") == {}
    assert await one.add("2026-11", {alerts: 3}) == {alerts: 3}
    assert await other.add("2026-11", {alerts: 4, questions: 1}) == {alerts: 7, questions: 1}
    assert await other.add("2026-12", {alerts: 1}) == {alerts: 1}
    assert await one.load("2026-11") == {alerts: 7, questions: 1}


async def test_a_purpose_of_a_newer_version_counts_as_another(database: Database) -> None:
    counts = StoredMonthlyCalls(database)
    other = SpentKey(Quota.CALLS, Purpose.OTHER)
    await counts.add("2026-11", {other: 2, SpentKey(Quota.CALLS, Purpose.SHEET): 3})
    await database.execute(update(QUOTA_MONTH).where(QUOTA_MONTH.c.purpose == "sheet").values(purpose="of-tomorrow"))
    assert await counts.load("2026-11") == {other: 5}
