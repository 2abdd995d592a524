"""Approves and rejects purchase orders, each person with their own API key (docs: platform/erp/odoo.md#deciding)."""

from __future__ import annotations

import html
from typing import Any

from bot.erp.decider_keys import DeciderKeys
from bot.erp.errors import KEY_MISSING, KEY_REFUSED, AuthFailed, Conflict, DeciderRefused, Unavailable, UnknownOutcome
from bot.erp.model import Decision, PurchaseOrder, Verdict
from bot.erp.odoo.client import Account, OdooClient
from bot.erp.odoo.options import OdooOptions
from bot.erp.odoo.purchases import PURCHASE_ORDERS, version

_PLAIN_BODIES = (17, 0)
"""From 17 on, the body of a message is plain text; before, it was HTML."""


class PurchaseApprovals:
    """Approves with ``button_approve``; rejects with a message and ``button_cancel``."""

    def __init__(self, client: OdooClient, options: OdooOptions, keys: DeciderKeys) -> None:
        self._client = client
        self._options = options
        self._keys = keys

    async def write(self, order: PurchaseOrder, decision: Decision) -> str:
        """Send a decision once; raises the errors that `bot.erp.deciding` expects from a write."""
        account = await self._account_of(decision.by)
        message = decision.reason if decision.verdict is Verdict.REJECT else ""
        if decision.by != account.login:
            # Odoo records the bot's account, so the message names the person.
            message = ": ".join(filter(None, (decision.by, str(decision.verdict), decision.reason)))
        if message:
            await self._post(order, message, account)
            # The buttons accept an order in any state, so check it again right before.
            await self._compare(order)
        button = "button_approve" if decision.verdict is Verdict.APPROVE else "button_cancel"
        await self._act(order, button, account)
        # Odoo answers the same whether the button had an effect or not, without any text.
        return ""

    async def _account_of(self, login: str) -> Account:
        """Return the account that decides; Odoo records the owner of the key as the person who decided."""
        own = await self._keys.keys_of(self._client.source)
        key = own.get(login) or self._options.approvers.get(login)
        if key is not None:
            return Account(login, key)
        if login == self._options.user or self._options.decide_as_bot:
            return self._client.bot
        raise DeciderRefused(KEY_MISSING, source=self._client.source)

    async def _post(self, order: PurchaseOrder, message: str, account: Account) -> None:
        """Post the reason first, so that it is never lost; if that fails, nothing is decided."""
        if await self._client.release() < _PLAIN_BODIES:
            message = html.escape(message, quote=False)
        try:
            await self._act(order, "message_post", account, body=message)
        except UnknownOutcome as error:
            raise Unavailable(
                "the reason could not be left; nothing was decided", source=self._client.source
            ) from error

    async def _act(self, order: PurchaseOrder, method: str, account: Account, **arguments: Any) -> None:
        try:
            await self._client.call(
                "purchase.order", method, ids=[int(order.id)], account=account, writes=True, **arguments
            )
        except AuthFailed as error:
            if account is self._client.bot:
                raise
            # People's keys expire after three months at most; the bot's own key may still be valid.
            raise DeciderRefused(KEY_REFUSED, source=self._client.source) from error

    async def _compare(self, order: PurchaseOrder) -> None:
        rows = await self._client.read("purchase.order", [int(order.id)], PURCHASE_ORDERS.fields)
        if any(version(row) != order.review.version for row in rows.values()) or not rows:
            raise Conflict("the order was changed", source=self._client.source)
