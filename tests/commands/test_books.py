"""Two companies that number their documents alike: whatever a card offers leads to the books that it is from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import fields, replace
from typing import Any

import pytest

from bot.alerts.alert import AlertCard, CardState, CardWithAlerts, digest_group
from bot.alerts.event import Effect
from bot.alerts.processing.pipeline import effect_on
from bot.alerts.subscriptions import SubscriptionList
from bot.alerts.view_builder import build_alert_view, build_card_view, build_top_view
from bot.alerts.views import AlertDigest, AlertList, AlertReply
from bot.approvals.cards.list_views import ApprovalAll, ApprovalList, ApprovalListRow, ApprovalResults
from bot.cards.actions import Ask, unpack
from bot.cards.language import load_languages
from bot.cards.notices import BadArgumentNotice, ChoiceNotice, NotFoundNotice
from bot.cards.renderer import CardRenderer
from bot.cards.view import ListView, View, lead_on
from bot.chat.view_parts import button_label
from bot.erp.hub import ErpHub
from bot.erp.port import Erp
from bot.kit.company.adapter import open_demo
from bot.mechanisms.metrics import Metrics
from bot.outbox.place import Place, PlaceKind
from bot.words.phrase import phrase
from tests.bare_records import with_review
from tests.commands.alert_fakes import InMemoryAlertService, alert
from tests.commands.company import NOW
from tests.commands.conftest import Ask as AskLine
from tests.commands.conftest import as_
from tests.commands.export_fakes import MemoryCourier
from tests.read_model.memory_documents import MemoryDocuments
from tests.rows import each_row
from tests.workbook_cells import ReadSheet, read_sheets

OPENED = {
    "order": "order",
    "invoice": "invoice",
    "po": "purchase_order",
    "mo": "production_order",
    "delivery": "delivery",
    "receipt": "receipt",
    "bill": "bill",
    "payment": "payment",
    "customer": "customer",
    "vendor": "vendor",
}
"""Command → the port's call that reads what it opens."""


@pytest.fixture
async def sources() -> AsyncIterator[dict[str, Erp]]:
    """Two demo companies of different seeds: their numbers are the same, their documents are not."""
    async with AsyncExitStack() as stack:
        opened = {}
        for name, seed in (("north", 1), ("south", 2)):
            erp = await open_demo(":memory:", today=NOW.date(), now=lambda: NOW, name=name, seed=seed)
            stack.push_async_callback(erp.close)
            opened[name] = erp
        yield opened


@pytest.fixture
async def hub(sources: dict[str, Erp]) -> AsyncIterator[ErpHub]:
    hub = ErpHub([*sources.values()], metrics=Metrics(), now=lambda: NOW)
    yield hub
    await hub.close()


@pytest.fixture
def kept() -> MemoryDocuments:
    """Nothing is kept: the ERPs themselves are asked."""
    return MemoryDocuments(NOW)


def asks(view: View) -> Iterator[tuple[str, Ask]]:
    """Yield what the buttons of a view ask, each with its text."""
    for button in lead_on(view, view.buttons()):
        if isinstance(button.does, Ask):
            yield str(button.label), button.does


async def tell_of(sources: dict[str, Erp], command: str, number: str, source: str) -> Any:
    """Return what this source itself tells under a number."""
    return told(await getattr(sources[source], OPENED[command])(number))


def told(record: Any) -> dict[str, Any]:
    """Return what a record says; cards have names in place of the accounts of people."""
    if getattr(record, "review", None) is not None:
        record = with_review(record, approval=None, requester="")
    return {field.name: getattr(record, field.name) for field in fields(record) if field.name not in _CHANGED}


_CHANGED = {"source", "books", "buyer"}


@each_row("command", OPENED)
async def test_each_row_of_a_list_opens_the_document_that_it_shows(
    ask: AskLine, sources: dict[str, Erp], command: str
) -> None:
    shown = as_(ListView, await ask(f"/{command}", rows=60))
    assert {row.books for row in shown.rows} == {(source,) for source in sources}, command
    buttons = dict(asks(shown))
    for row in shown.rows[::7]:
        (books,) = row.books
        tapped = buttons[button_label(row.number, row.books)]
        opened: Any = (await ask(tapped.line, clicked=True)).view
        assert told(opened.document) == await tell_of(sources, command, row.number, books), tapped


