"""Cards that stand are noted outside the database; one that lost its last writes has them reviewed."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from structlog.testing import capture_logs

from bot.outbox.delivery import DeliveryFormat
from bot.store.database import Database
from bot.store.health import StoredHeartbeat
from bot.store.outbox import ledger as ledgers
from bot.store.outbox.ledger import CardLedger, LostWrites, review_cards
from bot.store.tables import DELIVERY, HEARTBEAT
from tests.outbox.conftest import GROUP, Clock, OutboxHarness, RecordingMessenger, harness_of


@pytest.fixture
def ledger(tmp_path: Path) -> CardLedger:
    return CardLedger(tmp_path)


@pytest.fixture
def harness(database: Database, clock: Clock, messenger: RecordingMessenger, ledger: CardLedger) -> OutboxHarness:
    return harness_of(database, messenger, clock, ledger=ledger)


async def review(harness: OutboxHarness, ledger: CardLedger) -> LostWrites | None:
    """Do what a start does, and send what is owed because of it."""
    noted, beat = ledger.read(), ledger.last_beat()
    lost = await harness.database.run(partial(review_cards, noted=noted, last_beat=beat, now=harness.clock()))
    harness.clock.forward(minutes=3)
    await harness.work()
    return lost


async def lose(harness: OutboxHarness, card: str) -> None:
    await harness.database.execute(delete(DELIVERY).where(DELIVERY.c.card == card))


async def test_what_nobody_remembers_says_so_and_comes_back_with_news(
    harness: OutboxHarness, messenger: RecordingMessenger, ledger: CardLedger
) -> None:
    await harness.owe("a", 4)
    await harness.work()
    await lose(harness, "a")
    harness.composer.revisions.clear()
    lost = await review(harness, ledger)
    assert lost is not None
    assert (lost.cards, lost.since, lost.until) == (1, None, harness.clock() - timedelta(minutes=3))
    assert messenger.words[1:] == [("change", "lost_card")]
    # What is found anew begins with its first revision, and is the same card.
    await harness.owe("a", 1)
    await harness.work()
    assert messenger.words[2:] == [("change", "a r1")]
    assert await review(harness, ledger) is None


async def test_what_is_found_anew_before_the_review_is_shown_by_one_call(
    harness: OutboxHarness, messenger: RecordingMessenger, ledger: CardLedger
) -> None:
    await harness.owe("a", 4)
    await harness.work()
    await lose(harness, "a")
    await harness.database.run(partial(review_cards, noted=ledger.read(), last_beat=0, now=harness.clock()))
    await harness.owe("a", 1)
    await harness.work()
    harness.clock.forward(minutes=3)
    await harness.work()
    assert messenger.words[1:] == [("change", "a r1")]


async def test_a_card_that_shows_more_than_the_database_knows(
    harness: OutboxHarness, messenger: RecordingMessenger, ledger: CardLedger
) -> None:
    await harness.owe("a", 1)
    await harness.work()
    before = {"wanted": 1, "shown": 1, "changed_ms": (await harness.row("a")).changed_at.timestamp() * 1000}
    harness.clock.forward(seconds=1)
    await harness.owe("a", 3)
    await harness.work()
    await harness.database.execute(update(DELIVERY).where(DELIVERY.c.card == "a").values(before))
    harness.composer.revisions["a"] = 1
    lost = await review(harness, ledger)
    assert lost is not None
    assert messenger.words[2:] == [("change", "a r1")]


async def test_a_message_is_not_written_again(
    harness: OutboxHarness, messenger: RecordingMessenger, ledger: CardLedger
) -> None:
    await harness.owe("a", via=DeliveryFormat.TEXT)
    await harness.work()
    await lose(harness, "a")
    await review(harness, ledger)
    await harness.owe("a", via=DeliveryFormat.TEXT)
    await harness.work()
    assert messenger.words == [("write", "a r1")]


async def test_nothing_is_reviewed_that_the_database_knows(
    harness: OutboxHarness, messenger: RecordingMessenger, ledger: CardLedger
) -> None:
    for revision in (1, 2):
        await harness.owe("a", revision)
        await harness.work()
    await StoredHeartbeat(harness.database, ledger).beat(harness.clock())
    calls = len(messenger.sent)
    assert await review(harness, ledger) is None
    assert len(messenger.sent) == calls


async def test_a_database_without_the_last_heartbeat_is_older(harness: OutboxHarness, ledger: CardLedger) -> None:
    first = harness.clock()
    await StoredHeartbeat(harness.database, ledger).beat(first)
    harness.clock.forward(seconds=5)
    await StoredHeartbeat(harness.database, ledger).beat(harness.clock())
    assert await review(harness, ledger) is None
    await harness.database.execute(update(HEARTBEAT).values(at_ms=first.timestamp() * 1000))
    lost = await review(harness, ledger)
    assert lost == LostWrites(cards=0, since=first, until=first + timedelta(seconds=5))


async def test_a_folder_that_takes_nothing_is_told_of_once(harness: OutboxHarness, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    nowhere = CardLedger(tmp_path / "taken")
    with capture_logs() as logs:
        for _ in range(3):
            await StoredHeartbeat(harness.database, nowhere).beat(harness.clock())
    assert [line["event"] for line in logs if "not_noted" in line["event"]] == ["outbox.not_noted"]


async def test_a_line_that_was_broken_off_is_passed_over(harness: OutboxHarness, ledger: CardLedger) -> None:
    await harness.owe("a")
    await harness.work()
    whole = ledger.read()
    with ledger.file.open("ab") as file:
        file.write(b'["b","group:ci')
    assert ledger.read() == whole


async def test_a_person_s_own_chat_is_forgotten(harness: OutboxHarness, ledger: CardLedger) -> None:
    await harness.owe("a")
    await harness.work()
    assert ledger.forget("person:amy") == 0
    assert ledger.forget(str(GROUP)) == 1
    assert ledger.read() == ()


async def test_the_file_keeps_what_stands(
    harness: OutboxHarness, ledger: CardLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "LARGEST", 2_000)
    await StoredHeartbeat(harness.database, ledger).beat(harness.clock())
    for revision in range(1, 30):
        await harness.owe("a", revision)
        await harness.work()
    assert ledger.file.stat().st_size < 3_000
    assert [card.shown for card in ledger.read()] == [29]
    assert ledger.last_beat() == harness.clock().timestamp() * 1000
