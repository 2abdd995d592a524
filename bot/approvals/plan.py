"""The approval plan and its votes, and the port of the policy that makes and judges them, with reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Protocol

from bot.approvals.absence import Absence
from bot.approvals.document import ApprovalDocument
from bot.erp.model import Cost, Money, Verdict
from bot.words.disclosure import FieldClass, Stating
from bot.words.phrase import Phrase, phrase

_NO_LIMITS: Mapping[str, tuple[Money, ...]] = MappingProxyType({})
_NO_ROLES: Mapping[str, tuple[str, ...]] = MappingProxyType({})
_NO_MANAGERS: Mapping[str, str] = MappingProxyType({})


DEFAULT_RULE = "default"
"""The rule of a company without its own."""


def label_rule(name: str) -> Phrase | str:
    """Return a rule's display name: a company's own rules keep theirs."""
    return phrase("default") if name == DEFAULT_RULE else name


class Quorum(StrEnum):
    """How many of a level's approvers must agree."""

    ANY = "any"
    ALL = "all"


class ExpiryAction(StrEnum):
    """What happens to a document that nobody decides in time."""

    NOTHING = "nothing"
    ESCALATE = "escalate"
    """The plan's ``escalate_to`` may decide as well."""
    CLOSE = "close"
    """It can no longer be decided from chat. It is never rejected: a rejection needs a person's name in the ERP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalLevel:
    """One step of the plan. ``approvers`` are userIds in the rule's order, without those barred from deciding."""

    number: int
    quorum: Quorum
    approvers: tuple[str, ...]
    excluded: Mapping[str, Phrase]
    """The userIds that the rule names but bars (the requester, an editor), with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPlan:
    """The approvers required for one revision, fixed at submission and kept with the case.

    Limits are fixed too: rules changed later apply to the next revision. Roles are not: a person whom the rule names
    only by role may decide while they have it.
    """

    rule: str
    levels: tuple[ApprovalLevel, ...]
    confirm: bool = False
    """Whether approving asks for confirmation: the amount exceeds the rule's threshold."""
    remind_after: tuple[timedelta, ...] = ()
    deadline: timedelta | None = None
    on_expiry: ExpiryAction = ExpiryAction.NOTHING
    escalate_to: tuple[str, ...] = ()
    todo: bool | None = None
    """Whether the people whose turn it is also get a to-do; None: as in the settings."""
    single_limits: Mapping[str, tuple[Cost, ...]] = field(default_factory=lambda: _NO_LIMITS)
    """userId → the most that the person may approve in one document, by currency."""
    own_limits: tuple[str, ...] = ()
    """The userIds whose limit in one document is theirs alone: it does not bind their substitutes."""
    daily_limits: tuple[Cost, ...] = ()
    """The most that one person, or others in their place, may approve per day, by currency; none: no limit."""
    by_role: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NO_ROLES)
    """userId → roles, for people whom the rule names only by role: they may not decide without one of these."""
    by_manager: Mapping[str, str] = field(default_factory=lambda: _NO_MANAGERS)
    """userId → the number of the requester's manager, counted from 1, for people whom the rule names only so: when the
    organisation changes, their position passes to another person (`bot.approvals.reassigning`).
    """

    def limits_of(self, user_id: str, *, in_place: bool = False) -> tuple[Cost, ...]:
        """Return the most that a person, or others ``in_place`` of them, may approve in one document."""
        return () if in_place and user_id in self.own_limits else self.single_limits.get(user_id, ())

    def level(self, number: int) -> ApprovalLevel:
        """Return a level by its number, which counts from 1."""
        return self.levels[number - 1]


@dataclass(frozen=True, slots=True)
class PlanResult:
    """The plan for a document, and one line of reasoning for each rule checked."""

    plan: ApprovalPlan | None
    """None if no rule covers the document: then it cannot be decided from chat."""
    reasons: tuple[Phrase, ...]


class VoteWay(StrEnum):
    """Where somebody voted."""

    CARD = "card"
    TYPED = "typed"
    PAGE = "page"
    APP = "app"
    """DingTalk's own approvals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One person's vote at one level. ``on_behalf_of`` is the approver whom a substitute stood in for; ``way`` is None
    for votes of older versions, which did not note it.
    """

    user_id: str
    name: str
    level: int
    verdict: Verdict
    at: datetime
    reason: Annotated[str, Stating(FieldClass.COST)] = ""
    on_behalf_of: str = ""
    way: VoteWay | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """A forwarded turn: ``to`` substitutes for ``person`` in this case alone."""

    person: str
    to: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """Whether a person may decide now, why, and in whose place."""

    allowed: bool
    reasons: tuple[Phrase, ...]
    level: int = 0
    on_behalf_of: str = ""
    ask: tuple[str, ...] = ()
    """The userIds of people who could decide instead."""


class DailySpending(Protocol):
    """Amounts that people approved today, for limits per person and day."""

    def approved_today(self, user_id: str, currency: str) -> Money:
        """Return the sum approved today in one currency by the person, or by others in their place."""
        ...


