"""The bot's health, part by part: checked every few seconds, shown by ``/readyz`` and ``dingerp doctor``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from bot.words.errors import DingerpError
from bot.words.phrase import Words, pack_words, phrase

log = structlog.get_logger(__name__)

CHECK_EVERY = 5.0
"""Seconds between two looks at a part."""
CHECK_SECONDS = 6.0
"""For one look: more than the database waits for a lock."""


class PartStatus(StrEnum):
    """How a part of the bot is."""

    OK = "ok"
    DEGRADED = "degraded"
    """Something is slow or missing, and questions are still answered."""
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class PartHealth:
    """The status of a part, with the reason in plain words unless it is well; then it may tell what it costs.

    ``about`` are the keys of what the reason names: with others, administrators are told anew.
    """

    status: PartStatus
    reason: Words = ""
    about: frozenset[str] = frozenset()

    def as_json(self) -> Mapping[str, object]:
        """Return it with its reason in English, and as a message with its values where it has other languages."""
        told: dict[str, object] = {"status": self.status, "reason": str(self.reason)}
        return told if isinstance(self.reason, str) else told | {"message": pack_words(self.reason)}


WELL = PartHealth(PartStatus.OK)

HealthCheck = Callable[[], Awaitable[PartHealth]]
"""Looks at a part; a `DingerpError` that it raises means that the part is down."""


def degraded(reason: Words, about: frozenset[str] = frozenset()) -> PartHealth:
    """Return that a part is degraded, unless the reason is empty."""
    return PartHealth(PartStatus.DEGRADED, reason, about) if reason else WELL


def down(reason: Words) -> PartHealth:
    """Return that a part is down, unless the reason is empty."""
    return PartHealth(PartStatus.DOWN, reason) if reason else WELL


@dataclass(frozen=True, slots=True)
class HealthReport:
    """How all parts are; ``rules`` tells which files were read, and what they held."""

    parts: Mapping[str, PartHealth]
    rules: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        """Whether questions can be answered."""
        return all(part.status is not PartStatus.DOWN for part in self.parts.values())

    @property
    def status(self) -> str:
        """``ready``, ``degraded`` or ``not ready``."""
        if not self.is_ready:
            return "not ready"
        return "degraded" if self.reasons else "ready"

    @property
    def reasons(self) -> tuple[Words, ...]:
        """Why parts are not well: those that are down first, then those that are only degraded."""
        worst_first = sorted(self.parts.values(), key=lambda part: part.status is not PartStatus.DOWN)
        return tuple(part.reason for part in worst_first if part.status is not PartStatus.OK)

    def as_json(self) -> Mapping[str, object]:
        """Return the report as ``/readyz`` shows it: in English, and so that readers can say it in their language."""
        parts = {name: part.as_json() for name, part in self.parts.items()}
        return {"status": self.status, "reasons": list(map(str, self.reasons)), "parts": parts, "rules": self.rules}


class HealthMonitor:
    """Checks the parts again and again, so that a report costs nothing; `run` must be running."""

    def __init__(self, checks: Mapping[str, HealthCheck], *, seconds: float = CHECK_SECONDS) -> None:
        """``seconds`` is the time for one look at a part."""
        self._checks = checks
        self._seconds = seconds
        self._parts: dict[str, PartHealth] = {}

    @property
    def parts(self) -> Mapping[str, PartHealth]:
        """How the parts were when they were last looked at."""
        return self._parts

    async def run(self, every: float = CHECK_EVERY) -> None:
        """Look every ``every`` seconds until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(every)

    async def look(self) -> None:
        """Look at all parts once."""
        async with asyncio.TaskGroup() as looks:
            for name, check in self._checks.items():
                looks.create_task(self._look_at(name, check))

    async def _look_at(self, name: str, check: HealthCheck) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                found = await check()
        except TimeoutError:
            found = down(phrase("%(part)s: no answer for %(seconds)d s", part=name, seconds=round(self._seconds)))
        except DingerpError as error:
            found = down(phrase("%(part)s: %(why)s", part=name, why=error.explain()))
        before, self._parts[name] = self._parts.get(name, WELL), found
        if found.status is not before.status:
            say = log.info if found.status is PartStatus.OK else log.error
            say("health.changed", part=name, status=found.status.value, reason=str(found.reason))
