"""Asks the bot that runs on this machine how it is, and which rules it has read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

_SECONDS = 5.0
"""For the answer of a bot on this machine."""
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - read, not listened on
"""Addresses to listen on at all interfaces, and where a bot that does is reached."""


async def ask_running_bot(host: str, port: int) -> Mapping[str, Any] | None:
    """Return what the bot that listens there says at ``/readyz``, None if what listens is none of ours.

    Raises `aiohttp.ClientConnectorError` where nothing listens.
    """
    host = _EVERYWHERE.get(host, host)
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as client,
            client.get(f"http://{host}:{port}/readyz") as answer,
        ):
            body = await answer.json(content_type=None)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None
    return body if isinstance(body, dict) and isinstance(body.get("parts"), dict) else None
