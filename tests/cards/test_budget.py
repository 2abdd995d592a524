"""What fits on a card: sizes are those of the wire, to the byte."""

from __future__ import annotations

from dataclasses import replace

import orjson

from bot.cards.budget import Budget, button_size, buttons_size, group_button
from bot.cards.card import CardButton
from tests.rows import each_row

PRESSED = CardButton(text="库存", color="blue", token="/stock SKU123")
LINK = CardButton(text="打开", color="gray", url="https://erp.example/so/1")


def test_a_button_has_the_size_that_it_has_on_the_wire() -> None:
    pressed = {
        "text": "库存",
        "color": "blue",
        "id": "/stock SKU123",
        "request": True,
        "params": {"id": "/stock SKU123"},
    }
    link = {
        "text": "打开",
        "url": "https://erp.example/so/1",
        "iosUrl": "https://erp.example/so/1",
        "color": "gray",
    }
    assert button_size(PRESSED) == len(orjson.dumps(pressed))
    assert button_size(LINK) == len(orjson.dumps(link))


@each_row("buttons", [(), (PRESSED,), (PRESSED, LINK), (LINK, PRESSED, LINK)])
def test_buttons_together_have_the_size_of_the_whole_value(buttons: tuple[CardButton, ...]) -> None:
    inner = b",".join(b"x" * button_size(button) for button in buttons)
    assert buttons_size(buttons) == len(b'{"msgButtons":[' + inner + b"]}")
    assert buttons_size(iter(buttons)) == buttons_size(buttons)


@each_row(
    ("sizes", "fits"),
    [
        ((), True),
        ((84,), True),
        ((85,), False),
        ((40, 43), True),
        ((40, 44), False),
        ((10, 10, 10), True),
        ((10, 10, 10, 10), False),
    ],
)
def test_what_fits_into_a_hundred_bytes_and_three_buttons(sizes: tuple[int, ...], fits: bool) -> None:
    # Around them stand 17 bytes, between two a comma.
    assert Budget(buttons_bytes=101, max_buttons=3).fits(sizes) is fits


@each_row(
    ("sizes", "lengths"),
    [
        ((), [0, 0, 0]),
        ((200, 200, 200), [1, 1, 1]),
        ((99, 100, 90), [2, 1, 0]),
        ((100, 100, 90), [1, 2, 0]),
        ((99, 100, 99, 100, 99, 100), [2, 2, 2]),
        # More than there is room for goes into the last.
        ((200, 200, 200, 200), [1, 1, 2]),
        ((201, 90), [0, 0, 2]),
    ],
)
def test_buttons_are_spread_over_three_variables_in_their_order(sizes: tuple[int, ...], lengths: list[int]) -> None:
    narrow = button_size(replace(PRESSED, text="", token=""))
    buttons = [replace(PRESSED, text="x" * (size - narrow), token="") for size in sizes]
    budget = Budget(buttons_bytes=217, button_lists=3)
    lists = budget.spread_buttons(buttons)
    assert [button for each in lists for button in each] == buttons
    assert [len(each) for each in lists] == lengths
    assert budget.fits([*map(budget.size_of, buttons)]) is all(buttons_size(each) <= 217 for each in lists)


def test_a_button_group_counts_as_it_is_on_the_wire() -> None:
    budget = Budget(grouped=True, buttons_bytes=len(orjson.dumps([group_button(PRESSED, "x" * 20)])))
    assert budget.fits([budget.size_of(PRESSED)])
    assert not Budget(grouped=True, buttons_bytes=budget.buttons_bytes - 1).fits([budget.size_of(PRESSED)])


def test_the_sizes_that_are_kept() -> None:
    kept = Budget()
    assert (kept.body_bytes, kept.buttons_bytes, kept.title_bytes, kept.tips_bytes) == (1024, 1024, 200, 300)
    assert kept.fits([50] * 10)
    assert not kept.fits([50] * 11)
