"""Everybody clicks at the same moment, over one or two processes: one decides, the ERP is told once, all learn it."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import pytest

from bot.erp.model import Verdict
from bot.settings import LimitSettings
from tests.scenario.approvals.cluster import (
    APPROVE,
    OVER,
    REJECT,
    ApprovalCluster,
    CardPlacement,
    ClickAnswer,
    open_cluster,
)
from tests.scenario.processes import Program
from tests.scenario.traffic import LONGEST_WAIT

CLICK_SECONDS = LimitSettings().click_seconds
"""Seconds after which the bot says that it is busy."""

REASON, RECORDED = "价格过高", "已记录"
CLICKERS = [f"clicker{number:02}" for number in range(50)]
THREE = CLICKERS[:3]

pytestmark = [pytest.mark.process, pytest.mark.timeout(1800)]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return an empty database: one process works on SQLite (the empty address), two on PostgreSQL."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def dice(pytestconfig: pytest.Config) -> Random:
    """Return the random source for the order of the clicks; the same seed gives the same order."""
    seed = int(pytestconfig.getoption("randomly_seed", 0))
    print(f"order of the clicks: --randomly-seed={seed}")
    return Random(seed)


async def start(stack: AsyncExitStack, cluster: ApprovalCluster, bots: int) -> list[Program]:
    """Start the bots, one after the other as an operator does."""
    started = []
    for number in range(bots):
        bot = await stack.enter_async_context(cluster.bot(f"bot{number}"))
        await bot.saying("stream.connected")
        started.append(bot)
    return started


async def end(bots: Sequence[Program]) -> None:
    """Stop the bots; none logged a defect."""
    for bot, ended in zip(bots, await asyncio.gather(*(bot.stop() for bot in bots)), strict=True):
        assert ended.code == 0
        assert "Traceback" not in bot.err, bot.err


def check_answers(cluster: ApprovalCluster, number: str, answers: Sequence[ClickAnswer]) -> None:
    """All answers are true: one person's vote was recorded, and the others were told whose."""
    ((verdict, account),) = cluster.verdicts()[number]
    winner = account.removeprefix("erp-")
    recorded = {answer.who for answer in answers if RECORDED in answer.view.markdown and not answer.is_busy}
    # The card may have changed between the answer and this check.
    assert recorded <= {winner}, (number, recorded, winner)
    for answer in answers:
        if is_too_late(answer):
            continue
        assert answer.result.ok, (number, answer.result)
        if answer.is_busy:
            continue  # the others keep the card as it is
        assert answer.view.button(APPROVE) is None, (number, answer.view)
        assert answer.view.button(REJECT) is None, (number, answer.view)
        # The card that asked somebody for the reason ends with the order: who taps it afterwards is told to look again.
        is_over = answer.pressed == REASON and answer.view.title == OVER
        assert is_over or winner in answer.view.markdown, (number, winner, answer.view)
    own = {answer.pressed for answer in answers if answer.who == winner}
    assert own == {APPROVE if verdict is Verdict.APPROVE else REASON}, (number, own, verdict)


def is_too_late(answer: ClickAnswer) -> bool:
    """Whether the bot's stream gave up, after five seconds: the machine let nothing be done in time."""
    return not answer.result.ok and answer.result.elapsed_ms >= 5_000


async def decide_what_nobody_could(
    cluster: ApprovalCluster, approvers: Mapping[str, CardPlacement]
) -> Mapping[str, list[ClickAnswer]]:
    """Let one person click at what is still open: on a very slow machine all were told that the bot is busy."""
    answers = defaultdict(list)
    async with asyncio.timeout(LONGEST_WAIT):
        while (await cluster.case_counts()).states["open"]:
            for number in approvers.keys() - cluster.verdicts().keys():
                answers[number].append(await cluster.press_stale(approvers[number]))
    return answers


def check_everybody_was_told(answers: Sequence[ClickAnswer], *, alone: bool) -> None:
    """Only clickers who waited were told that the bot is busy; with `check_answers`: the others were told who decided.

    With the machine to itself (``alone``) every person got a real answer. Beside other tests it may be too slow for any
    answer in time; `ApprovalCluster.assert_decided_once` checks the final cards.
    """
    hasty = [answer for answer in answers if answer.is_busy and answer.result.elapsed_ms < 1000 * CLICK_SECONDS]
    assert not hasty, hasty
    busy = Counter(answer.who for answer in answers if answer.is_busy)
    clicks = Counter(answer.who for answer in answers)
    waits = sorted(answer.result.elapsed_ms for answer in answers)
    print(
        f"{busy.total()} of {len(answers)} clicks were told that the bot is busy,"
        f" at most {max(busy.values(), default=0)} of one person;"
        f" answers took {waits[len(waits) // 2]:.0f} ms (median), {waits[-1]:.0f} ms (longest)"
    )
    unanswered = sorted(who for who, count in clicks.items() if busy[who] == count)
    if alone:
        assert not unanswered, (
            f"{len(unanswered)} of {len(clicks)} people heard nothing but that the bot is busy: {unanswered}"
        )


