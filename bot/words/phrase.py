"""Text for people before a language is chosen.

A phrase is an English message id of the catalogues in ``templates/locales`` with its parameters. Code that knows the
reader's language renders it (`bot.cards.language.Language.say`); other code does not, so errors, buttons and refusals
can be created far from any reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from types import MappingProxyType
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Phrase:
    """One message id with its parameters; ``%(name)s`` in the id stands for ``params["name"]``.

    A tuple as a parameter is a list of words, joined by each language's own separator.
    """

    msgid: str
    params: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        """Return the English text: for logs and for developers, not for cards."""
        return self.msgid % {name: _plain(value) for name, value in self.params.items()} if self.params else self.msgid


Words: TypeAlias = Phrase | str
"""A text for people: a phrase, or a text that is the same in every language."""

Say: TypeAlias = Callable[[Words], str]
"""Tells words in one language; ``str`` tells them in English."""


def _plain(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value


def phrase(msgid: str, /, **params: object) -> Phrase:
    """Create a phrase; the catalogue tools collect message ids from calls to this name."""
    return Phrase(msgid, MappingProxyType(dict(params)))


def join_words(several: Iterable[Words]) -> Words:
    """Return one or more words as one text, separated by semicolons."""
    return reduce(lambda before, after: phrase("%(before)s; %(after)s", before=before, after=after), several)


def reason_of(error: ValueError) -> Words:
    """Return why a value is wrong: the phrase of our own readers, or the message of other libraries."""
    reason = error.args[0] if error.args else ""
    return reason if isinstance(reason, Phrase) else str(error)


def pack_words(words: Words) -> object:
    """Return words in JSON form, to be translated later; nested phrases stay phrases."""
    return _pack(words)


def unpack_words(stored: object) -> Words:
    """Return the words packed by `pack_words`; raises `ValueError` for anything else."""
    words = _unpack(stored)
    try:
        str(words)
    except (KeyError, TypeError, ValueError) as problem:
        raise ValueError("a phrase without one of its values") from problem
    if not isinstance(words, Phrase | str):
        raise ValueError("no words")
    return words


def _pack(value: object) -> object:
    match value:
        case Phrase():
            return {"id": value.msgid, "values": {name: _pack(each) for name, each in value.params.items()}}
        case tuple():
            return list(map(_pack, value))
        case int():
            return value
        case _:
            return str(value)


def _unpack(stored: object) -> object:
    match stored:
        case {"id": str(msgid), "values": dict(values)}:
            return Phrase(msgid, MappingProxyType({str(name): _unpack(each) for name, each in values.items()}))
        case list():
            return tuple(map(_unpack, stored))
        case str() | int():
            return stored
        case _:
            raise ValueError("no words")
