"""Whether a person may say yes or no now, and why."""

from __future__ import annotations

from collections.abc import Sequence

from bot.approvals.policy.rule import Substitute
from bot.approvals.ruling import Ballot, Level, Ruling, standing
from bot.erp.model import Money, Verdict
from bot.phrase import Phrase, phrase


def judge(ballot: Ballot, user_id: str, verdict: Verdict, substitutes: Sequence[Substitute]) -> Ruling:
    """Return the ruling; the checks stand in the order in which people would ask."""
    document, plan = ballot.document, ballot.plan
    if user_id == document.requester:
        return _no(phrase("Nobody decides what they requested themselves."))
    if user_id in document.editors:
        return _no(phrase("Nobody decides what they changed themselves."))
    waited = standing(plan, ballot.votes)
    if isinstance(waited, Verdict):
        return _no(phrase("It has been decided already."))
    if any(vote.user_id == user_id for vote in ballot.votes):
        return _no(phrase("You have agreed already; others have to decide as well."))
    level = plan.levels[waited - 1]
    left = _left(level, ballot)
    if user_id in left:
        standing_for, reason = "", phrase("“%(rule)s” names you for level %(level)s.", rule=plan.rule, level=waited)
    elif principal := _principal(user_id, left, ballot, substitutes):
        standing_for = principal
        reason = phrase("You stand in for %(person)s, named by “%(rule)s”.", person=principal, rule=plan.rule)
    else:
        return _not_named(user_id, ballot, level, left)
    if verdict is Verdict.APPROVE and (limit := _over_limit(user_id, ballot)) is not None:
        return _no(limit, ask=tuple(one for one in left if one != user_id))
    return Ruling(allowed=True, reasons=(reason,), level=waited, on_behalf_of=standing_for)


def _no(*reasons: Phrase, ask: tuple[str, ...] = ()) -> Ruling:
    return Ruling(allowed=False, reasons=reasons, ask=ask)


def _left(level: Level, ballot: Ballot) -> tuple[str, ...]:
    """Return the level's approvers who have not spoken, themselves or by a substitute."""
    spoken = {vote.on_behalf_of or vote.user_id for vote in ballot.votes if vote.level == level.number}
    return tuple(one for one in level.approvers if one not in spoken)


def _principal(user_id: str, left: Sequence[str], ballot: Ballot, substitutes: Sequence[Substitute]) -> str:
    """Return for whom the person stands in now; empty for nobody."""
    principals = {one.person for one in substitutes if one.by == user_id and one.holds(ballot.now)}
    principals |= {one.person for one in ballot.forwards if one.to == user_id}
    return next((one for one in left if one in principals), "")


def _not_named(user_id: str, ballot: Ballot, level: Level, left: tuple[str, ...]) -> Ruling:
    plan = ballot.plan
    if not level.approvers:
        return _no(phrase("“%(rule)s” leaves nobody for level %(level)s.", rule=plan.rule, level=level.number))
    if any(user_id in one.approvers for one in plan.levels[level.number :]):
        return _no(phrase("It is not your turn yet: level %(level)s comes first.", level=level.number), ask=left)
    spoken_for = next((vote for vote in ballot.votes if vote.on_behalf_of == user_id), None)
    if spoken_for is not None and spoken_for.level == level.number:
        return _no(phrase("%(person)s has already stood in for you.", person=spoken_for.name), ask=left)
    if any(user_id in one.approvers for one in plan.levels[: level.number]):
        return _no(phrase("Your level has decided already; level %(level)s is next.", level=level.number), ask=left)
    return _no(phrase("“%(rule)s” does not name you.", rule=plan.rule), ask=left)


def _over_limit(user_id: str, ballot: Ballot) -> Phrase | None:
    """Return the limit that approving would break. What cannot be compared is not within any limit."""
    total, plan = ballot.document.order.total, ballot.plan
    single = plan.single_limits.get(user_id, ())
    if not single and not plan.daily_limits:
        return None
    if total is None:
        return phrase("The ERP does not tell the amount, and you have a limit.")
    if single:
        most = _in_currency(single, total.currency)
        if most is None:
            return phrase("You have no limit in %(currency)s.", currency=total.currency)
        if total.amount > most.amount:
            return phrase("You may approve up to %(amount)s in one document.", amount=most)
    if plan.daily_limits:
        most = _in_currency(plan.daily_limits, total.currency)
        if most is None:
            return phrase("“%(rule)s” has no limit per day in %(currency)s.", rule=plan.rule, currency=total.currency)
        spent = ballot.spending.approved_today(user_id, total.currency)
        if spent.amount + total.amount > most.amount:
            return phrase(
                "You may approve up to %(amount)s in one day, and %(spent)s are used.", amount=most, spent=spent
            )
    return None


def _in_currency(amounts: Sequence[Money], currency: str) -> Money | None:
    return next((money for money in amounts if money.currency == currency), None)
