"""A card becomes a picture of its own height; what is missing for it is said in one line."""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.cards import picture, samples
from bot.cards.card import Card
from bot.cards.renderer import CardRenderer
from bot.words.errors import ConfigurationError


@pytest.fixture
def card(renderer: CardRenderer, zone: ZoneInfo) -> Card:
    return renderer.render(samples.load_sample("not_found"), "zh_CN", zone=zone)


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    path = folder / "chromium"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(path) if name == "chromium" else None)


@pytest.mark.browser
async def test_draws_the_whole_card_and_nothing_else(card: Card, tmp_path: Path) -> None:
    if not any(map(shutil.which, picture._NAMES)):
        pytest.skip("Chromium is not installed")
    out = tmp_path / "card.png"
    await picture.draw_picture(card, out)
    content = out.read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    assert content.startswith(b"\x89PNG")
    assert width == picture.WIDTH
    assert 150 < height < 600


async def test_without_chromium_it_says_what_to_install(
    card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ConfigurationError, match="install the system package"):
        await picture.draw_picture(card, tmp_path / "card.png")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo broken >&2; exit 3", "ended with 3: broken"),
        ("echo '<html></html>'", "did not draw the card"),
        ("echo '<html data-height=\"100\">'", "wrote no picture"),
    ],
)
async def test_a_failing_chromium_is_told(
    card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    program(tmp_path, monkeypatch, script)
    with pytest.raises(ConfigurationError, match=words):
        await picture.draw_picture(card, tmp_path / "card.png")


async def test_a_chromium_that_hangs_is_ended(card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = tmp_path / "pid"
    program(tmp_path, monkeypatch, f"echo $$ > {pid}; exec sleep 60")
    with pytest.raises(ConfigurationError, match="within"):
        await asyncio.wait_for(picture.draw_picture(card, tmp_path / "card.png", seconds=1), 60)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
