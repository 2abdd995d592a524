"""Whether a plan can be completed at all, by people of whom none agrees twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.approvals.ruling import Level, Need


def blocked_level(levels: Sequence[Level], able: Mapping[int, Collection[str]]) -> int:
    """Return the number of the first level that cannot be passed, whoever agrees before; 0 if all can be.

    ``able`` holds for each level's number who of its approvers could agree.
    """
    for count, level in enumerate(levels, 1):
        if not _can_pass(levels[:count], able):
            return level.number
    return 0


def _can_pass(levels: Sequence[Level], able: Mapping[int, Collection[str]]) -> bool:
    bound: set[str] = set()
    for level in levels:
        if level.need is Need.ALL:
            everybody = set(level.approvers)
            if not everybody or everybody & bound or not everybody <= set(able[level.number]):
                return False
            bound |= everybody
    taken: dict[str, int] = {}
    choices = {level.number: set(able[level.number]) - bound for level in levels if level.need is Need.ANY}
    return all(_find(number, choices, taken, set()) for number in choices)


def _find(number: int, choices: Mapping[int, Collection[str]], taken: dict[str, int], tried: set[str]) -> bool:
    """Find somebody for a level; who stands at another one makes room if that one has somebody else."""
    for person in choices[number]:
        if person in tried:
            continue
        tried.add(person)
        if person not in taken or _find(taken[person], choices, taken, tried):
            taken[person] = number
            return True
    return False
