"""A view's typed buttons as a card's: labelled in one language, packed, and as commands to type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from bot.cards.actions import Action, Ask
from bot.cards.card import CardButton
from bot.cards.escape import clean, escape, link
from bot.cards.presenter import Presenter
from bot.cards.view import Button, Color
from bot.words.disclosure import HIDDEN

MAX_LABEL = 24
"""Characters of a label; phones show about half of them when two buttons share a line."""


@dataclass(frozen=True, slots=True)
class RenderedButton:
    """A button as the card carries it, and what stands for it in the text twin."""

    button: CardButton
    twin: str
    ask: Ask | None = None
    """What it asks, where it asks something."""


def render_buttons(buttons: Iterable[Button], presenter: Presenter) -> list[RenderedButton]:
    """Return the buttons that can be sent.

    Left out are those whose token is too long, whose link is not https, or that would tell what the reader may not see.
    Only the first that leads on is blue: a card has a single next step.
    """
    colon = presenter.language.colon
    rendered: list[RenderedButton] = []
    leads = False
    for button in buttons:
        if _is_hidden(button):
            continue
        color = Color.GRAY if leads and button.color is Color.BLUE else button.color
        rendered_button = _render_button(presenter.show(button.label), button.does, color.value, colon)
        if rendered_button is not None:
            rendered.append(rendered_button)
            leads = leads or color is Color.BLUE
    return rendered


def _is_hidden(button: Button) -> bool:
    return button.label is HIDDEN or button.does is HIDDEN or getattr(button.does, "line", None) is HIDDEN


# Lists are rendered several times until their rows fit, and page after page.
@lru_cache(maxsize=2048)
def _render_button(label: str, does: Action | str, color: str, colon: str) -> RenderedButton | None:
    label = clean(label, MAX_LABEL)
    if isinstance(does, str):
        linked = link(label, does)
        return RenderedButton(CardButton(label, color, url=does.strip()), linked) if linked.startswith("[") else None
    try:
        token = does.pack()
    except ValueError:
        return None
    typed = escape(does.typed)
    twin = typed if label == does.typed else f"{escape(label)}{colon}{typed}"
    return RenderedButton(CardButton(label, color, token=token), twin, does if isinstance(does, Ask) else None)
