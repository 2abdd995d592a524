"""Hosts on the public internet: what others name is fetched or called there only, never inside the network."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from socket import AF_INET, AddressFamily

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult


def is_inside(host: str) -> bool:
    """Return whether this is an IP address that is not publicly reachable; False for a name."""
    try:
        number = ip_address(host)
    except ValueError:
        return False
    number = getattr(number, "ipv4_mapped", None) or number
    return not number.is_global or number.is_multicast


class OutsideResolver(AbstractResolver):
    """Resolves hosts, and refuses internal ones: at connection time, as a name may change its meaning.

    Addresses that are written as numbers are not resolved: ask `is_inside`.
    """

    def __init__(self, refusal: Callable[[], Exception]) -> None:
        """``refusal`` returns the error to raise for an internal host."""
        self._names = aiohttp.ThreadedResolver()
        self._refusal = refusal

    async def resolve(self, host: str, port: int = 0, family: AddressFamily = AF_INET) -> list[ResolveResult]:
        found = await self._names.resolve(host, port, family)
        if any(is_inside(place["host"]) for place in found):
            raise self._refusal()
        return found

    async def close(self) -> None:
        await self._names.close()