def check_own_answers(
    cluster: ApprovalCluster, numbers: Sequence[str], refusers: Sequence[str], bots: Sequence[Program]
) -> None:
    """Who asked to reject has a card of their own about the order: of each bot one at most, whatever they tap."""
    for number in numbers:
        own = Counter(card.reader for card in cluster.cards()[number] if card.is_answer)
        assert own.keys() >= set(refusers), (number, own)
        assert max(own.values()) <= len(bots), (number, own)


# A thousand clicks took 1.1 s alone, and 2.1 s beside other tests.
@pytest.mark.parametrize(
    ("times", "alone"),
    [pytest.param(4, False, id="four"), pytest.param(20, True, id="twenty", marks=pytest.mark.soak)],
)
async def test_fifty_people_click_many_times_at_the_same_moment(
    times: int, alone: bool, tmp_path: Path, database_url: str, dice: Random
) -> None:
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(
            open_cluster(tmp_path, CLICKERS, database_url=database_url, erp_seconds=0.05)
        )
        (number,) = cluster.submit([1])
        bots = await start(stack, cluster, 2 if database_url else 1)
        await cluster.shown([number], len(CLICKERS) + 1)
        own = [card for card in cluster.cards()[number] if card.reader in CLICKERS and not card.in_group]
        assert len(own) == len(CLICKERS)
        dice.shuffle(own)
        # Those who decide share cards. Who rejects is asked for the reason on a card of their own.
        refusing = await asyncio.gather(*(cluster.ask_back(card, REJECT, REASON) for card in own[::3]))
        for card in own:
            kept = cluster.view(card)
            assert (kept.markdown, kept.buttons) == (card.view.markdown, card.view.buttons), "nobody's tap covers it"
        presses = [(card, REASON) for card in refusing]
        presses += [(card, APPROVE) for place, card in enumerate(own) if place % 3]
        dice.shuffle(presses)
        answers = await asyncio.gather(
            *(cluster.press_stale(card, button) for _ in range(times) for card, button in presses)
        )
        answers += (await decide_what_nobody_could(cluster, {number: own[1]}))[number]
        await cluster.settled(1)
        await cluster.wait_until_uncovered()
        cluster.assert_decided_once([number], len(CLICKERS) + 2)
        check_own_answers(cluster, [number], [card.reader for card in refusing], bots)
        check_answers(cluster, number, answers)
        check_everybody_was_told(answers, alone=alone)
        assert len(cluster.erp.erp.told) == 1, "nothing else arrived there, not even in vain"
        assert await cluster.decisions() == {number: cluster.erp.erp.written[0].by}
        await end(bots)


@pytest.mark.parametrize(
    "orders", [pytest.param(30, id="thirty"), pytest.param(1000, id="thousand", marks=pytest.mark.soak)]
)
async def test_many_orders_are_decided_concurrently_without_one_wrong(
    orders: int, tmp_path: Path, postgres_url: str, dice: Random
) -> None:
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(
            open_cluster(tmp_path, THREE, database_url=postgres_url, erp_seconds=0.01, group=False)
        )
        numbers = cluster.submit(range(orders))
        bots = await start(stack, cluster, 2)
        await cluster.shown(numbers, len(THREE), 180 + orders / 2)
        cards = cluster.cards()
        slots = asyncio.Semaphore(40)
        refuser = THREE[0]

        async def press(card: CardPlacement) -> ClickAnswer:
            async with slots:
                # The others may have decided meanwhile, so that the button is gone when the click arrives.
                return await cluster.press_stale(card, REASON if card.reader == refuser else APPROVE)

        async def ready(number: str, card: CardPlacement) -> tuple[str, CardPlacement]:
            if card.reader == refuser:
                async with slots:
                    return number, await cluster.ask_back(card, REJECT, REASON)
            return number, card

        clicks = await asyncio.gather(*(ready(number, copy) for number in numbers for copy in cards[number]))
        # Clicks at one order come close together, so that they meet.
        clicks.sort(key=lambda click: (numbers.index(click[0]) // 10, dice.random()))
        results = await asyncio.gather(*(press(card) for _, card in clicks))
        answers = defaultdict(list)
        for (number, _), answer in zip(clicks, results, strict=True):
            answers[number].append(answer)
        approvers = {number: next(card for card in cards[number] if card.reader != refuser) for number in numbers}
        for number, later in (await decide_what_nobody_could(cluster, approvers)).items():
            answers[number] += later
        await cluster.settled(orders, 180 + orders / 2)
        await cluster.wait_until_uncovered()
        cluster.assert_decided_once(numbers, len(THREE) + 1)
        check_own_answers(cluster, numbers, [refuser], bots)
        for number in numbers:
            check_answers(cluster, number, answers[number])
        assert len(cluster.erp.erp.told) == orders
        assert await cluster.decisions() == {decision.number: decision.by for decision in cluster.erp.erp.written}
        verdicts = {verdict for ((verdict, _),) in cluster.verdicts().values()}
        assert verdicts == {Verdict.APPROVE, Verdict.REJECT}, "some were first with either word"
        await end(bots)
