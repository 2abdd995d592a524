"""What is common to several grants, and what they give together: by documents that are looked at one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product

import pytest

from bot.access.grants import EVERYTHING, NO_GRANT, Grant, Scope, common_grant, merge_grants
from bot.words.disclosure import ALL_FIELDS, FieldClass

RESTRICTIONS = ("sources", "companies", "warehouses", "categories", "partners")
ALLOWED = (None, frozenset({"a"}), frozenset({"B"}), frozenset({"a", "b"}), frozenset[str]())
SALES = frozenset({FieldClass.AMOUNT, FieldClass.PARTNER})
GOODS = frozenset({FieldClass.QUANTITY, FieldClass.PARTNER})


def covers(scope: Scope, document: Mapping[str, str], *, is_own: bool = False) -> bool:
    """Say for one document what `Scope` says in its words."""
    restrictions = {name: getattr(scope, name) for name in RESTRICTIONS}
    fits = (
        allowed is None or document.get(name, "").casefold() in {each.casefold() for each in allowed}
        for name, allowed in restrictions.items()
    )
    return (is_own or not scope.own) and all(fits)


def restricted(name: str, allowed: frozenset[str] | None, *, own: bool = False) -> Scope:
    return Scope(**{name: allowed, "own": own})  # type: ignore[arg-type]  # a restriction by its name


def documents() -> Iterable[tuple[Mapping[str, str], bool]]:
    """Return documents that differ in one restriction, of the reader and of others."""
    for name, told, is_own in product(RESTRICTIONS, ("a", "b", ""), (True, False)):
        yield {**dict.fromkeys(RESTRICTIONS, "a"), name: told}, is_own


@pytest.mark.parametrize("name", RESTRICTIONS)
def test_two_scopes_have_in_common_what_both_cover(name: str) -> None:
    for one, other, mine, theirs in product(ALLOWED, ALLOWED, (True, False), (True, False)):
        first, second = restricted(name, one, own=mine), restricted(name, other, own=theirs)
        common = first.common(second)

        for document, is_own in documents():
            both = covers(first, document, is_own=is_own) and covers(second, document, is_own=is_own)
            assert covers(common, document, is_own=is_own) is both, (first, second, document, is_own)


@pytest.mark.parametrize("name", RESTRICTIONS)
def test_a_scope_includes_another_only_if_it_covers_all_of_it(name: str) -> None:
    for one, other, mine, theirs in product(ALLOWED, ALLOWED, (True, False), (True, False)):
        wide, narrow = restricted(name, one, own=mine), restricted(name, other, own=theirs)
        if wide.includes(narrow):
            assert all(covers(wide, each, is_own=own) for each, own in documents() if covers(narrow, each, is_own=own))
        assert EVERYTHING.includes(narrow)
        assert wide.includes(wide)


def test_restrictions_of_different_kinds_both_hold() -> None:
    common = Scope(warehouses=frozenset({"W1"})).common(Scope(categories=frozenset({"tools"})))

    assert common == Scope(warehouses=frozenset({"W1"}), categories=frozenset({"tools"}))


def test_several_grants_have_in_common_their_fields_of_the_documents_of_all() -> None:
    north, both = Scope(sources=frozenset({"north"})), Scope(sources=frozenset({"north", "south"}))

    common = common_grant([Grant(fields=SALES, scopes=(both,)), Grant(fields=GOODS, scopes=(north,))])

    assert common == Grant(fields=frozenset({FieldClass.PARTNER}), scopes=(north,))
    assert common_grant([Grant(fields=SALES), NO_GRANT]) == common_grant([NO_GRANT, Grant(fields=SALES)]) == NO_GRANT


def test_grants_of_the_same_documents_add_their_fields() -> None:
    assert merge_grants([Grant(fields=SALES), Grant(fields=GOODS)]) == Grant(fields=SALES | GOODS)


def test_grants_of_different_documents_show_of_all_what_each_shows() -> None:
    north, south = Scope(sources=frozenset({"north"})), Scope(sources=frozenset({"south"}))

    merged = merge_grants([Grant(fields=SALES, scopes=(north,)), Grant(fields=GOODS, scopes=(south,))])

    assert merged == Grant(fields=SALES & GOODS, scopes=(north, south))


def test_a_narrower_grant_adds_nothing_to_a_wider_one() -> None:
    north = Scope(sources=frozenset({"north"}))

    assert merge_grants([Grant(fields=ALL_FIELDS), Grant(fields=SALES, scopes=(north,))]) == Grant(fields=ALL_FIELDS)
