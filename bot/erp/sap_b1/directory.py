"""Names behind keys: people, salespersons, warehouses, groups of items. Read whole, and believed for some minutes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.erp.errors import NotPermitted
from bot.erp.sap_b1.client import Client
from bot.erp.sap_b1.values import code, text


@dataclass(frozen=True, slots=True)
class People:
    """Users by their internal key: their codes, which decisions name, and the codes' names."""

    codes: Mapping[str, str]
    names: Mapping[str, str]

    def account(self, key: str) -> str:
        """Return a user's code; where users may not be read, their key, marked as one."""
        return self.codes.get(key) or (f"#{key}" if key else "")


class Directory:
    """Keeps names; without the right to read some there are none of them, and keys are shown."""

    def __init__(self, client: Client, *, now: Callable[[], datetime], minutes: int) -> None:
        self._client = client
        self._now = now
        self._holds = timedelta(minutes=minutes)
        self._known: dict[str, tuple[datetime, dict[str, tuple[str, ...]]]] = {}

    async def people(self) -> People:
        """Return the company's users."""
        found = await self._read("Users", "InternalKey", "UserCode", "UserName")
        codes = {key: user for key, (user, _) in found.items()}
        return People(codes, {user: name for user, name in found.values() if name})

    async def salespersons(self) -> Mapping[str, str]:
        """Return names of salespersons and buyers by their number; a negative one stands for nobody."""
        found = await self._read("SalesPersons", "SalesEmployeeCode", "SalesEmployeeName")
        return {key: name for key, (name,) in found.items() if not key.startswith("-")}

    async def warehouses(self) -> Mapping[str, str]:
        """Return names of warehouses by their code."""
        found = await self._read("Warehouses", "WarehouseCode", "WarehouseName")
        return {key: name for key, (name,) in found.items()}

    async def groups(self) -> Mapping[str, str]:
        """Return names of groups of items by their number."""
        found = await self._read("ItemGroups", "Number", "GroupName")
        return {key: name for key, (name,) in found.items()}

    async def _read(self, entity: str, key: str, *names: str) -> dict[str, tuple[str, ...]]:
        until, found = self._known.get(entity, (None, {}))
        if until is None or self._now() >= until:
            try:
                rows = await self._client.rows(entity, select=(key, *names))
            except NotPermitted:
                rows = []
            found = {code(row.get(key)): tuple(text(row.get(name)) for name in names) for row in rows}
            self._known[entity] = self._now() + self._holds, found
        return found
