"""Which rows may be sent now, which wait, and which become a digest: a pure decision over the rows and past spending.

A budget applies to *any* window, not to calendar minutes: a call counts from its start until a full window after its
end. The counts are in the database, so all processes share them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.outbox.delivery import OutboxRow, Urgency
from bot.outbox.place import Place

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
SPARING_DIGEST = timedelta(hours=4)
"""While calls are scarce, a place gets one new card in this time, mostly a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLimits:
    """``per_second`` calls of one API, ``place_minute`` new cards at one place, ``robot_minute`` plain messages."""

    per_second: int = 10
    place_minute: int = 20
    robot_minute: int = 20

    @property
    def place_urgent(self) -> int:
        """The limit of new cards at one place including urgent ones: a flood of others leaves room for several urgent
        ones.

        Settings below twenty mean cards of any kind.
        """
        return self.place_minute + self.place_minute // 20 * 10

    @property
    def crowd(self) -> int:
        """The number of urgent cards waiting for a place from which a digest replaces them too: showing all would take
        minutes.
        """
        return 5 * self.place_minute


@dataclass(frozen=True, slots=True)
class BudgetCost:
    """One unit of a budget: of ``limit`` in any ``window``."""

    bucket: str
    window: timedelta
    limit: int

    @property
    def brief(self) -> bool:
        """Whether room returns so soon that the row can simply stay queued."""
        return self.window <= SECOND


def budget_costs(row: OutboxRow, limits: SendLimits, *, sparing: bool) -> tuple[BudgetCost, ...]:
    """Return the cost of sending a row; none for a plain message already sent, because it cannot be changed."""
    if row.via.is_marker:
        return (BudgetCost("marker", SECOND, limits.per_second),)
    if row.is_message:
        if row.shown:
            return ()
        calls = [BudgetCost("text", SECOND, limits.per_second), BudgetCost("robot", MINUTE, limits.robot_minute)]
    elif row.shown:
        return (BudgetCost("change", SECOND, limits.per_second),)
    else:
        calls = [BudgetCost("show", SECOND, limits.per_second)]
        if row.doubt:
            # The card may exist already with older content: it is created and then changed.
            calls.append(BudgetCost("change", SECOND, limits.per_second))
    urgent = row.urgency is Urgency.NOW
    a_minute = limits.place_urgent if urgent else limits.place_minute
    calls += [BudgetCost(f"place {place}", MINUTE, a_minute) for place in row.places]
    if sparing and not urgent:
        calls += [BudgetCost(f"sparing {place}", SPARING_DIGEST, 1) for place in row.places]
    return tuple(calls)


class BudgetWindow:
    """Past spending: for each bucket, the expiry times of its units."""

    def __init__(self, spent: Mapping[str, Iterable[datetime]], now: datetime) -> None:
        self._now = now
        self._spent = {bucket: sorted(until for until in ends if until > now) for bucket, ends in spent.items()}

    def short(self, cost: BudgetCost) -> datetime | None:
        """Return None if there is room, otherwise when to retry."""
        ends = self._spent.get(cost.bucket, [])
        if len(ends) < cost.limit:
            return None
        # A call in progress counts until its lease ends, but will hardly take that long.
        return min(ends[len(ends) - cost.limit], self._now + cost.window)

    def spend(self, cost: BudgetCost) -> None:
        """Take one unit."""
        self._spent.setdefault(cost.bucket, []).append(self._now + cost.window)


@dataclass(frozen=True, slots=True)
class FoldKey:
    """Identifies rows of one kind at one place that one digest replaces."""

    place: Place
    kind: str


@dataclass(slots=True)
class SendPlan:
    """The plan for the rows that are due."""

    take: list[tuple[OutboxRow, tuple[BudgetCost, ...]]] = field(default_factory=list)
    postpone: dict[str, datetime] = field(default_factory=dict)
    """Cards whose budget is exhausted for a while, and when to retry."""
    fold: list[FoldKey] = field(default_factory=list)
    """Where a digest replaces waiting rows, if there is more than one."""
    crowded: frozenset[FoldKey] = frozenset()
    """Those of them where it replaces even urgent ones."""
    look_at: datetime | None = None
    """When a row still queued can be sent; None if none is."""


def plan_sends(
    rows: Sequence[OutboxRow],
    budget: BudgetWindow,
    limits: SendLimits,
    *,
    room: int,
    sparing: bool,
    now: datetime,
    reserved: bool = False,
) -> SendPlan:
    """Plan ``rows``, most urgent first; at most ``room`` are taken.

    While calls are scarce (``sparing``), existing cards and markers are updated only if urgent. While they are
    ``reserved``, nothing else is sent at all.
    """
    plan = SendPlan()
    over_budget: dict[FoldKey, None] = {}
    urgent: Counter[FoldKey] = Counter()
    for row in rows:
        if reserved and row.urgency is not Urgency.NOW:
            plan.postpone[row.card] = now + SPARING_DIGEST
            continue
        late = (row.shown and not row.is_message) or row.via.is_marker
        if sparing and row.urgency is not Urgency.NOW and late:
            plan.postpone[row.card] = now + SPARING_DIGEST
            continue
        costs = budget_costs(row, limits, sparing=sparing)
        short = [(cost, until) for cost in costs if (until := budget.short(cost)) is not None]
        lasting = [until for cost, until in short if not cost.brief]
        if lasting:
            plan.postpone[row.card] = max(lasting)
            if is_foldable(row):
                over_budget[FoldKey(row.place, row.kind)] = None
            elif row.urgency is Urgency.NOW and is_unseen(row):
                urgent[FoldKey(row.place, row.kind)] += 1
        elif short:
            plan.look_at = min([until for _, until in short] + ([plan.look_at] if plan.look_at else []))
        elif len(plan.take) < room:
            for cost in costs:
                budget.spend(cost)
            plan.take.append((row, costs))
    plan.crowded = frozenset(fold for fold, count in urgent.items() if count > limits.crowd)
    plan.fold = list(over_budget | dict.fromkeys(plan.crowded))
    return plan


def is_foldable(row: OutboxRow) -> bool:
    """Return whether a digest may replace a row: it was certainly not shown yet, and is not urgent."""
    return is_unseen(row) and row.urgency is not Urgency.NOW


def is_unseen(row: OutboxRow) -> bool:
    """Return whether a row was certainly not shown yet."""
    return not row.shown and not row.doubt
