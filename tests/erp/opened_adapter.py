"""Adapters opened against the fake ERPs of their contracts, for what several of them have in common besides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from bot.erp.decider_keys import NO_DECIDER_KEYS, DeciderKeys
from bot.erp.vendors import AdapterContext
from bot.kit.testing.company import TODAY, Clock, ReferenceCompany
from bot.kit.testing.contract_base import ContractBase


@dataclass(frozen=True, slots=True)
class OpenedAdapter:
    """An adapter, its fake ERP with the reference company, and the contract that names both."""

    erp: Any
    installation: Any
    company: ReferenceCompany
    contract: ContractBase


@asynccontextmanager
async def opened(
    adapter: str,
    folder: Path,
    *,
    clock: Any = None,
    options: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    keys: DeciderKeys = NO_DECIDER_KEYS,
) -> AsyncIterator[OpenedAdapter]:
    """Open the adapter of a contract, such as ``odoo.test_contract:TestOdooJson2Contract``, with other ``options``."""
    module, _, name = adapter.partition(":")
    contract: Any = getattr(import_module(f"tests.erp.{module}"), name)()
    clock = clock or Clock()
    company = contract.found_company(TODAY, clock)
    (folder / "installation").mkdir()
    installation = contract.install(company, clock, folder / "installation")
    await installation.start()
    settings = contract.vendor.options.model_validate(options(contract.options(installation, 10.0)))
    around = AdapterContext(name="main", data_dir=folder, now=clock.now, keys=keys)
    erp = await contract.vendor.open(around, settings)
    try:
        yield OpenedAdapter(erp, installation, company, contract)
    finally:
        await erp.close()
        await installation.stop()
