"""Administrators learn when the bot falls ill and when it is well again: one card, and few changes of it."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.cards.language import load_languages
from bot.cards.notices import HealthNotice
from bot.cards.renderer import CardRenderer
from bot.mechanisms.health import WELL, PartHealth, degraded, down
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.health_reports import (
    LONGEST_PAUSE,
    PAUSE,
    SETTLED,
    HealthReportComposer,
    HealthReports,
    TroubleReport,
)
from bot.outbox.place import Place
from bot.store.errors import store_unavailable
from bot.words.errors import DingerpError
from bot.words.phrase import phrase

START = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)
ADMIN = Place.parse("person:boss")
FULL, SLOW = down("the disk is full"), degraded("the ERP main does not answer")


class Ward:
    """A bot whose parts fall ill at the test's wish; it implements `TroubleReportStore`."""

    def __init__(self) -> None:
        self.now = START
        self.parts: dict[str, PartHealth] = {"database": WELL, "ERP main": WELL, "stream": WELL, "quota": WELL}
        self.told: list[Delivery] = []
        self.is_away = False
        self.reports = self.begin()

    def begin(self) -> HealthReports:
        return HealthReports(self, parts=self.health, places=self.places, owed=lambda: None, now=lambda: self.now)

    async def health(self) -> Mapping[str, PartHealth]:
        return dict(self.parts)

    async def places(self) -> Sequence[Place]:
        return (ADMIN,)

    async def last(self) -> str | None:
        self._fail_if_away()
        return self.told[-1].ref if self.told else None

    async def tell(self, deliveries: Sequence[Delivery]) -> None:
        self._fail_if_away()
        self.told += deliveries

    async def passes(self, time: timedelta, **parts: PartHealth) -> list[TroubleReport]:
        """Let parts become so and time pass; return what was told meanwhile."""
        self.parts |= {name.replace("_", " "): part for name, part in parts.items()}
        before, ends = len(self.told), self.now + time
        await self.reports.look()
        while self.now < ends:
            self.now = min(ends, self.now + timedelta(seconds=5))
            await self.reports.look()
        return [TroubleReport.read(delivery.ref) for delivery in self.told[before:]]

    def _fail_if_away(self) -> None:
        if self.is_away:
            raise DingerpError("away")


async def test_an_illness_that_lasts_is_told_and_its_end_on_the_same_card() -> None:
    ward = Ward()
    assert await ward.passes(SETTLED, database=WELL) == []
    (ill,) = await ward.passes(PAUSE, database=FULL)
    assert (ill.began, ill.ended, ill.state) == (START + SETTLED, None, {"database": (FULL.status, frozenset())})
    (well,) = await ward.passes(PAUSE, database=WELL)
    assert (well.began, well.ended) == (ill.began, START + SETTLED + PAUSE)
    assert [part.reason for part in well.parts] == ["the disk is full"], "what was wrong"
    assert [(one.card, one.revision, one.urgency, one.place) for one in ward.told] == [
        (ward.told[0].card, revision, Urgency.NOW, ADMIN) for revision in (1, 2)
    ]


async def test_what_passes_by_itself_is_not_told() -> None:
    ward = Ward()
    for _ in range(20):
        assert await ward.passes(SETTLED / 2, database=FULL) == []
        assert await ward.passes(SETTLED, database=WELL) == []


async def test_what_comes_and_goes_is_told_less_and_less() -> None:
    ward = Ward()
    reports = []
    for _ in range(12 * 60):
        reports += await ward.passes(timedelta(minutes=1), ERP_main=SLOW)
        reports += await ward.passes(timedelta(minutes=1), ERP_main=WELL)
    assert len(reports) <= 24 * timedelta(hours=1) / LONGEST_PAUSE + 10, "a day of it costs few calls"


async def test_what_falls_ill_besides_changes_the_card() -> None:
    ward = Ward()
    (first,) = await ward.passes(PAUSE, ERP_main=SLOW)
    (second,) = await ward.passes(PAUSE, database=FULL)
    assert (first.began, list(first.state)) == (second.began, ["ERP main"])
    assert list(second.state) == ["ERP main", "database"]
    assert second.revision == 2


async def test_another_thing_that_the_same_illness_is_about_is_told_too() -> None:
    ward = Ward()
    one, two = (degraded("orders wait in vain", frozenset(names)) for names in ({"a"}, {"a", "b"}))
    assert len(await ward.passes(PAUSE, approvals=one)) == 1
    assert await ward.passes(PAUSE, approvals=one) == []
    (changed,) = await ward.passes(PAUSE * 4, approvals=two)
    assert TroubleReport.read(changed.write()) == changed
    assert (changed.revision, changed.parts[0].about) == (2, ("a", "b"))


async def test_of_dingtalk_itself_and_of_quotas_nothing_is_told() -> None:
    ward = Ward()
    assert await ward.passes(PAUSE, stream=down("no connection"), quota=degraded("95 % are used")) == []


async def test_an_illness_of_the_database_is_told_once_it_is_back() -> None:
    ward = Ward()
    await ward.passes(SETTLED, database=WELL)
    ward.is_away = True
    assert await ward.passes(PAUSE * 2, database=FULL) == []
    ward.is_away = False
    told = await ward.passes(PAUSE * 2, database=WELL)
    assert told[-1].ended is not None
    assert {delivery.card for delivery in ward.told} == {ward.told[0].card}


async def test_the_next_process_ends_what_an_earlier_one_told() -> None:
    ward = Ward()
    (ill,) = await ward.passes(PAUSE, database=FULL)
    ward.reports = ward.begin()
    (well,) = await ward.passes(SETTLED, database=WELL)
    assert (well.began, well.revision) == (ill.began, 2)
    assert well.ended is not None


async def test_the_card_says_the_reason_in_the_language_of_its_reader() -> None:
    ward = Ward()
    full = store_unavailable(OSError(errno.ENOSPC, "No space left on device"))
    why = phrase("%(part)s: %(why)s", part="database", why=full.explain())
    await ward.passes(PAUSE, database=down(why), ERP_main=SLOW)
    composed = await HealthReportComposer(lambda: START).compose(ward.told[0].ref)
    assert composed.view is not None
    renderer = CardRenderer(languages=load_languages())
    chinese, english = (renderer.render(composed.view, code, zone=UTC).body for code in ("zh_CN", "en"))
    assert "database：磁盘已满，请清出空间（OSError）" in chinese
    assert "database: the disk is full; make room on it (OSError)" in english


def test_a_report_of_an_older_version_is_read() -> None:
    ill = TroubleReport.read('["2026-11-27T02:00:00+00:00",null,[["database","down","the disk is full"]],1]')
    assert [part.reason for part in ill.parts] == ["the disk is full"]


async def test_the_card_says_what_was_told() -> None:
    ward = Ward()
    (ill,) = await ward.passes(PAUSE, database=FULL)
    composed = await HealthReportComposer(lambda: START).compose(ward.told[0].ref)
    assert composed.revision == 1
    assert composed.view == HealthNotice(parts=ill.parts, began=ill.began)
