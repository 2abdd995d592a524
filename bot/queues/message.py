"""What a message holds: one CloudEvent, or an array of them, as over HTTP (design, section 5)."""

from __future__ import annotations

from collections.abc import Mapping

from bot.alerts.errors import Undecodable
from bot.alerts.intake.decoding import decode
from bot.alerts.intake.receipt import Unreadable


def events_in(body: bytes) -> list[Mapping[str, object] | Unreadable]:
    """Return the events of one message; what is none comes along with the reason, to be kept."""
    try:
        found = decode(body)
    except Undecodable as error:
        return [Unreadable(body.decode("utf-8", "backslashreplace"), error.detail)]
    several = found if isinstance(found, list) else [found]
    return [event if isinstance(event, Mapping) else Unreadable(event, "not a JSON object") for event in several]
