"""Lists and documents by the API: filters, cursors, what is hidden, and that they are the chat's answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest

from bot.admin.api_keys import add_key
from bot.bootstrap.api import routes_of
from bot.chat.registry import Commands
from bot.erp.kinds import KINDS
from bot.kit.company.adapter import DemoErp
from bot.settings import RuleSettings
from bot.web.api.figures import FIGURES
from bot.web.api.openapi import describe
from bot.web.api.routes import ApiRoute
from bot.web.api.whose import WHOSE
from tests.rows import each_row
from tests.scenario.approvals.scenario import MANAGER, SMALL, OpenApprovalScenario
from tests.scenario.approvals.scenario import open_approval_scenario as open_approval_scenario
from tests.scenario.conftest import KEEPER, READING, BotSystem, OpenSystem
from tests.scenario.test_api import BOSS, Door, opened
from tests.scenario.test_least_disclosure import LINES
from tests.scenario.test_permission_matrix import POLICY, STAFF, asked, people
from tests.unlimited import NO_LIMIT
from tests.web.api_client import Told

ROUTES = routes_of(Commands.discover())
DESCRIPTION = describe(ROUTES)


@pytest.fixture
async def door(system: BotSystem) -> AsyncIterator[Door]:
    async with opened(system) as door:
        await door.key()
        yield door


def fits(told: Told, path: str, method: str = "get") -> list[str]:
    """Return how an answer differs from what the description promises of it."""
    responses = DESCRIPTION["paths"][f"/api/v1{path}"][method]["responses"]
    if str(told.status) not in responses:
        return [f"{told.status} is not promised"]
    (content,) = responses[str(told.status)]["content"].values()
    schema = {**content["schema"], "components": DESCRIPTION["components"]}
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    return [str(error) for error in validator.iter_errors(told.body)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.command)
async def test_each_kind_has_its_list_and_its_documents(kind: Any, door: Door) -> None:
    listed = await door.client.get(f"/{kind.command}", limit="2")
    assert len(listed.view["rows"]) == 2
    assert fits(listed, f"/{kind.command}") == []
    row = listed.view["rows"][0]
    one = await door.client.get(f"/{kind.command}/{row.get('number') or row['code']}")
    assert one.view["document"]["id"] == row["id"]
    assert fits(one, f"/{kind.command}/{{number}}") == []
    assert one.view["freshness"]["as_of"]
    assert (await door.client.get(f"/{kind.command}/NO-SUCH-1")).status == 404


async def numbers(door: Door, **query: str) -> list[str]:
    """Return the numbers on all parts of a list of orders."""
    found, cursor = list[str](), dict[str, str]()
    while True:
        told = await door.client.get("/order", **query, **cursor)
        found += [row["number"] for row in told.view["rows"]]
        if told.body["next"] is None:
            assert told.view["total"] == len(found)
            return found
        cursor = {"cursor": told.body["next"]}


async def test_parts_of_a_list_are_the_whole_of_it(door: Door) -> None:
    whole = await numbers(door, list="open", limit="100")
    assert len(whole) > 30
    assert await numbers(door, list="open", limit="7") == whole


async def test_a_cursor_goes_on_after_what_was_told_also_where_others_came_before_it(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a list shows is moved below the cursor: documents come before it, and the last that was told may go."""
    whole = await numbers(door, limit="100")
    told = await door.client.get("/order", limit="5")
    assert [row["number"] for row in told.view["rows"]] == whole[:5]
    read = DemoErp.documents
    gone = {whole[4], whole[10]}

    async def changed(erp: DemoErp, kind: Any, query: Any) -> Any:
        everything = (await read(erp, kind, replace(query, offset=0, limit=10_000))).items
        new = tuple(replace(everything[0], number=f"NEW-{each}", id=f"new-{each}") for each in range(3))
        items = (*new, *(each for each in everything if each.number not in gone))
        part = items[query.offset : query.offset + query.limit]
        return type(await read(erp, kind, query))(items=part, total=len(items))

    monkeypatch.setattr(DemoErp, "documents", changed)
    following = await door.client.get("/order", limit="5", cursor=told.body["next"])
    assert [row["number"] for row in following.view["rows"]] == [*whole[5:10]]
    after = await door.client.get("/order", limit="5", cursor=following.body["next"])
    assert [row["number"] for row in after.view["rows"]] == [*whole[11:16]]


