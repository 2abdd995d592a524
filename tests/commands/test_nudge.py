"""/nudge: who may remind, and what they and the others see of it."""

from __future__ import annotations

from bot.approvals.cards.views import ApprovalReply, ApprovalView
from bot.approvals.case import Case
from tests.commands.approval_fakes import ApprovalFixture
from tests.commands.conftest import Ask, as_, lines
from tests.commands.test_approvals import BUYER, DIRECT, MANAGER
from tests.commands.test_clarify import SALES, case

__all__ = ["case"]  # pytest finds the fixture in the module


async def test_the_requester_reminds_by_a_button_and_both_see_it(
    ask: Ask,
    approvals: ApprovalFixture,
    case: Case,
) -> None:
    shown = as_(ApprovalView, await ask("/pending PO-1001", person=SALES, where=DIRECT))
    button = f"/nudge {case.id}"
    assert button in lines(shown)
    reply = as_(ApprovalReply, await ask(button, person=SALES, where=DIRECT))
    assert str(reply.note) == "They are reminded."
    for person in (SALES, MANAGER, BUYER):
        shown = as_(ApprovalView, await ask("/pending PO-1001", person=person, where=DIRECT))
        assert shown.nudged_by == "沈销"
    assert button not in lines(shown), "whoever decides is not offered to remind"
    again = as_(ApprovalView, await ask("/催办 PO-1001", person=SALES, where=DIRECT))
    assert str(again.note).startswith("沈销 reminded them at ")
