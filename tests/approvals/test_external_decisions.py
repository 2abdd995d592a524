"""Decided or withdrawn in the ERP itself: what is told of it is what the ERP tells, and nothing that it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.approvals.cards.responder import outcome_note
from bot.approvals.cards.view_builders import CardViewer, RevisionData, build_case_view, build_requester_notice
from bot.approvals.cards.views import Audience
from bot.approvals.case import Case, CaseState, ExternalDecision
from bot.approvals.case_context import CaseContext
from bot.approvals.voting import VoteOutcome, VoteResult
from bot.erp.model import Approval, Decision, ReviewState
from bot.store.approvals.rows import case_of, case_row
from tests.approvals.company import NOW, po_key
from tests.approvals.env import APPROVE, REJECT, ApprovalEnv, cards, decision
from tests.approvals.fake_erp import WriteFault
from tests.approvals.oa_env import OaEnv
from tests.approvals.test_repository import a_case

APPROVED, REJECTED, DRAFT, CANCELLED = (
    ReviewState.APPROVED,
    ReviewState.REJECTED,
    ReviewState.DRAFT,
    ReviewState.CANCELLED,
)
AT = NOW + timedelta(minutes=3)


async def ended(env: ApprovalEnv, status: ReviewState, by: str = "erp-sun", at: datetime | None = AT) -> Case:
    """Let somebody end an order in the ERP, and the bot see it; return the case."""
    approval = Approval(decided_by=by, decided_at=at, levels=2, level=2)
    env.erp.edit("PO-1", state=status, approval=approval, people={"erp-sun": "孙"})
    assert await env.service.sync_document(po_key("main", "PO-1")) is None
    return await env.newest()


async def last_line(env: ApprovalEnv, case: Case) -> tuple[str, str]:
    rows = await env.store.transact(lambda cases: list(cases.audit_rows_of(case.id)))
    return rows[-1].what, rows[-1].detail


def titles(case: Case) -> list[str]:
    """Return what the cards of the deciders and of the requester are called."""
    reader = CardViewer(audience=Audience.BARE, now=NOW)
    views = (build_case_view(CaseContext(case=case), RevisionData(), reader), build_requester_notice(case))
    assert {view.elsewhere for view in views} == {case.elsewhere}
    return [str(view.headline) for view in views]


def late(case: Case) -> str:
    return str(outcome_note(VoteResult(outcome=VoteOutcome.LATE, case=case)))


@pytest.mark.parametrize(
    ("status", "verdict", "title", "answer"),
    [
        (APPROVED, APPROVE, "Approved in the ERP", "孙 approved it in the ERP already, at "),
        (ReviewState.DONE, APPROVE, "Approved in the ERP", "孙 approved it in the ERP already, at "),
        (REJECTED, REJECT, "Rejected in the ERP", "孙 rejected it in the ERP already, at "),
    ],
)
async def test_the_verdict_is_told_with_who_and_when(
    env: ApprovalEnv, status: ReviewState, verdict: object, title: str, answer: str
) -> None:
    await env.submit()
    case = await ended(env, status)
    assert case.state is CaseState.DECIDED_ELSEWHERE
    assert case.elsewhere == ExternalDecision(status=status, by="孙", at=AT)
    assert case.elsewhere.verdict is verdict
    assert titles(case) == [title, title]
    assert late(case).startswith(answer)
    assert await last_line(env, case) == (
        "decided_elsewhere",
        f"{status} in the ERP by erp-sun at {AT.isoformat()}",
    )
    owed = cards(env, case.id)
    assert set(owed.values()) == {case.revision}
    assert "approval_told:person:wu" in owed


@pytest.mark.parametrize(
    ("by", "at", "status", "answer", "line"),
    [
        (
            "erp-sun",
            None,
            APPROVED,
            "孙 approved it in the ERP already.",
            "approved in the ERP by erp-sun",
        ),
        ("erp-sun", None, REJECTED, "孙 rejected it in the ERP already.", "rejected in the ERP by erp-sun"),
        ("", None, APPROVED, "It was approved in the ERP already.", "approved in the ERP by somebody"),
        ("", None, REJECTED, "It was rejected in the ERP already.", "rejected in the ERP by somebody"),
    ],
)
async def test_what_the_erp_keeps_to_itself_is_left_out(
    env: ApprovalEnv, by: str, at: datetime | None, status: ReviewState, answer: str, line: str
) -> None:
    await env.submit()
    case = await ended(env, status, by, at)
    assert late(case) == answer
    assert (await last_line(env, case))[1] == line


async def test_an_erp_that_tells_nothing_but_the_state(env: ApprovalEnv) -> None:
    env.erp.names_nobody = True
    await env.submit()
    env.erp.apply(decision("v1", "erp-sun"))
    await env.service.sync_document(po_key("main", "PO-1"))
    assert (await env.newest()).elsewhere == ExternalDecision(status=APPROVED)


@pytest.mark.parametrize(
    ("status", "words"), [(DRAFT, "It is a draft again in the ERP."), (CANCELLED, "It was cancelled in the ERP.")]
)
async def test_what_nobody_decided_is_no_decision(env: ApprovalEnv, status: ReviewState, words: str) -> None:
    """Who decided an earlier level did not withdraw it, as far as anybody can tell."""
    await env.submit()
    case = await ended(env, status)
    assert (case.state, case.elsewhere) == (CaseState.WITHDRAWN, ExternalDecision(status=status))
    assert titles(case)[0] == "No longer waits"
    assert (
        str(
            build_case_view(
                CaseContext(case=case), RevisionData(), CardViewer(audience=Audience.BARE, now=NOW)
            ).withdrawn
        ),
        late(case),
    ) == (
        words,
        words,
    )
    assert await last_line(env, case) == ("withdrawn", status.value)


async def test_deleted_is_said_to_be_deleted(env: ApprovalEnv) -> None:
    await env.submit()
    env.erp.orders.clear()
    await env.service.sync_document(po_key("main", "PO-1"))
    case = await env.newest()
    assert (case.state, case.elsewhere) == (CaseState.WITHDRAWN, ExternalDecision())
    assert late(case) == "It is not in the ERP any more."
    assert await last_line(env, case) == ("withdrawn", "not in the ERP any more")


async def test_what_was_decided_stays_decided_when_it_is_deleted(env: ApprovalEnv) -> None:
    await env.wang_approves()
    await env.run_until_idle()
    decided = await env.newest()
    assert decided.state.is_final
    env.erp.orders.clear()
    await env.service.sync_document(po_key("main", "PO-1"))
    assert await env.newest() == decided


async def test_cancelled_by_others_is_not_the_rejection_that_somebody_meant(env: ApprovalEnv) -> None:
    """Our own rejection may end as a cancelled order; somebody else's cancelling is not a rejection of theirs."""
    await env.submit()
    env.erp.faults.append(WriteFault.LOST)
    await env.cast_vote("wang", REJECT)
    await env.work()
    env.erp.edit("PO-1", state=CANCELLED, approval=Approval(decided_by="erp-sun"))
    await env.run_until_idle()
    case = await env.newest()
    assert (case.state, case.elsewhere) == (CaseState.WITHDRAWN, ExternalDecision(status=CANCELLED))


