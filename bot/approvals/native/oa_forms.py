"""An approval in DingTalk's own app, what the bot remembers of it, and what it and its case have to tell each other."""

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
    """DingTalk understood and said no: nothing happened, and nothing would if it were asked again now."""


class OaInstanceMissing(OaDeclined):
    """The approval is not there (any more): somebody deleted it."""


class OaStartUncertain(DingerpError):
    """The approval may have been started; only looking for it tells."""


class NativeState(StrEnum):
    """Where the approval of a case is."""

    WANTED = "wanted"
    STARTING = "starting"
    """Noted before the call: it may be there already, and is looked for before it is started once more."""
    RUNNING = "running"
    ENDED = "ended"
    """Nothing more is done about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeRecord:
    """What is remembered of a case's approval; a case has one at most."""

    case: str
    state: NativeState = NativeState.WANTED
    due_at: datetime
    """When it is looked at next, whatever is heard; while somebody works on it, when they are given up."""
    instance: str = ""
    originator: str = ""
    """userId in whose name it was started."""
    started_at: datetime | None = None
    """When it was last started; noted before the call."""
    tries: int = 0
    """Steps that failed, one after the other."""
    revision: int = 0
    """Of the case, as far as the approval follows it."""
    done: tuple[int, ...] = ()
    """Tasks whose outcome is dealt with: heard, or told from here."""
    news: int = 0
    """Events that came about it."""
    seen: int = 0
    """Those of them that were looked into."""
    stamp: int = 0
    """Counts the writings of the record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OaTask:
    """One person's turn; ``verdict`` is None while they have not spoken, or where their turn ended otherwise."""

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
    """What it came to; None while it runs, and where it was called off."""
    tasks: tuple[OaTask, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OaApplication:
    """What an approval is started with: the form's fields by their names, and who has to agree."""

    originator: str
    values: Mapping[str, str]
    levels: tuple[ApprovalLevel, ...]


class NativeForms(Protocol):
    """DingTalk's approvals of one form; implemented by `bot.dingtalk.workflow.WorkflowApi`.

    All methods raise `OaDeclined`, and other `DingerpError` where nothing happened or asking again does no harm.
    """

    async def start(self, application: OaApplication) -> str:
        """Start an approval and return its id; raises `OaStartUncertain` where it may have been started."""
        ...

    async def find(self, case_id: str, originator: str, since: datetime) -> str:
        """Return the id of an approval that a case was given, started since then; empty if there is none."""
        ...

    async def read(self, instance: str) -> OaInstance:
        """Return an approval as it is now; raises `OaInstanceMissing`."""
        ...

    async def execute(self, instance: str, task: OaTask, verdict: Verdict, remark: str) -> None:
        """Speak for a person whose turn it is; it is recorded as said by them."""
        ...

    async def hand_over(self, task: OaTask, to: str, remark: str) -> None:
        """Give the turn of a person to another one; ``to`` is a userId."""
        ...

    async def terminate(self, instance: str, by: str, remark: str) -> None:
        """Call a running approval off; ``by`` is a userId."""
        ...

    async def comment(self, instance: str, by: str, text: str) -> None:
        """Write a remark under an approval, in somebody's name."""
        ...


class NativeRecords(Protocol):
    """What is remembered; implemented by `bot.store.approvals.repository.StoredNativeRecords`. Raises when the store is
    away.
    """

    async def under_way(self) -> Sequence[NativeRecord]:
        """Return those that have not ended, the one that is due first at the beginning."""
        ...

    async def missing(self, cases: Collection[str]) -> frozenset[str]:
        """Return those cases that never had one."""
        ...

    async def begin(self, record: NativeRecord) -> bool:
        """Store the first record of a case; False where there is one already."""
        ...

    async def put(self, record: NativeRecord) -> NativeRecord | None:
        """Store a record as it is now and return it; None where somebody else changed it since it was read."""
        ...

    async def mark_changed(self, instance: str) -> bool:
        """Note that something happened to an approval; False for one that is not ours, or has ended."""
        ...


_VERDICTS = {CaseState.APPROVED: Verdict.APPROVE, CaseState.REJECTED: Verdict.REJECT}

_VOTES_HOLD = {CaseState.OPEN, *_VERDICTS}
"""States in which what people said in chat is what became of the case, or may yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OaFormFields:
    """Names of the form's fields; empty: the form has none for it. ``case`` tells which case an approval belongs to."""

    case: str
    number: str = ""
    source: str = ""
    vendor: str = ""
    total: str = ""
    currency: str = ""
    due: str = ""


def build_application(case: Case, fields: OaFormFields, originator: str, deciders: Deciders) -> OaApplication:
    """Return what the approval of a case is started with: its levels with those who may still decide.

    A level of whose people nobody may decide stays as it is, as DingTalk takes none without people.
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
    """Return the turns in which somebody spoke and that nobody has dealt with."""
    return tuple(task for task in instance.tasks if task.verdict is not None and task.id not in done)


def is_recorded(case: Case, task: OaTask) -> bool:
    """Whether the case knows already what somebody said in a turn."""
    return any(vote.user_id == task.user_id and vote.verdict is task.verdict for vote in case.votes)


def next_vote_to_tell(case: Case, instance: OaInstance) -> tuple[OaTask, Vote] | None:
    """Return the first vote that the approval waits for and the case has; None when there is none.

    A substitute's vote has no turn there, and nobody's turn is used by somebody else.
    """
    if not instance.running or case.state not in _VOTES_HOLD:
        return None
    turns: Mapping[str, OaTask] = {task.user_id: task for task in instance.tasks if task.open}
    return next(((turns[vote.user_id], vote) for vote in case.votes if vote.user_id in turns), None)


def next_turn_to_hand_over(case: Case, instance: OaInstance, deciders: Deciders) -> tuple[OaTask, str] | None:
    """Return the first open turn of somebody who can no longer decide, and whose it becomes; None when there is none.

    Nobody gets a second turn, and the turn of somebody who has spoken, or was spoken for, is theirs.
    """
    if not instance.running or case.state is not CaseState.OPEN:
        return None
    turns = {task.user_id: task for task in instance.tasks if task.open}
    spoken = {vote.on_behalf_of or vote.user_id for vote in case.votes}
    freed = next((task for who, task in turns.items() if who not in deciders.entitled and who not in spoken), None)
    heir = next((who for who in deciders.awaited if who in deciders.entitled and who not in turns), None)
    return None if freed is None or heir is None else (freed, heir)


def contradicts(case: Case, instance: OaInstance) -> bool:
    """Whether an approval came to something that is not what became of the case, here or in the ERP itself."""
    there = case.elsewhere.verdict if case.elsewhere is not None else None
    return instance.verdict is not None and instance.verdict is not _VERDICTS.get(case.state, there)


def _form_values(case: Case, fields: OaFormFields) -> Iterator[tuple[str, str]]:
    brief = case.summary
    total, due = brief.total, brief.due_on
    known = (
        (fields.case, case.id),
        (fields.number, case.number),
        (fields.source, case.source),
        (fields.vendor, brief.vendor),
        (fields.total, "" if total is None else f"{total.amount:f}"),
        (fields.currency, "" if total is None else total.currency),
        (fields.due, "" if due is None else due.isoformat()),
    )
    # A field of dates or amounts takes no empty text.
    return ((name, value) for name, value in known if name and value)
