"""A company's rules: the documents each applies to, their deciders, and limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.alerts.rules.expression import Expression
from bot.approvals.plan import ExpiryAction, Quorum
from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.model import Money

DEFAULT_KINDS = frozenset({PURCHASE_ORDERS.command})


class SelectorKind(StrEnum):
    """The way an approver is named."""

    PERSON = "person"
    ROLE = "role"
    MANAGER = "manager"
    """A manager in the requester's chain: ``manager:1`` is the nearest."""
    FIELD = "field"
    """The person whom a field of the document names: ``field:buyer``."""


@dataclass(frozen=True, slots=True)
class ApproverSelector:
    """Selects approvers: ``role:purchasing``, ``person:manager01``, ``manager:2``, ``field:buyer``."""

    by: SelectorKind
    value: str

    def __str__(self) -> str:
        """Return the selector in rule-file syntax."""
        return f"{self.by}:{self.value}"


@dataclass(frozen=True, slots=True)
class RuleScope:
    """The documents a rule applies to; empty fields match all. Texts are compared case-insensitively.

    ``at_least`` and ``below`` bound the total in one currency; other currencies never match a bound.
    """

    kinds: frozenset[str] = DEFAULT_KINDS
    """The commands of the kinds; without a word on them, purchase orders, as in rules from before there were others."""
    sources: frozenset[str] = frozenset()
    companies: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    suppliers: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    """One line in such a category is enough."""
    requesters: tuple[ApproverSelector, ...] = ()
    currencies: frozenset[str] = frozenset()
    at_least: Money | None = None
    below: Money | None = None
    flags: frozenset[str] = frozenset()
    """Names of checks (`bot.checks`); one that flags the document is enough, or one that could not look at it."""


@dataclass(frozen=True, slots=True)
class RuleLevel:
    """One level: its approvers, and how many of them must agree."""

    quorum: Quorum
    approvers: tuple[ApproverSelector, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """The first rule whose scope fits a document makes its plan."""

    name: str
    scope: RuleScope = RuleScope()
    steps: tuple[RuleLevel, ...]
    confirm_from: Money | None = None
    """From this amount on, approving asks for confirmation; amounts in other currencies always do."""
    daily_limits: tuple[Money, ...] = ()
    remind_after: tuple[timedelta, ...] = ()
    deadline: timedelta | None = None
    on_expiry: ExpiryAction = ExpiryAction.NOTHING
    escalate_to: tuple[ApproverSelector, ...] = ()
    todo: bool | None = None
    """Whether the people whose turn it is also get a to-do; None: as in the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitute:
    """``by`` decides instead of ``person``, both userIds; if they are away too, their own substitute does.

    ``by`` is empty for somebody who is away and for whom nobody decides.
    """

    person: str
    by: str
    begins: datetime
    ends: datetime

    def is_active(self, now: datetime) -> bool:
        """Whether it is in force at ``now``."""
        return self.begins <= now < self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleLimit:
    """The most that these people may approve in one document."""

    approvers: tuple[ApproverSelector, ...]
    amounts: tuple[Money, ...]
    binds_stand_ins: bool = True
    """Whether it also binds their substitutes."""


REPORT_WITHIN = timedelta(hours=1)
"""How long a program has to say what came of its action, where the rule says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRule:
    """What becomes of a program's requests of some classes: the first rule that fits decides.

    With ``steps`` people decide; without any it allows, or with ``denies`` denies.
    """

    name: str
    classes: tuple[str, ...]
    """Names of classes, or their beginnings (``refund.*``)."""
    when: Expression | None = None
    denies: bool = False
    steps: tuple[RuleLevel, ...] = ()
    sample: float = 0.0
    """The share of what is allowed that people are shown, from 0 to 1."""
    told: tuple[ApproverSelector, ...] = ()
    """Who is shown the sample."""
    budget: int | None = None
    """How many requests of a class one key has in a day."""
    report_within: timedelta = REPORT_WITHIN
    """Until when the program says what came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayRule:
    """What people may arrange themselves when they are away: who may stand in for them, and for how long."""

    substitutes: tuple[ApproverSelector, ...] = ()
    """Persons and roles; without any, the rule file alone names substitutes."""
    longest: timedelta = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRuleSet:
    """All rules of a company."""

    version: str
    rules: tuple[ApprovalRule, ...]
    substitutes: tuple[Substitute, ...] = ()
    limits: tuple[SingleLimit, ...] = field(default=())
    gate: tuple[GateRule, ...] = ()
    """The rules of what programs ask leave for."""
    away: AwayRule = AwayRule()
