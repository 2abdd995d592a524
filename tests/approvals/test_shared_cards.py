"""One card at several places: who may share it, what all see, what each sees, and who leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.approvals.cards.presenter import ApprovalComposer, RequesterComposer
from bot.approvals.cards.views import ApprovalView, Audience
from bot.approvals.case import ApprovalCardKind, Case, CaseCard, CaseState
from bot.approvals.unit_of_work import ApprovalOptions, CardReach, GroupCards
from bot.outbox.delivery import Delivery
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import ComposedCard
from bot.words.disclosure import ALL_FIELDS
from tests.approvals.env import APPROVE, GROUP, HOUR, ApprovalEnv, rules
from tests.approvals.memory_repository import MemoryCaseStore
from tests.approvals.policy.test_planner import all_of, any_of
from tests.approvals.test_presenter import ORDER, ComposerHarness, granting
from tests.chat.audience_parts import sees_all
from tests.rows import each_row

APART = ApprovalOptions(one_card=True)
"""Nothing is known of values for single people, so nobody gets any."""
TOGETHER = ApprovalOptions(one_card=True, reach=CardReach(values_arrive=lambda: True))
WANG, ZHAO = Place(PlaceKind.PERSON, "wang"), Place(PlaceKind.PERSON, "zhao")
SUN, ZHOU = Place(PlaceKind.PERSON, "sun"), Place(PlaceKind.PERSON, "zhou")
_PLACES = {"group": (GROUP,), "first": (WANG, ZHAO), "second": (SUN, ZHOU)}
TWO = rules(any_of("role:purchasing"), all_of("role:board"), remind_after=(HOUR,))


@pytest.fixture
async def env() -> ApprovalEnv:
    env = ApprovalEnv(rules=TWO, terms=TOGETHER)
    await env.submit(ORDER)
    return env


def owed(env: ApprovalEnv, case: Case) -> dict[str, tuple[Place, ...]]:
    """Return the deliveries that owe the case's newest state, and where each stands."""
    assert isinstance(env.store, MemoryCaseStore)
    newest = [one for one in env.store.repository.deliveries if one.revision == case.revision]
    return {_short(one, case): (one.place, *one.also) for one in newest}


def _short(delivery: Delivery, case: Case) -> str:
    return delivery.card.replace(f":{case.id}:", ":")


async def compose(composer: ApprovalComposer | RequesterComposer, case: Case, *places: Place) -> ComposedCard:
    return await composer.compose("|".join((case.id, *map(str, places))))


async def test_groups_and_those_who_decide_have_a_card_each() -> None:
    env = ApprovalEnv(rules=TWO, terms=APART)
    await env.submit(ORDER)
    first = await env.newest()
    assert owed(env, first) == {f"approval:{GROUP}": (GROUP,), f"approval:{WANG}+1": (WANG, ZHAO)}
    await env.cast_vote("wang")
    second = await env.newest()
    assert owed(env, second) == {
        f"approval:{GROUP}": (GROUP,),
        f"approval:{WANG}+1": (WANG, ZHAO),
        f"approval:{SUN}+1": (SUN, ZHOU),
    }


async def test_who_reads_another_language_has_a_card_of_their_own() -> None:
    spoken = {"zhao": "en"}
    reach = CardReach(language_of=lambda place: spoken.get(place.id, "zh_CN"))
    env = ApprovalEnv(rules=TWO, terms=ApprovalOptions(one_card=True, reach=reach))
    case = await env.submit(ORDER)
    assert set(owed(env, case).values()) == {(GROUP,), (WANG,), (ZHAO,)}


async def test_a_group_that_may_see_all_of_it_shares_the_card_of_those_who_decide() -> None:
    reach = CardReach(language_of=lambda place: "zh_CN", sees_all=lambda group, case: group == GROUP)
    env = ApprovalEnv(rules=TWO, terms=ApprovalOptions(one_card=True, reach=reach))
    case = await env.submit(ORDER)
    assert owed(env, case) == {f"approval:{GROUP}+2": (GROUP, WANG, ZHAO)}


async def test_groups_that_hear_of_the_end_alone_share_one_card_with_the_requester() -> None:
    env = ApprovalEnv(rules=TWO, terms=ApprovalOptions(one_card=True, group_cards=GroupCards.DECIDED))
    case = await env.submit(ORDER)
    requester = Place(PlaceKind.PERSON, case.summary.requester)
    cards = {f"approval_told:{GROUP}+1": (GROUP, requester), f"approval:{WANG}+1": (WANG, ZHAO)}
    assert owed(env, case) == cards
    composers = ComposerHarness(env)
    assert (await compose(composers.told, case, GROUP, requester)).view is None
    for voter in ("wang", "sun", "zhou"):
        await env.cast_vote(voter)
    await env.work()
    ended = await env.newest()
    assert ended.state is CaseState.APPROVED
    assert owed(env, ended).items() >= cards.items(), "nobody is told twice"
    told = (await compose(composers.told, ended, GROUP, requester)).view
    assert isinstance(told, ApprovalView)
    assert (told.state, told.amount) == (CaseState.APPROVED, None)


