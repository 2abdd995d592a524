"""What costs time, how long decisions and alerts waited, and what was asked: the answers to `/efficiency`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from aiohttp import web
from markupsafe import Markup

from bot.charts.drawing import draw_chart
from bot.chat.days import names_month_in_digits
from bot.chat.parsing import command_line
from bot.efficiency.views import DecisionEfficiency, EfficiencyFindings
from bot.web.pages.shown import ROWS, ask_address, show, status_of
from bot.web.pages.visit import Page, Visit
from bot.words.phrase import phrase

_COMMAND = "efficiency"


async def show_efficiency(visit: Visit) -> web.Response:
    """Show a month's figures, as far as somebody may see them. Opening the page counts as no question."""
    month = visit.query.get("month", "")
    words = [month] if names_month_in_digits(month) else []
    answer = await visit.glance(command_line(_COMMAND, *words), rows=ROWS)
    beside = await asyncio.gather(*(visit.glance(line, rows=ROWS) for line in answer.view.beside()))
    shown = show(visit, answer)
    return visit.draw(
        _COMMAND,
        # Its findings stand with all others.
        shown=replace(shown, body=Markup()) if shown.table else shown,
        found=next((each.view for each in beside if isinstance(each.view, EfficiencyFindings)), None),
        ask=partial(ask_address, visit),
        chart=_chart(visit, answer.view) if isinstance(answer.view, DecisionEfficiency) else "",
        month=answer.view.of_month if isinstance(answer.view, DecisionEfficiency) else month,
        beside=[show(visit, each) for each in beside if not isinstance(each.view, EfficiencyFindings)],
        status=status_of(answer),
    )


def _chart(visit: Visit, view: DecisionEfficiency) -> Markup:
    """Return the medians as a drawing, whose texts are escaped in it."""
    chart = view.chart(visit.language)
    return Markup(draw_chart(chart, visit.language.compact)) if chart.panels else Markup()  # noqa: S704 - our own SVG


EFFICIENCY = Page(path="/efficiency", show=show_efficiency, title=phrase("Efficiency"), needs=_COMMAND)
