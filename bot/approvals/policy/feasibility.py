"""Whether rules can work at all: documents left out, rules never reached, levels nobody can pass, substitutes in a
circle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.approvals.plan import ApprovalLevel, Quorum
from bot.approvals.policy.rules import RuleScope, Substitute

_ANY = ""
"""Stands for any currency, and for a total that the ERP does not tell."""


@dataclass(frozen=True, slots=True)
class AmountRange:
    """Amounts from ``low``, itself included, to below ``high``; None: without a bound."""

    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CoverageGap:
    """Amounts between two rules that no rule is for; ``above`` is the place of the rule that begins after them."""

    above: int
    currency: str
    low: Decimal
    high: Decimal


def is_unreachable(scope: RuleScope, earlier: Sequence[RuleScope]) -> bool:
    """Return whether every document that fits ``scope`` fits one of the ``earlier`` scopes."""
    taken = [_amounts(other) for other in earlier if _is_wider(other, scope)]
    return all(not _subtract(span, _ranges_of(taken, currency)) for currency, span in _amounts(scope).items())


def find_gaps(scopes: Sequence[RuleScope]) -> Iterator[CoverageGap]:
    """Return the amounts left out between rules that differ in nothing but their amounts, each once."""
    said: set[tuple[str, Decimal]] = set()
    for place, scope in enumerate(scopes):
        begins = scope.at_least
        if begins is None or (begins.currency, begins.amount) in said:
            continue
        taken = [_amounts(other) for other in scopes if _is_wider(other, scope)]
        for span in _subtract(AmountRange(), _ranges_of(taken, begins.currency)):
            if span.low is not None and span.high == begins.amount:
                said.add((begins.currency, begins.amount))
                yield CoverageGap(place, begins.currency, span.low, begins.amount)


def _is_wider(outer: RuleScope, inner: RuleScope) -> bool:
    """Return whether ``outer`` takes all that ``inner`` takes, but for their amounts."""
    return (
        _includes(outer.sources, inner.sources)
        and _includes(outer.companies, inner.companies)
        and _includes(outer.departments, inner.departments)
        and _includes(outer.suppliers, inner.suppliers)
        and _includes(outer.categories, inner.categories)
        and _includes(outer.requesters, inner.requesters)
    )


def _includes(wide: Collection[object], narrow: Collection[object]) -> bool:
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def _amounts(scope: RuleScope) -> Mapping[str, AmountRange]:
    """Return the amounts that fit, by currency."""
    bounds = [bound for bound in (scope.at_least, scope.below) if bound is not None]
    if bounds:
        low = None if scope.at_least is None else scope.at_least.amount
        return {bounds[0].currency: AmountRange(low, None if scope.below is None else scope.below.amount)}
    return dict.fromkeys(scope.currencies or (_ANY,), AmountRange())


def _ranges_of(rules: Iterable[Mapping[str, AmountRange]], currency: str) -> list[AmountRange]:
    return [rule[key] for rule in rules for key in {currency, _ANY} if key in rule]


def _subtract(span: AmountRange, taken: Iterable[AmountRange]) -> list[AmountRange]:
    """Return what of ``span`` none of ``taken`` holds, from below."""
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
    """Return the number of the first level that cannot be passed, no matter who agrees before; 0 if all can be.

    ``able`` holds for each level's number who of its approvers could agree.
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
    """Find somebody for a level; who is taken for another one makes room if that one has somebody else."""
    for person in choices[number]:
        if person in tried:
            continue
        tried.add(person)
        if person not in taken or _find(taken[person], choices, taken, tried):
            taken[person] = number
            return True
    return False


def find_substitution_loop(substitutes: Sequence[Substitute]) -> tuple[int, ...]:
    """Return the places of substitutes that hold at one moment and lead back to where they began; empty if none do."""
    # Several spans that have a moment in common have that moment at which the last of them begins.
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
    """Follow all ways from one person; people who were followed to their ends without a circle are ``cleared``."""
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
