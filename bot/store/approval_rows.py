"""Cases, their cards and the record as rows and back. Times are whole microseconds: nothing is rounded.

A case's row holds it as JSON; beside it stand the columns by which it is found, and in rows of their own what the
database has to keep unique.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import orjson

from bot.approvals.case import (
    ApprovalCardKind,
    AuditRow,
    Case,
    CaseCard,
    CaseDecision,
    CaseState,
    DocumentSummary,
    ExternalDecision,
    limit_votes,
)
from bot.approvals.lifecycle import card_key, round_of
from bot.approvals.plan import ApprovalLevel, ApprovalPlan, ExpiryAction, Forward, Quorum, Vote
from bot.erp.model import DecisionOutcome, Money, PurchaseStatus, Verdict
from bot.outbox.place import Place
from bot.phrase import Phrase

_MOMENT = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Return a time as the tables hold it."""
    return (moment - _EPOCH) // _MOMENT


def moment(us: int) -> datetime:
    """Return the time that `microseconds` made the number from."""
    return _EPOCH + us * _MOMENT


def case_row(case: Case, stamp: int) -> dict[str, Any]:
    """Return the row of a case; ``stamp`` counts its writings."""
    return {
        "id": case.id,
        "source": case.source,
        "folded": case.number.casefold(),
        "round": round_of(case),
        "state": case.state.value,
        "opened_us": microseconds(case.opened_at),
        "due_us": _us(case.due_at),
        "stamp": stamp,
        "body": orjson.dumps(_body(case)).decode(),
    }


def case_of(row: Any) -> Case:
    """Return the case of a row."""
    body = orjson.loads(row.body)
    attempted, decision, outcome = body["attempted"], body["decision"], body["outcome"]
    return Case(
        id=row.id,
        source=row.source,
        number=body["number"],
        fingerprint=body["fingerprint"],
        version=body["version"],
        level=body["level"],
        waits_for=tuple(body["waits_for"]),
        summary=_brief_of(body["brief"]),
        state=CaseState(row.state),
        plan=_plan_of(body["plan"]),
        policy=body["policy"],
        votes=tuple(map(_vote_of, body["votes"])),
        forwards=tuple(Forward(person=person, to=to, at=moment(at)) for person, to, at in body["forwards"]),
        refused=tuple(body["refused"]),
        decision=None if decision is None else _decision_of(decision),
        attempted_at=None if attempted is None else moment(attempted),
        attempts=body["attempts"],
        outcome=None if outcome is None else DecisionOutcome(outcome),
        erp_text=body["said"],
        elsewhere=_elsewhere_of(body),
        opened_at=moment(row.opened_us),
        due_at=None if row.due_us is None else moment(row.due_us),
        reminders=body["reminders"],
        expired=body["expired"],
        revision=body["revision"],
    )


def vote_rows(case: Case) -> list[dict[str, Any]]:
    """Return a row for each person who spoke; ``currency`` and ``amount`` are of approvals that use up limits."""
    total, counted = case.summary.total, set(limit_votes(case))
    return [
        {
            "case_id": case.id,
            "user_id": vote.user_id,
            "verdict": vote.verdict.value,
            "at_us": microseconds(vote.at),
            "currency": total.currency if total is not None and vote in counted else "",
            "amount": str(total.amount) if total is not None and vote in counted else "",
        }
        for vote in case.votes
    ]


def decision_row(case_id: str, decision: CaseDecision) -> dict[str, Any]:
    """Return the row of a case's one decision."""
    at = microseconds(decision.at)
    return {"case_id": case_id, "verdict": decision.verdict.value, "user_id": decision.by, "at_us": at}


def card_row(card: CaseCard) -> dict[str, Any]:
    """Return the row of a card."""
    return {
        "card": card_key(card.case, card.place, card.kind, card.copy),
        "case_id": card.case,
        "place": str(card.place),
        "for_user": card.for_user,
        "kind": card.kind.value,
        "copy": card.copy,
    }


def card_of(row: Any) -> CaseCard:
    """Return the card of a row."""
    return CaseCard(
        case=row.case_id,
        place=Place.parse(row.place),
        for_user=row.for_user,
        kind=ApprovalCardKind(row.kind),
        copy=row.copy,
    )


def audit_row(row: AuditRow) -> dict[str, Any]:
    """Return the row of a line of the record."""
    return {
        "case_id": row.case,
        "at_us": microseconds(row.at),
        "what": row.what,
        "user_id": row.user_id,
        "detail": row.detail,
        "seen": row.seen,
    }


def audit_of(row: Any) -> AuditRow:
    """Return the line of a row."""
    return AuditRow(
        at=moment(row.at_us), case=row.case_id, what=row.what, user_id=row.user_id, detail=row.detail, seen=row.seen
    )


def _body(case: Case) -> dict[str, Any]:
    return {
        "number": case.number,
        "fingerprint": case.fingerprint,
        "version": case.version,
        "level": case.level,
        "waits_for": case.waits_for,
        "brief": _brief(case.summary),
        "plan": _plan(case.plan),
        "policy": case.policy,
        "votes": [_vote(vote) for vote in case.votes],
        "forwards": [(one.person, one.to, microseconds(one.at)) for one in case.forwards],
        "refused": case.refused,
        "decision": None if case.decision is None else _decision(case.decision),
        "attempted": _us(case.attempted_at),
        "attempts": case.attempts,
        "outcome": case.outcome,
        "said": case.erp_text,
        "elsewhere": "" if case.elsewhere is None else case.elsewhere.by,
        "there": None if case.elsewhere is None else _there(case.elsewhere),
        "reminders": case.reminders,
        "expired": case.expired,
        "revision": case.revision,
    }


