"""How Chinese characters are read, asked of a process of its own that ends with the answer.

The dictionary takes 55 MB and a quarter of a second (measured), and after the first fill a bot hardly meets a character
that it does not know: so it is never loaded into the bot.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Collection
from pathlib import Path

from bot.erp.errors import Unavailable
from bot.erp.index.port import Readings

_SECONDS = 30.0
_PROGRAM = Path(__file__).parent / "dictionary.py"


async def look_up(characters: Collection[str], *, seconds: float = _SECONDS) -> Readings:
    """Return the readings of characters; raises `Unavailable` when the process fails or takes too long."""
    # -P: the folder of the program holds modules of ours, which must not stand for others of the same name.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        str(_PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(seconds):
            told, wrong = await process.communicate(json.dumps(sorted(characters)).encode())
    except TimeoutError:
        raise Unavailable("the pinyin dictionary takes too long") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = wrong.decode(errors="replace").strip().rpartition("\n")[2]
        raise Unavailable(f"the pinyin dictionary failed: {last[:200]}")
    return {sign: tuple(readings) for sign, readings in json.loads(told).items()}
