"""The part of an approval's record that is also in the audit log: votes, refusals, decisions and the ERP's answers.

Reasons and the ERP's words stay with the case: they may hold amounts, and what people wrote.
"""

from __future__ import annotations

from bot.access.audit import BOT_ACTOR, AuditEntry, AuditKind
from bot.approvals.case import AuditRow, Case, CaseState

_ACTIONS = {
    "vote": "vote",
    "refused": "vote",
    "decided": "decide",
    "taken_back": "take back",
    "forwarded": "forward",
    "outcome": "tell the ERP",
    "not_written": "tell the ERP",
    "erp_refused": "tell the ERP",
    "unknown": "tell the ERP",
    **{state.value: "close" for state in CaseState if state.is_final},
}
_SAYS_OUTCOME = frozenset({"vote", "decided", "outcome", "not_written"})
"""Lines whose detail begins with the outcome, in one word."""


def make_decision_entry(row: AuditRow, case: Case) -> AuditEntry | None:
    """Return the entry about a line of the case's record; None for lines that record no decision."""
    action = _ACTIONS.get(row.what)
    if action is None:
        return None
    outcome = row.detail.split(" ", 1)[0].rstrip(":") if row.what in _SAYS_OUTCOME else row.what
    return AuditEntry(
        kind=AuditKind.REFUSAL if row.what == "refused" else AuditKind.DECISION,
        at=row.at,
        actor=row.user_id or BOT_ACTOR,
        action=action,
        documents=(case.number,),
        rule=case.plan.rule,
        outcome=outcome,
        detail=f"to {row.detail}" if row.what == "forwarded" else "",
    )
