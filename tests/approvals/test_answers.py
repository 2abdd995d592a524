"""Whoever says something about a case is answered with the case as it is now, and with the reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.approvals import opening, settling, voting
from bot.approvals.case import Brief, CardKind, Case, CaseCard, CaseState
from bot.approvals.case import Decision as Decided
from bot.approvals.forwarding import forward
from bot.approvals.opening import card_key, open_case, waited_for
from bot.approvals.ruling import Forward, Vote
from bot.approvals.unit import Terms
from bot.approvals.voting import Said, Voted, Word
from bot.erp.errors import NotPermitted
from bot.erp.model import DecisionResult, Money, Outcome, PurchaseStatus
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.testing.approvals import MemoryBooks
from tests.approvals.parts import document
from tests.approvals.policy.test_judging import stands_in
from tests.approvals.policy.test_planning import all_of, any_of
from tests.approvals.test_due import do, set_case
from tests.approvals.world import APPROVE, GROUP, HOUR, REJECT, World, rules

DOCUMENT = document(requester="wu")


def word(case: Case, user: str = "wang", **fields: object) -> Word:
    values: dict[str, object] = {"verdict": APPROVE, "seen": case.fingerprint} | fields
    return Word(case=case.id, user_id=user, name=user.title(), **values)  # type: ignore[arg-type]  # fields of a word


@pytest.mark.parametrize(
    ("state", "said"),
    [(CaseState.SUPERSEDED, Said.CHANGED), (CaseState.WRITING, Said.LATE), (CaseState.APPROVED, Said.LATE)],
)
async def test_who_comes_between_the_look_and_the_lock_is_too_late(world: World, state: CaseState, said: Said) -> None:
    await world.submit()
    case = await set_case(world, state=state)
    assert await do(world, lambda unit: voting.vote(unit, word(case), DOCUMENT)) == Voted(said=said, case=case)
    passed = await do(world, lambda unit: forward(unit, case.id, "zhao", "wang", DOCUMENT))
    assert passed == Voted(said=said, case=case)
    assert await world.story() == ["opened"]


async def test_a_case_that_nobody_knows(world: World) -> None:
    case = replace(await world.submit(), id="nothing-1")
    nothing = Voted(said=Said.NO_CASE, case=None)
    assert await do(world, lambda unit: voting.vote(unit, word(case), DOCUMENT)) == nothing
    assert await do(world, lambda unit: forward(unit, case.id, "zhao", "wang", DOCUMENT)) == nothing
    assert await do(world, lambda unit: voting.take_back(unit, case.id, "wang")) == nothing


async def test_what_is_asked_for_comes_with_the_case_as_it_was() -> None:
    world = World(rules=rules(confirm_from=Money(Decimal(3000), "CNY")))
    case = await world.submit()
    assert await world.say("wang", REJECT, reason=" ") == Voted(said=Said.NEED_REASON, case=case)
    assert await world.say("wang") == Voted(said=Said.CONFIRM, case=case)


async def test_a_refusal_names_whom_to_ask(world: World) -> None:
    case = await world.submit()
    for refused in (await world.say("zheng"), await world.desk.forward(case.id, "zhao", "zheng")):
        assert (refused.said, refused.case, refused.ask) == (Said.REFUSED, case, ("li", "qian", "wang"))
    unfit = await world.desk.forward(case.id, "wu", "wang")
    assert (unfit.said, unfit.case) == (Said.REFUSED, case)


async def test_a_word_that_counts_comes_with_its_reasons_and_the_new_case() -> None:
    world = World(rules=rules(any_of("role:purchasing"), any_of("role:finance")))
    await world.submit()
    first = await world.say("wang")
    assert (first.said, first.case) == (Said.RECORDED, await world.newest())
    assert first.reasons
    last = await world.say("qian", reason=" 好 ")
    assert (last.said, last.case) == (Said.DECIDED, await world.newest())
    assert last.reasons
    decided = await world.newest()
    assert decided.votes[1] == Vote(
        user_id="qian", name="Qian", level=2, verdict=APPROVE, at=world.clock.time, reason="好"
    )
    assert decided.decision == Decided(
        verdict=APPROVE, by="qian", name="Qian", account="erp-qian", reason="好", at=world.clock.time
    )


async def test_taking_back_is_answered_with_the_case() -> None:
    world = World(terms=Terms(undo=timedelta(seconds=30)))
    case = await world.submit()
    assert await world.desk.take_back(case.id, "wang") == Voted(said=Said.LATE, case=case)
    decided = (await world.say("wang")).case
    refused = await world.desk.take_back(case.id, "qian")
    assert (refused.said, refused.case) == (Said.REFUSED, decided)
    assert (await world.desk.take_back(case.id, "wang")).case == await world.newest()


async def test_once_the_erp_is_being_told_nothing_is_taken_back() -> None:
    world = World(terms=Terms(undo=timedelta(seconds=30)))
    case = await world.submit()
    await world.say("wang")
    began = await set_case(world, attempted_at=world.clock.time)
    assert await world.desk.take_back(case.id, "wang") == Voted(said=Said.LATE, case=began)
    doubtful = await set_case(world, attempted_at=None, state=CaseState.UNKNOWN)
    assert await world.desk.take_back(case.id, "wang") == Voted(said=Said.LATE, case=doubtful)


async def test_a_click_at_something_else_leaves_the_case(world: World) -> None:
    case = await world.submit()
    voted = await do(world, lambda unit: voting.vote(unit, word(case, seen="old"), DOCUMENT))
    assert voted == Voted(said=Said.CHANGED, case=case)


async def test_passing_on_a_document_that_changed_ends_its_case_and_follows_it(world: World) -> None:
    case = await world.submit()
    other = replace(DOCUMENT, order=replace(DOCUMENT.order, vendor="OTHER"))
    voted = await do(world, lambda unit: forward(unit, case.id, "zhao", "wang", other))
    assert (voted.said, voted.case) == (Said.CHANGED, await world.newest())
    assert (voted.case.state, voted.case.due_at) == (CaseState.SUPERSEDED, world.clock.time)


async def test_passing_on_a_document_that_no_longer_waits_ends_its_case(world: World) -> None:
    case = await world.submit()
    gone = replace(DOCUMENT, order=replace(DOCUMENT.order, status=PurchaseStatus.CANCELLED))
    voted = await do(world, lambda unit: forward(unit, case.id, "zhao", "wang", gone))
    assert (voted.said, voted.case) == (Said.ELSEWHERE, await world.newest())
    assert voted.case.state is CaseState.WITHDRAWN


async def test_turns_that_were_passed_on_are_kept_and_one_is_passed_to_a_person_once() -> None:
    world = World(rules=rules(any_of("person:wang person:qian")))
    case = await world.submit()
    began = world.clock.time
    await world.desk.forward(case.id, "zhao", "wang")
    world.clock.move(minutes=1)
    await world.desk.forward(case.id, "sun", "qian")
    voted = await world.desk.forward(case.id, "zhao", "wang")
    assert voted.case == await world.newest()
    assert (await world.newest()).forwards == (
        Forward(person="qian", to="sun", at=world.clock.time),
        Forward(person="wang", to="zhao", at=world.clock.time),
    )
    assert world.clock.time > began


async def test_a_turn_is_not_passed_to_whom_the_erp_refused_nor_to_who_changed_or_requested_it(world: World) -> None:
    case = await world.submit()
    await set_case(world, refused=("zhao",))
    assert str((await world.desk.forward(case.id, "zhao", "wang")).reasons[0]) == (
        "The ERP does not allow it for their account there."
    )
    edited = replace(DOCUMENT, editors=frozenset({"sun"}))
    unfit = await do(world, lambda unit: forward(unit, case.id, "sun", "wang", edited))
    assert str(unfit.reasons[0]) == "They changed it."
    nameless = replace(DOCUMENT, requester="", order=replace(DOCUMENT.order, requester="ERP-Zhou"))
    await set_case(world, fingerprint=nameless.fingerprint)
    unfit = await do(world, lambda unit: forward(unit, case.id, "zhou", "wang", nameless))
    assert str(unfit.reasons[0]) == "They requested it."


@pytest.mark.parametrize(
    ("fields", "people"),
    [
        ({}, ("wang", "qian", "zhao")),
        ({"forwards": (Forward(person="wang", to="sun", at=HOUR),)}, ("wang", "qian", "zhao", "sun")),
        ({"forwards": (Forward(person="wang", to="zhao", at=HOUR),)}, ("wang", "qian", "zhao")),
        ({"forwards": (Forward(person="li", to="sun", at=HOUR),)}, ("wang", "qian", "zhao")),
        ({"refused": ("wang",)}, ("qian", "zhao")),
        ({"brief": Brief(requester="zhao")}, ("wang", "qian")),
        ({"brief": Brief(editors=frozenset({"qian"}))}, ("wang", "zhao")),
        ({"votes": (Vote(user_id="wang", name="W", level=1, verdict=APPROVE, at=HOUR),)}, ("qian",)),  # type: ignore[arg-type]
        ({"votes": (Vote(user_id="wang", name="W", level=1, verdict=REJECT, at=HOUR),)}, ()),  # type: ignore[arg-type]
    ],
)
async def test_who_is_waited_for(fields: dict[str, object], people: tuple[str, ...]) -> None:
    world = World(rules=rules(all_of("person:wang person:qian"), substitutes=(stands_in("zhao", "wang"),)))
    case = replace(await world.submit(), **fields)  # type: ignore[arg-type]  # fields of a case
    assert await do(world, lambda unit: waited_for(unit, case)) == people


async def test_a_case_remembers_the_document_and_the_rules_it_was_opened_by() -> None:
    world = World(rules=rules(remind_after=(HOUR,)))
    world.erp.levels["PO-1"] = (("erp-wang",),)
    case = await world.submit()
    order = DOCUMENT.order
    assert case == Case(
        id=case.id,
        source="main",
        number="PO-1",
        fingerprint=DOCUMENT.fingerprint,
        version="v1",
        level=1,
        waits_for=("erp-wang",),
        brief=Brief(vendor="ACME", total=order.total, due_on=order.due_on, requester="wu", requested_by="erp-wu"),
        state=CaseState.OPEN,
        plan=case.plan,
        policy="1",
        opened_at=world.clock.time,
        due_at=world.clock.time + HOUR,
    )
    assert case.plan.rule == "rule"


async def test_by_itself_opening_shows_cards_and_asks_nobody_anew(world: World) -> None:
    case = await do(world, lambda unit: open_case(unit, DOCUMENT, (GROUP,)))
    assert len(await world.books.within(lambda book: list(book.cards_of(case.id)))) == 4
    await do(world, lambda unit: opening.close(unit, case, CaseState.EXPIRED, "x"))
    ended = await world.newest()
    assert (ended.due_at, ended.revision) == (None, 2)
    assert await do(world, lambda unit: open_case(unit, DOCUMENT, (GROUP,))) is None


async def test_what_each_card_owes(world: World) -> None:
    case = await world.submit()
    assert isinstance(world.books, MemoryBooks)
    wang = Place(PlaceKind.PERSON, "wang")
    first = {one.card: one for one in world.books.book.deliveries}
    for place in (GROUP, wang):
        assert first[f"approval:{case.id}:{place}"] == Delivery(
            card=f"approval:{case.id}:{place}",
            place=place,
            kind="approval",
            ref=f"{case.id}|{place}",
            revision=1,
            urgency=Urgency.NOW,
            due_at=world.clock.time,
            fact="main/PO-1",
        )
    assert card_key(case.id, wang, copy=2) == f"approval:{case.id}:person:wang:2"
    await world.say("wang")
    await world.rest()
    stand = await world.books.within(lambda book: list(book.cards_of(case.id)))
    assert CaseCard(case=case.id, place=GROUP) in stand
    assert CaseCard(case=case.id, place=wang, for_user="wang") in stand
    told = CaseCard(case=case.id, place=Place(PlaceKind.PERSON, "wu"), for_user="wu", kind=CardKind.TOLD)
    assert told in stand


async def test_an_answer_without_a_number_is_that_of_the_attempt_under_way(world: World) -> None:
    case = await world.submit()
    await world.say("wang")
    applied = DecisionResult(outcome=Outcome.APPLIED, order=None, text="ok")
    assert await do(world, lambda unit: settling.settle(unit, case.id, applied)) is None
    await set_case(world, attempts=2, attempted_at=world.clock.time)
    ended = await do(world, lambda unit: settling.settle(unit, case.id, applied))
    assert (ended.state, ended.outcome, ended.said) == (CaseState.APPROVED, Outcome.APPLIED, "ok")
    assert await do(world, lambda unit: settling.settle(unit, case.id, applied)) is None
    assert await do(world, lambda unit: settling.settle(unit, "nothing-1", applied)) is None


@pytest.mark.parametrize(
    ("own_account", "technical", "state"), [("bot", True, CaseState.FAILED), ("other", True, CaseState.OPEN)]
)
async def test_only_where_the_bots_own_account_is_refused_nobody_else_can_help(
    own_account: str, technical: bool, state: CaseState
) -> None:
    world = World(terms=Terms(technical_account=technical, own_account="bot"))
    del world.accounts["wang"]
    world.start()
    case = await world.submit()
    await world.say("wang")
    decided = await world.newest()
    assert decided.decision is not None
    decision = replace(decided.decision, account="bot" if own_account == "bot" else "erp-x")
    await set_case(world, attempts=1, attempted_at=world.clock.time, decision=decision)
    refusal = NotPermitted("no")
    ended = await do(world, lambda unit: settling.not_written(unit, case.id, refusal))
    assert (ended.state, ended.said) == (state, str(refusal.tell()))


@pytest.mark.parametrize(
    ("technical", "reason", "told"), [(True, "", "Wang"), (True, "急", "Wang: 急"), (False, "急", "急")]
)
async def test_only_under_the_bots_own_account_the_reason_names_the_decider(
    technical: bool, reason: str, told: str
) -> None:
    world = World(terms=Terms(technical_account=technical, own_account="erp-wang"))
    await world.submit()
    await world.say("wang", reason=reason)
    await world.rest()
    assert [one.reason for one in world.erp.written] == [told]


async def test_without_a_technical_account_nobody_decides_under_the_bots() -> None:
    world = World(terms=Terms(own_account="bot"))
    del world.accounts["wang"]
    world.start()
    await world.submit()
    assert (await world.say("wang")).said is Said.REFUSED


async def test_the_day_of_a_limit_lasts_from_midnight_to_midnight(world: World) -> None:
    asked: list[tuple[object, ...]] = []
    world.clock.time = world.clock.time.replace(hour=13, minute=14, second=15, microsecond=16)

    def ask(unit: object) -> None:
        unit.book.approved_on = lambda *args: asked.append(args)  # type: ignore[attr-defined]
        unit.approved_today("wang", "CNY")  # type: ignore[attr-defined]

    await do(world, ask)
    midnight = world.clock.time.replace(hour=0, minute=0, second=0, microsecond=0)
    assert asked == [("wang", "CNY", midnight, midnight + timedelta(days=1))]
