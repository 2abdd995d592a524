"""Approval rules as people write them: what they mean, and what is said of every mistake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.approvals.plan import ExpiryAction
from bot.approvals.policy.loader import MAX_ENTRIES, read_policy, review_policy
from bot.approvals.policy.rule_policy import DEFAULT_RULES
from bot.approvals.policy.rules import ApprovalRule, ApprovalRuleSet, RuleScope, SingleLimit, Substitute
from bot.rulefiles.document import Reviewed
from bot.rulefiles.errors import RulesError
from bot.words.names import KnownNames
from tests.approvals.company import money
from tests.approvals.policy.test_planner import all_of, any_of, who
from tests.rows import each_row
from tests.words_in_both import told

SHANGHAI = ZoneInfo("Asia/Shanghai")
KNOWN = KnownNames(
    roles={"purchasing": {"buyer01"}, "finance": {"finance01", "cfo01"}, "board": {"boss01"}},
    sources=("Main", "factory"),
)

LEVELS = 'levels = [{any = ["role:finance"]}]\n'


def review(text: str) -> Reviewed[ApprovalRuleSet]:
    return review_policy(text.encode(), SHANGHAI, KNOWN)


def rule(keys: str, *, levels: str = LEVELS) -> str:
    """Return a document with one rule; its name is on line 2, its levels on line 3, ``keys`` begin on line 4."""
    return f'[[rules]]\nname = "r"\n{levels}{keys}\n'


MORE = "by: in the place of a, b may approve no more than 5 CNY either"


def limit(who: str, more: str = "", *, amount: str = "5 CNY") -> str:
    return f'[[limits]]\nwho = ["{who}"]\nup_to = ["{amount}"]\n{more}'


def substitute(person: str, by: str, begins: str = "2026-10-01", ends: str = "2026-10-07") -> str:
    return f'[[substitutes]]\nperson = "{person}"\nby = "{by}"\nfrom = {begins}\nuntil = {ends}\n'


def several(*amounts: str) -> str:
    """Return rules that differ in their amounts, five lines each."""
    return "".join(f'[[rules]]\nname = "{n}"\namount = "{one}"\n{LEVELS}\n' for n, one in enumerate(amounts))


def test_everything_that_can_be_written() -> None:
    found = read_policy(
        """
[[rules]]
name = "large"
sources = ["Main"]
companies = "上海"
departments = ["生产部", "R&D"]
suppliers = ["ACME"]
categories = ["Screws"]
requesters = ["role:purchasing", "person:li"]
amount = "from 5000.50 to below 50000 CNY"
levels = [
    {any = ["role:purchasing"]},
    {all = ["person:cfo01", "manager:2", "field:buyer"]},
]
confirm_from = "20000 CNY"
daily_limit = ["100000 CNY", "10000 USD"]
remind = ["1d", "4h", "4h"]
deadline = "2d"
on_expiry = "escalate"
escalate_to = ["role:board"]
todo = true

[[substitutes]]
person = "cfo01"
by = "cfo02"
from = 2026-10-01T12:00:00
until = 2026-10-07

