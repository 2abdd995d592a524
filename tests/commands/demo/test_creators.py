"""The demo company tells who created its documents."""

from __future__ import annotations

import pytest

from bot.access.people import Person
from bot.cards.notices import ChoiceNotice
from bot.chat.document_views import DocumentListView
from bot.chat.message import Conversation, ConversationKind
from bot.erp.kinds import FOLLOWED
from tests.commands.conftest import Ask, as_

LI_NA = Person(user_id="sales01", name="谁都不是", roles=frozenset({"sales"}))
OWN_CHAT = Conversation("cidLi==", ConversationKind.DIRECT)


async def test_ones_own_orders_are_known_by_the_account(ask: Ask) -> None:
    mine = as_(DocumentListView, await ask("/order by:me", person=LI_NA, where=OWN_CHAT))
    everybody = as_(DocumentListView, await ask("/order", person=LI_NA, where=OWN_CHAT))
    assert 0 < mine.total < everybody.total
    assert {row.creator for row in mine.rows} == {"李娜"}


@pytest.mark.parametrize("command", [kind.command for kind in FOLLOWED])
async def test_documents_of_every_kind_tell_it(command: str, ask: Ask) -> None:
    choice = as_(ChoiceNotice, await ask(f"/{command} by:who", person=LI_NA, where=OWN_CHAT))
    assert choice.suggestions
