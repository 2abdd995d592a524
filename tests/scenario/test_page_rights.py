"""Every page × every role, members, outsiders and nobody: nothing that is closed to somebody is in what they get.

A page that is in no row here fails: who adds one says who may see it, and looks at it as each of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from aiohttp import web
from openpyxl import load_workbook

from bot.bootstrap.pages import PAGES
from bot.erp.kinds import KINDS
from bot.web.oauth.clients import make_client
from bot.web.oauth.consent import ConsentPages
from bot.web.pages.login import LoginPages
from bot.web.pages.rules import RulePages
from bot.web.pages.site import PageSite
from bot.words.disclosure import FieldClass
from tests.project.permission_page import people
from tests.scenario.alerts.scenario import AlertScenario, open_timeline_in
from tests.scenario.conftest import OUTSIDER
from tests.scenario.test_least_disclosure import MONEY, open_fixture
from tests.scenario.test_pages import HOSTILE, MOST_BYTES
from tests.scenario.test_permission_matrix import MONEY_CLASSES, STAFF, allowed, granted
from tests.web.oauth_client import BACK, authorizing
from tests.web.page_client import PageClient, PageMarkup, Seen, page_client

_WITH_FIELDS = frozenset({*(kind.command for kind in KINDS), "stock"})
"""Commands whose rows say which fields are seen; what others show is of several kinds."""
_AGENT = make_client({"client_name": "Agent", "redirect_uris": [BACK]})
AUTHORIZING = authorizing(_AGENT.id)
ADDRESSES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "/": {"/": ""},
        "/today": {"/today": ""},
        "/week": {"/week": "report"},
        "/documents": {"/documents": ""},
        "/documents/{kind}": {
            **{f"/documents/{kind.command}": kind.command for kind in KINDS},
            "/documents/order?list=late": "order",
            "/documents/nothing": "",
        },
        "/alerts": {"/alerts": "alerts", "/alerts?scope=mine": "alerts", "/alerts?scope=ended": "alerts"},
        "/approvals": {"/approvals": "decisions"},
        "/approvals/{number}": {"/approvals/PO-1001": "decisions"},
        "/people": {"/people": "people"},
        "/people/{user}": {"/people/keeper01": "people", "/people/keeper01?command=po": "people"},
        "/people/{user}/sees": {
            "/people/salesmanager01/sees?line=/order+SO-1001": "people",
            "/people/keeper01/sees?line=/stock+SKU123": "people",
        },
        # Everybody's own; what else is in it is shown by tests/commands/test_efficiency.py.
        "/efficiency": {"/efficiency": "", "/efficiency?month=2026-10": ""},
        "/leadtimes": {"/leadtimes": ""},
        "/questions": {"/questions": "ask"},
        "/operations": {"/operations": "status"},
        # The page's own right, which is that of what only administrators may ask.
        "/rules": {"/rules": "status"},
        "/rules/{subject}": {"/rules/access": "status", "/rules/alerts": "status"},
        "/rules/{subject}/versions": {"/rules/access/versions": "status"},
        "/rules/change/{number}": {"/rules/change/1": "status"},
        # What asks in one's own name, and an agent that asks for that.
        "/programs": {"/programs": ""},
        "/oauth/authorize": {AUTHORIZING: ""},
        "/operations/audit": {"/operations/audit?word=keeper01": "audit"},
        "/operations/trace": {"/operations/trace?word=7K0M1QX9": "trace"},
        "/ask": {
            "/ask?line=/order+SO-1001": "order",
            "/ask?line=/po+PO-1001": "po",
            "/ask?line=/stock+SKU123": "stock",
            "/ask?line=/outbox": "outbox",
            "/ask?line=/erps": "erps",
            "/ask?line=/quota": "quota",
            "/ask?line=/audit+verify": "audit",
            "/ask?line=/deciders": "deciders",
            "/ask?line=/report+sales": "report",
            "/ask?line=/whoami": "",
            "/ask?line=/lang+en": "",
        },
        "/file": {
            "/file?line=/order": "order",
            "/file?line=/po": "po",
            "/file?line=/outbox": "outbox",
            "/file?line=/deciders": "deciders",
        },
    }
)
"""By the path of a page its addresses, each with the command by whose rows of the permission page it is open; empty for
what everybody has.
"""
FORMS: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        "/do": ("/do", {"token": "ask|0|/lang en"}),
        "/alerts/mute": ("/alerts/mute", {"what": "stock.low", "span": "2h"}),
        "/rules/{subject}": ("/rules/access", {"text": "open = true", "action": "check"}),
        "/rules/change/{number}": ("/rules/change/1", {"decision": "publish"}),
        "/programs": ("/programs", {"key": "00000000"}),
        "/oauth/authorize": ("/oauth/authorize", {"decision": "allow", "tool-stock": "1"}),
    }
)
"""By the path of each form an address, and what it takes."""
OF_THE_LOGIN = frozenset(
    {"GET /login", "GET /login/callback", "POST /login/client", "POST /logout", "GET /static/{name}"}
)
"""Where nobody is logged in yet, or what holds nothing of anybody's; `tests/scenario/test_pages.py` has them."""


