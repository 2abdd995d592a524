"""Approval requests: open stages, past decisions, and deciding.

A document that needs approval is a draft until its originator generates it from the approved draft; the request refers
to both. Each approver has a line per stage, and a stage may require several approvers.

Docs: platform/erp/sap-b1.md#approvals
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from bot.erp import kinds
from bot.erp.concurrency import gather_or_cancel
from bot.erp.conditions import all_of
from bot.erp.errors import KEY_MISSING, Conflict, DeciderRefused, NotPermitted
from bot.erp.kinds import Kind, review_of
from bot.erp.model import Approval, Decision, ErpRecord, ReviewState, Verdict
from bot.erp.sap_b1 import query
from bot.erp.sap_b1.client import SapB1Client, UserNames
from bot.erp.sap_b1.mapping import Row, is_yes, rows_of
from bot.erp.sap_b1.query import (
    BILL_DRAFTS,
    BILLS,
    ORDER_DRAFTS,
    ORDERS,
    PURCHASE_DRAFTS,
    PURCHASES,
    DocumentEntity,
    DocumentKey,
)
from bot.erp.values import code, malformed_is_invalid, text

REQUESTS = "ApprovalRequests"


@dataclass(frozen=True, slots=True, kw_only=True)
class SapB1Approval:
    """What needs approval: its type in requests, and the entities of its drafts and of what becomes of them."""

    object_type: str
    drafts: DocumentEntity
    documents: DocumentEntity

    @property
    def where(self) -> str:
        """The condition that a request is about such a document."""
        return query.equals("ObjectType", self.object_type)


APPROVALS: Mapping[Kind[Any], SapB1Approval] = MappingProxyType(
    {
        kinds.PURCHASE_ORDERS: SapB1Approval(object_type="22", drafts=PURCHASE_DRAFTS, documents=PURCHASES),
        kinds.SALES_ORDERS: SapB1Approval(object_type="17", drafts=ORDER_DRAFTS, documents=ORDERS),
        kinds.BILLS: SapB1Approval(object_type="18", drafts=BILL_DRAFTS, documents=BILLS),
    }
)
_PENDING = "Pending"
_GENERATED = frozenset({"Generated", "GeneratedByAuthorizer"})
_DECIDED = frozenset({"Approved", "NotApproved"})
_STATES = {
    "Pending": ReviewState.WAITING,
    "Approved": ReviewState.APPROVED,
    "NotApproved": ReviewState.REJECTED,
    "Cancelled": ReviewState.CANCELLED,
    **dict.fromkeys(_GENERATED, ReviewState.APPROVED),
}
_VERDICTS = {Verdict.APPROVE: "ardApproved", Verdict.REJECT: "ardNotApproved"}


@dataclass(frozen=True, slots=True)
class ApproverLine:
    """One approver's line: their question or decision at one stage."""

    stage: str
    person: str
    state: str
    at: datetime | None
    remarks: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """An approval request. ``draft`` and ``document`` are keys; the document exists once generated from the draft."""

    code: str
    draft: str
    document: str
    state: str
    stage: str
    requester: str
    steps: tuple[ApproverLine, ...]

    @property
    def status(self) -> ReviewState | None:
        """Return the state of the draft, None if it is unknown."""
        return _STATES.get(self.state)

    @property
    def generated(self) -> bool:
        """Whether the draft became a document."""
        return self.state in _GENERATED

    @property
    def decided_at(self) -> datetime | None:
        """Return the time of the last decision."""
        last = self._last()
        return last.at if last else None

    def records(self, decision: Decision, stage: str) -> bool:
        """Return whether the approver's line shows their decision at a stage."""
        expected = _VERDICTS[decision.verdict][3:]
        return any((step.stage, step.person, step.state) == (stage, decision.by, expected) for step in self.steps)

    def approval(self) -> Approval:
        """Return the people whose turn it is, and the person who decided last."""
        waiting = self.state == _PENDING
        last = self._last()
        stages = list(dict.fromkeys(step.stage for step in self.steps))
        present = self.stage if waiting or last is None else last.stage
        open_steps = [s for s in self.steps if waiting and s.stage == self.stage and s.state == _PENDING]
        return Approval(
            pending_for=tuple(dict.fromkeys(step.person for step in open_steps)),
            level=stages.index(present) + 1 if present in stages else 1,
            levels=max(1, len(stages)),
            decided_by=last.person if last else "",
            decided_at=last.at if last else None,
            reason=last.remarks if last else "",
            task_id=self.code if waiting else "",
        )

    def _last(self) -> ApproverLine | None:
        done = [step for step in self.steps if step.state in _DECIDED]
        stages = list(dict.fromkeys(step.stage for step in self.steps))
        # Decisions that share a second are ordered by their stages.
        return max(done, key=lambda s: (s.at.timestamp() if s.at else 0.0, stages.index(s.stage)), default=None)


