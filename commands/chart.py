"""/chart: sales or a product's stock by day, or what is overdue by its age to or from the company, as a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeVar

from bot.access.policy import AccessPolicy
from bot.cards.actions import Ask
from bot.cards.language import UNKNOWN_VALUE, Language
from bot.cards.tables import Table
from bot.cards.view import Button, Label, View
from bot.charts.chart import Chart, ChartBar, ChartForm, ChartPanel
from bot.chat.arguments import Keyword, Sku
from bot.chat.charts import CALLS, ChartPictures, MissingPicture
from bot.chat.conditions import Emptied, ListCondition
from bot.chat.context import QuestionContext
from bot.chat.days import Days
from bot.chat.errors import BadArgument
from bot.chat.parsing import command_line
from bot.chat.records.reader_hub import command_of
from bot.chat.registry import command
from bot.chat.report_days import ReportPeriod, name_age, span_of
from bot.chat.view_parts import EmptiedList, export_buttons
from bot.erp.hub import ErpHub
from bot.erp.model import Area, Feed, Followed, Money, Product, SalesAmount, StockLevel
from bot.read_model.queries import Coverage, KeptAnswer, ReadModel
from bot.read_model.report import (
    AgeingBucket,
    PayableBucket,
    ReportSpan,
    SalesOfDays,
    read_ageing,
    read_payables,
    read_sales,
    split_days,
)
from bot.read_model.stock_days import ALL_TOGETHER, StockHistory, StockOfDay, first_known, sum_up
from bot.words.disclosure import HIDDEN, FieldClass, cut
from bot.words.phrase import Phrase, phrase

DAYS = 30
"""Days of a chart of sales for which none are said."""
MOST_YEARS = 10
MOST_CURRENCIES = 3
"""Panels of one picture; the sums of all currencies are in the text."""


class ChartKind(Keyword, changes=False):
    """What a chart shows."""

    SALES = phrase("sales"), "销售", "销售额", "订单", "orders", "销售图", "走势图"
    AGEING = phrase("ageing"), "aging", "账龄", "逾期", "overdue", "账龄图", "应收账龄", "应收", "receivables"
    PAYABLES = phrase("payables"), "应付账龄", "应付", "应付账龄图", "payables ageing", "payables aging"
    STOCK = phrase("stock"), "库存", "库存走势", "库存图", "存量"


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
    emptied: tuple[Emptied, ...] = ()
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

    @property
    def has_bars(self) -> bool:
        """Whether there is something to draw that the reader may see."""
        return self.sums is not HIDDEN and bool(self.sums)

    def buttons(self) -> Sequence[Button]:
        again = [Button(phrase("Show the picture"), Ask(self.line))] if self.lack is MissingPicture.COMING else []
        others = [Button(label, Ask(line)) for line, label in _OTHERS if line != self.line]
        files = export_buttons(self.line) if self.coverage.as_of is not None else []
        return (*again, *self.widening_buttons(), *files, *others)

    @property
    def sums(self) -> tuple[SalesAmount, ...]:
        """What it comes to in all, in each currency."""
        raise NotImplementedError

    def chart(self, language: Language) -> Chart:
        """Return what the picture shows, in the words of a language."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesChart(ChartView):
    """What was ordered day by day, or month by month."""

    card: ClassVar[str] = "sales_chart"

    first: date
    last: date
    days: tuple[SalesOfDays, ...]

    @property
    def is_partial(self) -> bool:
        """Whether documents of these days may be missing."""
        return not self.coverage.is_complete_from(self.first)

    @property
    def is_untold(self) -> bool:
        return not self.coverage.tells_until(self.last)

    @property
    def listed(self) -> int:
        return self.count

    @property
    def sums(self) -> tuple[SalesAmount, ...]:
        return _totals(each.sums for each in self.days)

    @property
    def count(self) -> int:
        """How many orders that were."""
        return sum(each.count for each in self.days)

    @property
    def busy_days(self) -> tuple[SalesOfDays, ...]:
        """The days on which something was ordered, the newest first."""
        return tuple(each for each in reversed(self.days) if each.count)

    def table(self) -> Table:
        rows = [(each.first, each.last, count, amount) for each in self.days for count, amount in _counted(each)]
        headings = (phrase("First day"), phrase("Last day"), phrase("Orders"), phrase("Amount"))
        return _table(headings, rows, self.coverage.as_of)

    def chart(self, language: Language) -> Chart:
        return Chart(form=ChartForm.COLUMNS, panels=_panels(self.days, self._title, self._name, language))

    @property
    def _by_day(self) -> bool:
        return all(each.first == each.last for each in self.days)

    def _title(self, currency: str) -> Phrase:
        if self._by_day:
            return phrase("Ordered by day (%(currency)s)", currency=currency)
        return phrase("Ordered by month (%(currency)s)", currency=currency)

    def _name(self, each: SalesOfDays, language: Language) -> str:
        return language.day(each.first) if self._by_day else language.month(each.first)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingChart(ChartView):
    """What is overdue, by how long."""

    card: ClassVar[str] = "ageing_chart"
    counted: ClassVar[Phrase] = phrase("Invoices")

    ages: tuple[AgeingBucket, ...]

    @property
    def listed(self) -> int:
        return self.count

    @property
    def sums(self) -> tuple[SalesAmount, ...]:
        return _totals(each.sums for each in self.ages)

    @property
    def count(self) -> int:
        """How many invoices that are."""
        return sum(each.count for each in self.ages)

    def table(self) -> Table:
        rows = [(name_age(each), count, amount) for each in self.ages for count, amount in _counted(each)]
        return _table((phrase("Overdue for"), self.counted, phrase("Amount")), rows, self.coverage.as_of)

    def chart(self, language: Language) -> Chart:
        return Chart(form=ChartForm.ROWS, panels=_panels(self.ages, _ageing_title, _age_in, language))


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
class _AgedDocuments:
    """What is charted by its age: its documents, the area whose rules bind them, how they are read and shown."""

    documents: Followed
    area: Area
    read: Callable[[ReadModel, date], Awaitable[KeptAnswer[tuple[Any, ...]]]]
    view: type[AgeingChart]


