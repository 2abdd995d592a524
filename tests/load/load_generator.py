"""People who ask the bot: a fixed number of questions in flight; each person asks again after each answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from time import perf_counter

from bot.kit.simulator.chat import ChatItem, SimConversation, SimMessage
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.push_dispatcher import SimPush

CONFIG = SimulatorConfig(qps_limit=None, quota_limit=None, history=20, max_cards=2000, timeline_size=200)
"""DingTalk without its limits, because the bots are measured, and with a short history, because it shares their
machine."""

ASKER = "keeper01"


@dataclass(slots=True)
class LoadResult:
    """The counts of one run; times in seconds."""

    seconds: float = 0.0
    in_time: int = 0
    """Answers before the time was up; questions in flight at that moment are still awaited, but do not count."""
    answers: list[float] = field(default_factory=list)
    """From each question to its answer."""
    acks: list[float] = field(default_factory=list)
    warm: int = 0
    """Answers during the warm-up."""
    calls: int = 0
    """Billed API calls, including the warm-up."""
    unasked: int = 0
    """Answers to groups that waited for none."""

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return self.in_time / self.seconds

    @property
    def calls_per_answer(self) -> float:
        """Billed API calls per answer."""
        return self.calls / (self.warm + len(self.answers))


def percentile(values: list[float], share: float) -> float:
    """Return the percentile ``share`` of ``values`` (seconds) in milliseconds."""
    ordered = sorted(values)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class LoadGenerator:
    """``size`` groups with one question in flight each; ``lines`` are asked in turn."""

    def __init__(self, engine: SimEngine, size: int, lines: Sequence[str]) -> None:
        self._engine = engine
        self._lines = cycle(lines)
        self._asked: dict[str, float] = {}
        self._tally = LoadResult()
        self._asking = False
        self.groups = [self._open_group(number) for number in range(size)]
        self._notify = engine.chat.on_item
        engine.chat.on_item = self._saw
        engine.pushes.on_ack = self._acknowledged

    async def ask_for(self, seconds: float, *, warm_up: float = 0.0) -> LoadResult:
        """Keep every group asking for ``seconds``, then wait for the last answers.

        The first ``warm_up`` seconds do not count: all groups start at the same moment, a stampede that a bot in
        service never sees. Asking continues without a break from the warm-up into the measured time.
        """
        self._tally, before = LoadResult(), self._engine.flow.used
        self._asking = True
        for group in self.groups:
            self._ask(group)
        await asyncio.sleep(warm_up)
        self._tally = LoadResult(warm=len(self._tally.answers), unasked=self._tally.unasked)
        started = perf_counter()
        await asyncio.sleep(seconds)
        tally = self._tally
        # On a machine with much else to do, a short run would otherwise end before anything was measured.
        await self._engine.wait_for(lambda: tally.answers and tally.acks, timeout=120)
        tally.seconds, tally.in_time = perf_counter() - started, len(tally.answers)
        self._asking = False
        await self._engine.wait_for(lambda: not self._asked, timeout=120)
        tally.calls = self._engine.flow.used - before
        return tally

    def _open_group(self, number: int) -> str:
        group = SimConversation(
            id=f"cidLoad{number:04d}/+==",
            kind="group",
            title=f"压测群 {number}",
            members=(ASKER,),
            items=deque(maxlen=20),
        )
        self._engine.chat.conversations[group.id] = group
        return group.id

    def _ask(self, group: str) -> None:
        self._asked[group] = perf_counter()
        self._engine.say(group, ASKER, next(self._lines))

    def _saw(self, item: ChatItem) -> None:
        if self._notify is not None:
            self._notify(item)
        if isinstance(item, SimMessage) and item.sender is not None:
            return
        asked = self._asked.pop(item.conversation.id, None)
        if asked is None:
            self._tally.unasked += 1
            return
        self._tally.answers.append(perf_counter() - asked)
        if self._asking:
            self._ask(item.conversation.id)

    def _acknowledged(self, push: SimPush) -> None:
        self._tally.acks.append(perf_counter() - push.sent_at)
