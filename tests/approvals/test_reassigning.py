"""The organisation changes while something waits: managers have successors, and those who left are stood in for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.approvals.document_reader import DocumentReader, Organisation, StaffMember
from bot.approvals.plan import ExpiryAction
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.approvals.policy.rules import ApprovalRuleSet, SingleLimit, Substitute
from bot.approvals.service import ApprovalService
from bot.approvals.staff_changes import StaffChanges
from bot.approvals.stuck_orders import NONE_STUCK, StuckOrderSearch
from bot.approvals.unit_of_work import CaseTransactions
from bot.approvals.voting import VoteOutcome
from bot.words.errors import DingerpError
from tests.approvals.company import NOW, money, waiting_order
from tests.approvals.env import ACCOUNTS, HOUR, ApprovalEnv, cards, rules
from tests.approvals.policy.test_planner import all_of, any_of, who
from tests.bare_records import with_review


@dataclass
class FakeStaff:
    """A directory of managers, which may be away."""

    managers: dict[str, str] = field(default_factory=lambda: {"wu": "wang", "wang": "sun"})
    away: bool = False

    async def member(self, user_id: str) -> StaffMember | None:
        if self.away:
            raise DingerpError("the directory is away")
        return StaffMember(manager=self.managers.get(user_id, ""))


class StaffScene(ApprovalEnv):
    """A company with a directory; ``changes`` follows it."""

    def __init__(self, rule_set: ApprovalRuleSet, staff: Mapping[str, str] | None = None) -> None:
        super().__init__(rules=rule_set)
        self.staff = FakeStaff() if staff is None else FakeStaff(dict(staff))
        organisation = Organisation(roles=self.roles, accounts=ACCOUNTS, staff=self.staff)
        self.transactions = transactions = CaseTransactions(
            store=self.store,
            reader=DocumentReader(self.erp, organisation),
            policy=lambda: RuleBasedPolicy(self.rules),
            groups=lambda document: self.groups,
            now=self.clock,
            options=self.terms,
        )
        self.directed = ApprovalService(transactions, poke=lambda: None, seconds=self.patience)
        self.changes = StaffChanges(self.directed, transactions, organisation)

    @property
    def service(self) -> ApprovalService:
        return self.directed

    async def change(self, *people: str, left: tuple[str, ...] = (), **managers: str) -> None:
        self.staff.managers.update(managers)
        self.changes.note(people, left)
        assert await self.changes.work()

    async def approvers(self) -> list[tuple[str, ...]]:
        return [level.approvers for level in (await self.newest()).plan.levels]


async def test_a_new_manager_takes_the_place_of_the_old_one() -> None:
    scene = StaffScene(rules(any_of("manager:1")))
    case = await scene.submit()
    assert await scene.approvers() == [("wang",)]
    assert case.plan.by_manager == {"wang": "1"}
    await scene.change("wu", wu="qian")
    assert await scene.approvers() == [("qian",)]
    assert "approval:person:qian" in cards(scene, case.id)
    assert (await scene.cast_vote("wang")).outcome is VoteOutcome.REFUSED
    assert (await scene.cast_vote("qian")).outcome is VoteOutcome.DECIDED
    assert "reassigned" in await scene.audit_actions()


async def test_the_manager_of_a_manager_changes() -> None:
    scene = StaffScene(rules(any_of("manager:2")))
    await scene.submit()
    await scene.change("wang", wang="zhou")
    assert await scene.approvers() == [("zhou",)]


async def test_what_does_not_concern_a_case_leaves_it_alone() -> None:
    scene = StaffScene(rules(any_of("manager:1")))
    await scene.changes.work()
    case = await scene.submit()
    reads = scene.erp.reads
    await scene.change("zheng", zheng="li")
    assert await scene.newest() == case
    assert scene.erp.reads == reads


async def test_who_is_named_otherwise_as_well_keeps_their_place() -> None:
    scene = StaffScene(rules(any_of("manager:1 person:wang")))
    await scene.submit()
    await scene.change("wu", wu="qian")
    assert await scene.approvers() == [("wang",)]


async def test_a_vote_stays_with_who_cast_it() -> None:
    scene = StaffScene(rules(all_of("manager:1 person:zhao")))
    await scene.submit()
    assert (await scene.cast_vote("wang")).outcome is VoteOutcome.RECORDED
    await scene.change("wu", wu="qian")
    assert await scene.approvers() == [("wang", "zhao")]
    assert (await scene.cast_vote("zhao")).outcome is VoteOutcome.DECIDED


async def test_a_change_alone_never_decides() -> None:
    scene = StaffScene(rules(all_of("manager:1 person:zhao")))
    await scene.submit()
    await scene.cast_vote("zhao")
    await scene.change("wu", wu="zhao")
    assert await scene.approvers() == [("wang", "zhao")]
    assert (await scene.newest()).decision is None


async def test_the_requester_does_not_become_their_own_approver() -> None:
    scene = StaffScene(rules(any_of("manager:2")))
    await scene.submit()
    await scene.change("wang", wang="wu")
    assert await scene.approvers() == [("sun",)]


async def test_who_edited_an_order_does_not_become_its_approver() -> None:
    scene = StaffScene(rules(any_of("manager:1")))
    await scene.submit(with_review(waiting_order(requester="wu"), changed_by="erp-qian"))
    await scene.change("wu", wu="qian")
    assert await scene.approvers() == [("wang",)]


async def test_cards_of_a_changed_plan_are_newer_than_those_before() -> None:
    scene = StaffScene(rules(any_of("manager:1")))
    case = await scene.submit()
    await scene.change("wu", wu="qian")
    assert (await scene.newest()).revision == case.revision + 1


async def test_a_successor_has_no_more_than_their_own_limit() -> None:
    limited = replace(
        rules(any_of("manager:1")), limits=(SingleLimit(approvers=who("manager:1"), amounts=(money("100 CNY"),)),)
    )
    scene = StaffScene(limited)
    await scene.submit()
    await scene.change("wu", wu="qian")
    assert (await scene.cast_vote("qian")).outcome is VoteOutcome.REFUSED


async def test_the_place_of_a_leaver_is_their_successors() -> None:
    scene = StaffScene(rules(any_of("manager:1")))
    await scene.submit()
    await scene.change(left=("wang",), wu="qian")
    assert await scene.approvers() == [("qian",)]


async def test_a_leaver_is_stood_in_for() -> None:
    substitutes = (Substitute(person="wang", by="li", begins=NOW - HOUR, ends=NOW + HOUR),)
    scene = StaffScene(rules(any_of("person:wang"), substitutes=substitutes))
    case = await scene.submit()
    await scene.change(left=("wang",))
    assert "approval:person:li" in cards(scene, case.id)
    assert (await scene.cast_vote("li")).outcome is VoteOutcome.DECIDED
    assert "approver_left" in await scene.audit_actions()


async def test_who_stands_in_now_is_asked_also_if_that_began_after_the_order() -> None:
    substitutes = (Substitute(person="wang", by="li", begins=NOW + HOUR, ends=NOW + 3 * HOUR),)
    scene = StaffScene(rules(any_of("person:wang"), substitutes=substitutes))
    case = await scene.submit()
    scene.clock.time = NOW + 2 * HOUR
    assert "approval:person:li" not in cards(scene, case.id)
    await scene.change(left=("wang",))
    assert "approval:person:li" in cards(scene, case.id)


async def test_without_substitutes_the_turn_goes_to_whom_the_rule_escalates() -> None:
    escalating = rules(any_of("person:wang"), on_expiry=ExpiryAction.ESCALATE, escalate_to=who("person:sun"))
    scene = StaffScene(escalating)
    case = await scene.submit()
    await scene.change(left=("wang",))
    assert "approval:person:sun" in cards(scene, case.id)
    assert (await scene.cast_vote("sun")).outcome is VoteOutcome.DECIDED


async def test_a_leaver_without_anybody_in_their_place_is_recorded() -> None:
    scene = StaffScene(rules(any_of("person:wang")))
    await scene.submit()
    await scene.change(left=("wang",))
    assert await scene.approvers() == [("wang",)]
    assert (await scene.audit_actions())[-1] == "approver_left"


async def test_what_cannot_be_read_is_tried_again_and_the_others_are_not_kept_waiting() -> None:
    scene = StaffScene(rules(any_of("manager:1")))
    await scene.submit()
    await scene.submit(replace(waiting_order(requester="wu"), number="PO-2"))
    scene.staff.managers["wu"] = "qian"
    scene.changes.note(("wu",))
    scene.staff.away = True
    assert not await scene.changes.work()
    scene.staff.away = False
    assert await scene.changes.work()
    assert await scene.approvers() == [("qian",)]
    assert [level.approvers for level in (await scene.newest("PO-2")).plan.levels] == [("qian",)]


async def test_at_the_start_all_managers_are_looked_at() -> None:
    scene = StaffScene(rules(any_of("manager:1")))
    await scene.submit()
    scene.staff.managers["wu"] = "qian"
    assert await scene.changes.work()
    assert await scene.approvers() == [("qian",)]


async def test_what_waits_for_people_who_left_is_told_with_their_names() -> None:
    gone: set[str] = set()

    async def left_among(people: Iterable[str]) -> frozenset[str]:
        return frozenset(gone.intersection(people))

    async def names_of(people: Sequence[str]) -> Mapping[str, str]:
        return {person: f"名字 {person}" for person in people}

    for rule, left, told in (
        (any_of("person:zhao person:qian"), {"zhao"}, False),
        (any_of("person:zhao person:qian"), {"zhao", "qian"}, True),
        (all_of("person:zhao person:qian"), {"zhao"}, True),
    ):
        scene = StaffScene(rules(rule))
        case = await scene.submit()
        looking = StuckOrderSearch(scene.service, left_among, names_of, scene.clock)
        gone.clear()
        assert await looking.find() == NONE_STUCK
        gone |= left
        assert await looking.find() == NONE_STUCK, "it looks every few minutes"
        scene.clock.move(minutes=5)
        found = await looking.find()
        assert (found != NONE_STUCK) is told, left
        assert not told or f"{case.number} (名字 zhao" in str(found.told)