class DraftApprovals:
    """Reads the requests of documents of one kind, and decides one."""

    def __init__(self, client: SapB1Client, approval: SapB1Approval) -> None:
        self._client = client
        self.approval = approval

    async def requests(self, keys: Sequence[DocumentKey]) -> dict[DocumentKey, ApprovalRequest]:
        """Return the last request of each draft, and for each document the request that it came from."""
        drafts = [key for entity, key in keys if entity.drafts_of]
        documents = [key for entity, key in keys if entity is self.approval.documents]
        rows = await gather_or_cancel(self._rows("DraftEntry", drafts), self._rows("ObjectEntry", documents))
        people = await self._client.names.people()
        known = {
            self.approval.drafts: self._last(rows[0], people, lambda request: request.draft),
            self.approval.documents: self._last(rows[1], people, lambda request: request.document),
        }
        found = (((entity, key), known.get(entity, {}).get(str(key))) for entity, key in keys)
        return {key: request for key, request in found if request is not None}

    async def pending(self) -> list[DocumentKey]:
        """Return the keys of waiting drafts."""
        where = all_of(query.equals("Status", "arsPending"), self.approval.where)
        rows = await self._client.rows(REQUESTS, select=("Code", "DraftEntry"), where=where, order="Code")
        keys = (code(row.get("DraftEntry")) for row in rows)
        return list(dict.fromkeys((self.approval.drafts, int(key)) for key in keys if key.isdecimal()))

    async def followed(self, since: str) -> dict[str, ApprovalRequest]:
        """Return the last requests of drafts that wait, or that were requested since a day (as a literal)."""
        recent = query.either(query.equals("Status", "arsPending"), f"CreationDate ge {since}")
        rows = await self._client.rows(REQUESTS, where=all_of(self.approval.where, recent), order="Code")
        return self._last(rows, await self._client.names.people(), lambda request: request.draft)

    async def decide(self, document: ErpRecord, decision: Decision) -> None:
        """Decide a waiting document on behalf of a person, if its request is unchanged.

        Raises `NotPermitted` for people whose credentials the bot lacks, and `Conflict` if somebody else was faster.
        """
        approval = review_of(document).progress
        if not approval.task_id:
            raise NotPermitted("the approval request may not be read", source=self._client.source)
        path = f"{REQUESTS}({approval.task_id})"
        line: Row = {"Status": _VERDICTS[decision.verdict], **self._signed(decision.by)}
        if decision.reason:
            line["Remarks"] = decision.reason
        row, etag = await self._client.record(path, what=decision.number)
        if self._request(row, await self._client.names.people()).approval() != approval:
            raise Conflict("the approval request was decided or changed meanwhile", source=self._client.source)
        await self._client.patch(path, {"ApprovalRequestDecisions": [line]}, etag=etag, what=decision.number)

    def _signed(self, by: str) -> Row:
        """Return the credentials of the approver.

        Nothing names the session's own user: a user code without a password is refused.
        """
        if by.casefold() == self._client.options.user.casefold():
            return {}
        password = self._client.options.approvers.get(by)
        if password is None:
            raise DeciderRefused(KEY_MISSING, source=self._client.source)
        return {"ApproverUserName": by, "ApproverPassword": password.get_secret_value()}

    async def _rows(self, field: str, keys: Sequence[int]) -> list[Row]:
        try:
            return await self._client.rows_each(REQUESTS, field, keys, where=self.approval.where)
        except NotPermitted:
            # Without requests, approvers are unknown, and nothing can be decided.
            return []

    def _last(
        self, rows: Iterable[Row], people: UserNames, key: Callable[[ApprovalRequest], str]
    ) -> dict[str, ApprovalRequest]:
        requests = sorted((self._request(row, people) for row in rows), key=lambda request: int(request.code))
        return {key(request): request for request in requests if key(request)}

    def _request(self, row: Row, people: UserNames) -> ApprovalRequest:
        with malformed_is_invalid(self._client.source):
            state = _state(row.get("Status"))
            # Until the document exists, this is the draft's key again.
            generated = state in _GENERATED and not is_yes(row.get("IsDraft"))
            return ApprovalRequest(
                code=str(int(row["Code"])),
                draft=code(row.get("DraftEntry")),
                document=code(row.get("ObjectEntry")) if generated else "",
                state=state,
                stage=code(row.get("CurrentStage")),
                requester=people.account(code(row.get("OriginatorID"))),
                steps=tuple(self._step(line, people) for line in rows_of(row, "ApprovalRequestLines")),
            )

    def _step(self, line: Row, people: UserNames) -> ApproverLine:
        state = _state(line.get("Status"))
        return ApproverLine(
            stage=code(line.get("StageCode")),
            person=people.account(code(line.get("UserID"))),
            state=state,
            at=self._client.values.changed(line) if state in _DECIDED else None,
            remarks=text(line.get("Remarks")),
        )


def _state(value: object) -> str:
    """Return a state without its prefix: ars in requests, ars or ard in their lines."""
    return code(value)[3:]
