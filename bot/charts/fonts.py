"""The font of charts: without Chinese characters there are no charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

PLACES = (
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),  # Debian, Ubuntu
    Path("/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc"),  # Fedora, Anolis
    Path("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc"),  # CentOS, openEuler
    Path("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc"),  # Arch
    Path("/usr/share/fonts/noto/NotoSansCJK-Regular.ttc"),  # Alpine
    Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"),
    Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
    Path("/System/Library/Fonts/STHeiti Light.ttc"),
    Path("C:/Windows/Fonts/msyh.ttc"),
)
"""The places of fonts with Chinese characters."""
_PREFERRED = " SC"
"""The suffix of the font family, among several in a file, with the character forms of mainland China."""
_SIGN = "账"
"""A character found only in fonts for simplified Chinese."""


@dataclass(frozen=True, slots=True)
class ChartFont:
    """A font file, and the family in it to use."""

    path: Path
    family: str


def find_font(places: Sequence[Path]) -> ChartFont | None:
    """Return the first usable font; None if none can be read or has Chinese characters.

    It reads files, so it must not run on the event loop.
    """
    return next((font for font in map(_read_font, places) if font is not None), None)


def _read_font(path: Path) -> ChartFont | None:
    # Imported here: a bot needs it only after the first request for a chart.
    from PIL import ImageFont

    families: list[str] = []
    for index in count():
        try:
            font = ImageFont.truetype(path, index=index)
        except OSError:
            break  # no font, or no more fonts in the file
        if font.getmask(_SIGN).getbbox() != font.getmask("\uffff").getbbox():
            families.append(font.getname()[0] or "")
    preferred = [family for family in families if family.endswith(_PREFERRED)]
    return next((ChartFont(path, family) for family in (*preferred, *families)), None)
