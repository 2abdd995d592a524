"""``POST /hooks/{source}`` over a real socket: the right answer to every request, and no event lost."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.alerts.intake.normalization import split_events
from bot.alerts.intake.port import EventState
from bot.alerts.intake.quota import SourceQuota
from bot.alerts.intake.webhook import MAX_BYTES, MAX_EVENTS
from bot.cards.escape import escape
from bot.store.database import Database
from bot.web import hooks
from tests.alerts.intake.samples import NOW, cloud_event
from tests.alerts.intake.signed_requests import OTHER_KEY, sign
from tests.examples import examples

from .hook_server import LATER, TOKEN, HookServer, hook_server


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
async def server(database: Database) -> AsyncIterator[HookServer]:
    async with hook_server(database) as server:
        yield server


@pytest.mark.parametrize("media", ["application/json", "application/cloudevents+json; charset=UTF-8"])
async def test_one_event(server: HookServer, media: str) -> None:
    body = json.dumps(cloud_event()).encode()
    status, receipt, headers = await server.post(body, sign(body, NOW, media=media))

    assert (status, receipt) == (202, {"accepted": 1, "duplicate": 0, "rejected": []})
    assert headers["Content-Type"].startswith("application/json")
    (kept,) = await server.kept()
    assert (kept.source, kept.via, kept.received_at) == ("main", "webhook", NOW)
    assert server.counted("accepted") == 1


async def test_a_batch_with_duplicate_ids_and_events_that_are_wrong(server: HookServer) -> None:
    batch = [
        cloud_event(),
        cloud_event(),
        cloud_event(id="E-2", type="stock.gone"),
        cloud_event(id="E-3", time="2026-11-24T05:00:00Z"),
        cloud_event(id=None),
        cloud_event(id="E-4"),
        17,
    ]
    status, receipt, _ = await server.post(batch)

    assert status == 202
    assert (receipt["accepted"], receipt["duplicate"]) == (2, 1)
    assert [each["reason"] for each in receipt["rejected"]] == [
        "type is not known here",
        "time is in the future",
        "id is missing",
        "not a JSON object",
    ]
    assert [each.id for each in await server.kept(EventState.WAITING)] == ["E-1", "E-4"]
    rejected = await server.kept(EventState.REJECTED)
    assert [(each.id, each.reason) for each in rejected] == [tuple(each.values()) for each in receipt["rejected"]]
    assert (await server.post(batch))[1] == receipt | {"accepted": 0, "duplicate": 3}
    assert len(await server.kept()) == 6


async def test_an_empty_batch(server: HookServer) -> None:
    assert (await server.post([]))[:2] == (202, {"accepted": 0, "duplicate": 0, "rejected": []})


def tampered(**changes: str) -> dict[str, str]:
    body = json.dumps(cloud_event()).encode()
    return sign(body, NOW) | {name.replace("_", "-"): value for name, value in changes.items()}


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in tampered().items() if key != name}


GOOD = json.dumps(cloud_event()).encode()


@pytest.mark.parametrize(
    ("body", "headers", "source", "status", "detail"),
    [
        (GOOD, None, "other", 404, "no such source is configured"),
        (GOOD, without("webhook-signature"), "main", 401, "webhook-signature is missing"),
        (GOOD, without("webhook-id"), "main", 401, "webhook-id is missing"),
        (GOOD, tampered(webhook_signature="v1,AAAA"), "main", 401, "the signature is wrong"),
        (GOOD, tampered(webhook_id="msg_2"), "main", 401, "the signature is wrong"),
        (GOOD + b" ", tampered(), "main", 401, "the signature is wrong"),
        (GOOD, sign(GOOD, NOW - LATER), "main", 401, "webhook-timestamp is too old or in the future"),
        (GOOD, sign(GOOD, NOW + LATER), "main", 401, "webhook-timestamp is too old or in the future"),
        (GOOD, sign(GOOD, NOW, key=b"somebody else's key"), "main", 401, "the signature is wrong"),
        (GOOD, sign(GOOD, NOW, key=OTHER_KEY), "small", 401, "the signature is wrong"),
        (GOOD, {"Content-Type": "application/json"}, "odoo", 401, "the token is missing"),
        (b'{"id": ', None, "main", 400, "no JSON: Expecting value at line 1, column 8"),
        (b"", None, "main", 400, "no JSON: Expecting value at line 1, column 1"),
        (b"\xff\xfe", None, "main", 400, "not UTF-8 at byte 0"),
        (b"[" * 50_000, None, "main", 400, "nested too deeply"),
        (b'"text"', None, "main", 400, "neither a JSON object nor an array of them"),
        (b"[]", tampered(Content_Type="text/plain"), "main", 415, "send application/cloudevents+json"),
        (b"[]", tampered(Content_Type="application/json; charset=gbk"), "main", 415, "send UTF-8"),
        (b"[]", tampered(Content_Encoding="br"), "main", 415, "send it without compression"),
        (b"\x1f\x8b", tampered(Content_Encoding="gzip"), "main", 415, "send it without compression"),
        (b"{}", {"Content-Type": "application/cloudevents+json"}, "odoo", 415, "send application/json"),
        (b"[" + b"1," * MAX_EVENTS + b"1]", None, "main", 413, "at most 1000 events in one request"),
        (b" " * 1_001, None, "small", 413, "at most 1000 bytes"),
        (b" " * 10_000_000, None, "main", 413, f"at most {MAX_BYTES} bytes"),
    ],
)
async def test_what_is_refused_and_how(
    server: HookServer, body: bytes, headers: dict[str, str] | None, source: str, status: int, detail: str
) -> None:
    with capture_logs() as logs:
        found, problem, answer = await server.post(body, headers, source)

    assert (found, problem["status"]) == (status, status)
    assert problem["detail"].startswith(detail)
    assert problem["title"]
    assert answer["Content-Type"] == "application/problem+json"
    assert not await server.kept()
    (line,) = (each for each in logs if each["event"] == "hook.refused")
    name = "unknown" if status == 404 else source
    assert (line["status"], line["source"]) == (status, name)
    assert "SKU123" not in str(line)
    outcome = problem["title"].lower().replace(" ", "_")
    assert server.counted(outcome, name) == 1


async def test_a_body_without_content_type_is_refused(server: HookServer) -> None:
    answer = await exchange(server, b"POST /hooks/main HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")

    assert answer.startswith(b"HTTP/1.1 415 ")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_post_is_served(server: HookServer, method: str) -> None:
    assert (await server.client.request(method, server.url())).status == 405


async def exchange(server: HookServer, data: bytes) -> bytes:
    """Send raw bytes and return what comes back until the server has answered or hung up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(data)
        await writer.drain()
        return await asyncio.wait_for(reader.read(4096), 60)
    finally:
        writer.close()


