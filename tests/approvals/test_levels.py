"""One level after the other: wherever the card stands it says who agreed and for whom it now waits, by one update."""

from __future__ import annotations

from collections import Counter

from bot.approvals.cards.insights import Insights
from bot.approvals.cards.presenter import ApprovalComposer, CasePresenter
from bot.approvals.cards.views import ApprovalView
from bot.approvals.case import Case, CaseState
from tests.approvals.company import po_key, waiting_order
from tests.approvals.env import GROUP, HOUR, ApprovalEnv, rules
from tests.approvals.memory_repository import MemoryCaseStore
from tests.approvals.policy.test_planner import all_of, any_of
from tests.approvals.test_insights import FakeInsightSource, level
from tests.chat.audience_parts import sees_all

TWO = rules(any_of("role:purchasing"), all_of("role:board"), remind_after=(HOUR,))
PLACES = ("person:wang", "person:zhao", str(GROUP))
LATER = ("person:sun", "person:zhou")


def updates(env: ApprovalEnv, case: Case) -> Counter[str]:
    """Return how often each place owes the case's newest state."""
    assert isinstance(env.store, MemoryCaseStore)
    owed = [one for one in env.store.repository.deliveries if one.ref.startswith(f"{case.id}|")]
    return Counter(str(one.place) for one in owed if one.revision == case.revision)


async def cards(env: ApprovalEnv) -> dict[str, ApprovalView]:
    """Return what the card shows wherever it stands."""
    approvals = env.service
    archive = FakeInsightSource([], [level("SKU1", "5")])

    async def nobody(user_ids: object) -> dict[str, str]:
        return {}

    insights = Insights(lambda source: archive, now=env.clock)
    showing = CasePresenter(env.erp.reread, insights, nobody, now=env.clock)
    composer = ApprovalComposer(approvals.find, showing, sees_all)
    case = await env.newest()
    shown = {}
    for one in await env.store.transact(lambda cases: list(cases.cards_of(case.id))):
        composed = await composer.compose(f"{case.id}|{one.place}")
        assert isinstance(composed.view, ApprovalView)
        shown[str(one.place)] = composed.view
    return shown


async def test_all_cards_follow_from_level_to_level_with_one_update_each() -> None:
    env = ApprovalEnv(rules=TWO)
    await env.submit()
    assert set(await cards(env)) == set(PLACES)

    await env.cast_vote("wang")
    case = await env.newest()
    assert case.state is CaseState.OPEN
    assert updates(env, case) == dict.fromkeys((*PLACES, *LATER), 1)
    for view in (await cards(env)).values():
        assert [one.name for one in view.spoken] == ["Wang"]
        assert (view.level, view.levels, view.waited, view.need_all) == (2, 2, ("sun", "zhou"), True)

    await env.cast_vote("sun")
    case = await env.newest()
    assert updates(env, case) == dict.fromkeys((*PLACES, *LATER), 1)
    for view in (await cards(env)).values():
        assert ([one.name for one in view.spoken], view.waited) == (["Wang", "Sun"], ("zhou",))

    await env.cast_vote("zhou")
    await env.run_until_idle()
    case = await env.newest()
    assert case.state is CaseState.APPROVED
    assert updates(env, case) == dict.fromkeys((*PLACES, *LATER, "person:wu"), 1)


async def test_whose_turn_is_over_has_no_buttons_and_the_others_have() -> None:
    env = ApprovalEnv(rules=TWO)
    await env.wang_approves()
    shown = await cards(env)
    mute = {place for place, view in shown.items() if view.mute}
    assert mute == {"person:wang", "person:zhao"}


async def test_the_card_of_a_reminder_follows_too() -> None:
    env = ApprovalEnv(rules=TWO)
    await env.submit()
    await env.run_until_idle(within=2 * HOUR)
    await env.cast_vote("wang")
    assert updates(env, await env.newest()) == {
        "person:wang": 2,
        "person:zhao": 2,
        str(GROUP): 1,
        **dict.fromkeys(LATER, 1),
    }


async def test_a_case_that_opened_quietly_shows_itself_to_the_next_level_alone() -> None:
    env = ApprovalEnv(rules=TWO)
    env.erp.submit(waiting_order(requester="wu"))
    assert await env.service.sync_document(po_key("main", "PO-1"), quiet=True) is not None
    await env.cast_vote("wang")
    assert set(updates(env, await env.newest())) == {*LATER}
