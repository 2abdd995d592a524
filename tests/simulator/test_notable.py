"""AI tables over the API and in the client (docs: platform/dingtalk/ai-tables.md)."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.rows import each_row

BASE, SHEET = "base1", "Orders"


@pytest.fixture
def table(wire):
    return wire.engine.tables.add(BASE, SHEET, editors=[union(wire, "sales01")], readers=[union(wire, "keeper01")])


def union(wire, user_id):
    return wire.engine.person(user_id).union_id


def path(wire, *parts, by="sales01", base=BASE, sheet=SHEET, token=""):
    operator = union(wire, by).replace("+", "%2B").replace("/", "%2F") if by else "nobody"
    more = f"&clientToken={token}" if token else ""
    return "/".join([f"/v1.0/notable/bases/{base}/sheets/{sheet}", *parts]) + f"?operatorId={operator}{more}"


def rows(*titles):
    return {"records": [{"fields": {"标题": title}} for title in titles]}


async def listed(wire, **body):
    return (await wire.api("POST", path(wire, "records", "list"), body))[1]


async def test_records_are_inserted_changed_and_deleted(wire, table):
    table.records.clear()
    _, made = await wire.api("POST", path(wire, "records"), rows("A", "B"))
    first, second = [each["id"] for each in made["value"]]
    changes = {"records": [{"id": first, "fields": {"标题": "C"}}]}
    assert (await wire.api("PUT", path(wire, "records"), changes))[0] == 200
    assert await wire.api("POST", path(wire, "records", "delete"), {"recordIds": [second]}) == (200, {"success": True})
    assert await listed(wire) == {"records": [{"id": first, "fields": {"标题": "C"}}], "hasMore": False}


async def test_the_same_token_inserts_once(wire, table):
    token = str(uuid4())
    _, made = await wire.api("POST", path(wire, "records", token=token), rows("A"))
    assert await wire.api("POST", path(wire, "records", token=token), rows("A")) == (200, made)
    assert len(table.records) == 2


async def test_records_come_by_pages(wire, table):
    await wire.api("POST", path(wire, "records"), rows("A", "B", "C"))
    first = await listed(wire, maxResults=3)
    assert (len(first["records"]), first["hasMore"]) == (3, True)
    second = await listed(wire, maxResults=3, nextToken=first["nextToken"])
    assert ([each["fields"] for each in second["records"]], second["hasMore"]) == ([{"标题": "C"}], False)


async def test_columns_are_added(wire, table):
    assert (await wire.api("POST", path(wire, "fields"), {"name": "Status", "type": "text"}))[0] == 200
    _, told = await wire.api("GET", path(wire, "fields"))
    assert [(each["name"], each["type"]) for each in told["value"]] == [("标题", "text"), ("Status", "text")]


@each_row(
    "where, body, status, code",
    [
        ({"base": "none"}, rows("A"), 404, "invalidRequest.document.notFound"),
        ({"sheet": "none"}, rows("A"), 404, "invalidRequest.resource.notFound"),
        ({"by": "keeper01"}, rows("A"), 403, "forbidden.accessDenied"),
        ({"by": ""}, rows("A"), 403, "forbidden.user.notInOrg"),
        ({}, rows(*["A"] * 101), 400, "invalidRequest.inputArgs.overLimit"),
        ({}, {"records": []}, 400, "invalidRequest.inputArgs.invalid"),
        ({}, rows(7), 400, "invalidRequest.inputArgs.invalid"),
        ({}, {"records": [{"fields": {"No": "A"}}]}, 404, "invalidRequest.resource.notFound"),
        ({"token": "7"}, rows("A"), 400, "invalidRequest.inputArgs.invalid"),
    ],
)
async def test_what_is_refused_changes_nothing(wire, table, where, body, status, code):
    got, told = await wire.api("POST", path(wire, "records", **where), body)
    assert (got, told["code"]) == (status, code)
    assert [*table.records.values()] == [{}]


async def test_somebody_edits_it_in_the_client(wire, table):
    record = next(iter(table.records))
    edit = {"base": BASE, "sheet": SHEET, "id": record, "fields": {"标题": "7"}}
    assert (await wire.call("POST", "/sim/tables", edit))[0] == 200
    _, told = await wire.call("GET", "/sim/tables")
    assert told["tables"][0]["records"] == [{"id": record, "fields": {"标题": "7"}}]
    assert (await wire.call("POST", "/sim/tables", {**edit, "id": "none"}))[0] == 400


async def test_tables_are_made_through_the_control_api(wire):
    made = {"base": BASE, "sheet": SHEET, "editors": ["sales01"]}
    assert (await wire.call("PUT", "/sim/tables", made))[0] == 200
    assert len((await listed(wire))["records"]) == 1
