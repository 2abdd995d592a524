"""Whatever comes over the wire: no traceback, nothing that its reader may not see, and every refusal is counted.

Messages, clicks and events by webhook are distorted at random; `make soak` tries more than 100 000 of them.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import re
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from datetime import UTC, datetime
from random import Random
from time import thread_time
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from aiohttp import ClientSession, WSMessage, WSMsgType
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.dingtalk.connection import Connection
from bot.kit.demo import DEMO_ACCESS, FINANCE_GROUP
from bot.kit.simulator.enterprise import demo_enterprise
from bot.kit.simulator.push_dispatcher import CALLBACK, CARD_CALLBACK, EVENT, MESSAGES
from bot.settings import HookSettings
from tests.alerts.intake.signed_requests import SECRET, sign
from tests.scenario.bad_clicks import private
from tests.scenario.conftest import KEEPER, OUTSIDER, READING, BotSystem, OpenSystem
from tests.scenario.distortion import Distorter
from tests.scenario.test_least_disclosure import MONEY, WAYS, DisclosureFixture, open_fixture
from tests.scenario.wire import WireCall

SEEDS = range(10)
SOME = pytest.param(0, 150, id="some")
MANY = [pytest.param(seed, 4_000, id=f"4000 of {seed}", marks=pytest.mark.soak) for seed in SEEDS]
SOME_HOOKS = pytest.param(0, 100, id="some")
MANY_HOOKS = [pytest.param(seed, 2_500, id=f"2500 of {seed}", marks=pytest.mark.soak) for seed in SEEDS]
BATCH = 50
LONG_RUN = 1_000
"""Inputs from which on each turn is timed: `make soak` alone gives so many."""

GROUP = demo_enterprise().groups[-1].id
"""With an outsider in it."""
PEOPLE = (KEEPER, KEEPER, "sales01", "finance01", "boss01", OUTSIDER, "ghost")
NOBODY = frozenset({OUTSIDER, "ghost"})
LINES = (
    "/order SO-1001",
    "/order late",
    "/invoice INV-7",
    "/po PO-1001",
    "/stock SKU123",
    "/mo MO-1",
    "/whoami",
    "/help",
    "SO-1001",
    "INV-7",
    "哪些订单延期了",
    "/pending",
    "/why PO-1001",
    "/audit SO-1001",
    "/order ' OR 1=1 --",
    "/invoice ../INV-7",
)
TOKENS = (
    *(f"ask|0|{line}" for line in LINES),
    "ask|8|/order late",
    "ask|0|/approve PO-1001",
    "ask|0|/bind",
    "po.yes|0123456789abcdef01234567-1|01234567",
    "po.all|1",
    "alert.ack|1",
    "alert.snooze|1|4h",
)
FIGURES = re.compile(r"91[,.]?827|45[,.]?678")
CUSTOMER, VENDOR = "苏州精工", "宁波五金"
_SENDABLE = re.compile(r"[\x20-\x7e]*").fullmatch
DOCUMENT = re.compile(r"\b(?:SO|INV|PO)-\d+")
ASKED = ("SO-1001", "INV-7", "PO-1001")
"""The documents that the lines name: an answer may repeat what was asked."""


class ScriptedSocket:
    """A WebSocket that gives the bot some texts and keeps what it sends."""

    def __init__(self) -> None:
        self.texts: deque[str] = deque()
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> WSMessage:
        if self.texts:
            return WSMessage(WSMsgType.TEXT, self.texts.popleft(), None)
        return WSMessage(WSMsgType.CLOSE, 1000, None)

    async def send_frame(self, payload: bytes, kind: WSMsgType) -> None:
        self.sent.append(orjson.loads(payload))

    def exception(self) -> BaseException | None:
        return None


async def push(system: BotSystem, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Give the bot frames as a connection does, wait until it has done with them, and return its ACKs."""
    socket, stream = ScriptedSocket(), system.app.stream
    socket.texts.extend(texts)
    dispatcher = stream._dispatcher
    connection = Connection(
        socket,  # type: ignore[arg-type]  # all of a socket that is used
        number=99,
        sink=dispatcher,
        policy=stream._policy,
        counts=stream._counts,
    )
    await connection.read()
    async with asyncio.timeout(60):
        await dispatcher._fewer_than(1)
    await system.settle()
    return socket.sent


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """No test may leave a traceback in the log, ours or that of the event loop."""
    names: list[str] = []
    with capture_logs() as entries, caplog.at_level(logging.ERROR):
        yield names
    assert [entry for entry in entries if entry.get("exc_info")] == []
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