def _brief(brief: DocumentSummary) -> dict[str, Any]:
    return {
        "vendor": brief.vendor,
        "total": _money(brief.total),
        "due": None if brief.due_on is None else brief.due_on.isoformat(),
        "requester": brief.requester,
        "requested_by": brief.requested_by,
        "editors": sorted(brief.editors),
    }


def _brief_of(body: Any) -> DocumentSummary:
    return DocumentSummary(
        vendor=body["vendor"],
        total=None if body["total"] is None else _money_of(body["total"]),
        due_on=None if body["due"] is None else date.fromisoformat(body["due"]),
        requester=body["requester"],
        requested_by=body["requested_by"],
        editors=frozenset(body["editors"]),
    )


def _plan(plan: ApprovalPlan) -> dict[str, Any]:
    return {
        "rule": plan.rule,
        "levels": [
            {
                "need": level.quorum,
                "approvers": level.approvers,
                "excluded": {one: _phrase(why) for one, why in level.excluded.items()},
            }
            for level in plan.levels
        ],
        "confirm": plan.confirm,
        "remind": [after // _MOMENT for after in plan.remind_after],
        "deadline": None if plan.deadline is None else plan.deadline // _MOMENT,
        "on_expiry": plan.on_expiry,
        "escalate_to": plan.escalate_to,
        "single": {one: _amounts(amounts) for one, amounts in plan.single_limits.items()},
        "daily": _amounts(plan.daily_limits),
    }


def _plan_of(body: Any) -> ApprovalPlan:
    return ApprovalPlan(
        rule=body["rule"],
        levels=tuple(
            ApprovalLevel(
                number=number,
                quorum=Quorum(level["need"]),
                approvers=tuple(level["approvers"]),
                excluded=MappingProxyType({one: _phrase_of(why) for one, why in level["excluded"].items()}),
            )
            for number, level in enumerate(body["levels"], 1)
        ),
        confirm=body["confirm"],
        remind_after=tuple(after * _MOMENT for after in body["remind"]),
        deadline=None if body["deadline"] is None else body["deadline"] * _MOMENT,
        on_expiry=ExpiryAction(body["on_expiry"]),
        escalate_to=tuple(body["escalate_to"]),
        single_limits=MappingProxyType({one: _amounts_of(some) for one, some in body["single"].items()}),
        daily_limits=_amounts_of(body["daily"]),
    )


def _vote(vote: Vote) -> dict[str, Any]:
    return {
        "user": vote.user_id,
        "name": vote.name,
        "level": vote.level,
        "verdict": vote.verdict,
        "at": microseconds(vote.at),
        "reason": vote.reason,
        "for": vote.on_behalf_of,
    }


def _vote_of(body: Mapping[str, Any]) -> Vote:
    return Vote(
        user_id=body["user"],
        name=body["name"],
        level=body["level"],
        verdict=Verdict(body["verdict"]),
        at=moment(body["at"]),
        reason=body["reason"],
        on_behalf_of=body["for"],
    )


def _decision(decision: CaseDecision) -> dict[str, Any]:
    return {
        "verdict": decision.verdict,
        "by": decision.by,
        "name": decision.name,
        "account": decision.account,
        "reason": decision.reason,
        "at": microseconds(decision.at),
    }


def _decision_of(body: Mapping[str, Any]) -> CaseDecision:
    return CaseDecision(
        verdict=Verdict(body["verdict"]),
        by=body["by"],
        name=body["name"],
        account=body["account"],
        reason=body["reason"],
        at=moment(body["at"]),
    )


def _there(elsewhere: ExternalDecision) -> dict[str, Any]:
    return {"status": elsewhere.status, "at": _us(elsewhere.at)}


def _elsewhere_of(body: Mapping[str, Any]) -> ExternalDecision | None:
    by, there = body["elsewhere"], body.get("there")
    if there is None:
        return ExternalDecision(by=by) if by else None  # rows were once written with the name alone
    status, at = there["status"], there["at"]
    return ExternalDecision(
        status=None if status is None else PurchaseStatus(status), by=by, at=None if at is None else moment(at)
    )


def _phrase(why: Phrase) -> tuple[str, dict[str, str]]:
    return why.msgid, {name: str(value) for name, value in why.params.items()}


def _phrase_of(body: Any) -> Phrase:
    msgid, params = body
    return Phrase(msgid, MappingProxyType(params))


def _money(money: Money | None) -> tuple[str, str] | None:
    return None if money is None else (str(money.amount), money.currency)


def _money_of(body: Any) -> Money:
    amount, currency = body
    return Money(Decimal(amount), currency)


def _amounts(amounts: Iterable[Money]) -> list[tuple[str, str]]:
    return [(str(one.amount), one.currency) for one in amounts]


def _amounts_of(body: Iterable[Any]) -> tuple[Money, ...]:
    return tuple(map(_money_of, body))


def _us(value: datetime | None) -> int | None:
    return None if value is None else microseconds(value)
