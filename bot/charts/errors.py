"""What can go wrong with a chart."""

from __future__ import annotations

from bot.errors import DingerpError


class ChartNotDrawn(DingerpError):
    """No picture came of a drawing."""


class NoChartFont(ChartNotDrawn):
    """There is no font with Chinese letters."""
