"""Lists of the documents that have a line of one product: each source is asked by its own code of the product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.erp.answer import Answer, SourceAnswer
from bot.erp.errors import NotFound, NotListedByProduct
from bot.erp.listing import D, Listing
from bot.erp.merging import ProductCodes
from bot.erp.model import Slice
from bot.erp.multi_source import AskSource, MultiSource
from bot.erp.narrowed_lists import NarrowedLists
from bot.erp.port import Erp, ListQuery
from bot.phrase import phrase

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HoldingLists:
    """Reads such lists for one reader; ``narrowed`` leaves out what they may not see, where that is anything."""

    read_source: AskSource
    codes: ProductCodes
    several: MultiSource
    narrowed: NarrowedLists | None

    async def read(self, sources: Sequence[Erp], kind: Listing[D], query: ListQuery) -> Answer[Slice[D]] | None:
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

        async def ask(source: Erp, kind: Listing[D], query: ListQuery) -> SourceAnswer[Slice[D]] | NotFound:
            own = replace(query, product=theirs[source.name])
            if self.narrowed is not None:
                return await self.narrowed.read(source, kind, own)
            return await self.read_source(source, kind.list_call, (own,), lambda erp: kind.read_list(erp, own))

        asked = [source for source in able if source.name in theirs]
        found: Answer[Slice[D]] = await self.several.documents(asked, kind, query, ask)
        return _with_notes(found, [source.name for source in sources if kind.by_product not in source.capabilities])


def _with_notes(found: Answer[T], unasked: Sequence[str]) -> Answer[T]:
    notes = (
        phrase("%(source)s can't be asked which of these documents have a product.", source=source)
        for source in unasked
    )
    return replace(found, notes=(*found.notes, *notes))
