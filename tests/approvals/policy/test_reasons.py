"""Every reason that the policy gives, word for word: people read them, and the catalogue translates just these."""

from __future__ import annotations

from bot.approvals.document import ApprovalDocument
from bot.approvals.plan import VoteContext
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.approvals.policy.rules import ApprovalRule, ApprovalRuleSet, RuleLevel, RuleScope, SingleLimit
from bot.erp.model import Money, Verdict
from tests.approvals.company import NOW, FakeCompanyDirectory, FakeDailySpending, document, money
from tests.approvals.policy.test_evaluation import NOBODY, ONE, TWO, said, stands_in
from tests.approvals.policy.test_planner import any_of, who
from tests.rows import each_row


def told(
    user: str,
    *,
    steps: tuple[RuleLevel, ...] = ONE,
    votes: str = "",
    one: ApprovalDocument | None = None,
    single: tuple[Money, ...] = (),
    daily: tuple[Money, ...] = (),
) -> str:
    limits = (SingleLimit(approvers=who("person:wang"), amounts=single),) if single else ()
    rule = ApprovalRule(name="r", steps=steps, daily_limits=daily)
    policy = RuleBasedPolicy(
        ApprovalRuleSet(version="t", rules=(rule,), limits=limits, substitutes=(stands_in("wu", "wang"),))
    )
    shown = one or document()
    plan = policy.plan(shown, FakeCompanyDirectory()).plan
    assert plan is not None
    spending = FakeDailySpending({"wang": money("500 CNY")})
    vote_context = VoteContext(document=shown, plan=plan, votes=said(votes), spending=spending, now=NOW)
    (reason,) = policy.may(vote_context, user, Verdict.APPROVE).reasons
    return str(reason)


CNY = "Money(amount=Decimal('{}'), currency='CNY')"


@each_row(
    ("said_to_them", "reason"),
    [
        (told("li"), "Nobody decides what they requested themselves."),
        (told("wang", one=document(editors=("wang",))), "Nobody decides what they changed themselves."),
        (told("zhao", votes="wang@1"), "It has been decided already."),
        (
            told("wang", steps=TWO, votes="wang@1"),
            "You have agreed already; others have to decide as well.",
        ),
        (told("wang"), "“r” names you for level 1."),
        (told("wu"), "You stand in for wang, named by “r”."),
        (told("wang", steps=NOBODY), "“r” leaves nobody for level 1."),
        (told("qian", steps=TWO), "It is not your turn yet: level 1 comes first."),
        (
            told(
                "wang", steps=(RuleLevel(TWO[0].quorum, who("person:wang")), any_of("role:finance")), votes="wu@1=wang"
            ),
            "Your level has decided already; level 2 is next.",
        ),
        (told("sun"), "You are not an approver of this document."),
        (
            told("wang", one=document(None), single=(money("1 CNY"),)),
            "The ERP does not tell the amount, and you have a limit.",
        ),
        (told("wang", single=(money("1 USD"),)), "You have no limit in CNY."),
        (told("wang", single=(money("1 CNY"),)), f"You may approve up to {CNY.format(1)} in one document."),
        (told("wang", daily=(money("1 USD"),)), "“r” has no limit per day in CNY."),
        (
            told("wang", daily=(money("3499 CNY"),)),
            f"You may approve up to {CNY.format(3499)} in one day, and {CNY.format(500)} are used.",
        ),
    ],
)
def test_what_a_person_is_told(said_to_them: str, reason: str) -> None:
    assert said_to_them == reason


def why_not(scope: RuleScope, one: ApprovalDocument) -> str:
    rule = ApprovalRule(name="r", scope=scope, steps=ONE)
    return str(
        RuleBasedPolicy(ApprovalRuleSet(version="t", rules=(rule,))).plan(one, FakeCompanyDirectory()).reasons[0]
    )


@each_row(
    ("scope", "one", "reason"),
    [
        (RuleScope(sources=frozenset({"x"})), document(), "it is for other ERPs"),
        (RuleScope(companies=frozenset({"x"})), document(), "it is for other companies"),
        (RuleScope(departments=frozenset({"x"})), document(), "it is for other departments"),
        (RuleScope(suppliers=frozenset({"x"})), document(), "it is for other vendors"),
        (RuleScope(categories=frozenset({"x"})), document(), "it is for other product categories"),
        (RuleScope(requesters=who("person:x")), document(), "it is for other requesters"),
        (RuleScope(below=money("1 CNY")), document(None), "the ERP does not tell the amount"),
        (RuleScope(currencies=frozenset({"USD", "EUR"})), document(), "it is for amounts in EUR, USD"),
        (RuleScope(below=money("1 USD")), document(), "it is for amounts in USD"),
        (RuleScope(below=money("1 CNY")), document(), f"it is for amounts below {CNY.format(1)}"),
        (RuleScope(at_least=money("9000 CNY")), document(), f"it is for amounts from {CNY.format(9000)}"),
    ],
)
def test_why_a_rule_does_not_apply(scope: RuleScope, one: ApprovalDocument, reason: str) -> None:
    assert why_not(scope, one) == f"“r” does not apply: {reason}."


def test_why_people_are_left_out() -> None:
    rule = ApprovalRule(name="r", steps=(any_of("person:li person:sun person:wang"),))
    plan_result = RuleBasedPolicy(ApprovalRuleSet(version="t", rules=(rule,))).plan(
        document(editors=("sun",)), FakeCompanyDirectory()
    )
    assert [str(reason) for reason in plan_result.reasons] == ["“r” decides."]
    assert plan_result.plan is not None
    assert {user: str(reason) for user, reason in plan_result.plan.levels[0].excluded.items()} == {
        "li": "They requested it.",
        "sun": "They changed it.",
    }
