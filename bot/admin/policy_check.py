"""Reads approval rules: what ``dingerp policy check`` does."""

from __future__ import annotations

from pathlib import Path

from bot.admin.inputs import read_content
from bot.approvals.policy.loader import RuleReview, review_policy
from bot.approvals.policy.rule_policy import DEFAULT_ROLE, DEFAULT_RULES
from bot.approvals.policy.rules import RuleScope
from bot.bootstrap.policy import known_of
from bot.rulefiles.errors import RulesError
from bot.settings import Settings


def check_policy(settings: Settings, file: Path | None) -> tuple[bool, list[str]]:
    """Return whether the rules can be obeyed, and the lines that say so, warn, or name every error."""
    path = file or settings.approval_rules
    try:
        review = open_policy(settings, file)
    except RulesError as error:
        return False, [f"{path}: {wrong}" for wrong in error.problems]
    if not path.is_file():
        return True, [
            f"{path}: there are no rules; members of the role {DEFAULT_ROLE!r} decide on every purchase order"
        ]
    return True, [f"{path}: {line}" for line in _lines(review)]


def open_policy(settings: Settings, file: Path | None) -> RuleReview:
    """Return the rules of ``file``, or those that the bot would obey. Raises `RulesError`, `ConfigurationError`."""
    path = file or settings.approval_rules
    if file is None and not path.is_file():
        return RuleReview(DEFAULT_RULES, ())
    return review_policy(read_content(path), known_of(settings), name=str(path))


def _lines(review: RuleReview) -> list[str]:
    rules = review.rules
    counts = ((rules.rules, "rules"), (rules.substitutes, "substitutes"), (rules.limits, "limits"))
    lines = [f"fine, {', '.join(f'{name} {len(found)}' for found, name in counts)}, version {rules.version}"]
    lines.extend(f"warning: {warning}" for warning in review.warnings)
    if not any(rule.scope == RuleScope() for rule in rules.rules):
        lines.append("no rule is for everything: documents that none is for are decided in the ERP")
    return lines
