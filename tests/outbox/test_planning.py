"""What one look at the rows that are due decides, and what sending each of them costs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.outbox.budgets import (
    MINUTE,
    SECOND,
    SPARING_DIGEST,
    BudgetCost,
    BudgetWindow,
    FoldKey,
    SendLimits,
    SendPlan,
    budget_costs,
    is_foldable,
    plan_sends,
)
from bot.outbox.delivery import DeliveryFormat, OutboxRow, Urgency
from bot.outbox.place import Place, PlaceKind
from tests.outbox.conftest import GROUP, START
from tests.rows import each_row

OTHER = Place(PlaceKind.PERSON, "keeper01")
LIMITS = SendLimits(per_second=3, place_minute=4, robot_minute=5)


def row(card: str = "a", **changes: Any) -> OutboxRow:
    values: dict[str, Any] = {
        "card": card,
        "place": GROUP,
        "kind": "alert",
        "ref": card,
        "urgency": Urgency.SOON,
        "wanted": 1,
        "due_at": START,
    }
    return OutboxRow(**{**values, **changes})


def rows(count: int, **changes: Any) -> list[OutboxRow]:
    return [row(f"a{number}", **changes) for number in range(count)]


def decide(
    *due: OutboxRow,
    limits: SendLimits = LIMITS,
    spent: dict[str, list[float]] | None = None,
    room: int = 99,
    **more: Any,
) -> SendPlan:
    """Return the plan where the units of ``spent`` count no more after so many seconds."""
    until = {bucket: [START + timedelta(seconds=one) for one in ends] for bucket, ends in (spent or {}).items()}
    return plan_sends(due, BudgetWindow(until, START), limits, room=room, sparing=more.get("sparing", False), now=START)


def taken(made: SendPlan) -> list[str]:
    return [row.card for row, _ in made.take]


def seconds(number: float) -> Any:
    return START + timedelta(seconds=number)


SHOW = BudgetCost("show", SECOND, 3)
CHANGE = BudgetCost("change", SECOND, 3)
AT_GROUP = BudgetCost(f"place {GROUP}", MINUTE, 4)


@each_row(
    ("owed", "sparing", "costs"),
    [
        (row(), False, (SHOW, AT_GROUP)),
        (row(place=OTHER), False, (SHOW, BudgetCost("place person:keeper01", MINUTE, 4))),
        (row(doubt=1), False, (SHOW, CHANGE, AT_GROUP)),
        (row(shown=1), False, (CHANGE,)),
        (row(shown=1, doubt=1), True, (CHANGE,)),
        (
            row(via=DeliveryFormat.TEXT),
            False,
            (BudgetCost("text", SECOND, 3), BudgetCost("robot", MINUTE, 5), AT_GROUP),
        ),
        (row(via=DeliveryFormat.TEXT, shown=1), True, ()),
        (row(), True, (SHOW, AT_GROUP, BudgetCost(f"sparing {GROUP}", SPARING_DIGEST, 1))),
        (row(urgency=Urgency.LATER), True, (SHOW, AT_GROUP, BudgetCost(f"sparing {GROUP}", SPARING_DIGEST, 1))),
        (row(urgency=Urgency.NOW), True, (SHOW, AT_GROUP)),
        (row(via=DeliveryFormat.TO_DO), True, (BudgetCost("marker", SECOND, 3),)),
    ],
)
def test_what_sending_costs(owed: OutboxRow, sparing: bool, costs: tuple[BudgetCost, ...]) -> None:
    assert budget_costs(owed, LIMITS, sparing=sparing) == costs
    assert [need.brief for need in costs] == [need.bucket in ("show", "change", "text", "marker") for need in costs]


def test_units_count_until_their_moment_and_then_no_more() -> None:
    need = BudgetCost("show", SECOND, 2)
    assert BudgetWindow({"show": [START, seconds(0.3)]}, START).short(need) is None
    assert BudgetWindow({"show": [seconds(0.7), seconds(0.3)]}, START).short(need) == seconds(0.3)
    assert BudgetWindow({"show": [seconds(0.7), seconds(0.3), seconds(0.5)]}, START).short(need) == seconds(0.5)
    assert BudgetWindow({"show": [seconds(60), seconds(61)]}, START).short(need) == seconds(1), (
        "a call hardly takes its lease"
    )
    assert BudgetWindow({"change": [seconds(0.5)] * 9}, START).short(need) is None


def test_what_is_spent_now_counts_for_one_window() -> None:
    budget, need = BudgetWindow({}, START), BudgetCost("place", MINUTE, 2)
    for _ in range(2):
        assert budget.short(need) is None
        budget.spend(need)
    assert budget.short(need) == seconds(60)


@each_row(
    ("owed", "may"),
    [
        (row(), True),
        (row(via=DeliveryFormat.TEXT), True),
        (row(urgency=Urgency.LATER), True),
        (row(urgency=Urgency.NOW), False),
        (row(shown=1), False),
        (row(doubt=1), False),
    ],
)
def test_a_digest_stands_only_for_what_was_certainly_not_seen_and_can_wait(owed: OutboxRow, may: bool) -> None:
    assert is_foldable(owed) is may
    made = decide(owed, spent={f"place {GROUP}": [30.0] * 4})
    assert made.fold == ([FoldKey(GROUP, "alert")] if may else [])


def test_all_go_while_there_is_room() -> None:
    made = decide(*rows(3))
    assert made == SendPlan(take=[(one, (SHOW, AT_GROUP)) for one in rows(3)])


def test_no_more_go_than_there_is_room_for_and_the_rest_stays_without_a_time() -> None:
    made = decide(*rows(3), room=2)
    assert (taken(made), made.postpone, made.fold, made.look_at) == (["a0", "a1"], {}, [], None)


def test_what_only_waits_for_the_next_second_stays_in_its_queue() -> None:
    made = decide(*rows(4), limits=SendLimits(per_second=2))
    assert (taken(made), made.postpone, made.look_at) == (["a0", "a1"], {}, seconds(1))


def test_the_queue_is_looked_at_when_the_first_can_go() -> None:
    spent = {"show": [0.7, 0.8, 0.9], "change": [0.2, 0.3, 0.4]}
    first = decide(row("new"), row("old", shown=1), spent=spent)
    assert (taken(first), first.look_at) == ([], seconds(0.2))
    other = decide(row("old", shown=1), row("new"), spent=spent)
    assert other.look_at == seconds(0.2)
    both = decide(row(doubt=1), spent=spent)
    assert both.look_at == seconds(0.2)


def test_what_has_no_room_for_long_moves_out_of_the_way_and_folds() -> None:
    made = decide(*rows(6), limits=SendLimits(place_minute=4), room=6)
    assert taken(made) == ["a0", "a1", "a2", "a3"]
    assert made.postpone == {"a4": seconds(60), "a5": seconds(60)}
    assert (made.fold, made.look_at) == ([FoldKey(GROUP, "alert")], None)


def test_of_several_budgets_the_longest_wait_counts() -> None:
    spent = {f"place {GROUP}": [20.0] * 4, "robot": [40.0] * 5, "text": [0.5] * 3}
    made = decide(row(via=DeliveryFormat.TEXT), spent=spent)
    assert (made.postpone, made.look_at) == ({"a": seconds(40)}, None)


def test_what_waits_spends_nothing() -> None:
    full = {f"place {GROUP}": [30.0] * 4}
    made = decide(*rows(9), row("elsewhere", place=OTHER), limits=SendLimits(per_second=1, place_minute=4), spent=full)
    assert taken(made) == ["elsewhere"]
    assert list(made.postpone) == [f"a{number}" for number in range(9)]


def test_places_and_kinds_fold_apart_and_each_once() -> None:
    full = {f"place {GROUP}": [30.0] * 4, f"place {OTHER}": [30.0] * 4}
    due = [row("a"), row("b", kind="case"), row("c", place=OTHER), row("d"), row("e", urgency=Urgency.NOW)]
    made = decide(*due, spent=full)
    assert made.fold == [FoldKey(GROUP, "alert"), FoldKey(GROUP, "case"), FoldKey(OTHER, "alert")]
    assert list(made.postpone) == ["a", "b", "c", "d", "e"]


def test_while_calls_are_spared_only_what_is_urgent_changes() -> None:
    due = [
        row("stands", shown=1),
        row("urgent", shown=1, urgency=Urgency.NOW),
        row("text", shown=1, via=DeliveryFormat.TEXT),
        row("new"),
        row("second"),
        row("alarm", urgency=Urgency.NOW),
    ]
    made = decide(*due, sparing=True)
    assert taken(made) == ["urgent", "text", "new", "alarm"]
    assert made.postpone == {"stands": START + SPARING_DIGEST, "second": START + SPARING_DIGEST}
    assert made.fold == [FoldKey(GROUP, "alert")]
    plain = decide(*due, limits=SendLimits())
    assert taken(plain) == ["stands", "urgent", "text", "new", "second", "alarm"]


def test_the_limits_of_dingtalk() -> None:
    assert SendLimits() == SendLimits(per_second=10, place_minute=20, robot_minute=20)


def test_a_flood_leaves_room_for_what_is_urgent() -> None:
    limits = SendLimits(per_second=100, place_minute=20)
    full = {f"place {GROUP}": [30.0] * 20}
    made = decide(row("common"), *(row(f"u{n}", urgency=Urgency.NOW) for n in range(11)), limits=limits, spent=full)
    assert taken(made) == [f"u{n}" for n in range(10)]
    assert list(made.postpone) == ["common", "u10"]


@pytest.mark.parametrize(("waiting", "folds"), [(100, False), (101, True)])
def test_what_is_urgent_folds_once_it_would_take_minutes_to_show(waiting: int, folds: bool) -> None:
    limits = SendLimits(per_second=100, place_minute=20)
    full = {f"place {GROUP}": [30.0] * limits.place_urgent}
    made = decide(*(row(f"u{n}", urgency=Urgency.NOW) for n in range(waiting)), limits=limits, spent=full)
    assert made.fold == ([FoldKey(GROUP, "alert")] if folds else [])
    assert made.crowded == frozenset(made.fold)


def test_what_is_kept_in_reserve_is_spent_on_what_is_urgent_alone() -> None:
    due = [row("new"), row("alarm", urgency=Urgency.NOW), row("text", via=DeliveryFormat.TEXT)]
    made = plan_sends(due, BudgetWindow({}, START), LIMITS, room=9, sparing=True, now=START, reserved=True)
    assert taken(made) == ["alarm"]
    assert made.postpone == {"new": START + SPARING_DIGEST, "text": START + SPARING_DIGEST}
