"""A click on a card's button, freed of the wire by `bot.dingtalk.clicks`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """Who clicked which button of which card. Nothing in it is a proof except ``user_id`` and ``corp_id``.

    ``token`` is the packed action of the button, empty when the card carries none that we could read;
    ``values`` are further parameters and form fields. ``space_id`` is where the card was clicked: a forwarded card may
    be clicked elsewhere than it was sent.
    """

    track_id: str
    user_id: str
    corp_id: str
    token: str
    space_id: str = ""
    space_type: str = ""
    values: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
