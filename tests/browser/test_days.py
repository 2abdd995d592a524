"""The tutorial "Ask it anything", played: five people's days of twenty questions each, without a slash."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from playwright.async_api import expect

from bot.kit.demo import demo_settings, with_company
from bot.kit.simulator.config import SimulatorConfig
from bot.settings import load_settings
from tests.browser.conftest import OpenPage
from tests.browser.test_rights import ask, open_own_chat
from tests.scenario.conftest import BotSystem, run_system
from tests.scenario.traffic import eventually

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "ask-it-anything.md"
QUESTIONS = 20


class Question(NamedTuple):
    """A row of the tutorial; ``line`` and ``title`` are beginnings."""

    sentence: str
    line: str
    title: str


def days() -> Mapping[str, Sequence[Question]]:
    """Return the days of the tutorial by userId."""
    parts = re.findall(r"^\w+ \(`(\w+)`\)\..*?\n\n((?:\|.*\n)+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        person: [Question(*row) for row in re.findall(r"^\| (.+) \| `(.+)` \| (.+) \|$", table, re.MULTILINE)]
        for person, table in parts
    }


DAYS = days()


@pytest_asyncio.fixture(loop_scope="session")
async def system(tmp_path: Path) -> AsyncIterator[BotSystem]:
    """The demo company at rest, with its rules and accounts, and the documents that reports and names are read from."""
    own = load_settings(data_dir=tmp_path)
    demo = with_company(demo_settings(own, SimulatorConfig(), "http://127.0.0.1:1"), own, living=False)
    async with run_system(
        tmp_path,
        read_model={"enabled": True},
        access=demo.access,
        approvals=demo.approvals,
        poll=demo.poll,
        understanding=demo.understanding,
    ) as opened:
        await eventually(lambda: math.isfinite(documents_age(opened)), hint=lambda: documents_age(opened))
        yield opened


def documents_age(system: BotSystem) -> float:
    """Return the seconds since all documents were read; endless before."""
    age = system.app.metrics.registry.get_sample_value("dingerp_read_model_age_seconds", {"source": "demo"})
    return math.inf if age is None else age


def test_five_people_ask_twenty_questions_each_without_a_slash() -> None:
    assert len(DAYS) == 5
    assert {len(questions) for questions in DAYS.values()} == {QUESTIONS}
    assert not any("/" in question.sentence for questions in DAYS.values() for question in questions)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("person", DAYS)
async def test_each_sentence_is_answered_as_the_tutorial_says(
    person: str, system: BotSystem, browser_page: OpenPage
) -> None:
    page = await browser_page(person, url=system.engine.base_url)
    await open_own_chat(page)
    for question in DAYS[person]:
        card = await ask(page, question.sentence)
        title = card.get_by_test_id("card-title")
        await expect(title, question.sentence).to_have_text(re.compile(rf"^{re.escape(question.title)}"))
        await expect(card.get_by_test_id("card-tips"), question.sentence).to_contain_text(f"按 {question.line}")
