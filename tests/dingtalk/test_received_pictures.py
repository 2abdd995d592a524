"""Pictures that people sent: one billed call fetches each, and what cannot be read is told apart."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest
from zxingcpp import BarcodeFormat

from bot.chat.message import Picture
from bot.chat.questions.code_scanner import CodeScanner
from bot.chat.questions.pictures import CALLS_SPARED, NO_PICTURE, TOO_LARGE, PictureUnreadable
from bot.dingtalk.files import ReceivedPictures
from bot.dingtalk.openapi import OpenApi
from bot.metrics import Metrics
from bot.phrase import Phrase
from tests.chat.code_pictures import photo
from tests.dingtalk.conftest import API, FakeDingTalk

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
    assert "x-acs-dingtalk-access-token" not in dingtalk.asked(FILE_URL)[0]["headers"]
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


@pytest.mark.parametrize("address", [None, "", "file:///etc/hosts", 7])
async def test_answers_without_an_address(pictures: ReceivedPictures, dingtalk: FakeDingTalk, address: object) -> None:
    dingtalk.post(ASK_URL, payload={"downloadUrl": address})
    with pytest.raises(PictureUnreadable, match="no address"):
        await pictures.codes_in(PICTURE)


async def test_no_picture_is_fetched_while_calls_are_spared(api: OpenApi, dingtalk: FakeDingTalk) -> None:
    scanner = CodeScanner(seconds=30)
    pictures = ReceivedPictures(api, scanner, sparing=lambda: True)
    with pytest.raises(PictureUnreadable) as refusal:
        await pictures.codes_in(PICTURE)
    scanner.close()
    assert refusal.value.problem == CALLS_SPARED
    assert not dingtalk.asked(ASK_URL)
