"""A buyer without an account in the ERP asks for one in chat, and decides under it."""

from __future__ import annotations

from bot.approvals.case import CaseState
from bot.simulator.cards import SimCardView
from bot.simulator.chat import SimDelivery
from tests.scenario.approvals.scenario import (
    BOSS,
    MANAGER,
    SMALL,
    YES,
    DemoApprovalScenario,
    OpenApprovalScenario,
    open_approval_scenario,
    plain_text,
)
from tests.scenario.notice_checks import Notice
from tests.scenario.traffic import eventually

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

ADMIN = "it01"


def newest(scenario: DemoApprovalScenario, who: str, title: str) -> SimCardView | None:
    """Return the newest card in somebody's own chat whose title holds ``title``."""
    items = scenario.system.engine.direct(who).items
    views = [item.card.view_for(who) for item in items if isinstance(item, SimDelivery)]
    return next((view for view in reversed(views) if title in view.title), None)


async def test_a_bound_account_decides(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, approvers=(MANAGER,), accounts=(BOSS,)) as scenario:
        await scenario.ask("/whoami", ADMIN)
        asked = await scenario.ask(f"/bind {MANAGER}", MANAGER)
        assert "已提交管理员确认" in plain_text(asked)
        await eventually(lambda: newest(scenario, ADMIN, "申请绑定"), hint=dict)
        request = newest(scenario, ADMIN, "申请绑定")
        assert request is not None
        assert "赵国强" in request.title
        stolen = await scenario.ask(f"/bind accept {MANAGER} demo {MANAGER}", MANAGER)
        assert stolen.title == Notice.DENIED
        seen = await scenario.system.click(request, "同意", ADMIN)
        assert "已绑定，由 高翔 同意" in plain_text(seen)
        await eventually(lambda: newest(scenario, MANAGER, "您在 demo 的账号"), hint=dict)
        await scenario.ask(f"/approve {SMALL}", MANAGER)
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert await scenario.erp.decisions(SMALL) == [(MANAGER, "approve", "")]


async def test_without_an_account_nothing_is_decided(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, approvers=(MANAGER,), accounts=(BOSS,)) as scenario:
        await scenario.ask(f"/approve {SMALL}", MANAGER)
        assert (await scenario.case(SMALL)).state is CaseState.OPEN
        assert not await scenario.erp.decisions(SMALL)
        assert YES


async def test_an_account_that_both_sides_know_is_bound_and_told(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    access = {
        "directory": True,
        "sync_hours": 24,
        "match": ("job_number",),
        "roles": {"approver": frozenset({MANAGER})},
        "accounts": {BOSS: {"demo": BOSS}},
    }
    async with open_approval_scenario(SMALL, access=access) as scenario:
        await eventually(lambda: newest(scenario, MANAGER, "您在 demo 的账号"), hint=dict)
        told = newest(scenario, MANAGER, "您在 demo 的账号")
        assert told is not None
        assert "登记的工号一致" in plain_text(told)
        await scenario.ask(f"/approve {SMALL}", MANAGER)
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert await scenario.erp.decisions(SMALL) == [(MANAGER, "approve", "")]
        given_up = await scenario.system.click(told, "解除绑定", MANAGER)
        assert "已解除绑定" in plain_text(given_up)
