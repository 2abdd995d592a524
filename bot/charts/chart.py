"""The content of a chart: bars with their values, as exact numbers and in the reader's words."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from bot.words.errors import DingerpError


class ChartForm(StrEnum):
    """The direction of the bars."""

    COLUMNS = "columns"
    """Side by side, for consecutive days."""
    ROWS = "rows"
    """One below another with room for words, for a few groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartBar:
    """One bar: ``text`` is its formatted value, ``note`` a further remark on its row."""

    name: str
    value: Decimal
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartPanel:
    """Bars on one scale, such as those of one currency."""

    title: str
    bars: tuple[ChartBar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One picture; amounts that cannot be compared have separate panels."""

    form: ChartForm
    panels: tuple[ChartPanel, ...]


class ChartNotDrawn(DingerpError):
    """A drawing could not be turned into a picture."""


class NoChartFont(ChartNotDrawn):
    """There is no font with Chinese characters."""
