"""To-dos of those whose turn it is: who gets one, when it is done, and when it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.approvals.cards.insights import Insights
from bot.approvals.cards.presenter import CasePresenter, TodoComposer
from bot.approvals.cards.views import ApprovalTodo
from bot.approvals.case import Case, CaseState
from bot.approvals.unit_of_work import ApprovalOptions
from bot.chat.audiences import ReaderAt
from bot.erp.errors import Invalid
from bot.outbox.delivery import Delivery, DeliveryFormat, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import ComposedCard, MarkerState
from bot.words.disclosure import HIDDEN
from tests.approvals.company import money, po_key
from tests.approvals.env import GROUP, HOUR, MINUTE, REJECT, ApprovalEnv, decision, rules
from tests.approvals.memory_repository import MemoryCaseStore
from tests.approvals.policy.test_planner import all_of, any_of
from tests.approvals.test_insights import LEVELS, FakeInsightSource
from tests.approvals.test_presenter import ORDER, granting
from tests.chat.audience_parts import reader_by_kind

TODOS = ApprovalOptions(todos=True)
TWO = rules(any_of("role:purchasing"), all_of("role:board"), remind_after=(HOUR,), deadline=8 * HOUR)


@pytest.fixture
async def env() -> ApprovalEnv:
    env = ApprovalEnv(rules=TWO, terms=TODOS)
    await env.submit(ORDER)
    return env


def todos(env: ApprovalEnv, case: Case) -> dict[str, Delivery]:
    """Return the newest delivery of each of a case's to-dos, by whose they are."""
    assert isinstance(env.store, MemoryCaseStore)
    owed = [one for one in env.store.repository.deliveries if one.via is DeliveryFormat.TO_DO]
    return {" ".join(place.id for place in (one.place, *one.also)): one for one in owed if case.id in one.card}


async def compose(env: ApprovalEnv, case: Case, *people: str, reader_at: ReaderAt = reader_by_kind) -> ComposedCard:
    insights = Insights(lambda source: FakeInsightSource([], LEVELS), now=env.clock)

    async def names_of(user_ids: Sequence[str]) -> dict[str, str]:
        return {}

    showing = CasePresenter(env.erp.reread, insights, names_of, now=env.clock)
    composer = TodoComposer(env.service.find, showing, reader_at)
    places = [Place(PlaceKind.PERSON, user_id) for user_id in people]
    return await composer.compose("|".join((case.id, *map(str, places))))


async def state(env: ApprovalEnv, case: Case, *people: str) -> tuple[MarkerState, set[str]] | None:
    """Return how a to-do stands, and for whom of its people it is done; None where it stays as it is."""
    composed = await compose(env, case, *people)
    return None if composed.marker is None else (composed.marker.state, set(composed.marker.done))


async def test_all_whose_turn_it_is_share_one(env: ApprovalEnv) -> None:
    case = await env.newest()
    [(people, todo)] = todos(env, case).items()
    assert people == "wang zhao"
    assert (todo.kind, todo.urgency) == ("approval_todo", Urgency.SOON), "its calls count as those of approvals"
    composed = await compose(env, case, "wang", "zhao")
    assert isinstance(composed.view, ApprovalTodo)
    assert (str(composed.view.subject), composed.view.partner) == ("Purchase order PO-1", "ACME")
    assert composed.marker is not None
    assert (composed.marker.people, composed.marker.due_at) == (("wang", "zhao"), case.opened_at + 8 * HOUR)
    assert await state(env, case, "wang", "zhao") == (MarkerState.OPEN, set())


async def test_without_the_setting_nobody_gets_one() -> None:
    env = ApprovalEnv(rules=TWO)
    assert todos(env, await env.submit(ORDER)) == {}


@pytest.mark.parametrize(("rule", "setting"), [(True, False), (False, True)])
async def test_a_rule_says_so_whatever_the_setting_is(rule: bool, setting: bool) -> None:
    env = ApprovalEnv(rules=rules(any_of("role:purchasing"), todo=rule), terms=ApprovalOptions(todos=setting))
    assert bool(todos(env, await env.submit(ORDER))) is rule