_RECEIVABLES = _AgedDocuments(documents=Area.FINANCE, area=Area.FINANCE, read=read_ageing, view=AgeingChart)
_PAYABLES = _AgedDocuments(documents=Feed.BILLS, area=Area.PURCHASING, read=read_payables, view=PayablesChart)


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
    def sums(self) -> tuple[SalesAmount, ...]:
        return ()

    @property
    def has_bars(self) -> bool:
        return any(each.on_hand is not HIDDEN for each in self.days)

    @property
    def changes(self) -> tuple[StockOfDay, ...]:
        """The days on which it changed, the newest first."""
        before: list[StockOfDay | None] = [None, *self.days]
        changed = [
            each for each, last in zip(self.days, before, strict=False) if last is None or each.on_hand != last.on_hand
        ]
        return tuple(reversed(changed))

    def buttons(self) -> Sequence[Button]:
        again = [Button(phrase("Show the picture"), Ask(self.line))] if self.lack is MissingPicture.COMING else []
        stock = Button(phrase("Stock"), Ask(command_line("stock", self.product.sku)))
        return (*again, *self.widening_buttons(), stock, *export_buttons(self.line))

    def table(self) -> Table:
        product = self.product
        rows = [(product.sku, product.name, each.first, each.last, each.on_hand, product.unit) for each in self.days]
        headings = (
            *(phrase("Product"), phrase("Name"), phrase("First day"), phrase("Last day"), phrase("On hand")),
            phrase("Unit"),
        )
        return _table(headings, rows, self.coverage.as_of)

    def chart(self, language: Language) -> Chart:
        by_day = all(each.first == each.last for each in self.days)
        title = phrase("On hand (%(unit)s)", unit=self.product.unit or UNKNOWN_VALUE)
        bars = tuple(
            ChartBar(
                name=language.day(each.last) if by_day else language.month(each.last),
                value=each.on_hand,
                text=language.number(each.on_hand),
            )
            for each in self.days
        )
        return Chart(form=ChartForm.COLUMNS, panels=(ChartPanel(title=language.say(title), bars=bars),))


def _ageing_title(currency: str) -> Phrase:
    return phrase("Overdue (%(currency)s)", currency=currency)


def _age_in(bucket: AgeingBucket, language: Language) -> str:
    return language.say(name_age(bucket))


