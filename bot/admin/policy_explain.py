"""``dingerp policy explain``: who decides a purchase order, by which rule and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sqlalchemy.engine import Connection

from bot.admin.database import OperatorAction, open_database
from bot.admin.erps import unknown_source
from bot.admin.output import escape_invisible, format_minute
from bot.admin.policy_context import PolicyContext, find_policy, open_policy, open_policy_context
from bot.admin.rules_in_force import name_places
from bot.approvals.case import Case, CaseState
from bot.approvals.deciders import ErpApprovers, find_barred, find_dead_end, find_erp_approvers
from bot.approvals.document import ApprovalDocument, DocumentKey
from bot.approvals.lifecycle import new_case
from bot.approvals.plan import ApprovalPlan, CompanyDirectory, Eligibility, ExpiryAction, PlanResult, tally
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.approvals.policy_replay import describe_level
from bot.approvals.unit_of_work import CaseUnitOfWork
from bot.approvals.voting import check_vote
from bot.bootstrap.policy import terms_of
from bot.erp.books import Books
from bot.erp.errors import ErpError, NotFound, Unsupported
from bot.erp.hub import ErpHub
from bot.erp.kinds import DECIDED
from bot.erp.model import Review, Verdict
from bot.rulefiles.values import written_duration
from bot.settings import Settings
from bot.store.approvals.repository import StoredCaseRepository
from bot.store.database import Database
from bot.words.phrase import Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    user_id: str
    account: str
    rulings: tuple[tuple[Verdict, Eligibility], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Explained:
    document: ApprovalDocument
    policy: RuleBasedPolicy
    plan_result: PlanResult
    case: Case | None
    """The open case of this revision, if any."""
    person: _Person | None
    expected: ErpApprovers
    """The approvers the ERP itself waits for."""
    barred: Mapping[str, Phrase]
    """The plan's approvers who cannot decide it, with the reason."""
    dead_end: Phrase | None
    """Why nobody can complete it from chat."""


async def explain_document(settings: Settings, number: str, *, user: str, source: str, rules: Path | None) -> list[str]:
    """Return lines on a document, and on what ``user``, if given, may do now.

    With ``rules`` they describe a new case under that file's rules. Raises `RulesError`, `ConfigurationError`, and the
    errors of the ERP and the directory.
    """
    if source and source not in settings.erp:
        raise unknown_source(settings, source)
    policy = RuleBasedPolicy(open_policy(settings, rules))
    async with open_policy_context(settings) as context:
        key = await _locate(context.hub, number, source)
        document, company = await context.reader.read_for_plan(key, policy)
        document = await context.reader.checked(document, company, policy, None)
        look = partial(_look, settings, context, policy, document, company, user, rules is None)
        async with open_database(settings, OperatorAction(command="policy explain", documents=(number,))) as database:
            found = await _run(database, look)
        file = rules or find_policy(settings) or name_places(settings.approval_rules)
        return [escape_invisible(line) for line in _lines(found, context, str(file))]


async def _locate(hub: ErpHub, number: str, source: str) -> DocumentKey:
    """Return which document a number means, of the first kind decided that has it; raises what the ERPs raise."""
    there = hub.within(Books(source)) if source else hub
    missing: ErpError | None = None
    for kind in DECIDED:
        try:
            found = await there.document(kind, number)
        except (NotFound, Unsupported) as error:
            missing = missing or error
            continue
        if kind.review(found.value) is not None:
            return DocumentKey(found.source, kind, found.value.number)
    raise missing or NotFound(number, source=source)


async def _run(database: Database | None, look: partial[_Explained]) -> _Explained:
    if database is not None:
        return await database.run(look)
    empty = Database("sqlite://")  # no bot has run here yet: there are no cases and no approvals
    try:
        await empty.migrate()
        return await empty.run(look)
    finally:
        await empty.close()


def _look(
    settings: Settings,
    context: PolicyContext,
    policy: RuleBasedPolicy,
    document: ApprovalDocument,
    company: CompanyDirectory,
    user: str,
    in_force: bool,
    connection: Connection,
) -> _Explained:
    now = context.now()
    repository = StoredCaseRepository(connection, now)
    policy = policy.with_absences(repository.absences(), company)
    unit = CaseUnitOfWork(cases=repository, policy=policy, company=company, now=now, options=terms_of(settings))
    case = repository.newest(document.key) if in_force else None
    if case is not None and (case.state is not CaseState.OPEN or case.fingerprint != document.fingerprint):
        case = None
    if case is not None:
        document = replace(document, checks=case.checks)
    plan_result = policy.plan(document, company)
    asked = case or (new_case(unit, document, plan_result.plan) if plan_result.plan is not None else None)
    person = None
    if user and asked is not None:
        rulings = tuple((verdict, check_vote(unit, asked, user, verdict, document)) for verdict in Verdict)
        person = _Person(user_id=user, account=unit.account_of(user, document.source), rulings=rulings)
    waits = document.review.waits
    return _Explained(
        document=document,
        policy=policy,
        plan_result=plan_result,
        case=case,
        person=person,
        expected=find_erp_approvers(unit, document, asked),
        barred=find_barred(unit, asked, document) if asked is not None and waits else {},
        dead_end=find_dead_end(unit, asked, document) if asked is not None and waits else None,
    )


