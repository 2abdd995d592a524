"""Builds what makes the pictures of charts."""

from __future__ import annotations

from bot.bootstrap.infrastructure import Infrastructure
from bot.charts.fonts import PLACES
from bot.charts.painter import ChartPainter
from bot.chat.charts import ChartPictures
from bot.dingtalk.files import DingTalkPictureHost
from bot.dingtalk.robot import Robot


def build_charts(base: Infrastructure) -> ChartPictures:
    """Return the charts of this bot; those under way end with it."""
    wanted = base.settings.cards.chart_font
    pictures = ChartPictures(
        painter=ChartPainter((wanted,) if wanted else PLACES),
        host=DingTalkPictureHost(Robot(base.api)),
        languages=base.languages,
        metrics=base.metrics,
        sparing=base.month.sparing,
    )
    base.stack.push_async_callback(pictures.close)
    return pictures
