"""What the documentation shows of approval rules works."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.approvals.document import ApprovalDocument
from bot.approvals.policy.loader import review_policy
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.settings import load_settings
from bot.words.names import KnownNames
from tests.approvals.company import FakeCompanyDirectory, document

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs/examples/approvals.toml"
HOW_TO = ROOT / "docs/how-to/approve-purchase-orders.md"
REFERENCE = ROOT / "docs/reference/approval-rules.md"
ZONE = ZoneInfo("Asia/Shanghai")
KNOWN = KnownNames(
    roles={
        "purchasing": {"buyer01"},
        "sales_manager": {"manager01"},
        "finance": {"finance01"},
        "board": {"boss01"},
    }
)

BLOCK = re.compile(r"^```ini\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def example() -> RuleBasedPolicy:
    review = review_policy(EXAMPLE.read_bytes(), ZONE, KNOWN)
    assert review.warnings == ()
    return RuleBasedPolicy(review.rules)


@pytest.mark.parametrize(
    ("one", "rule", "levels"),
    [
        (document("4999.99 CNY"), "small", 1),
        (document("5000 CNY"), "middle", 2),
        (document("49999.99 CNY"), "middle", 2),
        (document("50000 CNY"), "large", 3),
        (document("20000 CNY", categories=("Screws", "Machines")), "machines", 2),
        (document("19999 CNY", categories=("Machines",)), "middle", 2),
        (document("1 EUR"), "abroad", 2),
        (document("1 GBP"), None, 0),
        (document(None), None, 0),
    ],
)
def test_the_example_does_what_its_comments_say(
    example: RuleBasedPolicy, one: ApprovalDocument, rule: str | None, levels: int
) -> None:
    plan = example.plan(one, FakeCompanyDirectory()).plan
    assert (plan.rule if plan else None) == rule
    assert len(plan.levels if plan else ()) == levels


@pytest.mark.parametrize("page", [HOW_TO, REFERENCE], ids=lambda page: page.name)
def test_shown_rules_are_valid(page: Path) -> None:
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert blocks
    for block in blocks:
        assert review_policy(block.encode(), ZONE, KNOWN, name=page.name).warnings == ()


def test_shown_settings_are_valid(tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", HOW_TO.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    file = tmp_path / "dingerp.toml"
    file.write_text("\n".join(blocks), encoding="utf-8")
    settings = load_settings(file)
    assert settings.access.accounts["buyer01"] == {"main": "chen@example.com"}
    assert settings.approval_groups == ("cidPurchasing00000000000==",)


def test_the_reference_names_every_key() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    source = (ROOT / "bot/approvals/policy/loader.py").read_text(encoding="utf-8")
    keys = set(re.findall(r'(?:take|need|tables?|_people|_tables)\((?:table, |level, )?"(\w+)"', source))
    assert {"rules", "levels", "any", "all", "amount", "escalate_to", "who", "up_to", "by", "until"} <= keys
    assert [key for key in sorted(keys) if f"`{key}`" not in text and f"`[[{key}]]`" not in text] == []


def test_shown_amounts_are_amounts() -> None:
    shown = re.findall(r'^\| `(amount = "[^`]+")` \|', REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(shown) >= 3
    for amount in shown:
        review_policy(f'[[rules]]\nname = "r"\nlevels = [{{any = ["role:finance"]}}]\n{amount}\n'.encode(), ZONE, KNOWN)
