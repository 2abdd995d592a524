"""How many files a question and a click lead through: what a reader has to open to follow them."""

from __future__ import annotations

from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.scenario import BOSS, SMALL, YES, OpenApprovalScenario, open_approval_scenario
from tests.scenario.conftest import BotSystem
from tests.scenario.walks import walked

QUESTION, CLICK = 105, 155
"""Files at most: what is more should not become a layer of its own. They were 99 and 142 when this was written."""

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module


async def test_a_question_leads_to_its_card(system: BotSystem) -> None:
    walks: list[set[str]] = []
    for product in ("SKU123", "SKU124", "SKU125", "SKU126"):
        with walked() as files:
            await system.ask(f"/stock {product}")
        walks.append(files)
    walk = set.intersection(*walks[1:])  # without what the first question prepares, and what runs beside one of them
    assert len(walk) <= QUESTION, sorted(walk)


async def test_a_click_leads_through_the_erp_to_its_cards(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        card = scenario.card(SMALL, BUYING)
        with walked() as walk:
            await scenario.press(card, YES, BOSS)
        assert len(walk) <= CLICK, sorted(walk)
