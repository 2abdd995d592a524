"""The names that everything in force uses, checked anew when the bot has learnt more of what there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from bot.words.names import KnownNames, NameFacts, NameProblem, NameReference, check_names
from bot.words.phrase import Words


class NamesInForce:
    """Each doubt is told once. Files are read in threads: what they see here never changes while they do."""

    def __init__(self, known: KnownNames, tell: Callable[[Words], object]) -> None:
        """``tell`` is given what can be obeyed but is probably a mistake."""
        self._known = known
        self._pass_on = tell
        self._used: dict[str, tuple[NameReference, ...]] = {}
        self._told: set[str] = set()

    @property
    def known(self) -> KnownNames:
        """What names may lead to, as far as it is known now."""
        return self._known

    @property
    def references(self) -> tuple[NameReference, ...]:
        """Every name in force."""
        return tuple(each for used in [*self._used.values()] for each in used)

    @property
    def problems(self) -> tuple[NameProblem, ...]:
        """What is wrong or doubtful about them now."""
        return check_names(self.references, self._known)

    def use(self, part: str, references: Iterable[NameReference]) -> None:
        """Take the names of a part in place of those that it used before."""
        self._used[part] = tuple(references)

    def learn(self, facts: NameFacts) -> None:
        """Check all names by what the bot has seen meanwhile."""
        self._known = replace(self._known, facts=facts)
        for problem in self.problems:
            self.tell(problem.words)

    def tell(self, doubt: Words) -> None:
        """Tell of a doubt that was not told yet."""
        if str(doubt) not in self._told:
            self._told.add(str(doubt))
            self._pass_on(doubt)
