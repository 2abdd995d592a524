"""The people of an approval in DingTalk's app are those of now, as in chat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from bot.access.audit import AuditKind
from bot.access.people import MembershipDoubt, Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.approvals.case import CaseState
from bot.approvals.oa.access_checked_voting import AccessCheckedVoting
from tests.approvals.env import APPROVE, ApprovalEnv, rules
from tests.approvals.oa_env import OaEnv
from tests.approvals.policy.test_planner import all_of, any_of
from tests.approvals.test_reassigning import StaffScene
from tests.recording_audit import RecordingAudit

MANAGER = rules(any_of("manager:1"))


def holders(harness: OaEnv) -> list[str]:
    """Return whose turn it is in the app."""
    return [task.user_id for task in harness.approval.tasks if task.open]


async def managed(first: str = "wang") -> tuple[StaffScene, OaEnv]:
    scene = StaffScene(MANAGER, {"wu": first, first: "sun"})
    harness = OaEnv(scene)
    await scene.submit()
    await harness.settle()
    assert holders(harness) == [first]
    return scene, harness


async def test_a_new_manager_gets_the_turn_of_the_old_one() -> None:
    scene, harness = await managed()
    await scene.change("wu", wu="qian")
    await harness.settle()
    assert harness.forms.handed_over == [("wang", "qian")]
    assert holders(harness) == ["qian"]
    assert "native_handed_over" in await scene.audit_actions()
    await harness.speak("qian", APPROVE)
    assert await scene.state() is CaseState.APPROVED


async def test_the_turn_of_a_later_level_is_handed_over_when_it_comes() -> None:
    scene = StaffScene(rules(any_of("person:li"), any_of("manager:1")))
    harness = OaEnv(scene)
    await scene.submit()
    await harness.settle()
    await scene.change("wu", wu="qian")
    await harness.settle()
    assert (holders(harness), harness.forms.handed_over) == (["li"], [])
    await harness.speak("li", APPROVE)
    assert holders(harness) == ["qian"]
    await harness.speak("qian", APPROVE)
    assert await scene.state() is CaseState.APPROVED


async def test_what_cannot_be_handed_over_is_decided_in_chat() -> None:
    scene, harness = await managed()
    harness.forms.declines = {"hand_over"}
    await scene.change("wu", wu="qian")
    await harness.settle()
    assert holders(harness) == ["wang"]
    await scene.cast_vote("qian")
    await harness.settle()
    assert await scene.state() is CaseState.APPROVED
    assert not harness.approval.running


async def test_where_all_others_have_their_turn_nobody_gets_a_second_one(env: ApprovalEnv) -> None:
    harness = OaEnv(env)
    await env.submit()
    await harness.settle()
    env.roles = {"approver": ("li", "qian")}
    env.start()
    harness.restart()
    await harness.settle()
    assert holders(harness) == ["li", "qian", "wang"]
    assert not harness.forms.handed_over


async def test_the_turn_of_one_who_was_stood_in_for_stays() -> None:
    scene = StaffScene(rules(all_of("person:wang person:li")))
    harness = OaEnv(scene)
    case = await scene.submit()
    await harness.settle()
    await scene.service.forward(case, "zhao", "wang")
    await scene.cast_vote("zhao")
    await harness.settle()
    assert not harness.forms.handed_over
    assert holders(harness) == ["wang", "li"]


@dataclass
class Staff:
    """People as the bot knows them at the moment."""

    doubts: dict[str, MembershipDoubt] = field(default_factory=dict)
    left: Sequence[str] = ()

    async def identify(self, user_id: str | None, *, name: str) -> Person:
        doubt = self.doubts.get(user_id or "")
        unknown = doubt is not None or user_id in self.left
        return Person(user_id=None if unknown else user_id, name=name, doubt=doubt, claimed_id=user_id or "")


class RightfulOaEnv(OaEnv):
    """A company whose approvals in the app are bound by access rules."""

    def __init__(self, env: ApprovalEnv) -> None:
        self.staff, self.policy, self.audit = Staff(), AccessPolicy(), RecordingAudit()
        super().__init__(env)

    def restart(self) -> None:
        super().restart()
        self.oa_sync._service = AccessCheckedVoting(
            self.env.service, self.staff, lambda: self.policy, audit=self.audit, now=self.env.clock
        )


@pytest.fixture
def rightful(env: ApprovalEnv) -> RightfulOaEnv:
    return RightfulOaEnv(env)


def only(*people: str) -> AccessPolicy:
    return AccessPolicy([AccessRule(commands=frozenset({"approve"}), people=frozenset(people), name="some")])


async def test_whoever_may_not_use_the_command_gets_no_turn(rightful: RightfulOaEnv) -> None:
    rightful.policy = only("qian")
    await rightful.env.submit()
    await rightful.settle()
    assert holders(rightful) == ["qian"]


async def test_a_right_that_is_taken_away_later_decides_nothing_and_is_recorded(rightful: RightfulOaEnv) -> None:
    await rightful.env.submit()
    await rightful.settle()
    rightful.policy = only("qian", "li")
    await rightful.speak("wang", APPROVE)
    assert await rightful.env.state() is CaseState.OPEN
    (entry,) = rightful.audit.entries
    assert (entry.kind, entry.actor, entry.action, entry.documents, entry.rule) == (
        AuditKind.REFUSAL,
        "wang",
        "approve",
        ("PO-1",),
        "some",
    )


async def test_while_nobody_knows_who_spoke_it_waits(rightful: RightfulOaEnv) -> None:
    await rightful.env.submit()
    await rightful.settle()
    rightful.staff.doubts["wang"] = MembershipDoubt.NO_ANSWER
    await rightful.speak("wang", APPROVE)
    assert await rightful.env.state() is CaseState.OPEN
    assert not rightful.audit.entries
    assert not rightful.approval.comments
    rightful.staff.doubts.clear()
    await rightful.wait(minutes=1)
    assert await rightful.env.state() is CaseState.APPROVED


async def test_the_turn_of_a_leaver_goes_to_who_stands_in(env: ApprovalEnv) -> None:
    env.rules = rules(any_of("person:wang"))
    harness = RightfulOaEnv(env)
    case = await env.submit()
    await harness.settle()
    await env.service.forward(case, "zhao", "wang")
    harness.staff.left = ("wang",)
    await harness.oa_sync.notify("instance-1")
    await harness.settle()
    assert (harness.forms.handed_over, holders(harness)) == ([("wang", "zhao")], ["zhao"])


async def test_nobody_loses_a_turn_while_the_directory_is_silent(rightful: RightfulOaEnv) -> None:
    await rightful.env.submit()
    rightful.staff.doubts = dict.fromkeys(("wang", "qian", "li"), MembershipDoubt.NO_ANSWER)
    await rightful.settle()
    assert holders(rightful) == ["li", "qian", "wang"]
    assert not rightful.forms.handed_over
