from __future__ import annotations

import aiohttp
import pytest

from bot.dingtalk.errors import DingTalkOutcomeUnknown, DingTalkRefused
from bot.dingtalk.media import MediaApi, MediaKind
from bot.dingtalk.openapi import OpenApi
from tests.dingtalk.conftest import API, OAPI, FakeDingTalk

UPLOAD_URL = f"{OAPI}/media/upload?type=image&access_token=token-1"
ADDRESS_URL = f"{API}/v1.0/robot/messageFiles/download"
FILE_URL = "https://files.dingtalk.com/f?sign=secret"


@pytest.fixture
def media(api: OpenApi, dingtalk: FakeDingTalk) -> MediaApi:
    dingtalk.token()
    return MediaApi(api)


async def test_an_upload_survives_a_repetition(media: MediaApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(UPLOAD_URL, exception=TimeoutError())
    dingtalk.post(UPLOAD_URL, payload={"errcode": 0, "media_id": "@lAD1"})
    assert await media.upload(MediaKind.IMAGE, "图.png", b"png", "image/png") == "@lAD1"
    first, second = (asked["data"] for asked in dingtalk.asked(UPLOAD_URL))
    assert isinstance(second, aiohttp.FormData)
    assert first is not second


async def test_an_upload_without_an_id(media: MediaApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(UPLOAD_URL, payload={"errcode": 0})
    with pytest.raises(DingTalkOutcomeUnknown):
        await media.upload(MediaKind.IMAGE, "a.png", b"png", "image/png")


async def test_a_refused_upload(media: MediaApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(UPLOAD_URL, payload={"errcode": 40004, "errmsg": "invalid media type"})
    with pytest.raises(DingTalkRefused, match="40004"):
        await media.upload(MediaKind.IMAGE, "a.png", b"png", "image/png")


async def test_a_download_goes_without_the_token(media: MediaApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(ADDRESS_URL, payload={"downloadUrl": FILE_URL})
    dingtalk.get(FILE_URL, status=500)
    dingtalk.get(FILE_URL, body=b"content")
    assert await media.download("code", "dingrobot") == b"content"
    assert "x-acs-dingtalk-access-token" not in dingtalk.asked(FILE_URL)[0]["headers"]


async def test_a_download_is_bounded(media: MediaApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(ADDRESS_URL, payload={"downloadUrl": FILE_URL})
    dingtalk.get(FILE_URL, body=b"x" * 11)
    with pytest.raises(DingTalkRefused, match="more than 10 bytes"):
        await media.download("code", "dingrobot", limit=10)


async def test_a_file_that_is_gone(media: MediaApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(ADDRESS_URL, payload={"downloadUrl": FILE_URL})
    dingtalk.get(FILE_URL, status=404)
    with pytest.raises(DingTalkRefused) as caught:
        await media.download("code", "dingrobot")
    assert "secret" not in caught.value.detail


async def test_no_address(media: MediaApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(ADDRESS_URL, payload={})
    with pytest.raises(DingTalkOutcomeUnknown):
        await media.download("code", "dingrobot")
