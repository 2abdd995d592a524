"""What holds for all documents: they are read or refused with a line, and mean what was written."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from bot.approvals.document import ApprovalDocument
from bot.approvals.plan import ExpiryAction, Quorum
from bot.approvals.policy.feasibility import find_uncovered_amounts, is_unreachable
from bot.approvals.policy.loader import read_policy, review_policy
from bot.approvals.policy.planner import find_mismatch, make_plan
from bot.approvals.policy.rules import (
    ApprovalRule,
    ApprovalRuleSet,
    ApproverSelector,
    AwayRule,
    RuleLevel,
    RuleScope,
    SelectorKind,
    SingleLimit,
    Substitute,
)
from bot.erp.model import Money
from bot.rulefiles.errors import RuleProblem, RulesError
from bot.words.names import NOTHING_KNOWN
from tests.approvals.company import FakeCompanyDirectory, document
from tests.approvals.policy.rule_writer import document_of
from tests.approvals.policy.test_planner import who

ZONE = ZoneInfo("Asia/Shanghai")
KNOWN = NOTHING_KNOWN
COMPANY = FakeCompanyDirectory()
EXAMPLE = Path(__file__).parents[3] / "docs/examples/approvals.toml"

DRAWN_SLOWLY = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])

WORDS = st.sampled_from(["main", "other", "上海", "北京", "生产部", "acme", "acme 2", "紧固件", 'a "b" \\c'])
FEW_WORDS = st.frozensets(WORDS, max_size=2)
PEOPLE = ["li", "wang", "zhao", "qian", "sun"]
REQUESTERS = st.sampled_from(
    [
        ApproverSelector(SelectorKind.PERSON, "li"),
        ApproverSelector(SelectorKind.ROLE, "purchasing"),
        ApproverSelector(SelectorKind.PERSON, "wu"),
    ]
)
APPROVERS = st.sampled_from(
    [ApproverSelector(SelectorKind.PERSON, name) for name in PEOPLE]
    + [ApproverSelector(SelectorKind.ROLE, name) for name in ("purchasing", "board", "nobody")]
    + [
        ApproverSelector(SelectorKind.MANAGER, "1"),
        ApproverSelector(SelectorKind.MANAGER, "2"),
        ApproverSelector(SelectorKind.FIELD, "buyer"),
    ]
)
FIGURES = st.decimals(min_value=0, max_value=20, places=2) | st.sampled_from([Decimal(5), Decimal(10), Decimal("9.99")])


def amounts(currency: str) -> st.SearchStrategy[Money]:
    return FIGURES.filter(bool).map(lambda figure: Money(figure, currency))


@st.composite
def scopes(draw: st.DrawFn) -> RuleScope:
    scope = RuleScope(
        sources=draw(FEW_WORDS),
        companies=draw(FEW_WORDS),
        departments=draw(st.just(frozenset()) | FEW_WORDS),
        suppliers=draw(st.just(frozenset()) | FEW_WORDS),
        categories=draw(st.just(frozenset()) | FEW_WORDS),
        requesters=tuple(draw(st.lists(REQUESTERS, max_size=2, unique=True))),
    )
    kind = draw(st.sampled_from(["any", "currencies", "from", "below", "both"]))
    if kind == "currencies":
        return replace(scope, currencies=draw(st.frozensets(st.sampled_from(["CNY", "USD", "EUR"]), min_size=1)))
    currency = draw(st.sampled_from(["CNY", "USD"]))
    low, high = draw(
        st.tuples(amounts(currency), amounts(currency)).filter(lambda pair: pair[0].amount < pair[1].amount)
    )
    return replace(
        scope,
        at_least=low if kind in ("from", "both") else None,
        below=high if kind in ("below", "both") else None,
    )


@st.composite
def rules(draw: st.DrawFn, name: str) -> ApprovalRule:
    steps = st.builds(
        RuleLevel, st.sampled_from(Quorum), st.lists(APPROVERS, min_size=1, max_size=3, unique=True).map(tuple)
    )
    deadline = draw(st.none() | st.integers(2, 90).map(lambda hours: timedelta(hours=hours)))
    expiry = ExpiryAction.NOTHING if deadline is None else draw(st.sampled_from(ExpiryAction))
    escalate_to = (
        draw(st.lists(APPROVERS, min_size=1, max_size=2, unique=True)) if expiry is ExpiryAction.ESCALATE else ()
    )
    return ApprovalRule(
        name=name,
        scope=draw(scopes()),
        steps=tuple(draw(st.lists(steps, min_size=1, max_size=2))),
        confirm_from=draw(st.none() | amounts("CNY")),
        daily_limits=(),
        remind_after=(timedelta(hours=1),) if draw(st.booleans()) else (),
        deadline=deadline,
        on_expiry=expiry,
        escalate_to=tuple(escalate_to),
        todo=draw(st.sampled_from([None, True, False])),
    )


moments = st.integers(0, 5000).map(lambda hours: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours))


@st.composite
def rule_sets(draw: st.DrawFn) -> ApprovalRuleSet:
    count = draw(st.integers(1, 4))
    # Who stands in comes later in the list than who is away: nobody can stand in a circle.
    pairs = draw(st.lists(st.sampled_from([(0, 1), (0, 2), (1, 3), (2, 4)]), max_size=3))
    limits = st.builds(
        SingleLimit,
        approvers=st.lists(APPROVERS, min_size=1, max_size=2, unique=True).map(tuple),
        amounts=st.tuples(amounts("CNY")) | st.tuples(amounts("CNY"), amounts("USD")),
    )
    return ApprovalRuleSet(
        version="",
        rules=tuple(draw(rules(f"规则 {number}")) for number in range(count)),
        substitutes=tuple(
            Substitute(person=PEOPLE[away], by=PEOPLE[by], begins=begins, ends=begins + timedelta(hours=30))
            for away, by in pairs
            for begins in [draw(moments)]
        ),
        limits=tuple(draw(st.lists(limits, max_size=2))),
        away=AwayRule(
            substitutes=draw(st.sampled_from([(), who("person:a role:board")])),
            longest=timedelta(days=draw(st.integers(1, 90))),
        ),
    )


documents = st.builds(
    document,
    st.sampled_from([None, "0 CNY", "4.99 CNY", "5 CNY", "9.99 CNY", "10 CNY", "15 CNY", "7 USD", "3 EUR", "-1 CNY"])
    | FIGURES.map(lambda figure: f"{figure} CNY"),
    requester=st.sampled_from(["li", "wang", "wu", ""]),
    supplier=st.sampled_from(["ACME", "Acme 2"]),
    source=st.sampled_from(["main", "Other"]),
    company=st.sampled_from(["上海", "北京", ""]),
    categories=st.sampled_from([(), ("紧固件",)]),
)


@DRAWN_SLOWLY
@given(rule_sets(), st.lists(documents, min_size=1, max_size=5))
def test_written_rules_read_back_mean_the_same(written: ApprovalRuleSet, some: list[ApprovalDocument]) -> None:
    refused: tuple[RuleProblem, ...] = ()
    try:
        read = read_policy(document_of(written).encode(), ZONE, KNOWN)
    except RulesError as error:
        refused = error.problems
    if refused:
        assert all("nobody agrees twice" in str(wrong) for wrong in refused), refused
        return
    assert replace(read, version="") == written
    for one in some:
        assert make_plan(read, one, COMPANY) == make_plan(written, one, COMPANY)


@st.composite
def fitting(draw: st.DrawFn, scope: RuleScope) -> ApprovalDocument:
    """Draw a document that fits a scope, as far as its words and amounts can make it."""
    figure, currency = Decimal(7), "CNY"
    if scope.currencies:
        currency = draw(st.sampled_from(sorted(scope.currencies)))
    if bounds := [bound for bound in (scope.at_least, scope.below) if bound is not None]:
        low = scope.at_least.amount if scope.at_least else Decimal(0)
        high = scope.below.amount if scope.below else low + 10
        figure = draw(st.sampled_from([low, (low + high) / 2, max(low, high - Decimal("0.01"))]))
        currency = bounds[0].currency
    return document(
        f"{figure} {currency}",
        requester=draw(st.sampled_from([each.value for each in scope.requesters] or ["li"])),
        source=draw(st.sampled_from(sorted(scope.sources) or ["main"])),
        company=draw(st.sampled_from(sorted(scope.companies) or ["上海"])),
        department=draw(st.sampled_from(sorted(scope.departments) or ["生产部"])),
        supplier=draw(st.sampled_from(sorted(scope.suppliers) or ["ACME"])),
        categories=(draw(st.sampled_from(sorted(scope.categories) or ["紧固件"])),),
    )


@st.composite
def halves(draw: st.DrawFn, scope: RuleScope) -> list[RuleScope]:
    """Draw scopes that together take all that ``scope`` takes, and maybe more."""
    wider = replace(
        scope,
        sources=draw(st.sampled_from([scope.sources, frozenset[str]()])),
        companies=draw(st.sampled_from([scope.companies, frozenset[str]()])),
        suppliers=draw(st.sampled_from([scope.suppliers, frozenset[str]()])),
    )
    if scope.at_least is None or scope.below is None:
        return [wider]
    middle = draw(st.sampled_from([scope.at_least, scope.below]))
    return [replace(wider, below=None, at_least=middle), replace(wider, at_least=None, below=middle)]


@DRAWN_SLOWLY
@given(st.data(), scopes(), st.lists(scopes(), max_size=2))
def test_a_rule_that_is_called_hidden_is_never_come_to(
    data: st.DataObject, scope: RuleScope, others: list[RuleScope]
) -> None:
    earlier = data.draw(st.permutations([*others, *data.draw(halves(scope))]))
    one = data.draw(fitting(scope))
    assume(find_mismatch(scope, one, COMPANY) is None)
    assert is_unreachable(scope, earlier)
    assert any(find_mismatch(each, one, COMPANY) is None for each in earlier)


@DRAWN_SLOWLY
@given(st.data(), st.lists(FIGURES.filter(bool), min_size=3, max_size=6, unique=True))
def test_no_rule_is_for_what_is_called_a_hole(data: st.DataObject, figures: list[Decimal]) -> None:
    """The amounts of a currency are cut into spans, of which some have no rule."""
    edges = [Money(figure, "CNY") for figure in sorted(figures)]
    spans = [RuleScope(at_least=low, below=high) for low, high in pairwise(edges)]
    left_out = data.draw(st.sets(st.sampled_from(range(len(spans) - 1)), min_size=1))
    several = [RuleScope(below=edges[0]), *(span for n, span in enumerate(spans) if n not in left_out)]
    holes = list(find_uncovered_amounts(several))
    assert holes
    for hole in holes:
        assert hole.low < hole.high
        assert several[hole.above].at_least == Money(hole.high, hole.currency)
        inside = document(f"{data.draw(st.sampled_from([hole.low, (hole.low + hole.high) / 2]))} CNY")
        assert all(find_mismatch(scope, inside, COMPANY) is not None for scope in several)
    # Whatever has no rule below the highest one is in a hole.
    for low, high in [pair for n, pair in enumerate(pairwise(edges)) if n in left_out]:
        assert any(hole.low <= low.amount and high.amount <= hole.high for hole in holes)


@given(st.text() | st.binary())
@example("[[rules]]\nname = []\nlevels = [[]]\namount = {}\nremind = {}\ndeadline = []\non_expiry = []")
@example("[[rules]]\nname = {}\nlevels = [{any = [{}], all = 5}]\ndaily_limit = [[]]\nescalate_to = [5]")
@example("[[substitutes]]\nperson = 5\nby = []\nfrom = nan\nuntil = 0001-01-01")
@example('[[substitutes]]\nperson = "a"\nby = "b"\nfrom = 9999-12-31\nuntil = "9999-12-31"')
@example("[[limits]]\nwho = 5\nup_to = [1.5]")
@example("rules = [1]\nsubstitutes = {}\nlimits = 'x'")
@example("[[rules]]\nname = " + "[" * 300 + "]" * 300)
def test_reading_raises_nothing_but_its_error(content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    with suppress(RulesError):
        read_policy(data, ZONE, KNOWN)


@given(st.data())
def test_a_slip_of_the_pen_is_an_error_or_other_rules(data: st.DataObject) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(text) - 1))
    slip = data.draw(st.sampled_from(["", '"', "[", "]", "{", "=", "\n", "'", "*", "-", ".", "x", "0", ":", "\x00"]))
    with suppress(RulesError):
        read_policy((text[:at] + slip + text[at + 1 :]).encode(), ZONE, KNOWN)


KEYS = ["rules", "name", "levels", "any", "all", "amount", "remind", "deadline", "limits", "who", "up_to", "from", "by"]
VALUES = ["", "5 CNY", "from 5 CNY", "below 0 CNY", "2d", "role:x", "manager:1", "field:buyer", "escalate", "-1 CNY"]
values = st.recursive(
    st.booleans() | st.integers(-5, 10**20) | st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=20,
)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {toml(one)}' for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


@given(st.dictionaries(st.sampled_from(KEYS), values, max_size=5))
def test_any_document_is_read_or_its_errors_have_lines_in_it(written: dict[str, object]) -> None:
    text = "".join(f'"{key}" = {toml(value)}\n' for key, value in written.items())
    found: tuple[RuleProblem, ...] = ()
    try:
        found = review_policy(text.encode(), ZONE, KNOWN).warnings
    except RulesError as error:
        found = error.problems
    assert all(1 <= one.line <= max(1, len(written)) and "\n" not in str(one) for one in found)
