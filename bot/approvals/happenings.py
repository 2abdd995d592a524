"""Which lines of a case's record programs are told of."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.approvals.case import AuditRow, Case, CaseState
from bot.outbox.happenings import Happening, HappeningType

_TOLD: Mapping[str, HappeningType] = MappingProxyType(
    {
        "opened": HappeningType.DECISION_ASKED,
        "asked_back": HappeningType.DECISION_QUESTIONED,
        "answered": HappeningType.DECISION_ANSWERED,
        "vote": HappeningType.DECISION_VOTED,
        "decided": HappeningType.DECISION_MADE,
        "taken_back": HappeningType.DECISION_TAKEN_BACK,
        CaseState.APPROVED: HappeningType.DECISION_WRITTEN,
        CaseState.REJECTED: HappeningType.DECISION_WRITTEN,
        "erp_refused": HappeningType.DECISION_REFUSED,
        CaseState.FAILED: HappeningType.DECISION_REFUSED,
        CaseState.UNKNOWN: HappeningType.DECISION_UNKNOWN,
        CaseState.SUPERSEDED: HappeningType.DECISION_CLOSED,
        CaseState.WITHDRAWN: HappeningType.DECISION_CLOSED,
        CaseState.EXPIRED: HappeningType.DECISION_CLOSED,
        CaseState.DECIDED_ELSEWHERE: HappeningType.DECISION_CLOSED,
    }
)
_ENDS = frozenset(state.value for state in CaseState if state.is_final)


def happening_of(row: AuditRow, case: Case) -> Happening | None:
    """Return what a line of a case's record tells; None for what concerns the bot alone."""
    what = _TOLD.get(row.what)
    # A case whose time is up may go on, with others.
    if what is None or (row.what in _ENDS and case.state != row.what):
        return None
    return Happening(
        type=what,
        at=row.at,
        source=case.source,
        subject=f"approvals/{case.number}",
        line=f"/decisions {case.id}",
        card="approval_record",
    )
