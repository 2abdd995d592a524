"""People who are away: who decides instead of them, from when until when, and who is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.access.audit import AuditKind
from bot.approvals.absence import Absence
from bot.approvals.absences import DECLINED_CARD, SUBSTITUTE_CARD, Outlook
from bot.approvals.cards.absence_views import DeclinedComposer, SubstituteComposer, SubstituteDeclined, SubstituteNotice
from bot.approvals.policy.rules import AwayRule
from bot.approvals.voting import VoteOutcome
from bot.erp.model import PurchaseOrder
from tests.approvals.company import po_key, waiting_order
from tests.approvals.env import HOUR, REJECT, ApprovalEnv, cards, rules
from tests.approvals.memory_repository import MemoryCaseRepository, MemoryCaseStore
from tests.approvals.policy.test_planner import any_of, who
from tests.approvals.test_presenter import ORDER, ComposerHarness
from tests.rows import each_row

DAY = timedelta(days=1)
ALLOWED = AwayRule(substitutes=who("person:sun role:board"))


def company(step: str = "person:wang", away: AwayRule = ALLOWED, **fields: object) -> ApprovalEnv:
    return ApprovalEnv(rules=replace(rules(any_of(step), **fields), away=away))


async def go_away(env: ApprovalEnv, person: str, by: str, *, after: timedelta = 0 * HOUR, days: int = 3) -> None:
    begins = env.clock.time + after
    await env.process.absences.arrange(person, begins, begins + days * DAY, by)


def memory(env: ApprovalEnv) -> MemoryCaseRepository:
    assert isinstance(env.store, MemoryCaseStore)
    return env.store.repository


def told(env: ApprovalEnv) -> list[tuple[str, str, int]]:
    kinds = (SUBSTITUTE_CARD, DECLINED_CARD)
    owed = (delivery for delivery in memory(env).deliveries if delivery.kind in kinds)
    return [(delivery.kind, delivery.place.id, delivery.revision) for delivery in owed]


async def test_a_case_that_waits_comes_to_the_substitute_when_the_absence_begins() -> None:
    env = company()
    case = await env.submit()
    await go_away(env, "wang", "sun", after=2 * HOUR)
    await env.process.absences.work()
    assert await env.service.pending("sun") == ()
    env.clock.move(hours=2)
    await env.process.absences.work()
    assert "approval:person:sun" in cards(env, case.id)
    assert [each.number for each in await env.service.pending("sun")] == ["PO-1"]
    result = await env.cast_vote("sun")
    assert result.outcome is VoteOutcome.DECIDED
    assert result.case is not None
    assert result.case.votes[0].on_behalf_of == "wang"


async def test_an_absence_ends_by_itself() -> None:
    env = company()
    case = await env.submit()
    await go_away(env, "wang", "sun", days=1)
    await env.process.absences.work()
    before = cards(env, case.id)
    env.clock.move(days=1)
    assert (await env.cast_vote("sun")).outcome is VoteOutcome.REFUSED
    await env.process.absences.work()
    assert cards(env, case.id)["approval:person:wang"] > before["approval:person:wang"]
    assert await env.process.absences.of("wang") is None
    env.clock.move(days=1)
    await env.process.absences.work()
    assert memory(env).away == {}


async def test_a_moment_is_shown_once() -> None:
    env = company()
    case = await env.submit()
    await go_away(env, "wang", "sun")
    await env.process.absences.work()
    shown = cards(env, case.id)
    await env.process.absences.work()
    assert cards(env, case.id) == shown


async def test_a_process_that_died_leaves_the_rest_to_the_next() -> None:
    env = company()
    case = await env.submit()
    await go_away(env, "wang", "sun")
    env.start()
    await env.process.absences.work()
    assert "approval:person:sun" in cards(env, case.id)


@each_row(
    ("by", "away"),
    [("sun", AwayRule()), ("zhao", ALLOWED), ("wu", AwayRule(substitutes=who("person:wu")))],
)
async def test_the_rules_and_the_document_decide_at_the_vote_who_may(by: str, away: AwayRule) -> None:
    env = company(away=away)
    await env.submit(waiting_order(requester="wu"))
    await go_away(env, "wang", by)
    assert (await env.cast_vote(by)).outcome is VoteOutcome.REFUSED
    assert (await env.cast_vote("wang", REJECT)).outcome is VoteOutcome.DECIDED


async def test_reminders_come_to_the_substitute() -> None:
    env = company(remind_after=(4 * HOUR,))
    case = await env.submit()
    await go_away(env, "wang", "sun")
    env.clock.move(hours=4)
    await env.work()
    assert "approval:person:sun:1" in cards(env, case.id)


async def test_the_substitute_is_told_and_may_decline() -> None:
    env = company()
    case = await env.submit()
    await go_away(env, "wang", "sun")
    assert told(env) == [(SUBSTITUTE_CARD, "sun", 1)]
    assert not await env.process.absences.decline("wang", "zhou")
    assert await env.process.absences.decline("wang", "sun")
    assert told(env)[1:] == [(DECLINED_CARD, "wang", 2), (SUBSTITUTE_CARD, "sun", 2)]
    await env.process.absences.work()
    assert (await env.cast_vote("sun", case=case)).outcome is VoteOutcome.REFUSED
    absence = await env.process.absences.of("wang")
    assert absence is not None
    assert absence.substitute == ""


async def test_whoever_is_no_longer_named_is_told() -> None:
    env = company()
    await go_away(env, "wang", "sun")
    await go_away(env, "wang", "zhou", after=DAY)
    await env.process.absences.end("wang")
    assert told(env) == [
        (SUBSTITUTE_CARD, "sun", 1),
        (SUBSTITUTE_CARD, "sun", 2),
        (SUBSTITUTE_CARD, "zhou", 2),
        (SUBSTITUTE_CARD, "zhou", 3),
    ]


async def test_the_absences_of_people_who_leave_end_with_them() -> None:
    env = company("person:wang person:qian")
    await env.submit()
    await go_away(env, "wang", "sun")
    await go_away(env, "qian", "zhou")
    await env.process.absences.end_of({"wang", "zhou"})
    for person in ("sun", "zhou"):
        assert (await env.cast_vote(person)).outcome is VoteOutcome.REFUSED
    assert [each.user_id for each in await env.process.absences.entrusted_to("zhou")] == []
    assert (DECLINED_CARD, "qian", 2) in told(env)


async def test_cards_of_absences_follow_them() -> None:
    env = company()

    async def name_of(user_id: str) -> str:
        return user_id.title()

    composer = SubstituteComposer(env.process.absences.find, name_of, env.clock)
    await go_away(env, "wang", "sun", days=2)
    first = env.clock.time.date()
    shown = SubstituteNotice(name="Wang", user_id="wang", days=(first, first + 2 * DAY))
    assert (await composer.compose("wang|sun")).view == shown
    await env.process.absences.decline("wang", "sun")
    composed = await composer.compose("wang|sun")
    assert (composed.view, composed.revision) == (SubstituteNotice(name="Wang", user_id="wang", days=None), 2)
    declined = await DeclinedComposer(env.process.absences.find, name_of, env.clock).compose("wang|sun")
    assert declined.view == SubstituteDeclined(name="Sun")
    assert (await composer.compose("nobody|sun")).view is None


async def test_the_card_and_the_explanation_say_who_is_away_and_who_decides() -> None:
    env = company()
    shown = ComposerHarness(env)
    await env.submit(ORDER)
    await go_away(env, "wang", "sun", days=3)
    (sentence,) = (await shown.card()).away
    assert str(sentence) == "王经理 is away until 2026-11-27; sun may decide instead."
    why = await env.service.why(po_key("main", "PO-1"), "sun")
    assert [(each.user_id, each.until, each.instead) for each in why.away] == [("wang", date(2026, 11, 27), ("sun",))]
    assert why.approve is not None
    assert str(why.approve.reasons[0]) == "You stand in for wang, named by “rule”."
    await env.process.absences.arrange("wang", env.clock.time, env.clock.time + DAY)
    assert [str(each) for each in (await shown.card()).away] == [
        "王经理 is away until 2026-11-25, and nobody decides instead."
    ]


async def test_each_change_is_in_the_audit_log_and_what_changes_nothing_is_not() -> None:
    env = company()
    absences = env.process.absences
    await absences.end("wang")
    for _ in range(2):
        await go_away(env, "wang", "sun")
    await absences.decline("wang", "zhou")
    await absences.decline("wang", "sun")
    await absences.end("wang")
    await absences.end("wang")
    assert [(entry.kind, entry.actor, entry.action) for entry in env.audit.entries] == [
        (AuditKind.AWAY, "wang", "away"),
        (AuditKind.AWAY, "sun", "away.declined"),
        (AuditKind.AWAY, "wang", "away.ended"),
    ]
    assert env.audit.entries[0].detail == "wang: 2026-11-24 10:00 CST – 2026-11-27 10:00 CST, sun decides instead"


async def test_an_absence_that_is_prolonged_keeps_its_beginning_and_its_card() -> None:
    env = company()
    begins = env.clock.time
    await go_away(env, "wang", "sun")
    env.clock.move(days=1)
    await env.process.absences.arrange("wang", begins, begins + 5 * DAY, "sun")
    absence = await env.process.absences.of("wang")
    assert absence is not None
    assert (absence.begins, absence.ends) == (begins, begins + 5 * DAY)
    assert len({delivery.card for delivery in memory(env).deliveries if delivery.kind == SUBSTITUTE_CARD}) == 1


async def test_a_vote_counts_by_the_absence_as_it_is_stored_when_it_is_cast() -> None:
    env = company()
    other = env.process
    await env.submit()
    await other.absences.arrange("wang", env.clock.time, env.clock.time + DAY, "sun")
    env.start()
    assert "sun" in (await env.service.deciders(await env.newest())).awaited
    await other.absences.end("wang")
    assert (await env.cast_vote("sun")).outcome is VoteOutcome.REFUSED


@each_row(
    ("waits", "by", "outlook"),
    [
        (waiting_order(), "sun", Outlook(1, 1)),
        (waiting_order(), "", Outlook(1, 0)),
        (waiting_order(), "zhao", Outlook(1, 0)),
        (waiting_order(requester="sun"), "sun", Outlook(1, 0)),
        (None, "sun", Outlook(0, 0)),
    ],
)
async def test_what_an_absence_would_mean_is_foreseen(waits: PurchaseOrder | None, by: str, outlook: Outlook) -> None:
    env = company()
    if waits is not None:
        await env.submit(waits)
    assert await env.process.absences.foresee("wang", by) == outlook
    assert await env.process.absences.of("wang") is None


def test_the_days_of_an_absence_are_those_of_the_company() -> None:
    zone = ApprovalEnv().clock.time.tzinfo
    begins = datetime(2026, 12, 1, tzinfo=zone)
    absence = Absence(user_id="wang", begins=begins, ends=begins + 2 * DAY, due_at=begins)
    assert absence.days(zone) == (date(2026, 12, 1), date(2026, 12, 2))
