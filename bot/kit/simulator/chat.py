"""Conversations and their content: messages and copies of cards, for each viewer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.kit.simulator.cards import CardInstance
from bot.kit.simulator.enterprise import Enterprise, SimPerson, opaque_id

ConversationType = Literal["group", "direct"]


@dataclass(slots=True)
class SimConversation:
    """A group, or one person's chat with the bot. ``bot_member`` False: the bot was removed from the group."""

    id: str
    kind: ConversationType
    title: str
    members: tuple[str, ...]
    items: deque[ChatItem]
    bot_member: bool = True
    last_seq: int = 0
    read: dict[str, tuple[int, int]] = field(default_factory=dict)
    """userId → (last seq seen by this member, time in ms)."""

    def render(self) -> dict[str, Any]:
        """Return the conversation for the `state` call."""
        return {
            "id": self.id,
            "kind": self.kind,
            "title": self.title,
            "members": list(self.members),
            "botMember": self.bot_member,
            "lastSeq": self.last_seq,
        }


@dataclass(slots=True, kw_only=True)
class SimMessage:
    """An ordinary message. ``sender`` None: the bot, or a custom robot called ``robot``."""

    seq: int
    conversation: SimConversation
    at: int
    sender: SimPerson | None
    robot: str = ""
    msgtype: str
    text: str = ""
    title: str = ""
    url: str = ""
    picture_url: str = ""
    file_name: str = ""
    at_user_ids: tuple[str, ...] = ()
    buttons: tuple[tuple[str, str], ...] = ()
    """Text and address of an action card's links."""
    msg_id: str = ""
    carrier_id: str = ""
    """`processQueryKey` of a bot message."""
    recalled: bool = False

    def visible_to(self, viewer: str) -> bool:
        """Return whether a member sees it; the empty viewer sees all."""
        return not viewer or viewer in self.conversation.members

    def render(self, viewer: str) -> dict[str, Any]:
        """Return it as a `ChatItem` of the control API."""
        sender = self.sender
        displayed_content = not self.recalled
        return {
            "seq": self.seq,
            "kind": "message",
            "conversationId": self.conversation.id,
            "at": self.at,
            "fromBot": sender is None,
            "sender": {"userId": "", "name": self.robot} if sender is None else _name(sender),
            "msgId": self.msg_id,
            "msgtype": self.msgtype,
            "text": self.text if displayed_content else "",
            "title": self.title if displayed_content else "",
            "url": self.url,
            "pictureUrl": self.picture_url if displayed_content else "",
            "fileName": self.file_name if displayed_content else "",
            "atUserIds": list(self.at_user_ids),
            "buttons": [{"text": text, "url": url} for text, url in self.buttons] if displayed_content else [],
            "recalled": self.recalled,
        }


@dataclass(slots=True, kw_only=True)
class SimDelivery:
    """One copy of a card at its place. ``recipients`` None: all members see it."""

    seq: int
    conversation: SimConversation
    at: int
    card: CardInstance
    robot: str
    carrier_id: str
    recipients: frozenset[str] | None = None
    top: bool = False
    """Pinned at the top of the group (`ONE_BOX`) instead of among the messages."""
    at_user_ids: tuple[str, ...] = ()
    """The people it calls (@); ``@ALL`` for everybody."""
    summary: str = ""
    """`lastMessageI18n`: its text in the list of conversations."""
    follows: bool = False
    """`dynamicSummary`: the list follows the card (docs: platform/dingtalk/cards.md#previews)."""
    recalled: bool = False

    @property
    def preview(self) -> str:
        """Return the text in the list of conversations."""
        return (self.card.view_for("").title if self.follows else "") or self.summary

    def visible_to(self, viewer: str) -> bool:
        """Return whether a member sees it; the empty viewer sees all."""
        if not viewer:
            return True
        return viewer in self.conversation.members and (self.recipients is None or viewer in self.recipients)

    def render(self, viewer: str) -> dict[str, Any]:
        """Return it as a `ChatItem` of the control API."""
        card = self.card.view_for(viewer).render()
        return {
            "seq": self.seq,
            "kind": "card",
            "conversationId": self.conversation.id,
            "at": self.at,
            "fromBot": True,
            "sender": {"userId": "", "name": self.robot},
            "card": {**card, "privateToViewer": card["privateToViewer"] or self.recipients is not None},
            "recipients": sorted(self.recipients) if self.recipients is not None else None,
            "top": self.top,
            "preview": self.preview,
            "atUserIds": list(self.at_user_ids),
            "recalled": self.recalled,
        }


ChatItem = SimMessage | SimDelivery


