"""A document without rules: what it means has to be written into it, or else it is an accident."""

from __future__ import annotations

from dataclasses import dataclass

from bot.rulefiles.document import RuleTable
from bot.rulefiles.values import read_flag
from bot.words.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True)
class NoRules:
    """The flag at the top of a document by which somebody says that it holds no rules, and what holds then."""

    word: str
    effect: Phrase

    def is_chosen(self, document: RuleTable) -> bool:
        """Return whether the document says so. One that says nothing at all is an error: it was emptied, or is only
        half written.
        """
        chosen = document.take(self.word, read_flag, False)
        self.refuse_blank(document)
        return chosen

    def refuse_blank(self, document: RuleTable) -> None:
        """Add an error to a document that says nothing."""
        if document.is_blank:
            document.miss(phrase("there are no rules in it; %(remedy)s", remedy=self.remedy))

    @property
    def remedy(self) -> Phrase:
        """What to write."""
        return phrase("write some, or %(word)s = true if %(effect)s", word=self.word, effect=self.effect)
