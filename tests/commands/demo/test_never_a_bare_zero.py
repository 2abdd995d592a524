"""A demo company and an ERP that tells less: nothing is not found, emptied by a condition, or not known to one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.alerts.alert import Watch
from bot.cards.language import load_languages
from bot.cards.notices import BadArgumentNotice, NotFoundNotice
from bot.cards.renderer import CardRenderer
from bot.chat.view_parts import EmptiedList, Freshness
from bot.erp.hub import ErpHub
from bot.erp.kinds import FOLLOWED
from bot.erp.model import Area
from bot.erp.port import GOODS, Capability, ListQuery
from bot.mechanisms.metrics import Metrics
from bot.outbox.place import Place, PlaceKind
from tests.commands.alert_fakes import InMemoryAlertService, alert
from tests.commands.approval_fakes import ApprovalFixture
from tests.commands.company import NOW, Company, level, order, place, product
from tests.commands.conftest import Ask, lines
from tests.commands.demo.company import OWN_CHAT, OWNER, DemoCompany
from tests.commands.test_approvals import MANAGER
from tests.read_model.memory_documents import MemoryDocuments
from tests.rows import each_row

LITTLE = frozenset({Capability.STOCK, Capability.SALES_ORDERS, Capability.CUSTOMERS}) - GOODS
UNTOLD = "south does not tell this: what it has is not known."
NEVER = "2020-01-01"


@pytest.fixture
async def hub(demo: DemoCompany) -> AsyncIterator[ErpHub]:
    south = Company(
        name="south",
        capabilities=LITTLE,
        levels=(level(product("SOUTH-1", "南方螺丝"), place("SH", "南方仓", "4")),),
        clients=(),
        sales=(order("SO-7001", "深圳创新"),),
    )
    hub = ErpHub([demo.erp, south], metrics=Metrics(), now=lambda: NOW, timeout=10)
    yield hub
    await hub.close()


@pytest.fixture
async def kept(demo: DemoCompany) -> MemoryDocuments:
    """Copies of which a test says since when they are complete."""
    lists = [await demo.erp.documents(kind, ListQuery(limit=100_000)) for kind in FOLLOWED]
    return MemoryDocuments(NOW, [each for found in lists for each in found.items], source="demo")


def told(view: Any) -> str:
    """Return what a card says of sources that do not tell."""
    seen = getattr(view, "freshness", None)
    notes = seen.failures if isinstance(seen, Freshness) else getattr(view, "notes", ())
    return " ".join(map(str, (*notes, *getattr(view, "silences", ()))))


def not_found() -> Iterator[tuple[str, str]]:
    names = ("大疆", "Baosteel")
    for name in names:
        for line in (
            *("order", "order open", "order late", f"order {NEVER}", "order >1000", "customer", "customer owing"),
            *("invoice open", "invoice overdue", "bill open", "bill 上个月", "po late", "po >1000", "payment received"),
            *("delivery late", "receipt", "mo open", "vendor", "vendor payable", "arrivals", f"arrivals {NEVER}"),
            *("price", "product", "stock", "find"),
        ):
            command, _, rest = line.partition(" ")
            yield f"/{command} {name} {rest}".strip(), name
    yield "/shortage @大疆仓", "大疆仓"
    yield "/stock @大疆仓", "大疆仓"
    yield "/stock 螺丝 @大疆仓", "大疆仓"
    yield "/stock HT-113 @大疆仓", "大疆仓"
    yield "/price HT-113 大疆", "大疆"
    yield "/order 宏达 late @south", "宏达"
    yield "/pending 大疆", "大疆"
    yield "/pending PO-99999", "PO-99999"


UNTOLD_COMMANDS = ("bill", "po", "payment", "delivery", "receipt", "mo", "vendor", "arrivals")
"""What south tells nothing of; products it knows, so that those that nobody has are not found for certain."""


@each_row("line, name", not_found())
async def test_what_nobody_has_is_not_found_and_who_cannot_tell_is_named(ask: Ask, line: str, name: str) -> None:
    answer = await ask(line, where=OWN_CHAT, person=OWNER)
    assert isinstance(answer.view, NotFoundNotice), answer.view
    assert answer.view.what == name
    if line.split()[0].removeprefix("/") in UNTOLD_COMMANDS:
        assert UNTOLD in told(answer.view), told(answer.view)


@each_row(
    "line, nearest",
    [
        ("/shortage @上海成品", "/shortage @上海仓"),
        ("/stock @上海成品", "/stock @上海仓"),
        ("/stock HT-113 @上海成品", "/stock HT-113 @上海仓"),
        ("/arrivals 永康市金工工具厂", "/arrivals 永康市金工量具有限公司"),
        (f"/arrivals 永康市金工工具厂 {NEVER}", f"/arrivals 永康市金工量具有限公司 {NEVER}"),
        ("/price HT-113 杭州宏达机电设备厂", "/price HT-113 杭州宏达机电设备有限公司 @demo"),
    ],
)
async def test_the_nearest_names_are_offered_with_the_rest_of_the_line(ask: Ask, line: str, nearest: str) -> None:
    answer = await ask(line, where=OWN_CHAT, person=OWNER)
    assert isinstance(answer.view, NotFoundNotice), answer.view
    assert nearest in lines(answer.view)


async def wider_is_told(ask: Ask, line: str, wider: str, **asking: Any) -> Any:
    """Check that an empty list offers a wider line with what that has, and return it."""
    asking = {"where": OWN_CHAT, "person": OWNER, **asking}
    view: Any = (await ask(line, **asking)).view
    assert isinstance(view, EmptiedList), view
    assert not view.listed
    assert all(all(view.words_of(each.by)) for each in view.emptied)
    assert wider in lines(view)
    again = (await ask(wider, **asking)).view
    # The only document there is is shown itself.
    assert getattr(again, "listed", 1) in [each.total for each in view.emptied]
    return view


@each_row(
    "line, wider",
    [
        (f"/order {NEVER}", "/order"),
        (f"/order SOUTH-1 {NEVER}", "/order"),
        (f"/order 宏达 {NEVER} >99999999", "/order 宏达"),
        (f"/invoice overdue {NEVER}", "/invoice overdue"),
        (f"/bill 宝钢 {NEVER}", "/bill 宝钢"),
        (f"/po late {NEVER}", "/po late"),
        (f"/payment paid {NEVER}", "/payment paid"),
        (f"/delivery late {NEVER}", "/delivery late"),
        (f"/receipt {NEVER}", "/receipt"),
        (f"/mo HT-113 {NEVER}", "/mo HT-113"),
        ("/arrivals 2030-01-01", "/arrivals"),
        ("/arrivals 宝钢 2030-01-01", "/arrivals 宝钢"),
        ("/arrivals RM-41 2030-01-01", "/arrivals RM-41"),
        ("/arrivals HT-113", "/arrivals"),
        ("/arrivals HT-113 2030-01-01", "/arrivals"),
        ("/price HT-113 恒兴", "/price HT-113"),
        ("/po pending >99999999", "/po pending"),
        ("/bill open >99999999", "/bill open"),
        (f"/customer best {NEVER}", "/customer best"),
        (f"/vendor biggest {NEVER}", "/vendor biggest"),
        (f"/chart sales {NEVER}", "/chart sales"),
        ("/order late @south", "/order late"),
        (f"/order late {NEVER} @south", "/order"),
        ("/customer best @south", "/customer best"),
    ],
)
async def test_an_empty_list_says_what_emptied_it_and_offers_the_rest(ask: Ask, line: str, wider: str) -> None:
    view = await wider_is_told(ask, line, wider)
    if line.startswith(
        ("/invoice", "/bill", "/po", "/payment", "/delivery", "/receipt", "/mo", "/arrivals", "/vendor")
    ):
        assert UNTOLD in told(view), told(view)


@each_row(
    "line, wider",
    [
        ("/alerts mine 大疆", "/alerts mine"),
        ("/alerts mine @south", "/alerts mine"),
        ("/alerts mine 大疆 @south", "/alerts mine"),
        ("/alerts 大疆", "/alerts all"),
        ("/pending @south", "/pending"),
        ("/watches @south", "/watches"),
    ],
)
async def test_what_waits_elsewhere_is_told(
    ask: Ask, service: InMemoryAlertService, approvals: ApprovalFixture, line: str, wider: str
) -> None:
    service.show(alert("a1"), place=Place(PlaceKind.PERSON, "manager01"))
    watch = Watch(user_id="manager01", area=Area.SALES, subject="SO-1001", source="demo", made_at=NOW)
    await service.put_watch(watch)
    await approvals.submit()
    await wider_is_told(ask, line, wider, person=MANAGER)


async def test_days_that_are_not_kept_are_not_none(ask: Ask, kept: MemoryDocuments) -> None:
    kept.complete_since = date(2026, 1, 1)
    for line in (f"/customer best {NEVER}", f"/vendor biggest {NEVER}", f"/chart sales {NEVER}", f"/report {NEVER}"):
        view: Any = (await ask(line, where=OWN_CHAT, person=OWNER)).view
        assert view.is_untold, line
    view = (await ask(f"/report {NEVER}", where=OWN_CHAT, person=OWNER)).view
    told_of_days = [row for row in view.table().rows if row[2] == 0 and row[3] is not None]
    assert told_of_days == []


async def test_a_name_that_only_other_books_know_is_found_there(ask: Ask) -> None:
    view = (await ask("/order 宏达 late @south", where=OWN_CHAT, person=OWNER)).view
    assert isinstance(view, NotFoundNotice)
    assert "/order 宏达 late" in lines(view)


NONE, SAYS_WHY = "没有记录。", ("去掉", "不提供", "留存", "没有待您审批")
GREEN = "common_green1_color"
SHANGHAI = ZoneInfo("Asia/Shanghai")
EMPTY = (
    *(f"/{command}" for command in ("order late", "invoice overdue", "bill overdue", "po late", "mo late", "payment")),
    *("/delivery late", "/receipt", "/customer owing", "/vendor payable", "/arrivals", "/shortage", "/price SOUTH-1"),
    *("/chart ageing", "/chart payables", "/chart sales", "/report today", "/alerts", "/alerts all", "/pending"),
)
NARROWED = tuple(
    f"/{command} {NEVER}{books}"
    for command in (
        *("order", "order late", "invoice overdue", "bill", "bill open", "po", "po late", "mo", "mo done", "payment"),
        *("payment received", "delivery", "delivery late", "receipt", "arrivals", "customer best", "vendor biggest"),
        "chart sales",
    )
    for books in ("", " @demo")
)
"""Lists of days on which there was nothing."""


async def test_no_card_is_a_bare_zero_nor_green_without_a_look(ask: Ask) -> None:
    renderer = CardRenderer(languages=load_languages(), now=lambda: NOW)
    walked = [*(line for line, _ in not_found()), *NARROWED, *EMPTY, *(f"{line} @south" for line in EMPTY[:1])]
    assert len(walked) > 100
    wrong = []
    for line in walked:
        view = (await ask(line, where=OWN_CHAT, person=OWNER)).view
        card = renderer.render(view, "zh_CN", zone=SHANGHAI)
        text = f"{card.title} {card.body} {card.tips}"
        bare = NONE in text or "(0)" in card.title or "（0）" in card.title
        says_why = isinstance(view, NotFoundNotice) or any(word in text for word in SAYS_WHY)
        if (bare and not says_why) or (GREEN in text and not getattr(view, "total", 0) and UNTOLD in told(view)):
            wrong.append((line, card.title, card.body, card.tips))
    assert wrong == []


async def test_what_changes_something_is_not_tried_in_other_books(ask: Ask, service: InMemoryAlertService) -> None:
    watch = Watch(user_id="manager01", area=Area.SALES, subject="SO-1001", source="demo", made_at=NOW)
    await service.put_watch(watch)
    await ask("/unwatch SO-1001 @south", where=OWN_CHAT, person=MANAGER)
    assert service.stored_watches
    await ask("/unwatch SO-1001 @demo", where=OWN_CHAT, person=MANAGER)
    assert not service.stored_watches


@each_row("command", ["pending", "pending all", "alerts", "watches", "subscriptions", "order late", "customer best"])
async def test_books_that_nobody_has_are_said_and_not_none(ask: Ask, command: str) -> None:
    view = (await ask(f"/{command} @nobody", where=OWN_CHAT, person=OWNER)).view
    assert isinstance(view, BadArgumentNotice)
    assert "@demo" in str(view.problem)
