"""Lists of documents for one reader.

Of a reader who may see some documents only they are read page by page, since an ERP cannot count those. For the
documents that have a line of one product, each source is asked by its own code of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from bot.erp.answer import Answer, SourceAnswer
from bot.erp.errors import NotFound, NotListedByProduct
from bot.erp.kinds import D, Kind
from bot.erp.merging import ProductCodes
from bot.erp.model import Slice
from bot.erp.multi_source import AskSource, MultiSource
from bot.erp.port import Erp, ListQuery
from bot.words.phrase import Phrase, phrase

PAGE, MAX_PAGES = 100, 5
"""Documents that are read at a time, and how often for one list of one source."""

PART_ONLY = phrase("Only part of a long list was searched: there may be more.")
"""What an answer notes whose total is not that of the whole list."""

Finds = Callable[[Any, ListQuery, str], bool]
"""Returns whether a list may show a document of a source."""


class NarrowedLists:
    """Reads the lists of sources and leaves out what the reader may not see."""

    def __init__(self, read_source: AskSource, finds: Finds, *, text: str = "") -> None:
        """``text`` is what all visible documents hold: ERPs narrow lists by it that are not searched anyway."""
        self._read_source = read_source
        self._finds = finds
        self._text = text

    async def read(self, source: Erp, kind: Kind[D], query: ListQuery) -> SourceAnswer[Slice[D]] | NotFound:
        """Return a part of the visible documents of a source, and how many there are among those that were read."""
        visible: list[D] = []
        told: SourceAnswer[Slice[D]] | None = None
        page = replace(query, offset=0, limit=PAGE, text=query.text or self._text)
        for number in range(MAX_PAGES):
            page = replace(page, offset=number * PAGE)
            answer = await self._read_source(source, kind.list_call, (page,), partial(_read_list, kind, page))
            if isinstance(answer, NotFound) or answer.value is None:
                if told is None:
                    return answer
                break
            visible += [each for each in answer.value.items if self._finds(each, query, source.name)]
            told = told if told is not None and answer.fresh else answer
            if not answer.value.items or page.offset + len(answer.value.items) >= answer.value.total:
                return _part(told, visible, query)
        assert told is not None
        return _part(told, visible, query, PART_ONLY)


def _read_list(kind: Kind[D], query: ListQuery, erp: Erp) -> Awaitable[Slice[D]]:
    return erp.documents(kind, query)


def _part(
    answer: SourceAnswer[Slice[D]], visible: Sequence[D], query: ListQuery, *notes: Phrase
) -> SourceAnswer[Slice[D]]:
    items = tuple(visible[query.offset : query.offset + query.limit])
    return replace(answer, value=Slice(items=items, total=len(visible)), notes=(*answer.notes, *notes))


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListsByProduct:
    """Reads such lists for one reader; ``narrowed`` leaves out what they may not see, where that is anything."""

    read_source: AskSource
    codes: ProductCodes
    several: MultiSource
    narrowed: NarrowedLists | None

    async def read(self, sources: Sequence[Erp], kind: Kind[D], query: ListQuery) -> Answer[Slice[D]] | None:
        """Return a page of the documents of all sources, and which of these can't be asked; None where none has it.

        Raises `NotListedByProduct` where none of them can be asked.
        """
        able = [source for source in sources if kind.by_product in source.capabilities]
        if sources and not able:
            raise NotListedByProduct(f"no {kind.list_call} of a product", source=sources[0].name)
        ours = self.codes.resolve(query.product)
        theirs = {source.name: code for source in able if (code := self.codes.to_source(ours, source.name))}
        if not theirs:
            return None

        async def ask(source: Erp, kind: Kind[D], query: ListQuery) -> SourceAnswer[Slice[D]] | NotFound:
            own = replace(query, product=theirs[source.name])
            if self.narrowed is not None:
                return await self.narrowed.read(source, kind, own)
            return await self.read_source(source, kind.list_call, (own,), lambda erp: erp.documents(kind, own))

        asked = [source for source in able if source.name in theirs]
        found: Answer[Slice[D]] = await self.several.documents(asked, kind, query, ask)
        return _with_notes(found, [source.name for source in sources if kind.by_product not in source.capabilities])


def _with_notes(found: Answer[T], unasked: Sequence[str]) -> Answer[T]:
    notes = (
        phrase("%(source)s can't be asked which of these documents have a product.", source=source)
        for source in unasked
    )
    return replace(found, notes=(*found.notes, *notes))
