"""The operator's commands about one person's data."""

from __future__ import annotations

import json

from bot.store.chat.conversations import StoredLanguages
from bot.store.database import Database
from tests.admin.conftest import AdminShell


async def choose(database: Database) -> None:
    for person in ("me", "other"):
        await StoredLanguages(database).choose(person, "en")


def test_a_person_s_data_is_told_as_lines_of_json_and_erased_on_request(shell: AdminShell) -> None:
    shell.store(choose)
    told = [json.loads(line) for line in shell.says("data", "export", "me").splitlines()]
    assert told == [{"table": "language", "user_id": "me", "code": "en"}]
    assert "write --yes" in shell.refuses("data", "erase", "me")
    assert shell.says("data", "erase", "me", "--yes") == "language: 1 erased\n"
    assert shell.says("data", "export", "me") == ""
    assert shell.says("data", "erase", "me", "--yes") == "nothing is known of this person\n"
    assert shell.says("data", "export", "other") != ""
