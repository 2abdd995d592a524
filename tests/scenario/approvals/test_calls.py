"""Being called (@) over the wire: nobody who has the card in their own chat, and who does not have it, in the group."""

from __future__ import annotations

from bot.approvals.case import CaseState
from bot.kit.simulator.chat import SimDelivery
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.scenario import (
    BOSS,
    MANAGER,
    SMALL,
    YES,
    DemoApprovalScenario,
    OpenApprovalScenario,
    open_approval_scenario,
)

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

UNREACHABLE = "silent01"
"""Somebody who decides, and in whose chat the bot cannot write."""


def called(scenario: DemoApprovalScenario) -> list[tuple[str, ...]]:
    """Return whom each card in the group calls, the oldest first."""
    items = scenario.system.engine.chat.conversations[BUYING].items
    return [item.at_user_ids for item in items if isinstance(item, SimDelivery)]


async def test_who_has_the_card_in_their_own_chat_is_not_called_as_well(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        assert called(scenario) == [()]
        await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
        assert called(scenario) == [()]


async def test_whose_chat_refuses_the_card_is_called_in_the_group_once_and_it_follows_to_the_end(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    # The ERP waits for the boss and for the purchasing manager's account.
    accounts = {BOSS: {"demo": BOSS}, UNREACHABLE: {"demo": MANAGER}}
    roles = {"approver": frozenset({BOSS, UNREACHABLE})}
    access = {"directory": True, "roles": roles, "accounts": accounts}
    async with open_approval_scenario(SMALL, access=access) as scenario:
        assert called(scenario) == [(), (UNREACHABLE,)]
        assert f"@{UNREACHABLE}" in scenario.card(SMALL, BUYING).markdown
        await scenario.poll_pending()
        await scenario.at("2h")
        assert len(called(scenario)) == 2, "once"
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert len(called(scenario)) == 2, "and not after somebody has decided"
