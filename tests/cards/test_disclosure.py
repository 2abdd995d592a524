"""No card tells its reader what they may not see: every view, every set of classes, both languages, every text."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import chain, combinations
from typing import Any, get_args
from zoneinfo import ZoneInfo

from syrupy.assertion import SnapshotAssertion

from bot.alerts.views import AlertView
from bot.cards.card import Card
from bot.cards.language import LANGUAGE_CODES
from bot.cards.renderer import CardRenderer
from bot.cards.samples import load_sample, view_class
from bot.cards.view import View, shared_view
from bot.erp.model import Money
from bot.words.disclosure import ALL_FIELDS, SHARED_FIELDS, ClassedBy, FieldClass, Stating, classed_fields, cut
from tests.cards.marked_views import alert_views, fill, forbidden_marks, marks_of, reachable
from tests.cards.test_snapshots import NAMES, as_text
from tests.rows import each_row

SETS = [frozenset(some) for some in chain.from_iterable(combinations(FieldClass, n) for n in range(6))]
PARTNERS = ("customer", "vendor", "supplier", "partner")


def _id_of(view: View) -> str:
    return view.alert.event.type if isinstance(view, AlertView) else view.card


def told(card: Card) -> str:
    """Return all that a card holds, for whomever it is sent to."""
    buttons = [f"{button.text} {button.token} {button.url}" for button in card.buttons]
    return "\n".join([card.title, card.body, card.tips, card.twin, *buttons, *card.fields, *card.fields.values()])


@cache  # made when it is tested: each worker imports this file
def views() -> list[tuple[str, View]]:
    """Return all views by name. A test for each of them would cost as much as looking at it."""
    return [
        *((name, fill(load_sample(name))) for name in NAMES),
        *((f"{_id_of(view)} of events", view) for view in alert_views()),
    ]


def different(view: View) -> Iterator[tuple[View, frozenset[str]]]:
    """Yield what sets of classes show of a view, with all that must not be on it; most sets show the same."""
    forbidden: dict[str, set[str]] = {}
    shown: dict[str, View] = {}
    for visible in SETS:
        left = shared_view(view, visible)
        words = repr(left)
        shown.setdefault(words, left)
        forbidden.setdefault(words, set()).update(forbidden_marks(visible))
    for words, left in shown.items():
        yield left, frozenset(forbidden[words])


def test_nothing_forbidden_is_on_any_card(renderer: CardRenderer, zone: ZoneInfo) -> None:
    leaked = [
        (name, sorted(left.withheld), code, mark)
        for name, view in views()
        for left, forbidden in different(view)
        for code in LANGUAGE_CODES
        for text in [told(renderer.render(left, code, zone=zone))]
        for mark in forbidden
        if mark in text
    ]
    assert leaked == []


def test_nothing_forbidden_is_in_the_view_itself() -> None:
    leaked = [
        (name, sorted(visible), mark)
        for name, view in views()
        for visible in SETS
        for text in [repr(cut(view, visible))]
        for mark in forbidden_marks(visible)
        if mark in text
    ]
    assert leaked == []


def test_the_views_hold_something_to_hide(renderer: CardRenderer, zone: ZoneInfo) -> None:
    text = "\n".join(told(renderer.render(view, "en", zone=zone)) for _, view in views())
    # No view has a contact yet.
    assert [mark for each in ALL_FIELDS - {FieldClass.CONTACT} for mark in marks_of(each) if mark not in text] == []


def test_whoever_sees_everything_gets_the_view_itself() -> None:
    assert [name for name, view in views() if cut(view, ALL_FIELDS) is not view] == []
    assert [name for name, view in views() if shared_view(view, ALL_FIELDS) is not view] == []


def test_every_figure_and_every_partner_has_a_class() -> None:
    kinds = {kind for name in NAMES for kind in reachable(view_class(name))}
    open_fields = [
        f"{kind.__name__}.{field}: {hint}"
        for kind in kinds
        if not hasattr(kind, "unclassed")
        for field, marks, hint in classed_fields(kind)
        if _tells(field, hint) and not any(isinstance(mark, (FieldClass, ClassedBy, Stating)) for mark in marks)
    ]
    assert open_fields == []


def test_a_new_figure_without_a_class_would_be_found() -> None:
    assert _tells("total", Money | None)
    assert _tells("counted", tuple[Decimal, ...])
    assert _tells("customer", str)
    assert _tells("document", Any)
    assert not _tells("customers", int)


def _tells(field: str, hint: Any) -> bool:
    if hint in (Money, Decimal, Any):
        return True
    if hint is str and field in PARTNERS:
        return True
    return any(_tells(field, part) for part in get_args(hint))


CUT = (
    *("order", "orders", "invoice", "invoices", "po", "pos", "stock", "mo", "hits", "report"),
    *("alert", "alert_group", "approval"),
)


@each_row("name", CUT)
def test_a_shared_card(name: str, renderer: CardRenderer, zone: ZoneInfo, snapshot: SnapshotAssertion) -> None:
    """Whole cards are in both languages in `test_snapshots`; what is cut is the same in either."""
    view = shared_view(load_sample(name), SHARED_FIELDS)
    assert as_text(renderer.render(view, "zh_CN", zone=zone)) == snapshot(name=name)


@each_row("name", CUT)
def test_a_card_with_an_outsider(
    name: str, renderer: CardRenderer, zone: ZoneInfo, snapshot: SnapshotAssertion
) -> None:
    view = shared_view(load_sample(name), frozenset())
    assert as_text(renderer.render(view, "en", zone=zone)) == snapshot(name=name)


@each_row("view", alert_views())
def test_a_shared_alert(view: View, renderer: CardRenderer, zone: ZoneInfo, snapshot: SnapshotAssertion) -> None:
    assert as_text(renderer.render(shared_view(view, SHARED_FIELDS), "zh_CN", zone=zone)) == snapshot(name=_id_of(view))


def test_a_reader_without_the_right_is_told_so(renderer: CardRenderer, zone: ZoneInfo) -> None:
    card = renderer.render(cut(load_sample("invoice"), SHARED_FIELDS), "zh_CN", zone=zone)
    assert card.tips.startswith("🔒 您无权查看：金额 · ")
    assert "查看完整" not in as_text(card)


def test_a_shared_card_leads_to_ones_own_view(renderer: CardRenderer, zone: ZoneInfo) -> None:
    card = renderer.render(shared_view(load_sample("invoice"), SHARED_FIELDS), "zh_CN", zone=zone)
    assert card.tips.startswith("🔒 此处不显示金额：点“查看完整”或私聊我 · ")
    assert (card.buttons[0].text, card.buttons[0].token) == ("查看完整", "ask|0|/invoice INV-7")


def test_no_button_repeats_a_hidden_name(renderer: CardRenderer, zone: ZoneInfo) -> None:
    card = renderer.render(shared_view(load_sample("invoice"), frozenset()), "en", zone=zone)
    assert [button.text for button in card.buttons] == ["See all", "SO-1001", "Open in the ERP"]
