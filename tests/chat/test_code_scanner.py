"""Codes in pictures: 200 of them, what they may hold, and files that are none."""

from __future__ import annotations

import asyncio
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from random import Random

import pytest
from PIL import Image
from zxingcpp import BarcodeFormat, create_barcode

from bot.chat.questions import code_scanner
from bot.chat.questions.code_scanner import CodeScanner, find_codes
from bot.chat.questions.pictures import NO_PICTURE, TOO_LARGE, TOO_SLOW, PictureUnreadable
from tests.chat.code_pictures import (
    SYMBOLOGIES,
    PhotoConditions,
    any_conditions,
    any_number,
    encoded,
    photo,
)
from tests.rows import each_row


@pytest.mark.sampled(4)
@pytest.mark.parametrize("pictures", [20, pytest.param(50, marks=pytest.mark.soak)])
@pytest.mark.parametrize("symbology", SYMBOLOGIES, ids=str)
def test_nearly_all_codes_are_read_and_none_wrongly(symbology: BarcodeFormat, pictures: int) -> None:
    rng = Random(f"codes {symbology}")
    read = 0
    for n in range(pictures):
        kinds = (symbology, rng.choice(SYMBOLOGIES)) if n % 10 == 9 else (symbology,)
        codes = [(kind, any_number(kind, rng)) for kind in kinds]
        found, printed = set(find_codes(photo(codes, any_conditions(rng)))), {number for _, number in codes}
        assert found <= printed
        read += found == printed
    assert read >= 0.95 * pictures


@each_row("form", ["PNG", "GIF", "BMP", "WEBP"])
def test_other_formats_than_photos(form: str) -> None:
    image = Image.fromarray(create_barcode("SO-1001", BarcodeFormat.QRCode).to_image(scale=4))
    assert find_codes(encoded(image, form)) == ("SO-1001",)


def test_what_is_transparent_is_paper() -> None:
    drawn = Image.fromarray(create_barcode("SO-1001", BarcodeFormat.QRCode).to_image(scale=4))
    black = Image.new("RGBA", drawn.size, (0, 0, 0, 0))
    black.putalpha(drawn.point(lambda shade: 255 - shade))
    assert find_codes(encoded(black, "PNG")) == ("SO-1001",)


def test_a_small_code_in_a_large_photo() -> None:
    label = Image.fromarray(create_barcode("SKU-4711", BarcodeFormat.DataMatrix).to_image(scale=12))
    scene = Image.new("L", (4_000, 3_000), 180)
    scene.paste(label, (2_600, 1_900))
    assert find_codes(encoded(scene, "JPEG")) == ("SKU-4711",)


def test_the_same_code_twice_is_said_once() -> None:
    assert find_codes(photo([(BarcodeFormat.Code128, "PO-1001")] * 2)) == ("PO-1001",)


@pytest.mark.parametrize(
    ("symbology", "printed", "number"),
    [
        (BarcodeFormat.EAN13, "0012345678905", "012345678905"),
        (BarcodeFormat.EAN8, "96385074", "96385074"),
    ],
)
def test_retail_codes_of_other_lengths(symbology: BarcodeFormat, printed: str, number: str) -> None:
    assert find_codes(photo([(symbology, printed)])) == (number,)


@each_row("symbology", [BarcodeFormat.Code128, BarcodeFormat.DataMatrix, BarcodeFormat.QRCode])
def test_gs1_codes_name_their_article(symbology: BarcodeFormat) -> None:
    code = create_barcode("(01)06901234567892(10)LOT7", symbology, gs1=True)
    assert find_codes(encoded(Image.fromarray(code.to_image(scale=3)), "PNG")) == ("6901234567892",)


def test_a_picture_without_a_code() -> None:
    assert find_codes(encoded(Image.effect_noise((640, 480), 60), "JPEG")) == ()


@each_row("size", [(1, 1), (1, 3_000), (3_000, 2)])
def test_pictures_of_odd_sizes(size: tuple[int, int]) -> None:
    assert find_codes(encoded(Image.new("L", size, 255), "PNG")) == ()