async def test_a_decision_there_overtakes_ours(env: ApprovalEnv) -> None:
    await env.wang_approves()
    at = env.clock.time
    env.erp.apply(Decision(number="PO-1", version="v1", verdict=REJECT, by="erp-sun", reason="no"))
    await env.run_until_idle()
    case = await env.newest()
    assert (case.state, case.elsewhere) == (
        CaseState.DECIDED_ELSEWHERE,
        ExternalDecision(status=REJECTED, by="erp-sun", at=at),
    )
    assert titles(case) == ["Rejected in the ERP"] * 2


def test_decided_there_and_nobody_can_tell_how() -> None:
    case = a_case(state=CaseState.DECIDED_ELSEWHERE)
    assert titles(case) == ["Decided in the ERP"] * 2
    assert late(case) == "It is over already: there is nothing left to decide."


class FakeCaseRow:
    """A row as the database returns it."""

    def __init__(self, case: Case, *, as_it_was_once: bool) -> None:
        vars(self).update(case_row(case, 1))
        if as_it_was_once:
            there, _, rest = self.body.partition('"there":')
            assert rest.startswith("{"), "it is written now"
            self.body = there + rest.partition("},")[2]

    body: str
    opened_us: int
    due_us: int | None = None


@pytest.mark.parametrize("as_it_was_once", [False, True])
def test_rows_that_tell_only_who_decided_are_read_as_such(as_it_was_once: bool) -> None:
    there = ExternalDecision(status=APPROVED, by="孙", at=AT)
    case = a_case(state=CaseState.DECIDED_ELSEWHERE, elsewhere=there)
    read = case_of(FakeCaseRow(case, as_it_was_once=as_it_was_once))
    assert read == replace(case, elsewhere=ExternalDecision(by="孙") if as_it_was_once else there)
    assert late(read).startswith("孙 decided it in the ERP" if as_it_was_once else "孙 approved it in the ERP")
    nameless = replace(case, elsewhere=ExternalDecision(status=CANCELLED), state=CaseState.WITHDRAWN)
    once = case_of(FakeCaseRow(nameless, as_it_was_once=as_it_was_once))
    assert once.elsewhere == (None if as_it_was_once else ExternalDecision(status=CANCELLED))


@pytest.mark.parametrize(("verdict", "parted"), [(APPROVE, False), (REJECT, True)])
async def test_the_same_verdict_in_the_approval_app_has_not_parted_from_it(
    env: ApprovalEnv, verdict: object, parted: bool
) -> None:
    harness = OaEnv(env)
    await env.submit()
    await harness.settle()
    env.erp.apply(decision("v1", "erp-sun"))
    await env.service.sync_document(po_key("main", "PO-1"))
    harness.forms.speak("qian", verdict, "不要")  # type: ignore[arg-type]  # a verdict
    await harness.oa_sync.notify("instance-1")
    await harness.settle()
    assert ("native_parted" in await env.audit_actions()) is parted
    assert bool(harness.approval.comments) is parted
