"""OA approvals: their records, and the steps that keep one in line with its case."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.approvals.case import Case, CaseState
from bot.approvals.deciders import Deciders
from bot.approvals.plan import ApprovalLevel, Vote
from bot.erp.model import Verdict
from bot.words.errors import DingerpError


class OaDeclined(DingerpError):
    """DingTalk refused the call: nothing happened, and a repeat would be refused too."""


class OaInstanceMissing(OaDeclined):
    """The approval no longer exists: somebody deleted it."""


class OaStartUncertain(DingerpError):
    """The approval may have been started; only a search can tell."""


class OaState(StrEnum):
    """The state of a case's approval."""

    WANTED = "wanted"
    STARTING = "starting"
    """Recorded before the call: it may exist already, and is searched before it is started again."""
    RUNNING = "running"
    ENDED = "ended"
    """Nothing more is done about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OaRecord:
    """The stored record of a case's approval; a case has at most one."""

    case: str
    state: OaState = OaState.WANTED
    due_at: datetime
    """When it is checked next without an event; while a step runs, when its process is given up."""
    instance: str = ""
    originator: str = ""
    """The userId in whose name it was started."""
    started_at: datetime | None = None
    """When it was last started; recorded before the call."""
    tries: int = 0
    """The number of failed steps in a row."""
    revision: int = 0
    """The case's revision as far as the approval follows it."""
    done: tuple[int, ...] = ()
    """Tasks whose outcome has been processed: received, or sent from here."""
    news: int = 0
    """The number of events about it."""
    seen: int = 0
    """The number of events that were checked."""
    stamp: int = 0
    """The number of writes of the record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OaTask:
    """One person's task; ``verdict`` is None until they have voted, or if the task ended otherwise."""

    id: int
    user_id: str
    open: bool
    verdict: Verdict | None = None
    name: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OaInstance:
    """An approval as DingTalk has it now."""

    running: bool
    verdict: Verdict | None
    """The verdict; None while it runs, and if it was terminated."""
    tasks: tuple[OaTask, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OaApplication:
    """The data to start an approval: form fields by name, and the approvers."""

    originator: str
    values: Mapping[str, str]
    levels: tuple[ApprovalLevel, ...]


class OaForms(Protocol):
    """DingTalk's approvals of one form; implemented by `bot.dingtalk.workflow.WorkflowApi`.

    All methods raise `OaDeclined`, and other `DingerpError` when nothing happened or a repeat is harmless.
    """

    async def start(self, application: OaApplication) -> str:
        """Start an approval and return its id; raises `OaStartUncertain` if it may have been started."""
        ...

    async def find(self, case_id: str, originator: str, since: datetime) -> str:
        """Return the id of the approval started for a case since then; empty if there is none."""
        ...

    async def read(self, instance: str) -> OaInstance:
        """Return the approval's current state; raises `OaInstanceMissing`."""
        ...

    async def execute(self, instance: str, task: OaTask, verdict: Verdict, remark: str) -> None:
        """Vote for a person whose turn it is; DingTalk records it as theirs."""
        ...

    async def hand_over(self, task: OaTask, to: str, remark: str) -> None:
        """Hand a person's task to another one; ``to`` is a userId."""
        ...

    async def terminate(self, instance: str, by: str, remark: str) -> None:
        """Terminate a running approval; ``by`` is a userId."""
        ...

    async def comment(self, instance: str, by: str, text: str) -> None:
        """Add a comment to an approval in a person's name."""
        ...


class OaRecords(Protocol):
    """The stored approvals; implemented by `bot.store.approvals.repository.StoredOaRecords`. Raises when the store
    is unavailable.
    """

    async def under_way(self) -> Sequence[OaRecord]:
        """Return the approvals that have not ended, the first due first."""
        ...

    async def missing(self, cases: Collection[str]) -> frozenset[str]:
        """Return the cases that never had one."""
        ...

    async def begin(self, record: OaRecord) -> bool:
        """Store the first record of a case; False if there is one already."""
        ...

    async def put(self, record: OaRecord) -> OaRecord | None:
        """Store a record and return it; None if another process changed it since it was read."""
        ...

    async def mark_changed(self, instance: str) -> bool:
        """Mark an approval as changed; False if it is not the bot's, or has ended."""
        ...


_VERDICTS = {CaseState.APPROVED: Verdict.APPROVE, CaseState.REJECTED: Verdict.REJECT}

_VOTES_HOLD = {CaseState.OPEN, *_VERDICTS}
"""States in which the votes from chat are the outcome, or may become it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OaFormFields:
    """Names of the form's fields; empty if the form lacks one. ``case`` holds the case id of an approval."""

    case: str
    number: str = ""
    source: str = ""
    vendor: str = ""
    total: str = ""
    currency: str = ""
    due: str = ""


def build_application(case: Case, fields: OaFormFields, originator: str, deciders: Deciders) -> OaApplication:
    """Return the data that starts a case's approval: its levels with those who may still decide.

    A level without any eligible approver keeps its people, since DingTalk rejects an empty one.
    """
    levels = (level for level in case.plan.levels if level.approvers)
    return OaApplication(
        originator=originator,
        values=dict(_form_values(case, fields)),
        levels=tuple(_rightful(level, deciders) for level in levels),
    )


def _rightful(level: ApprovalLevel, deciders: Deciders) -> ApprovalLevel:
    approvers = tuple(approver for approver in level.approvers if approver in deciders.entitled)
    return replace(level, approvers=approvers or level.approvers)


def unprocessed_tasks(instance: OaInstance, done: Collection[int]) -> tuple[OaTask, ...]:
    """Return the tasks with a vote that nobody has processed."""
    return tuple(task for task in instance.tasks if task.verdict is not None and task.id not in done)


def is_recorded(case: Case, task: OaTask) -> bool:
    """Return whether the case already has the vote of a task."""
    return any(vote.user_id == task.user_id and vote.verdict is task.verdict for vote in case.votes)


def next_vote_to_tell(case: Case, instance: OaInstance) -> tuple[OaTask, Vote] | None:
    """Return the first vote of the case that the approval still waits for; None if there is none.

    A substitute's vote has no task there, and nobody's task is used by another person.
    """
    if not instance.running or case.state not in _VOTES_HOLD:
        return None
    turns: Mapping[str, OaTask] = {task.user_id: task for task in instance.tasks if task.open}
    return next(((turns[vote.user_id], vote) for vote in case.votes if vote.user_id in turns), None)


def next_turn_to_hand_over(case: Case, instance: OaInstance, deciders: Deciders) -> tuple[OaTask, str] | None:
    """Return the first open task of a person who can no longer decide, and its new assignee; None if there is none.

    Nobody gets a second task, and a person who has voted, also through a substitute, keeps theirs.
    """
    if not instance.running or case.state is not CaseState.OPEN:
        return None
    turns = {task.user_id: task for task in instance.tasks if task.open}
    spoken = {vote.on_behalf_of or vote.user_id for vote in case.votes}
    freed = next((task for who, task in turns.items() if who not in deciders.entitled and who not in spoken), None)
    heir = next((who for who in deciders.awaited if who in deciders.entitled and who not in turns), None)
    return None if freed is None or heir is None else (freed, heir)


def contradicts(case: Case, instance: OaInstance) -> bool:
    """Return whether an approval's result contradicts the outcome of the case, here or in the ERP."""
    there = case.elsewhere.verdict if case.elsewhere is not None else None
    return instance.verdict is not None and instance.verdict is not _VERDICTS.get(case.state, there)


def _form_values(case: Case, fields: OaFormFields) -> Iterator[tuple[str, str]]:
    brief = case.summary
    total, due = brief.total, brief.due_on
    known = (
        (fields.case, case.id),
        (fields.number, case.number),
        (fields.source, case.source),
        (fields.vendor, brief.partner),
        (fields.total, "" if total is None else f"{total.amount:f}"),
        (fields.currency, "" if total is None else total.currency),
        (fields.due, "" if due is None else due.isoformat()),
    )
    # Date and amount fields reject an empty text.
    return ((name, value) for name, value in known if name and value)
