"""The decision function as a table: rules × person × request → yes or no, and why."""

from __future__ import annotations

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy, AccessRequest, AccessRule

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


@pytest.mark.parametrize(
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


RESERVED = AccessRequest(command="audit", reserved=True)
AUDITORS = AccessRule(commands=frozenset({"audit"}), roles=frozenset({"auditor"}))
AUDITOR = Person(user_id="auditor01", name="钱审", roles=frozenset({"auditor"}))


@pytest.mark.parametrize(
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
