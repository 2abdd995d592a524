"""The base of fake servers: every fault does what it says, and the log has every request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from bot.erp.model import Area, ReviewState, Verdict
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET, RequestKind, write_json
from tests.erp.fakes.plain import PAGE, USER, FakePlain


class Client:
    """Calls the plain server as a program would."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url
        self.token = ""

    async def login(self, password: str = SECRET) -> int:
        async with self.session.post(f"{self.url}/login", json={"user": USER, "password": password}) as answer:
            self.token = (await answer.json()).get("token", "")
            return answer.status

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.session.get(f"{self.url}{path}", headers={"Authorization": f"Bearer {self.token}"}) as answer:
            return answer.status, await (answer.json() if "json" in answer.content_type else answer.text())

    async def decide(self, number: str = "PO-1001", by: str = "anna", version: str = "1") -> int:
        body = {"verdict": "approve", "version": version, "by": by, "reason": ""}
        address = f"{self.url}/purchases/{number}/decision"
        async with self.session.post(address, json=body, headers={"Authorization": f"Bearer {self.token}"}) as answer:
            return answer.status


@pytest.fixture
async def fake() -> AsyncIterator[FakePlain]:
    clock = Clock()
    fake = FakePlain(ReferenceCompany(now=clock.now), clock)
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def client(fake: FakePlain) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        client = Client(session, fake.url)
        assert await client.login() == 200
        yield client


ORDER = "/orders/SO-1001"


async def test_records_are_served_page_by_page(client: Client) -> None:
    status, page = await client.get("/orders?offset=0&limit=500")
    assert (status, page["total"], len(page["items"])) == (200, 30, PAGE)
    status, rest = await client.get("/orders?offset=25&limit=10")
    assert [item["number"] for item in rest["items"]] == [f"SO-{n}" for n in range(1026, 1031)]
    assert (await client.get("/nonsense"))[0] == 404
    assert (await client.get("/orders/SO-9"))[0] == 404
    assert (await client.get("/orders/so-1001"))[1]["number"] == "SO-1001"


async def test_changes_are_served_from_a_time_on(client: Client, fake: FakePlain) -> None:
    fake.company.touch(Area.SALES, "SO-1005")
    status, found = await client.get("/changes/orders?limit=2&since=2026-11-24T02:30:00%2B00:00")
    assert (status, [item["key"] for item in found]) == (200, ["SO-1005"])
    assert len((await client.get("/changes/orders?limit=2"))[1]) == 2


async def test_the_log_sees_every_request_with_its_kind(client: Client, fake: FakePlain) -> None:
    fake.requests.clear()
    await client.get(ORDER)
    await client.get("/stock/SKU123")
    await client.decide()
    await client.login()
    assert [entry.call.kind for entry in fake.requests.entries] == [
        RequestKind.READ,
        RequestKind.READ,
        RequestKind.WRITE,
        RequestKind.LOGIN,
    ]
    assert (fake.requests.count(RequestKind.READ), fake.requests.count(RequestKind.READ, Area.STOCK)) == (2, 1)
    assert fake.requests.of(RequestKind.WRITE)[0].path == "/purchases/PO-1001/decision"
    assert fake.requests.arrived.is_set()


async def test_sessions_end(client: Client, fake: FakePlain) -> None:
    fake.faults.expire_login()
    assert (await client.get(ORDER))[0] == 401
    assert await client.login() == 200
    assert (await client.get(ORDER))[0] == 200
    fake.faults.expire_login(always=True)
    assert await client.login() == 200
    assert (await client.get(ORDER))[0] == 401


async def test_accounts_are_refused(client: Client, fake: FakePlain) -> None:
    assert await client.login("wrong") == 401
    fake.faults.refuse_login()
    assert await client.login() == 401
    assert (await client.get(ORDER))[0] == 401
    fake.faults.clear()
    assert await client.login() == 200


async def test_limits_count_down_and_pass_logins_by(client: Client, fake: FakePlain) -> None:
    fake.faults.rate_limit(2, retry_after=3)
    assert await client.login() == 200
    headers = {"Authorization": f"Bearer {client.token}"}
    async with client.session.get(f"{fake.url}{ORDER}", headers=headers) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "3")
    assert [(await client.get(ORDER))[0] for _ in range(2)] == [429, 200]


