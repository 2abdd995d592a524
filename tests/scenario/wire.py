"""What the bot said over the wire, split by who can read it: single people, or everybody in a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.timeline import TimelineEntry

CREATE = "POST /v1.0/card/instances/createAndDeliver"
UPDATE = "PUT /v1.0/card/instances"
TO_GROUP = "POST /v1.0/robot/groupMessages/send"
TO_PEOPLE = "POST /v1.0/robot/oToMessages/batchSend"
WEBHOOK = "POST /robot/sendBySession"


@dataclass(frozen=True, slots=True)
class CardPlace:
    """Where a card stands, and who alone gets it there; without ``readers`` everybody in the group.

    What stands in a group and in people's chats is everybody's: what is theirs alone are values of their own.
    """

    group: str = ""
    readers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WireCall:
    """One call of the bot to DingTalk: its name, its body, and the place of the card or text."""

    api: str
    body: Mapping[str, Any]
    place: CardPlace

    @property
    def shared_text(self) -> str:
        """All that others than the readers may get to see.

        Of a card for some members of a group that is the preview and the notification.
        """
        if self.place.readers and not self.place.group:
            return ""
        hidden = {"privateData", "cardData"} if self.place.readers else {"privateData"}
        return orjson.dumps({key: value for key, value in self.body.items() if key not in hidden}).decode()

    @property
    def private_texts(self) -> Mapping[str, str]:
        """What single people see besides, by userId."""
        texts = {user_id: orjson.dumps(self.body).decode() for user_id in self.place.readers}
        for user_id, values in (self.body.get("privateData") or {}).items():
            texts[user_id] = texts.get(user_id, "") + orjson.dumps(values).decode()
        return texts


class WireRecorder:
    """Keeps the calls that show something to somebody, and lets the simulator's page see them, too."""

    def __init__(self, engine: SimEngine) -> None:
        self.calls: list[WireCall] = []
        self._engine = engine
        self._next, engine.timeline.on_entry = engine.timeline.on_entry, self._saw

    def take(self) -> list[WireCall]:
        """Return the calls since the last time."""
        calls, self.calls = self.calls, []
        return calls

    def _saw(self, entry: TimelineEntry) -> None:
        if self._next is not None:
            self._next(entry)
        if entry.direction == "call" and entry.name in (CREATE, UPDATE, TO_GROUP, TO_PEOPLE, WEBHOOK):
            body = entry.detail.get("request") or {}
            self.calls.append(WireCall(entry.name, body, self._place(entry.name, body)))

    def _place(self, api: str, body: Mapping[str, Any]) -> CardPlace:
        if api == CREATE:
            return _place_of_card(body)
        if api == UPDATE:
            return self._place_now(str(body["outTrackId"]))
        if api == TO_PEOPLE:
            return CardPlace(readers=frozenset(body["userIds"]))
        return CardPlace(group=str(body.get("openConversationId", "")))

    def _place_now(self, track: str) -> CardPlace:
        card = self._engine.cards.get(track)
        assert card is not None
        copies = self._engine.chat.copies(card)
        for copy in copies:
            if copy.conversation.kind == "group":
                return CardPlace(copy.conversation.id, copy.recipients or frozenset())
        return CardPlace(readers=frozenset(member for copy in copies for member in copy.conversation.members))


def _place_of_card(body: Mapping[str, Any]) -> CardPlace:
    spaces = [space.partition(".") for space in str(body["openSpaceId"]).partition("//")[2].split(";")]
    for kind, _, name in spaces:
        if kind == "IM_GROUP":
            return CardPlace(name, frozenset(body["imGroupOpenDeliverModel"].get("recipients", ())))
    return CardPlace(readers=frozenset(name for _, _, name in spaces))
