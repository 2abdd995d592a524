"""Decisions in DingTalk's own approvals and in chat: one record, whoever is first."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from bot.approvals.case import CaseState
from bot.approvals.oa.forms import OaDeclined, OaState
from bot.approvals.plan import Quorum
from bot.approvals.voting import VoteOutcome
from bot.erp.model import ReviewState
from tests.approvals.company import po_key, waiting_order
from tests.approvals.env import APPROVE, REJECT, ApprovalEnv, Killed, decision, rules
from tests.approvals.oa_env import OaEnv, OaUnreachable, start_uncertain
from tests.approvals.policy.test_planner import all_of, any_of
from tests.bare_records import with_review


@pytest.fixture
def harness(env: ApprovalEnv) -> OaEnv:
    return OaEnv(env)


async def opened(harness: OaEnv) -> None:
    await harness.env.submit()
    await harness.settle()


async def test_an_approval_is_started_with_the_plan_and_the_form(harness: OaEnv) -> None:
    harness.env.rules = rules(any_of("role:approver"), all_of("role:board"))
    case = await harness.env.submit()
    await harness.settle()
    asked = harness.approval.application
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
    assert "native_started" in await harness.env.audit_actions()
    assert harness.record.state is OaState.RUNNING


async def test_agreed_in_the_app_the_erp_is_told_once(harness: OaEnv) -> None:
    await opened(harness)
    await harness.speak("qian", APPROVE)
    case = await harness.env.newest()
    assert case.state is CaseState.APPROVED
    assert case.decision is not None
    assert (case.decision.by, case.decision.name) == ("qian", "Qian")
    assert [(one.by, one.verdict) for one in harness.env.erp.told] == [("erp-qian", APPROVE)]
    assert harness.record.state is OaState.ENDED
    assert not harness.approval.comments
    assert not harness.approval.called_off


@pytest.mark.parametrize(
    ("remark", "reason"), [("价格过高", "价格过高"), (" ", "Rejected in the approval app without a reason.")]
)
async def test_refused_in_the_app(harness: OaEnv, remark: str, reason: str) -> None:
    await opened(harness)
    await harness.speak("qian", REJECT, remark)
    case = await harness.env.newest()
    assert case.state is CaseState.REJECTED
    assert case.decision is not None
    assert case.decision.reason == reason


async def test_an_event_that_comes_again_changes_nothing(harness: OaEnv) -> None:
    await opened(harness)
    await harness.speak("qian", APPROVE)
    told, reads = len(harness.env.erp.told), harness.forms.reads
    for _ in range(3):
        await harness.oa_sync.notify("instance-1")
        await harness.settle()
    assert (len(harness.env.erp.told), harness.forms.reads) == (told, reads)
    await harness.oa_sync.notify("somebody else's")


async def test_an_event_that_never_comes_is_made_good(harness: OaEnv) -> None:
    await opened(harness)
    harness.forms.speak("qian", APPROVE)
    await harness.settle()
    assert await harness.env.state() is CaseState.OPEN
    await harness.wait(minutes=31)
    assert await harness.env.state() is CaseState.APPROVED


async def test_what_was_missed_by_a_dead_process_is_seen_at_the_start(harness: OaEnv) -> None:
    await opened(harness)
    harness.forms.speak("qian", APPROVE)
    harness.restart()
    await harness.settle()
    assert await harness.env.state() is CaseState.APPROVED


async def test_a_quiet_approval_costs_a_look_in_half_an_hour(harness: OaEnv) -> None:
    await opened(harness)
    before = harness.forms.reads
    await harness.wait(hours=2)
    assert harness.forms.reads - before == 4


async def test_decided_in_chat_the_app_agrees(harness: OaEnv) -> None:
    await opened(harness)
    assert (await harness.env.cast_vote("li")).outcome is VoteOutcome.DECIDED
    await harness.settle()
    assert harness.forms.executed == [("li", APPROVE, "")]
    assert harness.approval.verdict is APPROVE
    assert harness.record.state is OaState.ENDED


async def test_rejected_in_chat_the_app_gets_the_reason(harness: OaEnv) -> None:
    await opened(harness)
    await harness.env.cast_vote("li", REJECT)
    await harness.settle()
    assert harness.forms.executed == [("li", REJECT, "价格过高")]
    assert harness.approval.verdict is REJECT


async def test_levels_go_on_from_either_side(harness: OaEnv) -> None:
    harness.env.rules = rules(all_of("role:approver"), any_of("role:board"))
    await opened(harness)
    await harness.speak("qian", APPROVE)
    await harness.env.cast_vote("wang")
    await harness.settle()
    assert harness.forms.executed == [("wang", APPROVE, "")]
    await harness.speak("li", APPROVE)
    assert await harness.env.state() is CaseState.OPEN
    await harness.speak("zhou", APPROVE)
    case = await harness.env.newest()
    assert case.state is CaseState.APPROVED
    assert [(vote.user_id, vote.level) for vote in case.votes] == [("qian", 1), ("wang", 1), ("li", 1), ("zhou", 2)]
    assert len(harness.env.erp.told) == 1


async def test_several_votes_in_chat_are_told_level_by_level(harness: OaEnv) -> None:
    harness.env.rules = rules(any_of("role:approver"), any_of("role:board"))
    await opened(harness)
    harness.forms.down = True
    await harness.env.cast_vote("wang")
    await harness.settle()
    await harness.env.cast_vote("sun")
    await harness.settle()
    harness.forms.down = False
    await harness.wait(minutes=10)
    assert harness.forms.executed == [("wang", APPROVE, ""), ("sun", APPROVE, "")]
    assert (harness.approval.verdict, harness.record.state) == (APPROVE, OaState.ENDED)


async def test_who_may_not_is_refused_and_the_approval_says_so(harness: OaEnv) -> None:
    await opened(harness)
    harness.forms.give_away("qian", "zheng")
    await harness.speak("zheng", APPROVE)
    assert await harness.env.state() is CaseState.OPEN
    assert not harness.env.erp.told
    ((by, text),) = harness.approval.comments
    assert by == "wu"
    assert text
    story = await harness.env.audit_actions()
    assert "refused" in story
    assert "native_parted" in story
    assert (await harness.env.cast_vote("li")).outcome is VoteOutcome.DECIDED


async def test_of_two_at_the_same_time_the_first_counts(harness: OaEnv) -> None:
    await opened(harness)
    harness.forms.speak("qian", REJECT, "不要")
    assert (await harness.env.cast_vote("li")).outcome is VoteOutcome.DECIDED
    await harness.oa_sync.notify("instance-1")
    await harness.settle()
    case = await harness.env.newest()
    assert (case.state, [vote.user_id for vote in case.votes]) == (CaseState.APPROVED, ["li"])
    assert [one.verdict for one in harness.env.erp.told] == [APPROVE]
    assert "no effect" in harness.approval.comments[0][1]
    assert "native_parted" in await harness.env.audit_actions()


async def test_decided_in_the_erp_the_approval_is_called_off(harness: OaEnv) -> None:
    await opened(harness)
    order = harness.env.erp.orders["PO-1"]
    await harness.env.erp.decide("main", decision(order.review.version, "erp-sun"))
    await harness.env.service.sync_document(po_key("main", "PO-1"))
    await harness.settle()
    assert await harness.env.state() is CaseState.DECIDED_ELSEWHERE
    assert [by for by, _ in harness.approval.called_off] == ["wu"]
    assert not harness.forms.executed
    assert harness.record.state is OaState.ENDED


async def test_a_changed_order_has_an_approval_of_its_own(harness: OaEnv) -> None:
    await opened(harness)
    harness.env.erp.edit("PO-1", vendor="Other")
    await harness.env.service.sync_document(po_key("main", "PO-1"))
    await harness.settle()
    first, second = harness.forms.approvals.values()
    assert first.called_off
    assert second.running
    assert second.application.values["vendor"] == "Other"


async def test_said_in_the_app_about_what_changed_since_does_not_count(harness: OaEnv) -> None:
    await opened(harness)
    harness.env.erp.edit("PO-1", vendor="Other")
    await harness.speak("qian", APPROVE)
    assert not harness.env.erp.told
    assert harness.env.erp.orders["PO-1"].status is ReviewState.WAITING
    assert await harness.env.state() is CaseState.OPEN


async def test_a_silent_erp_is_asked_again(harness: OaEnv) -> None:
    await opened(harness)
    harness.env.erp.away = True
    await harness.speak("qian", APPROVE)
    assert await harness.env.state() is CaseState.OPEN
    harness.env.erp.away = False
    await harness.wait(minutes=1)
    assert await harness.env.state() is CaseState.APPROVED


async def test_called_off_in_the_app_chat_goes_on(harness: OaEnv) -> None:
    await opened(harness)
    harness.approval.running = False
    await harness.oa_sync.notify("instance-1")
    await harness.settle()
    assert harness.record.state is OaState.ENDED
    assert (await harness.env.cast_vote("li")).outcome is VoteOutcome.DECIDED


async def test_deleted_in_the_app_chat_goes_on(harness: OaEnv) -> None:
    await opened(harness)
    harness.forms.approvals.clear()
    await harness.oa_sync.notify("instance-1")
    await harness.settle()
    assert harness.record.state is OaState.ENDED
    assert "native_ended" in await harness.env.audit_actions()


async def test_a_lost_answer_is_found_by_the_case(harness: OaEnv) -> None:
    harness.forms.faults, harness.forms.lost = [start_uncertain()], True
    await opened(harness)
    assert harness.record.state is OaState.STARTING
    await harness.wait(seconds=30)
    assert harness.record.instance == "instance-1"
    assert len(harness.forms.approvals) == 1


async def test_what_was_not_started_is_started_when_that_is_sure(harness: OaEnv) -> None:
    harness.forms.faults = [start_uncertain()]
    await opened(harness)
    await harness.wait(minutes=2)
    assert not harness.forms.approvals
    await harness.wait(minutes=2)
    assert harness.record.instance == "instance-1"
    assert "native_not_found" in await harness.env.audit_actions()


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_crash_between_the_note_and_the_id(harness: OaEnv, arrived: bool) -> None:
    harness.forms.faults, harness.forms.lost = [Killed()], arrived
    await harness.env.submit()
    with pytest.raises(Killed):
        await harness.oa_sync.sync()
    harness.restart()
    await harness.wait(minutes=6)
    assert harness.record.state is OaState.RUNNING
    assert len(harness.forms.approvals) == 1
    await harness.speak("qian", APPROVE)
    assert await harness.env.state() is CaseState.APPROVED


async def test_one_that_was_started_too_late_is_called_off(harness: OaEnv) -> None:
    harness.forms.faults, harness.forms.lost = [start_uncertain()], True
    await opened(harness)
    await harness.env.cast_vote("li")
    await harness.wait(minutes=1)
    assert await harness.env.state() is CaseState.APPROVED
    assert harness.record.state is OaState.ENDED
    assert not harness.approval.running


async def test_dingtalk_away_is_tried_again(harness: OaEnv) -> None:
    harness.forms.faults = [OaUnreachable("not reached")]
    await opened(harness)
    assert harness.record.state is OaState.WANTED
    await harness.wait(seconds=30)
    assert harness.record.state is OaState.RUNNING


async def test_a_defect_in_one_approval_does_not_end_the_bot_and_starts_nothing_twice(harness: OaEnv) -> None:
    harness.forms.faults, harness.forms.lost = [LookupError("a defect")], True
    with capture_logs() as logs:
        await opened(harness)
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["approvals.native_defect"]
    await harness.wait(minutes=2)
    assert harness.record.state is OaState.RUNNING
    assert harness.approval.running


async def test_a_form_that_dingtalk_does_not_take_leaves_chat_alone(harness: OaEnv) -> None:
    harness.forms.faults = [OaDeclined("aflowProcessNotExist")]
    await opened(harness)
    assert harness.record.state is OaState.ENDED
    assert "native_not_started" in await harness.env.audit_actions()
    assert (await harness.env.cast_vote("li")).outcome is VoteOutcome.DECIDED


async def test_a_turn_that_cannot_be_used_does_not_keep_the_approval_open(harness: OaEnv) -> None:
    await opened(harness)
    harness.forms.declines = {"execute"}
    await harness.env.cast_vote("li")
    await harness.settle()
    assert [by for by, _ in harness.approval.called_off] == ["li"]
    assert harness.record.state is OaState.ENDED


async def test_calling_off_that_comes_too_early_is_tried_again(harness: OaEnv) -> None:
    await opened(harness)
    harness.forms.declines = {"execute", "terminate"}
    await harness.env.cast_vote("li")
    await harness.settle()
    assert harness.record.state is OaState.RUNNING
    harness.forms.declines = set()
    await harness.wait(seconds=30)
    assert harness.record.state is OaState.ENDED
    assert not harness.approval.running


@pytest.mark.parametrize(("originator", "started"), [("", 0), ("zheng", 1)])
async def test_an_order_of_nobody_known_needs_an_originator(env: ApprovalEnv, originator: str, started: int) -> None:
    harness = OaEnv(env, originator=originator)
    order = with_review(waiting_order(), requester="erp-stranger")
    await harness.env.submit(order)
    await harness.settle()
    assert len(harness.forms.approvals) == started
    assert ("native_not_started" in await harness.env.audit_actions()) is not started


async def test_what_waited_before_the_bot_came_is_left_alone(harness: OaEnv) -> None:
    harness.env.erp.submit(waiting_order(requester="wu"))
    assert await harness.env.service.sync_document(po_key("main", "PO-1"), quiet=True) is not None
    await harness.settle()
    assert not harness.forms.approvals


async def test_two_processes_start_one_approval(harness: OaEnv) -> None:
    other = OaEnv(harness.env)
    other.forms, other.records = harness.forms, harness.records
    other.restart()
    await harness.env.submit()
    for _ in range(3):
        await harness.oa_sync.sync()
        await other.oa_sync.sync()
    assert len(harness.forms.approvals) == 1
