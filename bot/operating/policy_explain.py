"""Who decides about a purchase order, by which rule and why: what ``dingerp policy explain`` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy.engine import Connection

from bot.approvals.awaited import Expected, expected
from bot.approvals.case import Case, CaseState
from bot.approvals.document import Document
from bot.approvals.policy.rulebook import RuleBook
from bot.approvals.ruling import Company, Expiry, Plan, Planning, Ruling, standing
from bot.approvals.unit import Unit
from bot.approvals.voting import may_now
from bot.assembly.policy import terms_of
from bot.erp.model import Approval, PurchaseOrder, PurchaseStatus, Verdict
from bot.operating.erp_check import unknown_source
from bot.operating.opening import opened
from bot.operating.policy_check import open_policy
from bot.operating.policy_ground import Ground, stand, told
from bot.operating.writing import minute, visible
from bot.rulefiles.values import written_duration
from bot.settings import Settings
from bot.store.approvals import StoredApprovals
from bot.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    user_id: str
    account: str
    rulings: tuple[tuple[Verdict, Ruling], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    document: Document
    policy: RuleBook
    planning: Planning
    case: Case | None
    """The open case of this revision, if there is one."""
    person: _Person | None
    expected: Expected
    """Whom the ERP itself waits for."""


async def explain(settings: Settings, number: str, *, user: str, source: str, rules: Path | None) -> list[str]:
    """Return the lines about a document, and about what ``user`` may do now if one is named.

    With ``rules`` they are about what a new case would be by the rules of that file. Raises `RulesError`,
    `ConfigurationError`, and what the ERP and the directory raise.
    """
    if source and source not in settings.erp:
        raise unknown_source(settings, source)
    policy = RuleBook(open_policy(settings, rules).rules)
    async with stand(settings) as ground:
        where = source or (await ground.hub.purchase_order(number)).source
        document, company = await ground.reader.study(where, number, policy)
        look = partial(_look, settings, ground, policy, document, company, user, rules is None)
        async with opened(settings) as database:
            found = await _run(database, look)
        file = rules or settings.approval_rules
        return [visible(line) for line in _lines(found, ground, str(file))]


async def _run(database: Database | None, look: partial[_Found]) -> _Found:
    if database is not None:
        return await database.run(look)
    empty = Database("sqlite://")  # no bot has run here yet: nobody has a case, nobody has approved anything
    try:
        await empty.migrate()
        return await empty.run(look)
    finally:
        await empty.close()


def _look(
    settings: Settings,
    ground: Ground,
    policy: RuleBook,
    document: Document,
    company: Company,
    user: str,
    in_force: bool,
    connection: Connection,
) -> _Found:
    now = ground.now()
    book = StoredApprovals(connection, now)
    unit = Unit(book=book, policy=policy, company=company, now=now, terms=terms_of(settings))
    planning = policy.plan(document, company)
    case = next(iter(book.named(document.number, document.source, 1)), None) if in_force else None
    if case is not None and (case.state is not CaseState.OPEN or case.fingerprint != document.fingerprint):
        case = None
    asked = case or (_imagined(document, planning.plan, policy, unit) if planning.plan is not None else None)
    person = None
    if user and asked is not None:
        rulings = tuple((verdict, may_now(unit, asked, user, verdict, document)) for verdict in Verdict)
        person = _Person(user_id=user, account=unit.account_of(user, document.source), rulings=rulings)
    accounts = (document.order.approval or Approval()).pending_for
    waits = expected(unit, document.source, accounts, asked.plan if asked is not None else None, asked)
    return _Found(document=document, policy=policy, planning=planning, case=case, person=person, expected=waits)


def _imagined(document: Document, plan: Plan, policy: RuleBook, unit: Unit) -> Case:
    """Return the case that would be opened, as far as it counts for who may decide."""
    return Case(
        id="",
        source=document.source,
        number=document.number,
        fingerprint=document.fingerprint,
        version=document.order.version,
        state=CaseState.OPEN,
        plan=plan,
        policy=policy.version,
        opened_at=unit.now,
    )


def _lines(found: _Found, ground: Ground, file: str) -> Iterator[str]:
    order, say = found.document.order, ground.english.say
    requester = found.document.requester or "nobody known here"
    yield f"{order.number} of {order.source}: {order.status}, {ground.english.money(order.total)}, {order.vendor}"
    yield f"  requested by {order.requester or 'nobody that the ERP tells'} ({requester})"
    if order.changed_by not in ("", order.requester):
        yield f"  changed last by {order.changed_by} ({', '.join(found.document.editors) or 'nobody known here'})"
    if order.status is not PurchaseStatus.WAITING:
        yield f"  it is not waiting in the ERP ({order.status}): nothing can be decided now"
    yield from _expected_lines(found.expected, order)
    yield f"rules {found.policy.version} ({file})"
    yield from (f"  {say(reason)}" for reason in found.planning.reasons)
    plan = found.planning.plan
    if found.case is not None:
        plan = found.case.plan
        opened_at = minute(found.case.opened_at, ground.now().tzinfo)  # type: ignore[arg-type]  # the clock is aware
        yield f"case open since {opened_at}, by rules {found.case.policy}, “{plan.rule}”: its plan stands"
        yield from _votes(found.case)
    if plan is None:
        return
    yield from _plan_lines(plan, ground)
    if found.person is not None:
        yield from _person_lines(found.person, found.document, ground)


def _expected_lines(waits: Expected, order: PurchaseOrder) -> Iterator[str]:
    if not waits.people:
        return
    people = (_told(one.account, order.named(one.account), one.user_id) for one in waits.people)
    yield f"  the ERP itself waits for {', '.join(people)}"
    if waits.unmet:
        yield "  none of those who decide by the rule is among them: the ERP would not take their decision"


def _told(account: str, name: str, user_id: str) -> str:
    """Return somebody whom the ERP names, with all that is known of them."""
    known = (name if name != account else "", user_id or "nobody known here")
    return f"{account} ({', '.join(filter(None, known))})"


def _votes(case: Case) -> Iterator[str]:
    for vote in case.votes:
        place = f" in the place of {vote.on_behalf_of}" if vote.on_behalf_of else ""
        yield f"  {vote.user_id}{place}: {vote.verdict} at level {vote.level}"
    waited = standing(case.plan, case.votes)
    if not isinstance(waited, Verdict):
        yield f"  it waits for level {waited}"


def _plan_lines(plan: Plan, ground: Ground) -> Iterator[str]:
    for level in plan.levels:
        yield f"level {level.number}: {told(level)}"
        for user_id, reason in level.excluded.items():
            yield f"  not {user_id}: {ground.english.say(reason)}"
    if plan.confirm:
        yield "approving asks once more"
    if plan.daily_limits:
        yield f"in one day each may approve {_amounts(plan, ground)}"
    for user_id, amounts in plan.single_limits.items():
        if any(user_id in level.approvers for level in plan.levels):
            yield f"{user_id} may approve up to {', '.join(map(ground.english.money, amounts))} in one document"
    yield from _time_lines(plan)


def _amounts(plan: Plan, ground: Ground) -> str:
    return ", ".join(map(ground.english.money, plan.daily_limits))


def _time_lines(plan: Plan) -> Iterator[str]:
    if plan.remind_after:
        yield f"reminders after {', '.join(map(written_duration, plan.remind_after))}"
    if plan.deadline is None:
        return
    ends = {
        Expiry.NOTHING: "the card says that it is late",
        Expiry.CLOSE: "it can no longer be decided from chat",
        Expiry.ESCALATE: f"{_people(plan.escalate_to)} may decide as well",
    }
    yield f"after {written_duration(plan.deadline)} {ends[plan.on_expiry]}"


def _person_lines(person: _Person, document: Document, ground: Ground) -> Iterator[str]:
    yield f"{person.user_id}, account in {document.source}: {person.account or 'none'}"
    for verdict, ruling in person.rulings:
        reasons = " ".join(map(ground.english.say, ruling.reasons))
        yield f"  may {verdict}: {'yes' if ruling.allowed else 'no'}. {reasons}"
    ask = dict.fromkeys(one for _, ruling in person.rulings if not ruling.allowed for one in ruling.ask)
    if ask:
        yield f"  could decide instead: {_people(tuple(ask))}"


def _people(user_ids: Sequence[str]) -> str:
    return ", ".join(user_ids) or "nobody"