class SimChat:
    """All conversations of the company. ``on_item`` is called for each new or changed item."""

    def __init__(self, enterprise: Enterprise, robot: str, history: int, clock: Callable[[], int]) -> None:
        self._enterprise, self._robot, self._history, self._clock = enterprise, robot, history, clock
        self._seq = 0
        self.conversations: dict[str, SimConversation] = {}
        self._direct: dict[str, SimConversation] = {}
        self._by_carrier: dict[str, list[ChatItem]] = {}
        self._copies: dict[str, list[SimDelivery]] = {}
        self.on_item: Callable[[ChatItem], None] | None = None
        self._populate()

    def direct_chat(self, user_id: str) -> SimConversation | None:
        """Return a member's chat with the bot."""
        return self._direct.get(user_id)

    def add_message(
        self,
        conversation: SimConversation,
        *,
        sender: SimPerson | None,
        msgtype: str,
        carrier_id: str = "",
        **fields: Any,
    ) -> SimMessage:
        """Append a message; ``fields`` are those of `SimMessage`."""
        fields.setdefault("robot", "" if sender is not None else self._robot)
        message = SimMessage(
            seq=self._next(conversation),
            conversation=conversation,
            at=self._clock(),
            sender=sender,
            msgtype=msgtype,
            carrier_id=carrier_id,
            **fields,
        )
        self._append(message)
        return message

    def add_card(
        self,
        conversation: SimConversation,
        card: CardInstance,
        *,
        carrier_id: str,
        recipients: frozenset[str] | None = None,
        top: bool = False,
        at_user_ids: tuple[str, ...] = (),
        summary: str = "",
        follows: bool = False,
    ) -> SimDelivery:
        """Append a copy of a card."""
        delivery = SimDelivery(
            seq=self._next(conversation),
            conversation=conversation,
            at=self._clock(),
            card=card,
            robot=self._robot,
            carrier_id=carrier_id,
            recipients=recipients,
            top=top,
            at_user_ids=at_user_ids,
            summary=summary,
            follows=follows,
        )
        self._copies.setdefault(card.out_track_id, []).append(delivery)
        self._append(delivery)
        return delivery

    def copies(self, card: CardInstance) -> list[SimDelivery]:
        """Return the places of a card."""
        return self._copies.get(card.out_track_id, [])

    def forget_card(self, card: CardInstance) -> None:
        """Drop the copies of a card that the store no longer holds."""
        self._copies.pop(card.out_track_id, None)

    def by_carrier(self, key: object) -> list[ChatItem]:
        """Return the bot's messages or the card with this `processQueryKey` or `openDingId`, one per chat."""
        return self._by_carrier.get(key, []) if isinstance(key, str) else []

    def notify_changed(self, items: Iterable[ChatItem]) -> None:
        """Notify viewers of changed items."""
        if self.on_item is not None:
            for item in items:
                self.on_item(item)

    def items(self, conversation: SimConversation, viewer: str = "", after: int = 0) -> list[ChatItem]:
        """Return the items after ``after`` visible to ``viewer``, oldest first; reading marks them as read."""
        found = []
        for item in reversed(conversation.items):
            if item.seq <= after:
                break
            if item.visible_to(viewer):
                found.append(item)
        if viewer and conversation.last_seq > conversation.read.get(viewer, (0, 0))[0]:
            conversation.read[viewer] = (conversation.last_seq, self._clock())
        found.reverse()
        return found

    def clear(self) -> None:
        """Empty the conversations, with their initial members; numbering continues."""
        self._by_carrier.clear()
        self._copies.clear()
        self._populate()

    def _populate(self) -> None:
        groups = {
            group.id: self._empty(group.id, "group", group.title, group.members) for group in self._enterprise.groups
        }
        self._direct = {
            person.user_id: self._empty(
                f"cid{opaque_id('chat', person.user_id)}", "direct", self._robot, (person.user_id,)
            )
            for person in self._enterprise.people.values()
            if not person.external
        }
        self.conversations = {**groups, **{chat.id: chat for chat in self._direct.values()}}

    def _empty(self, id_: str, kind: ConversationType, title: str, members: tuple[str, ...]) -> SimConversation:
        return SimConversation(id_, kind, title, members, deque())

    def _next(self, conversation: SimConversation) -> int:
        self._seq += 1
        conversation.last_seq = self._seq
        return self._seq

    def _append(self, item: ChatItem) -> None:
        items = item.conversation.items
        if len(items) >= self._history:
            self._by_carrier.pop(items.popleft().carrier_id, None)
        items.append(item)
        if item.carrier_id:
            self._by_carrier.setdefault(item.carrier_id, []).append(item)
        if self.on_item is not None:
            self.on_item(item)


def displayed_content(msgtype: str, text: str, content: Mapping[str, Any]) -> dict[str, str]:
    """Return the displayed form of a person's message."""
    if msgtype == "picture":
        return {"picture_url": f"/sim/media?id={content.get('downloadCode', '')}"}
    if msgtype == "file":
        return {
            "file_name": str(content.get("fileName", "")),
            "url": f"/sim/media?id={content.get('downloadCode', '')}",
        }
    if msgtype == "audio":
        return {"text": str(content.get("recognition", ""))}
    if msgtype == "richText":
        parts = content.get("richText")
        texts = (
            [str(part.get("text", "")) for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
        )
        return {"text": "".join(texts) or text}
    return {"text": text}


def _name(person: SimPerson) -> dict[str, str]:
    return {"userId": person.user_id, "name": person.name}
