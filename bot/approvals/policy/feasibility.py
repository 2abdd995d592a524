"""Checks whether rules can work: uncovered documents, unreachable rules, impassable levels, substitution loops."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.approvals.plan import ApprovalLevel, Quorum
from bot.approvals.policy.rules import RuleScope, Substitute

_ANY = ""
"""Stands for any currency, and for an unknown total."""


@dataclass(frozen=True, slots=True)
class AmountRange:
    """Amounts from ``low`` (inclusive) to ``high`` (exclusive); None means unbounded."""

    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class UncoveredAmounts:
    """A range of amounts between two rules that no rule covers; ``above`` is the position of the rule after it."""

    above: int
    currency: str
    low: Decimal
    high: Decimal


def is_unreachable(scope: RuleScope, earlier: Sequence[RuleScope]) -> bool:
    """Return whether the ``earlier`` scopes take every document that fits ``scope``."""
    taken = [_amounts(other) for other in earlier if _is_wider(other, scope)]
    return all(not _subtract(span, _ranges_of(taken, currency)) for currency, span in _amounts(scope).items())


def find_uncovered_amounts(scopes: Sequence[RuleScope]) -> Iterator[UncoveredAmounts]:
    """Return the uncovered amounts between rules that differ only in their amounts, each once."""
    said: set[tuple[str, Decimal]] = set()
    for place, scope in enumerate(scopes):
        begins = scope.at_least
        if begins is None or (begins.currency, begins.amount) in said:
            continue
        taken = [_amounts(other) for other in scopes if _is_wider(other, scope)]
        for span in _subtract(AmountRange(), _ranges_of(taken, begins.currency)):
            if span.low is not None and span.high == begins.amount:
                said.add((begins.currency, begins.amount))
                yield UncoveredAmounts(place, begins.currency, span.low, begins.amount)


def _is_wider(outer: RuleScope, inner: RuleScope) -> bool:
    """Return whether ``outer`` covers ``inner``, ignoring amounts."""
    return (
        inner.kinds <= outer.kinds
        and _includes(outer.sources, inner.sources)
        and _includes(outer.companies, inner.companies)
        and _includes(outer.departments, inner.departments)
        and _includes(outer.suppliers, inner.suppliers)
        and _includes(outer.customers, inner.customers)
        and _includes(outer.categories, inner.categories)
        and _includes(outer.requesters, inner.requesters)
        and _includes(outer.flags, inner.flags)
    )


def _includes(wide: Collection[object], narrow: Collection[object]) -> bool:
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def _amounts(scope: RuleScope) -> Mapping[str, AmountRange]:
    """Return the matching amounts by currency."""
    bounds = [bound for bound in (scope.at_least, scope.below) if bound is not None]
    if bounds:
        low = None if scope.at_least is None else scope.at_least.amount
        return {bounds[0].currency: AmountRange(low, None if scope.below is None else scope.below.amount)}
    return dict.fromkeys(scope.currencies or (_ANY,), AmountRange())


def _ranges_of(rules: Iterable[Mapping[str, AmountRange]], currency: str) -> list[AmountRange]:
    return [rule[key] for rule in rules for key in {currency, _ANY} if key in rule]


def _subtract(span: AmountRange, taken: Iterable[AmountRange]) -> list[AmountRange]:
    """Return the parts of ``span`` outside all of ``taken``, from below."""
    left: list[AmountRange] = []
    low = span.low
    for covered in sorted(taken, key=_begin):
        if covered.low is not None and (low is None or low < covered.low):
            if span.high is not None and span.high <= covered.low:
                break
            left.append(AmountRange(low, covered.low))
        if covered.high is None:
            return left
        low = covered.high if low is None else max(low, covered.high)
    if span.high is None or low is None or low < span.high:
        left.append(AmountRange(low, span.high))
    return left


def _begin(span: AmountRange) -> tuple[bool, Decimal]:
    return span.low is not None, span.low or Decimal(0)


def blocked_level(levels: Sequence[ApprovalLevel], able: Mapping[int, Collection[str]]) -> int:
    """Return the number of the first level that cannot be passed whatever the earlier votes; 0 if all can be.

    ``able`` maps each level's number to its approvers who could agree.
    """
    for count, level in enumerate(levels, 1):
        if not _can_pass(levels[:count], able):
            return level.number
    return 0


def _can_pass(levels: Sequence[ApprovalLevel], able: Mapping[int, Collection[str]]) -> bool:
    bound: set[str] = set()
    for level in levels:
        if level.quorum is Quorum.ALL:
            everybody = set(level.approvers)
            if not everybody or everybody & bound or not everybody <= set(able[level.number]):
                return False
            bound |= everybody
    taken: dict[str, int] = {}
    choices = {level.number: set(able[level.number]) - bound for level in levels if level.quorum is Quorum.ANY}
    return all(_find(number, choices, taken, set()) for number in choices)


def _find(number: int, choices: Mapping[int, Collection[str]], taken: dict[str, int], tried: set[str]) -> bool:
    """Find a person for a level; one already assigned moves if their level has an alternative."""
    for person in choices[number]:
        if person in tried:
            continue
        tried.add(person)
        if person not in taken or _find(taken[person], choices, taken, tried):
            taken[person] = number
            return True
    return False


def find_substitution_loop(substitutes: Sequence[Substitute]) -> tuple[int, ...]:
    """Return the positions of substitutes that form a loop at some moment; empty if none do."""
    # Spans that overlap at all overlap at the start of the last one.
    for begins in sorted({substitute.begins for substitute in substitutes}):
        held = [place for place, substitute in enumerate(substitutes) if substitute.is_active(begins)]
        loop = _loop(substitutes, held)
        if loop:
            return loop
    return ()


def _loop(substitutes: Sequence[Substitute], held: Sequence[int]) -> tuple[int, ...]:
    leads: dict[str, list[int]] = {}
    for place in held:
        leads.setdefault(substitutes[place].person, []).append(place)
    cleared: set[str] = set()
    for person in leads:
        loop = _walk(substitutes, leads, person, cleared)
        if loop:
            return loop
    return ()


def _walk(
    substitutes: Sequence[Substitute], leads: dict[str, list[int]], person: str, cleared: set[str]
) -> tuple[int, ...]:
    """Follow all chains from one person; people without a loop behind them are ``cleared``."""
    path: list[int] = []
    ways = [iter(leads.get(person, ()))]
    while ways:
        place = next(ways[-1], None)
        if place is None:
            ways.pop()
            if path:
                cleared.add(substitutes[path.pop()].by)
            continue
        by = substitutes[place].by
        path.append(place)
        begun = [substitutes[place].person for place in path]
        if by in begun:
            return tuple(path[begun.index(by) :])
        ways.append(iter(() if by in cleared else leads.get(by, ())))
    cleared.add(person)
    return ()
