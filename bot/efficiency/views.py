"""Views of the figures: of decisions, of alerts, and of questions; each a month, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar

from bot.approvals.plan import VoteWay, label_rule
from bot.cards.actions import Ask
from bot.cards.language import Language
from bot.cards.tables import Table
from bot.cards.view import Button, Label, ListView
from bot.charts.chart import Chart, ChartBar, ChartForm, ChartPanel
from bot.chat.parsing import command_line
from bot.chat.report_days import WEEKDAYS
from bot.chat.view_parts import export_buttons, table_of_lines
from bot.efficiency.figures import AlertFigures, DecisionFigures, DividedBy, month_before, took
from bot.efficiency.findings import (
    CARD,
    IGNORED,
    LATE,
    LEAST_CASES,
    LEAST_ORDERS,
    LOOKING_UP,
    MANY_ASK,
    MONTHS,
    SLOW,
    UNCHANGED,
    WEEKS,
)
from bot.efficiency.speeds import Speed
from bot.efficiency.waits import AMOUNT_STEPS, IN_THE_ERP
from bot.erp.kinds import decided_kind
from bot.words.columns import Column
from bot.words.phrase import Phrase, phrase

_TENTH = Decimal("0.1")

_WAYS: Mapping[str, Phrase] = MappingProxyType(
    {
        VoteWay.CARD.value: phrase("On a card"),
        VoteWay.TYPED.value: phrase("Typed"),
        VoteWay.PAGE.value: phrase("On a page"),
        VoteWay.APP.value: phrase("In DingTalk's approvals"),
        IN_THE_ERP: phrase("Decided in the ERP"),
        "": phrase("Way not noted"),
    }
)


def _took(time: timedelta | None) -> Phrase | None:
    return None if time is None else took(time)


def _hours(time: timedelta) -> Decimal:
    return (Decimal(time // timedelta(seconds=1)) / 3600).quantize(_TENTH)


def _in_hours(time: timedelta | None) -> Decimal | None:
    return None if time is None else _hours(time)


def _say(language: Language, label: Label) -> str:
    return language.say(label) if isinstance(label, Phrase) else label


def name_group(by: DividedBy, name: object) -> Label:
    """Return what a group of decisions is called."""
    match by, name:
        case DividedBy.LEVEL, int(level):
            return phrase("Level %(number)s", number=str(level))
        case DividedBy.WEEKDAY, int(day):
            return WEEKDAYS[day]
        case DividedBy.WAY, str(way):
            return _WAYS.get(way, way)
        case DividedBy.KIND, str(kind):
            return decided_kind(kind).words.many
        case DividedBy.AMOUNT, (str(currency), size):
            return _name_size(currency, size)
    return label_rule(str(name))


def _name_size(currency: str, size: object) -> Phrase:
    if not isinstance(size, int):
        return phrase("Without an amount")
    if size == 0:
        return phrase("Below %(amount)s %(currency)s", amount=f"{AMOUNT_STEPS[0]:,}", currency=currency)
    return phrase("From %(amount)s %(currency)s", amount=f"{AMOUNT_STEPS[size - 1]:,}", currency=currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLine:
    """The figures of some decisions. ``heads`` names the division whose first group it is."""

    name: Label
    figures: DecisionFigures
    heads: Phrase | None = None
    waiting: int | None = None
    """Cases that wait for this person now."""

    @property
    def median(self) -> Phrase | None:
        """The median in words."""
        return _took(self.figures.median)

    @property
    def ninetieth(self) -> Phrase | None:
        """The time within which nine of ten were decided, in words."""
        return _took(self.figures.ninetieth)

    @property
    def worked(self) -> Phrase | None:
        """The median in working time, in words."""
        return _took(self.figures.worked_median)


_DECISION_COLUMNS = (
    Column(phrase("Decisions"), "name"),
    Column(phrase("Count"), lambda row: row.figures.count),
    Column(phrase("Median (h)"), lambda row: _in_hours(row.figures.median)),
    Column(phrase("90% within (h)"), lambda row: _in_hours(row.figures.ninetieth)),
    Column(phrase("Median in working time (h)"), lambda row: _in_hours(row.figures.worked_median)),
    Column(phrase("90% within, working time (h)"), lambda row: _in_hours(row.figures.worked_ninetieth)),
    Column(phrase("In time (%)"), lambda row: row.figures.in_time),
    Column(phrase("Approved (%)"), lambda row: row.figures.approved),
    Column(phrase("Changed afterwards (%)"), lambda row: row.figures.changed),
    Column(phrase("Asked back (%)"), lambda row: row.figures.asked),
)
_WAITING = Column(phrase("Wait now"), "waiting")


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """A finding as its reader sees it. ``effect`` is what a rehearsal found, or why there was none.

    Without ``evidence`` no line lists its cases.

    ``remedy`` is the change that ``url`` has as a draft, both for those who may change rules, or that sending ``line``
    makes; ``by_others``: there is one, and somebody else may make it.
    """

    number: int
    seen: Phrase
    reason: Phrase
    evidence: str
    effect: Phrase | None
    remedy: Phrase | None
    by_others: bool
    url: str = ""
    line: str = ""

    def buttons(self) -> Sequence[Button]:
        """Return the button of the remedy, if there is one."""
        if self.line:
            return [Button(phrase("Subscribe for %(number)s", number=str(self.number)), Ask(self.line))]
        return [Button(phrase("Change for %(number)s", number=str(self.number)), self.url)] if self.url else []


@dataclass(frozen=True, slots=True, kw_only=True)
class EfficiencyFindings(ListView):
    """What costs time, the most expensive first, each with what would change it."""

    card: ClassVar[str] = "efficiency_findings"
    page_size: ClassVar[int] = 3
    tells_of_asker: ClassVar[bool] = True
    opens_rows: ClassVar[bool] = False

    rows: tuple[FindingLine, ...]
    folded: bool = False
    predictions: tuple[Phrase, ...] = ()
    """What became of changes that findings led to, the newest first; for pages."""

    @property
    def bounds(self) -> tuple[Phrase, ...]:
        """From when on something is a finding, in words."""
        return (
            phrase(
                "Looked at: the last %(months)s full months. A finding has %(cases)s cases in them at least.",
                months=str(MONTHS),
                cases=str(LEAST_CASES),
            ),
            phrase(
                "A level is slow if half of its decisions take %(hours)s h or more, and %(share)s%% of all approve what"
                " stays unchanged.",
                hours=str(SLOW // timedelta(hours=1)),
                share=str(UNCHANGED),
            ),
            phrase("A rule is noise if nobody takes up %(share)s%% of its alerts.", share=str(IGNORED)),
            phrase(
                "A vendor is slow if %(share)s%% of %(count)s orders or more came after the promised day.",
                share=str(LATE),
                count=str(LEAST_ORDERS),
            ),
            phrase(
                "A line could come by itself if %(people)s people or more asked it by hand in the same hour of the same"
                " weekday, in %(weeks)s weeks of the last month.",
                people=str(MANY_ASK),
                weeks=str(WEEKS),
            ),
            phrase(
                "A word is missing if %(people)s people or more asked the same sentence in the last month, and were not"
                " understood; each time counts as %(minutes)s minutes.",
                people=str(MANY_ASK),
                minutes=str(LOOKING_UP // timedelta(minutes=1)),
            ),
            phrase(
                "The most expensive come first: the hours that orders wait or goods come late, %(minutes)s minutes for"
                " each card that nobody needed, and one for each question.",
                minutes=str(CARD // timedelta(minutes=1)),
            ),
        )

    def row_buttons(self) -> Sequence[Button]:
        cases = [
            Button(phrase("Cases of %(number)s", number=str(row.number)), Ask(row.evidence))
            for row in self.rows
            if row.evidence
        ]
        return (*(button for row in self.rows for button in row.buttons()), *cases)

    def buttons(self) -> Sequence[Button]:
        return (*self.row_buttons(), *self.page_buttons(), Button(phrase("Figures"), Ask(command_line("efficiency"))))

    def table(self) -> Table:
        return table_of_lines(_FINDING_COLUMNS, self)


_FINDING_COLUMNS = (
    Column(phrase("Finding"), "seen"),
    Column(phrase("Why it matters"), "reason"),
    Column(phrase("Rehearsal"), "effect"),
    Column(phrase("Change"), "remedy"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EfficiencyView(ListView):
    """Base of the figures of one month, with buttons of the other parts and months."""

    page_size: ClassVar[int] = 12
    tells_of_asker: ClassVar[bool] = True
    opens_rows: ClassVar[bool] = False
    tabled: ClassVar[bool] = True

    month: date
    parts: tuple[tuple[str, Phrase], ...] = ()
    """The lines of the other parts that the reader may see, with their names."""

    @property
    def of_month(self) -> str:
        """The month as lines name it."""
        return f"{self.month:%Y-%m}"

    def buttons(self) -> Sequence[Button]:
        others = [Button(name, Ask(line)) for line, name in self.parts]
        before = month_before(self.month)
        earlier = self.line.replace(self.of_month, f"{before:%Y-%m}")
        months = [Button(phrase("Month before"), Ask(earlier))]
        return (*self.row_buttons(), *self.page_buttons(), *others, *months, *export_buttons(self.line))


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionEfficiency(EfficiencyView):
    """How long the decisions of a month took. ``folded``: what is about too few people is left out or put together.

    ``of_people``: each row is a person. ``own_only``: the reader may see no figures but their own; ``running``: of a
    month that has not ended. ``beside_lines`` are asked for pages, which show their answers as well.
    """

    card: ClassVar[str] = "efficiency"

    rows: tuple[DecisionLine, ...]
    folded: bool = False
    of_people: bool = False
    own_only: bool = False
    running: bool = False
    beside_lines: tuple[str, ...] = ()
    findings: tuple[FindingLine, ...] = ()
    """The first ones, in the newest month that has ended."""
    outcomes: tuple[Phrase, ...] = ()
    """What became of changes that findings led to, as far as it is news."""

    def beside(self) -> Sequence[str]:
        return self.beside_lines

    def row_buttons(self) -> Sequence[Button]:
        """Return the drafts of findings, and the month's cases, which each reader sees as far as they are for them."""
        last = month_before(self.month, -1) - timedelta(days=1)
        cases = Button(phrase("Cases"), Ask(command_line("decisions", "decided", f"{self.month}..{last}")))
        return (*(button for finding in self.findings for button in finding.buttons()), cases)

    def chart(self, language: Language) -> Chart:
        """Return the medians in hours as bars, in a panel for each division."""
        panels: list[tuple[str, list[ChartBar]]] = []
        for row in self.rows:
            if not panels or row.heads is not None:
                panels.append((language.say(row.heads or phrase("Median (h)")), []))
            if (median := row.figures.median) is not None:
                bar = ChartBar(name=_say(language, row.name), value=_hours(median), text=language.say(took(median)))
                panels[-1][1].append(bar)
        drawn = (ChartPanel(title=title, bars=tuple(bars)) for title, bars in panels if bars)
        return Chart(form=ChartForm.ROWS, panels=tuple(drawn))

    def table(self) -> Table:
        columns = (*_DECISION_COLUMNS, _WAITING) if self.of_people else _DECISION_COLUMNS
        return table_of_lines(columns, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLine:
    """What became of the alerts of one rule."""

    rule: str
    figures: AlertFigures

    @property
    def acknowledged_after(self) -> Phrase | None:
        """The median in words."""
        return _took(self.figures.acknowledged_after)

    @property
    def resolved_after(self) -> Phrase | None:
        """The median in words."""
        return _took(self.figures.resolved_after)


_ALERT_COLUMNS = (
    Column(phrase("Rule"), "rule"),
    Column(phrase("Shown"), lambda row: row.figures.opened),
    Column(phrase("Acknowledged"), lambda row: row.figures.acknowledged),
    Column(phrase("Acknowledged after (h, median)"), lambda row: _in_hours(row.figures.acknowledged_after)),
    Column(phrase("Resolved"), lambda row: row.figures.resolved),
    Column(phrase("Resolved after (h, median)"), lambda row: _in_hours(row.figures.resolved_after)),
    Column(phrase("Ignored (%)"), lambda row: row.figures.ignored),
    Column(phrase("Repeated (%)"), lambda row: row.figures.repeated),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEfficiency(EfficiencyView):
    """What became of the alerts of a month, by rule, the noisiest first."""

    card: ClassVar[str] = "efficiency_alerts"

    rows: tuple[AlertLine, ...]
    folded: bool = False

    def table(self) -> Table:
        return table_of_lines(_ALERT_COLUMNS, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionLine:
    """How often a command was asked, by everybody or by one department; several commands have none to name.

    ``before`` is that of the month before: only for everybody, None if it may not be told.
    """

    command: str
    department: Label
    number: int
    before: int | None = None
    heads: bool = False
    """It is of everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentCalls:
    """DingTalk's calls for one purpose."""

    purpose: str
    calls: int


_QUESTION_COLUMNS = (
    Column(phrase("Command"), lambda row: f"/{row.command}" if row.command else ""),
    Column(phrase("Department"), "department"),
    Column(phrase("Answers"), "number"),
    Column(phrase("Month before"), "before"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionEfficiency(EfficiencyView):
    """What was asked in a month, and what it cost: only answers that show documents are recorded, so only these count.

    ``per_thousand``: the calls that a thousand such answers cost, None without any.
    """

    card: ClassVar[str] = "efficiency_questions"

    rows: tuple[QuestionLine, ...]
    folded: bool = False
    calls: tuple[SpentCalls, ...] = ()
    per_thousand: int | None = None
    speeds: tuple[Speed, ...] = ()

    def table(self) -> Table:
        return table_of_lines(_QUESTION_COLUMNS, self)


def efficiency_line(month: date, part: str = "") -> str:
    """Return the line of a month's figures."""
    return command_line("efficiency", *filter(None, (f"{month:%Y-%m}", part)))
