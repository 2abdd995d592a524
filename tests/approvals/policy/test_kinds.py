"""Rules for kinds of documents: whose they are, and what is wrong with those that could fit nothing."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from bot.approvals.policy.loader import read_policy
from bot.approvals.policy.rule_policy import DEFAULT_RULES, RuleBasedPolicy
from bot.erp.kinds import DECIDED
from bot.rulefiles.errors import RulesError
from tests.approvals.company import FakeCompanyDirectory, document_of, waiting_of
from tests.rows import each_row

COMPANY, SHANGHAI = FakeCompanyDirectory(), ZoneInfo("Asia/Shanghai")


def decided_by(scope: str) -> set[str]:
    """Return the kinds whose waiting document a rule with this scope is for."""
    text = f"""[[rules]]\nname = "a"\nlevels = [{{any = ["role:approver"]}}]\n{scope}\n"""
    policy = RuleBasedPolicy(read_policy(text.encode(), SHANGHAI))
    assert {kind.command for kind in DECIDED} >= policy.kinds
    documents = [document_of(waiting_of(kind, "1")) for kind in DECIDED]
    return {each.kind.command for each in documents if policy.plan(each, COMPANY).plan is not None}


@each_row(
    ("scope", "kinds"),
    [
        ("", {"po"}),
        ('kinds = ["PO"]', {"po"}),
        ('kinds = ["bill", "quote"]', {"bill", "quote"}),
        ('suppliers = ["acme"]', {"po"}),
        ('kinds = ["po", "order", "bill", "quote"]\nsuppliers = ["acme"]', {"po", "bill"}),
        ('kinds = ["po", "order", "bill", "quote"]\ncustomers = ["Acme"]', {"order", "quote"}),
        ('kinds = ["order"]\ncustomers = ["Bolt Co"]', set()),
        ('kinds = ["order", "bill"]\namount = "from 3000 CNY"', {"order", "bill"}),
        ('kinds = ["order", "bill"]\namount = "below 3000 CNY"', set()),
    ],
)
def test_which_kinds_a_rule_is_for(scope: str, kinds: set[str]) -> None:
    assert decided_by(scope) == kinds


def test_without_rules_only_purchase_orders_are_decided() -> None:
    assert RuleBasedPolicy(DEFAULT_RULES).kinds == {"po"}


@each_row(
    ("scope", "error"),
    [
        ('kinds = ["orders"]', "did you mean 'order'"),
        ('kinds = ["mo"]', "kinds: 'mo'"),
        ("kinds = []", "the list is empty"),
        ('kinds = ["order"]\nsuppliers = ["acme"]', "suppliers: documents of these kinds have none"),
        ('customers = ["acme"]', "customers: documents of these kinds have none"),
        ('kinds = ["po", "order"]\nlevels = [{any = ["field:buyer"]}]', "documents of order have no such field"),
    ],
)
def test_what_could_fit_nothing_is_an_error(scope: str, error: str) -> None:
    levels = "" if "levels" in scope else """levels = [{any = ["role:approver"]}]"""
    with pytest.raises(RulesError) as raised:
        read_policy(f"""[[rules]]\nname = "a"\n{levels}\n{scope}\n""".encode(), SHANGHAI)
    assert error in str(raised.value)
