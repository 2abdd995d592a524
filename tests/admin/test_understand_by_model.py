"""``dingerp understand --model`` asks where the bot would ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.admin.understanding import describe, understand
from bot.settings import Settings, load_settings
from tests.understanding.language_model.fake_model import FakeModel, fake

__all__ = ["fake"]


@pytest.fixture
def settings(fake: FakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return load_settings(understanding={"model": {"url": fake.url, "key": "hush", "model": "qwen"}})


async def test_what_the_rules_do_not_read(fake: FakeModel, settings: Settings) -> None:
    fake.say("/order late")
    assert await understand(settings, "明天又要被念叨") is None
    reading = await understand(settings, "明天又要被念叨", with_model=True)
    assert reading is not None
    assert describe(reading) == {"line": "/order late", "by": "model", "alternatives": [], "understood": []}


async def test_what_the_rules_read_costs_nothing(fake: FakeModel, settings: Settings) -> None:
    reading = await understand(settings, "SO-1001发货了吗", with_model=True)
    assert reading is not None
    assert reading.line == "/delivery SO-1001"
    assert fake.asked == []


async def test_two_likely_readings_are_settled(fake: FakeModel, settings: Settings) -> None:
    fake.say("/invoice INV-24")
    reading = await understand(settings, "INV-7跟INV-24付了吗", with_model=True)
    assert reading is not None
    assert (reading.line, reading.by, reading.alternatives) == ("/invoice INV-24", "model", ())
