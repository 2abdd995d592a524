"""Who may say what when, and with which reason: read it as the documentation of the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.approvals.document import ApprovalDocument
from bot.approvals.plan import Forward, Vote, VoteContext, tally
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.approvals.policy.rules import ApprovalRule, ApprovalRuleSet, RuleLevel, SingleLimit, Substitute
from bot.erp.model import Money, Verdict
from tests.approvals.company import NOW, FakeCompanyDirectory, FakeDailySpending, document, money
from tests.approvals.policy.test_planner import all_of, any_of, who
from tests.rows import each_row

YES, NO = Verdict.APPROVE, Verdict.REJECT
HOUR = timedelta(hours=1)

ONE = (any_of("role:purchasing"),)
TWO = (any_of("role:purchasing"), any_of("role:finance"))
BOTH = (all_of("role:board"),)
CHAIN = (any_of("manager:1"), any_of("manager:2"), any_of("manager:3"))
NOBODY = (any_of("role:nobody"),)


def stands_in(by: str, person: str, *, begins: timedelta = -HOUR, ends: timedelta = HOUR) -> Substitute:
    return Substitute(person=person, by=by, begins=NOW + begins, ends=NOW + ends)


def said(text: str) -> tuple[Vote, ...]:
    """Return votes written as ``wang@1 qian@2``, ``wu@1=zhou`` (wu for zhou), ``sun@1!`` (a rejection)."""
    votes = []
    for word in text.split():
        verdict = NO if word.endswith("!") else YES
        voter, _, place = word.rstrip("!").partition("@")
        level, _, principal = place.partition("=")
        votes.append(Vote(user_id=voter, name=voter, level=int(level), verdict=verdict, at=NOW, on_behalf_of=principal))
    return tuple(votes)


@dataclass(frozen=True)
class EligibilityCase:
    name: str
    steps: tuple[RuleLevel, ...]
    person: str
    allowed: bool
    reason: str
    verdict: Verdict = YES
    votes: str = ""
    document: ApprovalDocument = field(default_factory=document)
    substitutes: tuple[Substitute, ...] = ()
    forwards: tuple[Forward, ...] = ()
    single: tuple[Money, ...] = ()
    binds: bool = True
    daily: tuple[Money, ...] = ()
    spent: Mapping[str, Money] = field(default_factory=dict)
    ask: tuple[str, ...] | None = None
    behalf: str = ""
    level: int = 1


CASES = [
    # Who is named.
    EligibilityCase("named by the role", ONE, "wang", True, "names you for level 1"),
    EligibilityCase("the role's other member", ONE, "zhao", True, "names you for level 1"),
    EligibilityCase("named, and says no", ONE, "wang", True, "names you", verdict=NO),
    EligibilityCase("somebody else", ONE, "wu", False, "not an approver", ask=("wang", "zhao")),
    EligibilityCase("somebody else says no", ONE, "wu", False, "not an approver", verdict=NO, ask=("wang", "zhao")),
    EligibilityCase("nobody at all", ONE, "", False, "not an approver", ask=("wang", "zhao")),
    EligibilityCase("a userId in another case is somebody else", ONE, "WANG", False, "not an approver"),
    EligibilityCase("a level that leaves nobody", NOBODY, "wang", False, "leaves nobody for level 1", ask=()),
    EligibilityCase("the requester's manager", CHAIN, "wu", True, "level 1"),
    EligibilityCase("the manager's manager is not first", CHAIN, "zheng", False, "not your turn yet", ask=("wu",)),
    # Separation of duties.
    EligibilityCase("the requester", ONE, "wang", False, "requested themselves", document=document(requester="wang")),
    EligibilityCase("the requester says no", ONE, "wang", False, "requested", NO, document=document(requester="wang")),
    EligibilityCase("who changed it", ONE, "wang", False, "changed themselves", document=document(editors=("wang",))),
    EligibilityCase(
        "the other one, if one changed it", ONE, "zhao", True, "names you", document=document(editors=("wang",))
    ),
    EligibilityCase(
        "the requester as a substitute",
        ONE,
        "li",
        False,
        "requested themselves",
        substitutes=(stands_in("li", "wang"),),
    ),
    EligibilityCase(
        "the requester in a later level",
        TWO,
        "qian",
        False,
        "requested",
        votes="wang@1",
        document=document(requester="qian"),
    ),
    # Levels.
    EligibilityCase("the second level too early", TWO, "qian", False, "level 1 comes first", ask=("wang", "zhao")),
    EligibilityCase("the second level in its turn", TWO, "qian", True, "level 2", votes="wang@1", level=2),
    EligibilityCase(
        "the first level again",
        TWO,
        "zhao",
        False,
        "Your level has decided already; level 2",
        votes="wang@1",
        ask=("qian",),
    ),
    EligibilityCase("whoever agreed already", TWO, "wang", False, "agreed already", votes="wang@1"),
    EligibilityCase(
        "a stranger at the second level", TWO, "wu", False, "not an approver", votes="wang@1", ask=("qian",)
    ),
    EligibilityCase("all levels passed", TWO, "zhao", False, "decided already", votes="wang@1 qian@2"),
    EligibilityCase("rejected at the first level", TWO, "qian", False, "decided already", votes="wang@1!"),
    EligibilityCase("rejected at the second level", TWO, "zhao", False, "decided already", votes="wang@1 qian@2!"),
    EligibilityCase("one level, decided", ONE, "zhao", False, "decided already", votes="wang@1"),
    EligibilityCase("one level, decided, says no", ONE, "zhao", False, "decided already", NO, votes="wang@1"),
    EligibilityCase("the third of three levels", CHAIN, "sun", True, "level 3", votes="wu@1 zheng@2", level=3),
    EligibilityCase("two of three levels missing", CHAIN, "sun", False, "level 1 comes first", ask=("wu",)),
    EligibilityCase(
        "one person, two levels",
        (any_of("person:qian"), any_of("person:qian")),
        "qian",
        False,
        "agreed already",
        votes="qian@1",
    ),
    # All of a level.
    EligibilityCase("the first of all", BOTH, "sun", True, "level 1"),
    EligibilityCase("the second of all", BOTH, "zhou", True, "level 1", votes="sun@1"),
    EligibilityCase("the first of all again", BOTH, "sun", False, "agreed already", votes="sun@1"),
    EligibilityCase("one of all may reject", BOTH, "zhou", True, "level 1", NO, votes="sun@1"),
    EligibilityCase("nobody is left of all", BOTH, "wu", False, "decided already", votes="sun@1 zhou@1"),
    EligibilityCase(
        "who is missing of all is named", BOTH, "wu", False, "not an approver", votes="sun@1", ask=("zhou",)
    ),
    # Substitutes.
    EligibilityCase(
        "a substitute", ONE, "wu", True, "stand in for wang", substitutes=(stands_in("wu", "wang"),), behalf="wang"
    ),
    EligibilityCase(
        "a substitute says no", ONE, "wu", True, "stand in", NO, substitutes=(stands_in("wu", "wang"),), behalf="wang"
    ),
    EligibilityCase(
        "a substitute before the time",
        ONE,
        "wu",
        False,
        "not an approver",
        substitutes=(stands_in("wu", "wang", begins=HOUR, ends=2 * HOUR),),
    ),
    EligibilityCase(
        "from the first moment on",
        ONE,
        "wu",
        True,
        "stand in",
        substitutes=(stands_in("wu", "wang", begins=0 * HOUR),),
        behalf="wang",
    ),
    EligibilityCase(
        "at the last moment no more",
        ONE,
        "wu",
        False,
        "not an approver",
        substitutes=(stands_in("wu", "wang", ends=0 * HOUR),),
    ),
    EligibilityCase(
        "a substitute of somebody else", ONE, "wu", False, "not an approver", substitutes=(stands_in("wu", "qian"),)
    ),
    EligibilityCase(
        "a substitute's substitute",
        ONE,
        "zheng",
        True,
        "stand in for wang",
        substitutes=(stands_in("wu", "wang"), stands_in("zheng", "wu")),
        behalf="wang",
    ),
    EligibilityCase(
        "a substitute whom the requester named",
        ONE,
        "zheng",
        False,
        "not an approver",
        document=document(requester="wu"),
        substitutes=(stands_in("wu", "wang"), stands_in("zheng", "wu")),
    ),
    EligibilityCase(
        "a substitute whom an editor named says no",
        ONE,
        "zheng",
        False,
        "not an approver",
        NO,
        document=document(editors=("wu",)),
        substitutes=(stands_in("wu", "wang"), stands_in("zheng", "wu")),
    ),
    EligibilityCase(
        "a chain that comes back to the requester",
        ONE,
        "li",
        False,
        "requested",
        document=document(requester="li"),
        substitutes=(stands_in("wu", "wang"), stands_in("li", "wu")),
    ),
    EligibilityCase(
        "the third in a circle",
        ONE,
        "zheng",
        True,
        "stand in for wang",
        substitutes=(stands_in("wu", "wang"), stands_in("zheng", "wu"), stands_in("wang", "zheng")),
        behalf="wang",
    ),
    EligibilityCase(
        "the substitute of somebody to whom it was forwarded",
        ONE,
        "zheng",
        True,
        "stand in for wang",
        forwards=(Forward(person="wang", to="wu", at=NOW),),
        substitutes=(stands_in("zheng", "wu"),),
        behalf="wang",
    ),
    EligibilityCase(
        "two who stand in for each other",
        BOTH,
        "sun",
        True,
        "names you",
        substitutes=(stands_in("sun", "zhou"), stands_in("zhou", "sun")),
    ),
    EligibilityCase(
        "nobody speaks for two of all",
        BOTH,
        "sun",
        False,
        "agreed already",
        votes="sun@1",
        substitutes=(stands_in("sun", "zhou"),),
    ),
    EligibilityCase(
        "the principal after the substitute",
        BOTH,
        "zhou",
        False,
        "agreed",
        votes="zhou@1=sun",
    ),
    EligibilityCase(
        "the principal whose substitute spoke",
        BOTH,
        "sun",
        False,
        "wu has already stood in for you",
        votes="wu@1=sun",
        ask=("zhou",),
    ),
    EligibilityCase(
        "a second substitute of the same person",
        BOTH,
        "zheng",
        False,
        "not an approver",
        votes="wu@1=sun",
        substitutes=(stands_in("wu", "sun"), stands_in("zheng", "sun")),
        ask=("zhou",),
    ),
    EligibilityCase(
        "named oneself goes before standing in",
        ONE,
        "wang",
        True,
        "names you",
        substitutes=(stands_in("wang", "zhao"),),
    ),
    EligibilityCase(
        "a substitute of somebody who must not decide",
        ONE,
        "wu",
        False,
        "not an approver",
        document=document(editors=("wang",)),
        substitutes=(stands_in("wu", "wang"),),
        ask=("zhao",),
    ),
    EligibilityCase(
        "a substitute at the second level",
        TWO,
        "wu",
        True,
        "stand in for qian",
        votes="wang@1",
        substitutes=(stands_in("wu", "qian"),),
        behalf="qian",
        level=2,
    ),
    # Limits.
    EligibilityCase("within the limit", ONE, "wang", True, "names you", single=(money("3000 CNY"),)),
    EligibilityCase(
        "a cent above the limit", ONE, "wang", False, "up to", single=(money("2999.99 CNY"),), ask=("zhao",)
    ),
    EligibilityCase("above the limit, says no", ONE, "wang", True, "names you", NO, single=(money("1 CNY"),)),
    EligibilityCase("no limit in this currency", ONE, "wang", False, "no limit in CNY", single=(money("9000 USD"),)),
    EligibilityCase("one of two limits", ONE, "wang", True, "names you", single=(money("1 USD"), money("3000 CNY"))),
    EligibilityCase(
        "a limit and no amount", ONE, "wang", False, "does not tell", document=document(None), single=(money("1 CNY"),)
    ),
    EligibilityCase(
        "no amount, says no", ONE, "wang", True, "names", NO, document=document(None), single=(money("1 CNY"),)
    ),
    EligibilityCase("no limit and no amount", ONE, "wang", True, "names you", document=document(None)),
    EligibilityCase("the whole day's limit at once", ONE, "wang", True, "names", daily=(money("3000 CNY"),)),
    EligibilityCase(
        "more than the day's limit", ONE, "wang", False, "in one day", daily=(money("2999 CNY"),), ask=("zhao",)
    ),
    EligibilityCase(
        "the rest of the day",
        ONE,
        "wang",
        True,
        "names you",
        daily=(money("5000 CNY"),),
        spent={"wang": money("2000 CNY")},
    ),
    EligibilityCase(
        "more than the rest of the day",
        ONE,
        "wang",
        False,
        "in one day",
        daily=(money("5000 CNY"),),
        spent={"wang": money("2000.01 CNY")},
    ),
    EligibilityCase(
        "what others approved does not count",
        ONE,
        "wang",
        True,
        "names you",
        daily=(money("5000 CNY"),),
        spent={"zhao": money("5000 CNY")},
    ),
    EligibilityCase(
        "another currency does not count",
        ONE,
        "wang",
        True,
        "names you",
        daily=(money("5000 CNY"),),
        spent={"wang": money("5000 USD")},
    ),
    EligibilityCase(
        "no daily limit in this currency", ONE, "wang", False, "per day in CNY", daily=(money("5000 USD"),)
    ),
    EligibilityCase(
        "both limits, the single one breaks",
        ONE,
        "wang",
        False,
        "one document",
        single=(money("1 CNY"),),
        daily=(money("9000 CNY"),),
    ),
    EligibilityCase(
        "both limits, the daily one breaks",
        ONE,
        "wang",
        False,
        "one day",
        single=(money("9000 CNY"),),
        daily=(money("1 CNY"),),
    ),
    EligibilityCase(
        "a substitute has their own limit",
        ONE,
        "wu",
        False,
        "in one day",
        substitutes=(stands_in("wu", "wang"),),
        daily=(money("4000 CNY"),),
        spent={"wu": money("2000 CNY")},
        ask=("wang", "zhao"),
    ),
    *(
        EligibilityCase(
            f"{how}, by the limits of both: {limit}, {rule}",
            ONE,
            "wu",
            allowed,
            reason,
            verdict,
            substitutes=(stands_in("wu", "wang"),) if how == "substitute" else (),
            forwards=(Forward(person="wang", to="wu", at=NOW),) if how == "forwarded" else (),
            single=(money(limit),),
            binds=rule == "binds",
            behalf="wang",
        )
        for how in ("substitute", "forwarded")
        for limit, rule, verdict, allowed, reason in (
            ("2999.99 CNY", "binds", YES, False, "wang, for whom you stand in, may approve up to"),
            ("3000 CNY", "binds", YES, True, "You stand in for wang"),
            ("9000 USD", "binds", YES, False, "wang, for whom you stand in, has no limit in CNY"),
            ("2999.99 CNY", "binds", NO, True, "You stand in for wang"),
            ("2999.99 CNY", "own", YES, True, "You stand in for wang"),
        )
    ),
    EligibilityCase(
        "an amount that is not told is within nobody's limit",
        ONE,
        "wu",
        False,
        "The ERP does not tell the amount, and wang, for whom you stand in, has a limit.",
        document=document(total=None),
        substitutes=(stands_in("wu", "wang"),),
        single=(money("9000 CNY"),),
    ),
    EligibilityCase(
        "whoever stands in for several takes the place that allows it",
        ONE,
        "wu",
        True,
        "You stand in for zhao",
        substitutes=(stands_in("wu", "wang"), stands_in("wu", "zhao")),
        single=(money("1 CNY"),),
        behalf="zhao",
    ),
    EligibilityCase(
        "a substitute cannot add a day to that of the other",
        ONE,
        "wu",
        False,
        "wang, for whom you stand in, may approve up to",
        substitutes=(stands_in("wu", "wang"),),
        daily=(money("4000 CNY"),),
        spent={"wang": money("2000 CNY")},
        ask=("wang", "zhao"),
    ),
]


@each_row("case", CASES)
def test_who_may(case: EligibilityCase) -> None:
    limits = (
        (SingleLimit(approvers=who("person:wang"), amounts=case.single, binds_stand_ins=case.binds),)
        if case.single
        else ()
    )
    rule = ApprovalRule(name="r", steps=case.steps, daily_limits=case.daily)
    policy = RuleBasedPolicy(
        ApprovalRuleSet(version="test", rules=(rule,), substitutes=case.substitutes, limits=limits)
    )
    plan = policy.plan(case.document, FakeCompanyDirectory()).plan
    assert plan is not None
    vote_context = VoteContext(
        document=case.document,
        plan=plan,
        votes=said(case.votes),
        spending=FakeDailySpending(case.spent),
        now=NOW,
        forwards=case.forwards,
    )
    eligibility = policy.may(vote_context, case.person, case.verdict)
    assert eligibility.allowed is case.allowed
    assert case.reason in " ".join(map(str, eligibility.reasons))
    assert (eligibility.level, eligibility.on_behalf_of) == ((case.level, case.behalf) if case.allowed else (0, ""))
    if case.ask is not None:
        assert eligibility.ask == case.ask


@each_row(
    ("steps", "votes", "comes_to"),
    [
        (ONE, "", 1),
        (ONE, "wang@1", YES),
        (ONE, "wang@1!", NO),
        (TWO, "wang@1", 2),
        (TWO, "qian@2", 1),
        (TWO, "wang@1 qian@2", YES),
        (TWO, "wang@1 qian@2!", NO),
        (BOTH, "sun@1", 1),
        (BOTH, "sun@1 sun@1", 1),
        (BOTH, "sun@1 zhou@1", YES),
        (BOTH, "sun@1 zhou@1!", NO),
        (BOTH, "wu@1=zhou sun@1", YES),
        (BOTH, "wu@1=sun sun@1", 1),
        (NOBODY, "", 1),
        ((all_of("role:nobody"),), "", 1),
    ],
)
def test_what_votes_come_to(steps: tuple[RuleLevel, ...], votes: str, comes_to: Verdict | int) -> None:
    plan = (
        RuleBasedPolicy(ApprovalRuleSet(version="t", rules=(ApprovalRule(name="r", steps=steps),)))
        .plan(document(), FakeCompanyDirectory())
        .plan
    )
    assert plan is not None
    assert tally(plan, said(votes)) == comes_to
