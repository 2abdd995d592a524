"""Finds the document that a number names, whichever of several kinds it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from bot.cards.notices import Suggestion
from bot.chat.parsing import command_line
from bot.chat.records.lookup import SEARCH_LIMIT, find_closest, read_as_spelled
from bot.erp.answer import Answer
from bot.erp.errors import NotFound, NotPermitted, Unsupported
from bot.erp.hub import ErpHub
from bot.erp.kinds import Kind
from bot.erp.port import ListQuery

_NOT_THERE = (NotFound, NotPermitted, Unsupported)


async def find_numbered(text: str, kinds: Sequence[Kind[Any]], erp: ErpHub) -> Answer[Any] | None:
    """Return the first document with this number, those kinds first that begin numbers so; None for none."""
    begun = text.casefold()
    for kind in sorted(kinds, key=lambda kind: not begun.startswith(kind.words.prefixes or ("\0",))):
        if (found := await read_as_spelled(text, partial(erp.document, kind), missing=_NOT_THERE)) is not None:
            return found
    return None


async def closest_numbers(text: str, command: str, kinds: Sequence[Kind[Any]], erp: ErpHub) -> tuple[Suggestion, ...]:
    """Return the lines that ask ``command`` about the numbers most like one that nothing has."""

    async def search(part: str) -> list[str]:
        able = [kind for kind in kinds if erp.offers(kind.capability)]
        found = [await erp.documents(kind, ListQuery(text=part, limit=SEARCH_LIMIT)) for kind in able]
        return [each.number for answer in found for each in answer.value.items if part in each.number]

    return tuple(Suggestion(command_line(command, each), each) for each in await find_closest(text, search))
