"""What the bot that runs already says of itself; without one, whether its port is free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from bot.doctor.results import CheckGrade, CheckResult
from bot.errors import ConfigurationError
from bot.phrase import Phrase, Words, phrase, unpack_words
from bot.settings import Settings
from bot.web.server import listening

_SECONDS = 5.0
"""For the answer of a bot on this machine."""
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - read, not listened on
"""Addresses to listen on at all interfaces, and where a bot that does is reached."""

_GRADES = {"ok": CheckGrade.GOOD, "degraded": CheckGrade.NOTE, "down": CheckGrade.BAD}


async def check_running(settings: Settings) -> list[CheckResult]:
    """Ask the bot that listens on the configured port how it is; nothing is shown of a port chosen at the start."""
    if not settings.http.port:
        return []
    what = phrase("HTTP port %(port)s", port=settings.http.port)
    try:
        said = await _readiness(settings)
    except aiohttp.ClientConnectorError:
        return [_free_port(what, settings)]
    except (aiohttp.ClientError, TimeoutError, ValueError):
        said = None
    if said is None:
        remedy = phrase("End that program, or set DINGERP_HTTP__PORT.")
        return [CheckResult(what, CheckGrade.BAD, phrase("another program listens there"), remedy)]
    running = CheckResult(what, CheckGrade.GOOD, phrase("a bot runs here; it says of itself:"))
    return [running, *(_part_result(name, part) for name, part in said.items())]


async def _readiness(settings: Settings) -> Mapping[str, Mapping[str, Any]] | None:
    """Return the parts of a running bot, None if it is not one of ours."""
    host = _EVERYWHERE.get(settings.http.host, settings.http.host)
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout) as client,
        client.get(f"http://{host}:{settings.http.port}/readyz") as answer,
    ):
        body = await answer.json(content_type=None)
    parts = body.get("parts") if isinstance(body, dict) else None
    return parts if isinstance(parts, dict) else None


def _part_result(name: str, part: Mapping[str, Any]) -> CheckResult:
    what = phrase("Running bot, %(part)s", part=name)
    grade = _GRADES.get(str(part.get("status")), CheckGrade.BAD)
    words = phrase("%(text)s", text=_reason(part))
    if grade is CheckGrade.GOOD:
        return CheckResult(what, grade, words if str(words) else phrase("well"))
    return CheckResult(what, grade, words, phrase("`/readyz` and the bot's log say more."))


def _reason(part: Mapping[str, Any]) -> Words:
    """Return why a part is as it is; a bot of another version may tell it in English only."""
    try:
        return unpack_words(part["message"])
    except (KeyError, ValueError):
        return str(part.get("reason", ""))


def _free_port(what: Phrase, settings: Settings) -> CheckResult:
    try:
        with listening(settings.http.host, settings.http.port):
            return CheckResult(what, CheckGrade.GOOD, phrase("free"))
    except ConfigurationError as error:
        words = phrase("%(text)s", text=error.detail)
        return CheckResult(what, CheckGrade.BAD, words, phrase("End that program, or set DINGERP_HTTP__PORT."))
