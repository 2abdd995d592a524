"""Who is named, invited, listed, reminded and offered a decision is one answer; what nobody can decide is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.approvals.cards.view_builders import CardViewer, RevisionData, build_case_view, build_why_view
from bot.approvals.cards.views import ApprovalView, Audience
from bot.approvals.case import short_id
from bot.approvals.policy.rules import ApprovalRuleSet, SingleLimit
from bot.approvals.stuck_orders import StuckOrderSearch
from bot.approvals.voting import VoteOutcome
from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.model import Approval, Verdict
from bot.outbox.place import PlaceKind
from bot.words.phrase import Words
from tests.approvals.company import money, po_key, waiting_order
from tests.approvals.env import ACCOUNTS, HOUR, PEOPLE, ApprovalEnv, rules
from tests.approvals.policy.test_evaluation import stands_in
from tests.approvals.policy.test_planner import all_of, any_of
from tests.rows import each_row

ORDER = waiting_order(requester="wu")
ANY = rules(any_of("person:wang person:qian"), remind_after=(HOUR,))
ALL = rules(all_of("person:wang person:qian"), remind_after=(HOUR,))
TWO = rules(any_of("person:wang"), any_of("person:qian person:sun"))


async def waiting(named: ApprovalRuleSet, *levels: tuple[str, ...], without: Iterable[str] = ()) -> ApprovalEnv:
    """Return a company whose ERP waits for the accounts of each level; who is ``without`` has no account there."""
    env = ApprovalEnv(rules=named, accounts={who: own for who, own in ACCOUNTS.items() if who not in without})
    env.erp.levels["PO-1"] = levels or ((),)
    await env.submit(ORDER)
    return env


async def card(env: ApprovalEnv, user_id: str = "") -> ApprovalView:
    found = await env.service.find("PO-1")
    assert found is not None
    reader = CardViewer(audience=Audience.PRICED, user_id=user_id, now=env.clock())
    return build_case_view(found, RevisionData(document=env.erp.orders["PO-1"], names={}), reader)


async def invited(env: ApprovalEnv, copy: int = 0) -> list[str]:
    """Return whose own chat has a card of the newest case; with a ``copy`` that of a reminder."""
    case = await env.newest()
    cards = await env.store.query(lambda cases: cases.cards_of(case.id))
    return sorted(one.place.id for one in cards if one.place.kind is PlaceKind.PERSON and one.copy == copy)


async def askable(env: ApprovalEnv) -> list[str]:
    """Return for whom the newest case waits, which is the same wherever it is asked."""
    case = await env.newest()
    named = sorted((await card(env)).waited)
    assert named == [who for who in sorted(PEOPLE) if await env.service.pending(who)]
    assert named == [who for who in sorted(PEOPLE) if (await env.service.task_of(case, who)).decides]
    order = replace(await env.erp.reread("main", PURCHASE_ORDERS, "PO-1"), source="main")
    assert named == [who for who in sorted(PEOPLE) if (shown := await env.service.case_of(order, who)) and shown.id]
    for who in PEOPLE:
        (ruling,) = await env.service.decided_together([short_id(case.id)], who)
        assert (ruling.approve is not None and ruling.approve.allowed) == (who in named), who
        why = await env.service.why(po_key("main", "PO-1"), who)
        assert why.approve is not None
        assert why.approve.allowed == (who in named), who
        assert set(why.approve.ask) <= {*named}, who
    return named


async def told(env: ApprovalEnv, left: Iterable[str] = ()) -> Words:
    """Return what administrators are told."""

    async def left_among(people: Iterable[str]) -> frozenset[str]:
        return frozenset(left).intersection(people)

    async def names_of(people: Sequence[str]) -> Mapping[str, str]:
        return {who: who.upper() for who in people}

    return (await StuckOrderSearch(env.service, left_among, names_of, env.clock).find()).told


@each_row(
    ("named", "levels", "without", "who"),
    [
        (ANY, (), (), ["qian", "wang"]),
        (ANY, (), ("qian",), ["wang"]),
        (ANY, (("erp-wang", "erp-guest"),), (), ["wang"]),
        (ANY, (("ERP-Wang",),), (), ["wang"]),
        (ANY, (("erp-sun",),), (), []),
        (ALL, (), ("qian",), ["wang"]),
        (ALL, (("erp-qian",),), (), ["wang"]),
        (ALL, (("erp-qian", "erp-wang"),), (), ["qian", "wang"]),
        (TWO, (("erp-qian",),), (), ["wang"]),
        (TWO, (("erp-wang",),), (), []),
        (TWO, (("erp-qian",),), ("qian",), []),
        (rules(any_of("person:wang"), substitutes=(stands_in("zhao", "wang"),)), (("erp-zhao",),), (), ["zhao"]),
    ],
)
async def test_who_cannot_decide_is_neither_named_nor_invited_nor_offered_it(
    named: ApprovalRuleSet, levels: tuple[tuple[str, ...], ...], without: tuple[str, ...], who: list[str]
) -> None:
    env = await waiting(named, *levels, without=without)
    assert await askable(env) == await invited(env) == who
    if named.rules[0].remind_after:
        await env.run_until_idle(within=2 * HOUR)
        assert await invited(env, copy=1) == who


async def test_of_all_who_must_agree_the_one_whom_the_erp_waits_for_comes_last() -> None:
    env = await waiting(ALL, ("erp-qian",))
    early = await env.cast_vote("qian")
    assert (early.outcome, early.ask) == (VoteOutcome.REFUSED, ("wang",))
    assert "as the last one" in str(early.reasons[0])
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.RECORDED
    assert await askable(env) == ["qian"]
    assert "qian" in await invited(env)
    assert (await env.cast_vote("qian")).outcome is VoteOutcome.DECIDED
    await env.run_until_idle()
    assert [one.by for one in env.erp.written] == ["erp-qian"]


@each_row(("hides", "levels"), [(True, ((), (), ())), (False, ((), (), ()))])
async def test_nobody_is_asked_for_two_approvals_of_the_erp(hides: bool, levels: tuple[tuple[str, ...], ...]) -> None:
    """It names who approved last at most, and not each ERP as who changed the order."""
    env = await waiting(rules(any_of("person:wang person:qian person:li")), *levels)
    env.erp.hides_deciders = hides
    asked = ["li", "qian", "wang"]
    for number, who in enumerate(("wang", "qian", "li"), 1):
        shown = await card(env)
        assert (shown.erp_level, shown.erp_levels) == (number, 3)
        assert await askable(env) == await invited(env) == asked
        assert (await env.cast_vote(who)).outcome is VoteOutcome.DECIDED
        await env.run_until_idle()
        asked.remove(who)
    assert [one.by for one in env.erp.written] == ["erp-wang", "erp-qian", "erp-li"]


async def test_a_new_revision_asks_everybody_again() -> None:
    env = await waiting(ANY, (), ())
    env.erp.hides_deciders = True
    await env.cast_vote("wang")
    await env.run_until_idle()
    assert await askable(env) == ["qian"]
    env.erp.edit("PO-1", vendor="OTHER", approval=Approval(level=1, levels=2))
    await env.service.sync_document(po_key("main", "PO-1"))
    assert await askable(env) == ["qian", "wang"]


async def test_what_the_erp_says_now_counts_before_anybody_looked_again() -> None:
    env = await waiting(ANY, ("erp-wang",))
    env.erp.edit("PO-1", approval=Approval(pending_for=("erp-qian",)))
    refused = await env.cast_vote("wang")
    assert (refused.outcome, refused.ask) == (VoteOutcome.REFUSED, ("qian",))
    assert await askable(env) == ["qian"]
    assert "qian" in await invited(env)


async def test_a_rejection_that_the_erp_would_not_take_is_not_offered() -> None:
    """It ends a case at any level, in the name of whoever says it."""
    env = await waiting(TWO, ("erp-qian",))
    assert not (await card(env)).can_reject
    assert not (await card(env, "wang")).can_reject
    refused = await env.cast_vote("wang", Verdict.REJECT)
    assert refused.outcome is VoteOutcome.REFUSED
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.RECORDED
    assert (await card(env)).can_reject
    assert (await env.cast_vote("qian", Verdict.REJECT)).outcome is VoteOutcome.DECIDED


async def test_a_turn_is_passed_on_to_those_who_can_decide() -> None:
    env = await waiting(rules(any_of("person:wang person:qian")), ("erp-wang", "erp-zhao"), without=["li"])
    case = await env.newest()
    people = [*PEOPLE, "guest"]
    assert await env.service.deputies(case, "wang", people) == ("zhao",)
    for who in people:
        result = await env.service.forward(case, who, "wang")
        assert (result.outcome is VoteOutcome.RECORDED) == (who == "zhao"), who
    assert await askable(env) == ["wang", "zhao"]


async def test_why_says_who_of_the_plan_cannot_decide() -> None:
    env = await waiting(rules(any_of("person:wang person:qian person:li")), ("erp-wang",), without=["li"])
    view = build_why_view(await env.service.why(po_key("main", "PO-1"), "wang"), {}, Audience.BARE)
    (level,) = view.plan_levels
    assert level.approvers == ("wang",)
    assert [(who, str(why)) for who, why in level.excluded] == [
        ("qian", "The ERP does not wait for them."),
        ("li", "They have no account in “main”."),
    ]


@each_row(
    ("named", "levels", "without", "left", "reason"),
    [
        (ANY, (), ("qian",), (), ""),
        (ANY, (), (), ("qian",), ""),
        (ALL, (), ("qian",), (), "QIAN: no account in “main”"),
        (ALL, (), (), ("qian",), "QIAN left the company"),
        (ANY, (("erp-sun", "erp-guest"),), (), (), "the ERP waits for SUN, ERP-GUEST"),
        (ANY, (("erp-wang",),), (), ("wang",), "WANG left the company"),
        (TWO, (("erp-wang",),), (), (), "the ERP waits for WANG"),
        (TWO, (), (), ("qian", "sun"), "QIAN, SUN left the company"),
        (rules(any_of("person:wu")), (), (), (), "nobody is left for level 1"),
        (rules(any_of("person:wang"), any_of("person:wang")), (), (), (), "nobody is left for level 2"),
        (
            replace(
                rules(any_of("person:wang")),
                limits=(SingleLimit(approvers=any_of("person:wang").approvers, amounts=(money("10 CNY"),)),),
            ),
            (),
            (),
            (),
            "it is above the limits of WANG",
        ),
    ],
)
async def test_what_nobody_can_decide_is_told_with_the_reason(
    named: ApprovalRuleSet,
    levels: tuple[tuple[str, ...], ...],
    without: tuple[str, ...],
    left: tuple[str, ...],
    reason: str,
) -> None:
    env = await waiting(named, *levels, without=without)
    said = str(await told(env, left))
    assert (f"PO-1 ({reason})" in said) if reason else not said


async def test_whom_the_erp_refused_is_told() -> None:
    env = await waiting(rules(any_of("person:wang")))
    env.erp.forbidden.add("erp-wang")
    await env.cast_vote("wang")
    await env.run_until_idle(within=timedelta(minutes=5))
    assert "PO-1 (the ERP refused WANG)" in str(await told(env))
    assert await askable(env) == []


async def test_whom_the_erp_names_for_its_earlier_approvals_is_not_asked() -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang person:qian person:li")))
    passed = Approval(level=3, levels=3, decided_by="erp-qian", passed_by=("ERP-Wang", "erp-qian"))
    env.erp.submit(ORDER)
    env.erp.edit("PO-1", approval=passed)
    await env.service.sync_document(po_key("main", "PO-1"))
    assert await askable(env) == await invited(env) == ["li"]
