"""What a conversation's shared card shows, what a pushed card shows, and who is known to be there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from bot.access.grants import FULL_GRANT, Grant, Scope
from bot.access.people import DirectoryEntry
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.notices import WithheldNotice
from bot.cards.view import View
from bot.chat.audiences import covers_all
from bot.disclosure import ALL_FIELDS, HIDDEN, SHARED_FIELDS, FieldClass
from bot.outbox.place import Place, PlaceKind
from tests.chat.audience_parts import MemoryOutsiders, make_audiences, make_people
from tests.rows import each_row

GROUP = Place(PlaceKind.GROUP, "cidA==")
ANNA = Place(PlaceKind.PERSON, "anna")
WEST = Scope(warehouses=frozenset({"west"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal(View):
    card: ClassVar[str] = "deal"

    number: str = "SO-1"
    amount: Annotated[str, FieldClass.AMOUNT] = "¥9"
    customer: Annotated[str, FieldClass.PARTNER] = "Acme"


class Members:
    """A directory that knows one person."""

    async def entry(self, user_id: str) -> DirectoryEntry | None:
        return DirectoryEntry(name="Anna", roles=frozenset({"sales"})) if user_id == "anna" else None

    async def record_writer(self, user_id: str, *, name: str, wrote_at: datetime) -> None:
        raise AssertionError("nobody wrote")


def rules(*given: AccessRule) -> AccessPolicy:
    return AccessPolicy(given)


def rule(**given: object) -> AccessRule:
    return AccessRule(**{"commands": frozenset({"order"}), "roles": frozenset({"*"}), **given})  # type: ignore[arg-type]


def test_a_shared_card_withholds_amounts() -> None:
    shared = make_audiences().share(Deal(), FULL_GRANT, GROUP.id, "order")
    assert not shared.is_all
    assert shared.view == Deal(amount=HIDDEN, withheld=frozenset({FieldClass.AMOUNT}), shared=True)


def test_where_nothing_is_withheld_the_view_is_the_same() -> None:
    own = Deal(amount="", customer="Acme")
    shared = make_audiences().share(own, FULL_GRANT, GROUP.id, "order")
    assert (shared.is_all, shared.view is own) == (True, True)


def test_with_an_outsider_names_are_withheld_too() -> None:
    shared = make_audiences(outsiders=MemoryOutsiders({GROUP.id})).share(Deal(), FULL_GRANT, GROUP.id, "order")
    assert shared.view == Deal(
        amount=HIDDEN, customer=HIDDEN, withheld=frozenset({FieldClass.AMOUNT, FieldClass.PARTNER}), shared=True
    )


def test_who_asks_with_less_right_shares_no_more() -> None:
    """What the asker may not see is not seen by others either, and these can still look at their own view."""
    own = Deal(amount=HIDDEN, withheld=frozenset({FieldClass.AMOUNT}))
    shared = make_audiences().share(own, Grant(fields=SHARED_FIELDS), GROUP.id, "order")
    assert shared.is_all
    assert shared.view == Deal(amount=HIDDEN, withheld=frozenset({FieldClass.AMOUNT}), shared=True)


def test_a_rule_of_the_conversation_shows_more() -> None:
    policy = rules(rule(shared=True, conversations=frozenset({GROUP.id}), fields=ALL_FIELDS))
    own = Deal()
    assert make_audiences(policy).share(own, FULL_GRANT, GROUP.id, "order").view is own
    assert make_audiences(policy).share(own, FULL_GRANT, "cidB==", "order").view is not own


def test_documents_that_not_everybody_may_see_are_not_even_named() -> None:
    policy = rules(rule(scope=WEST))
    audiences = make_audiences(policy)
    assert audiences.share(Deal(), Grant(fields=ALL_FIELDS, scopes=(WEST,)), GROUP.id, "order").view != WithheldNotice()
    shared = audiences.share(Deal(), FULL_GRANT, GROUP.id, "order")
    assert (shared.view, shared.is_all) == (WithheldNotice(), False)


@each_row(
    ("wanted", "scopes", "covered"),
    [
        ((Scope(),), (Scope(),), True),
        ((WEST,), (Scope(),), True),
        ((Scope(),), (WEST,), False),
        ((WEST,), (WEST,), True),
        ((), (WEST,), True),
        ((Scope(),), (), False),
        # One reader's own documents are not another's.
        ((Scope(own=True),), (Scope(own=True),), False),
        ((Scope(own=True),), (Scope(),), True),
    ],
)
def test_which_documents_everybody_may_see(
    wanted: tuple[Scope, ...], scopes: tuple[Scope, ...], *, covered: bool
) -> None:
    assert covers_all(wanted, scopes) is covered


async def test_pushed_cards_show_what_their_place_may_see() -> None:
    policy = rules(rule(commands=frozenset({"po"}), roles=frozenset({"sales"})))
    audiences = make_audiences(policy, people=make_people(Members()))
    assert await audiences.fields_at(GROUP, "order") == SHARED_FIELDS
    assert await audiences.fields_at(ANNA, "order") == ALL_FIELDS
    assert await audiences.fields_at(ANNA, "po") == ALL_FIELDS


async def test_a_person_without_the_right_is_told_no_figures() -> None:
    policy = rules(rule(commands=frozenset({"po"}), roles=frozenset({"finance"})))
    audiences = make_audiences(policy, people=make_people(Members()))
    assert await audiences.fields_at(ANNA, "po") == frozenset()
    assert await audiences.fields_at(Place(PlaceKind.PERSON, "nobody"), "order") == frozenset()


async def test_a_right_to_some_documents_is_none_to_those_of_which_that_is_not_known() -> None:
    audiences = make_audiences(rules(rule(scope=WEST)), people=make_people(Members()))
    assert await audiences.fields_at(ANNA, "order") == frozenset()


async def test_with_an_outsider_pushed_cards_name_nobody() -> None:
    audiences = make_audiences(outsiders=MemoryOutsiders({GROUP.id}))
    assert FieldClass.PARTNER not in await audiences.fields_at(GROUP, "invoice")