@each_row("cursor", ["x", "WzFd", "eyJhIjoxfQ", "%"])
async def test_a_cursor_of_something_else_is_refused(cursor: str, door: Door) -> None:
    told = await door.client.get("/order", cursor=cursor)
    assert (told.status, told.body["errors"][0]["parameter"]) == (422, "cursor")
    other = (await door.client.get("/invoice", limit="1")).body["next"]
    assert (await door.client.get("/order", cursor=other)).status == 422


@each_row(
    "query, line",
    [
        ({"list": "late"}, "/order late"),
        ({"own": "true"}, "/order mine"),
        ({"product": "SKU123"}, "/order SKU123"),
        ({"partner": "宏达", "list": "open"}, "/order open 宏达"),
        ({"days": "last month"}, "/order last month"),
        ({"due": "this week"}, "/order due this week"),
        ({"text": "1001"}, "/order 1001"),
    ],
)
async def test_a_filter_is_what_people_type(query: dict[str, str], line: str, door: Door) -> None:
    told = await door.client.get("/order", **query)
    assert (told.status, told.body["line"]) == (200, line)
    shown = (await door.client.ask(line)).view
    if shown["card"] == "orders":
        assert (shown["total"], shown["total_amounts"]) == (told.view["total"], told.view["total_amounts"])


async def test_a_list_is_asked_for_by_who_created_it(open_system: OpenSystem) -> None:
    async with open_system(read_model={"enabled": True}, limits={"key": NO_LIMIT}) as system, opened(system) as door:
        await door.key()

        async def asked(**query: str) -> Told:
            return await door.client.get("/order", **query)

        wanted = {"created_by": "李娜", "list": "open"}
        while (told := await asked(**wanted)).status == 422:  # noqa: ASYNC110 - its copies are being read
            await asyncio.sleep(0.01)
        assert (told.status, told.body["line"]) == (200, "/order open by:李娜")
        assert {name for row in told.view["rows"] for name in row["created_by"][:1]} == {"李娜"}
        nobody = await asked(created_by="Nobody Here")
        assert nobody.status == 404, nobody.body
        anybody = await asked(created_by="who")
        assert (anybody.status, fits(anybody, "/order")) == (409, [])
        assert "/order by:sales01" in str(anybody.body["choices"])


@each_row(
    "query, status, parameter",
    [
        ({"text": "open"}, 422, "text"),
        ({"text": "last month"}, 422, "text"),
        ({"text": "\u200b"}, 422, "text"),
        ({"product": "宏达"}, 422, "product"),
        ({"text": "a", "partner": "b"}, 422, "text"),
        ({"days": "today", "due": "today"}, 422, "days"),
        ({"list": "paid"}, 422, "list"),
        ({"limit": "101"}, 422, "limit"),
        ({"limit": "many"}, 422, "limit"),
        ({"colour": "red"}, 422, "colour"),
        ({"days": "1001"}, 422, "days"),
        ({"own": "perhaps"}, 422, "own"),
    ],
)
async def test_what_a_list_would_read_otherwise_is_refused(
    query: dict[str, str], status: int, parameter: str, door: Door
) -> None:
    told = await door.client.get("/order", **query)
    assert told.status == status, told.body
    assert parameter in {error["parameter"] for error in told.body["errors"]}
    assert fits(told, "/order") == []


async def test_the_same_again_is_told_in_no_words(door: Door) -> None:
    told = await door.client.get("/order/SO-1001")
    again = await door.client.get("/order/SO-1001", headers={"If-None-Match": told.headers["ETag"]})
    assert (again.status, again.body) == (304, "")
    other = await door.client.get("/order/SO-1002", headers={"If-None-Match": told.headers["ETag"]})
    assert other.status == 200


@dataclass
class Ruled:
    """A program of a keeper, who sees quantities and names alone, and one of a boss, who sees all."""

    keeper: Door
    boss: Door


