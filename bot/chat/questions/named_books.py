"""The books named in a line: ``@berlin`` is a source, if there are several."""

from __future__ import annotations

from dataclasses import replace

from bot.cards.actions import Ask
from bot.cards.view import ListView, View
from bot.chat.arguments import InnerLine, Signature, shortened
from bot.chat.errors import BadArgument
from bot.chat.parsing import in_books, marked, quote, split
from bot.erp.books import ALL_BOOKS, MARK, Books
from bot.erp.hub import ErpHub
from bot.words.disclosure import HIDDEN
from bot.words.phrase import Phrase, phrase


def reads_books(signature: Signature) -> bool:
    """Return whether a command's own line may name books; a command with an inner line leaves that to it."""
    return not any(issubclass(parameter.type, InnerLine) for parameter in signature.parameters)


def take_books(rest: str, hub: ErpHub, signature: Signature, *, remarks: bool, mentions: bool) -> tuple[str, Books]:
    """Return a command's arguments without the books they name, and these books.

    A full name means a source first, then the command's own marked argument, such as a warehouse; a partial name means
    a source only if the command has no marked argument. With ``remarks`` only the word after the first names books:
    further ones may be a person's own words. Raises `BadArgument` if a name matches several, or nothing at all unless
    ``mentions`` are allowed.
    """
    known = hub.book_names
    kept: list[str] = []
    books = ALL_BOOKS
    for word in split(rest):
        name = word.removeprefix(MARK)
        if not word.startswith(MARK) or not name or (remarks and len(kept) != 1):
            kept.append(word)
            continue
        found = hub.books_named(name, whole=_marks_words(signature))
        if len(found) > 1:
            raise BadArgument(
                phrase(
                    "“%(word)s” may be several: %(names)s. Write more of the name.",
                    word=shortened(word),
                    names=tuple(MARK + each for one in found for each in one.names),
                )
            )
        if not found:
            if known and not (remarks or mentions or _marks_words(signature)):
                raise BadArgument(_unknown(word, known))
            kept.append(word)
            continue
        if books and books not in found:
            raise BadArgument(
                phrase("A line is about one company or about all: %(names)s.", names=(MARK + books.source, word))
            )
        (books,) = found
    return (" ".join(map(quote, kept)) if books else rest), books


def _marks_words(signature: Signature) -> bool:
    return any(parameter.prefix == MARK for parameter in signature.parameters)


def _unknown(word: str, known: tuple[str, ...]) -> Phrase:
    return phrase(
        "“%(word)s” is no company here. There are: %(names)s.",
        word=shortened(word),
        names=tuple(MARK + name for name in known),
    )


def within_books(answer: View | Ask, books: Books) -> View | Ask:
    """Return an answer about some books with all its links restricted to them, too."""
    if not books:
        return answer
    if isinstance(answer, Ask):
        return replace(answer, line=in_books(answer.line, books.names))
    if isinstance(answer, ListView) and answer.line is not HIDDEN:
        answer = replace(answer, line=in_books(answer.line, books.names))
    return answer if answer.books else replace(answer, books=marked(books.names))
