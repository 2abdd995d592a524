"""Which documents the rules leave out, and which rules no document ever comes to: for warnings.

Only what is certain is said: conditions are compared as sets and amounts as intervals, whoever has which role.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.approvals.policy.rule import Scope

_ANY = ""
"""Stands for any currency, and for a total that the ERP does not tell."""


@dataclass(frozen=True, slots=True)
class Span:
    """Amounts from ``low``, itself included, to below ``high``; None: without a bound."""

    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Hole:
    """Amounts between two rules that no rule is for; ``above`` is the place of the rule that begins after them."""

    above: int
    currency: str
    low: Decimal
    high: Decimal


def is_hidden(scope: Scope, earlier: Sequence[Scope]) -> bool:
    """Return whether every document that fits ``scope`` fits one of the ``earlier`` scopes."""
    taken = [_amounts(one) for one in earlier if _is_wider(one, scope)]
    return all(not _left(span, _taken(taken, currency)) for currency, span in _amounts(scope).items())


def find_holes(scopes: Sequence[Scope]) -> Iterator[Hole]:
    """Return the amounts left out between rules that differ in nothing but their amounts, each once."""
    said: set[tuple[str, Decimal]] = set()
    for place, scope in enumerate(scopes):
        begins = scope.at_least
        if begins is None or (begins.currency, begins.amount) in said:
            continue
        taken = [_amounts(one) for one in scopes if _is_wider(one, scope)]
        for span in _left(Span(), _taken(taken, begins.currency)):
            if span.low is not None and span.high == begins.amount:
                said.add((begins.currency, begins.amount))
                yield Hole(place, begins.currency, span.low, begins.amount)


def _is_wider(outer: Scope, inner: Scope) -> bool:
    """Return whether ``outer`` takes all that ``inner`` takes, but for their amounts."""
    return (
        _holds(outer.sources, inner.sources)
        and _holds(outer.companies, inner.companies)
        and _holds(outer.departments, inner.departments)
        and _holds(outer.suppliers, inner.suppliers)
        and _holds(outer.categories, inner.categories)
        and _holds(outer.requesters, inner.requesters)
    )


def _holds(wide: Collection[object], narrow: Collection[object]) -> bool:
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def _amounts(scope: Scope) -> Mapping[str, Span]:
    """Return the amounts that fit, by currency."""
    bounds = [bound for bound in (scope.at_least, scope.below) if bound is not None]
    if bounds:
        low = None if scope.at_least is None else scope.at_least.amount
        return {bounds[0].currency: Span(low, None if scope.below is None else scope.below.amount)}
    return dict.fromkeys(scope.currencies or (_ANY,), Span())


def _taken(rules: Iterable[Mapping[str, Span]], currency: str) -> list[Span]:
    return [rule[key] for rule in rules for key in {currency, _ANY} if key in rule]


def _left(span: Span, taken: Iterable[Span]) -> list[Span]:
    """Return what of ``span`` none of ``taken`` holds, from below."""
    left: list[Span] = []
    low = span.low
    for one in sorted(taken, key=_begin):
        if one.low is not None and (low is None or low < one.low):
            if span.high is not None and span.high <= one.low:
                break
            left.append(Span(low, one.low))
        if one.high is None:
            return left
        low = one.high if low is None else max(low, one.high)
    if span.high is None or low is None or low < span.high:
        left.append(Span(low, span.high))
    return left


def _begin(span: Span) -> tuple[bool, Decimal]:
    return span.low is not None, span.low or Decimal(0)