def _totals(sums: Iterable[tuple[SalesAmount, ...]]) -> tuple[SalesAmount, ...]:
    found: dict[str, Decimal] = {}
    for each in sums:
        if each is HIDDEN:
            return HIDDEN
        for money in each:
            found[money.currency] = found.get(money.currency, Decimal()) + money.amount
    return tuple(Money(amount, currency) for currency, amount in sorted(found.items()))


def _currencies(sums: Iterable[tuple[SalesAmount, ...]]) -> list[str]:
    """Return the currencies to draw, those of the most bars first; none where amounts are hidden."""
    counted = Counter(money.currency for each in sums for money in each)
    return [currency for currency, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))][:MOST_CURRENCIES]


_Part = TypeVar("_Part", SalesOfDays, AgeingBucket)
_Chart = TypeVar("_Chart", bound=ChartView)


def _panels(
    parts: Sequence[_Part],
    title: Callable[[str], Phrase],
    name: Callable[[_Part, Language], str],
    language: Language,
) -> tuple[ChartPanel, ...]:
    """Return one panel a currency, with a bar for each part."""

    def bar(part: _Part, currency: str) -> ChartBar:
        amount = next((money.amount for money in part.sums if money.currency == currency), Decimal())
        return ChartBar(name=name(part, language), value=amount, text=language.money(Money(amount, currency)))

    return tuple(
        ChartPanel(
            title=language.say(title(currency or UNKNOWN_VALUE)), bars=tuple(bar(part, currency) for part in parts)
        )
        for currency in _currencies(part.sums for part in parts)
    )


def _counted(each: SalesOfDays | AgeingBucket) -> Iterator[tuple[int | None, object]]:
    """Yield what the rows of a file show of some days: one a currency, one without an amount, or one that is hidden.

    Only the first has the count: who adds up the column counts nothing twice.
    """
    amounts: tuple[object, ...] = (HIDDEN,) if each.sums is HIDDEN else (each.sums or (None,))
    for number, amount in enumerate(amounts):
        yield None if number else each.count, amount


def _table(headings: tuple[Phrase, ...], rows: Sequence[tuple[object, ...]], as_of: datetime | None) -> Table:
    return Table(
        headings=headings, rows=tuple(rows), keys=tuple(map(str, range(len(rows)))), total=len(rows), as_of=as_of
    )


@command(
    "chart",
    aliases=("图表", "tb", "走势图", "销售图", "账龄图"),
    examples=("/chart sales", "/图表 销售 上个月", "/chart ageing", "/图表 应付账龄", "/chart stock SKU123"),
    shows=("stock", "order", "invoice", "po"),
    changes=False,
    summary=phrase("Sales or stock by day, or the ageing of receivables or payables, as a picture for one call more"),
    place=21,
)
async def chart(
    sku: Sku | None = None,
    *,
    kind: ChartKind | None = None,
    days: Days | None = None,
    which: ReportPeriod | None = None,
    erp: ErpHub,
    kept: ReadModel,
    history: StockHistory,
    policy: AccessPolicy,
    pictures: ChartPictures,
    context: QuestionContext,
) -> View:
    """Show a chart of what the asker may see; without the right to amounts there is no picture."""
    if kind is ChartKind.STOCK:
        if not sku:
            raise BadArgument(phrase("Say which product: /chart stock SKU123."))
        stocked = await _stock_chart(sku, days, which, erp, history, context)
        seen = policy.decide_area(context.person, "stock", context.conversation.id).grant.fields
        return await _illustrated(stocked, seen, pictures, context)
    if sku:
        raise BadArgument(phrase("There is no chart of “%(text)s”.", text=sku))
    if kind in {None, ChartKind.SALES}:
        today, bare = context.today, command_line("chart", ChartKind.SALES)
        span, said = _days_of(days, which, today)
        sales = await read_sales(kept, span.first, span.last)

        async def count() -> int:
            usual, _ = _days_of(None, None, today)
            return sum(each.count for each in (await read_sales(kept, usual.first, usual.last)).value)

        view: ChartView = SalesChart(
            line=f"{bare} {said}".rstrip(),
            bare_line=bare,
            said=said,
            first=span.first,
            last=span.last,
            days=sales.value,
            coverage=sales.coverage,
            stale=sales.coverage.is_stale(context.now),
            narrowed=erp.hides_documents(Area.SALES),
            silences=erp.silences_about(Area.SALES),
        )
        view = await _telling_emptied(view, count)
        return await _illustrated(view, _fields(policy, context, Area.SALES), pictures, context)
    if days or which:
        raise BadArgument(phrase("What is overdue by age is so now: it has no days."))
    aged = _PAYABLES if kind is ChartKind.PAYABLES else _RECEIVABLES
    ages = await aged.read(kept, context.today)
    view = aged.view(
        line=command_line("chart", kind),
        ages=ages.value,
        coverage=ages.coverage,
        stale=ages.coverage.is_stale(context.now),
        narrowed=erp.hides_documents(aged.documents),
        silences=erp.silences_about(aged.documents),
    )
    return await _illustrated(view, _fields(policy, context, aged.area), pictures, context)