def _bomb(side: int) -> bytes:
    """Return a PNG of a few kilobytes that would unpack to ``side`` x ``side`` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1 << 20), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _reads_within(room: int, file: bytes) -> str:
    """Return what a process reads in a picture that may take ``room`` bytes for it."""
    reads = (
        "import resource, sys, zxingcpp, PIL.Image; PIL.Image.init()\n"
        "from bot.chat.questions.code_scanner import find_codes\n"
        "content = sys.stdin.buffer.read()\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        f"resource.setrlimit(resource.RLIMIT_AS, (used + {room},) * 2)\n"
        "print(*find_codes(content))\n"
    )
    done = subprocess.run([sys.executable, "-c", reads], input=file, capture_output=True, check=False)
    return (done.stdout or done.stderr).decode().strip()


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of a process's memory is Linux's")
@pytest.mark.parametrize(
    ("form", "side", "options"),
    [
        ("JPEG", 5_000, {}),
        ("JPEG", 5_000, {"progressive": True, "subsampling": 0}),
        ("PNG", 3_500, {"compress_level": 1}),
        ("WEBP", 3_500, {"method": 0, "lossless": True}),
    ],
)
def test_the_largest_pictures_are_read_in_little_memory(form: str, side: int, options: dict[str, object]) -> None:
    label = Image.fromarray(create_barcode("SKU-4711", BarcodeFormat.DataMatrix).to_image(scale=12))
    scene = Image.new("RGB" if form == "JPEG" else "RGBA", (side, side), "white")
    scene.paste(label, (side // 2, side // 3))
    assert _reads_within(256 << 20, encoded(scene, form, **options)) == "SKU-4711"


@each_row("form", ["PNG", "GIF", "WEBP"])
def test_what_cannot_be_reduced_while_it_is_unpacked_may_be_half_as_large(form: str) -> None:
    with pytest.raises(PictureUnreadable) as refusal:
        find_codes(encoded(Image.new("L", (5_000, 2_501)), form))
    assert refusal.value.problem == TOO_LARGE


@each_row("side", [5_001, 10_000, 60_000])
def test_bombs_are_not_unpacked(side: int) -> None:
    with pytest.raises(PictureUnreadable) as refusal:
        find_codes(_bomb(side))
    assert refusal.value.problem == TOO_LARGE


@each_row(
    "content",
    [
        b"",
        b"%PDF-1.7 no picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b"\xff\xd8\xff\xe0" + bytes(200),
        _bomb(2_000),
        photo([(BarcodeFormat.QRCode, "SO-1001")])[:400],
        encoded(Image.new("L", (8, 8)), "TIFF"),
    ],
)
def test_what_is_no_picture(content: bytes) -> None:
    with pytest.raises(PictureUnreadable) as refusal:
        find_codes(content)
    assert refusal.value.problem == NO_PICTURE


def _codes_or_refusal(content: bytes) -> set[str]:
    try:
        return set(find_codes(content))
    except PictureUnreadable as refusal:
        return {str(refusal.problem)}


def test_broken_bytes_never_fail_otherwise() -> None:
    rng = Random(8)
    sound = photo([(BarcodeFormat.QRCode, "SO-1001")])
    for _ in range(40):
        broken = bytearray(sound)
        for _ in range(6):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        assert _codes_or_refusal(bytes(broken)) <= {"SO-1001", str(NO_PICTURE), str(TOO_LARGE)}


def test_readings_that_contradict_each_other_are_not_believed() -> None:
    spot = code_scanner._Spot(0j, 10.0, linear=True)
    spot.readings.update({"SO-1001": 1, "SO-1007": 1})
    assert spot.agreed() is None
    spot.readings["SO-1001"] += 1
    assert spot.agreed() == "SO-1001"


def test_a_retail_code_counts_only_if_it_is_read_twice() -> None:
    spot = code_scanner._Spot(0j, 10.0, linear=True, retail=True)
    spot.readings["6901234567892"] += 1
    assert spot.agreed() is None
    spot.readings["6901234567892"] += 1
    assert spot.agreed() == "6901234567892"


@pytest.fixture
def scanner() -> Iterator[CodeScanner]:
    made = CodeScanner(seconds=30)
    yield made
    made.close()


async def test_the_loop_goes_on_meanwhile(scanner: CodeScanner) -> None:
    content = photo([(BarcodeFormat.QRCode, "SO-1001")], PhotoConditions(degrees=20))
    assert await asyncio.gather(*[scanner.scan(content) for _ in range(3)]) == [("SO-1001",)] * 3


async def test_a_picture_that_takes_too_long_is_given_up() -> None:
    hurried = CodeScanner(seconds=0)
    try:
        with pytest.raises(PictureUnreadable) as refusal:
            await hurried.scan(photo([(BarcodeFormat.QRCode, "SO-1001")]))
        assert refusal.value.problem == TOO_SLOW
    finally:
        hurried.close()
