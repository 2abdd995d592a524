"""``kill -9`` at any moment between a click and the final card: the ERP is told once, and all cards show the decision.

People only click, and they click again only if they were told that it failed and their card still asks. The bots' clock
runs fast, because a broken-off write is checked after a minute.
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
    BUSY,
    CONFIG,
    ApprovalCluster,
    CardPlacement,
    ClickAnswer,
    open_cluster,
)
from tests.scenario.processes import Program
from tests.scenario.traffic import eventually

PEOPLE = ("decider00", "decider01")
COPIES = len(PEOPLE) + 1
"""Cards that ask: one for each person and one in the group. In the end the requester has one, too."""

SPEED = 30.0
"""Of the bots' clock: a minute and a half, the time until a lost write is repeated, is 3 s here."""

ERP_SECONDS = 0.15
"""The write itself happens halfway, so bots die before it, after it, and while its answer is under way."""

LATEST = 0.5
"""Seconds after the click until a bot is killed; without a kill the cards are final after about 0.4 s."""

QUICK = replace(CONFIG, click_timeout=10.0)
"""Seconds after which clicks that a dead bot got fail; a living one says much earlier that it is busy."""

pytestmark = [pytest.mark.process, pytest.mark.timeout(3600)]


@dataclass(slots=True)
class KilledRuns:
    """Results of the clicks, and log entries of the killed bots."""

    kills: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    """Clicks by the client's result: ``ok`` or its message."""
    written: Counter[str] = field(default_factory=Counter)
    """The outcomes of writes that the bots logged."""

    def note(self, bot: Program) -> None:
        """Read the log of an ended bot."""
        assert "Traceback" not in bot.err, bot.err
        self.written.update(str(line["outcome"]) for line in bot.logged("approvals.written"))


async def live_and_die(
    cluster: ApprovalCluster, cards: Sequence[CardPlacement], dice: Random, runs: KilledRuns, *, while_written: bool
) -> list[asyncio.Task[ClickAnswer]]:
    """Let a bot run, a person click at these cards, and the bot be killed at a random moment after that.

    ``while_written``: the bot is killed while the ERP works on the decision; else at any moment.
    """
    before = cluster.erp.asked
    clicks: list[asyncio.Task[ClickAnswer]] = []
    async with cluster.bot() as bot:
        await bot.saying("stream.connected")
        for card in cards:
            clicks.append(asyncio.create_task(press_until_it_counts(cluster, card)))
            await asyncio.sleep(dice.uniform(0.0, LATEST / 4))
        if while_written:
            await eventually(lambda: cluster.erp.asked > before, hint=lambda: bot.err)
        else:
            await asyncio.sleep(dice.uniform(0.0, LATEST))
        await bot.kill()
        runs.kills += 1
    runs.note(bot)
    return clicks


async def press_until_it_counts(cluster: ApprovalCluster, card: CardPlacement) -> ClickAnswer:
    """Press, and press again when told to try again: on a busy machine the order is not always read in time."""
    answer = await cluster.press_stale(card)
    while answer.result.ok and (answer.view.title.startswith(BUSY) or answer.view.button(APPROVE) is not None):
        answer = await cluster.press_stale(card)
    return answer


async def decide_the_rest(cluster: ApprovalCluster, numbers: Sequence[str]) -> None:
    """Let people decide whose card still asks: they were told that their click failed."""
    for number in numbers:
        card = next(copy for copy in cluster.cards()[number] if not copy.in_group)
        if card.decidable:
            answer = await cluster.press(card)
            assert answer.result.ok, answer


@pytest.mark.parametrize("kills", [pytest.param(2, id="two"), pytest.param(200, id="many", marks=pytest.mark.soak)])
async def test_killed_at_any_moment(kills: int, tmp_path: Path, dice: Random) -> None:
    runs = KilledRuns()
    async with open_cluster(
        tmp_path, PEOPLE, erp_seconds=ERP_SECONDS, todos=True, speed=SPEED, config=QUICK
    ) as cluster:
        numbers = cluster.submit(range(2 * kills))
        async with cluster.bot() as bot:
            await cluster.shown(numbers, COPIES, 180 + kills)
            await cluster.settled(0)
            await bot.stop()
        runs.note(bot)
        cards = cluster.cards()
        clicks: list[asyncio.Task[ClickAnswer]] = []
        for life in range(kills):
            pair = numbers[2 * life : 2 * life + 2]
            chosen = [next(card for card in cards[number] if card.reader == PEOPLE[life % 2]) for number in pair]
            clicks += await live_and_die(cluster, chosen, dice, runs, while_written=life % 2 == 1)
        answers = await asyncio.gather(*clicks)
        runs.answered.update("ok" if answer.result.ok else str(answer.result.toast) for answer in answers)
        accepted = {number for number, answer in zip(numbers, answers, strict=True) if answer.result.ok}
        under_way = len(cluster.erp.erp.told)
        async with cluster.bot() as bot:
            await bot.saying("stream.connected")
            # An answered click needs no second one.
            await cluster.settled(len(accepted))
            written = cluster.verdicts()
            assert {number for number in accepted if number not in written} == set()
            open_now = [number for number in numbers if number not in written]
            await decide_the_rest(cluster, open_now)
            await cluster.settled(len(numbers))
            await bot.stop()
        runs.note(bot)
        cluster.assert_decided_once(numbers, COPIES + 1)
        listed = [(todo.subject.split()[1], todo.is_done) for todo in cluster.engine.todos]
        assert sorted(listed) == sorted((number, True) for number in numbers), "one to-do for each, and done"
        assert await cluster.decisions() == {decision.number: decision.by for decision in cluster.erp.erp.written}
        outcomes = await cluster.audited()
        print(runs, f"{under_way} written before the last start, {len(open_now)} decided after it", outcomes)
        # Some died before the ERP had the decision, some after: both cases had to be found out.
        assert outcomes["unknown"] > 0
        assert outcomes["found"] > 0
        assert len(accepted) > 0 or kills < 20, "some were answered in time"
        assert runs.kills == kills


@pytest.fixture
def dice(pytestconfig: pytest.Config) -> Random:
    """Return the random source for the moments of the kills; the same seed gives the same moments."""
    seed = int(pytestconfig.getoption("randomly_seed", 0))
    print(f"moments of the kills: --randomly-seed={seed}")
    return Random(seed)
