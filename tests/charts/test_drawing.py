"""Charts as SVG: what they say, and that everything stands on the paper and apart."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.charts.chart import Chart, ChartBar
from bot.charts.drawing import WIDTH
from bot.chat.chart_views import MOST_CURRENCIES
from commands.chart import MOST_YEARS
from tests.charts.charts import columns, drawn, rows

_SVG = "{http://www.w3.org/2000/svg}"
MONTH = columns(*(str(1000 * (day % 9) + day) for day in range(30)))


def _parse(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def _words(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in _parse(svg).iter(f"{_SVG}text")]


@pytest.mark.parametrize(
    "chart",
    [
        pytest.param(columns("12800", "0", "30450.5", "-960"), id="columns"),
        pytest.param(rows(early="120300", late="88000", later="0", latest="-5600"), id="rows"),
    ],
)
def test_charts_look_as_before(chart: Chart, snapshot: SnapshotAssertion) -> None:
    ET.indent(tree := _parse(drawn(chart)))
    assert ET.tostring(tree, encoding="unicode") == snapshot


def test_columns_are_as_high_as_their_values() -> None:
    bars = list(_parse(drawn(columns("100", "50", "0", "-50"))).iter(f"{_SVG}rect"))[1:]
    heights = [Decimal(bar.attrib["height"]) for bar in bars]
    assert heights == [100, 50, 0, 50]
    tops = [Decimal(bar.attrib["y"]) for bar in bars]
    assert tops == [42, 92, 142, 142], "what is negative hangs below nought"
    assert bars[0].attrib["fill"] != bars[3].attrib["fill"]


def test_what_is_little_is_still_there() -> None:
    bars = list(_parse(drawn(columns("1000000", "1"))).iter(f"{_SVG}rect"))[1:]
    assert bars[1].attrib["height"] == "1"


def test_a_few_columns_are_all_named_and_valued() -> None:
    words = _words(drawn(columns("12800", "3000")))
    assert words[-4:] == ["1.3万", "3000", "11月1日", "11月2日"]


def test_of_many_columns_the_highest_is_valued_and_some_are_named() -> None:
    words = _words(drawn(MONTH))
    assert [word for word in words if word.endswith("26")] == ["8026"]
    assert not {"8008", "8017"} & {*words}
    names = [word for word in words if word.endswith("日")]
    assert names[0] == "11月1日"
    assert 3 <= len(names) <= 6


@pytest.mark.parametrize("count", [1, 2, 7, 31, 62, 120])
@pytest.mark.parametrize("name", ["11月{}日", "Nov {}", "2026年{}月"])
def test_names_stand_apart_and_on_the_paper(count: int, name: str) -> None:
    chart = columns(*(str(number) for number in range(count)), name=name)
    known = {bar.name for bar in chart.panels[0].bars}
    names = [text for text in _parse(drawn(chart)).iter(f"{_SVG}text") if text.text in known]
    assert names
    ends = Decimal()
    for text in names:
        half = Decimal(sum(11 if ord(sign) > 0x2E80 else 6 for sign in text.text or "")) / 2
        x = Decimal(text.attrib["x"])
        assert ends <= x - half
        ends = x + half
    assert ends <= WIDTH


def test_rows_are_as_long_as_their_values() -> None:
    bars = [bar for bar in _parse(drawn(rows(a="100", b="50", c="0"))).iter(f"{_SVG}rect") if len(bar)]
    assert [Decimal(bar.attrib["width"]) for bar in bars] == [316, 158]
    assert _words(drawn(rows(a="100")))[1:] == ["a2 张", "¥100.00"]


def test_words_of_an_erp_are_only_words() -> None:
    bar = ChartBar(name='</text><script x="1">&\x00\ud800', value=Decimal(1), text="<b>")
    chart = columns("1")
    hostile = replace(chart, panels=(replace(chart.panels[0], title="<g>&amp;", bars=(bar,)),))
    root = _parse(drawn(hostile))
    assert not list(root.iter(f"{_SVG}script"))
    assert "<g>&amp;" in _words(drawn(hostile))


def test_huge_amounts_are_drawn_exactly() -> None:
    svg = drawn(columns("123456789012345678901234567890.12"))
    assert "¥123,456,789,012,345,678,901,234,567,890.12" in svg


def test_english_writes_its_own_numbers() -> None:
    assert "20K" in _words(drawn(columns("20000"), "en"))


def test_the_largest_chart_is_little_work() -> None:
    """What a picture takes grows with its marks and its area: a machine's speed says nothing of it."""
    largest = columns(*(str(number) for number in range(MOST_YEARS * 12 + 1)), name="2026年{}月")
    chart = replace(largest, panels=largest.panels * MOST_CURRENCIES)
    root = _parse(drawn(chart))
    assert sum(1 for _ in root.iter()) < 900
    assert int(root.attrib["width"]) * int(root.attrib["height"]) < 240_000
