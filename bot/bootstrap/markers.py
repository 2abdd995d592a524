"""Builds what keeps markers: deliveries that are beside the chats."""

from __future__ import annotations

from collections.abc import Mapping

from bot.bootstrap.infrastructure import Infrastructure
from bot.dingtalk.card_api import CardApi
from bot.dingtalk.directory import DingTalkDirectory, DingTalkUnknownPerson
from bot.dingtalk.todos import TodoApi, TodoKeeper
from bot.dingtalk.top_boxes import TopBoxKeeper
from bot.outbox.delivery import DeliveryFormat
from bot.outbox.ports import MarkerKeeper


def build_markers(base: Infrastructure) -> Mapping[DeliveryFormat, MarkerKeeper]:
    """Return all keepers, whatever is switched on: what stands from before must be able to end."""
    directory = DingTalkDirectory(base.api)

    async def union_id_of(user_id: str) -> str:
        try:
            return (await directory.person(user_id)).union_id
        except DingTalkUnknownPerson:
            return ""

    todos = TodoApi(base.api, base.settings.dingtalk.openapi_endpoint)
    return {
        DeliveryFormat.TO_DO: TodoKeeper(todos, union_id_of, base.robot_chat.link),
        DeliveryFormat.TOP: TopBoxKeeper(CardApi(base.api), base.templates, base.now),
    }
