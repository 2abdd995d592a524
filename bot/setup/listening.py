"""Hears in which groups somebody writes to the bot while it is set up: DingTalk tells nobody that a bot was added.

What is heard gets no answer yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import structlog

from bot.app import MESSAGE_TOPIC, open_stream
from bot.chat.message import ConversationKind
from bot.dingtalk.errors import BadPayload
from bot.dingtalk.frames import Push
from bot.dingtalk.messages import parse_message
from bot.dingtalk.openapi import pooled_session
from bot.mechanisms.metrics import Metrics
from bot.settings import Settings
from bot.setup.draft import EnteredKeys

log = structlog.get_logger(__name__)

_MOST_GROUPS = 50


class GroupListener:
    """Listens with the keys that it was given last. ``groups`` are titles by openConversationId, the newest last."""

    def __init__(self) -> None:
        self.groups: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None
        self._keys: EnteredKeys | None = None

    def listen(self, settings: Settings) -> None:
        """Listen with the keys of these settings; nothing happens if it does already."""
        dingtalk = settings.dingtalk
        keys = EnteredKeys(dingtalk.client_id, dingtalk.client_secret.get_secret_value())
        if settings.keys_missing or (keys == self._keys and self._task and not self._task.done()):
            return
        if self._task:
            self._task.cancel()
        self._keys = keys
        self._task = asyncio.create_task(self._run(settings))

    async def stop(self) -> None:
        """Hang up."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self, settings: Settings) -> None:
        dingtalk = settings.dingtalk
        async with pooled_session(proxy=dingtalk.proxy or None) as session:
            stream = open_stream(settings, session, Metrics())
            stream.receive(MESSAGE_TOPIC, self._hear)
            await stream.run()

    async def _hear(self, push: Push) -> Mapping[str, object]:
        try:
            where = parse_message(push.data, fallback_id=push.message_id).conversation
        except BadPayload as error:
            log.warning("setup.unreadable_message", error=type(error).__name__)
            return {}
        if where.kind is ConversationKind.GROUP and (where.id in self.groups or len(self.groups) < _MOST_GROUPS):
            self.groups[where.id] = where.title
        return {}
