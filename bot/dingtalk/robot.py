"""Plain messages of the robot: to groups, to single persons, and through session webhooks.

Docs: platform/dingtalk/robots.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import aiohttp
import orjson

from bot.chat.message import SessionWebhook
from bot.dingtalk.apis import DING_SEND, DIRECT_SEND, GROUP_SEND, MEDIA_UPLOAD, SESSION_WEBHOOK
from bot.dingtalk.errors import DingTalkDeliveryFailed, DingTalkOutcomeUnknown, DingTalkRateLimited
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.payload import items, part, text
from bot.outbox.delivery import DingWay

MAX_PARAM_BYTES = 15_000
"""Documented limit of ``msgParam`` (docs: platform/dingtalk/limits.md#message-sizes)."""

MAX_WEBHOOK_BYTES = 18_000
"""Below the 20 000 bytes that a webhook message is believed to carry (docs: platform/dingtalk/limits.md#message-sizes),
including the envelope.
"""

_MAX_TITLE_BYTES = 200
_MAX_DING_BYTES = 600
_CUT = " …"


_REMIND_TYPES: Mapping[DingWay, int] = MappingProxyType({DingWay.APP: 1, DingWay.SMS: 2, DingWay.PHONE: 3})
"""DingTalk's numbers for the ways of calling."""


class Robot:
    """Sends markdown and files. Its calls carry no id, so a call with an unknown outcome is never repeated."""

    def __init__(self, api: OpenApi) -> None:
        self._api = api

    async def send_to_group(self, conversation_id: str, robot_code: str, *, title: str, markdown: str) -> str:
        """Send to a group and return DingTalk's key of the message."""
        body = {
            "robotCode": robot_code,
            "openConversationId": conversation_id,
            "msgKey": "sampleMarkdown",
            "msgParam": _msg_param(title, markdown),
        }
        answer = await self._api.call(GROUP_SEND, body)
        return text(answer.get("processQueryKey"))

    async def send_to_people(self, user_ids: Sequence[str], robot_code: str, *, title: str, markdown: str) -> str:
        """Send to up to 20 people, each in their chat with the robot, and return DingTalk's key of the message.

        Raises `DingTalkDeliveryFailed` or `DingTalkRateLimited` if somebody got nothing, which DingTalk reports under
        HTTP 200.
        """
        return await self._send_to_people(user_ids, robot_code, "sampleMarkdown", _msg_param(title, markdown))

    async def send_file(self, user_id: str, robot_code: str, *, name: str, media_id: str) -> str:
        """Send an uploaded file to a person's chat with the robot, and return DingTalk's key of the message.

        The errors are those of `send_to_people`.
        """
        param = {"mediaId": media_id, "fileName": name, "fileType": name.rpartition(".")[2]}
        return await self._send_to_people([user_id], robot_code, "sampleFile", orjson.dumps(param).decode())

    async def upload(self, kind: str, *, name: str, content: bytes, media_type: str) -> str:
        """Return the media id of a ``file`` or ``image`` (docs: platform/dingtalk/files.md#upload)."""

        def form() -> aiohttp.FormData:
            fields = aiohttp.FormData({"type": kind}, quote_fields=False)
            fields.add_field("media", content, filename=name, content_type=media_type)
            return fields

        uploaded = await self._api.call(MEDIA_UPLOAD, form=form)
        media_id = text(uploaded.get("media_id"))
        if not media_id:
            raise DingTalkOutcomeUnknown(f"{MEDIA_UPLOAD.name}: an answer without a media id")
        return media_id

    async def _send_to_people(self, user_ids: Sequence[str], robot_code: str, kind: str, param: str) -> str:
        body = {"robotCode": robot_code, "userIds": list(user_ids), "msgKey": kind, "msgParam": param}
        answer = await self._api.call(DIRECT_SEND, body)
        if invalid := items(answer.get("invalidStaffIdList")):
            raise DingTalkDeliveryFailed(f"{DIRECT_SEND.name}: {len(invalid)} unknown recipients")
        if slowed := items(answer.get("flowControlledStaffIdList")):
            raise DingTalkRateLimited(f"{DIRECT_SEND.name}: {len(slowed)} recipients get too many messages")
        return text(answer.get("processQueryKey"))

    async def ding(self, user_ids: Sequence[str], robot_code: str, way: DingWay, *, content: str) -> None:
        """Call people with a line of text (docs: platform/dingtalk/robots.md#ding).

        ``way`` is not `OFF`. Raises `DingTalkDeliveryFailed` if somebody was not reached, which DingTalk reports under
        HTTP 200.
        """
        body = {
            "robotCode": robot_code,
            "remindType": _REMIND_TYPES[way],
            "receiverUserIdList": list(user_ids),
            "content": fit(content, _MAX_DING_BYTES),
        }
        failed = part((await self._api.call(DING_SEND, body)).get("failedList"))  # people by the reason
        if missed := [who for people in failed.values() for who in items(people) or (people,)]:
            raise DingTalkDeliveryFailed(f"{DING_SEND.name}: {len(missed)} people were not reached")

    async def answer_session(self, webhook: SessionWebhook, *, title: str, markdown: str) -> None:
        """Answer through a message's session webhook: unbilled, and available to people outside the organisation.

        Raises `DingTalkSessionExpired` when DingTalk no longer knows the session; the caller checks its time.
        """
        words = {"title": fit(title, _MAX_TITLE_BYTES), "text": fit(markdown, MAX_WEBHOOK_BYTES)}
        body = {"msgtype": "markdown", "markdown": words}
        await self._api.call(SESSION_WEBHOOK, body, address=webhook.url)


def _msg_param(title: str, markdown: str) -> str:
    """Return title and text as DingTalk's JSON text, within its limit."""
    title = fit(title, _MAX_TITLE_BYTES)
    room = MAX_PARAM_BYTES
    while len(param := orjson.dumps({"title": title, "text": fit(markdown, room)})) > MAX_PARAM_BYTES:
        room = room * MAX_PARAM_BYTES // len(param)
    return param.decode()


def fit(words: str, limit: int) -> str:
    """Return ``words`` visibly truncated, between characters, to ``limit`` bytes of UTF-8."""
    encoded = words.encode()
    if len(encoded) <= limit:
        return words
    return encoded[: max(0, limit - len(_CUT.encode()))].decode(errors="ignore") + _CUT
