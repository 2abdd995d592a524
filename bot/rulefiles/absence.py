"""Documents without rules: the intention must be stated, otherwise it counts as an accident."""

from __future__ import annotations

from dataclasses import dataclass

from bot.rulefiles.document import RuleTable
from bot.rulefiles.values import read_flag
from bot.words.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True)
class NoRules:
    """The flag at the top of a document that declares it to have no rules, and the resulting behaviour."""

    word: str
    effect: Phrase

    def is_chosen(self, document: RuleTable) -> bool:
        """Return whether the document sets the flag. A document without any content is an error: it was emptied, or is
        half written.
        """
        chosen = document.take(self.word, read_flag, False)
        self.refuse_blank(document)
        return chosen

    def refuse_blank(self, document: RuleTable) -> None:
        """Add an error to a document without content."""
        if document.is_blank:
            document.miss(phrase("there are no rules in it; %(remedy)s", remedy=self.remedy))

    @property
    def remedy(self) -> Phrase:
        """Return what to write instead."""
        return phrase("write some, or %(word)s = true if %(effect)s", word=self.word, effect=self.effect)
