"""How much fits on a card (a value of 1 KB is documented, more has been seen to work), and in which variables it goes.

The limit is that of each variable: what is longer is spread over further ones, where the template has them.

Docs: platform/dingtalk/limits.md#card-sizes
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import orjson

from bot.cards.card import CardButton
from bot.cards.layout import split_text

CARD = "card"
"""Parameter of buttons in custom templates: the name of their card at its creation."""
_LONGEST_NAME = "x" * 20
"""A card's name as a button group carries it, at its longest: which one it will be is not known beforehand."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes of UTF-8 in each value of a card, and how many buttons a phone can show without much scrolling.

    ``bodies`` and ``button_lists`` are the variables that the template has for text and for buttons; ``grouped``: the
    latter are of the type button group.
    """

    body_bytes: int = 1024
    buttons_bytes: int = 1024
    title_bytes: int = 200
    tips_bytes: int = 300
    max_buttons: int = 10
    bodies: int = 1
    button_lists: int = 1
    grouped: bool = False

    def holds(self, body: str) -> bool:
        """Whether there is room for a text."""
        return len(split_text(body, self.body_bytes, self.bodies)[-1].encode()) <= self.body_bytes

    def fits(self, sizes: Sequence[int]) -> bool:
        """Whether buttons of these sizes (`size_of`) are few and short enough."""
        end = 0
        for _ in range(self.button_lists):
            end = self._end_of_list(sizes, end)
        return end == len(sizes) <= self.max_buttons

    def size_of(self, button: CardButton) -> int:
        """Return the bytes of a button in a variable."""
        return button_size(button, self.grouped)

    def spread_body(self, body: str) -> list[str]:
        """Return the text of each variable for text; the last one takes all that is left."""
        parts = split_text(body, self.body_bytes, self.bodies)
        return [*parts, *[""] * (self.bodies - len(parts))]

    def spread_buttons(self, buttons: Sequence[CardButton]) -> list[Sequence[CardButton]]:
        """Return the buttons of each variable for buttons; the last one takes all that are left."""
        sizes, ends = [*map(self.size_of, buttons)], [0]
        while len(ends) < self.button_lists:
            ends.append(self._end_of_list(sizes, ends[-1]))
        return [buttons[start:end] for start, end in pairwise((*ends, len(buttons)))]

    def _end_of_list(self, sizes: Sequence[int], start: int) -> int:
        """Return the first of the buttons from ``start`` on that the same variable does not take."""
        room = self.buttons_bytes - (_AROUND_GROUP if self.grouped else _AROUND) + 1
        for end in range(start, len(sizes)):
            room -= sizes[end] + 1  # the comma
            if room < 0:
                return end
        return len(sizes)


_AROUND, _AROUND_GROUP = len('{"msgButtons":[]}'), len("[]")


def buttons_size(buttons: Iterable[CardButton]) -> int:
    """Return the bytes of ``sys_full_json_obj`` with these buttons."""
    sizes = [button_size(button) for button in buttons]
    return _AROUND + sum(sizes) + max(0, len(sizes) - 1)


# Asked of each button when it is made and when it is to lead back, and cards have the same buttons again and again.
@lru_cache(maxsize=2048)
def button_size(button: CardButton, grouped: bool = False) -> int:
    """Return the bytes of one button in ``sys_full_json_obj``, or in a button group."""
    return len(orjson.dumps(group_button(button, _LONGEST_NAME) if grouped else message_button(button)))


def message_button(button: CardButton) -> dict[str, object]:
    """Return a button as ``sys_full_json_obj`` holds it.

    Two forms are in use and neither is documented: one answers with params.id, the other with actionIds. Both are sent.
    """
    if button.url:
        return {"text": button.text, "url": button.url, "iosUrl": button.url, "color": button.color}
    return {
        "text": button.text,
        "color": button.color,
        "id": button.token,
        "request": True,
        "params": {"id": button.token},
    }


def group_button(button: CardButton, made_as: str) -> dict[str, object]:
    """Return a button as a variable of the type button group holds it; a tap tells the name of its card."""
    event: dict[str, object]
    if button.url:
        event = {"type": "openLink", "params": {"url": button.url}}
    else:
        params = {"id": button.token, CARD: made_as}
        event = {"type": "sendCardRequest", "params": {"actionId": button.token, "params": params}}
    return {"text": button.text, "color": button.color, "status": "normal", "event": event}
