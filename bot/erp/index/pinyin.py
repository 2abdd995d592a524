"""Pinyin: how characters are read, asked of a process of its own, and how names are spelled with it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from itertools import combinations, islice
from pathlib import Path

from bot.erp.errors import Unavailable
from bot.erp.index.port import Readings

_CHINESE = re.compile("[\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")

MOST_CHARACTERS, MOST_READINGS, MOST_INITIALS, MOST_SYLLABLES = 32, 3, 8, 5
"""Of each name, each character, and each name's spellings. They bound what a name of many readings costs: of the
products of a trade nearly all have one or two characters with a second reading."""


def chinese(text: str) -> list[str]:
    """Return the Chinese characters of a text."""
    return _CHINESE.findall(text)


def may_be_initials(word: str) -> bool:
    """Return whether a word of letters can be the first letters of syllables: none begins with i, u or v."""
    return word.isascii() and word.isalpha() and not set(word) & set("iuv")


def may_be_syllables(word: str) -> bool:
    """Return whether a word of letters can be part of syllables, whole ones and one that is begun: all have a vowel."""
    return word.isascii() and word.isalpha() and bool(set(word) & set("aeiouv"))


def spell(name: str, readings: Readings) -> tuple[str, str]:
    """Return a name's spellings by first letters and by syllables, each after a line break.

    Both are empty for a name without Chinese characters.
    """
    known = [readings.get(char, ())[:MOST_READINGS] for char in chinese(name)[:MOST_CHARACTERS]]
    spelled = [syllables for syllables in known if syllables]
    if not spelled:
        return "", ""
    letters = [tuple(dict.fromkeys(syllable[0] for syllable in syllables)) for syllables in spelled]
    return _spellings(letters, MOST_INITIALS), _spellings(spelled, MOST_SYLLABLES)


def _spellings(choices: Sequence[tuple[str, ...]], most: int) -> str:
    return "".join(f"\n{spelling}" for spelling in islice(_combinations(choices), most))


def _combinations(choices: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield the ways to put one choice at each place: the usual ones, then one place's second choice, third …, then two
    places' second ones.
    """
    usual = [options[0] for options in choices]
    yield "".join(usual)
    for rank in range(1, MOST_READINGS):
        for place, options in enumerate(choices):
            if len(options) > rank:
                yield "".join((*usual[:place], options[rank], *usual[place + 1 :]))
    several = [place for place, options in enumerate(choices) if len(options) > 1]
    for pair in combinations(several, 2):
        yield "".join(options[place in pair] for place, options in enumerate(choices))


_SECONDS = 30.0
_PROGRAM = Path(__file__).parent / "dictionary.py"
_WITHOUT_PHRASES = {"PYPINYIN_NO_PHRASES": "1", "PYPINYIN_NO_DICT_COPY": "1"}
"""No phrase changes how a single character is read. Without them a look-up takes 0.04 s and 23 MB, else 0.19 and 68."""


async def look_up(characters: Collection[str], *, seconds: float = _SECONDS) -> Readings:
    """Return the readings of characters; raises `Unavailable` when the process fails or takes too long."""
    # -P: the folder of the program holds modules of ours, which must not stand for others of the same name.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        str(_PROGRAM),
        env=os.environ | _WITHOUT_PHRASES,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(seconds):
            output, errors = await process.communicate(json.dumps(sorted(characters)).encode())
    except TimeoutError:
        raise Unavailable("the pinyin dictionary takes too long") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = errors.decode(errors="replace").strip().rpartition("\n")[2]
        raise Unavailable(f"the pinyin dictionary failed: {last[:200]}")
    return {sign: tuple(readings) for sign, readings in json.loads(output).items()}