@asynccontextmanager
async def opened(open_system: OpenSystem, seed: int, count: int, **changes: Any) -> AsyncIterator[DisclosureFixture]:
    """Open a system with rules by which people see different things; each seed has another way of private answers."""
    access = {"file": DEMO_ACCESS, "outsider_groups": (GROUP,)}
    async with open_system(
        access=access, cards={"private_way": WAYS[seed % len(WAYS)]}, **READING, **changes
    ) as system:
        fixture = await open_fixture(system)
        with short_turns() if count >= LONG_RUN else nullcontext():
            yield fixture


def frame(kind: str, topic: str, data: object, number: int) -> dict[str, Any]:
    headers = {"contentType": "application/json", "messageId": f"m{number}", "time": "1769851697756", "topic": topic}
    return {"specVersion": "1.0", "type": kind, "headers": headers, "data": data}


def message(system: BotSystem, random: Random, number: int) -> dict[str, Any]:
    who = random.choice(PEOPLE)
    direct = random.random() < 0.2 and who not in NOBODY
    where = system.engine.direct(who).id if direct else random.choice((GROUP, system.group, FINANCE_GROUP))
    return {
        "conversationId": where,
        "conversationType": "1" if direct else "2",
        "chatbotCorpId": system.engine.config.corp_id,
        "senderCorpId": system.engine.config.corp_id,
        "chatbotUserId": "$:LWCP_v1:$bot",
        "msgId": f"msg{random.choice((number, number, number, max(0, number - 3)))}",
        "senderNick": "小明",
        "isAdmin": False,
        "senderStaffId": who if who != OUTSIDER else random.choice((None, OUTSIDER)),
        "senderId": "$:LWCP_v1:$x",
        "createAt": 1769851697312,
        "atUsers": [{"dingtalkId": "$:LWCP_v1:$bot"}],
        "robotCode": system.engine.config.client_id,
        "msgtype": "text",
        "text": {"content": random.choice(LINES)},
    }


def click(system: BotSystem, random: Random, track_ids: Sequence[str]) -> dict[str, Any]:
    token = random.choice(TOKENS)
    content = private(ids=[token], params={"id": token})
    return {
        "extension": "{}",
        "corpId": random.choice((*[system.engine.config.corp_id] * 6, "dingother", "")),
        "spaceType": "im",
        "spaceId": random.choice((GROUP, system.group, FINANCE_GROUP, "dingdirect")),
        "userIdType": 1,
        "type": "actionCallback",
        "userId": random.choice(PEOPLE),
        "outTrackId": random.choice(track_ids),
        "content": json.loads(content) if random.random() < 0.5 else content,
        "value": content,
    }


def check_calls(fixture: DisclosureFixture, calls: Sequence[WireCall]) -> None:
    """Expect nothing in what groups share, or single people read, that they may not see."""
    for call in calls:
        assert not MONEY.search(call.shared_text), call
        if call.place.group in (GROUP, ""):
            assert not [name for name in fixture.partners if name in call.shared_text], call
        for reader, text in call.private_texts.items():
            check_reader(fixture, reader, text)


def check_reader(fixture: DisclosureFixture, reader: str, text: str) -> None:
    if reader == KEEPER:
        assert not MONEY.search(text), text
    if reader in NOBODY:
        assert not MONEY.search(text), text
        assert not [found for found in DOCUMENT.findall(text) if not found.startswith(ASKED)], text
        assert not [name for name in fixture.partners if name in text], text


LONGEST_TURN = 0.2
"""Seconds of the processor that one turn of the event loop may take: so long nobody else is answered."""