def test_each_route_of_the_pages_has_its_row() -> None:
    # To mount them none of their parts is needed.
    nothing: Any = None
    rules = RulePages(nothing, nothing, nothing, nothing, nothing, nothing)
    agents = ConsentPages(nothing, nothing, nothing)
    pages = (*PAGES, *rules.pages, *agents.pages)
    site = PageSite(nothing, LoginPages(nothing, nothing, nothing, nothing), pages, nothing)
    app = web.Application()
    site.mount(app)
    mounted = {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    rows = {*(f"GET {path}" for path in ADDRESSES), *(f"POST {path}" for path in FORMS)}
    assert mounted - OF_THE_LOGIN == rows


@pytest.fixture
async def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AlertScenario]:
    """A bot with the ready rules, and somebody for each role; an alert whose texts are markup is shown in a group."""
    monkeypatch.chdir(tmp_path)
    roles = {role: frozenset({STAFF[role]}) for role in STAFF if role != "no role"}
    access = {"directory": None, "presets": True, "roles": roles}
    async with open_timeline_in(tmp_path, access=access) as opened:
        await opened.post(opened.low("SKU123", "3", name=HOSTILE, warehouse=HOSTILE))
        yield opened


@pytest.fixture
async def browsers(scenario: AlertScenario) -> AsyncIterator[Mapping[str, PageClient]]:
    """A browser for each role."""
    url = scenario.system.app.settings.http.public_url
    async with AsyncExitStack() as stack:
        found = {role: await stack.enter_async_context(page_client(url)) for role in STAFF}
        for role, browser in found.items():
            await browser.log_in(STAFF[role])
        yield found


def _told(page: Seen) -> str:
    """Return all that came: the text of a page, or the cells of a file."""
    if page.headers["Content-Type"].startswith("text/"):
        return page.text
    book = load_workbook(BytesIO(page.content))
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.value is not None]
    return " ".join(f"{cell.value} CNY" if "¥" in str(cell.number_format) else str(cell.value) for cell in cells)


def _open_to_others(page: Seen) -> list[str]:
    """Return what lets other sites or the next person at the computer in."""
    headers = page.headers
    wanted = {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
    }
    policy = headers.get("Content-Security-Policy", "")
    wrong = [name for name, value in wanted.items() if headers.get(name) != value]
    return [*wrong, *(["policy"] if "frame-ancestors 'none'" not in policy or "unsafe" in policy else [])]


async def test_each_role_gets_what_is_open_to_it_and_nothing_else(
    scenario: AlertScenario, browsers: Mapping[str, PageClient]
) -> None:
    partners = (await open_fixture(scenario.system)).partners
    wrong: list[str] = []
    told_money = set[str]()
    for role, person in people():
        fields = frozenset[FieldClass]().union(
            *(granted(kind.command, person) for kind in KINDS), granted("stock", person)
        )
        for address, command in (each for addresses in ADDRESSES.values() for each in addresses.items()):
            page = await browsers[role].get(address)
            told, may = _told(page), not command or allowed(command, person)
            here = granted(command, person) if command in _WITH_FIELDS else fields
            case = f"{role} {address}: {page.status}"
            if "/file" not in address and (page.status == 403) is may:
                wrong.append(case)  # instead of a file there is a page that says why
            if not may and not page.headers["Content-Type"].startswith("text/html"):
                wrong.append(f"{case}, a file")
            if (amounts := MONEY.findall(told)) and not here & MONEY_CLASSES:
                wrong.append(f"{case}, {amounts[:3]}")
            if FieldClass.PARTNER not in here and (names := [name for name in partners if name in told]):
                wrong.append(f"{case}, {names[:3]}")
            if amounts:
                told_money.add(role)
            wrong += [f"{case}, {each}" for each in _open_to_others(page)]
            if page.html and PageMarkup.of(page.html).is_foreign:
                wrong.append(f"{case}, markup of a text")
            if len(page.content) > MOST_BYTES:
                wrong.append(f"{case}, {len(page.content)} bytes")
    assert wrong == []
    assert {"finance", "manager", "admin"} <= told_money, "the amounts were there to be seen"


async def test_nobody_and_outsiders_get_the_login_alone(scenario: AlertScenario) -> None:
    url = scenario.system.app.settings.http.public_url
    async with page_client(url) as nobody, page_client(url) as outsider:
        assert (await outsider.log_in(OUTSIDER)).status == 403
        for browser in (nobody, outsider):
            for addresses in ADDRESSES.values():
                for address in addresses:
                    page = await browser.get(address)
                    assert page.address.path == "/login", address
                    assert not MONEY.search(page.text)
            for path, fields in FORMS.values():
                page = await browser.post(path, {**fields, "form": "0" * 64})
                assert page.address.path == "/login", path


async def test_a_form_without_the_sessions_own_token_does_nothing_anywhere(
    browsers: Mapping[str, PageClient],
) -> None:
    admin, keeper = browsers["admin"], browsers["keeper"]
    stolen = (await keeper.get("/")).form_token
    own = (await admin.get("/")).form_token
    for path, fields in FORMS.values():
        for sent, headers in (
            (fields, {}),
            ({**fields, "form": stolen}, {}),
            ({**fields, "form": own}, {"Origin": "https://evil.example"}),
            ({**fields, "form": own}, {"Sec-Fetch-Site": "cross-site"}),
        ):
            assert (await admin.post(path, sent, headers=headers)).status == 403, path
    assert 'lang="zh-CN"' in (await admin.get("/")).html
