"""Finds what costs time, with remedies that are rehearsed: anew each day, and whenever a rule file has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from bot.approvals.plan import ApprovalPlan
from bot.approvals.policy_replay import ReplayedDocument
from bot.bootstrap.event_replay import ReplayResult
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.rehearsals import DAYS, MOST_ORDERS, SECONDS, Rehearsals
from bot.bootstrap.remedies import quieten, raise_limit
from bot.bootstrap.rules import RuleFiles
from bot.efficiency.findings import (
    PURCHASING,
    Finding,
    FoundFindings,
    Rehearsed,
    RuleEdit,
    find_noisy_rules,
    find_repeated_questions,
    find_slow_levels,
    find_slow_vendors,
    find_unread_sentences,
    months_of_findings,
    order_findings,
    weekly,
)
from bot.efficiency.lead_times import StepCases, read_step
from bot.efficiency.port import EfficiencyReader, PredictionStore
from bot.efficiency.predictions import Prediction, predict
from bot.erp.hub import ErpHub
from bot.mechanisms.background import Runs, repeat
from bot.mechanisms.single_flight import SingleFlight
from bot.read_model.queries import ReadModel
from bot.rulefiles.followed_file import FollowedFile
from bot.store.predictions import StoredPredictions
from bot.web.pages.public_address import PublicAddress
from bot.web.pages.rules import RULES
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

_REFRESHED_EVERY = 300.0
_MEASURED_EVERY = 600.0
HELPS = Decimal("0.8")
"""What is left of the cases by a remedy that is worth proposing, at most."""

_NO_LIMIT = phrase("No approval rule of this name says an amount from which it holds, so no limit can be raised.")
_NO_ROUTE = phrase("The alert rules have no rule of this name any more.")
_NO_HELP = phrase("No change that was rehearsed would have made it better.")
_TOO_LONG = phrase("The rehearsal took longer than %(num)s seconds, and was given up.", num=int(SECONDS))


@dataclass(frozen=True, slots=True)
class _State:
    """What findings depend on: the day, and the rules in force."""

    day: date
    rules: tuple[str, ...]


@dataclass(kw_only=True)
class Findings:
    """A `bot.efficiency.port.FindingReader`. Rehearsals take seconds: who asks meanwhile waits for the same ones."""

    figures: EfficiencyReader
    purchases: Callable[[], Awaitable[StepCases]]
    """Reads the company's purchase orders as far as they have come."""
    files: RuleFiles
    rehearsals: Rehearsals
    kept: PredictionStore
    now: Callable[[], datetime]
    pages: PublicAddress | None
    _known: tuple[_State, FoundFindings] | None = None
    _finding: SingleFlight[FoundFindings] = field(default_factory=SingleFlight)

    async def found(self) -> FoundFindings:
        known = self._known
        return known[1] if known is not None and known[0] == self._state() else await self._finding.join(self._find)

    async def find(self, number: str) -> Finding | None:
        """Return a finding by its id."""
        return next((each for each in (await self.found()).findings if each.id == number), None)

    async def predictions(self) -> Sequence[Prediction]:
        return await self.kept.all()

    async def note_proposal(self, number: str, text: str) -> None:
        """Keep what a finding predicts of a text that was proposed, if it is the one that was rehearsed."""
        finding = await self.find(number)
        prediction = None if finding is None else predict(finding, text, self.now())
        if prediction is not None:
            await self.kept.keep(prediction)

    def address(self, finding: Finding) -> str:
        if self.pages is None or not isinstance(finding.remedy, RuleEdit):
            return ""
        return self.pages.whole(f"{RULES}/{finding.remedy.subject.value}?finding={finding.id}")

    def _state(self) -> _State:
        return _State(self.now().date(), tuple(self.files.digests().values()))

    async def _find(self) -> FoundFindings:
        state = self._state()
        months = months_of_findings(state.day)
        decisions = {month: await self.figures.decisions(month) for month in months}
        alerts = {month: await self.figures.alerts(month) for month in months}
        read = await self.purchases()
        purchases = {month: read.of_month(month) for month in months if read.tells_of(month)}
        findings = [
            *[await self._with_limit(each) for each in find_slow_levels(decisions)],
            *[await self._with_less_noise(each) for each in find_noisy_rules(alerts)],
            *find_slow_vendors(purchases),
            *find_repeated_questions(await self.figures.question_hours(months[0]), months[0]),
            *find_unread_sentences(await self.figures.unread_sentences(months[0]), months[0]),
        ]
        found = FoundFindings(order_findings(findings), decisions, alerts)
        self._known = state, found
        return found

    async def _with_limit(self, finding: Finding) -> Finding:
        file = self.files.approvals
        edit = await asyncio.to_thread(raise_limit, _text_of(file), finding.subject)
        if edit is None:
            return replace(finding, unrehearsed=_NO_LIMIT)
        try:
            async with asyncio.timeout(SECONDS):
                review = await asyncio.to_thread(file.review, edit.text.encode())
                replayed = await self.rehearsals.replay_orders(review.content.rules)
        except (TimeoutError, DingerpError) as error:
            return replace(finding, unrehearsed=_why_not(error))
        # What changes nothing for an order did not make it stuck.
        if stuck := sum(each.changed and (bool(each.stuck) or each.new is None) for each in replayed):
            return replace(finding, unrehearsed=phrase("With it nobody could decide %(num)s orders.", num=stuck))
        before, after = (sum(_rule(plan) == finding.subject for plan in plans) for plans in _plans(replayed))
        rehearsed = _rehearsed(before, after, _days_of(replayed, self.now().date()))
        if rehearsed is None:
            return replace(finding, unrehearsed=_NO_HELP)
        return replace(finding, remedy=edit, rehearsed=rehearsed)

    async def _with_less_noise(self, finding: Finding) -> Finding:
        file = self.files.alerts
        edits = await asyncio.to_thread(lambda: tuple(quieten(_text_of(file), finding.subject)))
        unrehearsed = _NO_HELP if edits else _NO_ROUTE
        for edit in edits:
            try:
                review = await asyncio.to_thread(file.review, edit.text.encode())
                played = await self.rehearsals.replay_events(review.content.rules)
            except (TimeoutError, DingerpError) as error:
                unrehearsed = _why_not(error)
                continue
            before, after = (_cards(result, finding.subject) for result in (played.before, played.after))
            if (rehearsed := _rehearsed(before, after, played.days)) is not None:
                return replace(finding, remedy=edit, rehearsed=rehearsed)
        return replace(finding, unrehearsed=unrehearsed)


