"""The way back from what replaced another view on a card: part of the buttons' tokens, as far as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.cards.actions import Ask
from bot.cards.budget import Budget, button_size
from bot.cards.card import CardButton
from bot.cards.view import Button, View
from bot.phrase import phrase

MAX_STEPS = 2
"""Views that people can go back to."""

BACK = phrase("Back")


def back_button(view: View, trail: Sequence[str]) -> tuple[Button, ...]:
    """Return the button that leads back, unless the view has one of its own.

    ``trail`` are the lines of what was there before the view, the last first.
    """
    here = view.question()
    before = tuple(line for line in trail if here is None or line != here.typed)
    if not before or any(button.label == BACK for button in view.buttons()):
        return ()
    return (Button(BACK, replace(Ask.from_typed(before[0]), back=before[1:])),)


def lead_back(
    view: View, buttons: Sequence[CardButton], asks: Sequence[Ask | None], trail: Sequence[str], budget: Budget
) -> tuple[CardButton, ...]:
    """Return the buttons of a view so that what they open leads back to it, as far as the budget allows.

    ``asks`` are what the buttons ask, in their order; None where a button leads nowhere else, or back already. The next
    page keeps its whole way back before a row gets any, and each row gets one step before another gets two.
    """
    here, led = view.question(), list(buttons)
    if here is None:
        return tuple(led)
    sizes = [button_size(button) for button in buttons]

    def lead(number: int, ask: Ask, steps: Sequence[str]) -> bool:
        try:
            further = replace(buttons[number], token=replace(ask, back=tuple(steps)).pack())
        except ValueError:
            return False
        size = button_size(further)
        if not budget.fits([*sizes[:number], size, *sizes[number + 1 :]]):
            return False
        led[number], sizes[number] = further, size
        return True

    asking = [(number, ask) for number, ask in enumerate(asks) if ask is not None]
    for number, ask in asking:
        if ask.line == here.line:
            any(lead(number, ask, trail[:count]) for count in range(len(trail), 0, -1))
    way = (here.typed, *trail)[:MAX_STEPS]
    for count in range(1, len(way) + 1):
        for number, ask in asking:
            if ask.line != here.line:
                lead(number, ask, way[:count])
    return tuple(led)
