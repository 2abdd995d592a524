"""Photos of codes, drawn: turned, blurred, small, on paper of several shades, and compressed as phones do."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageFilter
from zxingcpp import BarcodeFormat, create_barcode

SYMBOLOGIES = (BarcodeFormat.EAN13, BarcodeFormat.Code128, BarcodeFormat.QRCode, BarcodeFormat.DataMatrix)
_MARGIN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoConditions:
    """How a photo was taken: pixels of the narrowest bar, degrees, blur in pixels, and how white the paper looks."""

    module: int = 3
    degrees: float = 0.0
    blur: float = 0.0
    paper: int = 255
    quality: int = 85


def any_conditions(rng: Random) -> PhotoConditions:
    """Return conditions that a hand and a warehouse's lamps make."""
    module = rng.choice((2, 2, 3, 3, 4, 6))
    return PhotoConditions(
        module=module,
        degrees=rng.choice((0.0, 90.0, 180.0, 270.0, rng.uniform(0, 360), rng.uniform(0, 360))),
        blur=rng.uniform(0, module / 3),
        paper=rng.choice((255, 235, 200)),
        quality=rng.choice((60, 85)),
    )


def any_number(symbology: BarcodeFormat, rng: Random) -> str:
    """Return what a company prints in this symbology."""
    if symbology is BarcodeFormat.EAN13:
        return ean13(f"69{rng.randrange(10**10):010}")
    return f"{rng.choice(('SO', 'PO', 'SKU', 'INV'))}-{rng.randrange(1_000, 100_000)}"


def ean13(twelve: str) -> str:
    """Return a retail number with its check digit."""
    weighed = sum(int(digit) * (3 if n % 2 else 1) for n, digit in enumerate(twelve))
    return f"{twelve}{-weighed % 10}"


def photo(codes: Sequence[tuple[BarcodeFormat, str]], taken: PhotoConditions | None = None) -> bytes:
    """Return a JPEG of these codes side by side."""
    taken = taken or PhotoConditions()
    labels = [_label(symbology, number, taken) for symbology, number in codes]
    width = sum(label.width + _MARGIN for label in labels) + _MARGIN
    scene = Image.new("L", (width, max(label.height for label in labels) + 2 * _MARGIN), taken.paper)
    left = _MARGIN
    for label in labels:
        scene.paste(label, (left, _MARGIN))
        left += label.width + _MARGIN
    return encoded(scene.filter(ImageFilter.GaussianBlur(taken.blur)), "JPEG", quality=taken.quality)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    """Return a picture as the file that is sent."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def _label(symbology: BarcodeFormat, number: str, taken: PhotoConditions) -> Image.Image:
    drawn = Image.fromarray(create_barcode(number, symbology).to_image(scale=taken.module))
    return drawn.rotate(taken.degrees, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)
