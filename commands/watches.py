"""/watches: what one is told of."""

from __future__ import annotations

from bot.alerts.board import AlertBoard
from bot.alerts.views import Watches
from bot.cards.view import View
from bot.chat.asking import Asking
from bot.chat.line import command_line
from bot.chat.registry import command
from bot.phrase import phrase


@command(
    "watches",
    aliases=("我的关注", "关注列表", "wdgz"),
    examples=("/watches",),
    summary=phrase("What you watch"),
    place=57,
)
async def watches(*, board: AlertBoard, asking: Asking) -> View:
    """Show what the person who asks watches."""
    found = await board.watches(asking.person.user_id or "")
    return Watches(
        rows=found[asking.offset : asking.offset + Watches.page_size],
        total=len(found),
        offset=asking.offset,
        line=command_line("watches"),
    )
