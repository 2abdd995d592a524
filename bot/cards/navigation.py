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

    ``asks`` are what the buttons ask, in their order; None where a button leads nowhere else, or back already.
    """
    here, led = view.question(), list(buttons)
    sizes = [button_size(button) for button in buttons]
    for number, (button, ask) in enumerate(zip(buttons, asks, strict=True)):
        if here is None or ask is None:
            continue
        steps = trail if ask.line == here.line else (here.typed, *trail)[:MAX_STEPS]
        for count in range(len(steps), 0, -1):
            try:
                further = replace(button, token=replace(ask, back=tuple(steps[:count])).pack())
            except ValueError:
                continue
            size = button_size(further)
            if budget.fits([*sizes[:number], size, *sizes[number + 1 :]]):
                led[number], sizes[number] = further, size
                break
    return tuple(led)
