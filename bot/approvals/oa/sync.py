"""Keeps DingTalk's own approvals and cases in step: the first vote that counts is passed to the other side.

An event only means "check this approval"; the truth is read from DingTalk. So an event may repeat, come late or never:
every approval is checked at intervals anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.approvals.case import AuditRow, Case, CaseState
from bot.approvals.deciders import Deciders
from bot.approvals.oa.forms import (
    OaDeclined,
    OaFormFields,
    OaForms,
    OaInstance,
    OaInstanceMissing,
    OaRecord,
    OaRecords,
    OaStartUncertain,
    OaState,
    OaTask,
    build_application,
    contradicts,
    is_recorded,
    next_turn_to_hand_over,
    next_vote_to_tell,
    unprocessed_tasks,
)
from bot.approvals.plan import VoteWay
from bot.approvals.unit_of_work import CaseRepository, CaseStore
from bot.approvals.voting import VoteOutcome, VoteRequest, VoteResult
from bot.erp.model import Verdict
from bot.mechanisms.backoff import BackoffSteps
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.wakeup import Wakeup
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

_IDLE = 5.0
"""Seconds after which other processes' writes are seen."""
_MIN_PAUSE = 0.5
"""The minimum of seconds between rounds: many simultaneous clicks are one round."""
_LEASE = timedelta(seconds=60)
"""How long an approval belongs to the process that began a step."""
_CHECK_INTERVAL = timedelta(minutes=30)
"""The interval between checks of an approval without events; each check spends a call of the month."""
_SEARCH_INTERVAL = timedelta(seconds=15)
_ASSUME_LOST_AFTER = timedelta(minutes=3)
"""An approval that cannot be found this long after its start was not started."""
_CLOCK_SKEW = timedelta(minutes=2)
"""The possible difference between DingTalk's clock and ours."""
_BACKOFF = BackoffSteps((5.0, 15.0, 60.0, 300.0, 1800.0))
"""The back-off after a failed step."""
_CALLED_OFF = phrase("This is decided: see the document.")
_CONTRADICTED = phrase("This approval has no effect: the document was decided otherwise.")
_HANDED_OVER = phrase("The approver before you can no longer decide this. It is your turn now.")
_NO_REASON = phrase("Rejected in the approval app without a reason.")


class VotingService(Protocol):
    """The case operations it needs; implemented by `bot.approvals.service.ApprovalService`."""

    async def cast_vote(self, request: VoteRequest) -> VoteResult:
        """Store a vote, if it counts."""
        ...

    async def case(self, case_id: str) -> Case | None:
        """Return one case."""
        ...

    async def open_cases(self) -> Sequence[Case]:
        """Return the cases that take votes."""
        ...

    async def deciders(self, case: Case) -> Deciders:
        """Return who may decide a case now."""
        ...