async def _stock_chart(
    sku: str,
    days: Days | None,
    which: ReportPeriod | None,
    erp: ErpHub,
    history: StockHistory,
    context: QuestionContext,
) -> StockChart:
    """Return the chart of what the asker may see of a product now: the same warehouses are told of earlier days."""
    today = context.today
    span, said = _days_of(days, which, today)
    found = await erp.stock(sku)
    level = found.value
    sources = tuple(part.source for part in found.parts) or (found.source,)
    kept = await history.days_of(sources, level.product.sku)
    known = sum_up(kept, _places_shown(level), split_days(span.first, span.last))
    if span.last == today and level.total.on_hand is not None:
        # As it is now, not as it was when polling saw it last.
        first = known[-1].first if known else today
        known = (*known[:-1], StockOfDay(first=first, last=today, on_hand=level.total.on_hand))
    bare = command_line("chart", ChartKind.STOCK, level.product.sku)
    view = StockChart(
        line=f"{bare} {said}".rstrip(),
        bare_line=bare,
        said=said,
        product=level.product,
        first=span.first,
        last=span.last,
        days=known,
        since=first_known(kept),
        coverage=Coverage(as_of=level.as_of, complete_since=span.first),
        stale=found.stale,
        narrowed=erp.narrows(Area.STOCK),
    )

    async def count() -> int:
        usual, _ = _days_of(None, None, today)
        return len(sum_up(kept, _places_shown(level), split_days(usual.first, usual.last)))

    return await _telling_emptied(view, count)


def _places_shown(level: StockLevel) -> frozenset[str]:
    return frozenset(place.code for place in level.per_warehouse) or frozenset({ALL_TOGETHER})


def _days_of(days: Days | None, which: ReportPeriod | None, today: date) -> tuple[ReportSpan, str]:
    """Return the days that are meant, and how they are typed; none are the last `DAYS`."""
    if not (days or which):
        return ReportSpan.of(today - timedelta(days=DAYS - 1), today, today), ""
    span, said = span_of(days, which, today)
    if (span.last - span.first).days > MOST_YEARS * 366:
        raise BadArgument(phrase("A chart shows at most %(num)d years.", num=MOST_YEARS))
    return span, said


async def _telling_emptied(view: _Chart, count: Callable[[], Awaitable[int]]) -> _Chart:
    """Return a chart that says, where its days have nothing, what the usual ones have."""
    if not view.said or view.listed or not (total := await count()):
        return view
    return view.emptied_also(Emptied(by=frozenset({ListCondition.DAYS}), total=total))


def _fields(policy: AccessPolicy, context: QuestionContext, area: Area) -> frozenset[FieldClass]:
    return policy.decide_area(context.person, command_of(area), context.conversation.id).grant.fields


async def _illustrated(
    view: ChartView, fields: frozenset[FieldClass], pictures: ChartPictures, context: QuestionContext
) -> View:
    """Return a chart with its picture, which is drawn of what the asker may see alone."""
    seen = cut(view, fields)
    # A file holds figures and no picture; what is hidden is not drawn, nor what is not read yet.
    if context.rows is not None or view.coverage.as_of is None or not seen.has_bars:
        return seen
    picture = await pictures.picture(seen.chart, context)
    return replace(seen, picture=picture.media_id, lack=picture.lack)
