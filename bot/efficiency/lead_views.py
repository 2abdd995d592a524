"""Views of lead times: all steps, one step by partner, and the documents of a step one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar

from bot.cards.actions import Ask
from bot.cards.tables import Table
from bot.cards.view import Button
from bot.chat.parsing import command_line
from bot.chat.view_parts import ExportedListView, document_buttons, table_of_lines
from bot.efficiency.figures import month_before
from bot.efficiency.lead_times import LeadCase, LeadFigures, Step
from bot.erp.model import PartnerName
from bot.read_model.queries import Coverage
from bot.words.columns import Column
from bot.words.phrase import Phrase, phrase

COMMAND = "leadtimes"
_DAY = timedelta(days=1)


def name_step(step: Step) -> Phrase:
    """Return what a step is called: by the documents at its ends."""
    if step.is_own:
        return phrase("%(documents)s: start to finish", documents=step.start.words.many)
    return phrase("%(start)s → %(end)s", start=step.start.words.many, end=step.end.words.many)


def lead_line(*words: str) -> str:
    """Return a line of this command."""
    return command_line(COMMAND, *filter(None, words))


def in_days(time: timedelta | None) -> Decimal | None:
    """Return a time in days, as a median has them: whole or with a half."""
    return None if time is None else (Decimal(time // timedelta(hours=12)) / 2).normalize().quantize(_place(time))


def _place(time: timedelta) -> Decimal:
    return Decimal(1) if not time % _DAY else Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadLine:
    """The figures of one step, of one partner in a step, or of another month; ``label`` or ``partner`` names it.

    ``before`` and ``year_before`` are the medians of the month before and of the same month a year before. ``waiting``
    counts what has not ended yet, None where that is not known. ``opens`` is the line that shows more of it.
    """

    label: Phrase | None = None
    partner: PartnerName = ""
    figures: LeadFigures
    before: timedelta | None = None
    year_before: timedelta | None = None
    waiting: int | None = None
    untold: tuple[str, ...] = ()
    is_slowest: bool = False
    opens: str = ""

    @property
    def name(self) -> Phrase | str:
        """What it is about."""
        return self.label or self.partner

    @property
    def median(self) -> Decimal | None:
        """In days."""
        return in_days(self.figures.median)

    @property
    def ninetieth(self) -> Decimal | None:
        """In days."""
        return in_days(self.figures.ninetieth)

    @property
    def worked(self) -> Decimal | None:
        """In working days."""
        return in_days(self.figures.worked)

    @property
    def median_before(self) -> Decimal | None:
        """In days."""
        return in_days(self.before)

    @property
    def median_year_before(self) -> Decimal | None:
        """In days."""
        return in_days(self.year_before)


_FIGURES = (
    Column(phrase("Count"), lambda row: row.figures.count),
    Column(phrase("Median (days)"), "median"),
    Column(phrase("90% within (days)"), "ninetieth"),
    Column(phrase("Median (working days)"), "worked"),
    Column(phrase("Late (%)"), lambda row: row.figures.late),
)
_STEPS = (
    Column(phrase("Step"), "name"),
    *_FIGURES,
    Column(phrase("Month before (days)"), "median_before"),
    Column(phrase("A year before (days)"), "median_year_before"),
    Column(phrase("Wait now"), "waiting"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadView(ExportedListView):
    """Base of what is told of lead times: of what its reader may see, and how complete it is.

    ``narrowed``: there are documents that the reader may not see. ``since``: from then on documents are looked at.
    """

    opens_rows: ClassVar[bool] = False
    tabled: ClassVar[bool] = True

    coverage: Coverage
    stale: bool
    narrowed: bool
    silences: tuple[Phrase, ...] = ()
    since: date

    @property
    def is_partial(self) -> bool:
        """Whether documents of the time that is looked at may be missing."""
        return not self.coverage.is_complete_from(self.since)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadTimes(LeadView):
    """The figures of a month: of all steps, or of ``step`` by partner."""

    card: ClassVar[str] = "lead_times"

    rows: tuple[LeadLine, ...]
    month: date
    step: Phrase | None = None
    slowest: Phrase | None = None
    leads: tuple[tuple[str, Phrase], ...] = ()
    """Lines that show more of it, with their names."""

    @property
    def of_month(self) -> str:
        """The month as lines name it."""
        return f"{self.month:%Y-%m}"

    def row_lines(self) -> Sequence[str]:
        return [row.opens for row in self.rows]

    def buttons(self) -> Sequence[Button]:
        leads = [Button(name, Ask(line)) for line, name in self.leads]
        earlier = self.line.replace(self.of_month, f"{month_before(self.month):%Y-%m}")
        return (*self.page_buttons(), *leads, Button(phrase("Month before"), Ask(earlier)), *self.file_buttons())

    def table(self) -> Table:
        return table_of_lines(_STEPS, self, as_of=self.coverage.as_of)


_CASES = (
    Column(phrase("Number"), "number"),
    Column(phrase("Partner or product"), lambda case: case.partner),
    Column(phrase("Began"), "began"),
    Column(phrase("Ended"), "ended"),
    Column(phrase("Promised"), "due"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadCases(LeadView):
    """The documents of steps, those that took longest first: what ended in a month, or what waits now."""

    card: ClassVar[str] = "lead_cases"
    opens_rows: ClassVar[bool] = True
    page_size: ClassVar[int] = 8

    rows: tuple[LeadCase, ...]
    today: date
    steps: tuple[Phrase, ...]
    month: date | None = None
    """None: what waits now."""
    began: date | None = None
    """Of what waits, only what began in this month; None for all."""
    unknown: bool = False
    """What waits cannot be told: the reader may not see all that ends the step."""

    @property
    def of_month(self) -> str:
        """The month as lines name it."""
        month = self.month or self.began
        return f"{month:%Y-%m}" if month else ""

    def row_lines(self) -> Sequence[str]:
        return [command_line(row.command, row.number, books=row.books) for row in self.rows]

    def row_buttons(self) -> Sequence[Button]:
        return [button for row in self.rows for button in document_buttons(row.command, [(row.number, row.books)])]

    def table(self) -> Table:
        days = Column(phrase("Days"), lambda case: case.days(self.today))
        return table_of_lines((*_CASES, days), self, as_of=self.coverage.as_of)
