"""A chart from the question to the picture in the card, and what it costs."""

from __future__ import annotations

import io
import math
import re
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from tests.scenario.conftest import READING, BotSystem, OpenSystem
from tests.scenario.traffic import eventually

BOSS = "boss01"
PICTURE = re.compile(r"!\[[^\]]*\]\((@[\w-]+)\)")


@pytest.fixture
async def system(open_system: OpenSystem) -> AsyncIterator[BotSystem]:
    """A system that keeps the documents of which charts are drawn."""
    async with open_system(read_model={"enabled": True}, **READING) as opened:
        yield opened


async def test_a_chart_costs_one_call_more_and_says_so(system: BotSystem) -> None:
    registry, engine = system.app.metrics.registry, system.engine

    def count(name: str, **labels: str) -> float:
        return registry.get_sample_value(f"dingerp_{name}", labels) or 0.0

    age = "read_model_age_seconds"
    await eventually(
        lambda: math.isfinite(count(age, source="demo") or math.inf), 100, hint=lambda: count(age, source="demo")
    )
    own_chat = engine.direct(BOSS).id
    card = await system.ask("/chart sales", BOSS, where=own_chat)
    found = PICTURE.search(card.markdown)
    assert found is not None, card.markdown
    stored = engine.media.get(found[1])
    assert stored is not None
    assert stored.content_type == "image/png"
    assert Image.open(io.BytesIO(stored.content), formats=("PNG",)).width == 680
    assert "图片占用 1 次钉钉调用" in card.tips
    assert count("api_calls_total", api="media_upload", outcome="ok") == 1
    assert count("chart_seconds_count") == 1

    # The chart of a week is another one on every day of a year; that of a month equals the last 30 days now and then.
    again = await system.ask("上周销售走势", BOSS, where=own_chat)
    assert PICTURE.search(again.markdown)
    assert "按 /chart sales 上周 查询" in again.tips
    same = await system.ask("/图表 销售", BOSS, where=own_chat)
    assert found[1] in same.markdown, "the same picture is not uploaded twice"
    assert count("api_calls_total", api="media_upload", outcome="ok") == 2
