"""The base of adapters: documents of all kinds by two methods.

A vendor says how a document and a list are read (`DocumentErp.read_document`, `DocumentErp.list_documents`). What holds
for every vendor happens here: a kind that is not offered is refused, as is a filter that a kind does not have; a number
that cannot exist is not asked for; an answer that cannot be read becomes `Invalid`.
"""

from __future__ import annotations

from bot.erp.keys import checked_key
from bot.erp.listing import D, Listing
from bot.erp.model import Slice
from bot.erp.port import ListQuery
from bot.erp.refusing import RefusingErp
from bot.erp.values import malformed_is_invalid


class DocumentErp(RefusingErp):
    """Answers for each kind of document among the capabilities; refuses the others, and every other call."""

    async def read_document(self, kind: Listing[D], number: str) -> D:
        """Return one document with its lines; raises `NotFound`. Called for the kinds that are offered."""
        self._refuse(kind.capability)

    async def list_documents(self, kind: Listing[D], query: ListQuery) -> Slice[D]:
        """Return part of a list, without lines. Called with the filters that the kind has."""
        self._refuse(kind.capability)

    async def _ask_document(self, kind: Listing[D], number: str) -> D:
        self._check_offered(kind)
        with malformed_is_invalid(self.name):
            return await self.read_document(kind, checked_key(number, source=self.name))

    async def _ask_documents(self, kind: Listing[D], query: ListQuery) -> Slice[D]:
        self._check_offered(kind)
        kind.check_filter(query.filter, source=self.name)
        with malformed_is_invalid(self.name):
            return await self.list_documents(kind, query)

    def _check_offered(self, kind: Listing[D]) -> None:
        if kind.capability not in self.capabilities:
            self._refuse(kind.capability)
