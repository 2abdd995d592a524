"""The bot's health, part by part: checked every few seconds, shown by ``/readyz`` and ``dingerp doctor``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import structlog

from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, Words, pack_words, phrase

log = structlog.get_logger(__name__)

CHECK_EVERY = 5.0
"""Seconds between two checks of a part."""
CHECK_SECONDS = 6.0
"""Seconds for one check: more than the database waits for a lock."""


class PartStatus(StrEnum):
    """The status of a part of the bot."""

    OK = "ok"
    DEGRADED = "degraded"
    """A function is slow or missing, but questions are still answered."""
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class PartHealth:
    """The status of a part, with a plain-text reason unless it is well; then it may state its cost.

    ``about`` are the keys of the problems in the reason: when they change, administrators are told anew.
    """

    status: PartStatus
    reason: Words = ""
    about: frozenset[str] = frozenset()

    def as_json(self) -> Mapping[str, object]:
        """Return the JSON form, with the reason in English, and as a translatable message if it has one."""
        told: dict[str, object] = {"status": self.status, "reason": str(self.reason)}
        return told if isinstance(self.reason, str) else told | {"message": pack_words(self.reason)}


WELL = PartHealth(PartStatus.OK)


@dataclass(frozen=True, slots=True)
class PartWords:
    """What a part is called, and what helps where it is not well."""

    name: Phrase | str
    remedy: Phrase


_PARTS: Mapping[str, PartWords] = MappingProxyType(
    {
        "stream": PartWords(
            phrase("connection to DingTalk"),
            phrase("Let this machine reach DingTalk; `dingerp doctor` tries the way and the keys."),
        ),
        "database": PartWords(
            phrase("database"), phrase("Look at its server or disk; after an update of the bot: `dingerp db upgrade`.")
        ),
        "events": PartWords(phrase("events"), phrase("`dingerp events search` tells which source sends so many.")),
        "outbox": PartWords(phrase("cards that are owed"), phrase("`/outbox` tells what each card waits for.")),
        "approvals": PartWords(
            phrase("approvals"), phrase("Name others in the approval rules, or give somebody the role.")
        ),
        "sheets": PartWords(
            phrase("shared tables"), phrase("`dingerp doctor` opens each of them in its operator's name.")
        ),
        "restored rights": PartWords(phrase("restored rights"), phrase("`dingerp db confirm` names them.")),
        "pages": PartWords(phrase("database file"), phrase("Go back to a backup: docs/how-to/run-in-production.md")),
        "disk": PartWords(phrase("disk"), phrase("Free some space, or move the database to a larger disk.")),
        "quota": PartWords(phrase("DingTalk's quotas"), phrase("`/quota` tells what they are spent on.")),
        "DingTalk calls": PartWords(
            phrase("calls of DingTalk"), phrase("`dingerp doctor` tries the keys and each permission point.")
        ),
        "card trial": PartWords(phrase("trial of cards"), phrase("`dingerp doctor --probe` sends the card again.")),
        "audit log": PartWords(phrase("audit log"), phrase("`/audit verify` names each break.")),
        "last writes": PartWords(
            phrase("last writes"), phrase("What to look at: docs/how-to/run-in-production.md, “last writes”.")
        ),
        "language model": PartWords(
            phrase("language model"), phrase("Look at its server and its key; sentences are read without it.")
        ),
        "replicas": PartWords(
            phrase("replicas"), phrase("Start those that are missing; their own logs tell why they ended.")
        ),
        "rules of the lead": PartWords(
            phrase("rules of the replica that leads"), phrase("Give all replicas the same rule files.")
        ),
        "work of others": PartWords(
            phrase("work of other replicas"), phrase("Let this machine hold a connection to PostgreSQL itself.")
        ),
        "access rules": PartWords(phrase("access rules"), phrase("`dingerp access check` names every error.")),
        "alert rules": PartWords(phrase("alert rules"), phrase("`dingerp routes check` names every error.")),
        "approval rules": PartWords(phrase("approval rules"), phrase("`dingerp policy check` names every error.")),
    }
)
_ERP, _PLACE = "ERP ", "place "
REPLICA = "replica "
"""What the name of a part begins with that is a replica."""
_ANY_REMEDY = phrase("`/readyz` and the bot's log say more.")


def words_of(part: str) -> PartWords:
    """Return the words about a part, for all who tell of it."""
    if part.startswith(_ERP):
        source = part.removeprefix(_ERP)
        return PartWords(part, phrase("`dingerp erp check %(source)s` tells what is wrong.", source=source))
    if part.startswith(_PLACE):
        return PartWords(part, phrase("Add the robot to the group again, or take the place out of the rules."))
    if part.startswith(REPLICA):
        return PartWords(phrase("replica, %(name)s", name=part.removeprefix(REPLICA)), _ANY_REMEDY)
    return _PARTS.get(part) or PartWords(part, _ANY_REMEDY)


HealthCheck = Callable[[], Awaitable[PartHealth]]
"""Checks a part; a `DingerpError` means that the part is down."""


def degraded(reason: Words, about: frozenset[str] = frozenset()) -> PartHealth:
    """Return a degraded part, or a healthy one if the reason is empty."""
    return PartHealth(PartStatus.DEGRADED, reason, about) if reason else WELL


def down(reason: Words) -> PartHealth:
    """Return a part that is down, or a healthy one if the reason is empty."""
    return PartHealth(PartStatus.DOWN, reason) if reason else WELL


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The state of all parts; ``rules`` lists the files read, and their digests."""

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
        """The reasons of unhealthy parts: those that are down first, then the degraded ones."""
        worst_first = sorted(self.parts.values(), key=lambda part: part.status is not PartStatus.DOWN)
        return tuple(part.reason for part in worst_first if part.status is not PartStatus.OK)

    def as_json(self) -> Mapping[str, object]:
        """Return the report for ``/readyz``: in English, and translatable."""
        parts = {name: part.as_json() for name, part in self.parts.items()}
        return {"status": self.status, "reasons": list(map(str, self.reasons)), "parts": parts, "rules": self.rules}


class HealthMonitor:
    """Checks the parts repeatedly, so that a report costs nothing; `run` must be running."""

    def __init__(self, checks: Mapping[str, HealthCheck], *, seconds: float = CHECK_SECONDS) -> None:
        """``seconds`` bounds one check of a part."""
        self._checks = checks
        self._seconds = seconds
        self._parts: dict[str, PartHealth] = {}

    @property
    def parts(self) -> Mapping[str, PartHealth]:
        """The state of the parts at their last check."""
        return self._parts

    async def run(self, every: float = CHECK_EVERY) -> None:
        """Check every ``every`` seconds until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(every)

    async def look(self) -> None:
        """Check all parts once."""
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


class LateReport:
    """The report on all parts, for those who are made before the last part is; empty until it is given."""

    def __init__(self) -> None:
        self.made_by: Callable[[], Awaitable[HealthReport]] | None = None

    async def __call__(self) -> HealthReport:
        return HealthReport({}) if self.made_by is None else await self.made_by()
