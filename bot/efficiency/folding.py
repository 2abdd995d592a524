"""Groups of people that are too small to be shown singly, also where the difference of two figures would tell of them.

A figure about a few people tells of each of them. So a group with fewer than `LEAST` people besides the reader, who
knows their own figures, is folded into one group with others; so is a further one if these together are still too few,
since the total minus all that is shown would tell of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, KeysView, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

LEAST = 5
"""The people whom a figure has to be about, besides its reader."""


class AboutPerson(Protocol):
    """A record about what one person did."""

    @property
    def person(self) -> str:
        """The userId; empty if nobody of the company did it."""
        ...


G = TypeVar("G")
R = TypeVar("R", bound=AboutPerson)


@dataclass(frozen=True, slots=True)
class Folded(Generic[G]):
    """The groups that may be shown singly, and those that count only together; neither if all are too few."""

    shown: tuple[G, ...]
    together: tuple[G, ...]


def fold(groups: Iterable[G], people: Callable[[Sequence[G]], int]) -> Folded[G]:
    """Fold small groups; ``people`` counts those of some groups together, without the reader."""
    ordered = sorted(groups, key=lambda group: people([group]))
    few = sum(people([group]) < LEAST for group in ordered)
    while 0 < few < len(ordered) and people(ordered[:few]) < LEAST:
        few += 1
    if few > 0 and people(ordered[:few]) < LEAST:
        return Folded((), ())
    return Folded(tuple(ordered[few:]), tuple(ordered[:few]))


def people_besides(records: Iterable[R], reader: str) -> int:
    """Return how many people records are about, besides the reader."""
    return len({record.person for record in records} - {"", reader})


@dataclass(frozen=True, slots=True)
class Division(Generic[R]):
    """Records divided by one property: the groups by name, and what is ``together`` because each is too small.

    ``folded``: some of it cannot be shown at all, or only together.
    """

    groups: Mapping[object, Sequence[R]]
    together: Sequence[R] = ()
    folded: bool = False


def fold_divisions(records: Sequence[R], divisions: Sequence[Division[R]], reader: str) -> list[Division[R]]:
    """Fold each division of the same records, so that no two figures differ by what a few people did.

    A division in which a group lies within one that is already shown, and all but a few people's records of it, is left
    out. Nothing is shown if the records as a whole are about too few.
    """
    if people_besides(records, reader) < LEAST:
        return [Division({}, folded=True) for _ in divisions]
    person_of = {id(record): record.person for record in records}
    shown: list[KeysView[int]] = [person_of.keys()]
    found = []
    for division in divisions:
        folded = _fold_division(division, reader)
        parts = [
            {id(record): None for record in part}.keys() for part in (*folded.groups.values(), folded.together) if part
        ]
        if any(_tells_of_few(one, other, person_of, reader) for one in parts for other in shown):
            folded = Division({}, folded=True)
        else:
            shown.extend(parts)
        found.append(folded)
    return found


def _fold_division(division: Division[R], reader: str) -> Division[R]:
    def people(names: Sequence[object]) -> int:
        return people_besides((record for name in names for record in division.groups[name]), reader)

    parts = fold(division.groups, people)
    return Division(
        {name: records for name, records in division.groups.items() if name in parts.shown},
        [record for name in parts.together for record in division.groups[name]],
        folded=len(parts.shown) < len(division.groups),
    )


def _tells_of_few(one: KeysView[int], other: KeysView[int], person_of: Mapping[int, str], reader: str) -> bool:
    """Return whether one of two figures contains the other, and the rest is about a few people.

    Figures are told by the ids of their records.
    """
    less, more = sorted((one, other), key=len)
    if len(less) == len(more) or not less <= more:
        return False
    return len({person_of[key] for key in more - less} - {"", reader}) < LEAST
