"""Who may decide in an approver's place: their substitutes, those of substitutes who are away too, and so on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from bot.approvals.plan import VoteContext, is_within
from bot.erp.model import Verdict

LeadsTo = Callable[[str], Iterable[str]]
"""A person → those who decide instead of them now."""


def follow(approver: str, leads_to: LeadsTo, hands_on: Callable[[str], bool]) -> tuple[str, ...]:
    """Return everybody to whom ways lead from an approver, the nearest first, each once and never the approver.

    No way leads on through somebody who has nothing that they could hand on.
    """
    found: dict[str, None] = {}
    ahead = [approver]
    for away in ahead:
        for person in leads_to(away):
            if person not in found and person != approver:
                found[person] = None
                if hands_on(person):
                    ahead.append(person)
    return tuple(found)


def find_stand_ins(approver: str, context: VoteContext, verdict: Verdict, leads_to: LeadsTo) -> tuple[str, ...]:
    """Return who may give a verdict in an approver's place, as substitutes or since the turn was forwarded to them.

    Nobody hands on more than they have: no way leads through a person who is involved in the document or, for an
    approval, whose limit it exceeds.
    """
    document = context.document

    def named(away: str) -> Iterator[str]:
        yield from leads_to(away)
        yield from (turn.to for turn in context.forwards if turn.person == away)

    def hands_on(person: str) -> bool:
        is_able = verdict is Verdict.REJECT or is_within(context.plan.limits_of(person, in_place=True), document.total)
        return is_able and document.involvement(person) is None

    return follow(approver, named, hands_on)
