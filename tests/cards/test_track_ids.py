"""Ids of cards: always the same for the same thing, recognised, and of two kinds that are never mistaken."""

from __future__ import annotations

import pytest

from bot.cards.track_ids import TrackIds

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


@pytest.mark.parametrize(
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
