"""What holds whatever the rules are."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from bot.access.grants import EVERYTHING, NO_GRANT, Grant, Scope
from bot.access.people import Person
from bot.access.policy import OUTSIDER_FIELDS, AccessPolicy, AccessRequest
from bot.access.rules import AccessRule, RuleEffect
from bot.words.disclosure import FieldClass

WORDS = ("a", "b", "c")
HERE = "cidA=="
SCOPES = (EVERYTHING, Scope(own=True), Scope(warehouses=frozenset({"W1"})), Scope(sources=frozenset({"main"})))


def some(words: Sequence[str], least: int = 0) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(words), min_size=least, max_size=2)


FIELDS = st.none() | st.frozensets(st.sampled_from(list(FieldClass)), max_size=3)
COMMANDS = some(("order", "invoice", "*"), 1)
CONVERSATIONS = some((HERE, "cidB=="))
ALLOWING = st.builds(
    AccessRule,
    commands=COMMANDS,
    roles=some((*WORDS, "*")),
    departments=some(WORDS),
    people=some(("u1", "u2")),
    conversations=CONVERSATIONS,
    fields=FIELDS,
    scope=st.sampled_from(SCOPES),
)
DENYING = st.builds(
    AccessRule,
    commands=COMMANDS,
    roles=some((*WORDS, "*"), 1),
    conversations=CONVERSATIONS,
    fields=FIELDS,
    effect=st.just(RuleEffect.DENY),
)
SHARING = st.builds(
    AccessRule,
    commands=COMMANDS,
    conversations=CONVERSATIONS,
    fields=FIELDS,
    scope=st.sampled_from([scope for scope in SCOPES if not scope.own]),
    shared=st.just(True),
)
RULES = st.lists(ALLOWING | DENYING | SHARING, max_size=6)
PEOPLE = st.builds(
    Person,
    user_id=st.sampled_from(("u1", "u2", "u3")),
    name=st.just("x"),
    roles=some(WORDS),
    departments=some(WORDS),
)
REQUESTS = st.builds(
    AccessRequest,
    command=st.sampled_from(("order", "invoice", "stock")),
    conversation_id=st.sampled_from((HERE, "")),
    writes=st.booleans(),
    governed=st.booleans(),
)


def covered(inner: Sequence[Scope], outer: Sequence[Scope]) -> bool:
    return all(any(wide.includes(scope) for wide in outer) for scope in inner)


@given(RULES, REQUESTS, st.booleans())
def test_people_from_outside_are_refused(rules: list[AccessRule], request: AccessRequest, is_admin: bool) -> None:
    outsider = Person(user_id=None, name="x", roles=frozenset(WORDS), is_admin=is_admin)
    verdict = AccessPolicy(rules).decide(outsider, request)
    assert (verdict.allowed, verdict.grant) == (False, NO_GRANT)


@given(RULES, DENYING, PEOPLE, REQUESTS)
def test_a_denial_never_gives_anything(
    rules: list[AccessRule], denial: AccessRule, person: Person, request: AccessRequest
) -> None:
    before = AccessPolicy(rules).decide(person, request)
    after = AccessPolicy([*rules, denial]).decide(person, request)
    assert before.allowed or not after.allowed
    assert after.grant.fields <= before.grant.fields
    assert covered(after.grant.scopes, before.grant.scopes)


@given(RULES, DENYING, st.booleans(), st.sampled_from(("order", "stock")))
def test_a_denial_never_shows_a_group_more(
    rules: list[AccessRule], denial: AccessRule, outsiders: bool, command: str
) -> None:
    before = AccessPolicy(rules).shared_grant(HERE, command, outsiders=outsiders)
    after = AccessPolicy([*rules, denial]).shared_grant(HERE, command, outsiders=outsiders)
    assert after.fields <= before.fields


@given(RULES, PEOPLE, REQUESTS, st.randoms())
def test_the_order_of_rules_does_not_matter(
    rules: list[AccessRule], person: Person, request: AccessRequest, draw: object
) -> None:
    shuffled = list(rules)
    draw.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a `random.Random`
    one, other = AccessPolicy(rules).decide(person, request), AccessPolicy(shuffled).decide(person, request)
    assert (one.allowed, one.grant.fields, {*one.grant.scopes}) == (
        other.allowed,
        other.grant.fields,
        {*other.grant.scopes},
    )


@given(RULES, PEOPLE, REQUESTS)
def test_who_is_refused_sees_nothing(rules: list[AccessRule], person: Person, request: AccessRequest) -> None:
    verdict = AccessPolicy(rules).decide(person, request)
    assert verdict.allowed or verdict.grant == NO_GRANT


@given(RULES, PEOPLE, st.sampled_from(("order", "stock")), st.booleans())
def test_a_group_sees_no_more_than_any_member_unless_a_rule_shares_it(
    rules: list[AccessRule], person: Person, command: str, outsiders: bool
) -> None:
    policy = AccessPolicy(rules)
    shared = policy.shared_grant(HERE, command, outsiders=outsiders)
    sharing = [rule for rule in rules if rule.shared and rule.is_about(command) and rule.holds_in(HERE)]
    if sharing:
        assert all(any(shared_by.scope.includes(scope) for shared_by in sharing) for scope in shared.scopes)
        assert shared.fields <= frozenset[FieldClass]().union(*(rule.grant.fields for rule in sharing))
        return
    own = policy.decide_area(person, command, HERE).grant
    assert shared.fields <= own.fields
    assert covered(shared.scopes, own.scopes)
    assert not any(scope.own for scope in shared.scopes)


@given(RULES, st.sampled_from(("order", "stock")))
def test_a_group_with_outsiders_sees_only_what_a_rule_shares(rules: list[AccessRule], command: str) -> None:
    policy = AccessPolicy(rules)
    inside = policy.shared_grant(HERE, command, outsiders=False)
    shared = any(rule.shared and rule.is_about(command) and rule.holds_in(HERE) for rule in rules)
    expected = Grant(fields=inside.fields & OUTSIDER_FIELDS, scopes=inside.scopes) if shared else NO_GRANT
    assert policy.shared_grant(HERE, command, outsiders=True) == expected


SHOWN = st.lists(st.sampled_from(("order", "stock", "invoice")), unique=True, min_size=1)


@given(RULES, st.sampled_from(("order", "report")), SHOWN, st.booleans())
def test_an_answer_shows_a_group_no_more_than_any_of_its_documents(
    rules: list[AccessRule], command: str, shows: list[str], outsiders: bool
) -> None:
    policy = AccessPolicy(rules)
    answer = policy.shared_answer(HERE, command, shows, outsiders=outsiders)
    for each in shows:
        of_document = policy.shared_grant(HERE, each, outsiders=outsiders)
        assert answer.fields <= of_document.fields
        assert covered(answer.scopes, of_document.scopes)


@given(RULES, PEOPLE, REQUESTS)
def test_nobody_writes_while_the_bot_only_reads(
    rules: list[AccessRule], person: Person, request: AccessRequest
) -> None:
    verdict = AccessPolicy(rules, read_only=True).decide(person, request)
    assert not (verdict.allowed and request.writes)