async def test_the_next_level_gets_its_own_and_the_one_before_is_done(env: ApprovalEnv) -> None:
    first = await env.newest()
    await env.cast_vote("wang")
    case = await env.newest()
    assert set(todos(env, case)) == {"wang zhao", "sun zhou"}
    assert todos(env, case)["wang zhao"].revision == case.revision > first.revision
    assert await state(env, case, "wang", "zhao") == (MarkerState.OPEN, {"wang", "zhao"})
    assert await state(env, case, "sun", "zhou") == (MarkerState.OPEN, set())
    await env.cast_vote("sun")
    assert await state(env, case, "sun", "zhou") == (MarkerState.OPEN, {"sun"})


async def test_a_reminder_is_no_second_one(env: ApprovalEnv) -> None:
    env.clock.move(hours=1)
    await env.work()
    assert set(todos(env, await env.newest())) == {"wang zhao"}


async def test_it_stays_while_the_erp_is_told_and_is_done_afterwards() -> None:
    env = ApprovalEnv(rules=rules(any_of("role:purchasing")), terms=replace(TODOS, undo=MINUTE))
    case = await env.submit(ORDER)
    await env.cast_vote("wang")
    assert await env.state() is CaseState.WRITING
    assert await state(env, case, "wang", "zhao") is None
    env.clock.move(minutes=2)
    await env.work()
    assert await env.state() is CaseState.APPROVED
    assert await state(env, case, "wang", "zhao") == (MarkerState.DONE, {"wang", "zhao"})


async def test_a_rejection_ends_it_too() -> None:
    env = ApprovalEnv(rules=rules(any_of("role:purchasing")), terms=TODOS)
    case = await env.submit(ORDER)
    await env.cast_vote("zhao", REJECT)
    await env.work()
    assert await state(env, case, "wang", "zhao") == (MarkerState.DONE, {"wang", "zhao"})


async def test_a_decision_in_the_erp_ends_it(env: ApprovalEnv) -> None:
    case = await env.newest()
    await env.erp.decide("main", decision(case.version, "erp-sun"))
    await env.service.sync_document(po_key("main", "PO-1"))
    assert await env.state() is CaseState.DECIDED_ELSEWHERE
    assert await state(env, case, "wang", "zhao") == (MarkerState.DONE, {"wang", "zhao"})


async def test_a_changed_order_has_a_new_one(env: ApprovalEnv) -> None:
    first = await env.newest()
    env.erp.edit("PO-1", total=money("9999 CNY"))
    await env.service.sync_document(po_key("main", "PO-1"))
    second = await env.newest()
    assert await state(env, first, "wang", "zhao") == (MarkerState.GONE, {"wang", "zhao"})
    assert set(todos(env, second)) == {"wang zhao"}
    assert await state(env, second, "wang", "zhao") == (MarkerState.OPEN, set())


async def test_what_the_erp_cannot_be_told_leaves_nothing_to_do() -> None:
    env = ApprovalEnv(rules=rules(any_of("role:purchasing")), terms=TODOS)
    case = await env.submit(ORDER)
    env.erp.faults.append(Invalid("预算不足"))
    await env.cast_vote("wang")
    await env.run_until_idle()
    assert await env.state() is CaseState.FAILED
    assert await state(env, case, "wang", "zhao") == (MarkerState.GONE, {"wang", "zhao"})


async def test_groups_get_none_and_a_single_person_their_own() -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang")), terms=TODOS)
    case = await env.submit(ORDER)
    assert env.groups == (GROUP,)
    assert set(todos(env, case)) == {"wang"}


async def test_a_forgotten_case_leaves_it_as_it_is(env: ApprovalEnv) -> None:
    composed = await compose(env, replace(await env.newest(), id="gone"), "wang")
    assert (composed.view, composed.marker) == (None, None)


async def test_it_names_the_vendor_only_to_those_who_may_know(env: ApprovalEnv) -> None:
    composed = await compose(env, await env.newest(), "wang", "stranger", reader_at=granting(frozenset()))
    assert isinstance(composed.view, ApprovalTodo)
    assert composed.view.partner is HIDDEN
