"""Who is who: configured roles and accounts, managers from the directory."""

from __future__ import annotations

from typing import ClassVar

from bot.approvals.case import ApprovalCardKind
from bot.approvals.document_reader import Organisation, StaffMember


class FakeStaffDirectory:
    """Implements `bot.approvals.document_reader.StaffDirectory`; the last two are each other's manager, as
    directories have it.
    """

    above: ClassVar = {"li": "wu", "wu": "zheng", "zheng": "sun", "sun": "zheng"}

    async def member(self, user_id: str) -> StaffMember | None:
        return StaffMember(manager=self.above.get(user_id, ""), department="生产部") if user_id in self.above else None


async def test_a_chain_of_managers_never_loops() -> None:
    organisation = Organisation(roles={}, accounts={}, staff=FakeStaffDirectory())
    snapshot, department = await organisation.snapshot_around("li")
    assert snapshot.managers_of("li") == ("wu", "zheng", "sun")
    assert department == "生产部"
    assert (await organisation.snapshot_around("sun"))[0].managers_of("sun") == ("zheng",)
    assert (await organisation.snapshot_around("nobody"))[1] == ""


async def test_accounts() -> None:
    organisation = Organisation(roles={"r": {"b", "a"}}, accounts={"wang": {"main": "Wang", "b1": "w"}})
    today = organisation.snapshot()
    assert today.person_of("main", "WANG") == "wang"
    assert today.person_of("b1", "wang") == ""
    assert today.account_of("wang", "main") == "Wang"
    assert today.account_of("wang", "other") == ""
    assert today.members_of("r") == ("a", "b")
    assert ApprovalCardKind.TOLD.value == "approval_told"
