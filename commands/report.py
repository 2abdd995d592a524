"""/report: what the company did today, this week or in a month, against the days before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, TypeVar

from bot.access.policy import AccessPolicy
from bot.cards.actions import Ask
from bot.cards.tables import Table
from bot.cards.view import Button, View
from bot.chat.context import QuestionContext
from bot.chat.days import DaysOrMonth
from bot.chat.records.reader_hub import command_of
from bot.chat.registry import command
from bot.chat.report_days import PeriodComparison, ReportPeriod, name_age, span_of
from bot.chat.view_parts import export_buttons
from bot.erp.hub import ErpHub
from bot.erp.kinds import AREA_KINDS
from bot.erp.model import Area, Feed, SalesAmount
from bot.read_model.queries import ReadModel
from bot.read_model.report import (
    ComparedSum,
    InvoiceFigures,
    PayableFigures,
    ProductionFigures,
    PurchaseFigures,
    ReportSpan,
    SalesFigures,
    Turnover,
    read_figures,
)
from bot.words.disclosure import HIDDEN, FieldClass, cut_part
from bot.words.phrase import Phrase, phrase

T = TypeVar("T")

_OTHERS = (
    ("/report day", phrase("Today")),
    ("/report week", phrase("This week")),
    ("/report month", phrase("This month")),
    ("/report last month", phrase("Last month")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView(View):
    """The figures of some days; None for areas of which the reader may see nothing.

    Nothing is missing from ``complete_since`` on, None where that is not known; ``missing`` are sources whose documents
    are not kept, or not all yet. ``narrowed``: there are documents that the reader may not see, which do not count.

    Figures in several currencies fill two cards: sales and money, and, where it is the ``second`` one, what is bought
    and made.
    """

    card: ClassVar[str] = "report"

    line: str
    """The line that gives the same report."""
    span: ReportSpan
    against: PeriodComparison | None = None
    said: str = ""
    """The days as they are typed."""
    sales: SalesFigures | None
    invoices: InvoiceFigures | None
    receipts: Turnover | None = None
    purchases: PurchaseFigures | None
    payables: PayableFigures | None = None
    payments: Turnover | None = None
    production: ProductionFigures | None
    as_of: datetime | None
    stale: bool
    complete_since: date | None
    missing: tuple[str, ...]
    narrowed: bool
    silences: tuple[Phrase, ...] = ()
    """Name the sources that do not tell all of this."""
    unknown: tuple[Feed, ...] = ()
    """What is not kept, or not all yet: the ERP may not tell which of them changed."""
    second: bool = False
    has_room: bool = False
    """It is shown where all of it has room, as on a page."""

    @property
    def is_split(self) -> bool:
        """Whether one card has no room for all."""
        if self.has_room:
            return False
        sold = (self.sales and self.sales.ordered, self.invoices and self.invoices.invoiced, self.receipts)
        several = any(part and len(_visible_sums(part)) > 1 for part in sold)
        return several and bool(self.purchases or self.production)

    @property
    def shows_sales(self) -> bool:
        """Whether this card tells of sales and of the money of customers."""
        return not (self.is_split and self.second)

    @property
    def shows_purchases(self) -> bool:
        """Whether this card tells of purchases and production."""
        return self.second or not self.is_split

    @property
    def is_untold(self) -> bool:
        """Whether nothing is known of the days: their documents are not kept."""
        return self.complete_since is not None and self.complete_since > self.span.last

    @property
    def is_partial(self) -> bool:
        """Whether documents of the days that are compared may be missing."""
        return self.complete_since is None or self.complete_since > self.span.first_before

    def question(self) -> Ask:
        return Ask(self.line, int(self.second))

    def buttons(self) -> Sequence[Button]:
        of_sales = (
            (self.sales and self.sales.late, phrase("Late orders"), "/order late"),
            (self.invoices and self.invoices.overdue, phrase("Overdue invoices"), "/invoice overdue"),
        )
        of_purchases = (
            (self.purchases and self.purchases.late, phrase("Late purchase orders"), "/po late"),
            (self.purchases and self.purchases.waiting, phrase("To approve"), "/po pending"),
            (self.payables and self.payables.overdue, phrase("Overdue bills"), "/bill overdue"),
            (self.production and self.production.late, phrase("Late production"), "/mo late"),
        )
        lists = (*(of_sales if self.shows_sales else ()), *(of_purchases if self.shows_purchases else ()))
        leads = [Button(label, Ask(line)) for count, label, line in lists if count]
        others = [Button(label, Ask(line)) for line, label in _OTHERS if line != self.line]
        files = export_buttons(self.line) if self.as_of is not None else []
        return (*self._other_card(), *leads, *self._chart_buttons(), *files, *self._comparisons(), *others)

    def _other_card(self) -> Sequence[Button]:
        if not self.is_split:
            return []
        if self.second:
            return [Button(phrase("Sales and receipts"), Ask(self.line))]
        return [Button(phrase("Purchases and production"), Ask(self.line, 1))]

    def _comparisons(self) -> Sequence[Button]:
        """Return the button that compares the same days with others."""
        if self.as_of is None or not self.said:
            return []
        if self.against is PeriodComparison.LAST_YEAR:
            return [Button(phrase("Against the days before"), Ask(f"/report {self.said}"))]
        return [Button(phrase("Against last year"), Ask(f"/report {self.said} {PeriodComparison.LAST_YEAR}"))]

    def _chart_buttons(self) -> Sequence[Button]:
        """Return the button of the chart, which shows nothing but amounts: what is hidden has none."""
        shown = self.as_of is not None and self.sales and any(each.now.amount for each in self.sales.ordered.sums)
        return [Button(phrase("Chart"), Ask(f"/chart sales {self.said}".rstrip()))] if shown else []

    def table(self) -> Table:
        headings = (phrase("Area"), phrase("Figure"), phrase("In these days"), phrase("Before"))
        return Table.of_values(headings, tuple(_rows(self)), self.as_of)


_Row = tuple[object, ...]
_NOT_KNOWN = phrase("not known")


def _rows(view: ReportView) -> Iterator[_Row]:
    """Return the figures of a report one by one: the area, what it is, now, and in the days before."""
    yield "", phrase("First day"), view.span.first, view.span.first_before
    yield "", phrase("Last day"), view.span.last, view.span.last_before
    if sales := view.sales:
        yield from _turnover(Area.SALES, phrase("Orders"), sales.ordered, untold=view.is_untold)
        yield Area.SALES, phrase("Late now"), sales.late, None
    if invoices := view.invoices:
        yield from _turnover(Area.FINANCE, phrase("Invoiced"), invoices.invoiced, untold=view.is_untold)
        if not view.is_untold:
            yield from _amounts(Area.FINANCE, phrase("Of this paid so far"), invoices.paid)
        yield from _amounts(Area.FINANCE, phrase("Total open"), invoices.owed)
        yield Area.FINANCE, phrase("Overdue now"), invoices.overdue, None
        for bucket in invoices.ageing:
            age = name_age(bucket)
            yield Area.FINANCE, age, bucket.count, None
            yield from _amounts(Area.FINANCE, age, bucket.sums)
    if receipts := view.receipts:
        yield from _turnover(Area.FINANCE, phrase("Received from customers"), receipts, untold=view.is_untold)
    if purchases := view.purchases:
        yield from _turnover(Area.PURCHASING, phrase("Purchases"), purchases.ordered, untold=view.is_untold)
        yield Area.PURCHASING, phrase("Late now"), purchases.late, None
        yield Area.PURCHASING, phrase("To approve now"), purchases.waiting, None
    if payables := view.payables:
        yield from _turnover(Area.PURCHASING, phrase("Billed by vendors"), payables.billed, untold=view.is_untold)
        yield from _amounts(Area.PURCHASING, phrase("Total to pay"), payables.owed)
        yield Area.PURCHASING, phrase("Overdue bills"), payables.overdue, None
        for bucket in payables.ageing:
            age = phrase("To pay: %(age)s", age=name_age(bucket))
            yield Area.PURCHASING, age, bucket.count, None
            yield from _amounts(Area.PURCHASING, age, bucket.sums)
    if payments := view.payments:
        yield from _turnover(Area.PURCHASING, phrase("Paid to vendors"), payments, untold=view.is_untold)
    if production := view.production:
        if not view.is_untold:
            yield Area.PRODUCTION, phrase("Production due"), production.due, production.due_before
            yield Area.PRODUCTION, phrase("of which done"), production.done, production.done_before
        yield Area.PRODUCTION, phrase("Late now"), production.late, None


def _visible_sums(figures: Turnover) -> list[ComparedSum]:
    return [each for each in figures.sums if each.now is not HIDDEN]


def _turnover(area: Area, name: Phrase, figures: Turnover, *, untold: bool) -> Iterator[_Row]:
    if untold:
        yield area, name, _NOT_KNOWN, None
        return
    yield area, name, figures.count, figures.count_before
    for each in _visible_sums(figures) or figures.sums[:1]:
        yield area, name, each.now, each.before


def _amounts(area: Area, name: Phrase, sums: Sequence[SalesAmount]) -> Iterator[_Row]:
    """Return one row a currency, or a single one that says that the sums are hidden."""
    for amount in [HIDDEN] if sums is HIDDEN else sums:
        yield area, name, amount, None


@command(
    "report",
    aliases=("报表", "日报", "周报", "月报", "bb"),
    examples=("/report month", "/周报", "/报表 上个月", "/report 2026-10", "/月报 同比"),
    shows=("order", "invoice", "po", "mo"),
    changes=False,
    summary=phrase("Sales, invoices, purchases and production of a day, week or month"),
    place=20,
)
async def report(
    *,
    days: DaysOrMonth | None = None,
    which: ReportPeriod | None = None,
    against: PeriodComparison | None = None,
    erp: ErpHub,
    kept: ReadModel,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Show the figures of the areas that the asker may see."""
    today = context.today
    span, said = span_of(days, which, today, against)
    areas = [kind.area for kind in AREA_KINDS if erp.visible_sources(kind.area)]
    figures = await read_figures(kept, areas, span, today)
    coverage = figures.coverage

    withheld: set[FieldClass] = set()

    def seen(area: Area, part: T) -> T:
        """Return the figures of an area with what its own documents may show."""
        verdict = policy.decide_area(context.person, command_of(area), context.conversation.id)
        shown, classes = cut_part(part, verdict.grant.fields)
        withheld.update(classes)
        return shown

    return ReportView(
        line=f"/report {said} {against}" if against is PeriodComparison.LAST_YEAR else f"/report {said}",
        span=span,
        against=against,
        said=said,
        sales=seen(Area.SALES, figures.sales),
        invoices=seen(Area.FINANCE, figures.invoices),
        receipts=seen(Area.FINANCE, figures.receipts),
        purchases=seen(Area.PURCHASING, figures.purchases),
        payables=seen(Area.PURCHASING, figures.payables),
        payments=seen(Area.PURCHASING, figures.payments),
        production=seen(Area.PRODUCTION, figures.production),
        as_of=coverage.as_of,
        stale=coverage.is_stale(context.now),
        complete_since=coverage.complete_since,
        missing=coverage.sources_missing,
        narrowed=any(erp.hides_documents(area) for area in areas),
        withheld=frozenset(withheld),
        unknown=figures.unknown,
        silences=tuple(
            phrase("%(source)s does not tell: %(documents)s", source=source, documents=silent)
            for source, silent in erp.silent_about(figures.told).items()
        ),
        second=context.offset > 0,
        has_room=context.on_page,
    )
