"""Checks everything that an answer needs, and says in plain words what is wrong and what to do about it."""

from __future__ import annotations

from bot.assembly.parts import open_api
from bot.dingtalk.openapi import pooled_session
from bot.doctor.dingtalk import look_at_dingtalk
from bot.doctor.finding import Finding, Grade, describe
from bot.doctor.home import look_at_database, look_at_erps, look_at_keys, look_at_own_templates
from bot.doctor.index import look_at_index
from bot.metrics import Metrics
from bot.settings import Settings

__all__ = ["Finding", "Grade", "describe", "examine"]


async def examine(settings: Settings, *, group: str = "") -> tuple[Finding, ...]:
    """Run every check; ``group`` is the conversation in which the robot should be."""
    findings = [look_at_keys(settings)]
    if not settings.keys_missing:
        async with pooled_session(proxy=settings.dingtalk.proxy or None) as session:
            api = open_api(settings, session, Metrics())
            findings += [finding async for finding in look_at_dingtalk(settings, session, api, group)]
    findings.append(await look_at_database(settings))
    findings += [finding async for finding in look_at_erps(settings)]
    findings += await look_at_index(settings)
    findings += look_at_own_templates(settings)
    return tuple(findings)
