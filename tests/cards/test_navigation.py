"""What replaces another view on a card leads back to it, for as many steps as the tokens have room for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from bot.cards.actions import MAX_TOKEN_BYTES, Ask, BadToken, unpack
from bot.cards.budget import Budget, buttons_size
from bot.cards.card import CardButton
from bot.cards.navigation import back_button, lead_back
from bot.cards.view import Button, View, ask_again
from tests.rows import each_row


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order(View):
    card: ClassVar[str] = "navigation_order"

    def question(self) -> Ask:
        return Ask("/order SO-1", 8)


def led(trail: tuple[str, ...], *asks: Ask, budget: Budget | None = None) -> list[Ask]:
    buttons = [CardButton(ask.line, "gray", token=ask.pack()) for ask in asks]
    made = lead_back(ask_again(_Order()), buttons, asks, trail, budget or Budget())
    assert buttons_size(made) <= (budget or Budget()).buttons_bytes
    return [action for action in (unpack(button.token) for button in made) if isinstance(action, Ask)]


def test_a_token_carries_the_way_back() -> None:
    ask = Ask("/stock SKU1", 0, ("/order SO-1 +8", "/find x"))
    assert unpack(ask.pack()) == ask
    assert unpack("ask|0|/stock SKU1") == Ask("/stock SKU1"), "tokens of earlier releases"


@each_row("token", ["ask|0|⟸/order", "ask|0|/stock⟸", "ask|x|/stock⟸/order", "ask"])
def test_what_is_no_way_is_out_of_date(token: str) -> None:
    with pytest.raises(BadToken):
        unpack(token)


def test_a_line_with_the_separator_of_lines_has_no_token() -> None:
    with pytest.raises(ValueError, match="separator"):
        Ask("/find a⟸b").pack()


def test_other_views_lead_back_here_and_pages_to_where_this_came_from() -> None:
    stock, page = led(("/find x",), Ask("/stock SKU1"), Ask("/order SO-1", 16))
    assert stock.back == ("/order SO-1 +8", "/find x")
    assert page.back == ("/find x",)
    assert led((), Ask("/order SO-1", 16))[0].back == ()


def test_without_room_the_way_is_shorter() -> None:
    far = "/find " + "螺" * 60
    assert led((far,), Ask("/stock " + "S" * 20))[0].back == ("/order SO-1 +8",)
    assert led((far,), Ask("/stock " + "S" * (MAX_TOKEN_BYTES - 15)))[0].back == ()
    narrow = Budget(buttons_bytes=230)
    assert [ask.back for ask in led((), Ask("/a"), Ask("/b"), budget=narrow)] == [("/order SO-1 +8",), ()]


def test_the_button_back() -> None:
    (back,) = back_button(_Order(), ("/order late +8", "/find x"))
    assert back == Button(back.label, Ask("/order late", 8, ("/find x",)))
    assert back_button(_Order(), ()) == ()


def test_back_carries_what_fits_of_a_long_way() -> None:
    way = ("/order late +8", "/find " + "x" * 40, "/find " + "螺" * 50, "/find z")
    (back,) = back_button(_Order(), way)
    assert isinstance(back.does, Ask)
    assert back.does.fits
    assert back.does.back == way[1:2]