@each_row(
    "line", [*(f"/{name}" for name in OPENED), "/arrivals", "/find SO-1001", "/price SKU123", "/po late", "/shortage"]
)
async def test_nothing_that_a_card_offers_leaves_open_whose_books_are_meant(ask: AskLine, line: str) -> None:
    """Two taps from each list: none asks back, and what is beside a document is in the books of that."""
    known: set[str] = set()
    waiting = [(Ask(line), 0, ())]
    while waiting:
        asked, depth, books = waiting.pop()
        answer = await ask(asked.line, offset=asked.offset, clicked=True)
        view: Any = answer.view
        assert not isinstance(view, ChoiceNotice | BadArgumentNotice), asked
        if isinstance(view, NotFoundNotice):
            assert view.notes or asked.line.startswith("/payment"), (
                asked
            )  # what belongs to a document is looked up in what is kept
            continue
        if books:
            assert view.books == books, asked
        for row in getattr(view, "rows", ()) if books else ():
            assert getattr(row, "books", ()) in ((), tuple(word.removeprefix("@") for word in books)), asked
        for _, further in asks(view) if depth < 2 else ():
            if further.typed not in known and not further.line.startswith(("/export", "/help", "/chart", "/report")):
                known.add(further.typed)
                waiting.append((further, depth + 1, view.books))


async def test_a_number_of_two_companies_is_a_choice(ask: AskLine, sources: dict[str, Erp]) -> None:
    choice = await ask("/invoice INV-289")
    numbers = {picked: await tell_of(sources, "invoice", "INV-289", picked) for picked in sources}
    for text, tapped in asks(as_(ChoiceNotice, choice)):
        opened: Any = (await ask(tapped.line, clicked=True)).view
        assert told(opened.document) == numbers[text.rpartition(" · ")[2]]


@each_row(
    ("line", "shown"),
    [
        ("/invoice @north", {("north",)}),
        ("/invoice @NORTH open", {("north",)}),
        ("/order late @south", {("south",)}),
        ("/customer @south", {("south",)}),
        ("/payment paid @north", {("north",)}),
    ],
)
async def test_a_name_after_the_sign_narrows_a_list(ask: AskLine, line: str, shown: set[tuple[str, ...]]) -> None:
    view = as_(ListView, await ask(line))
    assert {row.books for row in view.rows} == shown
    assert {asked.line.rsplit(" ", 1)[1] for _, asked in asks(view)} == {f"@{name}" for (name,) in shown}
    page = as_(ListView, await ask(view.line, offset=8))
    assert {row.books for row in page.rows} == shown


async def test_a_name_that_nobody_has_is_told_with_those_that_there_are(ask: AskLine) -> None:
    refused = as_(BadArgumentNotice, await ask("/invoice @weast"))
    assert "@north, @south" in str(refused.problem)


async def test_a_file_tells_in_which_books_each_row_is(ask: AskLine, courier: MemoryCourier) -> None:
    await ask("/export invoice open")
    await ask("/export invoice open @south")
    whole, south = (companies_in(read_sheets(content)[0]) for _, _, content in courier.files)
    assert whole >= {"north", "south"}
    assert "south" in south
    assert "north" not in south


def companies_in(sheet: ReadSheet) -> set[Any]:
    """Return what a sheet tells in its column of companies."""
    at = next(n for n, heading in enumerate(sheet.values[0]) if heading in {"Company", "公司"})
    return {row[at] for row in sheet.values[1:] if len(row) > at}


async def test_a_watch_keeps_to_the_document_that_was_meant(ask: AskLine, service: InMemoryAlertService) -> None:
    as_(ChoiceNotice, await ask("/watch SO-1001"))
    for name in ("north", "south"):
        as_(AlertReply, await ask(f"/watch SO-1001 @{name}"))
    watches = await service.watches("keeper01")
    assert [(watch.subject, watch.source) for watch in watches] == [("SO-1001", "north"), ("SO-1001", "south")]
    event = replace(alert("a").event, type="order.changed", subject="SO-1001", source="south")
    assert [effect_on(watch, event) for watch in watches] == [None, Effect.INFORMS]
    as_(ChoiceNotice, await ask("/unwatch SO-1001"))
    as_(AlertReply, await ask("/unwatch SO-1001 @north"))
    assert [watch.source for watch in await service.watches("keeper01")] == ["south"]


