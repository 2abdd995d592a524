"""How much fits on a card (a value of 1 KB is documented, more has been seen to work).

Docs: platform/dingtalk/limits.md#card-sizes
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import orjson

from bot.cards.card import CardButton

_AROUND = len('{"msgButtons":[]}')


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes of UTF-8 in each value of a card, and how many buttons a phone can show without much scrolling."""

    body_bytes: int = 1024
    buttons_bytes: int = 1024
    title_bytes: int = 200
    tips_bytes: int = 300
    max_buttons: int = 10

    def fits(self, sizes: Sequence[int]) -> bool:
        """Whether buttons of these sizes (`button_size`) are few and short enough."""
        return len(sizes) <= self.max_buttons and _together(sizes) <= self.buttons_bytes


def buttons_size(buttons: Iterable[CardButton]) -> int:
    """Return the bytes of ``sys_full_json_obj`` with these buttons."""
    return _together([button_size(button) for button in buttons])


# Asked of each button when it is made and when it is to lead back, and cards have the same buttons again and again.
@lru_cache(maxsize=2048)
def button_size(button: CardButton) -> int:
    """Return the bytes of one button in it."""
    return len(orjson.dumps(message_button(button)))


def _together(sizes: Sequence[int]) -> int:
    commas = max(0, len(sizes) - 1)
    return _AROUND + sum(sizes) + commas


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
