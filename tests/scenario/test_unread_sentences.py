"""A sentence that nobody understood, from the chat to the review: counted, and never in plain text."""

from __future__ import annotations

import json
from datetime import date

import pytest

from bot.admin.understanding import review
from bot.efficiency.folding import LEAST
from bot.settings import Settings
from bot.store.database import Database
from bot.store.unread_sentences import StoredUnreadSentences
from tests.scenario.conftest import KEEPER, OpenSystem
from tests.scenario.test_data_at_rest import found_in

SENTENCE = "唛头样张给下"


async def let_others_ask(settings: Settings) -> None:
    """Let so many have asked the sentence that it is told with one more."""
    database = Database(settings.database)
    counted = StoredUnreadSentences(database)
    for person in range(LEAST):
        counted.note(SENTENCE, f"p{person}", date(2026, 11, 23))
    await counted.flush()
    await database.close()


@pytest.mark.parametrize(("days", "told"), [(90, [(SENTENCE, LEAST + 1, LEAST + 1)]), (0, [])])
async def test_what_many_asked_in_vain_is_reviewed_unless_it_is_not_to_be_counted(
    days: int, told: list[tuple[str, int, int]], open_system: OpenSystem
) -> None:
    understanding = {"enabled": True, "unread_days": days}
    async with open_system(understanding=understanding) as system:
        await let_others_ask(system.app.settings)
        card = await system.ask(f"{SENTENCE}？", who=KEEPER)
        assert SENTENCE in card.title + card.markdown
    found = json.loads("\n".join(await review(system.app.settings, in_json=True)))
    assert [(each["text"], each["number"], each["people"]) for each in found] == told
    assert found_in(system.app.settings.data_dir, {SENTENCE}) == set()
