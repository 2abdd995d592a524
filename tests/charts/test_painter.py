"""Drawings become pictures in a process of its own, with a font that has Chinese letters."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from structlog.testing import capture_logs

from bot.charts.chart import ChartNotDrawn, NoChartFont
from bot.charts.fonts import PLACES, find_font
from bot.charts.painter import ChartPainter
from tests.charts.charts import columns, drawn

LATIN = next(iter(Path("/usr/share/fonts/truetype").rglob("DejaVuSans.ttf")), None)


@pytest.fixture(scope="module")
def font() -> Path:
    found = find_font(PLACES)
    assert found is not None, "`make test` installs one"
    return found.path


def opened(picture: bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture), formats=("PNG",))


async def test_a_picture_is_twice_as_fine_as_its_drawing(font: Path) -> None:
    painter = ChartPainter((font,))
    svg = await painter.draw(columns("100", "50"), str)
    picture = opened(await painter.paint(svg))
    assert picture.size == (680, 460)


async def test_the_letters_are_chinese_ones(font: Path) -> None:
    """Signs that a font lacks are drawn as nothing, or all alike."""
    painter = ChartPainter((font,))
    seen = [await painter.paint(drawn(columns("1", name=name))) for name in ("账龄", "逾期", "")]
    assert len(set(seen)) == 3


def test_a_font_for_simplified_chinese_is_preferred(font: Path) -> None:
    found = find_font((font,))
    assert found is not None
    assert found.family.endswith("SC") or "Noto" not in found.family


def test_a_file_that_is_no_font_is_left_out(font: Path, tmp_path: Path) -> None:
    (tmp_path / "no.ttc").write_bytes(b"no font")
    latin = (LATIN,) if LATIN else ()
    assert find_font((tmp_path / "no.ttc", tmp_path / "missing.ttc", *latin)) is None
    found = find_font((tmp_path / "no.ttc", *latin, font))
    assert found is not None
    assert found.path == font


async def test_without_a_font_one_line_says_so(tmp_path: Path, font: Path) -> None:
    later = tmp_path / "later.ttc"
    painter = ChartPainter((later,))
    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(NoChartFont):
                await painter.paint(drawn(columns("1")))
    assert [entry["event"] for entry in logs] == ["chart.no_font"]
    later.symlink_to(font)
    assert await painter.paint(drawn(columns("1"))), "a font that was installed since is found"


async def test_a_drawing_that_is_none_tells_nothing_of_it(font: Path) -> None:
    with pytest.raises(ChartNotDrawn) as caught:
        await ChartPainter((font,)).paint("<svg>¥1,234.00")
    assert "1,234" not in caught.value.detail
    assert "ValueError" in caught.value.detail


async def test_what_takes_too_long_is_given_up(font: Path) -> None:
    with pytest.raises(ChartNotDrawn):
        await ChartPainter((font,), seconds=0.0).paint(drawn(columns("1")))