async def test_the_alerts_of_one_company_are_listed_alone_and_those_of_both_are_told_apart(
    ask: AskLine, service: InMemoryAlertService
) -> None:
    for source in ("north", "south"):
        one = alert(source, "INV-289", kind="invoice.overdue")
        service.show(replace(one, event=replace(one.event, source=source)))
    both = as_(AlertList, await ask("/alerts"))
    assert {button.label for button in both.row_buttons()} == {"INV-289 · north", "INV-289 · south"}
    card = CardRenderer(languages=load_languages(), sources=("north", "south")).render(both, "en", zone=NOW.tzinfo)
    assert card.body.count(" · north") == card.body.count(" · south") == 1
    alone = as_(AlertList, await ask("/alerts @south"))
    assert [row.source for row in alone.rows] == ["south"]
    assert alone.line.endswith("@south")
    for sources, named in ((("north", "south"), 1), (("south",), 0)):
        card = CardRenderer(languages=load_languages(), sources=sources).render(alone, "en", zone=NOW.tzinfo)
        assert card.body.count(" · south") == named


def shown_of(source: str) -> tuple[View, ...]:
    """Return cards that tell of one thing of a source, as a part of what they may tell."""
    one = alert(source, "INV-289", kind="invoice.overdue")
    one = replace(one, event=replace(one.event, source=source))
    card = AlertCard(
        id="c",
        place=Place(PlaceKind.GROUP, "g"),
        route="",
        group=digest_group("c"),
        alerts=(one.id, "b"),
        state=CardState.WAITING,
        opened_at=NOW,
    )
    digest = build_card_view(CardWithAlerts(card, (one, replace(one, id="b"))), NOW)
    assert isinstance(digest, AlertDigest)
    order = ApprovalListRow(
        case="a", number="PO-1", source=source, kind="po", partner="Vendor", result=phrase("Approved")
    )
    return (
        digest,
        build_top_view([one]),
        ApprovalList(rows=(order,), total=1, line="/pending"),
        ApprovalAll(rows=(order,), total=1, line="/pending all"),
        ApprovalResults(rows=(order,)),
    )


@each_row("view", shown_of("south"))
def test_a_card_names_the_company_where_there_are_several_though_it_tells_of_one(view: View) -> None:
    for sources, is_named in ((("north", "south"), True), (("south",), False)):
        renderer = CardRenderer(languages=load_languages(), sources=sources)
        card = renderer.render(view, "en", zone=NOW.tzinfo)
        assert (" · south" in card.title + card.body) is is_named
        table = renderer.tell_apart(view).table()
        if table is not None:
            assert any("Company" in str(heading) for heading in table.headings) is is_named


async def test_the_subscriptions_of_one_company_are_listed_alone(ask: AskLine) -> None:
    for line in ("invoice open @north", "invoice open @south", "report"):
        as_(SubscriptionList, await ask(f"/subscribe {line} 08:30"))
    assert as_(SubscriptionList, await ask("/subscriptions")).total == 3
    alone = as_(SubscriptionList, await ask("/subscriptions @south"))
    assert [row.line for row in alone.rows] == ["/invoice open @south"]
    (end,) = [asked.line for _, asked in asks(alone) if asked.line.startswith("/unsubscribe")]
    left = as_(SubscriptionList, await ask(end))
    assert {row.line for row in left.rows} == {"/invoice open @north", "/report"}


async def test_a_line_is_about_one_company_or_about_all(ask: AskLine) -> None:
    refused = as_(BadArgumentNotice, await ask("/invoice @north @south"))
    assert "@north" in str(refused.problem)
    assert as_(ListView, await ask("/invoice @north @North")).total


def test_the_card_of_an_alert_leads_to_its_own_source() -> None:
    shown = build_alert_view(replace(alert("a", "INV-289", kind="invoice.overdue")), NOW)
    for sources, line in ((("main", "north"), "/invoice INV-289 @main"), (("main",), "/invoice INV-289")):
        card = CardRenderer(languages=load_languages(), sources=sources).render(shown, "en", zone=NOW.tzinfo)
        assert line in [unpack(button.token).typed for button in card.buttons if button.token]
