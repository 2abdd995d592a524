"""Groups of people that are too small to be shown singly, also where the difference of two figures would tell of them.

A figure about a few people tells of each of them. So a group with fewer than `LEAST` people besides the reader, who
knows their own figures, is folded into one group with others; so is a further one if these together are still too few,
since the total minus all that is shown would tell of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Generic, Protocol, TypeAlias, TypeVar

LEAST = 5
"""The people whom a figure has to be about, besides its reader."""
_MOST_TRIES = 300
"""Groups of a few people that are looked at for one division: some hundredths of a second."""


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

    @property
    def parts(self) -> tuple[Sequence[R], ...]:
        """The records of each group, then what is together, if anything is."""
        return (*self.groups.values(), *([self.together] if self.together else ()))


def fold_divisions(records: Sequence[R], divisions: Sequence[Division[R]], reader: str) -> list[Division[R]]:
    """Fold each division of the same records, so that no sums of figures differ by what a few people did.

    A division is left out whose figures would, together with those of the divisions before it. Nothing is shown if the
    records as a whole are about too few.
    """
    if people_besides(records, reader) < LEAST:
        return [Division({}, folded=True) for _ in divisions]
    figures_of = dict.fromkeys(map(id, records), 0)
    figures, found = count(), []
    for division in divisions:
        folded = _fold_division(division, reader)
        counted = dict(figures_of)
        for part in folded.parts:
            figure = 1 << next(figures)
            counted.update((id(record), counted[id(record)] | figure) for record in part)
        if _tells_of_few(_by_figures(records, counted, reader)):
            folded = Division({}, folded=True)
        else:
            figures_of = counted
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


_People: TypeAlias = frozenset[str]
_Atoms: TypeAlias = Mapping[int, _People]
"""The people of the records that count in the same figures; a bit stands for each figure."""


def _by_figures(records: Sequence[R], figures_of: Mapping[int, int], reader: str) -> _Atoms:
    people: dict[int, set[str]] = {}
    for record in records:
        people.setdefault(figures_of[id(record)], set()).add(record.person)
    return {figures: frozenset(some - {"", reader}) for figures, some in people.items()}


def _tells_of_few(atoms: _Atoms) -> bool:
    """Return whether figures can be added and subtracted until only the records of a few people are left.

    Such a sum is nothing without these people: so without them fewer figures are independent of each other. Of the most
    independent ones, one has to be theirs alone; so only such people are tried. Sums are looked at modulo two, which
    finds each but those that have to be halved. What takes too many tries is taken for telling.
    """
    whole = len(_independent(atoms))
    tried: set[_People] = set()

    def tell(few: _People) -> bool:
        tried.add(few)
        left = {figures: people for figures, people in atoms.items() if not people <= few}
        found = _independent(sorted(left, key=lambda figures: -len(left[figures])))
        if len(found) < whole or len(tried) > _MOST_TRIES:
            return True
        more = (few | left[figures] for figures in found)
        return any(tell(some) for some in more if len(some) < LEAST and some not in tried)

    return tell(frozenset())


def _independent(sums: Iterable[int]) -> list[int]:
    """Return those of some sums, as bits of their parts, that do not follow from the ones before them."""
    reduced: dict[int, int] = {}
    found = []
    for parts in sums:
        rest = parts
        while (highest := rest.bit_length()) in reduced:
            rest ^= reduced[highest]
        if rest:
            reduced[highest] = rest
            found.append(parts)
    return found
