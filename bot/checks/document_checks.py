"""Runs the checks of a document, bounded in time; what does not arrive is told as not looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import structlog

from bot.checks.billed_goods import OVERBILLED
from bot.checks.check import Check, CheckMarks, CheckOutcome
from bot.checks.credit import OVER_CREDIT
from bot.checks.duplicate_bills import DUPLICATE
from bot.checks.evidence import Evidence
from bot.checks.last_price import LAST_PRICE
from bot.checks.split_orders import SPLIT
from bot.erp.hub import ErpHub
from bot.erp.kinds import kind_of
from bot.erp.model import ErpRecord, Money
from bot.read_model.queries import ReadModel
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

CHECKS: Mapping[str, Check[Any]] = MappingProxyType(
    {each.name: each for each in (LAST_PRICE, SPLIT, DUPLICATE, OVERBILLED, OVER_CREDIT)}
)
"""By their names in rules, in the order in which people read them."""


class DocumentChecks:
    """Checks documents by what the ERP and the kept copies tell."""

    def __init__(
        self,
        hub: ErpHub,
        kept: ReadModel | None = None,
        *,
        now: Callable[[], datetime],
        marks: CheckMarks | None = None,
        seconds: float = 3.0,
    ) -> None:
        """``seconds`` bounds all checks of a document together; ``now`` is in the company's zone."""
        self._hub, self._kept = hub, kept
        self._now = now
        self._marks = marks or CheckMarks()
        self._seconds = seconds

    async def of(
        self, document: ErpRecord, bounds: tuple[Money, ...], seconds: float | None = None
    ) -> tuple[CheckOutcome, ...]:
        """Return the outcomes of a document that was just read, within ``seconds``; ``bounds`` as in `Evidence`."""
        kind, until = kind_of(document), asyncio.get_running_loop().time() + (seconds or self._seconds)
        checks = [check for check in CHECKS.values() if check.kind == kind]
        return tuple(await asyncio.gather(*(self._run(check, document, bounds, until) for check in checks)))

    async def _run(
        self, check: Check[Any], document: ErpRecord, bounds: tuple[Money, ...], until: float
    ) -> CheckOutcome:
        now = self._now()
        try:
            async with asyncio.timeout_at(until):
                return await check.run(
                    document, Evidence(document.source, self._hub, self._kept, now, bounds), self._marks
                )
        except (DingerpError, TimeoutError) as error:
            log.info("checks.not_read", check=check.name, source=document.source, error=type(error).__name__)
            return check.unread(now)
