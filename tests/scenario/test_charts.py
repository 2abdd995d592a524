"""A chart from the question to the picture in the card, and what it costs."""

from __future__ import annotations

import io
import math
import re
from base64 import b64decode
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from tests.scenario.conftest import KEEPER, READING, BotSystem, OpenSystem
from tests.scenario.traffic import eventually
from tests.web.page_client import page_client

BOSS = "boss01"
DRAWING = re.compile(r'src="data:image/svg\+xml;base64,([^"]*)"')
PICTURE = re.compile(r"!\[[^\]]*\]\((@[\w-]+)\)")


@pytest.fixture
async def system(open_system: OpenSystem) -> AsyncIterator[BotSystem]:
    """A system that keeps the documents of which charts are drawn."""
    access = {"presets": True, "roles": {"manager": frozenset({BOSS}), "keeper": frozenset({KEEPER})}}
    async with open_system(read_model={"enabled": True}, access=access, **READING) as opened:
        yield opened


async def all_kept(system: BotSystem) -> None:
    """Wait until all documents are read once."""

    def age() -> float:
        return system.count("read_model_age_seconds", source="demo")

    await eventually(lambda: math.isfinite(age() or math.inf), 100, hint=age)


async def test_a_chart_costs_one_call_more_and_says_so(system: BotSystem) -> None:
    engine, count = system.engine, system.count
    await all_kept(system)
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


async def test_a_page_draws_its_own_picture_for_no_call(system: BotSystem) -> None:
    await all_kept(system)
    url = system.app.settings.http.public_url
    async with page_client(url) as boss, page_client(url) as keeper:
        await boss.log_in(BOSS)
        await keeper.log_in(KEEPER)
        for path in ("/ask?line=/chart+sales", "/week"):
            page, cut = await boss.get(path), await keeper.get(path)
            drawings = [b64decode(found).decode() for found in DRAWING.findall(page.html)]
            assert drawings, path
            assert all("¥" in drawing or "CNY" in drawing for drawing in drawings)
            assert "钉钉调用" not in page.text
            assert DRAWING.findall(cut.html) == [], "of what somebody may not see there is no picture"
    assert system.count("api_calls_total", api="media_upload", outcome="ok") == 0
