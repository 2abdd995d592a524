"""/away."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bot.approvals.absence import Absence
from bot.approvals.cards.absence_views import AbsenceList, AbsenceProposal
from bot.approvals.policy.rules import AwayRule
from bot.cards.notices import BadArgumentNotice
from tests.approvals.memory_repository import MemoryCaseStore
from tests.approvals.policy.test_planner import who
from tests.commands.approval_fakes import ApprovalFixture, any_of, rules
from tests.commands.company import NOW
from tests.commands.conftest import Ask, as_, lines

TODAY = NOW.date()


@pytest.fixture(autouse=True)
def _allowed(approvals: ApprovalFixture) -> None:
    approvals.rules = replace(
        approvals.rules, away=AwayRule(substitutes=who("person:buyer01 person:manager01 person:keeper01"))
    )


def kept(approvals: ApprovalFixture) -> dict[str, Absence]:
    store = approvals.transactions.store
    assert isinstance(store, MemoryCaseStore)
    return store.repository.away


def own(approvals: ApprovalFixture) -> Absence:
    return kept(approvals)["keeper01"]


@pytest.mark.parametrize(
    ("line", "first", "last", "substitute"),
    [
        ("/away 12-01..12-07 buyer01", date(2026, 12, 1), date(2026, 12, 7), "buyer01"),
        ("/away 12-24..1-3", date(2026, 12, 24), date(2027, 1, 3), ""),
        ("/away 2026-12-01..2026-12-07 BUYER01", date(2026, 12, 1), date(2026, 12, 7), "buyer01"),
        ("/外出 12月1号到7号 赵采", date(2026, 12, 1), date(2026, 12, 7), "buyer01"),
        ("/请假 陈 12/1到12/2", date(2026, 12, 1), date(2026, 12, 2), "manager01"),
        ("/away 12.1", date(2026, 12, 1), date(2026, 12, 1), ""),
        ("/away today", TODAY, TODAY, ""),
    ],
)
async def test_days_and_a_substitute(
    ask: Ask, approvals: ApprovalFixture, line: str, first: date, last: date, substitute: str
) -> None:
    proposal = as_(AbsenceProposal, await ask(line))
    assert kept(approvals) == {}
    view = as_(AbsenceList, await ask(lines(proposal)[-1]))
    absence = own(approvals)
    assert (*absence.days(NOW.tzinfo), absence.substitute) == (first, last, substitute)
    assert view.own == proposal.absence
    assert (proposal.absence.first, proposal.absence.last, proposal.absence.user_id) == (first, last, substitute)


async def test_what_a_card_offers_arranges_and_ends_it(ask: Ask, approvals: ApprovalFixture) -> None:
    days = "2026-12-01..2026-12-07"
    offered = lines(as_(AbsenceProposal, await ask("/away 12-01..12-07")))
    assert offered == [f"/away {days} buyer01", f"/away {days} manager01", f"/away {days} confirm"]
    alone = as_(AbsenceList, await ask(offered[-1]))
    assert lines(alone) == [f"/away {days} buyer01", f"/away {days} manager01", "/away off"]
    named = as_(AbsenceProposal, await ask(offered[0]))
    assert own(approvals).substitute == ""
    assert lines(named) == [f"/away {days} buyer01 confirm"]
    view = as_(AbsenceList, await ask(lines(named)[0]))
    assert own(approvals).substitute == "buyer01"
    assert lines(view) == ["/away off"]
    assert as_(AbsenceList, await ask("/away off")).own is None
    assert own(approvals).ends == NOW
    assert str(as_(AbsenceList, await ask("/away off")).remark) == "You are not away."


async def test_whoever_confirms_is_shown_how_much_it_concerns(ask: Ask, approvals: ApprovalFixture) -> None:
    approvals.rules = replace(rules(any_of("keeper01")), away=approvals.rules.away)
    await approvals.submit()
    shown = as_(AbsenceProposal, await ask("/away 12-01 manager01"))
    assert (shown.waiting, shown.passed_on) == (1, 1)


async def test_a_substitute_named_later_takes_the_days_as_they_are(ask: Ask, approvals: ApprovalFixture) -> None:
    await ask("/away 12-01..12-07 confirm")
    proposal = as_(AbsenceProposal, await ask("/away 赵采"))
    await ask(*lines(proposal))
    assert own(approvals).days(NOW.tzinfo) == (date(2026, 12, 1), date(2026, 12, 7))
    assert own(approvals).substitute == "buyer01"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/away buyer01", "on which days"),
        ("/away 2026-10-01..2026-10-07", "are over"),
        ("/away 2026-12-01..2027-01-30", "at most 60 days"),
        ("/away 12-01 sales01", "may not stand in for you. Those who may: 赵采 (buyer01), 陈经理 (manager01)"),
        ("/away 12-01 keeper01", "may not stand in for you"),
        ("/away 13-01", "13"),
    ],
)
async def test_what_is_wrong_is_told(ask: Ask, approvals: ApprovalFixture, line: str, problem: str) -> None:
    assert problem in str(as_(BadArgumentNotice, await ask(line)).problem)
    assert kept(approvals) == {}


async def test_without_a_word_in_the_rules_nobody_names_a_substitute(ask: Ask, approvals: ApprovalFixture) -> None:
    approvals.rules = replace(approvals.rules, away=AwayRule())
    assert "let nobody name" in str(as_(BadArgumentNotice, await ask("/away 12-01 buyer01")).problem)
    assert as_(AbsenceProposal, await ask("/away 12-01")).candidates == ()


async def test_whoever_stands_in_may_decline(ask: Ask, approvals: ApprovalFixture) -> None:
    await approvals.absences.arrange("manager01", NOW, NOW.replace(day=NOW.day + 2), "keeper01")
    view = as_(AbsenceList, await ask("/away"))
    assert [(each.name, each.user_id) for each in view.entrusted] == [("陈经理", "manager01")]
    assert lines(view) == ["/away unable manager01"]
    view = as_(AbsenceList, await ask("/away unable manager01"))
    assert (view.entrusted, view.remark and view.remark.params["name"]) == ((), "陈经理")
    assert kept(approvals)["manager01"].substitute == ""
    again = as_(AbsenceList, await ask("/away unable manager01"))
    assert str(again.remark) == "You stand in for nobody of that name."
