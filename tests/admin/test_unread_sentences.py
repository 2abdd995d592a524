"""``dingerp understand review``: what many asked and the bot did not understand."""

from __future__ import annotations

from datetime import date

from bot.efficiency.findings import MANY_ASK
from bot.store.database import Database
from bot.store.unread_sentences import StoredUnreadSentences
from tests.admin.conftest import AdminShell


async def count(database: Database) -> None:
    stored = StoredUnreadSentences(database)
    for person in range(MANY_ASK):
        for form, times in (("〈product〉的唛头", 1), ("熏蒸吗\x1b", 2)):
            for _ in range(times):
                stored.note(form, f"p{person}", date(2026, 11, 23))
    await stored.flush()


def test_the_most_frequent_come_first_and_the_look_is_recorded(shell: AdminShell) -> None:
    shell.store(count)
    head, first, second = shell.says("understand", "review").splitlines()
    assert head.split() == ["asked", "people", "weeks", "sentence"]
    assert first.split() == ["12", "6", "1", "熏蒸吗\\x1b"]
    assert second.split() == ["6", "6", "1", "〈product〉的唛头"]
    (looked,) = (entry for entry in shell.read("audit", "search") if entry["action"] == "understand review")
    assert looked["documents"] == []
