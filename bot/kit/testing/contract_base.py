"""The base of all ERP contract cases: how a case is declared, and the fixtures company, installation and adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import pytest

from bot.erp.kinds import PURCHASE_ORDERS, D, Kind, kind_of, review_of
from bot.erp.model import Area, Decision, ErpRecord, Feed, Verdict
from bot.erp.port import BY_PRODUCT, COMMON, GOODS, PARTNER_READS, Capability, Erp, verdicts_among
from bot.erp.vendors import AdapterContext, Vendor
from bot.kit.testing.company import TODAY, Clock, ReferenceCompany, plain_number
from bot.kit.testing.fake_erp import FakeServer, Installation, NetworkedErp
from bot.kit.testing.gaps import Gaps, comparable
from bot.kit.testing.reference_records import Numbering

F = TypeVar("F", bound=Callable[..., Any])

NO_NETWORK = "embedded: no network"
NO_HTTP = "a database's connection: no logins that run out, no limits, no pages"
NOT_DECIDED = "it is not decided there"
NOT_CREATED = "it is not created there"
CREATING = "create."
"""How the ids of cases begin that are about creating."""
NOT_PLANTED = "not tried: how this ERP tells it is not known"


class Network(StrEnum):
    """What a case needs between adapter and ERP."""

    CONNECTION = "connection"
    """Any connection: it is refused, silent, broken off or not there, and its account lacks a right."""
    HTTP = "http"
    """What only servers of HTTP say: that a login ran out, a limit, a page of maintenance."""


@dataclass(frozen=True, slots=True)
class ContractCase:
    """One promise of the port. ``over`` names a parameter and its values, each of which is a row of the table."""

    id: str
    title: str
    needs: tuple[Capability, ...] = ()
    needs_of: Callable[[Any], Capability | None] = lambda _value: None
    """What a value of the parameter needs besides."""
    network: Network | None = None
    over: tuple[str, Sequence[Any]] | None = None
    refusal: bool = False
    """Whether the case is about what is not offered, and so always applies."""
    tells: str = ""
    """The field that the case is about: it does not apply to a vendor without that field."""
    planted: bool = False
    """Whether the case is about what `ContractBase.traps` puts into the installation."""

    def row(self, value: Any) -> str:
        """Return the id of the row of a value of the parameter."""
        return self.id if self.over is None else f"{self.id}[{name_of(value)}]"

    def group(self, value: Any) -> str:
        """Return the name of all cases of the same beginning about a value, such as ``decide[bills]``."""
        return f"{self.id.partition('.')[0]}[{name_of(value)}]"

    def verdicts(self, value: Any) -> frozenset[Verdict]:
        """Return the verdicts that a kind has to take for the case to apply to it."""
        return verdicts_among((*self.needs, self.needs_of(value)))

    def values(self) -> Sequence[Any]:
        """Return the values of the parameter, a single dummy value without a parameter."""
        return (None,) if self.over is None else self.over[1]


def name_of(value: Any) -> str:
    """Return what a value of a parameter is called in rows: a kind of document as its list."""
    return value.list_call if isinstance(value, Kind) else str(value)


def case(
    id: str,  # noqa: A002  # a case's id is its id
    title: str,
    *,
    needs: Sequence[Capability] = (),
    needs_of: Callable[[Any], Capability | None] = lambda _value: None,
    network: Network | None = None,
    over: tuple[str, Sequence[Any]] | None = None,
    refusal: bool = False,
    tells: str = "",
    planted: bool = False,
) -> Callable[[F], F]:
    """Make a test a case of the contract."""

    def mark(function: F) -> F:
        found = ContractCase(id, title, tuple(needs), needs_of, network, over, refusal, tells, planted)
        function.contract_case = found  # type: ignore[attr-defined]  # read back by `contract_cases`
        if over is None:
            return function
        spread: F = pytest.mark.parametrize(over[0], over[1], ids=name_of)(function)
        return spread

    return mark


def contract_cases(contract: type) -> list[ContractCase]:
    """Return the cases that pytest runs of a contract class, in the order in which they are written down."""
    members: dict[str, Any] = {}
    for base in contract.__mro__:
        members = members | {name: member for name, member in vars(base).items() if name not in members}
    return [member.contract_case for member in members.values() if hasattr(member, "contract_case")]


def gap_reason(
    known: ContractCase,
    value: Any,
    *,
    offers: frozenset[Capability],
    gaps: Gaps,
    embedded: bool,
    database: bool = False,
    feeds: frozenset[Feed] = frozenset(),
    traps: Container[str] = (),
    verdicts: Callable[[Kind[Any]], frozenset[Verdict]] = lambda _kind: frozenset(Verdict),
    creates: Container[Kind[Any]] = (),
) -> str | None:
    """Return why a row does not apply to an adapter, or None."""
    for name in (known.row(value), known.id, known.group(value)):
        if name in gaps.cases:
            return gaps.cases[name]
    if embedded and known.network:
        return NO_NETWORK
    if database and known.network is Network.HTTP:
        return NO_HTTP
    if known.refusal:
        return None
    for capability in (*known.needs, getattr(value, "capability", None), known.needs_of(value)):
        if capability is not None and capability not in offers:
            return f"not offered: {capability}"
    if known.id.startswith(CREATING) and value not in creates:
        return NOT_CREATED
    if isinstance(value, Kind) and not known.verdicts(value) <= verdicts(value):
        return NOT_DECIDED
    if isinstance(value, Feed) and value not in feeds:
        return f"not offered: changes of {value}"
    if known.planted and known.id not in traps:
        return NOT_PLANTED
    return gaps.fields.get(known.tells)


OpenErp = Callable[..., Awaitable[Erp]]

REASON = "too dear, *really* <b>& „teuer“ 太贵"

TIMEOUT = 10.0
"""Seconds that reads may take in tests; reached only by tests that want it."""


class ContractBase:
    """The declarations of an adapter's contract, and the fixtures made of them."""

    name: ClassVar[str]
    """The vendor's name in the configuration and in the table."""
    vendor: ClassVar[Vendor[Any]]
    """The adapter's manifest."""
    offers: ClassVar[frozenset[Capability]] = (
        COMMON - GOODS - PARTNER_READS - BY_PRODUCT - {Capability.LOTS, Capability.FINISHED_DAYS}
    )
    """The capabilities that the adapter must claim, neither more nor fewer."""
    feeds: ClassVar[frozenset[Feed]] = frozenset()
    """The documents besides those of areas whose changes it must claim to tell, neither more nor fewer."""
    decides: ClassVar[Mapping[Kind[Any], frozenset[Verdict]]] = MappingProxyType({})
    """The kinds besides purchase orders that the adapter must let be decided, neither more nor fewer, and how."""
    creates: ClassVar[frozenset[Kind[Any]]] = frozenset()
    """The kinds whose documents the adapter must create, neither more nor fewer."""
    gaps: ClassVar[Gaps] = Gaps()
    traps: ClassVar[Mapping[str, Callable[[Any], str]]] = MappingProxyType({})
    """By contract case, what puts a record into the installation as the vendor tells it, and returns its code or
    number: see `bot.kit.testing.contract_traps`."""
    embedded: ClassVar[bool] = False
    """Whether there is no network between adapter and ERP."""
    database: ClassVar[bool] = False
    """Whether the adapter speaks to a database's server and not by HTTP: its installation is a `NetworkedErp`."""
    number: ClassVar[Numbering] = staticmethod(plain_number)
    """How the vendor numbers documents, if not ``SO-1001``."""

    approver, colleague, second_approver = "anna", "carla", "boris"
    """Who may decide at the first level, who else, and who at the second: ids of the company's users."""
    requester, outsider = "dora", "guest"
    """Who requests all orders, and who has no right to decide, nor to create anything."""
    seller: ClassVar[str] = "dora"
    """Who creates documents."""

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> Installation:
        """Return the vendor's ERP holding the company; ``folder`` is empty and the test's own."""
        raise NotImplementedError

    def options(self, installation: Any, timeout: float) -> dict[str, Any]:
        """Return the options of a source that asks the installation; reads and writes may take ``timeout`` seconds."""
        raise NotImplementedError

    @classmethod
    def gap_of(cls, known: ContractCase, value: Any) -> str | None:
        """Return why a row of the contract does not apply to this adapter, or None."""
        return gap_reason(
            known,
            value,
            offers=cls.offers,
            gaps=cls.gaps,
            embedded=cls.embedded,
            database=cls.database,
            feeds=cls.feeds,
            traps=cls.traps,
            verdicts=cls.verdicts,
            creates=cls.creates,
        )

    @classmethod
    def verdicts(cls, kind: Kind[Any]) -> frozenset[Verdict]:
        """Return the verdicts that the adapter takes on documents of a kind."""
        if kind == PURCHASE_ORDERS:
            return verdicts_among(cls.offers)
        return cls.decides.get(kind, frozenset())

    # Fixtures

    @pytest.fixture(autouse=True)
    def _gap(self, request: pytest.FixtureRequest) -> None:
        """Expect a case to fail that does not apply, for the reason that the report and the table give.

        It is run to its end, so that a gap that has closed is noticed. Only what needs another network is not run, and
        no decision on a kind that is not decided, nor creating one that is not created: those are cases of their own.
        """
        known: ContractCase | None = getattr(request.function, "contract_case", None)
        if known is None:
            return
        value = request.getfixturevalue(known.over[0]) if known.over else None
        reason = self.gap_of(known, value)
        if reason is not None:
            if reason in (NO_NETWORK, NO_HTTP, NOT_DECIDED, NOT_CREATED):
                raise pytest.xfail.Exception(f"gap: {reason}", pytrace=False)
            request.applymarker(pytest.mark.xfail(reason=f"gap: {reason}", strict=True))

    @pytest.fixture
    def today(self) -> date:
        return TODAY

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def company(self, today: date, clock: Clock) -> ReferenceCompany:
        return self.found_company(today, clock)

    def found_company(self, today: date, clock: Clock) -> ReferenceCompany:
        """Return the company whose records an installation has."""
        return ReferenceCompany(today, number=type(self).number, now=clock.now, reviewed=tuple(self.decides))

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
    def networked(self, installation: Installation) -> NetworkedErp:
        assert isinstance(installation, NetworkedErp)
        return installation

    @pytest.fixture
    async def open_erp(self, installation: Installation, clock: Clock, tmp_path: Path) -> AsyncIterator[OpenErp]:
        """Opens the adapter any number of times, each standing for a process of its own."""
        opened: list[Erp] = []

        async def open_erp(timeout: float = TIMEOUT) -> Erp:
            folder = tmp_path / f"data-{len(opened)}"
            folder.mkdir()
            options = self.vendor.options.model_validate(self.options(installation, timeout))
            erp = await self.vendor.open(AdapterContext(name="main", data_dir=folder, now=clock.now), options)
            opened.append(erp)
            return erp

        yield open_erp
        for erp in opened:
            await erp.close()

    @pytest.fixture
    async def erp(self, open_erp: OpenErp) -> Erp:
        return await open_erp()

    # What the cases share

    def expected_records(self, company: ReferenceCompany, area: Area) -> list[Any]:
        """Return the company's records of an area as this vendor can tell them."""
        return self._told(company.records(area).values())

    def expected_documents(self, company: ReferenceCompany, kind: Kind[D]) -> list[D]:
        """Return the company's documents of a kind as this vendor can tell them."""
        return self._told(company.documents(kind).values())

    def _told(self, records: Iterable[Any]) -> list[Any]:
        return [told for told in map(self.gaps.expected, records) if told is not None]

    def assert_same(self, actual: Any, record: Any) -> bool:
        """Assert that the adapter's record says what the company's says, as far as the vendor can."""
        assert comparable(actual) == comparable(self.gaps.expected(record))
        return True

    async def any_read(self, erp: Erp, company: ReferenceCompany) -> object:
        """Make one read of whatever the adapter offers."""
        if Capability.PURCHASE_ORDERS in self.offers:
            return await erp.document(PURCHASE_ORDERS, next(iter(company.purchases)))
        return await erp.find_products("SKU123", limit=1)

    def waiting_numbers(
        self, company: ReferenceCompany, kind: Kind[Any] = PURCHASE_ORDERS, *, levels: int = 1
    ) -> list[str]:
        """Return the numbers of the documents that wait at the first of ``levels`` levels."""
        return [
            number
            for number, document in company.documents(kind).items()
            if (review := document.review).waits and (review.progress.level, review.progress.levels) == (1, levels)
        ]

    def decision(self, seen: ErpRecord, verdict: Verdict = Verdict.APPROVE, by: str | None = None) -> Decision:
        """Return a decision on a document as it was seen."""
        return Decision(
            kind=kind_of(seen).command,
            number=seen.number,
            version=review_of(seen).version,
            verdict=verdict,
            by=self.approver if by is None else by,
            reason=REASON if verdict is Verdict.REJECT else "",
        )
