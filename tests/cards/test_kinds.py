"""A kind of document with nothing special has its cards, its files and its samples from the kind alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from operator import attrgetter
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.cards import samples, status_labels
from bot.cards.language import LANGUAGE_CODES, load_languages
from bot.cards.renderer import CardRenderer
from bot.chat import document_views
from bot.chat.document_views import view_of_list, view_of_one
from bot.erp.kinds import SALES_ORDERS, DocumentAmounts, Kind, KindWords
from bot.erp.kinds.cards import DocumentCards, State
from bot.erp.model import ErpRecord, OrderLine, PartnerName, SalesAmount
from bot.words.columns import Column
from bot.words.disclosure import FieldClass, cut
from bot.words.phrase import Phrase


class OfferState(Enum):
    SENT = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(ErpRecord):
    number: str
    customer: PartnerName
    status: OfferState
    valid_until: date | None
    ordered_on: date | None
    total: SalesAmount | None
    lines: tuple[OrderLine, ...] = ()


OFFERS: Kind[Offer] = replace(
    SALES_ORDERS,  # type: ignore[arg-type]  # its own record follows
    record=Offer,
    command="offer",
    words=KindWords(many=Phrase("Offers")),
    due=attrgetter("valid_until"),
    amounts=DocumentAmounts(attrgetter("total"), frozenset({FieldClass.AMOUNT})),
    days_late=lambda offer, today: 0,
    is_unfinished=lambda offer: True,
    cards=DocumentCards(
        title=lambda offer: Phrase("Offer %(number)s", {"number": offer.number}),
        newest=Phrase("Newest offers"),
        columns=(
            Column(Phrase("Number"), "number"),
            Column(Phrase("Customer"), "customer"),
            Column(Phrase("Stands until"), "valid_until"),
            Column(Phrase("Amount"), "total"),
        ),
        lines=(Column(Phrase("Product"), "sku"), Column(Phrase("Amount"), "amount")),
        states=(State(OfferState.SENT, Phrase("Sent off"), "blue"),),
    ),
)


@pytest.fixture
def offers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(document_views, "KINDS", (OFFERS,))
    states = {(OfferState, state.member): state for state in OFFERS.cards.states}
    monkeypatch.setattr(status_labels, "_OF_KINDS", {**status_labels._OF_KINDS, **states})
    yield
    view_of_one.cache_clear()
    view_of_list.cache_clear()


@pytest.mark.usefixtures("offers")
def test_the_cards_of_a_kind_come_from_the_kind_alone(renderer: CardRenderer, zone: ZoneInfo) -> None:
    for code in LANGUAGE_CODES:
        one = renderer.render(samples.load_sample("offer"), code, zone=zone)
        assert one.title == "Offer NUMBER-1001"
        assert "Stands until" in one.body
        assert "Sent off" in one.body
        assert "12,850.00" in one.body
        several = renderer.render(samples.load_sample("offers"), code, zone=zone)
        assert several.title == "Newest offers (2)"
        assert several.body.count("NUMBER-1001") == 2
        assert several.body.count("12,850.00") == 2


@pytest.mark.usefixtures("offers")
def test_the_files_of_a_kind_have_its_columns() -> None:
    listed, one = samples.load_sample("offers").table(), samples.load_sample("offer").table()
    assert listed is not None
    assert one is not None
    assert [str(heading) for heading in listed.headings] == ["Number", "Customer", "Stands until", "Amount"]
    assert [str(heading) for heading in one.headings] == ["Product", "Amount"]


@pytest.mark.usefixtures("offers")
def test_what_a_reader_may_not_see_is_hidden_on_them(renderer: CardRenderer, zone: ZoneInfo) -> None:
    for name in ("offer", "offers"):
        card = renderer.render(cut(samples.load_sample(name), frozenset()), "en", zone=zone)
        assert "12,850" not in card.body
        assert "Customer" not in card.body.replace("Customer: 🔒", "")
        assert "🔒" in card.body


@pytest.mark.usefixtures("offers")
def test_a_company_draws_them_by_the_name_of_the_card_or_all_kinds_at_once(tmp_path: Path, zone: ZoneInfo) -> None:
    (tmp_path / "document.md.j2").write_text("{% block title %}Ours{% endblock %}{% block body %}x{% endblock %}")
    (tmp_path / "offers.md.j2").write_text(
        '{% extends "documents.md.j2" %}{% block title %}{{ super() }}!{% endblock %}'
    )
    renderer = CardRenderer(languages=load_languages(), custom_dir=tmp_path)
    titles = [
        renderer.render(samples.load_sample(name), "en", zone=zone).title for name in ("offer", "offers", "customer")
    ]
    assert titles == ["Ours", "Newest offers (2)!", "Customer C001"]


OURS = """\
{% extends "document.md.j2" %}
{% block facts %}
{{ super() }}
{{ fact("Ours", view.document.number | bold) }}
{% endblock %}
"""


def test_a_company_says_only_what_is_different(tmp_path: Path, zone: ZoneInfo) -> None:
    (tmp_path / "order.md.j2").write_text(OURS)
    languages, view = load_languages(), samples.load_sample("order")
    ours = CardRenderer(languages=languages, custom_dir=tmp_path)
    drawn, built_in = (each.render(view, "en", zone=zone) for each in (ours, CardRenderer(languages=languages)))
    assert drawn.body.replace("<br>Ours: **SO-1001**", "") == built_in.body != drawn.body
    assert ours.broken_templates(samples.load_sample, zone) == ()
