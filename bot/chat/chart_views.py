"""Charts of what an ERP's documents and stock tell: their bars, their sums, and their rows in a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar

from bot.cards.actions import Ask
from bot.cards.language import UNKNOWN_VALUE, Language
from bot.cards.tables import Table
from bot.cards.view import Button, Label, View
from bot.charts.chart import Chart, ChartBar, ChartForm, ChartPanel
from bot.charts.drawing import draw_chart
from bot.chat.charts import CALLS, MissingPicture
from bot.chat.conditions import ListCondition, WiderList
from bot.chat.parsing import command_line
from bot.chat.report_days import name_age
from bot.chat.view_parts import EmptiedList, export_buttons
from bot.erp.model import Money, Product, SalesAmount
from bot.read_model.queries import Coverage
from bot.read_model.report import AgeingBucket, PayableBucket, SalesOfDays
from bot.read_model.stock_days import StockOfDay
from bot.words.disclosure import HIDDEN, FieldClass
from bot.words.phrase import Phrase, phrase

MOST_CURRENCIES = 3
"""Panels of one picture; the sums of all currencies are in the text."""

_OTHERS = (
    ("/chart sales", phrase("Last 30 days")),
    ("/chart sales month", phrase("This month")),
    ("/chart sales last month", phrase("Last month")),
    ("/chart ageing", phrase("Ageing")),
    ("/chart payables", phrase("Ageing of payables")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartView(EmptiedList, View):
    """A chart: a picture, or in words why there is none, and its sums; ``said`` are its days as the line says them."""

    command: ClassVar[str] = "chart"

    line: str
    """The line that gives the same chart."""
    bare_line: str = ""
    """The line for the days of such a chart where it says none."""
    said: str = ""
    emptied: tuple[WiderList, ...] = ()
    silences: tuple[Phrase, ...] = ()
    """Name the sources that do not tell what it shows."""
    coverage: Coverage
    stale: bool
    narrowed: bool
    """There are documents that the reader may not see, which do not count."""
    picture: Annotated[str, FieldClass.AMOUNT] = ""
    """Its media id: whoever has it sees all amounts."""
    lack: MissingPicture | None = None
    calls: int = CALLS

    def question(self) -> Ask:
        return Ask(self.line)

    @property
    def is_partial(self) -> bool:
        """Whether documents of its days may be missing."""
        return False

    @property
    def is_untold(self) -> bool:
        """Whether nothing is known of its days: their documents are not kept."""
        return False

    def typed(self) -> Mapping[ListCondition, str]:
        return {ListCondition.DAYS: self.said}

    def called(self) -> Mapping[ListCondition, Label]:
        return {}

    def line_without(self, by: frozenset[ListCondition]) -> str:
        return self.bare_line or self.line  # days and books are all that it can be without

    def buttons(self) -> Sequence[Button]:
        again = [Button(phrase("Show the picture"), Ask(self.line))] if self.lack is MissingPicture.COMING else []
        return (*again, *self.widening_buttons(), *self.leads())

    def leads(self) -> Sequence[Button]:
        """Return the buttons of its file and of other charts."""
        files = export_buttons(self.line) if self.coverage.as_of is not None else []
        return (*files, *(Button(label, Ask(line)) for line, label in _OTHERS if line != self.line))

    @property
    def has_bars(self) -> bool:
        """Whether there is something to draw that the reader may see."""
        raise NotImplementedError

    def chart(self, language: Language) -> Chart:
        """Return what the picture shows, in the words of a language."""
        raise NotImplementedError

    def drawing(self, language: Language) -> str:
        """Return the picture as SVG, for readers who need no upload; empty without anything to draw."""
        if self.coverage.as_of is None or not self.has_bars:
            return ""
        return draw_chart(self.chart(language), language.compact)


@dataclass(frozen=True, slots=True, kw_only=True)
class SummedChart(ChartView):
    """Documents by day or age: a bar for each part, in a panel for each currency."""

    @property
    def parts(self) -> Sequence[SalesOfDays | AgeingBucket]:
        """What has a bar each."""
        raise NotImplementedError

    @property
    def count(self) -> int:
        """How many documents that are."""
        return sum(each.count for each in self.parts)

    @property
    def listed(self) -> int:
        return self.count

    @property
    def sums(self) -> tuple[SalesAmount, ...]:
        """What it comes to in all, in each currency."""
        found: dict[str, Decimal] = {}
        for each in self.parts:
            if each.sums is HIDDEN:
                return HIDDEN
            for money in each.sums:
                found[money.currency] = found.get(money.currency, Decimal()) + money.amount
        return tuple(Money(amount, currency) for currency, amount in sorted(found.items()))

    @property
    def has_bars(self) -> bool:
        return bool(self.sums)

    def table_of(self, headings: tuple[Phrase, ...], named: Iterable[tuple[object, ...]]) -> Table:
        """Return a row for each currency of a part, one without an amount, or one that is hidden.

        Only the first has the count: who adds up the column counts nothing twice.
        """
        rows = [
            (*name, None if number else each.count, amount)
            for name, each in zip(named, self.parts, strict=True)
            for number, amount in enumerate([HIDDEN] if each.sums is HIDDEN else each.sums or [None])
        ]
        return Table.of_values((*headings, phrase("Amount")), rows, self.coverage.as_of)

    def chart_of(
        self, form: ChartForm, title: Callable[[str], Phrase], names: Sequence[str], language: Language
    ) -> Chart:
        """Return the picture of the currencies that the most parts have."""

        def bar(name: str, sums: Sequence[SalesAmount], currency: str) -> ChartBar:
            amount = next((money.amount for money in sums if money.currency == currency), Decimal())
            return ChartBar(name=name, value=amount, text=language.money(Money(amount, currency)))

        parts = Counter(money.currency for each in self.parts for money in each.sums)
        panels = (
            ChartPanel(
                title=language.say(title(currency or UNKNOWN_VALUE)),
                bars=tuple(bar(name, each.sums, currency) for name, each in zip(names, self.parts, strict=True)),
            )
            for currency in sorted(parts, key=lambda currency: (-parts[currency], currency))[:MOST_CURRENCIES]
        )
        return Chart(form=form, panels=tuple(panels))


def _is_by_day(days: Iterable[SalesOfDays | StockOfDay]) -> bool:
    """Return whether days are told one by one, and not by month."""
    return all(each.first == each.last for each in days)


def _names_of(days: Sequence[SalesOfDays | StockOfDay], language: Language) -> Sequence[str]:
    name = language.day if _is_by_day(days) else language.month
    return [name(each.first) for each in days]


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesChart(SummedChart):
    """What was ordered day by day, or month by month."""

    card: ClassVar[str] = "sales_chart"

    first: date
    last: date
    days: tuple[SalesOfDays, ...]

    @property
    def parts(self) -> Sequence[SalesOfDays]:
        return self.days

    @property
    def is_partial(self) -> bool:
        return not self.coverage.is_complete_from(self.first)

    @property
    def is_untold(self) -> bool:
        return not self.coverage.tells_until(self.last)

    @property
    def busy_days(self) -> tuple[SalesOfDays, ...]:
        """The days on which something was ordered, the newest first."""
        return tuple(each for each in reversed(self.days) if each.count)

    def table(self) -> Table:
        headings = (phrase("First day"), phrase("Last day"), phrase("Orders"))
        return self.table_of(headings, [(each.first, each.last) for each in self.days])

    def chart(self, language: Language) -> Chart:
        return self.chart_of(ChartForm.COLUMNS, self._title, _names_of(self.days, language), language)

    def _title(self, currency: str) -> Phrase:
        if _is_by_day(self.days):
            return phrase("Ordered by day (%(currency)s)", currency=currency)
        return phrase("Ordered by month (%(currency)s)", currency=currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingChart(SummedChart):
    """What is overdue, by how long."""

    card: ClassVar[str] = "ageing_chart"
    counted: ClassVar[Phrase] = phrase("Invoices")

    ages: tuple[AgeingBucket, ...]

    @property
    def parts(self) -> Sequence[AgeingBucket]:
        return self.ages

    def table(self) -> Table:
        return self.table_of((phrase("Overdue for"), self.counted), [(name_age(each),) for each in self.ages])

    def chart(self, language: Language) -> Chart:
        names = [language.say(name_age(each)) for each in self.ages]
        return self.chart_of(ChartForm.ROWS, _title_of_overdue, names, language)


def _title_of_overdue(currency: str) -> Phrase:
    return phrase("Overdue (%(currency)s)", currency=currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayablesChart(AgeingChart):
    """What the company owes and is overdue, by how long."""

    card: ClassVar[str] = "payables_chart"
    counted: ClassVar[Phrase] = phrase("Bills")

    ages: tuple[PayableBucket, ...]
    picture: Annotated[str, FieldClass.COST] = ""

    def buttons(self) -> Sequence[Button]:
        has_some = self.count or self.coverage.as_of is None
        overdue = [Button(phrase("Overdue bills"), Ask("/bill overdue"))] if has_some else []
        return (*overdue, *AgeingChart.buttons(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class StockChart(ChartView):
    """What lay there of a product, day by day or at the end of each month, since there are figures of it."""

    card: ClassVar[str] = "stock_chart"

    product: Product
    first: date
    last: date
    days: tuple[StockOfDay, ...]
    since: date | None
    """The first day of which there is a figure; None: today is the first."""
    picture: Annotated[str, FieldClass.QUANTITY] = ""

    @property
    def listed(self) -> int:
        return len(self.days)

    @property
    def has_bars(self) -> bool:
        return any(each.on_hand is not HIDDEN for each in self.days)

    @property
    def changes(self) -> tuple[StockOfDay, ...]:
        """The days on which it changed, the newest first."""
        before = [None, *(each.on_hand for each in self.days)]
        changed = [each for each, last in zip(self.days, before, strict=False) if each.on_hand != last]
        return tuple(reversed(changed))

    def leads(self) -> Sequence[Button]:
        stock = Button(phrase("Stock"), Ask(command_line("stock", self.product.sku)))
        return (stock, *export_buttons(self.line))

    def table(self) -> Table:
        product, days = self.product, (phrase("First day"), phrase("Last day"))
        headings = (phrase("Product"), phrase("Name"), *days, phrase("On hand"), phrase("Unit"))
        rows = [(product.sku, product.name, each.first, each.last, each.on_hand, product.unit) for each in self.days]
        return Table.of_values(headings, rows, self.coverage.as_of)

    def chart(self, language: Language) -> Chart:
        title = phrase("On hand (%(unit)s)", unit=self.product.unit or UNKNOWN_VALUE)
        bars = tuple(
            ChartBar(name=name, value=each.on_hand, text=language.number(each.on_hand))
            for name, each in zip(_names_of(self.days, language), self.days, strict=True)
        )
        return Chart(form=ChartForm.COLUMNS, panels=(ChartPanel(title=language.say(title), bars=bars),))
