"""/subscriptions: what comes here by itself."""

from __future__ import annotations

from bot.alerts.subscriptions import Subscriptions, list_view
from bot.cards.view import View
from bot.chat.context import QuestionContext, place_of
from bot.chat.registry import command
from bot.words.phrase import phrase


@command(
    "subscriptions",
    aliases=("我的订阅", "订阅列表", "wddy"),
    examples=("/subscriptions",),
    shows=(),
    changes=False,
    summary=phrase("Lists and reports that come here by themselves"),
    place=59,
)
async def subscriptions(*, service: Subscriptions, context: QuestionContext) -> View:
    """Show the subscriptions of this chat or group."""
    return list_view(phrase("Subscriptions"), await service.store.at_place(place_of(context)), context)
