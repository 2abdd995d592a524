"""Whose own chat does not take the card is called in the group that has it: once, and never after they have spoken."""

from __future__ import annotations

import pytest

from bot.approvals.cards.presenter import CallComposer
from bot.approvals.lifecycle import person_places
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place
from bot.outbox.ports import ComposedCard
from tests.approvals.env import GROUP, ApprovalEnv, rules
from tests.approvals.memory_repository import MemoryCaseStore
from tests.approvals.policy.test_planner import all_of
from tests.approvals.test_presenter import ORDER, ComposerHarness
from tests.chat.audience_parts import sees_all

SUN, ZHOU = person_places(("sun", "zhou"))


@pytest.fixture
async def env() -> ApprovalEnv:
    env = ApprovalEnv(rules=rules(all_of("role:board")))
    await env.submit(ORDER)
    return env


def calls(env: ApprovalEnv) -> list[Delivery]:
    """Return the deliveries that call somebody in a group, in their order."""
    assert isinstance(env.store, MemoryCaseStore)
    return [one for one in env.store.repository.deliveries if one.kind == "approval_call"]


async def call(env: ApprovalEnv, *people: Place) -> None:
    await env.service.call_in_groups((await env.newest()).id, people)


async def compose(env: ApprovalEnv, delivery: Delivery) -> ComposedCard:
    harness = ComposerHarness(env)
    return await CallComposer(env.process.service.find, harness.showing, sees_all).compose(delivery.ref)


async def test_they_are_called_once(env: ApprovalEnv) -> None:
    await call(env, SUN)
    [owed] = calls(env)
    assert (owed.place, owed.urgency) == (GROUP, Urgency.NOW)
    composed = await compose(env, owed)
    assert (list(composed.called), composed.too_late) == (["sun"], False)
    await call(env, SUN)
    assert len(calls(env)) == 1
    assert await env.audit_actions() == ["opened", "called"]


async def test_each_is_called_for_themselves(env: ApprovalEnv) -> None:
    await call(env, SUN, ZHOU)
    assert len({one.card for one in calls(env)}) == 2
    assert [list((await compose(env, one)).called) for one in calls(env)] == [["sun"], ["zhou"]]


async def test_nobody_is_called_who_has_spoken_or_whose_turn_it_is_not(env: ApprovalEnv) -> None:
    await env.cast_vote("sun")
    await call(env, SUN, *person_places(("wang",)))
    assert calls(env) == []


async def test_who_speaks_meanwhile_is_not_called_and_the_card_follows(env: ApprovalEnv) -> None:
    await call(env, SUN)
    await env.cast_vote("sun")
    first, newer = calls(env)
    assert (first.card, newer.revision > first.revision) == (newer.card, True)
    composed = await compose(env, newer)
    assert (dict(composed.called), composed.too_late) == ({}, True)
    assert composed.view is not None, "where it stands it says how it goes on"


async def test_without_a_group_nobody_is_called() -> None:
    env = ApprovalEnv(rules=rules(all_of("role:board")))
    env.groups = ()
    env.start()
    await env.submit(ORDER)
    await call(env, SUN)
    assert calls(env) == []
