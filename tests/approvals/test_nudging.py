"""Somebody who waits reminds those whose turn it is: at most once an hour for each case, and visible to all."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from bot.approvals.case import Nudge
from bot.approvals.lifecycle import FOLLOWS_WITHIN
from bot.approvals.voting import VoteOutcome
from bot.store.approvals.repository import StoredCaseTransactions
from bot.store.database import Database
from tests.approvals.env import HOUR, ApprovalEnv, cards, rules
from tests.approvals.policy.test_planner import all_of
from tests.approvals.test_asking_back import ask, due_cards

BOTH = rules(all_of("person:wang person:qian"))


async def test_those_whose_turn_it_is_get_a_card_of_their_own_and_all_cards_name_who_reminds() -> None:
    env = ApprovalEnv(rules=BOTH)
    case = await env.submit()
    await env.cast_vote("wang")
    nudged = await env.service.nudge(case, "wu", "Wu")
    now = await env.newest()
    assert (nudged.outcome, nudged.case) == (VoteOutcome.RECORDED, now)
    assert now.nudge == Nudge(by="wu", name="Wu", at=env.clock.time)
    owed = cards(env, case.id)
    assert "approval:person:qian:1" in owed
    assert "approval:person:wang:1" not in owed, "it is not their turn"
    assert set(owed.values()) == {now.revision}
    later = ["approval:group:cidBuyers==", "approval:person:qian", "approval:person:wang"]
    assert due_cards(env, case) == {timedelta(0): ["approval:person:qian:1"], FOLLOWS_WITHIN: later}
    assert (await env.audit_actions())[-1] == "nudged"


async def test_once_an_hour_by_whomever() -> None:
    env = ApprovalEnv(rules=BOTH)
    case = await env.submit()
    await env.service.nudge(case, "wu", "Wu")
    first = await env.newest()
    env.clock.move(minutes=59)
    refused = await env.service.nudge(case, "zheng", "Zheng")
    assert refused.outcome is VoteOutcome.REFUSED
    assert str(refused.reasons[0]).startswith("Wu reminded them at ")
    assert await env.newest() == first
    env.clock.move(minutes=1)
    assert (await env.service.nudge(case, "zheng", "Zheng")).outcome is VoteOutcome.RECORDED
    assert "approval:person:wang:2" in cards(env, case.id)


async def test_nobody_reminds_themselves() -> None:
    env = ApprovalEnv(rules=BOTH)
    case = await env.submit()
    await env.cast_vote("qian")
    refused = await env.service.nudge(case, "wang", "Wang")
    assert [str(one) for one in refused.reasons] == ["There is nobody to remind."]


async def test_nobody_is_reminded_of_what_waits_for_an_answer_or_is_over(env: ApprovalEnv) -> None:
    case = await env.submit()
    await ask(env, case)
    refused = await env.service.nudge(case, "zheng", "Zheng")
    assert str(refused.reasons[0]) == "The requester has not answered a question yet: the others wait."
    await env.service.withdraw_inquiry(case, "wang")
    await env.cast_vote("wang")
    assert (await env.service.nudge(case, "wu", "Wu")).outcome is VoteOutcome.LATE
    assert (await env.newest()).nudge is None


async def test_many_taps_remind_once(two: tuple[Database, Database]) -> None:
    env = ApprovalEnv(rules=BOTH)
    processes = []
    for database in two:
        env.store = StoredCaseTransactions(database, env.clock)
        processes.append(env.start())
    case = await env.submit()
    said = await asyncio.gather(*(processes[at % 2].service.nudge(case, "wu", "Wu") for at in range(10)))
    assert Counter(one.outcome for one in said) == {VoteOutcome.RECORDED: 1, VoteOutcome.REFUSED: 9}
    assert Counter(await env.audit_actions()) == {"opened": 1, "nudged": 1}
    env.clock.time += HOUR
    assert (await processes[0].service.nudge(case, "wu", "Wu")).outcome is VoteOutcome.RECORDED, "it is read back"
