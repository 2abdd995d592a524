"""Which files somebody steps through who follows the bot from a question, or a click, to its card."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).parents[2]
OURS = (f"{ROOT / 'bot'}/", f"{ROOT / 'commands'}/")
NOT_WALKED = f"{ROOT / 'bot' / 'kit'}/"


@contextmanager
def walked() -> Iterator[set[str]]:
    """Note the files of the bot and its commands in which a function begins, in every thread that starts work."""
    found: set[str] = set()
    seen: set[str] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and (file := frame.f_code.co_filename) not in seen:
            seen.add(file)
            if file.startswith(OURS) and not file.startswith(NOT_WALKED):
                found.add(str(Path(file).relative_to(ROOT)))

    before = sys.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(before)
        threading.setprofile(None)  # type: ignore[arg-type]  # None ends it