@pytest.mark.parametrize("status", [200, 502, 503])
async def test_maintenance_is_a_page_for_everybody(client: Client, fake: FakePlain, status: int) -> None:
    fake.faults.maintenance(status)
    found = await client.get(ORDER)
    assert found[0] == status
    assert found[1].startswith("<!DOCTYPE html>")
    fake.faults.clear()
    assert (await client.get(ORDER))[0] == 200


async def test_what_hangs_is_answered_when_the_fault_is_over(client: Client, fake: FakePlain) -> None:
    fake.faults.hang()
    fake.requests.clear()
    asked = asyncio.create_task(client.get(ORDER))
    await fake.requests.arrived.wait()
    assert not asked.done()
    fake.faults.clear()
    assert (await asked)[0] == 200


async def test_slow_answers_come(client: Client, fake: FakePlain) -> None:
    fake.faults.slow(0.03)
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert (await client.get(ORDER))[0] == 200
    assert loop.time() - started >= 0.03


async def test_connections_break_off_as_often_as_asked(client: Client, fake: FakePlain) -> None:
    fake.faults.reset_connection(2)
    with pytest.raises(aiohttp.ServerDisconnectedError):  # aiohttp tries twice by itself
        await client.get(ORDER)
    assert (await client.get(ORDER))[0] == 200


async def test_rights_are_missing_by_area(client: Client, fake: FakePlain) -> None:
    fake.faults.forbid(Area.SALES)
    assert (await client.get(ORDER))[0] == 403
    assert (await client.get("/invoices/INV-7"))[0] == 200
    fake.faults.forbid_deciding()
    assert await client.decide() == 403
    assert fake.company.purchases["PO-1001"].status is ReviewState.WAITING


@pytest.mark.parametrize("happens", [True, False])
async def test_answers_to_writes_get_lost_once(client: Client, fake: FakePlain, happens: bool) -> None:
    fake.faults.lose_write_answer(happens=happens)
    assert (await client.get(ORDER))[0] == 200
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.decide()
    status = fake.company.purchases["PO-1001"].status
    assert status is (ReviewState.APPROVED if happens else ReviewState.WAITING)
    assert await client.decide("PO-1002") == 200


async def test_somebody_else_may_act_at_that_moment(client: Client, fake: FakePlain) -> None:
    fake.faults.lose_write_answer(
        happens=False, then_down=True, meanwhile=lambda: fake.company.decide("PO-1001", Verdict.REJECT, "carla")
    )
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.decide()
    assert fake.company.purchases["PO-1001"].status is ReviewState.REJECTED
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.get(ORDER)


async def test_a_write_that_hangs_was_done(client: Client, fake: FakePlain) -> None:
    fake.faults.lose_write_answer(hang=True)
    asked = asyncio.create_task(client.decide())
    changed = asyncio.Event()
    fake.company.watch(lambda area, key: changed.set())
    await changed.wait()
    assert not asked.done()
    fake.faults.clear()
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await asked


async def test_writes_wait_for_one_another(client: Client, fake: FakePlain) -> None:
    fake.faults.synchronize_writes(2)
    fake.requests.clear()
    first = asyncio.create_task(client.decide())
    await fake.requests.arrived.wait()
    assert fake.company.purchases["PO-1001"].status is ReviewState.WAITING
    answers = await asyncio.gather(first, client.decide(by="carla"))
    assert sorted(answers) == [200, 409]


@pytest.mark.parametrize(
    ("number", "by", "version", "status"),
    [("PO-1001", "guest", "1", 403), ("PO-1001", "anna", "7", 409), ("PO-9", "anna", "1", 404)],
)
async def test_the_companys_refusals_are_told(client: Client, number: str, by: str, version: str, status: int) -> None:
    assert await client.decide(number, by, version) == status


def test_json_has_every_digit() -> None:
    value = {
        "a": Decimal("12345678901234.56789"),
        "b": [Decimal("0.000001"), Decimal("1E+3"), None, True, 7],
        "c": date(2024, 2, 29),
        "d": datetime(2026, 11, 24, 8, 15, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        'e"': "中\n\u2028",
        "f": Area.SALES,
    }
    assert write_json(value) == (
        '{"a":12345678901234.56789,"b":[0.000001,1000,null,true,7],"c":"2024-02-29",'
        '"d":"2026-11-24T08:15:00+05:45","e\\"":"中\\n\u2028","f":"sales"}'
    )
