"""What became of a document in the ERP itself, without our doing: as far as the ERP tells, and no further."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from bot.erp.model import Approval, PurchaseOrder, PurchaseStatus, Verdict
from bot.phrase import Phrase, phrase

_VERDICTS: Mapping[PurchaseStatus | None, Verdict] = MappingProxyType(
    {
        PurchaseStatus.APPROVED: Verdict.APPROVE,
        PurchaseStatus.DONE: Verdict.APPROVE,
        PurchaseStatus.REJECTED: Verdict.REJECT,
    }
)
"""States that only a decision leads to (ERP sheet, 11.2). A draft or a cancelled document may have been turned down or
taken back: the ERP does not tell which."""

_HEADLINES: Mapping[Verdict | None, Phrase] = MappingProxyType(
    {
        Verdict.APPROVE: phrase("Approved in the ERP"),
        Verdict.REJECT: phrase("Rejected in the ERP"),
        None: phrase("Decided in the ERP"),
    }
)

_WITHDRAWN: Mapping[PurchaseStatus | None, Phrase] = MappingProxyType(
    {
        PurchaseStatus.DRAFT: phrase("It is a draft again in the ERP."),
        PurchaseStatus.CANCELLED: phrase("It was cancelled in the ERP."),
        None: phrase("It is not in the ERP any more."),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What the ERP told of a document that it no longer waits for."""

    status: PurchaseStatus | None = None
    """None where it is not known; of a withdrawn one: it is not there any more."""
    by: str = ""
    """Who decided, as the ERP names them; empty where it does not tell, or nobody decided."""
    at: datetime | None = None
    """When they did."""

    @property
    def verdict(self) -> Verdict | None:
        """Return what was decided; None where nothing was, or the ERP does not tell."""
        return _VERDICTS.get(self.status)


def seen_there(order: PurchaseOrder) -> Elsewhere:
    """Return what an order that no longer waits tells.

    Who decided and when are told of decisions alone: on a cancelled one they are those of an earlier level.
    """
    there, approval = Elsewhere(status=order.status), order.approval or Approval()
    if there.verdict is None:
        return there
    return Elsewhere(status=order.status, by=order.named(approval.decided_by), at=approval.decided_at)


def headline(there: Elsewhere | None) -> Phrase:
    """Return what a case is called that was decided there."""
    return _HEADLINES[there.verdict if there is not None else None]


def withdrawn(there: Elsewhere | None) -> Phrase:
    """Return what became of a document that no longer waits, without a decision."""
    if there is None:
        return phrase("It was taken back or deleted in the ERP.")
    return _WITHDRAWN.get(there.status, _WITHDRAWN[None])


def decided(there: Elsewhere) -> Phrase | None:
    """Return what somebody is told who would decide as well; None where there is nothing to tell."""
    match there.verdict:
        case Verdict.APPROVE:
            return _approved(there)
        case Verdict.REJECT:
            return _rejected(there)
        case _:
            return phrase("%(name)s decided it in the ERP already.", name=there.by) if there.by else None


def _approved(there: Elsewhere) -> Phrase:
    if not there.by:
        return phrase("It was approved in the ERP already.")
    if there.at is None:
        return phrase("%(name)s approved it in the ERP already.", name=there.by)
    return phrase("%(name)s approved it in the ERP already, at %(time)s.", name=there.by, time=there.at)


def _rejected(there: Elsewhere) -> Phrase:
    if not there.by:
        return phrase("It was rejected in the ERP already.")
    if there.at is None:
        return phrase("%(name)s rejected it in the ERP already.", name=there.by)
    return phrase("%(name)s rejected it in the ERP already, at %(time)s.", name=there.by, time=there.at)