class CompanyDirectory(Protocol):
    """People, roles and managers, according to the directory and the settings."""

    def members_of(self, role: str) -> tuple[str, ...]:
        """Return the userIds with a role, in a stable order."""
        ...

    def managers_of(self, user_id: str) -> tuple[str, ...]:
        """Return the chain of managers, nearest first; it never loops."""
        ...

    def person_of(self, source: str, account: str) -> str:
        """Return the userId behind an ERP account; empty if unknown."""
        ...

    def account_of(self, user_id: str, source: str) -> str:
        """Return the person's ERP account; empty if they have none and so cannot decide there."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteContext:
    """The subject of a vote, in its current state."""

    document: ApprovalDocument
    plan: ApprovalPlan
    votes: tuple[Vote, ...]
    spending: DailySpending
    now: datetime
    forwards: tuple[Forward, ...] = ()


class ApprovalPolicy(Protocol):
    """The rules in force. Pure: results depend on the arguments alone."""

    @property
    def version(self) -> str:
        """A hash of the rules, for the audit log."""
        ...

    @property
    def kinds(self) -> frozenset[str]:
        """The commands of the kinds of documents that any rule is for."""
        ...

    @property
    def asks_categories(self) -> bool:
        """Whether a rule checks product categories, which costs calls to the ERP."""
        ...

    @property
    def asks_checks(self) -> bool:
        """Whether a rule is for what a check flags."""
        ...

    @property
    def asks_directory(self) -> bool:
        """Whether a rule checks managers or departments, which requires DingTalk's directory."""
        ...

    def plan(self, document: ApprovalDocument, company: CompanyDirectory) -> PlanResult:
        """Return the required approvers, and why."""
        ...

    def bounds(self, document: ApprovalDocument, company: CompanyDirectory) -> tuple[Money, ...]:
        """Return the amounts at which another rule begins to decide about a document like this one."""
        ...

    def single_limits(self, document: ApprovalDocument, company: CompanyDirectory) -> Mapping[str, tuple[Money, ...]]:
        """Return each person's limit for this document, as in `ApprovalPlan.single_limits`."""
        ...

    def own_limits(self, document: ApprovalDocument, company: CompanyDirectory) -> tuple[str, ...]:
        """Return the people whose limit applies to them alone, as in `ApprovalPlan.own_limits`."""
        ...

    def substitutes_of(self, user_id: str, now: datetime) -> tuple[str, ...]:
        """Return the person's current substitutes, without the substitutes of these."""
        ...

    def principals_of(self, user_id: str, now: datetime) -> tuple[str, ...]:
        """Return the people for whom a person currently substitutes, or substitutes for a substitute of theirs."""
        ...

    def away_until(self, user_id: str, now: datetime) -> datetime | None:
        """Return the end of a person's present absence; None if they are not known to be away."""
        ...

    @property
    def longest_absence(self) -> timedelta:
        """How long people may say that they are away."""
        ...

    def possible_substitutes(self, company: CompanyDirectory) -> tuple[str, ...]:
        """Return the userIds of those whom people may name as their substitutes; empty if the rules let nobody."""
        ...

    def with_absences(self, absences: Iterable[Absence], company: CompanyDirectory) -> ApprovalPolicy:
        """Return the policy with what people arranged themselves, as far as the rules allow it now."""
        ...

    def may(self, vote_context: VoteContext, user_id: str, verdict: Verdict) -> Eligibility:
        """Return whether the person may give this verdict now; no amount limit applies to rejections."""
        ...


def tally(plan: ApprovalPlan, votes: Sequence[Vote]) -> Verdict | int:
    """Return the verdict that the votes yield, or the number of the current level.

    One valid rejection rejects; levels are passed in order; a vote counts for the approver it stands for.
    """
    if any(vote.verdict is Verdict.REJECT for vote in votes):
        return Verdict.REJECT
    for level in plan.levels:
        said = {vote.on_behalf_of or vote.user_id for vote in votes if vote.level == level.number}
        wanted = set(level.approvers)
        enough = bool(said) if level.quorum is Quorum.ANY else bool(wanted) and wanted <= said
        if not enough:
            return level.number
    return Verdict.APPROVE


def lost_role(plan: ApprovalPlan, user_id: str, company: CompanyDirectory) -> str:
    """Return the role by which a plan names a person who has since lost it; otherwise empty."""
    roles = plan.by_role.get(user_id, ())
    return roles[0] if roles and not any(user_id in company.members_of(role) for role in roles) else ""


def missing_approvers(level: ApprovalLevel, votes: Sequence[Vote]) -> tuple[str, ...]:
    """Return the level's approvers who have not voted, neither themselves nor through a substitute."""
    spoken = {vote.on_behalf_of or vote.user_id for vote in votes if vote.level == level.number}
    return tuple(approver for approver in level.approvers if approver not in spoken)


def is_within(limits: Sequence[Money], total: Money | None) -> bool:
    """Return whether an amount is within limits; an amount that cannot be compared is not."""
    if not limits or total is None:
        return not limits
    return any(most.currency == total.currency and total.amount <= most.amount for most in limits)
