"""DingTalk's card calls: make a card appear, change it (docs: platform/dingtalk/cards.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.chat.message import Conversation, ConversationKind
from bot.dingtalk.apis import CREATE_AND_DELIVER, UPDATE_CARD
from bot.dingtalk.errors import DingTalkDeliveryFailed, DingTalkRefused
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.payload import flag, items, part, text

_ALREADY_THERE = "param.cardAlreadyExist"
_USER_ID = 1
"""``userIdType``: people are named by userId, in calls and in callbacks."""


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
        conversation: Conversation,
        summary: str,
        robot_code: str,
        user_id: str | None = None,
        recipients: Sequence[str] = (),
        private: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Make the card ``track_id`` appear in ``conversation``; the same id again changes nothing.

        ``summary`` is the text in the list of conversations and in the notification. ``user_id`` is the person of a
        direct conversation. ``recipients`` are the members of a group who alone get the card, ``private`` is what
        single people see instead. Raises `DingTalkDeliveryFailed` when DingTalk made the card but did not show it, and
        other `DingTalkError`.
        """
        body: dict[str, Any] = {
            "cardTemplateId": template_id,
            "outTrackId": track_id,
            # Without it clicks do not come back over the stream.
            "callbackType": "STREAM",
            "cardData": {"cardParamMap": params},
            "userIdType": _USER_ID,
            **_space(conversation, summary, robot_code, user_id, recipients),
        }
        if private:
            body["privateData"] = _private(private)
        try:
            answer = await self._api.call(CREATE_AND_DELIVER, body)
        except DingTalkRefused as refusal:
            if refusal.code == _ALREADY_THERE:
                # An earlier attempt got through and only its answer was lost
                # (docs: platform/dingtalk/cards.md#idempotency).
                return
            raise
        _check_deliveries(answer)

    async def update(
        self,
        track_id: str,
        params: Mapping[str, str],
        private: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Change variables of a card for everybody, or ``private`` ones for single people; the others stay."""
        body: dict[str, Any] = {
            "outTrackId": track_id,
            "cardData": {"cardParamMap": params},
            # Without them the variables that are not named become empty (docs: platform/dingtalk/cards.md#updates).
            "cardUpdateOptions": {"updateCardDataByKey": True, "updatePrivateDataByKey": True},
            "userIdType": _USER_ID,
        }
        if private:
            body["privateData"] = _private(private)
        await self._api.call(UPDATE_CARD, body)


def _private(private: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {user_id: {"cardParamMap": params} for user_id, params in private.items()}


def _space(
    conversation: Conversation, summary: str, robot_code: str, user_id: str | None, recipients: Sequence[str]
) -> dict[str, Any]:
    """Return the place of the card, with the space and deliver models of that kind of place."""
    shown = {
        "supportForward": False,
        "lastMessageI18n": {"ZH_CN": summary, "EN_US": summary},
        "notification": {"alertContent": summary, "notificationOff": False},
    }
    if conversation.kind is ConversationKind.GROUP:
        return {
            "openSpaceId": f"dtv1.card//IM_GROUP.{conversation.id}",
            "imGroupOpenSpaceModel": shown,
            "imGroupOpenDeliverModel": {
                "robotCode": robot_code,
                # Without the field everybody gets the card, with an empty list perhaps too.
                **({"recipients": list(recipients)} if recipients else {}),
            },
        }
    if not user_id:
        raise ValueError("a card in a direct conversation needs its person")
    return {
        "openSpaceId": f"dtv1.card//IM_ROBOT.{user_id}",
        "imRobotOpenSpaceModel": shown,
        "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT", "robotCode": robot_code},
    }


def _check_deliveries(answer: Mapping[str, Any]) -> None:
    """Raise `DingTalkDeliveryFailed` for a place that failed, which DingTalk reports under HTTP 200.

    Docs: platform/dingtalk/cards.md#deliveries
    """
    deliveries = items(part(answer.get("result")).get("deliverResults"))
    failed = [delivery for delivery in map(part, deliveries) if not flag(delivery.get("success"))]
    if failed:
        reasons = "; ".join(text(delivery.get("errorMsg")) or "no reason given" for delivery in failed)
        raise DingTalkDeliveryFailed(f"{CREATE_AND_DELIVER.name}: not shown: {reasons[:200]}")
