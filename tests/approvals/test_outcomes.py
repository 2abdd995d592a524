"""What the ERP may answer to a write (ERP sheet, 11.1), and what follows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.approvals.case import CaseState
from bot.approvals.elsewhere import Elsewhere
from bot.approvals.voting import Said
from bot.erp.errors import AuthFailed, Conflict, ErpError, Invalid, NotPermitted, RateLimited
from bot.erp.model import DecisionResult, Outcome, PurchaseStatus
from tests.approvals.policy.test_planning import all_of, any_of
from tests.approvals.world import MINUTE, World, decision, rules


async def test_more_approvals_needed(world: World) -> None:
    world.erp.levels["PO-1"] = (("erp-wang",), ("erp-qian",))
    first = await world.submit()
    await world.say("wang")
    await world.rest()
    cases = [case for case, _ in await world.desk.history("PO-1")]
    assert [case.state for case in cases] == [CaseState.OPEN, CaseState.APPROVED]
    assert cases[1].outcome is Outcome.MORE_APPROVALS_NEEDED
    assert cases[1].id == first.id
    await world.say("qian")
    await world.rest()
    assert world.erp.orders["PO-1"].status is PurchaseStatus.APPROVED
    assert [one.by for one in world.erp.written] == ["erp-wang", "erp-qian"]


async def test_already_decided_by_somebody_else(world: World) -> None:
    await world.submit()
    await world.say("wang")
    order = world.erp.orders["PO-1"]
    world.erp.apply(decision(order.version, "erp-sun"))
    at = world.clock.time
    world.erp.written.clear()
    await world.rest()
    final = await world.newest()
    assert (final.state, final.elsewhere) == (
        CaseState.DECIDED_ELSEWHERE,
        Elsewhere(status=PurchaseStatus.APPROVED, by="erp-sun", at=at),
    )
    assert world.erp.written == []


async def test_already_decided_by_nobody_knows_whom_is_not_ours(world: World) -> None:
    world.erp.names_nobody = True
    await world.submit()
    await world.say("wang")
    world.erp.apply(decision(world.erp.orders["PO-1"].version, "erp-sun"))
    await world.rest()
    assert await world.state() is CaseState.DECIDED_ELSEWHERE


async def test_not_permitted_opens_it_for_the_others(world: World) -> None:
    case = await world.submit()
    world.erp.forbidden.add("erp-wang")
    await world.say("wang")
    await world.rest()
    opened = await world.newest()
    assert (opened.state, opened.votes, opened.refused) == (CaseState.OPEN, (), ("wang",))
    assert opened.decision is None
    again = await world.say("wang", case=case)
    assert again.said is Said.REFUSED
    assert str(again.reasons[0]) == "The ERP does not allow it for your account there."
    await world.say("qian")
    await world.rest()
    assert await world.state() is CaseState.APPROVED
    assert [one.by for one in world.erp.written] == ["erp-qian"]


async def test_a_level_that_was_passed_stays_passed_when_the_erp_refuses_the_last() -> None:
    world = World(rules=rules(any_of("role:purchasing"), all_of("role:board")))
    await world.submit()
    for one in ("wang", "sun", "zhou"):
        await world.say(one)
    world.erp.forbidden.add("erp-zhou")
    await world.rest()
    opened = await world.newest()
    assert [vote.user_id for vote in opened.votes] == ["wang", "sun"]


async def test_changed_between_the_decision_and_the_write(world: World) -> None:
    await world.submit()
    await world.say("wang")
    world.erp.edit("PO-1", vendor="OTHER")
    await world.rest()
    states = [case.state for case, _ in await world.desk.history("PO-1")]
    assert states == [CaseState.OPEN, CaseState.SUPERSEDED]
    assert world.erp.written == []


async def test_a_comment_between_the_decision_and_the_write_changes_nothing(world: World) -> None:
    await world.submit()
    await world.say("wang")
    world.erp.edit("PO-1")
    await world.rest()
    assert await world.state() is CaseState.APPROVED
    assert [one.version for one in world.erp.written] == ["v2"]


async def test_an_erp_that_says_changed_again_and_again_is_asked_more_and_more_slowly(world: World) -> None:
    await world.submit()
    order = world.erp.orders["PO-1"]
    world.erp.faults += [DecisionResult(outcome=Outcome.CHANGED_SINCE_SHOWN, order=order)] * 4
    await world.say("wang")
    started = world.clock.time
    await world.rest()
    assert await world.state() is CaseState.APPROVED
    assert world.clock.time - started == timedelta(seconds=2 + 4 + 8)


async def test_unsupported(world: World) -> None:
    await world.submit()
    world.erp.faults.append(DecisionResult(outcome=Outcome.UNSUPPORTED, order=None))
    await world.say("wang")
    await world.rest()
    assert await world.state() is CaseState.FAILED
    assert await world.desk.submitted("main", "PO-1") is None


@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (Invalid("预算不足"), CaseState.FAILED, "预算不足"),
        (AuthFailed("no"), CaseState.FAILED, "The ERP does not accept the bot's account."),
        (NotPermitted("no"), CaseState.OPEN, "The ERP does not allow this"),
    ],
)
async def test_errors_that_trying_again_does_not_help(
    world: World, error: ErpError, state: CaseState, said: str
) -> None:
    await world.submit()
    world.erp.faults.append(error)
    await world.say("wang")
    await world.rest()
    case = await world.newest()
    assert case.state is state
    assert case.said.startswith(said)
    assert world.erp.written == []


async def test_a_conflict_is_read_again_and_asked_anew(world: World) -> None:
    await world.submit()
    world.erp.faults.append(Conflict("locked"))
    await world.say("wang")
    await world.rest()
    assert await world.state() is CaseState.APPROVED
    assert len(world.erp.written) == 1


async def test_given_back_to_its_author_between_the_decision_and_the_write(world: World) -> None:
    await world.submit()
    await world.say("wang")
    world.erp.faults.append(Invalid("never submitted"))
    world.erp.edit("PO-1", status=PurchaseStatus.DRAFT)
    await world.rest()
    assert await world.state() is CaseState.WITHDRAWN


async def test_deleted_between_the_decision_and_the_write(world: World) -> None:
    await world.submit()
    await world.say("wang")
    world.erp.orders.clear()
    await world.rest()
    assert await world.state() is CaseState.WITHDRAWN


async def test_away_and_back(world: World) -> None:
    await world.submit()
    await world.say("wang")
    world.erp.away = True
    await world.rest(within=10 * MINUTE)
    waiting = await world.newest()
    assert waiting.state is CaseState.WRITING
    assert waiting.attempts > 10
    world.erp.away = False
    await world.rest()
    assert await world.state() is CaseState.APPROVED
    assert len(world.erp.written) == 1
    assert world.erp.written[0].by == "erp-wang"


async def test_the_erp_says_how_long_to_wait(world: World) -> None:
    await world.submit()
    world.erp.faults.append(RateLimited("busy", retry_after=77))
    await world.say("wang")
    await world.work()
    due = (await world.newest()).due_at
    assert due == world.clock.time + timedelta(seconds=77)
