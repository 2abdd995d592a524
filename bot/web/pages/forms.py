"""Forms that browsers send: what one holds, and whether it is from a page of the same session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import web

MOST_BYTES = 16_384
"""Of a form, where a page does not say otherwise."""
_FORM_SECONDS = 10.0


async def read_form(request: web.Request, most_bytes: int = MOST_BYTES) -> Mapping[str, str] | None:
    """Return the fields of a form; None for what is none, or too long."""
    size = request.content_length
    if request.content_type != "application/x-www-form-urlencoded" or size is None or size > most_bytes:
        return None
    try:
        sent = await request.post()
    except (ValueError, LookupError):  # no text, in an encoding that there is
        return None
    return {name: value for name, value in sent.items() if isinstance(value, str)}


async def read_own_form(
    request: web.Request, origin: str, is_own: Callable[[str], bool], most_bytes: int = MOST_BYTES
) -> Mapping[str, str] | None:
    """Return the fields of a form of a page of ``origin`` whose token ``is_own``; None for any other."""
    sent = request.headers.get("Origin")
    if sent is not None and sent != origin:
        return None
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return None
    try:
        async with asyncio.timeout(_FORM_SECONDS):
            fields = await read_form(request, most_bytes)
    except TimeoutError:
        return None
    return fields if fields is not None and is_own(fields.get("form", "")) else None
