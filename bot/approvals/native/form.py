"""An approval in DingTalk's own app, what the bot remembers of it, and the ports to both (DingTalk sheet, 10)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.approvals.ruling import Level
from bot.erp.model import Verdict
from bot.errors import DingerpError


class Declined(DingerpError):
    """DingTalk understood and said no: nothing happened, and nothing would if it were asked again now."""


class NoInstance(Declined):
    """The approval is not there (any more): somebody deleted it."""


class StartInDoubt(DingerpError):
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
class Task:
    """One person's turn; ``verdict`` is None while they have not spoken, or where their turn ended otherwise."""

    id: int
    user_id: str
    open: bool
    verdict: Verdict | None = None
    name: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An approval as DingTalk has it now."""

    running: bool
    verdict: Verdict | None
    """What it came to; None while it runs, and where it was called off."""
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What an approval is started with: the form's fields by their names, and who has to agree."""

    originator: str
    values: Mapping[str, str]
    levels: tuple[Level, ...]


class NativeForms(Protocol):
    """DingTalk's approvals of one form; implemented by `bot.dingtalk.workflow.Workflow`.

    All methods raise `Declined`, and other `DingerpError` where nothing happened or asking again does no harm.
    """

    async def start(self, application: Application) -> str:
        """Start an approval and return its id; raises `StartInDoubt` where it may have been started."""
        ...

    async def find(self, case_id: str, originator: str, since: datetime) -> str:
        """Return the id of an approval that a case was given, started since then; empty if there is none."""
        ...

    async def read(self, instance: str) -> Instance:
        """Return an approval as it is now; raises `NoInstance`."""
        ...

    async def execute(self, instance: str, task: Task, verdict: Verdict, remark: str) -> None:
        """Speak for a person whose turn it is; it is recorded as said by them."""
        ...

    async def terminate(self, instance: str, by: str, remark: str) -> None:
        """Call a running approval off; ``by`` is a userId."""
        ...

    async def comment(self, instance: str, by: str, text: str) -> None:
        """Write a remark under an approval, in somebody's name."""
        ...


class NativeRecords(Protocol):
    """What is remembered; implemented by `bot.store.native.StoredNativeRecords`. Raises when the store is away."""

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

    async def hear(self, instance: str) -> bool:
        """Note that something happened to an approval; False for one that is not ours, or has ended."""
        ...