[[limits]]
who = ["role:purchasing"]
up_to = ["20000 CNY", "3000 USD"]
""".encode(),
        SHANGHAI,
        KNOWN,
    )
    assert found == ApprovalRuleSet(
        version=found.version,
        rules=(
            ApprovalRule(
                name="large",
                scope=RuleScope(
                    sources=frozenset({"main"}),
                    companies=frozenset({"上海"}),
                    departments=frozenset({"生产部", "r&d"}),
                    suppliers=frozenset({"acme"}),
                    categories=frozenset({"screws"}),
                    requesters=who("role:purchasing person:li"),
                    at_least=money("5000.50 CNY"),
                    below=money("50000 CNY"),
                ),
                steps=(any_of("role:purchasing"), all_of("person:cfo01 manager:2 field:buyer")),
                confirm_from=money("20000 CNY"),
                daily_limits=(money("100000 CNY"), money("10000 USD")),
                remind_after=(timedelta(hours=4), timedelta(days=1)),
                deadline=timedelta(days=2),
                on_expiry=ExpiryAction.ESCALATE,
                escalate_to=who("role:board"),
                todo=True,
            ),
        ),
        substitutes=(
            Substitute(
                person="cfo01",
                by="cfo02",
                begins=datetime(2026, 10, 1, 4, 0, tzinfo=UTC),
                ends=datetime(2026, 10, 7, 16, 0, tzinfo=UTC),
            ),
        ),
        limits=(SingleLimit(approvers=who("role:purchasing"), amounts=(money("20000 CNY"), money("3000 USD"))),),
    )


@each_row(
    ("written", "at_least", "below"),
    [
        ("from 5000 CNY", "5000 CNY", None),
        ("below 5000 CNY", None, "5000 CNY"),
        ("from 5000 to below 50000 CNY", "5000 CNY", "50000 CNY"),
        ("from 5000 CNY to below 50000 CNY", "5000 CNY", "50000 CNY"),
        ("  from 0.01   below 0.02 CNY ", "0.01 CNY", "0.02 CNY"),
        ("from 0 CNY", "0 CNY", None),
        ("from 999999999999999.999999 JPY", "999999999999999.999999 JPY", None),
    ],
)
def test_amounts(written: str, at_least: str | None, below: str | None) -> None:
    scope = review(rule(f'amount = "{written}"')).rules.rules[0].scope
    assert scope.at_least == (None if at_least is None else money(at_least))
    assert scope.below == (None if below is None else money(below))


@each_row(
    ("until", "ends"),
    [
        ("2026-10-07", datetime(2026, 10, 8, 0, 0, tzinfo=SHANGHAI)),
        ('"2026-10-07"', datetime(2026, 10, 8, 0, 0, tzinfo=SHANGHAI)),
        ("2026-10-07T08:30:00", datetime(2026, 10, 7, 8, 30, tzinfo=SHANGHAI)),
        ('"2026-10-07 08:30"', datetime(2026, 10, 7, 8, 30, tzinfo=SHANGHAI)),
        ("2026-10-07T08:30:00Z", datetime(2026, 10, 7, 8, 30, tzinfo=UTC)),
        ("2026-10-01", datetime(2026, 10, 2, 0, 0, tzinfo=SHANGHAI)),
    ],
)
def test_a_day_alone_counts_to_its_end(until: str, ends: datetime) -> None:
    found = review(substitute("a", "b", ends=until)).rules.substitutes[0]
    assert (found.begins, found.ends) == (datetime(2026, 10, 1, tzinfo=SHANGHAI), ends)


def test_without_rules_of_its_own_a_document_leaves_it_to_the_approvers() -> None:
    found = review(substitute("a", "b")).rules
    assert found.rules == DEFAULT_RULES.rules
    assert found.version != DEFAULT_RULES.version


def test_the_version_is_that_of_the_content() -> None:
    one, other = review(rule("")), review(rule("# a comment"))
    assert one.rules.version == review(rule("")).rules.version != other.rules.version
    assert len(one.rules.version) == 12


def test_currencies() -> None:
    assert review(rule('currencies = ["USD", "EUR"]')).rules.rules[0].scope.currencies == {"USD", "EUR"}


WRONG = [
    # ── keys ──
    ("[[rule]]\n", "line 1: unknown key 'rule'; did you mean 'rules'?"),
    (rule('supplier = ["x"]'), "line 4: unknown key 'supplier'; did you mean 'suppliers'?"),
    ("rules = 5\n", "line 1: rules: is written as tables, [[rules]]"),
    (rule("amount = 5000"), "line 4: amount: amounts stand in quotes with their currency, examples are"),
    (f"[[rules]]\n{LEVELS}", 'line 1: name is missing, an example is name = "small amounts"'),
    ('[[rules]]\nname = ""\n' + LEVELS, "line 2: name: a text is expected"),
    (f'[[rules]]\nname = "{"x" * 61}"\n{LEVELS}', "line 2: name: a name has up to 60 characters on one line"),
    ('[[rules]]\nname = "a\\nb"\n' + LEVELS, "line 2: name: a name has up to 60 characters on one line"),
    (rule("") + rule(""), "line 6: name: another rule is called 'r' already"),
    (rule("") + rule("").replace('"r"', '"R"'), "line 6: name: another rule is called 'R' already"),
    (rule("suppliers = []"), "line 4: suppliers: the list is empty, so that nothing would fit"),
    (rule('suppliers = ["AC*"]'), "line 4: suppliers: names are written out, without *"),
    (rule("companies = 5"), "line 4: companies: a list of texts is expected"),
    (rule('flags = ["price_above"]'), "line 4: flags: 'price_above'; did you mean 'price_above_last'?"),
    (rule("flags = []"), "line 4: flags: the list is empty, so that nothing would fit"),
    (
        rule('kinds = ["order"]\nflags = ["price_above_last"]'),
        "line 5: flags: price_above_last is no check of order",
    ),
    # ── amounts ──
    (rule('amount = ">= 5000 CNY"'), 'line 4: amount: an amount is bounded by "from" (itself included) and "below"'),
    (rule('amount = "up to 5000 CNY"'), 'line 4: amount: an amount is bounded by "from" (itself included)'),
    (rule('amount = ""'), 'line 4: amount: an amount is bounded by "from" (itself included)'),
    (rule('amount = "from 5000"'), 'line 4: amount: 5000 of which currency? An example is "5000 CNY"'),
    (rule('amount = "from 5 to below 9"'), "line 4: amount: '5 9' is no amount: all digits, a point if needed"),
    (rule('amount = "from 5,000 CNY"'), "line 4: amount: the number stands without separators"),
    (rule('amount = "from 5000 RMB"'), "line 4: amount: no currency 'RMB'; write CNY"),
    (rule('amount = "from 5000 CYN"'), "line 4: amount: no currency 'CYN'; usual ones are CNY, USD"),
    (rule('amount = "from ¥5000"'), "line 4: amount: the currency is an ISO code of three capitals after the number"),
    (rule('amount = "from 5000 cny"'), "line 4: amount: the currency is an ISO code of three capitals"),
    (rule('amount = "from 5000 元"'), "line 4: amount: the currency is an ISO code of three capitals"),
    (rule('amount = "from 5万 CNY"'), "line 4: amount: '5万 CNY' is no amount: all digits"),
    (rule('amount = "from 5e3 CNY"'), "line 4: amount: '5e3 CNY' is no amount: all digits"),
    (rule('amount = "from -5 CNY"'), "line 4: amount: '-5 CNY' is negative"),
    (rule('amount = "from 0.0000001 CNY"'), "line 4: amount: up to six digits stand after the point"),
    (rule('amount = "below 0 CNY"'), "line 4: amount: nothing is below zero"),
    (rule('amount = "from 9 to below 9 CNY"'), "line 4: amount: no amount is from 9 CNY and below 9 CNY"),
    (rule('amount = "from 9 CNY to below 99 USD"'), "line 4: amount: both bounds are in one currency"),
    (rule("currencies = []"), "line 4: currencies: the list is empty, so that nothing would fit"),
    (rule('currencies = ["Yuan"]'), "line 4: currencies: the currency is an ISO code of three capitals"),
    (
        rule('amount = "from 9 CNY"\ncurrencies = ["USD"]'),
        "line 5: currencies: the amount says CNY already; leave one of them out",
    ),
    (rule("confirm_from = 50000"), "line 4: confirm_from: an amount stands in quotes with its currency"),
    (rule('confirm_from = "0 CNY"'), "line 4: confirm_from: the limit is zero"),
    # ── levels and people ──
    ('[[rules]]\nname = "r"\n', "line 1: a rule says who decides, level by level; an example is levels ="),
    (rule("", levels="levels = []\n"), "line 1: a rule says who decides, level by level"),
    (rule("", levels='levels = ["role:finance"]\n'), "line 3: levels: is written as tables"),
    (rule("", levels="levels = [{}]\n"), "line 3: a level is agreed to by any or by all of some people"),
    (
        rule("", levels='levels = [\n{any = ["role:finance"]},\n{any = ["person:a"], all = ["person:b"]}]\n'),
        "line 5: a level is agreed to by any or by all of some people",
    ),
    (rule("", levels="levels = [{any = []}]\n"), "line 3: any: the list is empty, so that nobody could decide"),
    (
        rule("", levels='levels = [{one = ["role:finance"]}]\n'),
        "line 3: unknown key 'one'; there are: any, all",
    ),
    (
        rule("", levels='levels = [{any = ["wang"]}]\n'),
        'line 3: any: \'wang\': write "person:wang" or "role:wang"',
    ),
    (
        rule("", levels='levels = [{any = ["rol:finance"]}]\n'),
        "line 3: any: 'rol:finance': nobody is named by 'rol'; did you mean 'role'?",
    ),
    (rule("", levels='levels = [{any = ["role:"]}]\n'), "line 3: any: 'role:' names nobody"),
    (rule("", levels='levels = [{any = ["manager:0"]}]\n'), 'line 3: any: manager:0: "manager:1" is the requester\'s'),
    (rule("", levels='levels = [{any = ["manager:x"]}]\n'), "line 3: any: manager:x: "),
    (rule("", levels='levels = [{any = ["manager:²"]}]\n'), "line 3: any: manager:²: "),
    (rule("", levels='levels = [{any = ["manager:99"]}]\n'), "line 3: any: manager:99: "),
    (
        rule("", levels='levels = [{any = ["field:requester"]}]\n'),
        "line 3: any: field:requester: nobody decides what they requested",
    ),
    (
        rule("", levels='levels = [{any = ["field:owner"]}]\n'),
        "line 3: any: field:owner: the document's field that names somebody is the buyer",
    ),
    (
        rule("", levels='levels = [\n{any = ["person:a"]},\n{all = ["role:finance", "person:a"]}]\n'),
        "line 5: levels 1 and 2 both need person:a, and nobody agrees twice",
    ),
    (rule('requesters = ["manager:1"]'), "line 4: requesters: manager:1: requesters are persons or roles"),
    # ── time ──
    (rule('deadline = "2 days"'), 'line 4: deadline: a duration is expected, examples are "30m", "2h", "1d"'),
    (rule('deadline = "0d"'), "line 4: deadline: it would be over at once"),
    (rule("remind = 4"), "line 4: remind: a list of durations is expected"),
    (rule('remind = ["0m"]'), "line 4: remind: it would be over at once"),
    (rule('remind = ["4h", "2d"]\ndeadline = "2d"'), "line 4: remind: the deadline comes first"),
    (rule('on_expiry = "close"'), "line 4: on_expiry: there is no deadline"),
    (rule('deadline = "2d"\non_expiry = "escalat"'), "line 5: on_expiry: 'escalat'; did you mean 'escalate'?"),
    (rule('deadline = "2d"\non_expiry = "reject"'), "line 5: on_expiry: 'reject'; "),
    (rule('deadline = "2d"\non_expiry = "escalate"'), "line 5: on_expiry: to whom?"),
    (rule('escalate_to = ["manager:2"]'), 'line 4: escalate_to: nothing is escalated; write on_expiry = "escalate"'),
    # ── limits ──
    (rule("daily_limit = 5"), "line 4: daily_limit: limits are a list of amounts"),
    (rule("daily_limit = []"), "line 4: daily_limit: the list is empty; leave the key out for no limit"),
    (rule('daily_limit = ["0 CNY"]'), "line 4: daily_limit: the limit is zero"),
    (rule('daily_limit = ["5 CNY", "6 CNY"]'), "line 4: daily_limit: two limits in CNY"),
    (
        rule('amount = "from 9 USD"\ndaily_limit = ["5 CNY"]'),
        "line 5: daily_limit: there is none in USD, so that nobody could approve",
    ),
    (
        rule('amount = "from 9 CNY"\ndaily_limit = ["5 CNY"]'),
        "line 5: daily_limit: 5 CNY is less than any amount of this rule",
    ),
    ('[[limits]]\nup_to = ["5 CNY"]\n', 'line 1: who is missing, an example is who = ["role:purchasing"]'),
    ('[[limits]]\nwho = ["role:finance"]\n', 'line 1: up_to is missing, an example is up_to = ["20000 CNY", "3000'),
    ('[[limits]]\nwho = []\nup_to = ["5 CNY"]\n', "line 2: who: the list is empty, so that nobody could decide"),
    ('[[limits]]\nwho = ["role:finance"]\nup_to = ["5"]\n', "line 3: up_to: 5 of which currency?"),
    # ── what people arrange themselves ──
    ('[away]\nsubstitutes = ["manager:1"]', "line 2: substitutes: manager:1: substitutes are persons or roles"),
    ("[away]\nsubstitutes = []", "line 2: substitutes: the list is empty"),
    ('[away]\nlongest = "0d"', "line 2: longest: it would be over at once"),
    ('[away]\nby = "a"', "line 2: unknown key 'by'"),
    # ── substitutes ──
    (substitute("a", "a"), "line 3: by: nobody stands in for themselves"),
    (substitute("a", "b", ends="2026-09-30"), "line 5: until: it ends before it begins"),
    (substitute("a", "b", ends="2026-10-01T00:00:00"), "line 5: until: it ends before it begins"),
    (substitute("role:board", "b"), "line 2: person: 'role:board': the userId alone is expected"),
    (substitute("a", "person:b"), "line 3: by: 'person:b': the userId alone is expected"),
    (substitute("a", "b", begins='"Monday"'), "line 4: from: a date and time is expected"),
    (substitute("a", "b", ends='"0001-01-01"'), "line 5: until: the year 1 is out of reach"),
    (substitute("a", "b", ends='"20261007T0"'), "line 5: until: a date and time is expected"),
    ('[[substitutes]]\nperson = "a"\nby = "b"\nfrom = 2026-10-01\n', "line 1: until is missing, an example is"),
    ('[[substitutes]]\nperson = "a"\nby = "b"\nuntil = 2026-10-01\n', "line 1: from is missing, an example is"),
    ('[[substitutes]]\nby = "b"\nfrom = 2026-10-01\nuntil = 2026-10-01\n', "line 1: person is missing"),
    ('[[substitutes]]\nperson = "a"\nfrom = 2026-10-01\nuntil = 2026-10-01\n', "line 1: by is missing"),
    (
        substitute("a", "b") + substitute("b", "a", "2026-10-07"),
        "line 6: they stand in for each other at the same time (a → b → a): nobody of them is there",
    ),
    (
        substitute("a", "b") + substitute("c", "a") + substitute("b", "c"),
        "line 11: they stand in for each other at the same time (a → b → c → a)",
    ),
    # Names that lead nowhere.
    (rule("", levels='levels = [{any = ["role:finanse"]}]\n'), "line 3: any: nobody has the role 'finanse' in access"),
    (rule("", levels='levels = [{any = ["role:Finance"]}]\n'), "line 3: any: nobody has the role 'Finance' in access"),
    (rule('requesters = ["role:sales"]'), "line 4: requesters: nobody has the role 'sales' in access.roles; there are"),
    (rule('sources = ["mian"]'), "line 4: sources: no ERP is called 'mian'; did you mean 'Main'?"),
    (
        '[[limits]]\nwho = ["role:buyers"]\nup_to = ["5 CNY"]\n',
        "line 2: who: nobody has the role 'buyers' in access.roles",
    ),
]


@each_row(("text", "said"), [pytest.param(text, said, id=said[:70]) for text, said in WRONG])
def test_says_the_line_and_the_reason(text: str, said: str) -> None:
    with pytest.raises(RulesError) as caught:
        review(text)
    found = told(caught.value.problems)
    assert len(found) == 1, found
    assert found[0].startswith(said)


def test_all_errors_come_at_once() -> None:
    text = rule('amount = "5"\nremind = 5') + substitute("a", "a") + '[[limits]]\nwho = "x"\nup_to = []\n'
    with pytest.raises(RulesError) as caught:
        review_policy(text.encode(), SHANGHAI, KNOWN, name="new.toml")
    assert [wrong.line for wrong in caught.value.problems] == [4, 5, 8, 12, 13]
    assert caught.value.detail.startswith("new.toml: line 4: amount: ")


def test_documents_that_are_too_long() -> None:
    for text in (
        "".join(f'[[rules]]\nname = "{n}"\n{LEVELS}' for n in range(MAX_ENTRIES + 1)),
        rule("", levels="levels = [" + '{any = ["role:finance"]},' * (MAX_ENTRIES + 1) + "]\n"),
    ):
        with pytest.raises(RulesError, match=f"more than {MAX_ENTRIES}"):
            review(text)


WARNINGS = [
    (rule('sources = ["MAIN", "factory"]'), []),
    # Amounts that are left out, and rules that are never come to.
    (several("below 5000 CNY", "from 5000 to below 50000 CNY", "from 50000 CNY"), []),
    (several("from 5000 CNY"), []),
    (several("below 5000 CNY"), []),
    (several("below 5000 CNY", "from 5000 USD"), []),
    (
        several("below 5000 CNY", "from 6000 to below 50000 CNY", "from 50000.01 CNY"),
        [
            "line 8: amount: no rule is for amounts from 5000 to below 6000 CNY",
            "line 13: amount: no rule is for amounts from 50000 to below 50000.01 CNY",
        ],
    ),
    (
        several("from 50000 CNY", "below 5000 CNY"),
        ["line 3: amount: no rule is for amounts from 5000 to below 50000 CNY"],
    ),
    (several("below 5000 CNY", "from 6000 CNY") + rule("").replace('"r"', '"rest"'), []),
    (
        several("below 5000 CNY", "from 6000 CNY") + rule('suppliers = ["ACME"]'),
        ["line 8: amount: no rule is for amounts from 5000 to below 6000 CNY"],
    ),
    (
        several("from 1000 CNY", "from 5000 CNY"),
        ["line 6: no document ever comes to this rule: those before it take them all"],
    ),
    (several("from 5000 CNY", "from 1000 CNY"), []),
    (several("below 5 CNY", "from 5 to below 9 CNY", "from 3 to below 8 CNY"), ["line 11: no document ever comes"]),
    (several("below 5 CNY", "from 6 to below 9 CNY", "from 3 to below 8 CNY"), []),
    (several("from 5 CNY", "from 5 to below 9 CNY"), ["line 6: no document ever comes to this rule"]),
    (several("below 9 CNY", "from 5 to below 9 CNY"), ["line 6: no document ever comes to this rule"]),
    (several("from 5 to below 9 CNY", "from 5 CNY"), []),
    (
        several("below 5 CNY", "from 10 CNY", "from 10 to below 20 CNY"),
        ["line 8: amount: no rule is for amounts from 5 to below 10 CNY", "line 11: no document ever comes"],
    ),
    (
        rule('suppliers = ["a"]') + rule('suppliers = ["A"]').replace('"r"', '"s"'),
        ["line 5: no document ever comes to this rule"],
    ),
    (rule("") + several("below 5 CNY"), ["line 5: no document ever comes to this rule"]),
    (several("below 5 CNY", "from 5 CNY") + rule(""), []),
    (
        rule('currencies = ["CNY", "USD"]') + several("below 5 CNY"),
        ["line 5: no document ever comes to this rule"],
    ),
    (several("below 5 CNY", "from 5 CNY") + rule('currencies = ["CNY"]'), ["line 11: no document ever comes"]),
    (several("below 5 CNY", "from 5 CNY") + rule('currencies = ["CNY", "USD"]'), []),
    (
        rule('suppliers = ["a", "b"]') + rule('suppliers = ["B"]\ncompanies = ["x"]').replace('"r"', '"s"'),
        ["line 5: no document ever comes to this rule"],
    ),
    (rule('suppliers = ["a"]') + rule('suppliers = ["a", "b"]').replace('"r"', '"s"'), []),
    (rule('suppliers = ["a"]') + rule('companies = ["a"]').replace('"r"', '"s"'), []),
    (rule('requesters = ["person:a"]') + rule('requesters = ["person:a", "person:b"]').replace('"r"', '"s"'), []),
    (
        rule('requesters = ["person:a", "person:b"]') + rule('requesters = ["person:a"]').replace('"r"', '"s"'),
        ["line 5: no document ever comes to this rule"],
    ),
    # Limits and confirmations that do not do what they seem to.
    (rule('daily_limit = ["5 CNY"]'), ["line 4: daily_limit: nobody can approve in other currencies than CNY"]),
    (rule('currencies = ["CNY"]\ndaily_limit = ["5 CNY"]'), []),
    (rule('amount = "from 5 CNY"\ndaily_limit = ["5 CNY"]'), []),
    (rule('amount = "below 9 CNY"\nconfirm_from = "9 CNY"'), ["line 5: confirm_from: amounts here stay below 9 CNY"]),
    (rule('amount = "below 9 CNY"\nconfirm_from = "8.99 CNY"'), []),
    (rule('amount = "from 9 CNY"\nconfirm_from = "9 USD"'), ["line 5: confirm_from: it is in USD, so everything is"]),
    (
        '[[limits]]\nwho = ["person:a"]\nup_to = ["5 CNY"]\n[[limits]]\nwho = ["person:a", "person:b"]\n'
        'up_to = ["6 CNY"]\n',
        ["line 5: who: person:a has a limit above already, and the first one counts"],
    ),
    # Substitutes who are away.
    (substitute("a", "b") + substitute("b", "c", "2026-10-05"), []),
    (substitute("a", "b") + substitute("b", "c", "2026-10-08", "2026-10-09"), []),
    (substitute("a", "b") + substitute("b", "a", "2026-10-08", "2026-10-09"), []),
    (substitute("a", "b") + substitute("a", "c"), []),
    (substitute("a", "b") + substitute("c", "b"), []),
    # Substitutes who could approve more than the person they stand in for.
    (substitute("a", "b") + limit("person:a"), [f"line 3: {MORE}"]),
    (substitute("a", "b") + limit("person:a", "binds_stand_ins = false\n"), []),
    (substitute("a", "b") + limit("person:b"), []),
    (substitute("a", "b") + limit("person:a") + limit("person:b"), []),
    (substitute("a", "b") + limit("person:a") + limit("person:b", amount="4 CNY"), []),
    (substitute("a", "b") + limit("person:a") + limit("person:b", amount="6 CNY"), [f"line 3: {MORE}"]),
    (substitute("a", "b") + limit("person:a") + limit("person:b", amount="4 USD"), [f"line 3: {MORE}"]),
    (
        substitute("finance01", "b") + limit("role:finance"),
        ["line 3: by: in the place of finance01, b may approve no more than"],
    ),
    (substitute("finance01", "cfo01") + limit("role:finance"), []),
    # What one person may do in several levels without being needed in each.
    (rule("", levels='levels = [{any = ["person:a", "person:b"]}, {any = ["person:b", "person:a"]}]\n'), []),
    (rule("", levels='levels = [{any = ["role:finance"]}, {any = ["role:finance"]}]\n'), []),
]


@each_row(("text", "said"), WARNINGS)
def test_warns_of_what_is_hardly_meant(text: str, said: list[str]) -> None:
    found = [str(warning) for warning in review(text).warnings]
    assert len(found) == len(said), found
    for warning, beginning in zip(found, said, strict=True):
        assert warning.startswith(beginning)


def test_nothing_is_said_of_names_while_nobody_knows_them() -> None:
    text = rule('sources = ["x"]', levels='levels = [{any = ["role:x"]}]\n')
    assert review_policy(text.encode(), SHANGHAI).warnings == ()
