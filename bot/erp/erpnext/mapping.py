"""What a site's values mean (times without a zone, numbers through a float, HTML), and its Workflow's states."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote

from bot.erp import values
from bot.erp.erpnext.client import Row
from bot.erp.errors import Invalid
from bot.erp.model import Approval, Money, PurchaseOrder, PurchaseStatus
from bot.erp.values import LocalValues, text

R = TypeVar("R")

_LATE = timedelta(minutes=2)
"""``modified`` is set when a save begins, and seen when its transaction ends: a long submit takes about this long."""

_DECIMALS = 9
"""Frappe keeps nine decimals; what a binary float adds behind them was never there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site(LocalValues):
    """One site: the source's name, the address of its desk, and the zone that its times are meant in."""

    source: str
    url: str

    def text(self, moment: datetime) -> str:
        """Return a time as Frappe takes it in a filter."""
        return self.local(moment).strftime("%Y-%m-%d %H:%M:%S.%f")

    def late(self, moment: datetime) -> timedelta:
        """Return how far before ``moment`` changes may still turn up.

        In the hour that an autumn night has twice, times without a zone go back by an hour.
        """
        return _LATE + max(self._repeated(moment), self._repeated(moment - _LATE))

    def _repeated(self, moment: datetime) -> timedelta:
        local = self.local(moment).replace(tzinfo=None)
        first, second = (local.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return max(second - first, timedelta(0))

    def link(self, doctype: str, name: str) -> str:
        """Return the address of a document's form in the desk."""
        return f"{self.url.rstrip('/')}/app/{doctype.lower().replace(' ', '-')}/{quote(name, safe='')}"

    def read(self, mapping: Callable[..., R], row: dict[str, Any], *more: Any) -> R:
        """Return what ``mapping`` makes of a row; raises `Invalid` for one that cannot be read."""
        try:
            return mapping(row, self, *more)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise Invalid(f"unreadable record {row.get('name')!r}: {error!r}"[:200], source=self.source) from error


def number(value: Any) -> Decimal | None:
    """Return a number exactly, without the noise of floats behind its ninth decimal."""
    return values.number(value, decimals=_DECIMALS)


def required_number(value: Any) -> Decimal:
    """Return a number that cannot be left unsaid."""
    found = number(value)
    if found is None:
        raise ValueError("a quantity is missing")
    return found


def money(value: Any, currency: Any) -> Money | None:
    """Return an amount, or None where the user may not see it or no currency is named."""
    return values.money(number(value), text(currency))


def html_to_text(content: Any) -> str:
    """Return the text of an HTML field, as its writer saw it."""
    text = re.sub(r"<br\s*/?>|</(p|div|li)>", "\n", str(content or ""), flags=re.IGNORECASE)
    return html.unescape(re.sub(r"<[^<>]*>", "", text)).strip()


def text_to_html(text: str) -> str:
    """Return a text as an HTML field holds it."""
    return html.escape(text, quote=False).replace("\n", "<br>")


_SOON = timedelta(minutes=5)
"""How long after a step a comment of the same person is taken for its reason."""


@dataclass(frozen=True, slots=True)
class WorkflowTransition:
    """A step that a Workflow allows: from a state by an action to the next, for the users of a role."""

    state: str
    action: str
    next_state: str
    role: str
    self_approval: bool


def transition(row: Row) -> WorkflowTransition:
    """Return a row of a Workflow's transitions."""
    own = row.get("allow_self_approval") == 1
    return WorkflowTransition(row["state"], row["action"], row["next_state"], str(row.get("allowed") or ""), own)


@dataclass(frozen=True, slots=True)
class ApprovalWorkflow:
    """How Purchase Orders are approved. States are what ``field`` of the document may hold.

    Without a Workflow, the field is ``docstatus``: a draft waits, and is approved by submitting it.
    """

    field: str
    approvals: tuple[WorkflowTransition, ...]
    rejected: frozenset[str]
    """States in which rejected orders end."""

    @property
    def submits(self) -> bool:
        """Whether there is no Workflow."""
        return self.field == "docstatus"

    @property
    def waiting(self) -> frozenset[str]:
        """Return the states from which an order can be approved."""
        return frozenset(approval.state for approval in self.approvals)

    def state_of(self, row: Row) -> str:
        """Return a document's state; empty where it has none."""
        return text(row.get(self.field))

    def level(self, state: str) -> int:
        """Return at which approval a waiting state is, 1 the first."""
        return 1 + _longest(state, [(approval.next_state, approval.state) for approval in self.approvals])

    def levels(self, state: str) -> int:
        """Return how many approvals the way through a waiting state has, where conditions differ at most."""
        steps = [(approval.state, approval.next_state) for approval in self.approvals]
        further = [(before, after) for before, after in steps if after in self.waiting]
        return self.level(state) + _longest(state, further)

    def may_approve_own(self, state: str) -> bool:
        """Whether people may approve their own orders in this state."""
        return self.submits or any(approval.self_approval for approval in self.approvals if approval.state == state)


SUBMITTING = ApprovalWorkflow(
    "docstatus", (WorkflowTransition("0", "Submit", "1", "", self_approval=True),), frozenset()
)
"""What holds where no Workflow is defined."""


def _longest(state: str, edges: Sequence[tuple[str, str]], seen: frozenset[str] = frozenset()) -> int:
    """Return the length of the longest way from ``state``; states that were passed already end it."""
    ways = {after for before, after in edges if before == state} - seen - {state}
    return max((1 + _longest(way, edges, seen | {state}) for way in ways), default=0)


def workflow(row: Row, site: Site, approve: str, reject: str) -> ApprovalWorkflow:
    """Return a Workflow; ``approve`` and ``reject`` are its actions' names, which every site chooses for itself."""
    transitions = [transition(entry) for entry in row["transitions"]]
    approvals = tuple(move for move in transitions if move.action == approve)
    if not approvals:
        names = ", ".join(sorted({move.action for move in transitions}))
        raise Invalid(f"the Workflow has no action {approve!r} (it has: {names})", source=site.source)
    first = row["states"][0]["state"]
    refused = {move.next_state for move in transitions if move.action == reject}
    # Where rejecting sends an order back, it is a draft again, or waits again.
    rejected = frozenset(refused - {first} - {move.state for move in approvals})
    return ApprovalWorkflow(str(row.get("workflow_state_field") or "workflow_state"), approvals, rejected)


@dataclass(frozen=True, slots=True)
class StateChange:
    """A change of a document's state."""

    by: str
    at: datetime
    before: str
    after: str


def step(row: Row, site: Site, field: str) -> StateChange | None:
    """Return the step that a Version records, if it is one."""
    changed = json.loads(row["data"]).get("changed") or ()
    for name, before, after in changed:
        if name == field:
            at = site.time(row["creation"])
            return None if at is None else StateChange(str(row["owner"]), at, text(before), text(after))
    return None


@dataclass(frozen=True, slots=True)
class DocumentComment:
    """A comment on a document."""

    by: str
    at: datetime
    text: str


def remark(row: Row, site: Site) -> DocumentComment:
    """Return a Comment, without its editor's HTML."""
    at = site.time(row["creation"])
    if at is None:
        raise ValueError("a comment without a time")
    return DocumentComment(str(row.get("comment_email") or row["owner"]), at, html_to_text(row.get("content")))


def with_approval(
    order: PurchaseOrder,
    workflow: ApprovalWorkflow,
    *,
    steps: Iterable[StateChange] = (),
    remarks: Iterable[DocumentComment] = (),
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
        reason = next((comment.text for comment in remarks if _explains(comment, last)), "")
        approval = replace(approval, decided_by=last.by, decided_at=last.at, reason=reason)
    return replace(order, approval=approval)


def _last_decision(workflow: ApprovalWorkflow, steps: Iterable[StateChange]) -> StateChange | None:
    """Return the last decision since the order was last submitted."""
    last = None
    for change in sorted(steps, key=lambda change: change.at):
        last = change if change.before in workflow.waiting else None
    return last


def _explains(remark: DocumentComment, step: StateChange) -> bool:
    return remark.by == step.by and timedelta(0) <= remark.at - step.at <= _SOON
