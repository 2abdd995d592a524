"""Ids of cards: always the same for the same thing, recognised, and of two kinds that are never mistaken."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.cards.track_ids import TrackIds
from tests.rows import each_row

OURS, OTHER = TrackIds("secret"), TrackIds("another secret")


def test_the_same_card_has_the_same_id() -> None:
    assert OURS.for_card("c1") == TrackIds("secret").for_card("c1") != OURS.for_card("c2")
    assert OURS.for_card("m1") != OURS.for_message("m1")


def test_both_kinds_are_ours_and_only_cards_are_cards() -> None:
    assert OURS.is_ours(OURS.for_card("c1"))
    assert OURS.is_card(OURS.for_card("c1"))
    assert OURS.is_ours(OURS.for_message("m1"))
    assert not OURS.is_card(OURS.for_message("m1"))


def test_ids_of_answers_are_those_of_earlier_releases() -> None:
    """Whose buttons are still tapped after an update."""
    assert OURS.for_message("m1") == "q1-ca0df2c95aa144c1d0ff2ff3c8f967fd-198d1f907377e087"


@each_row(
    "foreign",
    [
        "",
        "c1-",
        "c1-abc-def",
        "é-ü-ö",
        OTHER.for_card("c1"),
        OURS.for_card("c1") + "0",
        # An answer's id made into a card's: the seal covers the kind.
        "c1" + OURS.for_message("c1")[2:],
        "q1" + OURS.for_card("c1")[2:],
    ],
)
def test_foreign_and_changed_ids_are_not_ours(foreign: str) -> None:
    assert not OURS.is_ours(foreign)
    assert not OURS.is_card(foreign)


UNTIL = datetime(2026, 11, 24, 18, 0, 10, tzinfo=UTC)
FORM = OURS.for_form("c1", "boss01", UNTIL)


def test_a_form_belongs_to_one_person_and_ends() -> None:
    assert OURS.is_ours(FORM)
    assert OURS.is_form(FORM)
    assert not OURS.is_card(FORM)
    assert not OURS.is_interim(FORM)
    assert OURS.is_form_of(FORM, "boss01")
    assert not OURS.is_form_of(FORM, "manager01")
    assert OURS.form_ends(FORM) == UNTIL
    assert OURS.for_form("c1", "boss01", UNTIL) == FORM
    assert len({FORM, *(OURS.for_form(*of, UNTIL) for of in (("c2", "boss01"), ("c1", "manager01")))}) == 3


def test_nobody_makes_a_form_their_own_or_last_longer() -> None:
    kind, body, seal = FORM.split("-")
    other = OURS.for_form("c1", "manager01", UNTIL).split("-")[1]
    for changed in (body[:16] + other[16:24] + body[24:], body[:24] + "ffffffff"):
        assert not OURS.is_form(f"{kind}-{changed}-{seal}")
    assert not OURS.is_form(f"c1-{body}-{seal}")
    assert not OURS.is_form(OURS.for_message("m1"))
