"""Serves the set-up until it has written its files, and says in the terminal where it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import segno

from bot.app import stop_signal, with_own_port
from bot.cards.language import load_languages
from bot.dingtalk.openapi import pooled_session
from bot.doctor.results import CheckGrade, CheckResult
from bot.mechanisms.metrics import Metrics
from bot.settings import Settings
from bot.setup.door import SetupDoor
from bot.setup.draft import STEP_TITLES, SetupDraft, SetupStep
from bot.setup.listening import GroupListener
from bot.setup.site import SETUP, SetupSite
from bot.web.pages.drawing import PageDrawing
from bot.web.pages.public_address import PublicAddress
from bot.web.server import listening, new_app, serving_at
from bot.words.phrase import phrase

_REMEDIES = {
    SetupStep.APP: phrase("Set DINGTALK_CLIENT_ID and DINGTALK_CLIENT_SECRET, or run `dingerp setup`."),
    SetupStep.ERP: phrase("Write a section [erp.main] into dingerp.toml, or run `dingerp setup`."),
    SetupStep.ACCESS: phrase("Choose who may see what: docs/how-to/configure-access.md, or run `dingerp setup`."),
    SetupStep.GROUP: phrase("Say where alerts go: docs/how-to/route-alerts.md, or run `dingerp setup`."),
}
_OPTIONAL = frozenset({SetupStep.GROUP})


def check_setup(settings: Settings) -> Sequence[CheckResult]:
    """Return for each step whether it is done, and what is missing."""
    done = SetupDraft().done(settings)
    return tuple(_result(step, is_done=step in done) for step in _REMEDIES)


def _result(step: SetupStep, *, is_done: bool) -> CheckResult:
    what = STEP_TITLES[step]
    if is_done:
        return CheckResult(what, CheckGrade.GOOD, phrase("is set up"))
    grade = CheckGrade.NOTE if step in _OPTIONAL else CheckGrade.BAD
    return CheckResult(what, grade, phrase("is missing"), _REMEDIES[step])


async def run_setup(settings: Settings, file: Path | None, show: Callable[[str], None]) -> bool:
    """Serve the set-up until its files are written; False if it is ended before. ``show`` writes to the terminal.

    Raises `ConfigurationError` if the port is taken, as by a running bot.
    """
    stop, zone = stop_signal(), ZoneInfo(settings.zone)
    app = new_app(Metrics())
    listener = GroupListener()
    with listening(settings.http.host, settings.http.port) as listeners:
        served = with_own_port(settings, listeners)
        address = PublicAddress(served.http.public_url or f"http://127.0.0.1:{listeners[0].getsockname()[1]}")
        door = SetupDoor(lambda token: show(_invitation(address.whole(f"{SETUP}?token={token}"))))
        async with pooled_session(proxy=settings.dingtalk.proxy or None) as session:
            site = SetupSite(
                settings=settings,
                file=file,
                drawing=PageDrawing(address),
                languages=load_languages(),
                door=door,
                listener=listener,
                http=session,
                now=lambda: datetime.now(zone),
            )
            site.mount(app)
            async with serving_at(app, listeners):
                door.open()
                await _first_of(site.written, stop)
            await listener.stop()
    return site.written.is_set()


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


def _invitation(address: str) -> str:
    """Return an address with its QR code, for a terminal."""
    code = StringIO()
    segno.make(address, error="l").terminal(code, compact=True)
    return f"{code.getvalue()}\n{address}"
