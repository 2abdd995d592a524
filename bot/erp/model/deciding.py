"""Decisions on documents of any kind, and how far a document is on its way through the ERP's own approval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from bot.erp.model.values import NOTHING, ErpRecord
from bot.words.disclosure import FieldClass, Stating


class Verdict(StrEnum):
    """A person's verdict on a document."""

    APPROVE = "approve"
    REJECT = "reject"


class ReviewState(StrEnum):
    """State of a document in the ERP's own approval (docs: platform/erp/records.md#purchase-orders)."""

    DRAFT = "draft"
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The people whose turn it is, the level, and the last decision.

    ``passed_by`` are the accounts that approved the levels before, where the ERP tells more than the last of them.
    """

    pending_for: tuple[str, ...] = ()
    level: int = 1
    levels: int = 1
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: Annotated[str, Stating(FieldClass.COST)] = ""
    task_id: str = ""
    passed_by: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What the ERP tells of a document's approval; ``version`` is opaque and changes with every edit.

    ``requester``, ``changed_by`` and the people of ``approval`` are accounts of the ERP, as used by decisions;
    ``people`` are their names, if the ERP provides them.
    """

    state: ReviewState
    version: str
    approval: Approval | None = None
    requester: str = ""
    changed_by: str = ""
    """The last writer, which in most ERPs includes submitting and deciding; empty if the ERP does not provide it."""
    people: Mapping[str, str] = field(default_factory=lambda: NOTHING)

    @property
    def waits(self) -> bool:
        """Whether it waits for a decision."""
        return self.state is ReviewState.WAITING

    @property
    def progress(self) -> Approval:
        """The state of approval; where the ERP tells nothing of it, one level and nobody."""
        return self.approval or Approval()

    def named(self, account: str) -> str:
        """Return the name of an account, or the account itself if the ERP does not provide the name."""
        return self.people.get(account, account)

    def names(self, accounts: Iterable[str]) -> tuple[str, ...]:
        """Return the names of several accounts."""
        return tuple(map(self.named, accounts))


class DecisionOutcome(StrEnum):
    """The outcome of a decision, after the document was read again (docs: platform/erp/records.md#outcomes)."""

    APPLIED = "applied"
    MORE_APPROVALS_NEEDED = "recorded_more_approvals_needed"
    ALREADY_DECIDED = "already_decided"
    NOT_PERMITTED = "not_permitted"
    CHANGED_SINCE_SHOWN = "changed_since_shown"
    UNKNOWN = "unknown_after_timeout"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's verdict on one revision of a document."""

    kind: str = "po"
    """The command of the document's kind (`bot.erp.kinds.kind.Kind.command`)."""
    number: str
    version: str
    """The version that the person saw; if the ERP has another, the outcome is `DecisionOutcome.CHANGED_SINCE_SHOWN`."""
    verdict: Verdict
    by: str
    """The ERP user on whose behalf the decision is made."""
    reason: Annotated[str, Stating(FieldClass.COST)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionResult:
    """The outcome, the document as it is afterwards, and the ERP's message."""

    outcome: DecisionOutcome
    document: ErpRecord | None
    text: Annotated[str, Stating(FieldClass.COST)] = ""
