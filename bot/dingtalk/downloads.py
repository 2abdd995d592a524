"""Files at addresses that DingTalk hands out: fetched from the internet alone, never from a network behind it.

Such an address is no call: it may lie on any host (docs: platform/dingtalk/files.md#download), so what it names is
believed as little as what people write.
"""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from socket import AF_INET, AddressFamily

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.dingtalk.apis import Endpoints
from bot.dingtalk.errors import DingTalkRefused

_PORTS = {"http": 80, "https": 443}


def choose_source(name: str, address: str, endpoints: Endpoints) -> tuple[URL, bool]:
    """Return where to fetch a file and whether that is one of the configured hosts, which are asked as they are.

    Elsewhere the connection is encrypted in any case. Raises `DingTalkRefused` for what is no such address, or lies
    inside a network.
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
    _refuse_inside(url.host)
    if url.scheme == "http" and port == _PORTS["http"]:
        url = url.with_scheme("https").with_port(None)
    if url.scheme != "https":
        raise DingTalkRefused(f"{name}: not encrypted")
    return url, False


async def open_outside(proxy: str | None, url: URL) -> aiohttp.ClientSession:
    """Return a session for one file that connects to no address inside a network; close it afterwards.

    A proxy has its own names, and may lie inside: the file's host is looked up here all the same, where that is
    possible.
    """
    resolver = OutsideResolver()
    if proxy is not None and url.host is not None:
        with suppress(OSError):
            await resolver.resolve(url.host)
    connector = aiohttp.TCPConnector(resolver=None if proxy is not None else resolver, force_close=True)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, proxy=proxy)


class OutsideResolver(AbstractResolver):
    """Looks hosts up, and raises `DingTalkRefused` for one that lies inside a network: at the moment of connecting, as
    a name may mean something else each time."""

    def __init__(self) -> None:
        self._names = aiohttp.ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: AddressFamily = AF_INET) -> list[ResolveResult]:
        found = await self._names.resolve(host, port, family)
        for place in found:
            _refuse_inside(place["host"])
        return found

    async def close(self) -> None:
        await self._names.close()


def _refuse_inside(host: str) -> None:
    """Raise `DingTalkRefused` for the number of a host that not everybody on the internet can reach."""
    try:
        number = ip_address(host)
    except ValueError:
        return
    number = getattr(number, "ipv4_mapped", None) or number
    if not number.is_global or number.is_multicast:
        raise DingTalkRefused("a file inside the network is not fetched")