HEAD = b"POST /hooks/main HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


async def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(server: HookServer) -> None:
    answer = await exchange(server, HEAD + b"Content-Length: 10000000\r\n\r\n[")

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in answer


async def test_chunks_that_become_too_large_are_refused_before_the_end(server: HookServer) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    answer = await exchange(server, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 17)

    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_wrong_chunks_are_a_bad_request(server: HookServer) -> None:
    answer = await exchange(server, HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")

    assert b" 400 Bad Request" in answer.split(b"\r\n")[0]


async def test_a_sender_that_hangs_up_in_the_middle_leaves_nothing_behind(
    server: HookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, problem = asyncio.Event(), hooks._problem

    def note(why: Any) -> web.Response:
        refused.set()
        return problem(why)

    monkeypatch.setattr(hooks, "_problem", note)
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(HEAD + b"Content-Length: 1000\r\n\r\n[{")
    await writer.drain()
    writer.close()
    await asyncio.wait_for(refused.wait(), 60)

    assert (await server.post(cloud_event()))[0] == 202
    assert len(await server.kept()) == 1
    assert server.counted("bad_request") == 1


async def test_a_body_that_does_not_come_to_its_end_is_given_up(
    server: HookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.hooks.BODY_SECONDS", 0.05)
    answer = await exchange(server, HEAD + b"Content-Length: 1000\r\n\r\n[{")

    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_chunked_bodies_are_read(server: HookServer) -> None:
    body = json.dumps([cloud_event()]).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 7):
            yield body[start : start + 7]

    async with server.client.post(server.url(), data=chunks(), headers=sign(body, NOW)) as answer:
        assert answer.status == 202
    assert len(await server.kept()) == 1


async def test_a_replay_within_the_window_changes_nothing(server: HookServer) -> None:
    body = json.dumps([cloud_event(), cloud_event(id="E-2", type="no")]).encode()
    headers = sign(body, NOW)
    await server.post(body, headers)
    before = await server.kept()
    status, receipt, _ = await server.post(body, headers)

    assert (status, receipt["accepted"], receipt["duplicate"], len(receipt["rejected"])) == (202, 0, 1, 1)
    assert await server.kept() == before


async def test_a_replay_after_the_window_is_refused(server: HookServer) -> None:
    body = json.dumps(cloud_event()).encode()
    headers = sign(body, NOW)
    await server.post(body, headers)
    server.clock.at += LATER

    assert (await server.post(body, headers))[0] == 401


async def test_both_secrets_count_while_they_are_changed(server: HookServer) -> None:
    body = json.dumps(cloud_event()).encode()

    assert (await server.post(body, sign(body, NOW, key=OTHER_KEY)))[0] == 202
    assert (await server.post(body, sign(body, NOW)))[1]["duplicate"] == 1


async def test_a_vendors_body_becomes_an_event_or_is_kept_with_the_reason(server: HookServer) -> None:
    media = {"Content-Type": "application/json"}
    order = {
        "_model": "purchase.order",
        "_id": 7,
        "name": "PO-1",
        "state": "to approve",
        "write_date": "2026-11-24 03:00:00",
    }
    assert (await server.post(order, media, "odoo", token=TOKEN))[1]["accepted"] == 1
    assert (await server.post(order, media, "odoo", token=TOKEN))[1]["duplicate"] == 1
    other = {"_model": "res.partner", "_id": 7, "name": "x"}
    _, receipt, _ = await server.post(other, {**media, "X-Hook-Token": TOKEN}, "odoo")

    assert [each["reason"] for each in receipt["rejected"]] == ["records of this model are no events here"]
    waiting, rejected = await server.kept()
    assert (waiting.type, waiting.subject, waiting.source) == ("po.submitted", "PO-1", "odoo")
    assert json.loads(rejected.raw) == other


async def test_a_text_of_50_000_characters_is_kept_whole_and_shown_short(server: HookServer) -> None:
    text = "螺丝 " * 16_666
    status, receipt, _ = await server.post(cloud_event(type="custom.x", data={"title": text, "text": text}))

    assert (status, receipt["accepted"]) == (202, 1)
    (kept,) = await server.kept()
    assert json.loads(kept.raw)["data"]["text"] == text
    (event,) = split_events(kept)
    assert len(event.title) <= 200


async def test_hostile_markdown_stays_text(server: HookServer) -> None:
    hostile = "**bold** [click](https://evil.example) ![x](y) <font color=red> @all `code` {{ 7*7 }} \u202e"
    assert (await server.post(cloud_event(type="custom.x", data={"title": hostile})))[1]["accepted"] == 1
    (kept,) = await server.kept()
    (event,) = split_events(kept)
    shown = str(escape(event.title))

    assert "{{ 7＊7 }}" in shown
    assert not re.search(r"\*\*|\]\(|<font|`|@all|\u202e", shown)


async def test_a_full_intake_answers_429_with_the_time_to_wait(database: Database) -> None:
    async with hook_server(database, max_waiting=0) as server:
        body = [cloud_event(id=f"E-{n}") for n in range(50)]
        answers = await asyncio.gather(*(server.post(body) for _ in range(20)))

        statuses = {status for status, _, _ in answers}
        assert statuses == {202, 429}
        for status, problem, headers in answers:
            if status == 429:
                assert problem["detail"] == "too many events wait to be stored"
                assert int(headers["Retry-After"]) >= 1
        assert len(await server.kept()) == 50


async def test_without_the_database_nothing_is_promised(server: HookServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.store.errors import StoreUnavailable

    def refuse(_database: Database, _call: Any, **_options: Any) -> Any:
        raise StoreUnavailable("OperationalError")

    with monkeypatch.context() as away:
        away.setattr(Database, "run_blocking", refuse)
        server.database._engine.dispose()
        status, problem, headers = await server.post(cloud_event())
    assert (status, problem["title"]) == (503, "Service Unavailable")
    assert problem["detail"] == "nothing was stored (StoreUnavailable); send it again"
    assert int(headers["Retry-After"]) >= 1

    assert (await server.post(cloud_event()))[1]["accepted"] == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["id", "source", "type", "specversion", "time", "subject", "severity", "data"])
BODIES = (
    st.binary(max_size=60)
    | JSON.map(json.dumps).map(str.encode)
    | st.lists(st.dictionaries(NAMES, JSON).map(lambda some: cloud_event() | some) | JSON, max_size=4)
    .map(json.dumps)
    .map(str.encode)
)


def test_whatever_body_comes_signed_each_part_of_it_is_accounted_for(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
        runner.run(database.migrate())
        serving = hook_server(database)
        server = runner.run(serving.__aenter__())

        @settings(max_examples=examples(2))
        @given(BODIES)
        def fuzz(body: bytes) -> None:
            runner.run(account_for(server, body))

        try:
            fuzz()
        finally:
            runner.run(serving.__aexit__(None, None, None))
            runner.run(database.close())


async def account_for(server: HookServer, body: bytes) -> None:
    status, answer, _ = await server.post(body)
    assert status in {202, 400}
    if status == 400:
        return
    decoded = json.loads(body)
    count = len(decoded) if isinstance(decoded, list) else 1
    assert answer["accepted"] + answer["duplicate"] + len(answer["rejected"]) == count
    kept = await server.kept()
    assert {each["id"] for each in answer["rejected"]} <= {each.id for each in kept}
    for each in kept:
        assert each.state is EventState.REJECTED or split_events(each)


async def test_a_source_beyond_its_quota_is_told_when_to_try_again(database: Database) -> None:
    quota = SourceQuota(60)
    async with hook_server(database, quota=quota) as server:
        batches = [[cloud_event(id=f"E-{batch}-{n}") for n in range(25)] for batch in range(3)]
        statuses = [(await server.post(batch))[0] for batch in batches[:2]]
        status, problem, headers = await server.post(batches[2])
        assert (statuses, status) == ([202, 202], 429)
        assert problem["detail"] == "50 events of main wait to be processed"
        assert int(headers["Retry-After"]) >= 1
        assert (await server.post(cloud_event(id="E-1"), source="small"))[0] == 202, "another source has its own quota"
        refused = {"source": "main", "via": "webhook", "outcome": "refused"}
        assert server.metrics.registry.get_sample_value("dingerp_events_total", refused) == 25
        assert len(await server.kept()) == 51, "what was accepted is there"
        quota.recount({})
        assert (await server.post(batches[2]))[0] == 202
