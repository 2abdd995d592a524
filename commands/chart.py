"""/chart: sales or a product's stock by day, or what is overdue by its age to or from the company, as a picture."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from bot.access.policy import AccessPolicy
from bot.cards.view import View
from bot.chat.arguments import Keyword, Sku
from bot.chat.chart_views import AgeingChart, ChartView, PayablesChart, SalesChart, StockChart
from bot.chat.charts import ChartPictures
from bot.chat.conditions import ListCondition, WiderList
from bot.chat.context import QuestionContext
from bot.chat.days import Days
from bot.chat.errors import BadArgument
from bot.chat.parsing import command_line
from bot.chat.records.reader_hub import command_of
from bot.chat.registry import command
from bot.chat.report_days import ReportPeriod, span_of
from bot.erp.hub import ErpHub
from bot.erp.kinds import kind_followed
from bot.erp.model import Area, Feed, Followed
from bot.read_model.queries import Coverage, KeptAnswer, ReadModel
from bot.read_model.report import ReportSpan, read_ageing, read_payables, read_sales, split_days
from bot.read_model.stock_days import ALL_TOGETHER, StockHistory, StockOfDay, first_known, sum_up
from bot.words.disclosure import cut
from bot.words.phrase import phrase

DAYS = 30
"""Days of a chart of sales for which none are said."""
MOST_YEARS = 10


class ChartKind(Keyword, changes=False):
    """What a chart shows."""

    SALES = phrase("sales"), "销售", "销售额", "订单", "orders", "销售图", "走势图"
    AGEING = phrase("ageing"), "aging", "账龄", "逾期", "overdue", "账龄图", "应收账龄", "应收", "receivables"
    PAYABLES = phrase("payables"), "应付账龄", "应付", "应付账龄图", "payables ageing", "payables aging"
    STOCK = phrase("stock"), "库存", "库存走势", "库存图", "存量"


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeptChart:
    """A chart of kept documents: of which, and how they are read and shown."""

    documents: Followed
    read: Callable[[ReadModel, ReportSpan], Awaitable[KeptAnswer[tuple[Any, ...]]]]
    show: Callable[..., ChartView]


_KEPT = {
    ChartKind.SALES: _KeptChart(
        documents=Area.SALES,
        read=lambda kept, span: read_sales(kept, span.first, span.last),
        show=lambda days, **told: SalesChart(days=days, first=days[0].first, last=days[-1].last, **told),
    ),
    ChartKind.AGEING: _KeptChart(
        documents=Area.FINANCE,
        read=lambda kept, span: read_ageing(kept, span.last),
        show=lambda ages, **told: AgeingChart(ages=ages, **told),
    ),
    ChartKind.PAYABLES: _KeptChart(
        documents=Feed.BILLS,
        read=lambda kept, span: read_payables(kept, span.last),
        show=lambda ages, **told: PayablesChart(ages=ages, **told),
    ),
}


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
    kind = kind or ChartKind.SALES
    if kind is ChartKind.STOCK:
        if not sku:
            raise BadArgument(phrase("Say which product: /chart stock SKU123."))
        area = Area.STOCK
        view = await _stock_chart(sku, *_days_of(days, which, context.today), erp, history, context)
    else:
        if sku:
            raise BadArgument(phrase("There is no chart of “%(text)s”.", text=sku))
        if kind is not ChartKind.SALES and (days or which):
            raise BadArgument(phrase("What is overdue by age is so now: it has no days."))
        area = kind_followed(_KEPT[kind].documents).area
        view = await _kept_chart(kind, *_days_of(days, which, context.today), erp, kept, context)
    seen = cut(view, policy.decide_area(context.person, command_of(area), context.conversation.id).grant.fields)
    # A file holds no picture, and a page draws its own without a call. What is hidden or not read yet is not drawn.
    if context.on_page or context.rows is not None or view.coverage.as_of is None or not seen.has_bars:
        return seen
    picture = await pictures.picture(seen.chart, context)
    return replace(seen, picture=picture.media_id, lack=picture.lack)


async def _kept_chart(
    kind: ChartKind, span: ReportSpan, said: str, erp: ErpHub, kept: ReadModel, context: QuestionContext
) -> ChartView:
    charted, bare = _KEPT[kind], command_line("chart", kind)
    answer = await charted.read(kept, span)
    view = charted.show(
        answer.value,
        line=f"{bare} {said}".rstrip(),
        bare_line=bare,
        said=said,
        coverage=answer.coverage,
        stale=answer.coverage.is_stale(context.now),
        narrowed=erp.hides_documents(charted.documents),
        silences=erp.silences_about(charted.documents),
    )

    async def count(usual: ReportSpan) -> int:
        return sum(each.count for each in (await charted.read(kept, usual)).value)

    return await _telling_emptied(view, count, context.today)


async def _stock_chart(
    sku: str, span: ReportSpan, said: str, erp: ErpHub, history: StockHistory, context: QuestionContext
) -> ChartView:
    """Return the chart of what the asker may see of a product now: the same warehouses are told of earlier days."""
    found = await erp.stock(sku)
    level = found.value
    sources = tuple(part.source for part in found.parts) or (found.source,)
    kept = await history.days_of(sources, level.product.sku)
    places = frozenset(place.code for place in level.per_warehouse) or frozenset({ALL_TOGETHER})

    def known_in(span: ReportSpan) -> tuple[StockOfDay, ...]:
        return sum_up(kept, places, split_days(span.first, span.last))

    async def count(usual: ReportSpan) -> int:
        return len(known_in(usual))

    known = known_in(span)
    if span.last == context.today and level.total.on_hand is not None:
        # As it is now, not as it was when polling saw it last.
        first = known[-1].first if known else span.last
        known = (*known[:-1], StockOfDay(first=first, last=span.last, on_hand=level.total.on_hand))
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
    return await _telling_emptied(view, count, context.today)


def _usual_days(today: date) -> ReportSpan:
    return ReportSpan.of(today - timedelta(days=DAYS - 1), today, today)


def _days_of(days: Days | None, which: ReportPeriod | None, today: date) -> tuple[ReportSpan, str]:
    """Return the days that are meant, and how they are typed; none are the last `DAYS`."""
    if not (days or which):
        return _usual_days(today), ""
    span, said = span_of(days, which, today)
    if (span.last - span.first).days > MOST_YEARS * 366:
        raise BadArgument(phrase("A chart shows at most %(num)d years.", num=MOST_YEARS))
    return span, said


async def _telling_emptied(view: ChartView, count: Callable[[ReportSpan], Awaitable[int]], today: date) -> ChartView:
    """Return a chart that says, where its days have nothing, what the usual ones have."""
    if not view.said or view.listed or not (total := await count(_usual_days(today))):
        return view
    return view.emptied_also(WiderList(by=frozenset({ListCondition.DAYS}), total=total))
