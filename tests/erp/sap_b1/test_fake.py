"""The fake is realistic: sessions on one node, pages of twenty, an ETag that a ``$select`` drops, refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.kit.testing.company import Clock
from tests.erp.fakes.sap_b1 import COMPANY, USER, FakeSapB1, user_password

from .conftest import ACCOUNT, both_versions

REQUEST = 97001
"""The request of the first waiting order."""


@pytest.fixture
async def browser(server: FakeSapB1) -> AsyncIterator[aiohttp.ClientSession]:
    # aiohttp keeps cookies of an IP address only on request.
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(f"{server.url}/b1s/{server.version}/", cookie_jar=jar) as session:
        yield session


async def log_in(browser: aiohttp.ClientSession, user: str = USER) -> Any:
    password = ACCOUNT["password"] if user == USER else user_password(user)
    account = {"CompanyDB": COMPANY, "UserName": user, "Password": password}
    async with browser.post("Login", json=account) as answer:
        assert answer.status == 200
        return await answer.json()


async def got(browser: aiohttp.ClientSession, path: str, **headers: str) -> tuple[int, Any, str | None]:
    async with browser.get(path, headers=headers) as answer:
        return answer.status, await answer.json(), answer.headers.get("ETag")


@both_versions
async def test_a_session_is_two_cookies(browser: aiohttp.ClientSession, server: FakeSapB1) -> None:
    assert (await got(browser, "Items"))[0] == 401
    session = await log_in(browser)
    assert session["SessionTimeout"] == 30
    assert {cookie.key for cookie in browser.cookie_jar} == {"B1SESSION", "ROUTEID"}
    assert (await got(browser, "Items"))[0] == 200
    browser.cookie_jar.update_cookies({"ROUTEID": ".elsewhere"}, URL(server.url))
    assert (await got(browser, "Items"))[0] == 401


async def test_an_idle_session_ends(browser: aiohttp.ClientSession, clock: Clock) -> None:
    await log_in(browser)
    for minutes, status in ((29, 200), (29, 200), (30, 401), (0, 401)):
        clock.advance(minutes * 60)
        assert (await got(browser, "Items"))[0] == status


async def test_paths_tell_cases_apart(browser: aiohttp.ClientSession) -> None:
    async with browser.post("login", json={}) as answer:
        assert answer.status == 401
        assert (await answer.json())["error"]["code"] == "301"


@both_versions
async def test_pages_have_twenty_records_unless_another_length_is_preferred(
    browser: aiohttp.ClientSession, server: FakeSapB1
) -> None:
    await log_in(browser)
    name = "@odata.nextLink" if server.version == "v2" else "odata.nextLink"
    _, page, _ = await got(browser, "Items?$select=ItemCode")
    assert (len(page["value"]), page[name]) == (20, "Items?$select=ItemCode&$skip=20")
    _, rest, _ = await got(browser, page[name])
    assert (len(rest["value"]), name in rest) == (12, False)
    for preferred, length in ((5, 5), (200, 32), (0, 32)):
        _, page, _ = await got(browser, "Items", Prefer=f"odata.maxpagesize={preferred}")
        assert len(page["value"]) == length
    _, page, _ = await got(browser, "Items?$top=7")
    assert (len(page["value"]), name in page) == (7, False)


async def test_single_records_bear_an_etag_that_changes_with_them(
    browser: aiohttp.ClientSession, server: FakeSapB1
) -> None:
    await log_in(browser, "anna")
    _, _, etag = await got(browser, f"ApprovalRequests({REQUEST})")
    assert etag
    decision = {"ApprovalRequestDecisions": [{"Status": "ardApproved"}]}
    for stale, status in (('W/"0"', 412), (etag, 204), (etag, 412)):
        async with browser.patch(f"ApprovalRequests({REQUEST})", json=decision, headers={"If-Match": stale}) as answer:
            assert answer.status == status
    assert (await got(browser, f"ApprovalRequests({REQUEST})"))[2] != etag


@both_versions
@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("Orders(999)", 404, -2028),
        ("Nonsense", 404, -1000),
        ("Orders?$select=Nonsense", 400, -1000),
        ("Orders?$filter=Nonsense eq 1", 400, -1000),
        ("Orders?$filter=DocNum eq 'x'", 400, -1000),
    ],
)
async def test_refusals_are_in_the_envelope_of_the_version(
    browser: aiohttp.ClientSession, server: FakeSapB1, path: str, status: int, code: int
) -> None:
    await log_in(browser)
    found_status, answer, _ = await got(browser, path)
    assert found_status == status
    assert answer["error"]["code"] == (code if server.version == "v1" else str(code))
    assert isinstance(answer["error"]["message"], dict if server.version == "v1" else str)


async def test_a_name_without_a_password_is_refused(browser: aiohttp.ClientSession) -> None:
    await log_in(browser, "anna")
    line = {"Status": "ardApproved", "ApproverUserName": "anna"}
    for password in ({}, {"ApproverPassword": None}, {"ApproverPassword": "wrong"}):
        body = {"ApprovalRequestDecisions": [line | password]}
        async with browser.patch(f"ApprovalRequests({REQUEST})", json=body) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (400, "-8023")
