"""From a language model's answer to a line that may run: everything checkable is checked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.chat.arguments import Keyword, Signature
from bot.chat.errors import BadArgument
from bot.chat.parsing import MAX_LINE_BYTES, normalise, split
from bot.chat.registry import Commands
from bot.understanding.vocabulary import spelled

_JOINERS = "-_./#"
"""Signs inside of codes: 1001 is a part of PO-1001 and no word of its own."""
_BEFORE = rf"(?<![a-z0-9])(?<![a-z0-9][{_JOINERS}])"
_AFTER = rf"(?![a-z0-9]|[{_JOINERS}][a-z0-9])"


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    line: str


def read_answer(text: str) -> str | None:
    """Return the line in a JSON answer, empty if no command fits; None if it breaks the format."""
    try:
        return _Answer.model_validate_json(text).line
    except ValidationError:
        return None


def check_line(line: str, sentence: str, commands: Commands, readable: Collection[str]) -> str | None:
    """Return a line that may run, normalised; None for any other.

    It must name one of the read-only commands ``readable``, with arguments that this command accepts. The model may
    choose keywords; every other word must occur in ``sentence``, and no code may be cut out of a longer one.
    """
    text = normalise(line)
    parsed = commands.parse(text)
    name = parsed.command
    if name is None or name not in readable or not text.startswith("/") or parsed.offset:
        return None
    if not commands.only_asks(text) or len(text.encode()) > MAX_LINE_BYTES:
        return None
    try:
        words = list(_typed_words(commands[name].signature, parsed.rest))
    except BadArgument:
        return None
    if any(word.startswith("/") for word in words):
        return None  # a second command
    said = normalise(sentence).casefold()
    return f"/{name} {parsed.rest}".strip() if all(_stands_in(word, said) for word in words) else None


def _typed_words(signature: Signature, rest: str) -> Iterator[str]:
    positional, named = signature.parse(rest)
    for value in (*positional, *named.values()):
        if isinstance(value, str) and not isinstance(value, Keyword):
            yield from split(value)


def _stands_in(word: str, sentence: str) -> bool:
    signs = spelled(word)
    if not signs:
        return False
    before = _BEFORE if signs[0].isascii() else ""
    after = _AFTER if signs[-1].isascii() else ""
    return re.search(before + r"[\W_]*".join(map(re.escape, signs)) + after, sentence) is not None
