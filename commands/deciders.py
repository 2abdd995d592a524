"""/deciders: how long each person's decisions took in a month, and for whom is waited now. Figures about people: closed
to all but those whom a rule names, and administrators.
"""

from __future__ import annotations

from collections import Counter

from bot.approvals.case import CaseSearch
from bot.approvals.service import ApprovalService
from bot.cards.view import View
from bot.chat.colleagues import Colleagues
from bot.chat.context import QuestionContext
from bot.chat.days import DaysOrMonth
from bot.chat.registry import command
from bot.efficiency.port import EfficiencyReader
from bot.efficiency.reports import PEOPLE, month_of_days, page_of, people_line, report_people, running_month
from bot.efficiency.views import DecisionEfficiency, efficiency_line
from bot.words.phrase import phrase

WAITING = 200
"""Cases that are looked at for whom they wait."""


@command(
    PEOPLE,
    aliases=("审批人效率", "sprxl"),
    examples=("/deciders", "/审批人效率 上个月"),
    shows=(),
    changes=False,
    summary=phrase("How long each person's decisions took, and for whom is waited now"),
    place=85,
    personal=True,
    reserved=True,
    slashed=True,
)
async def deciders(
    *,
    days: DaysOrMonth | None = None,
    figures: EfficiencyReader,
    service: ApprovalService,
    colleagues: Colleagues,
    context: QuestionContext,
) -> View:
    """Show the figures of each person."""
    month = month_of_days(days, context, latest=running_month(context))
    waits = await figures.decisions(month)
    waiting = Counter[str]()
    for case in await service.search(CaseSearch(waiting=True, limit=WAITING)):
        waiting.update((await service.deciders(case)).awaited)
    people = tuple({wait.person for wait in waits if wait.person} | set(waiting))
    names = {person.user_id: person.name for person in await colleagues.lookup(people) if person.user_id is not None}
    lines = report_people(waits, waiting, names)
    return DecisionEfficiency(
        rows=page_of(lines, context, DecisionEfficiency.page_size),
        total=len(lines),
        offset=context.offset,
        line=people_line(month),
        month=month,
        parts=((efficiency_line(month), phrase("All decisions")),),
        of_people=True,
    )
