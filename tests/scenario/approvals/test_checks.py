"""What checks flag, in a whole bot: it takes the rule's way, and the card and /why tell the same figures."""

from __future__ import annotations

import re

from bot.erp.kinds import SALES_ORDERS
from tests.scenario.approvals.scenario import BOSS, OpenApprovalScenario, open_approval_scenario, plain_text
from tests.scenario.approvals.test_kinds import EVERY_KIND, waiting

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

RULES = (
    """
[[rules]]
name = "second look"
kinds = ["order"]
flags = ["over_credit"]
levels = [{any = ["person:boss01"]}]
"""
    + EVERY_KIND
)


async def test_what_is_flagged_takes_the_way_of_the_rule_and_is_told_alike(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with waiting(open_approval_scenario, SALES_ORDERS, rules=RULES) as (scenario, _):
        cases = await scenario.system.app.approvals.service.pending(BOSS)
        orders = [case for case in cases if case.kind == SALES_ORDERS]
        flagged = {case.number: case for case in orders if case.checks[0].flags}
        assert {case.number for case in orders if case.plan.rule == "second look"} == flagged.keys()
        assert 0 < len(flagged) < len(orders)
        case = next(iter(flagged.values()))
        card = plain_text(await scenario.ask(f"/pending {case.id}", BOSS))
        why = plain_text(await scenario.ask(f"/why {case.number}", BOSS))
        told, again = (re.search(r"⚠ .*超过额度 .*核对 .* · 截至 \S+ \S+", text) for text in (card, why))
        assert told is not None
        assert again is not None
        assert told[0] == again[0]
        assert "核对有提示：客户信用。" in why
