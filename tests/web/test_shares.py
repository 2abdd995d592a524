"""Each key has a share of its own: one that floods waits, is refused and rests, and the others notice nothing."""

from __future__ import annotations

import asyncio

import pytest

from bot.web.api.problems import ApiProblem
from bot.web.api.shares import AT_ONCE, CROWD, MOST_REST, MOST_WAITING, REST, KeyShares


class Scene:
    """Requests that are answered when they are told to be."""

    def __init__(self, takes: float = 0.0) -> None:
        self.paused, self.takes, self.now = list[float](), takes, 0.0
        self.shares = KeyShares(self._pause, lambda: self.now)
        self.inside = list[str]()
        self.answered = asyncio.Event()

    async def _pause(self, seconds: float) -> None:
        self.paused.append(seconds)

    async def ask(self, key: str) -> None:
        async with self.shares.turn(key):
            self.inside.append(key)
            await self.answered.wait()
            self.now += self.takes


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_key_waits_for_itself_and_no_other_does() -> None:
    scene = Scene()
    asking = [asyncio.create_task(scene.ask("flood")) for _ in range(AT_ONCE + 3)]
    await _settle()
    asking.append(asyncio.create_task(scene.ask("other")))
    await _settle()
    assert scene.inside == ["flood"] * AT_ONCE + ["other"]
    scene.answered.set()
    await asyncio.gather(*asking)
    assert scene.inside.count("flood") == AT_ONCE + 3
    assert scene.paused == []


async def test_too_many_that_wait_are_refused_after_a_moment() -> None:
    scene = Scene()
    asking = [asyncio.create_task(scene.ask("flood")) for _ in range(AT_ONCE + MOST_WAITING)]
    await _settle()
    with pytest.raises(ApiProblem) as refused:
        await scene.ask("flood")
    assert (refused.value.status, refused.value.retry_after) == (429, 1.0)
    assert len(scene.paused) == 1
    scene.answered.set()
    await asyncio.gather(*asking)
    await scene.ask("flood")


@pytest.mark.parametrize(("takes", "rest"), [(0.01, 0.01 * REST), (10.0, MOST_REST)])
async def test_a_key_that_floods_rests_by_the_time_that_an_answer_took(takes: float, rest: float) -> None:
    scene = Scene(takes)
    asking = [asyncio.create_task(scene.ask("flood")) for _ in range(CROWD + 1)]
    await _settle()
    scene.answered.set()
    await asyncio.gather(*asking)
    assert scene.paused == [pytest.approx(rest)], "the others are no crowd"


async def test_a_request_that_goes_away_leaves_its_place() -> None:
    scene = Scene()
    asking = [asyncio.create_task(scene.ask("key")) for _ in range(AT_ONCE + 1)]
    await _settle()
    for each in asking:
        each.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    scene.answered.set()
    await scene.ask("key")
    assert scene.inside == ["key"] * (AT_ONCE + 1)
