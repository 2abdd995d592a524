"""The suite that every ERP adapter passes.

A subclass names the adapter, the installation that holds the reference company, and the options to ask it::

    class TestAcmeContract(ErpContract):
        name, vendor = "acme", manifest.vendor
        offers = frozenset(Capability) - {Capability.REJECT}
        gaps = Gaps(fields={"Product.spec": "Acme has one name per item"})

        def install(self, company, clock, folder):
            return FakeAcme(company, clock)

        def options(self, installation, timeout):
            return {"url": installation.url, "key": SECRET, "timeout": timeout, "write_timeout": timeout}

What the vendor cannot do or say is declared in ``offers`` and ``gaps``, each with a reason; such a case is run all the
same and must fail: a gap that has closed is an error. Everything else is compared with the company, field by field and
digit by digit.
"""

from __future__ import annotations

from bot.kit.testing.contract_changes import ChangesContract
from bot.kit.testing.contract_creating import CreatingContract
from bot.kit.testing.contract_decisions import DecisionsContract
from bot.kit.testing.contract_faults import FaultsContract
from bot.kit.testing.contract_goods import GoodsContract
from bot.kit.testing.contract_lists import ListsContract
from bot.kit.testing.contract_reads import ReadsContract
from bot.kit.testing.contract_traps import TrapsContract


class ErpContract(
    ReadsContract,
    ListsContract,
    GoodsContract,
    TrapsContract,
    ChangesContract,
    FaultsContract,
    DecisionsContract,
    CreatingContract,
):
    """Everything that `bot.erp.port` promises; `bot.kit.testing.contract_base` says what to declare."""
