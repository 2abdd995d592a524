"""A quoted card comes with its title alone: it names the product or document that the card is about, and first."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from bot.cards import samples
from bot.cards.language import LANGUAGE_CODES
from bot.cards.renderer import CardRenderer
from bot.chat.questions.quoting import numbers_in
from tests.rows import each_row

ABOUT_ONE = {
    "alert": "SKU123",
    "approval": "PO-1001",
    "approval_people": "PO-1001",
    "approval_reasons": "PO-1001",
    "approval_todo": "PO-1001",
    "approval_told": "PO-1001",
    "approval_why": "PO-1001",
    "bill": "BILL-3",
    "customer": "C001",
    "delivery": "DN-1001",
    "invoice": "INV-7",
    "mo": "MO-1",
    "order": "SO-1001",
    "order_deliveries": "SO-1001",
    "payment": "PAY-12",
    "po": "PO-1001",
    "price": "SKU146",
    "receipt": "GRN-1001",
    "order_receipts": "PO-1005",
    "product": "FAN-21",
    "stock": "SKU123",
    "vendor": "V001",
}
"""Cards about one product or document, with its number in their samples."""


@each_row("code", LANGUAGE_CODES)
@each_row("name", ABOUT_ONE)
def test_the_title_of_a_card_names_what_it_is_about_first(
    name: str, code: str, renderer: CardRenderer, zone: ZoneInfo
) -> None:
    card = renderer.render(samples.load_sample(name), code, zone=zone)
    assert numbers_in(card.title)[:1] == (ABOUT_ONE[name],)


@each_row("code", LANGUAGE_CODES)
@each_row(
    "name", ["approval_list", "orders", "invoices", "pos", "mos", "deliveries", "receipts", "payments", "quota_report"]
)
def test_lists_are_about_nothing_alone(name: str, code: str, renderer: CardRenderer, zone: ZoneInfo) -> None:
    card = renderer.render(samples.load_sample(name), code, zone=zone)
    assert numbers_in(card.title) == ()
