"""The port for answering a question, and its result: a view with the rights it was found with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from bot.access.areas import EVERY_AREA
from bot.access.grants import NO_GRANT, Grant, Scope
from bot.cards.view import Button, View
from bot.chat.arguments import shortened
from bot.chat.context import QuestionContext
from bot.chat.message import Message
from bot.words.phrase import Phrase, phrase

_MOST_WORDS = 4
"""Omitted words named on a card, whose tips are short."""


NO_DOCUMENTS: Mapping[str, tuple[Scope, ...]] = MappingProxyType(dict.fromkeys(EVERY_AREA, ()))
"""The reach of answers about no documents: hints and refusals. Names on them are of any area."""


@dataclass(frozen=True, slots=True)
class PreparedAnswer:
    """A view, what the asker may see of it, and bounded metric labels.

    Without a ``grant`` no field with a class is visible. ``rule`` names the deciding rule, for the audit log.
    """

    view: View
    command: str
    outcome: str
    grant: Grant = NO_GRANT
    rule: str = ""
    reach: Mapping[str, tuple[Scope, ...]] = field(default_factory=lambda: NO_DOCUMENTS)
    """The documents it may contain, by the command that also shows them; empty for an answer about none."""
    decides: bool = False
    """Whether it announces a decision: two such answers would look like two decisions."""
    changes: bool = False
    """Whether its line changes something: the result is reported in any case."""
    general: str = ""
    """The line in a form that many may ask, such as ``/chart ageing``; empty if it names or numbers anything."""
    read_as: str = ""
    """The line that a sentence was read as; empty for a typed command."""
    by_model: bool = False
    """Whether a language model read it so."""
    change: str = ""
    """The line to send for the change a sentence asks for: a sentence changes nothing."""
    wants_erp: bool = False
    """Whether it asks for a change that only the ERP makes."""
    unknown: tuple[str, ...] = ()
    """Unknown names in a sentence: the answer is about the others."""
    unheld: tuple[str, ...] = ()
    """Other parts of a sentence that its line cannot hold: the answer covers more than was asked."""
    tries: tuple[Button, ...] = ()
    """Suggestions for a newcomer."""
    guessed: str = ""
    """The number of a document not found, if the rules hide some documents from the asker."""
    is_told_already: bool = False
    """The asker was told the same a moment ago: a message gets no answer, which would cost a call."""
    provisional: bool = False
    """The answer only waits for DingTalk: it is found again before it is sent again."""

    @property
    def reading(self) -> Phrase | None:
        """The card's remark on how a sentence was read and what the answer leaves out; None for a typed command."""
        said = self._line_read
        if self.unknown:
            unknown = phrase(
                "Not known here: %(words)s (/find searches the ERP for names)", words=_quoted(self.unknown)
            )
            said = _and_then(said, unknown)
        if self.unheld:
            said = _and_then(said, phrase("Not taken into account: %(words)s", words=_quoted(self.unheld)))
        return said

    @property
    def _line_read(self) -> Phrase | None:
        if not self.read_as:
            return None
        if self.by_model:
            return phrase("A language model read this as %(line)s", line=self.read_as)
        if self.change:
            return phrase(
                "Read as %(line)s. A sentence changes nothing: send %(wish)s", line=self.read_as, wish=self.change
            )
        if self.wants_erp:
            return phrase("Read as %(line)s. I change nothing there: please do it in the ERP", line=self.read_as)
        return phrase("Read as %(line)s", line=self.read_as)


def _and_then(said: Phrase | None, more: Phrase) -> Phrase:
    return phrase("%(said)s. %(more)s", said=said, more=more) if said else more


def _quoted(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"“{shortened(word)}”" for word in words[:_MOST_WORDS])


class QuestionHandler(Protocol):
    """Finds the view for a question; failures are views too."""

    async def view_for(self, context: QuestionContext) -> PreparedAnswer:
        """Answer a typed line, or a button's."""
        ...

    def hint_for(self, message: Message) -> PreparedAnswer | None:
        """Return the answer to a message that cannot hold a question; None when it can."""
        ...
