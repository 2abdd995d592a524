"""Converts cases, their cards and the record to rows and back. Times are whole microseconds: nothing is rounded.

A case's row holds it as JSON, with search columns beside it; values that the database must keep unique have rows of
their own. Votes, refusals, decisions and the ERP's answers are also in the audit log. Reasons and the ERP's messages
stay with the case: they may hold amounts and people's own words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import orjson

from bot.access.audit import BOT_ACTOR, AuditEntry, AuditKind
from bot.approvals.case import (
    AuditRow,
    Case,
    CaseCard,
    CaseDecision,
    CaseState,
    DocumentSummary,
    ExternalDecision,
    Inquiry,
    Nudge,
    limit_votes,
)
from bot.approvals.lifecycle import key_of, round_of
from bot.approvals.plan import ApprovalLevel, ApprovalPlan, Forward, Vote
from bot.checks.check import CheckOutcome
from bot.erp.kinds import decided_kind
from bot.erp.model import Money
from bot.outbox.place import Place
from bot.store.record_codec import AS_IT_IS, DATE, DECIMAL, Codecs, ListCodec, PlainCodec, RecordCodec, pack_body
from bot.store.row_times import duration_from_us, duration_to_us, from_us, to_us
from bot.words.phrase import Phrase


def _write_phrase(phrase: Phrase) -> tuple[str, dict[str, str | list[str]]]:
    return phrase.msgid, {
        name: list(map(str, value)) if isinstance(value, tuple) else str(value) for name, value in phrase.params.items()
    }


def _read_phrase(stored: Any) -> Phrase:
    msgid, params = stored
    words = {name: tuple(value) if isinstance(value, list) else value for name, value in params.items()}
    return Phrase(msgid, MappingProxyType(words))


_MONEY = ListCodec(Money, {Decimal: DECIMAL})
_VALUES: Codecs = {
    datetime: PlainCodec(to_us, from_us),
    timedelta: PlainCodec(duration_to_us, duration_from_us),
    date: DATE,
    Money: _MONEY,
    Phrase: PlainCodec(_write_phrase, _read_phrase),
    Place: PlainCodec(str, Place.parse),
}
_FIGURES: Mapping[type, tuple[str, PlainCodec]] = MappingProxyType(
    {
        Money: ("money", PlainCodec(_MONEY.write, _MONEY.read)),
        Decimal: ("number", PlainCodec(*DECIMAL)),
        date: ("day", PlainCodec(*DATE)),
    }
)


def _write_figures(value: Any) -> Any:
    """Return words or a value of theirs in JSON form, figures and days with their types for each language to tell."""
    if isinstance(value, Phrase):
        return {"id": value.msgid, "values": {name: _write_figures(each) for name, each in value.params.items()}}
    if isinstance(value, tuple):
        return list(map(_write_figures, value))
    name, codec = _FIGURES.get(type(value), ("", AS_IT_IS))
    return {name: codec.write(value)} if name else value


def _read_figures(stored: Any) -> Any:
    match stored:
        case {"id": str(msgid), "values": dict(values)}:
            return Phrase(msgid, MappingProxyType({name: _read_figures(each) for name, each in values.items()}))
        case dict():
            return next(codec.read(stored[name]) for name, codec in _FIGURES.values() if name in stored)
        case list():
            return tuple(map(_read_figures, stored))
    return stored


_LEVEL = RecordCodec(ApprovalLevel, _VALUES, names={"quorum": "need"}, skip={"number"})
_LEVELS = PlainCodec(
    lambda levels: list(map(_LEVEL.write, levels)),
    lambda stored: tuple(_LEVEL.read(level, number=number) for number, level in enumerate(stored, 1)),
)
PLAN = RecordCodec(
    ApprovalPlan,
    {**_VALUES, tuple[ApprovalLevel, ...]: _LEVELS},
    names={"remind_after": "remind", "single_limits": "single", "daily_limits": "daily"},
    sparse={"by_role", "by_manager", "todo", "own_limits"},
)
VOTE = RecordCodec(Vote, _VALUES, names={"user_id": "user", "on_behalf_of": "for"}, sparse={"way"})
_ELSEWHERE = RecordCodec(ExternalDecision, _VALUES, skip={"by"})
_BODY = RecordCodec(
    Case,
    {
        **_VALUES,
        ApprovalPlan: PLAN,
        DocumentSummary: RecordCodec(
            DocumentSummary,
            _VALUES,
            names={"partner": "vendor", "day": "ordered", "due_on": "due", "passed_by": "passed"},
            sparse={"passed_by"},
        ),
        Vote: VOTE,
        Forward: ListCodec(Forward, _VALUES),
        Inquiry: RecordCodec(Inquiry, _VALUES),
        Nudge: RecordCodec(Nudge, _VALUES),
        CheckOutcome: RecordCodec(CheckOutcome, {**_VALUES, Phrase: PlainCodec(_write_figures, _read_figures)}),
        CaseDecision: RecordCodec(CaseDecision, _VALUES),
    },
    names={"summary": "brief", "attempted_at": "attempted", "erp_text": "said"},
    skip={"id", "source", "kind", "state", "opened_at", "due_at", "elsewhere"},
    sparse={"levels", "inquiries", "nudge", "checks"},
)
"""A case row's JSON: the fields without columns."""
_CARD = RecordCodec(CaseCard, _VALUES, names={"case": "case_id"})
_AUDIT = RecordCodec(AuditRow, _VALUES, names={"case": "case_id", "at": "at_us"})


