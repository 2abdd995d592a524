"""/watch, /watches and /unwatch."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.alerts.alert import Comparator
from bot.alerts.views import AlertReply, WatchList
from bot.cards.notices import BadArgumentNotice, ErpDownNotice, NotFoundNotice
from bot.erp.errors import Unavailable
from bot.erp.model import Area
from bot.words.disclosure import HIDDEN, FieldClass, cut
from commands.watch import MAX_WATCHES
from tests.commands.alert_fakes import InMemoryAlertService
from tests.commands.company import Company
from tests.commands.conftest import KEEPER, Ask, as_, lines


@pytest.mark.parametrize(
    ("line", "comparison", "limit"),
    [
        ("/watch SKU123 < 50", "<", "50"),
        ("/watch SKU123<50", "<", "50"),
        ("/watch SKU123 <50", "<", "50"),
        ("/watch SKU123< 50", "<", "50"),
        ("/watch SKU123 ＜ ５０", "<", "50"),
        ("/watch sku123 <= 1,500", "<=", "1500"),
        ("/watch SKU123 ＜＝ 2.5", "<=", "2.5"),
        ("/watch SKU123 ≤50", "<=", "50"),
        ("/watch SKU123 >= 50 pcs", ">=", "50"),
        ("/watch SKU123 ≥ 50PCS", ">=", "50"),
        ("/watch SKU123 ＞ -5", ">", "-5"),
        ("关注 SKU123 低于 50", "<", "50"),
        ("关注SKU123低于50", "<", "50"),
        ("/关注 SKU123 不低于 50", ">=", "50"),
        ("/gz SKU123 不超过50", "<=", "50"),
        ("/watch SKU123 below 50", "<", "50"),
        ("/watch SKU123 OVER 50", ">", "50"),
    ],
)
async def test_a_limit_however_it_is_written(
    ask: Ask, service: InMemoryAlertService, line: str, comparison: str, limit: str
) -> None:
    as_(AlertReply, await ask(line))
    (watch,) = service.stored_watches.values()
    assert (watch.user_id, watch.area, watch.subject, watch.title) == ("keeper01", Area.STOCK, "SKU123", "M6 螺丝")
    assert (watch.comparison, watch.limit) == (Comparator(comparison), Decimal(limit))


async def test_the_answer_shows_the_present_figure(ask: Ask) -> None:
    view = as_(AlertReply, await ask("/watch SKU123 < 50"))
    assert [str(line) for line in view.lines[:2]] == [
        "You are told when available stock is below 50 pcs.",
        "Available now: 1830 pcs",
    ]
    assert lines(view) == ["/watches", "/unwatch SKU123"]
    reached = as_(AlertReply, await ask("/watch SKU123 > 50"))
    assert "This is already the case." in map(str, reached.lines)


async def test_another_limit_replaces_the_first_and_the_other_side_does_not(
    ask: Ask, service: InMemoryAlertService
) -> None:
    for line in ("/watch SKU123 < 50", "/watch SKU123 < 20", "/watch SKU123 > 5000"):
        await ask(line)
    assert [(watch.comparison, watch.limit) for watch in service.stored_watches.values()] == [
        (Comparator.BELOW, Decimal(20)),
        (Comparator.ABOVE, Decimal(5000)),
    ]


async def test_a_name_that_one_product_has_is_enough(ask: Ask, service: InMemoryAlertService) -> None:
    as_(AlertReply, await ask("/watch 六角螺母 < 5"))
    assert [watch.subject for watch in service.stored_watches.values()] == ["SKU1234"]
    as_(NotFoundNotice, await ask("/watch 螺丝 < 5"))
    assert len(service.stored_watches) == 1


@pytest.mark.parametrize(
    ("line", "area", "number", "state"),
    [
        ("/watch SO-1001", Area.SALES, "SO-1001", "To deliver"),
        ("/关注 inv-7", Area.FINANCE, "INV-7", "Unpaid"),
        ("/watch PO-1001", Area.PURCHASING, "PO-1001", "Waiting for approval"),
        ("/watch MO-1", Area.PRODUCTION, "MO-1", "In production"),
    ],
)
async def test_a_document_is_watched_for_any_change(
    ask: Ask, service: InMemoryAlertService, line: str, area: Area, number: str, state: str
) -> None:
    view = as_(AlertReply, await ask(line))
    (watch,) = service.stored_watches.values()
    assert (watch.area, watch.subject, watch.comparison, watch.limit) == (area, number, None, None)
    assert str(view.lines[1]) == f"State now: {state}"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/watch", "missing"),
        ("/watch SKU123", "/watch SKU123 < 50"),
        ("/watch SKU123 <", "number is expected"),
        ("/watch SKU123 < many", "number is expected"),
        ("/watch SKU123 < 1e9", "number is expected"),
        ("/watch SKU123 < 50 60", "number is expected"),
        ("/watch SKU123 < 50 箱", "pcs"),
        ("/watch SKU123 < 0.1234567", "number is expected"),
    ],
)
async def test_what_is_wrong_is_told_with_examples(
    ask: Ask, service: InMemoryAlertService, line: str, problem: str
) -> None:
    view = as_(BadArgumentNotice, await ask(line))
    assert problem in str(view.problem)
    assert "/watch SKU123 < 50" in view.examples
    assert service.stored_watches == {}


async def test_what_there_is_not_cannot_be_watched(ask: Ask, service: InMemoryAlertService) -> None:
    view = as_(NotFoundNotice, await ask("/watch SKU12X < 50"))
    assert "/watch SKU123 <50" in [pick.line for pick in view.closest]
    as_(AlertReply, await ask(view.closest[0].line))
    as_(NotFoundNotice, await ask("/watch SO-9999"))
    assert len(service.stored_watches) == 1


async def test_without_the_erp_nothing_is_kept(ask: Ask, service: InMemoryAlertService, company: Company) -> None:
    company.broken = Unavailable("down")
    as_(ErpDownNotice, await ask("/watch SKU123 < 50"))
    assert service.stored_watches == {}


async def test_a_person_has_so_many_watches(ask: Ask, service: InMemoryAlertService) -> None:
    await ask("/watch SKU123 < 50")
    (first,) = service.stored_watches.values()
    for number in range(1, MAX_WATCHES):
        await service.put_watch(replace(first, subject=f"X{number}"))
    as_(BadArgumentNotice, await ask("/watch SKU124 < 50"))
    as_(AlertReply, await ask("/watch SKU123 < 60"))
    as_(AlertReply, await ask("/watch SKU124 < 50", person=replace(KEEPER, user_id="buyer01")))


async def test_the_list_is_ones_own_and_paged(ask: Ask, service: InMemoryAlertService) -> None:
    await ask("/watch SO-1001", person=replace(KEEPER, user_id="buyer01"))
    assert as_(WatchList, await ask("/watches")).total == 0
    await ask("/watch SKU123 < 50")
    (first,) = await service.watches("keeper01")
    for number in range(13):
        await service.put_watch(replace(first, subject=f"X{number}"))
    view = as_(WatchList, await ask("我的关注"))
    assert (len(view.rows), view.total) == (12, 14)
    assert (lines(view)[0], lines(view)[-2:]) == ("/unwatch SKU123", ["/watches +12", "/export watches"])
    assert len(as_(WatchList, await ask("/watches +12")).rows) == 2


@pytest.mark.parametrize(
    "line", ["/unwatch SKU123", "/取消关注 sku123", "qxgz SKU123", "/unwatch all", "/unwatch 全部"]
)
async def test_unwatching(ask: Ask, service: InMemoryAlertService, line: str) -> None:
    await ask("/watch SKU123 < 50")
    await ask("/watch SKU123 > 5000")
    await ask("/watch SKU123 < 50", person=replace(KEEPER, user_id="buyer01"))
    as_(AlertReply, await ask(line))
    assert [watch.user_id for watch in service.stored_watches.values()] == ["buyer01"]


async def test_unwatching_what_is_not_watched_shows_what_is(ask: Ask, service: InMemoryAlertService) -> None:
    await ask("/watch SKU123 < 50")
    view = as_(NotFoundNotice, await ask("/unwatch SKU999"))
    assert [pick.line for pick in view.closest] == ["/unwatch SKU123"]
    as_(BadArgumentNotice, await ask("/unwatch"))
    assert len(service.stored_watches) == 1


class TestAccess:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(AccessRule(commands=frozenset({"order", "stock"}), roles=frozenset({"sales"})),))

    async def test_who_may_not_ask_may_not_watch(
        self, ask: Ask, service: InMemoryAlertService, company: Company
    ) -> None:
        for line in ("/watch SO-1001", "/watch SKU123 < 50", "/watch SKU123", "/watch SKU9 < 50"):
            as_(NotFoundNotice, await ask(line))
        assert service.stored_watches == {}
        assert not [call for call in company.calls if "stock" in call or call.startswith("order ")]
        as_(AlertReply, await ask("/watch INV-7"))
        as_(AlertReply, await ask("/watch SO-1001", person=replace(KEEPER, roles=frozenset({"sales"}))))


@pytest.mark.parametrize(("line", "partner"), [("SO-1001", True), ("INV-7", True), ("PO-1001", True), ("MO-1", False)])
async def test_whose_document_it_is_only_those_read_who_may(ask: Ask, line: str, partner: bool) -> None:
    for typed in (f"/watch {line}", f"/unwatch {line}"):
        view = as_(AlertReply, await ask(typed))
        (watched,) = view.watches
        assert watched.title
        assert watched.title not in f"{view.title}{view.lines}"
        (shown,) = cut(view, frozenset({FieldClass.QUANTITY})).watches
        assert (shown.subject, shown.title is HIDDEN) == (line, partner)


class TestOfWhomARuleKeepsSomething:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        counted = AccessRule(
            commands=frozenset({"order"}), roles=frozenset({"*"}), fields=frozenset({FieldClass.QUANTITY})
        )
        nothing = AccessRule(commands=frozenset({"stock"}), roles=frozenset({"*"}), fields=frozenset())
        return AccessPolicy([counted, nothing])

    async def test_the_rules_of_the_document_bind_its_watch(self, ask: Ask) -> None:
        begun = as_(AlertReply, await ask("/watch SO-1001")).watches
        listed = as_(WatchList, await ask("/watches")).rows
        ended = as_(AlertReply, await ask("/unwatch SO-1001")).watches
        assert [[(watch.subject, watch.title) for watch in each] for each in (begun, listed, ended)] == [
            [("SO-1001", HIDDEN)]
        ] * 3

    async def test_what_a_watch_knows_of_amounts_is_shown_to_nobody(
        self, ask: Ask, service: InMemoryAlertService
    ) -> None:
        (shown,) = as_(AlertReply, await ask("/watch SO-1001")).watches
        (stored,) = service.stored_watches.values()
        assert (shown.said, "amount" in stored.said) == (HIDDEN, True)

    async def test_the_rules_of_stock_bind_the_present_figure(self, ask: Ask) -> None:
        view = as_(AlertReply, await ask("/watch SKU123 < 50"))
        assert "1830" not in "".join(map(str, view.lines))
