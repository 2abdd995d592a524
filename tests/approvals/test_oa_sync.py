"""Decisions in DingTalk's own approvals and in chat: one record, whoever is first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bot.approvals.case import CaseState
from bot.approvals.native.oa_forms import NativeState, OaDeclined
from bot.approvals.plan import Quorum
from bot.approvals.voting import VoteOutcome
from bot.erp.model import PurchaseStatus
from tests.approvals.company import document
from tests.approvals.env import APPROVE, REJECT, ApprovalEnv, Killed, decision, rules
from tests.approvals.oa_env import OaEnv, OaUnreachable, start_uncertain
from tests.approvals.policy.test_planner import all_of, any_of


@pytest.fixture
def office(env: ApprovalEnv) -> OaEnv:
    return OaEnv(env)


async def opened(office: OaEnv) -> None:
    await office.env.submit()
    await office.settle()


async def test_an_approval_is_started_with_the_plan_and_the_form(office: OaEnv) -> None:
    office.env.rules = rules(any_of("role:approver"), all_of("role:board"))
    case = await office.env.submit()
    await office.settle()
    asked = office.approval.application
    assert asked.originator == "wu"
    assert [(level.quorum, level.approvers) for level in asked.levels] == [
        (Quorum.ANY, ("li", "qian", "wang")),
        (Quorum.ALL, ("sun", "zhou")),
    ]
    assert asked.values == {
        "case": case.id,
        "number": "PO-1",
        "vendor": "ACME",
        "total": "3000",
        "currency": "CNY",
        "due": "2026-12-01",
    }
    assert "native_started" in await office.env.audit_actions()
    assert office.record.state is NativeState.RUNNING


async def test_agreed_in_the_app_the_erp_is_told_once(office: OaEnv) -> None:
    await opened(office)
    await office.speak("qian", APPROVE)
    case = await office.env.newest()
    assert case.state is CaseState.APPROVED
    assert case.decision is not None
    assert (case.decision.by, case.decision.name) == ("qian", "Qian")
    assert [(one.by, one.verdict) for one in office.env.erp.told] == [("erp-qian", APPROVE)]
    assert office.record.state is NativeState.ENDED
    assert not office.approval.comments
    assert not office.approval.called_off


@pytest.mark.parametrize(
    ("remark", "reason"), [("价格过高", "价格过高"), (" ", "Rejected in the approval app without a reason.")]
)
async def test_refused_in_the_app(office: OaEnv, remark: str, reason: str) -> None:
    await opened(office)
    await office.speak("qian", REJECT, remark)
    case = await office.env.newest()
    assert case.state is CaseState.REJECTED
    assert case.decision is not None
    assert case.decision.reason == reason


async def test_an_event_that_comes_again_changes_nothing(office: OaEnv) -> None:
    await opened(office)
    await office.speak("qian", APPROVE)
    told, reads = len(office.env.erp.told), office.forms.reads
    for _ in range(3):
        await office.oa_sync.notify("instance-1")
        await office.settle()
    assert (len(office.env.erp.told), office.forms.reads) == (told, reads)
    await office.oa_sync.notify("somebody else's")


async def test_an_event_that_never_comes_is_made_good(office: OaEnv) -> None:
    await opened(office)
    office.forms.speak("qian", APPROVE)
    await office.settle()
    assert await office.env.state() is CaseState.OPEN
    await office.wait(minutes=31)
    assert await office.env.state() is CaseState.APPROVED


async def test_what_was_missed_by_a_dead_process_is_seen_at_the_start(office: OaEnv) -> None:
    await opened(office)
    office.forms.speak("qian", APPROVE)
    office.restart()
    await office.settle()
    assert await office.env.state() is CaseState.APPROVED


async def test_a_quiet_approval_costs_a_look_in_half_an_hour(office: OaEnv) -> None:
    await opened(office)
    before = office.forms.reads
    await office.wait(hours=2)
    assert office.forms.reads - before == 4


async def test_decided_in_chat_the_app_agrees(office: OaEnv) -> None:
    await opened(office)
    assert (await office.env.cast_vote("li")).outcome is VoteOutcome.DECIDED
    await office.settle()
    assert office.forms.executed == [("li", APPROVE, "")]
    assert office.approval.verdict is APPROVE
    assert office.record.state is NativeState.ENDED


async def test_rejected_in_chat_the_app_gets_the_reason(office: OaEnv) -> None:
    await opened(office)
    await office.env.cast_vote("li", REJECT)
    await office.settle()
    assert office.forms.executed == [("li", REJECT, "价格过高")]
    assert office.approval.verdict is REJECT


async def test_levels_go_on_from_either_side(office: OaEnv) -> None:
    office.env.rules = rules(all_of("role:approver"), any_of("role:board"))
    await opened(office)
    await office.speak("qian", APPROVE)
    await office.env.cast_vote("wang")
    await office.settle()
    assert office.forms.executed == [("wang", APPROVE, "")]
    await office.speak("li", APPROVE)
    assert await office.env.state() is CaseState.OPEN
    await office.speak("zhou", APPROVE)
    case = await office.env.newest()
    assert case.state is CaseState.APPROVED
    assert [(vote.user_id, vote.level) for vote in case.votes] == [("qian", 1), ("wang", 1), ("li", 1), ("zhou", 2)]
    assert len(office.env.erp.told) == 1


async def test_several_votes_in_chat_are_told_level_by_level(office: OaEnv) -> None:
    office.env.rules = rules(any_of("role:approver"), any_of("role:board"))
    await opened(office)
    office.forms.down = True
    await office.env.cast_vote("wang")
    await office.settle()
    await office.env.cast_vote("sun")
    await office.settle()
    office.forms.down = False
    await office.wait(minutes=10)
    assert office.forms.executed == [("wang", APPROVE, ""), ("sun", APPROVE, "")]
    assert (office.approval.verdict, office.record.state) == (APPROVE, NativeState.ENDED)


async def test_who_may_not_is_refused_and_the_approval_says_so(office: OaEnv) -> None:
    await opened(office)
    office.forms.hand_over("qian", "zheng")
    await office.speak("zheng", APPROVE)
    assert await office.env.state() is CaseState.OPEN
    assert not office.env.erp.told
    ((by, text),) = office.approval.comments
    assert by == "wu"
    assert text
    story = await office.env.audit_actions()
    assert "refused" in story
    assert "native_parted" in story
    assert (await office.env.cast_vote("li")).outcome is VoteOutcome.DECIDED


async def test_of_two_at_the_same_time_the_first_counts(office: OaEnv) -> None:
    await opened(office)
    office.forms.speak("qian", REJECT, "不要")
    assert (await office.env.cast_vote("li")).outcome is VoteOutcome.DECIDED
    await office.oa_sync.notify("instance-1")
    await office.settle()
    case = await office.env.newest()
    assert (case.state, [vote.user_id for vote in case.votes]) == (CaseState.APPROVED, ["li"])
    assert [one.verdict for one in office.env.erp.told] == [APPROVE]
    assert "no effect" in office.approval.comments[0][1]
    assert "native_parted" in await office.env.audit_actions()


async def test_decided_in_the_erp_the_approval_is_called_off(office: OaEnv) -> None:
    await opened(office)
    order = office.env.erp.orders["PO-1"]
    await office.env.erp.decide("main", decision(order.version, "erp-sun"))
    await office.env.desk.sync_document("main", "PO-1")
    await office.settle()
    assert await office.env.state() is CaseState.DECIDED_ELSEWHERE
    assert [by for by, _ in office.approval.called_off] == ["wu"]
    assert not office.forms.executed
    assert office.record.state is NativeState.ENDED


async def test_a_changed_order_has_an_approval_of_its_own(office: OaEnv) -> None:
    await opened(office)
    office.env.erp.edit("PO-1", vendor="Other")
    await office.env.desk.sync_document("main", "PO-1")
    await office.settle()
    first, second = office.forms.approvals.values()
    assert first.called_off
    assert second.running
    assert second.application.values["vendor"] == "Other"


async def test_said_in_the_app_about_what_changed_since_does_not_count(office: OaEnv) -> None:
    await opened(office)
    office.env.erp.edit("PO-1", vendor="Other")
    await office.speak("qian", APPROVE)
    assert not office.env.erp.told
    assert office.env.erp.orders["PO-1"].status is PurchaseStatus.WAITING
    assert await office.env.state() is CaseState.OPEN


async def test_a_silent_erp_is_asked_again(office: OaEnv) -> None:
    await opened(office)
    office.env.erp.away = True
    await office.speak("qian", APPROVE)
    assert await office.env.state() is CaseState.OPEN
    office.env.erp.away = False
    await office.wait(minutes=1)
    assert await office.env.state() is CaseState.APPROVED


async def test_called_off_in_the_app_chat_goes_on(office: OaEnv) -> None:
    await opened(office)
    office.approval.running = False
    await office.oa_sync.notify("instance-1")
    await office.settle()
    assert office.record.state is NativeState.ENDED
    assert (await office.env.cast_vote("li")).outcome is VoteOutcome.DECIDED


async def test_deleted_in_the_app_chat_goes_on(office: OaEnv) -> None:
    await opened(office)
    office.forms.approvals.clear()
    await office.oa_sync.notify("instance-1")
    await office.settle()
    assert office.record.state is NativeState.ENDED
    assert "native_ended" in await office.env.audit_actions()


async def test_a_lost_answer_is_found_by_the_case(office: OaEnv) -> None:
    office.forms.faults, office.forms.lost = [start_uncertain()], True
    await opened(office)
    assert office.record.state is NativeState.STARTING
    await office.wait(seconds=30)
    assert office.record.instance == "instance-1"
    assert len(office.forms.approvals) == 1


async def test_what_was_not_started_is_started_when_that_is_sure(office: OaEnv) -> None:
    office.forms.faults = [start_uncertain()]
    await opened(office)
    await office.wait(minutes=2)
    assert not office.forms.approvals
    await office.wait(minutes=2)
    assert office.record.instance == "instance-1"
    assert "native_not_found" in await office.env.audit_actions()


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_crash_between_the_note_and_the_id(office: OaEnv, arrived: bool) -> None:
    office.forms.faults, office.forms.lost = [Killed()], arrived
    await office.env.submit()
    with pytest.raises(Killed):
        await office.oa_sync.sync()
    office.restart()
    await office.wait(minutes=6)
    assert office.record.state is NativeState.RUNNING
    assert len(office.forms.approvals) == 1
    await office.speak("qian", APPROVE)
    assert await office.env.state() is CaseState.APPROVED


async def test_one_that_was_started_too_late_is_called_off(office: OaEnv) -> None:
    office.forms.faults, office.forms.lost = [start_uncertain()], True
    await opened(office)
    await office.env.cast_vote("li")
    await office.wait(minutes=1)
    assert await office.env.state() is CaseState.APPROVED
    assert office.record.state is NativeState.ENDED
    assert not office.approval.running


async def test_dingtalk_away_is_tried_again(office: OaEnv) -> None:
    office.forms.faults = [OaUnreachable("not reached")]
    await opened(office)
    assert office.record.state is NativeState.WANTED
    await office.wait(seconds=30)
    assert office.record.state is NativeState.RUNNING


async def test_a_defect_in_one_approval_does_not_end_the_bot_and_starts_nothing_twice(office: OaEnv) -> None:
    office.forms.faults, office.forms.lost = [LookupError("a defect")], True
    with capture_logs() as logs:
        await opened(office)
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["approvals.native_defect"]
    await office.wait(minutes=2)
    assert office.record.state is NativeState.RUNNING
    assert office.approval.running


async def test_a_form_that_dingtalk_does_not_take_leaves_chat_alone(office: OaEnv) -> None:
    office.forms.faults = [OaDeclined("aflowProcessNotExist")]
    await opened(office)
    assert office.record.state is NativeState.ENDED
    assert "native_not_started" in await office.env.audit_actions()
    assert (await office.env.cast_vote("li")).outcome is VoteOutcome.DECIDED


async def test_a_turn_that_cannot_be_used_does_not_keep_the_approval_open(office: OaEnv) -> None:
    await opened(office)
    office.forms.declines = {"execute"}
    await office.env.cast_vote("li")
    await office.settle()
    assert [by for by, _ in office.approval.called_off] == ["li"]
    assert office.record.state is NativeState.ENDED


async def test_calling_off_that_comes_too_early_is_tried_again(office: OaEnv) -> None:
    await opened(office)
    office.forms.declines = {"execute", "terminate"}
    await office.env.cast_vote("li")
    await office.settle()
    assert office.record.state is NativeState.RUNNING
    office.forms.declines = set()
    await office.wait(seconds=30)
    assert office.record.state is NativeState.ENDED
    assert not office.approval.running


@pytest.mark.parametrize(("originator", "started"), [("", 0), ("zheng", 1)])
async def test_an_order_of_nobody_known_needs_an_originator(env: ApprovalEnv, originator: str, started: int) -> None:
    office = OaEnv(env, originator=originator)
    order = replace(document().order, requester="erp-stranger")
    await office.env.submit(order)
    await office.settle()
    assert len(office.forms.approvals) == started
    assert ("native_not_started" in await office.env.audit_actions()) is not started


async def test_what_waited_before_the_bot_came_is_left_alone(office: OaEnv) -> None:
    office.env.erp.submit(document(requester="wu").order)
    assert await office.env.desk.sync_document("main", "PO-1", quiet=True) is not None
    await office.settle()
    assert not office.forms.approvals


async def test_two_processes_start_one_approval(office: OaEnv) -> None:
    other = OaEnv(office.env)
    other.forms, other.records = office.forms, office.records
    other.restart()
    await office.env.submit()
    for _ in range(3):
        await office.oa_sync.sync()
        await other.oa_sync.sync()
    assert len(office.forms.approvals) == 1
