"""DingTalk's approvals in memory, with people who speak there, calls that fail and answers that get lost."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.approvals.oa.forms import (
    OaApplication,
    OaDeclined,
    OaFormFields,
    OaInstance,
    OaInstanceMissing,
    OaRecord,
    OaStartUncertain,
    OaState,
    OaTask,
)
from bot.approvals.oa.sync import OaSync
from bot.approvals.plan import Quorum
from bot.erp.model import Verdict
from bot.words.errors import DingerpError
from tests.approvals.env import ApprovalEnv

FIELDS = OaFormFields(case="case", number="number", vendor="vendor", total="total", currency="currency", due="due")


class OaUnreachable(DingerpError):
    """DingTalk cannot be reached."""

    retry = True


@dataclass
class FakeOaApproval:
    """One approval; its levels follow each other."""

    application: OaApplication
    started: datetime
    tasks: list[OaTask] = field(default_factory=list)
    level: int = 0
    running: bool = True
    verdict: Verdict | None = None
    comments: list[tuple[str, str]] = field(default_factory=list)
    called_off: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class FakeOaForms:
    """Implements `bot.approvals.oa.forms.OaForms`."""

    now: ApprovalEnv
    approvals: dict[str, FakeOaApproval] = field(default_factory=dict)
    faults: list[BaseException] = field(default_factory=list)
    """What the next start meets."""
    lost: bool = False
    """Whether what a fault stands for happens all the same."""
    down: bool = False
    declines: set[str] = field(default_factory=set)
    """Names of calls that are declined."""
    executed: list[tuple[str, Verdict, str]] = field(default_factory=list)
    handed_over: list[tuple[str, str]] = field(default_factory=list)
    reads: int = 0

    async def start(self, application: OaApplication) -> str:
        self._check("start")
        if self.faults:
            fault = self.faults.pop(0)
            if self.lost:
                self._start(application)
            raise fault
        return self._start(application)

    def _start(self, application: OaApplication) -> str:
        name = f"instance-{len(self.approvals) + 1}"
        self.approvals[name] = FakeOaApproval(application, self.now.clock())
        self._open(self.approvals[name])
        return name

    async def find(self, case_id: str, originator: str, since: datetime) -> str:
        self._check("find")
        for name, one in self.approvals.items():
            mine = one.application.originator == originator and one.started >= since
            if mine and one.application.values["case"] == case_id:
                return name
        return ""

    async def read(self, instance: str) -> OaInstance:
        self._check("read")
        self.reads += 1
        one = self.approvals.get(instance)
        if one is None:
            raise OaInstanceMissing(instance)
        return OaInstance(running=one.running, verdict=one.verdict, tasks=tuple(one.tasks))

    async def execute(self, instance: str, task: OaTask, verdict: Verdict, remark: str) -> None:
        self._check("execute")
        self.executed.append((task.user_id, verdict, remark))
        self.speak(task.user_id, verdict, remark, instance)

    async def hand_over(self, task: OaTask, to: str, remark: str) -> None:
        self._check("hand_over")
        self.handed_over.append((task.user_id, to))
        for one in self.approvals.values():
            if task in one.tasks:
                one.tasks[one.tasks.index(task)] = replace(task, open=False)
                one.tasks.append(OaTask(id=len(one.tasks) + 1, user_id=to, open=True))

    async def terminate(self, instance: str, by: str, remark: str) -> None:
        self._check("terminate")
        one = self.approvals[instance]
        one.running = False
        one.called_off.append((by, remark))

    async def comment(self, instance: str, by: str, text: str) -> None:
        self._check("comment")
        self.approvals[instance].comments.append((by, text))

    def speak(self, user: str, verdict: Verdict, remark: str = "", instance: str = "instance-1") -> None:
        """Let somebody speak in the app."""
        one = self.approvals[instance]
        turn = next(task for task in one.tasks if task.user_id == user and task.open)
        one.tasks[one.tasks.index(turn)] = replace(turn, open=False, verdict=verdict, remark=remark, name=user.title())
        level = one.application.levels[one.level]
        left = [task for task in one.tasks if task.open]
        if verdict is Verdict.REJECT:
            one.running, one.verdict = False, verdict
        elif level.quorum is Quorum.ANY or not left:
            one.tasks = [replace(task, open=False) for task in one.tasks]
            one.level += 1
            if one.level < len(one.application.levels):
                self._open(one)
            else:
                one.running, one.verdict = False, verdict

    def give_away(self, user: str, to: str) -> None:
        """Let an administrator give somebody's turn away in the app."""
        one = self.approvals["instance-1"]
        turn = next(task for task in one.tasks if task.user_id == user and task.open)
        one.tasks[one.tasks.index(turn)] = replace(turn, user_id=to)

    def _open(self, one: FakeOaApproval) -> None:
        for user in one.application.levels[one.level].approvers:
            one.tasks.append(OaTask(id=len(one.tasks) + 1, user_id=user, open=True))

    def _check(self, call: str) -> None:
        if self.down:
            raise OaUnreachable(call)
        if call in self.declines:
            raise OaDeclined(call)


