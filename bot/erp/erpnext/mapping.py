"""Values of a site (times without a zone, numbers stored as floats, HTML) and the states of its Workflow."""

from __future__ import annotations

import html
import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote

from bot.erp import values
from bot.erp.erpnext.client import Row
from bot.erp.errors import Invalid
from bot.erp.model import Approval, Money, ReviewState
from bot.erp.record_parts import RecordOrigin
from bot.erp.values import LocalValues, text

R = TypeVar("R")

_LATE = timedelta(minutes=2)
"""``modified`` is set when a save begins and visible when its transaction ends: a long submit takes this long."""

_DECIMALS = 9
"""Frappe stores nine decimals; further ones are noise of binary floats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site(LocalValues):
    """One site: the source's name, the address of its web client, and the zone of its times."""

    source: str
    url: str

    def text(self, moment: datetime) -> str:
        """Return a time in the format of Frappe's filters."""
        return self.local(moment).strftime("%Y-%m-%d %H:%M:%S.%f")

    def late(self, moment: datetime) -> timedelta:
        """Return how long before ``moment`` changes may still turn up.

        Times without a zone repeat an hour when clocks are put back in autumn.
        """
        return _LATE + max(self._repeated(moment), self._repeated(moment - _LATE))

    def _repeated(self, moment: datetime) -> timedelta:
        local = self.local(moment).replace(tzinfo=None)
        earlier, later = (local.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return max(later - earlier, timedelta(0))

    def link(self, doctype: str, name: str) -> str:
        """Return the address of a document's form in the web client."""
        return f"{self.url.rstrip('/')}/app/{doctype.lower().replace(' ', '-')}/{quote(name, safe='')}"

    def origin(self, doctype: str, row: Row) -> RecordOrigin:
        """Return which document of a DocType a row is."""
        name = row["name"]
        return {
            "id": name,
            "url": self.link(doctype, name),
            "changed_at": self.time(row.get("modified")),
            "source": self.source,
            "created_by": (row["owner"],) if row.get("owner") else (),
        }

    def read(self, mapping: Callable[..., R], row: dict[str, Any], *more: Any) -> R:
        """Return the result of ``mapping`` for a row; raises `Invalid` for a malformed one."""
        try:
            return mapping(row, self, *more)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise Invalid(f"unreadable record {row.get('name')!r}: {error!r}"[:200], source=self.source) from error


def number(value: Any) -> Decimal | None:
    """Return a number rounded to nine decimals, without float noise."""
    return values.number(value, decimals=_DECIMALS)


def required_number(value: Any) -> Decimal:
    """Return a number; raises if it is missing."""
    found = number(value)
    if found is None:
        raise ValueError("a quantity is missing")
    return found


def money(value: Any, currency: Any) -> Money | None:
    """Return an amount, or None if the user may not read it or no currency is given."""
    return values.money(number(value), text(currency))


def html_to_text(content: Any) -> str:
    """Return the plain text of an HTML field."""
    text = re.sub(r"<br\s*/?>|</(p|div|li)>", "\n", str(content or ""), flags=re.IGNORECASE)
    return html.unescape(re.sub(r"<[^<>]*>", "", text)).strip()


def text_to_html(text: str) -> str:
    """Return a text as HTML for a field."""
    return html.escape(text, quote=False).replace("\n", "<br>")


_SOON = timedelta(minutes=5)
"""How long after a step a comment by the same person counts as its reason."""


@dataclass(frozen=True, slots=True)
class WorkflowTransition:
    """A transition of a Workflow: a role's users may take an action that leads from one state to the next."""

    state: str
    action: str
    next_state: str
    role: str
    self_approval: bool
    condition: str = ""
    """A Python expression over the document; empty: the transition is always possible."""

    def is_certain(self, total: Decimal | None) -> bool:
        """Whether the transition is surely possible for an order of this total.

        Conditions are programs of the site's own; what is read of them is a comparison of the total with a number.
        """
        if not self.condition:
            return True
        compared = _COMPARISON.fullmatch(self.condition.strip())
        return compared is not None and total is not None and _COMPARE[compared[1]](total, Decimal(compared[2]))


_COMPARISON = re.compile(r"doc\.grand_total\s*(<=|>=|==|<|>)\s*(\d+(?:\.\d+)?)")
_COMPARE: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


def transition(row: Row) -> WorkflowTransition:
    """Return a row of a Workflow's transitions."""
    own = row.get("allow_self_approval") == 1
    condition = text(row.get("condition"))
    return WorkflowTransition(
        row["state"], row["action"], row["next_state"], str(row.get("allowed") or ""), own, condition
    )


@dataclass(frozen=True, slots=True)
class ApprovalWorkflow:
    """How documents of one DocType are approved; states are the values of ``field`` of the document.

    Without a Workflow, the field is ``docstatus``: a draft waits, and submitting approves it.
    """

    field: str
    approvals: tuple[WorkflowTransition, ...]
    rejected: frozenset[str]
    """States of rejected orders."""

    @property
    def submits(self) -> bool:
        """Whether there is no Workflow, so that submitting approves."""
        return self.field == "docstatus"

    @property
    def waiting(self) -> frozenset[str]:
        """Return the states from which an order can be approved."""
        return frozenset(approval.state for approval in self.approvals)

    def state_of(self, row: Row) -> str:
        """Return a document's state; empty if it has none."""
        return text(row.get(self.field))

    def level(self, state: str) -> int:
        """Return the approval level of a waiting state, 1 being the first."""
        return 1 + _longest(state, [(approval.next_state, approval.state) for approval in self.approvals])

    def levels(self, state: str, total: Decimal | None = None) -> int:
        """Return the number of approvals on the longest path through a waiting state.

        Only steps count that an order of this ``total`` surely takes: a condition may spare it some.
        """
        steps = [move for move in self.approvals if move.next_state in self.waiting and move.is_certain(total)]
        return self.level(state) + _longest(state, [(move.state, move.next_state) for move in steps])

    def may_approve_own(self, state: str) -> bool:
        """Whether people may approve their own orders in this state."""
        return self.submits or any(approval.self_approval for approval in self.approvals if approval.state == state)


SUBMITTING = ApprovalWorkflow(
    "docstatus", (WorkflowTransition("0", "Submit", "1", "", self_approval=True),), frozenset()
)
"""The rules where no Workflow is defined."""

NOT_DECIDED_HERE = ApprovalWorkflow(
    "docstatus", (WorkflowTransition("3", "Submit", "1", "", self_approval=False),), frozenset()
)
"""The rules where one is configured and the site has none: no document has this docstatus, so drafts are drafts.

It is a number, since a database compares ``docstatus`` with a word, or with an empty list, as with 0.
"""


def _longest(state: str, edges: Sequence[tuple[str, str]], seen: frozenset[str] = frozenset()) -> int:
    """Return the length of the longest path from ``state``; a state already on the path ends it."""
    successors = {after for before, after in edges if before == state} - seen - {state}
    return max((1 + _longest(successor, edges, seen | {state}) for successor in successors), default=0)


def workflow(row: Row, site: Site, approve: str, reject: str) -> ApprovalWorkflow:
    """Return a Workflow; ``approve`` and ``reject`` are the names of its actions, which each site chooses."""
    transitions = [transition(entry) for entry in row["transitions"]]
    approvals = tuple(move for move in transitions if move.action == approve)
    if not approvals:
        names = ", ".join(sorted({move.action for move in transitions}))
        raise Invalid(f"the Workflow has no action {approve!r} (it has: {names})", source=site.source)
    first = row["states"][0]["state"]
    refused = {move.next_state for move in transitions if move.action == reject}
    # An order that a rejection sends back is a draft again, or waits again.
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
    """Return the state change that a Version records, if any."""
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
    """Return a Comment without its HTML."""
    at = site.time(row["creation"])
    if at is None:
        raise ValueError("a comment without a time")
    return DocumentComment(str(row.get("comment_email") or row["owner"]), at, html_to_text(row.get("content")))


def with_approval(
    document: Any,
    workflow: ApprovalWorkflow,
    *,
    steps: Iterable[StateChange] = (),
    remarks: Iterable[DocumentComment] = (),
    pending_for: Sequence[str] = (),
) -> Any:
    """Return a document with its approval; drafts and cancelled ones have none."""
    review = document.review
    if review.state in {ReviewState.DRAFT, ReviewState.CANCELLED}:
        return document
    total = None if document.total is None else document.total.amount
    state, last = document.extra.get(workflow.field, ""), _last_decision(workflow, steps)
    at = state if review.waits else last.before if last else ""
    approval = Approval(pending_for=tuple(pending_for))
    if at in workflow.waiting:
        approval = replace(approval, level=workflow.level(at), levels=workflow.levels(at, total))
    if last is not None:
        reason = next((comment.text for comment in remarks if _explains(comment, last)), "")
        approval = replace(approval, decided_by=last.by, decided_at=last.at, reason=reason)
    return replace(document, review=replace(review, approval=approval))


def _last_decision(workflow: ApprovalWorkflow, steps: Iterable[StateChange]) -> StateChange | None:
    """Return the last decision since the order was last submitted."""
    last = None
    for change in sorted(steps, key=lambda change: change.at):
        last = change if change.before in workflow.waiting else None
    return last


def _explains(remark: DocumentComment, step: StateChange) -> bool:
    return remark.by == step.by and timedelta(0) <= remark.at - step.at <= _SOON
