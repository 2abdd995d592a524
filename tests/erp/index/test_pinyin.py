"""The dictionary of pinyin: right, and in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.erp.errors import Unavailable
from bot.erp.index import pinyin
from bot.erp.index.dictionary import read


def test_readings() -> None:
    assert read(["螺", "重", "绿", "M", "\u3007"]) == {
        "螺": ["luo"],
        "重": ["zhong", "chong", "tong"],
        "绿": ["lv", "lu"],
        "M": [],
        "\u3007": ["ling", "yuan", "xing"],
    }


async def test_they_are_asked_of_another_process() -> None:
    assert await pinyin.look_up({"丝", "银", "☃"}) == {"丝": ("si",), "银": ("yin",), "☃": ()}


async def test_a_dictionary_that_fails_is_a_source_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "broken.py"
    program.write_text("raise SystemExit('no such module')", encoding="utf-8")
    monkeypatch.setattr(pinyin, "_PROGRAM", program)
    with pytest.raises(Unavailable, match="no such module"):
        await pinyin.look_up("螺")


async def test_a_dictionary_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "hangs.py"
    program.write_text("import time; time.sleep(600)", encoding="utf-8")
    monkeypatch.setattr(pinyin, "_PROGRAM", program)
    with pytest.raises(Unavailable, match="too long"):
        await pinyin.look_up("螺", seconds=0.2)


async def test_phrases_change_no_character() -> None:
    signs = [chr(code) for code in range(0x4E00, 0xA000)]
    assert await pinyin.look_up(signs) == {sign: tuple(readings) for sign, readings in read(signs).items()}