def _lines(found: _Explained, context: PolicyContext, file: str) -> Iterator[str]:
    document, review, say = found.document, found.document.review, context.english.say
    requester = found.document.requester or "nobody known here"
    total = context.english.money(document.total)
    yield f"{document.number} of {document.source}: {review.state}, {total}, {document.partner}"
    yield f"  requested by {review.requester or 'nobody that the ERP tells'} ({requester})"
    if review.changed_by not in ("", review.requester):
        yield f"  changed last by {review.changed_by} ({', '.join(found.document.editors) or 'nobody known here'})"
    if not review.waits:
        yield f"  it is not waiting in the ERP ({review.state}): nothing can be decided now"
    yield from _expected_lines(found.expected, review)
    yield f"rules {found.policy.version} ({file})"
    yield from (f"  {say(reason)}" for reason in found.plan_result.reasons)
    plan = found.plan_result.plan
    if found.case is not None:
        plan = found.case.plan
        opened_at = format_minute(found.case.opened_at, context.now().tzinfo)  # type: ignore[arg-type]  # the clock is aware
        yield f"case open since {opened_at}, by rules {found.case.policy}, “{plan.rule}”: its plan stands"
        yield from _votes(found.case)
    if plan is None:
        return
    yield from _plan_lines(plan, found.barred, context)
    if found.dead_end is not None and not found.expected.mismatched:
        yield f"nobody can decide it from chat: {say(found.dead_end)}"
    if found.person is not None:
        yield from _person_lines(found.person, found.document, context)


def _expected_lines(waits: ErpApprovers, review: Review) -> Iterator[str]:
    if not waits.people:
        return
    people = (_describe_person(person.account, review.named(person.account), person.user_id) for person in waits.people)
    yield f"  the ERP itself waits for {', '.join(people)}"
    if waits.mismatched:
        yield "  none of those who decide by the rule is among them: the ERP would not take their decision"


def _describe_person(account: str, name: str, user_id: str) -> str:
    """Return the description of a person named by the ERP, with all that is known of them."""
    known = (name if name != account else "", user_id or "nobody known here")
    return f"{account} ({', '.join(filter(None, known))})"


def _votes(case: Case) -> Iterator[str]:
    for vote in case.votes:
        place = f" in the place of {vote.on_behalf_of}" if vote.on_behalf_of else ""
        yield f"  {vote.user_id}{place}: {vote.verdict} at level {vote.level}"
    waited = tally(case.plan, case.votes)
    if not isinstance(waited, Verdict):
        yield f"  it waits for level {waited}"


def _plan_lines(plan: ApprovalPlan, barred: Mapping[str, Phrase], context: PolicyContext) -> Iterator[str]:
    for level in plan.levels:
        yield f"level {level.number}: {describe_level(level)}"
        unable = {user_id: reason for user_id, reason in barred.items() if user_id in level.approvers}
        for user_id, reason in {**level.excluded, **unable}.items():
            yield f"  not {user_id}: {context.english.say(reason)}"
    if plan.confirm:
        yield "approving asks once more"
    if plan.daily_limits:
        yield f"in one day each may approve {_amounts(plan, context)}"
    for user_id, amounts in plan.single_limits.items():
        if any(user_id in level.approvers for level in plan.levels):
            yield f"{user_id} may approve up to {', '.join(map(context.english.money, amounts))} in one document"
    yield from _time_lines(plan)


def _amounts(plan: ApprovalPlan, context: PolicyContext) -> str:
    return ", ".join(map(context.english.money, plan.daily_limits))


def _time_lines(plan: ApprovalPlan) -> Iterator[str]:
    if plan.remind_after:
        yield f"reminders after {', '.join(map(written_duration, plan.remind_after))}"
    if plan.deadline is None:
        return
    ends = {
        ExpiryAction.NOTHING: "the card says that it is late",
        ExpiryAction.CLOSE: "it can no longer be decided from chat",
        ExpiryAction.ESCALATE: f"{_people(plan.escalate_to)} may decide as well",
    }
    yield f"after {written_duration(plan.deadline)} {ends[plan.on_expiry]}"


def _person_lines(person: _Person, document: ApprovalDocument, context: PolicyContext) -> Iterator[str]:
    yield f"{person.user_id}, account in {document.source}: {person.account or 'none'}"
    for verdict, eligibility in person.rulings:
        reasons = " ".join(map(context.english.say, eligibility.reasons))
        yield f"  may {verdict}: {'yes' if eligibility.allowed else 'no'}. {reasons}"
    refused = [eligibility for _, eligibility in person.rulings if not eligibility.allowed]
    ask = dict.fromkeys(user_id for eligibility in refused for user_id in eligibility.ask)
    if ask:
        yield f"  could decide instead: {_people(tuple(ask))}"


def _people(user_ids: Sequence[str]) -> str:
    return ", ".join(user_ids) or "nobody"
