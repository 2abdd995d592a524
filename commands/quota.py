"""/quota: what this month's two quotas of DingTalk are spent on, and what the month is going to need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bot.cards.notices import QuotaReport
from bot.cards.view import View
from bot.chat.context import QuestionContext
from bot.chat.operations import Operations
from bot.chat.registry import command
from bot.words.phrase import phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaOverview(View):
    """Both quotas, as the reports to administrators tell them."""

    card: ClassVar[str] = "quota_overview"

    reports: tuple[QuotaReport, ...]


@command(
    "quota",
    aliases=("额度", "用量", "ed"),
    examples=("/quota", "/额度"),
    shows=(),
    changes=False,
    summary=phrase("This month's quotas of DingTalk: used, for what, and the forecast"),
    place=88,
    personal=True,
    reserved=True,
)
async def quota(*, operations: Operations, context: QuestionContext) -> View:
    """Show both quotas."""
    return QuotaOverview(reports=tuple(await operations.quotas()))
