"""The way back on a card is as long as the way there, also where the buttons have no room for it."""

from __future__ import annotations

from bot.cards.actions import Ask
from bot.chat.answers.ways_back import MOST_CARDS, MOST_STEPS, WaysBack


def walk(ways: WaysBack, *asked: Ask, user: str = "u1") -> tuple[str, ...]:
    """Click through these and return the way back from the last."""
    before: tuple[str, ...] = ()
    for ask in asked:
        before = ways.before("t1", user, ask)
        ways.go("t1", user, ask.typed, before)
    return before


def begun() -> WaysBack:
    ways = WaysBack()
    ways.begin("t1", "", "/order")
    return ways


def test_buttons_without_room_lead_back_to_where_it_began() -> None:
    assert walk(begun(), Ask("/order SO-1"), Ask("/customer C1"), Ask("/order SO-2")) == (
        "/customer C1",
        "/order SO-1",
        "/order",
    )


def test_going_back_ends_the_way_there() -> None:
    ways = begun()
    assert walk(ways, Ask("/order SO-1"), Ask("/customer C1"), Ask("/order SO-1", back=("/order",))) == ("/order",)
    assert walk(ways, Ask("/order")) == ()


def test_pages_of_a_list_are_one_step() -> None:
    assert walk(begun(), Ask("/order", 8), Ask("/order", 16), Ask("/order SO-9")) == ("/order +16",)


def test_what_the_button_says_counts_where_the_card_shows_something_else() -> None:
    ways = begun()
    assert walk(ways, Ask("/order SO-1"), Ask("/stock SKU1", back=("/po PO-1", "/po"))) == ("/po PO-1", "/po")
    assert walk(begun(), Ask("/order SO-1"), Ask("/stock SKU1", back=("/order SO-1",))) == ("/order SO-1", "/order")


def test_without_memory_the_buttons_lead_back_by_themselves() -> None:
    assert walk(WaysBack(), Ask("/stock SKU1", back=("/order SO-1",))) == ("/order SO-1",)
    assert walk(WaysBack(), Ask("/stock SKU1")) == ()


def test_each_person_has_a_way_of_their_own() -> None:
    ways = begun()
    walk(ways, Ask("/order SO-1"))
    assert walk(ways, Ask("/stock SKU1"), user="u2") == ("/order",)
    own = WaysBack()
    own.begin("t1", "u1", "/customer C1")
    assert own.before("t1", "u2", Ask("/order SO-1")) == ()


def test_what_was_done_has_no_way_back() -> None:
    ways = WaysBack()
    walk(ways, Ask("/order SO-1"))
    ways.end("t1", "u1")
    assert ways.before("t1", "u1", Ask("/stock SKU1")) == ()


def test_memory_is_bounded() -> None:
    ways = begun()
    assert len(walk(ways, *[Ask(f"/order SO-{number}") for number in range(3 * MOST_STEPS)])) == MOST_STEPS + 1
    for number in range(MOST_CARDS):
        ways.begin(f"x{number}", "", "/po")
    assert ways.before("t1", "u1", Ask("/stock SKU1")) == ()
    ways.begin("t1", "u1", "")
    ways.go("t1", "u1", "", ("/order",))
    assert ways.before("t1", "u1", Ask("/stock SKU1")) == ()
