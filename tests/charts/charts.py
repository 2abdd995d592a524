"""Charts that tests draw."""

from __future__ import annotations

from decimal import Decimal

from bot.cards.language import load_languages
from bot.charts.chart import Chart, ChartBar, ChartForm, ChartPanel
from bot.charts.drawing import draw_chart
from bot.erp.model import Money

LANGUAGES = load_languages()


def columns(*values: str, name: str = "11月{}日") -> Chart:
    """Return columns of these amounts, named by their number."""
    bars = tuple(
        ChartBar(name=name.format(number), value=Decimal(value), text=LANGUAGES["zh_CN"].money(_yuan(value)))
        for number, value in enumerate(values, 1)
    )
    return Chart(form=ChartForm.COLUMNS, panels=(ChartPanel(title="每日订单金额（CNY）", bars=bars),))


def rows(**values: str) -> Chart:
    """Return rows of these amounts."""
    bars = tuple(
        ChartBar(name=name, value=Decimal(value), text=LANGUAGES["zh_CN"].money(_yuan(value)), note="2 张")
        for name, value in values.items()
    )
    return Chart(form=ChartForm.ROWS, panels=(ChartPanel(title="逾期金额（CNY）", bars=bars),))


def drawn(chart: Chart, language: str = "zh_CN") -> str:
    """Return the SVG of a chart."""
    return draw_chart(chart, LANGUAGES[language].compact)


def _yuan(amount: str) -> Money:
    return Money(Decimal(amount), "CNY")
