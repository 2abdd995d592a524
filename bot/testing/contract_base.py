"""What all cases of the ERP contract stand on: the company, the installation that holds it, the adapter over it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bot.erp.model import Area, Decision, PurchaseOrder, PurchaseStatus, Verdict
from bot.erp.port import Capability, Erp
from bot.erp.vendors import Surroundings, Vendor
from bot.testing.cases import Case, gap
from bot.testing.company import TODAY, Clock, ReferenceCompany, plain_number
from bot.testing.company_records import Numbering
from bot.testing.fake_erp import FakeServer, Installation
from bot.testing.gaps import Gaps, comparable

OpenErp = Callable[..., Awaitable[Erp]]

REASON = "too dear, *really* <b>& „teuer“ 太贵"

TIMEOUT = 10.0
"""Seconds that reads may take in tests: never reached unless a test wants it."""


class ContractBase:
    """The declarations of an adapter's contract, and the fixtures made of them."""

    name: ClassVar[str]
    """The vendor's name in the configuration and in the table."""
    vendor: ClassVar[Vendor[Any]]
    """The adapter's manifest."""
    offers: ClassVar[frozenset[Capability]] = frozenset(Capability)
    """The capabilities that the adapter must claim, neither more nor fewer."""
    gaps: ClassVar[Gaps] = Gaps()
    embedded: ClassVar[bool] = False
    """Whether there is no network between adapter and ERP."""
    number: ClassVar[Numbering] = staticmethod(plain_number)
    """How the vendor numbers documents, if not ``SO-1001``."""

    approver, colleague, second_approver = "anna", "carla", "boris"
    """Who may decide at the first level, who else, and who at the second: ids of the company's users."""
    requester, outsider = "dora", "guest"
    """Who requests all orders, and who has no right to decide."""

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> Installation:
        """Return the vendor's ERP holding the company; ``folder`` is empty and the test's own."""
        raise NotImplementedError

    def options(self, installation: Any, timeout: float) -> dict[str, Any]:
        """Return the options of a source that asks the installation; reads and writes may take ``timeout`` seconds."""
        raise NotImplementedError

    # Fixtures

    @pytest.fixture(autouse=True)
    def _gap(self, request: pytest.FixtureRequest) -> None:
        """Stop before a case that does not apply; the reason stands in the report and in the table."""
        known: Case | None = getattr(request.function, "contract_case", None)
        if known is None:
            return
        value = request.getfixturevalue(known.over[0]) if known.over else None
        reason = gap(known, value, offers=self.offers, gaps=self.gaps, embedded=self.embedded)
        if reason is not None:
            # As `pytest.xfail` does, but without a trace: to format one takes longer than many a case.
            raise pytest.xfail.Exception(f"gap: {reason}", pytrace=False)

    @pytest.fixture
    def today(self) -> date:
        return TODAY

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def company(self, today: date, clock: Clock) -> ReferenceCompany:
        return ReferenceCompany(today, number=type(self).number, now=clock.now)

    @pytest.fixture
    async def installation(
        self, company: ReferenceCompany, clock: Clock, tmp_path: Path
    ) -> AsyncIterator[Installation]:
        folder = tmp_path / "installation"
        folder.mkdir()
        installation = self.install(company, clock, folder)
        await installation.start()
        yield installation
        await installation.stop()

    @pytest.fixture
    def server(self, installation: Installation) -> FakeServer:
        assert isinstance(installation, FakeServer)
        return installation

    @pytest.fixture
    async def open_erp(self, installation: Installation, clock: Clock, tmp_path: Path) -> AsyncIterator[OpenErp]:
        """Opens the adapter, as often as wanted: each time is a process of its own."""
        opened: list[Erp] = []

        async def open_erp(timeout: float = TIMEOUT) -> Erp:
            folder = tmp_path / f"data-{len(opened)}"
            folder.mkdir()
            options = self.vendor.options.model_validate(self.options(installation, timeout))
            erp = await self.vendor.open(Surroundings(name="main", data_dir=folder, now=clock.now), options)
            opened.append(erp)
            return erp

        yield open_erp
        for erp in opened:
            await erp.close()

    @pytest.fixture
    async def erp(self, open_erp: OpenErp) -> Erp:
        return await open_erp()

    # What the cases share

    def told(self, company: ReferenceCompany, area: Area) -> list[Any]:
        """Return the company's records of an area as this vendor can tell them."""
        told = (self.gaps.told(record) for record in company.records(area).values())
        return [record for record in told if record is not None]

    def same(self, actual: Any, record: Any) -> bool:
        """Assert that the adapter's record says what the company's says, as far as the vendor can."""
        assert comparable(actual) == comparable(self.gaps.told(record))
        return True

    async def a_read(self, erp: Erp, company: ReferenceCompany) -> object:
        """Make one read of whatever the adapter offers."""
        if Capability.PURCHASE_ORDERS in self.offers:
            return await erp.purchase_order(next(iter(company.purchases)))
        return await erp.find_products("SKU123", limit=1)

    def waiting(self, company: ReferenceCompany, *, levels: int = 1) -> list[str]:
        """Return the numbers of the orders that wait at the first of ``levels`` levels."""
        return [
            order.number
            for order in company.purchases.values()
            if order.status is PurchaseStatus.WAITING
            and order.approval is not None
            and (order.approval.level, order.approval.levels) == (1, levels)
        ]

    def decision(self, order: PurchaseOrder, verdict: Verdict = Verdict.APPROVE, by: str | None = None) -> Decision:
        """Return a decision on the order as it was seen."""
        return Decision(
            number=order.number,
            version=order.version,
            verdict=verdict,
            by=self.approver if by is None else by,
            reason=REASON if verdict is Verdict.REJECT else "",
        )