@pytest.fixture
async def ruled(open_system: OpenSystem) -> AsyncIterator[Ruled]:
    rules = (
        {"name": "keepers", "commands": ["*"], "roles": ["warehouse"], "fields": ["quantity", "partner"]},
        {"name": "bosses", "commands": ["*"], "roles": ["boss"], "fields": ["*"]},
    )
    access = {"rules": tuple(map(RuleSettings.model_validate, rules))}
    async with open_system(access=access) as system, opened(system) as keeper, opened(system) as boss:
        await keeper.key(KEEPER)
        await boss.key(BOSS)
        yield Ruled(keeper, boss)


def _differences(less: Any, more: Any) -> list[Any]:
    """Return what stands in one answer in place of something else in another, with the same form."""
    if isinstance(less, dict) and isinstance(more, dict) and less.keys() == more.keys():
        return [each for name in less for each in _differences(less[name], more[name])]
    if isinstance(less, list) and isinstance(more, list) and len(less) == len(more):
        return [each for pair in zip(less, more, strict=True) for each in _differences(*pair)]
    return [] if less == more else [less]


@each_row("path", ["/order/SO-1001", "/order", "/invoice/INV-7", "/invoice", "/po/PO-1001", "/customer/C001"])
async def test_what_is_hidden_is_there_and_says_so(path: str, ruled: Ruled) -> None:
    less, more = await ruled.keeper.client.get(path), await ruled.boss.client.get(path)
    view, whole = dict(less.view), dict(more.view)
    for each in (view, whole):
        each.pop("freshness")
    found = _differences(view, whole)
    assert found
    assert all(each in [{"hidden": name} for name in ("amount", "cost", "contact", "text")] for each in found), found
    assert '"currency"' not in str(less.body)


async def test_quantities_are_hidden_where_no_command_hides_them_before(open_system: OpenSystem) -> None:
    rule = {"name": "names", "commands": ["*"], "roles": ["*"], "fields": ["partner"]}
    access = {"rules": (RuleSettings.model_validate(rule),)}
    async with open_system(access=access) as system, opened(system) as door:
        await door.key(KEEPER)
        told = await door.client.ask("/stock SKU123")
        assert told.view["level"]["total"]["on_hand"] == {"hidden": "quantity"}
        assert fits(told, "/questions", "post") == []


async def test_amounts_that_are_hidden_are_no_filter(ruled: Ruled) -> None:
    told = await ruled.keeper.client.get("/invoice", amounts=">1000")
    assert told.status != 200 or told.view["rows"] == {"hidden": "amount"}, told.body


SIX = {role: STAFF[role] for role in ("keeper", "sales", "purchasing", "finance", "manager", "no role")}
_TAG = re.compile(r"<[^>]+>")
_FIGURE = re.compile(r"\d[\d,]*\.?\d*")


@pytest.mark.parametrize("one_in", [5, pytest.param(1, marks=pytest.mark.soak)])
async def test_a_program_is_told_what_its_owner_s_chat_tells(one_in: int, open_system: OpenSystem) -> None:
    """100 lines × 6 people: each figure of the card is in the answer, and what is refused there is refused here."""
    roles = {role: frozenset({STAFF[role]}) for role in STAFF if role != "no role"}
    access = {"directory": None, "presets": True, "roles": roles}
    async with open_system(access=access, **READING) as system, opened(system) as door:
        customer = (await system.app.hub.order("SO-1001")).value.customer
        vendor = (await system.app.hub.purchase_order("PO-1001")).value.vendor
        lines = [line.format(customer=customer, vendor=vendor) for line in _hundred()]
        turns = count()
        refused = figures = 0
        for who in SIX.values():
            await door.key(who)
            for line in lines:
                if next(turns) % one_in:
                    continue
                card = await system.ask(line, who, where=system.engine.direct(who).id)
                told = await door.client.ask(line)
                case = (who, line, card.markdown, told.body)
                assert fits(told, "/questions", "post") == [], case
                if told.status == 403:
                    assert told.body["detail"] in card.markdown, case
                    refused += 1
                    continue
                assert told.status == 200, case
                shown = {*_FIGURE.findall(_TAG.sub(" ", card.markdown))}
                assert shown <= {*_FIGURE.findall(told.body["text"])}, case
                figures += len(shown)
        assert refused
        assert figures


