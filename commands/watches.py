"""/watches: what a person watches."""

from __future__ import annotations

from bot.access.policy import AccessPolicy
from bot.alerts.rights import AlertRights
from bot.alerts.service import AlertService
from bot.alerts.views import WatchList
from bot.cards.view import View
from bot.chat.context import QuestionContext
from bot.chat.parsing import command_line
from bot.chat.registry import command
from bot.words.phrase import phrase


@command(
    "watches",
    aliases=("我的关注", "关注列表", "wdgz"),
    examples=("/watches",),
    changes=False,
    summary=phrase("What you watch"),
    place=57,
)
async def watches(*, service: AlertService, policy: AccessPolicy, context: QuestionContext) -> View:
    """Show what the asker watches."""
    rights = AlertRights(policy, context.person, context.conversation.id)
    known = await service.watches(context.person.user_id or "")
    found = [watch for watch in known if context.books.hold(watch.source)]
    return WatchList(
        rows=rights.shown_watches(found[context.offset : context.offset + (context.rows or WatchList.page_size)]),
        total=len(found),
        offset=context.offset,
        line=command_line("watches"),
    )