class OaSync:
    """`run` must be running; `notify` takes events, `poke` reports that a case may have changed."""

    def __init__(
        self,
        service: VotingService,
        store: CaseStore,
        forms: OaForms,
        records: OaRecords,
        *,
        fields: OaFormFields,
        originator: str,
        say: Callable[[Phrase], str],
        now: Callable[[], datetime],
        metrics: Metrics,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``originator`` starts approvals of documents with an unknown requester; if empty, these have none.

        ``say`` translates comments on approvals into the company's language.
        """
        self._service = service
        self._store = store
        self._forms = forms
        self._records = records
        self._fields = fields
        self._originator = originator
        self._say = say
        self._now = now
        self._metrics = metrics
        self._sleep = sleep
        self._wakeup = Wakeup()
        self._began = False

    async def notify(self, instance: str) -> None:
        """Store that an approval changed; raises when the store is unavailable."""
        if await self._records.mark_changed(instance):
            self.poke()

    def poke(self) -> None:
        """Check soon."""
        self._wakeup.call()

    async def run(self) -> None:
        """Keep cases and approvals in step until cancelled."""
        while True:
            self._wakeup.clear()
            try:
                await self.sync()
            except DingerpError as error:
                self._failed("approvals.native_round_failed", "", error)
            await self._sleep(_MIN_PAUSE)
            await self._wakeup.sleep(_IDLE)

    async def sync(self) -> None:
        """Process everything that is due."""
        takes_votes = {case.id: case for case in await self._service.open_cases()}
        for case_id in await self._shown(await self._records.missing(takes_votes)):
            await self._records.begin(OaRecord(case=case_id, due_at=self._now()))
        for record in await self._records.under_way():
            case = takes_votes.get(record.case) or await self._service.case(record.case)
            if case is not None and self._is_due(record, case):
                await self._process(record, case)
        self._began = True

    async def _shown(self, wanted: frozenset[str]) -> Sequence[str]:
        """Return the cases that were shown to a person: the backlog from before the bot's start is only listed."""
        return await self._store.transact(lambda cases: [case for case in sorted(wanted) if cases.cards_of(case)])

    def _is_due(self, record: OaRecord, case: Case) -> bool:
        if record.due_at <= self._now():
            return True
        if record.state is not OaState.RUNNING:
            return False
        if not self._began:
            return True  # events were missed while no process was there
        return record.news != record.seen or case.revision != record.revision

    async def _process(self, record: OaRecord, case: Case) -> None:
        """Claim an approval, advance it by one step, and record the progress."""
        claim = replace(record, due_at=self._now() + _LEASE, revision=case.revision, seen=record.news)
        claimed = await self._records.put(claim)
        if claimed is None:
            return  # another process has it
        try:
            after = await self._step(claimed, case)
        except DingerpError as error:
            self._failed("approvals.native_failed", case.id, error)
            after = self._later(claimed, error.retry_after)
        except Exception as defect:
            # Otherwise this approval would crash the bot, again after every restart.
            log.error("approvals.native_defect", case=case.id, exc_info=defect)
            self._metrics.errors.labels("approvals", type(defect).__name__).inc()
            after = self._later(claimed)
        if after is not None:
            await self._records.put(after)

    async def _step(self, record: OaRecord, case: Case) -> OaRecord | None:
        match record.state:
            case OaState.WANTED:
                return await self._start(record, case)
            case OaState.STARTING:
                return await self._search(record, case)
            case _:
                return await self._follow(record, case)

    async def _start(self, record: OaRecord, case: Case) -> OaRecord | None:
        originator = case.summary.requester or self._originator
        if case.state is not CaseState.OPEN:
            return _ended(record)
        if not originator:
            await self._audit(case, "native_not_started", "nobody to start it in whose name")
            return _ended(record)
        # Recorded before the call, so that a crash leaves a trace that it may have happened.
        starting = replace(record, state=OaState.STARTING, started_at=self._now(), originator=originator)
        noted = await self._records.put(starting)
        if noted is None:
            return None
        try:
            deciders = await self._service.deciders(case)
            instance = await self._forms.start(build_application(case, self._fields, originator, deciders))
        except OaStartUncertain as error:
            self._failed("approvals.native_in_doubt", case.id, error)
            return replace(noted, due_at=self._now() + _SEARCH_INTERVAL)
        except OaDeclined as refusal:
            self._failed("approvals.native_not_started", case.id, refusal)
            await self._audit(case, "native_not_started", refusal.detail)
            return _ended(noted)
        except DingerpError as error:
            self._failed("approvals.native_not_started", case.id, error)
            return replace(self._later(noted, error.retry_after), state=OaState.WANTED)
        return await self._started(noted, case, instance)

    async def _search(self, record: OaRecord, case: Case) -> OaRecord:
        """Search for an approval that may have been started; it carries the case's id."""
        assert record.started_at is not None, "noted before the call"
        instance = await self._forms.find(case.id, record.originator, record.started_at - _CLOCK_SKEW)
        if instance:
            return await self._started(record, case, instance)
        if self._now() - record.started_at < _ASSUME_LOST_AFTER:
            return replace(record, due_at=self._now() + _SEARCH_INTERVAL)
        await self._audit(case, "native_not_found", "it was not started; once more")
        return replace(record, state=OaState.WANTED, due_at=self._now())

    async def _started(self, record: OaRecord, case: Case, instance: str) -> OaRecord:
        await self._audit(case, "native_started", instance, record.originator)
        # Checked at once: a vote may have come before its id was known here.
        return replace(record, state=OaState.RUNNING, instance=instance, tries=0, due_at=self._now())

    async def _follow(self, record: OaRecord, case: Case) -> OaRecord:
        try:
            instance = await self._forms.read(record.instance)
        except OaInstanceMissing:
            await self._audit(case, "native_ended", "deleted")
            return _ended(record)
        record, case, silent = await self._import_votes(record, case, instance)
        if silent is not None:
            return self._later(record, silent.retry_after)
        record, instance = await self._export_votes(record, case, instance)
        if not instance.running:
            return await self._finish(record, case, instance)
        if case.state.is_final:
            await self._forms.terminate(record.instance, self._speaker(record, case), self._say(_CALLED_OFF))
            await self._audit(case, "native_ended", "called off")
            return _ended(record)
        await self._hand_over_turns(record, case, instance)
        return replace(record, tries=0, due_at=self._now() + _CHECK_INTERVAL)

    async def _import_votes(
        self, record: OaRecord, case: Case, instance: OaInstance
    ) -> tuple[OaRecord, Case, DingerpError | None]:
        """Apply votes from the app as if they came from chat, by the same rules."""
        for task in unprocessed_tasks(instance, record.done):
            if case.state is CaseState.OPEN and not is_recorded(case, task):
                vote_result = await self._service.cast_vote(self._vote_request(case, task))
                case = vote_result.case or case
                if vote_result.outcome is VoteOutcome.SILENT:
                    return record, case, DingerpError("the ERP does not answer")
                if vote_result.outcome in (VoteOutcome.REFUSED, VoteOutcome.INSIST):
                    await self._comment(record, vote_result.reasons)
            record = replace(record, done=(*record.done, task.id))
        return record, case, None

    def _vote_request(self, case: Case, task: OaTask) -> VoteRequest:
        # The approval was started for this revision and shows it: its voters saw no other.
        return VoteRequest(
            case=case,
            user_id=task.user_id,
            name=task.name or task.user_id,
            verdict=task.verdict,  # type: ignore[arg-type]  # only turns in which somebody spoke
            seen=case.fingerprint,
            reason=task.remark.strip() or self._say(_NO_REASON) if task.verdict is Verdict.REJECT else task.remark,
            confirmed=True,
            way=VoteWay.APP,
        )

    async def _export_votes(self, record: OaRecord, case: Case, instance: OaInstance) -> tuple[OaRecord, OaInstance]:
        """Submit votes from chat in the app, each in the voter's own task."""
        for _ in case.votes:
            found = next_vote_to_tell(case, instance)
            if found is None:
                break
            task, vote = found
            try:
                await self._forms.execute(record.instance, task, vote.verdict, vote.reason)
            except OaDeclined as refusal:
                # Their task has ended, or the form does not allow it: the outcome of the case stands.
                self._failed("approvals.native_not_told", case.id, refusal)
                break
            record = replace(record, done=(*record.done, task.id))
            instance = await self._forms.read(record.instance)
        return record, instance

    async def _hand_over_turns(self, record: OaRecord, case: Case, instance: OaInstance) -> None:
        """Hand the tasks of people who can no longer decide to those who decide instead."""
        if case.state is not CaseState.OPEN:
            return
        deciders = await self._service.deciders(case)
        for _ in instance.tasks:
            found = next_turn_to_hand_over(case, instance, deciders)
            if found is None:
                break
            task, heir = found
            try:
                await self._forms.hand_over(task, heir, self._say(_HANDED_OVER))
            except OaDeclined as refusal:
                # Chat asks the right people anyway, and votes of others there do not count.
                self._failed("approvals.native_not_handed_over", case.id, refusal)
                break
            await self._audit(case, "native_handed_over", f"{task.user_id} → {heir}")
            instance = await self._forms.read(record.instance)

    async def _finish(self, record: OaRecord, case: Case, instance: OaInstance) -> OaRecord:
        """Finish with an ended approval; if the case is still open, it continues in chat alone."""
        if not case.state.is_final and case.state is not CaseState.OPEN:
            return replace(record, tries=0, due_at=self._now() + _CHECK_INTERVAL)  # the ERP is being told
        if contradicts(case, instance):
            await self._comment(record, (_CONTRADICTED,) if case.state.is_final else ())
            await self._audit(case, "native_parted", f"{instance.verdict}, the case is {case.state}")
        else:
            await self._audit(case, "native_ended", str(instance.verdict or "called off"))
        return _ended(record)

    async def _comment(self, record: OaRecord, words: Sequence[Phrase]) -> None:
        if not words:
            return
        try:
            await self._forms.comment(record.instance, record.originator, " ".join(map(self._say, words)))
        except DingerpError as error:
            # The record has it; a duplicate comment would be worse than none.
            self._failed("approvals.native_not_commented", record.case, error)

    def _speaker(self, record: OaRecord, case: Case) -> str:
        return case.decision.by if case.decision is not None else record.originator

    def _later(self, record: OaRecord, retry_after: float | None = None) -> OaRecord:
        wait = max(_BACKOFF.pause(record.tries + 1), retry_after or 0.0)
        return replace(record, tries=record.tries + 1, due_at=self._now() + timedelta(seconds=wait))

    async def _audit(self, case: Case, what: str, detail: str, user_id: str = "") -> None:
        row = AuditRow(at=self._now(), case=case.id, what=what, user_id=user_id, detail=detail)

        def write(cases: CaseRepository) -> None:
            cases.audit(row)

        await self._store.transact(write)

    def _failed(self, what: str, case_id: str, error: DingerpError) -> None:
        log.warning(what, case=case_id, error=type(error).__name__, detail=error.detail)
        self._metrics.errors.labels("approvals", type(error).__name__).inc()


def _ended(record: OaRecord) -> OaRecord:
    return replace(record, state=OaState.ENDED)
