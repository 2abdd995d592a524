"""How long each decision and each alert waited: one record for each, made of what the bot knows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import takewhile

from bot.alerts.alert import UserStamp
from bot.approvals.case import Case, CaseState
from bot.approvals.plan import Vote
from bot.efficiency.working_time import WorkingHours
from bot.erp.model import Money, Verdict

IN_THE_ERP = "erp"
"""The way of a decision that was made in the ERP itself; the others are `bot.approvals.plan.VoteWay`."""

AMOUNT_STEPS = tuple(map(Decimal, (1_000, 10_000, 50_000, 100_000, 1_000_000)))
"""The bounds of the classes of amounts, in any currency."""

SETTLED_AFTER = timedelta(days=7)
"""What happens to an alert later than this after it was shown does not count: so a figure is final some day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionWait:
    """One person's decision at one level, and how long it was waited for; ``worked`` is that in working time.

    ``kind`` is the command of the document\'s kind.
    ``person`` is a userId, empty for a decision in the ERP itself. ``level`` counts on over the ERP's own levels.
    ``size`` counts the `AMOUNT_STEPS` that the amount reaches, None without an amount. ``in_time`` is None if the rule
    sets no deadline. ``changed``: it approved, and the document changed afterwards. ``asked``: the requester was asked
    something meanwhile.
    """

    case: str
    person: str
    at: datetime
    waited: timedelta
    worked: timedelta
    level: int
    rule: str
    currency: str
    size: int | None
    way: str
    in_time: bool | None
    approved: bool
    changed: bool
    kind: str
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertWait:
    """What became of one alert within `SETTLED_AFTER`; ``person`` is who acknowledged it, otherwise who took or
    snoozed it; empty for nobody.

    ``ignored``: nobody acknowledged, took or snoozed it. ``repeated``: it was reported again, or came back.
    """

    number: int
    person: str
    at: datetime
    """When its first card began."""
    rule: str
    """The route of that card."""
    acknowledged: timedelta | None
    resolved: timedelta | None
    ignored: bool
    repeated: bool


def decision_waits(revisions: Sequence[Case], hours: WorkingHours) -> list[DecisionWait]:
    """Return the decisions about one document; ``revisions`` are its cases, the oldest first.

    The ERP's next level of the same document is a case of its own, and no change.
    """
    waits: list[DecisionWait] = []
    for number, case in enumerate(revisions, 1):
        changed = any(later.fingerprint != case.fingerprint for later in revisions[number:])
        waits += _waits_of(case, hours, changed=changed)
    return waits


def _waits_of(case: Case, hours: WorkingHours, *, changed: bool) -> Iterator[DecisionWait]:
    for vote in case.votes:
        yield _wait(case, vote.at, _level_began(case, vote), hours, vote=vote, changed=changed)
    there = case.elsewhere
    if case.state is CaseState.DECIDED_ELSEWHERE and there is not None and there.at and there.verdict:
        approved = there.verdict is Verdict.APPROVE
        yield _wait(case, there.at, case.opened_at, hours, approved=approved, changed=changed)


def _wait(
    case: Case,
    at: datetime,
    since: datetime,
    hours: WorkingHours,
    *,
    vote: Vote | None = None,
    approved: bool = False,
    changed: bool,
) -> DecisionWait:
    approved = vote.verdict is Verdict.APPROVE if vote is not None else approved
    total, deadline = case.summary.total, case.plan.deadline
    return DecisionWait(
        case=case.id,
        person=vote.user_id if vote is not None else "",
        at=at,
        waited=max(at - since, timedelta(0)),
        worked=hours.between(since, at),
        level=case.level if vote is None else case.level - 1 + vote.level,
        rule=case.plan.rule,
        currency=total.currency if total is not None else "",
        size=_size(total),
        way=IN_THE_ERP if vote is None else vote.way.value if vote.way is not None else "",
        in_time=None if deadline is None else at <= case.counts_from + deadline,
        approved=approved,
        changed=approved and changed,
        kind=case.kind.command,
        asked=any(since <= inquiry.at <= at for inquiry in case.inquiries),
    )


def _level_began(case: Case, vote: Vote) -> datetime:
    """Return when a vote's level began: with the last vote of the levels before it."""
    return max((one.at for one in case.votes if one.level < vote.level), default=case.opened_at)


def _size(total: Money | None) -> int | None:
    return None if total is None else sum(1 for _ in takewhile(lambda step: step <= total.amount, AMOUNT_STEPS))


def alert_wait(
    *,
    number: int,
    rule: str,
    shown_at: datetime,
    resolved_at: datetime | None,
    stamps: Mapping[str, UserStamp],
    repeated: bool,
) -> AlertWait:
    """Return what became of an alert since its first card.

    ``stamps`` say who acknowledged, took and snoozed it, as ``acknowledged``, ``assigned`` and ``snoozed``.
    """
    in_time = {name: stamp for name, stamp in stamps.items() if _within(shown_at, stamp.at) is not None}
    known = in_time.get("acknowledged")
    hand = known or next(iter(in_time.values()), None)
    return AlertWait(
        number=number,
        person=hand.user_id if hand is not None else "",
        at=shown_at,
        rule=rule,
        acknowledged=_within(shown_at, known.at) if known is not None else None,
        resolved=None if resolved_at is None else _within(shown_at, resolved_at),
        ignored=not in_time,
        repeated=repeated,
    )


def _within(shown_at: datetime, moment: datetime) -> timedelta | None:
    """Return how long after it was shown something happened to an alert; None for what came too late to count."""
    after = max(moment - shown_at, timedelta(0))
    return after if after <= SETTLED_AFTER else None
