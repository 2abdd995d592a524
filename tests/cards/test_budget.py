"""What fits on a card: sizes are those of the wire, to the byte."""

from __future__ import annotations

import orjson

from bot.cards.budget import Budget, button_size, buttons_size
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


def test_the_sizes_that_are_kept() -> None:
    kept = Budget()
    assert (kept.body_bytes, kept.buttons_bytes, kept.title_bytes, kept.tips_bytes) == (1024, 1024, 200, 300)
    assert kept.fits([50] * 10)
    assert not kept.fits([50] * 11)
