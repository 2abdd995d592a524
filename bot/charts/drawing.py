"""Draws charts as SVG, in DingTalk's colours and for the width of a card on a phone.

Positions are computed from exact numbers, and each bar carries its value as text, for screen readers and tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import accumulate, count
from typing import TypeAlias
from unicodedata import east_asian_width
from xml.etree import ElementTree as ET

from bot.charts.chart import Chart, ChartBar, ChartForm, ChartPanel

WIDTH = 340
"""The width of the drawing in pixels, which is that of a card on a phone 390 wide."""

_BLUE, _RED, _INK, _GRAY, _LINE, _TRACK = "#1677ff", "#f25643", "#171a1d", "#747677", "#e8e9eb", "#f2f3f5"
_ROW_COLOURS = ("#ffc53d", "#ff9c3c", "#ff7a45", "#f25643")
"""The colours of rows: the later, the hotter."""
_EDGE = 12
_WORDS, _SMALL = 13, 11
"""Font sizes."""
_TITLE_HEIGHT, _PLOT_TOP, _PLOT_HEIGHT, _NAMES_HEIGHT = 30, 42, 150, 26
_ROW_HEIGHT, _ROW_BAR = 46, 10
_NAMES_APART = 8
_WIDE_CHARACTER, _NARROW_CHARACTER = Decimal("1.02"), Decimal("0.6")
"""Widths of characters relative to their size, rather too wide than too narrow."""

Compact: TypeAlias = Callable[[Decimal], str]
"""Writes a number in few characters: 12.3万."""


def draw_chart(chart: Chart, compact: Compact) -> str:
    """Return the SVG of a chart; ``compact`` formats the scale's numbers in the reader's language."""
    heights = [_height(chart.form, panel) for panel in chart.panels]
    height = sum(heights) + _EDGE
    root = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {height}")
    root.attrib |= {"width": str(WIDTH), "height": str(height)}
    _add(root, "rect", width=WIDTH, height=height, fill="#ffffff")
    for panel, top in zip(chart.panels, accumulate(heights, initial=0), strict=False):
        place = _add(root, "g", transform=f"translate(0 {top})")
        _write(place, panel.title, _EDGE, 22, size=_WORDS, fill=_INK)
        if chart.form is ChartForm.COLUMNS:
            _draw_columns(place, panel, compact)
        else:
            _draw_rows(place, panel)
    return ET.tostring(root, encoding="unicode")


def _height(form: ChartForm, panel: ChartPanel) -> int:
    if form is ChartForm.ROWS:
        return _TITLE_HEIGHT + _ROW_HEIGHT * len(panel.bars)
    return _PLOT_TOP + _PLOT_HEIGHT + _NAMES_HEIGHT


def _draw_columns(place: ET.Element, panel: ChartPanel, compact: Compact) -> None:
    scale = scale_of(bar.value for bar in panel.bars)
    marks = [(mark, compact(mark)) for mark in scale.marks]
    left = _EDGE + max(_breadth(words, _SMALL) for _, words in marks) + 6
    for mark, words in marks:
        y = _y(scale, mark)
        stroke = _LINE if mark else _GRAY
        _add(place, "line", x1=left, x2=WIDTH - _EDGE, y1=y, y2=y, stroke=stroke, stroke_width=1)
        _write(place, words, left - 6, y + 4, anchor="end")
    slot = (WIDTH - _EDGE - left) / max(1, len(panel.bars))
    middles = [left + slot * number + slot / 2 for number in range(len(panel.bars))]
    for bar, middle in zip(panel.bars, middles, strict=True):
        _draw_column(place, bar, scale, middle, slot)
    _write_values(place, panel.bars, scale, middles, slot, compact)
    _write_names(place, panel.bars, middles, slot)


def _draw_column(place: ET.Element, bar: ChartBar, scale: Scale, middle: Decimal, slot: Decimal) -> None:
    width = min(slot * Decimal("0.7"), Decimal(28))
    zero, end = _y(scale, Decimal()), _y(scale, bar.value)
    # A small value beside the highest one must still be visible.
    height = max(abs(zero - end), Decimal(1)) if bar.value else Decimal()
    top = zero if bar.value < 0 else zero - height
    fill = _RED if bar.value < 0 else _BLUE
    column = _add(place, "rect", x=middle - width / 2, y=top, width=width, height=height, rx=1, fill=fill)
    _add(column, "title").text = _clean(f"{bar.name}: {bar.text}")


def _write_values(
    place: ET.Element,
    bars: Sequence[ChartBar],
    scale: Scale,
    middles: Sequence[Decimal],
    slot: Decimal,
    compact: Compact,
) -> None:
    """Write the value at each column if there is room for all, otherwise only at the highest."""
    words = [compact(bar.value) for bar in bars]
    has_room = all(_breadth(word, _SMALL) <= slot for word in words)
    highest = max(bars, key=lambda bar: bar.value, default=None)
    for bar, word, middle in zip(bars, words, middles, strict=True):
        if bar.value and (has_room or bar is highest):
            y = _y(scale, bar.value) + (13 if bar.value < 0 else -4)
            _write(place, word, _inside(middle, word), y, anchor="middle", fill=_INK)


def _write_names(place: ET.Element, bars: Sequence[ChartBar], middles: Sequence[Decimal], slot: Decimal) -> None:
    """Write the names of the first column and of every n-th one after it, so that they do not touch."""
    widest = max((_breadth(bar.name, _SMALL) for bar in bars), default=Decimal())
    every = next(number for number in count(1) if slot * number >= widest + _NAMES_APART)
    free_from = Decimal()
    for bar, middle in zip(bars[::every], middles[::every], strict=True):
        # The last one may be moved inwards, towards its neighbour.
        x, half = _inside(middle, bar.name), _breadth(bar.name, _SMALL) / 2
        if x - half >= free_from:
            _write(place, bar.name, x, _PLOT_TOP + _PLOT_HEIGHT + 17, anchor="middle")
            free_from = x + half


def _draw_rows(place: ET.Element, panel: ChartPanel) -> None:
    longest = max((abs(bar.value) for bar in panel.bars), default=Decimal()) or Decimal(1)
    room = WIDTH - 2 * _EDGE
    for number, bar in enumerate(panel.bars):
        top = _TITLE_HEIGHT + _ROW_HEIGHT * number
        name = _write(place, bar.name, _EDGE, top + 16, size=_WORDS, fill=_INK)
        _add(name, "tspan", dx=8, font_size=_SMALL, fill=_GRAY).text = _clean(bar.note)
        _write(place, bar.text, WIDTH - _EDGE, top + 16, size=_WORDS, fill=_INK, anchor="end")
        bounds = {"x": _EDGE, "y": top + 24, "height": _ROW_BAR, "rx": _ROW_BAR // 2}
        _add(place, "rect", width=room, fill=_TRACK, **bounds)
        if bar.value:
            fill = _GRAY if bar.value < 0 else _ROW_COLOURS[min(number, len(_ROW_COLOURS) - 1)]
            width = max(room * abs(bar.value) / longest, Decimal(_ROW_BAR))
            row = _add(place, "rect", width=width, fill=fill, **bounds)
            _add(row, "title").text = _clean(f"{bar.name}: {bar.text}")


def _y(scale: Scale, value: Decimal) -> Decimal:
    """Return the vertical position of a value in a panel of columns."""
    return _PLOT_TOP + _PLOT_HEIGHT * (1 - scale.share(value))


def _inside(middle: Decimal, words: str) -> Decimal:
    """Return the centre of a text, moved so that no edge cuts it off."""
    half = _breadth(words, _SMALL) / 2
    return min(max(middle, half + 2), WIDTH - 2 - half)


def _breadth(words: str, size: int) -> Decimal:
    """Return the approximate width of a text."""
    return size * sum(
        (_WIDE_CHARACTER if east_asian_width(char) in "WF" else _NARROW_CHARACTER for char in words), Decimal()
    )


def _write(
    place: ET.Element,
    words: str,
    x: Decimal | int,
    y: Decimal | int,
    *,
    size: int = _SMALL,
    fill: str = _GRAY,
    anchor: str = "start",
) -> ET.Element:
    text = _add(place, "text", x=x, y=y, font_size=size, fill=fill, text_anchor=anchor)
    text.text = _clean(words)
    return text


def _add(place: ET.Element, tag: str, **attributes: Decimal | int | str) -> ET.Element:
    return ET.SubElement(place, tag, {name.replace("_", "-"): _plain(each) for name, each in attributes.items()})


def _plain(value: Decimal | int | str) -> str:
    return f"{round(value, 2).normalize():f}" if isinstance(value, Decimal) else str(value)


def _clean(words: str) -> str:
    """Return a text from an ERP without characters that XML cannot hold."""
    return "".join(char if char.isprintable() else " " for char in words)


_MOST_STEPS = 4
_ROUND = (Decimal(1), Decimal(2), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Scale:
    """Equidistant marks, from the lowest to the highest."""

    marks: tuple[Decimal, ...]

    @property
    def low(self) -> Decimal:
        """The lowest mark."""
        return self.marks[0]

    @property
    def high(self) -> Decimal:
        """The highest mark."""
        return self.marks[-1]

    def share(self, value: Decimal) -> Decimal:
        """Return the position of a value between the lowest mark (0) and the highest (1)."""
        return (value - self.low) / (self.high - self.low)


def scale_of(values: Iterable[Decimal]) -> Scale:
    """Return the scale for these values: a few round numbers that enclose them, and always zero."""
    found = [Decimal(), *values]
    low, high = min(found), max(found)
    step = _step((high - low) or Decimal(1))
    first = (low / step).to_integral_value(ROUND_FLOOR)
    last = max((high / step).to_integral_value(ROUND_CEILING), first + 1)
    return Scale(tuple(step * number for number in range(int(first), int(last) + 1)))


def _step(extent: Decimal) -> Decimal:
    """Return the smallest round step that needs at most `_MOST_STEPS`."""
    least = extent / _MOST_STEPS
    power = Decimal(1).scaleb(least.adjusted())
    return next(power * each for each in _ROUND if power * each >= least)