def _hundred() -> list[str]:
    """Return lines that only ask, whose answer is all in the card."""
    commands = Commands.discover()
    lists = [f"/{kind.command} {each}" for kind in KINDS for each in ("last month", "this year", "mine")]
    known = [*asked(commands), *(each for command in commands.values() for each in command.examples), *lists]
    asking = [line for line in dict.fromkeys((*LINES, *known)) if commands.only_asks(line)]
    lines = [line for line in asking if not line.startswith(_ASIDE)]
    assert len(lines) >= 100
    return [*islice(lines, 100)]


_ASIDE = ("/whoami", "/export", "/chart", "/导出", "/图", "/help", "/alerts", "/预警")


def test_each_kind_has_routes_of_its_own() -> None:
    """A kind that is new, or whose command is, comes by itself; nothing else is open."""
    routes = {(route.method, route.path) for route in ROUTES}
    documents = {("GET", f"/{kind.command}{more}") for kind in KINDS for more in ("", "/{number}")}
    figures = {("GET", each.path) for each in FIGURES}
    found = {path for each in ("/alerts", "/approvals", "/outbox") for path in (each, f"{each}/{{number}}")}
    others = {("GET", path) for path in (*found, "/audit", "/pending", "/whoami")}
    deeds = {("POST", f"/gate/requests{deed}") for deed in ("", "/{id}/withdraw", "/{id}/use", "/{id}/report")}
    gate = {*deeds, ("GET", "/gate/requests/{id}"), ("GET", "/gate/jwks.json")}
    proposals = {("GET", "/proposals"), ("GET", "/proposals/{id}"), ("POST", "/proposals/{id}/withdraw")}
    asks = {("POST", "/questions"), ("POST", "/proposals"), ("POST", "/events")}
    rules = {("GET", "/rules"), ("GET", "/rules/{subject}")}
    rules |= {("POST", f"/rules/{{subject}}/{deed}") for deed in ("check", "rehearse")}
    assert routes == documents | figures | others | gate | proposals | rules | asks


@pytest.fixture
async def matrix(open_system: OpenSystem) -> AsyncIterator[Door]:
    roles = {role: frozenset({STAFF[role]}) for role in STAFF if role != "no role"}
    access = {"directory": None, "presets": True, "roles": roles}
    async with open_system(access=access) as system, opened(system) as door:
        yield door


async def test_each_route_opens_what_the_rules_open(matrix: Door) -> None:
    """The permission matrix: each route × eight roles, as the decision function says of its command.

    The gate, proposals and events are opened by scopes of their own, to whatever role: `tests.scenario.test_gate`,
    `tests.scenario.test_proposals`, `tests.scenario.test_api_events`.
    """
    commands = Commands.discover()
    for role, person in people():
        await matrix.key(STAFF[role])
        for route in ROUTES:
            told = await _tried(matrix, route)
            name = _command_of(route)
            allowed = name not in {"gate", "proposals", "events"} and (
                route in OF_EVERY_KEY or POLICY.decide(person, commands[name].request()).allowed
            )
            assert (told.status != 403) == allowed, (role, route.address, told.body)


OF_EVERY_KEY = (WHOSE,)
"""What tells of the key alone."""


def _command_of(route: ApiRoute) -> str:
    named = {"questions": "stock", "approvals": "decisions", "why": "po"}
    return named.get(route.path.split("/")[1], route.path.split("/")[1])


_BODIES = {
    "gate_ask": {"class": "refund", "action": "Refund it", "facts": {}},
    "gate_use": {"facts_sha256": "0" * 64, "verdict": "v"},
    "gate_report": {"outcome": "done"},
    "gate_withdraw": {},
    "propose": {"line": "/watch SO-1001", "reason": "It is late"},
    "proposal_withdraw": {},
    "report_events": {"source": "demo", "events": [{}]},
    "check_rules": {"text": ""},
    "rehearse_rules": {"text": ""},
}


