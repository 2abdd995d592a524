"""Alerts that begin together share the row of their events until one of them changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.alerts.alert import Alert, AlertState
from bot.store.alerts.packs import PACK
from bot.store.alerts.repository import ALERT_RETENTION, StoredAlertTransactions
from bot.store.database import Database
from tests.alerts.scenario import ZERO
from tests.alerts.test_repository import alert

_LATER = ZERO + ALERT_RETENTION + timedelta(days=1)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    await database.unlock()
    yield database
    await database.close()


@pytest.fixture
def transactions(database: Database) -> StoredAlertTransactions:
    return StoredAlertTransactions(database, lambda: ZERO)


async def rows(database: Database, statement: str) -> list[Any]:
    found = await database.run(lambda connection: connection.execute(text(statement)).all())
    return [row[0] for row in found]


async def begin(transactions: StoredAlertTransactions, alerts: Sequence[Alert]) -> None:
    def write(repository: Any) -> None:
        for each in alerts:
            repository.put_alert(each, None)

    await transactions.transact(write)


async def stored(transactions: StoredAlertTransactions, *ids: str) -> list[Alert]:
    return list(await transactions.query(lambda repository: repository.alerts(ids)))


async def test_those_that_begin_together_lie_together_and_come_back_each_with_its_own_event(
    database: Database, transactions: StoredAlertTransactions
) -> None:
    many = [alert(number, key=f"matter {number}") for number in range(1, 2 * PACK + 11)]
    await begin(transactions, many)
    assert await rows(database, "SELECT first FROM alert_pack ORDER BY first") == [1, PACK + 1, 2 * PACK + 1]
    assert set(await rows(database, "SELECT event FROM alert")) == {""}
    assert await stored(transactions, *(each.id for each in many)) == many
    assert await transactions.query(lambda repository: [repository.latest(each.key) for each in many]) == many


async def test_who_begins_alone_has_its_event_to_itself(
    database: Database, transactions: StoredAlertTransactions
) -> None:
    await begin(transactions, [alert(1)])
    assert await rows(database, "SELECT first FROM alert_pack") == []
    assert await stored(transactions, "a1") == [alert(1)]


async def test_one_that_changes_has_an_event_of_its_own_and_the_others_stay(
    database: Database, transactions: StoredAlertTransactions
) -> None:
    first, second, third = (alert(number) for number in (1, 2, 3))
    await begin(transactions, [first, second, third])
    changed = replace(second, event=replace(second.event, id="newer", title="another"), revision=2)
    await transactions.transact(lambda repository: repository.put_alert(changed, None))
    assert [bool(event) for event in await rows(database, "SELECT event FROM alert ORDER BY number")] == [
        False, True, False,
    ]  # fmt: skip
    assert await stored(transactions, "a1", "a2", "a3") == [first, changed, third]


async def test_what_is_forgotten_leaves_nothing_behind_and_takes_nothing_along(
    database: Database, transactions: StoredAlertTransactions
) -> None:
    over = [alert(number, state=AlertState.RESOLVED, resolved_at=ZERO) for number in (1, 2)]
    still_open, changed = alert(3), replace(alert(4), revision=2)
    await begin(transactions, [*over, still_open, alert(4)])
    await transactions.transact(lambda repository: repository.put_alert(changed, None))
    await transactions.prune(_LATER)
    assert await rows(database, "SELECT first FROM alert_pack") == [], "it would keep what the others said"
    assert await stored(transactions, "a1", "a2", "a3", "a4") == [still_open, changed]
    await begin(transactions, [replace(each, state=AlertState.RESOLVED, revision=3) for each in (still_open, changed)])
    await transactions.prune(_LATER)
    assert await rows(database, "SELECT id FROM alert") == []


async def test_of_those_that_are_all_forgotten_the_row_goes(
    database: Database, transactions: StoredAlertTransactions
) -> None:
    await begin(transactions, [alert(number, state=AlertState.RESOLVED, resolved_at=ZERO) for number in (1, 2, 3)])
    await transactions.prune(_LATER)
    assert await rows(database, "SELECT first FROM alert_pack") == []


@pytest.mark.parametrize("damage", ["UPDATE alert_pack SET events = 's1:AAAA'", "DELETE FROM alert_pack"])
async def test_a_row_that_was_changed_hides_its_own_alerts_alone(
    damage: str, database: Database, transactions: StoredAlertTransactions
) -> None:
    await begin(transactions, [alert(1), alert(2)])
    await begin(transactions, [alert(3)])
    await database.run(lambda connection: connection.execute(text(damage)))
    with capture_logs() as logs:
        one, two, three = await stored(transactions, "a1", "a2", "a3")
    assert (one.is_unreadable, two.is_unreadable, three) == (True, True, alert(3))
    assert {line["alert"] for line in logs} == {"a1", "a2"}
    assert await transactions.transact(lambda repository: list(repository.open_alerts())) == [alert(3)]


async def test_unreadable_ones_are_forgotten_when_they_are_over(
    database: Database, transactions: StoredAlertTransactions
) -> None:
    await begin(transactions, [alert(1, state=AlertState.RESOLVED, resolved_at=ZERO), alert(2)])
    await database.run(lambda connection: connection.execute(text("UPDATE alert_pack SET events = 's1:AAAA'")))
    await transactions.prune(_LATER)
    assert await rows(database, "SELECT id FROM alert") == ["a2"]
