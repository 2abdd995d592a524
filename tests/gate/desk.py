"""A gate on a database of its own, with a clock that tests move."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select

from bot.approvals.document_reader import CompanySnapshot
from bot.approvals.plan import CompanyDirectory
from bot.approvals.policy.loader import read_policy
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.gate.gate import Gate, GateWish
from bot.gate.request import GateRequest
from bot.mechanisms.metrics import Metrics
from bot.store.database import Database
from bot.store.gate import StoredGateRequests
from bot.store.program_asks import StoredAskTransactions
from bot.store.tables import AUDIT, DELIVERY
from tests.memory_transactions import MemoryTransactions

NOW = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
AGENT, OWNER, LI, WANG, CFO = "7d21c0aa", "owner01", "li01", "wang01", "cfo01"
ROLES = {"finance": (LI, OWNER, WANG), "head": (CFO,)}
REFUNDS = """
[[gate]]
name = "large"
classes = ["refund"]
when = "decimal(data.amount) > 1000"
levels = [{any = ["role:finance"]}, {all = ["role:head"]}]

[[gate]]
name = "refunds"
classes = ["refund"]
levels = [{any = ["role:finance"]}]
report = "10m"

[[gate]]
name = "notes"
classes = ["note.*"]
allow = true
budget = 2
sample = 0.5
tell = ["role:head"]

[[gate]]
name = "never"
classes = ["delete"]
deny = true
"""


class NoRequests:
    """A repository in which there is nothing."""

    now = NOW

    def find(self, request: str) -> None:
        return None

    def waiting(self, limit: int) -> Sequence[GateRequest]:
        return ()


def quiet_gate() -> Gate:
    """Return a gate at which nobody asks."""

    async def around(_user_id: str) -> CompanyDirectory:
        return CompanySnapshot({}, {}, {}, {})

    return Gate(
        MemoryTransactions(NoRequests()),
        policy=RuleBasedPolicy,
        company=lambda: CompanySnapshot({}, {}, {}, {}),
        company_around=around,
        read_only=lambda: False,
        issuer="dingerp",
        chance=lambda: 1.0,
        metrics=Metrics(),
        on_enqueued=lambda: None,
    )


@dataclass
class Desk:
    """The gate and what surrounds it."""

    database: Database
    rules: str = REFUNDS
    now: datetime = NOW
    clock: Callable[[], datetime] | None = None
    """The time, where no test moves it."""
    chance: float = 1.0
    read_only: bool = False
    roles: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(ROLES))
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        async def around(_user_id: str) -> CompanyDirectory:
            return self.company()

        policy = RuleBasedPolicy(read_policy(self.rules.encode(), UTC))
        self.gate = Gate(
            StoredAskTransactions(self.database, lambda: self.clock() if self.clock else self.now, StoredGateRequests),
            policy=lambda: policy,
            company=self.company,
            company_around=around,
            read_only=lambda: self.read_only,
            issuer="dingerp",
            chance=lambda: self.chance,
            metrics=Metrics(),
            on_enqueued=lambda: None,
        )

    def company(self) -> CompanySnapshot:
        return CompanySnapshot(self.roles, {}, {}, {})

    async def ask(self, gate_class: str = "refund", asked_as: str = "", **facts: object) -> GateRequest:
        """Ask with a new idempotency key, unless one is given."""
        return await self.gate.ask(self.wish(gate_class, asked_as, **facts))

    def wish(self, gate_class: str = "refund", asked_as: str = "", **facts: object) -> GateWish:
        return GateWish(
            key=AGENT,
            owner=OWNER,
            owner_name="Owner",
            asked_as=asked_as or f"n{next(self._numbers)}",
            gate_class=gate_class,
            action="Refund an order",
            facts=facts or {"amount": "10.00"},
            expires_in=timedelta(hours=1),
        )

    async def cards(self, request: GateRequest) -> set[str]:
        """Return who has a card of a request."""
        rows = await self.database.rows(select(DELIVERY).where(DELIVERY.c.ref == request.id))
        return {row.card.partition(f"{request.id}:")[2] for row in rows}

    async def histories(self) -> dict[str, list[str]]:
        """Return what became of each request, in the order of the audit log."""
        found: dict[str, list[str]] = {}
        for row in await self.database.rows(select(AUDIT).where(AUDIT.c.action == "gate").order_by(AUDIT.c.seq)):
            found.setdefault(row.documents, []).append(row.outcome)
        return found

    async def entries(self, request: GateRequest) -> Sequence[Any]:
        """Return the entries of the audit log, oldest first, as actor and outcome."""
        rows = await self.database.rows(select(AUDIT).order_by(AUDIT.c.seq))
        return [(row.actor, row.outcome) for row in rows if request.id in row.documents]
