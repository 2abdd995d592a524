"""How sales orders are begun: a quotation in draft, with the API key of the person who begins it.

Docs: platform/erp/odoo.md#creating
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.erp.decider_keys import DeciderKeys
from bot.erp.errors import KEY_MISSING, KEY_REFUSED, AuthFailed, DeciderRefused
from bot.erp.model import DocumentDraft
from bot.erp.odoo.client import Account, OdooClient
from bot.erp.odoo.options import OdooOptions
from bot.erp.odoo.query import Condition
from bot.erp.values import text

_MODEL, _MARK = "sale.order", "client_order_ref"


class SalesOrderDrafts:
    """Writes them and finds them by their marks."""

    def __init__(self, client: OdooClient, options: OdooOptions, keys: DeciderKeys) -> None:
        self._client = client
        self._options = options
        self._keys = keys

    async def write(self, draft: DocumentDraft, customer: int, products: Sequence[int]) -> None:
        """Write a draft once, for a customer and products by their ids; raises `DeciderRefused` without a key.

        Unit and price are what Odoo fills in for the product, the customer and their price list.
        """
        account = await self._account_of(draft.by)
        # Odoo's quantities are floats, which hold fifteen digits exactly.
        lines = [
            [0, 0, {"product_id": product, "product_uom_qty": float(line.quantity)}]
            for product, line in zip(products, draft.lines, strict=True)
        ]
        values: dict[str, Any] = {"partner_id": customer, _MARK: draft.mark, "order_line": lines}
        if self._options.company is not None:
            values["company_id"] = self._options.company
        try:
            await self._client.call(_MODEL, "create", account=account, writes=True, vals_list=[values])
        except AuthFailed as error:
            raise DeciderRefused(KEY_REFUSED, source=self._client.source) from error

    async def numbers_marked(self, mark: str, company: Sequence[Condition]) -> Sequence[str]:
        """Return the numbers of the documents with a mark, the oldest first."""
        rows = await self._client.rows(_MODEL, [*company, [_MARK, "=", mark]], ("name",), order="id asc", limit=2)
        return [text(row.get("name")) for row in rows]

    async def _account_of(self, login: str) -> Account:
        """Return the account of a person: without a key of their own nothing is created in their name."""
        own = await self._keys.keys_of(self._client.source)
        key = own.get(login) or self._options.approvers.get(login)
        if key is None:
            raise DeciderRefused(KEY_MISSING, source=self._client.source)
        return Account(login, key)
