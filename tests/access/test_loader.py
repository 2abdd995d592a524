"""``access.toml``: what each key means, and each mistake with its line."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.access.grants import Scope
from bot.access.loader import AccessRuleSet, make_policy, review_access
from bot.access.people import Person
from bot.access.policy import AccessRequest
from bot.access.presets import ROLE_SYNONYMS
from bot.access.rules import AccessRule, CreationRight, RuleEffect
from bot.rulefiles.errors import RulesError
from bot.words.disclosure import ALL_FIELDS, FieldClass
from bot.words.names import NOTHING_SEEN, KnownNames
from tests.rows import each_row
from tests.words_in_both import told

NAMES = KnownNames(
    commands={"new": "new", "invoice": "invoice", "发票": "invoice", "order": "order", "po": "po", "stock": "stock"},
    roles={"finance": {"finance01"}, "clerk": {"clerk01"}},
    usual_roles=ROLE_SYNONYMS,
    sources=("main", "plant"),
    conversations=("cidKp3Lr+9x/WhSales0001Aa==", "cidQm7Tz/4b+BuyFin00002Bb=="),
)


def read(text: str, known: KnownNames = NAMES) -> AccessRuleSet:
    return review_access(text.encode(), known, name="access.toml").rules


def problems(text: str, known: KnownNames = NAMES) -> list[str]:
    with pytest.raises(RulesError) as error:
        read(text, known)
    return told(error.value.problems)


def warnings(text: str, known: KnownNames = NAMES) -> list[str]:
    return [str(warning) for warning in review_access(text.encode(), known, name="access.toml").warnings]


def test_every_key() -> None:
    rules = read(
        """
presets = true
read_only = true

[[rules]]
name = "sales in the plant"
commands = ["order", "invoice"]
roles = ["sales", "clerk"]
departments = ["7"]
people = ["boss01"]
conversations = ["cidKp3Lr/0+=="]
fields = ["quantity", "amount"]
sources = ["plant"]
companies = ["华东"]
warehouses = ["W1"]
categories = ["五金"]
partners = ["ACME"]
own = true

[[rules]]
name = "clerks"
commands = ["new"]
roles = ["clerk"]
creates = ["order"]
most_lines = 5
most_quantity = "2.5"

[[rules]]
commands = ["*"]
roles = ["*"]
effect = "deny"
fields = ["cost"]

