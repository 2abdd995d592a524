"""Base class of adapters that read all kinds of documents with two methods.

A vendor implements `DocumentErp.read_document` and `DocumentErp.list_documents`. The checks that all vendors share are
here: kinds that are not offered and filters that a kind lacks are refused, impossible numbers are not looked up, and
malformed answers become `Invalid`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, ClassVar

from bot.erp.keys import checked_key
from bot.erp.listing import D, Listing
from bot.erp.model import Slice
from bot.erp.picked_lists import pick_from_lists
from bot.erp.port import UNCHANGING, ListQuery
from bot.erp.refusing import RefusingErp
from bot.erp.values import malformed_is_invalid

DocumentReader = Callable[[list[Any], bool], Awaitable[Sequence[Any]]]
"""Makes documents of a kind out of a vendor's rows, with their lines or without."""


def read_each(build: Callable[[Any, Any], Any], site: Any) -> DocumentReader:
    """Return the reader of documents that their rows tell whole; ``site`` is what they have in common."""

    async def read(rows: list[Any], with_lines: bool) -> Sequence[Any]:
        return [build(row, site) for row in rows]

    return read


class DocumentErp(RefusingErp):
    """Implements the port's reads for each kind of document among the capabilities; refuses every other call."""

    narrows_lists: ClassVar[bool] = False
    """Whether `list_documents` knows `ListQuery.partner` and what is `UNCHANGING`; else it is never asked for them."""

    async def read_document(self, kind: Listing[D], number: str) -> D:
        """Return one document with its lines; raises `NotFound`. Only called for offered kinds."""
        self._refuse(kind.capability)

    async def list_documents(self, kind: Listing[D], query: ListQuery) -> Slice[D]:
        """Return part of a list, without lines. Only called with filters that the kind has."""
        self._refuse(kind.capability)

    async def _ask_document(self, kind: Listing[D], number: str) -> D:
        self._check_offered(kind)
        with malformed_is_invalid(self.name):
            return await self.read_document(kind, checked_key(number, source=self.name))

    async def _ask_documents(self, kind: Listing[D], query: ListQuery) -> Slice[D]:
        self._check_offered(kind)
        kind.check_filter(query.filter, source=self.name)
        with malformed_is_invalid(self.name):
            if self.narrows_lists or not (query.partner or query.filter in UNCHANGING):
                return await self.list_documents(kind, query)
            return await pick_from_lists(kind, query, partial(self.list_documents, kind), source=self.name)

    def _check_offered(self, kind: Listing[D]) -> None:
        if kind.capability not in self.capabilities:
            self._refuse(kind.capability)
