"""An alert whose sealed values were changed in the database: shown as unreadable, and in nobody's way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.alerts import labels
from bot.alerts.alert import Alert, CardState, Watch
from bot.alerts.repository import AlertRepository
from bot.alerts.view_builder import build_alert_view, build_list_view
from bot.erp.model import Area
from bot.store.alerts.repository import StoredAlertQueue, StoredAlertTransactions, read_mutes_and_watches
from bot.store.database import Database
from bot.words.sealing import NotOpened
from tests.alerts.scenario import ZERO, A
from tests.alerts.test_repository import alert, card


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    await database.unlock()
    yield database
    await database.close()


async def tampered(database: Database, column: str) -> StoredAlertTransactions:
    """Return the transactions of a database in which one of three open alerts was changed."""
    transactions = StoredAlertTransactions(database, lambda: ZERO)

    def write(repository: StoredAlertQueue) -> None:
        for number in (1, 2, 3):
            repository.put_alert(alert(number, held=True), None)
        repository.put_card(card(1, "a1", "a2", "a3", place=A))

    await transactions.transact(write)
    swap = text(f"UPDATE alert SET {column} = 's1:AAAA' WHERE id = 'a2'")
    await database.run(lambda connection: connection.execute(swap))
    return transactions


def ids(alerts: object) -> list[str]:
    assert isinstance(alerts, (list, tuple))
    return [one.id for one in alerts]


@pytest.mark.parametrize("column", ["event", "hands", "key"])
async def test_readers_see_the_others_and_that_one_cannot_be_read(database: Database, column: str) -> None:
    transactions = await tampered(database, column)

    def read(repository: AlertRepository) -> tuple[Alert, ...]:
        assert ids(repository.open_on("c1")) == ids(repository.open_alerts()) == ["a3", "a2", "a1"]
        return tuple(repository.alerts(("a1", "a2", "a3")))

    with capture_logs() as logs:
        first, broken, third = await transactions.query(read)
    assert (first.is_unreadable, broken.is_unreadable, third.is_unreadable) == (False, True, False)
    assert (broken.id, broken.opened_at, broken.severity) == ("a2", alert(2).opened_at, alert(2).severity)
    view = build_alert_view(broken, ZERO)
    assert not view.buttons()
    assert "cannot be read" in str(view.headline)
    assert "tell an administrator" in str(view.lines[1])
    assert [row.id for row in build_list_view([first, broken, third], ZERO, line="").rows]
    assert {log["alert"] for log in logs if log["event"] == "alerts.unreadable"} == {"a2"}


async def test_whoever_changes_alerts_works_without_it(database: Database) -> None:
    transactions = await tampered(database, "event")

    def write(repository: StoredAlertQueue) -> list[str]:
        repository.mark_suppressed_due(ZERO)
        return ids(repository.open_alerts())

    assert await transactions.transact(write) == ["a3", "a1"]
    kept = text("SELECT event FROM alert WHERE id = 'a2'")
    assert await database.run(lambda connection: connection.scalar(kept)) == "s1:AAAA"
    with pytest.raises(NotOpened):
        await transactions.transact(lambda repository: repository.alert("a2"))


async def tampered_card(database: Database) -> StoredAlertTransactions:
    """Return the transactions of a database in which one of two cards was changed."""
    transactions = StoredAlertTransactions(database, lambda: ZERO)

    def write(repository: StoredAlertQueue) -> None:
        for number in (1, 2):
            repository.put_alert(alert(number), None)
            repository.put_card(card(number, f"a{number}", place=A, group=f"g{number}"))

    await transactions.transact(write)
    swap = text("UPDATE alert_card SET shared = 's1:AAAA' WHERE id = 'c1'")
    await database.run(lambda connection: connection.execute(swap))
    return transactions


async def test_a_card_whose_group_cannot_be_read_stands_beside_the_others(database: Database) -> None:
    transactions = await tampered_card(database)

    def read(repository: AlertRepository) -> None:
        assert ids(repository.cards_at(A)) == ["c2", "c1"]
        assert [one.alerts for one in repository.cards(("c1", "c2"))] == [("a1",), ("a2",)]
        assert ids(repository.cards_of("a1")) == ["c1"]
        assert repository.open_card(A, "g1") is None
        assert repository.open_card(A, "g2") is not None

    with capture_logs() as logs:
        await transactions.query(read)
    assert {(log["event"], log["table"], log["row"]) for log in logs} == {("store.unreadable", "alert_card", "1")}


async def test_such_a_card_follows_its_alerts_to_the_end(database: Database) -> None:
    transactions = await tampered_card(database)

    def close(repository: StoredAlertQueue) -> None:
        repository.expect([alert(1).key], [])
        for known in repository.cards_of("a1"):
            repository.put_card(replace(known, state=CardState.CLOSED, revision=known.revision + 1))

    await transactions.transact(close)
    left = await transactions.query(lambda repository: ids(repository.cards_at(A)))
    assert left == ["c2"]
    with capture_logs() as logs:
        closed = await transactions.query(lambda repository: repository.card("c1"))
    assert closed is not None
    assert (closed.state, closed.alerts, logs) == (CardState.CLOSED, ("a1",), [])


async def test_a_watch_whose_title_cannot_be_read_still_watches(database: Database) -> None:
    transactions = StoredAlertTransactions(database, lambda: ZERO)
    named = [
        Watch(user_id="lin", area=Area.SALES, subject=f"SO-{number}", title="ACME", made_at=ZERO) for number in (1, 2)
    ]

    def write(repository: StoredAlertQueue) -> None:
        for watch in named:
            repository.put_watch(watch)

    await transactions.transact(write)
    swap = text("UPDATE watch SET title = 's1:AAAA' WHERE subject = 'SO-1'")
    await database.run(lambda connection: connection.execute(swap))
    expected = [replace(named[0], title=""), named[1]]
    assert await transactions.query(lambda repository: list(repository.watches())) == expected
    assert await transactions.query(lambda repository: list(repository.watches("lin"))) == expected
    assert await transactions.query(lambda repository: list(repository.watches_on("so-1"))) == expected[:1]
    assert await database.run(lambda connection: read_mutes_and_watches(connection, ZERO)) == tuple(expected)


def test_an_unreadable_alert_is_of_no_area() -> None:
    assert labels.access_command("unreadable") == "alerts"
