"""Contract cases of changes: a cursor that neither misses nor repeats, at equal times and while people work."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.erp.errors import Invalid, Unsupported
from bot.erp.model import Area, Change, Feed
from bot.erp.port import Capability, DocumentBatches, Erp, FeedReader
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.contract_base import ContractBase, case
from bot.kit.testing.erp_checks import SINGLE_ONLY, all_changes
from bot.kit.testing.gaps import comparable

EACH_AREA = ("area", tuple(Area))
EACH_FEED = ("feed", tuple(Feed))
CHANGED = (Capability.CHANGED_SINCE,)

_ALL = 1_000


class ChangesContract(ContractBase):
    """Following an area by its cursor."""

    @case("changes.once", "Every record comes once, in order of time, with its time", needs=CHANGED, over=EACH_AREA)
    async def test_once(self, erp: Erp, company: ReferenceCompany, area: Area) -> None:
        wanted = self._times(company, area)

        async def expect_all(items: list[Change], cursor: str, limit: int) -> None:
            assert {change.key: change.changed_at for change in items} == wanted
            assert len(items) == len(wanted)
            assert [change.changed_at for change in items] == sorted(wanted.values())
            assert all(change.area is area for change in items)
            nothing = await erp.changed_since(area, cursor, limit=limit)
            assert (nothing.items, nothing.cursor, nothing.more) == ((), cursor, False)

        for limit in (_ALL, 7):
            await expect_all(*await all_changes(erp, area, limit=limit), limit)
        # One by one only for the last three, since two of them have the same time.
        before = await erp.changed_since(area, "", limit=len(wanted) - 3)
        one_by_one, cursor = await all_changes(erp, area, before.cursor, limit=1)
        await expect_all([*before.items, *one_by_one], cursor, 1)

    @case(
        "changes.equal_times",
        "A change comes after the cursor even at a time already seen",
        needs=CHANGED,
        over=EACH_AREA,
    )
    async def test_equal_times(self, erp: Erp, company: ReferenceCompany, clock: Clock, area: Area) -> None:
        _, cursor = await all_changes(erp, area, limit=_ALL)
        # The last key first, because a cursor made of time and key alone would hide the others.
        for key in sorted(self._times(company, area), reverse=True)[:4]:
            company.touch(area, key)
            items, cursor = await all_changes(erp, area, cursor)
            assert [(change.key, change.changed_at) for change in items] == [(key, clock.now())]
        assert (await erp.changed_since(area, cursor, limit=7)).items == ()

    @case("changes.again", "A record that changes again comes again", needs=CHANGED, over=EACH_AREA)
    async def test_again(self, erp: Erp, company: ReferenceCompany, clock: Clock, area: Area) -> None:
        _, cursor = await all_changes(erp, area, limit=_ALL)
        key = next(iter(self._times(company, area)))
        for _ in range(3):
            clock.advance(1)
            company.touch(area, key)
            items, cursor = await all_changes(erp, area, cursor)
            assert [change.key for change in items] == [key]

    @case(
        "changes.while_reading",
        "Changes made between two pages are neither lost nor let others slip",
        needs=CHANGED,
        over=EACH_AREA,
    )
    async def test_while_reading(self, erp: Erp, company: ReferenceCompany, clock: Clock, area: Area) -> None:
        before = self._times(company, area)
        ordered = sorted(before, key=lambda key: (before[key], key))
        first, last = ordered[0], ordered[-1]

        def work(page: int) -> None:
            clock.advance(1)
            if page == 0:
                company.touch(area, first)
                company.touch(area, last)

        items, _ = await all_changes(erp, area, limit=7, between=work)
        came = [change.key for change in items]
        assert set(came) == set(before)
        assert [key for key in set(came) if came.count(key) > 1] == [first]
        assert came.count(first) == 2

    @case("changes.burst", "Many records that change at one time come all, page by page", needs=CHANGED, over=EACH_AREA)
    async def test_burst(self, erp: Erp, company: ReferenceCompany, clock: Clock, area: Area) -> None:
        _, cursor = await all_changes(erp, area, limit=_ALL)
        keys = sorted(self._times(company, area))
        clock.advance(5)
        for key in keys:
            company.touch(area, key)
        items, cursor = await all_changes(erp, area, cursor, limit=5)
        assert sorted(change.key for change in items) == keys
        clock.advance(5)
        assert (await all_changes(erp, area, cursor))[0] == []

    @case("changes.bad_cursor", "A cursor that is not its own is refused", needs=CHANGED)
    async def test_bad_cursor(self, erp: Erp) -> None:
        area = next(area for area in Area if not self._refused(area))
        for cursor in ("nonsense", "[1,2]", "' or 1=1 --", '["2026-01-01T00:00:00",[]]'):
            with pytest.raises(Invalid):
                await erp.changed_since(area, cursor, limit=7)

    @case("refuse.changes", "An area whose changes cannot be followed is refused by name", over=EACH_AREA, refusal=True)
    async def test_refused_area(self, erp: Erp, area: Area) -> None:
        if Capability.CHANGED_SINCE not in self.offers or self._refused(area):
            with pytest.raises(Unsupported):
                await erp.changed_since(area, "", limit=7)
        else:
            assert (await erp.changed_since(area, "", limit=1)).more

    @case("changes.feed", "Every bill, payment and delivery comes once, and not again", needs=CHANGED, over=EACH_FEED)
    async def test_feed(self, erp: Erp, company: ReferenceCompany, feed: Feed) -> None:
        assert isinstance(erp, FeedReader)
        held = (self.gaps.expected(record) for record in company.records(feed).values())
        wanted = {record.number for record in held if record is not None}
        for limit in (_ALL, 7):
            items, cursor = await all_changes(erp, feed, limit=limit)
            told = [change.key for change in items]
            assert len(told) == len(set(told))
            assert wanted <= set(told)
            # What else changed is no such document, or is none any more.
            others = sorted(set(told) - wanted)
            assert not others or (isinstance(erp, DocumentBatches) and not await erp.read_documents(feed, others))
            assert all(change.area is feed for change in items)
            assert items == sorted(items, key=lambda change: change.changed_at)
            nothing = await erp.changed_since(feed, cursor, limit=limit)
            assert (nothing.items, nothing.cursor, nothing.more) == ((), cursor, False)

    @case("changes.fed", "What a feed tells of is read many at once, where anything is", over=EACH_FEED, refusal=True)
    async def test_fed(self, erp: Erp, company: ReferenceCompany, feed: Feed) -> None:
        told = (self.gaps.expected(record) for record in company.records(feed).values())
        wanted = {record.number: _shortened(record) for record in told if record is not None}
        if not isinstance(erp, DocumentBatches):
            return
        try:
            found = await erp.read_documents(feed, ["no such", *wanted])
        except Unsupported:
            assert feed not in self.feeds
        else:
            assert {each["number"]: each for each in map(_shortened, found)} == wanted

    @case("refuse.feeds", "It claims the feeds that it tells, and no others", refusal=True)
    async def test_claimed_feeds(self, erp: Erp) -> None:
        assert (erp.feeds if isinstance(erp, FeedReader) else frozenset()) == self.feeds

    def _refused(self, area: Area) -> bool:
        return f"changes.once[{area}]" in self.gaps.cases

    def _times(self, company: ReferenceCompany, area: Area) -> dict[str, datetime]:
        """Return when each record that the vendor tells of was last changed, as it can tell it."""
        times: dict[str, datetime] = {}
        for key, record in company.records(area).items():
            if self.gaps.expected(record) is not None:
                times[key] = self.gaps.expected(company.changed_at(area, key)).astimezone(UTC)
        return times


def _shortened(record: Any) -> dict[str, Any]:
    """Return what is kept of a document: neither lines nor what a payment settles."""
    return {name: value for name, value in comparable(record).items() if name not in SINGLE_ONLY}
