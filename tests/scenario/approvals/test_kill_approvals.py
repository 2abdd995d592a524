"""``kill -9`` at any moment between a click and the final card: the ERP is told once, and all cards tell the end.

Nobody does anything but click, and only those click again who were told that it failed and whose card still asks. The
bots' clock runs fast, for a write that was broken off is looked for after a minute only.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest

from tests.scenario.approvals.cluster import (
    APPROVE,
    CONFIG,
    ApprovalCluster,
    CardPlacement,
    ClickAnswer,
    cluster,
)
from tests.scenario.processes import Program
from tests.scenario.traffic import eventually

PEOPLE = ("decider00", "decider01")
COPIES = len(PEOPLE) + 1
"""Cards that ask: one for each of them, and one in the group. In the end the requester has one, too."""

SPEED = 30.0
"""Of the bots' clock: what takes a minute and a half there, the time until a lost write is repeated, is 3 s here."""

ERP_SECONDS = 0.15
"""A write is done in the middle of it, so that bots die before it, after it, and while its answer is under way."""

LATEST = 0.5
"""Seconds after the click until which a bot is killed; without a kill the cards are final after about 0.4."""

QUICK = replace(CONFIG, click_timeout=1.0)
"""Clicks that a dead bot got fail after that many seconds."""

pytestmark = [pytest.mark.process, pytest.mark.timeout(3600)]


@dataclass(slots=True)
class KilledRuns:
    """What became of the clicks, and what the bots told that were killed."""

    kills: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    """Clicks by how the client ended them: ``ok`` or its message."""
    written: Counter[str] = field(default_factory=Counter)
    """Which outcome of writes the bots noted."""

    def note(self, bot: Program) -> None:
        """Read the log of a bot that has ended."""
        assert "Traceback" not in bot.err, bot.err
        self.written.update(str(line["outcome"]) for line in bot.logged("approvals.written"))


async def live_and_die(
    scene: ApprovalCluster, cards: Sequence[CardPlacement], dice: Random, lives: KilledRuns, *, while_written: bool
) -> list[asyncio.Task[ClickAnswer]]:
    """Let a bot run, somebody click at these cards, and the bot be killed at some moment after that.

    ``while_written``: that moment is one at which the ERP works on the decision; else it is any.
    """
    before = scene.erp.asked
    clicks: list[asyncio.Task[ClickAnswer]] = []
    async with scene.bot() as bot:
        await bot.saying("bot.running")
        for card in cards:
            clicks.append(asyncio.create_task(press_until_it_counts(scene, card)))
            await asyncio.sleep(dice.uniform(0.0, LATEST / 4))
        if while_written:
            await eventually(lambda: scene.erp.asked > before, 20, hint=lambda: bot.err)
        else:
            await asyncio.sleep(dice.uniform(0.0, LATEST))
        await bot.kill()
        lives.kills += 1
    lives.note(bot)
    return clicks


async def press_until_it_counts(scene: ApprovalCluster, card: CardPlacement) -> ClickAnswer:
    """Press, and again when told to try again: where the machine is busy, the order is not always read in time."""
    answer = await scene.press(card)
    while answer.result.ok and answer.face.button(APPROVE) is not None:
        answer = await scene.press(card)
    return answer


async def decide_the_rest(scene: ApprovalCluster, numbers: Sequence[str]) -> None:
    """Let people decide whose card still asks: they were told that their click failed."""
    for number in numbers:
        card = next(copy for copy in scene.cards()[number] if not copy.in_group)
        if card.decidable:
            answer = await scene.press(card)
            assert answer.result.ok, answer


@pytest.mark.parametrize("kills", [pytest.param(5, id="five"), pytest.param(200, id="many", marks=pytest.mark.soak)])
async def test_killed_at_any_moment(kills: int, tmp_path: Path, dice: Random) -> None:
    lives = KilledRuns()
    async with cluster(tmp_path, PEOPLE, erp_seconds=ERP_SECONDS, speed=SPEED, config=QUICK) as scene:
        numbers = scene.submit(range(2 * kills))
        async with scene.bot() as bot:
            await scene.shown(numbers, COPIES, 60 + kills)
            await scene.settled(0, 30)
            await bot.stop()
        lives.note(bot)
        cards = scene.cards()
        clicks: list[asyncio.Task[ClickAnswer]] = []
        for life in range(kills):
            pair = numbers[2 * life : 2 * life + 2]
            chosen = [next(card for card in cards[number] if card.reader == PEOPLE[life % 2]) for number in pair]
            clicks += await live_and_die(scene, chosen, dice, lives, while_written=life % 2 == 1)
        answers = await asyncio.gather(*clicks)
        lives.answered.update("ok" if answer.result.ok else str(answer.result.toast) for answer in answers)
        honoured = {number for number, one in zip(numbers, answers, strict=True) if one.result.ok}
        under_way = len(scene.erp.erp.told)
        async with scene.bot() as bot:
            await bot.saying("bot.running")
            # Whose click was answered has done all there is to do.
            await scene.settled(len(honoured), 60)
            told = scene.verdicts()
            assert {number for number in honoured if number not in told} == set()
            open_now = [number for number in numbers if number not in told]
            await decide_the_rest(scene, open_now)
            await scene.settled(len(numbers), 60)
            await bot.stop()
        lives.note(bot)
        scene.assert_decided_once(numbers, COPIES + 1)
        assert await scene.decisions() == {decision.number: decision.by for decision in scene.erp.erp.written}
        outcomes = await scene.audited()
        print(lives, f"{under_way} written before the last start, {len(open_now)} decided after it", outcomes)
        # Some died before the ERP had it, some after it: both had to be found out.
        assert outcomes["unknown"] > 0
        assert outcomes["found"] > 0
        assert len(honoured) > 0 or kills < 20, "some were answered in time"
        assert lives.kills == kills


@pytest.fixture
def dice(pytestconfig: pytest.Config) -> Random:
    """Return the dice for the moments of the kills; the same seed gives the same moments."""
    seed = int(pytestconfig.getoption("randomly_seed", 0))
    print(f"moments of the kills: --randomly-seed={seed}")
    return Random(seed)
