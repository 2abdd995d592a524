"""Many people asking: each answer can be matched to its question, so that lost and double answers show."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from bot.kit.simulator.chat import ChatItem, SimConversation, SimDelivery, SimMessage
from bot.kit.simulator.engine import SimEngine

ASKER = "keeper01"
PER_SECOND = 50.0
_MOST_OWED = 300

_FIRST_SKU, _SKUS = 100, 92
"""The demo company's ``SKU100`` to ``SKU191``; no two questions of one group name the same."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question and its group; ``asked_at`` is on the clock of `time.perf_counter`."""

    message: SimMessage
    sku: str
    asked_at: float

    @property
    def key(self) -> tuple[str, str]:
        """The key that identifies its answer."""
        return self.message.conversation.id, self.sku


class Traffic:
    """Questions in turn in a number of groups, and the bot's answers there.

    With ``may_refuse`` a card that only offers to ask again is an answer, too.
    """

    def __init__(self, engine: SimEngine, groups: int = 10, *, may_refuse: bool = False) -> None:
        self.engine = engine
        self.may_refuse = may_refuse
        self.questions: list[Question] = []
        self.groups = [_open_group(engine, number) for number in range(groups)]
        self._answers: dict[int, tuple[str, str, float]] = {}
        self._ids = {group.id for group in self.groups}
        self._notify = engine.chat.on_item
        engine.chat.on_item = self._saw

    def ask(self) -> Question:
        """Ask the next question in the next group."""
        turn, number = divmod(len(self.questions), len(self.groups))
        assert turn < _SKUS, "the groups have asked for everything: open more of them"
        group, sku = self.groups[number], f"SKU{_FIRST_SKU + (turn + 7 * number) % _SKUS}"
        question = Question(self.engine.say(group.id, ASKER, f"/stock {sku}"), sku, perf_counter())
        self.questions.append(question)
        return question

    async def flow(self, seconds: float, per_second: float = PER_SECOND) -> None:
        """Ask at an even pace, but wait for answers before too many are owed on a slow machine."""
        started = perf_counter()
        for number in range(round(seconds * per_second)):
            await asyncio.sleep(max(0.0, started + number / per_second - perf_counter()))
            while len(self.questions) - self.answers >= _MOST_OWED:  # noqa: ASYNC110 - as below
                await asyncio.sleep(0.05)
            self.ask()

    @property
    def answers(self) -> int:
        """The number of answers."""
        return len(self._answers)

    @property
    def unanswered(self) -> list[Question]:
        """Questions without an answer."""
        seen = {(group, sku) for group, sku, _ in self._answers.values()}
        return [question for question in self.questions if question.key not in seen]

    @property
    def doubled(self) -> list[tuple[str, str]]:
        """Questions with more than one answer."""
        counted = Counter((group, sku) for group, sku, _ in self._answers.values() if sku)
        return [key for key, times in counted.items() if times > 1]

    @property
    def per_group(self) -> list[tuple[int, int]]:
        """The numbers of questions and answers of each group, for answers that do not repeat the question."""
        asked = Counter(question.message.conversation.id for question in self.questions)
        answered = Counter(group for group, _, _ in self._answers.values())
        return [(asked[group.id], answered[group.id]) for group in self.groups]

    @property
    def in_order(self) -> bool:
        """Whether each group got its answers in the order of its questions."""
        asked: dict[str, list[str]] = defaultdict(list)
        for question in self.questions:
            asked[question.message.conversation.id].append(question.sku)
        answered: dict[str, list[str]] = defaultdict(list)
        for _, (group, sku, _) in sorted(self._answers.items()):
            answered[group].append(sku)
        return all(
            answered[group] == [sku for sku in skus if sku in set(answered[group])] for group, skus in asked.items()
        )

    @property
    def waits(self) -> list[float]:
        """The seconds from each answered question to its answer."""
        asked = {question.key: question.asked_at for question in self.questions}
        return [at - asked[group, sku] for group, sku, at in self._answers.values()]

    def _saw(self, item: ChatItem) -> None:
        if self._notify is not None:
            self._notify(item)
        if item.conversation.id not in self._ids or item.seq in self._answers:
            return
        if isinstance(item, SimDelivery):
            view = item.card.view_for("")
            offered = " ".join(button.id for button in view.buttons) if self.may_refuse else ""
            self._answers[item.seq] = (item.conversation.id, _sku_in(f"{view.title} {offered}"), perf_counter())
        elif item.sender is None:
            self._answers[item.seq] = (item.conversation.id, _sku_in(f"{item.title} {item.text}"), perf_counter())


LONGEST_WAIT = 180.0
"""Seconds that only what hangs takes, also on a machine with much else to do."""


async def eventually(
    condition: Callable[[], object], timeout: float = LONGEST_WAIT, *, hint: Callable[[], object]
) -> None:
    """Wait for a condition that has no event; fails with ``hint``.

    What takes long is looked at less often: two hundred looks a second take half of the processor from the bot.
    """
    ends, pause = perf_counter() + timeout, 0.005
    while not condition():
        assert perf_counter() < ends, f"not within {timeout:g} s: {hint()}"
        await asyncio.sleep(pause)
        pause = min(1.5 * pause, 0.05)


def _sku_in(text: str) -> str:
    found = re.search(r"SKU\d+", text)
    return found.group() if found else ""


def _open_group(engine: SimEngine, number: int) -> SimConversation:
    group = SimConversation(
        id=f"cidCrowd{number:04d}/+==", kind="group", title=f"第 {number} 组", members=(ASKER,), items=deque(maxlen=50)
    )
    engine.chat.conversations[group.id] = group
    return group
