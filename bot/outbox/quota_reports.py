"""Tells administrators in chat when much of a month's quota is used: what spends it, and which edition would
suffice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import Protocol

import orjson
import structlog

from bot.cards.notices import QuotaReport, QuotaShare
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place
from bot.outbox.ports import ComposedCard, SingleCardComposer
from bot.outbox.spending import Purpose, Quota
from bot.words.phrase import Words, pack_words, unpack_words

log = structlog.get_logger(__name__)

QUOTA_REPORT = "quota_report"
"""Kind of the deliveries."""

STEPS = (50, 70, 85, 95, 100)
"""Per cent of a quota at which administrators are told, once a month each."""

_ONLY_REVISION = 1
_LISTED_GROUPS = 3


class QuotaWarningStore(Protocol):
    """Remembers the steps already reported. Raises a `bot.words.errors.DingerpError` when unavailable."""

    async def told(self, month: str) -> frozenset[tuple[Quota, int]]:
        """Return the steps reported in ``month``."""
        ...

    async def tell(self, month: str, quota: Quota, percents: Sequence[int], deliveries: Sequence[Delivery]) -> None:
        """Queue the cards and store the steps in one transaction."""
        ...


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """The use of a quota, with the purposes and groups that spend most."""

    used: int
    limit: int
    purposes: Mapping[Purpose, int]
    groups: Mapping[str, int]
    """By the group's name, or its id if the name is unknown."""
    remark: Words = ""
    """What else determines the number."""
    refused: bool = False
    """Whether DingTalk says that nothing is left: other apps of the organisation use the same quota."""

    @property
    def percent(self) -> int:
        """The used part in per cent, rounded down."""
        return self.used * 100 // self.limit

    @property
    def steps(self) -> list[int]:
        """The `STEPS` that are reached."""
        return [step for step in STEPS if self.refused or self.percent >= step]


@dataclass(frozen=True, slots=True)
class QuotaAdvice:
    """The smallest sufficient edition, and its allowance."""

    edition: str
    packs: int
    calls: int
    uses: int


@dataclass(frozen=True, slots=True)
class QuotaReports:
    """Reports quota use to administrators.

    ``use_of`` returns a quota's use, ``advise`` the edition for a month of so many calls and uses, ``month`` the
    current month; ``places`` are the administrators' chats; ``owed`` is called when cards were queued.
    """

    store: QuotaWarningStore
    _: KW_ONLY
    month: Callable[[], str]
    use_of: Callable[[Quota], QuotaUse]
    advise: Callable[[int, int], QuotaAdvice]
    places: Callable[[], Awaitable[Sequence[Place]]]
    owed: Callable[[], None]
    now: Callable[[], datetime]

    async def look(self, forecasts: Mapping[Quota, int]) -> None:
        """Report each quota that reached a further step; of several steps at once only the highest."""
        month = self.month()
        told: frozenset[tuple[Quota, int]] | None = None
        for quota in forecasts:
            use = self.use_of(quota)
            reached = use.steps
            if not reached:
                continue
            told = await self.store.told(month) if told is None else told
            new = [step for step in reached if (quota, step) not in told]
            if new and max(new) == max(reached):
                await self._tell(month, quota, use, new, forecasts)

    async def _tell(
        self, month: str, quota: Quota, use: QuotaUse, steps: Sequence[int], forecasts: Mapping[Quota, int]
    ) -> None:
        log.warning("month.step", quota=quota.value, percent=max(steps), used=use.used, limit=use.limit)
        places = await self.places()
        if not places:
            return
        advice = self.advise(forecasts.get(Quota.CALLS, 0), forecasts.get(Quota.USES, 0))
        ref = _written(quota, use, forecasts[quota], advice)
        now = self.now()
        deliveries = [
            Delivery(
                card=f"{QUOTA_REPORT}:{month}:{quota}:{max(steps)}:{place}",
                place=place,
                kind=QUOTA_REPORT,
                ref=ref,
                revision=_ONLY_REVISION,
                urgency=Urgency.NOW,
                due_at=now,
            )
            for place in places
        ]
        await self.store.tell(month, quota, steps, deliveries)
        self.owed()


def _written(quota: Quota, use: QuotaUse, forecast: int, advice: QuotaAdvice) -> str:
    groups = list(use.groups.items())[:_LISTED_GROUPS]
    said = {
        "quota": quota.value,
        "used": use.used,
        "limit": use.limit,
        "forecast": forecast,
        "purposes": [[purpose.value, count] for purpose, count in use.purposes.items()],
        "groups": groups,
        "remark": pack_words(use.remark),
        "refused": use.refused,
        "advice": [advice.edition, advice.packs, advice.calls, advice.uses],
    }
    return orjson.dumps(said).decode()


def build_quota_report(quota: Quota, use: QuotaUse, forecast: int, advice: QuotaAdvice) -> QuotaReport:
    """Return what is told of a quota as it stands."""
    return QuotaReport(
        quota=quota.value,
        used=use.used,
        limit=use.limit,
        forecast=forecast,
        purposes=tuple(QuotaShare(purpose.value, count) for purpose, count in use.purposes.items()),
        groups=tuple(QuotaShare(*each) for each in list(use.groups.items())[:_LISTED_GROUPS]),
        edition=advice.edition,
        packs=advice.packs,
        calls=advice.calls,
        uses=advice.uses,
        remark=use.remark,
        refused=use.refused,
    )


class QuotaReportComposer(SingleCardComposer):
    """A `bot.outbox.ports.Composer` whose ``ref`` holds the whole report, which never changes."""

    async def compose(self, ref: str) -> ComposedCard:
        said = orjson.loads(ref)
        edition, packs, calls, uses = said["advice"]
        view = QuotaReport(
            quota=said["quota"],
            used=said["used"],
            limit=said["limit"],
            forecast=said["forecast"],
            purposes=tuple(QuotaShare(name, count) for name, count in said["purposes"]),
            groups=tuple(QuotaShare(name, count) for name, count in said["groups"]),
            edition=edition,
            packs=packs,
            calls=calls,
            uses=uses,
            remark=unpack_words(said["remark"]) if "remark" in said else "",
            refused=said.get("refused", False),
        )
        return ComposedCard(view, _ONLY_REVISION)
