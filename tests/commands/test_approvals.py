"""/approve, /reject, /pending and /why: who may decide, what is recorded, and what everybody else sees."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta

import pytest

from bot.access.grants import Scope
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.approvals.cards.history_views import ApprovalHistory, ApprovalRecord
from bot.approvals.cards.list_views import ApprovalAll, ApprovalChoice, ApprovalList, ApprovalResults, page_fingerprint
from bot.approvals.cards.views import (
    ApprovalPeople,
    ApprovalReasons,
    ApprovalReply,
    ApprovalView,
    ApprovalWhy,
    Audience,
)
from bot.approvals.case import CaseState, short_id
from bot.approvals.plan import VoteWay
from bot.approvals.unit_of_work import ApprovalOptions, no_limits
from bot.cards.notices import BadArgumentNotice, ChoiceNotice, DeniedNotice, ExternalNotice, NotFoundNotice
from bot.cards.view import View
from bot.chat.document_views import DocumentView
from bot.chat.message import Conversation, ConversationKind
from bot.erp.hub import ErpHub
from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.model import Money, ReviewState, Verdict
from bot.words.disclosure import ALL_FIELDS, HIDDEN, FieldClass
from tests.approvals.company import po_key
from tests.approvals.env import PATIENCE
from tests.commands.approval_fakes import ApprovalFixture, any_of, rules
from tests.commands.company import NOW, Company, cny, purchase
from tests.commands.conftest import KEEPER, UNREAD, Ask, as_, lines

MANAGER = replace(KEEPER, user_id="manager01", name="陈经理")
BUYER = replace(KEEPER, user_id="buyer01", name="赵采")
DIRECT = Conversation("cidDirect==", ConversationKind.DIRECT)


def money_in(thing: object) -> Iterator[Money]:
    if isinstance(thing, Money):
        yield thing
    elif is_dataclass(thing) and not isinstance(thing, type):
        for field in fields(thing):
            yield from money_in(getattr(thing, field.name))
    elif isinstance(thing, dict) or hasattr(thing, "values"):
        for value in thing.values():
            yield from money_in(value)
    elif isinstance(thing, (tuple, list, frozenset)):
        for value in thing:
            yield from money_in(value)


async def test_finding_1_where_the_erp_takes_no_rejection_none_is_offered(ask: Ask, approvals: ApprovalFixture) -> None:
    case = await approvals.submit()
    for line, alone in ((f"/pending {case.id}", ApprovalView), ("/po PO-1001", DocumentView)):
        approvals.transactions.decides = no_limits
        offered = as_(alone, await ask(line, person=MANAGER, where=DIRECT)).buttons()
        approvals.transactions.decides = lambda source, kind: frozenset({Verdict.APPROVE})
        left = as_(alone, await ask(line, person=MANAGER, where=DIRECT)).buttons()
        assert {str(each.label) for each in offered} - {str(each.label) for each in left} == {"Reject"}, line
    refused = as_(ApprovalView, await ask("/reject PO-1001 too dear", person=MANAGER, where=DIRECT))
    assert str(refused.note) == "“main” takes no rejection from here: reject it there."
    assert (await approvals.case()).votes == ()


@pytest.mark.parametrize(
    "line", ["/approve PO-1001", "/同意 PO-1001", "同意 po-1001", "/ty PO-1001", "@赵采 批准 PO-1001"]
)
async def test_approving_in_words(ask: Ask, approvals: ApprovalFixture, line: str) -> None:
    await approvals.submit()
    view = as_(ApprovalReply, await ask(line, person=MANAGER, where=DIRECT))
    assert (str(view.note), lines(view)) == ("Recorded. The ERP is being updated.", [f"/pending {view.case}"])
    decision = (await approvals.case()).decision
    assert decision is not None
    assert (decision.verdict, decision.by, decision.name, decision.at) == (Verdict.APPROVE, "manager01", "陈经理", NOW)
    await approvals.settle()
    assert [(decision.number, decision.by) for decision in approvals.erp.decisions] == [("PO-1001", "u_manager01")]
    assert (await approvals.case()).state is CaseState.APPROVED


@pytest.mark.parametrize(
    ("where", "way"),
    [
        ({"clicked": False}, VoteWay.TYPED),
        ({"clicked": True}, VoteWay.CARD),
        ({"clicked": True, "on_page": True}, VoteWay.PAGE),
    ],
)
async def test_where_somebody_voted_is_noted(
    ask: Ask, approvals: ApprovalFixture, where: dict[str, bool], way: VoteWay
) -> None:
    await approvals.submit()
    await ask("/approve PO-1001", person=MANAGER, where=DIRECT, **where)
    assert [vote.way for vote in (await approvals.case()).votes] == [way]


@pytest.mark.parametrize("line", ["/approve PO-1001", "/reject PO-1001 too dear", "/pending po-1001", "同意 PO-1001"])
async def test_a_number_that_waits_in_two_erps_is_asked_about_and_nothing_is_decided(
    ask: Ask, approvals: ApprovalFixture, line: str
) -> None:
    await approvals.submit()
    assert await approvals.service.sync_document(po_key("factory", "PO-1001")) is not None
    choice = as_(ApprovalChoice, await ask(line, person=MANAGER, where=DIRECT))
    assert {str(button.label) for button in choice.buttons()} == {"main", "factory"}
    cases = [case for case in await approvals.service.open_cases() if case.number == "PO-1001"]
    assert {case.votes for case in cases} == {()}
    assert {one.removeprefix("/pending ") for one in lines(choice)} == {case.id for case in cases}
    (ours,) = [case for case in cases if case.source == "main"]
    view = as_(ApprovalView, await ask(f"/pending {ours.id}", person=MANAGER, where=DIRECT))
    assert view.source == "main"
    listed = as_(ApprovalList, await ask("/pending", person=BUYER, where=DIRECT))
    assert [str(button.label) for button in listed.row_buttons()] == ["PO-1001"], "they have no account in the other"


@pytest.mark.parametrize(
    "line",
    [
        "PO-1001 不同意",
        "PO-1001 同意",
        "同意 PO-1001 吗?",
        "同意PO-1001",
        "PO-1001 审批通过了吗",
        "帮我 同意 PO-1001",
        "看看 PO-1001 批准",
    ],
)
async def test_what_may_be_a_question_decides_nothing(ask: Ask, approvals: ApprovalFixture, line: str) -> None:
    await approvals.submit()
    await ask(line, person=MANAGER, where=DIRECT)
    case = await approvals.case()
    assert (case.state, case.votes) == (CaseState.OPEN, ())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("/reject PO-1001 价格过高", "价格过高"),
        ("/拒绝 PO-1001 price too high for us", "price too high for us"),
        ("驳回 PO-1001 超出 预算", "超出 预算"),
        ("不同意 PO-1001 贵", "贵"),
        ("/reject PO-1001 budget", "超出预算"),
    ],
)
async def test_rejecting_in_words(ask: Ask, approvals: ApprovalFixture, line: str, reason: str) -> None:
    await approvals.submit()
    view = as_(ApprovalReply, await ask(line, person=MANAGER, where=DIRECT))
    assert view.spoken is not None
    assert (view.spoken.verdict, view.spoken.reason) == (Verdict.REJECT, reason)
    await approvals.settle()
    assert [decision.reason for decision in approvals.erp.decisions] == [reason]


async def test_a_rejection_asks_for_its_reason_and_the_next_message_gives_it(
    ask: Ask, approvals: ApprovalFixture
) -> None:
    case = await approvals.submit()
    view = as_(ApprovalReasons, await ask("/reject PO-1001", person=MANAGER, where=DIRECT))
    seen = case.fingerprint[:8]
    assert lines(view) == [
        f"/reject PO-1001 #{seen} price",
        f"/reject PO-1001 #{seen} budget",
        f"/reject PO-1001 #{seen} quantity",
        f"/reject PO-1001 #{seen} needless",
        f"/reject PO-1001 #{seen} other",
        f"/pending {case.id}",
    ]
    assert (await approvals.case()).votes == ()
    # A message from somebody else, or in another conversation, is no answer to the question.
    await ask("太贵了", person=BUYER, where=DIRECT)
    await ask("太贵了", person=MANAGER)
    assert (await approvals.case()).votes == ()
    reason = "比上次贵了百分之二十，供应商没有给出任何解释，请重新询价后再提交，并附上至少三家报价"
    done = as_(ApprovalReply, await ask(reason, person=MANAGER, where=DIRECT))
    assert done.spoken is not None
    assert done.spoken.reason == reason
    as_(NotFoundNotice, await ask("SKU-999", person=MANAGER, where=DIRECT))


async def test_a_reason_may_begin_like_a_command(ask: Ask, approvals: ApprovalFixture) -> None:
    await approvals.submit()
    as_(ApprovalReasons, await ask("/reject PO-1001", person=MANAGER, where=DIRECT))
    view = as_(ApprovalReply, await ask("库存充足，不需要", person=MANAGER, where=DIRECT))
    assert view.spoken is not None
    assert view.spoken.reason == "库存充足，不需要"


async def test_a_message_that_comes_too_late_or_is_a_command_is_no_reason(ask: Ask, approvals: ApprovalFixture) -> None:
    await approvals.submit()
    as_(ApprovalReasons, await ask("/reject PO-1001", person=MANAGER, where=DIRECT))
    await ask("/stock SKU123", person=MANAGER, where=DIRECT)
    await ask("库存 SKU123", person=MANAGER, where=DIRECT)
    await ask("/nonsense", person=MANAGER, where=DIRECT)
    assert (await approvals.case()).votes == ()
    await ask("太贵了", person=MANAGER, where=DIRECT, now=NOW + timedelta(minutes=6))
    assert (await approvals.case()).votes == ()


async def test_other_reason_waits_for_ones_own_words(ask: Ask, approvals: ApprovalFixture) -> None:
    case = await approvals.submit()
    view = as_(ApprovalReasons, await ask(f"/reject {case.id} #{case.fingerprint[:8]} other", person=MANAGER))
    assert view.own_words
    assert lines(view) == [f"/pending {case.id}"]
    as_(ApprovalReply, await ask("规格不符", person=MANAGER))
    assert (await approvals.case()).state is CaseState.WRITING


async def test_who_may_not_is_told_why_and_whom_to_ask(ask: Ask, approvals: ApprovalFixture) -> None:
    await approvals.submit()
    for line in ("/approve PO-1001", "/reject PO-1001"):
        view = as_(ApprovalView, await ask(line, where=DIRECT))
        assert (str(view.note), view.ask) == ("You are not an approver of this document.", ("陈经理", "赵采"))
    assert (await approvals.case()).votes == ()


async def test_outsiders_are_refused(ask: Ask, approvals: ApprovalFixture) -> None:
    await approvals.submit()
    as_(ExternalNotice, await ask("/approve PO-1001", person=replace(MANAGER, user_id=None)))
    assert (await approvals.case()).votes == ()


async def test_who_comes_late_is_told_who_decided_and_when(ask: Ask, approvals: ApprovalFixture) -> None:
    await approvals.submit()
    await ask("/approve PO-1001", person=MANAGER)
    view = as_(ApprovalView, await ask("/reject PO-1001 too late", person=BUYER, where=DIRECT))
    assert view.note is not None
    assert view.note.params == {"name": "陈经理", "time": NOW}
    await approvals.settle()
    again = as_(ApprovalView, await ask("/approve PO-1001", person=BUYER, where=DIRECT))
    assert (again.state, again.note) == (CaseState.APPROVED, view.note)
    assert len(approvals.erp.decisions) == 1


async def test_what_was_changed_is_not_decided_and_the_difference_is_shown(
    ask: Ask, approvals: ApprovalFixture
) -> None:
    case = await approvals.submit()
    await ask("/pending PO-1001", person=MANAGER, where=DIRECT)
    approvals.erp.change("PO-1001", total=cny("900"))
    view = as_(ApprovalView, await ask(f"/approve {case.id} #{case.fingerprint[:8]}", person=MANAGER, where=DIRECT))
    assert str(view.note) == "Not recorded: it has changed since you saw it."
    assert (view.state, view.case != case.id) == (CaseState.OPEN, True)
    assert [(str(change.label), change.before, change.now) for change in view.changes] == [
        ("Amount", cny("500"), cny("900"))
    ]
    # The number alone does not tell which revision the person has in mind, so the order is shown once more.
    typed = as_(ApprovalView, await ask("/approve PO-1001", person=MANAGER, where=DIRECT))
    assert "look at it once more" in str(typed.note)
    assert (await approvals.case()).votes == ()
    old = as_(ApprovalView, await ask(f"/pending {case.id}", person=MANAGER, where=DIRECT))
    assert (old.state, old.newer) == (CaseState.SUPERSEDED, view.case)
    sure = f"/approve PO-1001 #{view.seen}"
    as_(ApprovalReply, await ask(sure, person=MANAGER, where=DIRECT))
    assert (await approvals.case()).state is CaseState.WRITING


async def test_a_button_of_another_revision_decides_nothing(ask: Ask, approvals: ApprovalFixture) -> None:
    case = await approvals.submit()
    view = as_(ApprovalView, await ask(f"/approve {case.id} #00000000", person=MANAGER))
    assert str(view.note) == "Not recorded: it has changed since you saw it."
    assert (await approvals.case()).votes == ()


async def test_an_erp_that_does_not_answer_means_not_recorded(ask: Ask, approvals: ApprovalFixture) -> None:
    await approvals.submit()
    approvals.erp.away = True
    view = as_(ApprovalView, await ask("/reject PO-1001 太贵", person=MANAGER, where=DIRECT))
    assert str(view.note) == "Not recorded: the ERP does not answer. Please try again."
    assert (await approvals.case()).votes == ()
    approvals.erp.away = False
    as_(ApprovalReply, await ask(lines(view)[0], person=MANAGER, where=DIRECT))
    assert (await approvals.case()).state is CaseState.WRITING


async def test_it_was_decided_in_the_erp_meanwhile(ask: Ask, approvals: ApprovalFixture) -> None:
    await approvals.submit()
    approvals.erp.change("PO-1001", state=ReviewState.APPROVED)
    view = as_(ApprovalView, await ask("/approve PO-1001", person=MANAGER, where=DIRECT))
    assert (view.state, str(view.note)) == (
        CaseState.DECIDED_ELSEWHERE,
        "Not recorded: it no longer waits in the ERP.",
    )


async def test_a_large_amount_is_asked_for_once_more(ask: Ask, approvals: ApprovalFixture) -> None:
    approvals.rules = rules(confirm_from=cny("100"))
    case = await approvals.submit()
    view = as_(ApprovalView, await ask("/approve PO-1001", person=MANAGER, where=DIRECT))
    assert (view.sure, view.state) == (True, CaseState.OPEN)
    confirm = f"/approve PO-1001 #{case.fingerprint[:8]} confirm"
    assert lines(view)[:2] == [confirm, f"/pending {case.id}"]
    as_(ApprovalReply, await ask(confirm, person=MANAGER, where=DIRECT))
    assert (await approvals.case()).state is CaseState.WRITING


async def test_two_levels(ask: Ask, approvals: ApprovalFixture) -> None:
    approvals.rules = rules(any_of("buyer01"), any_of("manager01"))
    await approvals.submit()
    early = as_(ApprovalView, await ask("/approve PO-1001", person=MANAGER, where=DIRECT))
    assert (str(early.note), early.ask) == ("It is not your turn yet: level 1 comes first.", ("赵采",))
    voted = as_(ApprovalReply, await ask("/approve PO-1001", person=BUYER, where=DIRECT))
    assert str(voted.note) == "Recorded. Others have to agree as well."
    first = as_(ApprovalView, await ask("/pending PO-1001", person=BUYER, where=DIRECT))
    assert (first.level, first.levels) == (2, 2)
    assert (first.waited, [vote.name for vote in first.spoken], first.mute) == (("陈经理",), ["赵采"], True)
    as_(ApprovalReply, await ask("/approve PO-1001", person=MANAGER, where=DIRECT))
    assert (await approvals.case()).state is CaseState.WRITING


class TestUndo:
    """With a time in which people can take a decision back, the ERP gets it afterwards."""

    @pytest.fixture
    def approval_options(self) -> ApprovalOptions:
        return ApprovalOptions(undo=timedelta(seconds=30))

    async def test_taking_back(self, ask: Ask, approvals: ApprovalFixture) -> None:
        await approvals.submit()
        voted = as_(ApprovalReply, await ask("/approve PO-1001", person=MANAGER, where=DIRECT))
        assert lines(voted)[1] == "/approve PO-1001 undo"
        view = as_(ApprovalView, await ask("/pending PO-1001", person=MANAGER, where=DIRECT))
        assert lines(view)[0] == "/approve PO-1001 undo"
        others = as_(ApprovalView, await ask("/approve PO-1001 undo", person=BUYER, where=DIRECT))
        assert (str(others.note), others.undo) == ("Only the person who decided can take it back.", False)
        back = as_(ApprovalReply, await ask("/同意 PO-1001 撤销", person=MANAGER, where=DIRECT))
        assert str(back.note) == "Undone: nothing was sent to the ERP."
        assert (await approvals.case()).state is CaseState.OPEN
        await approvals.settle(seconds=31)
        assert approvals.erp.decisions == []

    async def test_it_is_too_late_when_the_erp_is_told(self, ask: Ask, approvals: ApprovalFixture) -> None:
        await approvals.submit()
        await ask("/approve PO-1001", person=MANAGER, where=DIRECT)
        await approvals.settle(seconds=31)
        view = as_(ApprovalView, await ask("/approve PO-1001 undo", person=MANAGER, where=DIRECT))
        assert (view.state, view.undo, "already" in str(view.note)) == (CaseState.APPROVED, False, True)
        assert len(approvals.erp.decisions) == 1


async def test_passing_on(ask: Ask, approvals: ApprovalFixture) -> None:
    case = await approvals.submit()
    people = as_(ApprovalPeople, await ask("/pending PO-1001 forward", person=MANAGER))
    assert people.rows == (), "the buyer has the turn as well"
    await ask("/stock SKU123", person=replace(KEEPER, user_id="sales01", name="李销"))
    await ask("/pending", person=replace(KEEPER, user_id="sales01", name="李销"))
    people = as_(ApprovalPeople, await ask("/pending PO-1001 转交", person=MANAGER))
    assert {row.user_id: row.name for row in people.rows} == {"sales01": "李销"}
    line = next(typed for typed in lines(people) if "sales01" in typed)
    assert line == "/pending PO-1001 sales01 forward"
    voted = as_(ApprovalReply, await ask(f"/pending {case.id} sales01 forward", person=MANAGER))
    assert str(voted.note) == "Passed on to 李销."
    assert "李销" in as_(ApprovalView, await ask("/pending PO-1001", person=MANAGER)).waited
    assert [forward.to for forward in (await approvals.case()).forwards] == ["sales01"]


@pytest.mark.parametrize(
    "line", ["/pending PO-1001 stranger forward", "/pending PO-1001 buyer01", "/pending forward", "/pending a b c"]
)
async def test_nobody_else_can_be_named(ask: Ask, approvals: ApprovalFixture, line: str) -> None:
    await approvals.submit()
    as_(BadArgumentNotice, await ask(line, person=MANAGER))
    assert (await approvals.case()).forwards == ()


async def waiting(approvals: ApprovalFixture, company: Company, count: int) -> None:
    orders = [purchase(f"PO-2{number:03}", "宁波标准件厂", ReviewState.WAITING) for number in range(count)]
    company.purchases = (*company.purchases, *orders)
    for number, order in enumerate(orders):
        approvals.now = NOW - timedelta(hours=count - number)
        await approvals.submit(order.number)
    approvals.now = NOW


@pytest.mark.parametrize("line", ["/pending", "/待我审批", "待我审批", "/approve", "/reject", "/dwsp"])
async def test_what_waits_for_me(ask: Ask, approvals: ApprovalFixture, company: Company, line: str) -> None:
    await waiting(approvals, company, 10)
    view = as_(ApprovalList, await ask(line, person=MANAGER, where=DIRECT))
    assert [row.number for row in view.rows] == [f"PO-2{number:03}" for number in range(8)]
    assert (view.total, view.rows[0].amount, lines(view)[-3:]) == (
        10,
        cny("500"),
        ["/pending +8", "/pending all", "/export pending"],
    )
    rest = as_(ApprovalList, await ask("/pending", offset=8, person=MANAGER, where=DIRECT))
    assert [row.number for row in rest.rows] == ["PO-2008", "PO-2009"]
    assert as_(ApprovalList, await ask("/pending")).rows == ()


async def test_all_of_a_page_at_once_each_by_itself(ask: Ask, approvals: ApprovalFixture, company: Company) -> None:
    await waiting(approvals, company, 3)
    view = as_(ApprovalAll, await ask("/pending all", person=MANAGER, where=DIRECT))
    assert len(view.rows) == 3
    approvals.erp.change("PO-2001", total=cny("900"))
    mark = page_fingerprint(row.case for row in view.rows)
    assert lines(view)[0] == f"/approve all #{mark}"
    results = as_(ApprovalResults, await ask(f"/approve all #{mark}", person=MANAGER, where=DIRECT))
    assert [(row.number, str(row.result), row.done) for row in results.rows] == [
        ("PO-2000", "Recorded. The ERP is being updated.", True),
        ("PO-2001", "Not recorded: it has changed since you saw it.", False),
        ("PO-2002", "Recorded. The ERP is being updated.", True),
    ]
    assert {(await approvals.case(f"PO-200{n}")).state for n in (0, 2)} == {CaseState.WRITING}
    # The list has changed meanwhile, so the old button approves nothing.
    again = as_(ApprovalAll, await ask(f"/approve all #{mark}", person=MANAGER, where=DIRECT))
    assert ([row.number for row in again.rows], again.note is not None) == (["PO-2001"], True)
    assert (await approvals.case("PO-2001")).votes == ()


async def test_only_what_was_shown_is_approved_together(ask: Ask, approvals: ApprovalFixture, company: Company) -> None:
    """A card with room for two rows asked about those two only."""
    await waiting(approvals, company, 3)
    view = as_(ApprovalAll, await ask("/pending all", person=MANAGER, where=DIRECT)).showing(2)
    results = as_(ApprovalResults, await ask(lines(view)[0], person=MANAGER, where=DIRECT))
    assert [row.number for row in results.rows] == ["PO-2000", "PO-2001"]
    assert (await approvals.case("PO-2002")).votes == ()


async def test_large_amounts_are_not_approved_with_others(
    ask: Ask, approvals: ApprovalFixture, company: Company
) -> None:
    approvals.rules = rules(confirm_from=cny("100"))
    await waiting(approvals, company, 2)
    mark = page_fingerprint([(await approvals.case(f"PO-200{n}")).id for n in (0, 1)])
    results = as_(ApprovalResults, await ask(f"/approve all #{mark}", person=MANAGER, where=DIRECT))
    assert {str(row.result) for row in results.rows} == {"A large amount: approve it by itself."}
    assert (await approvals.case("PO-2000")).votes == ()


async def test_in_a_group_nothing_tells_a_price(ask: Ask, approvals: ApprovalFixture, company: Company) -> None:
    approvals.rules = replace(rules(), rules=(replace(rules().rules[0], daily_limits=(cny("1"),)),))
    await waiting(approvals, company, 2)
    await approvals.submit()
    for line in (
        "/pending PO-1001",
        "/approve PO-1001",
        "/pending",
        "/pending all",
        "/why PO-1001",
        "/reject PO-1001 x",
    ):
        answer = await ask(line, person=MANAGER)
        assert list(money_in(answer.view)) == [], line
        assert "500" not in repr(answer.view).replace("cid", ""), line
    private = as_(ApprovalView, await ask("/pending PO-2000", person=MANAGER, where=DIRECT))
    assert (private.audience, private.amount) == (Audience.PRICED, cny("500"))


async def test_what_became_of_several_tells_a_group_no_price(
    ask: Ask, approvals: ApprovalFixture, company: Company
) -> None:
    await waiting(approvals, company, 1)
    await ask("/approve PO-2000", person=MANAGER, where=DIRECT)
    line = f"/pending ={short_id((await approvals.case('PO-2000')).id)}"
    (told,) = as_(ApprovalResults, await ask(line, person=MANAGER)).rows
    (own,) = as_(ApprovalResults, await ask(line, person=MANAGER, where=DIRECT)).rows
    assert (told.amount, own.amount) == (None, cny("500"))


async def test_prices_are_for_those_who_may_ask_for_them(approvals: ApprovalFixture, ask: Ask) -> None:
    await approvals.submit()
    assert as_(ApprovalView, await ask("/pending PO-1001", where=DIRECT)).audience is Audience.PRICED


class TestRestricted:
    """Access rules take precedence: for a command that an access rule covers, that rule alone counts."""

    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(AccessRule(commands=frozenset({"po", "reject"}), roles=frozenset({"buyer"})),))

    @pytest.mark.parametrize(
        "line", ["/pending PO-1001", "/why PO-1001", "/approve PO-1001", "/pending PO-9999", "/why PO-9999"]
    )
    async def test_who_may_not_ask_po_is_shown_no_order_unless_concerned(
        self, ask: Ask, approvals: ApprovalFixture, line: str
    ) -> None:
        await approvals.submit()
        view = as_(DeniedNotice, await ask(line, where=DIRECT))
        assert (str(view.reason), view.ask) == ("/po is only for: buyer.", ("buyer",))

    async def test_who_is_asked_to_decide_is_shown_the_order(self, ask: Ask, approvals: ApprovalFixture) -> None:
        await approvals.submit()
        view = as_(ApprovalView, await ask("/pending PO-1001", person=MANAGER, where=DIRECT))
        assert view.audience is Audience.PRICED
        as_(ApprovalWhy, await ask("/why PO-1001", person=MANAGER, where=DIRECT))

    async def test_who_may_ask_po_is_shown_the_order(self, ask: Ask, approvals: ApprovalFixture) -> None:
        await approvals.submit()
        buyer = replace(KEEPER, roles=frozenset({"buyer"}))
        assert as_(ApprovalView, await ask("/pending PO-1001", person=buyer, where=DIRECT)).audience is Audience.PRICED

    async def test_a_covered_command_is_for_its_roles_only(self, ask: Ask, approvals: ApprovalFixture) -> None:
        await approvals.submit()
        as_(DeniedNotice, await ask("/reject PO-1001 x", person=MANAGER))
        as_(ApprovalReply, await ask("/approve PO-1001", person=MANAGER))
        assert (await approvals.case()).state is CaseState.WRITING


class TestWithinAScope:
    """A rule may open some orders only: others are refused, whichever command shows them."""

    @pytest.fixture
    def policy(self) -> AccessPolicy:
        scope = Scope(partners=frozenset({"宁波标准件厂"}))
        rule = AccessRule(name="Ningbo", commands=frozenset({"po"}), roles=frozenset({"*"}), scope=scope)
        return AccessPolicy([rule])

    @pytest.mark.parametrize(("line", "kind"), [("/pending {}", ApprovalView), ("/why {}", ApprovalWhy)])
    async def test_orders_outside_are_for_the_concerned(
        self, ask: Ask, approvals: ApprovalFixture, company: Company, line: str, kind: type[View]
    ) -> None:
        ours = purchase("PO-3001", "宁波标准件厂", ReviewState.WAITING)
        theirs = purchase("PO-3002", "华东机械", ReviewState.WAITING)
        company.purchases = (*company.purchases, ours, theirs)
        for order in (ours, theirs):
            await approvals.submit(order.number)
        as_(kind, await ask(line.format("PO-3001"), where=DIRECT))
        refused = as_(DeniedNotice, await ask(line.format("PO-3002"), where=DIRECT))
        assert str(refused.reason) == "Rule “Ningbo” does not let you see this document."
        as_(kind, await ask(line.format("PO-3002"), person=MANAGER, where=DIRECT))


class TestWithinASource:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        scope = Scope(sources=frozenset({"main"}))
        return AccessPolicy([AccessRule(commands=frozenset({"po"}), roles=frozenset({"warehouse"}), scope=scope)])

    async def test_a_number_is_no_choice_where_one_order_alone_may_be_seen(
        self, ask: Ask, approvals: ApprovalFixture
    ) -> None:
        await approvals.submit()
        assert await approvals.service.sync_document(po_key("factory", "PO-1001")) is not None
        assert as_(ApprovalView, await ask("/pending PO-1001", where=DIRECT)).source == "main"


class TestWhileTheBotOnlyReads:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(read_only=True)

    @pytest.mark.parametrize("line", ["/approve PO-1001", "/reject PO-1001 贵", "/approve all #12345678"])
    async def test_deciding_is_refused_and_says_why(self, ask: Ask, approvals: ApprovalFixture, line: str) -> None:
        await approvals.submit()
        view = as_(DeniedNotice, await ask(line, person=MANAGER, where=DIRECT))
        assert str(view.reason) == "The bot only reads at present: it changes nothing in the ERP."
        assert (await approvals.case()).state is CaseState.OPEN

    async def test_the_list_offers_no_approving(self, ask: Ask, approvals: ApprovalFixture, company: Company) -> None:
        company.purchases = (*company.purchases, purchase("PO-2000", "华东机械", ReviewState.WAITING))
        for number in ("PO-1001", "PO-2000"):
            await approvals.submit(number)
        for line in ("/pending", "/pending all"):
            view = as_(ApprovalList, await ask(line, person=MANAGER, where=DIRECT))
            assert "/pending all" not in lines(view)


@pytest.mark.parametrize("line", ["/pending", "/today"])
async def test_what_was_not_searched_yet_is_no_all_clear(ask: Ask, approvals: ApprovalFixture, line: str) -> None:
    gap = "The first search of"
    assert gap in repr(await ask(line, person=MANAGER, where=DIRECT))
    await approvals.service.mark_searched("main", PURCHASE_ORDERS)
    assert gap not in repr(await ask(line, person=MANAGER, where=DIRECT))


class TestWithoutCosts:
    """A rule may open an order, and not its costs."""

    @pytest.fixture
    def policy(self) -> AccessPolicy:
        rule = AccessRule(commands=frozenset({"po"}), roles=frozenset({"*"}), fields=frozenset({FieldClass.PARTNER}))
        return AccessPolicy([rule])

    async def test_they_are_for_the_concerned(self, ask: Ask, approvals: ApprovalFixture) -> None:
        await approvals.submit()
        view = as_(ApprovalView, await ask("/pending PO-1001", where=DIRECT))
        assert (view.audience, list(money_in(view))) == (Audience.BARE, [])


class TestWithoutVendors:
    """A rule may open an order, and not whose it is."""

    @pytest.fixture
    def policy(self) -> AccessPolicy:
        fields = ALL_FIELDS - {FieldClass.PARTNER}
        rule = AccessRule(commands=frozenset({"po"}), roles=frozenset({"*"}), fields=fields)
        return AccessPolicy([rule])

    @pytest.mark.parametrize("line", ["/pending PO-1001", "/approve PO-1001", "/reject PO-1001 贵", "/why PO-1001"])
    async def test_a_vendor_is_for_the_concerned(self, ask: Ask, approvals: ApprovalFixture, line: str) -> None:
        await approvals.submit()
        vendor = (await approvals.case()).summary.partner
        assert vendor not in repr((await ask(line, where=DIRECT)).view)
        assert vendor in repr((await ask("/pending PO-1001", person=MANAGER, where=DIRECT)).view)


async def test_why(ask: Ask, approvals: ApprovalFixture) -> None:
    approvals.rules = rules(any_of("buyer01"), any_of("manager01"))
    await approvals.submit()
    view = as_(ApprovalWhy, await ask("/why PO-1001", person=BUYER, where=DIRECT))
    assert (view.rule, view.policy, view.level, view.may, view.may_reject) == ("purchasing", "7", 1, True, True)
    assert [rung.approvers for rung in view.plan_levels] == [("赵采",), ("陈经理",)]
    assert [str(reason) for reason in view.because] == ["“purchasing” names you for level 1."]
    theirs = as_(ApprovalWhy, await ask("/为什么 PO-1001", where=DIRECT))
    assert (theirs.may, [str(reason) for reason in theirs.because], theirs.ask) == (
        False,
        ["You are not an approver of this document."],
        ("赵采",),
    )


async def test_why_of_what_is_not_decided_from_chat(ask: Ask, approvals: ApprovalFixture) -> None:
    approvals.rules = replace(rules(), rules=())
    view = as_(ApprovalWhy, await ask("/why PO-1001"))
    assert (view.rule, view.may, [str(reason) for reason in view.reasons]) == (
        "",
        None,
        ["No rule is for this document, so it is decided in the ERP.", "The ERP does not tell for whom it waits."],
    )
    as_(NotFoundNotice, await ask("/why PO-9999"))
    as_(BadArgumentNotice, await ask("/why anything"))


@pytest.mark.parametrize("line", ["/why PO-9999", "/pending PO-9999"])
async def test_what_there_is_not(ask: Ask, approvals: ApprovalFixture, line: str) -> None:
    await approvals.submit()
    view = as_(NotFoundNotice, await ask(line, person=MANAGER))
    assert [pick.line for pick in view.closest] == [f"{line.split()[0]} PO-1001"]


@pytest.mark.parametrize("line", ["/approve {} x", "/reject {} x", "/clarify {} x", "/nudge {}"])
async def test_what_was_never_asked_about_here_is_explained_and_not_done(
    ask: Ask, approvals: ApprovalFixture, line: str
) -> None:
    await approvals.submit()
    view = as_(ApprovalWhy, await ask(line.format("PO-1002"), person=MANAGER))
    assert view.instead
    assert not as_(ApprovalWhy, await ask("/why PO-1002", person=MANAGER)).instead
    assert (view.number, view.case, view.may, view.rule) == ("PO-1002", "", None, "purchasing")
    assert view.plan_levels[0].approvers == ("陈经理", "赵采")
    missing = as_(NotFoundNotice, await ask(line.format("PO-9999"), person=MANAGER))
    assert missing.instead
    assert [pick.line for pick in missing.closest] == ["/why PO-1001"]


async def test_nothing_waits_to_be_approved_together(ask: Ask, approvals: ApprovalFixture) -> None:
    for line in ("/approve all", "/approve all #12345678", "/pending all"):
        assert as_(ApprovalList, await ask(line, person=MANAGER)).total == 0


class TestTwoErps:
    """Both have an order of this number; a case may be known of one alone."""

    @pytest.fixture
    async def hub(self, company: Company) -> AsyncIterator[ErpHub]:
        second = Company()
        second.name = "factory"
        hub = ErpHub([company, second], metrics=UNREAD, now=lambda: NOW, timeout=PATIENCE)
        yield hub
        await hub.close()

    @pytest.mark.parametrize("word", ["/approve", "/reject", "/pending", "/why"])
    async def test_a_number_of_both_is_a_choice(self, ask: Ask, approvals: ApprovalFixture, word: str) -> None:
        await approvals.submit()
        choice = as_(ChoiceNotice, await ask(f"{word} PO-1001", person=MANAGER, where=DIRECT))
        assert lines(choice) == [f"{word} PO-1001 @main", f"{word} PO-1001 @factory"]
        assert (await approvals.case()).votes == ()

    async def test_a_vote_is_for_the_books_that_it_names(self, ask: Ask, approvals: ApprovalFixture) -> None:
        await approvals.submit()
        assert await approvals.service.sync_document(po_key("factory", "PO-1001")) is not None
        for name in ("factory", "main"):
            shown = as_(ApprovalView, await ask(f"/pending PO-1001 @{name}", person=MANAGER, where=DIRECT))
            assert shown.source == name
        as_(ApprovalReply, await ask("/approve PO-1001 @main", person=MANAGER, where=DIRECT))
        await approvals.settle()
        cases = {case.source: case for case in await approvals.service.open_cases()}
        assert [*cases] == ["factory"]
        assert cases["factory"].votes == ()

    async def test_a_name_within_a_reason_names_no_books(self, ask: Ask, approvals: ApprovalFixture) -> None:
        await approvals.submit()
        await ask("/reject PO-1001 @main ask @factory first", person=MANAGER, where=DIRECT)
        case = await approvals.case()
        assert (case.source, case.decision is not None) == ("main", True)


BOSS = replace(KEEPER, user_id="boss01", name="赵总", is_admin=True)


async def _approved(ask: Ask, approvals: ApprovalFixture) -> None:
    await approvals.submit()
    await ask("/approve PO-1001 needed, under 98000", person=MANAGER, where=DIRECT)
    await approvals.settle()


async def test_the_record_of_an_order_tells_who_decided_it_why_and_on_which_card(
    ask: Ask, approvals: ApprovalFixture
) -> None:
    await _approved(ask, approvals)
    view = as_(ApprovalRecord, await ask("/decisions po-1001", person=BOSS, where=DIRECT))
    case = await approvals.case()
    assert (str(view.state), view.decided_by, str(view.rule)) == ("Approved", ("陈经理",), case.plan.rule)
    (vote,) = [row for row in view.rows if str(row.deed) == "agreed to"]
    assert (vote.who, vote.detail) == ("陈经理", "needed, under 98000")
    assert vote.seen
    assert case.fingerprint.startswith(vote.seen)
    assert ("陈经理", "got the card to decide") in [(who, str(what)) for who, what in view.cards]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("/decisions", 1),
        ("/decisions decided", 1),
        ("/decisions waiting", 0),
        ("/decisions decided 陈经理", 1),
        ("/decisions decided manager01", 1),
        ("/decisions today", 1),
        ("/decisions yesterday", 0),
        ("/审批记录 已审批 1001", 1),
    ],
)
async def test_the_list_of_approvals_has_filters(ask: Ask, approvals: ApprovalFixture, line: str, found: int) -> None:
    await _approved(ask, approvals)
    assert as_(ApprovalHistory, await ask(line, person=BOSS, where=DIRECT)).total == found


async def test_the_list_of_approvals_is_closed_by_default(ask: Ask, approvals: ApprovalFixture) -> None:
    await _approved(ask, approvals)
    assert as_(DeniedNotice, await ask("/decisions", person=MANAGER, where=DIRECT)).ask == ("admin",)


@pytest.mark.parametrize(
    "policy",
    [
        AccessPolicy(
            rules=(
                AccessRule(commands=frozenset({"decisions"}), roles=frozenset({"warehouse"})),
                AccessRule(
                    commands=frozenset({"po"}),
                    roles=frozenset({"warehouse"}),
                    fields=frozenset({FieldClass.QUANTITY}),
                ),
            )
        )
    ],
)
async def test_the_list_of_approvals_hides_what_the_order_would(ask: Ask, approvals: ApprovalFixture) -> None:
    await _approved(ask, approvals)
    (row,) = as_(ApprovalHistory, await ask("/decisions", person=KEEPER, where=DIRECT)).rows
    assert (row.amount, row.partner) == (HIDDEN, HIDDEN)
    record = as_(ApprovalRecord, await ask("/decisions PO-1001", person=KEEPER, where=DIRECT))
    assert not [line.detail for line in record.rows if "98000" in str(line.detail)]


@pytest.mark.parametrize(
    "policy",
    [
        AccessPolicy(
            rules=(
                AccessRule(commands=frozenset({"decisions"}), roles=frozenset({"warehouse"})),
                AccessRule(commands=frozenset({"po"}), roles=frozenset({"purchasing"})),
            )
        )
    ],
)
async def test_who_may_see_no_orders_sees_none_in_the_list(ask: Ask, approvals: ApprovalFixture) -> None:
    await _approved(ask, approvals)
    assert as_(ApprovalHistory, await ask("/decisions", person=KEEPER, where=DIRECT)).rows == ()
