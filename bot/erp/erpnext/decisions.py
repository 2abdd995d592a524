"""Approves and rejects documents, each person with their own key (docs: platform/erp/erpnext.md#deciding)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.erp import deciding
from bot.erp.concurrency import gather_or_cancel
from bot.erp.decider_keys import DeciderKeys
from bot.erp.deciding import Read, settled
from bot.erp.erpnext.client import Account, ErpNextClient, ListRequest
from bot.erp.erpnext.documents import modified_of
from bot.erp.erpnext.mapping import (
    NOT_DECIDED_HERE,
    SUBMITTING,
    ApprovalWorkflow,
    DocumentComment,
    Site,
    StateChange,
    remark,
    step,
    text_to_html,
    with_approval,
    workflow,
)
from bot.erp.errors import (
    KEY_MISSING,
    KEY_REFUSED,
    OWN_REQUEST,
    AuthFailed,
    Conflict,
    DeciderRefused,
    ErpError,
    Invalid,
    NotPermitted,
    UnknownOutcome,
)
from bot.erp.expiring import ExpiringValue
from bot.erp.model import Decision, DecisionOutcome, DecisionResult, Review, ReviewState, Verdict

_TAKEN = frozenset({DecisionOutcome.APPLIED, DecisionOutcome.MORE_APPROVALS_NEEDED})

_KEPT = timedelta(minutes=10)
"""How long a Workflow that was read is assumed to be unchanged."""

_QUEUE = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Seconds to wait before each check whether a background worker has submitted the document."""


@dataclass(frozen=True, slots=True)
class WorkflowActions:
    """The site's names for the actions that approve and reject."""

    approve: str
    reject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedDoctype:
    """How documents of one DocType are decided: by the actions of a Workflow or, without these, by submitting them."""

    doctype: str
    actions: WorkflowActions | None
    workflow: str
    submit: str
    """The settings that choose either way."""


