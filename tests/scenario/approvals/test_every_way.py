"""Every command that shows a decision, every outcome of the ERP, every way to decide: no copy keeps what is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from functools import partial
from typing import Any

import pytest

from bot.approvals.case import CaseState
from bot.erp.model import DecisionOutcome, Verdict
from bot.kit.simulator.chat import SimDelivery
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.scenario import (
    BOSS,
    MANAGER,
    NO,
    PASS,
    SMALL,
    YES,
    DemoApprovalScenario,
    OpenApprovalScenario,
    open_approval_scenario,
    plain_text,
)
from tests.scenario.approvals.test_answers_follow import READERS, UNDER_WAY

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

COMMANDS = (f"/po {SMALL}", f"/pending {SMALL}", "/pending", f"/why {SMALL}", f"/reject {SMALL}", f"/find {SMALL}")
"""The last but one asks for the reason, and offers some."""


async def changed_there(scenario: DemoApprovalScenario) -> None:
    """Let somebody change the order in the ERP."""
    await scenario.erp.edit(SMALL, due_on=date(2026, 12, 24))


async def decided_there(scenario: DemoApprovalScenario) -> None:
    """Let somebody decide in the ERP."""
    await scenario.erp.decide_inside(SMALL, MANAGER)


async def nothing(_: DemoApprovalScenario) -> None:
    """Change nothing in the ERP."""


OUTCOMES: dict[DecisionOutcome | None, Callable[[DemoApprovalScenario], Awaitable[None]]] = {
    None: nothing,
    DecisionOutcome.MORE_APPROVALS_NEEDED: nothing,
    DecisionOutcome.ALREADY_DECIDED: decided_there,
    DecisionOutcome.NOT_PERMITTED: nothing,
    DecisionOutcome.CHANGED_SINCE_SHOWN: changed_there,
    DecisionOutcome.UNKNOWN: nothing,
    DecisionOutcome.UNSUPPORTED: nothing,
}
"""What the ERP answers (None: it does it), and what was done there before."""


async def by_answers_button(scenario: DemoApprovalScenario, verdict: Verdict) -> str:
    """Tap on the answer to a question; a rejection then takes a quick reason."""
    card = await scenario.ask(f"/po {SMALL}", BOSS)
    seen = await scenario.press(card, YES if verdict is Verdict.APPROVE else NO, BOSS)
    if verdict is Verdict.REJECT:
        await scenario.press(seen, NO, BOSS)
    return BOSS


async def by_pushed_button(scenario: DemoApprovalScenario, verdict: Verdict) -> str:
    """Tap on the card that came by itself in the group."""
    card = scenario.card(SMALL, BUYING)
    seen = await scenario.press(card, YES if verdict is Verdict.APPROVE else NO, MANAGER, where=BUYING)
    if verdict is Verdict.REJECT:
        await scenario.press(seen, NO, MANAGER, where=BUYING)
    return MANAGER


async def by_words(scenario: DemoApprovalScenario, verdict: Verdict) -> str:
    """Type it in one's own chat."""
    line = f"/approve {SMALL}" if verdict is Verdict.APPROVE else f"/reject {SMALL} 太贵"
    await scenario.ask(line, BOSS)
    return BOSS


async def by_words_in_the_group(scenario: DemoApprovalScenario, verdict: Verdict) -> str:
    """Type it where everybody reads it."""
    line = f"/approve {SMALL}" if verdict is Verdict.APPROVE else f"/reject {SMALL} 太贵"
    await scenario.ask(line, BOSS, where=BUYING)
    return BOSS


def _name(value: DecisionOutcome | Verdict | None) -> str:
    return value.value if value else "applied"


CASES = [
    *((outcome, Verdict.APPROVE) for outcome in OUTCOMES),
    (None, Verdict.REJECT),
    (DecisionOutcome.NOT_PERMITTED, Verdict.REJECT),
]
"""Rejections take the same way as approvals once they are stored: two stand for all."""

WAYS = (by_answers_button, by_pushed_button, by_words, by_words_in_the_group)


