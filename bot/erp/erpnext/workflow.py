"""Who decides on a Purchase Order, and what became of it: the Workflow and the trail of its steps (ERP sheet, 4.5)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.erp.erpnext.client import Row
from bot.erp.erpnext.site import Site, plain
from bot.erp.errors import Invalid
from bot.erp.model import Approval, PurchaseOrder, PurchaseStatus

_SOON = timedelta(minutes=5)
"""How long after a step a comment of the same person is taken for its reason."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A step that a Workflow allows: from a state by an action to the next, for the users of a role."""

    state: str
    action: str
    next_state: str
    role: str
    self_approval: bool


def transition(row: Row) -> Transition:
    """Return a row of a Workflow's transitions."""
    own = row.get("allow_self_approval") == 1
    return Transition(row["state"], row["action"], row["next_state"], str(row.get("allowed") or ""), own)


@dataclass(frozen=True, slots=True)
class Workflow:
    """How Purchase Orders are approved. States are what ``field`` of the document may hold.

    Without a Workflow, the field is ``docstatus``: a draft waits, and is approved by submitting it.
    """

    field: str
    approvals: tuple[Transition, ...]
    rejected: frozenset[str]
    """States in which an order ends that somebody rejected."""

    @property
    def submits(self) -> bool:
        """Whether there is no Workflow."""
        return self.field == "docstatus"

    @property
    def waiting(self) -> frozenset[str]:
        """Return the states that somebody can approve from."""
        return frozenset(each.state for each in self.approvals)

    def state_of(self, row: Row) -> str:
        """Return a document's state; empty where it has none."""
        state = row.get(self.field)
        return "" if state is None else str(state)

    def level(self, state: str) -> int:
        """Return at which approval a waiting state is, 1 the first."""
        return 1 + _longest(state, [(each.next_state, each.state) for each in self.approvals])

    def levels(self, state: str) -> int:
        """Return how many approvals the way through a waiting state has, where conditions differ at most."""
        further = [(each.state, each.next_state) for each in self.approvals if each.next_state in self.waiting]
        return self.level(state) + _longest(state, further)

    def may_approve_own(self, state: str) -> bool:
        """Whether somebody may approve their own order in this state."""
        return self.submits or any(each.self_approval for each in self.approvals if each.state == state)


SUBMITTING = Workflow("docstatus", (Transition("0", "Submit", "1", "", self_approval=True),), frozenset())
"""What holds where no Workflow is defined."""


def _longest(state: str, edges: Sequence[tuple[str, str]], seen: frozenset[str] = frozenset()) -> int:
    """Return the length of the longest way from ``state``; states that were passed already end it."""
    ways = {after for before, after in edges if before == state} - seen - {state}
    return max((1 + _longest(way, edges, seen | {state}) for way in ways), default=0)


def workflow(row: Row, site: Site, approve: str, reject: str) -> Workflow:
    """Return a Workflow; ``approve`` and ``reject`` are its actions' names, which every site chooses for itself."""
    transitions = [transition(each) for each in row["transitions"]]
    approvals = tuple(each for each in transitions if each.action == approve)
    if not approvals:
        names = ", ".join(sorted({each.action for each in transitions}))
        raise Invalid(f"the Workflow has no action {approve!r} (it has: {names})", source=site.source)
    first = row["states"][0]["state"]
    refused = {each.next_state for each in transitions if each.action == reject}
    # Where rejecting sends an order back, it is a draft again, or waits again.
    rejected = frozenset(refused - {first} - {each.state for each in approvals})
    return Workflow(str(row.get("workflow_state_field") or "workflow_state"), approvals, rejected)


@dataclass(frozen=True, slots=True)
class Step:
    """A change of a document's state: who made it, when, from which state to which."""

    by: str
    at: datetime
    before: str
    after: str


def step(row: Row, site: Site, field: str) -> Step | None:
    """Return the step that a Version records, if it is one."""
    changed = json.loads(row["data"]).get("changed") or ()
    for name, before, after in changed:
        if name == field:
            at = site.moment(row["creation"])
            return None if at is None else Step(str(row["owner"]), at, _text(before), _text(after))
    return None


def _text(value: Any) -> str:
    return "" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment on a document."""

    by: str
    at: datetime
    text: str


def remark(row: Row, site: Site) -> Remark:
    """Return a Comment. Its editor's HTML is not part of what was said."""
    at = site.moment(row["creation"])
    if at is None:
        raise ValueError("a comment without a time")
    return Remark(str(row.get("comment_email") or row["owner"]), at, plain(row.get("content")))


def with_approval(
    order: PurchaseOrder,
    workflow: Workflow,
    *,
    steps: Iterable[Step] = (),
    remarks: Iterable[Remark] = (),
    pending_for: Sequence[str] = (),
) -> PurchaseOrder:
    """Return an order with its approval; drafts and cancelled orders have none."""
    if order.status in {PurchaseStatus.DRAFT, PurchaseStatus.CANCELLED}:
        return order
    state, last = order.extra.get(workflow.field, ""), _last_decision(workflow, steps)
    at = state if order.status is PurchaseStatus.WAITING else last.before if last else ""
    approval = Approval(pending_for=tuple(pending_for))
    if at in workflow.waiting:
        approval = replace(approval, level=workflow.level(at), levels=workflow.levels(at))
    if last is not None:
        reason = next((each.text for each in remarks if _explains(each, last)), "")
        approval = replace(approval, decided_by=last.by, decided_at=last.at, reason=reason)
    return replace(order, approval=approval)


def _last_decision(workflow: Workflow, steps: Iterable[Step]) -> Step | None:
    """Return the last decision since the order was last handed in."""
    last = None
    for each in sorted(steps, key=lambda each: each.at):
        last = each if each.before in workflow.waiting else None
    return last


def _explains(remark: Remark, step: Step) -> bool:
    return remark.by == step.by and timedelta(0) <= remark.at - step.at <= _SOON
