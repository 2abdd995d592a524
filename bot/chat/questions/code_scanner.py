"""Scans pictures for barcodes and QR codes, on its own thread."""

from __future__ import annotations

import asyncio
import io
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import cos, radians, sin
from typing import TYPE_CHECKING

from bot.chat.questions.pictures import NO_PICTURE, TOO_LARGE, TOO_SLOW, PictureUnreadable
from bot.mechanisms.time_limit import TimeLimit

if TYPE_CHECKING:
    from PIL.Image import Image
    from zxingcpp import Barcode, BarcodeFormats

MAX_PIXELS = 25_000_000
"""Larger pictures are refused before decompression: a few kilobytes may hold gigabytes of one colour."""
MAX_PIXELS_WHOLE = 12_500_000
"""The same for formats other than JPEG, which alone is reduced during decompression: a camera's 12 megapixels as WebP
take 210 MB meanwhile (measured).
"""

_REDUCED = frozenset({"JPEG", "MPO"})
"""MPO: a phone's JPEG with a second picture in it."""
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
_LONGEST = 2_000
"""Larger pictures are reduced: the modules of a code in a photo stay several pixels wide."""
_LONGEST_TURNED = 1_200
_SMALL = 1_000
_TURNS = (30, 60)
"""Degrees. Codes are found in all four directions and up to 15 degrees off."""

_MATRIX = "QRCode,DataMatrix"
_LINEAR = "EAN13,EAN8,Code128"

_GTIN = re.compile(r"\(01\)0?(\d{13,14})")


@dataclass(frozen=True, slots=True)
class _PreparedPicture:
    """A picture prepared for scanning: turned by ``degrees`` from ``upright``, which is ``scale`` times the
    original.
    """

    image: Image
    upright: Image
    scale: float
    degrees: int = 0

    def place(self, code: Barcode) -> tuple[complex, float]:
        """Return the centre and length of a code in the original's coordinates."""
        at = code.position
        corners = [complex(p.x, p.y) for p in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)]
        turn = complex(cos(radians(self.degrees)), sin(radians(self.degrees)))
        middle = (sum(corners) / 4 - _middle(self.image)) * turn + _middle(self.upright)
        return middle / self.scale, abs(corners[0] - corners[2]) / self.scale


@dataclass(slots=True)
class _Spot:
    """A spot where a code was read, with the number of readings of each text."""

    middle: complex
    length: float
    linear: bool
    readings: Counter[str] = field(default_factory=Counter)
    retail: bool = False

    def agreed(self) -> str | None:
        """Return the majority reading; None if readings contradict each other.

        The check digit of a retail code misses one in ten misreadings: two readings have to agree.
        """
        (best, votes), *others = self.readings.most_common(2)
        contradicted = bool(others) and others[0][1] == votes
        return None if contradicted or (self.retail and votes < 2) else best


def find_codes(content: bytes) -> tuple[str, ...]:
    """Return the contents of the codes in a picture. It takes up to a second, so it must not run on the event loop.

    Raises `PictureUnreadable` for anything that is not a picture, or is too large.
    """
    picture = _open(content)
    # Imported here: a bot needs the 4 MB only after the first picture.
    from zxingcpp import barcode_formats_from_str

    linear, matrix = barcode_formats_from_str(_LINEAR), barcode_formats_from_str(_MATRIX)
    spots: list[_Spot] = []
    pictures = list(_prepare(picture))
    for prepared in pictures:
        _note(spots, prepared, linear, linear=True)
        _note(spots, prepared, matrix, linear=False)
    if not spots:
        # Blurred matrix codes become readable by sharpening. Barcodes would be misread: they correct no errors.
        _note(spots, _sharpened(pictures[-1].upright, pictures[-1].scale), matrix, linear=False)
    agreed = (spot.agreed() for spot in spots)
    return tuple(dict.fromkeys(code for code in agreed if code))


def _open(content: bytes) -> Image:
    """Return the picture in greyscale, reduced to the scanning size."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > (MAX_PIXELS if image.format in _REDUCED else MAX_PIXELS_WHOLE):
                raise PictureUnreadable(TOO_LARGE, f"{image.width} x {image.height} pixels")
            image.draft("L", (_LONGEST, _LONGEST))
            image.thumbnail((_LONGEST, _LONGEST))
            if not image.has_transparency_data:
                return image.convert("L")
            paper = Image.new("RGBA", image.size, "white")
            return Image.alpha_composite(paper, image.convert("RGBA")).convert("L")
    except PictureUnreadable:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureUnreadable(TOO_LARGE, str(error)) from error
    except Exception as error:  # whatever Pillow raises for broken bytes
        raise PictureUnreadable(NO_PICTURE, f"{type(error).__name__}: {error}") from error


def _prepare(picture: Image) -> Iterator[_PreparedPicture]:
    """Return the picture in two sizes, and rotated."""
    from PIL.Image import Resampling

    longest = max(picture.size)
    scale = 2.0 if longest < _SMALL else min(0.6, _LONGEST_TURNED / longest)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    other = picture.resize(size, Resampling.BICUBIC)
    yield _PreparedPicture(picture, picture, 1.0)
    yield _PreparedPicture(other, other, scale)
    upright, scale = (picture, 1.0) if _SMALL <= longest <= _LONGEST_TURNED else (other, scale)
    for degrees in _TURNS:
        turned = upright.rotate(degrees, expand=True, fillcolor="white", resample=Resampling.BILINEAR)
        yield _PreparedPicture(turned, upright, scale, degrees)


def _sharpened(image: Image, scale: float) -> _PreparedPicture:
    from PIL.ImageFilter import UnsharpMask

    sharp = image.filter(UnsharpMask(radius=4, percent=250, threshold=0))
    return _PreparedPicture(sharp, sharp, scale)


def _note(spots: list[_Spot], prepared: _PreparedPicture, formats: BarcodeFormats, *, linear: bool) -> None:
    from zxingcpp import ContentType, read_barcodes

    for code in read_barcodes(prepared.image, formats=formats):
        if code.content_type not in (ContentType.Text, ContentType.GS1):
            continue
        middle, length = prepared.place(code)
        spot = next((spot for spot in spots if _is_at(spot, middle, length, linear=linear)), None)
        if spot is None:
            spot = _Spot(middle, length, linear, retail=str(code.format).startswith("EAN"))
            spots.append(spot)
        spot.readings[_number_in(code.text)] += 1


def _is_at(spot: _Spot, middle: complex, length: float, *, linear: bool) -> bool:
    return spot.linear is linear and abs(spot.middle - middle) < max(spot.length, length) / 2


def _middle(image: Image) -> complex:
    return complex(image.width, image.height) / 2


def _number_in(text: str) -> str:
    """Return the number to look up: for a GS1 code the article number, which ERPs store without leading zeros."""
    if gtin := _GTIN.match(text):
        text = gtin[1]
    return text.removeprefix("0") if text.isdigit() and len(text) in (13, 14) else text


class CodeScanner:
    """Scans pictures one after another; one that waits or takes too long is given up."""

    def __init__(self, *, seconds: float) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="codes")
        self._limit = TimeLimit(seconds)

    async def scan(self, content: bytes) -> tuple[str, ...]:
        """Return the contents of the codes in a picture. Raises `PictureUnreadable`."""
        try:
            with self._limit.running():
                return await asyncio.get_running_loop().run_in_executor(self._thread, find_codes, content)
        except TimeoutError:
            raise PictureUnreadable(TOO_SLOW) from None

    def close(self) -> None:
        """Start no more pictures."""
        self._thread.shutdown(wait=False, cancel_futures=True)