OTHER = Place(PlaceKind.GROUP, "cidStaff==")


@each_row(
    ("options", "waiting", "told"),
    [
        # Only one group may see all of it, and it shares the deciders' card.
        ({"reach": CardReach(sees_all=lambda group, case: group == OTHER)}, {OTHER}, {GROUP}),
        ({"reach": CardReach(sees_all=lambda group, case: True)}, {GROUP, OTHER}, set()),
        ({"reach": CardReach()}, set(), {GROUP, OTHER}),
        ({"reach": CardReach(values_arrive=lambda: True)}, {GROUP, OTHER}, set()),
        # In another language it would be a card of its own.
        ({"reach": CardReach(sees_all=lambda *_: True, language_of=lambda place: place.kind)}, set(), {GROUP, OTHER}),
        # Each place has a card of its own anyway.
        ({"one_card": False}, {GROUP, OTHER}, set()),
    ],
)
async def test_a_group_is_shown_what_waits_where_that_costs_no_call(
    options: dict[str, Any], waiting: set[Place], told: set[Place]
) -> None:
    terms = ApprovalOptions(**{"one_card": True, **options}, group_cards=GroupCards.AUTO)
    env = ApprovalEnv(rules=TWO, terms=terms, groups=(GROUP, OTHER))
    case = await env.submit(ORDER)
    kinds = {ApprovalCardKind.APPROVAL: waiting, ApprovalCardKind.TOLD: told}
    assert isinstance(env.store, MemoryCaseStore)
    cards = env.store.repository.cards_of(case.id)
    for kind, groups in kinds.items():
        assert {card.place for card in cards if card.kind is kind and card.place.kind is PlaceKind.GROUP} == groups


async def test_a_group_that_may_see_nothing_leaves_the_requester_their_note() -> None:
    reach = CardReach(sees_any=lambda group, case: group == OTHER)
    terms = replace(APART, group_cards=GroupCards.AUTO, reach=reach)
    env = ApprovalEnv(rules=TWO, terms=terms, groups=(GROUP, OTHER))
    case = await env.submit(ORDER)
    requester = Place(PlaceKind.PERSON, case.summary.requester)
    told = {places for card, places in owed(env, case).items() if card.startswith("approval_told:")}
    assert told == {(GROUP,), (OTHER, requester)}


async def test_groups_are_shown_what_waits_for_nobody() -> None:
    nobody = rules(any_of("role:nobody"))
    env = ApprovalEnv(rules=nobody, terms=replace(APART, group_cards=GroupCards.AUTO))
    case = await env.submit(ORDER)
    assert [places for card, places in owed(env, case).items() if card.startswith("approval:")] == [(GROUP,)]


async def test_those_who_decide_see_the_prices_and_the_group_does_not() -> None:
    env = ApprovalEnv(rules=TWO, terms=APART)
    case = await env.submit(ORDER)
    harness = ComposerHarness(env)
    for places, amount in (((GROUP,), None), ((WANG, ZHAO), ORDER.total), ((GROUP, WANG), None)):
        composed = await compose(harness.deciders, case, *places)
        assert isinstance(composed.view, ApprovalView)
        assert composed.view.amount == amount
        # On a card of an earlier release people may still have values of their own: they are the same as all see.
        assert [own.view for own in composed.own] == [composed.view] * len(composed.own)
    assert (await compose(harness.deciders, case, WANG, ZHAO)).own == ()


async def test_all_places_of_a_level_share_one_card_where_values_for_single_people_arrive(env: ApprovalEnv) -> None:
    first = await env.newest()
    assert owed(env, first) == {f"approval:{GROUP}+2": (GROUP, WANG, ZHAO)}
    await env.cast_vote("wang")
    second = await env.newest()
    assert owed(env, second) == {f"approval:{GROUP}+2": (GROUP, WANG, ZHAO), f"approval:{SUN}+1": (SUN, ZHOU)}
    await env.cast_vote("sun", case=second)
    env.clock.move(hours=1)
    await env.work()
    reminded = await env.newest()
    assert owed(env, reminded) == {**owed(env, second), f"approval:{ZHOU}:1": (ZHOU,)}


async def test_without_it_each_place_has_a_card_of_its_own() -> None:
    env = ApprovalEnv(rules=TWO)
    case = await env.submit(ORDER)
    assert set(owed(env, case).values()) == {(GROUP,), (WANG,), (ZHAO,)}