@dataclass
class MemoryOaRecords:
    """Implements `bot.approvals.oa.forms.OaRecords`."""

    records: dict[str, OaRecord] = field(default_factory=dict)

    async def under_way(self) -> Sequence[OaRecord]:
        left = [one for one in self.records.values() if one.state is not OaState.ENDED]
        return sorted(left, key=lambda one: (one.due_at, one.case))

    async def missing(self, cases: Collection[str]) -> frozenset[str]:
        return frozenset(cases) - self.records.keys()

    async def begin(self, record: OaRecord) -> bool:
        return self.records.setdefault(record.case, record) is record

    async def put(self, record: OaRecord) -> OaRecord | None:
        known = self.records[record.case]
        if known.stamp != record.stamp:
            return None
        self.records[record.case] = replace(record, stamp=record.stamp + 1, news=known.news)
        return replace(record, stamp=record.stamp + 1)

    async def mark_changed(self, instance: str) -> bool:
        for one in self.records.values():
            if one.instance == instance and one.state is OaState.RUNNING:
                self.records[one.case] = replace(one, news=one.news + 1)
                return True
        return False


class OaEnv:
    """A company with both: cases and approvals."""

    def __init__(self, env: ApprovalEnv, *, originator: str = "") -> None:
        self.env = env
        self.forms = FakeOaForms(env)
        self.records = MemoryOaRecords()
        self.originator = originator
        self.restart()

    def restart(self) -> None:
        """Forget all that the process knew."""
        self.oa_sync = OaSync(
            self.env.service,
            self.env.store,
            self.forms,
            self.records,
            fields=FIELDS,
            originator=self.originator,
            say=str,
            now=self.env.clock,
            metrics=self.env.metrics,
        )

    async def settle(self, rounds: int = 6) -> None:
        """Let both sides do all that is due at this moment."""
        for _ in range(rounds):
            await self.oa_sync.sync()
            await self.env.work()

    async def wait(self, **spans: float) -> None:
        """Let time pass in steps of some seconds."""
        until = self.env.clock() + timedelta(**spans)
        while self.env.clock() < until:
            self.env.clock.move(seconds=15)
            await self.settle(2)

    async def speak(self, user: str, verdict: Verdict, remark: str = "") -> None:
        """Let somebody speak in the app, and the event come."""
        self.forms.speak(user, verdict, remark)
        await self.oa_sync.notify("instance-1")
        await self.settle()

    @property
    def approval(self) -> FakeOaApproval:
        """The one approval there is."""
        (only,) = self.forms.approvals.values()
        return only

    @property
    def record(self) -> OaRecord:
        (only,) = self.records.records.values()
        return only


def start_uncertain() -> OaStartUncertain:
    return OaStartUncertain("no answer within 10 s")
