"""/leadtimes: in how many days orders lead to goods, bills and money, by the days that the ERPs tell."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TypedDict

from bot.access.policy import AccessPolicy
from bot.chat.arguments import Keyword
from bot.chat.context import QuestionContext
from bot.chat.days import DaysOrMonth
from bot.chat.records.reader_hub import command_of, visible_fields
from bot.chat.registry import command
from bot.efficiency.figures import month_before
from bot.efficiency.lead_times import (
    STEPS,
    LeadCase,
    LeadFigures,
    Step,
    StepCases,
    by_partner,
    measure_cases,
    read_step,
    slowest,
)
from bot.efficiency.lead_views import COMMAND, LeadCases, LeadLine, LeadTimes, lead_line, name_step
from bot.efficiency.reports import month_of_days, page_of, running_month
from bot.erp.hub import ErpHub
from bot.erp.model import Area
from bot.read_model.queries import Coverage, ReadModel
from bot.words.disclosure import FieldClass, cut
from bot.words.phrase import Phrase, phrase

_YEAR = 12


class LeadStep(Keyword, changes=False):
    """The kind of document at the start of a step."""

    ORDER = phrase("order"), "订单", "销售订单", "orders"
    DELIVERY = phrase("delivery"), "发货", "发货单", "出货", "deliveries"
    INVOICE = phrase("invoice"), "发票", "回款", "应收", "invoices"
    PURCHASE = phrase("po"), "采购", "采购单", "采购订单", "purchases", "vendors", "供应商"
    RECEIPT = phrase("receipt"), "收货", "收货单", "入库", "receipts"
    BILL = phrase("bill"), "账单", "应付", "付款", "bills"
    PRODUCTION = phrase("mo"), "生产", "生产订单", "工单", "production"


class LeadPart(Keyword, changes=False):
    """What is shown of a step in place of its figures."""

    LONGEST = phrase("longest"), "耗时最长", "slowest"
    OPEN = phrase("open"), "未结", "未完成", "在等", "未开票", "waiting"


@command(
    COMMAND,
    aliases=("周期", "交付周期", "zq"),
    examples=("/leadtimes", "/周期 上个月", "/leadtimes po", "/周期 发货 未结"),
    shows=("order", "invoice", "po", "mo"),
    changes=False,
    summary=phrase("In how many days orders lead to goods, bills and money, and what waits on the way"),
    place=83,
    slashed=True,
    personal=True,
)
async def leadtimes(
    *,
    days: DaysOrMonth | None = None,
    step: LeadStep | None = None,
    part: LeadPart | None = None,
    erp: ErpHub,
    kept: ReadModel,
    policy: AccessPolicy,
    context: QuestionContext,
) -> LeadTimes | LeadCases:
    """Show lead times of the documents that the asker may see."""
    month = month_of_days(days, context, latest=month_before(running_month(context)))
    wanted = [each for each in STEPS if step is None or each.start.command == step]
    reader = _Reader(erp, kept, policy, context)
    if part is LeadPart.OPEN:
        # What is at the start of a direct step stands in a list of its own, such as the open orders.
        some = [each for each in wanted if step is not None or not each.is_direct]
        return reader.waiting(await reader.read(some), month if days else None, step or "")
    read = await reader.read(wanted)
    if part is LeadPart.LONGEST:
        return reader.slowest(read, month, lead_line(f"{month:%Y-%m}", step or "", part))
    if step is not None and read:
        return reader.step(read[0], month)
    return reader.steps(read, month)


class _Completeness(TypedDict):
    """What a view says of how complete it is."""

    coverage: Coverage
    stale: bool
    narrowed: bool
    silences: tuple[Phrase, ...]
    since: date


def _leads(month: date, longest: Step | None) -> tuple[tuple[str, Phrase], ...]:
    """Return the lines about the slowest step."""
    if longest is None:
        return ()
    line = lead_line(f"{month:%Y-%m}", longest.start.command)
    return ((line, name_step(longest)), (f"{line} {LeadPart.LONGEST}", phrase("The slowest")))


class _Reader:
    """One asker, with what they may see of each step."""

    def __init__(self, erp: ErpHub, kept: ReadModel, policy: AccessPolicy, context: QuestionContext) -> None:
        self._erp = erp
        self._kept = kept
        self._policy = policy
        self._context = context

    async def read(self, steps: Iterable[Step]) -> Sequence[StepCases]:
        """Return the cases of the steps whose documents the asker may see."""
        return await asyncio.gather(*(self._read(step) for step in steps if all(map(self._may, step.areas))))

    def _may(self, area: Area) -> bool:
        return self._policy.decide_area(self._context.person, command_of(area), self._context.conversation.id).allowed

    async def _read(self, step: Step) -> StepCases:
        sources = self._erp.visible_sources(step.start.followed)
        return await read_step(self._kept, step, sources=sources, hides=self._erp.hides_documents)

    def steps(self, read: Sequence[StepCases], month: date) -> LeadTimes:
        """Return the figures of all steps."""
        figures = {each.step: self._measure(each.of_month(month)) for each in read}
        longest = slowest(figures)
        rows = tuple(
            LeadLine(
                label=name_step(each.step),
                figures=figures[each.step],
                before=self._median_of(each, month_before(month)),
                year_before=self._median_of(each, month_before(month, _YEAR)),
                waiting=None if each.waiting is None or not each.is_told else len(each.waiting),
                untold=each.untold,
                is_slowest=each.step == longest,
                opens=lead_line(f"{month:%Y-%m}", each.step.start.command),
            )
            for each in read
        )
        return LeadTimes(
            rows=page_of(rows, self._context, LeadTimes.page_size),
            total=len(rows),
            offset=self._context.offset,
            line=lead_line(f"{month:%Y-%m}"),
            month=month,
            slowest=name_step(longest) if longest else None,
            leads=(*_leads(month, longest), (lead_line(LeadPart.OPEN), phrase("What waits"))),
            **self._completeness(read, month),
        )

    def step(self, read: StepCases, month: date) -> LeadTimes:
        """Return the figures of one step, by partner."""
        cases, command = read.of_month(month), read.step.start.command
        months = (
            (phrase("All"), month),
            (phrase("Month before"), month_before(month)),
            (phrase("A year before"), month_before(month, _YEAR)),
        )
        rows = [
            LeadLine(label=name, figures=self._measure(read.of_month(each)))
            for name, each in months
            if each == month or read.tells_of(each)
        ]
        fields = self._fields(read.step)
        if FieldClass.PARTNER in fields:
            waiting = by_partner(read.waiting or ())
            rows += [
                LeadLine(
                    partner=partner,
                    figures=self._measure(of),
                    waiting=None if read.waiting is None else len(waiting.get(partner, ())),
                )
                for partner, of in by_partner(cases).items()
            ]
        return LeadTimes(
            rows=page_of(tuple(rows), self._context, LeadTimes.page_size),
            total=len(rows),
            offset=self._context.offset,
            line=lead_line(f"{month:%Y-%m}", command),
            month=month,
            step=name_step(read.step),
            leads=(
                (lead_line(f"{month:%Y-%m}", command, LeadPart.LONGEST), phrase("The slowest")),
                (lead_line(command, LeadPart.OPEN), phrase("What waits")),
                (lead_line(f"{month:%Y-%m}"), phrase("All steps")),
            ),
            withheld=frozenset({FieldClass.PARTNER}) - fields,
            **self._completeness([read], month),
        )

    def slowest(self, read: Sequence[StepCases], month: date, line: str) -> LeadCases:
        """Return the cases of the step that was slowest in a month."""
        longest = slowest({each.step: self._measure(each.of_month(month)) for each in read})
        shown = [each for each in read if each.step == longest]
        return self._cases(shown, [each.of_month(month) for each in shown], line, month=month)

    def waiting(self, read: Sequence[StepCases], month: date | None, step: str) -> LeadCases:
        """Return what waits now, whatever it has waited; with a month, what began in it."""
        waiting = [
            [case for case in each.waiting or () if month is None or case.began.replace(day=1) == month]
            for each in read
        ]
        line = lead_line(f"{month:%Y-%m}" if month else "", step, LeadPart.OPEN)
        found = self._cases(read, waiting, line, began=month)
        return replace(found, unknown=any(each.waiting is None for each in read))

    def _cases(
        self,
        read: Sequence[StepCases],
        cases: Iterable[Sequence[LeadCase]],
        line: str,
        *,
        month: date | None = None,
        began: date | None = None,
    ) -> LeadCases:
        today = self._context.today
        rows = [
            cut(self._erp.addressed(case, case.source), self._fields(each.step))  # type: ignore[type-var]
            for each, some in zip(read, cases, strict=True)
            for case in some
        ]
        rows.sort(key=lambda case: (-case.days(today), case.number))
        return LeadCases(
            rows=page_of(tuple(rows), self._context, LeadCases.page_size),
            total=len(rows),
            offset=self._context.offset,
            line=line,
            today=today,
            steps=tuple(name_step(each.step) for each in read),
            month=month,
            began=began,
            **self._completeness(read, month or began or date.min),
        )

    def _median_of(self, read: StepCases, month: date) -> timedelta | None:
        """Return the median of another month; None where documents of it may be missing."""
        return self._measure(read.of_month(month)).median if read.tells_of(month) else None

    def _completeness(self, read: Sequence[StepCases], since: date) -> _Completeness:
        """Return how complete an answer is that looks at documents from a day on."""
        followed = tuple(dict.fromkeys(kind.followed for each in read for kind in (each.step.start, each.step.end)))
        coverage = Coverage(as_of=None, complete_since=None)
        for number, each in enumerate(read):
            coverage = coverage.joined(each.coverage) if number else each.coverage
        return _Completeness(
            coverage=coverage,
            stale=coverage.is_stale(self._context.now),
            narrowed=any(map(self._erp.hides_documents, followed)),
            silences=tuple(
                phrase("%(source)s does not tell: %(documents)s", source=source, documents=silent)
                for source, silent in self._erp.silent_about(followed).items()
            ),
            since=since,
        )

    def _measure(self, cases: Sequence[LeadCase]) -> LeadFigures:
        return measure_cases(cases, self._context.today)

    def _fields(self, step: Step) -> frozenset[FieldClass]:
        return visible_fields(self._policy, self._context, *(command_of(area) for area in step.areas))
