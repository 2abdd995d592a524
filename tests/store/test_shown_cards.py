"""A click finds the card that the outbox showed, and becomes a line of its story."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from bot.outbox.delivery import Delivery, DeliveryStepKind
from bot.outbox.place import Place
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.outbox.deliveries import StoredDeliveries, StoredShownCards
from bot.store.outbox.queue import StoredBacklog
from bot.store.tables import DELIVERY

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
async def shown(database: Database) -> StoredShownCards:
    for card, place in (("c1", "group:cidA=="), ("c2", "person:keeper01")):
        delivery = Delivery(card=card, place=Place.parse(place), kind="alert", ref=card, revision=1, due_at=NOW)
        await StoredBacklog(database).enqueue(delivery, now=NOW)
    sent = update(DELIVERY).where(DELIVERY.c.card == "c1").values(track="c1-abc-def")
    await database.run(lambda connection: connection.execute(sent))
    return StoredShownCards(database)


async def test_a_click_is_recorded_where_the_card_stands(shown: StoredShownCards, database: Database) -> None:
    assert await shown.clicked("c1-abc-def", "keeper01", NOW) == (Place.parse("group:cidA=="),)
    clicks = [step for step in await StoredDeliveries(database).steps_of("c1") if step.what is DeliveryStepKind.CLICKED]
    assert [(step.detail, step.at) for step in clicks] == [("keeper01", NOW)]


@pytest.mark.parametrize("track_id", ["", "c1-abc-deg", "C1-ABC-DEF"])
async def test_unknown_cards_have_no_place_and_no_story(
    shown: StoredShownCards, database: Database, track_id: str
) -> None:
    assert await shown.clicked(track_id, "keeper01", NOW) == ()
    for card in ("c1", "c2"):
        assert not [
            step for step in await StoredDeliveries(database).steps_of(card) if step.what is DeliveryStepKind.CLICKED
        ]


async def test_a_store_that_is_away_says_so(shown: StoredShownCards, database: Database) -> None:
    await database.run(DELIVERY.drop)
    with pytest.raises(StoreUnavailable):
        await shown.clicked("c1-abc-def", "keeper01", NOW)
