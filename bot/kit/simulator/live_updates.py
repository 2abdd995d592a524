"""Server-sent events for open chat pages: bounded queues, filled only while somebody listens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bot.kit.simulator.chat import ChatItem, SimMessage

_QUEUE = 2000

LiveEvent = tuple[str, Any]


@dataclass(slots=True, eq=False)
class LiveViewer:
    """One open `/sim/live`. A viewer that falls behind is disconnected (``lost``) and reconnects with ``after``."""

    user_id: str
    events: asyncio.Queue[LiveEvent] = field(default_factory=lambda: asyncio.Queue(_QUEUE))
    lost: bool = False

    def put(self, kind: str, data: Any) -> None:
        """Queue an event."""
        try:
            self.events.put_nowait((kind, data))
        except asyncio.QueueFull:
            self.lost = True


class LiveUpdates:
    """Sends events to the viewers concerned."""

    def __init__(self) -> None:
        self.viewers: set[LiveViewer] = set()

    @contextmanager
    def watching(self, user_id: str) -> Iterator[LiveViewer]:
        """Provide a viewer for the duration of the block."""
        viewer = LiveViewer(user_id)
        self.viewers.add(viewer)
        try:
            yield viewer
        finally:
            self.viewers.discard(viewer)

    def item(self, item: ChatItem) -> None:
        """Send a new or changed item, rendered for each viewer who sees it."""
        kind = "message" if isinstance(item, SimMessage) else "card"
        for viewer in self.viewers:
            if item.visible_to(viewer.user_id):
                viewer.put(kind, item.render(viewer.user_id))

    def tell(self, kind: str, data: Any) -> None:
        """Send the same event to all viewers."""
        for viewer in self.viewers:
            viewer.put(kind, data)