@contextmanager
def short_turns() -> Iterator[None]:
    """Count what each turn takes of the processor.

    Only the long runs ask for it, on a quiet machine: beside other work the same turn takes several times as much.
    What earlier tests left in memory is not this bot's: a collection of all of it takes a quarter of a second.
    """
    longest, run = 0.0, asyncio.Handle._run
    gc.collect()
    gc.freeze()

    def timed(handle: asyncio.Handle) -> None:
        nonlocal longest
        began = thread_time()
        run(handle)
        longest = max(longest, thread_time() - began)

    try:
        with patch.object(asyncio.Handle, "_run", timed):
            yield
    finally:
        gc.unfreeze()
    assert longest < LONGEST_TURN


def errors_of(system: BotSystem, room: str) -> Counter[str]:
    """Return a room's errors by their names."""
    (family,) = [each for each in system.app.metrics.registry.collect() if each.name == "dingerp_errors"]
    samples = [sample for sample in family.samples if sample.name.endswith("_total")]
    found = {each.labels["error"]: int(each.value) for each in samples if each.labels["room"] == room}
    return Counter(found)


def total(system: BotSystem, name: str, **labels: str) -> int:
    """Return the sum of a counter, over all labels that are not given."""
    (family,) = [each for each in system.app.metrics.registry.collect() if each.name == f"dingerp_{name}"]
    samples = [sample for sample in family.samples if sample.name.endswith("_total")]
    return round(sum(sample.value for sample in samples if labels.items() <= sample.labels.items()))


@pytest.mark.parametrize(("seed", "count"), [SOME, *MANY])
@pytest.mark.usefixtures("lines")
async def test_messages_and_frames(open_system: OpenSystem, seed: int, count: int) -> None:
    random = Random(seed)
    distorter = Distorter(random)
    async with opened(open_system, seed, count) as fixture:
        system = fixture.system
        before = errors_of(system, "stream")
        frames = total(system, "frames") - total(system, "frames", topic="ping")
        unacknowledged = refused = 0
        for start in range(0, count, BATCH):
            texts = []
            for number in range(start, start + BATCH):
                data: Any = distorter.bend(message(system, random, number))
                written = data if random.random() < 0.1 else distorter.write(data)
                kind, topic = (CALLBACK, MESSAGES) if random.random() < 0.9 else (EVENT, "*")
                whole = frame(kind, topic, written, number)
                texts.append(distorter.write(distorter.bend(whole) if random.random() < 0.3 else whole))
            acks = await push(system, texts)
            refused += sum(ack["code"] in {400, 404} for ack in acks)
            unacknowledged += BATCH - len(acks)
            assert {ack["code"] for ack in acks} <= {200, 400, 404}
            check_calls(fixture, fixture.wire.take())
        errors = errors_of(system, "stream") - before
        assert total(system, "frames") - frames - total(system, "frames", topic="ping") == count
        assert unacknowledged == errors["bad_frame"] + errors["unknown_type"] + errors["no_message_id"]
        assert refused <= errors["bad_data"] + errors["unknown_topic"] <= refused + errors["no_message_id"]
        unanswered = sum(total(system, "questions", outcome=why) for why in ("foreign_organisation", "not_delivered"))
        assert total(system, "questions") == total(system, "answers_sent") + unanswered


@pytest.mark.parametrize(("seed", "count"), [SOME, *MANY])
@pytest.mark.usefixtures("lines")
async def test_clicks(open_system: OpenSystem, seed: int, count: int) -> None:
    random = Random(seed)
    distorter = Distorter(random)
    async with opened(open_system, seed, count) as fixture:
        system = fixture.system
        # What the keeper may see, everybody in the group may: these cards stand there whatever the private way is.
        cards = [await system.ask(line, where=GROUP) for line in ("/order SO-1001", "/invoice INV-7", "/stock SKU123")]
        track_ids = [*(card.out_track_id for card in cards), "po-1001-3f0c9a"]
        fixture.wire.take()
        before, clicks = errors_of(system, "stream"), total(system, "clicks")
        for start in range(0, count, BATCH):
            sent = {}
            for number in range(start, start + BATCH):
                data = distorter.bend(click(system, random, track_ids))
                whole = frame(CALLBACK, CARD_CALLBACK, distorter.write(data), number)
                sent[f"m{number}"] = (data, json.dumps(whole))
            acks = await push(system, [text for _, text in sent.values()])
            assert sorted(ack["headers"]["messageId"] for ack in acks) == sorted(sent)
            for ack in acks:
                check_click(fixture, sent[ack["headers"]["messageId"]][0], ack)
            await system.settle()
            # Whoever may see more than the group gets a card of their own; nothing else is sent.
            for call in fixture.wire.take():
                assert len(call.place.readers) == 1, call
        errors = errors_of(system, "stream") - before
        assert total(system, "clicks") - clicks + errors["bad_data"] == count


