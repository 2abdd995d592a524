"""/today: what waits for somebody, is due, late or short; a line for each list, with its number."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import ClassVar

from bot.access.policy import AccessPolicy
from bot.approvals.search_gaps import SearchGaps
from bot.approvals.service import ApprovalService
from bot.cards.actions import Ask
from bot.cards.view import Button, Color, View
from bot.chat.context import QuestionContext
from bot.chat.parsing import command_line
from bot.chat.questions.work import made_of, work_of
from bot.chat.records.list_counts import ListCount, count_due, count_goods, count_overdue
from bot.chat.registry import Commands, command
from bot.erp.hub import ErpHub
from bot.words.phrase import phrase

BEGINS = "07:50"
"""When the working day is told of by itself, unless somebody names another time."""
_BEFORE_DAILY = 4
"""Lists that have their button before the one for every morning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayView(View):
    """The lists of a day, each with its number; ``daily`` offers to have it every working day."""

    card: ClassVar[str] = "today"

    day: date
    counts: tuple[ListCount, ...]
    daily: bool = False

    @property
    def pressing(self) -> tuple[ListCount, ...]:
        """The lists with something in them, and those of which that is not known: they are no all-clear."""
        return tuple(each for each in self.counts if each.count != 0 or each.unread)

    @property
    def clear(self) -> tuple[ListCount, ...]:
        """The lists that were read and are empty."""
        return tuple(each for each in self.counts if each.count == 0 and not each.unread)

    def buttons(self) -> Sequence[Button]:
        lists = [Button(each.what, Ask(each.line)) for each in self.pressing]
        if self.daily:
            # On a card there is room for about six: it is to be among them.
            line = Ask(command_line("subscribe", "today", BEGINS))
            lists.insert(_BEFORE_DAILY, Button(phrase("Every morning"), line, Color.BLUE))
        return tuple(lists)


@command(
    "today",
    aliases=("今天", "我的一天", "jt"),
    examples=("/today", "/今天"),
    changes=False,
    summary=phrase("Your day: what waits for you, is due, late or short"),
    place=43,
    personal=True,
    slashed=True,
)
async def today(
    *,
    approvals: ApprovalService,
    gaps: SearchGaps,
    erp: ErpHub,
    commands: Commands,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Count the lists that the asker may see: what waits for them first, then those of their own work."""
    usable, day = {each.name for each in commands.usable(policy, context)}, context.today
    lists = (count_due(erp, usable, day), count_overdue(erp, usable), count_goods(erp, usable, day))
    own = made_of(work_of(policy.roles_of(context.person), context.person.department_names))
    found = chain.from_iterable(await asyncio.gather(*lists))
    counts = tuple(sorted(found, key=lambda count: count.line.split()[0].removeprefix("/") not in own))
    if "pending" in usable:
        waiting = await approvals.pending(context.person.user_id or "")
        unread = await gaps.tell(context.person.user_id or "", context.now, context.books.hold)
        counts = (ListCount(phrase("Waiting for you"), "/pending", len(waiting), unread), *counts)
    return DayView(day=day, counts=counts, daily="subscribe" in usable)
