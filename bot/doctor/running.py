"""The running bot's own report; without one, whether its port is free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from bot.bootstrap.rules import CONFIGURATION, KINDS
from bot.bootstrap.running_rules import RunningRules, compare_rules, read_on_disk
from bot.doctor.results import CheckGrade, CheckResult
from bot.mechanisms.health import words_of
from bot.settings import Settings
from bot.web.running_bot import ask_running_bot
from bot.web.server import listening
from bot.words.errors import ConfigurationError
from bot.words.phrase import Phrase, Words, phrase, unpack_words

_GRADES = {"ok": CheckGrade.GOOD, "degraded": CheckGrade.NOTE, "down": CheckGrade.BAD}


async def check_running(settings: Settings) -> list[CheckResult]:
    """Ask the bot on the configured port for its health; no result for a port chosen at the start."""
    if not settings.http.port:
        return []
    what = phrase("HTTP port %(port)s", port=settings.http.port)
    try:
        said = await ask_running_bot(settings.http.host, settings.http.port)
    except aiohttp.ClientConnectorError:
        return [_free_port(what, settings)]
    if said is None:
        remedy = phrase("End that program, or set DINGERP_HTTP__PORT.")
        return [CheckResult(what, CheckGrade.BAD, phrase("another program listens there"), remedy)]
    running = CheckResult(what, CheckGrade.GOOD, phrase("a bot runs here; it says of itself:"))
    parts = [_part_result(name, part) for name, part in said["parts"].items()]
    return [running, *parts, *_rule_results(settings, said.get("rules"))]


def _rule_results(settings: Settings, rules: object) -> list[CheckResult]:
    """Report for each rule file whether the running bot has read it; older versions do not tell."""
    if not isinstance(rules, dict):
        return []
    compared = {name: compare_rules(rules.get(name), read_on_disk(settings, name)) for name in (CONFIGURATION, *KINDS)}
    return [_rule_result(phrase("Running bot, %(part)s", part=name), found) for name, found in compared.items()]


def _rule_result(what: Phrase, found: RunningRules) -> CheckResult:
    if found.agrees:
        return CheckResult(what, CheckGrade.GOOD, found.words)
    remedy = phrase("If it stays so, restart the bot, and look at `/readyz`.")
    return CheckResult(what, CheckGrade.BAD, found.words, remedy)


def _part_result(name: str, part: Mapping[str, Any]) -> CheckResult:
    what = phrase("Running bot, %(part)s", part=words_of(name).name)
    grade = _GRADES.get(str(part.get("status")), CheckGrade.BAD)
    words = phrase("%(text)s", text=_reason(part))
    if grade is CheckGrade.GOOD:
        return CheckResult(what, grade, words if str(words) else phrase("well"))
    return CheckResult(what, grade, words, words_of(name).remedy)


def _reason(part: Mapping[str, Any]) -> Words:
    """Return the reason for a part's state; a bot of another version may give it in English only."""
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