async def test_a_card_of_before_stays_as_it_is() -> None:
    env = ApprovalEnv(rules=TWO)
    case = await env.submit(ORDER)
    env.terms = TOGETHER
    env.start()
    await env.cast_vote("wang", case=case)
    newest = await env.newest()
    assert owed(env, newest) == {
        f"approval:{GROUP}": (GROUP,),
        f"approval:{WANG}": (WANG,),
        f"approval:{ZHAO}": (ZHAO,),
        f"approval:{SUN}+1": (SUN, ZHOU),
    }


async def test_everybody_sees_what_all_may_see_and_each_what_is_theirs(env: ApprovalEnv) -> None:
    harness = ComposerHarness(env)
    case = await env.newest()
    composed = await compose(harness.deciders, case, GROUP, WANG, ZHAO)
    assert isinstance(composed.view, ApprovalView)
    assert (composed.view.audience, composed.view.amount, composed.view.rows[0].line.price) == (
        Audience.BARE,
        None,
        None,
    )
    assert [own.user_id for own in composed.own] == ["wang", "zhao"]
    for own in composed.own:
        assert isinstance(own.view, ApprovalView)
        assert (own.view.audience, own.view.amount) == (Audience.PRICED, ORDER.total)
    assert env.erp.reads <= 2, "the order is read once for all of them"


async def test_where_the_group_may_see_prices_all_see_the_same(env: ApprovalEnv) -> None:
    harness = ComposerHarness(env, reader_at=granting(ALL_FIELDS))
    composed = await compose(harness.deciders, await env.newest(), GROUP, WANG)
    assert isinstance(composed.view, ApprovalView)
    assert composed.view.amount == ORDER.total
    assert composed.own[0].view == composed.view


async def test_who_has_spoken_has_no_buttons_on_it_and_the_decider_can_undo() -> None:
    env = ApprovalEnv(rules=rules(all_of("role:board")), terms=TOGETHER)
    await env.submit(ORDER)
    await env.cast_vote("sun", APPROVE)
    harness = ComposerHarness(env, reader_at=sees_all)
    composed = await compose(harness.deciders, await env.newest(), SUN, ZHOU)
    muted = {own.user_id: own.view.mute for own in composed.own if isinstance(own.view, ApprovalView)}
    assert muted == {"sun": True, "zhou": False}
    assert isinstance(composed.view, ApprovalView)
    assert composed.view.amount == ORDER.total, "all of them may see it"


async def test_a_card_offers_to_decide_only_where_one_of_its_readers_can() -> None:
    env = ApprovalEnv(rules=TWO, terms=APART)
    await env.submit(ORDER)
    harness = ComposerHarness(env)

    async def offering() -> dict[str, bool]:
        case = await env.newest()
        cards = {name: await compose(harness.deciders, case, *places) for name, places in _PLACES.items()}
        return {name: not card.view.mute for name, card in cards.items() if isinstance(card.view, ApprovalView)}

    assert await offering() == {"group": True, "first": True, "second": False}
    await env.cast_vote("wang")
    assert await offering() == {"group": True, "first": False, "second": True}
    await env.cast_vote("sun")
    assert await offering() == {"group": True, "first": False, "second": True}, "the other one is waited for"


async def test_where_nobody_is_left_to_decide_no_card_offers_it() -> None:
    env = ApprovalEnv(rules=rules(any_of("role:board")), terms=APART)
    case = await env.submit(ORDER)
    await env.store.transact(lambda cases: cases.put(replace(case, refused=("sun", "zhou"))))
    composed = await compose(ComposerHarness(env).deciders, await env.newest(), GROUP)
    assert isinstance(composed.view, ApprovalView)
    assert composed.view.mute


async def cards_of(env: ApprovalEnv, case: Case) -> Sequence[CaseCard]:
    return await env.store.transact(lambda cases: list(cases.cards_of(case.id)))


async def test_a_place_that_leaves_has_its_own_card_and_the_others_keep_theirs(env: ApprovalEnv) -> None:
    case = await env.newest()
    (key,) = {card.shared for card in await cards_of(env, case)}
    for _ in range(2):  # it may be asked for again after a crash
        await env.service.separate_cards(case.id, key, [GROUP])
        assert {card.place: bool(card.shared) for card in await cards_of(env, case)} == {
            GROUP: False,
            WANG: True,
            ZHAO: True,
        }
    await env.cast_vote("wang")
    newest = await env.newest()
    assert owed(env, newest) == {
        f"approval:{GROUP}": (GROUP,),
        f"approval:{GROUP}+2": (WANG, ZHAO),
        f"approval:{SUN}+1": (SUN, ZHOU),
    }


async def test_when_all_leave_it_is_not_owed_any_more(env: ApprovalEnv) -> None:
    case = await env.newest()
    (key,) = {card.shared for card in await cards_of(env, case)}
    await env.service.separate_cards(case.id, key, [GROUP, WANG, ZHAO])
    assert set(owed(env, case)) == {f"approval:{GROUP}", f"approval:{WANG}", f"approval:{ZHAO}"}
    await env.service.separate_cards("0" * 24 + "-1", key, [GROUP])
