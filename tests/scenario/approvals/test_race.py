"""Everybody clicks at the same moment, over one or two processes: one decides, the ERP is told once, all learn it."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bot.erp.model import Verdict
from bot.settings import LimitSettings
from tests.scenario.approvals.cluster import (
    APPROVE,
    CONFIG,
    REJECT,
    ApprovalCluster,
    CardPlacement,
    ClickAnswer,
    cluster,
)
from tests.scenario.processes import Program

PATIENT = replace(CONFIG, click_timeout=30.0)
"""Many clicks at once on a busy machine: what the bot says late has to be true as well.

The bot itself says after less than 2 s that it is busy, so this changes nothing about how many are told so.
"""

CLICK_SECONDS = LimitSettings().click_seconds
"""After so long the bot says that it is busy."""

REASON, RECORDED, BUSY = "价格过高", "已记录", "请稍候"
CROWD = [f"clicker{number:02}" for number in range(50)]
THREE = CROWD[:3]

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return an empty database: one process works on SQLite, which is the empty address, and two on PostgreSQL."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def dice(pytestconfig: pytest.Config) -> Random:
    """Return the dice for the order of the clicks; the same seed gives the same order."""
    seed = int(pytestconfig.getoption("randomly_seed", 0))
    print(f"order of the clicks: --randomly-seed={seed}")
    return Random(seed)


async def start(stack: AsyncExitStack, scene: ApprovalCluster, bots: int) -> list[Program]:
    """Start the bots, one after the other as an operator does."""
    started = []
    for number in range(bots):
        bot = await stack.enter_async_context(scene.bot(f"bot{number}"))
        await bot.saying("bot.running")
        started.append(bot)
    return started


async def end(bots: Sequence[Program]) -> None:
    """Stop the bots; none met a defect."""
    for bot, ended in zip(bots, await asyncio.gather(*(bot.stop() for bot in bots)), strict=True):
        assert ended.code == 0
        assert "Traceback" not in bot.err, bot.err


def check_answers(scene: ApprovalCluster, number: str, answers: Sequence[ClickAnswer]) -> None:
    """What everybody was told is true: one person's word was recorded, and the others were told whose."""
    ((verdict, account),) = scene.verdicts()[number]
    winner = account.removeprefix("erp-")
    recorded = {answer.who for answer in answers if RECORDED in answer.face.markdown}
    # The card may have been brought up to date between the answer and the look at it.
    assert recorded <= {winner}, (number, recorded, winner)
    for answer in answers:
        assert answer.result.ok, (number, answer.result)
        assert answer.face.button(APPROVE) is None, (number, answer.face)
        assert answer.face.button(REJECT) is None, (number, answer.face)
        assert is_busy(answer) or winner in answer.face.markdown, (number, winner, answer.face)
    own = {answer.pressed for answer in answers if answer.who == winner}
    assert own == {APPROVE if verdict is Verdict.APPROVE else REASON}, (number, own, verdict)


def is_busy(answer: ClickAnswer) -> bool:
    """Whether all that was said is that there was no answer in time."""
    return answer.face.title.startswith(BUSY)


def check_everybody_was_told(answers: Sequence[ClickAnswer], *, alone: bool) -> None:
    """Only who had waited was told that the bot is busy; with `check_answers`: the others were told who decided.

    With the machine for itself (``alone``) nobody was left with that news. Beside other tests it may be too slow for
    any answer in time; what the cards say in the end is checked by `ApprovalCluster.assert_decided_once`.
    """
    hasty = [answer for answer in answers if is_busy(answer) and answer.result.elapsed_ms < 1000 * CLICK_SECONDS]
    assert not hasty, hasty
    busy = Counter(answer.who for answer in answers if is_busy(answer))
    clicks = Counter(answer.who for answer in answers)
    waits = sorted(answer.result.elapsed_ms for answer in answers)
    print(
        f"{busy.total()} of {len(answers)} clicks were told that the bot is busy,"
        f" at most {max(busy.values(), default=0)} of one person;"
        f" answers took {waits[len(waits) // 2]:.0f} ms (median), {waits[-1]:.0f} ms (longest)"
    )
    untold = sorted(who for who, count in clicks.items() if busy[who] == count)
    if alone:
        assert not untold, f"{len(untold)} of {len(clicks)} people heard nothing but that the bot is busy: {untold}"


