"""Remedies as the smallest change of a rule file's text: comments, order and all else stay as the company wrote them.

What a remedy would have done is for a rehearsal to say: of several for one rule, the first that helps is proposed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias, cast

import tomlkit

from bot.alerts.rules.comparisons import FIGURES, DecimalComparison, Operand, take_comparisons, tokenize
from bot.alerts.rules.rule_set import ROOT
from bot.approvals.policy.values import format_bounds, read_bounds
from bot.efficiency.findings import RuleEdit
from bot.erp.model import Money
from bot.rulefiles.versions import RuleSubject
from bot.words.phrase import phrase

RAISED = Decimal("1.6")
"""By what a limit of amounts is raised, to two digits."""
LESS, MORE = Decimal("0.7"), Decimal("1.5")
"""By what a threshold is changed from which something is too little, or too much."""
ONCE_A_DAY = "09:00"
_TWO_DIGITS = 2
_ALTERNATIVES = frozenset(("||", "!", "?"))
"""With these in it a condition is not narrowed by one comparison alone."""
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}

TomlTable: TypeAlias = MutableMapping[str, Any]


def raise_limit(text: str, rule: str) -> RuleEdit | None:
    """Return the approval rules with a higher amount from which ``rule`` holds, and those below it up to there.

    None if the rule says no amount from which it holds, or ends below the higher one.
    """
    document = tomlkit.parse(text)
    tables: Sequence[TomlTable] = document.get("rules", ())
    raised = next((table for table in tables if table.get("name") == rule and "amount" in table), None)
    begins, ends = read_bounds(raised["amount"]) if raised is not None else (None, None)
    if raised is None or begins is None:
        return None
    new = Money(_in_two_digits(begins.amount * RAISED), begins.currency)
    if ends is not None and ends.amount <= new.amount:
        return None
    for table in tables:
        if "amount" in table and _besides_amount(table) == _besides_amount(raised):
            low, high = read_bounds(table["amount"])
            bounds = (new if low == begins else low, new if high == begins else high)
            if bounds != (low, high):
                table["amount"] = format_bounds(*bounds)
    what = phrase("“%(rule)s” from %(new)s, not from %(old)s", rule=rule, new=new, old=begins)
    return RuleEdit(subject=RuleSubject.APPROVALS, text=tomlkit.dumps(document), what=what)


def _in_two_digits(amount: Decimal) -> Decimal:
    digit = amount.adjusted() - _TWO_DIGITS + 1
    return (
        amount.quantize(Decimal(1).scaleb(digit)) if digit < 0 else round(amount.scaleb(-digit)) * Decimal(10) ** digit
    )


_SCOPE = (
    "kinds",
    "sources",
    "companies",
    "departments",
    "suppliers",
    "customers",
    "categories",
    "requesters",
    "currencies",
    "flags",
)


def _besides_amount(table: TomlTable) -> Mapping[str, Any]:
    return {key: table[key] for key in _SCOPE if key in table}


def quieten(text: str, rule: str) -> Iterator[RuleEdit]:
    """Return the alert rules with less noise of ``rule``, a route's full name, in several ways, the best first.

    Parts of its alerts go nowhere, by each threshold that it has; or they come once a day. None for a rule that is not
    in the file, or not as a table of its own.
    """
    if _find_route(tomlkit.parse(text), rule) is None:
        return
    for when in _quiet_parts(cast(TomlTable, _find_route(tomlkit.parse(text), rule))):
        document = tomlkit.parse(text)
        _leave_out(cast(TomlTable, _find_route(document, rule)), when)
        what = phrase("“%(rule)s” tells nobody while %(condition)s", rule=rule, condition=when)
        yield RuleEdit(subject=RuleSubject.ALERTS, text=tomlkit.dumps(document), what=what)
    document = tomlkit.parse(text)
    route = cast(TomlTable, _find_route(document, rule))
    if "digest" not in route:
        route["digest"] = [ONCE_A_DAY]
        what = phrase("“%(rule)s” comes once a day, at %(time)s", rule=rule, time=ONCE_A_DAY)
        yield RuleEdit(subject=RuleSubject.ALERTS, text=tomlkit.dumps(document), what=what)


def _find_route(document: TomlTable, rule: str) -> TomlTable | None:
    """Return the table of a route; one without a name is called by its number."""
    if rule == ROOT:
        found = document.get(ROOT)
        return found if isinstance(found, MutableMapping) else None
    around: TomlTable = document
    for part in rule.split("/"):
        routes = around.get("routes", ())
        if not isinstance(routes, tomlkit.items.AoT):
            return None
        named = (table for number, table in enumerate(routes, 1) if table.get("name", str(number)) == part)
        found = next(named, None)
        if found is None:
            return None
        around = found
    return around


def _quiet_parts(route: TomlTable) -> Iterator[str]:
    """Return the conditions of those alerts of a route that are closest to its thresholds."""
    tokens = tokenize(str(route.get("when", "")))
    if not _ALTERNATIVES & {token.text for token in tokens}:
        yield from filter(None, (_beyond(comparison) for _, _, comparison in take_comparisons(tokens)[0]))
    if route.get("min_age"):
        yield f"age < {round(route['min_age'] * MORE)}"
    types = [str(each) for each in route.get("types", ())]
    if types and all(each.startswith("stock.") for each in types):
        yield f"quantity >= decimal(data.reorder_point) * {LESS}"


def _beyond(comparison: DecimalComparison) -> str:
    """Return when a figure is not far enough on its side of a number; empty for other comparisons."""
    left, sign, right = comparison.left, comparison.sign, comparison.right
    if right.number is None:
        left, sign, right = right, _TURNED.get(sign, sign), left
    if right.number is None or not _is_figure(left):
        return ""
    unit = f" {right.currency}" if right.currency else ""
    if sign in ("<", "<="):
        return f"{left.path[0]} >= {_plain(right.number * LESS)}{unit}"
    if sign in (">", ">="):
        return f"{left.path[0]} < {_plain(right.number * MORE)}{unit}"
    return ""


def _is_figure(operand: Operand) -> bool:
    return len(operand.path) == 1 and operand.path[0] in FIGURES


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _leave_out(route: TomlTable, when: str) -> None:
    """Let the alerts of a route for which ``when`` holds go nowhere: by a route within it, before all others."""
    quiet = tomlkit.table()
    quiet["name"] = "quiet"
    quiet["when"] = when
    quiet["to"] = tomlkit.array()
    quiet.add(tomlkit.nl())
    inner = route.get("routes")
    if inner is None:
        inner = tomlkit.aot()
        inner.append(quiet)
        route["routes"] = inner
    else:
        inner.insert(0, quiet)
