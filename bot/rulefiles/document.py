"""From the bytes of a document to what its reader makes of them, or to every error with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import TypeVar

from bot.rulefiles.positions import find_positions
from bot.rulefiles.table import Errors, Table
from bot.rulefiles.wrong import RulesError, Wrong

T = TypeVar("T")

MAX_BYTES = 1_000_000
_AT = re.compile(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", re.S)


def read_document(content: bytes, read: Callable[[Table], T], *, name: str) -> T:
    """Return what ``read`` makes of the document; ``name`` is what errors call it.

    Raises `RulesError` with all that is wrong.
    """
    text = _decode(content, name)
    try:
        document = Table(_parse(text, name), (), Errors(find_positions(text)))
        found = read(document)
    except RecursionError:
        raise RulesError(name, (Wrong(1, "brackets lie too deep in each other"),)) from None
    if document.errors.found:
        raise RulesError(name, document.errors.found)
    return found


def _decode(content: bytes, name: str) -> str:
    if len(content) > MAX_BYTES:
        raise RulesError(name, (Wrong(1, f"{len(content)} bytes are more than the {MAX_BYTES} that rules may have"),))
    try:
        # Windows' editor puts a mark in front that is no text.
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RulesError(name, (Wrong(line, "no UTF-8; save the file in that encoding"),)) from None


def _parse(text: str, name: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # besides TOML's own, that of a number with thousands of digits
        match = _AT.fullmatch(str(error))
        last = text.count("\n") + 1
        if match is None:
            raise RulesError(name, (Wrong(1, f"no TOML: {str(error)[:200]}"),)) from None
        line, column = (int(match[2]), f", column {match[3]}") if match[2] else (last, "")
        reason = f'no TOML{column}: {match[1][:200]}; texts stand in quotes, an example is name = "finance"'
        raise RulesError(name, (Wrong(line, reason),)) from None
