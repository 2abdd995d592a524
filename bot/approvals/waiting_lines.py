"""Command lines that open what waits for a person."""

from __future__ import annotations

from collections import Counter

from bot.approvals.service import ApprovalService
from bot.chat.context import QuestionContext
from bot.chat.parsing import command_line

CLOSEST = 4


async def lines_of_mine(name: str, approvals: ApprovalService, context: QuestionContext) -> tuple[str, ...]:
    """Return the lines of a command that list what waits for the person."""
    waiting = await approvals.pending(context.person.user_id or "")
    numbers = Counter(case.number.casefold() for case in waiting)
    return tuple(
        command_line(name, case.number if numbers[case.number.casefold()] == 1 else case.id)
        for case in waiting[:CLOSEST]
    )