async def open_reasons(scene: ApprovalCluster, cards: Sequence[CardPlacement]) -> None:
    """Let the readers of these cards look at the reasons for a rejection, whose buttons they press later."""
    for card in cards:
        answer = await scene.press(card, REJECT)
        assert answer.face.button(REASON) is not None, answer


# A thousand clicks took 1.1 s alone, and 2.1 s beside other tests.
@pytest.mark.parametrize(
    ("times", "alone"),
    [pytest.param(8, False, id="eight"), pytest.param(20, True, id="twenty", marks=pytest.mark.soak)],
)
async def test_fifty_people_click_many_times_at_the_same_moment(
    times: int, alone: bool, tmp_path: Path, database_url: str, dice: Random
) -> None:
    async with AsyncExitStack() as stack:
        scene = await stack.enter_async_context(
            cluster(tmp_path, CROWD, database_url=database_url, erp_seconds=0.05, config=PATIENT)
        )
        (number,) = scene.submit([1])
        bots = await start(stack, scene, 2 if database_url else 1)
        await scene.shown([number], len(CROWD) + 1, 30)
        own = [card for card in scene.cards()[number] if card.reader in CROWD and not card.in_group]
        assert len(own) == len(CROWD)
        dice.shuffle(own)
        await open_reasons(scene, own[::3])
        presses = [(card, REASON if place % 3 == 0 else APPROVE) for place, card in enumerate(own)]
        answers = await asyncio.gather(*(scene.press(card, button) for _ in range(times) for card, button in presses))
        await scene.settled(1, 30)
        await scene.wait_until_uncovered()
        scene.assert_decided_once([number], len(CROWD) + 2)
        check_answers(scene, number, answers)
        check_everybody_was_told(answers, alone=alone)
        assert len(scene.erp.erp.told) == 1, "nothing else arrived there, not even in vain"
        assert await scene.decisions() == {number: scene.erp.erp.written[0].by}
        await end(bots)


@pytest.mark.parametrize(
    "orders", [pytest.param(60, id="sixty"), pytest.param(1000, id="thousand", marks=pytest.mark.soak)]
)
async def test_many_orders_are_decided_concurrently_without_one_wrong(
    orders: int, tmp_path: Path, postgres_url: str, dice: Random
) -> None:
    async with AsyncExitStack() as stack:
        scene = await stack.enter_async_context(
            cluster(tmp_path, THREE, database_url=postgres_url, erp_seconds=0.01, group=False, config=PATIENT)
        )
        numbers = scene.submit(range(orders))
        bots = await start(stack, scene, 2)
        await scene.shown(numbers, len(THREE), 60 + orders / 10)
        cards = scene.cards()
        room = asyncio.Semaphore(40)
        refuser = THREE[0]

        async def press(card: CardPlacement) -> ClickAnswer:
            async with room:
                return await scene.press(card, REASON if card.reader == refuser else APPROVE)

        async def open_reasons(card: CardPlacement) -> None:
            async with room:
                await open_reasons(scene, [card])

        await asyncio.gather(
            *(open_reasons(copy) for number in numbers for copy in cards[number] if copy.reader == refuser)
        )
        clicks = [(number, copy) for number in numbers for copy in cards[number]]
        # Those of one order come close together, so that they meet.
        clicks.sort(key=lambda one: (numbers.index(one[0]) // 10, dice.random()))
        said = await asyncio.gather(*(press(card) for _, card in clicks))
        answers = defaultdict(list)
        for (number, _), answer in zip(clicks, said, strict=True):
            answers[number].append(answer)
        await scene.settled(orders, 60 + orders / 10)
        await scene.wait_until_uncovered()
        scene.assert_decided_once(numbers, len(THREE) + 1)
        for number in numbers:
            check_answers(scene, number, answers[number])
        assert len(scene.erp.erp.told) == orders
        assert await scene.decisions() == {decision.number: decision.by for decision in scene.erp.erp.written}
        verdicts = {verdict for ((verdict, _),) in scene.verdicts().values()}
        assert verdicts == {Verdict.APPROVE, Verdict.REJECT}, "some were first with either word"
        await end(bots)