[[rules]]
name = "boss room"
commands = ["*"]
shared = true
conversations = ["cidBoss=="]
fields = ["*"]
"""
    )
    words = frozenset[str]
    assert rules == AccessRuleSet(
        presets=True,
        read_only=True,
        rules=(
            AccessRule(
                name="sales in the plant",
                commands=words({"order", "invoice"}),
                roles=words({"sales", "clerk"}),
                departments=words({"7"}),
                people=words({"boss01"}),
                conversations=words({"cidKp3Lr/0+=="}),
                fields=frozenset({FieldClass.QUANTITY, FieldClass.AMOUNT}),
                scope=Scope(
                    sources=words({"plant"}),
                    companies=words({"华东"}),
                    warehouses=words({"W1"}),
                    categories=words({"五金"}),
                    partners=words({"ACME"}),
                    own=True,
                ),
            ),
            AccessRule(
                name="clerks",
                commands=words({"new"}),
                roles=words({"clerk"}),
                creates=CreationRight(kinds=words({"order"}), most_lines=5, most_quantity=Decimal("2.5")),
            ),
            AccessRule(
                name="access.toml rule 3",
                commands=words({"*"}),
                roles=words({"*"}),
                effect=RuleEffect.DENY,
                fields=frozenset({FieldClass.COST}),
            ),
            AccessRule(
                name="boss room",
                commands=words({"*"}),
                shared=True,
                conversations=words({"cidBoss=="}),
                fields=ALL_FIELDS,
            ),
        ),
    )


RULE = '[[rules]]\ncommands = ["order"]\n'
NEW_RULE = '[[rules]]\ncommands = ["new"]\nroles = ["*"]\n'
NEW_CREATES = NEW_RULE + 'creates = ["order"]\n'


@each_row(
    ("text", "wrong"),
    [
        ('[[rules]]\nroles = ["*"]\n', 'line 1: commands is missing, an example is commands = ["order", "invoice"]'),
        (
            '[[rules]]\ncommands = ["invoise"]\nroles = ["*"]\n',
            "line 2: commands: there is no command 'invoise'; did you mean 'invoice'?",
        ),
        (
            '[[rules]]\ncommands = ["/发票"]\nroles = ["*"]\n',
            "line 2: commands: there is no command '/发票'; did you mean 'invoice'?",
        ),
        (RULE + 'roles = ["finanse"]\n', "line 3: roles: there is no role 'finanse'; did you mean 'finance'?"),
        (
            RULE + 'roles = ["*"]\nfields = ["amounts"]\n',
            "line 4: fields: there is no class of fields 'amounts'; did you mean 'amount'?",
        ),
        (
            RULE + 'roles = ["*"]\nfields = ["金额"]\n',
            "line 4: fields: there is no class of fields '金额'; did you mean 'amount'?",
        ),
        (
            RULE + 'roles = ["*"]\nfields = ["Supplier"]\n',
            "line 4: fields: there is no class of fields 'Supplier'; did you mean 'partner'?",
        ),
        (
            RULE + 'roles = ["*"]\nconversations = ["cidKp3Lr+9x/WhSales0OO1Aa=="]\n',
            "line 4: conversations: there is no conversation 'cidKp3Lr+9x/WhSales0OO1Aa=='; "
            "did you mean 'cidKp3Lr+9x/WhSales0001Aa=='?",
        ),
        (RULE + 'roles = ["*"]\neffect = true\n', 'line 4: effect: a text is expected, an example is "finance"'),
        (
            RULE + 'roles = ["*"]\nfields = ["*", "cost"]\n',
            "line 4: fields: there is no class of fields '*'; there are: quantity, amount, cost, partner, contact, "
            "materials",
        ),
        (
            RULE + 'roles = ["*"]\nconversations = ["财务群"]\n',
            "line 4: conversations: '财务群' is no id of a conversation; /whoami tells it, cid… with its capitals",
        ),
        (
            RULE + 'roles = ["*"]\nsources = ["mian"]\n',
            "line 4: sources: no ERP is called 'mian'; did you mean 'main'?",
        ),
        (RULE + 'roles = ["*"]\neffect = "denny"\n', "line 4: effect: 'denny' is no effect; did you mean 'deny'?"),
        (RULE + 'rolls = ["*"]\n', "line 3: unknown key 'rolls'; did you mean 'roles'?"),
        (RULE, 'line 1: it is for nobody; name roles, departments or people, an example is roles = ["finance"]'),
        (
            RULE + "roles = []\n",
            "line 3: roles: the list is empty, so that nothing would fit; leave the key out for any",
        ),
        (
            RULE + 'shared = true\nroles = ["*"]\nfields = ["amount"]\n',
            "line 1: a shared rule is for all who see the card; leave out roles, departments and people",
        ),
        (
            RULE + "shared = true\n",
            'line 1: fields is missing: what may the shared card show? An example is fields = ["quantity", "amount"]',
        ),
        (RULE + 'shared = true\nown = true\nfields = ["amount"]\n', "line 4: own: a shared card is nobody's own"),
        (
            RULE + 'effect = "deny"\nroles = ["*"]\nown = true\n',
            "line 1: what is denied is denied of all documents; allow the others instead, such as own = true",
        ),
        (
            RULE + 'effect = "deny"\nroles = ["*"]\nfields = []\n',
            "line 5: fields: the list is empty, so that nothing would be denied; without it the command is",
        ),
        (
            NEW_RULE + 'creates = ["orders"]\n',
            "line 4: creates: no documents of 'orders' are created; did you mean 'order'?",
        ),
        (
            NEW_RULE + "creates = []\n",
            "line 4: creates: the list is empty, so that nothing would fit; leave the key out for any",
        ),
        (
            RULE + 'roles = ["*"]\ncreates = ["order"]\n',
            "line 4: creates: only rules that allow somebody the command new say what they create",
        ),
        (
            NEW_RULE + "most_lines = 5\n",
            'line 4: most_lines: it limits what is created, which nothing says; an example is creates = ["order"]',
        ),
        (NEW_CREATES + "most_lines = 9\n", "line 5: most_lines: a number of lines from 1 to 8 is expected"),
        (NEW_CREATES + "most_lines = true\n", "line 5: most_lines: a number of lines from 1 to 8 is expected"),
        *(
            (
                NEW_CREATES + f"most_quantity = {value}\n",
                'line 5: most_quantity: a quantity above zero is expected, examples are 500 and "2.5"',
            )
            for value in ("0", '"NaN"', '"many"', "2.5", "true", '"-1"')
        ),
        ("preset = true\n", "line 1: unknown key 'preset'; did you mean 'presets'?"),
        ("read_only = 1\n", "line 1: read_only: true or false is expected, without quotes"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, wrong: str) -> None:
    found = problems(text)
    assert wrong in found


def test_two_rules_of_one_name_are_a_mistake() -> None:
    named = RULE + 'roles = ["*"]\nname = "orders"\n'
    assert problems(named + named) == [
        "line 8: name: another rule is called 'orders' already; reasons could not tell them"
    ]


class TestRolesWithoutMembers:
    def test_are_a_warning(self) -> None:
        assert warnings(RULE + 'roles = ["sales", "finance"]\n') == [
            "line 3: roles: nobody has the role 'sales' in access.roles"
        ]

    def test_may_come_from_the_directory(self) -> None:
        known = KnownNames(commands=NAMES.commands, roles=NAMES.roles, directory_roles=True, facts=NOTHING_SEEN)
        assert warnings(RULE + 'roles = ["出纳"]\n', known) == [
            "line 3: roles that nobody in access.roles has, and the directory has not been read completely:"
            " '出纳' (line 3)"
        ]

    def test_are_looked_for_in_both_languages(self) -> None:
        assert warnings(RULE + 'roles = ["财务", "*", "admin"]\n') == []


def test_a_shared_rule_for_every_group_is_a_warning() -> None:
    assert warnings(RULE + 'shared = true\nfields = ["amount"]\n') == [
        'line 3: shared: it is for every group; an example for some is conversations = ["cid…=="]'
    ]


class TestPresets:
    POLICY = make_policy([AccessRuleSet(presets=True)], {"销售": frozenset({"sales01"}), "keeper": frozenset({"k01"})})

    @each_row(
        ("user_id", "roles", "commands"),
        [
            ("k01", (), "stock mo"),
            ("sales01", (), "order invoice stock"),
            ("x", ("采购",), "po stock"),
            ("x", ("finance",), "invoice po order"),
            ("x", ("生产",), "mo stock"),
            ("x", ("经理",), "stock order invoice po mo"),
            ("x", ("管理员",), "stock order invoice po mo"),
            ("x", (), ""),
        ],
    )
    def test_say_which_documents_a_role_sees(self, user_id: str, roles: tuple[str, ...], commands: str) -> None:
        person = Person(user_id=user_id, name="", roles=frozenset(roles))
        seen = {
            command
            for command in ("stock", "order", "invoice", "po", "mo")
            if self.POLICY.decide(person, AccessRequest(command=command)).allowed
        }
        assert seen == set(commands.split())

    def test_of_sales_are_about_own_documents_without_costs(self) -> None:
        grant = self.POLICY.decide(Person(user_id="sales01", name=""), AccessRequest(command="order")).grant
        assert grant.scopes == (Scope(own=True),)
        assert grant.fields == ALL_FIELDS - {FieldClass.COST, FieldClass.MATERIALS}

    def test_leave_help_to_everybody(self) -> None:
        assert self.POLICY.decide(Person(user_id="x", name=""), AccessRequest(command="help")).allowed

    def test_make_the_administrator_of_either_language(self) -> None:
        person = Person(user_id="x", name="", roles=frozenset({"管理员"}))
        assert self.POLICY.roles_of(person) == {"管理员", "admin"}


class TestTheReadOnlySwitch:
    POLICY = make_policy([AccessRuleSet(read_only=True)], {})
    ASKER = Person(user_id="boss01", name="赵总", is_admin=True)

    @pytest.mark.parametrize("governed", [True, False])
    def test_refuses_whatever_writes(self, governed: bool) -> None:
        request = AccessRequest(command="approve", writes=True, governed=governed)
        verdict = self.POLICY.decide(self.ASKER, request)
        assert (verdict.allowed, verdict.rule) == (False, "access.read_only")
        assert str(verdict.reason) == "The bot only reads at present: it changes nothing in the ERP."

    def test_leaves_questions_alone(self) -> None:
        assert self.POLICY.decide(self.ASKER, AccessRequest(command="po")).allowed


def test_a_conversation_that_the_configuration_does_not_name_is_no_mistake() -> None:
    rules = read(RULE + 'roles = ["*"]\nconversations = ["cidBoss==", "cidKp3Lr+9x/WhSales0001Aa=="]\n').rules
    assert rules[0].conversations == {"cidBoss==", "cidKp3Lr+9x/WhSales0001Aa=="}
