"""Every change is a newer state of the cards: the outbox shows no state that is older than the one that stands."""

from __future__ import annotations

from datetime import timedelta

from bot.approvals.unit_of_work import ApprovalOptions
from tests.approvals.env import ApprovalEnv, cards, rules
from tests.approvals.policy.test_planner import any_of


async def test_people_and_the_erp_bring_newer_states() -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang person:qian")), terms=ApprovalOptions(undo=timedelta(seconds=10)))
    case = await env.submit()
    assert (case.id[-2:], case.revision) == ("-1", 1)
    await env.service.forward(case, "zhao", "wang")
    assert (await env.newest()).revision == 2
    await env.cast_vote("zhao")
    assert (await env.newest()).revision == 3
    await env.service.take_back(case, "zhao")
    assert (await env.newest()).revision == 4
    env.erp.forbidden.add("erp-zhao")
    await env.cast_vote("zhao")
    env.clock.move(seconds=10)
    await env.work()
    opened = await env.newest()
    assert (opened.revision, opened.refused) == (6, ("zhao",))
    assert set(cards(env, case.id).values()) == {6}
