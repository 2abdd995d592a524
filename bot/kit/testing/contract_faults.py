"""Contract cases of everything that goes wrong on the way: logins that end, limits, maintenance, silence."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from random import Random
from typing import Any

import pytest

from bot.erp.errors import AuthFailed, ErpError, NotPermitted, RateLimited, Unavailable
from bot.erp.goods.port import ArrivalQuery, GoodsReader
from bot.erp.hub import ErpHub
from bot.erp.kinds import Kind
from bot.erp.model import Area
from bot.erp.port import Capability, Erp, ListQuery
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.contract_base import TIMEOUT, ContractBase, Network, OpenErp, case
from bot.kit.testing.contract_reads import EACH_KIND
from bot.kit.testing.fake_erp import SECRET, FakeServer, Installation, NetworkedErp
from bot.kit.testing.fake_erp import RequestKind as Request
from bot.mechanisms.metrics import Metrics

SHORT = 1.2
"""Seconds that a call may take where the test lets it run into its time-out.

The calls before and after it must be answered within them, on a busy machine as well.
"""


class FaultsContract(ContractBase):
    """Reading while something is wrong, and afterwards."""

    @case("login.once", "One login serves many calls", network=Network.HTTP)
    async def test_one_login(self, erp: Erp, server: FakeServer, company: ReferenceCompany) -> None:
        await asyncio.gather(*(self.any_read(erp, company) for _ in range(8)))
        await self.any_read(erp, company)
        assert server.requests.count(Request.LOGIN) == 1

    @case("login.expired", "A login that ran out is renewed once, and nobody notices", network=Network.HTTP)
    async def test_expired(self, erp: Erp, server: FakeServer, company: ReferenceCompany) -> None:
        wanted = await self.any_read(erp, company)
        server.faults.expire_login()
        server.requests.clear()
        assert await self.any_read(erp, company) == wanted
        assert server.requests.count(Request.LOGIN) == 1

    @case("login.single_flight", "Many calls that meet the end of a login share one renewal", network=Network.HTTP)
    async def test_single_flight(self, erp: Erp, server: FakeServer, company: ReferenceCompany) -> None:
        wanted = await self.any_read(erp, company)
        server.faults.expire_login()
        server.requests.clear()
        assert await asyncio.gather(*(self.any_read(erp, company) for _ in range(10))) == [wanted] * 10
        assert server.requests.count(Request.LOGIN) == 1

    @case("login.no_loop", "A new login that is refused as well ends in an error, not in a loop", network=Network.HTTP)
    async def test_no_loop(self, erp: Erp, server: FakeServer, company: ReferenceCompany) -> None:
        await self.any_read(erp, company)
        server.faults.expire_login(always=True)
        server.requests.clear()
        with pytest.raises(AuthFailed):
            await self.any_read(erp, company)
        assert server.requests.count(Request.LOGIN) == 1

    @case("login.refused", "A wrong account says so, is asked once, and works when mended", network=Network.CONNECTION)
    async def test_refused_account(self, erp: Erp, networked: NetworkedErp, company: ReferenceCompany) -> None:
        networked.faults.refuse_login()
        with pytest.raises(AuthFailed):
            await erp.check()
        assert len(networked.requests.of(Request.LOGIN) or networked.requests.of(Request.READ)) == 1
        with pytest.raises(AuthFailed):
            await self.any_read(erp, company)
        networked.faults.clear()
        await self.any_read(erp, company)

    @case("limit.told", "A limit is told with the seconds to wait, and not fought", network=Network.HTTP)
    async def test_rate_limited(self, erp: Erp, server: FakeServer, company: ReferenceCompany) -> None:
        await self.any_read(erp, company)
        server.faults.rate_limit(1, retry_after=7)
        server.requests.clear()
        with pytest.raises(RateLimited) as caught:
            await self.any_read(erp, company)
        assert caught.value.retry_after == 7
        assert server.requests.count(Request.READ) == 1
        await self.any_read(erp, company)

    @case("limit.unnamed", "A limit without a time is a limit all the same", network=Network.HTTP)
    async def test_rate_limited_without_time(self, erp: Erp, server: FakeServer, company: ReferenceCompany) -> None:
        await self.any_read(erp, company)
        server.faults.rate_limit(1, retry_after=None)
        with pytest.raises(RateLimited) as caught:
            await self.any_read(erp, company)
        assert caught.value.retry_after is None

    @case(
        "limit.honoured", "Behind the hub, exactly the seconds named are waited before the repeat", network=Network.HTTP
    )
    async def test_honoured(self, erp: Erp, server: FakeServer, company: ReferenceCompany, clock: Clock) -> None:
        waits = Clock()
        hub = ErpHub(
            [erp],
            metrics=Metrics(),
            now=clock.now,
            timeout=60,
            rng=Random(1),  # noqa: S311  # spreads repeats in time
            monotonic=waits.monotonic,
            sleep=waits.sleep,
        )
        await self.any_read(erp, company)
        server.faults.rate_limit(1, retry_after=7)
        assert (await hub.find_products("SKU123", limit=1)).value[0].sku == "SKU123"
        assert waits.slept == [7]

    @case("down.page", "A maintenance page is no data: unavailable, with status 503 and with 200", network=Network.HTTP)
    async def test_maintenance(self, erp: Erp, server: FakeServer, company: ReferenceCompany) -> None:
        await self.any_read(erp, company)
        for status in (503, 502, 200):
            server.faults.maintenance(status)
            with pytest.raises(Unavailable):
                await self.any_read(erp, company)
            server.faults.clear()
            await self.any_read(erp, company)

    @case("down.page_at_login", "A maintenance page at the login is no wrong account", network=Network.HTTP)
    async def test_maintenance_at_login(self, erp: Erp, server: FakeServer, company: ReferenceCompany) -> None:
        for status in (503, 200):
            server.faults.maintenance(status)
            with pytest.raises(Unavailable):
                await erp.check()
        server.faults.clear()
        await self.any_read(erp, company)

    @case("down.silent", "An ERP that does not answer is unavailable within its time", network=Network.CONNECTION)
    async def test_hang(self, open_erp: OpenErp, networked: NetworkedErp, company: ReferenceCompany) -> None:
        erp = await open_erp(timeout=SHORT)
        networked.faults.hang()
        # Without its own time-out it would wait for ever; how punctual it is, is the machine's affair.
        async with asyncio.timeout(TIMEOUT):
            with pytest.raises(Unavailable):
                await self.any_read(erp, company)

    @case(
        "down.broken_off",
        "A broken connection is unavailable, and the next call works again",
        network=Network.CONNECTION,
    )
    async def test_reset(self, erp: Erp, networked: NetworkedErp, company: ReferenceCompany) -> None:
        await self.any_read(erp, company)
        networked.faults.reset_connection()
        with pytest.raises(Unavailable):
            await self.any_read(erp, company)
        networked.faults.clear()
        await self.any_read(erp, company)

    @case(
        "down.gone",
        "An ERP that is not there is unavailable; the source opens all the same",
        network=Network.CONNECTION,
    )
    async def test_gone(self, open_erp: OpenErp, networked: NetworkedErp, company: ReferenceCompany) -> None:
        await networked.stop()
        erp = await open_erp()
        with pytest.raises(Unavailable):
            await self.any_read(erp, company)
        with pytest.raises(Unavailable):
            await erp.check()

    @case("down.abandoned", "A question that is given up leaves nothing behind", network=Network.CONNECTION)
    async def test_abandoned(self, erp: Erp, networked: NetworkedErp, company: ReferenceCompany) -> None:
        await self.any_read(erp, company)
        networked.faults.hang()
        networked.requests.clear()
        asked = asyncio.ensure_future(self.any_read(erp, company))
        await networked.requests.arrived.wait()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        networked.faults.clear()
        await self.any_read(erp, company)

    @case(
        "rights.read",
        "A missing right to read is told as such, never as an empty list, and other areas still answer",
        network=Network.CONNECTION,
        over=EACH_KIND,
    )
    async def test_forbidden(
        self, erp: Erp, networked: NetworkedErp, company: ReferenceCompany, kind: Kind[Any]
    ) -> None:
        documents = self.expected_documents(company, kind)
        number = documents[0].number
        await erp.document(kind, number)
        networked.faults.forbid(kind.area)
        reads = [partial(erp.document, kind, number), partial(erp.documents, kind, ListQuery())]
        orders = [order for each in documents for order in kind.order_numbers(each) if kind.order_call]
        for read in (*reads, *(partial(erp.of_order, kind, order) for order in orders[:1])):
            with pytest.raises(NotPermitted):
                await read()
        assert await erp.find_products("SKU123", limit=1)
        networked.faults.clear()
        await erp.document(kind, number)

    @case(
        "rights.arrivals",
        "A missing right to read purchase orders does not look as if nothing were on its way",
        needs=(Capability.ARRIVALS,),
        network=Network.CONNECTION,
    )
    async def test_forbidden_arrivals(self, erp: Erp, networked: NetworkedErp) -> None:
        assert isinstance(erp, GoodsReader)
        assert (await erp.arrivals(ArrivalQuery())).total
        networked.faults.forbid(Area.PURCHASING)
        with pytest.raises(NotPermitted):
            await erp.arrivals(ArrivalQuery())

    @case("rights.products", "A missing right to read products is told as such", network=Network.CONNECTION)
    async def test_forbidden_products(self, erp: Erp, networked: NetworkedErp) -> None:
        networked.faults.forbid(Area.PRODUCTS)
        with pytest.raises(NotPermitted):
            await erp.find_products("SKU123", limit=1)

    @case("parallel", "Many different questions at once get each its own answer")
    async def test_parallel(self, erp: Erp, company: ReferenceCompany) -> None:
        products = self.expected_records(company, Area.PRODUCTS)[:20]
        found = await asyncio.gather(*(erp.find_products(product.sku, limit=1) for product in products))
        assert [hits[0] for hits in found] == products

    @case("quiet", "No password, key or token stands in an error or a log line", network=Network.CONNECTION)
    async def test_quiet(
        self,
        open_erp: OpenErp,
        networked: NetworkedErp,
        company: ReferenceCompany,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level(logging.DEBUG)
        erp = await open_erp(timeout=SHORT)
        await self.any_read(erp, company)
        secrets = {SECRET, *networked.faults.sessions}
        told: list[str] = []
        for fault in networked.faults.of_reading():
            fault()
            with pytest.raises(ErpError) as caught:
                await self.any_read(erp, company)
            told += [str(caught.value), repr(caught.value), str(caught.value.__cause__), str(caught.value.tell())]
            networked.faults.clear()
        everything = "\n".join((*told, caplog.text, *capfd.readouterr()))
        assert not [secret for secret in secrets if secret in everything]

    @case("options", "Options are checked: an unknown one is refused, and a secret is not shown")
    async def test_options(self, installation: Installation) -> None:
        options = self.options(installation, 1.0)
        with pytest.raises(ValueError, match="no_such_option"):
            self.vendor.options.model_validate({**options, "no_such_option": 1})
        assert SECRET not in repr(self.vendor.options.model_validate(options))
