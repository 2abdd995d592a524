"""What the documentation shows of alert rules works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.alerts.event import Event
from bot.alerts.rules.expression import parse_expression
from bot.alerts.rules.facts import COMMON, VARIABLES, WORDS
from bot.alerts.rules.parser import parse_rules
from bot.alerts.rules.rule_set import AlertRuleContext, AlertRuleSet
from bot.words.severity import Severity
from tests.alerts.rules.builders import COMPANY, SHANGHAI, at, event

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs/examples/alerts.toml"
HOW_TO = ROOT / "docs/how-to/route-alerts.md"
REFERENCE = ROOT / "docs/reference/alert-rules.md"

BLOCK = re.compile(r"^```ini\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def example() -> AlertRuleSet:
    return parse_rules(EXAMPLE.read_bytes(), AlertRuleContext(zone=SHANGHAI))


@pytest.mark.parametrize(
    ("what", "severity", "routes"),
    [
        (event("stock.low", warehouse="W1", category="screws", quantity="99"), Severity.WARNING, ["warehouse/screws"]),
        (event("stock.low", warehouse="W1", category="screws", quantity="100"), Severity.WARNING, ["warehouse"]),
        (event("invoice.overdue", amount="50000 CNY"), Severity.WARNING, ["finance/large"]),
        (event("invoice.overdue", amount="100000 CNY"), Severity.CRITICAL, ["finance/large"]),
        (event("invoice.overdue", amount="7000 USD"), Severity.WARNING, ["finance/large"]),
        (event("invoice.overdue", amount="9 CNY"), Severity.WARNING, ["finance"]),
        (event("order.late", customer="宁波港务", due_on="2026-11-17"), Severity.CRITICAL, ["vip", "sales"]),
        (event("custom.anything", tags={"test": "1"}), Severity.WARNING, []),
        (event("custom.anything"), Severity.WARNING, ["default"]),
    ],
)
def test_the_example_does_what_its_comments_say(
    example: AlertRuleSet, what: Event, severity: Severity, routes: list[str]
) -> None:
    assert example.grade(what) is severity
    routing = example.route(what, severity, at("2026-11-24 10:00"))
    assert [target.route for target in routing.targets] == routes


def test_the_example_waits_for_digests_and_escalates(example: AlertRuleSet) -> None:
    now = at("2026-10-01 12:00")
    (screws,) = example.route(event(warehouse="W2", category="screws", quantity="1"), Severity.WARNING, now).targets
    (large,) = example.route(event("invoice.overdue", amount="60000 CNY"), Severity.WARNING, now).targets
    assert example.shows_at(screws, Severity.WARNING, now) == at("2026-10-08 08:30")
    assert [str(step.places[0]) for step in large.steps] == ["person:manager01", "person:boss01"]


@pytest.mark.parametrize("page", [HOW_TO, REFERENCE], ids=lambda page: page.name)
def test_shown_rules_are_valid(page: Path) -> None:
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert blocks
    for block in blocks:
        parse_rules(block.encode(), COMPANY, name=page.name)


def test_the_reference_names_every_variable_and_every_key() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot/alerts/rules").glob("*.py"))
    keys = set(re.findall(r'(?:take|need|tables?|_side)\((?:table, )?"(\w+)"', sources))
    keys |= set(re.findall(r'^    "(\w+)": \("', sources, re.MULTILINE))
    assert {"to", "when", "types", "suppliers", "escalate", "windows", "inhibit", "revive"} <= keys
    missing = [name for name in {*keys, *VARIABLES, *COMMON, *WORDS, "amount", "quantity"} if f"`{name}`" not in text]
    assert missing == []


def test_shown_conditions_are_conditions() -> None:
    shown = re.findall(r"^\| `([^`]*(?:==|>|<|\()[^`]*)` \|", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(shown) >= 8
    for condition in shown:
        parse_expression(condition.replace("\\|", "|"))


def test_cel_is_loaded_when_a_condition_is_and_without_its_command_line() -> None:
    code = (
        "import sys\n"
        "from tests.alerts.rules.builders import rule_set\n"
        "rule_set('[[routes]]\\nmin_age = 1')\n"
        "assert 'cel.cel' not in sys.modules\n"
        "rule_set('[[routes]]\\nwhen = \"hour < 5\"')\n"
        "assert 'cel.cel' in sys.modules and 'prompt_toolkit' not in sys.modules\n"
        "assert 'chinese_calendar' not in sys.modules\n"
        "import cel\n"
        "assert cel.evaluate('1 + 1') == 2\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
