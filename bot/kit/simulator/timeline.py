"""Frames and calls on the wire, newest last, for the page and for tests. Bounded, and cheap while nobody reads it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import orjson

Direction = Literal["push", "ack", "call", "note"]

_SECRET_KEYS = frozenset(
    {
        "accesstoken",
        "access_token",
        "apisecret",
        "appsecret",
        "authcode",
        "clientsecret",
        "client_secret",
        "refreshtoken",
        "session",
        "sessionwebhook",
        "sign",
        "ticket",
    }
)
_SHOWN = 4
_MAX_TEXT = 4000


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One frame, call or remark. ``detail`` is stored unchanged; `render` shortens its secrets."""

    seq: int
    at: int
    direction: Direction
    name: str
    status: int
    ms: float
    summary: str
    detail: Any

    def render(self) -> dict[str, Any]:
        """Return the entry for the control API."""
        return {
            "seq": self.seq,
            "at": self.at,
            "direction": self.direction,
            "name": self.name,
            "status": self.status,
            "ms": round(self.ms, 1),
            "summary": self.summary,
            "detail": redact(self.detail),
        }


class Timeline:
    """The last ``size`` entries. ``on_entry`` is called for each new one."""

    def __init__(self, size: int, clock: Callable[[], int]) -> None:
        self._entries: deque[TimelineEntry] = deque(maxlen=size)
        self._clock = clock
        self._seq = 0
        self.on_entry: Callable[[TimelineEntry], None] | None = None

    def record(
        self,
        direction: Direction,
        name: str,
        *,
        status: int = 0,
        ms: float = 0.0,
        summary: str = "",
        detail: Any = None,
    ) -> None:
        """Append an entry with the current time."""
        self._seq += 1
        entry = TimelineEntry(self._seq, self._clock(), direction, name, status, ms, summary, detail)
        self._entries.append(entry)
        if self.on_entry is not None:
            self.on_entry(entry)

    def note(self, name: str, summary: str, detail: Any = None) -> None:
        """Append a remark by the simulator itself, such as a violated rule."""
        self.record("note", name, summary=summary, detail=detail)

    def after(self, seq: int = 0, limit: int | None = None) -> list[TimelineEntry]:
        """Return entries after ``seq``, oldest first; ``limit`` keeps the newest ones."""
        found: list[TimelineEntry] = []
        for entry in reversed(self._entries):
            if entry.seq <= seq or (limit is not None and len(found) >= limit):
                break
            found.append(entry)
        found.reverse()
        return found

    def clear(self) -> None:
        """Remove all entries; numbering continues, so that a reader's ``after`` stays valid."""
        self._entries.clear()


def redact(value: Any, key: str = "") -> Any:
    """Return a copy with secrets cut to four characters and very long texts to a readable length."""
    if isinstance(value, dict):
        return {str(name): redact(item, str(name).lower()) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact(item, key) for item in value]
    if isinstance(value, str):
        if key == "data" and value.startswith("{"):
            return redact(_decoded(value))
        if key in _SECRET_KEYS and len(value) > _SHOWN:
            return f"{value[:_SHOWN]}…"
        return value if len(value) <= _MAX_TEXT else f"{value[:_MAX_TEXT]}…"
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return value


def _decoded(text: str) -> Any:
    """Return the object in a frame's ``data``, which is easier to read and allows its secrets to be shortened."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return f"{text[:_MAX_TEXT]}"
