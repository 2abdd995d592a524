"""Words for people, before a language is chosen.

A phrase is an English message id of the catalogues in ``templates/locales`` with its parameters.
Code that knows the reader's language turns it into text (`bot.cards.language.Language.say`); other code does not,
so that errors, buttons and refusals can be made far away from any reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Phrase:
    """One message id with its parameters; ``%(name)s`` in the id stands for ``params["name"]``.

    A parameter that is a tuple is a list of words: each language has its own sign between them.
    """

    msgid: str
    params: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        """Return the English text: for logs and for developers, not for cards."""
        return self.msgid % {name: _plain(value) for name, value in self.params.items()} if self.params else self.msgid


def _plain(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value


def phrase(msgid: str, /, **params: object) -> Phrase:
    """Make a phrase; the catalogue tools collect message ids from calls of this name."""
    return Phrase(msgid, MappingProxyType(dict(params)))
