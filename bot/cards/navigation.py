"""The way back from what replaced another view on a card: part of the buttons' tokens, as far as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from bot.cards.actions import Ask
from bot.cards.budget import Budget
from bot.cards.card import CardButton
from bot.cards.view import Button, View, ask_again
from bot.words.phrase import phrase

MAX_STEPS = 2
"""Views that a button leads back to by itself; `bot.chat.answers.ways_back` remembers more."""

BACK = phrase("Back")


def back_button(view: View, trail: Sequence[str]) -> tuple[Button, ...]:
    """Return the button that leads back, unless the view has one of its own.

    ``trail`` are the lines of what was there before the view, the last first.
    """
    here = ask_again(view)
    before = tuple(line for line in trail if here is None or line != here.typed)
    if not before or any(button.label == BACK for button in view.buttons()):
        return ()
    back = replace(Ask.from_typed(before[0]), back=before[1 : MAX_STEPS + 1])
    while back.back and not back.fits:
        back = replace(back, back=back.back[:-1])
    return (Button(BACK, back),)


def with_way_back(view: View, buttons: Sequence[Button], trail: Sequence[str]) -> tuple[Button, ...]:
    """Return the buttons with Back; what asks the same again, such as the next page, keeps the way there."""
    if not trail:
        return tuple(buttons)
    here = ask_again(view)
    kept = buttons if here is None else [_keeping_way(button, here, trail) for button in buttons]
    return (*kept, *back_button(view, trail))


def _keeping_way(button: Button, here: Ask, trail: Sequence[str]) -> Button:
    if not isinstance(button.does, Ask) or button.does.line != here.line:
        return button
    for count in range(min(len(trail), MAX_STEPS), 0, -1):
        further = replace(button.does, back=tuple(trail[:count]))
        if further.fits:
            return replace(button, does=further)
    return button


def lead_back(
    here: Ask | None, buttons: Sequence[CardButton], asks: Sequence[Ask | None], trail: Sequence[str], budget: Budget
) -> tuple[CardButton, ...]:
    """Return the buttons of a view so that what they open leads back to it, as far as the budget allows.

    ``here`` asks for the view, ``asks`` are what the buttons ask, in their order; None where a button leads nowhere
    else, or back already. Each gets one step before another gets two.
    """
    led = list(buttons)
    if here is None:
        return tuple(led)
    sizes = [budget.size_of(button) for button in buttons]
    way = (here.typed, *trail)[:MAX_STEPS]
    for count in range(1, len(way) + 1):
        for number, ask in enumerate(asks):
            steps = trail if ask is not None and ask.line == here.line else way
            if ask is None or ask.back or count > len(steps):
                continue
            if (button := _leading_back(buttons[number], ask, tuple(steps[:count]))) is None:
                continue
            size = budget.size_of(button)
            if budget.fits([*sizes[:number], size, *sizes[number + 1 :]]):
                led[number], sizes[number] = button, size
    return tuple(led)


# The same questions are asked again and again, and their cards have the same buttons.
@lru_cache(maxsize=2048)
def _leading_back(button: CardButton, ask: Ask, back: tuple[str, ...]) -> CardButton | None:
    """Return a button that also carries what leads back from what it asks; None where it cannot."""
    token = Ask(ask.line, ask.offset, back).token
    return None if token is None else CardButton(button.text, button.color, token=token)
