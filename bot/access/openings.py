"""The new rights that changed rules give, in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from bot.access.grants import NO_GRANT, Grant
from bot.access.people import Person
from bot.access.policy import AccessPolicy, AccessRequest
from bot.access.rules import ANY
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase, Words, phrase
from bot.words.role_labels import label_role


@dataclass(frozen=True, slots=True)
class _Gain:
    """A new right on one command. ``fields`` is None if the command itself opens, ``wider`` tells whether
    documents do.
    """

    fields: frozenset[FieldClass] | None = None
    wider: bool = False


_Gains = Mapping[tuple[str, _Gain], tuple[str, ...]]
"""A conversation (empty: any not named in rules) and a new right there → its commands."""


def find_openings(
    before: AccessPolicy,
    after: AccessPolicy,
    requests: Collection[AccessRequest],
    label: Callable[[FieldClass], Words],
) -> tuple[Phrase, ...]:
    """Return the new rights from ``before`` to ``after``: for everybody, for the people rules name, then on shared
    cards.

    ``requests`` cover every command, ``label`` names a field class. Rules distinguish people only by roles, departments
    and ids, so a person with just one of these stands for everybody who has it.
    """
    places = ("", *sorted(_named_places(before) | _named_places(after)))
    told: dict[tuple[tuple[str, _Gain], tuple[str, ...]], list[Words]] = {}
    everybody = _gains(_of_person(_MEMBER, before, after, requests, places))
    for who, person in _readers(before, after):
        for gain, commands in _gains(_of_person(person, before, after, requests, places)).items():
            if person is _MEMBER or everybody.get(gain) != commands:
                told.setdefault((gain, commands), []).append(who)
    people = (_say_of(tuple(who), gain, commands, label) for (gain, commands), who in told.items())
    shared = (
        _say_of((_SHARED[outsiders],), gain, commands, label)
        for outsiders in _SHARED
        for gain, commands in _gains(_of_card(before, after, requests, places, outsiders=outsiders)).items()
    )
    return (*people, *shared)


_MEMBER = Person(user_id="", name="")
"""A member whom no rule names."""

_SHARED = {False: phrase("cards in groups"), True: phrase("cards in groups with outsiders")}


def _readers(*policies: AccessPolicy) -> Iterator[tuple[Words, Person]]:
    rules = [rule for policy in policies for rule in policy.rules]
    yield phrase("every member"), _MEMBER
    for role in sorted({role for rule in rules for role in rule.roles} - {ANY}):
        yield label_role(role), replace(_MEMBER, roles=frozenset({role}))
    for department in sorted({name for rule in rules for name in rule.departments}):
        named = frozenset({department})
        yield department, replace(_MEMBER, departments=named, department_names=named)
    for user_id in sorted({name for rule in rules for name in rule.people}):
        yield user_id, replace(_MEMBER, user_id=user_id)


def _named_places(policy: AccessPolicy) -> frozenset[str]:
    return frozenset(chain.from_iterable(rule.conversations for rule in policy.rules))


def _of_person(
    person: Person,
    before: AccessPolicy,
    after: AccessPolicy,
    requests: Iterable[AccessRequest],
    places: Iterable[str],
) -> Iterator[tuple[str, str, _Gain]]:
    for place in places:
        for request in requests:
            here = replace(request, conversation_id=place)
            old, new = before.decide(person, here), after.decide(person, here)
            if new.allowed:
                yield from ((place, request.command, each) for each in _compare(old.allowed, old.grant, new.grant))


def _of_card(
    before: AccessPolicy,
    after: AccessPolicy,
    requests: Iterable[AccessRequest],
    places: Iterable[str],
    *,
    outsiders: bool,
) -> Iterator[tuple[str, str, _Gain]]:
    for place in places:
        for request in requests:
            old = before.shared_grant(place, request.command, outsiders=outsiders)
            new = after.shared_grant(place, request.command, outsiders=outsiders)
            if new != NO_GRANT:
                yield from ((place, request.command, each) for each in _compare(old != NO_GRANT, old, new))


def _compare(was_allowed: bool, old: Grant, new: Grant) -> Iterator[_Gain]:
    if not was_allowed:
        yield _Gain()
        return
    if fields := new.fields - old.fields:
        yield _Gain(fields=fields)
    if not all(any(mine.includes(scope) for mine in old.scopes) for scope in new.scopes):
        yield _Gain(wider=True)


def _gains(found: Iterable[tuple[str, str, _Gain]]) -> _Gains:
    """Return commands by new right; for a place named in rules, only those that do not open everywhere."""
    commands: dict[tuple[str, _Gain], list[str]] = {}
    for place, command, gain in found:
        if not place or command not in commands.get(("", gain), ()):
            commands.setdefault((place, gain), []).append(command)
    return {key: tuple(names) for key, names in commands.items()}


def _say_of(
    who: tuple[Words, ...], key: tuple[str, _Gain], commands: tuple[str, ...], label: Callable[[FieldClass], Words]
) -> Phrase:
    place, gain = key
    lines = tuple(f"/{command}" for command in commands)
    if gain.wider:
        said = phrase("%(who)s: may see more documents of %(commands)s", who=who, commands=lines)
    elif gain.fields is None:
        said = phrase("%(who)s: may use %(commands)s", who=who, commands=lines)
    else:
        fields = tuple(map(label, sorted(gain.fields)))
        said = phrase("%(who)s: may see %(fields)s in %(commands)s", who=who, fields=fields, commands=lines)
    return phrase("%(what)s, in %(place)s", what=said, place=place) if place else said
