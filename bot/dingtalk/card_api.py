"""DingTalk's card calls: create and update (docs: platform/dingtalk/cards.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.chat.message import Conversation, ConversationKind
from bot.dingtalk.apis import CLOSE_TOP, CREATE_AND_DELIVER, UPDATE_CARD
from bot.dingtalk.errors import DingTalkDeliveryFailed, DingTalkRefused
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.payload import flag, items, part, text
from bot.outbox.ports import NOBODY_CALLED

_ALREADY_THERE = "param.cardAlreadyExist"
CARD_GONE = "param.cardNotExist"
"""Code of an update of a card that does not exist."""
_USER_ID = 1
"""``userIdType``: people are named by userId, in calls and in callbacks."""


@dataclass(frozen=True, slots=True)
class CardSpace:
    """A place of a card; ``user_id`` is the person of a direct conversation."""

    conversation: Conversation
    user_id: str | None = None

    @property
    def is_group(self) -> bool:
        """Whether it is a group."""
        return self.conversation.kind is ConversationKind.GROUP

    @property
    def name(self) -> str:
        """DingTalk's name of the place, such as ``IM_GROUP.cid…``."""
        if self.is_group:
            return f"IM_GROUP.{self.conversation.id}"
        if not self.user_id:
            raise ValueError("a card in a direct conversation needs its person")
        return f"IM_ROBOT.{self.user_id}"


