"""A DingTalk without network, clocks that jump, and samples for the tests of this package."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest
from aioresponses import aioresponses
from pydantic import SecretStr

from bot.cards.card import Card, CardButton
from bot.chat.message import Conversation, ConversationKind, Message, MessageKind, Sender, SessionWebhook
from bot.dingtalk.apis import AppKeys
from bot.dingtalk.openapi import ApiRetryPolicy, OpenApi
from bot.mechanisms.metrics import Metrics

API = "https://api.dingtalk.com"
OAPI = "https://oapi.dingtalk.com"
TOKEN_URL = f"{API}/v1.0/oauth2/accessToken"
CREATE_URL = f"{API}/v1.0/card/instances/createAndDeliver"
UPDATE_URL = f"{API}/v1.0/card/instances"
GROUP_URL = f"{API}/v1.0/robot/groupMessages/send"
DIRECT_URL = f"{API}/v1.0/robot/oToMessages/batchSend"
WEBHOOK_URL = f"{OAPI}/robot/sendBySession?session=0f1e2d3c"
NOW = datetime(2026, 1, 31, 9, 28, 17, tzinfo=UTC)
KEYS = AppKeys("dingappkey0001", SecretStr("app-secret"))
GROUP = Conversation("cidKp3Lr+/00==", ConversationKind.GROUP, "采购群")
DIRECT = Conversation("cidDirect==", ConversationKind.DIRECT)


class _Response(aiohttp.ClientResponse):
    """aioresponses 0.7.9 does not know the argument that aiohttp 3.14 added."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, stream_writer=Mock(), **kwargs)


class FakeDingTalk(aioresponses):
    """Answers queued per address; what was asked is in ``asked``."""

    def add(self, *args: Any, **kwargs: Any) -> None:
        super().add(*args, response_class=_Response, **kwargs)

    def token(self, token: str = "token-1", **kwargs: Any) -> None:
        self.post(TOKEN_URL, payload={"accessToken": token, "expireIn": 7200}, **kwargs)

    def asked(self, url: str) -> list[Any]:
        """Return the arguments of all requests to ``url``, whatever their query."""
        found = []
        for (_, where), calls in self.requests.items():
            if str(where).split("?")[0] == url.split("?")[0]:
                found += [call.kwargs for call in calls]
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer as soon as nothing else is to be done."""

    lateness = 0.0
    """Seconds that each timer comes late."""

    def __init__(self) -> None:
        self.now = 1000.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self.now


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("every task waits for something that will not come")
            self._loop.now += timeout + self._loop.lateness if timeout > 0 else 0
        return ready


Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def virtual() -> Iterator[Run]:
    """Runs a coroutine on a loop with a jumping clock."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        yield runner.run


@pytest.fixture
def dingtalk() -> Iterator[FakeDingTalk]:
    with FakeDingTalk() as fake:
        yield fake


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def api(session: aiohttp.ClientSession, metrics: Metrics) -> OpenApi:
    """A client that does not wait between repetitions."""
    return OpenApi(session, KEYS, metrics=metrics, patience=ApiRetryPolicy(overall=30), draw=lambda: 0.0)


def stock_card(**changes: Any) -> Card:
    values: dict[str, Any] = {
        "name": "stock",
        "language": "zh_CN",
        "title": "库存 SKU123",
        "body": "**可用** 12",
        "tips": "截至 17:28",
        "buttons": (
            CardButton("下一页", "blue", token="ask|8|/stock"),
            CardButton("打开", "gray", url="https://erp/1"),
        ),
        "twin": "库存 SKU123  \n  可用 12",
        "fields": {"sku": "SKU123", "available": "12"},
    }
    return Card(**{**values, **changes})


def question(**changes: Any) -> Message:
    values: dict[str, Any] = {
        "msg_id": "msg1==",
        "kind": MessageKind.TEXT,
        "text": "/stock SKU123",
        "conversation": GROUP,
        "sender": Sender(staff_id="manager4220", nick="王小明"),
        "sent_at": NOW,
        "robot_code": "dingrobot",
        "webhook": SessionWebhook(WEBHOOK_URL, NOW.replace(hour=11)),
    }
    return Message(**{**values, **changes})
