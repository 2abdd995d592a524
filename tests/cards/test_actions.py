"""Button tokens: what they mean survives the way through a client, and nothing else is taken for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cards.actions import (
    MAX_TOKEN_BYTES,
    AckAlert,
    Action,
    ApproveAll,
    ApproveCase,
    Ask,
    AssignAlert,
    BadToken,
    ClarifyCase,
    FillIn,
    ForwardCase,
    RejectCase,
    RejectReason,
    SnoozeAlert,
    SnoozeDuration,
    UndoDecision,
    unpack,
)
from tests.rows import each_row

ID = "0193a2b4c5d67e8f90a1b2c3d4e5f607"

CASE, SEEN = "3f0c9a1b2d4e5f60718293a4-1", "9d2f11aa"

ACTIONS = [
    (Ask("/order late", 8), "ask|8|/order late", "/order late +8"),
    (Ask("/find a|b"), "ask|0|/find a|b", "/find a|b"),
    (AckAlert(ID), f"alert.ack|{ID}", f"/alerts {ID} ack"),
    (SnoozeAlert(ID), f"alert.snooze|{ID}|", f"/alerts {ID} snooze"),
    (SnoozeAlert(ID, SnoozeDuration.HOURS), f"alert.snooze|{ID}|4h", f"/alerts {ID} 4h"),
    (SnoozeAlert(ID, SnoozeDuration.TOMORROW), f"alert.snooze|{ID}|tomorrow", f"/alerts {ID} tomorrow"),
    (AssignAlert(ID), f"alert.assign|{ID}|0|", f"/alerts {ID} assign"),
    (AssignAlert(ID, offset=8), f"alert.assign|{ID}|8|", f"/alerts {ID} assign +8"),
    (AssignAlert(ID, "manager4220"), f"alert.assign|{ID}|0|manager4220", f"/alerts {ID} manager4220 assign"),
    (ApproveCase(CASE, SEEN), f"po.yes|{CASE}|{SEEN}", f"/approve {CASE} #{SEEN}"),
    (ApproveCase(CASE, SEEN, confirmed=True), f"po.yes|{CASE}|{SEEN}|1", f"/approve {CASE} #{SEEN} confirm"),
    (
        ApproveCase(CASE, SEEN, confirmed=True, despite=2),
        f"po.yes|{CASE}|{SEEN}|1|2",
        f"/approve {CASE} #{SEEN} ~2 confirm",
    ),
    (RejectCase(CASE, SEEN, despite=2), f"po.no|{CASE}|{SEEN}||2", f"/reject {CASE} #{SEEN} ~2"),
    (
        RejectCase(CASE, SEEN, RejectReason.PRICE, 2),
        f"po.no|{CASE}|{SEEN}|p|2",
        f"/reject {CASE} #{SEEN} ~2 price",
    ),
    (ClarifyCase(CASE), f"po.ask|{CASE}", f"/clarify {CASE}"),
    (ClarifyCase(CASE, 2), f"po.ask|{CASE}|2", f"/clarify {CASE} ~2"),
    (ClarifyCase(CASE, 2, withdraw=True), f"po.ask|{CASE}|2|1", f"/clarify {CASE} ~2 withdraw"),
    (RejectCase(CASE, SEEN), f"po.no|{CASE}|{SEEN}", f"/reject {CASE} #{SEEN}"),
    (RejectCase(CASE, SEEN, RejectReason.PRICE), f"po.no|{CASE}|{SEEN}|p", f"/reject {CASE} #{SEEN} price"),
    (RejectCase(CASE, SEEN, RejectReason.OTHER), f"po.no|{CASE}|{SEEN}|o", f"/reject {CASE} #{SEEN} other"),
    (ForwardCase(CASE), f"po.pass|{CASE}|0|", f"/pending {CASE} forward"),
    (ForwardCase(CASE, offset=8), f"po.pass|{CASE}|8|", f"/pending {CASE} forward +8"),
    (ForwardCase(CASE, "manager4220"), f"po.pass|{CASE}|0|manager4220", f"/pending {CASE} manager4220 forward"),
    (UndoDecision(CASE), f"po.undo|{CASE}", f"/approve {CASE} undo"),
    (ApproveAll(SEEN), f"po.all|0|{SEEN}", f"/approve all #{SEEN}"),
    (ApproveAll(SEEN, 8), f"po.all|8|{SEEN}", f"/approve all #{SEEN} +8"),
]


@each_row(
    ("number", "named"),
    [("PO-1001", "PO-1001"), ("", CASE), ("PO 1001", CASE), ("PO#1", CASE), ('P"1', CASE), ("@PO", CASE)],
)
def test_people_type_the_number_where_that_is_one_word(number: str, named: str) -> None:
    assert ApproveCase(CASE, SEEN, number=number).typed == f"/approve {named} #{SEEN}"
    assert ApproveCase(CASE, SEEN, number=number).pack() == ApproveCase(CASE, SEEN).pack()
    assert RejectCase(CASE, SEEN, number=number).typed == f"/reject {named} #{SEEN}"


def test_every_quick_reason_has_a_letter_of_its_own() -> None:
    assert len({reason.value[0] for reason in RejectReason}) == len(RejectReason)


@each_row(("action", "token", "typed"), ACTIONS)
def test_an_action_and_its_token_and_what_is_typed_for_it(action: Action, token: str, typed: str) -> None:
    assert action.pack() == token
    assert unpack(token) == action
    assert action.typed == typed


@dataclass(frozen=True, slots=True)
class _Renamed(AckAlert):
    version: ClassVar[int] = 2


@given(st.text("Az09-_", min_size=11, max_size=11))
def test_an_alert_is_found_by_any_id_that_it_ever_had(alert: str) -> None:
    action = AckAlert(alert)
    assert unpack(action.pack()) == action


def test_a_later_version_has_tokens_of_its_own() -> None:
    assert _Renamed(ID).pack() == f"alert.ack@2|{ID}"
    with pytest.raises(BadToken):
        unpack(_Renamed(ID).pack())


@each_row(
    "token",
    [
        "",
        "ask",
        "ask|0|",
        "ask|0|  ",
        "ask|-1|/help",
        "ask|１|/help",
        "alert.ack",
        "alert.ack|",
        f"alert.ack|{ID}|more",
        "alert.ack|../../etc",
        "alert.ack|a b",
        "alert.ack|a1; drop",
        f"alert.ack|{'a' * 65}",
        f"alert.snooze|{ID}|forever",
        "alert.snooze||1h",
        f"alert.assign|{ID}",
        f"alert.assign|{ID}|x|",
        f"alert.assign|{ID}|0|@all",
        f"alert.assign|{ID}|0|王 仓",
        f"alert.assign|{ID}|0|a|b",
        f"alert.delete|{ID}",
        f"ask|0|/{'a' * MAX_TOKEN_BYTES}",
        "po.approve|0|PO-1001",
        "po.yes",
        f"po.yes|{CASE}",
        f"po.yes|{CASE}|",
        f"po.yes|{CASE}|zzzz",
        f"po.yes|{CASE}|{SEEN}|2",
        f"po.yes|{CASE}|{SEEN}|1|one",
        f"po.ask|{CASE}|1|2",
        f"po.no|{CASE}|{SEEN}|x",
        f"po.no|{CASE}|{SEEN}|p|o",
        f"po.pass|{CASE}",
        f"po.pass|{CASE}|0|@all",
        "po.undo|",
        f"po.all|x|{SEEN}",
        "po.all|0|all",
    ],
)
def test_what_none_of_our_actions_wrote_is_refused(token: str) -> None:
    with pytest.raises(BadToken):
        unpack(token)


@given(st.text(max_size=300))
def test_whatever_comes_is_an_action_or_out_of_date(token: str) -> None:
    try:
        action = unpack(token)
    except BadToken:
        return
    assert unpack(action.pack()) == action


@pytest.mark.parametrize("action", [Ask("x" * 200), AssignAlert("a" * 64, "u" * 64 + "长" * 30)])
def test_a_token_too_long_for_a_button_is_not_made(action: Action) -> None:
    with pytest.raises(ValueError, match="button token of"):
        action.pack()


def test_a_line_is_filled_in_where_it_is_unfinished() -> None:
    unfinished = FillIn("/alerts a1 … until")
    assert unpack(unfinished.pack()) == unfinished
    assert unfinished.completed("2026-12-01") == "/alerts a1 2026-12-01 until"


@each_row("token", ["fill|", "fill|/watch SKU123 <", "fill"])
def test_a_line_without_a_gap_cannot_be_filled_in(token: str) -> None:
    with pytest.raises(BadToken):
        unpack(token)
