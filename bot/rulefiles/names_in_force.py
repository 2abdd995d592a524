"""The names used by everything in force, checked again when the bot learns of new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from bot.words.names import KnownNames, NameFacts, NameProblem, NameReference, check_names
from bot.words.phrase import Words


class NamesInForce:
    """Each doubt is reported once. Files are read in threads: the data they see here never changes meanwhile."""

    def __init__(self, known: KnownNames, tell: Callable[[Words], object]) -> None:
        """``tell`` receives probable mistakes that still work."""
        self._known = known
        self._pass_on = tell
        self._used: dict[str, tuple[NameReference, ...]] = {}
        self._told: set[str] = set()
        self._unseen: set[str] = set()

    @property
    def known(self) -> KnownNames:
        """The names known so far."""
        return self._known

    @property
    def references(self) -> tuple[NameReference, ...]:
        """Every name in force."""
        return tuple(each for used in [*self._used.values()] for each in used)

    @property
    def problems(self) -> tuple[NameProblem, ...]:
        """The names that are currently wrong or doubtful."""
        return check_names(self.references, self._known)

    def use(self, part: str, references: Iterable[NameReference]) -> None:
        """Replace the names used by a part."""
        self._used[part] = tuple(references)

    def learn(self, facts: NameFacts) -> None:
        """Check all names against the bot's new data.

        Names that were not seen yet are reported when the next look does not find them either: at the first start
        the directory is still being read.
        """
        self._known = replace(self._known, facts=facts)
        problems = self.problems
        for problem in problems:
            if not problem.is_unseen or str(problem) in self._unseen:
                self.tell(problem.words)
        self._unseen = {str(problem) for problem in problems if problem.is_unseen}

    def tell(self, doubt: Words) -> None:
        """Report a doubt unless it was reported before."""
        if str(doubt) not in self._told:
            self._told.add(str(doubt))
            self._pass_on(doubt)
