"""One suite for all ledgers, in memory, on SQLite and on PostgreSQL: within a unit of work and in the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import pytest
from sqlalchemy import event, func, inspect, select, text
from sqlalchemy.engine import Connection

from bot.alerts.alert import Alert, AlertCard, AlertState, CardState, Comparator, Mute, UserStamp, Watch
from bot.alerts.event import Event
from bot.alerts.repository import AlertHistoryEntry, AlertRepository
from bot.erp.model import Area, Money
from bot.outbox.delivery import Delivery, Urgency
from bot.store.alerts import queries as alert_sql
from bot.store.alerts.repository import StoredAlertQueue
from bot.store.alerts.rows import event_of, event_text
from bot.store.database import Database
from bot.store.row_times import to_ms_up
from bot.store.tables import ALERT_NOTE, DELIVERY, METADATA
from bot.words.severity import Severity
from tests.alerts.conftest import sqlite
from tests.alerts.memory_repository import MemoryAlertRepository
from tests.alerts.scenario import ZERO, A, B, low, second
from tests.rows import each_row

T = TypeVar("T")
Within = Callable[[Callable[[AlertRepository], T]], T]

FULL = Event(
    source="erp",
    id="evt-1",
    part=2,
    type="custom.машина",
    subject="压力 \U0001f525",
    at=second(1),
    received_at=second(2),
    severity=Severity.CRITICAL,
    resolved=True,
    company="c",
    warehouse="w",
    customer="k",
    supplier="s",
    category="螺丝",
    owner="o",
    amount=Money(Decimal("12345678901234567890.1234"), "CNY"),
    quantity=Decimal("-0.10"),
    due_on=date(2026, 12, 31),
    title="t",
    link="https://erp.example/x",
    data=MappingProxyType({"n": 1, "text": "x", "list": [1, "2", None], "deep": {"a": "0.10"}}),
    tags=MappingProxyType({"line": "3"}),
)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def within(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Within[object]]:
    """Return what runs work in a unit of work of its own."""
    if request.param == "memory":
        repository = MemoryAlertRepository()
        yield lambda work: work(repository)
    elif request.param == "sqlite":
        with sqlite(tmp_path) as database:
            yield _within(database)
    else:
        database = Database(request.getfixturevalue("postgres_url"))
        yield _within(database)
        database._engine.dispose()


def _within(database: Database) -> Within[object]:
    def within(work: Callable[[AlertRepository], object]) -> object:
        def call(connection: Connection) -> object:
            repository = StoredAlertQueue(connection, ZERO)
            result = work(repository)
            repository.flush()
            return result

        return database.run_blocking(call)

    return within


def alert(number: int, key: str = "", **fields: object) -> Alert:
    values: dict[str, object] = {
        "id": f"a{number}",
        "key": key or f"key{number}",
        "event": replace(low(f"SKU{number}"), id=f"e{number}", at=ZERO, received_at=ZERO),
        "state": AlertState.OPEN,
        "severity": Severity.WARNING,
        "opened_at": second(number),
        "last_at": second(number),
    }
    return Alert(**values | fields)  # type: ignore[arg-type]  # fields of an alert


def card(number: int, *alerts: str, **fields: object) -> AlertCard:
    values: dict[str, object] = {
        "id": f"c{number}",
        "place": A,
        "route": "r",
        "group": f"g{number}",
        "alerts": alerts,
        "state": CardState.SHOWN,
        "opened_at": second(number),
    }
    return AlertCard(**values | fields)  # type: ignore[arg-type]  # fields of a card


def put(repository: AlertRepository, *things: Alert | AlertCard) -> None:
    for thing in things:
        if isinstance(thing, Alert):
            repository.put_alert(thing, None)
        else:
            repository.put_card(thing)


def in_both(
    within: Within[object],
    write: Callable[[AlertRepository], object],
    read: Callable[[AlertRepository], T],
    expected: T,
) -> None:
    """Check what is read in the unit of work that wrote it, and in the next one."""

    def write_and_read(repository: AlertRepository) -> T:
        write(repository)
        return read(repository)

    assert within(write_and_read) == expected
    assert within(read) == expected


def test_an_alert_comes_back_as_it_was(within: Within[object]) -> None:
    full = alert(
        1,
        event=FULL,
        state=AlertState.RESOLVED,
        severity=Severity.CRITICAL,
        count=7,
        acknowledged=UserStamp("u1", "林", second(3)),
        assigned=UserStamp("u2", "王", second(4)),
        snoozed=UserStamp("u3", "赵", second(5)),
        snoozed_until=second(6),
        resolved_at=second(7),
        step=2,
        escalate_at=second(8),
        held=True,
        look_at=second(9),
        revivals=3,
        revision=12,
    )
    in_both(within, lambda repository: put(repository, full), lambda repository: repository.alert("a1"), full)
    in_both(within, lambda repository: put(repository, alert(1)), lambda repository: repository.alert("a1"), alert(1))
    assert within(lambda repository: repository.alert("a2")) is None


@each_row("value", [2**80, "\ud800", [2**64]])
def test_an_event_keeps_what_json_can_hardly_carry(value: object) -> None:
    odd = replace(FULL, data=MappingProxyType({"odd": value}))
    assert event_of(event_text(odd)) == odd


def test_a_card_comes_back_as_it_was_with_its_alerts_in_order(within: Within[object]) -> None:
    full = card(
        1, "a3", "a1", "a2", due_at=second(2), shown_at=second(3), changed_at=second(4), behind=True, late=True,
        next="c9", repeats=2, revision=5, state=CardState.CLOSED,
    )  # fmt: skip
    in_both(within, lambda repository: put(repository, full), lambda repository: repository.card("c1"), full)
    moved = replace(full, alerts=("a2", "a4", "a1"))
    in_both(within, lambda repository: put(repository, moved), lambda repository: repository.card("c1"), moved)
    grown = replace(moved, alerts=(*moved.alerts, "a0"))
    in_both(within, lambda repository: put(repository, grown), lambda repository: repository.card("c1"), grown)
    assert within(lambda repository: repository.card("c2")) is None


def test_the_newest_alert_of_a_matter(within: Within[object]) -> None:
    first, second_ = alert(1, "k", state=AlertState.RESOLVED), alert(2, "k")

    def write(repository: AlertRepository) -> None:
        assert repository.latest("k") is None
        repository.expect(("k", "other"), ("SKU1",))
        put(repository, first)
        assert repository.latest("k") == first
        put(repository, second_)

    in_both(within, write, lambda repository: repository.latest("k"), second_)
    changed = replace(first, count=5)
    in_both(within, lambda repository: put(repository, changed), lambda repository: repository.latest("k"), second_)
    assert within(lambda repository: repository.latest("other")) is None


def test_open_alerts_newest_first_also_one_that_opened_again(within: Within[object]) -> None:
    def ids(repository: AlertRepository) -> list[str]:
        return [alert.id for alert in repository.open_alerts()]

    def write(repository: AlertRepository) -> None:
        put(repository, alert(1), alert(2), alert(3, state=AlertState.INFORMED), alert(4))
        assert ids(repository) == ["a4", "a2", "a1"]
        put(repository, alert(2, state=AlertState.RESOLVED), alert(5))
        assert ids(repository) == ["a5", "a4", "a1"]

    in_both(within, write, ids, ["a5", "a4", "a1"])

    def revive(repository: AlertRepository) -> None:
        assert len(ids(repository)) == 3
        put(repository, alert(2))

    in_both(within, revive, ids, ["a5", "a4", "a2", "a1"])
    assert within(lambda repository: [alert.id for alert in repository.open_alerts(2)]) == ["a5", "a4"]


def test_alerts_that_are_over_newest_first(within: Within[object]) -> None:
    def ids(repository: AlertRepository) -> list[str]:
        return [alert.id for alert in repository.ended_alerts(2)]

    def write(repository: AlertRepository) -> None:
        ended = [alert(number, state=AlertState.RESOLVED) for number in (1, 3)]
        put(repository, *ended, alert(4, state=AlertState.INFORMED), alert(5))
        assert ids(repository) == ["a4", "a3"]

    in_both(within, write, ids, ["a4", "a3"])


def test_several_alerts_in_the_order_asked_for(within: Within[object]) -> None:
    in_both(
        within,
        lambda repository: put(repository, *map(alert, range(5))),
        lambda repository: [alert.id for alert in repository.alerts(("a3", "a9", "a0", "a1"))],
        ["a3", "a0", "a1"],
    )


def test_all_cards_of_an_alert_oldest_first(within: Within[object]) -> None:
    def ids(repository: AlertRepository) -> list[str]:
        return [card.id for card in repository.cards_of("a1")]

    def write(repository: AlertRepository) -> None:
        put(repository, alert(1), alert(2))
        assert ids(repository) == []
        put(repository, card(2, "a1"), card(1, "a2", "a1", state=CardState.CLOSED), card(3, "a2"))

    in_both(within, write, ids, ["c2", "c1"])
    in_both(within, lambda repository: put(repository, card(3, "a2", "a1")), ids, ["c2", "c1", "c3"])
    in_both(within, lambda repository: put(repository, card(1, "a2", state=CardState.CLOSED)), ids, ["c2", "c3"])


def test_the_living_card_of_a_group_at_a_place(within: Within[object]) -> None:
    def living(repository: AlertRepository) -> str:
        found = repository.open_card(A, "g")
        return "" if found is None else found.id

    first = card(1, "a1", group="g", state=CardState.WAITING)

    def write(repository: AlertRepository) -> None:
        assert living(repository) == ""
        put(repository, first, card(2, "a1", group="g", place=B), card(3, "a1", group="h"))

    in_both(within, write, living, "c1")

    def expected(repository: AlertRepository) -> tuple[str, AlertCard | None]:
        repository.expect(("g", "nobody"), ())
        return living(repository), repository.open_card(A, "nobody")

    assert within(expected) == ("c1", None)

    def close_and_expect(repository: AlertRepository) -> tuple[str, str]:
        put(repository, replace(first, state=CardState.CLOSED))
        expected(repository)
        closed = living(repository)
        put(repository, first)
        return closed, living(repository)

    assert within(close_and_expect) == ("", "c1")

    def succeed(repository: AlertRepository) -> None:
        # The new one is put before anything was written, while the old one still has the place in the index.
        put(repository, replace(first, state=CardState.CLOSED), card(4, "a1", group="g"))

    in_both(within, succeed, living, "c4")
    in_both(within, lambda repository: put(repository, card(4, group="g", state=CardState.CLOSED)), living, "")
    in_both(within, lambda repository: put(repository, first), living, "c1")


def test_the_living_cards_of_a_place_newest_first(within: Within[object]) -> None:
    in_both(
        within,
        lambda repository: put(repository, card(1), card(2, state=CardState.CLOSED), card(3, place=B), card(4)),
        lambda repository: [card.id for card in repository.cards_at(A)],
        ["c4", "c1"],
    )
    assert within(lambda repository: [card.id for card in repository.cards_at(A, 1)]) == ["c4"]


def test_what_is_due_the_longest_waiting_first(within: Within[object]) -> None:
    def write(repository: AlertRepository) -> None:
        for number, due in ((1, 30), (2, 10), (3, None), (4, 20)):
            due_at = None if due is None else second(due)
            repository.put_alert(alert(number), due_at)
            repository.put_card(card(number, due_at=due_at))

    def due(repository: AlertRepository) -> tuple[list[str], list[str]]:
        now = second(20)
        return list(repository.due_alerts(now, 9)), list(repository.due_cards(now, 9))

    in_both(within, write, due, (["a2", "a4"], ["c2", "c4"]))
    assert within(lambda repository: repository.next_due()) == second(10)
    assert within(lambda repository: list(repository.due_alerts(second(99), 1))) == ["a2"]
    in_both(
        within,
        lambda repository: [repository.put_alert(alert(number), None) for number in (1, 2, 4)],
        lambda repository: repository.next_due(),
        second(10),
    )
    in_both(
        within,
        lambda repository: put(repository, card(1), card(2), card(4)),
        lambda repository: repository.next_due(),
        None,
    )


def test_nothing_is_due_before_its_time_is_fully_over(within: Within[object]) -> None:
    moment = second(10).replace(microsecond=1)
    within(lambda repository: repository.put_alert(alert(1), moment))
    assert within(lambda repository: repository.due_alerts(second(10), 9)) == []


def test_waking_what_is_held_back(within: Within[object]) -> None:
    def write(repository: AlertRepository) -> None:
        repository.put_alert(alert(1, held=True, look_at=second(500)), second(500))
        repository.put_alert(alert(2, held=True), None)
        repository.put_alert(alert(3), None)
        repository.put_alert(alert(4, held=True, state=AlertState.RESOLVED), None)

    within(write)

    def wake(repository: AlertRepository) -> None:
        repository.put_alert(alert(5, held=True), None)
        repository.mark_suppressed_due(second(20))

    in_both(
        within,
        wake,
        lambda repository: sorted(repository.due_alerts(second(20), 9)),
        ["a1", "a2", "a5"],
    )
    assert within(lambda repository: repository.alert("a2")) == alert(2, held=True, look_at=second(20))


def test_mutes_in_force_at_a_place(within: Within[object]) -> None:
    def mute(number: int, until: int, place: object = A) -> Mute:
        return Mute(
            id=f"m{number}", place=place, pattern="stock.*", by="u", made_at=second(number), until=second(until)
        )  # type: ignore[arg-type]  # a place

    first, second_ = mute(1, 100), mute(2, 50)

    def write(repository: AlertRepository) -> None:
        assert repository.mutes(A, ZERO) == []
        for one in (second_, first, mute(3, 100, B)):
            repository.put_mute(one)

    in_both(within, write, lambda repository: repository.mutes(A, second(10)), [first, second_])
    assert within(lambda repository: repository.mutes(A, second(50))) == [first]
    in_both(
        within,
        lambda repository: repository.put_mute(mute(1, 10)),
        lambda repository: repository.mutes(A, second(10)),
        [second_],
    )


def test_watches(within: Within[object]) -> None:
    mine = Watch(
        user_id="u1", area=Area.STOCK, subject="Straße", title="t", comparison=Comparator.AT_MOST,
        limit=Decimal("1E+2"), made_at=second(2),
    )  # fmt: skip
    other = Watch(user_id="u2", area=Area.SALES, subject="STRASSE", made_at=second(1))

    def write(repository: AlertRepository) -> None:
        assert repository.watches_on("strasse") == []
        repository.put_watch(mine)
        repository.put_watch(other)

    in_both(within, write, lambda repository: list(repository.watches_on("strasse")), [other, mine])
    assert within(lambda repository: list(repository.watches("u1"))) == [mine]
    assert within(lambda repository: list(repository.watches())) == [other, mine]
    changed = replace(mine, limit=Decimal(5))
    in_both(
        within,
        lambda repository: repository.put_watch(changed),
        lambda repository: list(repository.watches("u1")),
        [changed],
    )
    in_both(
        within,
        lambda repository: repository.remove_watch(mine.id),
        lambda repository: list(repository.watches()),
        [other],
    )


def test_the_history_of_an_event_and_of_an_alert(within: Within[object]) -> None:
    notes = [
        AlertHistoryEntry(at=second(1), what="received", fact="erp/e1", detail="stock.low SKU1"),
        AlertHistoryEntry(at=second(1), what="opened", fact="erp/e1", alert="a1"),
        AlertHistoryEntry(at=second(1), what="shown", alert="a1", card="c1"),
        AlertHistoryEntry(at=second(2), what="opened", fact="erp/e2", alert="a2"),
    ]

    def write(repository: AlertRepository) -> None:
        for note in notes:
            repository.note(note)

    in_both(within, write, lambda repository: list(repository.history(fact="erp/e1")), notes[:2])
    assert within(lambda repository: list(repository.history(alert="a1"))) == notes[1:3]
    assert within(lambda repository: list(repository.history(limit=2))) == notes[:2]


def test_more_things_than_one_statement_takes(within: Within[object]) -> None:
    many = [alert(number) for number in range(1_200)]
    within(lambda repository: put(repository, *many))
    within(lambda repository: put(repository, card(1, *(alert.id for alert in many))))

    def read(repository: AlertRepository) -> list[Alert | None]:
        repository.expect([alert.key for alert in many], [alert.event.subject for alert in many])
        return [repository.latest(alert.key) for alert in many]

    assert within(read) == many
    assert within(lambda repository: len(repository.alerts([alert.id for alert in many]))) == 1_200
    found = within(lambda repository: repository.card("c1"))
    assert isinstance(found, AlertCard)
    assert len(found.alerts) == 1_200


def delivery(number: int, revision: int, urgency: Urgency = Urgency.SOON) -> Delivery:
    return Delivery(
        card=f"c{number}", place=A, kind="alert", ref=f"c{number}", revision=revision, urgency=urgency, due_at=ZERO
    )


def test_what_is_owed_several_times_in_a_unit_is_owed_once_and_what_is_withdrawn_no_more(tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:
        within = _within(database)

        def write(repository: AlertRepository) -> None:
            repository.deliver(delivery(1, 1, Urgency.NOW))
            repository.deliver(delivery(1, 2))
            repository.deliver(delivery(2, 1))
            repository.withdraw("c2")
            repository.deliver(delivery(3, 1))

        within(write)
        within(lambda repository: repository.withdraw("c3"))
        rows = database.run_blocking(
            lambda connection: connection.execute(select(DELIVERY).order_by(DELIVERY.c.card)).all()
        )
    assert [(row.card, row.wanted, row.urgency, row.state) for row in rows] == [
        ("c1", 2, Urgency.NOW.rank, "queued"),
        ("c3", 1, Urgency.SOON.rank, "folded"),
    ]


def test_a_unit_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:

        def fail(repository: AlertRepository) -> None:
            put(repository, alert(1), card(1, "a1"))
            repository.next_due()
            raise RuntimeError

        with pytest.raises(RuntimeError):
            _within(database)(fail)
        assert _within(database)(lambda repository: (repository.alert("a1"), repository.card("c1"))) == (None, None)


def test_a_place_and_group_cannot_have_two_living_cards(tmp_path: Path) -> None:
    with sqlite(tmp_path) as database, pytest.raises(Exception, match="IntegrityError"):
        _within(database)(lambda repository: put(repository, card(1, group="g"), card(2, group="g")))


async def test_migrations_make_the_indexes_that_the_statements_count_on(tmp_path: Path) -> None:
    migrated = Database(f"sqlite:///{tmp_path / 'migrated.sqlite3'}")
    await migrated.migrate()
    names = [
        name
        for name in METADATA.tables
        if name in ("alert", "alert_card", "alert_card_member", "alert_note", "mute", "watch")
    ]
    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :table ORDER BY name")

    def indexes(connection: Connection) -> dict[str, set[tuple[str, str]]]:
        return {
            name: {(row.name, " ".join((row.sql or "").split())) for row in connection.execute(query, {"table": name})}
            for name in names
        }

    made = await migrated.run(indexes)
    assert await migrated.run(lambda connection: inspect(connection).has_table("alert_note"))
    await migrated.close()
    with sqlite(tmp_path) as database:
        assert made == database.run_blocking(indexes)


@pytest.mark.parametrize(
    "name",
    ["LATEST", "ALERTS", "OPEN_ALERTS", "DUE_ALERTS", "HELD_ALERTS", "CARDS", "MEMBERSHIPS", "OPEN_CARD",
     "OPEN_CARDS_OF", "OPEN_ON", "CARDS_AT", "DUE_CARDS", "MEMBERS", "NEXT_DUE", "MUTES", "WATCHES_ON"],
)  # fmt: skip
def test_no_statement_reads_a_whole_table(tmp_path: Path, name: str) -> None:
    values = {"some": ["x"], "most": 1, "now": 1, "place": "x", "shared": "x", "card": "x"}
    sent: list[tuple[str, tuple[object, ...]]] = []

    def explain(connection: Connection) -> list[str]:
        statement = getattr(alert_sql, name)
        connection.execute(statement, {key: values[key] for key in statement.compile().params if key in values})
        query, parameters = sent[-1]
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters)]

    with sqlite(tmp_path) as database:
        event.listen(
            database._engine, "before_cursor_execute", lambda _c, _s, query, values, *_: sent.append((query, values))
        )
        steps = database.run_blocking(explain)
    reads = [step for step in steps if step.startswith(("SCAN ", "SEARCH "))]
    of_tables = [step for step in reads if "anon_1" not in step]
    assert of_tables
    assert not [step for step in of_tables if " USING " not in step]


def test_the_story_has_the_lines_of_older_versions_and_of_transactions(tmp_path: Path) -> None:
    entry = AlertHistoryEntry(at=second(1), what="opened", fact="erp/e1", alert="a1", detail="warning, 1 times")
    older = {"at_ms": to_ms_up(ZERO), "what": "received", "fact": "erp/e1", "alert": "", "card": "", "detail": "stock"}
    with sqlite(tmp_path) as database:
        database.run_blocking(lambda connection: connection.execute(ALERT_NOTE.insert(), older))
        within = _within(database)

        def write(repository: AlertRepository) -> None:
            repository.note(entry)
            for number in range(250):
                repository.note(replace(entry, fact=f"erp/e{number}", alert="a2", what="repeated"))

        within(write)
        story = within(lambda repository: [(one.what, one.alert) for one in repository.history(fact="erp/e1")])
        assert story == [("received", ""), ("opened", "a1"), ("repeated", "a2")]
        assert within(lambda repository: len(repository.history(alert="a2"))) == 250
        assert within(lambda repository: len(repository.history(alert="a2", limit=7))) == 7
        assert within(lambda repository: repository.history(alert="a1")) == [entry]
        rows = database.run_blocking(
            lambda connection: connection.execute(select(func.count(ALERT_NOTE.c.at_ms))).scalar()
        )
        assert rows == 4, "the older one, and a hundred lines in a row"
