"""Lists in parts: a cursor goes on after the last documents that were told, also where others came before them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from http import HTTPStatus
from typing import Any, TypeAlias

import orjson
from pydantic import Field

from bot.cards.view import ListView
from bot.chat.answers.page_answers import CutAnswer
from bot.web.api.problems import ApiProblem, WrongPart
from bot.web.api.routes import ApiRequest, RequestModel
from bot.words.disclosure import HIDDEN
from bot.words.phrase import phrase

DEFAULT_ROWS, MOST_ROWS = 50, 100
_REMEMBERED = 3
"""Documents that a cursor remembers: the last may have left the list, such as one that is not open any more."""
_WINDOW = 200
"""Rows that are looked through, around where the last document should be."""
DEEPEST = 100_000


class PartRequest(RequestModel):
    """What every list takes: how much of it, and from where on."""

    limit: int = Field(DEFAULT_ROWS, ge=1, le=MOST_ROWS, description="Rows of one answer.", examples=[50])
    cursor: str = Field(
        "", max_length=1_000, description="What `next` of the answer before said: goes on after it.", examples=[""]
    )


WRONG_CURSOR = phrase("This is no cursor of this list: take `next` of an answer to the same filters.")
MOVED = phrase("The documents that were told last are not on the list any more. Begin again without a cursor.")


@dataclass(frozen=True, slots=True)
class PartOfList:
    """A part of a list; ``following`` is the cursor of the next one, None at the end."""

    view: ListView
    following: str | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a list was left: how many documents were told, of how many, and the ``last`` ones, the newest first."""

    line: str
    """The beginning of the hash of its line."""
    told: int
    total: int
    last: tuple[tuple[str, ...], ...]

    def write(self) -> str:
        """Return it as programs send it back."""
        content = orjson.dumps([self.line, self.told, self.total, self.last])
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, line: str) -> Cursor:
        """Return what was sent back, for a line. Raises `ApiProblem`."""
        try:
            content = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            match content:
                case [str(own), int(told), int(total), list(last)] if own == _digest(line):
                    names = tuple(tuple(map(str, each)) for each in last if isinstance(each, list))
                    if names and len(names) <= _REMEMBERED and 0 < told <= DEEPEST and 0 < total <= 10 * DEEPEST:
                        return cls(own, told, total, names)
        except (binascii.Error, ValueError):
            pass
        wrong = WrongPart(parameter="cursor", detail=WRONG_CURSOR, example="")
        raise ApiProblem(HTTPStatus.UNPROCESSABLE_ENTITY, WRONG_CURSOR, errors=[wrong])


NameOf: TypeAlias = Callable[[Any], tuple[str, ...]]
"""Returns what tells a row from the others of its list."""


async def read_page(
    asked: ApiRequest, line: str, check: Callable[[CutAnswer], ListView], name_of: NameOf
) -> PartOfList:
    """Return the part of a line's list that a request asks for; ``check`` returns the list of an answer, or raises."""
    size: int = asked.values.limit

    async def look(offset: int, rows: int) -> ListView:
        return check(await asked.look_up(line, offset=offset, rows=rows))

    if not asked.values.cursor:
        view = await look(0, size)
        return _page(view, line, 0, size, name_of, told=0)
    cursor = Cursor.read(asked.values.cursor, line)
    place = cursor.told - 1
    view = await look(place, size + 1)
    if _known(view) and (found := _found(view, cursor.last[:1], name_of)) is None:
        # What came or went since has probably come or gone before it, as lists begin with the newest.
        place = max(0, min(place + view.total - cursor.total, view.total - 1))
        view = await look(place, size + 1)
        if _found(view, cursor.last[:1], name_of) is None:
            view = await look(max(0, place - _WINDOW // 2), _WINDOW + size)
            found = _found(view, cursor.last, name_of)
            if found is None:
                raise ApiProblem(HTTPStatus.GONE, MOVED)
            view = await look(view.offset + found, size + 1)
    if not _known(view):
        return PartOfList(view, None)
    found = _found(view, cursor.last, name_of)
    if found is None:
        raise ApiProblem(HTTPStatus.GONE, MOVED)
    return _page(view, line, found + 1, size, name_of, told=view.offset + found + 1)


def _known(view: ListView) -> bool:
    """Return whether a list shows its documents: to who may not see what they were chosen by it shows none."""
    return view.rows is not HIDDEN and view.total is not HIDDEN


def _page(view: ListView, line: str, first: int, size: int, name_of: NameOf, *, told: int) -> PartOfList:
    if not _known(view):
        return PartOfList(view, None)
    rows = view.rows[first : first + size]
    shown = replace(view, rows=rows, offset=told)
    if not rows or told + len(rows) >= view.total:
        return PartOfList(shown, None)
    last = tuple(map(name_of, reversed(view.rows[: first + size][-_REMEMBERED:])))
    return PartOfList(shown, Cursor(_digest(line), told + len(rows), view.total, last).write())


def _found(view: ListView, names: Sequence[tuple[str, ...]], name_of: NameOf) -> int | None:
    """Return the place of the first of these documents that is among the rows."""
    places = {name_of(row): place for place, row in enumerate(view.rows)}
    return next((places[name] for name in names if name in places), None)


def _digest(line: str) -> str:
    return sha256(line.encode()).hexdigest()[:16]
