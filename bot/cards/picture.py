"""A card as a picture: drawn by the chat page of the simulator in a headless Chromium."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlencode

import orjson

from bot.cards.card import Card
from bot.words.errors import ConfigurationError

PAGE = Path(__file__).resolve().parents[1] / "kit" / "simulator" / "page" / "preview.html"
WIDTH = 390
"""CSS pixels: the width that the page gives the card, a phone's."""

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Modules of a file: page count as foreign to it; time is virtual, so that drawing is over when the budget is.
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run"),
    *("--disable-background-networking", "--allow-file-access-from-files", "--virtual-time-budget=3000"),
)
_HEIGHT = re.compile(r'<html[^>]* data-height="(\d{1,5})"')
_TALL = 2000


async def draw_picture(card: Card, out: Path, *, seconds: float = 60.0) -> None:
    """Write the card as a PNG of its own height to ``out``.

    Raises `ConfigurationError` when there is no Chromium, or when it fails or takes longer than ``seconds``.
    """
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        raise ConfigurationError("pictures need Chromium: install the system package “chromium”")
    address = f"{PAGE.as_uri()}?{urlencode({'card': _as_json(card), 'lang': card.language.partition('_')[0]})}"
    with tempfile.TemporaryDirectory(prefix="dingerp-", ignore_cleanup_errors=True) as profile:
        base = (program, *_FLAGS, f"--user-data-dir={profile}")
        try:
            async with asyncio.timeout(seconds):
                page = await _run(*base, f"--window-size={WIDTH},{_TALL}", "--dump-dom", address)
                height = _HEIGHT.search(page)
                if height is None:
                    raise ConfigurationError(f"the page {PAGE} did not draw the card")
                await _run(*base, f"--window-size={WIDTH},{height[1]}", f"--screenshot={out}", address)
        except TimeoutError:
            raise ConfigurationError(f"Chromium drew nothing within {seconds:g} s") from None
    if not await asyncio.to_thread(out.is_file):
        raise ConfigurationError(f"Chromium wrote no picture to {out}")


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        output, problems = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ConfigurationError(
            f"Chromium ended with {process.returncode}: {problems.decode(errors='replace')[-300:]}"
        )
    return output.decode(errors="replace")


def _as_json(card: Card) -> str:
    buttons = [
        {"text": button.text, "color": button.color, "id": button.token, "url": button.url} for button in card.buttons
    ]
    return orjson.dumps({"title": card.title, "markdown": card.body, "tips": card.tips, "buttons": buttons}).decode()