def _every_way() -> Iterator[Any]:
    """Yield each outcome with each way to decide; `make test` tries each outcome by one way, in turns."""
    for number, (outcome, verdict) in enumerate(CASES):
        for turn, way in enumerate(WAYS):
            marks = [] if turn == number % len(WAYS) else [pytest.mark.soak]
            name = f"{_name(outcome)}-{_name(verdict)}-{way.__name__}"
            yield pytest.param(outcome, verdict, way, marks=marks, id=name)


async def ask_everything(scenario: DemoApprovalScenario) -> None:
    """Ask all commands in a chat of one's own, and some in the group."""
    for line in COMMANDS:
        await scenario.system.ask(line, BOSS, where=scenario.system.engine.direct(BOSS).id)
    for line in COMMANDS[:2]:
        await scenario.system.ask(line, MANAGER, where=BUYING)
    await scenario.settle()


def assert_nothing_left(scenario: DemoApprovalScenario, state: CaseState, refused: str = "") -> None:
    """Expect nobody to see that something is under way, or a decision that is over.

    While the order is open others may decide it, but whom the ERP ``refused`` sees no decision on a card of
    theirs alone.
    """
    seen = 0
    for place in scenario.system.engine.chat.conversations.values():
        cards = [item.card for item in place.items if isinstance(item, SimDelivery)]
        for reader in READERS if place.kind == "group" else place.members[:1]:
            for card in cards:
                view, holders = card.view_for(reader), scenario.system.engine.chat.copies(card)
                text = plain_text(view)
                if SMALL not in text:
                    continue
                seen += 1
                assert not any(words in text for words in UNDER_WAY), (reader, text)
                live = [button.id for button in view.buttons if button.id.startswith((YES, NO, PASS))]
                is_own = place.kind == "direct" and len(holders) == 1
                over = state is not CaseState.OPEN or (reader == refused and is_own)
                assert not (live and over), (reader, live, text)
    assert seen >= len(COMMANDS)


@pytest.mark.parametrize(("outcome", "verdict", "way"), list(_every_way()))
async def test_no_copy_keeps_what_is_over(
    open_approval_scenario: OpenApprovalScenario,
    outcome: DecisionOutcome | None,
    verdict: Verdict,
    way: Callable[[DemoApprovalScenario, Verdict], Awaitable[str]],
) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        await ask_everything(scenario)
        if outcome is not None:
            scenario.erp.outcomes.append((outcome, "额度不足", partial(OUTCOMES[outcome], scenario)))
        who = await way(scenario, verdict)
        await scenario.settle()
        state = (await scenario.case(SMALL)).state
        assert scenario.erp.told, "the ERP was told"
        assert_nothing_left(scenario, state, who if outcome is DecisionOutcome.NOT_PERMITTED else "")
        if outcome is DecisionOutcome.NOT_PERMITTED:
            await assert_decides_no_more(scenario, who)


async def assert_decides_no_more(scenario: DemoApprovalScenario, who: str) -> None:
    """Expect a tap of somebody whom the ERP refused to do nothing, on the card whose buttons others still need."""
    told, other = len(scenario.erp.told), MANAGER if who == BOSS else BOSS
    shared = scenario.card(SMALL, who)
    assert shared.out_track_id == scenario.card(SMALL, other).out_track_id
    await scenario.press(shared, YES, who)
    assert len(scenario.erp.told) == told
    assert (await scenario.case(SMALL)).state is CaseState.OPEN
    await scenario.press(scenario.card(SMALL, other), YES, other)
    assert (await scenario.case(SMALL)).state is CaseState.APPROVED


@pytest.mark.parametrize("verdict", Verdict)
async def test_no_copy_keeps_what_was_decided_in_the_erp(
    open_approval_scenario: OpenApprovalScenario, verdict: Verdict
) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        await ask_everything(scenario)
        await scenario.erp.decide_inside(SMALL, MANAGER, verdict)
        await scenario.poll_pending()
        state = (await scenario.case(SMALL)).state
        assert state is CaseState.DECIDED_ELSEWHERE
        assert_nothing_left(scenario, state)
