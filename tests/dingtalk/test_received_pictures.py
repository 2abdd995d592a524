"""Pictures that people sent: one billed call fetches each, and what cannot be read is told apart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from zxingcpp import BarcodeFormat

from bot.chat.message import Picture
from bot.chat.questions.code_scanner import CodeScanner
from bot.chat.questions.pictures import CALLS_SPARED, NO_PICTURE, TOO_LARGE, PictureUnreadable
from bot.dingtalk.apis import MESSAGE_FILE_CONTENT, Endpoints
from bot.dingtalk.errors import DingTalkRefused
from bot.dingtalk.files import ReceivedPictures
from bot.dingtalk.openapi import OpenApi, pooled_session
from bot.mechanisms.metrics import Metrics
from bot.words.phrase import Phrase
from tests.chat.code_pictures import photo
from tests.dingtalk.conftest import API, KEYS, FakeDingTalk
from tests.rows import each_row

ASK_URL = f"{API}/v1.0/robot/messageFiles/download"
FILE_URL = "https://files.example.com/p.jpg?Signature=a%2Fb"
PICTURE = Picture("mIof", "normal")


@pytest.fixture
async def pictures(api: OpenApi, dingtalk: FakeDingTalk) -> AsyncIterator[ReceivedPictures]:
    dingtalk.token()
    scanner = CodeScanner(seconds=30)
    yield ReceivedPictures(api, scanner, sparing=lambda: False, most=20_000)
    scanner.close()


async def test_the_codes_of_a_picture(pictures: ReceivedPictures, dingtalk: FakeDingTalk, metrics: Metrics) -> None:
    dingtalk.post(ASK_URL, payload={"downloadUrl": FILE_URL})
    dingtalk.get(FILE_URL, body=photo([(BarcodeFormat.QRCode, "SO-1001")]))
    assert await pictures.codes_in(PICTURE) == ("SO-1001",)
    assert orjson.loads(dingtalk.asked(ASK_URL)[0]["data"]) == {"robotCode": "dingappkey0001", "downloadCode": "mIof"}
    assert "headers" not in dingtalk.asked(FILE_URL)[0]
    done = {"api": "message_file", "outcome": "ok"}
    assert metrics.registry.get_sample_value("dingerp_api_calls_total", done) == 1


@pytest.mark.parametrize(
    ("body", "problem"), [(bytes(20_001), TOO_LARGE), (b"%PDF-1.7", NO_PICTURE), (b"", NO_PICTURE)]
)
async def test_files_that_are_not_read(
    pictures: ReceivedPictures, dingtalk: FakeDingTalk, body: bytes, problem: Phrase
) -> None:
    dingtalk.post(ASK_URL, payload={"downloadUrl": FILE_URL})
    dingtalk.get(FILE_URL, body=body)
    with pytest.raises(PictureUnreadable) as refusal:
        await pictures.codes_in(PICTURE)
    assert refusal.value.problem == problem


async def test_an_address_that_is_over(pictures: ReceivedPictures, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(ASK_URL, payload={"downloadUrl": FILE_URL})
    dingtalk.get(FILE_URL, status=403)
    with pytest.raises(PictureUnreadable, match="403"):
        await pictures.codes_in(PICTURE)


@pytest.mark.parametrize("address", [None, "", "file:///etc/hosts", 7, "https://", "http://[::1"])
async def test_answers_without_an_address(pictures: ReceivedPictures, dingtalk: FakeDingTalk, address: object) -> None:
    dingtalk.post(ASK_URL, payload={"downloadUrl": address})
    with pytest.raises(PictureUnreadable, match="address"):
        await pictures.codes_in(PICTURE)


@dataclass
class NetworkInside:
    """A server on loopback that DingTalk is said to be, or not, and what it was asked."""

    origin: str
    asked: list[str] = field(default_factory=list)


@pytest.fixture
async def inside() -> AsyncIterator[NetworkInside]:
    async def serve(request: web.Request) -> web.Response:
        network.asked.append(request.path)
        if request.path == "/moved":
            return web.Response(status=302, headers={"Location": f"{network.origin}/secret"})
        return web.Response(body=b"inside")

    app = web.Application()
    app.router.add_get("/{path}", serve)
    async with TestServer(app) as server:
        network = NetworkInside(f"http://127.0.0.1:{server.port}")
        yield network


INSIDE_HOSTS = (
    "127.0.0.1",
    "localhost",
    "127.1",
    "2130706433",
    "0.0.0.0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "10.0.0.7",
    "192.168.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "224.0.0.1",
    "[fe80::1]",
    "[fd00::1]",
)


@each_row("host", INSIDE_HOSTS)
@each_row("scheme", ["http", "https"])
@each_row("proxied", [False, True])
async def test_files_inside_a_network_are_not_fetched(
    inside: NetworkInside, metrics: Metrics, host: str, scheme: str, proxied: bool
) -> None:
    port = inside.origin.rpartition(":")[2]
    for address in (f"{scheme}://{host}:{port}/secret", f"{scheme}://{host}/secret"):
        async with pooled_session() as session:
            api = OpenApi(session, KEYS, metrics=metrics, proxy=inside.origin if proxied else None)
            with pytest.raises(DingTalkRefused):
                await api.fetch(MESSAGE_FILE_CONTENT, address, limit=100)
    assert not inside.asked


@each_row("path, asked", [("secret", ["/secret"]), ("moved", ["/moved"])])
async def test_the_configured_host_may_lie_inside_and_leads_nowhere_else(
    inside: NetworkInside, metrics: Metrics, path: str, asked: list[str]
) -> None:
    inside.asked.clear()
    async with pooled_session() as session:
        api = OpenApi(session, KEYS, metrics=metrics, endpoints=Endpoints(api=inside.origin))
        try:
            assert await api.fetch(MESSAGE_FILE_CONTENT, f"{inside.origin}/{path}", limit=100) == b"inside"
        except DingTalkRefused:
            assert path == "moved"
    assert inside.asked == asked


async def test_a_picture_elsewhere_is_fetched_encrypted(pictures: ReceivedPictures, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(ASK_URL, payload={"downloadUrl": FILE_URL.replace("https", "http")})
    dingtalk.get(FILE_URL, body=photo([(BarcodeFormat.QRCode, "SO-1001")]))
    assert await pictures.codes_in(PICTURE) == ("SO-1001",)


async def test_a_redirect_of_the_platform_is_not_followed(pictures: ReceivedPictures, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(ASK_URL, payload={"downloadUrl": FILE_URL})
    dingtalk.get(FILE_URL, status=302, headers={"Location": "http://169.254.169.254/latest"})
    with pytest.raises(PictureUnreadable, match="302"):
        await pictures.codes_in(PICTURE)


async def test_no_picture_is_fetched_while_calls_are_spared(api: OpenApi, dingtalk: FakeDingTalk) -> None:
    scanner = CodeScanner(seconds=30)
    pictures = ReceivedPictures(api, scanner, sparing=lambda: True)
    with pytest.raises(PictureUnreadable) as refusal:
        await pictures.codes_in(PICTURE)
    scanner.close()
    assert refusal.value.problem == CALLS_SPARED
    assert not dingtalk.asked(ASK_URL)