class DoctypeApprovals:
    """Reads the Workflow and the approvals of documents of one DocType, and decides.

    ``approvers`` are the accounts of those who may decide from the chat, by user id; ``keys`` has those who entered
    their own. ``rule`` says how such documents are decided.
    """

    def __init__(
        self,
        frappe: ErpNextClient,
        rule: DecidedDoctype,
        *,
        site: Callable[[], Awaitable[Site]],
        source: str,
        approvers: Mapping[str, Account],
        keys: DeciderKeys,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._frappe = frappe
        self._site = site
        self._source = source
        self._configured = approvers
        self._keys = keys
        self._rule = rule
        self._doctype, self._actions = rule.doctype, rule.actions
        active = [("document_type", "=", self._doctype), ("is_active", "=", 1)]
        self._active = ListRequest("Workflow", ("name",), active)
        self._sleep = sleep
        self._names: dict[str, str] = {}
        self._workflow = ExpiringValue(self._read_workflow, now=now, holds=_KEPT)

    async def workflow(self) -> ApprovalWorkflow:
        """Return how the documents are approved; raises `Invalid` if the Workflow lacks the configured actions."""
        return await self._workflow.value()

    async def check(self) -> None:
        """Raise `Invalid` if the documents are not approved as configured."""
        if self._actions is None:
            await self._refuse_bypass()
        else:
            await self._require_workflow()

    async def _require_workflow(self) -> None:
        """Refuse to decide where nobody said that submitting a draft approves it: they can be read all the same."""
        if await self.workflow() is NOT_DECIDED_HERE:
            hint = f"set {self._rule.submit}, or define one"
            raise Invalid(f"no active Workflow for {self._doctype}: {hint}", source=self._source)

    async def _read_workflow(self) -> ApprovalWorkflow:
        actions = self._actions
        if actions is None:
            return SUBMITTING
        found = await self._frappe.rows(self._active, limit=1)
        if not found:
            return NOT_DECIDED_HERE
        document = await self._frappe.document("Workflow", str(found[0]["name"]))
        return (await self._site()).read(workflow, document, actions.approve, actions.reject)

    async def _refuse_bypass(self) -> None:
        """Refuse to submit a document that a Workflow handles: ERPNext would allow it."""
        if await self._readable(self._active):
            raise Invalid(f"{self._doctype} has a Workflow: set {self._rule.workflow}", source=self._source)

    # Approvals

    async def complete(self, documents: Sequence[Any]) -> tuple[Any, ...]:
        """Return documents with their approvals, in a few requests however many there are."""
        flow = await self.workflow()
        steps, remarks = await self._history(_decided(documents, flow), flow)
        waiting = [document for document in documents if document.review.state is ReviewState.WAITING]
        pending = await self._pending(waiting, flow)
        approved = [
            with_approval(
                document,
                flow,
                steps=steps.get(document.number, ()),
                remarks=remarks.get(document.number, ()),
                pending_for=pending.get(document.number, ()),
            )
            for document in documents
        ]
        names = await self.names_of(set().union(*(_accounts(document.review) for document in approved)))

        def named(review: Review) -> Review:
            return replace(review, people={user: names[user] for user in _accounts(review)})

        return tuple(replace(document, review=named(document.review)) for document in approved)

    async def names_of(self, users: Iterable[str]) -> Mapping[str, str]:
        """Return what users are called, their ids where the account may not read that; each is asked for once."""
        unknown = sorted(set(users) - self._names.keys())
        if unknown:
            rows = await self._readable(ListRequest("User", ("name", "full_name"), [("name", "in", unknown)]))
            self._names |= {user: user for user in unknown}
            self._names |= {str(row["name"]): str(row.get("full_name") or row["name"]) for row in rows}
        return self._names

    async def _history(
        self, names: Sequence[str], flow: ApprovalWorkflow
    ) -> tuple[dict[str, list[StateChange]], dict[str, list[DocumentComment]]]:
        """Return the steps and comments of documents, as far as the account may read them."""
        steps: dict[str, list[StateChange]] = {}
        remarks: dict[str, list[DocumentComment]] = {}
        if not names:
            return steps, remarks
        of_them = [("ref_doctype", "=", self._doctype), ("docname", "in", names)]
        versions = ListRequest(
            "Version",
            ("docname", "owner", "creation", "data"),
            [*of_them, ("data", "like", f"%{flow.field}%")],
            order_by="creation asc, name asc",
        )
        comments = ListRequest(
            "Comment",
            ("reference_name", "owner", "comment_email", "creation", "content"),
            [
                ("reference_doctype", "=", self._doctype),
                ("reference_name", "in", names),
                ("comment_type", "=", "Comment"),
            ],
            order_by="creation asc, name asc",
        )
        version_rows, comment_rows = await gather_or_cancel(self._readable(versions), self._readable(comments))
        site = await self._site()
        for row in version_rows:
            found = site.read(step, row, flow.field)
            if found is not None:
                steps.setdefault(str(row["docname"]), []).append(found)
        for row in comment_rows:
            remarks.setdefault(str(row["reference_name"]), []).append(site.read(remark, row))
        return steps, remarks

    async def _pending(self, documents: Sequence[Any], flow: ApprovalWorkflow) -> dict[str, list[str]]:
        """Return the approvers that each document waits for: an account only sees its own open actions in Frappe."""
        if flow.submits or not documents:
            return {}
        states = {document.number: document.extra.get(flow.field, "") for document in documents}
        requesters = {document.number: document.review.requester for document in documents}
        lookup = ListRequest(
            "Workflow Action",
            ("reference_name", "workflow_state"),
            [
                ("reference_doctype", "=", self._doctype),
                ("reference_name", "in", list(states)),
                ("status", "=", "Open"),
            ],
        )
        accounts = (await self._approvers()).items()
        rows_by_account = await gather_or_cancel(*(self._readable(lookup, account) for _, account in accounts))
        pending: dict[str, list[str]] = {}
        for (user, _), rows in zip(accounts, rows_by_account, strict=True):
            open_there = {
                row["reference_name"] for row in rows if row["workflow_state"] == states[row["reference_name"]]
            }
            for name in states:
                own = requesters[name] == user and not flow.may_approve_own(states[name])
                if name in open_there and not own:
                    pending.setdefault(name, []).append(user)
        return pending

    async def _readable(self, lookup: ListRequest, account: Account | None = None) -> list[dict[str, Any]]:
        """Return all rows, none if the account may not read them: the ERP does not say who decided then."""
        try:
            return await self._frappe.rows(lookup, account=account)
        except NotPermitted:
            return []
        except AuthFailed:
            if account is None:
                raise
            # A revoked key must not hide the document from everybody else.
            return []

    async def _approvers(self) -> Mapping[str, Account]:
        """Return the accounts of those who may decide: their own keys take precedence over the configured ones."""
        own = await self._keys.keys_of(self._source)
        return {**self._configured, **{user: Account.of_pair(key) for user, key in own.items()}}

    # Deciding

    async def decide(self, decision: Decision, *, read: Read[Any]) -> DecisionResult:
        """Approve or reject, and add the reason as a comment."""

        await self._require_workflow()

        async def write(document: Any, decision: Decision) -> str:
            return await self._write(document, decision, read)

        result = await deciding.decide(decision, read=read, write=write)
        if not decision.reason or result.outcome not in _TAKEN:
            return result
        try:
            await self._explain(decision)
            return replace(result, document=await read(decision.number))
        except ErpError as error:
            # The decision was made; only its reason is missing.
            return replace(result, text=f"{result.text} The reason was not stored: {error.detail}".strip())

    async def _write(self, document: Any, decision: Decision, read: Read[Any]) -> str:
        account = (await self._approvers()).get(decision.by)
        if account is None:
            raise DeciderRefused(KEY_MISSING, source=self._source)
        try:
            await self._send(document, decision, account, read)
        except AuthFailed as error:
            raise DeciderRefused(KEY_REFUSED, source=self._source) from error
        return ""

    async def _send(self, document: Any, decision: Decision, account: Account, read: Read[Any]) -> None:
        flow = await self.workflow()
        if flow.submits:
            await self._refuse_bypass()
            values = {"docstatus": 1, "modified": modified_of(document.review.version)}
            await self._frappe.update(self._doctype, document.number, values, account)
            return
        if decision.by == document.review.requester and not flow.may_approve_own(document.extra.get(flow.field, "")):
            raise DeciderRefused(OWN_REQUEST, source=self._source)
        await self._apply(document, decision, account, read)

    async def _apply(self, document: Any, decision: Decision, account: Account, read: Read[Any]) -> None:
        assert self._actions is not None
        action = self._actions.approve if decision.verdict is Verdict.APPROVE else self._actions.reject
        parameters = {"doc": {"doctype": self._doctype, "name": document.number}, "action": action}
        try:
            done = await self._frappe.act("frappe.model.workflow.apply_workflow", parameters, account)
        except Conflict as error:
            # “Not a valid Workflow Action” means too late or without the role. Reading the document again tells
            # them apart: it has changed if the decision came too late.
            raise NotPermitted(error.detail, source=self._source) from error
        if done is None:
            await self._await_queue(document, read)

    async def _await_queue(self, document: Any, read: Read[Any]) -> None:
        """Wait for the background worker that submits documents if the DocType is configured so.

        Docs: platform/erp/erpnext.md#deciding
        """
        try:
            now = await settled(document, document, read=read, pauses=_QUEUE, sleep=self._sleep)
        except ErpError as error:
            raise UnknownOutcome(error.detail, source=self._source) from error
        if now.review.version == document.review.version:
            raise UnknownOutcome("the ERP put it into its queue", source=self._source)

    async def _explain(self, decision: Decision) -> None:
        """Add the reason as a comment by the person; a Workflow step has no field for it."""
        parameters = {
            "reference_doctype": self._doctype,
            "reference_name": decision.number,
            "content": text_to_html(decision.reason),
            "comment_email": decision.by,
            "comment_by": decision.by,
        }
        await self._frappe.act("frappe.desk.form.utils.add_comment", parameters, (await self._approvers())[decision.by])


def _accounts(review: Review) -> set[str]:
    """Return the users that a document names."""
    approval = review.progress
    return {review.requester, review.changed_by, approval.decided_by, *approval.pending_for} - {""}


def _decided(documents: Sequence[Any], flow: ApprovalWorkflow) -> list[str]:
    """Return the numbers of documents that may have a decision."""
    undecided = {ReviewState.DRAFT, ReviewState.CANCELLED}
    return [
        document.number
        for document in documents
        if document.review.state not in undecided
        and not (document.review.state is ReviewState.WAITING and flow.level(document.extra.get(flow.field, "")) == 1)
    ]