_QUERIES = {
    "/audit": {"about": "X-1"},
    "/stock": {"warehouse": "X-1"},
    "/find": {"text": "X-1"},
    "/promise/{product}": {"quantity": "1"},
}
"""What routes need."""


async def _tried(door: Door, route: ApiRoute) -> Told:
    if route.path == "/questions":
        return await door.client.ask("/stock SKU123")
    if route.method == "POST":
        return await door.client.send("POST", re.sub(r"{\w+}", "X-1", route.path), json=_BODIES[route.name])
    name = "PO-1001" if route.path.startswith("/why") else "X-1"
    return await door.client.get(re.sub(r"{\w+}", name, route.path), **_QUERIES.get(route.path, {}))


async def test_a_key_narrows_each_route(door: Door) -> None:
    now = datetime.now(UTC)
    token, *_ = await add_key(door.system.app.settings, BOSS, ["stock"], "1d", now)
    door.client.token = token
    for route in ROUTES:
        told = await _tried(door, route)
        is_open = route in OF_EVERY_KEY or _command_of(route) == "stock"
        assert (told.status == 403) != is_open, (route.address, told.body)


def _orders(told: Told) -> list[str]:
    rows = told.body.get("view", {}).get("rows", ())
    return [what for row in rows for what in row["what"] if what.startswith("SO-")]


async def test_the_audit_log_is_read_in_parts_though_it_grows(door: Door) -> None:
    await door.key("it01")
    for number in ("SO-1001", "SO-1002", "SO-1003"):
        await door.client.get(f"/order/{number}")
    while len(_orders(await door.client.get("/audit", about="it01"))) < 3:  # noqa: ASYNC110 - kept with a commit
        await asyncio.sleep(0.05)
    seen, cursor = list[str](), dict[str, str]()
    while True:  # each look at the log stands in it, too: there are as many parts as the wait above took looks
        told = await door.client.get("/audit", about="it01", limit="1", **cursor)
        assert fits(told, "/audit") == []
        seen += _orders(told)
        if told.body["next"] is None:
            break
        cursor = {"cursor": told.body["next"]}
    assert sorted(seen) == ["SO-1001", "SO-1002", "SO-1003"]


async def test_cases_and_alerts_are_read_and_nothing_is_decided(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario, opened(scenario.system) as door:
        now = datetime.now(UTC) + timedelta(days=300)
        token, *_ = await add_key(scenario.system.app.settings, "it01", ["*"], "365d", now)
        door.client.token = token
        for path in ("/approvals", f"/approvals/{SMALL}", "/alerts"):
            told = await door.client.get(path)
            shape = path.replace(SMALL, "{number}")
            assert fits(told, shape) == [], told.body
        listed = await door.client.get("/approvals", state="waiting")
        assert [row["number"] for row in listed.view["rows"]] == [SMALL]
        assert (await door.client.get("/approvals", state="settled")).view["rows"] == []
        assert (await door.client.get("/pending")).view["rows"] == [], "it waits for somebody else"
        token, *_ = await add_key(scenario.system.app.settings, MANAGER, ["*"], "365d", now)
        door.client.token = token
        waiting = await door.client.get("/pending")
        assert fits(waiting, "/pending") == []
        assert [(row["number"], row["partner"]) for row in waiting.view["rows"]] == [
            (row["number"], row["partner"]) for row in listed.view["rows"]
        ]


async def test_cards_that_were_sent_are_read(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario, opened(scenario.system) as door:
        now = datetime.now(UTC) + timedelta(days=300)
        token, *_ = await add_key(scenario.system.app.settings, "it01", ["*"], "365d", now)
        door.client.token = token
        told = await door.client.get("/outbox", state="sent", language="en")
        assert fits(told, "/outbox") == []
        assert {row["state"] for row in told.view["rows"]} == {"sent"}
        for row in told.view["rows"]:
            one = await door.client.get(f"/outbox/{quote(row['card'], safe='')}", language="en")
            assert fits(one, "/outbox/{number}") == []
            assert one.view["delivery"] == row
        assert (await door.client.get("/outbox/nothing")).status == 404
