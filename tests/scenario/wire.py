"""What the bot said over the wire, split by who can read it: one person, or everybody in a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from bot.simulator.engine import SimEngine
from bot.simulator.timeline import TimelineEntry

CREATE = "POST /v1.0/card/instances/createAndDeliver"
UPDATE = "PUT /v1.0/card/instances"
TO_GROUP = "POST /v1.0/robot/groupMessages/send"
TO_PEOPLE = "POST /v1.0/robot/oToMessages/batchSend"
WEBHOOK = "POST /robot/sendBySession"


@dataclass(frozen=True, slots=True)
class WireCall:
    """One call of the bot to DingTalk: its name and its body."""

    api: str
    body: Mapping[str, Any]

    @property
    def readers(self) -> frozenset[str]:
        """The userIds of those who alone get a card or a text; empty: everybody in the conversation."""
        space = str(self.body.get("openSpaceId", ""))
        if self.api == TO_PEOPLE:
            return frozenset(self.body["userIds"])
        if "//IM_ROBOT." in space:
            return frozenset({space.partition("//IM_ROBOT.")[2]})
        return frozenset(self.body.get("imGroupOpenDeliverModel", {}).get("recipients", ()))

    @property
    def shared_text(self) -> str:
        """All that others than the readers may get to see.

        Of a card for some members of a group that is the preview and the notification.
        """
        if self.readers and "imGroupOpenSpaceModel" not in self.body:
            return ""
        hidden = {"privateData", "cardData"} if self.readers else {"privateData"}
        return orjson.dumps({key: value for key, value in self.body.items() if key not in hidden}).decode()

    @property
    def private_texts(self) -> Mapping[str, str]:
        """What single people see besides, by userId."""
        texts = {user_id: orjson.dumps(self.body).decode() for user_id in self.readers}
        for user_id, values in (self.body.get("privateData") or {}).items():
            texts[user_id] = texts.get(user_id, "") + orjson.dumps(values).decode()
        return texts


class WireRecorder:
    """Keeps the calls that show something to somebody, and lets the simulator's page see them, too."""

    def __init__(self, engine: SimEngine) -> None:
        self.calls: list[WireCall] = []
        self._next, engine.timeline.on_entry = engine.timeline.on_entry, self._saw

    def _saw(self, entry: TimelineEntry) -> None:
        if self._next is not None:
            self._next(entry)
        if entry.direction == "call" and entry.name in (CREATE, UPDATE, TO_GROUP, TO_PEOPLE, WEBHOOK):
            self.calls.append(WireCall(entry.name, entry.detail.get("request") or {}))

    def take(self) -> list[WireCall]:
        """Return the calls since the last time."""
        calls, self.calls = self.calls, []
        return calls
