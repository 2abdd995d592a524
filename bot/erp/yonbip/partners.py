"""Customers and vendors (docs: platform/erp/yonbip.md#partners)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.erp.concurrency import gather_rows
from bot.erp.expiring import ExpiringValue
from bot.erp.keys import pick_by_key, spellings
from bot.erp.listing import CUSTOMERS, VENDORS, D, Listing
from bot.erp.model import Customer, Slice, Supplier
from bot.erp.port import ListQuery
from bot.erp.values import code, is_true, text
from bot.erp.yonbip.client import YonBipClient
from bot.erp.yonbip.mapping import Row, ValueReader
from bot.erp.yonbip.options import YonBipOptions

_CUSTOMERS = "yonbip/digitalModel/merchant/newlist"
_VENDORS = "yonbip/digitalModel/vendor/list"
_LANGUAGES = ("simplifiedName", "zh_CN", "englishName", "en_US")
"""Names in several languages have one of two spellings of these keys."""


class PartnerReader:
    """Reads customers and vendors, of whom lists only find whole codes: all are read, and cached for some minutes."""

    def __init__(
        self, client: YonBipClient, options: YonBipOptions, values: ValueReader, *, now: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._most = options.most_materials
        self._values = values
        self._now = now
        holds = timedelta(minutes=options.catalogue_minutes)
        self._known: Mapping[Listing[Any], ExpiringValue[tuple[Any, ...]]] = {
            kind: ExpiringValue(partial(self._all, kind), now=now, holds=holds) for kind in (CUSTOMERS, VENDORS)
        }

    async def close(self) -> None:
        """Cancel reads in progress."""
        for partners in self._known.values():
            await partners.cancel()

    async def read(self, kind: Listing[D], key: str) -> D:
        """Return one customer or vendor; raises `NotFound`. A code in mixed case is only found among all."""
        read, build = self._calls(kind)
        rows = await gather_rows(*(read({"code": spelling}) for spelling in spellings(key)))
        found = _distinct(build(row) for row in rows) or await self._known[kind].value()
        partner: D = pick_by_key(found, key, lambda partner: partner.code, source=self._client.source)
        return partner

    async def list_partners(self, kind: Listing[D], query: ListQuery) -> Slice[D]:
        """Return part of a list, by code."""
        return kind.pick(await self._known[kind].value(), query, self._values.local(self._now()).date())

    def _calls(self, kind: Listing[Any]) -> tuple[Callable[[Row], Awaitable[list[Row]]], Callable[[Row], Any]]:
        if kind is CUSTOMERS:
            return self._customer_rows, self._customer
        return self._vendor_rows, self._vendor

    async def _all(self, kind: Listing[Any]) -> tuple[Any, ...]:
        read, build = self._calls(kind)
        return _distinct(build(row) for row in await read({}))

    async def _customer_rows(self, body: Row) -> list[Row]:
        return await self._client.uncounted_rows(_CUSTOMERS, body, most=self._most)

    async def _vendor_rows(self, body: Row) -> list[Row]:
        return await self._client.rows(_VENDORS, body, most=self._most)

    def _customer(self, row: Row) -> Customer:
        """Return a customer; the list shows neither contacts nor who is disabled."""
        return Customer(
            id=code(row["id"]),
            code=code(row["code"]),
            name=_name(row.get("name")),
            changed_at=self._values.time(row.get("pubts")),
            source=self._client.source,
        )

    def _vendor(self, row: Row) -> Supplier:
        return Supplier(
            id=code(row["id"]),
            code=code(row["code"]),
            name=_name(row.get("name")),
            phone=text(row.get("vendorphone")) or text(row.get("contactphone")),
            email=text(row.get("vendoremail")),
            address=text(row.get("vendoraddress")) or text(row.get("address")),
            is_active=not is_true(row.get("stop")),
            changed_at=self._values.time(row.get("pubts")),
            source=self._client.source,
        )


def _distinct(partners: Iterable[Any]) -> tuple[Any, ...]:
    """Return each partner once: every organisation that uses it may have a row of it."""
    return tuple({partner.id: partner for partner in partners}.values())


def _name(value: Any) -> str:
    """Return a name, of several languages the first that is known."""
    if not isinstance(value, dict):
        return text(value)
    return next(filter(None, (text(value.get(language)) for language in _LANGUAGES)), "")
