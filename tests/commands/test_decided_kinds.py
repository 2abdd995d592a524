"""The card of a document that waits says so, and who may decide is offered that: of each kind that is decided."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule, RuleEffect
from bot.approvals.policy.rules import RuleScope
from bot.cards.notices import DeniedNotice
from bot.cards.view import View
from bot.chat.document_views import DocumentListView, DocumentView, RecordView
from bot.chat.message import Conversation, ConversationKind
from bot.erp.errors import Unavailable
from bot.erp.kinds import DECIDED, Kind
from bot.erp.model import Approval, DocumentRef, ErpRecord, ReviewState
from bot.words.disclosure import ALL_FIELDS, MONEY_FIELDS
from tests.approvals.company import waiting_of
from tests.bare_records import with_review
from tests.commands.approval_fakes import ApprovalFixture, rules
from tests.commands.company import Company
from tests.commands.conftest import GROUP, KEEPER, Ask, as_, body_of, lines

MANAGER = replace(KEEPER, user_id="manager01", name="陈经理")
DIRECT = Conversation("cidDirect==", ConversationKind.DIRECT)
AWAITS = "Awaits: 陈经理, 周总 (1/2)"
PEOPLE = {"u_manager01": "陈经理", "u_sales01": "李销"}


@dataclass(frozen=True)
class Waiting:
    """A document that waits, and what asks for it."""

    kind: Kind[Any]
    document: ErpRecord
    ask: Ask

    async def shown_to(self, person: Person, where: Conversation = DIRECT) -> RecordView | DocumentView:
        return either((await self.ask(f"/{self.kind.command} {self.document.number}", person=person, where=where)).view)


def either(view: View) -> RecordView | DocumentView:
    assert isinstance(view, RecordView | DocumentView), view
    return view


def offered(view: View) -> list[str]:
    """Return which decisions a card offers."""
    return [str(button.label) for button in view.buttons() if str(button.label) in {"Approve", "Reject", "Pass on"}]


@pytest.fixture(params=DECIDED, ids=lambda kind: kind.command)
def kind(request: pytest.FixtureRequest) -> Kind[Any]:
    kind: Kind[Any] = request.param
    return kind


@pytest.fixture
def waiting(kind: Kind[Any], company: Company, ask: Ask, approvals: ApprovalFixture) -> Waiting:
    approvals.rules = rules(scope=RuleScope(kinds=frozenset(each.command for each in DECIDED)))
    approval = Approval(pending_for=("u_manager01", "周总"), levels=2)
    document = with_review(waiting_of(kind, "X-77"), approval=approval, requester="u_sales01", people=PEOPLE)
    company.put(document)
    return Waiting(kind, document, ask)


@pytest.mark.parametrize("where", [DIRECT, GROUP], ids=["own chat", "group"])
async def test_who_may_decide_is_offered_it_and_others_are_told_for_whom_it_waits(
    waiting: Waiting, approvals: ApprovalFixture, where: Conversation
) -> None:
    case = await approvals.submit("X-77", waiting.kind)
    theirs, others = await waiting.shown_to(MANAGER, where), await waiting.shown_to(KEEPER, where)
    assert (offered(theirs), offered(others)) == (["Approve", "Reject", "Pass on"], [])
    assert lines(theirs)[0] == f"/approve X-77 #{case.fingerprint[:8]}"
    for view in (theirs, others):
        body = body_of(view)
        assert AWAITS in body
        assert "Waiting for approval" in body


async def test_nobody_is_offered_what_they_requested(
    waiting: Waiting, company: Company, approvals: ApprovalFixture
) -> None:
    company.put(with_review(waiting.document, requester="u_manager01"))
    await approvals.submit("X-77", waiting.kind)
    assert offered(await waiting.shown_to(MANAGER)) == []


class TestRefused:
    @pytest.fixture
    def policy(self, kind: Kind[Any]) -> AccessPolicy:
        command, everybody = frozenset({kind.command}), frozenset({"*"})
        return AccessPolicy(rules=(AccessRule(commands=command, roles=everybody, effect=RuleEffect.DENY),))

    async def test_who_may_not_see_the_kind_learns_no_name(self, waiting: Waiting, approvals: ApprovalFixture) -> None:
        await approvals.submit("X-77", waiting.kind)
        view = as_(DeniedNotice, await waiting.ask(f"/{waiting.kind.command} X-77", person=MANAGER))
        assert offered(view) == []
        assert "周总" not in body_of(view)


class TestWithoutAmounts:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        commands = frozenset(each.command for each in DECIDED)
        told = AccessRule(commands=commands, roles=frozenset({"*"}), fields=ALL_FIELDS - MONEY_FIELDS)
        return AccessPolicy(rules=(told,))

    async def test_who_sees_no_amounts_decides_and_reads_none_in_reasons(
        self, waiting: Waiting, company: Company, approvals: ApprovalFixture
    ) -> None:
        await approvals.submit("X-77", waiting.kind)
        view = await waiting.shown_to(MANAGER)
        assert offered(view) == ["Approve", "Reject", "Pass on"]
        assert "3,000" not in body_of(view)
        said = Approval(decided_by="u_manager01", reason="over 2500")
        company.put(with_review(waiting.document, state=ReviewState.REJECTED, approval=said))
        body = body_of(await waiting.shown_to(KEEPER))
        assert "Rejected by: 陈经理" in body
        assert "2500" not in body


@pytest.mark.parametrize(("verdict", "label"), [("approve", "Approved"), ("reject", "Rejected")])
async def test_a_decision_turns_the_cards_of_all_who_look_at_it(
    waiting: Waiting, approvals: ApprovalFixture, verdict: str, label: str
) -> None:
    await approvals.submit("X-77", waiting.kind)
    known = [await waiting.shown_to(person) for person in (MANAGER, KEEPER)]
    assert {view.following() and view.following().documents for view in known} == {(DocumentRef("main", "X-77"),)}  # type: ignore[union-attr]  # it waits
    await waiting.ask(f"/{verdict} X-77 as agreed", person=MANAGER, where=DIRECT)
    assert "Decided, the ERP is being updated" in body_of(await waiting.shown_to(KEEPER))
    assert offered(await waiting.shown_to(MANAGER)) == []
    await approvals.settle()
    for view, person in zip(known, (MANAGER, KEEPER), strict=True):
        following = view.following()
        assert following is not None
        now = either((await waiting.ask(following.again.line, person=person, where=DIRECT)).view)
        body = body_of(now)
        assert f"{label} by: 陈经理" in body
        assert "Reason: as agreed" in body
        assert "Awaits" not in body
        assert (offered(now), now.following()) == ([], None)


@pytest.mark.parametrize("state", [state for state in ReviewState if state is not ReviewState.WAITING])
async def test_what_does_not_wait_offers_nothing_and_follows_nothing(
    waiting: Waiting, company: Company, approvals: ApprovalFixture, state: ReviewState
) -> None:
    await approvals.submit("X-77", waiting.kind)
    company.put(with_review(waiting.document, state=state, approval=None))
    view = await waiting.shown_to(MANAGER)
    assert (offered(view), view.following()) == ([], None)
    assert "Waiting for approval" not in body_of(view)


async def test_where_the_erp_tells_of_no_approval_nothing_is_said_of_it(
    kind: Kind[Any], company: Company, ask: Ask
) -> None:
    known = next(iter(company.documents_of(kind)))
    view = either((await ask(f"/{kind.command} {known.number}", person=MANAGER)).view)
    assert (offered(view), view.case) == ([], None)
    if kind.review(known) is None:
        assert not any(word in body_of(view) for word in ("Awaits", "Decided", "approval", " by:"))


async def test_a_revision_that_was_not_seen_here_waits_and_offers_nothing(
    waiting: Waiting, company: Company, approvals: ApprovalFixture
) -> None:
    assert offered(await waiting.shown_to(MANAGER)) == []
    await approvals.submit("X-77", waiting.kind)
    company.put(with_review(waiting.document, requester="somebody else"))
    view = await waiting.shown_to(MANAGER)
    assert offered(view) == []
    assert AWAITS in body_of(view)


async def test_an_old_copy_offers_nothing(waiting: Waiting, company: Company, approvals: ApprovalFixture) -> None:
    await approvals.submit("X-77", waiting.kind)
    assert offered(await waiting.shown_to(MANAGER))
    company.broken = Unavailable("gone")
    view = await waiting.shown_to(MANAGER)
    assert view.freshness.stale
    assert offered(view) == []


async def test_lists_say_of_rows_for_whom_they_wait(waiting: Waiting, company: Company) -> None:
    refused = replace(waiting.document, number="X-78")  # type: ignore[call-arg]  # documents have a number
    company.put(with_review(refused, state=ReviewState.REJECTED, approval=None))
    listed = as_(DocumentListView, await waiting.ask(f"/{waiting.kind.command} X-7", person=KEEPER))
    body = body_of(listed)
    assert "Awaits: 陈经理, 周总" in body
    assert "Rejected" in body
    following = listed.following()
    assert following is not None
    assert following.documents == (DocumentRef("main", "X-77"),)