def check_click(fixture: DisclosureFixture, data: Any, ack: dict[str, Any]) -> None:
    """Expect an answer to members of the organisation alone, with nothing that they may not see."""
    shown = json.dumps(ack["data"], ensure_ascii=False)
    if not isinstance(data, dict) or data.get("corpId") != fixture.system.engine.config.corp_id:
        assert not MONEY.search(shown), shown
        assert not [name for name in fixture.partners if name in shown], shown
    elif isinstance(reader := data.get("userId"), str):
        check_reader(fixture, reader, shown)


def event(random: Random, number: int, at: datetime) -> dict[str, Any]:
    kinds = {
        "stock.low": {"warehouse": "SH", "available": "12", "reorder_point": "50"},
        "invoice.overdue": {"customer": CUSTOMER, "amount": "91827.36", "currency": "CNY"},
        "po.submitted": {"supplier": VENDOR, "amount": "45678.90", "currency": "CNY"},
        "custom.news": {"title": "盘点", "text": "**今天** <b>17:00</b>", "facts": {"a": "b"}},
    }
    kind = random.choice(list(kinds))
    return {
        "specversion": "1.0",
        "id": f"E-{random.choice((number, number, max(0, number - 5)))}",
        "source": "/erp/main",
        "type": kind,
        "subject": f"DOC-{random.randrange(12)}",
        "time": at.isoformat(),
        "severity": random.choice(("info", "warning", "critical")),
        "data": kinds[kind],
    }


@pytest.mark.parametrize(("seed", "count"), [SOME_HOOKS, *MANY_HOOKS])
@pytest.mark.usefixtures("lines")
async def test_hooks(open_system: OpenSystem, seed: int, count: int) -> None:
    random = Random(seed)
    distorter = Distorter(random)
    hooks = {
        "main": HookSettings(secret=SecretStr(SECRET)),
        "odoo": HookSettings(scheme="odoo", secret=SecretStr("a-token-of-its-own"), currency="CNY"),
    }
    alerts = {"default_groups": (GROUP,)}
    async with opened(open_system, seed, count, hooks=hooks, alerts=alerts) as fixture, ClientSession() as client:
        statuses: Counter[int] = Counter()

        async def post(number: int) -> None:
            now = datetime.now(UTC)
            value: Any = [event(random, number, now) for _ in range(random.choice((1, 1, 3)))]
            body = distorter.write(distorter.bend(value)).encode("utf-8", "surrogatepass")
            headers = sign(body, now, message_id=f"msg_{number}")
            if random.random() < 0.2:
                bent = distorter.bend(headers)
                headers = {name: value for name, value in bent.items() if isinstance(value, str) and _SENDABLE(value)}
            source = random.choice(("main", "main", "main", "odoo", "x"))
            url = f"http://127.0.0.1:{fixture.system.app.port}/hooks/{source}"
            async with client.post(url, data=body, headers=headers) as answer:
                statuses[answer.status] += 1
                assert not FIGURES.search(await answer.text())

        def check_alerts() -> int:
            calls = fixture.wire.take()
            check_calls(fixture, calls)
            for call in calls:
                assert not FIGURES.search(call.shared_text), call
                assert CUSTOMER not in call.shared_text, call
                assert VENDOR not in call.shared_text, call
            return len(calls)

        shown = 0
        for start in range(0, count, BATCH):
            await asyncio.gather(*(post(number) for number in range(start, start + BATCH)))
            shown += check_alerts()
        if not shown:
            await fixture.system.engine.wait_for(lambda: fixture.wire.calls, timeout=60)
            assert check_alerts()
        unreadable = errors_of(fixture.system, "http").total()
        assert total(fixture.system, "hooks") + unreadable == statuses.total() == count
        assert set(statuses) <= {202, 400, 401, 404, 413, 415, 429}
