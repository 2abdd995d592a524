"""What rules that are not in force yet would change: decisions of past orders, last week's alerts, and who may what.

A rehearsal changes nothing. It is bounded in rows and time, one runs at a time, and it shows of documents what its
reader may see.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.access.areas import command_of
from bot.access.openings import find_openings
from bot.access.people import Person
from bot.access.policy import AccessPolicy, AccessRequest
from bot.alerts.intake.port import StoredEvent
from bot.alerts.rules.parser import default_rules
from bot.alerts.rules.rule_set import AlertRuleSet
from bot.approvals.document_reader import Organisation
from bot.approvals.plan import ApprovalPlan, Quorum
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.approvals.policy_replay import PolicyReplay, ReplayedDocument
from bot.bootstrap.company import company_of
from bot.bootstrap.event_replay import ReplayInputs, ReplayResult, play_events, read_inputs
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.policy import terms_of
from bot.bootstrap.rules import RuleFiles
from bot.cards.status_labels import status_label
from bot.checks.document_checks import DocumentChecks
from bot.erp.hub import ErpHub
from bot.erp.kinds import DECIDED, Kind, ruled_by
from bot.rulefiles.followed_file import FileInForce
from bot.rulefiles.rehearsal import Rehearsal
from bot.rulefiles.versions import RuleSubject
from bot.rulefiles.writing import RuleChangeRefused
from bot.store.approvals.repository import cases_since
from bot.words.phrase import Phrase, Words, phrase

MOST_EVENTS, MOST_ORDERS, MOST_ROWS = 3_000, 1_000, 100
DAYS, LEAST_DAYS = timedelta(days=90), timedelta(days=7)
"""Events are kept for less by default: then it is rehearsed on what there is, a rate of the last week at least."""
SECONDS = 15.0
"""How long one rehearsal may take."""

_CUT = phrase("Of more than %(num)s events the newest were looked at.", num=MOST_EVENTS)
_HIDDEN = phrase("%(num)s more concern documents that you may not see.")


@dataclass(frozen=True, slots=True)
class PlayedTwice:
    """The same events by the rules in force and by others. ``is_cut``: older ones are left out."""

    before: ReplayResult
    after: ReplayResult
    is_cut: bool

    @property
    def days(self) -> int:
        """How many days the events are of."""
        return (self.after.until - self.after.since).days


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsals:
    """Rehearses rules with what a running bot knows."""

    base: Infrastructure
    hub: ErpHub
    files: RuleFiles
    organisation: Organisation
    checks: DocumentChecks
    requests: Sequence[AccessRequest]
    """Of every command."""
    _running: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def rehearse(self, subject: RuleSubject, found: FileInForce[Any], reader: Person) -> Rehearsal:
        """Return what ``found`` would change, as ``reader`` may see it. Raises `RuleChangeRefused`, `DingerpError`."""
        if self._running.locked():
            raise RuleChangeRefused(phrase("Another rehearsal is running. Please try again in a moment."))
        async with self._running:
            try:
                async with asyncio.timeout(SECONDS):
                    match subject:
                        case RuleSubject.ACCESS:
                            return self._rehearse_access(found.content.rules)
                        case RuleSubject.ALERTS:
                            return await self._rehearse_alerts(found.content.rules, reader)
                        case RuleSubject.APPROVALS:
                            return await self._rehearse_approvals(found.content.rules, reader)
            except TimeoutError:
                raise RuleChangeRefused(
                    phrase("The rehearsal took longer than %(num)s seconds, and was given up.", num=int(SECONDS))
                ) from None

    def _rehearse_access(self, new: AccessPolicy) -> Rehearsal:
        old = self.files.access.current()
        gained = find_openings(old, new, self.requests, status_label)
        lost = find_openings(new, old, self.requests, status_label)
        rows = [(phrase("gained"), each) for each in gained] + [(phrase("lost"), each) for each in lost]
        notes: list[Words] = [
            phrase("A role stands for everybody who has it; people have what all their rules give them together.")
        ]
        return Rehearsal(
            headings=(phrase("Right"), phrase("Who, and what")),
            rows=tuple(rows[:MOST_ROWS]),
            notes=_with_rest(notes, rows),
        )

    async def _rehearse_alerts(self, new: AlertRuleSet, reader: Person) -> Rehearsal:
        played = await self.replay_events(new)
        return _compare_replays(played, self._may_see(reader), self.base.settings.limits.month.calls)

    async def replay_events(self, new: AlertRuleSet) -> PlayedTwice:
        """Return what the kept events of `DAYS` come to by the rules in force and by others; of many the newest."""
        until = self.base.now()
        inputs = await read_inputs(self.base.database, until - DAYS, until, until - DAYS, most=MOST_EVENTS)
        received = (given.at for given in inputs.given if isinstance(given.what, StoredEvent))
        since = min(next(received, until), until - LEAST_DAYS)
        file = self.files.alerts
        in_force = file.in_force
        # Rule sets count what events could not answer, so the ones in force are read anew.
        old = await asyncio.to_thread(file.review, in_force.text) if in_force.path is not None else None
        old_rules = default_rules(company_of(self.base.settings)) if old is None else old.content.rules
        play = partial(self._play, inputs, since, until)
        before, after = await asyncio.to_thread(play, old_rules), await asyncio.to_thread(play, new)
        return PlayedTwice(before, after, is_cut=inputs.is_cut)

    def _play(self, inputs: ReplayInputs, since: datetime, until: datetime, rules: AlertRuleSet) -> ReplayResult:
        """Play events in a thread, on a loop of its own."""

        async def play() -> ReplayResult:
            async with asyncio.timeout(SECONDS):
                return await play_events(inputs, self.base.settings, rules, since, until)

        return asyncio.run(play())

    def _may_see(self, reader: Person) -> Callable[[str], bool]:
        policy = self.files.access.current()

        def may_see(event_type: str) -> bool:
            command = command_of(event_type)
            return policy.sees_all(reader, [command or "alerts"])

        return may_see

    async def _rehearse_approvals(self, new: RuleBasedPolicy, reader: Person) -> Rehearsal:
        replayed, policy = await self.replay_orders(new), self.files.access.current()
        seen = frozenset(kind for kind in DECIDED if policy.sees_all(reader, [ruled_by(kind)]))
        return _compare_plans(replayed, seen=seen)

    async def replay_orders(self, new: RuleBasedPolicy) -> Sequence[ReplayedDocument]:
        """Return the newest documents of `DAYS`, at most `MOST_ORDERS`, as both rules plan them."""
        begins = self.base.now() - DAYS
        cases = await self.base.database.run(partial(cases_since, since=begins))
        by_document = {case.key.folded: case for case in cases}
        replay = PolicyReplay(
            self.hub,
            self.organisation,
            self.base.now,
            self.files.approvals.current(),
            new,
            terms_of(self.base.settings),
            by_document,
            self.checks,
        )
        replayed: list[ReplayedDocument] = []
        async for document in replay.all(begins):
            if len(replayed) == MOST_ORDERS:
                break
            replayed.append(document)
        return replayed


def _compare_replays(played: PlayedTwice, may_see: Callable[[str], bool], month: int) -> Rehearsal:
    before, after = played.before, played.after
    old, new = _destinations(before), _destinations(after)
    changed = [key for key in dict.fromkeys((*old, *new)) if old.get(key, ()) != new.get(key, ())]
    seen = [key for key in changed if may_see(key[0])]
    rows = [
        (f"{kind} {subject}".strip(), _places(old, key), _places(new, key)) for key in seen for kind, subject in [key]
    ]
    notes: list[Words] = [
        phrase(
            "Looked at: %(num)s events of the last %(days)s days. Nobody acknowledges anything in a rehearsal.",
            num=after.events,
            days=played.days,
        )
    ]
    if played.is_cut:
        notes.append(_CUT)
    if len(seen) < len(changed):
        notes.append(Phrase(_HIDDEN.msgid, {"num": len(changed) - len(seen)}))
    figures = (
        (phrase("Alerts that go elsewhere"), "", str(len(changed))),
        (phrase("Events that go nowhere"), str(len(before.unrouted)), str(len(after.unrouted))),
        (phrase("Cards"), str(before.creates), str(after.creates)),
        (phrase("API calls"), str(before.creates + before.changes), str(after.creates + after.changes)),
        (phrase("API calls in 30 days like these, of %(num)s", num=month), _monthly(before), _monthly(after)),
    )
    headings = (phrase("Alert"), phrase("Now"), phrase("With the new rules"))
    return Rehearsal(figures=figures, headings=headings, rows=tuple(rows[:MOST_ROWS]), notes=_with_rest(notes, rows))


def _destinations(result: ReplayResult) -> Mapping[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], set[str]] = {}
    for card in result.cards:
        for alert in card.alerts:
            place = f"{card.place} ({card.route})"
            found.setdefault((alert.event.type, alert.event.subject), set()).add(place)
    return {key: tuple(sorted(places)) for key, places in found.items()}


def _places(found: Mapping[tuple[str, str], tuple[str, ...]], key: tuple[str, str]) -> Words:
    return ", ".join(found[key]) if key in found else phrase("nowhere")


def _monthly(result: ReplayResult) -> str:
    return "" if result.monthly is None else str(result.monthly)


def _compare_plans(replayed: Sequence[ReplayedDocument], *, seen: frozenset[Kind[Any]]) -> Rehearsal:
    changed = [document for document in replayed if document.changed or document.stuck]
    shown = [document for document in changed if document.document.kind in seen]
    rows = [
        (
            f"{document.document.number} @{document.document.source}",
            _plan(document.old),
            phrase("%(plan)s; nobody could decide", plan=_plan(document.new))
            if document.stuck
            else _plan(document.new),
        )
        for document in shown
    ]
    notes: list[Words] = [
        phrase("Looked at: %(num)s documents of the last %(days)s days.", num=len(replayed), days=DAYS.days)
    ]
    if len(replayed) == MOST_ORDERS:
        notes.append(phrase("There are more than a rehearsal looks at; `dingerp policy replay` looks at all."))
    if len(changed) > len(shown):
        notes.append(Phrase(_HIDDEN.msgid, {"num": len(changed) - len(shown)}))
    rules = dict.fromkeys(_rule(plan) for document in replayed for plan in (document.old, document.new))
    figures = (
        (phrase("Orders that others, or another rule, would decide"), "", str(sum(each.changed for each in replayed))),
        (phrase("Orders that nobody could decide"), "", str(sum(bool(each.stuck) for each in replayed))),
        *(
            (
                phrase("Orders by “%(rule)s”", rule=rule) if rule else phrase("Orders that the ERP decides"),
                str(sum(_rule(each.old) == rule for each in replayed)),
                str(sum(_rule(each.new) == rule for each in replayed)),
            )
            for rule in rules
        ),
    )
    headings = (phrase("Purchase order"), phrase("Now"), phrase("With the new rules"))
    return Rehearsal(figures=figures, headings=headings, rows=tuple(rows[:MOST_ROWS]), notes=_with_rest(notes, rows))


def _rule(plan: ApprovalPlan | None) -> str:
    return "" if plan is None else plan.rule


def _plan(plan: ApprovalPlan | None) -> Words:
    """Return who decides: any of ``a / b``, all of ``a + b``, one level after the other."""
    if plan is None:
        return phrase("the ERP decides")
    levels = ((" / " if level.quorum is Quorum.ANY else " + ").join(level.approvers) for level in plan.levels)
    return f"“{plan.rule}” {' → '.join(levels)}"


def _with_rest(notes: Sequence[Words], rows: Sequence[object]) -> tuple[Words, ...]:
    if len(rows) <= MOST_ROWS:
        return tuple(notes)
    return (*notes, phrase("%(num)s more differences are not listed.", num=len(rows) - MOST_ROWS))
