"""Decisions in ERPNext beyond the contract, with and without a Workflow.

Docs: platform/erp/erpnext.md#deciding
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.erp.erpnext.adapter import ErpNextErp
from bot.erp.errors import Invalid
from bot.erp.goods.port import ArrivalQuery
from bot.erp.model import Decision, DecisionOutcome, PurchaseOrder, ReviewState, Verdict
from bot.erp.port import Filter, ListQuery
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.erp_checks import resulting_order
from bot.kit.testing.fake_erp import SECRET, RequestKind
from tests.bare_records import with_review
from tests.erp.erpnext.conftest import Open
from tests.erp.fakes.erpnext import FakeErpNext, refuse

Serve = Callable[..., Awaitable[FakeErpNext]]

REASON = 'zu teuer <b>\n& nicht "jetzt" 太贵 ' + "x" * 400


def decision(order: PurchaseOrder, verdict: Verdict = Verdict.APPROVE, by: str = "anna", reason: str = "") -> Decision:
    return Decision(number=order.number, version=order.review.version, verdict=verdict, by=by, reason=reason)


@pytest.fixture
async def drafts(serve: Serve) -> FakeErpNext:
    """A site without a Workflow."""
    return await serve(workflow=False)


# With a Workflow


async def test_a_decision_bears_the_persons_own_key(site: FakeErpNext, erp: ErpNextErp) -> None:
    await erp.decide(decision(await erp.purchase_order("PO-1001"), by="carla"))
    (write,) = site.requests.of(RequestKind.WRITE)
    assert write.path == "/api/method/frappe.model.workflow.apply_workflow"
    assert write.headers["Authorization"].startswith("token carla-key:")


@pytest.mark.parametrize("verdict", Verdict)
async def test_a_reason_is_a_comment_of_the_person_word_for_word(
    site: FakeErpNext, erp: ErpNextErp, verdict: Verdict
) -> None:
    result = await erp.decide(decision(await erp.purchase_order("PO-1001"), verdict, "carla", REASON))
    assert result.outcome is DecisionOutcome.APPLIED
    assert result.document is not None
    assert resulting_order(result).review.approval is not None
    assert (resulting_order(result).review.approval.reason, resulting_order(result).review.approval.decided_by) == (
        REASON,
        "carla",
    )
    (comment,) = site._comments
    assert (comment["owner"], comment["comment_type"]) == ("carla", "Comment")
    assert "<b>" not in comment["content"]


async def test_a_lost_answer_does_not_lose_the_reason(site: FakeErpNext, erp: ErpNextErp) -> None:
    seen = await erp.purchase_order("PO-1001")
    site.faults.lose_write_answer()
    result = await erp.decide(decision(seen, Verdict.REJECT, reason=REASON))
    assert result.outcome is DecisionOutcome.APPLIED
    assert result.document is not None
    assert resulting_order(result).review.approval is not None
    assert resulting_order(result).review.approval.reason == REASON


async def test_a_reason_that_is_not_stored_does_not_undo_the_decision(
    site: FakeErpNext, erp: ErpNextErp, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = await erp.purchase_order("PO-1001")
    refused = refuse(403, "PermissionError", "Not permitted to <b>comment</b>")
    monkeypatch.setattr(site, "_add_comment", lambda given, user: refused)
    result = await erp.decide(decision(seen, Verdict.REJECT, reason=REASON))
    assert result.outcome is DecisionOutcome.APPLIED
    assert result.text == "The reason was not stored: Not permitted to comment"


async def test_without_a_reason_no_comment_is_left(site: FakeErpNext, erp: ErpNextErp) -> None:
    await erp.decide(decision(await erp.purchase_order("PO-1001")))
    assert site._comments == []


async def test_who_lacks_the_role_is_told_apart_from_who_is_too_late(site: FakeErpNext, erp: ErpNextErp) -> None:
    """Frappe says “Not a valid Workflow Action” in both cases."""
    # If nobody's tasks can be read, only the ERP knows who may decide.
    site.unreadable.add("Workflow Action")
    seen = await erp.purchase_order("PO-1001")
    assert seen.review.approval is not None
    assert seen.review.approval.pending_for == ()
    lacking = await erp.decide(decision(seen, by="boris"))
    assert (lacking.outcome, lacking.text) == (DecisionOutcome.NOT_PERMITTED, "Not a valid Workflow Action")
    assert lacking.document == seen
    site.faults.synchronize_writes(2)
    results = await asyncio.gather(erp.decide(decision(seen)), erp.decide(decision(seen, by="carla")))
    assert sorted(result.outcome for result in results) == [DecisionOutcome.ALREADY_DECIDED, DecisionOutcome.APPLIED]


async def test_ones_own_order_waits_for_the_others(
    site: FakeErpNext, erp: ErpNextErp, company: ReferenceCompany
) -> None:
    company.purchases["PO-1001"] = with_review(company.purchases["PO-1001"], requester="anna")
    seen = await erp.purchase_order("PO-1001")
    assert seen.review.approval is not None
    assert seen.review.approval.pending_for == ("carla",)
    site.unreadable.add("Workflow Action")
    assert (await erp.decide(decision(await erp.purchase_order("PO-1001")))).outcome is DecisionOutcome.NOT_PERMITTED
    assert site.requests.count(RequestKind.WRITE) == 0


async def test_who_has_no_key_here_cannot_decide_here(site: FakeErpNext, open_erp: Open) -> None:
    erp = open_erp(site, approvers={"carla": {"key": "carla-key", "secret": SECRET}})
    seen = await erp.purchase_order("PO-1001")
    assert seen.review.approval is not None
    assert seen.review.approval.pending_for == ("carla",)
    assert (await erp.decide(decision(seen, by="anna"))).outcome is DecisionOutcome.NOT_PERMITTED
    assert (await erp.decide(decision(seen, by="carla"))).outcome is DecisionOutcome.APPLIED


async def test_a_key_that_was_withdrawn_keeps_the_order_from_nobody_else(site: FakeErpNext, open_erp: Open) -> None:
    people = {"anna": {"key": "anna-key", "secret": SECRET}, "carla": {"key": "carla-key", "secret": "withdrawn"}}
    erp = open_erp(site, approvers=people)
    seen = await erp.purchase_order("PO-1001")
    assert seen.review.approval is not None
    assert seen.review.approval.pending_for == ("anna",)
    assert (await erp.decide(decision(seen))).outcome is DecisionOutcome.APPLIED


async def test_an_account_that_may_not_read_the_trail_still_tells_the_order(site: FakeErpNext, erp: ErpNextErp) -> None:
    site.unreadable |= {"Version", "Comment"}
    order = await erp.purchase_order("PO-1013")
    assert order.status is ReviewState.REJECTED
    assert order.review.approval is not None
    assert (order.review.approval.decided_by, order.review.approval.reason) == ("", "")


async def test_without_approvers_nothing_is_sent(site: FakeErpNext, open_erp: Open) -> None:
    erp = open_erp(site, approvers={})
    seen = await erp.purchase_order("PO-1001")
    site.requests.clear()
    for verdict in Verdict:
        assert (await erp.decide(decision(seen, verdict))).outcome is DecisionOutcome.UNSUPPORTED
    assert site.requests.entries == []


# Submitting in the background


@pytest.fixture
async def queued(site: FakeErpNext) -> FakeErpNext:
    """A site whose background workers submit documents."""
    site.in_background = True
    return site


async def test_what_the_background_workers_do_is_waited_for(
    queued: FakeErpNext, open_erp: Open, company: ReferenceCompany
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            queued.run_background_jobs()

    erp = open_erp(queued, sleep=sleep)
    result = await erp.decide(decision(await erp.purchase_order("PO-1001")))
    assert result.outcome is DecisionOutcome.APPLIED
    assert len(pauses) == 3
    assert queued.requests.count(RequestKind.WRITE) == 1


async def test_what_stays_in_the_queue_is_unknown(queued: FakeErpNext, erp: ErpNextErp, clock: Clock) -> None:
    result = await erp.decide(decision(await erp.purchase_order("PO-1001")))
    assert (result.outcome, result.text) == (DecisionOutcome.UNKNOWN, "the ERP put it into its queue")
    assert sum(clock.slept) < 15
    assert queued.requests.count(RequestKind.WRITE) == 1


async def test_what_is_in_the_queue_of_a_site_that_goes_down_is_unknown(queued: FakeErpNext, open_erp: Open) -> None:
    async def sleep(seconds: float) -> None:
        queued.faults.maintenance()

    erp = open_erp(queued, sleep=sleep)
    result = await erp.decide(decision(await erp.purchase_order("PO-1001")))
    assert (result.outcome, result.document) == (DecisionOutcome.UNKNOWN, None)


# Without a Workflow


async def test_drafts_wait_and_are_submitted(drafts: FakeErpNext, open_erp: Open) -> None:
    erp = open_erp(drafts, workflow=False)
    pending = (await erp.purchase_orders(ListQuery(filter=Filter.PENDING, limit=500))).items
    assert {order.status for order in pending} == {ReviewState.WAITING}
    assert "PO-1001" in {order.number for order in pending}
    seen = await erp.purchase_order("PO-1001")
    result = await erp.decide(decision(seen))
    assert result.outcome is DecisionOutcome.APPLIED
    assert result.document is not None
    assert resulting_order(result).review.approval is not None
    assert (resulting_order(result).status, resulting_order(result).review.approval.decided_by) == (
        ReviewState.APPROVED,
        "anna",
    )
    (write,) = drafts.requests.of(RequestKind.WRITE)
    assert (write.method, write.path) == ("PUT", "/api/resource/Purchase Order/PO-1001")


async def test_lists_without_a_workflow_say_the_same_as_single_orders(drafts: FakeErpNext, open_erp: Open) -> None:
    erp = open_erp(drafts, workflow=False)
    for listed in (await erp.purchase_orders(ListQuery(limit=500))).items:
        assert replace(await erp.purchase_order(listed.number), lines=()) == listed
    late = (await erp.purchase_orders(ListQuery(filter=Filter.LATE, limit=500))).items
    assert late
    assert {order.status for order in late} == {ReviewState.APPROVED}


async def test_a_draft_that_is_changed_between_reading_and_submitting_is_not_submitted(
    drafts: FakeErpNext, open_erp: Open, company: ReferenceCompany, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    erp = open_erp(drafts, workflow=False)
    seen = await erp.purchase_order("PO-1001")
    record = company.purchases["PO-1001"]
    find = company.find

    def change_first(records: dict[str, PurchaseOrder], key: str) -> PurchaseOrder | None:
        if company.purchases["PO-1001"] is record:
            clock.advance(1)
            company.set_total("PO-1001", Decimal(99999))
        return find(records, key)

    monkeypatch.setattr(company, "find", change_first)
    result = await erp.decide(decision(seen))
    assert result.outcome is DecisionOutcome.CHANGED_SINCE_SHOWN
    assert result.text == "Document has been modified after you have opened it"
    assert company.purchases["PO-1001"].status is ReviewState.WAITING


async def test_the_limit_of_a_persons_authority_is_told_in_the_erps_words(drafts: FakeErpNext, open_erp: Open) -> None:
    erp = open_erp(drafts, workflow=False)
    drafts.limit = Decimal("0.1")
    with pytest.raises(Invalid, match="Not authorized since Grand Total exceeds limits"):
        await erp.decide(decision(await erp.purchase_order("PO-1001")))


async def test_somebody_elses_submission_is_not_taken_for_a_lost_one(
    drafts: FakeErpNext, open_erp: Open, company: ReferenceCompany
) -> None:
    erp = open_erp(drafts, workflow=False)
    seen = await erp.purchase_order("PO-1001")
    drafts.faults.lose_write_answer(
        happens=False, meanwhile=lambda: company.decide("PO-1001", Verdict.APPROVE, "carla")
    )
    assert (await erp.decide(decision(seen))).outcome is DecisionOutcome.ALREADY_DECIDED


async def test_a_workflow_is_not_passed_by(site: FakeErpNext, open_erp: Open) -> None:
    """A draft could be submitted although its Workflow still waits for somebody."""
    erp = open_erp(site, workflow=False)
    with pytest.raises(Invalid, match="set workflow = true"):
        await erp.check()
    with pytest.raises(Invalid, match="set workflow = true"):
        await erp.decide(decision(await erp.purchase_order("PO-1001")))
    assert site.requests.count(RequestKind.WRITE) == 0


async def test_orders_of_a_site_without_the_configured_workflow_are_read_and_not_decided(
    drafts: FakeErpNext, open_erp: Open
) -> None:
    """The site's Workflow was switched off, or the setting left as it is by default."""
    erp = open_erp(drafts)
    listed = {order.number: order for order in (await erp.purchase_orders(ListQuery(limit=500))).items}
    submitting = await open_erp(drafts, workflow=False).purchase_orders(ListQuery(limit=500))
    assert {number: order.total for number, order in listed.items()} == {
        order.number: order.total for order in submitting.items
    }
    seen = await erp.purchase_order("PO-1001")
    assert replace(seen, lines=()) == listed["PO-1001"]
    assert seen.status is ReviewState.DRAFT
    assert ReviewState.APPROVED in {order.status for order in listed.values()}
    assert (await erp.purchase_orders(ListQuery(filter=Filter.PENDING, limit=500))).total == 0
    assert (await erp.purchase_orders(ListQuery(filter=Filter.LATE, limit=500))).total > 0
    assert (await erp.arrivals(ArrivalQuery())).total > 0
    for refused in (erp.check(), erp.decide(decision(seen))):
        with pytest.raises(Invalid, match="set workflow = false"):
            await refused
    assert drafts.requests.count(RequestKind.WRITE) == 0