async def start_findings(
    base: Infrastructure,
    figures: EfficiencyReader,
    files: RuleFiles,
    rehearsals: Rehearsals,
    hub: ErpHub,
    documents: ReadModel,
) -> Findings:
    """Return the findings, which every process keeps up to date, so that hardly anybody has to wait for a rehearsal."""
    settings = base.settings
    kept = StoredPredictions(base.database, base.now)

    def purchases() -> Awaitable[StepCases]:
        sources = hub.visible_sources(PURCHASING.start.followed)
        return read_step(documents, PURCHASING, sources=sources, hides=hub.hides_documents)

    findings = Findings(
        figures=figures,
        purchases=purchases,
        files=files,
        rehearsals=rehearsals,
        kept=kept,
        now=base.now,
        pages=PublicAddress(settings.http.public_url) if settings.has_pages else None,
    )
    refresh = partial(repeat, findings.found, every=_REFRESHED_EVERY, failed="findings.not_refreshed")
    await base.run_in_background(refresh, "findings", Runs.EVERYWHERE)
    measure = partial(repeat, kept.measure, every=_MEASURED_EVERY, failed="predictions.not_measured")
    await base.run_in_background(measure, "predictions", Runs.WITH_LEAD)
    return findings


def _text_of(file: FollowedFile[Any]) -> str:
    return file.in_force.text.decode("utf-8-sig").replace("\r\n", "\n")


def _why_not(error: Exception) -> Phrase:
    return error.tell() if isinstance(error, DingerpError) else _TOO_LONG


def _plans(replayed: Sequence[ReplayedDocument]) -> tuple[Sequence[ApprovalPlan | None], Sequence[ApprovalPlan | None]]:
    return [each.old for each in replayed], [each.new for each in replayed]


def _days_of(replayed: Sequence[ReplayedDocument], today: date) -> int:
    """Return how many days the newest documents are of: fewer than asked for if there are more than are looked at."""
    if len(replayed) < MOST_ORDERS:
        return DAYS.days
    days = (each.document.kind.day(each.document.read) for each in replayed if each.document.record is not None)
    first = min((day for day in days if day is not None), default=today - DAYS)
    return max(1, min((today - first).days, DAYS.days))


def _rule(plan: ApprovalPlan | None) -> str:
    return "" if plan is None else plan.rule


def _cards(result: ReplayResult, rule: str) -> int:
    return sum(card.made_at is not None and card.route == rule for card in result.cards)


def _rehearsed(before: int, after: int, days: int) -> Rehearsed | None:
    """Return what a remedy would have done; None if that is too little, or leaves nothing of what it is about."""
    if not 0 < after <= HELPS * before:
        return None
    return Rehearsed(before=weekly(before, days), after=weekly(after, days), days=days)