class CardApi:
    """Cards whose clicks come back over the stream connection."""

    def __init__(self, api: OpenApi) -> None:
        self._api = api

    async def create_and_deliver(
        self,
        *,
        track_id: str,
        params: Mapping[str, str],
        template_id: str,
        spaces: Sequence[CardSpace],
        summary: str,
        robot_code: str,
        recipients: Sequence[str] = (),
        private: Mapping[str, Mapping[str, str]] | None = None,
        called: Mapping[str, str] = NOBODY_CALLED,
        announces: str = "",
    ) -> tuple[CardSpace, ...]:
        """Create the card ``track_id`` at these places, and return those where DingTalk does not show it.

        A repeated id changes nothing. ``summary`` is the text in the list of conversations and in the notification;
        ``announces`` is the notification text of a card that later becomes another one: its text in the list follows,
        as far as DingTalk supports that (docs: platform/dingtalk/cards.md#previews). ``recipients`` are the only
        members of a group who get the card, ``private`` what single people see instead, ``called`` the mentioned (@)
        members with their names. Raises `DingTalkDeliveryFailed` if DingTalk created the card but shows it nowhere, and
        other `DingTalkError`.
        """
        body: dict[str, Any] = {
            "cardTemplateId": template_id,
            "outTrackId": track_id,
            # Without it clicks do not come back over the stream.
            "callbackType": "STREAM",
            "cardData": {"cardParamMap": params},
            "userIdType": _USER_ID,
            **_spaces(spaces, _Preview(summary, announces), robot_code, recipients, called),
        }
        if called:
            # Highlights ``<a atId=…>`` in the card's markdown (docs: platform/dingtalk/cards.md#mentions).
            body["cardAtUserIds"] = list(called)
        if private:
            body["privateData"] = _private(private)
        return await self._deliver(body, spaces)

    async def _deliver(self, body: Mapping[str, Any], spaces: Sequence[CardSpace]) -> tuple[CardSpace, ...]:
        try:
            answer = await self._api.call(CREATE_AND_DELIVER, body)
        except DingTalkRefused as refusal:
            if refusal.code == _ALREADY_THERE:
                # An earlier attempt got through and only its answer was lost
                # (docs: platform/dingtalk/cards.md#idempotency).
                return ()
            raise
        return _missed(answer, spaces)

    async def create_on_top(
        self, *, track_id: str, params: Mapping[str, str], template_id: str, conversation_id: str, until: datetime
    ) -> None:
        """Show a card at the top of a group until ``until`` at most; a repeated ``track_id`` changes nothing.

        The errors are those of `create_and_deliver`. Docs: platform/dingtalk/cards.md#spaces
        """
        body = {
            "cardTemplateId": template_id,
            "outTrackId": track_id,
            "callbackType": "STREAM",
            "cardData": {"cardParamMap": params},
            "userIdType": _USER_ID,
            "openSpaceId": f"dtv1.card//ONE_BOX.{conversation_id}",
            "topOpenSpaceModel": {"spaceType": "ONE_BOX"},
            "topOpenDeliverModel": {"expiredTimeMillis": int(until.timestamp() * 1000)},
        }
        group = CardSpace(Conversation(conversation_id, ConversationKind.GROUP))
        await self._deliver(body, [group])

    async def close_top(self, track_id: str, conversation_id: str) -> None:
        """Remove a card from the top of a group (docs: platform/dingtalk/cards.md#separate-calls)."""
        await self._api.call(CLOSE_TOP, query={"outTrackId": track_id, "openConversationId": conversation_id})

    async def update(
        self,
        track_id: str,
        params: Mapping[str, str],
        private: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Update variables of a card for everybody, or ``private`` ones for single people; the others stay."""
        body: dict[str, Any] = {
            "outTrackId": track_id,
            "cardData": {"cardParamMap": params},
            # Without them, omitted variables become empty (docs: platform/dingtalk/cards.md#updates).
            "cardUpdateOptions": {"updateCardDataByKey": True, "updatePrivateDataByKey": True},
            "userIdType": _USER_ID,
        }
        if private:
            body["privateData"] = _private(private)
        await self._api.call(UPDATE_CARD, body)


def _private(private: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {user_id: {"cardParamMap": params} for user_id, params in private.items()}


@dataclass(frozen=True, slots=True)
class _Preview:
    """The text of a card in the list of conversations and in the notification."""

    summary: str
    announces: str

    @property
    def space_model(self) -> dict[str, Any]:
        alert = self.announces or self.summary
        return {
            "supportForward": False,
            "lastMessageI18n": {"ZH_CN": self.summary, "EN_US": self.summary},
            "notification": {"alertContent": alert, "notificationOff": False},
        }

    @property
    def deliver_model(self) -> dict[str, Any]:
        return {"extension": {"dynamicSummary": "true"}} if self.announces else {}


def _spaces(
    spaces: Sequence[CardSpace],
    preview: _Preview,
    robot_code: str,
    recipients: Sequence[str],
    called: Mapping[str, str],
) -> dict[str, Any]:
    """Return the places of the card, with the space and deliver models of their kinds.

    Docs: platform/dingtalk/cards.md#spaces
    """
    models: dict[str, Any] = {"openSpaceId": "dtv1.card//" + ";".join([space.name for space in spaces])}
    kinds = {space.conversation.kind for space in spaces}
    if ConversationKind.GROUP in kinds:
        models["imGroupOpenSpaceModel"] = preview.space_model
        models["imGroupOpenDeliverModel"] = {
            "robotCode": robot_code,
            **preview.deliver_model,
            # Without the field everybody gets the card, with an empty list perhaps too.
            **({"recipients": list(recipients)} if recipients else {}),
            **({"atUserIds": dict(called)} if called else {}),
        }
    if ConversationKind.DIRECT in kinds:
        models["imRobotOpenSpaceModel"] = preview.space_model
        models["imRobotOpenDeliverModel"] = {
            "spaceType": "IM_ROBOT",
            "robotCode": robot_code,
            **preview.deliver_model,
        }
    return models


def _missed(answer: Mapping[str, Any], spaces: Sequence[CardSpace]) -> tuple[CardSpace, ...]:
    """Return the failed places, which DingTalk reports under HTTP 200, in request order.

    Raises `DingTalkDeliveryFailed` if no place is left. Docs: platform/dingtalk/cards.md#deliveries
    """
    results = items(part(answer.get("result")).get("deliverResults"))
    failed = [number for number, result in enumerate(results) if not flag(part(result).get("success"))]
    if not failed:
        return ()
    if len(failed) >= len(spaces):
        reasons = "; ".join(text(part(results[number]).get("errorMsg")) or "no reason given" for number in failed)
        raise DingTalkDeliveryFailed(f"{CREATE_AND_DELIVER.name}: not shown: {reasons[:200]}")
    return tuple(spaces[number] for number in failed if number < len(spaces))