def case_row(case: Case, stamp: int, body: str = "", known: Case | None = None) -> dict[str, Any]:
    """Return the row of a case; ``stamp`` counts its writes, ``body`` is its JSON before, read as ``known``."""
    return {
        "id": case.id,
        "source": case.source,
        "kind": case.kind.command,
        "folded": case.number.casefold(),
        "round": round_of(case),
        "state": case.state.value,
        "opened_us": to_us(case.opened_at),
        "due_us": None if case.due_at is None else to_us(case.due_at),
        "stamp": stamp,
        "body": pack_body(_body(case), body, None if known is None else _body(known)),
    }


def _body(case: Case) -> dict[str, Any]:
    there = case.elsewhere
    return {
        "elsewhere": "" if there is None else there.by,
        "there": None if there is None else _ELSEWHERE.write(there),
        **_BODY.write(case),
    }


def case_of(row: Any) -> Case:
    body = orjson.loads(row.body)
    return _BODY.read(
        body,
        id=row.id,
        source=row.source,
        kind=decided_kind(row.kind),
        state=CaseState(row.state),
        opened_at=from_us(row.opened_us),
        due_at=None if row.due_us is None else from_us(row.due_us),
        elsewhere=_elsewhere_of(body),
    )


def _elsewhere_of(body: Mapping[str, Any]) -> ExternalDecision | None:
    by, there = body["elsewhere"], body.get("there")
    if there is not None:
        return _ELSEWHERE.read(there, by=by)
    return ExternalDecision(by=by) if by else None  # rows once held only the name


def vote_rows(case: Case) -> list[dict[str, Any]]:
    """Return a row per vote; ``currency`` and ``amount`` are set on approvals that count against limits."""
    total, counted = case.summary.total, set(limit_votes(case))
    return [
        {
            "case_id": case.id,
            "user_id": vote.user_id,
            "principal": vote.on_behalf_of,
            "verdict": vote.verdict.value,
            "at_us": to_us(vote.at),
            "currency": total.currency if total is not None and vote in counted else "",
            "amount": str(total.amount) if total is not None and vote in counted else "",
        }
        for vote in case.votes
    ]


def decision_row(case_id: str, decision: CaseDecision) -> dict[str, Any]:
    """Return the row of a case's one decision."""
    at = to_us(decision.at)
    return {"case_id": case_id, "verdict": decision.verdict.value, "user_id": decision.by, "at_us": at}


def card_row(card: CaseCard) -> dict[str, Any]:
    return _CARD.write(card) | {"card": key_of(card)}


def card_of(row: Any) -> CaseCard:
    return _CARD.read_row(row)


def audit_row(line: AuditRow) -> dict[str, Any]:
    """Return the row of a record line."""
    return _AUDIT.write(line)


def audit_of(row: Any) -> AuditRow:
    """Return the record line of a row."""
    return _AUDIT.read_row(row)


_ACTIONS = {
    "vote": "vote",
    "refused": "vote",
    "decided": "decide",
    "taken_back": "take back",
    "forwarded": "forward",
    "asked_back": "ask back",
    "answered": "answer",
    "insisted": "insist",
    "nudged": "remind",
    "outcome": "tell the ERP",
    "not_written": "tell the ERP",
    "erp_refused": "tell the ERP",
    "unknown": "tell the ERP",
    **{state.value: "close" for state in CaseState if state.is_final},
}
_PRINCIPAL = re.compile(r"for \S+$")
"""The suffix of a substitute's vote text, before its reason."""
_SAYS_OUTCOME = frozenset({"vote", "decided", "outcome", "not_written"})
"""Lines whose detail begins with the outcome, in one word."""


def make_decision_entry(row: AuditRow, case: Case) -> AuditEntry | None:
    """Return the audit entry for a line of the case's record; None for lines without a decision."""
    action = _ACTIONS.get(row.what)
    if action is None:
        return None
    outcome = row.detail.split(" ", 1)[0].rstrip(":") if row.what in _SAYS_OUTCOME else row.what
    principal = _PRINCIPAL.search(row.detail.partition(":")[0]) if row.what in ("vote", "decided") else None
    return AuditEntry(
        kind=AuditKind.REFUSAL if row.what == "refused" else AuditKind.DECISION,
        at=row.at,
        actor=row.user_id or BOT_ACTOR,
        action=action,
        documents=(case.number,),
        rule=case.plan.rule,
        outcome=outcome,
        detail=f"to {row.detail}" if row.what == "forwarded" else principal[0] if principal else "",
    )
