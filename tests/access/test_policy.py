"""The decision function as a table: rules × person × request → yes or no, and why."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from bot.access.areas import CREATED
from bot.access.grants import FULL_GRANT, NO_GRANT, SHARED_GRANT, Grant, Scope
from bot.access.people import Person
from bot.access.policy import NO_RULE, AccessPolicy, AccessRequest, AccessVerdict, CommandRequests
from bot.access.rules import AccessRule, CreationRight, RuleEffect
from bot.erp import kinds
from bot.words.disclosure import ALL_FIELDS, SHARED_FIELDS, FieldClass
from tests.rows import each_row

KEEPER = Person(user_id="keeper01", name="王仓", roles=frozenset({"warehouse"}))
BUYER = Person(user_id="buyer01", name="李采")
BOSS = Person(user_id="boss01", name="赵总", is_admin=True)
OUTSIDER = Person(user_id=None, name="客户")

FINANCE_ONLY = AccessRule(commands=frozenset({"invoice"}), roles=frozenset({"finance", "admin"}))
BUYERS_WRITE = AccessRule(commands=frozenset({"approve"}), roles=frozenset({"approver"}))
PUBLIC_STOCK = AccessRule(commands=frozenset({"stock"}), roles=frozenset({"*"}))
MO_IN_PLANT = AccessRule(commands=frozenset({"mo"}), roles=frozenset({"*"}), conversations=frozenset({"cidPlant=="}))
EVERYTHING = AccessRule(commands=frozenset({"*"}), roles=frozenset({"admin"}))

STOCK = AccessRequest(command="stock")
INVOICE = AccessRequest(command="invoice")
APPROVE = AccessRequest(command="approve", writes=True)
GOVERNED = AccessRequest(command="approve", writes=True, governed=True)
OWN_RULES = "Rules of its own say who may, for every document."


@each_row(
    ("rules", "person", "request_", "allowed", "reason", "ask"),
    [
        ((), KEEPER, STOCK, True, "Every member may ask.", ()),
        ((), KEEPER, APPROVE, False, "Nobody may change the ERP unless a rule grants it.", ("admin",)),
        ((), BOSS, APPROVE, False, "Nobody may change the ERP unless a rule grants it.", ("admin",)),
        ((), OUTSIDER, STOCK, False, "Only members of the organisation may ask the ERP.", ("admin",)),
        ((PUBLIC_STOCK,), OUTSIDER, STOCK, False, "Only members of the organisation may ask the ERP.", ("admin",)),
        ((PUBLIC_STOCK,), KEEPER, STOCK, True, "Every member may use /stock.", ()),
        ((), KEEPER, GOVERNED, True, OWN_RULES, ()),
        ((FINANCE_ONLY,), KEEPER, GOVERNED, True, OWN_RULES, ()),
        ((FINANCE_ONLY,), KEEPER, APPROVE, False, "Nobody may change the ERP unless a rule grants it.", ("admin",)),
        ((), OUTSIDER, GOVERNED, False, "Only members of the organisation may ask the ERP.", ("admin",)),
        ((BUYERS_WRITE,), KEEPER, GOVERNED, False, "/approve is only for: approver.", ("approver",)),
        ((EVERYTHING,), KEEPER, GOVERNED, False, "/approve is only for: admin.", ("admin",)),
        ((FINANCE_ONLY,), KEEPER, STOCK, True, "Every member may ask.", ()),
        ((FINANCE_ONLY,), KEEPER, INVOICE, False, "/invoice is only for: admin, finance.", ("admin", "finance")),
        ((FINANCE_ONLY,), BOSS, INVOICE, True, "Your role “admin” allows it.", ()),
        ((BUYERS_WRITE,), BUYER, APPROVE, True, "Your role “approver” allows it.", ()),
        ((BUYERS_WRITE,), KEEPER, APPROVE, False, "/approve is only for: approver.", ("approver",)),
        ((EVERYTHING,), KEEPER, STOCK, False, "/stock is only for: admin.", ("admin",)),
        ((EVERYTHING, PUBLIC_STOCK), KEEPER, STOCK, True, "Every member may use /stock.", ()),
        (
            (MO_IN_PLANT,),
            KEEPER,
            AccessRequest(command="mo", conversation_id="cidPlant=="),
            True,
            "Every member may use /mo.",
            (),
        ),
        (
            (MO_IN_PLANT,),
            KEEPER,
            AccessRequest(command="mo", conversation_id="cidplant=="),
            False,
            "/mo is not open in this conversation.",
            ("admin",),
        ),
    ],
)
def test_the_table(
    rules: tuple[AccessRule, ...],
    person: Person,
    request_: AccessRequest,
    allowed: bool,
    reason: str,
    ask: tuple[str, ...],
) -> None:
    policy = AccessPolicy(rules=rules, roles={"approver": frozenset({"buyer01"})})
    verdict = policy.decide(person, request_)
    assert (verdict.allowed, str(verdict.reason), verdict.ask) == (allowed, reason, ask)


SALES = Person(
    user_id="sales01",
    name="周销",
    roles=frozenset({"sales"}),
    departments=frozenset({"d7"}),
    department_names=frozenset({"销售部"}),
)
ORDER = AccessRequest(command="order")
QUANTITY, AMOUNT, COST, PARTNER = FieldClass.QUANTITY, FieldClass.AMOUNT, FieldClass.COST, FieldClass.PARTNER
SCOPE_OF_W1, OWN = Scope(warehouses=frozenset({"W1"})), Scope(own=True)


def rule(
    commands: str,
    roles: str = "",
    *,
    fields: set[FieldClass] | None = None,
    deny: bool = False,
    scope: Scope = Scope(),  # noqa: B008 - it never changes
    departments: str = "",
    people: str = "",
    conversations: str = "",
    shared: bool = False,
    name: str = "",
) -> AccessRule:
    return AccessRule(
        commands=frozenset(commands.split()),
        roles=frozenset(roles.split()),
        departments=frozenset(departments.split()),
        people=frozenset(people.split()),
        conversations=frozenset(conversations.split()),
        fields=None if fields is None else frozenset(fields),
        effect=RuleEffect.DENY if deny else RuleEffect.ALLOW,
        scope=scope,
        shared=shared,
        name=name,
    )


class TestTheGrant:
    @each_row(
        ("rules", "grant"),
        [
            ((), FULL_GRANT),
            ((rule("invoice", "finance"),), FULL_GRANT),
            ((rule("order", "sales"),), FULL_GRANT),
            ((rule("order", "sales", fields={AMOUNT}),), Grant(fields=frozenset({AMOUNT}))),
            ((rule("order", departments="d7", fields={AMOUNT}),), Grant(fields=frozenset({AMOUNT}))),
            ((rule("order", people="sales01", fields=set()),), Grant(fields=frozenset())),
            # Rules about the same documents add up.
            (
                (rule("order", "sales", fields={AMOUNT}), rule("*", "*", fields={QUANTITY})),
                Grant(fields=frozenset({AMOUNT, QUANTITY})),
            ),
            # Those about different documents leave what may be seen of all.
            (
                (
                    rule("order", "sales", fields={AMOUNT, PARTNER}, scope=OWN),
                    rule("order", "sales", fields={PARTNER}, scope=SCOPE_OF_W1),
                ),
                Grant(fields=frozenset({PARTNER}), scopes=(OWN, SCOPE_OF_W1)),
            ),
            # A wider scope includes a narrower.
            (
                (rule("order", "sales", fields={AMOUNT}, scope=OWN), rule("order", "*", fields={QUANTITY})),
                Grant(fields=frozenset({QUANTITY})),
            ),
            (
                (rule("order", "sales", fields={AMOUNT}, scope=OWN), rule("order", "*", fields={QUANTITY}, scope=OWN)),
                Grant(fields=frozenset({AMOUNT, QUANTITY}), scopes=(OWN,)),
            ),
            # What is denied, nobody else grants.
            (
                (rule("order", "sales"), rule("*", "sales", fields={COST, AMOUNT}, deny=True)),
                Grant(fields=ALL_FIELDS - {COST, AMOUNT}),
            ),
            ((rule("order", "*", fields={COST}, deny=True),), Grant(fields=ALL_FIELDS - {COST})),
            ((rule("order", "keeper", fields={COST}, deny=True),), FULL_GRANT),
            # What a shared card shows is another question.
            ((rule("order", fields={COST}, shared=True),), FULL_GRANT),
            ((rule("order", "*", fields={COST}, shared=True),), FULL_GRANT),
        ],
    )
    def test_of_an_allowed_person(self, rules: tuple[AccessRule, ...], grant: Grant) -> None:
        verdict = AccessPolicy(rules).decide(SALES, ORDER)
        assert (verdict.allowed, verdict.grant) == (True, grant)

    def test_of_a_refused_person_is_none(self) -> None:
        assert AccessPolicy([rule("order", "finance")]).decide(SALES, ORDER).grant == NO_GRANT
        assert AccessPolicy().decide(OUTSIDER, ORDER).grant == NO_GRANT


class TestADenial:
    def test_beats_every_grant(self) -> None:
        policy = AccessPolicy([rule("*", "*"), rule("order", people="sales01", deny=True, name="left the team")])
        verdict = policy.decide(SALES, ORDER)
        assert not verdict.allowed
        assert str(verdict.reason) == "Rule “left the team” does not let you use /order."
        assert verdict.rule == "left the team"

    def test_closes_the_command_to_nobody_else(self) -> None:
        policy = AccessPolicy([rule("order", "sales", deny=True)])
        assert policy.decide(KEEPER, ORDER).allowed
        assert not policy.decide(SALES, ORDER).allowed

    def test_holds_in_its_conversation(self) -> None:
        policy = AccessPolicy([rule("order", "*", deny=True, conversations="cidA==")])
        assert policy.decide(SALES, ORDER).allowed
        assert not policy.decide(SALES, AccessRequest(command="order", conversation_id="cidA==")).allowed


class TestTheRuleThatDecided:
    @each_row(
        ("rules", "named"),
        [
            ((), NO_RULE),
            ((rule("order", "sales", name="sales read"),), "sales read"),
            ((rule("invoice", "finance"), rule("order", "sales")), "rule 2"),
            ((rule("order", "finance", name="finance only"),), "finance only"),
            (
                (rule("order", "*", name="all"), rule("order", "*", fields={COST}, deny=True, name="no cost")),
                "all, no cost",
            ),
            ((rule("order", "*", conversations="cidA==", name="in A"),), "in A"),
        ],
    )
    def test_is_named(self, rules: tuple[AccessRule, ...], named: str) -> None:
        assert AccessPolicy(rules).decide(SALES, ORDER).rule == named

    @each_row(
        ("of", "reason"),
        [
            (rule("order", departments="d7"), "Your department “d7” allows it."),
            (rule("order", departments="销售部"), "Your department “销售部” allows it."),
            (rule("order", people="sales01", name="stand-in"), "“stand-in” names you."),
        ],
    )
    def test_says_why(self, of: AccessRule, reason: str) -> None:
        assert str(AccessPolicy([of]).decide(SALES, ORDER).reason) == reason


W1, W2 = SCOPE_OF_W1, Scope(warehouses=frozenset({"W2"}))
SHARED = SHARED_FIELDS


def granted(fields: set[FieldClass] | frozenset[FieldClass], *scopes: Scope) -> Grant:
    return Grant(fields=frozenset(fields), scopes=scopes or (Scope(),))


class TestTheSharedCard:
    @each_row(
        ("rules", "grant"),
        [
            ((), SHARED_GRANT),
            ((rule("invoice", "finance"),), SHARED_GRANT),
            ((rule("order", "*"),), SHARED_GRANT),
            ((rule("order", "*", fields={QUANTITY, AMOUNT}),), granted({QUANTITY})),
            ((rule("order", "*", scope=W1),), granted(SHARED, W1)),
            ((rule("order", "*", scope=W1), rule("order", "*", scope=W2)), granted(SHARED, W1, W2)),
            # Not every reader of the conversation may ask for it.
            ((rule("order", "sales"),), NO_GRANT),
            ((rule("order", "sales"), rule("order", "销售"), rule("order", "keeper")), NO_GRANT),
            ((rule("order", departments="d7"),), NO_GRANT),
            ((rule("order", people="sales01"),), NO_GRANT),
            ((rule("order", "sales", scope=W1), rule("order", "keeper", scope=W2)), NO_GRANT),
            ((rule("order", "*", conversations="cidB=="),), NO_GRANT),
            ((rule("order", "sales", deny=True),), NO_GRANT),
            ((rule("order", "*"), rule("order", "sales", deny=True)), NO_GRANT),
            ((rule("order", "sales", fields={PARTNER}, deny=True),), granted(SHARED - {PARTNER})),
            (
                (rule("order", "*"), rule("order", people="sales01", fields={PARTNER}, deny=True)),
                granted(SHARED - {PARTNER}),
            ),
            ((rule("order", "*", deny=True),), NO_GRANT),
            ((rule("order", "*", scope=OWN),), NO_GRANT),
            ((rule("order", "*", scope=OWN), rule("order", "*", scope=W1)), granted(SHARED, W1)),
            # More for some is not more for all.
            ((rule("order", "*", scope=W1), rule("order", "sales")), granted(SHARED, W1)),
            ((rule("order", "*", fields={QUANTITY}), rule("order", "sales")), granted({QUANTITY})),
            # Whom a further rule shows other documents with fewer fields sees fewer fields of all.
            ((rule("order", "*", scope=W1), rule("order", "sales", fields={QUANTITY})), granted({QUANTITY}, W1)),
            (
                (rule("order", "*", scope=W1), rule("order", "sales", fields={QUANTITY}, scope=W2)),
                granted({QUANTITY}, W1),
            ),
            ((rule("order", "*"), rule("order", "sales", fields={QUANTITY}, scope=W1)), SHARED_GRANT),
            (
                (rule("order", "*", scope=W1), rule("order", "sales", fields=set(), conversations="cidB==")),
                granted(SHARED, W1),
            ),
            # The conversation's own rule says it exactly.
            ((rule("order", "sales"), rule("*", fields={AMOUNT}, shared=True)), granted({AMOUNT})),
            ((rule("order", "sales"), rule("order", fields={AMOUNT}, scope=W1, shared=True)), granted({AMOUNT}, W1)),
            ((rule("order", "sales"), rule("order", shared=True)), SHARED_GRANT),
            ((rule("order", fields={AMOUNT}, shared=True, conversations="cidA=="),), granted({AMOUNT})),
            ((rule("order", fields={AMOUNT}, shared=True, conversations="cidB=="),), SHARED_GRANT),
            ((rule("order", "sales"), rule("order", fields={AMOUNT}, shared=True, conversations="cidB==")), NO_GRANT),
            (
                (rule("*", fields={AMOUNT, COST}, shared=True), rule("*", "*", fields={COST}, deny=True)),
                granted({AMOUNT}),
            ),
            ((rule("*", fields={AMOUNT}, shared=True), rule("order", "*", deny=True)), NO_GRANT),
            ((rule("*", fields={PARTNER}, shared=True, deny=True),), granted(SHARED - {PARTNER})),
            ((rule("*", fields={AMOUNT}, shared=True), rule("order", shared=True, deny=True)), NO_GRANT),
        ],
    )
    def test_shows_what_every_member_may_see(self, rules: tuple[AccessRule, ...], grant: Grant) -> None:
        assert AccessPolicy(rules).shared_grant("cidA==", "order", outsiders=False) == grant

    @each_row(
        ("rules", "grant"),
        [
            ((), NO_GRANT),
            ((rule("order", "*"),), NO_GRANT),
            ((rule("*", fields={AMOUNT, QUANTITY}, shared=True),), granted({QUANTITY})),
            ((rule("order", fields={QUANTITY}, scope=W1, shared=True),), granted({QUANTITY}, W1)),
            ((rule("order", fields={QUANTITY}, shared=True, conversations="cidA=="),), granted({QUANTITY})),
            ((rule("order", fields={QUANTITY}, shared=True, conversations="cidB=="),), NO_GRANT),
            ((rule("stock", fields={QUANTITY}, shared=True),), NO_GRANT),
        ],
    )
    def test_shows_outsiders_only_what_a_rule_shares(self, rules: tuple[AccessRule, ...], grant: Grant) -> None:
        assert AccessPolicy(rules).shared_grant("cidA==", "order", outsiders=True) == grant


class TestASharedAnswer:
    @each_row(
        ("rules", "command", "shows", "grant"),
        [
            ((), "shortage", ("stock",), SHARED_GRANT),
            # Of the documents, whatever command shows them.
            ((rule("po", "purchasing"), rule("why", "*")), "why", ("po",), NO_GRANT),
            ((rule("stock", "*", scope=W1),), "shortage", ("stock",), granted(SHARED, W1)),
            ((rule("order", "*", fields={PARTNER}),), "customer", ("order", "invoice"), granted({PARTNER})),
            ((rule("invoice", "finance"),), "customer", ("order", "invoice"), NO_GRANT),
            # And of the command itself.
            ((rule("report", "manager"),), "report", ("order", "po"), NO_GRANT),
            # What shows no documents is answered as ever.
            ((rule("*", "admin"),), "help", (), SHARED_GRANT),
        ],
    )
    def test_shows_what_the_rules_on_its_documents_and_on_itself_leave(
        self, rules: tuple[AccessRule, ...], command: str, shows: tuple[str, ...], grant: Grant
    ) -> None:
        assert AccessPolicy(rules).shared_answer("cidA==", command, shows, outsiders=False) == grant

    @each_row(
        ("rules", "command", "shows", "grant"),
        [
            ((), "help", (), granted({QUANTITY})),
            ((), "shortage", ("stock",), NO_GRANT),
            ((rule("stock", fields={QUANTITY}, shared=True),), "shortage", ("stock",), granted({QUANTITY})),
            ((rule("shortage", fields={QUANTITY}, shared=True),), "shortage", ("stock",), NO_GRANT),
            ((rule("order", fields={QUANTITY}, shared=True),), "customer", ("order", "invoice"), NO_GRANT),
            (
                (rule("stock", fields={QUANTITY}, shared=True), rule("shortage", "purchasing")),
                "shortage",
                ("stock",),
                NO_GRANT,
            ),
        ],
    )
    def test_shows_outsiders_documents_that_a_rule_shares(
        self, rules: tuple[AccessRule, ...], command: str, shows: tuple[str, ...], grant: Grant
    ) -> None:
        assert AccessPolicy(rules).shared_answer("cidA==", command, shows, outsiders=True) == grant


class TestDocumentsOfAnArea:
    def test_are_bound_by_the_rules_of_their_command(self) -> None:
        policy = AccessPolicy([rule("invoice", "finance")])
        assert not policy.decide_area(SALES, "invoice").allowed
        assert policy.decide_area(SALES, "order").allowed


def test_a_role_taken_away_counts_at_once() -> None:
    policy = AccessPolicy([rule("stock", "warehouse")])
    assert policy.decide(KEEPER, STOCK).allowed
    assert not policy.decide(Person(user_id="keeper01", name="王仓"), STOCK).allowed


def test_what_is_closed_to_somebody_is_found_once_for_all_conversations_that_no_rule_names() -> None:
    policy = AccessPolicy([rule("stock", "warehouse"), rule("invoice", "finance")])
    asked = CommandRequests((STOCK, AccessRequest(command="invoice")))
    closed = policy.closed_to(KEEPER, asked, "cidA==")
    assert closed == {"invoice"}
    assert policy.closed_to(KEEPER, asked, "cidB==") is closed


RESERVED = AccessRequest(command="audit", reserved=True)
AUDITORS = AccessRule(commands=frozenset({"audit"}), roles=frozenset({"auditor"}))
AUDITOR = Person(user_id="auditor01", name="钱审", roles=frozenset({"auditor"}))


@each_row(
    ("rules", "person", "allowed", "ask"),
    [
        ((), KEEPER, False, ("admin",)),
        ((), BOSS, True, ()),
        ((), OUTSIDER, False, ("admin",)),
        ((AUDITORS,), KEEPER, False, ("admin", "auditor")),
        ((AUDITORS,), AUDITOR, True, ()),
        ((AUDITORS,), BOSS, True, ()),
        ((AccessRule(commands=frozenset({"*"}), roles=frozenset({"*"})),), KEEPER, False, ("admin",)),
        ((AccessRule(commands=frozenset({"audit"}), roles=frozenset({"*"})),), KEEPER, True, ()),
        (
            (AccessRule(commands=frozenset({"audit"}), roles=frozenset({"*"}), conversations=frozenset({"cid=="})),),
            KEEPER,
            False,
            ("admin",),
        ),
    ],
)
def test_what_is_reserved_is_for_administrators_and_whom_a_rule_names_for_it(
    rules: tuple[AccessRule, ...], person: Person, allowed: bool, ask: tuple[str, ...]
) -> None:
    verdict = AccessPolicy(rules=rules).decide(person, RESERVED)
    assert (verdict.allowed, verdict.ask) == (allowed, ask)


def test_conversations_that_no_rule_names_share_their_decisions() -> None:
    policy = AccessPolicy(rules=(MO_IN_PLANT,))

    def decide(conversation_id: str) -> AccessVerdict:
        return policy.decide(KEEPER, AccessRequest(command="mo", conversation_id=conversation_id))

    assert decide("cidOne==") is decide("cidTwo==") is decide("")
    assert decide("cidPlant==").allowed
    assert not decide("cidOne==").allowed


def creating(name: str, *kinds: str, **limits: Any) -> AccessRule:
    right = CreationRight(kinds=frozenset(kinds), **limits) if kinds else None
    return AccessRule(name=name, commands=frozenset({"new"}), roles=frozenset({"warehouse"}), creates=right)


SMALL = creating("small", "order", most_lines=1, most_quantity=Decimal(10))
LARGE = creating("large", "order", most_lines=3)
ELSEWHERE = replace(LARGE, conversations=frozenset({"cidPlant=="}))
NOT_SUCH = "No rule lets you create such documents (/order)."
ONLY_SMALL = "That is more than rule “small” allows: lines up to 1, quantity of each up to 10."


@each_row(
    ("rules", "person", "quantities", "allowed", "reason"),
    [
        ((), KEEPER, (1,), False, "/new is only for: admin."),
        ((EVERYTHING,), BOSS, (1,), False, NOT_SUCH),
        ((creating("nothing"),), KEEPER, (1,), False, NOT_SUCH),
        ((creating("receipts", "receipt"),), KEEPER, (1,), False, NOT_SUCH),
        ((LARGE,), BUYER, (1,), False, "/new is only for: admin, warehouse keeper."),
        ((LARGE,), KEEPER, (1, 5_000, 1), True, "Your role “warehouse keeper” allows it."),
        ((LARGE,), KEEPER, (1, 1, 1, 1), False, "That is more than rule “large” allows: lines up to 3."),
        ((SMALL,), KEEPER, (10,), True, "Your role “warehouse keeper” allows it."),
        ((SMALL,), KEEPER, (Decimal("10.01"),), False, ONLY_SMALL),
        ((SMALL,), KEEPER, (1, 1), False, ONLY_SMALL),
        ((SMALL, LARGE), KEEPER, (11,), True, "Your role “warehouse keeper” allows it."),
        ((SMALL, ELSEWHERE), KEEPER, (11,), False, ONLY_SMALL),
    ],
)
def test_documents_are_begun_by_a_rule_and_within_its_limits(
    rules: tuple[AccessRule, ...], person: Person, quantities: tuple[Decimal, ...], allowed: bool, reason: str
) -> None:
    request = AccessRequest(command="new", reserved=True)
    verdict = AccessPolicy(rules).decide_creation(person, request, "order", [Decimal(each) for each in quantities])
    assert (verdict.allowed, str(verdict.reason)) == (allowed, reason)
    read_only = AccessPolicy(rules, read_only=True).decide_creation(person, request, "order", [Decimal(1)])
    assert not read_only.allowed


def test_the_kinds_that_rules_know_are_those_that_are_created() -> None:
    assert {kind.command for kind in kinds.CREATED} == CREATED
