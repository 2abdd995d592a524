"""Files at addresses that DingTalk provides: fetched from the public internet only, never from an internal network.

Such an address may be on any host (docs: platform/dingtalk/files.md#download), so it is trusted no more than user
input.
"""

from __future__ import annotations

from contextlib import suppress

import aiohttp
from yarl import URL

from bot.dingtalk.apis import Endpoints
from bot.dingtalk.errors import DingTalkRefused
from bot.mechanisms.outside_hosts import OutsideResolver, is_inside

_PORTS = {"http": 80, "https": 443}


def choose_source(name: str, address: str, endpoints: Endpoints) -> tuple[URL, bool]:
    """Return the address of a file, and whether it is on a configured host, which is called as it is.

    Other hosts are always called over TLS. Raises `DingTalkRefused` for an invalid or internal address.
    """
    try:
        url = URL(address, encoded=True)
        port = url.port
    except ValueError:
        raise DingTalkRefused(f"{name}: not a usable address") from None
    if url.scheme not in _PORTS or not url.host:
        raise DingTalkRefused(f"{name}: no address")
    if url.origin() in {URL(base).origin() for base in (endpoints.api, endpoints.oapi)}:
        return url, True
    if is_inside(url.host):
        raise _inside()
    if url.scheme == "http" and port == _PORTS["http"]:
        url = url.with_scheme("https").with_port(None)
    if url.scheme != "https":
        raise DingTalkRefused(f"{name}: not encrypted")
    return url, False


async def open_outside(proxy: str | None, url: URL) -> aiohttp.ClientSession:
    """Return a session for one file that refuses internal addresses; close it afterwards.

    A proxy resolves names itself, and may be internal: the file's host is resolved here all the same, if possible.
    """
    resolver = OutsideResolver(_inside)
    if proxy is not None and url.host is not None:
        with suppress(OSError):
            await resolver.resolve(url.host)
    connector = aiohttp.TCPConnector(resolver=None if proxy is not None else resolver, force_close=True)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, proxy=proxy)


def _inside() -> DingTalkRefused:
    return DingTalkRefused("a file inside the network is not fetched")
