"""Purchase orders that people decide on in the chat have cards of their own there: alerts leave them alone."""

from __future__ import annotations

from dataclasses import replace

from bot.alerts.rules.parser import default_rules
from bot.alerts.rules.rule_set import AlertRuleSet
from bot.outbox.place import Place
from bot.words.severity import Severity
from tests.alerts.rules.builders import COMPANY, NOW, event, rule_set
from tests.rows import each_row

DECIDES = replace(COMPANY, decides_in_chat=lambda: True)
ROUTE = '[[routes]]\nname = "buying"\ntypes = ["po.*"]\nto = ["group:cidBuying"]\n'


def places(rules: AlertRuleSet, kind: str) -> list[str]:
    return [str(target.place) for target in rules.route(event(kind), Severity.WARNING, NOW).targets]


@each_row("kind", ["po.submitted", "po.changed", "po.decided"])
def test_they_have_cards_of_their_own(kind: str) -> None:
    for rules in (default_rules(DECIDES), rule_set("default = true\n", DECIDES)):
        assert places(rules, kind) == []
        why = rules.route(event(kind), Severity.WARNING, NOW).why
        assert "cards of their own" in why[-1]


@each_row("kind", ["stock.low", "invoice.overdue", "custom.po"])
def test_other_alerts_go_where_they_went(kind: str) -> None:
    assert places(default_rules(DECIDES), kind) == ["group:cidOffice"]


def test_a_route_that_names_them_has_them() -> None:
    assert places(rule_set(ROUTE, DECIDES), "po.submitted") == ["group:cidBuying"]


def test_without_approvals_they_are_alerts() -> None:
    assert places(default_rules(COMPANY), "po.submitted") == ["group:cidOffice"]


def test_a_group_with_the_approval_card_gets_no_alert_beside_it() -> None:
    buying = Place.parse("group:cidBuying")
    rules = rule_set(ROUTE, replace(DECIDES, decides_at=(buying,)))
    assert places(rules, "po.submitted") == []
    assert places(rules, "po.late") == ["group:cidBuying"]
    waited = replace(event("po.submitted"), standing=True)
    assert [target.place for target in rules.route(waited, Severity.WARNING, NOW).targets] == [buying]
