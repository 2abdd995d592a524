"""How much fits on a card (DingTalk sheet, 5.12: a value of 1 KB is documented, more has been seen to work)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from bot.cards.card import CardButton


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes of UTF-8 per value of a card, and the number of buttons a phone can show without scrolling far."""

    body_bytes: int = 1024
    buttons_bytes: int = 1024
    title_bytes: int = 200
    tips_bytes: int = 300
    max_buttons: int = 10

    def fits(self, buttons: Sequence[CardButton]) -> bool:
        """Whether the buttons are few and short enough."""
        return len(buttons) <= self.max_buttons and buttons_size(buttons) <= self.buttons_bytes


def buttons_size(buttons: Sequence[CardButton]) -> int:
    """Return the bytes of ``sys_full_json_obj`` with these buttons as `bot.dingtalk.card_wire` writes them."""
    return len(orjson.dumps({"msgButtons": [_wire(button) for button in buttons]}))


def _wire(button: CardButton) -> dict[str, object]:
    if button.url:
        return {"text": button.text, "url": button.url, "iosUrl": button.url, "color": button.color}
    return {
        "text": button.text,
        "color": button.color,
        "id": button.token,
        "request": True,
        "params": {"id": button.token},
    }
