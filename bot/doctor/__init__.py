"""Checks everything an answer needs, and explains in plain words what is wrong and how to fix it."""

from __future__ import annotations

from bot.bootstrap.factories import open_api
from bot.bootstrap.names import known_names, look_for_facts
from bot.chat.registry import installed_commands
from bot.dingtalk.openapi import pooled_session
from bot.doctor.dingtalk import check_app, find_robot
from bot.doctor.documents import check_read_model
from bot.doctor.local import (
    check_access_rules,
    check_audit,
    check_card_probes,
    check_chart_font,
    check_closed_groups,
    check_configured_keys,
    check_database,
    check_deciders,
    check_erps,
    check_index,
    check_keys,
    check_lost_rules,
    check_organisation,
    check_own_templates,
    check_parts,
)
from bot.doctor.results import CheckGrade as CheckGrade
from bot.doctor.results import CheckResult as CheckResult
from bot.doctor.results import describe_results as describe_results
from bot.doctor.running import check_running
from bot.mechanisms.metrics import Metrics
from bot.settings import Settings


async def run_checks(settings: Settings, *, group: str = "") -> tuple[CheckResult, ...]:
    """Run every check; ``group`` is the conversation the robot should be in."""
    findings = [check_keys(settings)]
    if not settings.keys_missing:
        async with pooled_session(proxy=settings.dingtalk.proxy or None) as session:
            api = open_api(settings, session, Metrics())
            app = [finding async for finding in check_app(settings, session, api)]
            findings += app
            if app[0].grade is not CheckGrade.BAD:
                findings.append(await find_robot(api, group))
    known = known_names(settings, installed_commands(), await look_for_facts(settings), is_strict=True)
    findings.append(check_access_rules(settings, known))
    findings += await check_closed_groups(settings)
    findings += check_parts(settings, known)
    findings += await check_lost_rules(settings, known)
    findings += [finding async for finding in check_database(settings)]
    findings += await check_audit(settings)
    findings += await check_running(settings)
    findings += await check_organisation(settings)
    findings += [finding async for finding in check_erps(settings)]
    findings += check_configured_keys(settings)
    findings += await check_deciders(settings)
    findings += await check_index(settings)
    findings += await check_read_model(settings)
    findings += check_own_templates(settings)
    findings += await check_card_probes(settings)
    findings.append(await check_chart_font(settings))
    return tuple(findings)
