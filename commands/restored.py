"""/restored: what waits for its owner's confirmation since a backup was restored."""

from __future__ import annotations

from bot.cards.view import View
from bot.chat.arguments import Keyword
from bot.chat.context import QuestionContext
from bot.chat.held_rights import HeldRightStore, held_view
from bot.chat.registry import command
from bot.words.phrase import phrase


class RestoredDecision(Keyword):
    """What becomes of it."""

    KEEP = phrase("keep"), "保留", "确认"
    DROP = phrase("drop"), "放弃", "不要了"


@command(
    "restored",
    aliases=("恢复确认", "hfqr"),
    examples=("/restored", "/恢复确认"),
    changes=False,
    shows=(),
    summary=phrase("Accounts, keys and subscriptions that wait for you since a backup was restored"),
    place=84,
    personal=True,
    proposable=False,
)
async def restored(
    decision: RestoredDecision | None = None, *, rights: HeldRightStore, context: QuestionContext
) -> View:
    """Show what waits for the asker, put it back in force, or give it up."""
    own = context.person.user_id or ""
    found = await rights.of(own)
    if decision is None or not found:
        return held_view(found)
    if decision is RestoredDecision.DROP:
        await rights.drop(found, by=own, now=context.now)
        return held_view((), phrase("Given up: %(num)s.", num=len(found)))
    kept = await rights.confirm(found, by=own, now=context.now)
    return held_view((), phrase("In force again: %(num)s.", num=kept))
