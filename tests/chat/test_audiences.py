"""What a conversation's shared card shows, what a pushed card shows, and who is known to be there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from bot.access.grants import EVERYTHING, Grant, Scope
from bot.access.people import DirectoryEntry
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule, RuleEffect
from bot.cards.notices import DeniedNotice, WithheldNotice
from bot.cards.view import View
from bot.chat.audiences import Audiences, covers_all
from bot.chat.question_handler import PreparedAnswer
from bot.chat.registry import Commands
from bot.outbox.place import Place, PlaceKind
from bot.words.disclosure import ALL_FIELDS, HIDDEN, SHARED_FIELDS, FieldClass
from tests.chat.audience_parts import MemoryOutsiders, answer_to, make_audiences, make_people
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


@each_row(
    "command, own, is_told",
    [
        ("today", Deal(amount=HIDDEN, customer=HIDDEN), False),
        ("today", DeniedNotice(reason="no"), True),
        ("lang", Deal(amount=HIDDEN, customer=HIDDEN), True),
    ],
)
async def test_others_learn_nothing_of_a_personal_answer_but_a_refusal(command: str, own: View, is_told: bool) -> None:
    audiences, answer = make_audiences(), PreparedAnswer(own, command, "answered")
    in_group = audiences.share(own, answer, GROUP.id)
    assert in_group.is_all is is_told
    assert isinstance(in_group.view, WithheldNotice) is not is_told
    assert in_group == await audiences.share_at(own, answer, [ANNA])


def test_a_shared_card_withholds_amounts() -> None:
    shared = make_audiences().share(Deal(), answer_to("order"), GROUP.id)
    assert not shared.is_all
    assert shared.view == Deal(amount=HIDDEN, withheld=frozenset({FieldClass.AMOUNT}), shared=True)


def test_where_nothing_is_withheld_the_view_is_the_same() -> None:
    own = Deal(amount="", customer="Acme")
    shared = make_audiences().share(own, answer_to("order"), GROUP.id)
    assert (shared.is_all, shared.view is own) == (True, True)


SHARED = rule(shared=True, roles=frozenset(), fields=SHARED_FIELDS)


def test_with_an_outsider_names_are_withheld_too() -> None:
    audiences = make_audiences(rules(SHARED), outsiders=MemoryOutsiders({GROUP.id}))
    assert audiences.share(Deal(), answer_to("order"), GROUP.id).view == Deal(
        amount=HIDDEN, customer=HIDDEN, withheld=frozenset({FieldClass.AMOUNT, FieldClass.PARTNER}), shared=True
    )


def test_with_an_outsider_nothing_is_shared_that_no_rule_names() -> None:
    audiences = make_audiences(rules(SHARED), outsiders=MemoryOutsiders({GROUP.id}))
    assert audiences.share(Deal(), answer_to("stock"), GROUP.id).view == WithheldNotice()
    help_ = PreparedAnswer(Deal(), "help", "answered", reach={})
    assert audiences.share(Deal(), help_, GROUP.id).view != WithheldNotice()


def test_who_asks_with_less_right_shares_no_more() -> None:
    """What the asker may not see is not seen by others either, and these can still look at their own view."""
    own = Deal(amount=HIDDEN, withheld=frozenset({FieldClass.AMOUNT}))
    shared = make_audiences().share(own, answer_to("order", Grant(fields=SHARED_FIELDS)), GROUP.id)
    assert shared.is_all
    assert shared.view == Deal(amount=HIDDEN, withheld=frozenset({FieldClass.AMOUNT}), shared=True)


def test_a_rule_of_the_conversation_shows_more() -> None:
    policy = rules(rule(shared=True, conversations=frozenset({GROUP.id}), fields=ALL_FIELDS))
    own = Deal()
    assert make_audiences(policy).share(own, answer_to("order"), GROUP.id).view is own
    assert make_audiences(policy).share(own, answer_to("order"), "cidB==").view is not own


def test_documents_that_not_everybody_may_see_are_not_even_named() -> None:
    policy = rules(rule(scope=WEST))
    audiences = make_audiences(policy)
    assert (
        audiences.share(Deal(), answer_to("order", Grant(fields=ALL_FIELDS, scopes=(WEST,))), GROUP.id).view
        != WithheldNotice()
    )
    shared = audiences.share(Deal(), answer_to("order"), GROUP.id)
    assert (shared.view, shared.is_all) == (WithheldNotice(), False)


@each_row(
    ("reach", "is_shared"),
    [
        ({"order": (WEST,), "stock": (EVERYTHING,)}, True),
        ({"order": (WEST,)}, True),
        ({"order": (), "stock": ()}, True),
        ({"order": (EVERYTHING,), "stock": (EVERYTHING,)}, False),
        ({"order": (WEST,), "po": ()}, True),
        ({"order": (WEST,), "po": (WEST,)}, False),
    ],
)
def test_of_each_kind_of_document_the_asker_sees_no_more_than_everybody(
    reach: dict[str, tuple[Scope, ...]], *, is_shared: bool
) -> None:
    policy = rules(rule(scope=WEST), rule(commands=frozenset({"po"}), roles=frozenset({"buyers"})))
    shared = make_audiences(policy).share(Deal(), answer_to("find", **reach), GROUP.id)
    assert (shared.view != WithheldNotice()) is is_shared


def test_a_hint_names_nobody_where_an_area_is_closed() -> None:
    """It is of no command, so that it may be about documents of any."""
    names = Grant(fields=frozenset({FieldClass.PARTNER}), scopes=())
    hint = PreparedAnswer(Deal(), "none", "hint", names)
    closed = rules(rule(commands=frozenset({"po"}), roles=frozenset({"buyers"})))
    assert make_audiences().share(Deal(amount=""), hint, GROUP.id).view == Deal(amount="")
    assert make_audiences(closed).share(Deal(amount=""), hint, GROUP.id).view.customer is HIDDEN  # type: ignore[attr-defined]


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


async def fields_at(audiences: Audiences, place: Place, command: str) -> frozenset[FieldClass]:
    """Return what a card may show there of every document of a command."""
    grant = (await audiences.reader_at(place, command)).grant
    return grant.fields if EVERYTHING in grant.scopes else frozenset()


async def test_pushed_cards_show_what_their_place_may_see() -> None:
    policy = rules(rule(commands=frozenset({"po"}), roles=frozenset({"sales"})))
    audiences = make_audiences(policy, people=make_people(Members()))
    assert await fields_at(audiences, GROUP, "order") == SHARED_FIELDS
    assert await fields_at(audiences, ANNA, "order") == ALL_FIELDS
    assert await fields_at(audiences, ANNA, "po") == ALL_FIELDS


async def test_a_person_without_the_right_is_told_no_figures() -> None:
    policy = rules(rule(commands=frozenset({"po"}), roles=frozenset({"finance"})))
    audiences = make_audiences(policy, people=make_people(Members()))
    assert await fields_at(audiences, ANNA, "po") == frozenset()
    assert await fields_at(audiences, Place(PlaceKind.PERSON, "nobody"), "order") == frozenset()


async def test_a_right_to_some_documents_is_none_to_those_of_which_that_is_not_known() -> None:
    audiences = make_audiences(rules(rule(scope=WEST)), people=make_people(Members()))
    assert await fields_at(audiences, ANNA, "order") == frozenset()


async def test_with_an_outsider_pushed_cards_name_nobody() -> None:
    audiences = make_audiences(rules(SHARED), outsiders=MemoryOutsiders({GROUP.id}))
    assert await fields_at(audiences, GROUP, "order") == {FieldClass.QUANTITY}
    assert FieldClass.PARTNER not in await fields_at(audiences, GROUP, "invoice")


@each_row(
    ("given", "to_anna", "to_group"),
    [
        ((), frozenset(), frozenset()),
        # Anna is in sales. Somebody of finance may be in the group.
        ((rule(roles=frozenset({"finance"})),), {"order"}, frozenset()),
        ((rule(roles=frozenset({"sales"})),), frozenset(), frozenset()),
        ((rule(effect=RuleEffect.DENY),), {"order"}, {"order"}),
        ((rule(conversations=frozenset({"cidB=="})),), {"order"}, {"order"}),
        ((rule(conversations=frozenset({GROUP.id})),), {"order"}, frozenset()),
        ((rule(roles=frozenset(), shared=True),), frozenset(), frozenset()),
    ],
)
async def test_no_button_leads_to_what_is_closed_to_the_readers_of_a_pushed_card(
    given: tuple[AccessRule, ...], to_anna: frozenset[str], to_group: frozenset[str]
) -> None:
    audiences = make_audiences(AccessPolicy(given), people=make_people(Members()))
    reserved = {command.name for command in Commands.discover().values() if command.reserved}
    assert await audiences.closed_at([ANNA]) == to_anna | reserved
    assert await audiences.closed_at([GROUP]) == to_group
    assert await audiences.closed_at([GROUP, ANNA]) == to_anna | to_group | reserved


async def test_where_nobody_may_write_nothing_leads_to_it() -> None:
    audiences = make_audiences(AccessPolicy(read_only=True))
    assert {"approve", "reject"} <= await audiences.closed_at([GROUP])


async def test_a_card_at_several_places_shows_what_the_readers_of_each_may_see() -> None:
    audiences = make_audiences(people=make_people(Members()))
    for places in ((GROUP, ANNA), (ANNA, GROUP)):
        shared = await audiences.share_at(Deal(), answer_to("order"), places)
        assert shared.view == Deal(amount=HIDDEN, withheld=frozenset({FieldClass.AMOUNT}), shared=True)
    assert (await audiences.share_at(Deal(), answer_to("order"), [ANNA])).is_all
